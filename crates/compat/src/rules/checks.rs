//! Two CHECKs of one table: whether all that the old one let through the new one does too.
//!
//! Told from their words alone; not here: bounds and lists of values ([`super::constraints`]).

/// What may be nested at most.
const DEEP: usize = 64;

/// Whether the new CHECK is the old one, or has more ways to be met, where the columns in `empty` are
/// always NULL in what old code writes.
pub fn met_by_all(before: &str, after: &str, empty: &[String]) -> bool {
    let before = ways(&counted_without(&words(before), &[]));
    let after = ways(&counted_without(&words(after), empty));
    before.iter().all(|way| !way.is_empty()) && before.iter().all(|way| after.contains(way))
}

/// The words of an expression: names in lower case, texts as they are, each sign by itself; no remarks.
fn words(expression: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![];
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_whitespace() {
            rest.len() - rest.trim_start().len()
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if matches!(first, '\'' | '"' | '`') {
            let end = rest.get(1..).and_then(|tail| tail.find(first));
            let length = end.map_or(rest.len(), |end| end + 2);
            let word = rest.get(..length).unwrap_or_default();
            words.push(if first == '\'' { word.to_owned() } else { word.trim_matches(first).to_lowercase() });
            length
        } else if first.is_alphanumeric() || first == '_' {
            let named = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
            let length = rest.find(|c: char| !named(c)).unwrap_or(rest.len());
            words.push(rest.get(..length).unwrap_or_default().to_lowercase());
            length
        } else {
            words.push(first.to_string());
            first.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    words
}

/// `num_nonnulls(a, b)` without the columns that are always NULL, the others in order.
fn counted_without(words: &[String], empty: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = vec![];
    let mut rest = words;
    while let [first, after @ ..] = rest {
        kept.push(first.clone());
        rest = after;
        let [open, inner @ ..] = after else { continue };
        let Some(end) = inner.iter().position(|word| word == ")").filter(|_| open == "(") else { continue };
        let Some((inside, behind)) = inner.split_at_checked(end) else { continue };
        // Only names between its brackets.
        let names = inside.iter().enumerate().all(|(at, word)| (at % 2 == 1) == (word == ",") && word != "(");
        if first != "num_nonnulls" || !names {
            continue;
        }
        let mut counted: Vec<&str> =
            inside.iter().step_by(2).filter(|name| !empty.contains(name)).map(String::as_str).collect();
        counted.sort_unstable();
        kept.push(format!("({})", counted.join(",")));
        rest = behind.get(1..).unwrap_or_default();
    }
    kept
}

/// The parts between `OR` that stand in no brackets, each without brackets around it.
fn ways(words: &[String]) -> Vec<Vec<String>> {
    let words = inner(words);
    let mut ways = vec![vec![]];
    let mut depth = 0_usize;
    let mut between = false;
    for word in words {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "between" | "case" if depth == 0 => between = true,
            "or" if depth == 0 => {
                ways.push(vec![]);
                continue;
            }
            _ => {}
        }
        if let Some(way) = ways.last_mut() {
            way.push(word.clone());
        }
    }
    if between {
        return vec![words.to_vec()];
    }
    ways.iter().map(|way| inner(way).to_vec()).collect()
}

/// Without the brackets around the whole.
fn inner(mut words: &[String]) -> &[String] {
    for _ in 0..DEEP {
        let [first, between @ .., last] = words else { break };
        if first != "(" || last != ")" {
            break;
        }
        let mut depth = 0_i64;
        let whole = between.iter().all(|word| {
            depth += i64::from(word == "(") - i64::from(word == ")");
            depth >= 0
        });
        if !whole || depth != 0 {
            break;
        }
        words = between;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::met_by_all;

    #[test]
    fn checks_are_compared() {
        let cases = [
            ("a > 1", "(A > 1)", "", true),
            ("a > 1", "a > 2", "", false),
            ("a = 'x'", "a = 'X'", "", false),
            ("num_nonnulls(a, b) = 1", "num_nonnulls (a, b, c) = 1", "c", true),
            ("num_nonnulls(a, b) = 1", "num_nonnulls (c, b, d, a) = 1", "c d", true),
            ("num_nonnulls(a, b) = 1", "num_nonnulls (a, b, c) = 1", "", false),
            ("num_nonnulls(a, b) = 1", "num_nonnulls (a, b, c) = 2", "c", false),
            ("num_nonnulls(a) = 1", "num_nonnulls(a, f(c)) = 1", "c", false),
            ("(a = 1 AND b = 2) OR c = 3", "c = 3 OR (a = 1\n -- x\n AND b = 2) OR d = 4", "", true),
            ("(a = 1 AND b = 2) OR c = 3", "c = 3 OR d = 4", "", false),
            ("(a = 1 OR b = 2) AND c = 3", "a = 1 OR b = 2", "", false),
            ("a = 1", "a = 1 AND (b = 2 OR a = 1)", "", false),
            ("(a = 1) AND (b = 2)", "a = 1) AND (b = 2", "", false),
            ("a BETWEEN 1 AND 2 OR b = 1", "b = 1 OR c = 1", "", false),
            ("", "", "", false),
        ];
        for (before, after, empty, met) in cases {
            let empty: Vec<String> = empty.split_whitespace().map(str::to_owned).collect();
            assert_eq!(met_by_all(before, after, &empty), met, "{before} and {after}");
        }
    }
}
