//! What text becomes, by table; and what it never becomes, by property.

use proptest::prelude::*;

use super::{Shown, first_line, markdown, one_line};

fn shown(text: &str) -> String {
    Shown::new(text).to_string()
}

#[test]
fn plain_text_stays_as_it_is() {
    for text in [
        "",
        "Fix the build",
        "Zażółć gęślą jaźń",
        "e\u{301}te\u{301}",
        "日本語のコミット　二",
        "Привет, мир",
        "עברית",
        "مرحبا",
        "हिन्दी",
        "ไทย",
        "Việt Nam",
        "« oui »\u{a0}!",
        "🚀 ship 👍🏽 ❤\u{fe0f} 🇵🇱",
        "C:\\path\\x1b is five characters",
        "a\u{302}\u{323}",
        "ﾊﾟ",
        "feature/ABC-12_x@{1}~^",
        "½ × ∑ → “quotes” – €",
    ] {
        assert_eq!(shown(text), text);
        assert_eq!(one_line(text, 72), text);
    }
}

#[test]
fn what_could_act_is_written_out() {
    for (text, expected) in [
        ("\u{1b}[31mred\u{7}", "\\x1b[31mred\\x07"),
        ("a\nb\r\nc\td", "a\\nb\\r\\nc\\td"),
        ("\0\u{7f}\u{9b}2J\u{85}", "\\x00\\x7f\\u{9b}2J\\u{85}"),
        ("user\u{202e}txt.exe", "user\\u{202e}txt.exe"),
        ("\u{61c}\u{200e}\u{200f}\u{2066}\u{2069}", "\\u{61c}\\u{200e}\\u{200f}\\u{2066}\\u{2069}"),
        ("a\u{200b}b\u{200d}c\u{2060}d\u{feff}\u{ad}", "a\\u{200b}b\\u{200d}c\\u{2060}d\\u{feff}\\u{ad}"),
        ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
        ("\u{e000}\u{10ffff}\u{378}\u{fffe}", "\\u{e000}\\u{10ffff}\\u{378}\\u{fffe}"),
        ("\u{e0041}\u{e0100}\u{fe00}\u{3164}\u{2800}", "\\u{e0041}\\u{e0100}\\u{fe00}\\u{3164}\\u{2800}"),
        // A mark without a letter would sit on what stands before the text.
        ("\u{301}a", "\\u{301}a"),
        ("\n\u{301}a", "\\n\\u{301}a"),
        (
            "a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}b\u{300}",
            "a\u{300}\u{301}\u{302}\u{303}\\u{304}\\u{305}b\u{300}",
        ),
    ] {
        assert_eq!(shown(text), expected);
    }
}

#[test]
fn the_cut_counts_what_is_written() {
    let cut = |text: &str, limit: usize| Shown::new(text).at_most(limit).to_string();
    assert_eq!(cut("abcdef", 6), "abcdef");
    assert_eq!(cut("abcdef", 5), "abcd…");
    assert_eq!(cut("ąęółżź", 5), "ąęół…");
    assert_eq!(cut("abcdef", 1), "…");
    assert_eq!(cut("abcdef", 0), "");
    assert_eq!(cut("", 0), "");
    assert_eq!(cut("a", 1), "a");
    assert_eq!(cut("ab\u{1b}", 6), "ab\\x1b");
    assert_eq!(cut("ab\u{1b}", 5), "ab…");
    assert_eq!(cut("ab\u{202e}cd", 10), "ab…");
    assert_eq!(cut("ab\u{202e}cd", 12), "ab\\u{202e}cd");
}

#[test]
fn lines() {
    assert_eq!(first_line("Fix it\n\nBecause."), "Fix it");
    assert_eq!(first_line("\r\n \n\t Fix it \u{2028}more"), "Fix it");
    assert_eq!(first_line("no end"), "no end");
    assert_eq!((first_line(""), first_line(" \n\u{85}\n")), ("", ""));
    assert_eq!(one_line(" remote: denied\r\n  remote:\tby\n\nhook \n", 72), "remote: denied remote: by hook");
    assert_eq!(one_line("two  spaces", 72), "two  spaces");
    assert_eq!(one_line("abc\ndef", 6), "abc d…");
}

#[test]
fn markdown_says_what_the_text_says() {
    let lines: Vec<String> = [
        "Fix the build (again)",
        "feat!: **bold** _em_ ~~del~~ `code`",
        "<img src=x onerror=alert(1)> &lt; <!-- x -->",
        "[click](https://evil.example) ![x](y)",
        "https://evil.example www.evil.example",
        "a | b \\| c \\",
        "thanks @ana, @org/team and a@b.c @",
        "fixes #12, shop/checkout#3, GH-4, !5 ~bug %\"v 1\" $6 &7 [vuln:8]",
        "# heading",
        "- item",
        "+ item",
        "* item",
        "1. one",
        "12) two",
        "> quote",
        "/close",
        "/merge and /approve",
        "=== ---",
        "    code",
        "line\n/close\n\n# heading",
        ":smile: 10:30 feat: add",
        "{+ added +} [- removed -] $x$",
        "2026-11-20 well-known 3.14",
        "esc\u{1b}\u{202e}@x",
        "<details>",
        "[^1] [x] [[wiki]]",
        "日本語 é",
    ]
    .iter()
    .map(|text| markdown(text))
    .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    Fix the build \(again\)
    feat\!: \*\*<!-- -->bold\*\* \_em\_ \~\~<!-- -->del\~\~ &#96;code&#96;
    &lt;img src=x onerror=alert\(1\)&gt; &amp;<!-- -->lt; &lt;\!<!-- -->-- x --&gt;
    \[click\]\(https:<!-- -->//evil.example\) \!<!-- -->\[x\]\(y\)
    https:<!-- -->//evil.example www<!-- -->.evil.example
    a &#124; b &#92;&#124; c &#92;
    thanks \@<!-- -->ana, \@<!-- -->org/team and a\@<!-- -->b.c \@
    fixes \#<!-- -->12, shop/checkout\#<!-- -->3, GH-<!-- -->4, \!<!-- -->5 \~<!-- -->bug \%<!-- -->"v 1" \$<!-- -->6 &amp;<!-- -->7 \[vuln:8\]
    \# heading
    \- item
    \+ item
    \* item
    1\. one
    12\) two
    &gt; quote
    &#47;close
    &#47;merge and /approve
    \=== ---
    code
    line /close \# heading
    :<!-- -->smile: 10:30 feat: add
    \{<!-- -->+ added +\} \[<!-- -->- removed -\] \$<!-- -->x\$
    2026-11-20 well-known 3.14
    esc&#92;x1b&#92;u\{202e\}\@<!-- -->x
    &lt;details&gt;
    \[\^<!-- -->1\] \[x\] \[\[wiki\]\]
    日本語 é
    "#);
}

