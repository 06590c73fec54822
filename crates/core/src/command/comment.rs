//! Which line of a comment on a forge is a command.
//!
//! A line counts that begins, without any space before it, with the trigger and a space, and that stands
//! outside quotations, code, HTML blocks and HTML comments. One comment gives one command, or none.
//!
//! Whoever quotes a command must not give it. Forges differ in their Markdown and people in how they
//! indent, so a comment is read in several ways ([`blocks::READINGS`]), and a line counts only if it is
//! plain text in all of them. Where that is stricter than a forge's own reading, a blank line before the
//! command helps: it ends a quotation and an HTML block.

mod blocks;
#[cfg(test)]
mod tests;

use super::{Context, Problem, Said};

/// What a comment orders or asks, if it does; see [`find`].
///
/// # Errors
/// There is more than one command in it, or what is wrong with the one.
pub fn said(body: &str, trigger: &str, context: &Context) -> Result<Option<Said>, Problem> {
    match find(body, trigger)? {
        Some(text) => Said::parse_in(text, context).map(Some),
        None => Ok(None),
    }
}

/// The text after the trigger, such as `/towpath`, in upper or lower case; empty if the trigger stands
/// alone. None where the comment has no command.
///
/// # Errors
/// [`Problem::ManyCommands`].
pub fn find<'a>(body: &'a str, trigger: &str) -> Result<Option<&'a str>, Problem> {
    if trigger.is_empty() {
        return Ok(None);
    }
    let lines = lines(body);
    // Most comments have none, and are not read at all.
    if !lines.iter().any(|line| after(line, trigger).is_some()) {
        return Ok(None);
    }
    let readings = blocks::READINGS.map(|reading| blocks::plain(&lines, reading));
    let plain = |at: usize| readings.iter().all(|lines| lines[at]);
    let commands: Vec<&str> =
        lines.iter().enumerate().filter_map(|(at, line)| after(line, trigger).filter(|_| plain(at))).collect();
    match commands[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(Problem::ManyCommands { count: commands.len() }),
    }
}

/// What follows the trigger at the start of a line.
fn after<'a>(line: &'a str, trigger: &str) -> Option<&'a str> {
    let (head, rest) = line.split_at_checked(trigger.len())?;
    let ends = rest.chars().next().is_none_or(char::is_whitespace);
    (ends && head.eq_ignore_ascii_case(trigger)).then(|| rest.trim())
}

/// Lines as Markdown has them: they end with a line feed, a carriage return, or both.
fn lines(body: &str) -> Vec<&str> {
    let mut rest = body.strip_prefix('\u{feff}').unwrap_or(body);
    let mut lines = Vec::new();
    while let Some(at) = rest.find(['\n', '\r']) {
        lines.push(&rest[..at]);
        let end = if rest[at..].starts_with("\r\n") { at + 2 } else { at + 1 };
        rest = &rest[end..];
    }
    lines.push(rest);
    lines
}
