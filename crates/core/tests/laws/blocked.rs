//! What is told of a target that is blocked, over time: by look, at any distance, whatever stands in the way.

use proptest::prelude::*;
use towpath_core::model::{
    Change, Decision, Event, Flow, Ledger, Mode, Pause, PauseKind, Plan, Reason, Scope, Tip, Unknown, UnknownWhy,
    Until, Verdict, Who,
};
use towpath_core::see::{blocked, blocked_due};

use crate::kit::{ZONE, c, environment, flow, mins, minutes};

#[test]
fn what_is_red_behind_an_order_is_nobodys_news() {
    let shop = shop(Some(10), Mode::Act);
    let pause = |until| Pause {
        id: "p1".into(),
        kind: PauseKind::Pause,
        scope: Scope::Edge(shop.name.clone(), "staging".into()),
        by: "os:ana".into(),
        reason: "r".to_owned(),
        at: minutes(0).wall,
        until,
        cause: None,
        began: None,
    };
    for until in [Until::Resumed, Until::At(minutes(40).wall)] {
        let mut ledger = Ledger::default();
        ledger.standing.pauses.push(pause(until));
        let mut told: Vec<String> = (0..60).step_by(5).flat_map(|at| look(&shop, &mut ledger, at, 'b')).collect();
        // From its end on it counts.
        let wanted = if until == Until::Resumed { vec![] } else { vec!["blocked 40 build".to_owned()] };
        assert_eq!(std::mem::take(&mut told), wanted, "{until:?}");
    }
    // Out of the config: nothing is left of it.
    let mut ledger = Ledger::default();
    look(&shop, &mut ledger, 0, 'b');
    let mut other = shop.clone();
    other.environments[1].name = "production".into();
    let plan = Plan { decisions: Vec::new(), ..plan(&shop, 5, verdict('b')) };
    for change in blocked(&other, &ledger.clone(), &plan) {
        ledger.apply(&other.name, &["staging".into()], &change);
    }
    assert!(ledger.blocked.is_empty());
}

/// What one look finds, by a letter.
fn verdict(letter: char) -> Verdict {
    let pushers = || Who::Pushers("develop".into());
    let red = |name: &str| Reason::CheckRed { name: name.into(), on: None, url: None };
    let why = |words: &str| UnknownWhy::CredentialsRefused { words: words.to_owned() };
    let paused = |until| Reason::Paused {
        scope: Scope::All,
        by: "os:ana".into(),
        reason: "r".to_owned(),
        at: minutes(0).wall,
        until,
        keeps_back: false,
    };
    let block = |why, who| Verdict::Block { why, who };
    let wait = |why| Verdict::Wait { why, on: Who::Time, until: None };
    match letter {
        'b' => block(red("build"), pushers()),
        't' => block(red("test"), pushers()),
        'x' => block(Reason::Diverged { commits: Vec::new(), total: 1 }, pushers()),
        'X' => block(Reason::Diverged { commits: Vec::new(), total: 2 }, pushers()),
        'c' => block(Reason::Unknown(Unknown::lasting(why("denied"))), Who::Operator),
        'C' => block(Reason::Unknown(Unknown::lasting(why("no"))), Who::Operator),
        'p' => block(paused(Until::Resumed), Who::Person("os:ana".into())),
        'P' => wait(paused(Until::At(minutes(900).wall))),
        'r' => block(Reason::PushRefused { words: "no".to_owned(), count: 1 }, Who::Remote),
        '?' => wait(Reason::Unknown(Unknown::passing(UnknownWhy::NotAnswered))),
        'w' => wait(Reason::CheckRunning { name: "build".into(), on: None }),
        _ => Verdict::Pass { why: Reason::UpToDate },
    }
}

fn shop(alarm: Option<i64>, mode: Mode) -> Flow {
    let mut shop = flow(vec![environment("develop", Vec::new()), environment("staging", Vec::new())]);
    (shop.environments[1].blocked_alarm, shop.environments[1].mode) = (alarm.map(mins), mode);
    shop.zone = ZONE;
    shop
}

fn plan(shop: &Flow, at: i64, verdict: Verdict) -> Plan {
    let decision = Decision {
        env: "staging".into(),
        source: Tip::At(c(2)),
        target: Tip::At(c(1)),
        action: None,
        verdict,
        lead: None,
        beside: Vec::new(),
        unproven: None,
        next: None,
        looked_at: 1,
        waiting: 1,
        oldest: None,
        ahead: None,
    };
    Plan { flow: shop.name.clone(), now: minutes(at), policy: shop.policy.clone(), decisions: vec![decision] }
}

/// A look: what is told, as `blocked 0 build` (since which minute, by what) or `free 0`.
fn look(shop: &Flow, ledger: &mut Ledger, at: i64, letter: char) -> Vec<String> {
    let changes = blocked(shop, ledger, &plan(shop, at, verdict(letter)));
    let minute = |wall: towpath_core::model::Instant| (wall.0 - minutes(0).wall.0) / 60_000;
    let (mut told, mut messages) = (Vec::new(), 0);
    for change in &changes {
        ledger.apply(&shop.name, &["staging".into()], change);
        match change {
            Change::Event(row) => told.push(match &row.event {
                Event::Blocked { verdict, since, .. } => {
                    let by = match verdict.why() {
                        Reason::CheckRed { name, .. } => name.to_string(),
                        Reason::Diverged { .. } => "diverged".to_owned(),
                        _ => "unknown".to_owned(),
                    };
                    format!("blocked {} {by}", minute(*since))
                }
                Event::Unblocked { since } => format!("free {}", minute(*since)),
                other => format!("{other:?}"),
            }),
            Change::Tell(_) => messages += 1,
            _ => {}
        }
    }
    assert_eq!(told.len(), messages, "what goes into the history is told, and nothing else: {changes:?}");
    told
}

