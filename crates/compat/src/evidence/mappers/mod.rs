//! Object mappers: what their models declare, and what that means for a column that goes away.
//!
//! One file and one row each. A reader takes a file's text with its comments blanked and gives the
//! classes in it that map a table, in no language's grammar; what it cannot tell it leaves open.
//! Not here: the grade.

mod braces;
mod diesel;
mod django;
mod doctrine;
mod drizzle;
mod ecto;
mod efcore;
pub(super) mod eloquent;
mod gorm;
pub(super) mod joins;
mod jooq;
mod jpa;
mod prisma;
mod python;
mod rails;
mod sequelize;
mod sqlalchemy;
mod typeorm;

use std::collections::BTreeMap;

use super::forms::{association, same};
use super::language::Language;
use super::words::{TableName, compact, letters};

/// What a field is to its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    /// A column.
    Column,
    /// A reference whose column has the field's name with `_id`.
    Association,
    /// Declared, or named, and left out of all statements.
    Ignored,
    /// The columns of another class, each with a prefix: the name is the prefix, and the column is the class.
    Embedded,
    /// Every column that the table had when the program started.
    Reflected,
}

/// A field of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    /// The column, where it is said.
    pub(super) column: Option<String>,
    pub(super) kind: FieldKind,
    pub(super) line: u32,
}

/// A class, struct or block that maps a table, or is a part of one that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) mapper: Mapper,
    pub(super) class: String,
    /// The table, where it is said.
    pub(super) table: Option<String>,
    /// What it takes fields from, by their last names.
    pub(super) bases: Vec<String>,
    pub(super) fields: Vec<Field>,
    /// Whether it is a model at all, its bases have to say.
    pub(super) derived: bool,
    /// It may have fields that cannot be seen: reflection, foreign bases.
    pub(super) open: bool,
    /// A base or mixin: maps no table itself.
    pub(super) part: bool,
    pub(super) line: u32,
}

#[cfg(test)]
impl Model {
    /// Its fields, for tests: name, column where it is said, kind.
    fn told(&self) -> Vec<(&str, Option<&str>, FieldKind)> {
        self.fields.iter().map(|field| (field.name.as_str(), field.column.as_deref(), field.kind)).collect()
    }
}

/// The object mappers that have a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Mapper {
    Rails,
    Django,
    SqlAlchemy,
    Doctrine,
    Prisma,
    Drizzle,
    TypeOrm,
    Sequelize,
    EfCore,
    Jpa,
    Jooq,
    Diesel,
    Gorm,
    Ecto,
}

/// A row: how a mapper's models are recognised and read.
struct Row {
    mapper: Mapper,
    title: &'static str,
    language: Language,
    /// A file without any of these has none of its models.
    marks: &'static [&'static str],
    read: fn(&str) -> Vec<Model>,
}

const ROWS: &[Row] = &[
    rails::ROW,
    django::ROW,
    sqlalchemy::ROW,
    doctrine::ROW,
    prisma::ROW,
    drizzle::ROW,
    typeorm::ROW,
    sequelize::ROW,
    efcore::ROW,
    jpa::ROW,
    jooq::ROW,
    diesel::ROW,
    gorm::ROW,
    ecto::ROW,
];

impl Mapper {
    /// Its name as people write it.
    pub(super) fn title(self) -> &'static str {
        ROWS.iter().find(|row| row.mapper == self).map_or("", |row| row.title)
    }
}

/// Whether a file may hold a model, by its bytes.
pub(super) fn may_hold(language: Language, bytes: &[u8]) -> bool {
    ROWS.iter().any(|row| row.language == language && marked(row, bytes))
        || language == Language::Php && memchr::memmem::find(bytes, b" extends ").is_some()
        || joins::may_hold(bytes)
}

fn marked(row: &Row, bytes: &[u8]) -> bool {
    row.marks.iter().any(|mark| memchr::memmem::find(bytes, mark.as_bytes()).is_some())
}

