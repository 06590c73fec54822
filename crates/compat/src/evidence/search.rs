//! One pass over a file: where the names occur, and what stands around them.
//!
//! Not here: what stands around a match ([`super::around`]), what an occurrence amounts to
//! ([`super::grade`]).

use aho_corasick::{AhoCorasick, MatchKind};

use super::around::{Around, Reading, is_word};
use super::exclude::Sort;
use super::forms::{Forms, Pattern, Role, Subject};
use super::language::Language;
use super::places::Used;
use super::text::Span;
use super::upserts::{self, Upsert};

/// One occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Occurrence {
    pub(super) around: Around,
    /// As it was written, not in another case, number or class name.
    pub(super) written: bool,
    /// In a string, or in a language whose strings are not told.
    pub(super) quoted: bool,
    pub(super) line: u32,
    pub(super) text: String,
    /// The tables, in lower case, of which it may be a column; none: it is not known.
    pub(super) owners: Vec<String>,
}

impl Occurrence {
    /// In a statement, of which it is not known whose column it means.
    fn in_sql(reading: &mut Reading<'_>, byte: usize) -> Self {
        let (line, text) = (reading.line(byte), reading.shown(byte));
        Self { around: Around::Sql, written: true, quoted: true, line, text, owners: vec![] }
    }
}

/// What a file says of one subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The strongest, in order of their lines, few of each kind.
    pub(super) occurrences: Vec<Occurrence>,
    /// The lines on which it is named, perhaps as a part of another name: `UserSerializer` names the
    /// table `users`. Of tables only.
    pub(super) lines: Vec<u32>,
}

impl Found {
    /// Whether it is named in the file at all.
    pub(super) fn is_named(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Whether it is named within so many lines of a line.
    pub(super) fn is_near(&self, line: u32, within: u32) -> bool {
        let from = self.lines.partition_point(|one| *one < line.saturating_sub(within));
        self.lines.get(from).is_some_and(|one| *one <= line.saturating_add(within))
    }

    /// Whether enough of this kind are kept.
    fn is_full(&self, around: Around, written: bool, quoted: bool, owners: &[String]) -> bool {
        let alike = |kept: &&Occurrence| {
            kept.around == around && kept.written == written && kept.quoted == quoted && kept.owners == owners
        };
        self.occurrences.iter().filter(alike).count() >= KEPT
    }

    /// Whether the statements of all that is kept tell whose they are.
    fn is_of_others(&self) -> bool {
        !self.occurrences.is_empty() && self.occurrences.iter().all(|one| !one.owners.is_empty())
    }

    /// Keeps one, but not twice for a line.
    fn push(&mut self, one: Occurrence) {
        let alike = |last: &Occurrence| {
            last.line == one.line
                && last.around == one.around
                && last.written == one.written
                && last.quoted == one.quoted
                && last.owners == one.owners
        };
        if !self.occurrences.last().is_some_and(alike) {
            self.occurrences.push(one);
        }
    }

    fn name_on(&mut self, line: u32) {
        const LINES: usize = 2_000;
        if self.lines.len() < LINES && self.lines.last() != Some(&line) {
            self.lines.push(line);
        }
    }
}

/// What a file says of all subjects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FileFound {
    pub(super) of: Vec<(usize, Found)>,
    /// Where it uses a table's columns without naming them, and how. By subject.
    pub(super) unnamed: Vec<(usize, Used, Occurrence)>,
    /// Where it has upserts that need a unique index, by the index.
    pub(super) upserts: Vec<(Upsert, Occurrence)>,
}

impl FileFound {
    pub(super) fn of(&self, subject: usize) -> Option<&Found> {
        self.of.iter().find(|(of, _)| *of == subject).map(|(_, found)| found)
    }
}

/// How many occurrences of a kind are kept of a subject in a file.
const KEPT: usize = 10;

/// How many matches of a file are looked at: enough for any file that people write.
const MATCHES: usize = 200_000;

/// At how many occurrences of a file the surroundings are looked at.
const LOOKED: usize = 5_000;

/// The automaton of a search.
pub(super) struct Automaton {
    machine: Option<AhoCorasick>,
    patterns: Vec<Pattern>,
    subjects: Vec<Subject>,
    upserts: Vec<Upsert>,
    /// What upserts are found by, where any is asked for.
    marks: Option<AhoCorasick>,
}

