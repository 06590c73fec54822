//! What was shown to somebody and waits to be confirmed: by a button, or by typing its code where there is none (a
//! Mattermost that shows no buttons, a command too long for one).
//!
//! What is shown is kept with what was said, in the store: so the code does exactly what was shown, also when another
//! process hears it, and what is confirmed is a press like any other from there on. A code is no secret and proves
//! nothing: it is theirs alone to whom it was shown, and does what they may.
//!
//! Not here: whether it is still in time, and was not confirmed before (`chatter`).

use sha2::{Digest as _, Sha256};
use towpath_core::explain::Words;
use towpath_core::model::{Instant, Span};
use towpath_core::text::one_line;

use super::late::STALE;
use crate::chat::answer::{DO_IT, Showing};
use crate::chat::incoming::{Incoming, What};
use crate::chat::message::Press;
use crate::chat::system::System;
use crate::engine::command::Exact;
use crate::setup::Setup;
use crate::store::{AskedRow, StoreError};

/// What is typed to confirm.
const VERB: &str = "confirm";

/// The field of what was said in which what was shown for it is kept.
const FIELD: &str = "shown";

/// The letters of codes: none that is read as another one, and no vowels, so that no code is a word.
const LETTERS: &[u8; 20] = b"bcdfghjkmnpqrtvwxyz3";

/// How long a code is: of what one person was shown within minutes no two have the same.
const LENGTH: usize = 6;

/// How old what was said may be to be looked through: what is older was shown too long ago in any case.
const WINDOW: Span = Span::from_ms(2 * STALE.ms());

/// The most of it that is looked through.
const LOOKED_MAX: usize = 50;

/// The code of what is shown for something that was said.
pub(super) fn code(row: &AskedRow) -> String {
    let digest = Sha256::digest(format!("{}\n{}\n{}", row.place, row.once, row.seq));
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    digest.iter().take(LENGTH).map(letter).collect()
}

/// The code in a text that confirms by one: `confirm k7qm2x`, in whatever case and quotes. An empty one where there is
/// none, nothing where the text is something else.
pub(super) fn code_in(text: &str) -> Option<String> {
    let is_of_a_word = |c: char| c.is_alphanumeric();
    let mut words = text.split(|c: char| !is_of_a_word(c)).filter(|word| !word.is_empty());
    if !words.next()?.eq_ignore_ascii_case(VERB) {
        return None;
    }
    let code = words.next().unwrap_or_default().to_lowercase();
    // More words are something else that somebody meant.
    Some(if words.next().is_some() { String::new() } else { code })
}

/// What is shown to be confirmed: kept, with what has to be said to them of it.
///
/// # Errors
/// Those of any write; then nothing may be shown.
pub(super) async fn keep(
    setup: &Setup,
    system: &System,
    row: &AskedRow,
    exact: &Exact,
) -> Result<Showing, StoreError> {
    let until = setup.world.clock().reading().wall + STALE;
    let press = Press::Confirm {
        command: exact.command.to_string(),
        tip: exact.tip,
        once: row.once.clone(),
        until,
        told: None,
    };
    if let (Ok(mut asked), Ok(shown)) =
        (serde_json::from_str::<serde_json::Value>(&row.asked), serde_json::to_value(&press))
        && let Some(fields) = asked.as_object_mut()
    {
        fields.insert(FIELD.to_owned(), shown);
        setup.world.store().set_asked(row, &asked.to_string()).await?;
    }
    let (code, at) = (code(row), at(setup, exact, until));
    let does = "does exactly this";
    let how = if system.has_buttons() {
        format!("`{DO_IT}` below, or `/towpath {VERB} {code}`, {does}")
    } else {
        format!("`/towpath {VERB} {code}` {does}")
    };
    Ok(Showing { press, how: format!("Nothing was done yet: {how}, until {at}.") })
}

/// An instant in the zone of the first flow that it concerns.
fn at(setup: &Setup, exact: &Exact, until: Instant) -> String {
    let config = &setup.config;
    let scope = config.target(&exact.command.place());
    let found = scope.map(|scope| config.reach(&scope)).unwrap_or_default();
    match found.first() {
        Some(found) => {
            let (flow, now) = (&found.flow, until);
            Words { zone: flow.zone, now, flow, remote_word: "origin", lasting: true }.at(until)
        }
        None => until.to_string(),
    }
}

