//! Constraints and unique indexes of a table that stays: what they refuse anew, what leaned on them.

use super::checks::met_by_all;
use super::{Change, Sides};
use crate::Verdict::{Incompatible, NeedsReview};
use crate::evidence::Asked;
use crate::operation::{Checked, ConstraintKind, Filled, Ident, Maybe, Name};
use crate::schema::{ColumnState, Held, Lost, LostWhat, Mark, Table, columns_of};
use crate::sql::Dialect;

/// What became of a table's constraints.
pub fn constraints(sides: Sides<'_>, name: &Name, old: &Table, new: &Table, changes: &mut Vec<Change>) {
    let held = |held: &&Held| held.checked != Checked::Nothing;
    // A column by its new name is the same column.
    let renamed = renamed(old, new);
    let old = &renamed;
    for added in new.constraints.iter().filter(held) {
        if !old.constraints.iter().filter(held).any(|known| same(sides, known, added)) {
            changes.extend(came(sides, name, old, new, added));
        }
    }
    for known in old.constraints.iter().filter(held) {
        let stays = new.constraints.iter().filter(held).any(|other| same(sides, known, other));
        let with_column = columns_of(&known.kind).iter().any(|column| !has(old, new, column));
        if !stays && !with_column {
            changes.extend(went(name, known, new));
        } else if stays {
            changes.extend(deferred_otherwise(sides, name, known, new));
        }
    }
    if sides.dialect == Dialect::Sqlite {
        changes.extend(hanging(sides, name, new));
    }
    for lost in &new.lost {
        if let LostWhat::Unknown { name: constraint, said, index } = &lost.what {
            changes.extend(unknown(name, constraint.as_ref(), said.as_deref(), *index, lost));
        }
    }
}

/// The same promise, asked at another time: code that leaves it open until its transaction ends, or
/// says ON CONFLICT, notices.
fn deferred_otherwise(sides: Sides<'_>, name: &Name, known: &Held, new: &Table) -> Option<Change> {
    let mut others = new.constraints.iter().filter(|other| same(sides, known, other)).peekable();
    let by = others.peek()?.made;
    by?;
    if let Some(change) = cascades_no_longer(name, known, others.clone(), by) {
        return Some(change);
    }
    let unique = matches!(known.kind, ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey(_));
    let now: Vec<Option<bool>> = others.map(|other| other.deferrable).collect();
    let (rule, words) = match known.deferrable {
        Some(true) if now.contains(&Some(false)) => ("add-check", "is no longer deferrable"),
        Some(false) if unique && !now.contains(&Some(false)) && now.contains(&Some(true)) => {
            ("drop-unique", "becomes deferrable, which ON CONFLICT does not take")
        }
        _ => return None,
    };
    let object = object(name, columns_of(&known.kind), known.name.as_ref());
    let words = format!("makes a constraint of {object} anew, and it {words}");
    Some(Change::new(rule, NeedsReview, object, by, words))
}

/// The same foreign key, which no longer deletes or changes rows by itself. That it begins to is more
/// than it did: what was refused is done.
fn cascades_no_longer<'a>(
    name: &Name,
    known: &Held,
    mut others: impl Iterator<Item = &'a Held>,
    by: Mark,
) -> Option<Change> {
    let ConstraintKind::ForeignKey { columns, table, cascades: true, .. } = &known.kind else { return None };
    if others.any(|other| matches!(&other.kind, ConstraintKind::ForeignKey { cascades: true, .. })) {
        return None;
    }
    let words = format!("no longer deletes or changes rows of {name} together with {table}");
    Some(Change::new("drop-fk", NeedsReview, object(name, columns, known.name.as_ref()), by, words))
}

