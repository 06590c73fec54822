//! Eloquent: attributes are dynamic, so a column that no code names is not used, but for those that
//! it fills by itself.

use super::braces::classes;
use crate::evidence::language::Language;
use crate::evidence::words::TableName;

/// A model, and what it fills by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Eloquent {
    pub(crate) class: String,
    pub(crate) line: u32,
    /// The table, where it is said.
    table: Option<String>,
    stamps: bool,
    deletes_softly: bool,
    remembers: bool,
    morphs: Vec<String>,
}

impl Eloquent {
    /// Whether its rows are this table's: it says so, or its class is called so and it says nothing.
    pub(in crate::evidence) fn maps(&self, table: &TableName<'_>) -> bool {
        match &self.table {
            Some(said) => said.rsplit('.').next().unwrap_or(said).eq_ignore_ascii_case(table.name),
            None => table.is_class(&self.class),
        }
    }

    /// Whether it fills this column.
    pub(crate) fn writes(&self, column: &str) -> bool {
        match column {
            "created_at" | "updated_at" => self.stamps,
            "deleted_at" => self.deletes_softly,
            "remember_token" => self.remembers,
            _ => column
                .strip_suffix("_id")
                .or_else(|| column.strip_suffix("_type"))
                .is_some_and(|name| self.morphs.iter().any(|morph| morph == name)),
        }
    }
}

/// Whether the column may be one of them.
pub(crate) fn has_rule(column: &str) -> bool {
    matches!(column, "created_at" | "updated_at" | "deleted_at" | "remember_token")
        || column.ends_with("_id")
        || column.ends_with("_type")
}

/// The models of a text without comments.
pub(crate) fn read(language: Language, text: &str) -> Vec<Eloquent> {
    if language != Language::Php || !text.contains(" extends ") || text.contains("ORM\\") {
        return vec![];
    }
    classes(text, false)
        .into_iter()
        .filter(|class| {
            class.bases.iter().any(|base| {
                matches!(base.as_str(), "Model" | "Authenticatable" | "Pivot" | "MorphPivot")
                    || base.ends_with("Model")
            })
        })
        .map(|class| Eloquent {
            table: class
                .members
                .iter()
                .filter_map(|member| member.code.split_once("$table"))
                .find(|(_, rest)| rest.trim_start().starts_with('='))
                .and_then(|(_, rest)| super::literal(rest))
                .map(str::to_owned),
            stamps: !text.contains("$timestamps = false"),
            deletes_softly: class
                .members
                .iter()
                .any(|member| member.code.starts_with("use ") && member.code.contains("SoftDeletes")),
            remembers: class.bases.iter().any(|base| base == "Authenticatable"),
            // `public function commentable() { return $this->morphTo(); }`
            morphs: text
                .match_indices("morphTo(")
                .take(50)
                .filter_map(|(at, _)| {
                    let head = text[..at].rsplit("function ").next()?;
                    Some(super::word(head).to_owned())
                })
                .collect(),
            line: class.line,
            class: class.name.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Language;
    use super::{TableName, read};

    #[test]
    fn a_model_maps_the_table_that_it_says_or_is_called_by() {
        for (body, table, expected) in [
            ("", "order_lines", true),
            ("", "orders", false),
            ("protected $table = 'purchases';", "purchases", true),
            ("protected $table = 'shop.purchases';", "purchases", true),
            ("protected $table = \"purchases\";", "order_lines", false),
            ("protected $tables = ['purchases'];", "order_lines", true),
        ] {
            let models = read(Language::Php, &format!("<?php class OrderLine extends Model {{\n {body}\n}}\n"));
            assert_eq!(models[0].maps(&TableName::new(table)), expected, "{body} {table}");
        }
    }

    #[test]
    fn what_a_model_fills_by_itself_is_known() {
        let models = read(
            Language::Php,
            "<?php class Post extends Model {\n use HasFactory, SoftDeletes;\n public function commentable() { return $this->morphTo(); }\n}\n",
        );
        for (column, expected) in [
            ("updated_at", true),
            ("deleted_at", true),
            ("commentable_type", true),
            ("remember_token", false),
            ("team_id", false),
        ] {
            assert_eq!(models[0].writes(column), expected, "{column}");
        }
        let plain = read(Language::Php, "<?php class Post extends Model {\n public $timestamps = false;\n}\n");
        assert!(!plain[0].writes("updated_at"));
    }
}
