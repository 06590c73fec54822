//! The models as the migrations made them: what names tables and columns, and what a later
//! operation is compared with.
//!
//! Not here: what an operation does to the database ([`super::operations`]).

use std::collections::BTreeMap;

use super::super::emit;
use super::super::syntax::{Call, Value};
use super::fields::{self, Shape};
use crate::operation::{Ident, Maybe, Name, Type};
use crate::sql::Dialect;

/// What a project's settings say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `AUTH_USER_MODEL`.
    pub user: String,
    /// `DEFAULT_AUTO_FIELD`, its last word.
    pub key: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { user: "auth.User".to_owned(), key: "AutoField".to_owned() }
    }
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its app's label.
    pub app: String,
    /// Its name, as written.
    pub name: String,
    /// Its table.
    pub table: String,
    /// Whether the table's name was given.
    pub given: bool,
    /// Whether Django makes its table: no proxy, managed.
    pub kept: bool,
    /// Fields in order.
    pub fields: Vec<(String, Call)>,
    /// Sets of fields that are unique together.
    pub unique: Vec<Vec<String>>,
    /// Sets of fields with an index together.
    pub indexed: Vec<Vec<String>>,
    /// Kinds of named constraints; `index`: a unique index, which is dropped as one.
    pub constraints: BTreeMap<String, &'static str>,
}

/// All models.
#[derive(Debug, Clone)]
pub struct State {
    /// The dialect.
    pub dialect: Dialect,
    /// Settings.
    pub settings: Settings,
    /// By app and lower-case name.
    pub models: BTreeMap<(String, String), Model>,
}

/// Tables of Django's own models whose names are not `app_model`.
const OWN_TABLES: &[(&str, &str)] = &[
    ("contenttypes.contenttype", "django_content_type"),
    ("sites.site", "django_site"),
    ("sessions.session", "django_session"),
    ("admin.logentry", "django_admin_log"),
    ("flatpages.flatpage", "django_flatpage"),
    ("redirects.redirect", "django_redirect"),
];

/// Django's own apps: their keys are plain integers.
const OWN_APPS: &[&str] = &["auth", "contenttypes", "sites", "admin", "flatpages", "redirects"];

impl State {
    /// No models yet.
    pub fn new(dialect: Dialect, settings: Settings) -> Self {
        Self { dialect, settings, models: BTreeMap::new() }
    }

    /// A table's name. Some give `schema"."table`.
    pub fn name(&self, written: &str) -> Name {
        let plain = written.replace("\".\"", ".").replace('"', "");
        if plain.contains('.') && !written.contains('"') {
            return Name::plain(emit::ident(self.dialect, &plain));
        }
        emit::name(self.dialect, &plain)
    }

    /// The app and lower-case name of the model that `to` means.
    pub fn key(&self, model: &Model, to: &Value) -> Option<(String, String)> {
        let swapped;
        let text = match to {
            Value::Text(text) => text.as_str(),
            Value::Call(call) if call.word() == "get_model_name" => {
                let parts = call.places.iter().map(|part| part.text().map(str::to_owned));
                swapped = parts.collect::<Option<Vec<_>>>()?.join(".");
                swapped.as_str()
            }
            Value::Code(text) if text.ends_with("AUTH_USER_MODEL") => self.settings.user.as_str(),
            Value::Call(call) if call.path.ends_with("get_user_model") => self.settings.user.as_str(),
            Value::Call(call) if call.word() == "getattr" => self.settings.user.as_str(),
            _ => return None,
        };
        Some(match text.rsplit_once('.') {
            Some((app, name)) => (app.to_owned(), name.to_lowercase()),
            None if text == "self" => (model.app.clone(), model.name.to_lowercase()),
            None => (model.app.clone(), text.to_lowercase()),
        })
    }

    /// The lower-case name of the model that `to` means.
    pub fn model_name(&self, model: &Model, to: &Value) -> Option<String> {
        self.key(model, to).map(|(_, name)| name)
    }

    /// The table of the model that `to` means.
    pub fn table_of(&self, model: &Model, to: &Value) -> Option<Name> {
        let key = self.key(model, to)?;
        if key == (model.app.clone(), model.name.to_lowercase()) {
            return Some(self.name(&model.table));
        }
        Some(match self.models.get(&key) {
            Some(known) => self.name(&known.table),
            None => self.name(&usual_table(&key.0, &key.1)),
        })
    }

    /// The type of a column that refers to a model: that of its primary key.
    pub fn key_type(&self, to: Option<&Value>) -> Maybe<Type> {
        self.key_type_of(to, 0)
    }

    fn key_type_of(&self, to: Option<&Value>, depth: usize) -> Maybe<Type> {
        let nobody = Model::of("", "", "");
        let Some(key) = to.and_then(|to| self.key(&nobody, to)) else { return Maybe::Unknown };
        self.key_type_at(&key, depth)
    }

    /// The type of a model's primary key.
    pub fn key_type_at(&self, key: &(String, String), depth: usize) -> Maybe<Type> {
        let plain = |word: &str| Maybe::Known(Type::named(self.counted(word)));
        let Some(model) = self.models.get(key) else {
            return if OWN_APPS.contains(&key.0.as_str()) { plain("AutoField") } else { Maybe::Unknown };
        };
        let primary =
            model.fields.iter().find(|(_, call)| call.named("primary_key").and_then(Value::truth) == Some(true));
        match primary {
            None => plain(&self.settings.key),
            Some((_, call)) if call.word().ends_with("AutoField") => plain(call.word()),
            Some((_, call)) if call.word() == "ForeignKey" || call.word() == "OneToOneField" => {
                if depth > 8 {
                    Maybe::Unknown
                } else {
                    self.key_type_of(call.argument("to", 0), depth + 1)
                }
            }
            Some((_, call)) => fields::ty(self, call),
        }
    }

    fn counted(&self, word: &str) -> &'static str {
        match (word, self.dialect) {
            (_, Dialect::Sqlite) => "integer",
            ("BigAutoField", _) => "bigint",
            ("SmallAutoField", _) => "smallint",
            (_, Dialect::MySql) => "int",
            _ => "integer",
        }
    }

    /// What a field of a model is.
    pub fn shape(&self, model: &Model, field: &str) -> Option<Shape> {
        model.field(field).map(|call| fields::shape(self, model, field, call))
    }

    /// The columns of fields; a field that is not known has the column of its name.
    pub fn columns(&self, model: &Model, names: &[String]) -> Vec<Ident> {
        names
            .iter()
            .map(|name| {
                let name = name.trim_start_matches('-');
                match self.shape(model, name) {
                    Some(Shape::Column(held)) => emit::ident(self.dialect, &held.column),
                    _ => emit::ident(self.dialect, name),
                }
            })
            .collect()
    }
}

/// The table of a model that was given none.
pub fn usual_table(app: &str, name: &str) -> String {
    let name = name.to_lowercase();
    let whole = format!("{app}.{name}");
    OWN_TABLES
        .iter()
        .find(|(model, _)| *model == whole)
        .map_or_else(|| format!("{app}_{name}"), |(_, table)| (*table).to_owned())
}

impl Model {
    /// A model without fields.
    pub fn of(app: &str, name: &str, table: &str) -> Self {
        Self {
            app: app.to_owned(),
            name: name.to_owned(),
            table: table.to_owned(),
            given: false,
            kept: true,
            fields: vec![],
            unique: vec![],
            indexed: vec![],
            constraints: BTreeMap::new(),
        }
    }

    /// A field.
    pub fn field(&self, name: &str) -> Option<&Call> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, call)| call)
    }
}
