//! From what was found to a grade: text first, then the rule of the object mapper, then what the
//! schema says.
//!
//! Not here: finding, and what a grade means for a verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::around::Around;
use super::exclude::Weight;
use super::forms::{Forms, Role, Subjects, is_common, shown};
use super::language::Language;
use super::libraries::marks;
use super::mappers::eloquent;
use super::mappers::{Belongs, ColumnName, Mapper, Model, Models, Says, belongs, is_model, says};
use super::places::{How, Used};
use super::search::{FileFound, Found, Occurrence};
use super::words::{TableName, compact, numbers, pieces};
use super::{Asked, Evidence, File, Hit, Known, Named, Places};
use crate::operation::Ident;
use crate::{Grade, Place};

/// How many lines a condition may be from the class whose rows it chooses.
const NEAR: u32 = 3;

/// How many places are shown.
const HITS: usize = 10;

/// A model that maps the table of a question.
struct Mapped<'a> {
    model: &'a Model,
    path: &'a str,
    belongs: Belongs,
}

/// The models of a table: those that belong to it most surely.
fn mapped<'a>(table: &str, models: &Models<'a>) -> Vec<Mapped<'a>> {
    let table = TableName::new(table);
    let mut found: Vec<Mapped<'a>> = models
        .values()
        .flatten()
        .filter_map(|&(path, model)| belongs(model, path, &table).map(|belongs| Mapped { model, path, belongs }))
        .filter(|mapped| is_model(mapped.model, models))
        .collect();
    let best = found.iter().map(|mapped| mapped.belongs).max();
    found.retain(|mapped| Some(mapped.belongs) == best);
    found
}

/// Whether no model is surely the table's: `badges_members` may be a table of `Member` with a prefix, or
/// stand between two.
fn is_perhaps(mapped: &[Mapped<'_>]) -> bool {
    mapped.iter().all(|mapped| mapped.belongs == Belongs::Perhaps)
}

/// Class names that mappers give to the tables asked for, where they are not the tables' own names.
pub(super) fn classes(asked: &[Asked], files: &[File<'_>], models: &Models<'_>) -> BTreeMap<String, Vec<String>> {
    let mut classes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if files.iter().all(|file| file.look.models.is_empty()) {
        return classes;
    }
    for question in asked {
        let (Asked::Table(table) | Asked::Column(table, _)) = question else { continue };
        let own: Vec<String> = numbers(&pieces(&table.name.written)).iter().map(|form| form.concat()).collect();
        for mapped in mapped(&table.name.key, models) {
            let class = &mapped.model.class;
            if !class.is_empty() && !own.contains(&compact(class)) {
                let of = classes.entry(table.name.key.clone()).or_default();
                if !of.contains(class) {
                    of.push(class.clone());
                }
            }
        }
    }
    classes
}

/// A mention with what it amounts to.
struct Mention<'a> {
    grade: Grade,
    weight: Weight,
    path: &'a str,
    occurrence: &'a Occurrence,
}

/// A statement that uses every column and names none.
struct Unnamed<'a> {
    path: &'a str,
    used: &'a Used,
    at: &'a Occurrence,
}

impl Unnamed<'_> {
    fn words(&self, table: &str) -> String {
        match self.used.how {
            How::Values | How::Into => {
                format!("an INSERT into {table} names no columns and gives a value for each")
            }
            How::Copy => format!("a COPY into {table} names no columns and gives a value for each"),
            How::Load => format!("a file is read into {table} without naming its columns"),
            How::Counts => {
                format!("a SELECT * of {table} goes into something that has a place for each column and no more")
            }
            How::Numbers => format!("a SELECT * of {table} is read by the columns' numbers"),
            How::Every => format!(
                "a SELECT * of {table} may be read by position, or into something that has a place for each column"
            ),
        }
    }
}

