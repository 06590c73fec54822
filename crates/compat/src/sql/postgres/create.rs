//! CREATE and ALTER of what is neither table, index, view nor routine.

use squawk_syntax::ast::{self, AstNode};

use super::Steps;
use super::column::Tree;
use super::parse::Parsed;
use super::source::Words;
use super::types;
use crate::operation::{Column, Ident, Kind, Name, Operation, Restriction, TypeBody, Unread};

/// CREATE of the kinds that have a name and no model.
const KINDS: &[(&[&str], Kind)] = &[
    (&["sequence"], Kind::Sequence),
    (&["extension"], Kind::Extension),
    (&["schema"], Kind::Schema),
    (&["database"], Kind::Database),
    (&["aggregate"], Kind::Other),
    (&["collation"], Kind::Other),
    (&["conversion"], Kind::Other),
    (&["server"], Kind::Other),
    (&["foreign", "data", "wrapper"], Kind::Other),
    (&["operator", "class"], Kind::Other),
    (&["operator", "family"], Kind::Other),
    (&["text", "search", "configuration"], Kind::Other),
    (&["text", "search", "dictionary"], Kind::Other),
    (&["text", "search", "parser"], Kind::Other),
    (&["text", "search", "template"], Kind::Other),
    (&["language"], Kind::Other),
    (&["access", "method"], Kind::Other),
    (&["property", "graph"], Kind::Other),
];

/// Words that may stand between CREATE and the kind.
const BETWEEN: &[&str] = &[
    "or",
    "replace",
    "temp",
    "temporary",
    "unlogged",
    "local",
    "global",
    "constraint",
    "trusted",
    "procedural",
    "default",
];

/// CREATE of anything else.
pub(super) fn read(tree: Tree<'_>, steps: &mut Steps) {
    let words = tree.words;
    let mut at = 1;
    while BETWEEN.iter().any(|it| words.is(at, it)) {
        at += 1;
    }
    match words.token(at).to_ascii_lowercase().as_str() {
        "type" => return create_type(tree, at + 1, steps),
        "domain" => return domain(tree, steps),
        "trigger" => return of_table(words, at + 1, Kind::Trigger, "on", steps),
        "policy" => return of_table(words, at + 1, Kind::Policy, "on", steps),
        "rule" => return of_table(words, at + 1, Kind::Policy, "to", steps),
        "statistics" | "role" | "group" | "tablespace" | "subscription" => {
            return steps.neutral(words, &format!("CREATE {}", words.from(at).head(1)));
        }
        "user" => return steps.neutral(words, "CREATE USER"),
        "event" => return steps.review(words, "an event trigger is made", None),
        "publication" => return steps.review(words, "a publication is made", None),
        "operator" | "cast" | "transform" if !words.is(at + 1, "class") && !words.is(at + 1, "family") => {
            let name = Name::plain(Ident::exact(words.from(at + 1).text().chars().take(80).collect::<String>()));
            return steps.add(words, Operation::Create { kind: Kind::Other, name, table: None });
        }
        _ => {}
    }
    if words.is(at, "sequence") && (words.is(1, "temp") || words.is(1, "temporary")) {
        return steps.neutral(words, "CREATE TEMPORARY SEQUENCE");
    }
    let Some((said, kind)) = KINDS.iter().find(|(said, _)| words.are(at, said)) else {
        return steps.unread(words, Unread::UnknownStatement { head: words.head(3) });
    };
    let mut name_at = at + said.len();
    let guarded = words.are(name_at, &["if", "not", "exists"]);
    if guarded {
        name_at += 3;
    }
    if words.is(name_at, "authorization") {
        name_at += 1;
    }
    match words.name(name_at) {
        Some((name, _)) => {
            let schema = name.name.clone();
            steps.add_guarded(words, Operation::Create { kind: *kind, name, table: None }, guarded);
            if *kind == Kind::Schema {
                schema_elements(tree, &schema, steps);
            }
        }
        None => steps.unread(words, Unread::UnknownStatement { head: words.head(3) }),
    }
}

/// What CREATE SCHEMA makes in it at once.
fn schema_elements(tree: Tree<'_>, schema: &Ident, steps: &mut Steps) {
    let around = steps.schema.replace(schema.clone());
    for element in tree.parsed.node.children().filter(|child| ast::SchemaElement::can_cast(child.kind())) {
        let words = tree.of(&element);
        let parsed = Parsed { node: element, offset: tree.parsed.offset };
        super::statement::parsed(words, &parsed, steps);
    }
    steps.schema = around;
}

