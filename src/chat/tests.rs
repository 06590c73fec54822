//! What holds on every platform: no text becomes more than text, wherever it stands, and nothing is too long.
//!
//! Slack's JSON is walked: texts may stand in `plain_text`, in `text` elements of `rich_text`, and escaped in the one
//! text that is markup. Mattermost's Markdown is read by a parser that is not ours.

use std::collections::BTreeMap;

use proptest::prelude::*;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};
use serde_json::Value;
use towpath_core::model::Instant;
use towpath_core::people::Identity;
use towpath_core::text::Shown;

use super::hostile;
use super::inert::{APART, inert};
use super::mattermost::{self, Buttons, People};
use super::message::{Button, ButtonStyle, Line, LineKind, Message, Press, Span};
use super::slack;
use crate::secret::Secret;

const KINDS: [LineKind; 4] = [LineKind::Heading, LineKind::Text, LineKind::Item, LineKind::Small];

/// Every way in which a text can stand in a message, three together.
fn messages(text: &str) -> Vec<Message> {
    let spans = |text: &str| {
        let text = text.to_owned();
        [
            Span::Text(text.clone()),
            Span::Bold(text.clone()),
            Span::Code(text.clone()),
            Span::Link { text: text.clone(), url: "https://good.example/x".to_owned() },
            Span::Link { text: "good".to_owned(), url: text.clone() },
            Span::Person { name: text.clone(), id: None },
            Span::Person { name: "good".to_owned(), id: Some(text.clone()) },
            Span::Person { name: text, id: Some("UGOOD".to_owned()) },
        ]
    };
    let button = |confirm: Option<&str>| Button {
        label: text.to_owned(),
        press: Press::Say(text.to_owned()),
        style: ButtonStyle::Danger,
        confirm: confirm.map(str::to_owned),
    };
    let mut all = Vec::new();
    for kind in KINDS {
        for span in spans(text) {
            let before = Line { kind: LineKind::Text, spans: vec![Span::Text("before".into())] };
            let line = Line { kind, spans: vec![Span::Text("a".into()), span.clone(), Span::Text("z".into())] };
            let alone = Line { kind, spans: vec![span.clone()] };
            let doubled = Line { kind, spans: vec![Span::Text("1".into()), span.clone(), span] };
            let buttons = vec![button(None), button(Some(text))];
            all.push(Message { lines: vec![alone.clone(), before, alone, line, doubled], buttons, in_short: None });
        }
    }
    all
}