/// In SQLite a foreign key follows a rename, and is left hanging where the renamed table is dropped.
fn hanging(sides: Sides<'_>, name: &Name, new: &Table) -> Option<Change> {
    let old = sides.before.tables.get(name)?;
    new.constraints.iter().filter(|held| held.made.is_none()).find_map(|held| {
        let ConstraintKind::ForeignKey { columns, table, .. } = &held.kind else { return None };
        let followed = old.constraints.iter().find_map(|known| match &known.kind {
            ConstraintKind::ForeignKey { columns: one, table: to, .. } if one == columns && to != table => Some(to),
            _ => None,
        })?;
        if sides.now.tables.contains_key(table) || !sides.now.tables.contains_key(followed) {
            return None;
        }
        let by = sides.before.tables.get(followed).and_then(|table| sides.now.gone(table.id));
        let words =
            format!("renames table {followed} to {table} and drops it: a foreign key of {name} went with it");
        let object = object(name, columns, held.name.as_ref());
        let (before, after) = (format!("refers to {followed}"), format!("refers to {table}, which is not there"));
        Some(Change::new("rename-table", Incompatible, object, by, words).states(before, after))
    })
}

/// The old table with the new names of those of its columns that got one.
fn renamed(old: &Table, new: &Table) -> Table {
    let mut old = old.clone();
    let to = |column: &Ident| {
        let state = old.columns.get(column)?;
        let here = new.columns.get(column).is_some_and(|now| now.id == state.id);
        new.columns.values().find(|now| !here && now.id == state.id).map(|now| now.name.clone())
    };
    let names: Vec<(Ident, Ident)> =
        old.columns.keys().filter_map(|column| Some((column.clone(), to(column)?))).collect();
    let name = |column: &mut Ident| {
        if let Some((_, to)) = names.iter().find(|(from, _)| from == column) {
            column.clone_from(to);
        }
    };
    for held in &mut old.constraints {
        match &mut held.kind {
            ConstraintKind::PrimaryKey(columns)
            | ConstraintKind::Unique { columns, .. }
            | ConstraintKind::ForeignKey { columns, .. }
            | ConstraintKind::Check { not_null: columns, .. } => columns.iter_mut().for_each(name),
            ConstraintKind::Exclude => {}
        }
    }
    for (from, to) in &names {
        if let Some(mut state) = old.columns.remove(from) {
            state.name.clone_from(to);
            old.columns.entry(to.clone()).or_insert(state);
        }
    }
    old
}

/// Whether a column that the old table has is still there, under whatever name.
fn has(old: &Table, new: &Table, column: &Ident) -> bool {
    match old.columns.get(column) {
        Some(state) => new.columns.contains_key(column) || new.columns.values().any(|other| other.id == state.id),
        None => true,
    }
}

fn set(columns: &[Ident]) -> Vec<&str> {
    let mut keys: Vec<&str> = columns.iter().map(|column| column.key.as_str()).collect();
    keys.sort_unstable();
    keys
}

/// Two constraints that promise the same, whatever they are called.
fn same(sides: Sides<'_>, one: &Held, other: &Held) -> bool {
    match (&one.kind, &other.kind) {
        (ConstraintKind::PrimaryKey(one), ConstraintKind::PrimaryKey(other)) => set(one) == set(other),
        (
            ConstraintKind::Unique { columns: one, partial: half, nulls_equal: nulls },
            ConstraintKind::Unique { columns: other, partial, nulls_equal },
        ) => {
            set(one) == set(other)
                && half.as_deref().map(plain) == partial.as_deref().map(plain)
                && nulls == nulls_equal
        }
        (
            ConstraintKind::ForeignKey { columns: one, table: to, .. },
            ConstraintKind::ForeignKey { columns: other, table, .. },
        ) => set(one) == set(other) && same_table(sides, to, table),
        (ConstraintKind::Check { expression: one, .. }, ConstraintKind::Check { expression: other, .. }) => {
            plain(one) == plain(other)
        }
        (ConstraintKind::Exclude, ConstraintKind::Exclude) => one.name == other.name,
        _ => false,
    }
}

fn same_table(sides: Sides<'_>, before: &Name, now: &Name) -> bool {
    before.name == now.name
        || sides
            .before
            .tables
            .get(before)
            .and_then(|table| sides.now.home(table.id))
            .is_some_and(|home| home == now)
}

