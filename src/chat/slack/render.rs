//! A [`Message`] as Slack's JSON: `{"text", "blocks"}` (docs.slack.dev, "Block Kit", "Rich text block",
//! "Formatting message text").
//!
//! **Texts never stand in markup.** Slack has a markup of its own (`mrkdwn`), whose escaping covers `&`, `<` and `>`
//! only: `*`, `_`, `~`, a backtick, `:emoji:` and bare addresses cannot be escaped in it at all. So no block here
//! has `mrkdwn` in it. Lines are `rich_text`, a tree whose `text` elements are shown as they are and whose links,
//! people and styles are elements of their own; headings, small lines and buttons are `plain_text` with
//! `"emoji": false`. What a text holds can hence not become markup, whatever it is; and only a person whose id is
//! known becomes a `user` element, which calls them.
//!
//! The one text that Slack reads as markup is `text`, shown where blocks cannot be (notifications, readers for the
//! blind). There `&`, `<` and `>` are escaped, and signs that cannot be are replaced by others that look alike.
//! Nobody is called from it.
//!
//! Limits are Slack's, each with its page, and cut texts end with `…`. A button whose press does not fit is left
//! out: a command is never cut.

use serde_json::{Value, json};

use crate::chat::incoming::{Refused, SAID_MAX};
use crate::chat::inert::{alone, cut, inert, is_of_a_name, is_of_a_time, link};
use crate::chat::message::{Button, ButtonStyle, Line, LineKind, Message, Press, Span};

/// "You can include up to 50 blocks in each message" (reference/block-kit/blocks).
const BLOCKS_MAX: usize = 50;
/// A block's text (reference/block-kit/blocks/section-block); Slack names no limit for rich text.
const BLOCK_MAX: usize = 3_000;
/// All blocks together: above some 13,000 Slack answers `msg_blocks_too_long`, without a documented number.
const ALL_MAX: usize = 12_000;
/// reference/block-kit/blocks/header-block.
const HEADING_MAX: usize = 150;
/// reference/block-kit/blocks/actions-block.
const BUTTONS_MAX: usize = 25;
/// reference/block-kit/blocks/context-block.
const SMALL_MAX: usize = 10;
/// A button's text, reference/block-kit/block-elements/button-element.
const LABEL_MAX: usize = 75;
/// A button's value, the same page.
const VALUE_MAX: usize = 2_000;
/// A confirmation's title, text and buttons, reference/block-kit/composition-objects/confirmation-dialog-object.
const CONFIRM_MAX: (usize, usize, usize) = (100, 300, 30);
/// `text`. Slack cuts at 40,000 and asks for 4,000 (reference/methods/chat.postMessage).
const FALLBACK_MAX: usize = 3_000;

/// What the `action_id` of our buttons begins with.
const ACTION: &str = "towpath-";

/// The message as Slack wants it; who sends it adds where to.
pub fn render(message: &Message) -> Value {
    let buttons: Vec<Value> = message.buttons.iter().filter_map(button).take(BUTTONS_MAX).collect();
    // Room for the buttons, and for the block that says that something is left out.
    let mut blocks = Blocks::new(BLOCKS_MAX - 1 - usize::from(!buttons.is_empty()));
    for line in &message.lines {
        blocks.line(line);
    }
    let mut all = blocks.finish();
    if !buttons.is_empty() {
        let numbered = buttons.into_iter().enumerate().map(|(at, mut button)| {
            // Unique within the block.
            button["action_id"] = json!(format!("{ACTION}{at}"));
            button
        });
        all.push(json!({ "type": "actions", "elements": numbered.collect::<Vec<_>>() }));
    }
    json!({ "text": fallback(message), "blocks": all })
}

/// What a button that was pressed does.
///
/// # Errors
/// If it is none of ours, or its value cannot be read.
pub(super) fn press_of(action: &str, value: &str) -> Result<Press, Refused> {
    if !action.starts_with(ACTION) {
        return Err(Refused::NotOurs);
    }
    if value.len() > VALUE_MAX {
        return Err(Refused::TooLarge);
    }
    match serde_json::from_str(value).map_err(|_| Refused::Unreadable)? {
        Press::Say(text) if text.chars().count() > SAID_MAX => Err(Refused::TooLarge),
        press => Ok(press),
    }
}

fn plain_text(text: &str, max: usize) -> Value {
    json!({ "type": "plain_text", "text": cut(text, max), "emoji": false })
}

