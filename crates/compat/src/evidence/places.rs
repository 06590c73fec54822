//! Statements that use all columns of a table and name none, and what reads their answer.
//!
//! Not here: what that means for a change ([`super::grade`]).

use memchr::memmem;

use super::around::{Reading, is_word};
use super::language::Language;
use super::readers::{by_index, by_number, fills_a_record, go, python, taken_apart};
use super::statements::NO_ALIAS;
use super::text::{Span, span_at};

/// A statement that uses a table's columns by their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) how: How,
    /// Where the statement stays whole if these tables change in the same way: their names.
    pub(super) with: Vec<String>,
}

/// What a statement does with all columns of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// `INSERT INTO t VALUES (`.
    Values,
    /// `INSERT INTO t SELECT`.
    Into,
    /// `COPY t FROM`: none may be left out.
    Copy,
    /// `LOAD DATA … INTO TABLE t`, `BULK INSERT t`: a file says the columns.
    Load,
    /// `SELECT * FROM t`, and what takes the answer has a place for each column and no more.
    Counts,
    /// `SELECT * FROM t`, and its answer is read by the columns' numbers.
    Numbers,
    /// `SELECT * FROM t`, and nothing is seen of what takes the answer.
    Every,
}

/// How many bytes of a statement are looked at to each side of a table's name.
const SIDE: usize = 1_500;

/// How many bytes after a statement may hold what takes its answer.
const READER: usize = 1_800;

/// At how many places of a file the statements are looked at.
const LOOKED: usize = 2_000;

impl Reading<'_> {
    /// How the statement around a table's name uses all its columns without naming them, if it does.
    pub(super) fn used(&mut self, (start, end): Span) -> Option<Used> {
        if self.statements >= LOOKED || !follows_a_verb(self.text, start) || self.scan().in_comment(start) {
            return None;
        }
        self.statements += 1;
        let text = self.text;
        let string = span_at(&self.scan().strings, start);
        let head = folded(text.get(start.saturating_sub(SIDE)..start)?);
        let to = string.map_or(text.len(), |(_, to)| to).min(end + SIDE);
        let own = String::from_utf8_lossy(text.get(end..to).unwrap_or_default()).to_ascii_lowercase();
        let own = own.split(';').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let own = own.trim_start_matches(['"', '`', ']', '\\', ' ']);
        // A statement may be put together of several strings.
        let joined = text.get(end..(end + 400).min(text.len()))?;
        let joined = String::from_utf8_lossy(joined).to_ascii_lowercase();
        let joined = joined.trim_start_matches(|letter: char| {
            letter.is_whitespace() || matches!(letter, '"' | '\'' | '`' | ']' | '+' | '.' | '&' | '\\' | '_')
        });
        let statement = Statement { head: &head, own, joined, table: text.get(start..end)? };
        let (how, with) = statement.read()?;
        let fills = matches!(how, Some(How::Values | How::Into | How::Copy));
        if fills && self.language == Language::Sql && self.makes(&statement.name()) {
            return None;
        }
        let how = how.unwrap_or_else(|| self.reader((start, end), string));
        Some(Used { how, with })
    }

    /// Whether a script makes the table itself.
    fn makes(&mut self, table: &str) -> bool {
        let text = self.text;
        self.made.get_or_insert_with(|| made(text)).iter().any(|made| made == table)
    }

    /// What takes the answer of a SELECT *.
    fn reader(&mut self, (start, end): Span, string: Option<Span>) -> How {
        let (from, to) = string.unwrap_or((start, end));
        let here = self.reader_at(from, to);
        if here != How::Every {
            return here;
        }
        // The statement has a name, and is run elsewhere in the file.
        let Some(name) = assigned(self.text, from) else { return here };
        let finder = memmem::Finder::new(name);
        let uses: Vec<usize> = finder.find_iter(self.text).take(20).collect();
        uses.into_iter()
            .filter(|at| *at > to || at + name.len() < from.saturating_sub(3))
            .filter(|at| {
                let before = at.checked_sub(1).and_then(|at| self.text.get(at)).copied().unwrap_or(b' ');
                let after = self.text.get(at + name.len()).copied().unwrap_or(b' ');
                !is_word(before) && !is_word(after)
            })
            .map(|at| self.reader_at(at, at + name.len()))
            .find(|how| *how != How::Every)
            .unwrap_or(How::Every)
    }

    fn reader_at(&self, from: usize, to: usize) -> How {
        let before = self.text.get(from.saturating_sub(160)..from).unwrap_or_default();
        let before = String::from_utf8_lossy(before);
        // What the statement before this one was given to is not this one's.
        let before = before.rsplit(['\n', ';']).next().unwrap_or_default();
        let after = self.text.get(to..(to + READER).min(self.text.len())).unwrap_or_default();
        let after = String::from_utf8_lossy(after);
        let after = until_next(&after, self.language);
        match self.language {
            Language::Go => go(before, after, self.text),
            Language::Python => match python(before, after, self.text) {
                How::Every if by_index(after) => How::Numbers,
                how => how,
            },
            Language::Php if after.contains("bind_result(") => How::Counts,
            Language::Php if after.contains("FETCH_NUM") || after.contains("fetch_row") => How::Numbers,
            Language::Java | Language::CSharp if by_number(after, &[".get", ".Get"]) => How::Numbers,
            Language::CSharp if fills_a_record(before, self.text) => How::Counts,
            Language::CSharp if by_index(after) => How::Numbers,
            Language::Rust if before.contains("query_as!(") || before.contains("query!(") => How::Numbers,
            Language::Rust if before.contains("query_as::<_, (") || by_number(after, &[".get", ".try_get"]) => {
                How::Numbers
            }
            Language::Hash if after.contains("bind_columns(") => How::Counts,
            Language::Hash if after.contains("fetchrow_array") => How::Numbers,
            Language::Ruby if by_index(after) || taken_apart(after) => How::Numbers,
            Language::Slashes if after.contains("sqlite3_column_") || after.contains("PQgetvalue(") => How::Numbers,
            Language::Script
                if ["rowMode: \"array\"", "rowMode: 'array'", ".raw()", ".raw(true)", "rowsAsArray: true"]
                    .iter()
                    .any(|mark| after.contains(mark)) =>
            {
                How::Numbers
            }
            _ => How::Every,
        }
    }
}