/// An expression without blanks, brackets, quotes and case.
fn plain(expression: &str) -> String {
    expression
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"' | '`' | '[' | ']'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// A column that code does not know and so never writes.
fn fresh<'a>(old: &Table, new: &'a Table, column: &Ident) -> Option<&'a ColumnState> {
    let state = new.columns.get(column)?;
    let known = old.columns.contains_key(column) || old.columns.values().any(|before| before.id == state.id);
    (!known).then_some(state)
}

/// Old code leaves it NULL.
fn stays_null(state: &ColumnState) -> bool {
    state.not_null != Maybe::Known(true) && state.filled == Maybe::Known(Filled::Nothing)
}

/// What fills it is another value for each row.
fn fills_uniquely(state: &ColumnState) -> bool {
    match &state.filled {
        Maybe::Known(Filled::Counted { .. }) => true,
        Maybe::Known(Filled::Default(text)) => {
            let text = text.to_lowercase();
            ["uuid", "nextval", "newid", "newsequentialid", "random", "ulid", "cuid", "nanoid", "sys_guid"]
                .iter()
                .any(|word| text.contains(word))
        }
        _ => false,
    }
}

fn list(columns: &[Ident]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.written.as_str()).collect();
    names.join(", ")
}

fn object(name: &Name, columns: &[Ident], constraint: Option<&Ident>) -> String {
    match (columns, constraint) {
        ([column], _) => format!("{name}.{}", column.written),
        ([], Some(constraint)) => format!("{name}.{constraint}"),
        ([], None) => name.to_string(),
        (columns, _) => format!("{name}.({})", list(columns)),
    }
}

fn came(sides: Sides<'_>, name: &Name, old: &Table, new: &Table, added: &Held) -> Option<Change> {
    let by = added.made;
    // Of a table that was not seen made, a constraint without a mark is as old as the table.
    by?;
    match &added.kind {
        ConstraintKind::PrimaryKey(columns) => {
            if contained(old, columns, true) || alone_unique(old, new, columns) {
                return None;
            }
            let words = format!("makes ({}) the primary key of {name}", list(columns));
            Some(Change::new("add-unique", Incompatible, object(name, columns, None), by, words))
        }
        ConstraintKind::Unique { columns, partial, nulls_equal } => {
            let equal = *nulls_equal || (sides.dialect == Dialect::MsSql && partial.is_none());
            if contained(old, columns, equal) || unique_but_harmless(sides, old, new, columns, equal) {
                return None;
            }
            if partial.as_deref().is_some_and(|rows| of_new_rows_only(old, new, rows)) {
                return None;
            }
            let of = if partial.is_some() { "some rows of " } else { "" };
            let words = format!("asks that ({}) be unique in {of}{name}", list(columns));
            Some(
                Change::new("add-unique", Incompatible, object(name, columns, added.name.as_ref()), by, words)
                    .states("two rows may have the same".to_owned(), "the second is refused".to_owned()),
            )
        }
        ConstraintKind::ForeignKey { columns, table, .. } => {
            let states: Vec<&ColumnState> = columns.iter().filter_map(|column| fresh(old, new, column)).collect();
            if states.iter().any(|state| stays_null(state)) {
                return None;
            }
            let verdict =
                if states.len() == columns.len() && !columns.is_empty() { NeedsReview } else { Incompatible };
            let words = format!("asks that ({}) of {name} be in {table}", list(columns));
            Some(
                Change::new("add-fk", verdict, object(name, columns, added.name.as_ref()), by, words)
                    .states("any value may stand there".to_owned(), format!("only what {table} has")),
            )
        }
        ConstraintKind::Check { expression, not_null } => check_came(name, old, new, added, expression, not_null),
        ConstraintKind::Exclude => {
            let words = format!("adds an exclusion constraint to {name}");
            let object = object(name, &[], added.name.as_ref());
            Some(Change::new("add-check", Incompatible, object, by, words))
        }
    }
}

