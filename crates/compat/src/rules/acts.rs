//! What leaves no trace in a schema: rows that go, writes that are refused, statements that nobody
//! could read. Judged where they stand, against the schema as it is at that moment.

use super::{Change, Sides, UNREADABLE, constraints, types};
use crate::Verdict::{Incompatible, NeedsReview};
use crate::operation::{ConstraintKind, Data, Kind, Name, Operation, Restriction, Step, TypeBody, Unread};
use crate::schema::{Body, Mark, Other};
use crate::sql::Dialect;

/// What a step does that the schema will not show.
pub fn acts(sides: Sides<'_>, step: &Step, mark: Mark) -> Option<Change> {
    match &step.operation {
        Operation::Unread(unread) => Some(unreadable(unread, step, mark)),
        Operation::Data { data, table, every_row } => rows(sides, *data, table.as_ref(), *every_row, step, mark),
        Operation::CreateTable { table, temporary: false, .. } if !step.guarded && !step.conditional => {
            let known = sides.now.tables.get(table).filter(|known| sides.now.refuses_another(known, mark))?;
            sides.before.home(known.id)?;
            let words = format!("makes table {table} a second time: it is there already, and the database refuses");
            Some(Change::new("other-change", NeedsReview, table.to_string(), mark, words))
        }
        Operation::DropTable { table, .. } if sides.now.session.foreign_keys => cascades(sides, table, mark),
        Operation::Restrict { restriction, table } => restrict(sides, *restriction, table.as_ref(), step, mark),
        Operation::Create { kind: kind @ (Kind::Trigger | Kind::Policy), name, table } => {
            let on = table.as_ref().filter(|table| is_old(sides, table));
            let known = sides.before.others.get(&(*kind, sides.before.name_of(*kind, name, table.as_ref())));
            // That another trigger of the name is made is told of the name.
            let told = *kind == Kind::Trigger && known.is_some_and(|known| known.table == *table);
            // One that takes another's place also takes away what that one let.
            let same = known.map_or_else(|| only_allows(sides, step), |known| as_before(known, step));
            if table.is_some() && (on.is_none() || told) || same {
                return None;
            }
            let of = on.map(|table| format!(" on {table}")).unwrap_or_default();
            let (rule, what) =
                if *kind == Kind::Trigger { ("new-trigger", "trigger") } else { ("policy", "policy") };
            let object = on.unwrap_or(name).to_string();
            let words = format!("makes {what} {name}{of}, which may refuse or change what code writes");
            Some(Change::new(rule, NeedsReview, object, mark, words))
        }
        Operation::NarrowType { name, what } => {
            let known = sides.now.types.get(name);
            if known.is_some_and(|ty| sides.before.home(ty.id).is_none()) {
                return None;
            }
            let words = format!("changes type {name}: {what}");
            Some(Change::new("narrow-type", Incompatible, name.to_string(), mark, words))
        }
        Operation::Review { what, table } => {
            let new = table.as_ref().is_some_and(|table| !is_old(sides, table));
            let keyed = what == "a table is published" && table.as_ref().is_some_and(|table| has_key(sides, table));
            if new || keyed || (what.contains("deferred") && never_deferred(sides, table.as_ref(), &step.text)) {
                return None;
            }
            let object = table.as_ref().map(Name::to_string).unwrap_or_default();
            Some(Change::new("other-change", NeedsReview, object, mark, format!("needs a look: {what}")))
        }
        Operation::CreateIndex { table, columns, .. } => {
            let old = sides.before.tables.get(table)?;
            let of = columns.iter().find_map(|column| types::cast_text(&column.written, old))?;
            let words = format!("makes an index over a cast of {table}.{of}: what cannot be cast is refused");
            Some(Change::new("add-check", NeedsReview, format!("{table}.{of}"), mark, words))
        }
        Operation::CreateType { name, body: TypeBody::Other } if sides.dialect == Dialect::Oracle => {
            let known = sides.before.types.contains_key(name) && sides.now.types.contains_key(name);
            let words = format!("makes type {name} anew, perhaps with other attributes");
            known.then(|| Change::new("narrow-type", NeedsReview, name.to_string(), mark, words))
        }
        Operation::DropIndex { name, table: None } if sides.now.index(name, None).is_none() => {
            let unique = constraints::kind_by_name(&name.name.key.to_lowercase()) == Some("unique");
            if !unique || (step.guarded && sides.now.whole) {
                return None;
            }
            let words = format!("drops index {name}, which by its name is a unique one");
            Some(Change::new("drop-unique", NeedsReview, name.to_string(), mark, words))
        }
        _ => None,
    }
}