fn button(button: &Button) -> Option<Value> {
    // Slack counts characters, and a value of ours is mostly ASCII: bytes are on the safe side.
    let value = serde_json::to_string(&button.press).ok().filter(|value| value.len() <= VALUE_MAX)?;
    let label = alone(&button.label);
    let label = if label.is_empty() { "…" } else { label.as_str() };
    let mut made = json!({ "type": "button", "text": plain_text(label, LABEL_MAX), "value": value });
    match button.style {
        ButtonStyle::Plain => {}
        ButtonStyle::Primary => made["style"] = json!("primary"),
        ButtonStyle::Danger => made["style"] = json!("danger"),
    }
    if let Some(question) = &button.confirm {
        let (title, text, answer) = CONFIRM_MAX;
        let question = alone(question);
        let question = if question.is_empty() { "Are you sure?" } else { question.as_str() };
        made["confirm"] = json!({
            "title": plain_text(label, title),
            "text": plain_text(question, text),
            "confirm": plain_text(label, answer),
            "deny": plain_text("Cancel", answer),
        });
        if button.style == ButtonStyle::Danger {
            made["confirm"]["style"] = json!("danger");
        }
    }
    Some(made)
}

/// Blocks as they grow.
struct Blocks {
    done: Vec<Value>,
    /// How many there may be.
    most: usize,
    /// Characters that are left of all.
    room: usize,
    open: Open,
    /// Whether there were too many.
    left_out: bool,
}

/// What the next line may still go into.
enum Open {
    Nothing,
    /// Sections and lists of one `rich_text`, and how many characters they hold.
    Rich(Vec<Value>, usize),
    Small(Vec<Value>),
}

impl Blocks {
    const fn new(most: usize) -> Self {
        Self { done: Vec::new(), most, room: ALL_MAX, open: Open::Nothing, left_out: false }
    }

    fn line(&mut self, line: &Line) {
        // The last text ends with `…` then.
        if self.room == 0 {
            return;
        }
        match line.kind {
            LineKind::Heading => match plain(&line.spans).filter(|text| text.chars().count() <= HEADING_MAX) {
                Some(text) if text.trim().is_empty() => {}
                Some(text) => {
                    self.close();
                    let text = self.take(&text, HEADING_MAX);
                    self.push(json!({ "type": "header", "text": plain_text(&text, HEADING_MAX) }));
                }
                // One that is long, or holds a link or a person, is a bold line.
                None => self.rich(&line.spans, true, false),
            },
            LineKind::Small => match plain(&line.spans) {
                Some(text) if text.trim().is_empty() => {}
                Some(text) => self.small(&text),
                None => self.rich(&line.spans, false, false),
            },
            LineKind::Text => self.rich(&line.spans, false, false),
            LineKind::Item => self.rich(&line.spans, false, true),
        }
    }

    /// Of a text as much as there is room for.
    fn take(&mut self, text: &str, most: usize) -> String {
        let text = cut(text, self.room.min(most));
        self.room -= text.chars().count();
        text
    }

    fn small(&mut self, text: &str) {
        if !matches!(&self.open, Open::Small(elements) if elements.len() < SMALL_MAX) {
            self.close();
            self.open = Open::Small(Vec::new());
        }
        let text = self.take(text, BLOCK_MAX);
        if let Open::Small(elements) = &mut self.open {
            elements.push(plain_text(&text, BLOCK_MAX));
        }
    }

    fn rich(&mut self, spans: &[Span], bold: bool, item: bool) {
        let mut room = self.room.min(BLOCK_MAX);
        let before = room;
        let elements: Vec<Value> = spans.iter().filter_map(|span| element(span, bold, &mut room)).collect();
        if elements.is_empty() {
            return;
        }
        let used = before - room;
        if !matches!(&self.open, Open::Rich(_, held) if held + used < BLOCK_MAX) {
            self.close();
            self.open = Open::Rich(Vec::new(), 0);
        }
        self.room -= used;
        if let Open::Rich(parts, held) = &mut self.open {
            *held += used + 1;
            add(parts, elements, item);
        }
    }

    fn close(&mut self) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Rich(parts, _) => self.push(json!({ "type": "rich_text", "elements": parts })),
            Open::Small(elements) => self.push(json!({ "type": "context", "elements": elements })),
        }
    }

    fn push(&mut self, block: Value) {
        if self.done.len() < self.most {
            self.done.push(block);
        } else {
            self.left_out = true;
        }
    }

    fn finish(mut self) -> Vec<Value> {
        self.close();
        if self.left_out {
            self.done.push(json!({ "type": "context", "elements": [plain_text("…", 1)] }));
        }
        self.done
    }
}

/// Adds a line to a `rich_text`: an item to the list that is being made, another line to the section.
fn add(parts: &mut Vec<Value>, elements: Vec<Value>, item: bool) {
    let kind = if item { "rich_text_list" } else { "rich_text_section" };
    let section = |elements: Vec<Value>| json!({ "type": "rich_text_section", "elements": elements });
    let last = parts.last_mut().filter(|last| last["type"] == kind);
    match (last.and_then(|last| last["elements"].as_array_mut()), item) {
        (Some(items), true) => items.push(section(elements)),
        (Some(line), false) => {
            // The one line end that there is, and it is ours.
            line.push(json!({ "type": "text", "text": "\n" }));
            line.extend(elements);
        }
        (None, true) => {
            parts.push(json!({ "type": kind, "style": "bullet", "elements": [section(elements)] }));
        }
        (None, false) => parts.push(section(elements)),
    }
}

