//! What is true whatever happens, in whatever order it is told, and wherever the process dies.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::fold::moment;
use super::super::kept::{Body, Key, State};
use super::*;

/// Everything that may be told of two edges in two hours and a half, and of what is a day later.
fn any_told() -> impl Strategy<Value = Told> {
    let words = prop_oneof![
        4 => Just("heads-up"),
        2 => Just("taken-back"),
        4 => Just("promoted"),
        1 => Just("moved-by-hand"),
        1 => Just("overtaken"),
        1 => Just("rolled-back"),
        2 => Just("behind"),
        2 => Just("caught-up"),
        2 => Just("blocked"),
        2 => Just("unblocked"),
        2 => Just("rewound"),
        2 => Just("put-back"),
        2 => Just("refused"),
        1 => Just("called-off"),
        1 => Just("withdrawn"),
        1 => Just("pause-ends"),
        1 => Just("proposed"),
        1 => Just("of-a-later-version"),
    ];
    let minutes = prop_oneof![9 => 0..150_i64, 1 => 1_440..1_500_i64];
    (words, minutes, 2..6_u8, 0..2_u8).prop_map(|(word, minute, n, env)| {
        let mut one = match word {
            "heads-up" => heads_up(minute, n),
            word => told(word, minute),
        };
        one.notice.new = Some(commit(n));
        if let Some(range) = &mut one.announced {
            // Never too late, which depends on when it is told.
            range.at = at(100_000 + i64::from(n % 3));
        }
        one.notice.environment = ["staging", "production"][usize::from(env)].into();
        one.about = match word {
            "rewound" | "put-back" | "withdrawn" | "pause-ends" | "proposed" => Some(format!("{}", n % 2)),
            "refused" | "called-off" => Some(commit(n).to_string()),
            _ => None,
        };
        one
    })
}

/// Some notices, in the order in which they are told, and after how many of them each go ends.
fn any_run() -> impl Strategy<Value = (Vec<Due>, Vec<usize>)> {
    let all = prop::collection::vec(any_told(), 1..24);
    (all, prop::collection::vec(1..6_usize, 1..24), any::<bool>()).prop_flat_map(|(mut all, goes, late)| {
        all.sort_by_key(Told::at);
        let all: Vec<Due> = all.iter().enumerate().map(|(n, told)| due(&format!("n{n:02}"), told)).collect();
        let order = if late { Just(all).prop_shuffle().boxed() } else { Just(all).boxed() };
        (order, Just(goes))
    })
}

/// The goes of a run.
fn goes<'d>(all: &'d [Due], sizes: &[usize]) -> Vec<&'d [Due]> {
    let (mut rest, mut goes) = (all, Vec::new());
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (one, other) = rest.split_at((*size).min(rest.len()));
        goes.push(one);
        rest = other;
    }
    goes
}

/// A run that one can read.
fn brief(goes: &[&[Due]]) -> String {
    let one = |due: &Due| {
        let (id, notice, about) = (&due.id, &due.told.notice, due.told.about.as_deref().unwrap_or("-"));
        let minute = (notice.at_ms - START) / MINUTE;
        let new = notice.new.map(|new| new.short()).unwrap_or_default();
        format!("{id} {} {} at {minute} to {new} about {about}\n", notice.event, notice.environment)
    };
    goes.iter().map(|go| go.iter().map(one).collect::<String>() + "--\n").collect()
}

fn calm(people: &People) -> Settings<'_> {
    Settings { storm: 1_000, ..settings(people) }
}

