//! What one notice means to what was said before: whether it opens, changes or ends a message, or is too old to.
//!
//! The rules, by the event's word:
//!
//! | event | what becomes of it |
//! |---|---|
//! | `heads-up` | opens the edge's promotion, or says in the open one what moves now; where that would have to be said to somebody else, or moves sooner, in a message of its own, and the open one says so; opens nothing once its instant has come |
//! | `taken-back` | ends the open promotion if that announced it, in the same message; else nobody was told, and it is not said |
//! | `promoted`, `moved-by-hand`, `overtaken` | ends the open promotion if that announced it, in the same message; else that one says that something else came, and this has a message of its own |
//! | `rolled-back` | always a message of its own; an open promotion of the edge says that something else came |
//! | `behind`, `blocked`, `rewound`, `refused`, `called-off`, `withdrawn` | one message for the same problem within a day, with a counter |
//! | `caught-up`, `unblocked`, `put-back` | ends its problem in the same message; so does a move to what was refused before |
//! | `pause-ends` | one message for each pause |
//! | `proposed` | one message for each request, changed as its head moves on |
//!
//! What was promoted and is rolled back later keeps its message: it says what happened then.
//!
//! Not here: the order in which notices come (`plan`), and lines (`words`).

use towpath_core::model::{Instant, Span};

use super::kept::{Body, Kept, Key, Saying, State};
use super::plan::Why;
use super::told::{Told, Wrote};
use crate::chat::message::Message;

/// For how long a promotion or a problem is one message: one from yesterday nobody sees any more, as chats show a
/// changed message where it was.
pub const DAY: Span = Span::from_mins(24 * 60);

/// A move that is so much sooner than was said is told anew: less nobody sees in a message.
const SOONER: Span = Span::from_mins(1);

/// A problem that comes back within this after it ended opens its message again.
pub const FLAP: Span = Span::from_mins(60);

/// One message while it is worked out.
#[derive(Debug)]
pub(super) struct Thread<'k> {
    /// As it stands in the chat, if it does.
    pub(super) kept: Option<&'k Kept>,
    /// What it is to say.
    pub(super) saying: Saying,
    /// The notices that are done once it says it.
    pub(super) covers: Vec<String>,
    /// Whether it is to say something else than it does.
    pub(super) touched: bool,
    /// Of one that nobody has seen yet: the message whose place it takes.
    instead_of: Option<usize>,
}

/// Every message of a sink while notices come in.
#[derive(Debug)]
pub(super) struct Threads<'k> {
    /// The messages, those that stand first.
    pub(super) all: Vec<Thread<'k>>,
    /// What is not said, and why.
    pub(super) nothing: Vec<(String, Why)>,
    now: Instant,
}

/// Of what happens at one instant, what ends something comes after what begins it: the same order whether it is told
/// together or, after a crash, one by one.
pub(super) fn rank(word: &str) -> u8 {
    match word {
        "rewound" => 1,
        "promoted" | "moved-by-hand" | "overtaken" | "rolled-back" | "caught-up" | "unblocked" | "put-back" => 2,
        // Only what has not come is taken back.
        "taken-back" => 3,
        _ => 0,
    }
}

/// When a notice happened, to be compared with others.
pub(super) fn moment(told: &Told) -> (Instant, u8) {
    (told.at(), rank(&told.notice.event))
}

impl<'k> Thread<'k> {
    /// What it was told last.
    fn newest(&self) -> Option<&Told> {
        match &self.saying.body {
            Body::One { newest, .. } => Some(newest),
            Body::Storm(_) => None,
        }
    }

    /// What it was told last of that event, also where it says since how that ended.
    fn said_of(&self, event: &str) -> Option<&Told> {
        let Body::One { newest, before } = &self.saying.body else { return None };
        std::iter::once(newest).chain(before).find(|said| said.notice.event == event)
    }

    /// Whether it says something newer.
    fn is_newer_than(&self, told: &Told) -> bool {
        let rank = self.newest().map_or(0, |newest| rank(&newest.notice.event));
        moment(told) < (self.saying.last_at, rank)
    }

    /// Who was told of it, by this message and by those whose place it took.
    fn known(&self) -> Vec<Wrote> {
        let mut known = self.saying.known.clone();
        for author in self.newest().into_iter().flat_map(authors) {
            if !known.contains(author) {
                known.push(author.clone());
            }
        }
        known
    }

    /// Whether it is of no use to say this in the message that stands, for a change nobody is shown: somebody wrote some
    /// of it who was told of none, or it moves sooner.
    fn is_news(&self, told: &Told) -> bool {
        let at = |told: &Told| told.announced.as_ref().map(|range| range.at);
        let sooner = self.newest().and_then(at).zip(at(told)).is_some_and(|(said, now)| now + SOONER <= said);
        let known = self.known();
        sooner || authors(told).any(|author| !matches!(author, Wrote::Bot(_)) && !known.contains(author))
    }

