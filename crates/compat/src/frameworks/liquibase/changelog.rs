//! A changelog and what it includes, change set by change set, in the order in which Liquibase runs
//! them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::Place;
use crate::migration::{ANY_CONTENT, Context, History, Migration, Problem, Runs as When};
use crate::operation::{Operation, Step, Unread};
use crate::sql::Dialect;
use crate::tree::ContentId;

use super::changes::{Around, Changes, shown, statements};
use super::conditions::{self, Runs};
use super::files::Files;
use super::formatted;
use super::node::{self, NoTree, Node};

/// How deep changelogs include changelogs.
const DEPTH: usize = 40;

/// A walk through a changelog.
pub struct Walk<'a> {
    context: &'a Context<'a>,
    files: Files<'a>,
    /// The first definition counts.
    properties: RefCell<HashMap<String, String>>,
    open: Vec<String>,
    left: u64,
    history: History,
}

/// A file that is walked through.
#[derive(Clone, Copy)]
struct File<'f> {
    path: &'f str,
    content: &'f ContentId,
    /// Properties stand in its text.
    filled: bool,
}

/// What an `include` says of all it brings.
#[derive(Clone, Copy)]
struct From {
    runs: Runs,
}

impl<'a> Walk<'a> {
    /// A walk that has not begun.
    pub fn new(context: &'a Context<'a>) -> Self {
        Self {
            context,
            files: Files::of(context.tree),
            properties: RefCell::default(),
            open: vec![],
            left: context.limits.all_bytes,
            history: History::default(),
        }
    }

    /// Everything below a root.
    pub fn history(mut self, root: &str) -> History {
        // A change log that only the other tree has brings nothing here.
        if self.context.tree.entry(root).is_none() {
            return self.history;
        }
        self.changelog(root, From { runs: Runs::Yes });
        self.history
    }

    fn problem(&mut self, path: &str, line: u32, words: String) {
        let at = Place { path: path.to_owned(), line };
        self.history.problems.push(Problem { rule: "unreadable", at, words });
    }

    /// What cannot be read is a migration of its own: a range that brings it is never compatible.
    fn unread(&mut self, path: &str, line: u32, content: ContentId, why: Unread) {
        let step = Step::new(Operation::Unread(why), line, path);
        self.push(Migration {
            key: format!("{path}::unreadable::{line}"),
            version: None,
            path: path.to_owned(),
            line,
            content,
            steps: Arc::new(vec![step]),
            runs: When::Once,
            together: false,
        });
    }

    fn push(&mut self, migration: Migration) {
        if self.history.migrations.len() < self.context.limits.migrations {
            self.history.migrations.push(migration);
        } else if self.history.problems.iter().all(|problem| problem.rule != "unreadable") {
            self.problem(&migration.path, migration.line, "there are more change sets than are read".to_owned());
        }
    }

    fn changelog(&mut self, path: &str, from: From) {
        if self.open.len() >= DEPTH || self.open.iter().any(|open| open == path) {
            return self.problem(path, 1, "changelogs include each other".to_owned());
        }
        let content = self.context.tree.entry(path).map(|entry| entry.content.clone());
        let content = content.unwrap_or_else(|| ContentId(String::new()));
        let text = match self.context.tree.text(path) {
            Ok(text) => text,
            Err(why) => {
                return self.unread(path, 1, content, Unread::NoContent { words: why.to_string() });
            }
        };
        let size = text.len() as u64;
        if size > self.context.limits.file_bytes || size > self.left {
            let limit = "bytes of changelogs".to_owned();
            let allowed = self.context.limits.file_bytes;
            return self.unread(path, 1, content, Unread::Limit { limit, allowed });
        }
        self.left -= size;
        self.open.push(path.to_owned());
        let kind = ["sql", "xml"].into_iter().find(|end| path.rsplit('.').next() == Some(end)).unwrap_or("yaml");
        let limits = self.context.limits;
        let tree = self.context.memo.part(kind_of(kind), &content, || tree_of(path, &text, limits));
        match tree.as_ref() {
            Ok(Some(root)) => {
                let file = File { path, content: &content, filled: text.contains("${") };
                self.parts(file, root, from);
            }
            Ok(None) => self.plain_sql(path, &text, content, from),
            Err((line, words)) => self.unread(path, *line, content, Unread::Syntax { words: words.clone() }),
        }
        self.open.pop();
    }

