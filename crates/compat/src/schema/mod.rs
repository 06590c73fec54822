//! The schema as the migrations made it: tables, columns, types, keys, views, signatures.
//!
//! Everything has an identity of its own besides its name, so that a rename, a rebuild and a swap can
//! be told apart, and remembers which step of the range touched it last. Not here: what a difference
//! amounts to.
//!
//! Unknown is a state of its own. A name that a statement takes for granted and that nothing created
//! is *assumed*: it belongs to the base, and nothing is known of it.

mod apply;
mod body;
mod cascade;
mod copies;
mod materialized;
mod objects;
mod tables;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub use body::{Body, Use};
pub(crate) use cascade::calls;

use crate::operation::{
    Checked, Constraint, ConstraintKind, Filled, Ident, Kind, Maybe, Name, Signature, Type, TypeBody, ViewColumns,
};

/// What an object is, whatever it is called.
pub type Id = u32;

/// The step of the range that did something, counted through the range; `None`: the base did.
pub type Mark = Option<u32>;

/// Where a column's values came from, in the range.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Values {
    /// Nothing was copied into it.
    #[default]
    None,
    /// They are those of this column.
    Same(Id),
    /// They are those of this column, cast to a type of this name.
    Cast(Id, String),
    /// They are made of those of these columns; none: a literal.
    Made(Vec<Id>),
}

/// Where a table's rows came from, in the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rows {
    /// It was given none.
    #[default]
    None,
    /// They were put in, or where they come from cannot be told.
    Put,
    /// They are those of another table.
    Copied {
        /// Which one.
        of: Id,
        /// None was left out.
        every: bool,
    },
}

/// Who last touched what of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Added it.
    pub made: Mark,
    /// Gave it its type.
    pub ty: Mark,
    /// Said whether it refuses NULL.
    pub null: Mark,
    /// Said what fills it.
    pub filled: Mark,
    /// Said where it stands among the others.
    pub place: Mark,
}

/// A column as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnState {
    /// Which one.
    pub id: Id,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Maybe<Type>,
    /// Whether it refuses NULL.
    pub not_null: Maybe<bool>,
    /// The statement that said so was about this alone (`SET NOT NULL`), not a definition anew.
    pub null_said: bool,
    /// What fills it.
    pub filled: Maybe<Filled>,
    /// `SELECT *` and an INSERT without a list leave it out: INVISIBLE.
    pub hidden: bool,
    /// The statement that said so was about this alone.
    pub filled_said: bool,
    /// Something filled it once, in the range.
    pub was_filled: bool,
    /// Where its values came from, in the range.
    pub values: Values,
    /// Who did what.
    pub marks: Marks,
}

/// A constraint as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its name, given or as the dialect would give it.
    pub name: Option<Ident>,
    /// What it promises.
    pub kind: ConstraintKind,
    /// For which rows.
    pub checked: Checked,
    /// Who added it.
    pub made: Mark,
    /// Whether it may be checked at the end of a transaction; `None`: the text does not say.
    pub deferrable: Option<bool>,
}

/// How an object came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A statement made it.
    Made,
    /// A statement took it for granted.
    Assumed,
    /// `IF NOT EXISTS` in a history that is not whole: it may be old or new.
    Perhaps,
}

/// A table as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Which one.
    pub id: Id,
    /// How it is known.
    pub seen: Seen,
    /// Its columns.
    pub columns: BTreeMap<Ident, ColumnState>,
    /// Their order, as far as it is known; who is gone may still be in it.
    order: Vec<Id>,
    /// These are all of its columns.
    pub whole: bool,
    /// Its constraints and unique indexes.
    pub constraints: Vec<Held>,
    /// Gone with the session.
    pub temporary: bool,
    /// Who made it, or last put it at its name.
    pub made: Mark,
    /// It was renamed to the name it has, in the range.
    pub moved: bool,
    /// Where its rows came from, in the range.
    pub rows: Rows,
    /// What was taken away, by column name or constraint, and by whom.
    pub lost: Vec<Lost>,
    /// The table of which it is a partition.
    pub parent: Option<Name>,
}