/// Every text that stands somewhere in Slack's JSON as itself, after asserting that it may stand there.
fn slack_texts(value: &Value, into: &mut Vec<String>) {
    let object = value.as_object().unwrap();
    let keys = |allowed: &[&str]| assert!(object.keys().all(|key| allowed.contains(&key.as_str())), "{value}");
    let each = |name: &str, into: &mut Vec<String>| {
        let elements = value[name].as_array().unwrap();
        assert!(!elements.is_empty(), "{value}");
        elements.iter().for_each(|element| slack_texts(element, into));
    };
    match value["type"].as_str().unwrap() {
        "plain_text" => {
            keys(&["type", "text", "emoji"]);
            assert_eq!(value["emoji"], false);
            into.push(value["text"].as_str().unwrap().to_owned());
        }
        "text" => {
            keys(&["type", "text", "style"]);
            into.push(value["text"].as_str().unwrap().to_owned());
        }
        "link" => {
            keys(&["type", "text", "url", "style"]);
            let url = value["url"].as_str().unwrap();
            assert!(url.starts_with("https://") || url.starts_with("http://"), "{url}");
            into.push(value["text"].as_str().unwrap().to_owned());
        }
        "user" => {
            keys(&["type", "user_id", "style"]);
            let id = value["user_id"].as_str().unwrap();
            assert!(id.starts_with(['U', 'W']) && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        }
        "header" => {
            keys(&["type", "text"]);
            assert!(value["text"]["text"].as_str().unwrap().chars().count() <= 150);
            slack_texts(&value["text"], into);
        }
        "context" => {
            keys(&["type", "elements"]);
            assert!(value["elements"].as_array().unwrap().len() <= 10);
            each("elements", into);
        }
        "rich_text" | "rich_text_section" | "actions" => {
            keys(&["type", "elements"]);
            each("elements", into);
        }
        "rich_text_list" => {
            keys(&["type", "elements", "style"]);
            each("elements", into);
        }
        "button" => {
            keys(&["type", "text", "value", "style", "confirm", "action_id"]);
            assert!(value["text"]["text"].as_str().unwrap().chars().count() <= 75);
            assert!(value["value"].as_str().unwrap().chars().count() <= 2_000);
            serde_json::from_str::<Press>(value["value"].as_str().unwrap()).unwrap();
            slack_texts(&value["text"], into);
            if let Some(confirm) = object.get("confirm") {
                for (name, max) in [("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)] {
                    assert!(confirm[name]["text"].as_str().unwrap().chars().count() <= max);
                    slack_texts(&confirm[name], into);
                }
            }
        }
        other => panic!("nobody said that there may be a {other}"),
    }
}

/// Nothing in it acts but the line ends that are ours.
fn shows_itself(text: &str) {
    let ours = text.replace([APART, '\n'], "");
    assert_eq!(Shown::new(&ours).to_string(), ours, "{text:?}");
}

fn check_slack(message: &Message) {
    let made = slack::render(message);
    assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(), ["blocks", "text"]);
    let blocks = made["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    let mut all = 0;
    for block in blocks {
        let mut texts = Vec::new();
        slack_texts(block, &mut texts);
        let length: usize = texts.iter().map(|text| text.chars().count()).sum();
        if block["type"] == "rich_text" {
            assert!(length <= 3_000, "{length}");
        }
        if block["type"] != "actions" {
            all += length;
        }
        for text in &texts {
            assert!(text.chars().count() <= 3_000);
            assert!(!text.is_empty(), "Slack takes no empty text");
            shows_itself(text);
        }
    }
    assert!(all <= 12_500);
    check_markup(made["text"].as_str().unwrap());
}

/// The one text that Slack reads: nothing in it can be read as anything.
fn check_markup(text: &str) {
    assert!(!text.is_empty() && text.chars().count() <= 3_000);
    shows_itself(text);
    assert!(!text.contains(['<', '>', '*', '`', '~']), "{text}");
    for (at, _) in text.match_indices('&') {
        let escaped = ["&amp;", "&lt;", "&gt;"].iter().any(|entity| text[at..].starts_with(entity));
        assert!(escaped, "{text}");
    }
    let chars: Vec<char> = text.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let before = if at == 0 { ' ' } else { chars[at - 1] };
        match c {
            '_' => assert!(before.is_alphanumeric() && next.is_alphanumeric(), "{text}"),
            '@' | '#' => assert!(!next.is_alphanumeric() && next != '_', "{text}"),
            ':' if next.is_alphanumeric() => {
                assert!(
                    before.is_ascii_digit() && next.is_ascii_digit() && chars.get(at + 3) != Some(&':'),
                    "{text}"
                );
            }
            ':' => assert!(!"/_-+".contains(next), "{text}"),
            _ => {}
        }
    }
    assert!(!text.lines().any(|line| line.starts_with("&gt;")), "{text}");
}

fn people() -> People {
    let mut people: People = [("UGOOD".to_owned(), "good_one".to_owned())].into();
    // Whatever the server may say of a name.
    people.extend(hostile::TEXTS.iter().map(|text| ((*text).to_owned(), (*text).to_owned())));
    people
}

/// GitHub's Markdown, and more than Mattermost reads.
fn parse(markdown: &str) -> Parser<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH
        | Options::ENABLE_HEADING_ATTRIBUTES;
    Parser::new_ext(markdown, options)
}