/// Whether a unique index looks only at rows in which a new column that old code leaves NULL is not NULL.
fn of_new_rows_only(old: &Table, new: &Table, rows: &str) -> bool {
    let lower = rows.to_lowercase();
    let rows = lower.strip_prefix("where ").unwrap_or(&lower);
    if rows.contains(" or ") || rows.contains(" not ") && !rows.contains("is not null") {
        return false;
    }
    let empty: Vec<String> = new
        .columns
        .values()
        .filter(|column| fresh(old, new, &column.name).is_some_and(stays_null))
        .map(|column| plain(&column.name.key))
        .collect();
    rows.split(" and ").map(plain).any(|part| {
        let rest = empty.iter().find_map(|column| part.strip_prefix(column.as_str()));
        rest.is_some_and(|rest| rest.starts_with("isnotnull") || rest.starts_with(['=', '<', '>']))
    })
}

/// Whether some set of columns that was unique already is contained in these: then these are too.
fn contained(old: &Table, columns: &[Ident], nulls_equal: bool) -> bool {
    old.constraints.iter().filter(|held| held.checked != Checked::Nothing).any(|held| match &held.kind {
        ConstraintKind::PrimaryKey(known) => {
            !known.is_empty() && known.iter().all(|column| columns.contains(column))
        }
        ConstraintKind::Unique { columns: known, partial: None, nulls_equal: equal } => {
            !known.is_empty()
                && known.iter().all(|column| columns.contains(column))
                && (!nulls_equal || *equal || known.iter().all(|column| never_null(old, column)))
        }
        _ => false,
    })
}

fn never_null(table: &Table, column: &Ident) -> bool {
    table.columns.get(column).is_some_and(|state| state.not_null == Maybe::Known(true))
}

/// One of the columns is new and gets another value for each row by itself.
fn alone_unique(old: &Table, new: &Table, columns: &[Ident]) -> bool {
    columns.iter().filter_map(|column| fresh(old, new, column)).any(fills_uniquely)
}

fn unique_but_harmless(sides: Sides<'_>, old: &Table, new: &Table, columns: &[Ident], nulls_equal: bool) -> bool {
    if alone_unique(old, new, columns) {
        return true;
    }
    if nulls_equal {
        return false;
    }
    let empty = |column: &Ident| fresh(old, new, column).is_some_and(stays_null);
    // Oracle leaves out a row from a unique index only where every column is NULL.
    if sides.dialect == Dialect::Oracle {
        !columns.is_empty() && columns.iter().all(empty)
    } else {
        columns.iter().any(empty)
    }
}