impl Table {
    /// The names of its columns in their order, as far as it is known.
    pub fn in_order(&self) -> Vec<&Ident> {
        let names: HashMap<Id, &Ident> = self.columns.iter().map(|(name, state)| (state.id, name)).collect();
        self.order.iter().filter_map(|id| names.get(id).copied()).collect()
    }

    /// Puts a column right after another one, or first.
    fn place(&mut self, column: Id, after: Option<&Ident>) {
        let after = after.and_then(|after| self.columns.get(after)).map(|state| state.id);
        self.order.retain(|id| *id != column);
        let at = match after {
            Some(after) => self.order.iter().position(|id| *id == after).map_or(self.order.len(), |at| at + 1),
            None => 0,
        };
        self.order.insert(at, column);
    }
}

/// Something a table lost in the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What.
    pub what: LostWhat,
    /// Who took it.
    pub by: Mark,
}

/// What was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LostWhat {
    /// A column, dropped.
    Column(Id),
    /// A column got another name.
    Renamed(Id, Ident),
    /// A constraint.
    Constraint(Held),
    /// A constraint that the model does not know: by its name or kind, as far as the statement says.
    Unknown {
        /// Its name.
        name: Option<Ident>,
        /// The kind that the statement says.
        said: Option<String>,
        /// It was dropped as an index.
        index: bool,
    },
}

/// A name of an index or a constraint that is no longer its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostIndex {
    /// Its name from then on; `None`: it was dropped.
    pub to: Option<Ident>,
    /// The model knew it.
    pub known: bool,
    /// Who took the name away.
    pub by: Mark,
}

/// What an index or a constraint of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// An index that is not unique.
    Plain,
    /// A unique index or constraint, a primary key.
    Unique,
    /// A foreign key, a CHECK, an exclusion.
    Other,
}

/// A view as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Which one.
    pub id: Id,
    /// How it is known.
    pub seen: Seen,
    /// Its columns.
    pub columns: ViewColumns,
    /// The one table that it passes through.
    pub simple_over: Option<Name>,
    /// A materialised one.
    pub materialized: bool,
    /// Unique indexes over it, which only a materialised one has.
    pub unique: Vec<Ident>,
    /// Who last took its unique indexes or its rows away (`WITH NO DATA`).
    pub took: Option<(TookFrom, Mark)>,
    /// Who made it.
    pub made: Mark,
    /// It came in place of another without a drop.
    pub replaced: bool,
    /// Its text, where it is whole.
    pub text: Option<String>,
    /// What its text uses, where that was read.
    pub body: Option<Arc<Body>>,
    /// Columns that got another name in the range.
    pub lost: Vec<(Ident, Mark)>,
}

/// What a materialised view of the base lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TookFrom {
    /// Its rows: a SELECT is refused until it is refreshed.
    Rows,
    /// Its unique index: REFRESH … CONCURRENTLY is refused.
    Unique,
}

/// A routine as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routine {
    /// How it is known.
    pub seen: Seen,
    /// Function or procedure.
    pub kind: Kind,
    /// How it is called.
    pub signature: Signature,
    /// Who made it.
    pub made: Mark,
    /// It came in place of another without a drop.
    pub replaced: bool,
    /// Its text, where it is whole.
    pub text: Option<String>,
    /// What its text uses, where that was read.
    pub body: Option<Arc<Body>>,
}

/// A type as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserType {
    /// Which one.
    pub id: Id,
    /// How it is known.
    pub seen: Seen,
    /// What it is; `None`: not known.
    pub body: Option<TypeBody>,
    /// Who made or changed it.
    pub made: Mark,
    /// Values that got another name in the range.
    pub renamed: Vec<(String, String, Mark)>,
}

/// Any other object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Which one.
    pub id: Id,
    /// How it is known.
    pub seen: Seen,
    /// The table it belongs to.
    pub table: Option<Name>,
    /// Who made it.
    pub made: Mark,
    /// What its text uses, where that was read.
    pub body: Option<Arc<Body>>,
}