/// What a reader of Markdown makes of it: texts, and nothing that the spans did not ask for.
fn check_markdown(markdown: &str, message: &Message) {
    assert!(markdown.chars().count() <= 16_383 && !markdown.is_empty());
    let has = |wanted: fn(&Span) -> bool| message.lines.iter().any(|line| line.spans.iter().any(wanted));
    let kind = |kind| message.lines.iter().any(|line| line.kind == kind);
    let calls = has(|span| matches!(span, Span::Person { id: Some(id), .. } if id == "UGOOD"));
    let (mut links, mut bold, mut code) = (0, 0, 0);
    // The parser cuts texts where it likes.
    let mut text = String::new();
    for event in parse(markdown) {
        if let Event::Text(piece) = &event {
            text.push_str(piece);
            continue;
        }
        let whole = std::mem::take(&mut text);
        check_shown(&if calls { whole.replace("@good_one", "@") } else { whole });
        match event {
            Event::Start(Tag::Paragraph) | Event::End(_) | Event::SoftBreak => {}
            Event::Start(Tag::Heading { .. }) => assert!(kind(LineKind::Heading), "{markdown}"),
            Event::Start(Tag::List(None) | Tag::Item) => assert!(kind(LineKind::Item), "{markdown}"),
            Event::Start(Tag::Strong) => {
                bold += 1;
                assert!(has(|span| matches!(span, Span::Bold(_))), "{markdown}");
            }
            Event::Start(Tag::Link { link_type, dest_url, title, .. }) => {
                assert!(has(|span| matches!(span, Span::Link { .. })), "{markdown}");
                links += 1;
                assert_eq!(link_type, LinkType::Inline, "{markdown}");
                assert!(title.is_empty() && (dest_url.starts_with("https://") || dest_url.starts_with("http://")));
            }
            Event::Code(text) => {
                code += 1;
                assert!(has(|span| matches!(span, Span::Code(_))), "{markdown}");
                // Of all colons only the one of an identity, which people copy.
                let identity = text.parse::<Identity>().is_ok() && !text.contains("//");
                let colons = text.matches(':').count();
                assert!(colons == usize::from(identity && colons == 1), "{markdown}");
                assert!(!text.contains(['@', '#', '~', '<', '&', '`', '$', '\\']), "{markdown}");
                shows_itself(&text);
            }
            other => panic!("{other:?} of {markdown:?}"),
        }
    }
    // Our own markup is whole, also where a text was cut.
    let count = |sign: &str| markdown.matches(sign).count();
    assert_eq!(
        (links, links, 2 * bold, 2 * code),
        (count("["), count("]("), count("**"), count("`")),
        "{markdown}"
    );
}

/// A text as the reader sees it: the server and the clients look for names in it.
fn check_shown(text: &str) {
    shows_itself(text);
    let chars: Vec<char> = text.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let Some(next) = chars.get(at + 1) else { continue };
        let name = next.is_alphanumeric() || matches!(next, '_' | '-' | '.' | '+');
        match c {
            '@' | '#' | '~' => assert!(!name, "{text}"),
            ':' => {
                let time = at > 0 && chars[at - 1].is_ascii_digit() && next.is_ascii_digit();
                assert!(!(name || *next == '/') || time, "{text}");
            }
            _ => {}
        }
    }
    assert!(!text.to_lowercase().contains("www."), "{text}");
}

/// Raw Markdown has none of the signs by which the other readers (marked, commonmark.js) know things without a look
/// at what is around: these stand in our own markup only.
fn check_raw(markdown: &str, message: &Message) {
    let plain = !message.lines.iter().any(|line| {
        line.kind == LineKind::Heading
            || line.spans.iter().any(|span| !matches!(span, Span::Text(_) | Span::Person { .. }))
    });
    if !plain {
        return;
    }
    let calls = markdown.replace("@good_one", "");
    assert!(
        !calls.contains(['<', '>', '[', ']', '(', ')', '!', '*', '_', '`', '~', '@', '$', '|', '\\', ':', '.']),
        "{markdown}"
    );
    for (at, _) in calls.match_indices('#') {
        assert!(
            calls[..at].ends_with('&') && calls[at + 1..].starts_with(|c: char| c.is_ascii_digit()),
            "{markdown}"
        );
    }
    assert!(!calls.lines().any(|line| line.starts_with([' ', '\t', '#', '+', '=', '/'])), "{markdown:?}");
}

fn check_mattermost(message: &Message) {
    let secret = Secret::new("seal");
    let buttons = Buttons { url: "https://t.example/press", secret: &secret, channel: "chan", wall: Instant(0) };
    let made = mattermost::render(message, &people(), Some(buttons));
    let text = made["text"].as_str().unwrap();
    check_markdown(text, message);
    check_raw(text, message);
    for attachment in made["attachments"].as_array().unwrap() {
        assert_eq!(attachment["text"], "");
        shows_itself(attachment["fallback"].as_str().unwrap());
        for action in attachment["actions"].as_array().unwrap() {
            let name = action["name"].as_str().unwrap();
            assert!((1..=75).contains(&name.chars().count()));
            assert!(action["id"].as_str().unwrap().bytes().all(|byte| byte.is_ascii_alphanumeric()));
            check_label(name);
        }
    }
}