    /// Says what moves now, in place.
    fn moves_now(&mut self, told: &Told) {
        if self.kept.is_some() {
            let gone: Vec<Wrote> = self.newest().into_iter().flat_map(authors).cloned().collect();
            let known = &mut self.saying.known;
            for author in gone {
                if !known.contains(&author) && !authors(told).any(|one| *one == author) {
                    known.push(author);
                }
            }
        }
        self.set(told, None, State::Open);
    }

    fn is_open(&self) -> bool {
        self.saying.state == State::Open
    }

    /// Whether it told of a problem that is over since: not where only its end was ever told.
    fn was_a_problem(&self) -> bool {
        let before = matches!(&self.saying.body, Body::One { before: Some(_), .. });
        self.saying.state == State::Closed && before
    }

    /// Says something else.
    fn set(&mut self, told: &Told, before: Option<Told>, state: State) {
        self.saying.body = Body::One { newest: told.clone(), before };
        self.saying.state = state;
        self.saying.last_at = self.saying.last_at.max(told.at());
        self.touched = true;
    }

    /// Says how what it said so far ended.
    fn end(&mut self, told: &Told) {
        let before = self.newest().cloned();
        self.set(told, before, State::Closed);
    }

    fn cover(&mut self, id: &str) {
        self.covers.push(id.to_owned());
        self.saying.hear(id);
    }

    /// Counts once more.
    fn count(&mut self, at: Instant) {
        self.saying.count = self.saying.count.saturating_add(1);
        self.saying.first_at = self.saying.first_at.min(at);
        self.touched = true;
    }

    /// Whether what happens then is still the same.
    fn is_of_the_day(&self, at: Instant) -> bool {
        at.since(self.saying.first_at) <= DAY
    }
}