fn check_came(
    name: &Name,
    old: &Table,
    new: &Table,
    added: &Held,
    expression: &str,
    not_null: &[Ident],
) -> Option<Change> {
    let by = added.made;
    let written = expression;
    // A sentence stands on one line.
    let expression = &crate::operation::one_line(expression);
    if let [column] = not_null {
        return check_not_null(name, old, new, column, by);
    }
    let words = words_of(written);
    let named: Vec<&ColumnState> =
        new.columns.values().filter(|column| words.contains(&column.name.key.to_lowercase())).collect();
    let columns: Vec<Ident> = named.iter().map(|column| column.name.clone()).collect();
    let fresh_only = !named.is_empty()
        && named.iter().all(|column| fresh(old, new, &column.name).is_some())
        && new.whole_of(old, &words);
    if fresh_only && named.iter().all(|column| column.not_null != Maybe::Known(true) || filled(column)) {
        // NULL passes a CHECK unless it asks for it; a default is the author's own value.
        let lower = expression.to_lowercase();
        let asks = lower.contains("not null") || lower.contains("coalesce") || lower.contains("num_nonnulls");
        if !asks || named.iter().all(|column| filled(column)) {
            return None;
        }
        let words = format!("adds a check to {name} that may ask for values in new columns: {expression}");
        return Some(Change::new("add-check", NeedsReview, object(name, &columns, added.name.as_ref()), by, words));
    }
    // Another check asked for as much already.
    let implied = |held: &Held| match &held.kind {
        ConstraintKind::Check { expression: before, .. } => {
            held.checked != Checked::Nothing && weaker(before, written) == Some(true)
        }
        _ => false,
    };
    if old.constraints.iter().any(implied) {
        return None;
    }
    let replaced = old
        .constraints
        .iter()
        .filter(|held| matches!(&held.kind, ConstraintKind::Check { .. }))
        .filter(|held| !new.constraints.iter().any(|other| other.kind == held.kind))
        .filter(|held| related(held, added, &words))
        .find_map(|held| match &held.kind {
            ConstraintKind::Check { expression, .. } => Some(expression.clone()),
            _ => None,
        });
    let empty: Vec<String> = named
        .iter()
        .filter(|column| fresh(old, new, &column.name).is_some_and(stays_null))
        .map(|column| column.name.key.to_lowercase())
        .collect();
    if replaced.as_deref().is_some_and(|before| met_by_all(before, written, &empty)) {
        return None;
    }
    let verdict = match replaced.as_deref().map(|before| weaker(before, expression)) {
        Some(Some(true)) => return None,
        Some(None) => NeedsReview,
        // One of that name goes, and what it let through is not known.
        None if lost_unknown(new, added) => NeedsReview,
        Some(Some(false)) | None => Incompatible,
    };
    let said = match &replaced {
        Some(_) => format!("replaces a check of {name} by another one: {expression}"),
        None => format!("adds a check to {name}: {expression}"),
    };
    Some(
        Change::new("add-check", verdict, object(name, &columns, added.name.as_ref()), by, said)
            .states(replaced.unwrap_or_else(|| "no such check".to_owned()), expression.to_owned()),
    )
}

/// Whether a constraint of the same name goes that the model does not know.
fn lost_unknown(new: &Table, added: &Held) -> bool {
    let unknown = |lost: &Lost| match &lost.what {
        LostWhat::Unknown { name, .. } => name.is_some() && *name == added.name,
        LostWhat::Column(_) | LostWhat::Renamed(..) | LostWhat::Constraint(_) => false,
    };
    new.lost.iter().any(unknown)
}

fn filled(column: &ColumnState) -> bool {
    matches!(&column.filled, Maybe::Known(filled) if *filled != Filled::Nothing)
}

impl Table {
    /// No word of a CHECK may name an old column that the model does not know.
    fn whole_of(&self, old: &Table, words: &[String]) -> bool {
        old.whole
            || words.iter().all(|word| {
                is_keyword(word) || self.columns.keys().any(|column| column.key.to_lowercase() == *word)
            })
    }
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "or"
            | "not"
            | "in"
            | "is"
            | "null"
            | "any"
            | "array"
            | "like"
            | "between"
            | "true"
            | "false"
            | "length"
            | "char_length"
            | "text"
            | "integer"
            | "numeric"
            | "varchar"
            | "character"
            | "varying"
            | "lower"
            | "upper"
    )
}

/// `CHECK (x IS NOT NULL)` is NOT NULL by another name.
fn check_not_null(name: &Name, old: &Table, new: &Table, column: &Ident, by: Mark) -> Option<Change> {
    if fresh(old, new, column).is_some() {
        // A new column: whether it is required is asked there.
        return None;
    }
    let before = old.columns.get(column);
    let held = old
        .constraints
        .iter()
        .any(|held| matches!(&held.kind, ConstraintKind::Check { not_null, .. } if not_null.contains(column)));
    if held || before.is_some_and(|before| before.not_null == Maybe::Known(true)) {
        return None;
    }
    let state = new.columns.get(column);
    if state.is_some_and(|state| state.not_null == Maybe::Known(true)) {
        // SET NOT NULL in the same range says it.
        return None;
    }
    let verdict = if state.is_some_and(filled) { NeedsReview } else { Incompatible };
    let words = format!("adds a check that {name}.{column} is not NULL");
    Some(
        Change::new("set-not-null", verdict, format!("{name}.{column}"), by, words)
            .states("NULL is allowed".to_owned(), "NULL is refused".to_owned()),
    )
}