/// The models of a file. `text` has no comments any more.
pub(super) fn read(language: Language, text: &str) -> Vec<Model> {
    ROWS.iter()
        .filter(|row| row.language == language && marked(row, text.as_bytes()))
        .flat_map(|row| (row.read)(text))
        .collect()
}

/// How a model belongs to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Belongs {
    /// Perhaps: its name is the end of the table's.
    Perhaps,
    /// By the mapper's convention.
    Convention,
    /// It says so.
    Said,
}

/// Whether a model maps a table; `path` is its file's.
pub(super) fn belongs(model: &Model, path: &str, table: &TableName<'_>) -> Option<Belongs> {
    if model.part {
        return None;
    }
    if let Some(said) = &model.table {
        let said = said.rsplit('.').next().unwrap_or(said).trim_matches(['"', '`', '[', ']']);
        return said.eq_ignore_ascii_case(table.name).then_some(Belongs::Said);
    }
    if model.mapper == Mapper::Django {
        return django::belongs(&model.class, path, table.name);
    }
    if table.is_class(&model.class) {
        return Some(Belongs::Convention);
    }
    let suffix = ["Entity", "Model", "Record"].iter().find_map(|suffix| model.class.strip_suffix(suffix));
    if suffix.is_some_and(|class| table.is_class(class)) {
        return Some(Belongs::Convention);
    }
    table.is_class_behind_prefix(&model.class).then_some(Belongs::Perhaps)
}

/// Whether a class is a model: by itself, or because a base in the tree is one.
pub(super) fn is_model(model: &Model, models: &Models<'_>) -> bool {
    const DEEP: usize = 8;
    const MANY: usize = 200;
    let mut waiting = vec![(model, 0_usize)];
    let mut looked = 0;
    while let Some((model, depth)) = waiting.pop() {
        looked += 1;
        if !model.derived {
            return true;
        }
        if depth < DEEP && looked < MANY {
            let bases = model.bases.iter().filter_map(|base| models.get(base.as_str())).flatten();
            let bases = bases.filter(|(_, base)| base.mapper == model.mapper);
            waiting.extend(bases.map(|(_, base)| (*base, depth + 1)));
        }
    }
    false
}

/// All models of a tree by their class names, with their paths.
pub(super) type Models<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a Model)>>;

/// What a model says of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Says {
    /// It is declared; path and line.
    Declared(String, u32),
    /// It is named as ignored.
    Ignored(String, u32),
    /// It is not there, and all fields were seen.
    Absent,
    /// It begins as the columns of a class that is embedded, and that class is not here; path and line.
    Embedded(String, u32),
    /// All columns were read from the database when the program started; path and line.
    Reflected(String, u32),
    /// It is not there; not all fields were seen.
    Unknown,
}

/// A column's name as fields are called by it: taken apart once, however many fields there are.
pub(super) struct ColumnName<'a> {
    name: &'a str,
    compact: String,
    association: Option<String>,
}

impl<'a> ColumnName<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self { name, compact: compact(name), association: association(name) }
    }

    /// Whether a name is this one whatever the case and the separators.
    fn is(&self, name: &str) -> bool {
        letters(name).eq(self.compact.chars())
    }
}

/// What a class that is embedded does to a column.
enum Part {
    /// The class has it.
    Has,
    /// It begins as the class's columns do, and the class is not here.
    May,
    /// The class is not here.
    Open,
    None,
}

