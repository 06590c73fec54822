//! What stands around a match: a comment, a string, a statement, a list of what is ignored.
//!
//! Not here: finding the matches ([`super::search()`]).

use memchr::memmem;

use super::forms::{Role, Subject};
use super::language::Language;
use super::text::{Scan, Span, scan};

/// What stands around an occurrence, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Around {
    /// A comment.
    Comment,
    /// A list of what is ignored, a deprecation.
    Ignored,
    /// Words in a string.
    Words,
    /// A member of something: `.nick_name`, `def nick_name`.
    Member,
    /// Code.
    Code,
    /// Within a string, as in a condition: `"nick_name = ?"`.
    Fragment,
    /// A string or symbol that is exactly the name.
    Quoted,
    /// A statement of SQL.
    Sql,
    /// Where an index or a constraint is named that must be there: `FORCE INDEX (name)`.
    Hint,
}

/// Larger files are searched without regard for comments.
const PLAIN: usize = 1 << 20;

/// How many characters of a line are shown.
const SHOWN: usize = 160;

/// Whether a byte goes on an identifier.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A file as it is being read.
pub(super) struct Reading<'a> {
    pub(super) text: &'a [u8],
    pub(super) language: Language,
    scan: Option<Scan>,
    ignored: Option<Vec<Span>>,
    associates: Option<bool>,
    loud: Option<bool>,
    /// At how many matches the surroundings were looked at.
    pub(super) looked: usize,
    /// At how many the statement was.
    pub(super) statements: usize,
    /// The tables that the file makes.
    pub(super) made: Option<Vec<String>>,
    /// The line of this byte was counted.
    counted: (usize, u32),
    /// From where in an identifier to its end, as it was last looked for.
    pub(super) name: Span,
}

impl<'a> Reading<'a> {
    pub(super) fn new(text: &'a [u8], language: Language) -> Self {
        let language = if text.len() > PLAIN { Language::Plain } else { language };
        Self {
            text,
            language,
            scan: None,
            ignored: None,
            associates: None,
            loud: None,
            looked: 0,
            statements: 0,
            made: None,
            counted: (0, 1),
            name: (0, 0),
        }
    }

    pub(super) fn scan(&mut self) -> &Scan {
        self.scan.get_or_insert_with(|| scan(self.text, self.language))
    }

    pub(super) fn line(&mut self, at: usize) -> u32 {
        let (from, line) = self.counted;
        let newlines = |from: usize, to: usize| {
            let text = self.text.get(from..to).unwrap_or_default();
            u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
        };
        // Matches come in the order of their ends: a start may lie a little before the last one.
        let line = if at < from {
            line.saturating_sub(newlines(at, from))
        } else {
            line.saturating_add(newlines(from, at))
        };
        self.counted = (at, line);
        self.counted.1
    }

    /// The bytes of the line in which a byte is, at most so many to each side.
    fn line_span(&self, at: usize) -> Span {
        const SIDE: usize = 2_000;
        let from = at.saturating_sub(SIDE);
        let to = (at + SIDE).min(self.text.len());
        let start = memchr::memrchr(b'\n', &self.text[from..at]).map_or(from, |newline| from + newline + 1);
        let end = memchr::memchr(b'\n', &self.text[at..to]).map_or(to, |newline| at + newline);
        (start, end)
    }

    pub(super) fn shown(&self, at: usize) -> String {
        let (start, end) = self.line_span(at);
        // Of a long line the part around the name.
        let start = if at.saturating_sub(start) > SHOWN - 40 { at.saturating_sub(40) } else { start };
        clean(&String::from_utf8_lossy(&self.text[start..end]))
    }

