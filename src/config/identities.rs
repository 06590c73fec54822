//! An identity as somebody wrote it into the config: what can never be anybody's is refused, with how to write it.
//!
//! Not here: what an identity is and whose (`towpath_core::people`).

use towpath_core::people::{Identity, Platform};
use towpath_core::text::Shown;

use super::problem::shown;

/// Characters that come along where people copy, by their names in Unicode.
const NAMES: [(char, &str); 18] = [
    ('\u{00ad}', "SOFT HYPHEN"),
    ('\u{061c}', "ARABIC LETTER MARK"),
    ('\u{200b}', "ZERO WIDTH SPACE"),
    ('\u{200c}', "ZERO WIDTH NON-JOINER"),
    ('\u{200d}', "ZERO WIDTH JOINER"),
    ('\u{200e}', "LEFT-TO-RIGHT MARK"),
    ('\u{200f}', "RIGHT-TO-LEFT MARK"),
    ('\u{202a}', "LEFT-TO-RIGHT EMBEDDING"),
    ('\u{202b}', "RIGHT-TO-LEFT EMBEDDING"),
    ('\u{202c}', "POP DIRECTIONAL FORMATTING"),
    ('\u{202d}', "LEFT-TO-RIGHT OVERRIDE"),
    ('\u{202e}', "RIGHT-TO-LEFT OVERRIDE"),
    ('\u{2060}', "WORD JOINER"),
    ('\u{2066}', "LEFT-TO-RIGHT ISOLATE"),
    ('\u{2067}', "RIGHT-TO-LEFT ISOLATE"),
    ('\u{2068}', "FIRST STRONG ISOLATE"),
    ('\u{2069}', "POP DIRECTIONAL ISOLATE"),
    ('\u{feff}', "ZERO WIDTH NO-BREAK SPACE"),
];

/// Reads one.
///
/// # Errors
/// A sentence, and after a semicolon what to write.
pub(super) fn identity(text: &str) -> Result<Identity, String> {
    if let Some(c) = text.chars().find(|c| is_unseen(*c)) {
        let name =
            NAMES.iter().find(|(known, _)| *known == c).map_or_else(String::new, |(_, name)| format!(" ({name})"));
        let code = u32::from(c);
        return Err(format!(
            "`{}` has a character that nobody sees, U+{code:04X}{name}; type it anew",
            shown(text)
        ));
    }
    let read = text.parse::<Identity>().map_err(|why| why.to_string())?;
    match &read {
        Identity::Chat { platform: Platform::Slack, team: None, user } => Err(format!(
            "`{}` is nobody's: people of Slack are known by their workspace and their id; write `slack:TEAM/{}`, as in \
             `slack:T024BE7LD/U012AB3CD`",
            shown(text),
            shown(user)
        )),
        _ => Ok(read),
    }
}

/// Whether it cannot be told from nothing, or makes other characters look like something else.
fn is_unseen(c: char) -> bool {
    let after_a_letter = format!("a{c}");
    Shown::new(&after_a_letter).to_string() != after_a_letter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_refused_by_name() {
        for (c, name) in NAMES {
            for text in [
                format!("token:a{c}b"),
                format!("{c}mattermost:U"),
                format!("slack:T/U{c}"),
                format!("mail:a@x{c}"),
            ] {
                let why = identity(&text).expect_err(&text);
                assert!(why.contains(&format!("U+{:04X} ({name})", u32::from(c))), "{why}");
                assert!(why.ends_with("; type it anew"), "{why}");
                assert!(!why.contains(c), "{why:?}");
            }
        }
        for text in ["token:a\u{7}", "token:a\u{e000}", "token:a\u{115f}", "token:a\u{2028}b", "token:\tx"] {
            assert!(identity(text).expect_err(text).ends_with("; type it anew"), "{text:?}");
        }
        for text in ["token:Zoë", "token:Zoe\u{308}", "token:王芳", "token:ana laptop", "mail:żółw@example.com"]
        {
            assert_eq!(identity(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn slack_takes_a_team_and_mattermost_may_do_without() {
        for text in ["slack:T1/U1", "mattermost:u1", "mattermost:t1/u1", "discord:42"] {
            assert_eq!(identity(text).expect(text).to_string(), text);
        }
        let why = identity("slack:U1").expect_err("no team");
        assert!(why.contains("write `slack:TEAM/U1`, as in `slack:T024BE7LD/U012AB3CD`"), "{why}");
        for text in ["slack:", "mattermost:", "mattermost:/u", "ana"] {
            let why = identity(text).expect_err(text);
            assert!(why.contains("`mattermost:USER`"), "{why}");
        }
    }
}