/// What a step may have changed, by the name that code would use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// A table.
    Table(Name),
    /// An index or constraint by its name, and its table where it is said.
    Index(Option<Name>, Ident),
    /// A view.
    View(Name),
    /// A type or domain.
    Type(Name),
    /// A function or procedure.
    Routine(Name),
    /// Anything else.
    Other(Kind, Name),
}

/// Something that was taken for granted, as it was before the step that did so.
#[derive(Debug, Clone)]
pub enum Assumed {
    /// A table.
    Table(Name, Table),
    /// A column of a table.
    Column(Id, ColumnState),
    /// A view.
    View(Name, View),
    /// A type.
    Type(Name, UserType),
    /// A routine.
    Routine(Name, Routine),
    /// Anything else.
    Other(Kind, Name, Other),
}

/// What a session of SQLite was told, as far as it concerns the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Session {
    /// `foreign_keys` was turned on.
    pub foreign_keys: bool,
    /// `legacy_alter_table` was turned on: foreign keys do not follow a rename.
    pub legacy_rename: bool,
}

/// A schema.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// Tables by name.
    pub tables: BTreeMap<Name, Table>,
    /// Views by name.
    pub views: BTreeMap<Name, View>,
    /// Types and domains by name.
    pub types: BTreeMap<Name, UserType>,
    /// Routines by name; several where they are overloaded.
    pub routines: BTreeMap<Name, Vec<Routine>>,
    /// Everything else.
    pub others: BTreeMap<(Kind, Name), Other>,
    /// Tables before which a temporary one of the same name stands.
    shadowed: BTreeMap<Name, Table>,
    /// Plain indexes by name, with their tables.
    indexes: BTreeMap<Ident, BTreeSet<Name>>,
    /// Names of indexes and constraints that went, and the tables they were said to belong to.
    lost_indexes: BTreeMap<(Option<Name>, Ident), LostIndex>,
    /// Where an identity is now, if it is anywhere.
    homes: HashMap<Id, Name>,
    /// Who dropped what is gone.
    gone: HashMap<Id, Mark>,
    /// Who dropped routines of a name last.
    gone_routines: BTreeMap<Name, Mark>,
    /// Whether everything that is there was seen made.
    pub whole: bool,
    /// Something was taken for granted that nothing made.
    pub gap: bool,
    /// Texts of steps that could not be read: names in them may be anything.
    unread: Vec<String>,
    /// Routines of one name may differ in their parameters.
    pub overloads: bool,
    /// A column that is added stands behind the others, always: not MySQL's FIRST and AFTER.
    pub appends: bool,
    /// SQLite's settings as the session has them.
    pub session: Session,
    /// What was taken for granted since it was last asked.
    assumed: Vec<Assumed>,
    /// What was touched since it was last asked.
    touched: std::collections::BTreeSet<Touched>,
    next: Id,
}

impl Schema {
    /// An empty schema of which everything is known.
    pub fn empty() -> Self {
        Self { whole: true, ..Self::default() }
    }

    /// Something may be there that no statement was seen to make.
    pub fn not_whole(&mut self) {
        self.whole = false;
        self.gap = true;
    }