/// Looks five minutes apart with an alarm of ten: what each found is a letter.
fn story(letters: &str) -> String {
    let (shop, mut ledger) = (shop(Some(10), Mode::Act), Ledger::default());
    let mut told = Vec::new();
    for (at, letter) in (0..).step_by(5).zip(letters.chars()) {
        let now = look(&shop, &mut ledger, at, letter);
        told.extend(now.into_iter().map(|what| format!("{at}: {what}")));
    }
    told.join("; ")
}

#[test]
fn it_is_told_after_its_alarm_and_once_and_when_it_is_over() {
    for (letters, told) in [
        ("bb", ""),
        ("bbb", "10: blocked 0 build"),
        ("bbbbbb-", "10: blocked 0 build; 30: free 0"),
        (".bbb.bbb.", "15: blocked 5 build; 20: free 5; 35: blocked 25 build; 40: free 25"),
        // For less than the alarm, by turns.
        ("bb.bb.bb.", ""),
        // CI runs again, or of a newer commit: that mends nothing, and time goes on.
        ("bbbww.", "10: blocked 0 build; 25: free 0"),
        ("bwwb", "15: blocked 0 build"),
        ("bwwwww", ""),
        // Something else, while it is: told as long after the last as the alarm is. With other words it is the same.
        ("bbbt", "10: blocked 0 build"),
        ("bbbtt", "10: blocked 0 build; 20: blocked 0 test"),
        ("bbbtbtbtb", "10: blocked 0 build; 25: blocked 0 test; 40: blocked 0 build"),
        ("btt", "10: blocked 0 test"),
        ("xxxXXX", "10: blocked 0 diverged"),
        ("ccccC.", "10: blocked 0 unknown; 25: free 0"),
        ("bbbxxbb", "10: blocked 0 build; 20: blocked 0 diverged; 30: blocked 0 build"),
        // What people order, and what has an event of its own, is nobody's news and ends nothing.
        ("pppp", ""),
        ("PPPP", ""),
        ("rrrr", ""),
        ("bbbpp.", "10: blocked 0 build; 25: free 0"),
        ("bbbPb.", "10: blocked 0 build; 25: free 0"),
        ("bbbr", "10: blocked 0 build"),
        // What was mended behind it before anybody was told was not there.
        ("bbpbb", ""),
        ("bbpbbb", "25: blocked 15 build"),
        // A look that learns nothing ends nothing; time goes on.
        ("b??b", "15: blocked 0 build"),
        ("bbb??b.", "10: blocked 0 build; 30: free 0"),
    ] {
        assert_eq!(story(letters), told, "{letters}");
    }
}

#[test]
fn the_alarm_is_the_configs() {
    let mut ledger = Ledger::default();
    let at_once = shop(Some(0), Mode::Act);
    assert_eq!(look(&at_once, &mut ledger, 0, 'b'), ["blocked 0 build"]);
    assert_eq!(look(&at_once, &mut ledger, 0, 'b'), Vec::<String>::new());
    // Without an alarm, or where it only observes, nobody is told: not of the end either, for it is none.
    for quiet in [shop(None, Mode::Act), shop(Some(10), Mode::Observe)] {
        let mut ledger = ledger.clone();
        assert_eq!(look(&quiet, &mut ledger, 5, 'b'), Vec::<String>::new());
        assert!(ledger.blocked.is_empty());
        assert_eq!(look(&quiet, &mut ledger, 60, 'b'), Vec::<String>::new());
    }
    // When it comes due `serve` looks by itself.
    let (shop, mut ledger) = (shop(Some(10), Mode::Act), Ledger::default());
    look(&shop, &mut ledger, 3, 'b');
    assert_eq!(blocked_due(&shop, &ledger, minutes(4)), Some(minutes(13).wall));
    look(&shop, &mut ledger, 13, 'b');
    assert_eq!(blocked_due(&shop, &ledger, minutes(14)), None);
}

proptest! {
    #[test]
    fn whatever_the_looks_find(looks in proptest::collection::vec((0_i64..25, "[btxXcCpPr?w.]"), 1..60)) {
        let (shop, mut ledger) = (shop(Some(10), Mode::Act), Ledger::default());
        let (mut at, mut standing, mut begun) = (0, None::<String>, None::<i64>);
        for (after, letter) in looks {
            at += after;
            let letter = letter.chars().next().unwrap_or('.');
            let told = look(&shop, &mut ledger, at, letter);
            // Only what is free now ends a block; nothing but a block begins one.
            match letter {
                'b' | 't' | 'x' | 'X' | 'c' | 'C' => {
                    let since = *begun.get_or_insert(at);
                    prop_assert!(told.iter().all(|what| what.starts_with("blocked")), "{told:?}");
                    prop_assert!(told.len() <= 1);
                    if at - since >= 10 {
                        standing = told.first().cloned().or(standing);
                        let begins = format!("blocked {since} ");
                        prop_assert!(standing.as_ref().is_some_and(|what| what.starts_with(&begins)));
                    } else {
                        prop_assert!(told.is_empty());
                    }
                }
                '.' => {
                    prop_assert_eq!(told.len(), usize::from(standing.is_some()));
                    (standing, begun) = (None, None);
                }
                '?' | 'w' => prop_assert!(told.is_empty()),
                _ => {
                    prop_assert!(told.is_empty());
                    begun = begun.filter(|_| standing.is_some());
                }
            }
            // What is past does not wake anybody again.
            prop_assert!(blocked_due(&shop, &ledger, minutes(at)).is_none_or(|due| due > minutes(at).wall));
            prop_assert_eq!(ledger.blocked.values().any(|row| row.told.is_some()), standing.is_some());
        }
    }
}