impl Automaton {
    pub(super) fn new(forms: &Forms) -> Self {
        let machine = (!forms.patterns.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .ascii_case_insensitive(true)
                    .match_kind(MatchKind::Standard)
                    .build(forms.patterns.iter().map(|pattern| &pattern.text))
                    .ok()
            })
            .flatten();
        Self {
            machine,
            patterns: forms.patterns.clone(),
            subjects: forms.subjects.clone(),
            upserts: forms.upserts.clone(),
            marks: if forms.upserts.is_empty() { None } else { upserts::marks() },
        }
    }

    /// Where the names occur in a file.
    pub(super) fn file(&self, bytes: &[u8], sort: Sort) -> FileFound {
        let mut found = FileFound::default();
        let Some(machine) = &self.machine else { return found };
        let mut reading = Reading::new(bytes, sort.language);
        for hit in machine.find_overlapping_iter(bytes).take(MATCHES) {
            let Some(pattern) = self.patterns.get(hit.pattern().as_usize()) else { continue };
            for &subject in &pattern.of {
                let Some(asked) = self.subjects.get(subject) else { continue };
                let span = (hit.start(), hit.end());
                let Some(fit) = fit(bytes, span, asked.role, sort.language, pattern.cut) else { continue };
                let at = match found.of.iter().position(|(of, _)| *of == subject) {
                    Some(at) => at,
                    None => {
                        found.of.push((subject, Found::default()));
                        found.of.len() - 1
                    }
                };
                let Some((_, of)) = found.of.get_mut(at) else { continue };
                let table = asked.role == Role::Table;
                if fit == Fit::Part {
                    of.name_on(reading.line(span.0));
                    continue;
                }
                let text = &bytes[span.0..span.1];
                let (as_written, key) = (pattern.part(&asked.written), pattern.part(&asked.key));
                let span = if pattern.cut { (span.0, reading.name_end(span.1)) } else { span };
                if table
                    && (text.eq_ignore_ascii_case(as_written) || text.eq_ignore_ascii_case(key))
                    && let Some(used) = reading.used(span)
                    && found.unnamed.iter().filter(|(of, known, _)| *of == subject && known.how == used.how).count()
                        < KEPT
                {
                    found.unnamed.push((subject, used, Occurrence::in_sql(&mut reading, span.0)));
                }
                let enough = of.occurrences.len() >= KEPT * 12 || reading.looked > LOOKED;
                if enough || asked.role == Role::Association && !reading.associates(span.0) {
                    if of.is_of_others() {
                        // Of what is no longer looked at some may be of the table that is asked for.
                        of.push(Occurrence::in_sql(&mut reading, span.0));
                    }
                    if table {
                        of.name_on(reading.line(span.0));
                    }
                    continue;
                }
                let around = reading.around(span, asked);
                if table && around != Around::Comment {
                    of.name_on(reading.line(span.0));
                }
                let written = text == as_written || text == key;
                let owners = match (asked.role, around) {
                    (Role::Column, Around::Sql) => reading.owners(span),
                    _ => vec![],
                };
                let quoted = reading.in_string(span.0);
                if !of.is_full(around, written, quoted, &owners) {
                    let (line, text) = (reading.line(span.0), reading.shown(span.0));
                    of.push(Occurrence { around, written, quoted, line, text, owners });
                }
            }
        }
        self.upserts(&mut reading, &mut found);
        found.of.sort_by_key(|(of, _)| *of);
        found
    }

    /// Where upserts need one of the unique indexes that are asked for.
    fn upserts(&self, reading: &mut Reading<'_>, found: &mut FileFound) {
        let Some(marks) = &self.marks else { return };
        let named = |upsert: &&Upsert| found.of(upsert.table).is_some_and(Found::is_named);
        let asked: Vec<&Upsert> = self.upserts.iter().filter(named).collect();
        if asked.is_empty() {
            return;
        }
        for (at, byte) in upserts::find(reading, marks, &asked) {
            let Some(upsert) = asked.get(at) else { continue };
            found.upserts.push(((*upsert).clone(), Occurrence::in_sql(reading, byte)));
        }
    }
}

impl Pattern {
    /// As much of a name as a match of this shows.
    fn part<'a>(&self, name: &'a str) -> &'a [u8] {
        let name = name.as_bytes();
        if self.cut { name.get(..self.text.len()).unwrap_or(name) } else { name }
    }
}

impl Reading<'_> {
    /// Where the identifier ends that goes on at a byte: found once for all matches within it.
    fn name_end(&mut self, at: usize) -> usize {
        let (from, to) = self.name;
        if !(from..=to).contains(&at) {
            self.name = (at, word_end(self.text, at, usize::MAX));
        }
        self.name.1
    }
}

/// How a match fits into the identifier in which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It is the name, or a form that a mapper makes of it.
    Whole,
    /// It is a part of another name.
    Part,
}

/// Where the identifier begins that goes on at a byte, at most so many bytes before it.
fn word_start(text: &[u8], mut at: usize, longest: usize) -> usize {
    let least = at.saturating_sub(longest);
    while at > least {
        let Some(&byte) = text.get(at - 1) else { return at };
        if byte >= 0x80 {
            // A letter of another alphabet, from its first byte.
            let letter = (1..=4_usize).find_map(|length| {
                let start = at.checked_sub(length)?;
                std::str::from_utf8(text.get(start..at)?).ok().and_then(|letter| letter.chars().next())
            });
            match letter {
                Some(letter) if letter.is_alphanumeric() => at -= letter.len_utf8(),
                _ => return at,
            }
        } else if is_word(byte) {
            at -= 1;
        } else {
            return at;
        }
    }
    at
}