/// What a field that embeds a class says of a column.
fn embedded(field: &Field, column: &ColumnName<'_>, mapper: Mapper, models: &Models<'_>) -> Part {
    let prefix = compact(&field.name);
    // JPA puts no prefix before them, unless a naming strategy does.
    let prefixes = [Some(prefix.as_str()), (mapper == Mapper::Jpa).then_some("")];
    let class = field.column.as_deref().unwrap_or_default();
    let known: Vec<&Model> = models
        .get(class)
        .into_iter()
        .flatten()
        .map(|(_, model)| *model)
        .filter(|model| model.mapper == mapper)
        .collect();
    let mut part = if known.is_empty() { Part::Open } else { Part::None };
    for prefix in prefixes.into_iter().flatten() {
        let Some(rest) = column.compact.strip_prefix(prefix).filter(|rest| !rest.is_empty()) else { continue };
        let rest = ColumnName::new(rest);
        let has = |model: &&Model| {
            let holds = |field: &Field| field.kind != FieldKind::Embedded && named(field, &rest, mapper).is_some();
            model.fields.iter().any(holds)
        };
        if known.iter().any(has) {
            return Part::Has;
        }
        // What it has of others cannot be seen from here.
        let more = known.iter().any(|model| {
            !model.bases.is_empty() || model.fields.iter().any(|field| field.kind == FieldKind::Embedded)
        });
        if known.is_empty() && !prefix.is_empty() {
            part = Part::May;
        } else if more && matches!(part, Part::None) {
            part = Part::Open;
        }
    }
    part
}

/// What a model and its bases say of a column.
pub(super) fn says(model: &Model, path: &str, column: &ColumnName<'_>, models: &Models<'_>) -> Says {
    const DEEP: usize = 12;
    let mut waiting = vec![(path, model, 0_usize)];
    let mut seen: Vec<*const Model> = vec![];
    let mut declared = None;
    let mut ignored = None;
    let mut open = false;
    let (mut may, mut reflected) = (None, None);
    while let Some((path, model, depth)) = waiting.pop() {
        if seen.contains(&std::ptr::from_ref(model)) || depth > DEEP {
            continue;
        }
        seen.push(std::ptr::from_ref(model));
        open |= model.open;
        for field in &model.fields {
            if field.kind == FieldKind::Embedded {
                match embedded(field, column, model.mapper, models) {
                    Part::Has => declared = declared.or(Some((path.to_owned(), field.line))),
                    // Of EF Core's properties nothing tells a class that is embedded from another one.
                    Part::None => {}
                    Part::May | Part::Open if model.mapper == Mapper::EfCore => {}
                    Part::May => may = may.or(Some((path.to_owned(), field.line))),
                    Part::Open => open = true,
                }
                continue;
            }
            if field.kind == FieldKind::Reflected {
                reflected = reflected.or(Some((path.to_owned(), field.line)));
                continue;
            }
            match named(field, column, model.mapper) {
                Some(FieldKind::Ignored) => ignored = ignored.or(Some((path.to_owned(), field.line))),
                Some(_) => declared = declared.or(Some((path.to_owned(), field.line))),
                None => {}
            }
        }
        for base in &model.bases {
            match known_base(model.mapper, base) {
                Some(columns) => {
                    if columns.iter().any(|name| column.is(name)) {
                        declared = declared.or(Some((path.to_owned(), model.line)));
                    }
                }
                None => match models.get(base.as_str()) {
                    Some(found) => waiting.extend(
                        found
                            .iter()
                            .filter(|(_, found)| found.mapper == model.mapper)
                            .map(|(path, found)| (*path, *found, depth + 1)),
                    ),
                    None => open |= !harmless(model.mapper),
                },
            }
        }
    }
    match (ignored, declared) {
        // In Rails the list wins, and so does a deprecation over the declaration on the same line.
        (Some((path, line)), _) => Says::Ignored(path, line),
        (None, Some((path, line))) => Says::Declared(path, line),
        (None, None) => match (may, reflected) {
            (Some((path, line)), _) => Says::Embedded(path, line),
            (None, Some((path, line))) => Says::Reflected(path, line),
            (None, None) if open => Says::Unknown,
            (None, None) => Says::Absent,
        },
    }
}

/// Whether a field is this column, and as what.
fn named(field: &Field, column: &ColumnName<'_>, mapper: Mapper) -> Option<FieldKind> {
    let is = match (&field.column, field.kind) {
        (Some(said), _) => said.eq_ignore_ascii_case(column.name) || mapper == Mapper::Rails && column.is(said),
        (None, FieldKind::Association) => column.association.as_ref().is_some_and(|name| same(name, &field.name)),
        (None, _) => column.is(&field.name),
    };
    is.then_some(field.kind)
}