/// Whether a table has a primary key, by which its rows are told apart where they are published.
fn has_key(sides: Sides<'_>, table: &Name) -> bool {
    sides.now.tables.get(&sides.now.table_name(table)).is_some_and(|table| {
        table.constraints.iter().any(|held| matches!(held.kind, ConstraintKind::PrimaryKey(_)))
    })
}

/// A policy of PostgreSQL's that is not restrictive is joined to the others by OR. One that reads a
/// table or calls a function of the user's may fail, or ask itself without end.
fn only_allows(sides: Sides<'_>, step: &Step) -> bool {
    const CALLS: &[&str] = &["uid", "role", "jwt", "email", "current_setting", "coalesce", "lower", "nullif"];
    const BEFORE_BRACKET: &[&str] =
        &["using", "check", "and", "or", "not", "in", "any", "=", "(", ",", ">", "<", "is", "select"];
    let Some(body) = step.body.as_deref().filter(|_| sides.dialect == Dialect::Postgres) else {
        return false;
    };
    let words: Vec<&str> = crate::sql::body::words(body).collect();
    let calls_known = words.windows(2).all(|pair| match pair {
        [before, "("] => CALLS.contains(before) || BEFORE_BRACKET.contains(before),
        _ => true,
    });
    words.starts_with(&["create", "policy"])
        && !["restrictive", "from", "join"].iter().any(|word| words.contains(word))
        && calls_known
}

/// `ALTER CONSTRAINT name …` of one that was checked at once already, or that the range made.
fn never_deferred(sides: Sides<'_>, table: Option<&Name>, text: &str) -> bool {
    let name = text.split_whitespace().nth(2).unwrap_or_default().trim_matches('"');
    let Some(table) = table.and_then(|table| sides.before.tables.get(table)) else { return false };
    let known = table
        .constraints
        .iter()
        .find(|held| held.name.as_ref().is_some_and(|known| known.key.eq_ignore_ascii_case(name)));
    known.map_or(sides.before.whole, |held| held.deferrable == Some(false))
}

/// Whether the base has it word for word: `DROP TRIGGER IF EXISTS` and the same again.
fn as_before(known: &Other, step: &Step) -> bool {
    matches!((&known.body, &step.body), (Some(known), Some(text)) if *known == Body::new(text))
}

/// SQLite deletes every row of a table before it drops it, and what refers to them cascades.
fn cascades(sides: Sides<'_>, table: &Name, mark: Mark) -> Option<Change> {
    let cascades = |kind: &ConstraintKind| matches!(kind, ConstraintKind::ForeignKey { table: to, cascades: true, .. } if to == table);
    let (child, _) = sides.now.tables.iter().find(|(name, child)| {
        *name != table && is_old(sides, name) && child.constraints.iter().any(|held| cascades(&held.kind))
    })?;
    let words = format!("drops table {table} with foreign_keys on, which deletes or empties rows of {child}");
    Some(Change::new("delete-rows", NeedsReview, child.to_string(), mark, words))
}

/// Whether a name means something that code may know: not what the range made.
fn is_old(sides: Sides<'_>, name: &Name) -> bool {
    let name = sides.now.table_name(name);
    match (sides.now.tables.get(&name), sides.now.views.get(&name)) {
        (Some(table), _) => {
            let known = |known: &crate::schema::Table| !known.temporary;
            !table.temporary
                && (sides.before.home(table.id).is_some() || sides.before.tables.get(&name).is_some_and(known))
        }
        (None, Some(view)) => sides.before.home(view.id).is_some(),
        (None, None) => true,
    }
}