/// The names in an expression, in lower case.
pub(super) fn words_of(expression: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word = String::new();
    let mut quoted = false;
    for c in expression.chars().chain([' ']) {
        if c == '\'' {
            quoted = !quoted;
        }
        if !quoted && (c.is_alphanumeric() || c == '_' || c == '$') {
            word.extend(c.to_lowercase());
        } else if !word.is_empty() {
            if !word.starts_with(|c: char| c.is_ascii_digit()) {
                words.push(std::mem::take(&mut word));
            }
            word.clear();
        }
    }
    words
}

/// Whether a CHECK that goes is the one that another one replaces.
fn related(gone: &Held, added: &Held, words: &[String]) -> bool {
    if gone.name.is_some() && gone.name == added.name {
        return true;
    }
    let ConstraintKind::Check { expression, .. } = &gone.kind else { return false };
    words_of(expression).iter().any(|word| !is_keyword(word) && words.contains(word))
}

/// Whether all that the one check let through the other does; `None`: it cannot be told.
fn weaker(before: &str, after: &str) -> Option<bool> {
    if [before, after].iter().any(|text| words_of(text).iter().any(|word| word == "not")) {
        return None;
    }
    if let (Some((one, values)), Some((other, more))) = (values_of(before), values_of(after)) {
        return (one == other).then(|| values.iter().all(|value| more.contains(value)));
    }
    let (one, operator, bound) = bound_of(before)?;
    let (other, looser, limit) = bound_of(after)?;
    if one != other || operator.starts_with('>') != looser.starts_with('>') {
        return None;
    }
    let strict = |operator: &str| !operator.ends_with('=');
    let reach = if operator.starts_with('>') { bound - limit } else { limit - bound };
    Some(reach > 0.0 || (reach == 0.0 && (!strict(&looser) || strict(&operator))))
}

/// `x IN ('a','b')` and `x = ANY (ARRAY['a','b'])` as the column and the values.
fn values_of(expression: &str) -> Option<(String, Vec<String>)> {
    let lower = expression.to_lowercase();
    if lower.contains(" and ") || lower.contains(" or ") || lower.contains(" not ") {
        return None;
    }
    let at = [" in ", " in(", "= any", "=any"].iter().find_map(|mark| lower.find(mark))?;
    let column = words_of(lower.get(..at)?).into_iter().find(|word| !is_keyword(word))?;
    let mut values = vec![];
    let mut rest = expression.get(at..)?;
    while let Some(start) = rest.find('\'') {
        let tail = rest.get(start + 1..)?;
        let end = tail.find('\'')?;
        values.push(tail.get(..end)?.to_owned());
        rest = tail.get(end + 1..)?;
    }
    if values.is_empty() {
        let numbers = expression.get(at..)?.split(|c: char| !c.is_ascii_digit() && c != '.' && c != '-');
        values = numbers.filter(|number| !number.is_empty()).map(str::to_owned).collect();
    }
    (!values.is_empty()).then_some((column, values))
}

/// `x >= 0` and `length(x) <= 20` as what is bounded, how, and by what.
fn bound_of(expression: &str) -> Option<(String, String, f64)> {
    let lower = plain(expression);
    let at = lower.find(['<', '>'])?;
    let (left, rest) = lower.split_at_checked(at)?;
    let end = rest.find(|c: char| !matches!(c, '<' | '>' | '='))?;
    let (operator, right) = rest.split_at_checked(end)?;
    if operator == "<>" || left.is_empty() || left.contains("and") && left.contains("or") {
        return None;
    }
    let number = right.split("::").next()?.trim_matches('\'');
    Some((left.to_owned(), operator.to_owned(), number.parse().ok()?))
}

