//! Text inside the title of a request, which is no markdown: nothing in it can be escaped.

/// What stands before the number of a reference. GitLab: `#12`, `!12`, `&12`, `GL-12`, `[issue:12]`; GitHub: `#12`, `GH-12`;
/// Gitea: `#12`, `!12`; each also after a repository (`shop/checkout#12`). A whole address does as well, everywhere.
/// <https://docs.gitlab.com/user/markdown/#gitlab-specific-references>,
/// <https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls>,
/// `modules/references/references.go` of go-gitea/gitea.
const BEFORE: [&str; 13] = [
    "#",
    "!",
    "&",
    "gh-",
    "gl-",
    "[issue:",
    "[work_item:",
    "/issues/",
    "/pull/",
    "/pulls/",
    "/merge_requests/",
    "/work_items/",
    "/epics/",
];

/// A text of one line with a space in each reference that a forge could read in it: `closes #12` becomes `closes # 12`.
///
/// Forges read titles, too, and what they find there is done when the request is merged: Gitea closes the issue
/// (`AddCrossReferences` in `models/issues/issue_xref.go` parses the title), GitHub puts the title into the message of the
/// merge commit. What a commit closes is closed when it comes to the default branch, and not when it enters an environment.
///
/// A space is seen by whoever reads it. A character without width would do the same and look like a trick.
pub fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        if c.is_ascii_digit() && names(text.get(..at).unwrap_or_default()) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// Whether a number that follows would be a reference.
fn names(before: &str) -> bool {
    let ends = |with: &&str| {
        let at = before.len().checked_sub(with.len());
        at.and_then(|at| before.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(with))
    };
    BEFORE.iter().any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_every_forge_are_broken_and_all_else_stays() {
        for (text, expected) in [
            // All three.
            ("closes #12", "closes # 12"),
            ("Fix the build (#7)", "Fix the build (# 7)"),
            ("fixes shop/checkout#3, closes: #4", "fixes shop/checkout# 3, closes: # 4"),
            // Gitea and GitLab.
            ("resolves !5", "resolves ! 5"),
            ("shop/checkout!5 and shop/back/web!6", "shop/checkout! 5 and shop/back/web! 6"),
            // GitHub.
            ("fixes GH-12 and gh-3", "fixes GH- 12 and gh- 3"),
            // GitLab.
            (
                "closes GL-12, shop&7, [issue:8], [work_item:9]",
                "closes GL- 12, shop& 7, [issue: 8], [work_item: 9]",
            ),
            // Whole addresses.
            (
                "closes https://git.example/shop/checkout/issues/12",
                "closes https://git.example/shop/checkout/issues/ 12",
            ),
            ("https://git.example/s/c/pulls/12", "https://git.example/s/c/pulls/ 12"),
            ("https://github.com/s/c/pull/12", "https://github.com/s/c/pull/ 12"),
            ("https://lab.example/s/c/-/merge_requests/1?x", "https://lab.example/s/c/-/merge_requests/ 1?x"),
            ("https://lab.example/s/c/-/WORK_ITEMS/1", "https://lab.example/s/c/-/WORK_ITEMS/ 1"),
            // Stuck together.
            ("#1#2!3", "# 1# 2! 3"),
            ("é#1", "é# 1"),
            // No references.
            (
                "feat!: add C# 8, UTF-8, ISO-8601, 10:30, R&D, a/b/7 # 12",
                "feat!: add C# 8, UTF-8, ISO-8601, 10:30, R&D, a/b/7 # 12",
            ),
            ("12", "12"),
            ("", ""),
        ] {
            assert_eq!(title(text), expected);
            assert_eq!(title(expected), expected, "once is enough");
        }
    }
}
