//! SQL files with Liquibase's comments: `--changeset author:id`, to the same tree as XML.

use super::node::Node;

/// Whether a text is formatted SQL: its first line that says something says so.
pub fn is_formatted(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .and_then(comment)
        .is_some_and(|words| words.to_ascii_lowercase().starts_with("liquibase formatted sql"))
}

/// What stands behind `--`, or in `/* … */` of one line.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim();
    line.strip_prefix("--")
        .map(str::trim)
        .or_else(|| line.strip_prefix("/*").and_then(|rest| rest.strip_suffix("*/")).map(str::trim))
}

/// A word at the beginning of a comment, in any case; what follows it.
fn after<'a>(words: &'a str, word: &str) -> Option<&'a str> {
    let head = words.get(..word.len())?;
    let rest = words.get(word.len()..)?;
    let ends = rest.chars().next().is_none_or(|next| next.is_whitespace() || next == ':');
    (head.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_start_matches(':').trim())
}

/// A formatted file as a changelog: each change set with one `sql` in it.
pub fn tree(text: &str) -> Node {
    let mut root = Node { name: "databaseChangeLog".to_owned(), line: 1, ..Node::default() };
    let mut current: Option<Node> = None;
    let mut ignore: usize = 0;
    let mut ignoring = false;
    let mut in_rollback = false;
    for (at, line) in text.split('\n').enumerate() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let mut kept = line;
        let head = line.trim_start().to_ascii_lowercase();
        let rollback =
            head.strip_prefix("/*").is_some_and(|rest| rest.trim_start().starts_with("liquibase rollback"));
        if in_rollback || rollback {
            in_rollback = !line.contains("*/");
            kept = "";
        } else if let Some(words) = comment(line) {
            if let Some(rest) = after(words, "ignoreLines") {
                match rest {
                    "start" => ignoring = true,
                    "end" => ignoring = false,
                    count => ignore = count.parse().unwrap_or(0) + 1,
                }
                kept = "";
            } else if ignoring || ignore > 0 {
                kept = "";
            } else if let Some(rest) = after(words, "changeset") {
                root.children.extend(current.take().map(closed));
                current = Some(change_set(rest, number));
                continue;
            } else if let Some(rest) = after(words, "property") {
                let attributes = attributes(rest);
                root.children.push(Node {
                    name: "property".to_owned(),
                    line: number,
                    attributes,
                    ..Node::default()
                });
                kept = "";
            } else if let Some(set) = current.as_mut()
                && mark(set, words, number)
            {
                kept = "";
            }
        }
        if ignoring || ignore > 0 {
            kept = "";
        }
        ignore = ignore.saturating_sub(1);
        if let Some(set) = current.as_mut() {
            set.text.push_str(kept);
            set.text.push('\n');
        }
    }
    root.children.extend(current.take().map(closed));
    root
}

/// What a comment says of its change set; whether it does.
fn mark(set: &mut Node, words: &str, line: u32) -> bool {
    if after(words, "rollback").is_some() || after(words, "rollbackSqlFile").is_some() {
        return true;
    }
    if after(words, "comment").is_some() || after(words, "labels").is_some() {
        return true;
    }
    if let Some(rest) = after(words, "validCheckSum") {
        let text = rest.to_owned();
        set.children.push(Node { name: "validCheckSum".to_owned(), line, text, ..Node::default() });
        return true;
    }
    if let Some(rest) = after(words, "preconditions").or_else(|| after(words, "precondition")) {
        let attributes = attributes(rest);
        set.children.insert(0, Node { name: "preConditions".to_owned(), line, attributes, ..Node::default() });
        return true;
    }
    let lower = words.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("precondition-") {
        let kind = rest.split_whitespace().next().unwrap_or_default();
        let name = match kind {
            "table-exists" => "tableExists",
            "view-exists" => "viewExists",
            _ => "sqlCheck",
        };
        let check = Node { name: name.to_owned(), line, ..Node::default() };
        match set.children.iter_mut().find(|child| child.name == "preConditions") {
            Some(found) => found.children.push(check),
            None => set.children.push(Node {
                name: "preConditions".to_owned(),
                line,
                children: vec![check],
                ..Node::default()
            }),
        }
        return true;
    }
    false
}

fn change_set(words: &str, line: u32) -> Node {
    let pieces = pieces(words);
    let (first, rest) =
        pieces.split_first().map_or((String::new(), &[][..]), |(first, rest)| (first.clone(), rest));
    let (author, id) = first.split_once(':').unwrap_or(("", first.as_str()));
    let mut attributes = vec![("author".to_owned(), author.to_owned()), ("id".to_owned(), id.to_owned())];
    attributes.extend(rest.iter().filter_map(|piece| {
        let (key, value) = piece.split_once(':')?;
        Some((key.to_owned(), value.to_owned()))
    }));
    Node { name: "changeSet".to_owned(), line, attributes, text_line: line.saturating_add(1), ..Node::default() }
}

fn attributes(words: &str) -> Vec<(String, String)> {
    pieces(words)
        .iter()
        .filter_map(|piece| piece.split_once(':').map(|(key, value)| (key.to_owned(), value.to_owned())))
        .collect()
}

/// The words of a line; quotes hold spaces together.
fn pieces(words: &str) -> Vec<String> {
    let mut pieces = vec![];
    let mut piece = String::new();
    let mut quote = None;
    for char in words.chars() {
        match quote {
            Some(mark) if char == mark => quote = None,
            None if matches!(char, '"' | '\'') => quote = Some(char),
            None if char.is_whitespace() => {
                if !piece.is_empty() {
                    pieces.push(std::mem::take(&mut piece));
                }
            }
            _ => piece.push(char),
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

/// The text of a change set becomes its one change.
fn closed(mut set: Node) -> Node {
    let text = std::mem::take(&mut set.text);
    let attributes = set
        .attributes
        .iter()
        .filter(|(key, _)| {
            ["splitStatements", "endDelimiter", "stripComments"].iter().any(|name| key.eq_ignore_ascii_case(name))
        })
        .cloned()
        .collect();
    set.children.push(Node {
        name: "sql".to_owned(),
        line: set.text_line,
        text_line: set.text_line,
        attributes,
        text,
        children: vec![],
    });
    set
}
