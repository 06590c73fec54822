//! GraphQL documents, their variables and answers, held against an official schema.
//!
//! As much of the rules as the few documents of adapters need: every field and argument exists, what
//! is required is given, objects have a selection and leaves have none, variables have the type that
//! their place wants, a fragment is of a type that can be there, and an answer has exactly what was selected.
//! Not here: fragments beside fields or with a name, unions.

use std::collections::BTreeMap;

use graphql_parser::query::{self, Definition, OperationDefinition, Selection, SelectionSet, TypeCondition};
use graphql_parser::schema::{self, Field, InputValue, Type, TypeDefinition};
use serde_json::Value;

/// An official schema.
pub struct Schema {
    types: BTreeMap<String, TypeDefinition<'static, String>>,
}

type Wrong = Vec<String>;

impl Schema {
    pub fn new(text: &str) -> Self {
        let document = schema::parse_schema::<String>(text).expect("an official schema").into_static();
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            schema::Definition::TypeDefinition(found) => Some((name_of(&found), found)),
            _ => None,
        });
        Self { types: types.collect() }
    }

    /// What is wrong with a document sent with these variables and answered with that.
    pub fn check(&self, text: &str, variables: &Value, data: Option<&Value>) -> Wrong {
        let document = match query::parse_query::<String>(text) {
            Ok(document) => document,
            Err(why) => return vec![why.to_string()],
        };
        let mut wrong = Vec::new();
        for definition in &document.definitions {
            let (root, variables_of, selection) = match definition {
                Definition::Operation(OperationDefinition::Query(found)) => {
                    ("Query", &found.variable_definitions, &found.selection_set)
                }
                Definition::Operation(OperationDefinition::Mutation(found)) => {
                    ("Mutation", &found.variable_definitions, &found.selection_set)
                }
                _ => return vec!["only queries and mutations are understood".to_owned()],
            };
            let mut types = BTreeMap::new();
            for variable in variables_of {
                types.insert(variable.name.clone(), owned(&variable.var_type));
                self.check_value(
                    &variable.var_type,
                    &variables[&variable.name],
                    &format!("${}", variable.name),
                    &mut wrong,
                );
            }
            for name in variables.as_object().into_iter().flat_map(|all| all.keys()) {
                if !types.contains_key(name) {
                    wrong.push(format!("${name} is not declared"));
                }
            }
            self.check_selection(root, selection, &types, data, root, &mut wrong);
        }
        wrong
    }

    fn check_selection(
        &self,
        on: &str,
        selection: &SelectionSet<'_, String>,
        variables: &BTreeMap<String, Type<'static, String>>,
        data: Option<&Value>,
        place: &str,
        wrong: &mut Wrong,
    ) {
        if let Some(Value::Array(all)) = data {
            for (at, one) in all.iter().enumerate().filter(|(_, one)| !one.is_null()) {
                self.check_selection(on, selection, variables, Some(one), &format!("{place}[{at}]"), wrong);
            }
            if all.is_empty() {
                self.check_selection(on, selection, variables, None, place, wrong);
            }
            return;
        }
        let mut selected = Vec::new();
        for item in &selection.items {
            let field = match item {
                Selection::Field(field) => field,
                // Of one type, alone in its selection: all that our documents have.
                Selection::InlineFragment(fragment) if selection.items.len() == 1 => {
                    let Some(TypeCondition::On(of)) = &fragment.type_condition else {
                        wrong.push(format!("{place}: a fragment of no type"));
                        continue;
                    };
                    if !self.is_one(of, on) {
                        wrong.push(format!("{place}: no {of} is a {on}"));
                    }
                    return self.check_selection(of, &fragment.selection_set, variables, data, place, wrong);
                }
                _ => {
                    wrong.push(format!("{place}: fragments are not understood"));
                    continue;
                }
            };
            let here = format!("{place}.{}", field.name);
            let Some(described) = self.field(on, &field.name) else {
                wrong.push(format!("{here}: there is no such field of {on}"));
                continue;
            };
            self.check_arguments(&described.arguments, &field.arguments, variables, &here, wrong);
            let key = field.alias.as_ref().unwrap_or(&field.name);
            selected.push(key.clone());
            let inner = named(&described.field_type);
            let leaf =
                !matches!(self.types.get(inner), Some(TypeDefinition::Object(_) | TypeDefinition::Interface(_)));
            if leaf != field.selection_set.items.is_empty() {
                wrong.push(format!("{here}: {inner} wants {} selection", if leaf { "no" } else { "a" }));
            }
            let value = data.map(|data| data.get(key).unwrap_or(&Value::Null));
            match value {
                Some(Value::Null) if matches!(described.field_type, Type::NonNullType(_)) => {
                    wrong.push(format!("{here}: null"));
                }
                Some(Value::Null) => {}
                Some(value) if leaf => self.check_value(&described.field_type, value, &here, wrong),
                value => self.check_selection(inner, &field.selection_set, variables, value, &here, wrong),
            }
        }
        for name in data.and_then(Value::as_object).into_iter().flat_map(|all| all.keys()) {
            if !selected.contains(name) {
                wrong.push(format!("{place}.{name} was not asked for"));
            }
        }
    }

    fn check_arguments(
        &self,
        described: &[InputValue<'static, String>],
        given: &[(String, query::Value<'_, String>)],
        variables: &BTreeMap<String, Type<'static, String>>,
        place: &str,
        wrong: &mut Wrong,
    ) {
        for (name, value) in given {
            let Some(argument) = described.iter().find(|argument| argument.name == *name) else {
                wrong.push(format!("{place}: there is no argument `{name}`"));
                continue;
            };
            let fits = match value {
                query::Value::Variable(variable) => variables.get(variable).is_some_and(|has| {
                    *has == argument.value_type
                        || matches!(has, Type::NonNullType(inner) if **inner == argument.value_type)
                }),
                query::Value::Boolean(_) => named(&argument.value_type) == "Boolean",
                query::Value::Int(_) => named(&argument.value_type) == "Int",
                query::Value::String(text) => match named(&argument.value_type) {
                    "GitObjectID" => text.len() == 40,
                    name => name == "String",
                },
                _ => false,
            };
            if !fits {
                wrong.push(format!("{place}: `{name}` is no {}", argument.value_type));
            }
        }
        for argument in described {
            let required = matches!(argument.value_type, Type::NonNullType(_)) && argument.default_value.is_none();
            if required && !given.iter().any(|(name, _)| *name == argument.name) {
                wrong.push(format!("{place}: `{}` is missing", argument.name));
            }
        }
    }

    /// A JSON value against an input type or a leaf.
    fn check_value<'a>(&self, wanted: &Type<'a, String>, value: &Value, place: &str, wrong: &mut Wrong) {
        match wanted {
            Type::NonNullType(_) if value.is_null() => wrong.push(format!("{place}: null")),
            Type::NonNullType(inner) => self.check_value(inner, value, place, wrong),
            _ if value.is_null() => {}
            Type::ListType(inner) => match value.as_array() {
                Some(items) => items.iter().for_each(|item| self.check_value(inner, item, place, wrong)),
                None => wrong.push(format!("{place}: no list")),
            },
            Type::NamedType(name) => match (self.types.get(name), name.as_str()) {
                (Some(TypeDefinition::InputObject(described)), _) => {
                    let Some(fields) = value.as_object() else { return wrong.push(format!("{place}: no {name}")) };
                    for field in &described.fields {
                        let given = fields.get(&field.name).unwrap_or(&Value::Null);
                        if !given.is_null() || field.default_value.is_none() {
                            self.check_value(&field.value_type, given, &format!("{place}.{}", field.name), wrong);
                        }
                    }
                    for given in fields.keys() {
                        if !described.fields.iter().any(|field| field.name == *given) {
                            wrong.push(format!("{place}: there is no field `{given}` in {name}"));
                        }
                    }
                }
                (Some(TypeDefinition::Enum(described)), _)
                    if !described.values.iter().any(|word| Some(word.name.as_str()) == value.as_str()) =>
                {
                    wrong.push(format!("{place}: {value} is no {name}"));
                }
                (_, "Boolean") if !value.is_boolean() => wrong.push(format!("{place}: {value} is no Boolean")),
                (_, "Int") if !value.is_i64() => wrong.push(format!("{place}: {value} is no Int")),
                (_, "String" | "ID" | "GitObjectID" | "GitRefname") if !value.is_string() => {
                    wrong.push(format!("{place}: {value} is no {name}"));
                }
                (_, "GitObjectID") if value.as_str().is_none_or(|text| text.len() != 40) => {
                    wrong.push(format!("{place}: {value} is no object id"));
                }
                (_, "GitRefname") if value.as_str().is_none_or(|text| !text.starts_with("refs/")) => {
                    wrong.push(format!("{place}: {value} is no full reference"));
                }
                _ => {}
            },
        }
    }

    /// Whether every value of the one type is one of the other.
    fn is_one(&self, of: &str, other: &str) -> bool {
        matches!(self.types.get(of), Some(TypeDefinition::Object(object))
            if of == other || object.implements_interfaces.iter().any(|name| name == other))
    }

    fn field(&self, on: &str, name: &str) -> Option<&Field<'static, String>> {
        let fields = match self.types.get(on)? {
            TypeDefinition::Object(found) => &found.fields,
            TypeDefinition::Interface(found) => &found.fields,
            _ => return None,
        };
        fields.iter().find(|field| field.name == name)
    }
}

fn name_of(definition: &TypeDefinition<'static, String>) -> String {
    match definition {
        TypeDefinition::Scalar(found) => found.name.clone(),
        TypeDefinition::Object(found) => found.name.clone(),
        TypeDefinition::Interface(found) => found.name.clone(),
        TypeDefinition::Union(found) => found.name.clone(),
        TypeDefinition::Enum(found) => found.name.clone(),
        TypeDefinition::InputObject(found) => found.name.clone(),
    }
}

fn named<'a>(of: &'a Type<'_, String>) -> &'a str {
    match of {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named(inner),
    }
}

fn owned(of: &Type<'_, String>) -> Type<'static, String> {
    match of {
        Type::NamedType(name) => Type::NamedType(name.clone()),
        Type::ListType(inner) => Type::ListType(Box::new(owned(inner))),
        Type::NonNullType(inner) => Type::NonNullType(Box::new(owned(inner))),
    }
}
