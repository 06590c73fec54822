//! Answers made from a description: what a test says, and the least that is required around it.
//!
//! What a test says has to be described, name by name: so a forge of the tests cannot answer with a
//! field that the real one does not have, and an adapter that reads such a field reads nothing.

use serde_json::{Map, Value, json};

use super::schema::Api;

impl Api {
    /// An answer of that operation, `says` put over the least that the description wants.
    ///
    /// # Panics
    /// If `says` holds what is not described.
    pub fn fill(&self, method: &str, template: &str, status: u16, says: &Value) -> Value {
        let place = format!("{method} {template} {status}");
        let schema =
            self.answer_schema(method, template, status).unwrap_or_else(|| panic!("{place} is not described"));
        self.filled(&schema, Some(says), &place)
    }

    fn filled(&self, schema: &Value, says: Option<&Value>, place: &str) -> Value {
        let schema = self.resolved(schema);
        if let Some(parts) = schema["anyOf"].as_array() {
            // As `widen` leaves what may be null; or a real choice.
            let nullable = parts.iter().any(|part| part["enum"] == json!([null]));
            let real: Vec<&Value> = parts.iter().filter(|part| part["enum"] != json!([null])).collect();
            return match says {
                None | Some(Value::Null) if nullable => Value::Null,
                says => self.filled(self.choice(&real, says), says, place),
            };
        }
        if let Some(parts) = schema["oneOf"].as_array() {
            let all: Vec<&Value> = parts.iter().collect();
            return self.filled(self.choice(&all, says), says, place);
        }
        if let Some(values) = schema["enum"].as_array() {
            return says.cloned().unwrap_or_else(|| values[0].clone());
        }
        if schema["type"] == json!("array") {
            let items = says.and_then(Value::as_array).into_iter().flatten();
            let fill =
                |(at, item): (usize, &Value)| self.filled(&schema["items"], Some(item), &format!("{place}/{at}"));
            return Value::Array(items.enumerate().map(fill).collect());
        }
        let (properties, required) = self.fields(schema);
        if schema["type"] == json!("object") || !properties.is_empty() {
            return self.filled_object(schema, &properties, &required, says, place);
        }
        says.cloned().unwrap_or_else(|| match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("integer" | "number"), _) => json!(0),
            (Some("boolean"), _) => json!(false),
            (_, Some("uri" | "url")) => json!("http://forge.test/x"),
            (_, Some("date-time")) => json!("2026-11-21T10:00:00Z"),
            (_, Some("email")) => json!("ana@example.com"),
            _ => json!("x"),
        })
    }

    fn filled_object(
        &self,
        schema: &Value,
        properties: &Map<String, Value>,
        required: &[String],
        says: Option<&Value>,
        place: &str,
    ) -> Value {
        let mut made = Map::new();
        for name in required {
            let none = json!({});
            let inner = properties.get(name).unwrap_or(&none);
            made.insert(
                name.clone(),
                self.filled(inner, says.and_then(|says| says.get(name)), &format!("{place}/{name}")),
            );
        }
        for (name, value) in says.and_then(Value::as_object).into_iter().flatten() {
            match properties.get(name) {
                Some(inner) => {
                    made.insert(name.clone(), self.filled(inner, Some(value), &format!("{place}/{name}")));
                }
                None if properties.is_empty() || schema["additionalProperties"].is_object() => {
                    made.insert(name.clone(), value.clone());
                }
                None => panic!("{place}: `{name}` is not described"),
            }
        }
        Value::Object(made)
    }

    /// Properties and required ones, with those of `allOf`.
    fn fields(&self, schema: &Value) -> (Map<String, Value>, Vec<String>) {
        let schema = self.resolved(schema);
        let mut properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let names = schema["required"].as_array().into_iter().flatten();
        let mut required: Vec<String> = names.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let (inner, wanted) = self.fields(part);
            properties.extend(inner);
            required.extend(wanted);
        }
        (properties, required)
    }

    /// The first alternative that has all the fields of what is said, and takes its words.
    fn choice<'a>(&'a self, parts: &[&'a Value], says: Option<&Value>) -> &'a Value {
        let fits = |part: &&&Value| {
            let (properties, _) = self.fields(part);
            says.and_then(Value::as_object).is_none_or(|says| {
                says.iter().all(|(name, value)| {
                    properties.get(name).is_some_and(|inner| {
                        let words = self.resolved(inner)["enum"].as_array();
                        words.is_none_or(|words| words.contains(value))
                    })
                })
            })
        };
        parts.iter().find(fits).or(parts.first()).copied().expect("an alternative")
    }
}