/// A label is no Markdown; names and emoji are looked for in it.
fn check_label(text: &str) {
    shows_itself(text);
    for sign in ['@', '#', '~'] {
        for (at, _) in text.match_indices(sign) {
            let next = text[at + 1..].chars().next().unwrap_or(' ');
            assert!(!next.is_alphanumeric() && !"_-.+".contains(next), "{text}");
        }
    }
}

#[test]
fn the_corpus_is_large_and_has_no_twins() {
    assert!(hostile::TEXTS.len() >= 60);
    let different: std::collections::BTreeSet<_> = hostile::TEXTS.iter().collect();
    assert_eq!(different.len(), hostile::TEXTS.len());
}

#[test]
fn no_hostile_text_is_more_than_text() {
    for text in hostile::TEXTS {
        for message in messages(text) {
            check_slack(&message);
            check_mattermost(&message);
        }
    }
}

#[test]
fn no_long_text_is_too_long() {
    for (at, text) in hostile::long().into_iter().enumerate() {
        // Each in some places, all places with some.
        for message in messages(&text).into_iter().skip(at % 16).step_by(16) {
            check_slack(&message);
            check_mattermost(&message);
        }
    }
    // Many lines of each kind, and many buttons.
    for kind in KINDS {
        for text in ["<!channel> & *x*", "x", &"y ".repeat(1_000)] {
            let line = |span| Line { kind, spans: vec![span] };
            let lines = (0..400).map(|at| match at % 3 {
                0 => line(Span::Text(text.to_owned())),
                1 => line(Span::Bold(text.to_owned())),
                _ => line(Span::Link { text: text.to_owned(), url: "https://good.example/a(b)".to_owned() }),
            });
            let press = Press::Say("status".to_owned());
            let button = Button { label: "x".into(), press, style: ButtonStyle::Plain, confirm: None };
            let message = Message { lines: lines.collect(), buttons: vec![button; 60], in_short: None };
            check_slack(&message);
            check_mattermost(&message);
        }
    }
}

/// What a reader sees of a line of Mattermost, without our separators.
fn seen(markdown: &str) -> String {
    let mut seen = String::new();
    for event in parse(markdown) {
        if let Event::Text(text) | Event::Code(text) = event {
            seen.push_str(&text);
        }
    }
    seen.replace(APART, "")
}

#[test]
fn what_is_shown_is_what_was_said() {
    for text in hostile::TEXTS.iter().filter(|text| !text.trim().is_empty()) {
        let whole = inert(text);
        let message = |span| Message {
            lines: vec![Line { kind: LineKind::Text, spans: vec![span] }],
            buttons: vec![],
            in_short: None,
        };
        for span in [Span::Text((*text).to_owned()), Span::Bold((*text).to_owned()), Span::Code((*text).to_owned())]
        {
            let message = message(span);
            let made = mattermost::render(&message, &BTreeMap::new(), None);
            assert_eq!(seen(made["text"].as_str().unwrap()).trim(), whole.trim(), "{message:?}");
            let made = slack::render(&message);
            assert_eq!(made["blocks"][0]["elements"][0]["elements"][0]["text"], whole, "{message:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_text_is_more_than_text(text in "[-<>|@#!&;*_~`:a-z0-9.\\\\/()\\[\\]{}$^+= \n\u{200b}é]{0,40}|\\PC{0,40}|(@|#|~|:|www|https://|\\*\\*|[a-z]|\n| ){0,20}") {
        for message in messages(&text) {
            check_slack(&message);
            check_mattermost(&message);
        }
    }

    #[test]
    fn neighbours_make_nothing_together(
        texts in prop::collection::vec("[<>@#!&*_~`:a-z1.\\\\()\\[\\] \n-]{0,6}", 1..6),
        kinds in prop::collection::vec(0_usize..4, 1..5),
        bold in 0_usize..6,
    ) {
        let spans: Vec<Span> = texts
            .iter()
            .enumerate()
            .map(|(at, text)| if at == bold { Span::Bold(text.clone()) } else { Span::Text(text.clone()) })
            .collect();
        let lines = kinds.iter().map(|kind| Line { kind: KINDS[*kind], spans: spans.clone() }).collect();
        let message = Message { lines, buttons: vec![], in_short: None };
        check_slack(&message);
        check_mattermost(&message);
    }
}
