//! What the frameworks of SQL files share: directories of a tree, versions in names, the up part.
//!
//! Not here: what any one framework takes for a migration.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Found;
use super::detected::atlas;
use crate::Place;
use crate::migration::{Context, History, Migration, Problem, Runs};
use crate::operation::{Operation, Step, Unread};
use crate::sql::{self, Dialect};
use crate::tree::{Entry, Tree};

/// A path's directory, without a `/` at its end, and its last part.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A path within a directory.
pub fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// Whether a path is the directory or lies in it.
pub fn within(path: &str, directory: &str) -> bool {
    directory.is_empty()
        || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Every directory that has wanted files itself, with them, in the order of their paths.
pub fn directories(tree: &dyn Tree, wanted: impl Fn(&str) -> bool) -> BTreeMap<&str, Vec<&Entry>> {
    let mut directories: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in tree.entries() {
        let (directory, name) = split(&entry.path);
        if wanted(name) && !foreign(directory) {
            directories.entry(directory).or_default().push(entry);
        }
    }
    directories
}

/// Whether a directory belongs to somebody else's package: nothing of it is this repository's.
pub fn foreign(directory: &str) -> bool {
    directory.split('/').any(|part| matches!(part, "node_modules" | "vendor" | "third_party" | ".git"))
}

/// Everything under a directory, in the order of the paths.
pub fn below<'a>(tree: &'a dyn Tree, directory: &str) -> &'a [Entry] {
    let entries = tree.entries();
    if directory.is_empty() {
        return entries;
    }
    let prefix = format!("{directory}/");
    let from = entries.partition_point(|entry| entry.path.as_str() < prefix.as_str());
    let rest = entries.get(from..).unwrap_or_default();
    let many = rest.partition_point(|entry| entry.path.starts_with(&prefix));
    rest.get(..many).unwrap_or_default()
}

/// The path of what is under a directory, seen from there.
pub fn relative<'p>(path: &'p str, directory: &str) -> &'p str {
    if directory.is_empty() {
        return path;
    }
    path.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
}

/// The files that lie in the directory itself, with their names.
pub fn directly<'a>(tree: &'a dyn Tree, directory: &str) -> impl Iterator<Item = (&'a Entry, &'a str)> {
    let directory = directory.to_owned();
    below(tree, &directory).iter().filter_map(move |entry| {
        let name = relative(&entry.path, &directory);
        (!name.contains('/')).then_some((entry, name))
    })
}

/// The digits a name begins with, and what follows them; `None` without digits.
pub fn leading_digits(name: &str) -> Option<(&str, &str)> {
    let end = name.bytes().take_while(u8::is_ascii_digit).count();
    (end > 0).then(|| name.split_at(end))
}

/// Digits without their leading zeros.
pub fn significant(digits: &str) -> &str {
    let cut = digits.trim_start_matches('0');
    if cut.is_empty() && !digits.is_empty() { "0" } else { cut }
}

/// Digits as pieces that order as the number does, however long it is: one piece where it fits, else
/// the highest piece, the number of digits, and the digits in groups.
pub fn pieces(digits: &str) -> Vec<u64> {
    let digits = significant(digits);
    match digits.parse::<u64>() {
        Ok(number) if number < u64::MAX => vec![number],
        _ => {
            let mut pieces = vec![u64::MAX, digits.len() as u64];
            // Digits are ASCII, so every group is text.
            pieces.extend(
                digits
                    .as_bytes()
                    .chunks(19)
                    .map(|group| group.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'))),
            );
            pieces
        }
    }
}

/// The name without an ending, whatever its case.
pub fn without_ending<'n>(name: &'n str, ending: &str) -> Option<&'n str> {
    let at = name.len().checked_sub(ending.len())?;
    let tail = name.get(at..)?;
    tail.eq_ignore_ascii_case(ending).then(|| name.get(..at)).flatten()
}

/// The text of a file: its byte order mark cut, UTF-16 (what SQL Server's tools save) decoded.
pub fn text(tree: &dyn Tree, path: &str) -> Option<String> {
    let bytes = tree.read(path).ok()?;
    Some(decoded(&bytes))
}