/// Bases that frameworks bring, with the columns they declare.
fn known_base(mapper: Mapper, base: &str) -> Option<&'static [&'static str]> {
    match mapper {
        Mapper::Django => django::known_base(base),
        Mapper::SqlAlchemy => sqlalchemy::known_base(base),
        Mapper::Gorm => (base == "Model").then_some(&["id", "created_at", "updated_at", "deleted_at"]),
        _ => None,
    }
}

/// Whether a base that is not in the tree declares no column: mappers whose mixins are not columns,
/// and those where a base of the framework is the rule.
fn harmless(mapper: Mapper) -> bool {
    matches!(
        mapper,
        Mapper::Rails | Mapper::Prisma | Mapper::Drizzle | Mapper::Diesel | Mapper::Ecto | Mapper::Jooq
    )
}

/// The line, from 1, of a byte of a text.
fn line_of(text: &str, at: usize) -> u32 {
    let newlines = memchr::memchr_iter(b'\n', text.as_bytes().get(..at).unwrap_or_default()).count();
    u32::try_from(newlines).unwrap_or(u32::MAX).saturating_add(1)
}

/// The identifier at the beginning of a text.
fn word(text: &str) -> &str {
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(text.len());
    &text[..end]
}

/// The first string in a text, whatever its quotes.
fn literal(text: &str) -> Option<&str> {
    let start = text.find(['"', '\'', '`'])?;
    let quote = text.get(start..)?.chars().next()?;
    let rest = text.get(start + 1..)?;
    Some(&rest[..rest.find(quote)?])
}

/// The string given for a name: `name = "x"`, `name: 'x'`, `"name" => "x"`.
fn argument<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    for (at, _) in text.match_indices(name) {
        let before = text[..at].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || before == '_' {
            continue;
        }
        let rest = text[at + name.len()..].trim_start_matches(['"', '\'']).trim_start();
        let value = rest.strip_prefix("=>").or_else(|| rest.strip_prefix(['=', ':']));
        if let Some(value) = value.map(str::trim_start).filter(|value| value.starts_with(['"', '\'', '`'])) {
            return literal(value);
        }
    }
    None
}

/// The text within the bracket that opens at or after the beginning, and where it ends. Strings are
/// passed over. One that is longer than a declaration may be is none.
fn bracketed(text: &str) -> Option<(&str, usize)> {
    const LONGEST: usize = 16 << 10;
    bracketed_within(text, LONGEST)
}

/// The same, for what may be longer.
fn bracketed_within(text: &str, longest: usize) -> Option<(&str, usize)> {
    let start = text.bytes().take(longest).position(|byte| matches!(byte, b'(' | b'{' | b'['))?;
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, letter) in text.get(start..)?.char_indices().map(|(at, letter)| (at + start, letter)) {
        if at > start + longest {
            return None;
        }
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if letter == '\\' {
                escaped = true;
            } else if letter == open || letter == '\n' && open != '`' {
                quote = None;
            }
            continue;
        }
        match letter {
            '"' | '\'' | '`' => quote = Some(letter),
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some((text.get(start + 1..at)?, at + 1));
                }
            }
            _ => {}
        }
    }
    None
}

/// The pieces of a list at its commas, those within brackets and strings left alone, each with its
/// offset.
fn listed(text: &str) -> Vec<(usize, &str)> {
    let mut pieces = vec![];
    let (mut depth, mut start) = (0_usize, 0);
    let mut quote = None;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if letter == '\\' {
                escaped = true;
            } else if letter == open || letter == '\n' && open != '`' {
                quote = None;
            }
            continue;
        }
        match letter {
            '"' | '\'' | '`' => quote = Some(letter),
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                pieces.push((start, &text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push((start, text.get(start..).unwrap_or_default()));
    pieces
}