/// CREATE TRIGGER, POLICY, RULE: the table stands after a word.
fn of_table(words: Words<'_>, at: usize, kind: Kind, before_table: &str, steps: &mut Steps) {
    let table_at = (at..words.tokens.len()).find(|it| words.is(*it, before_table)).map(|it| it + 1);
    let table = table_at.and_then(|it| words.name(it)).map(|(table, _)| table);
    match (words.ident(at), table) {
        (Some(name), Some(table)) => {
            steps.add(words, Operation::Create { kind, name: Name::plain(name), table: Some(table) });
        }
        _ => steps.unread(words, Unread::UnknownStatement { head: words.head(3) }),
    }
}

fn create_type(tree: Tree<'_>, at: usize, steps: &mut Steps) {
    let words = tree.words;
    let Some((name, next)) = words.name(at) else {
        return steps.unread(words, Unread::UnknownStatement { head: words.head(3) });
    };
    let body = if words.are(next, &["as", "enum"]) {
        let list = words.from(next + 2);
        let values: Option<Vec<String>> = (0..list.tokens.len())
            .filter(|it| !matches!(list.kind(*it), Some(super::lex::Kind::Sign(_))))
            .map(|it| list.literal(it))
            .collect();
        match values {
            Some(values) => TypeBody::Enum(values),
            None => return steps.unread(words, Unread::Dynamic),
        }
    } else if words.is(next, "as") && words.sign(next + 1, b'(') {
        let close = words.after_brackets(next + 1).saturating_sub(1);
        let parts = words.until(close).from(next + 2).parts();
        TypeBody::Composite(parts.into_iter().filter_map(attribute).collect())
    } else {
        TypeBody::Other
    };
    steps.add(words, Operation::CreateType { name, body });
}

/// An attribute of a composite type.
fn attribute(words: Words<'_>) -> Option<Column> {
    let collate = (0..words.tokens.len()).find(|at| words.is(*at, "collate")).unwrap_or(words.tokens.len());
    Some(Column::new(words.ident(0)?, types::read(words.until(collate).from(1)).ty))
}

fn domain(tree: Tree<'_>, steps: &mut Steps) {
    let node = &tree.parsed.node;
    let name = node.children().find_map(ast::Domain::cast);
    let ty = node.children().find_map(ast::Type::cast);
    let (Some(name), Some(ty)) = (tree.name(name.as_ref().map(AstNode::syntax)), ty) else {
        return steps.unread(tree.words, Unread::UnknownStatement { head: tree.words.head(3) });
    };
    let mut not_null = false;
    let mut checks = vec![];
    for constraint in node.children().filter_map(ast::Constraint::cast) {
        match constraint {
            ast::Constraint::NotNullConstraint(_) => not_null = true,
            ast::Constraint::CheckConstraint(check) => {
                checks.extend(check.expr().map(|expression| tree.of(expression.syntax()).text().to_owned()));
            }
            _ => {}
        }
    }
    let over = types::read(tree.of(ty.syntax())).ty;
    steps.add(tree.words, Operation::CreateType { name, body: TypeBody::Domain { over, not_null, checks } });
}

/// ALTER of anything but a table: a name, then what is done with it.
pub(super) fn alter(words: Words<'_>, steps: &mut Steps) {
    const TWO: &[&str] = &[
        "materialized",
        "event",
        "default",
        "large",
        "access",
        "foreign",
        "text",
        "operator",
        "user",
        "procedural",
    ];
    let kind = words.token(1).to_ascii_lowercase();
    let owner = (2..words.tokens.len()).any(|at| words.are(at, &["owner", "to"]));
    if owner && ["text", "operator", "large", "foreign", "event"].contains(&kind.as_str()) {
        return steps.neutral(words, &format!("{} OWNER TO", words.head(2)));
    }
    let two = TWO.contains(&kind.as_str());
    let mut at = if two { 3 } else { 2 };
    if words.are(at, &["if", "exists"]) {
        at += 2;
    }
    let Some((name, mut next)) = words.name(at) else { return alter_unnamed(words, &kind, steps) };
    if words.sign(next, b'(') {
        next = words.after_brackets(next);
    }
    let object = Object { words, name, action: words.from(next), guarded: words.are(at - 2, &["if", "exists"]) };
    match kind.as_str() {
        "default" => alter_unnamed(words, &kind, steps),
        "index" => object.index(steps),
        "view" => object.view(Kind::View, steps),
        "materialized" => object.view(Kind::MaterializedView, steps),
        "sequence" => object.sequence(steps),
        "type" => object.user_type(steps),
        "domain" => object.domain(steps),
        "function" | "routine" => object.routine(Kind::Function, steps),
        "procedure" => object.routine(Kind::Procedure, steps),
        "schema" => object.simple(Kind::Schema, steps),
        "database" => object.simple(Kind::Database, steps),
        "aggregate" | "collation" | "conversion" | "server" | "language" | "foreign" | "operator" | "text" => {
            object.simple(Kind::Other, steps);
        }
        "extension" => object.extension(steps),
        "policy" => object.policy(steps),
        // Nobody but the next migration names a trigger or a rule.
        "trigger" | "rule" | "statistics" | "tablespace" => steps.neutral(words, &words.head(2)),
        "event" | "publication" | "subscription" | "role" | "user" | "group" | "system" | "large" | "property" => {
            if object.action.is(0, "owner") {
                return steps.neutral(words, &words.head(2));
            }
            if kind == "publication" && object.action.are(0, &["add", "table"]) {
                return published(words, object.action.from(2), steps);
            }
            steps.review(words, &format!("{} changes", words.head(2)), None);
        }
        _ => steps.unread(words, Unread::UnknownStatement { head: words.head(3) }),
    }
}