/// All that the answers are made from.
pub(super) struct Seen<'a> {
    pub(super) forms: &'a Forms,
    pub(super) classes: &'a BTreeMap<String, Vec<String>>,
    pub(super) files: &'a [File<'a>],
    /// Of each file.
    pub(super) found: &'a [Arc<FileFound>],
    pub(super) models: &'a Models<'a>,
    /// With their manifests.
    pub(super) libraries: &'a BTreeMap<&'static str, String>,
    pub(super) unreadable: &'a [String],
}

/// The answers, in the order of the questions.
pub(super) fn grade(asked: &[(Asked, Known)], seen: &Seen<'_>) -> Vec<Evidence> {
    let searched = seen.files.iter().filter(|file| file.sort.code).count();
    let asked_all = asked;
    asked
        .iter()
        .zip(seen.forms.of.iter().zip(&seen.forms.beside))
        .map(|((asked, known), (subjects, beside))| {
            let mut answer = match asked {
                Asked::Table(table) => seen.table(&table.name.key, *subjects),
                Asked::Column(table, column) => seen.column(&table.name.key, &column.key, *subjects, known),
                Asked::Positions(table, places) => {
                    return seen
                        .positions(&table.name.key, *places, *subjects, asked_all)
                        .evidence(searched, seen.shown(*subjects));
                }
                Asked::Upsert(table, columns) => {
                    return seen
                        .upsert(&table.name.key, columns, *subjects)
                        .evidence(searched, seen.shown(*subjects));
                }
                Asked::Index(_, named) => {
                    return seen.index(*named, *subjects).evidence(searched, seen.shown(*subjects));
                }
                Asked::Value(..) => seen.plain(*subjects, beside),
                Asked::Object(object) => {
                    let mut answer = seen.plain(*subjects, beside);
                    // A sequence that a mapper asks for keys.
                    if object.name.key.to_ascii_lowercase().ends_with("_seq") {
                        seen.joins(&mut answer, &object.name.key);
                    }
                    answer
                }
            };
            if known.required && matches!(asked, Asked::Column(..)) && answer.grade < Grade::E2 {
                answer.say(Grade::E2, "the column refuses NULL and has no default: code that inserts must name it, so a use was missed or inserts already fail");
            }
            if let Asked::Table(table) | Asked::Column(table, _) = asked {
                library(&mut answer, &table.name.key, seen.libraries);
            }
            if let Some(path) = seen.unreadable.first().filter(|_| answer.grade < Grade::E2) {
                answer.say(Grade::E2, &format!("{path} could not be read"));
            }
            answer.evidence(searched, seen.shown(*subjects))
        })
        .collect()
}

/// A table of a library is used by the library, whatever the tree's own code says.
fn library(answer: &mut Answer, table: &str, libraries: &BTreeMap<&'static str, String>) {
    let found = marks(table).into_iter().find_map(|mark| Some((mark, libraries.get(mark)?)));
    if let Some((mark, manifest)) = found.filter(|_| answer.grade < Grade::E2) {
        answer.say(Grade::E2, &format!("{table} is a table of {mark}, which {manifest} names"));
    }
}

/// An answer, but for what all answers share.
struct Answer {
    grade: Grade,
    hits: Vec<Hit>,
    mapper: Option<String>,
}

impl Answer {
    /// Another grade, for a reason.
    fn say(&mut self, grade: Grade, words: &str) {
        self.grade = grade;
        self.mapper = Some(words.to_owned());
    }

    /// The place that decides goes first.
    fn lead(&mut self, path: &str, line: u32, text: String) {
        let at = Place { path: path.to_owned(), line };
        self.hits.retain(|hit| hit.at != at);
        self.hits.insert(0, Hit { at, text });
        self.hits.truncate(HITS);
    }

    fn evidence(self, files: usize, forms: Vec<String>) -> Evidence {
        Evidence { grade: self.grade, forms, hits: self.hits, files, mapper: self.mapper }
    }
}