    fn parts(&mut self, file: File<'_>, root: &Node, from: From) {
        let path = file.path;
        let from = From {
            runs: from.runs.and(conditions::preconditions(self.context.dialect, root.first("preConditions"))),
        };
        let logical = root.get("logicalFilePath").map(str::to_owned);
        for part in &root.children {
            match part.name.as_str() {
                "changeSet" => self.change_set(file, logical.as_deref(), part, from),
                "include" => self.include(path, part, from),
                "includeAll" => self.include_all(path, part, from),
                "property" => self.property(path, part),
                "preConditions"
                | "changeLogParameters"
                | "logicalFilePath"
                | "objectQuotingStrategy"
                | "removeChangeSetProperty" => {}
                other => {
                    let head = other.to_owned();
                    self.unread(path, part.line, digest(part), Unread::UnknownStatement { head });
                }
            }
        }
    }

    /// Whether what carries these attributes runs.
    fn runs(&self, node: &Node) -> Runs {
        let dialect = self.context.dialect;
        let context = self.filled_with(node.get("context").or_else(|| node.get("contextFilter")));
        let labels = self.filled_with(node.get("labels"));
        let dbms = self.filled_with(node.get("dbms"));
        conditions::dbms(dialect, dbms.as_deref())
            .and(conditions::context(dialect, context.as_deref()))
            .and(conditions::context(dialect, labels.as_deref()))
    }

    fn filled_with(&self, text: Option<&str>) -> Option<String> {
        text.map(|text| fill(&self.properties.borrow(), text))
    }

    fn include(&mut self, path: &str, node: &Node, from: From) {
        let runs = from.runs.and(self.runs(node));
        if runs == Runs::No {
            return;
        }
        let named = self.filled_with(node.get("file")).unwrap_or_default();
        match self.files.find(path, &named, node.is("relativeToChangelogFile")) {
            Some(found) => self.changelog(found, From { runs }),
            None => {
                let words = format!("{named} is not in the tree");
                self.unread(path, node.line, digest(node), Unread::NoContent { words });
            }
        }
    }

    fn include_all(&mut self, path: &str, node: &Node, from: From) {
        let runs = from.runs.and(self.runs(node));
        if runs == Runs::No {
            return;
        }
        let named = self.filled_with(node.get("path")).unwrap_or_default();
        let end = node.get("endsWithFilter").unwrap_or_default().to_owned();
        let found = self.files.below(path, &named, node.is("relativeToChangelogFile"));
        let found = found.into_iter().filter(|file| {
            let extension = file.rsplit('.').next().unwrap_or_default();
            matches!(extension, "xml" | "yaml" | "yml" | "json" | "sql") && file.ends_with(&end)
        });
        for file in found.collect::<Vec<_>>() {
            self.changelog(file, From { runs });
        }
    }