/// Where the identifier ends that goes on at a byte, at most so many bytes after it.
fn word_end(text: &[u8], mut at: usize, longest: usize) -> usize {
    let most = at.saturating_add(longest);
    while at < most {
        let Some(&byte) = text.get(at) else { return at };
        if byte >= 0x80 {
            let letter = (1..=4_usize).find_map(|length| {
                std::str::from_utf8(text.get(at..at + length)?).ok().and_then(|letter| letter.chars().next())
            });
            match letter {
                Some(letter) if letter.is_alphanumeric() => at += letter.len_utf8(),
                _ => return at,
            }
        } else if is_word(byte) {
            at += 1;
        } else {
            return at;
        }
    }
    at
}

/// Whether the match is a name and not a piece of another word. A column within a longer name is no
/// use of it: whoever writes `user_nick_name` took it from a `nick_name` that is found by itself;
/// only what mappers make of a name counts (`getNickName`, `find_by_nick_name`, `nick_name__in`).
fn fit(text: &[u8], (start, end): Span, role: Role, language: Language, cut: bool) -> Option<Fit> {
    const LONGEST: usize = 80;
    let before = start - word_start(text, start, LONGEST);
    // What goes on from a name's beginning is taken for the rest of the name.
    let after = if cut { 0 } else { word_end(text, end, LONGEST) - end };
    let prefix = &text[start - before..start];
    let suffix = &text[end..end + after];
    let bare = |part: &[u8]| part.iter().all(|byte| *byte == b'_');
    let dashes = matches!(language, Language::Script | Language::Markup | Language::Hash | Language::Plain);
    if bare(prefix) && bare(suffix) {
        return (!dashes || !in_kebab(text, (start - before, end + after), cut)).then_some(Fit::Whole);
    }
    let first = text.get(start).copied().unwrap_or_default();
    let last = text.get(end.wrapping_sub(1)).copied().unwrap_or_default();
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let left = bare(prefix)
        || prefix.ends_with(b"_")
        || first.is_ascii_uppercase() && prefix.last().copied().is_some_and(small);
    let right = bare(suffix)
        || suffix.starts_with(b"_")
        || suffix.first().is_some_and(u8::is_ascii_uppercase) && (small(last) || !last.is_ascii_alphabetic());
    if !left || !right {
        return None;
    }
    match role {
        Role::Table => Some(Fit::Part),
        Role::Column => accessor(prefix, suffix).then_some(Fit::Whole),
        Role::Association | Role::Value | Role::Object => None,
    }
}

/// Whether dashes join the match to other words: a class of a style sheet.
fn in_kebab(text: &[u8], (start, end): Span, cut: bool) -> bool {
    let joined = |dash: Option<usize>, beyond: Option<usize>| {
        let at = |at: Option<usize>| at.and_then(|at| text.get(at)).copied();
        at(dash) == Some(b'-') && at(beyond).is_some_and(|byte| byte.is_ascii_alphanumeric())
    };
    joined(start.checked_sub(1), start.checked_sub(2)) || !cut && joined(Some(end), Some(end + 1))
}

/// What mappers put before and after a column's name.
fn accessor(prefix: &[u8], suffix: &[u8]) -> bool {
    const BEFORE: &[&str] = &[
        "get", "set", "is", "has", "with", "by", "and", "or", "where", "to", "not", "clean", "resolve", "validate",
        "m", "desc", "unset", "reset", "between", "restore",
    ];
    const AFTER: &[&str] = &[
        "changed",
        "was",
        "before",
        "came",
        "in",
        "attribute",
        "will",
        "previously",
        "change",
        "eq",
        "cont",
        "gt",
        "gte",
        "lt",
        "lte",
        "null",
        "not",
        "start",
        "and",
        "or",
        "asc",
        "desc",
        "is",
        "like",
        "containing",
        "ignore",
        "greater",
        "less",
        "between",
        "after",
        "starting",
        "ending",
        "true",
        "false",
        "equals",
        "exists",
        "icontains",
        "exact",
        "iexact",
        "isnull",
        "startswith",
        "contains",
    ];
    let words = |part: &[u8]| super::words::pieces(&String::from_utf8_lossy(part));
    let (before, after) = (words(prefix), words(suffix));
    let fits_before = before.last().is_none_or(|word| BEFORE.contains(&word.as_str()));
    // Django's lookups: whatever follows two underscores.
    let fits_after = suffix.starts_with(b"__") || after.first().is_none_or(|word| AFTER.contains(&word.as_str()));
    fits_before && fits_after
}
