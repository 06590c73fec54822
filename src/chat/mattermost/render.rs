//! A [`Message`] as Mattermost's JSON: `{"text", "attachments"}` (developers.mattermost.com: "Message attachments",
//! "Interactive messages").
//!
//! Lines are Markdown in which every text was escaped (`escape`), so that nothing but our own markup is read. People
//! are called by user name, which a [`Span::Person`] does not hold: whoever sends looks the names up ([`people_of`],
//! [`Mattermost::username`](super::Mattermost::username)); somebody whose name is not known is only named. Buttons
//! stand in an attachment of their own and are sealed ([`seal`](super::seal)); one whose press is too long is left
//! out. Mattermost cannot ask whether a button was meant.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use towpath_core::model::Instant;

use super::escape::{Markdown, address, is_code, is_username, quiet};
use super::seal::seal;
use crate::chat::inert::{APART, alone, cut, inert, link};
use crate::chat::message::{Button, ButtonStyle, Line, LineKind, Message, Span};
use crate::chat::sent::Visible;
use crate::secret::Secret;

/// `PostMessageMaxRunesV2`, server/public/model/post.go.
const TEXT_MAX: usize = 16_383;
/// Ours: the client shows long labels, but nobody reads them.
const LABEL_MAX: usize = 75;
/// Ours: the post's properties may hold 800,000 characters.
const BUTTONS_MAX: usize = 25;
/// [`APART`] as a text.
const APART_TEXT: &str = "\u{200b}";
/// The longest fallback of an attachment.
const FALLBACK_MAX: usize = 1_000;

/// The user names of people, by their ids.
pub type People = BTreeMap<String, String>;

/// What buttons need.
#[derive(Debug, Clone, Copy)]
pub struct Buttons<'a> {
    /// Where the server tells us that one was pressed.
    pub url: &'a str,
    /// What they are sealed with: the first of the configured ones.
    pub secret: &'a Secret,
    /// The channel that the message is for.
    pub channel: &'a str,
    /// Now.
    pub wall: Instant,
}

/// The message as Mattermost wants it; without `buttons` it has none.
pub fn render(message: &Message, people: &People, buttons: Option<Buttons<'_>>) -> Value {
    let text = markdown(message, people);
    let made =
        buttons.map(|with| message.buttons.iter().filter_map(|b| button(b, with)).take(BUTTONS_MAX).collect());
    let actions: Vec<Value> = made.unwrap_or_default();
    if actions.is_empty() {
        // An update takes away what stood there.
        return json!({ "text": text, "attachments": [] });
    }
    let labels: Vec<&str> = actions.iter().filter_map(|action| action["name"].as_str()).collect();
    let fallback = cut(&labels.join(" | "), FALLBACK_MAX);
    let numbered: Vec<Value> = actions
        .iter()
        .enumerate()
        .map(|(at, action)| {
            let mut action = action.clone();
            // Part of an address of the server's, which takes letters and digits there.
            action["id"] = json!(format!("towpath{at}"));
            action
        })
        .collect();
    json!({ "text": text, "attachments": [{ "fallback": fallback, "text": "", "actions": numbered }] })
}

/// The body of the answer to a slash command: in the response itself, or at its address.
pub fn reply(visible: Visible, message: &Message, people: &People, buttons: Option<Buttons<'_>>) -> Value {
    let mut body = render(message, people, buttons);
    body["response_type"] = json!(visible.word());
    // Else `<!channel>` and `<https://…|…>` would mean what they do in Slack.
    body["skip_slack_parsing"] = json!(true);
    body
}

/// The body of the response to a button that was pressed, for the person only. Without a message nothing is said.
pub fn ephemeral(message: Option<&Message>, people: &People) -> Value {
    match message {
        Some(message) => json!({ "ephemeral_text": markdown(message, people), "skip_slack_parsing": true }),
        None => json!({}),
    }
}

/// The ids of the people that a message calls, whose user names are to be looked up.
pub fn people_of(message: &Message) -> BTreeSet<&str> {
    let spans = message.lines.iter().flat_map(|line| &line.spans);
    let ids = spans.filter_map(|span| match span {
        Span::Person { id: Some(id), .. } => Some(id.as_str()),
        _ => None,
    });
    ids.collect()
}

fn button(button: &Button, with: Buttons<'_>) -> Option<Value> {
    let sealed = seal(with.secret, &button.press, with.channel, with.wall)?;
    let label = quiet(&alone(&button.label));
    let label = if label.is_empty() { "…".to_owned() } else { cut(&label, LABEL_MAX) };
    let style = match button.style {
        ButtonStyle::Plain => "default",
        ButtonStyle::Primary => "primary",
        ButtonStyle::Danger => "danger",
    };
    Some(json!({
        "type": "button",
        "name": label,
        "style": style,
        "integration": { "url": with.url, "context": { "towpath": sealed } },
    }))
}