    fn property(&mut self, path: &str, node: &Node) {
        if self.runs(node) == Runs::No {
            return;
        }
        if let Some(file) = node.get("file") {
            let found = self.files.find(path, file, node.is("relativeToChangelogFile"));
            let text = found.and_then(|found| self.context.tree.text(found).ok()).unwrap_or_default();
            for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', '!'])) {
                if let Some((name, value)) = line.split_once('=') {
                    self.define(name.trim(), value.trim());
                }
            }
        }
        if let (Some(name), Some(value)) = (node.get("name"), node.get("value")) {
            self.define(name, value);
        }
    }

    fn define(&mut self, name: &str, value: &str) {
        self.properties.borrow_mut().entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }

    /// A file of SQL without Liquibase's comments, brought by an `include`.
    fn plain_sql(&mut self, path: &str, text: &str, content: ContentId, from: From) {
        if from.runs == Runs::No {
            return;
        }
        let text = fill(&self.properties.borrow(), text);
        let mut steps = statements(self.context.dialect, &text, 1, None, false, self.context.limits);
        mark(&mut steps, from.runs);
        self.push(Migration {
            key: format!("{path}::includeAll::raw"),
            version: None,
            path: path.to_owned(),
            line: 1,
            content,
            steps: Arc::new(steps),
            runs: When::Once,
            together: transactional(self.context.dialect),
        });
    }

    fn change_set(&mut self, file: File<'_>, logical: Option<&str>, node: &Node, from: From) {
        let path = file.path;
        let dialect = self.context.dialect;
        let before = conditions::preconditions(dialect, node.first("preConditions"));
        let runs = from.runs.and(self.runs(node)).and(before);
        if runs == Runs::No || node.is("ignore") {
            return;
        }
        let named = node.get("logicalFilePath").or(logical).unwrap_or(path);
        let key =
            format!("{named}::{}::{}", node.get("author").unwrap_or_default(), node.get("id").unwrap_or_default());
        let read = || self.set(path, node, &key);
        let elsewhere = |change: &Node| change.get("path").is_some() || change.get("file").is_some();
        let set = if file.filled || node.children.iter().any(elsewhere) {
            Arc::new(read())
        } else {
            // All that it says is in the file, on its line.
            let place = ContentId(format!("{} {} {} {}", file.content.0, node.line, dialect.id(), key));
            self.context.memo.part("liquibase change set", &place, read)
        };
        let steps = if runs == Runs::Yes {
            Arc::clone(&set.steps)
        } else {
            let mut steps = set.steps.to_vec();
            mark(&mut steps, runs);
            Arc::new(steps)
        };
        let in_transaction = node.get("runInTransaction").is_none_or(|value| !value.eq_ignore_ascii_case("false"));
        let when = match (node.is("runAlways"), node.is("runOnChange")) {
            (true, _) => When::Always,
            (_, true) => When::WhenChanged,
            _ => When::Once,
        };
        let migration = Migration {
            key,
            version: None,
            path: path.to_owned(),
            line: node.line,
            content: set.content.clone(),
            steps,
            runs: when,
            together: in_transaction && transactional(dialect),
        };
        self.push(migration);
    }
}

/// A change set as it is read, whether or not it runs.
struct Set {
    steps: Arc<Vec<Step>>,
    content: ContentId,
}

impl Walk<'_> {
    fn set(&self, path: &str, node: &Node, key: &str) -> Set {
        let dialect = self.context.dialect;
        let around = Surroundings { walk: self, path };
        let changes = Changes { dialect, limits: self.context.limits, around: &around };
        let mut steps = vec![];
        let mut pieces = String::new();
        for change in &node.children {
            match change.name.as_str() {
                "comment" | "rollback" | "preConditions" | "validCheckSum" => {}
                "modifySql" => steps.extend(modified(dialect, change)),
                _ => {
                    if conditions::dbms(dialect, change.get("dbms")) != Runs::No {
                        steps.extend(changes.steps(change));
                    }
                    write(&mut pieces, change);
                    if let Some(file) = change.get("path") {
                        pieces.push_str(&around.file(change, file).unwrap_or_default());
                    }
                }
            }
        }
        // A sum that is declared valid whatever the content is never found edited.
        let content = if node.first("validCheckSum").is_some() || node.get("validCheckSum").is_some() {
            ContentId(format!("{ANY_CONTENT}{key}"))
        } else {
            ContentId(hash(&pieces))
        };
        Set { steps: Arc::new(steps), content }
    }
}

/// What a change reaches outside of itself.
struct Surroundings<'w, 'a> {
    walk: &'w Walk<'a>,
    path: &'w str,
}

impl Around for Surroundings<'_, '_> {
    fn filled(&self, text: &str) -> String {
        fill(&self.walk.properties.borrow(), text)
    }

