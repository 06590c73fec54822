//! ActiveRecord: caches a table's columns when it starts and names them all in what it writes, so
//! that a column is in use until the model ignores it.

use super::{Field, FieldKind, Mapper, Model, Row, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row = Row {
    mapper: Mapper::Rails,
    title: "ActiveRecord",
    language: Language::Ruby,
    marks: &[" < ", "ignored_columns", "ignore_column", "def self.columns"],
    read,
};

/// Bases that are ActiveRecord by their name; others are followed through the tree.
fn is_record(base: &str) -> bool {
    base == "ActiveRecord::Base" || base.ends_with("ApplicationRecord") || base.ends_with("Record")
}

fn read(text: &str) -> Vec<Model> {
    let mut models: Vec<Model> = vec![];
    // The class or module in whose body we are, by indentation.
    let mut open: Vec<(usize, usize)> = vec![];
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        if code.is_empty() {
            continue;
        }
        let indent = line.len() - code.len();
        if open.last().is_some_and(|(_, within)| indent <= *within) && (code == "end" || code.starts_with("end ")) {
            open.pop();
            continue;
        }
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if let Some(model) = header(code, number) {
            while open.last().is_some_and(|(_, within)| indent <= *within) {
                open.pop();
            }
            models.push(model);
            if !code.ends_with(" end") && !code.ends_with(";end") {
                open.push((models.len() - 1, indent));
            }
            continue;
        }
        let Some(model) = open.last().and_then(|(model, _)| models.get_mut(*model)) else { continue };
        body(model, code, &lines, at);
    }
    models.retain(|model| !model.part || !model.fields.is_empty() || !model.bases.is_empty());
    models
}

/// `class User < ApplicationRecord`, `module Ignoring`.
fn header(code: &str, line: u32) -> Option<Model> {
    let class = code.strip_prefix("class ").filter(|rest| !rest.starts_with("<<"));
    let rest = class.or_else(|| code.strip_prefix("module "))?.trim_start();
    let end =
        rest.find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | ':'))).unwrap_or(rest.len());
    let name = &rest[..end];
    let base = rest[end..].trim_start().strip_prefix('<').map(str::trim);
    let base = base.map(|base| base.split([' ', ';', '[', '(']).next().unwrap_or(base).trim_start_matches("::"));
    let last = |name: &str| name.rsplit("::").next().unwrap_or(name).to_owned();
    let record = base.is_some_and(is_record);
    Some(Model {
        mapper: Mapper::Rails,
        class: last(name),
        table: None,
        bases: base.map(last).into_iter().collect(),
        fields: vec![],
        // Whether it is a record at all, its base has to say.
        derived: !record,
        open: false,
        part: class.is_none() || base.is_none(),
        line,
    })
}

fn body(model: &mut Model, code: &str, lines: &[&str], at: usize) {
    if let Some(value) = code.strip_prefix("self.table_name").and_then(|rest| rest.trim_start().strip_prefix('=')) {
        model.table = super::literal(value)
            .map(str::to_owned)
            .or_else(|| value.trim().strip_prefix(':').map(|symbol| word(symbol).to_owned()));
    } else if code.starts_with("self.abstract_class") || code.starts_with("primary_abstract_class") {
        model.part = true;
    } else if let Some(names) = code.strip_prefix("include ").or_else(|| code.strip_prefix("prepend ")) {
        model
            .bases
            .extend(names.split(',').map(|name| name.trim().rsplit("::").next().unwrap_or_default().to_owned()));
    } else if code.contains("ignored_columns") || code.starts_with("ignore_column") {
        for name in listed_names(lines, at) {
            model.fields.push(ignored(name, at));
        }
    } else if code.starts_with("def self.columns") {
        // What Rails 4 made people write: `super.reject { |column| column.name == "x" }`.
        for line in lines.iter().skip(at).take(5).take_while(|line| line.trim() != "end") {
            for name in names(line) {
                model.fields.push(ignored(name, at));
            }
        }
    }
}

fn ignored(name: String, at: usize) -> Field {
    Field {
        column: Some(name.clone()),
        name,
        kind: FieldKind::Ignored,
        line: u32::try_from(at + 1).unwrap_or(u32::MAX),
    }
}

