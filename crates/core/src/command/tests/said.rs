//! Questions, and what a place says for those who leave it out.

use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, proptest};
use proptest::{option, prop_oneof, sample};

use super::super::{Command, CommitWord, Context, Fills, Place, Problem, Query, Said, Slot, Target, VERBS, Verb};
use super::laws::{commit, hostile, sound, sound_name, soup};
use crate::model::EnvName;

fn channel() -> Context {
    Context {
        flow: Some("shop/checkout".into()),
        environments: ["develop", "staging", "production"].map(EnvName::from).to_vec(),
        env: None,
    }
}

fn request() -> Context {
    Context { env: Some("production".into()), ..channel() }
}

fn environment() -> Context {
    Context { env: Some("production".into()), ..Context::NOWHERE }
}

/// What is said; and its canonical form nowhere, in a flow's channel, on a request, in an environment's
/// channel. Empty where it is not enough.
const FILLED: &[[&str; 5]] = &[
    ["status", "status", "status shop/checkout", "status shop/checkout production", "status production"],
    ["status all", "status all", "status all", "status all", "status all"],
    [
        "status staging",
        "status staging",
        "status shop/checkout staging",
        "status shop/checkout staging",
        "status staging",
    ],
    ["status cart", "status cart", "status cart", "status cart", "status cart"],
    [
        "status cart staging",
        "status cart staging",
        "status cart staging",
        "status cart staging",
        "status cart staging",
    ],
    ["history", "history", "history shop/checkout", "history shop/checkout", "history"],
    ["history all", "history", "history", "history", "history"],
    ["history cart", "history cart", "history cart", "history cart", "history cart"],
    ["explain", "", "", "explain shop/checkout production", ""],
    [
        "explain staging",
        "",
        "explain shop/checkout staging",
        "explain shop/checkout staging",
        "explain staging production",
    ],
    ["explain checkout", "", "", "explain checkout production", "explain checkout production"],
    ["explain production", "", "explain shop/checkout production", "explain shop/checkout production", ""],
    ["explain 3F9C2D1?", "explain 3f9c2d1", "explain 3f9c2d1", "explain 3f9c2d1", "explain 3f9c2d1"],
    ["diff", "", "", "diff shop/checkout production", ""],
    [
        "diff cart production",
        "diff cart production",
        "diff cart production",
        "diff cart production",
        "diff cart production",
    ],
    ["where 3f9c2d1", "where 3f9c2d1", "where 3f9c2d1", "where 3f9c2d1", "where 3f9c2d1"],
    ["/towpath whoami", "whoami", "whoami", "whoami", "whoami"],
    ["`towpath whoami`", "whoami", "whoami", "whoami", "whoami"],
    ["Towpath status cart", "status cart", "status cart", "status cart", "status cart"],
    ["towpath where 3f9c2d1", "where 3f9c2d1", "where 3f9c2d1", "where 3f9c2d1", "where 3f9c2d1"],
    ["Whoami?", "whoami", "whoami", "whoami", "whoami"],
    ["help", "help", "help", "help", "help"],
    ["help PROMOTE!", "help promote", "help promote", "help promote", "help promote"],
    ["resume", "", "resume shop/checkout", "resume shop/checkout production", "resume production"],
    ["resume all", "resume all", "resume all", "resume all", "resume all"],
    [
        "resume production",
        "resume production",
        "resume shop/checkout production",
        "resume shop/checkout production",
        "resume production",
    ],
    ["resume checkout", "resume checkout", "resume checkout", "resume checkout", "resume checkout"],
    [
        "unhold 3f9c2d1",
        "unhold 3f9c2d1",
        "unhold 3f9c2d1 shop/checkout",
        "unhold 3f9c2d1 shop/checkout",
        "unhold 3f9c2d1",
    ],
    ["unhold 3f9c2d1 all", "unhold 3f9c2d1", "unhold 3f9c2d1", "unhold 3f9c2d1", "unhold 3f9c2d1"],
    [
        "unhold 3f9c2d1 staging",
        "unhold 3f9c2d1 staging",
        "unhold 3f9c2d1 shop/checkout staging",
        "unhold 3f9c2d1 shop/checkout staging",
        "unhold 3f9c2d1 staging",
    ],
    ["approve 3f9c2d1", "", "", "approve shop/checkout production 3f9c2d1", ""],
    [
        "approve staging 3f9c2d1",
        "",
        "approve shop/checkout staging 3f9c2d1",
        "approve shop/checkout staging 3f9c2d1",
        "approve staging production 3f9c2d1",
    ],
    [
        "approve cart 3f9c2d1",
        "",
        "approve shop/checkout cart 3f9c2d1",
        "approve shop/checkout cart 3f9c2d1",
        "approve cart production 3f9c2d1",
    ],
    [
        "approve cart staging 3f9c2d1",
        "approve cart staging 3f9c2d1",
        "approve cart staging 3f9c2d1",
        "approve cart staging 3f9c2d1",
        "approve cart staging 3f9c2d1",
    ],
    ["promote --reason x", "", "", "promote shop/checkout production --reason \"x\"", ""],
    ["promote to 3f9c2d1 --reason x", "", "", "promote shop/checkout production to 3f9c2d1 --reason \"x\"", ""],
    [
        "promote staging to 3f9c2d1 --reason x",
        "",
        "promote shop/checkout staging to 3f9c2d1 --reason \"x\"",
        "promote shop/checkout staging to 3f9c2d1 --reason \"x\"",
        "promote staging production to 3f9c2d1 --reason \"x\"",
    ],
    ["override ci 3f9c2d1 --reason x", "", "", "override ci shop/checkout production 3f9c2d1 --reason \"x\"", ""],
    ["retry production.", "", "retry shop/checkout production", "retry shop/checkout production", ""],
    ["retry", "", "", "retry shop/checkout production", ""],
    ["report 3f9c2d1 build success", "", "", "", ""],
];

