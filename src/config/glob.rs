//! Patterns over flow names: `*` anything but a slash, `**` anything, `?` one character but a slash.

/// Whether the pattern covers the whole name. Linear memory, no backtracking blow-up: each row of
/// the table says which ends of the pattern match the name so far.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let tokens = tokens(pattern);
    let mut now = vec![false; tokens.len() + 1];
    now[0] = true;
    skip_stars(&tokens, &mut now);
    for c in name.chars() {
        let mut next = vec![false; tokens.len() + 1];
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| now[*at]) {
            match token {
                Token::AnyDeep => next[at] = true,
                Token::Any => next[at] |= c != '/',
                Token::One => next[at + 1] |= c != '/',
                Token::Just(x) => next[at + 1] |= c == *x,
            }
        }
        skip_stars(&tokens, &mut next);
        now = next;
    }
    now[tokens.len()]
}

enum Token {
    AnyDeep,
    Any,
    One,
    Just(char),
}

/// A star also stands for nothing.
fn skip_stars(tokens: &[Token], at: &mut [bool]) {
    for (i, token) in tokens.iter().enumerate() {
        if at[i] && matches!(token, Token::AnyDeep | Token::Any) {
            at[i + 1] = true;
        }
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' if chars.next_if_eq(&'*').is_some() => Token::AnyDeep,
            '*' => Token::Any,
            '?' => Token::One,
            c => Token::Just(c),
        });
    }
    out
}