fn decoded(bytes: &[u8]) -> String {
    let wide = |order: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units: Vec<u16> =
            rest.chunks_exact(2).map(|pair| order([pair[0], pair.get(1).copied().unwrap_or(0)])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => wide(u16::from_be_bytes, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The text with every character but line breaks replaced by spaces, byte for byte.
pub fn blank(text: &str, into: &mut String) {
    into.extend(text.bytes().map(|byte| if byte == b'\n' || byte == b'\r' { char::from(byte) } else { ' ' }));
}

/// Lines with their ends, so that what is put together of them is the text again.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

/// What a framework runs of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up<'t> {
    /// The up part: as long as the text, everything else blank. Or why the framework, and so we, cannot
    /// tell what it is.
    pub text: Result<Cow<'t, str>, Unread>,
    /// Whether the framework wraps it in one transaction.
    pub together: bool,
}

impl<'t> Up<'t> {
    /// What the framework itself refuses.
    pub fn refused(words: &str) -> Self {
        Self { text: Err(Unread::Syntax { words: words.to_owned() }), together: true }
    }
}

/// The whole text, in one transaction.
pub fn whole(text: &str) -> Up<'_> {
    Up { text: Ok(Cow::Borrowed(text)), together: true }
}

/// What a migration is made of.
pub enum Body {
    /// SQL, of which the function takes the up part. What it gives depends on the text alone.
    Sql(for<'t> fn(&'t str) -> Up<'t>),
    /// Nothing that can be read.
    Unread(Unread),
}

/// A migration before it is read.
pub struct Draft<'a> {
    /// Its key.
    pub key: String,
    /// Its version.
    pub version: Option<Vec<u64>>,
    /// Its file.
    pub entry: &'a Entry,
    /// When it runs.
    pub runs: Runs,
    /// What it is made of.
    pub body: Body,
}

impl<'a> Draft<'a> {
    /// A migration of SQL that runs once.
    pub fn sql(
        key: impl Into<String>,
        version: Option<Vec<u64>>,
        entry: &'a Entry,
        up: for<'t> fn(&'t str) -> Up<'t>,
    ) -> Self {
        Self { key: key.into(), version, entry, runs: Runs::Once, body: Body::Sql(up) }
    }

    /// A migration that is a program.
    pub fn code(key: impl Into<String>, version: Option<Vec<u64>>, entry: &'a Entry, what: &str) -> Self {
        let body = Body::Unread(Unread::Code { what: format!("{what} ({})", split(&entry.path).1) });
        Self { key: key.into(), version, entry, runs: Runs::Once, body }
    }

    fn unread(mut self, unread: Unread) -> Self {
        self.body = Body::Unread(unread);
        self
    }
}

/// Whether statements that change the schema can be part of a transaction at all.
pub fn transactional(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::MySql | Dialect::Oracle)
}

/// Reads drafts, which come in the framework's order, into a history.
pub fn history(context: &Context<'_>, found: &Found, drafts: Vec<Draft<'_>>) -> History {
    let mut reader = Reader { context, framework: found.framework, bytes: 0 };
    let mut history = History::default();
    let mut known: HashMap<String, String> = HashMap::new();
    for draft in drafts {
        if history.migrations.len() >= context.limits.migrations {
            history.problems.push(Problem {
                rule: "unreadable",
                at: Place { path: draft.entry.path.clone(), line: 1 },
                words: format!("more than {} migrations; the rest was not read", context.limits.migrations),
            });
            let limit = "migrations of a history".to_owned();
            let allowed = context.limits.migrations as u64;
            history.migrations.push(reader.read(draft.unread(Unread::Limit { limit, allowed })));
            break;
        }
        let mut migration = reader.read(draft);
        if let Some(first) = known.get(&migration.key) {
            history.problems.push(Problem {
                rule: "duplicate-version",
                at: Place { path: migration.path.clone(), line: 1 },
                words: format!("{} and {first} have the same version {}", migration.path, migration.key),
            });
            migration.key = format!("{} {}", migration.key, relative(&migration.path, &found.root));
        }
        known.entry(migration.key.clone()).or_insert_with(|| migration.path.clone());
        history.migrations.push(migration);
    }
    history.problems.extend(atlas::stale_sum(context.tree, found, &history));
    history
}

struct Reader<'c> {
    context: &'c Context<'c>,
    framework: &'static str,
    bytes: u64,
}

impl Reader<'_> {
    fn read(&mut self, draft: Draft<'_>) -> Migration {
        let Draft { key, version, entry, runs, body } = draft;
        let (steps, together) = match body {
            Body::Unread(unread) => (Arc::new(vec![unread_step(unread, split(&entry.path).1)]), false),
            Body::Sql(_) if self.bytes > self.context.limits.all_bytes => {
                let limit = "bytes of all migrations".to_owned();
                let allowed = self.context.limits.all_bytes;
                (Arc::new(vec![unread_step(Unread::Limit { limit, allowed }, split(&entry.path).1)]), false)
            }
            Body::Sql(up) => self.read_sql(entry, up),
        };
        Migration {
            key,
            version,
            path: entry.path.clone(),
            line: 1,
            content: entry.content.clone(),
            steps,
            runs,
            together,
        }
    }

    fn read_sql(&mut self, entry: &Entry, up: for<'t> fn(&'t str) -> Up<'t>) -> (Arc<Vec<Step>>, bool) {
        let Context { tree, dialect, limits, memo } = *self.context;
        let mut bytes = 0;
        let steps = memo.steps(self.framework, dialect, &entry.content, || {
            let read = tree.read(&entry.path);
            let text = match &read {
                Ok(content) if content.len() as u64 > limits.file_bytes => {
                    let limit = "bytes of a file".to_owned();
                    let unread = Unread::Limit { limit, allowed: limits.file_bytes };
                    return vec![unread_step(unread, &entry.path)];
                }
                Ok(content) => decoded(content),
                Err(error) => {
                    let words = error.to_string();
                    return vec![unread_step(Unread::NoContent { words }, &entry.path)];
                }
            };
            bytes = text.len() as u64;
            match up(&text).text {
                Ok(part) => sql::read(dialect, &part, limits),
                Err(unread) => vec![unread_step(unread, &entry.path)],
            }
        });
        self.bytes += bytes;
        let together = transactional(dialect)
            && memo.together(self.framework, &entry.content, || {
                text(tree, &entry.path).is_none_or(|text| up(&text).together)
            });
        (steps, together)
    }
}

