//! Which flow is looked at next: fair, bounded, one tick a flow at a time.
//!
//! A plain value that knows no clock and starts nothing: instants come in, names go out. A flow
//! that was woken goes to the end of the line, also when it is at work at that moment: then it is
//! looked at once more, for what woke it may have come after its look. Flows that fail are looked
//! at ever more rarely and never have more than one seat between them, so a hundred dead remotes
//! delay the living ones by one seat and no more.

use std::collections::{BTreeMap, VecDeque};

use towpath_core::model::{FlowName, Instant, Span};

/// What woke a flow, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wake {
    /// Somebody ordered something.
    Command,
    /// A push was announced, or a check reported.
    Hook,
    /// An instant at which something may change has come.
    Due,
    /// The look schedule, or the start.
    Look,
}

/// How a tick ended, for the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It ran; by itself something may change at that instant.
    Well {
        /// When, by the wall.
        due: Option<Instant>,
    },
    /// Another process is at work on the flow.
    Leased,
    /// It failed, or its remote did not answer.
    Failed,
}

/// After how many failures in a row a flow is sick: it shares one seat with the other sick ones.
pub const SICK: u32 = 2;

/// How many woken flows may go before one that stood in line longer.
const STREAK: u32 = 8;

/// The first and the longest wait of a failing flow. The look schedule does not shorten it; a
/// command does.
const BACKOFF: (Span, Span) = (Span::from_secs(15), Span::from_mins(30));

/// How soon a flow is looked at again that another process had.
const LEASED: Span = Span::from_secs(5);

/// One flow in the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Whether it stands in line, and what woke it first.
    queued: Option<Wake>,
    /// Whether a tick is running.
    running: bool,
    /// Whether the flow is no longer configured, and only its last tick is still running.
    gone: bool,
    /// When something may change by itself.
    due: Option<Instant>,
    /// Failures in a row.
    failures: u32,
    /// Not before this, unless a command wakes it.
    not_before: Option<Instant>,
}

impl Row {
    /// Failures in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Until when it is left alone, if it fails.
    pub const fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    const fn is_sick(&self) -> bool {
        self.failures >= SICK
    }
}

/// The line of flows.
#[derive(Debug, Clone)]
pub struct Queue {
    rows: BTreeMap<FlowName, Row>,
    line: VecDeque<FlowName>,
    seats: usize,
    /// How many that were woken by somebody went before one that was only to be looked at.
    streak: u32,
}

impl Queue {
    /// An empty line before so many seats; at least one.
    pub fn new(seats: usize) -> Self {
        Self { rows: BTreeMap::new(), line: VecDeque::new(), seats: seats.max(1), streak: 0 }
    }

    /// From now on so many seats.
    pub fn set_seats(&mut self, seats: usize) {
        self.seats = seats.max(1);
    }

    /// From now on these flows. One that is at work keeps its row until it ends.
    pub fn set_flows(&mut self, flows: impl IntoIterator<Item = FlowName>) {
        let mut rows = BTreeMap::new();
        for flow in flows {
            let row = Row { gone: false, ..self.rows.remove(&flow).unwrap_or_default() };
            rows.insert(flow, row);
        }
        let left = std::mem::take(&mut self.rows).into_iter().filter(|(_, row)| row.running);
        rows.extend(left.map(|(flow, row)| (flow, Row { gone: true, queued: None, ..row })));
        self.line.retain(|flow| rows.get(flow).is_some_and(|row| !row.gone));
        self.rows = rows;
    }

    /// Puts a flow in line, once; says whether there is such a flow.
    pub fn wake(&mut self, flow: &FlowName, why: Wake) -> bool {
        let Some(row) = self.rows.get_mut(flow).filter(|row| !row.gone) else { return false };
        if why == Wake::Command {
            row.not_before = None;
        }
        match row.queued {
            None => {
                row.queued = Some(why);
                self.line.push_back(flow.clone());
            }
            Some(before) => row.queued = Some(before.min(why)),
        }
        true
    }

    /// Puts every flow in line.
    pub fn wake_all(&mut self, why: Wake) {
        let flows: Vec<FlowName> = self.rows.keys().cloned().collect();
        for flow in &flows {
            self.wake(flow, why);
        }
    }

