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