/// Whether a word stands before a name that a table's name may follow: the look that costs little.
fn follows_a_verb(text: &[u8], start: usize) -> bool {
    const VERBS: &[&str] =
        &["into", "from", "join", "insert", "ignore", "replace", "copy", "update", "table", "only", "overwrite"];
    let head = text.get(start.saturating_sub(120)..start).unwrap_or_default();
    let head = folded(head);
    let last = head.rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
    VERBS.contains(&last) || head.ends_with("copy_from(") || head.contains("copy_from(")
}

/// The text around a table's name, in lower case, white space folded.
struct Statement<'a> {
    /// What stands before it, over strings that are joined.
    head: &'a str,
    /// What follows it in the same string.
    own: &'a str,
    /// What follows it, over strings that are joined; white space as it is.
    joined: &'a str,
    table: &'a [u8],
}

/// What is known of a statement: `None` where it depends on who takes its answer.
type Read = (Option<How>, Vec<String>);

impl Statement<'_> {
    fn name(&self) -> String {
        String::from_utf8_lossy(self.table).to_ascii_lowercase()
    }

    fn read(&self) -> Option<Read> {
        let words: Vec<&str> = self.head.rsplit(' ').take(6).map(bare).collect();
        let last = words.first().copied().unwrap_or_default();
        let has = |word: &str| words.contains(&word);
        if last == "copy" && self.own.starts_with("from") || self.is_copy_call() {
            return Some((Some(How::Copy), vec![]));
        }
        let loads = self.head.ends_with("into table") && self.head.contains("load data") && !self.own.contains('(')
            || self.head.ends_with("bulk insert");
        if loads {
            return Some((Some(How::Load), vec![]));
        }
        let inserts = last == "into" && (has("insert") || has("replace"))
            || matches!(last, "insert" | "replace")
            || last == "ignore" && has("insert");
        if inserts {
            return self.inserted().or_else(|| self.returned());
        }
        if last == "update" || self.head.ends_with("delete from") {
            return self.returned();
        }
        if matches!(last, "from" | "join" | "only") {
            return self.selected();
        }
        // `TABLE t` is a SELECT *; CREATE TABLE and the like are not.
        let begins = |quote: &str| self.head.ends_with(&format!("{quote}table"));
        if ["\"", "'", "`", "("].iter().any(|quote| begins(quote)) {
            return Some((None, vec![]));
        }
        let before = self.head.strip_suffix(" table").filter(|_| last == "table")?;
        target(before).map(|with| (Some(How::Counts), with))
    }

    /// `copy_from(file, "t")`: psycopg's COPY without columns.
    fn is_copy_call(&self) -> bool {
        let Some((_, arguments)) = self.head.rsplit_once("copy_from(") else { return false };
        !arguments.contains([')', '(']) && {
            let rest = self.joined.split(')').next().unwrap_or_default();
            !rest.contains("columns") && !self.joined.contains("columns=")
        }
    }

    fn inserted(&self) -> Option<Read> {
        let then = |word: &str| {
            let rest = self.joined.strip_prefix(word)?;
            (!rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')).then(|| rest.trim_start())
        };
        if let Some(rest) = then("values").or_else(|| then("value")) {
            let rest: String = rest.chars().filter(|letter| !letter.is_whitespace()).take(2).collect();
            return (rest != "()").then(|| (Some(How::Values), vec![]));
        }
        if let Some(rest) = then("select").or_else(|| then("(select")) {
            // As many columns as the other table has, or as the list has.
            let list: Vec<&str> = rest.split_whitespace().take(3).collect();
            let with = match list.as_slice() {
                ["*", "from", other] => vec![name(other)],
                _ => vec![],
            };
            return Some((Some(How::Into), with));
        }
        if let Some(rest) = then("table") {
            let with = rest.split_whitespace().next().map(name).into_iter().collect();
            return Some((Some(How::Into), with));
        }
        (then("with").is_some() || then("exec").is_some()).then(|| (Some(How::Into), vec![]))
    }

    /// `RETURNING *`, `OUTPUT inserted.*`.
    fn returned(&self) -> Option<Read> {
        let table = self.name();
        let marks = ["returning *".to_owned(), format!("returning {table}.*"), "output inserted.*".to_owned()];
        let rest = marks.iter().find_map(|mark| self.own.split_once(mark.as_str()).map(|(_, rest)| rest))?;
        // Of a part of a larger statement the rest of it decides.
        (!rest.trim_start().starts_with(')')).then(|| (None, vec![]))
    }

    fn selected(&self) -> Option<Read> {
        let at = self.head.rfind("select ")?;
        let (before, list) = (self.head.get(..at)?.trim_end(), self.head.get(at + 7..)?);
        // A name after the `from` of another statement, or of its own within the list.
        let clauses = list.replace(" from,", " ").matches(" from").count() + usize::from(list.starts_with("from"));
        if list.contains(';') || list.contains(" set ") || self.head.ends_with("from") && clauses > 1 {
            return None;
        }
        let list = list.split(" from").next().unwrap_or(list);
        let list = ["distinct ", "all "].iter().find_map(|word| list.strip_prefix(word)).unwrap_or(list);
        if !list.starts_with('*') && !self.is_qualified(list) {
            return None;
        }
        if let Some(outer) = before.strip_suffix('(') {
            // What joins brackets: `(SELECT * FROM t) UNION (SELECT …)`. Of another subquery the rest decides.
            let outer = outer.trim_end();
            let rest = closing(self.own).and_then(|at| self.own.get(at + 1..)).map(str::trim_start);
            let parts = [rest.and_then(after_union), before_union(outer)];
            if let Some(read) = self.united(parts) {
                return Some(read);
            }
            let own = self.own.get(..closing(self.own).unwrap_or(self.own.len())).unwrap_or_default();
            return self.united([union_within(own), None]);
        }
        let before = before.trim_end_matches(['"', '\'', '`', '+', '.', '&', '\\', ' ']);
        if let Some(with) = target(before) {
            return Some((Some(How::Counts), with));
        }
        self.united([union_within(self.own), before_union(before)]).or(Some((None, vec![])))
    }

    /// What a UNION with these parts means, if there is any: each has to have as many columns.
    fn united(&self, parts: [Option<&str>; 2]) -> Option<Read> {
        let table = self.name();
        let mut with = vec![];
        for part in parts.into_iter().flatten() {
            let list = part.trim_start_matches(['(', ' ']);
            let list = list.strip_prefix("select ").unwrap_or(list);
            let (list, rest) = list.split_once(" from ").unwrap_or((list, ""));
            let star = list.starts_with('*') || list.contains(".*");
            let other = name(rest.split_whitespace().next().unwrap_or_default());
            let made_here = self.head.contains(&format!("{other} as ("))
                || self.head.contains(&format!("{other} as materialized ("));
            match star {
                false => return Some((Some(How::Counts), vec![])),
                true if other == table || made_here || other.is_empty() => {}
                true if with.contains(&other) => {}
                true => with.push(other),
            }
        }
        // Parts of this table alone grow with it.
        (!with.is_empty()).then_some((Some(How::Counts), with))
    }

    /// Whether a star of the list is this table's, by its name or its alias.
    fn is_qualified(&self, list: &str) -> bool {
        let mut words = self.own.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        let first = words.by_ref().find(|word| !word.is_empty());
        let alias = if first == Some("as") { words.find(|word| !word.is_empty()) } else { first };
        let alias = alias.filter(|alias| !NO_ALIAS.contains(alias) && !self.own.starts_with([',', ')', '=', '.']));
        let table = self.name();
        list.match_indices(".*").any(|(at, _)| {
            let qualifier = list[..at].trim_end_matches(['"', '`', ']']);
            let qualifier = qualifier
                .rsplit(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
                .next()
                .unwrap_or_default();
            !qualifier.is_empty() && (alias == Some(qualifier) || alias.is_none() && qualifier == table)
        })
    }
}

/// What follows a UNION at a text's beginning.
fn after_union(text: &str) -> Option<&str> {
    let rest = ["union", "except", "intersect"].iter().find_map(|word| text.strip_prefix(word))?;
    let rest = rest.trim_start();
    let rest = ["all ", "distinct "].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest);
    rest.starts_with(['s', '(', 't', 'v']).then_some(rest)
}