/// What the mappers say of a column, all models of the table together.
enum Ruling<'a> {
    /// No model of the table was found, or not all of it can be seen.
    None,
    /// Its statements name the column; by which model, and where.
    Names(&'a Mapped<'a>, String, u32),
    /// Told to leave it out.
    Ignores(&'a Mapped<'a>, String, u32),
    /// The model is there, and the column is not in it.
    Lacks(&'a Mapped<'a>),
    /// It may be of a class that is embedded and is not here.
    Embeds(&'a Mapped<'a>, String, u32),
    /// The columns were read from the database.
    Reflects(&'a Mapped<'a>, String, u32),
}

impl<'a> Seen<'a> {
    fn shown(&self, subjects: Subjects) -> Vec<String> {
        self.forms.subjects.get(subjects.name).map(|subject| shown(subject, self.classes)).unwrap_or_default()
    }

    fn is_common(&self, subject: usize) -> bool {
        self.forms.subjects.get(subject).is_some_and(|subject| is_common(&subject.written))
    }

    /// The mentions of a subject, each with the grade that `grade` gives it.
    fn mentions(
        &self,
        subject: usize,
        grade: impl Fn(&File<'_>, &FileFound, &Occurrence) -> Option<Grade>,
    ) -> Vec<Mention<'a>> {
        let mut mentions = vec![];
        for (file, found) in self.files.iter().zip(self.found) {
            for occurrence in found.of(subject).into_iter().flat_map(|found| &found.occurrences) {
                let harmless = matches!(occurrence.around, Around::Comment | Around::Ignored);
                let grade = if harmless { Some(Grade::E1) } else { grade(file, found, occurrence) };
                if let Some(grade) = grade {
                    let grade = weaker(grade, file.look.weight);
                    mentions.push(Mention { grade, weight: file.look.weight, path: &file.entry.path, occurrence });
                }
            }
        }
        mentions
    }

