//! Which names are valid: of flows, environments, forges and branches.

/// Why a text is no name of a flow or an environment; none if it is one.
///
/// `[a-z0-9]` first, then also `.`, `_`, `/` and `-`, and valid as part of a git reference.
pub fn name_fault(name: &str) -> Option<String> {
    if name == "all" {
        return Some("`all` is a reserved word: commands take it for every flow".into());
    }
    if name.is_empty() {
        return Some("a name may not be empty".into());
    }
    if name.len() > 200 {
        return Some("a name has at most 200 characters".into());
    }
    if let Some(bad) = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '/' | '-')) {
        let what = if bad.is_ascii_uppercase() {
            "has a capital letter".into()
        } else {
            format!("has the character `{}`", super::problem::shown(&bad.to_string()))
        };
        return Some(format!("it {what}; names are of `a`-`z`, `0`-`9`, `.`, `_`, `/` and `-`"));
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        return Some("a name begins with a letter or a digit".into());
    }
    ref_fault(name)
}

/// Why git would refuse a branch of that name; none if it would not.
///
/// These are the rules of `git check-ref-format` for `refs/heads/NAME`. A leading dash passes:
/// such branches exist, only `git branch` does not create them, and git is given nothing but full
/// names. Shell and HTML metacharacters pass for the same reason.
pub fn branch_fault(branch: &str) -> Option<String> {
    if branch.is_empty() {
        return Some("a branch has a name".into());
    }
    if branch.starts_with("refs/heads/") {
        return Some("a branch is written without `refs/heads/`".into());
    }
    if branch == "@" || branch == "HEAD" {
        return Some("it stands for whatever is checked out, not for a branch".into());
    }
    if branch.len() > 240 {
        return Some("it is longer than git servers can store".into());
    }
    ref_fault(branch)
}

/// The rules of `git check-ref-format` but the one that asks for a slash.
fn ref_fault(name: &str) -> Option<String> {
    let fault = |what: &str| Some(format!("git allows no reference that {what}"));
    for part in name.split('/') {
        if part.is_empty() {
            return fault("begins or ends with a slash, or has two in a row");
        }
        if part.starts_with('.') {
            return fault("has a part that begins with a dot");
        }
        if part.ends_with(".lock") {
            return fault("has a part that ends in `.lock`");
        }
    }
    if name.contains("..") {
        return fault("has two dots in a row");
    }
    if name.ends_with('.') {
        return fault("ends with a dot");
    }
    if name.contains("@{") {
        return fault("contains `@{`");
    }
    let bad = name
        .chars()
        .find(|c| (*c as u32) < 0x20 || matches!(c, '\u{7f}' | ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\'));
    match bad {
        Some(' ') => fault("contains a space"),
        Some(c) => fault(&format!("contains `{}`", super::problem::shown(&c.to_string()))),
        None => None,
    }
}

/// Why a text cannot name a table of that kind (`forge`: its name is a prefix before a colon).
pub(super) fn table_name_fault(what: &str, name: &str) -> Option<String> {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(ok) || name.starts_with(['-', '_']) {
        return Some(format!(
            "the name of a {what} is of `a`-`z`, `0`-`9`, `-` and `_`, and begins with a letter or a digit"
        ));
    }
    if what == "forge" && matches!(name, "http" | "https" | "ssh" | "git" | "file") {
        return Some("no forge may have the name of a URL's scheme: `repository` could not tell them apart".into());
    }
    None
}
