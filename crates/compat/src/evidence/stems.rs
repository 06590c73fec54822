//! Beginnings of tables' names to which a program adds the rest: `FROM bookings_{year}`.
//!
//! Not here: names that stand in the text as they are ([`super::search()`]).

use memchr::memmem;

use super::around::{clean, is_word};

/// A beginning, in lower case, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stem {
    pub(super) text: String,
    pub(super) line: u32,
    pub(super) shown: String,
}

/// What puts a value behind a name.
const OPENS: &[&str] =
    &["_{", "_#{", "_${", "_%s", "_%d", "_\" +", "_' +", "_\"+", "_'+", "_\" .", "_' .", "_\" ||", "_' ||", "_'||"];

/// Words after which a table's name stands.
const VERBS: &[&str] = &["from", "into", "update", "join", "table", "truncate", "only", "exists"];

/// How many are kept of a file.
const KEPT: usize = 50;

/// The beginnings in a file's statements.
pub(super) fn read(bytes: &[u8]) -> Vec<Stem> {
    let mut found: Vec<Stem> = vec![];
    for open in OPENS {
        for at in memmem::find_iter(bytes, open.as_bytes()).take(5_000) {
            let start = bytes[..at].iter().rposition(|byte| !is_word(*byte)).map_or(0, |before| before + 1);
            let head = bytes.get(start.saturating_sub(60)..start).unwrap_or_default();
            // A quote or a schema may stand before the name.
            let head = String::from_utf8_lossy(head).to_ascii_lowercase();
            let head = head.trim_end_matches(['"', '`', '[', '\\', '.']);
            let head = head.strip_suffix("public").unwrap_or(head);
            let blank = head.trim_end();
            let verb = blank.rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
            if at - start < 2 || blank.len() == head.len() || !VERBS.contains(&verb) || found.len() >= KEPT {
                continue;
            }
            let text = String::from_utf8_lossy(&bytes[start..=at]).to_ascii_lowercase();
            let line = memchr::memchr_iter(b'\n', &bytes[..at]).count();
            let from = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
            let to = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline);
            let shown = clean(&String::from_utf8_lossy(&bytes[from..to]));
            found.push(Stem { text, line: u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1), shown });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn beginnings_stand_after_a_verb() {
        for (text, expected) in [
            ("f\"SELECT id FROM bookings_{year}\"", &["bookings_"][..]),
            ("DB.run(\"DELETE FROM audit_#{name} WHERE a\")", &["audit_"]),
            ("`insert into \"log_${day}\" values (1)`", &["log_"]),
            ("'UPDATE part_' || n", &["part_"]),
            ("fmt.Sprintf(\"TRUNCATE TABLE x.stage_%d\", n)", &[]),
            ("cache.get(f\"guest_{id}\")", &[]),
            ("id=\"guest_#{id}\"", &[]),
            ("SELECT a FROM bookings", &[]),
        ] {
            let found: Vec<String> = read(text.as_bytes()).into_iter().map(|stem| stem.text).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
