//! Does running code still use a name? Asked of the files of a commit, in no language's grammar.
//!
//! Forms of the name, files that do not count, the rules of the object mappers, and the grade.
//! Not here: which names are asked for, and what a grade amounts to.

mod around;
mod exclude;
mod forms;
mod grade;
mod language;
mod libraries;
mod mappers;
mod places;
mod readers;
#[cfg(test)]
mod real;
mod search;
mod statements;
mod stems;
#[cfg(test)]
mod tests;
mod text;
mod upserts;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use self::exclude::{Migrations, Sort, Weight};
use self::forms::Forms;
use self::grade::Seen;
use self::mappers::eloquent::Eloquent;
use self::mappers::joins::Join;
use self::mappers::{Model, Models};
use self::search::{Automaton, FileFound};
use self::stems::Stem;
use crate::operation::{Ident, Name};
use crate::tree::{ContentId, Entry, NoContent, Tree};
use crate::{Grade, Place};

/// A name that goes away, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// A table, a view.
    Table(Name),
    /// A column of a table.
    Column(Name, Ident),
    /// All columns of a table without their names, whose places change: an INSERT without a list,
    /// `SELECT *`. What else of the table is used is not asked, and silence is no finding.
    Positions(Name, Places),
    /// A value of an enum type or enum column, and the tables that have columns of it.
    Value(String, Vec<Name>),
    /// The unique index of a table over exactly these columns: upserts that lean on it. What else
    /// leans on it is not asked.
    Upsert(Name, Vec<Ident>),
    /// An index or a constraint by its name. What else may have the name is not asked, and silence is
    /// no finding.
    Index(Ident, Named),
    /// Anything else by its own name: routine, sequence, type, trigger.
    Object(Name),
}

/// What becomes of the name of an index or a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    /// Nothing has it any more: statements that say it fail.
    Gone,
    /// What had it is called otherwise: errors that it raises come under that name too.
    Renamed,
}

/// What becomes of the places of a table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Places {
    /// There are more at the end, and an INSERT may leave those out (PostgreSQL).
    Appended,
    /// There are more at the end, and an INSERT without a list needs a value for each.
    Counted,
    /// Others stand where those stood that code knows.
    Moved,
}

/// What is known of the schema that the answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// The column refuses NULL and nothing fills it: code that inserts must name it, so code that
    /// never names it cannot be inserting.
    pub required: bool,
    /// Other tables that have a column of the same name, in lower case: a statement that names only
    /// those means theirs.
    pub elsewhere: Vec<String>,
    /// Of an enum's value the others that stay: code that says none of them gets its values from
    /// outside, and its silence proves nothing.
    pub siblings: Vec<String>,
}

/// One place where the name occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Where.
    pub at: Place,
    /// The line's text, white space folded, cut.
    pub text: String,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The grade.
    pub grade: Grade,
    /// The forms that were looked for.
    pub forms: Vec<String>,
    /// The places that decide the grade, strongest first, at most ten.
    pub hits: Vec<Hit>,
    /// How many files were searched; 0: there is no code here, and nothing can be said.
    pub files: usize,
    /// The object mapper whose rule decided, and the rule in a sentence, where one did.
    pub mapper: Option<String>,
}

/// Looks for the names in the code of a tree, all in one pass. The answers are in the order of the
/// questions. `migrations` are the migrations' own paths: files, or directories of them.
pub fn search(tree: &dyn Tree, migrations: &[String], asked: &[(Asked, Known)]) -> Vec<Evidence> {
    Searcher::default().search(tree, migrations, asked)
}

/// Searches of several trees that share most of their files: a content is read once.
#[derive(Debug, Default)]
pub struct Searcher {
    read: Mutex<Read>,
}

/// What was read before, by content.
#[derive(Debug, Default)]
struct Read {
    looks: HashMap<(ContentId, Sort), Arc<Look>>,
    found: HashMap<String, HashMap<(ContentId, Sort), Arc<FileFound>>>,
}

/// What a content says whatever is asked.
#[derive(Debug)]
struct Look {
    weight: Weight,
    models: Vec<Model>,
    joins: Vec<Join>,
    eloquent: Vec<Eloquent>,
    stems: Vec<Stem>,
}

/// Larger contents are not searched.
const LARGEST: usize = 16 << 20;

/// Larger contents are not read for models.
const LARGEST_MODEL: usize = 512 << 10;

/// A file of the tree that is searched.
struct File<'a> {
    entry: &'a Entry,
    sort: Sort,
    look: Arc<Look>,
}

impl Searcher {
    /// As [`search()`], with what earlier searches read.
    pub fn search(&self, tree: &dyn Tree, migrations: &[String], asked: &[(Asked, Known)]) -> Vec<Evidence> {
        if asked.is_empty() {
            return vec![];
        }
        let Ok(mut read) = self.read.lock() else { return search_apart(tree, migrations, asked) };
        read.search(tree, migrations, asked)
    }
}

/// Without what was read before.
fn search_apart(tree: &dyn Tree, migrations: &[String], asked: &[(Asked, Known)]) -> Vec<Evidence> {
    Read::default().search(tree, migrations, asked)
}

