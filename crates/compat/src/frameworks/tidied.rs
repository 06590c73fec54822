//! Whether a file that was edited is still the same program: its comments, blanks, quotes and commas at
//! ends apart.
//!
//! Not here: what the program does. Two that differ in anything else are two.

use tree_sitter::{Language, Node};

use super::syntax::Program;
use crate::migration::Limits;
use crate::sql::{self, Dialect};

/// Remarks that the tools read: where one stands, what is up and what is down may have changed.
const READ_BY_TOOLS: &[&str] = &[
    "+goose",
    "migrate:",
    "migrate up",
    "migrate down",
    "liquibase",
    "changeset",
    "no-transaction",
    "!ups",
    "!downs",
    "atlas:",
    "statement-breakpoint",
    "name:",
    "flyway",
];

/// Whether two texts of one file are the same program. `false` where it cannot be told.
pub fn same_program(path: &str, before: &str, after: &str, dialect: Dialect, limits: Limits) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default();
    let language: Language = match ending {
        "rb" => tree_sitter_ruby::LANGUAGE.into(),
        "py" => tree_sitter_python::LANGUAGE.into(),
        "php" => tree_sitter_php::LANGUAGE_PHP.into(),
        "sql" => return same_sql(before, after, dialect, limits),
        _ => return false,
    };
    let told = |text: &str| program(&language, text, limits);
    told(before).is_some_and(|before| told(after).is_some_and(|after| before == after))
}

fn same_sql(before: &str, after: &str, dialect: Dialect, limits: Limits) -> bool {
    let too_long = |text: &str| text.len() as u64 > limits.file_bytes;
    if too_long(before) || too_long(after) || [before, after].iter().any(|text| read_by_tools(text)) {
        return false;
    }
    sql::words(dialect, before) == sql::words(dialect, after)
}

/// Whether something in the text is no statement and no plain remark: data, lines for a client, marks.
fn read_by_tools(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("from stdin")
        || lower.lines().any(|line| line.trim_start().starts_with(['\\', '#']))
        || lower
            .lines()
            .filter_map(|line| line.split_once("--"))
            .any(|(_, remark)| READ_BY_TOOLS.iter().any(|mark| remark.contains(mark)))
}

/// The program's tree as words; `None` if it cannot be parsed whole.
fn program(language: &Language, text: &str, limits: Limits) -> Option<Vec<String>> {
    let program = Program::parse(language, text.to_owned(), limits).ok()?;
    if program.root().has_error() {
        return None;
    }
    let mut told: Vec<String> = vec![];
    let mut cursor = program.root().walk();
    loop {
        let node = cursor.node();
        let enter = tell(&program, node, &mut told);
        if enter && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Some(told);
            }
            told.push("end".to_owned());
        }
    }
}

/// Writes a node down; whether what is below it has to be told too.
fn tell(program: &Program, node: Node<'_>, told: &mut Vec<String>) -> bool {
    let text = program.text_of(node);
    match node.kind() {
        "comment" | "declare_statement" => false,
        // What a class without a name is made with, where that is nothing.
        "arguments" if node.named_child_count() == 0 && follows_class(node) => false,
        "string" | "encapsed_string" if plain_string(text) => {
            told.push(format!("'{}'", text.get(1..text.len().saturating_sub(1)).unwrap_or_default()));
            false
        }
        "," if node.next_sibling().is_some_and(|next| closes(next)) && !one_in_a_tuple(node) => false,
        kind if node.child_count() == 0 => {
            told.push(if node.is_named() { format!("{kind} {text}") } else { text.to_owned() });
            false
        }
        kind => {
            told.push(kind.to_owned());
            true
        }
    }
}

/// `'a'` and `"a"` with nothing in it that the two would read differently.
fn plain_string(text: &str) -> bool {
    let mut chars = text.chars();
    let quote = chars.next();
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    matches!(quote, Some('\'' | '"'))
        && chars.next_back() == quote
        && !inner.contains(['\\', '\'', '"', '#', '$', '{'])
}

fn follows_class(node: Node<'_>) -> bool {
    node.prev_sibling().is_some_and(|before| before.kind() == "class")
}

fn closes(node: Node<'_>) -> bool {
    matches!(node.kind(), ")" | "]" | "}")
}

/// `(a,)` in Python is no `(a)`.
fn one_in_a_tuple(node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| parent.kind() == "tuple" && parent.named_child_count() == 1)
}

#[cfg(test)]
mod tests {
    use super::same_program;
    use crate::migration::Limits;
    use crate::sql::Dialect;

    #[test]
    fn programs_are_compared() {
        let cases = [
            ("a.rb", "f :a, 'x'", "# y\nf :a, \"x\"\n", true),
            ("a.rb", "f(\n  1,\n)", "f(1)", true),
            ("a.rb", "f 'x'", "f 'x '", false),
            ("a.rb", "f '\\n'", "f \"\\n\"", false),
            ("a.rb", "f [1]", "f\n[1]", false),
            ("a.rb", "f(", "f(", false),
            ("a.py", "f('a', [1,])", "f(\n    \"a\",\n    [1],\n)  # b", true),
            ("a.py", "f((1,))", "f((1))", false),
            ("a.py", "if a:\n  f()\ng()", "if a:\n  f()\n  g()", false),
            ("a.php", "<?php new class() extends B {};", "<?php\n// c\nnew class extends B {};", true),
            ("a.php", "<?php f('$a');", "<?php f(\"$a\");", false),
            ("a.php", "<?php f('a');", "<?php f(\"a\");", true),
            ("a.sql", "SELECT  1 -- a\n;", "SELECT\n1;", true),
            ("a.sql", "SELECT 'a b';", "SELECT 'a  b';", false),
            (
                "a.sql",
                "-- +goose Up\nSELECT 1;\n-- +goose Down\n",
                "-- +goose Up\n-- +goose Down\nSELECT 1;",
                false,
            ),
            ("a.sql", "SELECT 1; SELECT 2;", "SELECT 2; SELECT 1;", false),
            ("a.js", "f()", "f() ", false),
        ];
        for (path, before, after, same) in cases {
            let found = same_program(path, before, after, Dialect::Postgres, Limits::default());
            assert_eq!(found, same, "{path}: {before:?} and {after:?}");
        }
    }
}