    fn column(&self, table: &str, column: &str, subjects: Subjects, known: &Known) -> Answer {
        let mapped = mapped(table, self.models);
        let ruling = self.ruling(&mapped, column);
        let forms: Vec<String> = numbers(&pieces(table)).iter().map(|form| form.concat()).collect();
        let of_table = subjects.table.unwrap_or(subjects.name);
        let names_table = |file: &File<'_>, found: &FileFound| {
            found.of(of_table).is_some_and(Found::is_named) || path_names(&file.entry.path, &forms)
        };
        let sql_of_table = |found: &FileFound| {
            found.of(of_table).is_some_and(|found| found.occurrences.iter().any(|one| one.around == Around::Sql))
        };
        let is_own = |path: &str| stem(path).is_some_and(|stem| forms.contains(&compact(stem)));
        let gorm = mapped.iter().any(|mapped| mapped.model.mapper == Mapper::Gorm);
        let ecto = mapped.iter().any(|mapped| mapped.model.mapper == Mapper::Ecto);
        let asks_by_name = |found: &FileFound, occurrence: &Occurrence| {
            let near =
                |one: &Occurrence| one.around == Around::Quoted && one.line.abs_diff(occurrence.line) <= NEAR;
            found.of(of_table).is_some_and(|found| found.occurrences.iter().any(near))
        };
        let mut mentions = self.mentions(subjects.name, |file, found, occurrence| {
            if is_of_another(occurrence, table, known) {
                return Some(Grade::E1);
            }
            let named = names_table(file, found);
            let text = Some(if named { Grade::E3 } else { Grade::E2 });
            match &ruling {
                Ruling::None | Ruling::Names(..) | Ruling::Embeds(..) | Ruling::Reflects(..) => text,
                // The mapper never names it: what is left are statements in strings.
                Ruling::Lacks(_) | Ruling::Ignores(..) if !named => Some(Grade::E1),
                Ruling::Ignores(one, ..) if one.model.mapper == Mapper::Rails => Some(match occurrence.around {
                    // Conditions stand beside the class, or in its own file.
                    _ if !is_own(&file.entry.path)
                        && !found.of(of_table).is_some_and(|found| found.is_near(occurrence.line, NEAR)) =>
                    {
                        Grade::E1
                    }
                    // A condition may still name an ignored column.
                    Around::Sql if sql_of_table(found) => Grade::E3,
                    Around::Sql | Around::Fragment | Around::Quoted | Around::Code => Grade::E2,
                    _ => Grade::E1,
                }),
                Ruling::Lacks(_) | Ruling::Ignores(..) => Some(match occurrence.around {
                    Around::Sql if sql_of_table(found) => Grade::E3,
                    // A query needs no schema: `from(g in "guests", select: g.plan)`.
                    _ if ecto && asks_by_name(found, occurrence) => Grade::E2,
                    Around::Fragment => Grade::E2,
                    Around::Quoted if gorm => Grade::E2,
                    _ => Grade::E1,
                }),
            }
        });
        if let Some(association) =
            subjects.association.filter(|_| matches!(ruling, Ruling::None | Ruling::Names(..)))
        {
            mentions.extend(self.mentions(association, |file, _, _| {
                stem(&file.entry.path).is_some_and(|stem| forms.contains(&compact(stem))).then_some(Grade::E3)
            }));
        }
        let mut answer = answer(mentions);
        let ruled =
            matches!(ruling, Ruling::Lacks(_) | Ruling::Ignores(..)) || self.leaves_empty(&forms, table, column);
        self.silence(&mut answer, subjects.name, ruled);
        self.mapper(&mut answer, &ruling, table, column);
        self.unnamed(&mut answer, of_table, table, &ruling);
        if is_perhaps(&mapped) {
            self.joins(&mut answer, table);
        }
        self.eloquent(&mut answer, &forms, table, column);
        answer
    }

    /// Silence about a name that is short or everywhere says little.
    fn silence(&self, answer: &mut Answer, subject: usize, ruled: bool) {
        if answer.grade < Grade::E2 && !ruled && self.is_common(subject) {
            answer.say(Grade::E2, "the name is too short or too common for its absence to prove anything");
        }
    }

    /// What the mappers say of a column.
    fn ruling<'m>(&self, mapped: &'m [Mapped<'m>], column: &str) -> Ruling<'m> {
        let mut ruling = Ruling::None;
        let column = ColumnName::new(column);
        for one in mapped {
            let says = says(one.model, one.path, &column, self.models);
            let caches = one.model.mapper == Mapper::Rails;
            match says {
                Says::Declared(path, line) => return Ruling::Names(one, path, line),
                Says::Absent | Says::Unknown if caches => {
                    return Ruling::Names(one, one.path.to_owned(), one.model.line);
                }
                Says::Embedded(path, line) => return Ruling::Embeds(one, path, line),
                Says::Reflected(path, line) => return Ruling::Reflects(one, path, line),
                Says::Unknown => return Ruling::None,
                Says::Ignored(path, line) => ruling = Ruling::Ignores(one, path, line),
                Says::Absent if one.belongs == Belongs::Perhaps => return Ruling::None,
                Says::Absent => {
                    if !matches!(ruling, Ruling::Ignores(..)) {
                        ruling = Ruling::Lacks(one);
                    }
                }
            }
        }
        ruling
    }

    /// Puts the mapper's rule into the answer.
    fn mapper(&self, answer: &mut Answer, ruling: &Ruling<'_>, table: &str, column: &str) {
        match ruling {
            Ruling::None => {}
            Ruling::Names(mapped, path, line) => {
                let title = mapped.model.mapper.title();
                let class = class(mapped.model);
                let words = if mapped.model.mapper == Mapper::Rails {
                    format!(
                        "{title}: {class} caches the columns of {table} and writes them all; {column} is not in its ignored_columns"
                    )
                } else {
                    format!(
                        "{title}: {class} declares {column}, so its statements name it whether or not other code does"
                    )
                };
                answer.say(Grade::E3, &words);
                answer.lead(path, *line, declaration(mapped, column));
            }
            Ruling::Ignores(mapped, path, line) => {
                let title = mapped.model.mapper.title();
                let class = class(mapped.model);
                let grade = answer.grade.max(Grade::E1);
                let rest = if grade > Grade::E1 { "; other code still names it" } else { "" };
                answer.say(grade, &format!("{title}: {class} leaves {column} out of its statements{rest}"));
                if grade == Grade::E1 {
                    answer.lead(path, *line, declaration(mapped, column));
                }
            }
            Ruling::Reflects(mapped, path, line) => {
                if answer.grade < Grade::E2 {
                    let title = mapped.model.mapper.title();
                    let words = format!(
                        "{title}: the columns of {table} were read from the database when the program started, {column} among them"
                    );
                    answer.say(Grade::E2, &words);
                    answer.lead(path, *line, declaration(mapped, column));
                }
            }
            Ruling::Embeds(mapped, path, line) => {
                if answer.grade < Grade::E2 {
                    let (title, class) = (mapped.model.mapper.title(), class(mapped.model));
                    answer.say(
                        Grade::E2,
                        &format!("{title}: {class} embeds a class that was not found, and {column} begins as its columns do"),
                    );
                    answer.lead(path, *line, declaration(mapped, column));
                }
            }
            Ruling::Lacks(mapped) => {
                let title = mapped.model.mapper.title();
                let class = class(mapped.model);
                if answer.grade <= Grade::E1 {
                    let grade = answer.grade;
                    answer.say(
                        grade,
                        &format!("{title}: {class} no longer declares {column}, so its statements do not name it"),
                    );
                }
            }
        }
    }

    /// Statements that use every column and name none, in what runs: the strongest by a measure.
    fn places(&self, table: usize, grade: impl Fn(&Used) -> Option<Grade>) -> Option<(Grade, Unnamed<'a>)> {
        let mut best: Option<(Grade, Unnamed<'a>)> = None;
        for (file, found) in self.files.iter().zip(self.found) {
            if file.look.weight != Weight::Strong {
                continue;
            }
            for (_, used, at) in found.unnamed.iter().filter(|(of, ..)| *of == table) {
                let Some(grade) = grade(used) else { continue };
                if best.as_ref().is_none_or(|(known, _)| grade > *known) {
                    best = Some((grade, Unnamed { path: &file.entry.path, used, at }));
                }
            }
        }
        best
    }

    /// What that means for a column that goes.
    fn unnamed(&self, answer: &mut Answer, of_table: usize, table: &str, ruling: &Ruling<'_>) {
        let found = self.places(of_table, |used| match used.how {
            How::Values | How::Into | How::Copy | How::Counts => Some(Grade::E3),
            How::Load => Some(Grade::E2),
            How::Numbers | How::Every => matches!(ruling, Ruling::None).then_some(Grade::E2),
        });
        if let Some((grade, one)) = found.filter(|(grade, _)| answer.grade < *grade) {
            answer.say(grade, &one.words(table));
            answer.lead(one.path, one.at.line, one.at.text.clone());
        }
    }

    /// Whether a model of Eloquent's, which would fill the column by itself, was told not to.
    fn leaves_empty(&self, forms: &[String], table: &str, column: &str) -> bool {
        let stamps = matches!(column, "created_at" | "updated_at" | "deleted_at" | "remember_token");
        let own = |file: &File<'_>| stem(&file.entry.path).is_some_and(|stem| forms.contains(&compact(stem)));
        let table = TableName::new(table);
        let mut models =
            self.files.iter().flat_map(|file| file.look.eloquent.iter().map(move |model| (file, model)));
        stamps && models.any(|(file, model)| (own(file) || model.maps(&table)) && !model.writes(column))
    }

    /// Columns that Eloquent writes without being told their names.
    fn eloquent(&self, answer: &mut Answer, forms: &[String], table: &str, column: &str) {
        if answer.grade > Grade::E2 || !eloquent::has_rule(column) {
            return;
        }
        let own = |file: &File<'_>| stem(&file.entry.path).is_some_and(|stem| forms.contains(&compact(stem)));
        let table = TableName::new(table);
        for file in self.files {
            let model = file.look.eloquent.iter().find(|found| found.writes(column));
            if let Some(found) = model.filter(|found| own(file) || found.maps(&table)) {
                answer.say(Grade::E3, &format!("Eloquent: {} writes {column} by itself", found.class));
                answer.lead(&file.entry.path, found.line, format!("{}: {column}", found.class));
                return;
            }
        }
    }

    /// A table that joins two others and has no model: declared from both sides.
    fn joins(&self, answer: &mut Answer, table: &str) {
        let name = TableName::new(table);
        let found = self.files.iter().filter(|file| file.look.weight == Weight::Strong).find_map(|file| {
            let join = file.look.joins.iter().find(|join| join.makes(&name))?;
            Some((file, join))
        });
        if let Some((file, join)) = found.filter(|_| answer.grade < Grade::E3) {
            answer.say(Grade::E3, &format!("{} makes the name {table} of {}", file.entry.path, join.shown()));
            answer.lead(&file.entry.path, join.line, join.text.clone());
        }
    }

    fn table(&self, table: &str, subjects: Subjects) -> Answer {
        let common = self.is_common(subjects.name);
        let words = self.forms.subjects.get(subjects.name).map_or(0, |subject| pieces(&subject.written).len());
        let mentions = self.mentions(subjects.name, |_, _, occurrence| {
            let telling = match occurrence.around {
                // `log.info(…)` beside a statement is none of it.
                Around::Sql => occurrence.quoted || !common,
                Around::Quoted => !common,
                _ => words > 1,
            };
            Some(if occurrence.written && telling { Grade::E3 } else { Grade::E2 })
        });
        let mut answer = answer(mentions);
        self.silence(&mut answer, subjects.name, false);
        let mapped = mapped(table, self.models);
        if let Some(one) = mapped.first() {
            let grade = if one.belongs == Belongs::Perhaps { answer.grade.max(Grade::E2) } else { Grade::E3 };
            answer.say(grade, &format!("{}: {} maps {table}", one.model.mapper.title(), class(one.model)));
            answer.lead(one.path, one.model.line, format!("model {}", class(one.model)));
        }
        if is_perhaps(&mapped) {
            self.joins(&mut answer, table);
            self.eloquent_model(&mut answer, table);
        }
        self.stems(&mut answer, table);
        answer
    }

    /// A statement whose table's name is put together may mean this one.
    fn stems(&self, answer: &mut Answer, table: &str) {
        let table = table.to_ascii_lowercase();
        let found = self.files.iter().find_map(|file| {
            let stem = file.look.stems.iter().find(|stem| table.starts_with(&stem.text) && table != stem.text)?;
            Some((file, stem))
        });
        if let Some((file, stem)) = found.filter(|_| answer.grade < Grade::E2) {
            let words = format!("{} puts names of tables together that begin with {}", file.entry.path, stem.text);
            answer.say(Grade::E2, &words);
            answer.lead(&file.entry.path, stem.line, stem.shown.clone());
        }
    }

    /// A model of Eloquent, which needs to say nothing of its table.
    fn eloquent_model(&self, answer: &mut Answer, table: &str) {
        let name = TableName::new(table);
        let found = self.files.iter().filter(|file| file.look.weight == Weight::Strong).find_map(|file| {
            let model = file.look.eloquent.iter().find(|model| model.maps(&name))?;
            Some((file, model))
        });
        if let Some((file, model)) = found.filter(|_| answer.grade < Grade::E3) {
            answer.say(Grade::E3, &format!("Eloquent: {} maps {table}", model.class));
            answer.lead(&file.entry.path, model.line, format!("model {}", model.class));
        }
    }

    /// Whether the table's columns are used by places that change. `asked` are the tables of which the
    /// same is asked.
    fn positions(&self, table: &str, places: Places, subjects: Subjects, asked: &[(Asked, Known)]) -> Answer {
        let mut answer = Answer { grade: Grade::E0, hits: vec![], mapper: None };
        let changes = |other: &String| {
            asked.iter().any(|(asked, _)| {
                matches!(asked, Asked::Positions(table, same) if *same == places && table.name.key.eq_ignore_ascii_case(other))
            })
        };
        let in_step = |used: &Used| !used.with.is_empty() && used.with.iter().all(changes);
        let found = self.places(subjects.name, |used| match (used.how, places) {
            (How::Values | How::Into, Places::Appended) => None,
            (How::Into | How::Counts, _) if in_step(used) => None,
            (How::Values | How::Into | How::Copy | How::Counts, _) => Some(Grade::E3),
            (How::Numbers, Places::Moved) => Some(Grade::E3),
            (How::Load, _) => Some(Grade::E2),
            (How::Numbers | How::Every, _) => None,
        });
        if let Some((grade, one)) = found {
            answer.say(grade, &one.words(table));
            answer.lead(one.path, one.at.line, one.at.text.clone());
        }
        answer
    }

    /// Upserts that need a unique index over these columns.
    fn upsert(&self, table: &str, columns: &[Ident], subjects: Subjects) -> Answer {
        let mut wanted: Vec<String> = columns.iter().map(|column| compact(&column.written)).collect();
        wanted.sort();
        let mut answer = Answer { grade: Grade::E0, hits: vec![], mapper: None };
        let strong = self.files.iter().zip(self.found).filter(|(file, _)| file.look.weight == Weight::Strong);
        for (file, found) in strong {
            let needed = found.upserts.iter().find(|(one, _)| one.table == subjects.name && one.columns == wanted);
            if let Some((_, at)) = needed {
                let names: Vec<&str> = columns.iter().map(|column| column.written.as_str()).collect();
                answer.say(Grade::E3, &format!("an upsert needs ({}) to be unique in {table}", names.join(", ")));
                answer.lead(&file.entry.path, at.line, at.text.clone());
                break;
            }
        }
        answer
    }

    /// An index or a constraint by its name.
    fn index(&self, named: Named, subjects: Subjects) -> Answer {
        let subject = self.forms.subjects.get(subjects.name);
        // A name of one word is also a column's.
        let telling = subject.is_some_and(|subject| pieces(&subject.written).len() > 1);
        let mentions = self.mentions(subjects.name, |_, _, occurrence| {
            let quoted =
                matches!(occurrence.around, Around::Quoted | Around::Fragment | Around::Words | Around::Sql);
            Some(match named {
                _ if occurrence.around == Around::Hint => Grade::E3,
                // The database warns and goes another way.
                _ if occurrence.text.contains("/*+") => Grade::E2,
                Named::Renamed if telling && occurrence.written && quoted && !declares(&occurrence.text) => {
                    Grade::E2
                }
                Named::Gone | Named::Renamed => Grade::E1,
            })
        });
        answer(mentions)
    }

    /// A value, or an object by its own name: no mapper has a rule. A common one is certain only
    /// beside a table that has it.
    fn plain(&self, subjects: Subjects, beside: &[usize]) -> Answer {
        let common = self.is_common(subjects.name);
        let role = self.forms.subjects.get(subjects.name).map(|subject| subject.role);
        let tables: Vec<(usize, Vec<String>)> = beside
            .iter()
            .filter_map(|&at| {
                let table = self.forms.subjects.get(at)?;
                Some((at, numbers(&pieces(&table.written)).iter().map(|form| form.concat()).collect()))
            })
            .collect();
        let mentions = self.mentions(subjects.name, |file, found, occurrence| {
            // Prisma's client writes what its enums declare.
            let declared = || {
                file.sort.language == Language::Prisma
                    && occurrence.text.split_whitespace().next()
                        == self.forms.subjects.get(subjects.name).map(|subject| subject.written.as_str())
                    && occurrence.text.split_whitespace().nth(1).is_none_or(|next| next.starts_with("@map"))
            };
            let telling = role == Some(Role::Object)
                || matches!(occurrence.around, Around::Quoted | Around::Sql)
                || declared();
            let sure = telling && occurrence.written;
            let named = || {
                tables.iter().any(|(at, forms)| {
                    found.of(*at).is_some_and(Found::is_named) || path_names(&file.entry.path, forms)
                })
            };
            Some(if sure && (!common || named()) { Grade::E3 } else { Grade::E2 })
        });
        let mut answer = answer(mentions);
        self.silence(&mut answer, subjects.name, false);
        answer
    }
}

/// Whether the statement around a column's name means a column of that name that another table has.
/// One that names neither may ask a view.
fn is_of_another(occurrence: &Occurrence, table: &str, known: &Known) -> bool {
    !occurrence.owners.iter().any(|owner| owner.eq_ignore_ascii_case(table))
        && occurrence.owners.iter().any(|owner| known.elsewhere.contains(owner))
}

/// Whether a line gives an index or a constraint its name: what mappers' models say for migrations.
fn declares(line: &str) -> bool {
    const MARKS: &[&str] = &[
        "Index(",
        "index(",
        "index:",
        "Index:",
        "@@",
        "UniqueConstraint",
        "CheckConstraint",
        "ForeignKey",
        "HasDatabaseName",
        "HasName",
        "HasIndex",
        "add_index",
        "unique:",
        "name=",
        "name =",
        "name:",
        "name =>",
    ];
    // `error.constraint_name == "x"`, `unique_constraint(:email, name: :x)`: what handles an error.
    !line.contains("==") && !line.contains("_constraint(") && MARKS.iter().any(|mark| line.contains(mark))
}

/// What a grade is worth in a file of this weight.
fn weaker(grade: Grade, weight: Weight) -> Grade {
    match (grade, weight) {
        (grade, Weight::Strong) => grade,
        (Grade::E2 | Grade::E3, Weight::Test) => Grade::E1,
        (Grade::E3, _) => Grade::E2,
        (Grade::E2, _) => Grade::E1,
        (grade, _) => grade,
    }
}

/// The mentions as an answer: the strongest decide.
fn answer(mut mentions: Vec<Mention<'_>>) -> Answer {
    mentions.sort_by(|left, right| {
        let strength = |one: &Mention<'_>| (one.grade, one.weight == Weight::Strong, one.occurrence.around);
        strength(right)
            .cmp(&strength(left))
            .then_with(|| (left.path, left.occurrence.line).cmp(&(right.path, right.occurrence.line)))
    });
    let grade = mentions.first().map_or(Grade::E0, |first| first.grade);
    let mut hits: Vec<Hit> = vec![];
    for mention in mentions.iter().take_while(|mention| mention.grade == grade) {
        let at = Place { path: mention.path.to_owned(), line: mention.occurrence.line };
        if hits.len() < HITS && !hits.iter().any(|hit| hit.at == at) {
            hits.push(Hit { at, text: mention.occurrence.text.clone() });
        }
    }
    Answer { grade, hits, mapper: None }
}

/// What is shown of a model's own line.
fn declaration(mapped: &Mapped<'_>, column: &str) -> String {
    format!("{}: {column}", class(mapped.model))
}

fn class(model: &Model) -> &str {
    if model.class.is_empty() { model.table.as_deref().unwrap_or_default() } else { &model.class }
}

/// A file's name without its ending.
fn stem(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.split('.').next()
}

/// Whether a directory or the file itself has the table's name: `app/views/users/show.html.erb`.
fn path_names(path: &str, forms: &[String]) -> bool {
    path.split('/').any(|part| {
        let part = part.split('.').next().unwrap_or(part);
        pieces(part).iter().any(|piece| forms.contains(piece)) || forms.contains(&compact(part))
    })
}