/// What somebody meant who typed a code that they were shown: the press of what was shown then. Nothing where it is
/// something else, or no code of theirs.
///
/// # Errors
/// Those of any read.
pub(super) async fn meant(setup: &Setup, chat: &str, asked: &Incoming) -> Result<Option<Incoming>, StoreError> {
    let What::Said(text) = &asked.what else { return Ok(None) };
    let Some(code) = code_in(text).filter(|code| code.len() == LENGTH) else { return Ok(None) };
    let since = Instant(setup.world.clock().reading().wall.0.saturating_sub(WINDOW.ms()));
    let place = format!("chat:{chat}");
    let rows = setup.world.store().asked_of(&place, &asked.user, since, LOOKED_MAX).await?;
    let shown = rows.iter().find(|row| self::code(row) == code).and_then(shown);
    Ok(shown.map(|press| Incoming { what: What::Typed(press), ..asked.clone() }))
}

/// What was shown for something that was said.
fn shown(row: &AskedRow) -> Option<Press> {
    let asked: serde_json::Value = serde_json::from_str(&row.asked).ok()?;
    let press = serde_json::from_value(asked.get(FIELD)?.clone()).ok()?;
    matches!(press, Press::Confirm { .. }).then_some(press)
}

/// What is answered where a code is none of theirs.
pub(super) fn unknown(code: &str) -> String {
    if code.is_empty() {
        return format!("`{VERB} CODE` does what you were shown: the code stands below it");
    }
    let code = one_line(code, 2 * LENGTH);
    format!(
        "you were shown nothing here of the code `{code}` in the last {}: say the command itself again, and confirm it by \
         the code that stands below it then",
        WINDOW
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: i64, once: &str) -> AskedRow {
        AskedRow {
            seq,
            place: "chat:work".to_owned(),
            once: once.to_owned(),
            at: Instant(0),
            asked: "{}".to_owned(),
            turn: 1,
            done: false,
            after: None,
        }
    }

    #[test]
    fn codes_are_short_of_plain_letters_and_of_one_showing() {
        let codes: std::collections::BTreeSet<String> = (0..50).map(|n| code(&row(n, "a"))).collect();
        assert_eq!(codes.len(), 50);
        for code in &codes {
            assert!(code.len() == LENGTH && code.bytes().all(|letter| LETTERS.contains(&letter)), "{code}");
            assert_eq!(code_in(&format!("confirm {code}")).as_ref(), Some(code));
        }
        assert_eq!(code(&row(7, "a")), code(&row(7, "a")), "by whichever process");
        assert_ne!(code(&row(7, "a")), code(&row(7, "b")));
    }

    #[test]
    fn a_code_is_found_as_people_write_it() {
        for (text, wanted) in [
            ("confirm bcdfgh", Some("bcdfgh")),
            ("  Confirm\u{a0}BCDFGH. ", Some("bcdfgh")),
            ("`confirm bcdfgh`", Some("bcdfgh")),
            ("CONFIRM “bcdfgh”", Some("bcdfgh")),
            ("confirm", Some("")),
            ("confirm bcdfgh and more", Some("")),
            ("confirm \u{1b}[31m", Some("31m")),
            ("confirmed bcdfgh", None),
            ("promote confirm bcdfgh", None),
            ("", None),
            ("\u{202e}", None),
        ] {
            assert_eq!(code_in(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn only_what_has_to_be_confirmed_is_taken_from_the_store() {
        let with = |shown: &str| shown_of(&format!("{{\"what\":{{\"said\":\"x\"}},\"shown\":{shown}}}"));
        fn shown_of(asked: &str) -> Option<Press> {
            shown(&AskedRow { asked: asked.to_owned(), ..row(1, "a") })
        }
        assert!(with("{\"confirm\":{\"command\":\"c\",\"tip\":null,\"once\":\"o\",\"until\":1}}").is_some());
        for odd in ["{\"say\":\"freeze all\"}", "null", "1", "\"x\"", "{\"confirm\":{}}"] {
            assert_eq!(with(odd), None, "{odd}");
        }
        assert_eq!(shown_of("{}"), None);
        assert_eq!(shown_of("no json"), None);
    }
}
