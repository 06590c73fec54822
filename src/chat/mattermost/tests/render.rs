//! What a message looks like, and who is called by it.

use serde_json::json;

use super::NOW;
use crate::chat::mattermost::{Buttons, People, ephemeral, people_of, render, reply};
use crate::chat::message::{Button, ButtonStyle, Line, LineKind, Message, Press, Span};
use crate::chat::sent::Visible;
use crate::secret::Secret;

fn line(kind: LineKind, spans: Vec<Span>) -> Line {
    Line { kind, spans }
}

fn text(text: &str) -> Span {
    Span::Text(text.to_owned())
}

fn person(name: &str, id: &str) -> Span {
    Span::Person { name: name.to_owned(), id: Some(id.to_owned()) }
}

/// The heads-up of the documentation.
fn heads_up() -> Message {
    let link = Span::Link { text: "compare".to_owned(), url: "https://git.example/a/compare/1...2".to_owned() };
    let button = |label: &str, style| Button {
        label: label.to_owned(),
        press: Press::Say(format!("{} checkout production", label.to_lowercase())),
        style,
        confirm: None,
    };
    Message {
        lines: vec![
            line(
                LineKind::Heading,
                vec![text("In 10 min (14:32) 2 commits go to "), Span::Code("production".into())],
            ),
            line(LineKind::Item, vec![person("Marek", "u1"), text(" · fix invoice_rounding *now*")]),
            line(LineKind::Item, vec![person("Ana", "u2"), text(": drop the column")]),
            line(LineKind::Text, vec![Span::Bold("2 commits".into()), text(", "), link]),
            line(LineKind::Small, vec![text("audit 17")]),
        ],
        buttons: vec![button("Why?", ButtonStyle::Plain), button("Hold", ButtonStyle::Danger)],
        // Mattermost shows the beginning of the text itself.
        in_short: Some("in short".to_owned()),
    }
}

#[test]
fn a_message_is_laid_out() {
    let people: People = [("u1".to_owned(), "marek.k".to_owned())].into();
    let secret = Secret::new("seal");
    let buttons = Buttons { url: "https://t.example/press", secret: &secret, channel: "c1", wall: NOW };
    let made = render(&heads_up(), &people, Some(buttons));
    let expected = "#### In 10 min &#40;14&#58;32&#41; 2 commits go to `production`\n\n\
        - @marek.k\u{200b} · fix invoice&#95;rounding &#42;now&#42;\n\
        - Ana&#58; drop the column\n\n\
        **2 commits**, [compare](https://git.example/a/compare/1...2)\n\
        audit 17";
    assert_eq!(made["text"], expected);
    let [attachment] = made["attachments"].as_array().unwrap().as_slice() else { panic!() };
    assert_eq!(attachment["fallback"], "Why? | Hold");
    assert_eq!(attachment["actions"][0]["style"], "default");
    assert_eq!(attachment["actions"][1]["style"], "danger");
    assert_eq!(attachment["actions"][1]["id"], "towpath1");
    assert_eq!(attachment["actions"][1]["type"], "button");
    let integration = &attachment["actions"][1]["integration"];
    assert_eq!(integration["url"], "https://t.example/press");
    assert_eq!(integration["context"]["towpath"]["channel"], "c1");
    assert!(!made.to_string().contains("\"seal\""));
    // Without a place to press them there are none, and an update takes away what stood there.
    assert_eq!(render(&heads_up(), &people, None)["attachments"], json!([]));
    assert_eq!(people_of(&heads_up()).into_iter().collect::<Vec<_>>(), ["u1", "u2"]);
}

#[test]
fn nobody_is_called_but_by_a_known_name() {
    let called = |username: &str| {
        let people: People = [("u1".to_owned(), username.to_owned())].into();
        let spans = vec![text("by"), person("Ana", "u1"), text("all, "), person("@here", "u2")];
        render(
            &Message { lines: vec![line(LineKind::Text, spans)], buttons: vec![], in_short: None },
            &people,
            None,
        )["text"]
            .clone()
    };
    assert_eq!(called("ana"), "by\u{200b}@ana\u{200b}all, &#64;\u{200b}here");
    for odd in [
        "all",
        "channel",
        "here",
        "all.",
        "here_",
        "",
        "Ana",
        "a b",
        "@ana",
        "a\nb",
        "ana!",
        "-ana",
        &"a".repeat(65),
    ] {
        assert_eq!(called(odd), "byAnaall, &#64;\u{200b}here", "{odd:?}");
    }
}

#[test]
fn an_answer_is_not_read_as_slacks() {
    let message =
        Message { lines: vec![line(LineKind::Text, vec![text("<!channel>")])], buttons: vec![], in_short: None };
    let made = reply(Visible::Person, &message, &People::new(), None);
    assert_eq!((&made["response_type"], &made["skip_slack_parsing"]), (&json!("ephemeral"), &json!(true)));
    assert_eq!(made["text"], "&#60;&#33;channel&#62;");
    assert_eq!(reply(Visible::Channel, &message, &People::new(), None)["response_type"], "in_channel");
    assert_eq!(ephemeral(Some(&message), &People::new())["ephemeral_text"], "&#60;&#33;channel&#62;");
    assert_eq!(ephemeral(None, &People::new()), json!({}));
    let nothing = Message::default();
    assert_eq!(render(&nothing, &People::new(), None)["text"], "…", "the server takes no empty post");
}
