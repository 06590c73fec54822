//! Texts that want to be more than text: subjects of commits, names of authors, files, the words of servers.

use proptest::prelude::*;
use towpath_core::command::{Command, Query, Said};
use towpath_core::model::{EnvName, FlowName};

use super::super::kept::{Body, Saying};
use super::super::words::is_page;
use super::*;
use crate::chat::message::Press;

const CORPUS: [&str; 20] = [
    "<!channel> <!here> <@UANA> <#C1>",
    "@all @here @channel @ana26 @marek",
    "<https://evil.example|Promote now>",
    "[Promote now](https://evil.example) ![x](https://evil.example/x.png)",
    "https://evil.example/pwn",
    "*bold* _it_ ~no~ `code` ``` ```rm -rf / ```",
    "one\ntwo\r\nthree\u{2028}four\u{85}five",
    "\u{1b}[31mred\u{1b}]8;;https://evil.example\u{7}",
    "\u{202e}gnp.exe \u{2066}x\u{2069} \u{200b}\u{feff}\u{ad}",
    "\0\u{1}\u{7f}\u{9b}",
    "a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
    "promote shop/checkout production --reason \"x\"",
    "\" --reason \"y\" to deadbeef",
    "{{ text }} {% raw %} ${HOME} $(id) `id`",
    "</b><script>alert(1)</script>&amp;&lt;",
    ":tada: :+1: /hold all",
    "",
    " \t \n ",
    "| a | b |\n|---|---|\n> quote\n# heading\n- item",
    "\u{e0041}\u{fe0f}\u{1f600}\u{10ffff}",
];

/// A told thing that has the text wherever a repository, a person or a server may put one.
fn with(text: &str, word: &str) -> Told {
    let mut told = match word {
        "heads-up" => heads_up(0, 5),
        word => told(word, 0),
    };
    told.notice.text = format!("It was refused. The server said:\n> {text}");
    told.authors =
        vec![Wrote::Stranger(text.to_owned()), Wrote::Bot(text.to_owned()), Wrote::Person(text.to_owned())];
    told.about = Some(text.to_owned());
    told.retry = true;
    told.notice.repository = text.to_owned();
    if word == "heads-up" && text.len().is_multiple_of(2) {
        told.heading = Some(text.to_owned());
        told.to_stop = Some(text.to_owned());
    }
    if let Some(range) = &mut told.announced {
        for commit in &mut range.commits {
            commit.subject = text.to_owned();
            commit.authors = vec![Wrote::Stranger(text.to_owned()), Wrote::Stranger(format!("{text}x"))];
        }
    }
    told
}

fn check(saying: &Saying, is_one: bool) -> Result<(), TestCaseError> {
    for span in saying.message.lines.iter().flat_map(|line| &line.spans) {
        let shown = match span {
            Span::Text(text) | Span::Bold(text) | Span::Code(text) => text,
            Span::Person { name, id } => {
                prop_assert_eq!(id, &None);
                name
            }
            Span::Link { text, url } => {
                prop_assert!(is_page(url), "{}", url);
                prop_assert_eq!(url, "https://git.example.com/compare");
                text
            }
        };
        let inert = towpath_core::text::Shown::new(shown).to_string();
        prop_assert_eq!(&inert, shown);
        prop_assert!(!shown.contains(['\n', '\r', '\u{2028}']) && shown.chars().count() <= 1_000, "{}", shown);
    }
    prop_assert!(saying.message.lines.len() < 40);
    let short = saying.message.in_short.clone().unwrap_or_default();
    prop_assert!(towpath_core::text::Shown::new(&short).to_string() == short && !short.contains('\n'), "{}", short);
    if !is_one {
        prop_assert_eq!(saying.message.buttons.len(), 1);
        prop_assert_eq!(&saying.message.buttons[0].press, &Press::Say("status".to_owned()));
        return Ok(());
    }
    let (flow, env) = ("shop/checkout".to_owned(), "production".to_owned());
    for button in &saying.message.buttons {
        match &button.press {
            Press::HoldMine { flow, env, newest } => {
                prop_assert_eq!((flow.as_str(), env.as_str(), *newest), ("shop/checkout", "production", commit(5)));
            }
            Press::Confirm { .. } => prop_assert!(false, "only what was shown is confirmed"),
            Press::Say(text) => match Said::parse(text) {
                Ok(
                    Said::Ask(Query::Explain { flow: f, env: e }) | Said::Steer(Command::Retry { flow: f, env: e }),
                ) => {
                    prop_assert_eq!((f, e), (flow.clone(), env.clone()));
                }
                Ok(Said::Steer(Command::Promote { flow: f, env: e, to, reason })) => {
                    prop_assert_eq!((f, e), (flow.clone(), env.clone()));
                    prop_assert_eq!(to.map(|to| to.to_string()), Some(commit(5).to_string()));
                    prop_assert_eq!(reason, super::super::buttons::REASON);
                }
                other => prop_assert!(false, "{other:?}"),
            },
        }
        let confirm = button.confirm.clone().unwrap_or_default();
        prop_assert!(towpath_core::text::Shown::new(&confirm).to_string() == confirm);
    }
    Ok(())
}