/// What follows a UNION in a text, outside of its brackets.
fn union_within(text: &str) -> Option<&str> {
    let mut depth = 0_i32;
    let mut begins = true;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 0 => return None,
            ')' => depth -= 1,
            _ => {}
        }
        if begins
            && depth == 0
            && let Some(rest) = text.get(at..).and_then(after_union)
        {
            return Some(rest);
        }
        begins = !letter.is_alphanumeric() && letter != '_';
    }
    None
}

/// The SELECT before a UNION that ends a text.
fn before_union(text: &str) -> Option<&str> {
    let text = text.trim_end_matches(['"', '\'', '`', '+', '.', '&', '\\', ' ', '(']);
    let text = text.strip_suffix(" all").or_else(|| text.strip_suffix(" distinct")).unwrap_or(text);
    let text = ["union", "except", "intersect"].iter().find_map(|word| text.strip_suffix(word))?;
    if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
        return None;
    }
    let inner = i32::from(text.trim_end().ends_with(')'));
    let mut depth = 0_i32;
    for (at, letter) in text.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' => depth -= 1,
            's' if depth <= inner && text.get(at..).is_some_and(|rest| rest.starts_with("select ")) => {
                return text.get(at..);
            }
            _ => {}
        }
    }
    Some("")
}

/// Where the bracket closes that was open before a text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The table that an INSERT before a SELECT fills: by itself, or none where it names its columns.
fn target(before: &str) -> Option<Vec<String>> {
    let (insert, target) = before.rsplit_once("into ")?;
    let verb = bare(insert.trim_end().rsplit(' ').next().unwrap_or_default());
    if !matches!(verb, "insert" | "replace" | "ignore" | "overwrite") {
        return None;
    }
    let target = target.trim_end_matches(['"', '\'', '+', '&', '\\', ' ']);
    match target.split_once('(') {
        Some((table, list)) if table.split_whitespace().count() == 1 && list.trim_end().ends_with(')') => {
            (!list.contains("values")).then(Vec::new)
        }
        None if target.split_whitespace().count() == 1 => Some(vec![name(target)]),
        _ => None,
    }
}

