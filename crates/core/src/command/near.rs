//! "Did you mean": words that people use for ours, and words that are nearly ours.

/// The words that other systems, and habit, use.
const SYNONYMS: &[(&str, &str)] = &[
    // Verbs. `unpause` is nearer to `pause` than to what it means, hence not left to spelling.
    ("accept", "approve"),
    ("block", "hold"),
    ("continue", "resume"),
    ("deploy", "promote"),
    ("force", "override"),
    ("lock", "freeze"),
    ("merge", "promote"),
    ("release", "unhold"),
    ("rerun", "retry"),
    ("revert", "rollback"),
    ("skip", "override"),
    ("start", "resume"),
    ("stop", "pause"),
    ("thaw", "resume"),
    ("undo", "rollback"),
    ("unfreeze", "resume"),
    ("unlock", "resume"),
    ("unpause", "resume"),
    // Verbs that only look.
    ("changes", "diff"),
    ("commands", "help"),
    ("compare", "diff"),
    ("find", "where"),
    ("info", "status"),
    ("list", "status"),
    ("log", "history"),
    ("plan", "status"),
    ("show", "status"),
    ("usage", "help"),
    ("who", "whoami"),
    ("why", "explain"),
    // Gates.
    ("bake", "lag"),
    ("checks", "ci"),
    ("cron", "schedule"),
    ("pipeline", "ci"),
    ("reviews", "approvals"),
    ("soak", "lag"),
    // States.
    ("failed", "failure"),
    ("green", "success"),
    ("ok", "success"),
    ("passed", "success"),
    ("red", "failure"),
    ("running", "pending"),
    // Flags.
    ("because", "reason"),
    ("branch", "ref"),
    ("duration", "for"),
    ("fix", "fixed-by"),
    ("link", "url"),
    ("message", "reason"),
    ("why", "reason"),
];

/// The longest word that is compared: the distance costs the product of both lengths.
const WORD_MAX: usize = 24;

/// The one of `known` that somebody who wrote `word` most likely meant.
pub(super) fn near(word: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let word = word.to_lowercase();
    let chars = word.chars().count();
    if chars > WORD_MAX {
        return None;
    }
    let known: Vec<&'static str> = known.collect();
    // A word may stand for several, each in its place: `why` for a verb and for a flag.
    let meant = SYNONYMS.iter().find(|(theirs, ours)| *theirs == word && known.contains(ours));
    if let Some((_, ours)) = meant {
        return Some(ours);
    }
    // A third of the word may be wrong: enough for two slips in `rolback`, too little to offer
    // `hold` for `help`.
    let slips = (chars / 3).clamp(1, 2);
    known
        .into_iter()
        .map(|ours| (distance(&word, ours), ours))
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, ours)| ours)
}

/// How many characters to insert, drop, replace or swap with their neighbour (optimal string
/// alignment).
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn a_swap_of_neighbours_is_one_slip() {
        for (one, other, slips) in [
            ("", "", 0),
            ("", "abc", 3),
            ("pause", "pause", 0),
            ("puase", "pause", 1),
            ("prmote", "promote", 1),
            ("ab", "ba", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), slips, "{one} {other}");
            assert_eq!(distance(other, one), slips, "{other} {one}");
        }
    }
}