/// The step of what could not be read.
pub fn unread_step(unread: Unread, text: &str) -> Step {
    Step::new(Operation::Unread(unread), 1, text)
}

/// Whether any of a directory's files, of which a few from both ends and the middle are looked at,
/// has what the test looks for.
pub fn some_have(tree: &dyn Tree, files: &[&Entry], has: impl Fn(&str) -> bool) -> bool {
    let middle = files.len() / 2;
    let looked = [0, 1, middle, files.len().saturating_sub(2), files.len().saturating_sub(1)];
    let mut before = None;
    looked.into_iter().any(|at| {
        let fresh = before.is_none_or(|before| at > before);
        before = before.max(Some(at));
        fresh && files.get(at).and_then(|entry| text(tree, &entry.path)).is_some_and(|text| has(&text))
    })
}

#[cfg(test)]
mod tests {
    use super::{below, blank, decoded, directly, leading_digits, pieces, within, without_ending};
    use crate::tree::MemoryTree;

    #[test]
    fn numbers_order_however_long_they_are() {
        let ordered = [
            "0",
            "7",
            "0010",
            "20260101120000",
            "18446744073709551614",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999",
            "100000000000000000000000000000000000000000",
            "100000000000000000000000000000000000000001",
        ];
        for pair in ordered.windows(2) {
            assert!(pieces(pair[0]) < pieces(pair[1]), "{} before {}", pair[0], pair[1]);
        }
        assert_eq!(pieces("0007"), pieces("7"));
        assert_eq!(leading_digits("007_b"), Some(("007", "_b")));
        assert_eq!(leading_digits("b7"), None);
    }

    #[test]
    fn a_directory_is_cut_out_of_the_ordered_paths() {
        let tree = MemoryTree::new([("a-b/1", ""), ("a/1", ""), ("a/b/2", ""), ("a0/1", ""), ("b", "")]);
        let of = |directory| below(&tree, directory).iter().map(|e| e.path.as_str()).collect::<Vec<_>>();
        assert_eq!(of("a"), ["a/1", "a/b/2"]);
        assert_eq!(of("").len(), 5);
        assert_eq!(of("c"), Vec::<&str>::new());
        assert_eq!(directly(&tree, "a").map(|(_, name)| name).collect::<Vec<_>>(), ["1"]);
        assert!(within("a/b", "a") && within("a", "a") && within("x", "") && !within("a-b/1", "a"));
    }

    #[test]
    fn blanking_keeps_lines_and_bytes() {
        let mut blanked = String::new();
        blank("é;\r\n\tx\n", &mut blanked);
        assert_eq!(blanked, "   \r\n  \n");
    }

    #[test]
    fn endings_in_any_case_and_text_in_any_encoding() {
        assert_eq!(without_ending("a.SQL", ".sql"), Some("a"));
        assert_eq!(without_ending("é", ".sql"), None);
        assert_eq!(without_ending("aé.sqL", ".sql"), Some("aé"));
        let wide: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("ab\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decoded(&wide), "ab\n");
        assert_eq!(decoded(b"\xfe\xff\x00a"), "a");
        assert_eq!(decoded(b"\xff\xfea"), "", "half a unit");
        assert_eq!(decoded(b"\xef\xbb\xbfa\xff"), "a\u{fffd}");
    }
}

/// What the frameworks' tests share.
#[cfg(test)]
pub mod tests_of_trees {
    use crate::frameworks::Found;
    use crate::migration::{Context, History, Limits, Memo};
    use crate::sql::Dialect;
    use crate::tree::Tree;

    /// A history read by a framework's function; PostgreSQL where nothing says otherwise.
    pub fn read(tree: &dyn Tree, found: &Found, history: fn(&Context<'_>, &Found) -> History) -> History {
        let memo = Memo::default();
        let dialect = found.dialect.unwrap_or(Dialect::Postgres);
        history(&Context { tree, dialect, limits: Limits::default(), memo: &memo }, found)
    }

    /// The keys in order.
    pub fn keys(history: &History) -> Vec<&str> {
        history.migrations.iter().map(|migration| migration.key.as_str()).collect()
    }
}