    /// Takes the next flow to be looked at now, if a seat is free. [`Queue::end`] gives the seat back.
    pub fn take(&mut self, wall: Instant) -> Option<(FlowName, Wake)> {
        let due: Vec<FlowName> = self
            .rows
            .iter()
            .filter(|(_, row)| row.queued.is_none() && !row.running && row.due.is_some_and(|due| due <= wall))
            .map(|(flow, _)| flow.clone())
            .collect();
        for flow in &due {
            self.wake(flow, Wake::Due);
        }
        let running = self.rows.values().filter(|row| row.running).count();
        if running >= self.seats {
            return None;
        }
        let sick_seat_free = !self.rows.values().any(|row| row.running && row.is_sick());
        let may_go = |flow: &FlowName| {
            self.rows.get(flow).is_some_and(|row| {
                let rested = row.not_before.is_none_or(|at| at <= wall);
                // With one seat the sick and the others take turns in the line itself.
                !row.running && rested && (!row.is_sick() || sick_seat_free)
            })
        };
        // Who was woken by somebody goes before those that the schedule sends, or a hook would
        // wait for a look at a thousand flows; now and then one of those goes all the same.
        let urgent = |flow: &FlowName| self.rows.get(flow).is_some_and(|row| row.queued < Some(Wake::Look));
        let first = self.line.iter().position(may_go)?;
        let at = match self.line.iter().position(|flow| urgent(flow) && may_go(flow)) {
            Some(at) if self.streak < STREAK => at,
            _ => first,
        };
        let flow = self.line.remove(at)?;
        let row = self.rows.get_mut(&flow)?;
        let why = row.queued.take().unwrap_or(Wake::Look);
        self.streak = if why == Wake::Look || at == first { 0 } else { self.streak + 1 };
        row.running = true;
        row.due = None;
        Some((flow, why))
    }

    /// A tick has ended.
    pub fn end(&mut self, flow: &FlowName, ended: Ended, wall: Instant) {
        let Some(row) = self.rows.get_mut(flow) else { return };
        if row.gone {
            self.rows.remove(flow);
            return;
        }
        row.running = false;
        match ended {
            Ended::Well { due } => {
                (row.failures, row.not_before) = (0, None);
                row.due = due;
            }
            Ended::Leased => row.due = Some(wall + LEASED),
            Ended::Failed => {
                row.failures = row.failures.saturating_add(1);
                let again = wall + backoff(row.failures);
                row.not_before = Some(again);
                row.due = Some(again);
            }
        }
    }

    /// When [`Queue::take`] may yield something that it does not yield now, by time alone.
    pub fn next(&self, wall: Instant) -> Option<Instant> {
        let when = |row: &Row| {
            if row.running {
                return None;
            }
            let queued = row.queued.and(row.not_before).filter(|at| *at > wall);
            queued.or(if row.queued.is_none() { row.due } else { None })
        };
        self.rows.values().filter_map(when).min()
    }

    /// Whether a tick of any flow is running.
    pub fn is_busy(&self) -> bool {
        self.rows.values().any(|row| row.running)
    }

    /// Every configured flow with how it stands.
    pub fn rows(&self) -> impl Iterator<Item = (&FlowName, &Row)> {
        self.rows.iter().filter(|(_, row)| !row.gone)
    }

    /// How many stand in line.
    pub fn waiting(&self) -> usize {
        self.line.len()
    }
}