fn say_all(text: &str) -> Result<(), TestCaseError> {
    let people = people();
    for storm in [0, 10] {
        let settings = Settings { storm, mention: Mention::All, ..settings(&people) };
        for word in [
            "heads-up",
            "promoted",
            "refused",
            "rolled-back",
            "behind",
            "caught-up",
            "blocked",
            "unblocked",
            "pause-ends",
        ] {
            let told = Told { compare: Some("https://git.example.com/compare".to_owned()), ..with(text, word) };
            let mut chat = Chat::default();
            chat.tell(&[due("a", &told)], at(0), &settings);
            // What asks something of people is in no summary.
            let is_one = storm > 0 || ["heads-up", "pause-ends"].contains(&word);
            chat.kept.iter().try_for_each(|kept| check(&kept.saying, is_one))?;
            let next = Told { about: told.about, ..self::told("rewound", 1) };
            chat.tell(&[due("b", &next)], at(1), &settings);
            let is_one = |kept: &&Kept| matches!(kept.saying.body, Body::One { .. });
            chat.kept.iter().try_for_each(|kept| check(&kept.saying, is_one(&kept)))?;
        }
    }
    Ok(())
}

#[test]
fn hostile_texts_stay_texts() {
    for text in CORPUS {
        say_all(text).unwrap();
        say_all(&text.repeat(500)).unwrap();
    }
}

#[test]
fn a_hostile_name_of_a_flow_has_no_buttons_and_no_say() {
    let people = people();
    for text in CORPUS {
        let mut told = with("x", "heads-up");
        told.notice.flow = FlowName::new(text);
        told.notice.environment = EnvName::new(text);
        let steps = say(&[], &[due("a", &told)], at(0), &settings(&people));
        let [Step::Post { saying, .. }] = &*steps else { panic!("{steps:?}") };
        for button in &saying.message.buttons {
            // The only one that a command can name.
            assert_eq!(text, "https://evil.example/pwn", "{button:?}");
        }
    }
}

#[test]
fn no_two_names_make_one_key() {
    let names = ["a", "a b", "b", "'a", "a'", "a b'", "", "a\nb", "promotion", "$'a'"];
    let mut keys = std::collections::BTreeSet::new();
    for flow in names {
        for env in names {
            let (flow, env) = (FlowName::new(flow), EnvName::new(env));
            assert!(keys.insert(super::super::Key::promotion(&flow, &env)));
            for about in names {
                assert!(keys.insert(super::super::Key::event("refused", &flow, &env, Some(about))));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_text_stays_text(text in "\\PC{0,60}|.{0,60}", n in 0..CORPUS.len()) {
        say_all(&text)?;
        say_all(&format!("{}{text}", CORPUS[n]))?;
    }
}