impl Read {
    fn search(&mut self, tree: &dyn Tree, migrations: &[String], asked: &[(Asked, Known)]) -> Vec<Evidence> {
        let migrations = Migrations::new(migrations);
        let names: Vec<Asked> = asked.iter().map(|(asked, _)| asked.clone()).collect();
        let forms = Forms::new(&names, &BTreeMap::new());
        let automaton = Automaton::new(&forms);
        let key = key(&forms);
        let mut files = vec![];
        let mut unreadable = vec![];
        for entry in tree.entries() {
            let sort = exclude::sort(&entry.path, &migrations);
            if sort.weight == Weight::None {
                continue;
            }
            let content = (entry.content.clone(), sort);
            let known = self.found.get(&key).is_some_and(|found| found.contains_key(&content));
            if let Some(look) = self.looks.get(&content).filter(|look| known || look.weight == Weight::None) {
                files.push(File { entry, sort, look: Arc::clone(look) });
                continue;
            }
            let bytes = match tree.read(&entry.path) {
                Ok(bytes) if bytes.len() <= LARGEST => bytes,
                Ok(bytes) if exclude::look(sort, &bytes) == Weight::None => continue,
                Err(NoContent::Absent | NoContent::NotAFile) => continue,
                Ok(_) | Err(NoContent::TooLarge(_) | NoContent::Unreadable) => {
                    if sort.code {
                        unreadable.push(entry.path.clone());
                    }
                    continue;
                }
            };
            let look = self.looks.entry(content.clone()).or_insert_with(|| Arc::new(look(sort, &bytes)));
            let look = Arc::clone(look);
            if look.weight != Weight::None {
                let found = automaton.file(&bytes, sort);
                self.found.entry(key.clone()).or_default().insert(content, Arc::new(found));
            }
            files.push(File { entry, sort, look });
        }
        files.retain(|file| file.look.weight != Weight::None);
        let libraries = libraries(tree, asked);
        let models = models(&files);
        // Classes whose tables have other names are looked for too, in a pass of their own.
        let classes = grade::classes(&names, &files, &models);
        let (forms, key) = if classes.is_empty() {
            (forms, key)
        } else {
            let forms = Forms::new(&names, &classes);
            let key = self.search_again(tree, &forms, &files);
            (forms, key)
        };
        let found = self.found(&key, &files);
        let seen = Seen {
            forms: &forms,
            classes: &classes,
            files: &files,
            found: &found,
            models: &models,
            libraries: &libraries,
            unreadable: &unreadable,
        };
        grade::grade(asked, &seen)
    }

    /// Searches the files for more forms.
    fn search_again(&mut self, tree: &dyn Tree, forms: &Forms, files: &[File<'_>]) -> String {
        let key = key(forms);
        let automaton = Automaton::new(forms);
        let known = self.found.entry(key.clone()).or_default();
        for file in files {
            let content = (file.entry.content.clone(), file.sort);
            if known.contains_key(&content) {
                continue;
            }
            if let Ok(bytes) = tree.read(&file.entry.path) {
                known.insert(content, Arc::new(automaton.file(&bytes, file.sort)));
            }
        }
        key
    }

    fn found(&self, key: &str, files: &[File<'_>]) -> Vec<Arc<FileFound>> {
        let found = self.found.get(key);
        files
            .iter()
            .map(|file| {
                let content = (file.entry.content.clone(), file.sort);
                found.and_then(|found| found.get(&content)).cloned().unwrap_or_default()
            })
            .collect()
    }
}

/// The libraries of the tree that have one of the tables asked for, each with its manifest.
fn libraries(tree: &dyn Tree, asked: &[(Asked, Known)]) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    let mut marks: Vec<&str> = asked
        .iter()
        .filter_map(|(asked, _)| match asked {
            Asked::Table(table) | Asked::Column(table, _) => Some(libraries::marks(&table.name.key)),
            Asked::Positions(..) | Asked::Upsert(..) | Asked::Value(..) | Asked::Index(..) | Asked::Object(_) => {
                None
            }
        })
        .flatten()
        .collect();
    marks.sort_unstable();
    marks.dedup();
    if marks.is_empty() {
        return found;
    }
    for entry in tree.entries().iter().filter(|entry| libraries::is_manifest(&entry.path)) {
        let Ok(text) = tree.text(&entry.path) else { continue };
        for mark in &marks {
            if !found.contains_key(mark) && libraries::names(&text, mark) {
                found.insert(*mark, entry.path.clone());
            }
        }
    }
    found
}

/// What names a set of forms.
fn key(forms: &Forms) -> String {
    let texts: Vec<String> =
        forms.patterns.iter().map(|pattern| format!("{}{:?}", pattern.text, pattern.of)).collect();
    let subjects: Vec<String> = forms.subjects.iter().map(|subject| format!("{subject:?}")).collect();
    let upserts: Vec<String> = forms.upserts.iter().map(|upsert| format!("{upsert:?}")).collect();
    texts.join("\n") + &subjects.join("\n") + &upserts.join("\n")
}

fn look(sort: Sort, bytes: &[u8]) -> Look {
    let weight = exclude::look(sort, bytes);
    let holds = weight != Weight::None
        && !matches!(sort.weight, Weight::Weak | Weight::Test)
        && bytes.len() <= LARGEST_MODEL
        && mappers::may_hold(sort.language, bytes);
    let stems = if weight == Weight::Strong && sort.code && bytes.len() <= LARGEST_MODEL {
        stems::read(bytes)
    } else {
        vec![]
    };
    if !holds {
        return Look { weight, models: vec![], joins: vec![], eloquent: vec![], stems };
    }
    let text = text::without_comments(bytes, &text::scan(bytes, sort.language));
    Look {
        weight,
        models: mappers::read(sort.language, &text),
        joins: mappers::joins::read(&text),
        eloquent: mappers::eloquent::read(sort.language, &text),
        stems,
    }
}

/// The models of all files by their class names.
fn models<'a>(files: &'a [File<'_>]) -> Models<'a> {
    let mut models: Models<'a> = BTreeMap::new();
    for file in files {
        for model in &file.look.models {
            models.entry(model.class.as_str()).or_default().push((file.entry.path.as_str(), model));
        }
    }
    models
}
