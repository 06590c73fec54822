//! The forms in which code writes a name, as patterns of one automaton.
//!
//! A pattern is looked for in any case; that leaves three spellings of `nick_name` (`nick_name`,
//! `nickname`, `nick-name`), which cover snake, camel, Pascal, SCREAMING and kebab. Not here: what
//! stands around a match ([`super::search()`]).

use std::collections::BTreeMap;

use super::Asked;
use super::upserts::Upsert;
use super::words::{compact, letters, numbers, pieces, plurals, singulars};

/// What a name is looked for as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Role {
    /// A column.
    Column,
    /// A table or its class.
    Table,
    /// What a foreign key's column is called without its `_id`.
    Association,
    /// A value of an enum.
    Value,
    /// Anything else.
    Object,
}

/// One name that is looked for; several questions may share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Subject {
    pub(super) role: Role,
    /// What the database compares.
    pub(super) key: String,
    /// As it was written.
    pub(super) written: String,
}

/// The subjects of a question: what it asks for first, then the table, then the association.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subjects {
    pub(super) name: usize,
    pub(super) table: Option<usize>,
    pub(super) association: Option<usize>,
}

/// All names of a search, and the patterns that find them.
#[derive(Debug, Default)]
pub(super) struct Forms {
    pub(super) subjects: Vec<Subject>,
    /// Of each question.
    pub(super) of: Vec<Subjects>,
    /// What is looked for.
    pub(super) patterns: Vec<Pattern>,
    /// Of each question: tables beside whose names a value is certain to be meant.
    pub(super) beside: Vec<Vec<usize>>,
    /// The unique indexes that upserts may need.
    pub(super) upserts: Vec<Upsert>,
}

/// A text that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// In lower case, at most [`LONGEST`] bytes.
    pub(super) text: String,
    /// The subjects whose it is.
    pub(super) of: Vec<usize>,
    /// Only the beginning of a longer name: whatever goes on from there is taken for it.
    pub(super) cut: bool,
}

/// How many bytes of a name are looked for. It is more than any database takes that has a limit, in
/// ASCII: PostgreSQL 63 bytes, MySQL 64 characters, Oracle 128 bytes, SQL Server 128 characters. The
/// automaton's cost is the square of a pattern's length where the pattern repeats itself.
pub(super) const LONGEST: usize = 256;

/// The beginning of a form that is looked for, and whether it is less than the form.
fn bounded(mut text: String) -> (String, bool) {
    let cut = text.len() > LONGEST;
    if cut {
        text.truncate(text.floor_char_boundary(LONGEST));
    }
    (text, cut)
}

impl Forms {
    /// The forms of these questions. `classes` are class names that mappers give to a table's key.
    pub(super) fn new(asked: &[Asked], classes: &BTreeMap<String, Vec<String>>) -> Self {
        let mut forms = Self::default();
        let mut known: BTreeMap<Subject, usize> = BTreeMap::new();
        for question in asked {
            let mut subject = |role, key: &str, written: &str| {
                let subject = Subject { role, key: key.to_owned(), written: written.to_owned() };
                *known.entry(subject.clone()).or_insert_with(|| {
                    forms.subjects.push(subject);
                    forms.subjects.len() - 1
                })
            };
            let of = match question {
                Asked::Table(table) | Asked::Positions(table, _) | Asked::Upsert(table, _) => {
                    let name = subject(Role::Table, &table.name.key, &table.name.written);
                    Subjects { name, table: Some(name), association: None }
                }
                Asked::Column(table, column) => Subjects {
                    name: subject(Role::Column, &column.key, &column.written),
                    table: Some(subject(Role::Table, &table.name.key, &table.name.written)),
                    association: association(&column.written).map(|name| subject(Role::Association, &name, &name)),
                },
                Asked::Value(value, _) => {
                    Subjects { name: subject(Role::Value, value, value), table: None, association: None }
                }
                Asked::Index(index, _) => Subjects {
                    name: subject(Role::Object, &index.key, &index.written),
                    table: None,
                    association: None,
                },
                Asked::Object(object) => Subjects {
                    name: subject(Role::Object, &object.name.key, &object.name.written),
                    table: None,
                    association: None,
                },
            };
            let beside = match question {
                Asked::Value(_, tables) => {
                    tables.iter().map(|table| subject(Role::Table, &table.name.key, &table.name.written)).collect()
                }
                _ => vec![],
            };
            forms.beside.push(beside);
            if let Asked::Upsert(table, columns) = question {
                let mut columns: Vec<String> = columns.iter().map(|column| compact(&column.written)).collect();
                columns.sort();
                forms.upserts.push(Upsert { table: of.name, name: table.name.key.to_lowercase(), columns });
            }
            forms.of.push(of);
        }
        let mut patterns: BTreeMap<String, (Vec<usize>, bool)> = BTreeMap::new();
        for (at, subject) in forms.subjects.iter().enumerate() {
            for (text, is_cut) in spellings(subject, classes).into_iter().map(bounded) {
                let (of, cut) = patterns.entry(text).or_default();
                *cut |= is_cut;
                if !of.contains(&at) {
                    of.push(at);
                }
            }
        }
        forms.patterns = patterns.into_iter().map(|(text, (of, cut))| Pattern { text, of, cut }).collect();
        forms
    }
}