fn unreadable(unread: &Unread, step: &Step, mark: Mark) -> Change {
    let words = match unread {
        Unread::Syntax { words } => format!("could not be read: {words}"),
        Unread::UnknownStatement { head } => format!("begins with {head}, a statement that is not known here"),
        Unread::Dynamic => "puts its SQL together when it runs".to_owned(),
        Unread::Code { what } => {
            // A noun phrase is one; what was taken from the text is shown as such.
            let quoted = if what.starts_with("a ") { what.clone() } else { format!("`{what}`") };
            format!("runs a program, {quoted}, whose effect cannot be told from the text")
        }
        Unread::Framework { framework } => {
            format!("is a migration of {framework}, whose reader is not written yet")
        }
        Unread::Limit { limit, allowed } => format!("is over a limit: {limit}, at most {allowed}"),
        Unread::NoContent { words } => format!("has no content that could be read: {words}"),
    };
    Change::new(UNREADABLE, NeedsReview, format!("line {}", step.line), mark, words)
}

fn rows(
    sides: Sides<'_>,
    data: Data,
    table: Option<&Name>,
    every_row: bool,
    step: &Step,
    mark: Mark,
) -> Option<Change> {
    if data == Data::Select {
        if let Some(sequence) = set_to_a_number(sides, &step.text) {
            let words = format!("sets sequence {sequence} to a number: keys that are taken may come again");
            return Some(Change::new("other-change", NeedsReview, sequence, mark, words));
        }
        let call = unknown_call(&step.text)?;
        let words = format!("calls {call}, whose effect cannot be told from the text");
        return Some(Change::new(UNREADABLE, NeedsReview, format!("line {}", step.line), mark, words));
    }
    if matches!(data, Data::Insert | Data::Update) || table.is_some_and(|table| !is_old(sides, table)) {
        return None;
    }
    let of = table.map_or_else(|| "a table".to_owned(), Name::to_string);
    let words = match data {
        Data::Truncate => format!("empties {of}"),
        _ if every_row => format!("deletes every row of {of}"),
        _ => format!("deletes rows of {of}"),
    };
    Some(Change::new("delete-rows", NeedsReview, table.map(Name::to_string).unwrap_or_default(), mark, words))
}

/// Functions that a SELECT may call without changing a schema.
const HARMLESS: &[&str] = &[
    "setval",
    "set_config",
    "nextval",
    "currval",
    "lastval",
    "coalesce",
    "count",
    "max",
    "min",
    "sum",
    "now",
    "greatest",
    "least",
    "pg_get_serial_sequence",
    "pg_advisory_lock",
    "pg_advisory_xact_lock",
    "pg_advisory_unlock",
    "concat",
    "pg_try_advisory_lock",
    "pg_sleep",
    "current_setting",
    "version",
    "exists",
    "in",
    "values",
    "select",
    "and",
    "or",
    "not",
    "where",
    "from",
    "as",
    "on",
    "cast",
    "length",
    "lower",
    "upper",
    "if",
    "ifnull",
    "isnull",
    "database",
    "current_database",
    "pg_notify",
    "to_regclass",
    "last_insert_rowid",
    "changes",
    "row_number",
    "over",
    "then",
    "when",
    "else",
    "any",
    "all",
    "current_schema",
    "date",
    "round",
    "abs",
    "trim",
    "substring",
    "replace",
    "distinct",
    "union",
    "varchar",
    "numeric",
    "char",
    "decimal",
    "format",
    "quote_ident",
    "quote_literal",
    "pg_catalog",
    "array_agg",
    "string_agg",
    "group_concat",
    "json_agg",
    "jsonb_agg",
    "row_count",
    "found_rows",
    "get_lock",
    "release_lock",
    "object_id",
    "nullif",
    "using",
];