/// How long a flow rests that failed so many times in a row.
fn backoff(failures: u32) -> Span {
    let doubled = BACKOFF.0.ms().saturating_mul(1_i64 << failures.saturating_sub(1).min(20));
    Span::from_ms(doubled).min(BACKOFF.1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<FlowName> {
        (0..count).map(|n| FlowName::new(format!("flow-{n}"))).collect()
    }

    fn queue(seats: usize, flows: &[FlowName]) -> Queue {
        let mut queue = Queue::new(seats);
        queue.set_flows(flows.to_vec());
        queue
    }

    const WELL: Ended = Ended::Well { due: None };

    #[test]
    fn one_tick_a_flow_and_no_more_than_the_seats() {
        let flows = names(5);
        let mut queue = queue(2, &flows);
        queue.wake_all(Wake::Look);
        queue.wake(&flows[0], Wake::Hook);
        let now = Instant(0);
        let (first, second) = (queue.take(now).unwrap(), queue.take(now).unwrap());
        assert_eq!((first, second), ((flows[0].clone(), Wake::Hook), (flows[1].clone(), Wake::Look)));
        assert_eq!(queue.take(now), None);
        // Woken while at work: once more, and before those that only the schedule sends.
        queue.wake(&flows[0], Wake::Hook);
        queue.wake(&flows[0], Wake::Hook);
        queue.end(&flows[0], WELL, now);
        let mut order = Vec::new();
        while let Some((flow, _)) = queue.take(now) {
            queue.end(&flow, WELL, now);
            order.push(flow);
        }
        assert_eq!(order, [flows[0].clone(), flows[2].clone(), flows[3].clone(), flows[4].clone()]);
    }

    #[test]
    fn a_busy_flow_does_not_starve_the_others() {
        let flows = names(3);
        let mut queue = queue(1, &flows);
        queue.wake_all(Wake::Look);
        let mut seen = Vec::new();
        for _ in 0..9 {
            let (flow, _) = queue.take(Instant(0)).unwrap();
            queue.wake_all(Wake::Hook);
            queue.end(&flow, WELL, Instant(0));
            seen.push(flow);
        }
        for flow in &flows {
            assert_eq!(seen.iter().filter(|f| f == &flow).count(), 3, "{seen:?}");
        }
    }

    #[test]
    fn a_hook_does_not_wait_for_a_thousand_looks_nor_do_looks_starve() {
        let flows = names(1_000);
        let mut queue = queue(1, &flows);
        queue.wake_all(Wake::Look);
        queue.wake(&flows[900], Wake::Hook);
        let take = |queue: &mut Queue| {
            let (flow, why) = queue.take(Instant(0)).unwrap();
            queue.end(&flow, WELL, Instant(0));
            (flow, why)
        };
        assert_eq!(take(&mut queue), (flows[900].clone(), Wake::Hook));
        let mut looks = 0;
        for n in 0..90 {
            queue.wake(&flows[900 + n % 50], Wake::Hook);
            queue.wake(&flows[950], Wake::Hook);
            looks += u32::from(take(&mut queue).1 == Wake::Look);
        }
        assert!((9..=11).contains(&looks), "{looks}");
    }

    #[test]
    fn an_instant_that_comes_wakes() {
        let flows = names(2);
        let mut queue = queue(2, &flows);
        queue.wake_all(Wake::Look);
        for (flow, due) in [(&flows[0], Some(Instant(500))), (&flows[1], None)] {
            queue.take(Instant(0)).unwrap();
            queue.end(flow, Ended::Well { due }, Instant(1));
        }
        assert_eq!(queue.next(Instant(1)), Some(Instant(500)));
        assert_eq!(queue.take(Instant(499)), None);
        assert_eq!(queue.take(Instant(500)), Some((flows[0].clone(), Wake::Due)));
    }

    #[test]
    fn the_sick_share_one_seat_and_rest_longer_and_longer() {
        let flows = names(6);
        let mut queue = queue(3, &flows);
        let mut now = Instant(0);
        for _ in 0..SICK {
            queue.wake_all(Wake::Look);
            now = now + Span::from_mins(60);
            while let Some((flow, _)) = queue.take(now) {
                let ended = if flow == flows[5] { WELL } else { Ended::Failed };
                queue.end(&flow, ended, now);
            }
        }
        queue.wake_all(Wake::Look);
        assert_eq!(queue.take(now).unwrap().0, flows[5], "all the others rest");
        queue.wake(&flows[3], Wake::Command);
        assert_eq!(queue.take(now).unwrap(), (flows[3].clone(), Wake::Command), "a command ends the rest");
        let later = now + Span::from_mins(60);
        assert_eq!(queue.take(later), None, "one seat for the sick, and it is taken");
        queue.end(&flows[3], WELL, later);
        assert!(queue.take(later).is_some());
        assert_eq!(backoff(1), Span::from_secs(15));
        assert_eq!(backoff(3), Span::from_secs(60));
        assert_eq!(backoff(60), Span::from_mins(30));
    }

    #[test]
    fn a_reload_keeps_what_is_known_and_forgets_what_is_gone() {
        let flows = names(3);
        let mut queue = queue(3, &flows);
        queue.wake_all(Wake::Look);
        let (running, _) = queue.take(Instant(0)).unwrap();
        queue.set_flows([flows[2].clone(), FlowName::new("new")]);
        assert!(!queue.wake(&flows[1], Wake::Hook), "gone");
        assert!(!queue.wake(&running, Wake::Hook), "gone, though its last tick is still running");
        assert_eq!(queue.rows().count(), 2);
        assert!(queue.wake(&FlowName::new("new"), Wake::Look));
        assert_eq!(running, flows[0]);
        queue.end(&running, Ended::Leased, Instant(0));
        assert_eq!(queue.next(Instant(0)), None, "nothing is left of it");
        assert_eq!(queue.take(Instant(0)).unwrap().0, flows[2]);
        assert_eq!(queue.take(Instant(0)).unwrap().0, FlowName::new("new"));
    }
}