/// A span as an element of rich text.
fn element(span: &Span, bold: bool, room: &mut usize) -> Option<Value> {
    let mut take = |text: &str| {
        let text = cut(&inert(text), *room);
        *room -= text.chars().count();
        Some(text).filter(|text| !text.is_empty())
    };
    let mut made = match span {
        Span::Text(text) | Span::Bold(text) | Span::Code(text) => json!({ "type": "text", "text": take(text)? }),
        Span::Link { text, url } => {
            let text = take(text)?;
            match link(url) {
                Some(url) => json!({ "type": "link", "url": url, "text": text }),
                None => json!({ "type": "text", "text": text }),
            }
        }
        Span::Person { name, id } => match id.as_deref().filter(|id| is_user(id)) {
            Some(id) => {
                // Counted as the name that will be shown, and never called by half.
                take(if name.is_empty() { id } else { name })?;
                json!({ "type": "user", "user_id": id })
            }
            None => json!({ "type": "text", "text": take(name)? }),
        },
    };
    let bold = bold || matches!(span, Span::Bold(_));
    match (bold, matches!(span, Span::Code(_))) {
        (false, false) => {}
        (true, false) => made["style"] = json!({ "bold": true }),
        (false, true) => made["style"] = json!({ "code": true }),
        (true, true) => made["style"] = json!({ "bold": true, "code": true }),
    }
    Some(made)
}

/// Whether it is the id of a person (`U…`, in an Enterprise Grid also `W…`).
fn is_user(id: &str) -> bool {
    (2..=24).contains(&id.len())
        && id.starts_with(['U', 'W'])
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The line as a text, if nothing in it has to be a link or a person.
fn plain(spans: &[Span]) -> Option<String> {
    let texts = spans.iter().map(|span| match span {
        Span::Text(text) | Span::Bold(text) | Span::Code(text) => Some(inert(text)),
        Span::Link { text, url } => link(url).is_none().then(|| inert(text)),
        Span::Person { name, id } => (!id.as_deref().is_some_and(is_user)).then(|| inert(name)),
    });
    texts.collect()
}

/// The message in one text. Where heading and list are said in short, they are said so here.
fn fallback(message: &Message) -> String {
    let mut out = String::new();
    if let Some(short) = &message.in_short
        && !push_quiet(&mut out, &inert(short))
    {
        return out;
    }
    let is_said =
        |line: &&Line| message.in_short.is_some() && matches!(line.kind, LineKind::Heading | LineKind::Item);
    for line in message.lines.iter().filter(|line| !is_said(line)) {
        if !out.is_empty() {
            out.push('\n');
        }
        if line.kind == LineKind::Item {
            out.push_str("• ");
        }
        for span in &line.spans {
            let (Span::Text(text)
            | Span::Bold(text)
            | Span::Code(text)
            | Span::Link { text, .. }
            | Span::Person { name: text, .. }) = span;
            if !push_quiet(&mut out, &inert(text)) {
                return out;
            }
        }
    }
    // Slack takes no message without a text.
    if out.trim().is_empty() { "…".to_owned() } else { out }
}

/// Adds a text to what Slack reads as markup, as itself; whether there was room.
fn push_quiet(out: &mut String, text: &str) -> bool {
    let mut length = out.chars().count();
    let mut before = out.chars().next_back();
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let mut own = [0; 4];
        let written: &str = match quiet(before, c, rest) {
            Some(written) => written,
            None => c.encode_utf8(&mut own),
        };
        let width = written.chars().count();
        // Room for the `…` is kept.
        if length + width >= FALLBACK_MAX {
            out.push('…');
            return false;
        }
        out.push_str(written);
        length += width;
        before = Some(c);
    }
    true
}

/// What is written for a sign that Slack would read.
fn quiet(before: Option<char>, c: char, rest: &str) -> Option<&'static str> {
    let next = rest.chars().next();
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    Some(match c {
        '&' => "&amp;",
        '<' => "&lt;",
        // At the start of a line even the escaped one is a quotation.
        '>' if before.is_none_or(|c| c == '\n' || c == ' ') => "›",
        '>' => "&gt;",
        '*' => "∗",
        '`' => "‵",
        '~' => "∼",
        // Within a word it is no markup.
        '_' if !(inside(before) && inside(next)) => "＿",
        // What comes next may be that of another span.
        '@' if next.is_none_or(is_of_a_name) => "＠",
        '#' if next.is_none_or(is_of_a_name) => "＃",
        // An emoji, or an address.
        ':' if next.is_none_or(|c| is_of_a_name(c) || c == '/') && !is_of_a_time(before, rest) => "∶",
        _ => return None,
    })
}
