//! `TOWPATH_LOG`: what is logged.
//!
//! A word that is no level would be taken for the name of a module of that name, and nothing would be logged: exactly
//! when somebody looks for what is wrong. So it is refused.

use towpath_core::text::one_line;
use tracing_subscriber::EnvFilter;

use super::Failure;
use super::exit::Exit;

/// The variable.
pub const VARIABLE: &str = "TOWPATH_LOG";

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What these words let through.
///
/// # Errors
/// If they cannot be understood; says what to write.
pub fn filter(text: &str) -> Result<EnvFilter, Failure> {
    let refuse = |word: &str| {
        let what = format!(
            "`{VARIABLE}` holds `{}`, which is no level; write one of {}, or MODULE=LEVEL as in `info,towpath::git=debug`, or unset it",
            one_line(word, 60),
            LEVELS.join(", ")
        );
        Failure::Plain(Exit::Usage, what)
    };
    // A comma within `[…]` or `{…}` ends nothing, so what has them is left to the filter's own reader.
    if text.contains(['[', '{']) {
        return EnvFilter::builder().parse(text).map_err(|_| refuse(text));
    }
    let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if let Some(wrong) = words.iter().find(|word| !is_understood(word)) {
        return Err(refuse(wrong));
    }
    EnvFilter::builder().parse(words.join(",")).map_err(|_| refuse(text))
}

fn is_understood(word: &str) -> bool {
    let level = word.rsplit_once('=').map_or(word, |(_, level)| level);
    LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_understood_and_slips_are_named() {
        for good in [
            "debug",
            "WARN",
            "info,towpath::git=debug",
            " info , sqlx=off ",
            "info,",
            "towpath[pass{flow=a}]=trace,info",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for (bad, named) in [
            ("verbose", "`verbose`"),
            ("info,towpath=loud", "`towpath=loud`"),
            ("debgu", "`debgu`"),
            ("towpath", "`towpath`"),
            ("=", "`=`"),
            ("towpath[pass]=loud", "`towpath[pass]=loud`"),
        ] {
            let Err(Failure::Plain(Exit::Usage, said)) = filter(bad) else { panic!("{bad}") };
            assert!(said.contains(named) && said.contains("`info,towpath::git=debug`"), "{said}");
        }
    }
}