    fn file(&self, node: &Node, named: &str) -> Result<String, String> {
        let relative = node.is("relativeToChangelogFile");
        let found = self.walk.files.find(self.path, named, relative);
        let found = found.or_else(|| self.walk.files.find(self.path, named, true));
        let found = found.ok_or_else(|| format!("{named} is not in the tree"))?;
        let text = self.walk.context.tree.text(found).map_err(|why| format!("{found}: {why}"))?;
        let allowed = self.walk.context.limits.file_bytes;
        if text.len() as u64 > allowed {
            return Err(format!("{found} is larger than {allowed} bytes"));
        }
        Ok(text)
    }
}

/// What the memory calls a file of this kind.
fn kind_of(kind: &str) -> &'static str {
    match kind {
        "sql" => "liquibase sql",
        "xml" => "liquibase xml",
        _ => "liquibase yaml",
    }
}

/// A changelog's tree by what the file is; `None`: plain SQL.
pub fn tree_of(path: &str, text: &str, limits: crate::migration::Limits) -> Result<Option<Node>, NoTree> {
    match path.rsplit('.').next() {
        Some("xml") => node::of_xml(text, limits).and_then(|root| {
            let is_changelog = root.name == "databaseChangeLog";
            if is_changelog { Ok(Some(root)) } else { Err((root.line, format!("<{}> is no changelog", root.name))) }
        }),
        Some("sql") if formatted::is_formatted(text) => Ok(Some(formatted::tree(text))),
        Some("sql") => Ok(None),
        _ => node::of_yaml(text, limits).map(Some),
    }
}

/// `${name}` by what it stands for; one that is not defined stays.
fn fill(properties: &HashMap<String, String>, text: &str) -> String {
    if !text.contains("${") {
        return text.to_owned();
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    let mut left = 10_000_usize;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let known = after.split_once('}').and_then(|(name, behind)| {
            let value = properties.get(name.trim())?;
            Some((value, behind))
        });
        match known.filter(|_| left > 0) {
            Some((value, behind)) => {
                filled.push_str(value);
                rest = behind;
                left -= 1;
            }
            None => {
                filled.push_str("${");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

fn transactional(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::MySql | Dialect::Oracle)
}

fn mark(steps: &mut [Step], runs: Runs) {
    for step in steps {
        step.guarded |= runs == Runs::Guarded;
        step.conditional |= runs == Runs::Maybe;
    }
}

/// `modifySql`: what is put behind a statement of MySQL's about storage is nobody's business.
fn modified(dialect: Dialect, node: &Node) -> Option<Step> {
    if conditions::dbms(dialect, node.get("dbms")) == Runs::No {
        return None;
    }
    let storage = |part: &Node| {
        let value = part.get("value").unwrap_or_default().to_lowercase();
        part.name == "append"
            && ["engine", "charset", "character set", "collate", "tablespace"]
                .iter()
                .any(|word| value.contains(word))
    };
    if !node.children.is_empty() && node.children.iter().all(storage) {
        return None;
    }
    let what = "the SQL of the changes is rewritten by modifySql".to_owned();
    Some(Step::new(Operation::Review { what, table: None }, node.line, &shown(node)))
}

/// An element as text, the white space in it folded, for its sum.
fn write(text: &mut String, node: &Node) {
    text.push('<');
    text.push_str(&node.name);
    for (key, value) in &node.attributes {
        text.push_str(&format!(" {key}={value:?}"));
    }
    text.push('>');
    for word in node.text.split_whitespace() {
        text.push_str(word);
        text.push(' ');
    }
    for child in &node.children {
        write(text, child);
    }
    text.push_str("</>");
}

fn digest(node: &Node) -> ContentId {
    let mut text = String::new();
    write(&mut text, node);
    ContentId(hash(&text))
}

/// FNV-1a of 64 bits, and the length: tells parts of one history apart.
fn hash(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}{:x}", text.len())
}
