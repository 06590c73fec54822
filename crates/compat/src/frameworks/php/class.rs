//! Where a class keeps its methods, constants and properties: its own, then its parent's.

use std::collections::HashMap;

use tree_sitter::Node;

use super::super::syntax::Program;

/// A migration's class, and its parents as far as they were found.
#[derive(Default)]
pub struct Class<'t> {
    /// The programs, the migration's first.
    pub programs: Vec<&'t Program>,
    /// The class's own name; empty for a class without one.
    pub name: String,
    methods: HashMap<String, (Node<'t>, usize)>,
    constants: HashMap<String, (Node<'t>, usize)>,
    properties: HashMap<String, (Node<'t>, usize)>,
}

impl<'t> Class<'t> {
    /// The first class of each program: the migration's own, then its parents'.
    pub fn of(programs: Vec<&'t Program>) -> Self {
        let mut class = Self { programs, ..Self::default() };
        for at in 0..class.programs.len() {
            class.take(at);
        }
        class
    }

    /// A method's declaration and its program, its name in any case.
    pub fn method(&self, name: &str) -> Option<(Node<'t>, usize)> {
        self.methods.get(&name.to_ascii_lowercase()).copied()
    }

    /// What a constant is set to.
    pub fn constant(&self, name: &str) -> Option<(Node<'t>, usize)> {
        self.constants.get(name).copied()
    }

    /// What a property is set to at first.
    pub fn property(&self, name: &str) -> Option<(Node<'t>, usize)> {
        self.properties.get(name).copied()
    }

    fn take(&mut self, at: usize) {
        let Some(program) = self.programs.get(at).copied() else { return };
        let Some((name, body)) = first_class(program) else { return };
        if at == 0 {
            self.name = name;
        }
        let mut cursor = body.walk();
        for member in body.named_children(&mut cursor) {
            match member.kind() {
                "method_declaration" => {
                    if let Some(name) = member.child_by_field_name("name") {
                        let name = program.text_of(name).to_ascii_lowercase();
                        self.methods.entry(name).or_insert((member, at));
                    }
                }
                "const_declaration" => self.elements(program, member, at, "const_element"),
                "property_declaration" => self.elements(program, member, at, "property_element"),
                _ => {}
            }
        }
    }

    fn elements(&mut self, program: &'t Program, declaration: Node<'t>, at: usize, kind: &str) {
        let mut cursor = declaration.walk();
        for element in declaration.named_children(&mut cursor).filter(|element| element.kind() == kind) {
            let count = u32::try_from(element.named_child_count()).unwrap_or(0);
            let (Some(name), Some(value)) = (element.named_child(0), element.named_child(count.saturating_sub(1)))
            else {
                continue;
            };
            let name = program.text_of(name).trim_start_matches('$').to_owned();
            if count < 2 {
                continue;
            }
            let known = if kind == "const_element" { &mut self.constants } else { &mut self.properties };
            known.entry(name).or_insert((value, at));
        }
    }
}

/// The first class of a program: its name (empty if it has none) and its body.
fn first_class(program: &Program) -> Option<(String, Node<'_>)> {
    let mut cursor = program.root().walk();
    let mut left = 100_000_usize;
    loop {
        let node = cursor.node();
        if matches!(node.kind(), "class_declaration" | "anonymous_class" | "trait_declaration") {
            let name = node.child_by_field_name("name").map(|name| program.text_of(name).to_owned());
            return Some((name.unwrap_or_default(), node.child_by_field_name("body")?));
        }
        left = left.checked_sub(1)?;
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}
