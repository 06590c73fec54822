//! What a message looks like.

use serde_json::json;

use crate::chat::message::{Button, ButtonStyle, Line, LineKind, Message, Press, Span};
use crate::chat::sent::Visible;
use crate::chat::slack::{render, reply};

fn line(kind: LineKind, spans: Vec<Span>) -> Line {
    Line { kind, spans }
}

fn text(text: &str) -> Span {
    Span::Text(text.to_owned())
}

fn person(name: &str, id: Option<&str>) -> Span {
    Span::Person { name: name.to_owned(), id: id.map(str::to_owned) }
}

fn button(label: &str, style: ButtonStyle, confirm: Option<&str>) -> Button {
    let press = Press::Say("status".to_owned());
    Button { label: label.to_owned(), press, style, confirm: confirm.map(str::to_owned) }
}

#[test]
fn a_message_is_laid_out() {
    let link = Span::Link { text: "compare".to_owned(), url: "https://git.example/a".to_owned() };
    let message = Message {
        lines: vec![
            line(LineKind::Heading, vec![text("2 commits go to "), Span::Code("production".into())]),
            line(LineKind::Text, vec![text("At 14:32, "), link]),
            line(LineKind::Text, vec![Span::Bold("now".into())]),
            line(LineKind::Item, vec![person("Marek", Some("U1")), text(": fix *it*")]),
            line(LineKind::Item, vec![person("Ana", None), text(": drop "), Span::Code("col_a".into())]),
            line(LineKind::Small, vec![text("audit 17")]),
            line(LineKind::Small, vec![text("lag 30m")]),
        ],
        buttons: vec![
            button("Why?", ButtonStyle::Plain, None),
            button("Promote", ButtonStyle::Danger, Some("Really *now*?")),
        ],
        in_short: None,
    };
    let plain = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": false });
    let section = |elements| json!({ "type": "rich_text_section", "elements": elements });
    let expected = json!({
        "text": "2 commits go to production\nAt 14:32, compare\nnow\n• Marek: fix ∗it∗\n• Ana: drop col_a\naudit 17\nlag 30m",
        "blocks": [
            { "type": "header", "text": plain("2 commits go to production") },
            { "type": "rich_text", "elements": [
                section(json!([
                    { "type": "text", "text": "At 14:32, " },
                    { "type": "link", "url": "https://git.example/a", "text": "compare" },
                    { "type": "text", "text": "\n" },
                    { "type": "text", "text": "now", "style": { "bold": true } },
                ])),
                { "type": "rich_text_list", "style": "bullet", "elements": [
                    section(json!([{ "type": "user", "user_id": "U1" }, { "type": "text", "text": ": fix *it*" }])),
                    section(json!([
                        { "type": "text", "text": "Ana" },
                        { "type": "text", "text": ": drop " },
                        { "type": "text", "text": "col_a", "style": { "code": true } },
                    ])),
                ] },
            ] },
            { "type": "context", "elements": [plain("audit 17"), plain("lag 30m")] },
            { "type": "actions", "elements": [
                { "type": "button", "text": plain("Why?"), "value": "{\"say\":\"status\"}", "action_id": "towpath-0" },
                {
                    "type": "button", "text": plain("Promote"), "value": "{\"say\":\"status\"}",
                    "action_id": "towpath-1", "style": "danger",
                    "confirm": {
                        "title": plain("Promote"), "text": plain("Really *now*?"), "confirm": plain("Promote"),
                        "deny": plain("Cancel"), "style": "danger",
                    },
                },
            ] },
        ],
    });
    assert_eq!(render(&message), expected);
    // What heading and list say in short is read where blocks are not, and shown nowhere else.
    let short = Message { in_short: Some("2 commits: Marek <!channel> *fix*, `it`".to_owned()), ..message.clone() };
    let made = render(&short);
    let text = "2 commits: Marek &lt;!channel&gt; ∗fix∗, ‵it‵\nAt 14:32, compare\nnow\naudit 17\nlag 30m";
    assert_eq!((&made["text"], &made["blocks"]), (&json!(text), &expected["blocks"]));
    let long = Message { in_short: Some("<".repeat(9_000)), ..message.clone() };
    let text = render(&long)["text"].as_str().unwrap().to_owned();
    assert!(text.chars().count() <= 3_000 && text.ends_with('…') && !text.contains('<'), "{text}");
    assert_eq!(reply(Visible::Channel, &message)["response_type"], "in_channel");
    assert_eq!(reply(Visible::Person, &message)["response_type"], "ephemeral");
}

#[test]
fn a_heading_that_is_long_or_calls_somebody_is_a_bold_line() {
    for spans in [vec![text(&"x".repeat(151))], vec![person("Ana", Some("U1")), text(" pauses")]] {
        let made =
            render(&Message { lines: vec![line(LineKind::Heading, spans)], buttons: vec![], in_short: None });
        let first = &made["blocks"][0]["elements"][0]["elements"][0];
        assert_eq!((&made["blocks"][0]["type"], &first["style"]), (&json!("rich_text"), &json!({ "bold": true })));
    }
    let fits = render(&Message {
        lines: vec![line(LineKind::Heading, vec![text(&"x".repeat(150))])],
        buttons: vec![],
        in_short: None,
    });
    assert_eq!(fits["blocks"][0]["type"], "header");
}

#[test]
fn only_a_well_formed_id_calls_somebody() {
    for (id, calls) in [
        ("U012AB3CD", true),
        ("W012AB3CD", true),
        ("C012AB3CD", false),
        ("u012ab3cd", false),
        ("U1>", false),
        ("U", false),
        ("", false),
        ("!channel", false),
        (&"U".repeat(25), false),
    ] {
        let lines = vec![line(LineKind::Text, vec![person("Ana", Some(id))])];
        let made = render(&Message { lines, buttons: vec![], in_short: None });
        let kind = &made["blocks"][0]["elements"][0]["elements"][0]["type"];
        assert_eq!(kind, if calls { "user" } else { "text" }, "{id}");
    }
}

#[test]
fn what_is_too_much_is_left_out_and_said() {
    let heading = |at: usize| line(LineKind::Heading, vec![text(&format!("{at}"))]);
    let buttons = vec![button("x", ButtonStyle::Plain, None); 40];
    let made = render(&Message { lines: (0..80).map(heading).collect(), buttons, in_short: None });
    let blocks = made["blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 50);
    assert_eq!((&blocks[47]["text"]["text"], &blocks[48]["elements"][0]["text"]), (&json!("47"), &json!("…")));
    assert_eq!(blocks[49]["elements"].as_array().unwrap().len(), 25);
    let long = line(LineKind::Text, vec![text(&"word ".repeat(2_000))]);
    let made = render(&Message { lines: vec![long; 9], buttons: vec![], in_short: None });
    let shown = made["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["elements"][0]["elements"][0]["text"].as_str().unwrap().to_owned());
    assert!(shown.clone().count() == 4 && shown.clone().all(|text| text.ends_with('…')));
    assert!(made["text"].as_str().unwrap().ends_with('…'));
    assert_eq!(render(&Message::default()), json!({ "text": "…", "blocks": [] }));
}