/// Of each table that a publication gets.
fn published(words: Words<'_>, tables: Words<'_>, steps: &mut Steps) {
    let (names, _) = tables.names(0);
    for (table, _) in &names {
        steps.review(words, "a table is published", Some(table.clone()));
    }
    if names.is_empty() {
        steps.review(words, "ALTER PUBLICATION changes", None);
    }
}

/// ALTER of what has no name after its kind.
fn alter_unnamed(words: Words<'_>, kind: &str, steps: &mut Steps) {
    match kind {
        "default" if words.has("revoke") => steps.review(words, "rights of objects to come are taken away", None),
        "default" => steps.neutral(words, "ALTER DEFAULT PRIVILEGES"),
        "system" | "operator" | "role" | "user" | "large" => {
            steps.review(words, &format!("{} changes", words.head(2)), None);
        }
        _ => steps.unread(words, Unread::UnknownStatement { head: words.head(3) }),
    }
}

/// Whether a sequence or identity is told to count otherwise; NO MAXVALUE and NO CYCLE take a bound away.
pub(super) fn counts_otherwise(words: Words<'_>) -> bool {
    const BOUNDS: &[&str] = &["minvalue", "maxvalue", "cycle"];
    (0..words.tokens.len()).any(|at| {
        let not = words.is(at.wrapping_sub(1), "no");
        ["restart", "increment"].iter().any(|it| words.is(at, it))
            || (!not && BOUNDS.iter().any(|it| words.is(at, it)))
    })
}

/// An object that ALTER names, and what it does with it.
struct Object<'a> {
    words: Words<'a>,
    name: Name,
    action: Words<'a>,
    guarded: bool,
}