#[test]
fn a_place_says_what_is_left_out() {
    for [text, nowhere, channel_of_flow, on_request, channel_of_env] in FILLED {
        let places = [
            (Context::NOWHERE, nowhere),
            (channel(), channel_of_flow),
            (request(), on_request),
            (environment(), channel_of_env),
        ];
        for (context, canonical) in places {
            let said = Said::parse_in(text, &context);
            let got = said.as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!(got, **canonical, "{text} in {context:?}: {said:?}");
        }
    }
}

#[test]
fn what_a_place_does_not_say_is_missing() {
    let missing = |text, context: &Context| match Said::parse_in(text, context) {
        Err(Problem::Missing { slot, .. }) => slot,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(missing("retry", &channel()), Slot::Env);
    assert_eq!(missing("retry checkout", &channel()), Slot::Env);
    assert_eq!(missing("retry", &environment()), Slot::Flow);
    assert_eq!(missing("retry production", &environment()), Slot::Flow);
    assert_eq!(missing("retry", &Context::NOWHERE), Slot::Flow);
    assert_eq!(missing("retry a", &Context::NOWHERE), Slot::Env);
    assert_eq!(missing("promote to 3f9c2d1 --reason x", &Context::NOWHERE), Slot::Flow);
    assert_eq!(missing("promote a to 3f9c2d1 --reason x", &Context::NOWHERE), Slot::Env);
    assert_eq!(missing("where", &request()), Slot::Commit);
    assert_eq!(missing("approve production", &channel()), Slot::Commit);
}

#[test]
fn commands_and_questions_are_told_apart() {
    for row in VERBS {
        let (as_command, as_query) = (Command::parse(row.example), Query::parse(row.example));
        if row.reads {
            assert_eq!(as_command, Err(Problem::OnlyReads { verb: row.verb }));
            assert!(as_query.is_ok());
        } else {
            assert!(as_command.is_ok());
            assert_eq!(as_query, Err(Problem::OnlySteers { verb: row.verb }));
        }
        assert_eq!(row.verb.reads(), row.reads);
        let json = serde_json::to_string(&row.verb).unwrap();
        assert_eq!(serde_json::from_str::<Verb>(&json).unwrap(), row.verb);
    }
    assert!(serde_json::from_str::<Verb>("\"deploy\"").is_err());
    let near = |text| match Said::parse(text) {
        Err(Problem::UnknownVerb { near, .. }) => near,
        other => panic!("{text}: {other:?}"),
    };
    for (text, meant) in [
        ("stauts", Some("status")),
        ("why", Some("explain")),
        ("plan checkout", Some("status")),
        ("who?", Some("whoami")),
        ("log", Some("history")),
        ("help deploy", Some("promote")),
        ("frobnicate", None),
    ] {
        assert_eq!(near(text), meant, "{text}");
    }
}

/// The table of [`Fills`] says what is filled.
#[test]
fn only_what_the_table_says_is_filled() {
    for row in VERBS.iter().filter(|row| row.fills == Fills::Nothing) {
        let text = row.example;
        assert_eq!(Said::parse_in(text, &request()), Said::parse(text), "{text}");
        let word = row.word;
        assert_eq!(Said::parse_in(word, &request()), Said::parse(word), "{word}");
    }
    for row in VERBS.iter().filter(|row| matches!(row.fills, Fills::Edge | Fills::Target)) {
        let mut words: Vec<&str> = row.example.split(' ').collect();
        words.retain(|word| !matches!(*word, "checkout" | "production"));
        let said = Said::parse_in(&words.join(" "), &request()).unwrap();
        let text = said.to_string();
        assert!(text.contains(" shop/checkout production"), "{text}");
    }
}

/// Every one passes [`Query::check`].
fn query() -> impl Strategy<Value = Query> {
    let edge = || (sound_name(), sound_name());
    let target = prop_oneof![
        Just(Target::All),
        sound_name().prop_map(Target::One),
        edge().prop_map(|(flow, env)| Target::Edge(flow, env)),
    ];
    let verb = sample::select(VERBS).prop_map(|row| row.verb);
    prop_oneof![
        option::of(target).prop_map(|target| Query::Status { target }),
        edge().prop_map(|(flow, env)| Query::Explain { flow, env }),
        commit().prop_map(|commit| Query::ExplainCommit { commit }),
        commit().prop_map(|commit| Query::Where { commit }),
        edge().prop_map(|(flow, env)| Query::Diff { flow, env }),
        option::of(sound_name()).prop_map(|flow| Query::History { flow }),
        Just(Query::Whoami),
        option::of(verb).prop_map(|about| Query::Help { about }),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![sound().prop_map(Said::Steer), query().prop_map(Said::Ask)]
}

fn context() -> impl Strategy<Value = Context> {
    prop_oneof![Just(Context::NOWHERE), Just(channel()), Just(request()), Just(environment())]
}

/// Whether it has every place that it could have, and no single word that may be either.
fn is_spelled_out(said: &Said) -> bool {
    let target = |target: &Target| !matches!(target, Target::One(word) if is_env(word));
    match said {
        Said::Steer(Command::Pause { target: on, .. } | Command::Resume { target: on }) => target(on),
        Said::Steer(Command::Hold { place, .. } | Command::Unhold { place, .. }) => match place {
            Place::Everywhere => false,
            Place::Flow(word) => !is_env(word),
            Place::Edge(..) => true,
        },
        Said::Ask(Query::Status { target: on }) => on.as_ref().is_some_and(target),
        Said::Ask(Query::History { flow }) => flow.is_some(),
        _ => true,
    }
}

fn is_env(word: &str) -> bool {
    channel().environments.iter().any(|env| env.as_str() == word)
}

proptest! {
    #[test]
    fn what_is_said_reads_back(said in said()) {
        prop_assert_eq!(said.check(), Ok(()));
        let text = said.to_string();
        prop_assert!(!text.chars().any(char::is_control));
        prop_assert_eq!(Said::parse(&text), Ok(said), "{}", text);
    }

    #[test]
    fn what_is_spelled_out_means_the_same_everywhere(said in said(), context in context()) {
        if is_spelled_out(&said) {
            let text = said.to_string();
            prop_assert_eq!(Said::parse_in(&text, &context), Ok(said), "{}", text);
        }
    }

    /// Also where a place is left out: what was said is all there, in its order.
    #[test]
    fn a_context_only_adds_words(said in said(), context in context(), edge in any_edge()) {
        let words = said.to_string().replace(" a1 b1", "").replace("all", "");
        let text = words.replace(&edge, "");
        if let Ok(filled) = Said::parse_in(&text, &context) {
            let spelled = filled.to_string();
            let mut there = spelled.split(' ');
            // Canonical spacing and quoting differ only within reasons and names of checks.
            if let Ok(bare) = Said::parse(&text) {
                prop_assert!(bare.to_string().split(' ').all(|word| there.any(|found| found == word)), "{} {}", text, spelled);
            }
            prop_assert_eq!(Said::parse(&spelled), Ok(filled));
        }
    }

    #[test]
    fn no_text_panics_anywhere(text in prop_oneof![hostile(), soup()], context in context()) {
        match Said::parse_in(&text, &context) {
            Ok(said) => prop_assert_eq!(said.check(), Ok(())),
            Err(problem) => prop_assert!(!problem.to_string().chars().any(char::is_control)),
        }
    }

    #[test]
    fn a_commit_alone_is_explained(digits in "[0-9a-f]{7,40}") {
        let commit = CommitWord::prefix(&digits).unwrap();
        let asked = Said::parse_in(&format!("explain {digits}"), &request());
        prop_assert_eq!(asked, Ok(Said::Ask(Query::ExplainCommit { commit })));
    }
}

fn any_edge() -> impl Strategy<Value = String> {
    prop_oneof![Just("production".to_owned()), Just("shop/checkout".to_owned()), sound_name()]
}
