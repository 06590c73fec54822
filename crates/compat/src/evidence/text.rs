//! Comments and strings of a text, roughly, for any of the languages: enough to tell a mention in
//! a comment from one in code.
//!
//! Linear in the text, never wrong in the dangerous direction on purpose: what is in doubt is code.
//! Not here: any language's grammar.

use super::language::Language;

/// A stretch of bytes.
pub(super) type Span = (usize, usize);

/// A text's comments and strings, in order.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) comments: Vec<Span>,
    pub(super) strings: Vec<Span>,
}

impl Scan {
    /// Whether a comment is at this byte.
    pub(super) fn in_comment(&self, at: usize) -> bool {
        within(&self.comments, at)
    }

    /// Whether a string is at this byte.
    pub(super) fn in_string(&self, at: usize) -> bool {
        within(&self.strings, at)
    }
}

/// The stretch at this byte.
pub(super) fn span_at(spans: &[Span], at: usize) -> Option<Span> {
    let after = spans.partition_point(|span| span.0 <= at);
    after.checked_sub(1).and_then(|last| spans.get(last)).copied().filter(|span| at < span.1)
}

fn within(spans: &[Span], at: usize) -> bool {
    span_at(spans, at).is_some()
}

struct Marks {
    /// What begins a comment to the line's end.
    line: &'static [&'static str],
    /// What begins and ends a comment over lines.
    block: Option<(&'static str, &'static str)>,
    /// What encloses a string on one line.
    quotes: &'static [u8],
    /// What encloses a string over lines.
    long: &'static [&'static str],
}

impl Marks {
    /// The bytes with which anything begins: all others are passed over at once.
    fn begins(&self) -> [bool; 256] {
        let mut begins = [false; 256];
        let texts = self.line.iter().chain(self.long).copied().chain(self.block.map(|(open, _)| open));
        for byte in texts.filter_map(|text| text.bytes().next()).chain(self.quotes.iter().copied()) {
            if let Some(begins) = begins.get_mut(usize::from(byte)) {
                *begins = true;
            }
        }
        begins
    }
}

fn marks(language: Language) -> Marks {
    let marks = |line, block, quotes, long| Marks { line, block, quotes, long };
    let slashes: Option<(&str, &str)> = Some(("/*", "*/"));
    match language {
        Language::Ruby | Language::Elixir | Language::Hash => marks(&["#"], None, b"\"'`", &["\"\"\""]),
        Language::Python => marks(&["#"], None, b"\"'", &["\"\"\"", "'''"]),
        Language::Php => marks(&["//", "#"], slashes, b"\"'`", &[]),
        Language::Script => marks(&["//"], slashes, b"\"'", &["`"]),
        Language::Go => marks(&["//"], slashes, b"\"'", &["`"]),
        Language::Java | Language::CSharp => marks(&["//"], slashes, b"\"'", &["\"\"\""]),
        Language::Rust => marks(&["//"], slashes, b"\"", &[]),
        Language::Slashes | Language::Prisma => marks(&["//"], slashes, b"\"'", &[]),
        Language::Sql => marks(&["--"], slashes, b"'\"`", &[]),
        Language::Markup | Language::Xml => marks(&[], Some(("<!--", "-->")), b"", &[]),
        Language::Plain => marks(&[], None, b"", &[]),
    }
}

