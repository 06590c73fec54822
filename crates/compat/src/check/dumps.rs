//! The files that show a schema beside its migrations: whether two of them show the same one.
//!
//! What a newer tool or another server writes otherwise is no difference: the order of columns, casts
//! within an expression, what a client calls a column. Not here: what the schema is.

use std::collections::{BTreeMap, BTreeSet};

/// What such a file says of the schema, a line each, in an order of its own.
pub fn told(text: &str, path: &str) -> Vec<String> {
    if path.ends_with(".rb") {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        // The version in the first line follows the migrations.
        let lines = lines.filter(|line| !line.trim_start().starts_with("ActiveRecord::Schema"));
        blocks(lines, &|line| line.contains(" do |"), "end", &|line| Some(expressions(line)))
    } else if path.ends_with(".sql") {
        let lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
        lines.map(words).filter(|line| !line.is_empty()).collect()
    } else {
        prisma(text)
    }
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of each block in order, and the blocks in order.
fn blocks<'t>(
    lines: impl Iterator<Item = &'t str>,
    opens: &dyn Fn(&str) -> bool,
    closes: &str,
    line_of: &dyn Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut all: Vec<String> = vec![];
    let mut block: Option<(String, Vec<String>)> = None;
    for line in lines {
        let line = words(line);
        if line.is_empty() {
            continue;
        }
        match &mut block {
            Some((head, inside)) if line == closes => {
                inside.sort();
                all.push(format!("{head} {}", inside.join("; ")));
                block = None;
            }
            Some((_, inside)) => inside.extend(line_of(&line)),
            None if opens(&line) => block = Some((line, vec![])),
            None => all.extend(line_of(&line)),
        }
    }
    if let Some((head, inside)) = block {
        all.push(format!("{head} {}", inside.join("; ")));
    }
    all.sort();
    all
}

/// A line with an expression of the database: PostgreSQL writes casts and brackets as it likes.
fn expressions(line: &str) -> String {
    if ![" as: \"", " where: \"", "add_check_constraint", "create_check_constraint"]
        .iter()
        .any(|mark| line.contains(mark))
    {
        return line.to_owned();
    }
    let mut kept = String::new();
    for (at, part) in line.split("::").enumerate() {
        let part =
            if at == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == ' ') };
        kept.extend(part.chars().filter(|c| !matches!(c, '(' | ')' | '[' | ']' | ' ')));
    }
    kept
}

/// Models, enums and views; which generator writes a client for them is not the database's.
fn prisma(text: &str) -> Vec<String> {
    let called = called(text);
    let models: BTreeSet<String> =
        text.lines().filter_map(|line| named(line, "model ").or_else(|| named(line, "view "))).collect();
    let mut inside = false;
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .filter(|line| {
            inside |= BLOCKS.iter().any(|word| line.trim_start().starts_with(word));
            let kept = inside;
            inside &= line.trim() != "}";
            kept && !line.trim_start().starts_with("@@map(")
        })
        .map(|line| match BLOCKS.iter().find_map(|word| Some((word, named(line, word)?))) {
            Some((word, name)) => format!("{word}{} {{", called.get(&name).unwrap_or(&name)),
            None => line.to_owned(),
        })
        .collect();
    let lines = lines.iter().map(String::as_str);
    blocks(lines, &|line| line.ends_with('{'), "}", &|line| field(line, &models, &called))
}

const BLOCKS: &[&str] = &["model ", "enum ", "view "];

/// The name that a block of this kind has, where the line begins one.
fn named(line: &str, word: &str) -> Option<String> {
    let name = line.trim().strip_prefix(word)?.split_whitespace().next()?;
    line.trim_end().ends_with('{').then(|| name.to_owned())
}

/// What the database calls the models and enums that the client calls otherwise.
fn called(text: &str) -> BTreeMap<String, String> {
    let mut called = BTreeMap::new();
    let mut block = None;
    for line in text.lines() {
        if let Some(name) = BLOCKS.iter().find_map(|word| named(line, word)) {
            block = Some(name);
        } else if let (Some(name), Some(map)) = (&block, line.trim().strip_prefix("@@map(")) {
            let written = map.split(')').next().unwrap_or_default();
            let written = written.trim().trim_start_matches("name:").trim().trim_matches('"');
            called.insert(name.clone(), written.to_owned());
        }
    }
    called
}

