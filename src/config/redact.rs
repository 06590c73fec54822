//! The text of the file as it may be shown: secrets masked, control characters replaced, and every
//! byte offset still valid.
//!
//! This works on lines, not on the parsed tree, so that it also holds for a file that cannot be
//! parsed and for a key that is misspelt. It would rather mask too much.

use std::ops::Range;

use towpath_core::text::Shown;

/// Words in a key that make its value a secret.
const SECRET_WORDS: [&str; 8] = ["tok", "secr", "passw", "pwd", "credential", "private", "key", "pem"];

/// How tokens of the usual servers begin.
const TOKEN_PREFIXES: [&str; 12] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glcbt-",
    "glptt-",
    "xoxb-",
    "xoxp-",
];

/// Whether a text has the look of a token.
pub(super) fn looks_like_token(text: &str) -> bool {
    TOKEN_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Whether a key of that name would hold a secret, also when misspelt.
pub(super) fn names_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace(['_', '-'], "");
    SECRET_WORDS.iter().any(|word| key.contains(word)) || strsim::levenshtein(&key, "token") <= 1
}

/// What a terminal or an eye would take for something else than itself: never shown raw.
pub(super) fn is_deceptive(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    // After a letter, since an accent by itself has nothing to stand on.
    let text = String::from_iter(['a', c]);
    Shown::new(&text).to_string() != text
}

/// The text with everything masked that must not be shown; of the same length in bytes.
pub(super) fn redact(text: &str, secrets: &[Range<usize>]) -> String {
    let mut mask: Vec<Range<usize>> = secrets.to_vec();
    mask.extend(private_keys(text));
    let mut open = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        mask.extend(secrets_in_line(line, &mut open).into_iter().map(|r| r.start + at..r.end + at));
        at += line.len();
    }
    mask.sort_by_key(|r| r.start);
    let mut out = String::with_capacity(text.len());
    let mut masks = mask.iter().peekable();
    let mut until = 0;
    for (i, c) in text.char_indices() {
        while let Some(range) = masks.next_if(|r| r.start <= i) {
            until = until.max(range.end);
        }
        push_safely(&mut out, c, i < until);
    }
    out
}

/// The same number of bytes, harmless.
fn push_safely(out: &mut String, c: char, masked: bool) {
    if c == '\n' || c == '\t' {
        out.push(c);
    } else if masked {
        out.extend(std::iter::repeat_n('*', c.len_utf8()));
    } else if is_deceptive(c) {
        match c.len_utf8() {
            3 => out.push('\u{fffd}'),
            // The end of a line as Windows writes it is no deception.
            n => out.extend(std::iter::repeat_n(if c == '\r' { ' ' } else { '?' }, n)),
        }
    } else {
        out.push(c);
    }
}

/// Keys in PEM, wherever somebody pasted them: from their first line to the end of their last, and where
/// that is missing, to the end of the file.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    let begins = text.match_indices("-----BEGIN").map(|(at, _)| at);
    let end = |at: usize| match text[at..].find("-----END") {
        Some(end) => text[at + end..].find('\n').map_or(text.len(), |line| at + end + line),
        None => text.len(),
    };
    begins.map(|at| at..end(at)).collect()
}

/// What to mask in one line. `open` holds the closing quotes of a secret of several lines.
fn secrets_in_line(line: &str, open: &mut Option<&'static str>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if let Some(quotes) = *open {
        let end = line.find(quotes);
        if end.is_some() {
            *open = None;
        }
        found.push(0..end.unwrap_or(line.len()));
    }
    let mut from = 0;
    // In `token = { … }` everything is masked but what says where the secret is.
    let mut inside = false;
    while let Some(eq) = line[from..].find('=').map(|n| n + from) {
        from = eq + 1;
        let value = from + (line[from..].len() - line[from..].trim_start().len());
        let key = key_before(&line[..eq]);
        let secret = names_secret(key);
        inside |= secret && line[value..].starts_with('{');
        let hidden = secret || (inside && !matches!(key, "env" | "file"));
        if !hidden || line[value..].starts_with(['{', '=']) {
            continue;
        }
        *open = ["\"\"\"", "'''"]
            .into_iter()
            .find(|q| line[value..].starts_with(q) && !line[value + q.len()..].contains(q));
        found.push(value..value_end(line, value));
    }
    found.extend(user_infos(line));
    found.extend(bare_tokens(line));
    found
}

/// The key that ends here.
fn key_before(text: &str) -> &str {
    let text = text.trim_end().trim_end_matches(['"', '\'']);
    let start = after_last(text, |c| c.is_whitespace() || matches!(c, '{' | ',' | '"' | '\''));
    text.get(start..).unwrap_or(text)
}

/// Where a value ends: at its closing quote; unquoted, at the end of the line.
fn value_end(line: &str, start: usize) -> usize {
    let quote = line[start..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let end = quote.and_then(|q| line[start + 1..].find(q).map(|n| start + 1 + n + 1));
    match end {
        Some(end) if end > start + 2 => end,
        _ => line.trim_end().len().max(start),
    }
}

/// What may be a password before an `@`: in `scheme://user:password@host`, `https://token@host` and
/// `user:password@host:path`. Names of people (`os:ana@build1`) and `git@host` stay.
fn user_infos(line: &str) -> Vec<Range<usize>> {
    let stops = |c: char| c == '/' || c == '"' || c == '\'' || c.is_whitespace();
    let info = |at: usize| {
        let start = after_last(&line[..at], stops);
        let user = &line[start..at];
        let http = line[..start].ends_with("http://") || line[..start].ends_with("https://");
        let secret = user.contains([':', '%']) && !user.starts_with("os:");
        (http || secret || user.len() >= 20).then_some(start..at)
    };
    line.match_indices('@').filter_map(|(at, _)| info(at)).collect()
}

/// Where what follows the last such character begins; white space may be more than one byte long.
fn after_last(text: &str, such: impl Fn(char) -> bool) -> usize {
    text.char_indices().rev().find(|(_, c)| such(*c)).map_or(0, |(at, c)| at + c.len_utf8())
}

/// Words that begin as tokens do, wherever they stand.
fn bare_tokens(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for prefix in TOKEN_PREFIXES {
        for (at, _) in line.match_indices(prefix) {
            let rest = &line[at..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
            found.push(at..at + end);
        }
    }
    found
}