fn markdown(message: &Message, people: &People) -> String {
    let mut out = Markdown::new(TEXT_MAX);
    let mut before: Option<LineKind> = None;
    for line in &message.lines {
        if line.spans.iter().all(is_empty) {
            continue;
        }
        let begin = match (before, line.kind) {
            (None, _) => "",
            // Lines of one kind stand below each other.
            (Some(LineKind::Item), LineKind::Item)
            | (Some(LineKind::Text | LineKind::Small), LineKind::Text | LineKind::Small) => "\n",
            _ => "\n\n",
        };
        let mark = match line.kind {
            LineKind::Heading => "#### ",
            LineKind::Item => "- ",
            LineKind::Text | LineKind::Small => "",
        };
        // A line of which there would be nothing but its mark is not begun.
        if out.room() < begin.len() + mark.len() + 100 {
            out.end();
            break;
        }
        out.markup(begin);
        out.markup(mark);
        if !write(&mut out, line, people) {
            break;
        }
        before = Some(line.kind);
    }
    // The server takes no empty message.
    if out.text.is_empty() { "…".to_owned() } else { out.text }
}

fn is_empty(span: &Span) -> bool {
    let (Span::Text(text)
    | Span::Bold(text)
    | Span::Code(text)
    | Span::Link { text, .. }
    | Span::Person { name: text, .. }) = span;
    text.trim().is_empty() && !matches!(span, Span::Person { id: Some(_), .. })
}

/// Writes a line; whether all of it fitted.
fn write(out: &mut Markdown, line: &Line, people: &People) -> bool {
    let mut named = false;
    for span in &line.spans {
        // What follows a name must not become part of it.
        if std::mem::take(&mut named) && !out.markup(APART_TEXT) {
            return false;
        }
        let fitted = match span {
            Span::Text(text) => out.escaped(&inert(text), 0),
            Span::Bold(text) => bold(out, &inert(text)),
            Span::Code(text) => code(out, &inert(text)),
            Span::Link { text, url } => linked(out, &inert(text), url),
            Span::Person { name, id } => {
                match id.as_ref().and_then(|id| people.get(id)).filter(|name| is_username(name)) {
                    Some(username) => {
                        named = true;
                        // Before it, too.
                        let apart = if out.text.ends_with(char::is_alphanumeric) { APART_TEXT } else { "" };
                        out.markup(&format!("{apart}@{username}"))
                    }
                    None => out.escaped(&inert(name), 0),
                }
            }
        };
        if !fitted {
            return false;
        }
    }
    true
}

/// Bold, with what keeps `**` from being read as two stars: nothing blank inside of it, and beside it nothing that
/// is neither blank nor a letter.
fn bold(out: &mut Markdown, text: &str) -> bool {
    let inner = alone(text);
    if inner.is_empty() {
        return out.escaped(text, 0);
    }
    let blank = if text.starts_with(char::is_whitespace) { " " } else { "" };
    let after = if text.ends_with(char::is_whitespace) { " " } else { "" };
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let open = if letter(inner.chars().next()) { "**".to_owned() } else { format!("**{APART}") };
    let close = if letter(inner.chars().next_back()) { "**".to_owned() } else { format!("{APART}**") };
    if !out.escaped(blank, 0) || out.room() < 20 {
        return out.end();
    }
    let apart = apart_from(out, '*');
    out.markup(&format!("{apart}{open}"));
    let fitted = out.escaped(&inner, 8);
    let close = if fitted { close } else { format!("{APART}**") };
    out.markup(&close) && fitted && out.escaped(after, 0)
}

/// What keeps two runs of one sign, both of our own markup, from being one run.
fn apart_from(out: &Markdown, sign: char) -> &'static str {
    if out.text.ends_with(sign) { APART_TEXT } else { "" }
}

/// Code, where a text can stand in it; else the text.
fn code(out: &mut Markdown, text: &str) -> bool {
    if is_code(text) && text.chars().count() + 3 <= out.room() {
        let apart = apart_from(out, '`');
        return out.markup(&format!("{apart}`{text}`"));
    }
    out.escaped(text, 0)
}

/// A link, where the address is one; else the text.
fn linked(out: &mut Markdown, text: &str, url: &str) -> bool {
    let Some(url) = link(url).map(|url| address(&url)).filter(|_| !text.trim().is_empty()) else {
        return out.escaped(text, 0);
    };
    let close = format!("]({url})");
    // With too little room for the address the text alone does.
    let kept = close.chars().count() + 2;
    if out.room() < kept + 40 {
        return out.escaped(text, 0);
    }
    out.markup("[");
    let fitted = out.escaped(&alone(text), kept);
    out.markup(&close) && fitted
}