/// A field by the name of its column; a list of another model's rows has none.
fn field(line: &str, models: &BTreeSet<String>, called: &BTreeMap<String, String>) -> Option<String> {
    let mut parts = line.split(' ');
    let (name, written) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let rest: Vec<&str> = parts.filter(|word| *word != "@updatedAt").collect();
    let plain = written.trim_end_matches(['?', '[', ']']);
    let kind = match called.get(plain).filter(|_| !name.starts_with('@')) {
        Some(own) => format!("{own}{}", written.strip_prefix(plain).unwrap_or_default()),
        None => written.to_owned(),
    };
    if models.contains(plain) && !name.starts_with('@') {
        // The columns of a reference are fields of their own; what it is called is the client's.
        return line.contains("fields:").then(|| format!("{kind} {}", rest.join(" ")));
    }
    let mapped = |word: &&&str| word.starts_with("@map(");
    match rest.iter().find(mapped) {
        Some(map) => {
            let others: Vec<&str> = rest.iter().filter(|word| !word.starts_with("@map(")).copied().collect();
            Some(words(&format!("{map} {kind} {}", others.join(" "))))
        }
        None => Some(words(&format!("{name} {kind} {}", rest.join(" ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn dumps_are_compared() {
        let rails = "ActiveRecord::Schema[7.1].define(version: 1) do\n  create_table \"a\", force: :cascade do |t|\n    t.string \"b\"\n    t.integer \"c\"\n    t.virtual \"d\", as: \"((b)::text = ANY ((ARRAY['x'::character varying])::text[]))\"\n  end\nend\n";
        let prisma = "generator client {\n provider = \"x\"\n}\nmodel Boat {\n  id Int @id\n  madeAt DateTime @map(\"made_at\")\n  crew Crew[]\n}\nmodel Crew {\n  id Int @id\n  boatId Int\n  boat Boat @relation(fields: [boatId], references: [id])\n}\n";
        let lone = "model Oar {\n  id Int @id\n}\n";
        let cases = [
            ("schema.rb", rails, ("7.1].define(version: 1)", "8.0].define(version: 2)"), true),
            (
                "schema.rb",
                rails,
                ("    t.string \"b\"\n    t.integer \"c\"\n", "    t.integer \"c\"\n    t.string \"b\"\n"),
                true,
            ),
            (
                "schema.rb",
                rails,
                ("((ARRAY['x'::character varying])::text[])", "(ARRAY[('x'::character varying)::text])"),
                true,
            ),
            ("schema.rb", rails, ("['x'", "['y'"), false),
            ("schema.rb", rails, ("t.integer \"c\"", "t.integer \"c\", null: false"), false),
            ("schema.rb", rails, ("    t.string \"b\"\n", ""), false),
            ("schema.prisma", prisma, ("provider = \"x\"", "provider = \"y\""), true),
            ("schema.prisma", prisma, ("madeAt DateTime", "builtAt DateTime"), true),
            ("schema.prisma", prisma, ("@map(\"made_at\")", "@updatedAt @map(\"made_at\")"), true),
            ("schema.prisma", prisma, ("crew Crew[]", "sailors Crew[]"), true),
            ("schema.prisma", lone, ("model Oar {\n", "model Paddle {\n  @@map(\"Oar\")\n"), true),
            ("schema.prisma", lone, ("model Oar {\n", "model Paddle {\n  @@map(\"paddle\")\n"), false),
            ("schema.prisma", lone, ("model Oar {", "model Paddle {"), false),
            ("schema.prisma", prisma, ("@map(\"made_at\")", "@map(\"built_at\")"), false),
            ("schema.prisma", prisma, ("madeAt DateTime", "madeAt DateTime?"), false),
            ("schema.prisma", prisma, ("boatId Int\n", "boatId Int?\n"), false),
            ("schema.prisma", prisma, ("  boat Boat @relation(fields: [boatId], references: [id])\n", ""), false),
            ("structure.sql", "CREATE TABLE a (b text);\n", ("(b text);", "(b   text); -- c"), true),
            ("structure.sql", "CREATE TABLE a (b text);\n", ("b text", "b int"), false),
        ];
        for (path, text, (from, to), same) in cases {
            assert!(text.contains(from), "{from}");
            assert_eq!(told(text, path) == told(&text.replacen(from, to, 1), path), same, "{path}: {from} to {to}");
        }
    }
}