/// A table's name without its quotes and schema.
fn name(text: &str) -> String {
    let text = text.trim_end_matches([',', ')', ';', '"', '\'', '`', ']']);
    let last = text.rsplit('.').next().unwrap_or(text);
    last.trim_matches(['"', '\'', '`', '[', ']']).to_owned()
}

/// A word without what stands before it: quotes, brackets, a call.
fn bare(word: &str) -> &str {
    word.rsplit(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next().unwrap_or(word)
}

/// In lower case, white space folded, without an opening quote or a schema's name at the end.
fn folded(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let text: Vec<&str> = text.split_whitespace().collect();
    let text = text.join(" ");
    let mut text = text.trim_end_matches(['"', '`', '[', '\\', ' ']);
    if let Some(schema) = text.strip_suffix('.') {
        text = schema
            .trim_end_matches(|letter: char| letter.is_alphanumeric() || "_\"`[]\\".contains(letter))
            .trim_end();
    }
    text.to_owned()
}

/// The tables that a script makes.
fn made(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let after = |(at, mark): (usize, &str)| {
        let rest = text.get(at + mark.len()..)?.trim_start();
        let rest = rest.strip_prefix("if not exists ").unwrap_or(rest);
        rest.split(|letter: char| letter.is_whitespace() || letter == '(').next().map(name)
    };
    text.match_indices("create table ").filter_map(after).collect()
}

/// The name that a string is given: `const list = "…"`.
fn assigned(text: &[u8], string: usize) -> Option<&[u8]> {
    let line = memchr::memrchr(b'\n', text.get(..string)?).map_or(0, |newline| newline + 1);
    let head = text.get(line..string)?.trim_ascii_end();
    let head = head.strip_suffix(b"=").or_else(|| head.strip_suffix(b":="))?;
    let head = head.strip_suffix(b":").unwrap_or(head).trim_ascii_end();
    // `const list: &str = "…"`
    let head = head.split(|byte| *byte == b':').next().unwrap_or(head).trim_ascii_end();
    let begin = head.iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1);
    let word = head.get(begin..)?;
    // `const list string = "…"`
    let word = if word == b"string" {
        let head = head.get(..begin)?.trim_ascii_end();
        head.get(head.iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1)..)?
    } else {
        word
    };
    (word.len() > 1).then_some(word)
}

/// What follows a statement, up to the next function or statement.
fn until_next(text: &str, language: Language) -> &str {
    let functions: &[&str] = match language {
        Language::Go => &["\nfunc "],
        Language::Python => &["\ndef ", "\nclass ", "\n    def ", "\n    async def ", "\nasync def "],
        Language::Rust => &["\nfn ", "\npub ", "\n    pub ", "\nasync fn "],
        Language::Php => &["function "],
        Language::Java | Language::CSharp => &["\n    public ", "\n    private ", "\n    protected ", "@Override"],
        _ => &[],
    };
    let mut end = functions.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
    for verb in ["select ", "insert ", "update ", "delete ", "SELECT ", "INSERT ", "UPDATE ", "DELETE "] {
        let starts = |at: usize| text[..at].trim_end().ends_with(['"', '\'', '`', '(']);
        end = text.match_indices(verb).map(|(at, _)| at).find(|at| starts(*at)).map_or(end, |at| end.min(at));
    }
    text.get(..end).unwrap_or(text)
}