/// The first function that is called and not known to be harmless.
/// The sequence of the base that `setval('s', 1)` sets to a fixed number. One that goes by what the table
/// has, `setval('s', (SELECT max(id) …))`, gives no key twice.
fn set_to_a_number(sides: Sides<'_>, text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    lower.match_indices("setval").find_map(|(at, call)| {
        let arguments = lower.get(at + call.len()..)?.trim_start().strip_prefix('(')?;
        let (sequence, rest) = arguments.trim_start().strip_prefix('\'')?.split_once('\'')?;
        let number = rest.trim_start_matches("::regclass").trim_start().strip_prefix(',')?.trim_start();
        let name = sequence.rsplit('.').next().unwrap_or(sequence).trim_matches('"').to_owned();
        (number.starts_with(|first: char| first.is_ascii_digit()) && is_counted(sides, &name)).then_some(name)
    })
}

/// Whether the base has a sequence of this name, or a column that counts by it.
fn is_counted(sides: Sides<'_>, sequence: &str) -> bool {
    let known = |(kind, name): &(Kind, Name)| *kind == Kind::Sequence && name.name.key == sequence;
    sides.before.others.keys().any(known)
        || sides.before.tables.iter().any(|(table, state)| {
            let rest = sequence.strip_prefix(table.name.key.as_str()).and_then(|rest| rest.strip_prefix('_'));
            let column = rest.and_then(|rest| rest.strip_suffix("_seq"));
            column.is_some_and(|column| state.columns.values().any(|state| state.name.key == column))
        })
}

fn unknown_call(text: &str) -> Option<String> {
    let mut word = String::new();
    let mut quote = None;
    for c in text.chars() {
        if let Some(end) = quote {
            if c == end {
                quote = None;
            }
            continue;
        }
        match c {
            '\'' => quote = Some('\''),
            '(' if !word.is_empty() => {
                let lower = word.to_lowercase();
                let last = lower.rsplit('.').next().unwrap_or_default();
                if !HARMLESS.contains(&last) {
                    return Some(word);
                }
                word.clear();
            }
            c if c.is_alphanumeric() || c == '_' || c == '.' => word.push(c),
            _ => word.clear(),
        }
    }
    None
}

fn restrict(
    sides: Sides<'_>,
    restriction: Restriction,
    table: Option<&Name>,
    step: &Step,
    mark: Mark,
) -> Option<Change> {
    if table.is_some_and(|table| !is_old(sides, table)) || (table.is_none() && of_new_object(sides, &step.text)) {
        return None;
    }
    let on = table.map_or_else(|| "the database".to_owned(), Name::to_string);
    let (rule, verdict, words) = match restriction {
        Restriction::RowSecurity => (
            "row-security",
            Incompatible,
            format!("turns on row level security of {on}: rows are hidden and refused"),
        ),
        Restriction::Revoke => ("revoke", Incompatible, format!("takes rights on {on} away")),
        Restriction::IdentityAlways => {
            let words = format!("makes a column of {on} GENERATED ALWAYS: an INSERT that names it is refused");
            ("identity-always", Incompatible, words)
        }
        Restriction::Policy => ("policy", NeedsReview, format!("sets a policy or rule on {on}")),
        Restriction::Trigger => (
            "new-trigger",
            NeedsReview,
            format!("sets a trigger on {on}, which may refuse or change what code writes"),
        ),
        Restriction::ReadOnly => ("read-only", Incompatible, format!("lets {on} be read only")),
    };
    Some(Change::new(rule, verdict, table.map(Name::to_string).unwrap_or_default(), mark, words))
}

/// `REVOKE … ON FUNCTION f() …` where the range made `f`.
fn of_new_object(sides: Sides<'_>, text: &str) -> bool {
    let lower = text.to_lowercase();
    let Some(rest) = lower.split(" on ").nth(1) else { return false };
    let names = rest.split(" from ").next().unwrap_or_default();
    names.split(',').next().is_some_and(|first| {
        first
            .split(|c: char| c.is_whitespace() || c == '(')
            .filter(|word| !word.is_empty())
            .map(|word| word.rsplit('.').next().unwrap_or(word).trim_matches('"'))
            .any(|word| {
                let name = Name::plain(crate::operation::Ident::exact(word));
                let routine = sides.now.routines.get(&name).is_some_and(|now| !now.is_empty())
                    && !sides.before.routines.contains_key(&name);
                let table = sides.now.tables.contains_key(&name) && !is_old(sides, &name);
                routine || table
            })
    })
}