impl<'k> Threads<'k> {
    pub(super) fn new(kept: &'k [Kept], now: Instant) -> Self {
        let thread = |kept: &'k Kept| Thread {
            kept: Some(kept),
            saying: kept.saying.clone(),
            covers: Vec::new(),
            touched: false,
            instead_of: None,
        };
        let of_one = kept.iter().filter(|kept| matches!(kept.saying.body, Body::One { .. }));
        Self { all: of_one.map(thread).collect(), nothing: Vec::new(), now }
    }

    /// Takes in a notice. Those of one sink come oldest first, as far as they come together.
    pub(super) fn take(&mut self, id: &str, told: &Told) {
        match told.notice.event.as_str() {
            "heads-up" => self.heads_up(id, told),
            "taken-back" => self.taken_back(id, told),
            "promoted" | "moved-by-hand" | "overtaken" => self.landed(id, told),
            "rolled-back" => {
                self.supersede_promotion(told);
                self.end_refused(told);
                self.post(own_key(id, told), id, told, State::Closed);
            }
            "rewound" => {
                self.supersede_promotion(told);
                self.problem(id, told);
            }
            "behind" | "blocked" | "refused" | "called-off" | "withdrawn" => self.problem(id, told),
            "caught-up" => self.over("behind", id, told),
            "unblocked" => self.over("blocked", id, told),
            "put-back" => self.over("rewound", id, told),
            "pause-ends" => self.pause_ends(id, told),
            "proposed" => self.proposed(id, told),
            _ => self.post(own_key(id, told), id, told, State::Closed),
        }
    }

    fn heads_up(&mut self, id: &str, told: &Told) {
        let key = Key::promotion(&told.notice.flow, &told.notice.environment);
        let late = told.announced.as_ref().map(|range| range.at).filter(|at| *at <= self.now);
        if self.went_back_after(told) {
            return self.skip(id, Why::Older);
        }
        let at = self.newest(&key);
        let (mut instead_of, mut known) = (None, Vec::new());
        match at.and_then(|at| self.all.get_mut(at)) {
            Some(thread) if thread.is_newer_than(told) => return self.skip(id, Why::Older),
            Some(thread) if thread.is_open() && !thread.is_of_the_day(told.at()) => self.supersede(at, told.at()),
            Some(thread) if thread.is_open() && thread.kept.is_some() && late.is_none() && thread.is_news(told) => {
                (instead_of, known) = (at, thread.known());
                (thread.saying.state, thread.saying.replaced, thread.touched) = (State::Superseded, true, true);
            }
            // What stands in the chat is kept true until it ends; nothing is announced once it was to come.
            Some(thread) if thread.is_open() && (late.is_none() || thread.kept.is_some()) => {
                thread.moves_now(told);
                return thread.cover(id);
            }
            Some(thread) if thread.is_open() => self.supersede(at, told.at()),
            // Marked already: the process died before the message was there that takes its place.
            Some(thread) if thread.saying.replaced => (instead_of, known) = (at, thread.known()),
            Some(_) | None => {}
        }
        if let Some(at) = late {
            return self.skip(id, Why::TooLate { at });
        }
        self.post(key, id, told, State::Open);
        if let Some(thread) = self.all.last_mut() {
            (thread.instead_of, thread.saying.known) = (instead_of, known);
        }
    }

    /// What was announced does not come as it was. If it comes after all, that is said in a message of its own: one that
    /// is only changed nobody is shown.
    fn taken_back(&mut self, id: &str, told: &Told) {
        let key = Key::promotion(&told.notice.flow, &told.notice.environment);
        match self.newest(&key).and_then(|at| self.all.get_mut(at)) {
            Some(thread) if thread.is_newer_than(told) => self.skip(id, Why::Older),
            Some(thread)
                if thread.is_open() && thread.newest().is_some_and(|said| said.notice.new == told.notice.new) =>
            {
                // One that nobody has seen yet nobody has to see, unless another one says that it is there.
                if thread.kept.is_some() || thread.instead_of.is_some() {
                    thread.end(told);
                } else {
                    supersede(thread, told.at());
                }
                thread.cover(id);
            }
            Some(_) | None => self.skip(id, Why::NotAnnounced),
        }
    }

    fn landed(&mut self, id: &str, told: &Told) {
        self.end_refused(told);
        let key = Key::promotion(&told.notice.flow, &told.notice.environment);
        let at = self.newest(&key);
        match at.and_then(|at| self.all.get_mut(at)) {
            // Told late: the key is what is newer's.
            Some(thread) if thread.is_newer_than(told) => {
                return self.post(own_key(id, told), id, told, State::Closed);
            }
            Some(thread) if thread.is_open() && thread.newest().is_some_and(|said| announces(said, told)) => {
                thread.end(told);
                return thread.cover(id);
            }
            Some(thread) if thread.is_open() => self.supersede(at, told.at()),
            Some(_) | None => {}
        }
        self.post(key, id, told, State::Closed);
    }

    fn problem(&mut self, id: &str, told: &Told) {
        let key = problem_key(&told.notice.event, told);
        // What was over before the open one began is not counted with it, whichever of the two was told first.
        let is_over =
            self.all.iter().any(|other| other.saying.key == key && !other.is_open() && other.is_newer_than(told));
        let Some(thread) = self.newest(&key).and_then(|at| self.all.get_mut(at)) else {
            return self.post(key, id, told, State::Open);
        };
        let older = thread.is_newer_than(told);
        // Something else stands in the way: nobody sees that in a message that is only changed.
        let is_other = thread.said_of(&told.notice.event).is_some_and(|said| said.kind != told.kind);
        if thread.is_open() {
            if older && is_over {
                return self.skip(id, Why::Older);
            }
            if older {
                // It happened, but what is newer has said how it stands.
                thread.count(told.at());
                return thread.cover(id);
            }
            if thread.is_of_the_day(told.at()) && !is_other {
                thread.count(told.at());
                thread.set(told, None, State::Open);
                return thread.cover(id);
            }
            supersede(thread, told.at());
        } else if older {
            return self.skip(id, Why::Older);
        } else if thread.was_a_problem()
            && !is_other
            && told.at().since(thread.saying.last_at) <= FLAP
            && thread.is_of_the_day(told.at())
        {
            thread.count(told.at());
            thread.set(told, None, State::Open);
            return thread.cover(id);
        }
        self.post(key, id, told, State::Open);
    }

    /// What ends a problem. Where that was never said here, it has a message of its own.
    fn over(&mut self, problem: &str, id: &str, told: &Told) {
        let key = problem_key(problem, told);
        match self.newest(&key).and_then(|at| self.all.get_mut(at)) {
            Some(thread) if thread.is_newer_than(told) => self.skip(id, Why::Older),
            Some(thread) if thread.is_open() => {
                thread.end(told);
                thread.cover(id);
            }
            Some(_) | None => self.post(key, id, told, State::Closed),
        }
    }

    fn pause_ends(&mut self, id: &str, told: &Told) {
        let key = Key::pause_ends(told.about.as_deref().unwrap_or(id));
        if self.newest(&key).is_some() {
            return self.skip(id, Why::AlreadySaid);
        }
        self.post(key, id, told, State::Closed);
    }

    fn proposed(&mut self, id: &str, told: &Told) {
        let key = problem_key(&told.notice.event, told);
        match self.newest(&key).and_then(|at| self.all.get_mut(at)) {
            Some(thread) if thread.is_newer_than(told) => self.skip(id, Why::Older),
            Some(thread) if thread.is_open() => {
                thread.set(told, None, State::Open);
                thread.cover(id);
            }
            Some(_) | None => self.post(key, id, told, State::Open),
        }
    }

    /// A move to what was refused, or not begun, says that this is over.
    fn end_refused(&mut self, told: &Told) {
        let Some(new) = told.notice.new.map(|new| new.to_string()) else { return };
        let (flow, env) = (&told.notice.flow, &told.notice.environment);
        for word in ["refused", "called-off"] {
            let key = Key::event(word, flow, env, Some(&new));
            if let Some(thread) = self.newest(&key).and_then(|at| self.all.get_mut(at))
                && thread.is_open()
                && !thread.is_newer_than(told)
            {
                thread.end(told);
            }
        }
    }

    /// What was announced does not come as it was: the target is somewhere else now.
    fn supersede_promotion(&mut self, told: &Told) {
        let key = Key::promotion(&told.notice.flow, &told.notice.environment);
        let at = self.newest(&key);
        if let Some(thread) = at.and_then(|at| self.all.get(at))
            && thread.is_open()
            && !thread.is_newer_than(told)
        {
            self.supersede(at, told.at());
        }
    }

    /// Says of a promotion that something else came. Where nobody has seen it yet, so does the message whose place it was
    /// to take.
    fn supersede(&mut self, at: Option<usize>, then: Instant) {
        let Some(thread) = at.and_then(|at| self.all.get_mut(at)) else { return };
        supersede(thread, then);
        if let Some(old) = thread.instead_of.and_then(|old| self.all.get_mut(old)) {
            old.saying.replaced = false;
            supersede(old, then);
        }
    }

    /// Whether the target went back, or was put back, after that: what was announced before is void.
    ///
    /// Only what tells of it counts, not what was ended by it: that may be said before it is.
    fn went_back_after(&self, told: &Told) -> bool {
        let edge = (&told.notice.flow, &told.notice.environment);
        self.all.iter().filter(|thread| matches!(thread.saying.key.word(), "rewound" | "rolled-back")).any(
            |thread| {
                thread.newest().is_some_and(|said| {
                    (&said.notice.flow, &said.notice.environment) == edge && moment(said) > moment(told)
                })
            },
        )
    }

    /// The message of that key that is open, else the one that was told last.
    fn newest(&self, key: &Key) -> Option<usize> {
        let of_key = self.all.iter().enumerate().filter(|(_, thread)| thread.saying.key == *key);
        let newest = of_key.max_by_key(|(at, thread)| (thread.is_open(), thread.saying.last_at, *at));
        newest.map(|(at, _)| at)
    }

    fn skip(&mut self, id: &str, why: Why) {
        self.nothing.push((id.to_owned(), why));
    }

    fn post(&mut self, key: Key, id: &str, told: &Told, state: State) {
        let saying = Saying {
            key,
            state,
            first_at: told.at(),
            last_at: told.at(),
            count: 1,
            heard: vec![id.to_owned()],
            known: Vec::new(),
            replaced: false,
            body: Body::One { newest: told.clone(), before: None },
            message: Message::default(),
        };
        let covers = vec![id.to_owned()];
        self.all.push(Thread { kept: None, saying, covers, touched: true, instead_of: None });
    }
}

/// The key of what is one message for itself.
fn own_key(id: &str, told: &Told) -> Key {
    Key::event(&told.notice.event, &told.notice.flow, &told.notice.environment, Some(id))
}

/// The key of a problem, or of what ends it.
fn problem_key(word: &str, told: &Told) -> Key {
    Key::event(word, &told.notice.flow, &told.notice.environment, told.about.as_deref())
}

fn supersede(thread: &mut Thread<'_>, at: Instant) {
    thread.saying.state = State::Superseded;
    thread.saying.last_at = thread.saying.last_at.max(at);
    thread.touched = true;
}

/// Who wrote what it announces.
fn authors(told: &Told) -> impl Iterator<Item = &Wrote> {
    told.announced.iter().flat_map(|range| &range.commits).flat_map(|commit| &commit.authors)
}

/// Whether what landed is what was announced: all of it, or its beginning.
fn announces(said: &Told, landed: &Told) -> bool {
    let Some(new) = landed.notice.new else { return false };
    match &said.announced {
        Some(range) => range.newest == new || range.commits.iter().any(|commit| commit.id == new),
        None => said.notice.new == Some(new),
    }
}