    pub(super) fn around(&mut self, (start, end): Span, subject: &Subject) -> Around {
        self.looked += 1;
        if self.scan().in_comment(start) || self.language == Language::Markup && is_prose(self.text, start) {
            return Around::Comment;
        }
        let text = self.text;
        let language = self.language;
        let ignored = self.ignored.get_or_insert_with(|| ignored(text, language));
        if ignored.iter().any(|span| span.0 <= start && start < span.1) {
            return Around::Ignored;
        }
        let before = start.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
        let after = text.get(end).copied().unwrap_or(b' ');
        if subject.role == Role::Object && is_hint(text, start) {
            return Around::Hint;
        }
        if self.is_sql((start, end), subject.role) {
            return Around::Sql;
        }
        let quotes = b"\"'`";
        if quotes.contains(&before) && quotes.contains(&after) || before == b':' && self.is_symbol(start) {
            return Around::Quoted;
        }
        if self.scan().in_string(start) {
            let fragment =
                is_condition(text, end) || language == Language::Java && is_annotation_of_sql(text, start);
            return if fragment { Around::Fragment } else { Around::Words };
        }
        let (line, _) = self.line_span(start);
        let head = &text[line..start];
        let defines = [b"def ".as_slice(), b"function ", b"fn ", b"func "].iter().any(|word| head.ends_with(word));
        if before == b'.' || defines || before == b'>' && head.ends_with(b"->") {
            return Around::Member;
        }
        Around::Code
    }

    /// Whether a byte is in a string, as far as the language's strings are told from its code.
    pub(super) fn in_string(&mut self, at: usize) -> bool {
        let told = matches!(
            self.language,
            Language::Python
                | Language::Script
                | Language::Java
                | Language::CSharp
                | Language::Rust
                | Language::Go
                | Language::Ruby
                | Language::Php
        );
        !told || self.scan().in_string(at)
    }

    fn is_symbol(&self, start: usize) -> bool {
        let before = start.checked_sub(2).and_then(|at| self.text.get(at)).copied().unwrap_or(b' ');
        !is_word(before) && before != b':'
    }

    /// Whether the name stands in a statement of SQL.
    fn is_sql(&mut self, (start, end): Span, role: Role) -> bool {
        const WINDOW: usize = 400;
        let from = start.saturating_sub(WINDOW);
        let window = &self.text[from..(end + WINDOW).min(self.text.len())];
        if self.language == Language::Sql {
            return true;
        }
        let has = |word: &str| memmem::find(window, word.as_bytes()).is_some();
        let text = self.text;
        let loud = *self.loud.get_or_insert_with(|| {
            ["SELECT ", "INSERT INTO", "DELETE FROM", "UPDATE ", "WHERE ", "ORDER BY", "GROUP BY", "JOIN "]
                .iter()
                .any(|word| memmem::find(text, word.as_bytes()).is_some())
        });
        let loud = loud
            && (has("SELECT ")
                || has("INSERT INTO")
                || has("DELETE FROM")
                || has("UPDATE ") && has("SET ")
                || has("WHERE ")
                || has("ORDER BY")
                || has("GROUP BY")
                || has("JOIN "));
        if loud {
            return true;
        }
        let (line, line_end) = self.line_span(start);
        let line = String::from_utf8_lossy(&self.text[line..line_end]).to_ascii_lowercase();
        let quoted =
            |head: &str| ["\"", "'", "`", "("].iter().any(|quote| line.contains(&format!("{quote}{head}")));
        if quoted("select ")
            || quoted("insert into ")
            || quoted("delete from ")
            || quoted("update ") && line.contains(" set ")
        {
            return true;
        }
        // A query over several lines in lower case: the name follows a word of SQL.
        let head = String::from_utf8_lossy(&self.text[from..start]).to_ascii_lowercase();
        let head =
            head.trim_end_matches(|letter: char| matches!(letter, '"' | '`' | '[') || letter.is_whitespace());
        let words: &[&str] = match role {
            Role::Table => &[" from", " join", "insert into", "delete from", "merge into", "truncate table"],
            _ => &["order by", "group by", "and coalesce("],
        };
        self.language != Language::Python && words.iter().any(|word| head.ends_with(word))
            || self.language == Language::Python && words.iter().skip(1).any(|word| head.ends_with(word))
    }

    /// Whether a foreign key is declared here: only there does the association's name mean it.
    pub(super) fn associates(&mut self, at: usize) -> bool {
        const MARKS: &[&str] = &[
            "belongs_to",
            "ForeignKey",
            "OneToOneField",
            "ManyToOne",
            "OneToOne",
            "JoinColumn",
            "belongsTo",
            "BelongsTo",
            "morphTo",
            "references",
            "many_to_one",
            "to_one",
        ];
        let text = self.text;
        let any = *self
            .associates
            .get_or_insert_with(|| MARKS.iter().any(|mark| memmem::find(text, mark.as_bytes()).is_some()));
        if !any {
            return false;
        }
        let (start, end) = self.line_span(at);
        let before = self.line_span(start.saturating_sub(1)).0;
        let before = self.line_span(before.saturating_sub(1)).0;
        MARKS.iter().any(|mark| memmem::find(&text[before..end], mark.as_bytes()).is_some())
    }
}