fn edge(told: &Told) -> Key {
    Key::promotion(&told.notice.flow, &told.notice.environment)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_notice_is_covered_exactly_once((all, sizes) in any_run(), storm in 0..3_u32) {
        let people = people();
        let settings = Settings { storm, ..settings(&people) };
        let mut chat = Chat::default();
        for (n, go) in goes(&all, &sizes).into_iter().enumerate() {
            let steps = say(&chat.kept, go, at(n as i64), &settings);
            let mut covered: Vec<&String> = steps.iter().flat_map(Step::covers).collect();
            covered.sort();
            let mut wanted: Vec<&String> = go.iter().map(|due| &due.id).collect();
            wanted.sort();
            prop_assert_eq!(covered, wanted);
            chat.carry_out(&steps, at(n as i64), None);
        }
    }

    #[test]
    fn no_key_has_two_open_messages((all, sizes) in any_run()) {
        let people = people();
        let mut chat = Chat::default();
        for go in goes(&all, &sizes) {
            let steps = say(&chat.kept, go, at(0), &calm(&people));
            for step in &steps {
                if let Step::Post { saying, .. } = step {
                    let open = |kept: &&Kept| kept.saying.key == saying.key && kept.saying.state == State::Open;
                    prop_assert!(chat.kept.iter().find(open).is_none(), "{}", saying.key);
                }
                chat.carry_out(std::slice::from_ref(step), at(0), None);
            }
        }
    }

    #[test]
    fn to_tell_what_was_told_changes_nothing((all, sizes) in any_run(), storm in prop_oneof![Just(1_u32), Just(1_000)]) {
        let people = people();
        let settings = Settings { storm, ..settings(&people) };
        let mut chat = Chat::default();
        for go in goes(&all, &sizes) {
            chat.tell(go, at(0), &settings);
        }
        let heard: BTreeSet<&String> = chat.kept.iter().flat_map(|kept| &kept.saying.heard).collect();
        let again: Vec<Due> = all.iter().filter(|due| heard.contains(&due.id)).cloned().collect();
        for step in say(&chat.kept, &again, at(1), &settings) {
            prop_assert!(matches!(step, Step::Nothing { .. }), "{step:?}");
        }
    }

    #[test]
    fn a_crash_anywhere_says_the_same_in_the_end((all, sizes) in any_run(), crashes in prop::collection::vec((0..4_usize, any::<bool>()), 1..8)) {
        let people = people();
        let settings = calm(&people);
        let (mut calm, mut crashing) = (Chat::default(), Chat::default());
        let mut dies = crashes.iter();
        for go in goes(&all, &sizes) {
            calm.tell(go, at(0), &settings);
            if let Some((step, between)) = dies.next() {
                let steps = say(&crashing.kept, go, at(0), &settings);
                let crash = if *between { Crash::Between(*step) } else { Crash::Before(*step) };
                crashing.carry_out(&steps, at(0), Some(crash));
            }
            crashing.tell(go, at(0), &settings);
        }
        let said = |chat: &Chat| {
            let rows = chat.kept.iter().map(|kept| {
                let mut saying = kept.saying.clone();
                saying.heard.sort();
                (saying.key.clone(), saying.first_at, serde_json::to_string(&saying).unwrap())
            });
            let mut rows: Vec<_> = rows.collect();
            rows.sort();
            rows
        };
        let (calm, crashed) = (said(&calm), said(&crashing));
        let differ = calm.iter().zip(&crashed).find(|(one, other)| one != other);
        prop_assert!(calm == crashed, "{}\n{crashes:?}\n{differ:#?}", brief(&goes(&all, &sizes)));
        // What stands twice says what it said when the process died; what is remembered stands as it should.
        for kept in &crashing.kept {
            let shown = crashing.shown.iter().find(|(post, _)| *post == kept.post).map(|(_, message)| message);
            prop_assert_eq!(shown, Some(&kept.saying.message));
        }
    }

    #[test]
    fn nothing_older_overwrites_what_is_newer((all, sizes) in any_run()) {
        let people = people();
        let mut chat = Chat::default();
        let by_id: BTreeMap<&String, &Told> = all.iter().map(|due| (&due.id, &due.told)).collect();
        let mut told: Vec<&Told> = Vec::new();
        for go in goes(&all, &sizes) {
            chat.tell(go, at(0), &calm(&people));
            told.extend(go.iter().map(|due| &due.told));
            for kept in &chat.kept {
                let Body::One { newest, before } = &kept.saying.body else { continue };
                for heard in &kept.saying.heard {
                    prop_assert!(moment(by_id[heard]) <= moment(newest), "{}: {heard}", kept.saying.key);
                }
                if let Some(before) = before {
                    prop_assert!(moment(before) <= moment(newest));
                }
                prop_assert!(kept.saying.first_at <= newest.at() && newest.at() <= kept.saying.last_at);
            }
            // What can still be pressed is still to come.
            for kept in chat.kept.iter().filter(|kept| kept.saying.state == State::Open) {
                let Body::One { newest, .. } = &kept.saying.body else { continue };
                if newest.notice.event != "heads-up" {
                    continue;
                }
                let moved = ["promoted", "moved-by-hand", "overtaken", "rolled-back", "rewound"];
                let void = told.iter().find(|one| {
                    moved.contains(&one.notice.event.as_str()) && edge(one) == kept.saying.key && moment(one) > moment(newest)
                });
                prop_assert!(void.is_none(), "{void:?}");
            }
        }
    }

    #[test]
    fn a_counter_counts_what_was_told((all, sizes) in any_run()) {
        let people = people();
        let mut chat = Chat::default();
        for go in goes(&all, &sizes) {
            chat.tell(go, at(0), &calm(&people));
        }
        for kept in &chat.kept {
            let Body::One { newest, before } = &kept.saying.body else { continue };
            let word = kept.saying.key.as_str().split(' ').next().unwrap_or_default();
            let of_word = kept.saying.heard.iter().filter(|id| {
                all.iter().any(|due| due.id == **id && due.told.notice.event == word)
            });
            let problem = ["behind", "blocked", "rewound", "refused", "called-off", "withdrawn"].contains(&word);
            let told_of_it = before.is_some() || newest.notice.event == word;
            if problem && told_of_it {
                prop_assert_eq!(kept.saying.count as usize, of_word.count(), "{}", kept.saying.key);
            } else {
                prop_assert_eq!(kept.saying.count, 1);
            }
        }
    }
}