/// The names of a list that begins on a line and ends with its brackets; those of a constant too.
fn listed_names(lines: &[&str], at: usize) -> Vec<String> {
    let statement = statement(lines, at);
    let value = statement.split_once("ignored_columns").or_else(|| statement.split_once("ignore_column"));
    let value = value.map_or("", |(_, value)| value);
    // `ignore_column :x, remove_with: "17.0", remove_after: "…"`: what follows are no columns.
    let value = value.split("remove_with").next().unwrap_or(value).split("remove_after").next().unwrap_or(value);
    let mut found = names(value);
    for constant in value.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')) {
        let is_constant = constant.len() > 1
            && constant.starts_with(|first: char| first.is_ascii_uppercase())
            && constant
                .chars()
                .all(|letter| letter.is_ascii_uppercase() || letter == '_' || letter.is_ascii_digit());
        if is_constant {
            let defined = lines.iter().position(|line| {
                line.trim_start().strip_prefix(constant).is_some_and(|rest| rest.trim_start().starts_with('='))
            });
            found.extend(defined.map(|at| self::statement(lines, at)).iter().flat_map(|text| names(text)));
        }
    }
    found
}

/// A statement from its line to the line where its brackets are closed.
fn statement(lines: &[&str], at: usize) -> String {
    const LONGEST: usize = 60;
    let mut text = String::new();
    let mut depth = 0_i64;
    for line in lines.iter().skip(at).take(LONGEST) {
        text.push_str(line);
        text.push('\n');
        depth += line
            .chars()
            .map(|letter| match letter {
                '[' | '(' => 1,
                ']' | ')' => -1,
                _ => 0,
            })
            .sum::<i64>();
        if depth <= 0 && !line.trim_end().ends_with([',', '=', '\\', '+']) {
            break;
        }
    }
    text
}

/// Strings, symbols and the words of `%w[…]`, `%i[…]`.
fn names(text: &str) -> Vec<String> {
    let mut found = vec![];
    for open in ["%w", "%i"] {
        for (at, _) in text.match_indices(open) {
            let rest = text.get(at + 3..).unwrap_or_default();
            let end = rest.find([']', ')', '}', '|', '>', '/']).unwrap_or(rest.len());
            found.extend(rest[..end].split_whitespace().map(str::to_owned));
        }
    }
    for (at, mark) in text.match_indices([':', '"', '\'']) {
        let rest = text.get(at + 1..).unwrap_or_default();
        let name = word(rest);
        let closed = mark == ":" || rest[name.len()..].starts_with(mark);
        if closed && !name.is_empty() {
            found.push(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{FieldKind, read};

    #[test]
    fn ignored_columns_are_read_however_they_are_written() {
        for body in [
            "self.ignored_columns = [\"nick\"]",
            "self.ignored_columns += %w[nick other]",
            "self.ignored_columns += %i(nick)",
            "self.ignored_columns = [:nick, :other].freeze",
            "self.ignored_columns +=\n    [\n      'nick'\n    ]",
            "self.ignored_columns = super + ['nick']",
            "ignore_column :nick, remove_with: '17.1', remove_after: '2024-06-01'",
            "ignore_columns %i[nick other], remove_with: '17.1', remove_after: '2024-06-01'",
            "OLD = %w[nick].freeze\n  self.ignored_columns += OLD",
            "def self.columns\n    super.reject { |column| column.name == 'nick' }\n  end",
            "def self.ignored_columns = super + [\"nick\"]",
        ] {
            let models = read(&format!("class Person < ApplicationRecord\n  {body}\nend\n"));
            let ignored: Vec<&str> = models[0]
                .fields
                .iter()
                .filter(|field| field.kind == FieldKind::Ignored)
                .map(|field| field.name.as_str())
                .collect();
            assert!(ignored.contains(&"nick"), "{body}: {ignored:?}");
            assert!(!ignored.contains(&"17"), "{body}: {ignored:?}");
        }
    }

    #[test]
    fn classes_and_their_tables_are_read() {
        let models = read(
            "module Shop\n  class Person < ::ApplicationRecord\n    self.table_name = 'shop_people'\n    include Naming\n  end\n\n  class Plain\n  end\nend\nclass Second < ActiveRecord::Base; end\nclass Base < ApplicationRecord\n  self.abstract_class = true\n  self.ignored_columns = ['x']\nend\n",
        );
        let shown: Vec<(&str, Option<&str>, bool)> =
            models.iter().map(|model| (model.class.as_str(), model.table.as_deref(), model.part)).collect();
        assert_eq!(shown, [("Person", Some("shop_people"), false), ("Second", None, false), ("Base", None, true)]);
        assert!(models[0].bases.contains(&"Naming".to_owned()));
    }
}