/// Whether an index or a constraint is named here by what needs it.
fn is_hint(text: &[u8], start: usize) -> bool {
    const BACK: usize = 300;
    const DIRECT: &[&str] = &[
        "indexed by",
        "on constraint",
        "forceindex(",
        "useindex(",
        "ignoreindex(",
        "force_index(",
        "use_index(",
        "ignore_index(",
        "onconstraint:",
        "on_constraint(",
        "{:constraint,",
        "onconflictonconstraint(",
        "conflictconstraint(",
        "unique_by:",
        "unique_by =>",
    ];
    /// These say it only within an upsert.
    const UPSERT: &[&str] = &["constraint=", "constraint:", ".constraint("];
    let head = text.get(start.saturating_sub(BACK)..start).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let head: String = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = head.trim_end_matches(['"', '\'', '`', '[', ' ', '\\']);
    let bare = bare.strip_suffix(':').filter(|bare| !bare.ends_with("constraint")).unwrap_or(bare).trim_end();
    if DIRECT.iter().any(|mark| bare.ends_with(mark)) {
        return true;
    }
    if UPSERT.iter().any(|mark| bare.ends_with(mark)) {
        return head.contains("conflict");
    }
    // `USE INDEX FOR JOIN (a, name`, `WITH (NOLOCK, INDEX(name`, `INDEX = name`
    let list = |letter: char| letter.is_alphanumeric() || "_$`\"'[], ".contains(letter);
    let Some(before) = bare.trim_end_matches(list).strip_suffix('(') else {
        let equals = bare.strip_suffix('=').map(str::trim_end);
        return equals.is_some_and(|head| head.ends_with("index") && in_table_hint(head));
    };
    let before = before.trim_end();
    let before = ["for join", "for order by", "for group by"]
        .iter()
        .find_map(|scope| before.strip_suffix(scope))
        .unwrap_or(before)
        .trim_end();
    let Some(before) = before.strip_suffix("index").or_else(|| before.strip_suffix("key")) else { return false };
    let verb = before.trim_end();
    ["use", "force", "ignore"].iter().any(|word| verb.ends_with(word)) && before.ends_with(' ')
        || in_table_hint(before)
}

/// Whether SQL Server's `WITH (…` is open at the end.
fn in_table_hint(head: &str) -> bool {
    let open = ["with (", "with("].iter().filter_map(|mark| head.rfind(mark)).max();
    open.and_then(|at| head.get(at..)).is_some_and(|rest| !rest.contains(')') && !rest.contains("select"))
}

/// Whether an operator of SQL follows.
fn is_condition(text: &[u8], end: usize) -> bool {
    const AHEAD: usize = 16;
    let tail = String::from_utf8_lossy(text.get(end..(end + AHEAD).min(text.len())).unwrap_or_default())
        .to_ascii_lowercase();
    let tail = tail.trim_start_matches(['"', '`', ']']).trim_start();
    ["=", "<", ">", "!=", "is ", "in ", "in(", "like ", "ilike ", "asc", "desc", "between ", "not "]
        .iter()
        .any(|operator| tail.starts_with(operator))
}

/// Whether the string here belongs to one of Hibernate's annotations that take a piece of SQL.
fn is_annotation_of_sql(text: &[u8], at: usize) -> bool {
    const BACK: usize = 400;
    const MARKS: &[&str] = &[
        "@Formula(",
        "@Where(",
        "@SQLRestriction(",
        "@SQLJoinTableRestriction(",
        "@Filter(",
        "@ColumnTransformer(",
        "@SQLOrder(",
        "@Check(",
    ];
    let head = text.get(at.saturating_sub(BACK)..at).unwrap_or_default();
    MARKS.iter().any(|mark| {
        memmem::rfind(head, mark.as_bytes()).is_some_and(|begin| {
            let inner = head.get(begin + mark.len()..).unwrap_or_default();
            let count = |bracket: u8| inner.iter().filter(|byte| **byte == bracket).count();
            count(b')') <= count(b'(')
        })
    })
}