/// Texts that are mostly of what hurts.
fn hostile() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(
        "\0\u{7}\u{8}\t\n\r\u{b}\u{c}\u{1b}\u{7f}\u{85}\u{9b}\u{9d}\u{a0}\u{ad}\u{61c}\u{115f}\u{180e}\u{200b}\u{200d}\u{200e}\u{202e}\u{2028}\u{2029}\u{2066}\
         \u{2069}\u{2800}\u{3164}\u{e000}\u{feff}\u{fe0f}\u{fff9}\u{e0041}\u{10ffff}\u{300}\u{301}\u{302}\u{20dd}a é日👍`*_[](){}<>&|#@!~$%^:/\\-+=1.w"
            .chars()
            .collect::<Vec<char>>(),
    );
    prop::collection::vec(prop_oneof![4 => nasty, 1 => any::<char>()], 0..60).prop_map(String::from_iter)
}

/// Written apart from the code: the ranges of Unicode 16 that end a line, control, turn or hide.
fn inert(text: &str) -> bool {
    let bad = |c: char| {
        matches!(u32::from(c),
            0..=0x1f | 0x7f..=0x9f | 0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x115f..=0x1160 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xe000..=0xf8ff | 0xfe00..=0xfe0d | 0xfeff | 0xffa0
            | 0xfff0..=0xfffb | 0xfffe..=0xffff | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0x10ffff)
    };
    !text.contains(bad)
}

/// The markdown without the backslashes, entities and comments that `markdown` itself writes.
fn rendered(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some(c) = rest.chars().next() {
        let known = [
            ("&amp;", '&'),
            ("&lt;", '<'),
            ("&gt;", '>'),
            ("&#124;", '|'),
            ("&#96;", '`'),
            ("&#92;", '\\'),
            ("&#47;", '/'),
        ];
        if let Some((code, meant)) = known.iter().find(|(code, _)| rest.starts_with(code)) {
            text.push(*meant);
            rest = &rest[code.len()..];
        } else if let Some(tail) = rest.strip_prefix("<!-- -->") {
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix('\\') {
            let escaped = tail.chars().next().expect("a backslash never ends a text");
            assert!(escaped.is_ascii_punctuation(), "{markdown}");
            text.push(escaped);
            rest = &tail[1..];
        } else {
            assert!(!"<>&|`*_[](){}#@!~$%^".contains(c), "{c} bare in {markdown}");
            text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shown_is_inert_and_stays_so(text in hostile()) {
        let once = shown(&text);
        prop_assert!(inert(&once), "{once:?}");
        prop_assert_eq!(shown(&once), once);
    }

    #[test]
    fn the_limit_holds_and_cuts_only_the_end(text in hostile(), limit in 0..80usize) {
        let whole = shown(&text);
        let cut = Shown::new(&text).at_most(limit).to_string();
        prop_assert!(cut.chars().count() <= limit);
        match cut.strip_suffix('…') {
            _ if whole == cut => {}
            Some(kept) => prop_assert!(whole.starts_with(kept)),
            None => prop_assert!(limit == 0, "{whole:?} became {cut:?}"),
        }
        if whole.chars().count() <= limit {
            prop_assert_eq!(whole, cut);
        }
    }

    #[test]
    fn one_line_is_inert_and_short(text in hostile(), limit in 0..80usize) {
        let line = one_line(&text, limit);
        prop_assert!(inert(&line) && line.chars().count() <= limit);
        let first = first_line(&text);
        prop_assert!(!first.contains(super::ends_line) && text.contains(first));
    }

    #[test]
    fn markdown_is_inert_and_reads_as_the_text(text in hostile()) {
        let source = markdown(&text);
        prop_assert!(inert(&source), "{source:?}");
        prop_assert_eq!(rendered(&source), one_line(&text, usize::MAX));
        prop_assert!(!source.starts_with(['/', ' ', '-', '+', '=', '#', '>']));
        // Nothing that a forge looks for in rendered text has its name beside it.
        let split = source.replace("&#", "&.").replace('\\', "");
        for pair in ["@a", "#1", "!1", "~a", "$1", "GH-1", "://", ":a"] {
            prop_assert!(!split.contains(pair), "{pair} in {source}");
        }
    }
}