fn went(name: &Name, known: &Held, new: &Table) -> Option<Change> {
    let by = new
        .lost
        .iter()
        .rev()
        .find(|lost| matches!(&lost.what, LostWhat::Constraint(held) if held.kind == known.kind))
        .map_or(new.made, |lost| lost.by);
    let leans = "which ON CONFLICT, ON DUPLICATE KEY or MERGE may lean on";
    let (rule, words) = match &known.kind {
        ConstraintKind::PrimaryKey(columns) => {
            ("drop-pk", format!("drops the primary key ({}) of {name}, {leans}", list(columns)))
        }
        ConstraintKind::Unique { columns, .. } => {
            ("drop-unique", format!("no longer asks that ({}) be unique in {name}, {leans}", list(columns)))
        }
        ConstraintKind::ForeignKey { columns, table, cascades: true, .. } => {
            // The key may have come back without its cascade: that is the same loss.
            let words = format!(
                "drops the foreign key ({}) of {name}, which deleted or changed rows together with {table}",
                list(columns)
            );
            ("drop-fk", words)
        }
        ConstraintKind::ForeignKey { .. } | ConstraintKind::Check { .. } | ConstraintKind::Exclude => return None,
    };
    let columns = columns_of(&known.kind);
    let object = object(name, columns, known.name.as_ref());
    let change =
        Change::new(rule, NeedsReview, object, by, words).states("it is there".to_owned(), "it is not".to_owned());
    let unique = matches!(known.kind, ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique { .. });
    if unique && !columns.is_empty() {
        return Some(change.asking(Asked::Upsert(name.clone(), columns.to_vec())));
    }
    Some(change)
}

/// A constraint that the model does not know, judged by what the statement and its name say.
fn unknown(
    name: &Name,
    constraint: Option<&Ident>,
    said: Option<&str>,
    index: bool,
    lost: &Lost,
) -> Option<Change> {
    let key = constraint.map(|constraint| constraint.key.to_lowercase()).unwrap_or_default();
    let kind = said.or_else(|| kind_by_name(&key)).or(if index { Some("index") } else { None });
    let named =
        constraint.map_or_else(|| "a constraint".to_owned(), |constraint| format!("constraint {constraint}"));
    let (rule, words) = match kind {
        Some("check" | "foreign-key" | "exclude" | "index") => return None,
        Some("primary-key") => ("drop-pk", format!("drops the primary key of {name}")),
        Some("unique") => ("drop-unique", format!("drops {named} of {name}, which seems to be a unique one")),
        Some("default") => ("drop-default", format!("drops {named} of {name}, which is a column's default")),
        _ => ("drop-unique", format!("drops {named} of {name}, and what it promised is not known")),
    };
    Some(Change::new(rule, NeedsReview, object(name, &[], constraint), lost.by, words))
}

/// What a constraint is by the usual names; `None`: its name does not say.
pub(super) fn kind_by_name(key: &str) -> Option<&'static str> {
    let starts = |words: &[&str]| words.iter().any(|word| key.starts_with(word));
    let ends = |words: &[&str]| words.iter().any(|word| key.ends_with(word));
    if starts(&["fk_", "fk-", "fk"]) || ends(&["_fkey", "_fk", "_foreign"]) || key.contains("_fk_") {
        Some("foreign-key")
    } else if starts(&["chk_", "ck_", "check_"]) || ends(&["_check", "_chk", "_ck"]) || key.contains("_check_") {
        Some("check")
    } else if starts(&["pk_"]) || ends(&["_pkey", "_pk"]) || key == "primary" {
        Some("primary-key")
    } else if starts(&["uq_", "uk_", "ux_", "uniq", "unique_", "ak_"])
        || ends(&["_key", "_unique", "_uniq", "_uk", "_uq"])
        || key.contains("_uniq")
    {
        Some("unique")
    } else if starts(&["df_"]) {
        Some("default")
    } else {
        None
    }
}