impl Object<'_> {
    fn add(&self, steps: &mut Steps, operation: Operation) {
        steps.add_guarded(self.words, operation, self.guarded);
    }

    fn neutral(&self, steps: &mut Steps) {
        let what = format!("{} {}", self.words.head(2), self.action.head(2));
        self.add(steps, Operation::Neutral { what: what.trim_end().to_owned() });
    }

    fn review(&self, steps: &mut Steps, what: &str) {
        self.add(steps, Operation::Review { what: what.to_owned(), table: None });
    }

    fn narrow(&self, steps: &mut Steps, what: String) {
        self.add(steps, Operation::NarrowType { name: self.name.clone(), what });
    }

    fn unknown(&self, steps: &mut Steps) {
        let head = format!("{} … {}", self.words.head(2), self.action.head(3));
        self.add(steps, Operation::Unread(Unread::UnknownStatement { head }));
    }

    /// RENAME TO, SET SCHEMA and OWNER TO, which nearly everything has; whether it was one of them.
    fn common(&self, kind: Kind, steps: &mut Steps) -> bool {
        let action = self.action;
        let to = if action.are(0, &["rename", "to"]) {
            action.ident(2).map(|to| Name { schema: self.name.schema.clone(), name: to })
        } else if action.are(0, &["set", "schema"]) {
            let schema = action.ident(2).map(|schema| Some(schema).filter(|it| it.key != "public"));
            schema.map(|schema| Name { schema, name: self.name.name.clone() })
        } else if action.is(0, "owner") || action.is(0, "depends") || action.are(0, &["no", "depends"]) {
            self.neutral(steps);
            return true;
        } else {
            return false;
        };
        match to {
            Some(to) => self.add(steps, Operation::Rename { kind: Some(kind), from: self.name.clone(), to }),
            None => self.unknown(steps),
        }
        true
    }

    fn index(&self, steps: &mut Steps) {
        match self.action.ident(2).filter(|_| self.action.are(0, &["rename", "to"])) {
            Some(to) => {
                self.add(steps, Operation::RenameIndex { table: None, from: self.name.name.clone(), to });
            }
            None => self.neutral(steps),
        }
    }

    fn simple(&self, kind: Kind, steps: &mut Steps) {
        if self.common(kind, steps) {
            return;
        }
        if self.action.is(0, "refresh") {
            return self.neutral(steps);
        }
        self.review(steps, &format!("{} changes", self.words.head(2)));
    }

    fn view(&self, kind: Kind, steps: &mut Steps) {
        let action = self.action;
        if self.common(kind, steps) {
            return;
        }
        if action.is(0, "rename") {
            let at = 1 + usize::from(action.is(1, "column") && !action.is(2, "to"));
            return match (action.ident(at), action.ident(at + 2)) {
                (Some(from), Some(to)) => {
                    self.add(steps, Operation::RenameColumn { table: self.name.clone(), from, to });
                }
                _ => self.unknown(steps),
            };
        }
        let harmless =
            ["cluster", "reset"].iter().any(|it| action.is(0, it)) || action.are(0, &["set", "tablespace"]);
        if harmless || (kind == Kind::MaterializedView && !action.is(0, "alter")) {
            return self.neutral(steps);
        }
        self.review(steps, "a view's options change");
    }

    fn sequence(&self, steps: &mut Steps) {
        let action = self.action;
        if self.common(Kind::Sequence, steps) {
            return;
        }
        let narrower = action.is(0, "as") && !action.is(1, "bigint") && !action.is(1, "int8");
        if counts_otherwise(action) || narrower {
            return self.review(steps, "a sequence counts otherwise");
        }
        self.neutral(steps);
    }

    fn user_type(&self, steps: &mut Steps) {
        let action = self.action;
        if self.common(Kind::Type, steps) {
            return;
        }
        if action.are(0, &["add", "value"]) {
            let guarded = action.are(2, &["if", "not", "exists"]);
            return match action.literal(if guarded { 5 } else { 2 }) {
                Some(value) => {
                    let operation = Operation::AddEnumValue { name: self.name.clone(), value };
                    steps.add_guarded(self.words, operation, guarded);
                }
                None => self.unknown(steps),
            };
        }
        if action.are(0, &["rename", "value"]) {
            return match (action.literal(2), action.literal(4)) {
                (Some(from), Some(to)) => {
                    self.add(steps, Operation::RenameEnumValue { name: self.name.clone(), from, to });
                }
                _ => self.unknown(steps),
            };
        }
        for part in action.parts() {
            let attribute = part.is(1, "attribute").then(|| part.ident(2)).flatten();
            let operation = match (part.token(0).to_ascii_lowercase().as_str(), attribute) {
                ("add", Some(_)) => Operation::Review { what: "a type gets an attribute".to_owned(), table: None },
                ("rename" | "drop" | "alter", Some(_)) => {
                    Operation::NarrowType { name: self.name.clone(), what: crate::operation::one_line(part.text()) }
                }
                ("set", _) => Operation::Neutral { what: "ALTER TYPE SET".to_owned() },
                _ => {
                    Operation::Unread(Unread::UnknownStatement { head: format!("ALTER TYPE … {}", part.head(3)) })
                }
            };
            steps.add_guarded(part, operation, self.guarded);
        }
    }

    fn domain(&self, steps: &mut Steps) {
        let action = self.action;
        if self.common(Kind::Domain, steps) {
            return;
        }
        if action.is(0, "add") || action.are(0, &["set", "not"]) || action.are(0, &["drop", "default"]) {
            return self.narrow(steps, crate::operation::one_line(action.text()));
        }
        if action.are(0, &["drop", "not"]) {
            return self.review(steps, "a domain allows NULL");
        }
        if action.is(0, "set") {
            return self.review(steps, "a domain gets another default");
        }
        self.neutral(steps);
    }

    fn routine(&self, kind: Kind, steps: &mut Steps) {
        let action = self.action;
        if self.common(kind, steps) {
            return;
        }
        const HARMLESS: &[&str] = &[
            "cost",
            "rows",
            "parallel",
            "leakproof",
            "not",
            "support",
            "volatile",
            "stable",
            "immutable",
            "called",
            "reset",
        ];
        // A search path that is fixed finds what it found; an empty one may not.
        let path = action.are(0, &["set", "search_path"])
            && (2..action.tokens.len())
                .any(|at| action.ident(at).is_some_and(|name| !name.key.is_empty() && name.key != "to"))
            && !action.has("security");
        if HARMLESS.iter().any(|it| action.is(0, it)) && action.tokens.len() <= 3 || path {
            return self.neutral(steps);
        }
        self.review(steps, "a routine's options change");
    }

    fn extension(&self, steps: &mut Steps) {
        if self.action.is(0, "add") {
            return self.neutral(steps);
        }
        self.review(steps, "an extension is updated or moved");
    }

    fn policy(&self, steps: &mut Steps) {
        let action = self.action;
        let table = action.is(0, "on").then(|| action.name(1)).flatten().map(|(table, _)| table);
        if action.has("rename") {
            return self.neutral(steps);
        }
        self.add(steps, Operation::Restrict { restriction: Restriction::Policy, table });
    }
}
