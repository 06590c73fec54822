//! Text as chat systems send it, turned into what the person sees in front of them.
//!
//! Only Slack encodes: `&`, `<` and `>` are entities, and what it takes for a link, a person or a channel
//! stands between angle brackets (docs.slack.dev, "Formatting message text"). The others send what was
//! typed. Smart quotes, long dashes and odd spaces need nothing here: the grammar takes them.

/// What somebody typed into Slack.
///
/// A link that Slack made of a word (`<http://checkout.io|checkout.io>`) is that word; one with another
/// text shows both, so that no link is hidden; people and channels are `@name` and `#name`, or their ids
/// where Slack sent no name.
pub fn from_slack(text: &str) -> String {
    let mut typed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        push_entities(&mut typed, before);
        rest = after;
        match after.find(['<', '>']) {
            Some(end) if after[end..].starts_with('>') => {
                push_link(&mut typed, &after[..end]);
                rest = &after[end + 1..];
            }
            // A bracket that is none of Slack's.
            _ => typed.push('<'),
        }
    }
    push_entities(&mut typed, rest);
    typed
}

/// What stands between angle brackets.
fn push_link(typed: &mut String, link: &str) {
    let (what, label) = link.split_once('|').map_or((link, ""), |(what, label)| (what, label));
    let mut sign_and = |sign: char, name: &str| {
        typed.push(sign);
        push_entities(typed, name.trim_start_matches(sign));
    };
    match what.chars().next() {
        Some(sign @ ('@' | '#')) => sign_and(sign, if label.is_empty() { what } else { label }),
        Some('!') if what.starts_with("!date^") => push_entities(typed, label),
        Some('!') => sign_and('@', if label.is_empty() { &what[1..] } else { label }),
        _ if label.is_empty() => push_entities(typed, what.strip_prefix("mailto:").unwrap_or(what)),
        _ if is_its_text(what, label) => push_entities(typed, label),
        _ => {
            push_entities(typed, label);
            typed.push_str(" (");
            push_entities(typed, what);
            typed.push(')');
        }
    }
}

/// Whether somebody who typed the label would have got this link from Slack.
fn is_its_text(link: &str, label: &str) -> bool {
    let schemes = ["https://", "http://", "mailto:", "tel:"];
    let bare = |text: &str| -> String {
        let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
        rest.trim_end_matches('/').to_lowercase()
    };
    bare(link) == bare(label)
}

/// Each entity once: `&amp;lt;` was typed as `&lt;`.
fn push_entities(typed: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        typed.push_str(before);
        let known = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];
        let (length, c) = known
            .into_iter()
            .find(|(entity, _)| from.starts_with(entity))
            .map_or((1, '&'), |(entity, c)| (entity.len(), c));
        typed.push(c);
        rest = &from[length..];
    }
    typed.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::super::{Command, Said};
    use super::from_slack;

    #[test]
    fn what_slack_sends_is_what_was_typed() {
        for (sent, typed) in [
            ("", ""),
            ("pause all", "pause all"),
            ("a &amp;&amp; b &lt;c&gt;", "a && b <c>"),
            ("&amp;lt; &amp;amp; &copy; &", "&lt; &amp; &copy; &"),
            ("by <@U012AB3CD|bob> and <@U1>", "by @bob and @U1"),
            ("in <#C0|checkout> <#C1|> <#C2>", "in #checkout #C1 #C2"),
            (
                "<!here> <!channel|channel> <!subteam^S1|@release> <!date^1^{date}|today>",
                "@here @channel @release today",
            ),
            ("<https://ci.example.com/1?a=1&amp;b=2>", "https://ci.example.com/1?a=1&b=2"),
            ("<http://checkout.io|checkout.io> <https://a.example/|a.example>", "checkout.io a.example"),
            ("<mailto:ana@x.example|ana@x.example> <mailto:ana@x.example>", "ana@x.example ana@x.example"),
            ("<https://evil.example|staging>", "staging (https://evil.example)"),
            ("a < b <c <d", "a < b <c <d"),
            ("<<@U1|bob>>", "<@bob>"),
            ("<>", ""),
            ("<|>", ""),
        ] {
            assert_eq!(from_slack(sent), typed, "{sent}");
        }
    }

    #[test]
    fn a_command_typed_into_slack() {
        for (sent, canonical) in [
            (
                "Pause <http://checkout.io|checkout.io> production —for 2h —reason “see <https://x.example/1|x.example/1> &amp; ask <@U1|bob>”.",
                r#"pause checkout.io production --for 2h --reason "see x.example/1 & ask @bob""#,
            ),
            ("status\u{a0}production?", "status production"),
            ("`where 3F9C2D1A`", "where 3f9c2d1a"),
            ("`pause all --reason \"x\"`", r#"pause all --reason "x""#),
        ] {
            assert_eq!(Said::parse(&from_slack(sent)).unwrap().to_string(), canonical, "{sent}");
        }
        // A link in the place of a name is two words and hence an error, never the hidden half.
        assert!(Command::parse(&from_slack("retry shop <https://evil.example|staging>")).is_err());
    }

    proptest! {
        #[test]
        fn what_has_no_code_stays(text in "[^&<]{0,60}") {
            prop_assert_eq!(from_slack(&text), text);
        }

        #[test]
        fn what_was_escaped_comes_back(text in "[a-z&;<>|@#! ]{0,60}") {
            let sent = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            prop_assert_eq!(from_slack(&sent), text);
        }

        #[test]
        fn no_text_panics(text in "[<>|@#!&;a-zé/:^]{0,60}|.{0,60}") {
            from_slack(&text);
        }
    }
}