/// What a mapper calls the association of a foreign key's column: `user` of `user_id`, `userId`;
/// `commentable` of `commentable_type`.
pub(super) fn association(column: &str) -> Option<String> {
    let pieces = pieces(column);
    let (last, rest) = pieces.split_last()?;
    (matches!(last.as_str(), "id" | "type" | "uuid") && !rest.is_empty()).then(|| rest.join("_"))
}

/// The spellings of a subject, in lower case, whatever the case they are looked for in.
fn spellings(subject: &Subject, classes: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut found = vec![];
    let mut add = |text: String| {
        if !text.is_empty() && !found.contains(&text) {
            found.push(text);
        }
    };
    add(subject.key.to_ascii_lowercase());
    add(subject.written.to_ascii_lowercase());
    let name = pieces(&subject.written);
    let names = match subject.role {
        Role::Table => {
            let mut names = numbers(&name);
            if let Some(bare) = without_prefix(&name) {
                names.extend(numbers(&bare));
            }
            names.extend(classes.get(&subject.key).into_iter().flatten().map(|class| pieces(class)));
            names
        }
        _ => vec![name],
    };
    for name in names {
        add(name.join("_"));
        add(name.concat());
        add(name.join("-"));
    }
    found
}

/// Prefixes that tables have and classes have not.
const PREFIXES: &[&str] = &["tbl", "tb", "t", "app", "core", "main", "dbo", "wp", "sys", "tab", "api", "web"];

/// The name without a prefix that only tables have.
fn without_prefix(name: &[String]) -> Option<Vec<String>> {
    let (first, rest) = name.split_first()?;
    (!rest.is_empty() && PREFIXES.contains(&first.as_str())).then(|| rest.to_vec())
}

/// Whether silence about a name says little: it is short, or every program has it.
pub(super) fn is_common(name: &str) -> bool {
    let words = pieces(name);
    let letters: usize = words.iter().map(|word| word.chars().count()).sum();
    if letters <= 4 {
        return true;
    }
    let [word] = words.as_slice() else {
        return COMMON.contains(&words.join("_").as_str()) || COMMON.contains(&words.concat().as_str());
    };
    singulars(word).iter().chain(&plurals(word)).any(|word| COMMON.contains(&word.as_str()))
}

const COMMON: &[&str] = &[
    "action",
    "active",
    "address",
    "amount",
    "author",
    "category",
    "class",
    "comment",
    "content",
    "count",
    "created",
    "created_at",
    "created_by",
    "data",
    "date",
    "default",
    "deleted",
    "deleted_at",
    "description",
    "email",
    "enabled",
    "error",
    "event",
    "field",
    "file",
    "first_name",
    "group",
    "hash",
    "image",
    "index",
    "info",
    "item",
    "key",
    "label",
    "last_name",
    "level",
    "link",
    "list",
    "message",
    "meta",
    "metadata",
    "method",
    "mode",
    "model",
    "name",
    "note",
    "number",
    "object",
    "option",
    "order",
    "owner",
    "parent",
    "parent_id",
    "password",
    "path",
    "phone",
    "position",
    "price",
    "product",
    "reason",
    "result",
    "role",
    "session",
    "size",
    "sort",
    "source",
    "start",
    "state",
    "status",
    "string",
    "subject",
    "table",
    "target",
    "task",
    "text",
    "time",
    "timestamp",
    "title",
    "token",
    "total",
    "type",
    "updated",
    "updated_at",
    "updated_by",
    "user",
    "user_id",
    "username",
    "uuid",
    "value",
    "version",
];