/// Whether a template has words for people here: outside of tags, of `<% %>`, of `{{ }}` and `{% %}`.
fn is_prose(text: &[u8], at: usize) -> bool {
    const BACK: usize = 3_000;
    let head = text.get(at.saturating_sub(BACK)..at).unwrap_or_default();
    let open = |open: &str, close: &str| {
        let open = memmem::rfind(head, open.as_bytes());
        open.is_some() && open > memmem::rfind(head, close.as_bytes())
    };
    let code = open("<%", "%>")
        || open("{{", "}}")
        || open("{%", "%}")
        || open("<", ">")
        || open("<script", "</script")
        || open("${", "}")
        || open("@", "\n");
    !code
}

/// Where a file says that a name is ignored, deprecated, not mapped.
fn ignored(text: &[u8], language: Language) -> Vec<Span> {
    let marks: &[&str] = match language {
        Language::Ruby => &["ignored_columns", "ignore_column"],
        Language::Python => &["deprecate_field("],
        Language::Java => &["@Transient", "@Ignore", "@kotlin.jvm.Transient", "@Formula"],
        Language::CSharp => &["[NotMapped", ".Ignore("],
        Language::Prisma => &["@ignore"],
        Language::Go => &["gorm:\"-\"", "gorm:\"-:all\"", "db:\"-\""],
        Language::Elixir => &["virtual: true"],
        _ => &[],
    };
    let mut spans = vec![];
    for mark in marks {
        for at in memmem::find_iter(text, mark.as_bytes()).take(1_000) {
            let mut span = ignored_span(text, at, language);
            // The field is no column; what the formula says is SQL.
            if *mark == "@Formula" {
                span.0 = memchr::memchr(b'\n', &text[at..]).map_or(span.1, |newline| at + newline).min(span.1);
            }
            if language == Language::Ruby {
                spans.extend(constants(text, span));
            }
            spans.push(span);
        }
    }
    spans
}

/// Where the constants are defined that a list of ignored names is made of.
fn constants(text: &[u8], span: Span) -> Vec<Span> {
    let named = text.get(span.0..span.1).unwrap_or_default();
    let constant = |word: &&[u8]| {
        word.len() > 1 && word[0].is_ascii_uppercase() && word.iter().all(|byte| !byte.is_ascii_lowercase())
    };
    let mut found = vec![];
    for word in named.split(|byte| !is_word(*byte)).filter(constant) {
        for at in memmem::find_iter(text, word).take(20) {
            let alone = at.checked_sub(1).is_none_or(|before| text[before].is_ascii_whitespace());
            let rest = text.get(at + word.len()..).unwrap_or_default().trim_ascii_start();
            if alone && rest.starts_with(b"=") && !rest.starts_with(b"==") {
                found.push(ignored_span(text, at, Language::Ruby));
            }
        }
    }
    found
}

/// From the mark's line to the end of its list, or of the declaration that it marks.
fn ignored_span(text: &[u8], at: usize, language: Language) -> Span {
    const LONGEST: usize = 4_000;
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    let to = (at + LONGEST).min(text.len());
    let mut depth = 0_i32;
    let mut declared = false;
    let mut last = b' ';
    for (offset, byte) in text[at..to].iter().enumerate() {
        match byte {
            b'[' | b'(' | b'{' => depth += 1,
            b']' | b')' | b'}' => depth -= 1,
            b';' if depth <= 0 => return (start, at + offset),
            b'\n' if depth <= 0 && !matches!(last, b',' | b'=' | b'\\' | b'+') => {
                // An annotation on a line of its own marks the declaration on the next.
                let annotation = matches!(language, Language::Java | Language::CSharp);
                if !annotation || declared || text[start..at].iter().any(u8::is_ascii_alphanumeric) {
                    return (start, at + offset);
                }
                declared = true;
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            last = *byte;
        }
    }
    (start, to)
}

/// A line as it may be shown: white space folded, control characters and those that turn the
/// reading direction replaced, cut.
pub(super) fn clean(line: &str) -> String {
    let mut shown = String::new();
    let mut letters = 0;
    for letter in line.trim().chars() {
        let letter = if letter.is_whitespace() { ' ' } else { letter };
        if letter == ' ' && shown.ends_with(' ') {
            continue;
        }
        if letters >= SHOWN - 1 {
            shown.push('…');
            break;
        }
        shown.push(if hides(letter) { '\u{fffd}' } else { letter });
        letters += 1;
    }
    shown
}

fn hides(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}' | '\u{e0000}'..='\u{e007f}')
}