/// The comments and strings of a text.
pub(super) fn scan(text: &[u8], language: Language) -> Scan {
    let marks = marks(language);
    let begins = marks.begins();
    let mut found = Scan::default();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if !begins.get(usize::from(byte)).copied().unwrap_or(false) {
            at += 1;
            continue;
        }
        let rest = &text[at..];
        if let Some(long) = marks.long.iter().find(|long| rest.starts_with(long.as_bytes())) {
            let end = find(text, at + long.len(), long).map_or(text.len(), |end| end + long.len());
            let spans = if is_words(text, at, language) { &mut found.comments } else { &mut found.strings };
            spans.push((at, end));
            at = end;
        } else if marks.quotes.contains(&byte) {
            let end = string_end(text, at, byte);
            found.strings.push((at, end));
            at = end;
        } else if let Some((open, close)) = marks.block.filter(|(open, _)| rest.starts_with(open.as_bytes())) {
            // One that never ends is none: `/*` also stands in globs and patterns.
            let Some(end) = find(text, at + open.len(), close).map(|end| end + close.len()) else {
                at += open.len();
                continue;
            };
            // `/*!` is code to MySQL; PHP's and JavaScript's annotations are code to their mappers.
            let code = rest.starts_with(b"/*!") && language == Language::Sql
                || language == Language::Php && memchr::memchr(b'@', &text[at..end]).is_some();
            if !code {
                found.comments.push((at, end));
            }
            at = end;
        } else if marks.line.iter().any(|mark| begins_comment(text, at, mark, language)) {
            let end = memchr::memchr(b'\n', rest).map_or(text.len(), |length| at + length);
            found.comments.push((at, end));
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// Whether a string over lines says what a module, class or function is for: Python's docstrings,
/// Elixir's `@doc`.
fn is_words(text: &[u8], at: usize, language: Language) -> bool {
    /// How far back the head of a function may be looked for.
    const BACK: usize = 400;
    let head = text.get(at.saturating_sub(BACK)..at).unwrap_or_default();
    let mut above = head.trim_ascii_end();
    if language == Language::Python {
        // Remarks may stand before the words.
        loop {
            let line = above.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
            if line == 0 || !above[line..].trim_ascii_start().starts_with(b"#") {
                break;
            }
            above = above[..line].trim_ascii_end();
        }
    }
    match language {
        Language::Elixir => {
            [b"@doc".as_slice(), b"@moduledoc", b"@typedoc"].iter().any(|mark| above.ends_with(mark))
        }
        Language::Python if above.is_empty() => at <= BACK,
        // A value of a dictionary stands behind a colon too.
        Language::Python if above.ends_with(b":") && head.len() > above.len() => {
            let line = above.rsplit(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_start();
            [b"def ".as_slice(), b"class ", b"async def ", b")"].iter().any(|word| line.starts_with(word))
        }
        _ => false,
    }
}

fn find(text: &[u8], from: usize, what: &str) -> Option<usize> {
    text.get(from..).and_then(|rest| memchr::memmem::find(rest, what.as_bytes())).map(|at| from + at)
}

/// A string ends at its quote, at the latest with its line: an apostrophe in a text must not turn
/// the rest of the file around.
fn string_end(text: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' => at += 2,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn begins_comment(text: &[u8], at: usize, mark: &str, language: Language) -> bool {
    if !text[at..].starts_with(mark.as_bytes()) {
        return false;
    }
    let before = at.checked_sub(1).and_then(|before| text.get(before)).copied().unwrap_or(b'\n');
    let after = text.get(at + mark.len()).copied().unwrap_or(b'\n');
    match mark {
        // `#{…}` puts a value into a string, `#[…]` is PHP's attribute.
        "#" => before.is_ascii_whitespace() && !(after == b'{' || language == Language::Php && after == b'['),
        // `https://`
        "//" => before != b':',
        _ => true,
    }
}

/// The text with its comments blanked: what a mapper's reader looks at. As long as the text, line
/// for line.
pub(super) fn without_comments(text: &[u8], scan: &Scan) -> String {
    let mut bytes = text.to_vec();
    for (start, end) in &scan.comments {
        for byte in bytes.get_mut(*start..*end).unwrap_or_default() {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::language::Language;
    use super::{scan, without_comments};

    #[test]
    fn comments_are_told_from_code() {
        for (language, text, expected) in [
            (Language::Ruby, "a # b\nc", "a    \nc"),
            (Language::Ruby, "\"#{a} # b\" # c", "\"#{a} # b\"    "),
            (Language::Ruby, "  #{a}\n", "  #{a}\n"),
            (Language::Python, "a = '#b' #c", "a = '#b'   "),
            (Language::Python, "x = \"\"\"\n# a\n\"\"\"\n#b", "x = \"\"\"\n# a\n\"\"\"\n  "),
            (Language::Python, "\"\"\"a\"\"\"\nb", "       \nb"),
            (Language::Python, "def f():\n  \"\"\"a\"\"\"\n", "def f():\n         \n"),
            (Language::Python, "def f():\n  # b\n  \"\"\"a\"\"\"\n", "def f():\n     \n         \n"),
            (Language::Python, "x = {1:\n  \"\"\"a\"\"\"}", "x = {1:\n  \"\"\"a\"\"\"}"),
            (Language::Python, "def f(): q(\"\"\"a\"\"\")", "def f(): q(\"\"\"a\"\"\")"),
            (Language::Python, "q(\n\"\"\"a\"\"\")", "q(\n\"\"\"a\"\"\")"),
            (Language::Elixir, "@doc \"\"\"a\"\"\"", "@doc        "),
            (Language::Script, "f('http://a') // b", "f('http://a')     "),
            (Language::Script, "x /* a\nb */ y", "x     \n     y"),
            (Language::Script, "`\n// a\n`// b", "`\n// a\n`    "),
            (Language::Script, "<p>don't</p>\n// a", "<p>don't</p>\n    "),
            (Language::Php, "/** @Column(name=\"a\") */ // b", "/** @Column(name=\"a\") */     "),
            (Language::Php, "#[ORM\\Column] # b", "#[ORM\\Column]    "),
            (Language::Sql, "a -- b\n/*! c */ /* d */", "a     \n/*! c */        "),
            (Language::Rust, "fn f<'a>() {} // b", "fn f<'a>() {}     "),
            (Language::Markup, "<a><!-- b --></a>", "<a>          </a>"),
            (Language::Plain, "# // --", "# // --"),
            (Language::Go, "/* never ends", "/* never ends"),
            (Language::Go, "\"\\", "\"\\"),
        ] {
            let found = scan(text.as_bytes(), language);
            assert_eq!(without_comments(text.as_bytes(), &found), expected, "{text}");
        }
    }

    #[test]
    fn a_byte_is_within_a_comment_or_not() {
        let found = scan(b"a # b\nc 'd' # e", Language::Ruby);
        let places: Vec<bool> = (0..15).map(|at| found.in_comment(at)).collect();
        assert_eq!(places.iter().filter(|inside| **inside).count(), 6);
        assert!(found.in_string(9) && !found.in_string(6));
        assert!(!found.in_comment(99));
    }
}
