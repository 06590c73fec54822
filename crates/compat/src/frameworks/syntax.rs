//! Programs as trees: what extractors of Ruby, Python and PHP share. Nothing is ever run.
//!
//! Not here: what a call means; that is the framework's file.

use tree_sitter::{Language, Node, Parser, Tree};

use crate::migration::Limits;
use crate::operation::Unread;

/// A program that was parsed, with its text.
pub struct Program {
    /// The text.
    pub text: String,
    tree: Tree,
}

impl Program {
    /// Parses a program. What nests deeper or is longer than the limits allow is not read.
    pub fn parse(language: &Language, text: String, limits: Limits) -> Result<Self, Unread> {
        if text.len() as u64 > limits.file_bytes {
            return Err(Unread::Limit { limit: "bytes of a file".to_owned(), allowed: limits.file_bytes });
        }
        let mut parser = Parser::new();
        parser.set_language(language).map_err(|error| Unread::Syntax { words: error.to_string() })?;
        let tree =
            parser.parse(&text, None).ok_or_else(|| Unread::Syntax { words: "the parser gave up".to_owned() })?;
        if deeper_than(&tree, limits.nesting) {
            let limit = "nested blocks".to_owned();
            return Err(Unread::Limit { limit, allowed: limits.nesting as u64 });
        }
        Ok(Self { text, tree })
    }

    /// The whole program. `has_error()` of it tells whether something was not understood.
    pub fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// A node's text.
    pub fn text_of(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }
}

/// The line on which a node begins, from 1.
pub fn line_of(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row).unwrap_or(u32::MAX - 1) + 1
}

/// Whether some node lies deeper. Walks without recursion: the text may be hostile.
fn deeper_than(tree: &Tree, limit: usize) -> bool {
    let mut cursor = tree.walk();
    let mut depth = 0_usize;
    loop {
        if depth > limit {
            return true;
        }
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return false;
            }
            depth -= 1;
        }
    }
}

/// The named children of a node, comments left out.
pub fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

/// The child in a field.
pub fn field<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    node.child_by_field_name(name)
}

/// Every node of these kinds under a node and itself, in the order of the text. Without recursion.
pub fn find_all<'t>(root: Node<'t>, kinds: &[&str]) -> Vec<Node<'t>> {
    let mut found = vec![];
    let mut cursor = root.walk();
    let mut depth = 0_usize;
    loop {
        if kinds.contains(&cursor.node().kind()) {
            found.push(cursor.node());
        }
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while depth > 0 && !cursor.goto_next_sibling() {
            cursor.goto_parent();
            depth -= 1;
        }
        if depth == 0 {
            return found;
        }
    }
}

/// What an expression of a program is worth, as far as its text says it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `nil`, `None`, `null`.
    Nothing,
    /// True or false.
    Truth(bool),
    /// A number, as written without `_`.
    Number(String),
    /// A string, a symbol.
    Text(String),
    /// A list, a tuple.
    List(Vec<Value>),
    /// Keys and values, where all keys are text.
    Map(Vec<(String, Value)>),
    /// A call that is not run: a lambda in Ruby is one of the path `lambda`.
    Call(Box<Call>),
    /// Anything else: its text.
    Code(String),
}

/// A call by its path (`models.CharField`) and what is handed to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its path, as written.
    pub path: String,
    /// What is handed over by place.
    pub places: Vec<Value>,
    /// What is handed over by name.
    pub names: Vec<(String, Value)>,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// Its text.
    pub text: String,
}

impl Call {
    /// The last word of its path.
    pub fn word(&self) -> &str {
        self.path.rsplit(['.', ':']).next().unwrap_or_default()
    }

    /// An argument by name, or by place.
    pub fn argument(&self, name: &str, place: usize) -> Option<&Value> {
        self.named(name).or_else(|| self.places.get(place))
    }

    /// An argument by name.
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.names.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl Value {
    /// What it is, in words of its own: of two that are told alike each is the other.
    pub fn told(&self) -> String {
        match self {
            Self::Text(text) | Self::Code(text) => text.clone(),
            other => format!("{other:?}"),
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of a text or of a list of texts; `None` if something in it is none.
    pub fn texts(&self) -> Option<Vec<String>> {
        match self {
            Self::Text(text) => Some(vec![text.clone()]),
            Self::List(values) => values.iter().map(|value| value.text().map(str::to_owned)).collect(),
            _ => None,
        }
    }

    /// True or false, if the text says which.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Truth(truth) => Some(*truth),
            Self::Nothing => Some(false),
            _ => None,
        }
    }

    /// A whole number.
    pub fn whole(&self) -> Option<u64> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// A member of a map.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(pairs) => pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Whether nothing in it is left to a program.
    pub fn literal(&self) -> bool {
        match self {
            Self::List(values) => values.iter().all(Self::literal),
            Self::Map(pairs) => pairs.iter().all(|(_, value)| value.literal()),
            Self::Call(_) | Self::Code(_) => false,
            _ => true,
        }
    }
}