    fn new_id(&mut self) -> Id {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    /// Where this identity is now.
    pub fn home(&self, id: Id) -> Option<&Name> {
        self.homes.get(&id)
    }

    /// Who took this identity away.
    pub fn gone(&self, id: Id) -> Mark {
        self.gone.get(&id).copied().flatten()
    }

    /// Who last dropped routines of this name.
    pub fn gone_routine(&self, name: &Name) -> Mark {
        self.gone_routines.get(name).copied().flatten()
    }

    /// What was touched since this was last called.
    pub fn take_touched(&mut self) -> std::collections::BTreeSet<Touched> {
        std::mem::take(&mut self.touched)
    }

    /// What was taken for granted since this was last called.
    pub fn take_assumed(&mut self) -> Vec<Assumed> {
        std::mem::take(&mut self.assumed)
    }

    /// The type of the user's own that a column's type names.
    pub fn user_type(&self, ty: &Type) -> Option<(&Name, &UserType)> {
        if self.types.is_empty() {
            return None;
        }
        let (schema, name) = match ty.base.rsplit_once('.') {
            Some((schema, name)) => (Some(Ident::exact(schema)), name),
            None => (None, ty.base.as_str()),
        };
        let exact = Name { schema, name: Ident::exact(name) };
        self.types
            .get_key_value(&exact)
            .or_else(|| self.types.get_key_value(&Name { schema: exact.schema.clone(), name: Ident::folded(name) }))
    }

    /// Temporary tables end with the migration's session.
    pub fn end_session(&mut self) {
        self.session = Session::default();
        let gone: Vec<Name> =
            self.tables.iter().filter(|(_, table)| table.temporary).map(|(name, _)| name.clone()).collect();
        for name in gone {
            self.tables.remove(&name);
            self.unshadow(&name);
        }
    }

    /// Takes over what another schema met and took for granted, as it was before.
    pub fn take_over(&mut self, assumed: Assumed) {
        match assumed {
            Assumed::Table(name, table) => {
                self.homes.insert(table.id, name.clone());
                self.tables.entry(name).or_insert(table);
            }
            Assumed::Column(table, column) => {
                let home = self.homes.get(&table).cloned();
                if let Some(table) = home.and_then(|name| self.tables.get_mut(&name)) {
                    table.order.push(column.id);
                    table.columns.entry(column.name.clone()).or_insert(column);
                }
            }
            Assumed::View(name, view) => {
                self.homes.insert(view.id, name.clone());
                self.views.entry(name).or_insert(view);
            }
            Assumed::Type(name, ty) => {
                self.homes.insert(ty.id, name.clone());
                self.types.entry(name).or_insert(ty);
            }
            Assumed::Routine(name, routine) => {
                self.routines.entry(name).or_insert_with(|| vec![routine]);
            }
            Assumed::Other(kind, name, other) => {
                self.homes.insert(other.id, name.clone());
                self.others.entry((kind, name)).or_insert(other);
            }
        }
    }

    /// Everything in it counts as the base's: no marks, nothing lost.
    pub fn settle(&mut self) {
        self.end_session();
        for table in self.tables.values_mut() {
            table.made = None;
            table.moved = false;
            table.rows = Rows::None;
            table.lost.clear();
            table.constraints.iter_mut().for_each(|held| held.made = None);
            for column in table.columns.values_mut() {
                column.marks = Marks::default();
                column.null_said = false;
                column.filled_said = false;
                column.was_filled = false;
                column.values = Values::None;
            }
        }
        for view in self.views.values_mut() {
            (view.made, view.replaced) = (None, false);
            view.lost.clear();
        }
        self.types.values_mut().for_each(|ty| ty.renamed.clear());
        self.routines.values_mut().flatten().for_each(|routine| (routine.made, routine.replaced) = (None, false));
        self.gone.clear();
        self.gone_routines.clear();
        self.lost_indexes.clear();
        self.touched.clear();
        self.assumed.clear();
    }
}

/// The columns that a constraint is about; none for a CHECK, whose text says them.
pub fn columns_of(kind: &ConstraintKind) -> &[Ident] {
    match kind {
        ConstraintKind::PrimaryKey(columns)
        | ConstraintKind::Unique { columns, .. }
        | ConstraintKind::ForeignKey { columns, .. } => columns,
        ConstraintKind::Check { .. } | ConstraintKind::Exclude => &[],
    }
}

/// The name of a constraint that a statement gave none, as PostgreSQL names it.
fn usual_name(table: &Name, constraint: &Constraint) -> Option<Ident> {
    if constraint.name.is_some() {
        return constraint.name.clone();
    }
    let (columns, suffix) = match &constraint.kind {
        ConstraintKind::PrimaryKey(_) => (&[][..], "pkey"),
        ConstraintKind::Unique { columns, .. } => (columns.as_slice(), "key"),
        ConstraintKind::ForeignKey { columns, .. } => (columns.as_slice(), "fkey"),
        ConstraintKind::Check { .. } | ConstraintKind::Exclude => return None,
    };
    let mut words = vec![table.name.key.as_str()];
    words.extend(columns.iter().map(|column| column.key.as_str()));
    words.push(suffix);
    Some(Ident::exact(words.join("_")))
}