/// The forms as people read them, few.
pub(super) fn shown(subject: &Subject, classes: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut found: Vec<String> = vec![];
    let mut add = |text: String| {
        if !text.is_empty() && found.len() < 8 && !found.contains(&text) {
            found.push(text);
        }
    };
    add(subject.written.clone());
    add(subject.key.clone());
    let name = pieces(&subject.written);
    let names = match subject.role {
        Role::Table => {
            for class in classes.get(&subject.key).into_iter().flatten() {
                add(class.clone());
            }
            let mut names = numbers(&name);
            names.sort_by_key(|name| name.concat().len());
            names.into_iter().take(3).collect()
        }
        _ => vec![name],
    };
    for name in names {
        add(name.join("_"));
        add(pascal(&name));
        if subject.role != Role::Table {
            let camel = pascal(&name);
            let first = camel.chars().next().map(|letter| letter.to_lowercase().collect::<String>());
            add(first.unwrap_or_default() + camel.get(1..).unwrap_or_default());
            add(name.join("_").to_uppercase());
        }
    }
    found
}

fn pascal(name: &[String]) -> String {
    name.iter()
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        })
        .collect()
}

/// Whether two names are the same whatever the case and the separators.
pub(super) fn same(left: &str, right: &str) -> bool {
    letters(left).eq(letters(right))
}

#[cfg(test)]
mod tests {
    use super::{Forms, LONGEST, association, bounded, is_common, shown};
    use crate::evidence::Asked;
    use crate::operation::{Ident, Name};

    fn patterns(asked: Asked) -> Vec<String> {
        let forms = Forms::new(&[asked], &Default::default());
        forms.patterns.into_iter().map(|pattern| pattern.text).collect()
    }

    #[test]
    fn a_table_is_looked_for_in_both_numbers() {
        let table = |name: &str| patterns(Asked::Table(Name::plain(Ident::exact(name))));
        assert!(table("order_items").contains(&"orderitem".to_owned()));
        assert!(table("tbl_people").contains(&"person".to_owned()));
        assert!(table("tbl_people").contains(&"tbl_people".to_owned()));
        assert!(table("ApiKeys").contains(&"api_key".to_owned()));
        assert!(!table("order_items").contains(&"items".to_owned()));
    }

    #[test]
    fn of_a_name_longer_than_any_database_takes_the_beginning_is_looked_for() {
        let subject = |length: usize| {
            let name: String = "berth_".chars().cycle().take(length).collect();
            Forms::new(&[Asked::Table(Name::plain(Ident::exact(&name)))], &Default::default())
        };
        let (long, longer) = (subject(6 * LONGEST), subject(60 * LONGEST));
        assert!(long.patterns.iter().all(|pattern| pattern.cut && pattern.text.len() <= LONGEST));
        // So a longer one costs no more.
        assert_eq!(long.patterns, longer.patterns);
        assert!(subject(LONGEST - 2).patterns.iter().all(|pattern| !pattern.cut));
        let (text, cut) = bounded("é".repeat(LONGEST));
        assert!(cut && text == "é".repeat(LONGEST / 2));
        assert_eq!(bounded(format!("a{}", "é".repeat(LONGEST))).0.len(), LONGEST - 1);
    }

    #[test]
    fn a_foreign_keys_column_has_an_association() {
        for (column, expected) in [
            ("user_id", Some("user")),
            ("parentGroupId", Some("parent_group")),
            ("commentable_type", Some("commentable")),
            ("id", None),
            ("type", None),
            ("nick_name", None),
        ] {
            assert_eq!(association(column).as_deref(), expected, "{column}");
        }
    }

    #[test]
    fn common_names_are_told_from_telling_ones() {
        for name in ["id", "name", "Status", "e_mail", "types", "created_at", "users", "KEY", "dob"] {
            assert!(is_common(name), "{name}");
        }
        for name in ["nick_name", "nickname", "legacy_code", "order_items", "gittip_username"] {
            assert!(!is_common(name), "{name}");
        }
    }

    #[test]
    fn few_forms_are_shown() {
        let forms = Forms::new(
            &[Asked::Column(Name::plain(Ident::exact("users")), Ident::folded("nick_name"))],
            &Default::default(),
        );
        assert_eq!(
            shown(&forms.subjects[0], &Default::default()),
            ["nick_name", "NickName", "nickName", "NICK_NAME"]
        );
        assert_eq!(shown(&forms.subjects[1], &Default::default()), ["users", "user", "User", "Users"]);
    }
}
