//! Programs of PHP, followed as far as their text decides: what Doctrine and Laravel share.
//!
//! `value` is what an expression is worth, `class` where a method's body is found, `run` follows
//! statements, `expression` works out values, `functions` are PHP's own. A [`Host`] says what calls
//! on its objects mean. Nothing is ever run: what the text does not decide is [`Value::Unknown`], a
//! branch it does not decide is followed with a condition, and a call that might reach the database
//! and is not known is told to the host. Not here: any framework's words.

mod class;
mod expression;
mod functions;
mod parents;
pub mod project;
mod run;
pub mod sql;
mod value;

pub use class::Class;
pub use parents::Parents;
pub use run::Run;
pub use value::{Call, HOLE, Object, Value};

use tree_sitter::{Language, Node};

use crate::migration::Limits;
use crate::operation::{Operation, Step, Unread};

use super::syntax::Program;

/// Parses a file of PHP.
pub fn parse(text: String, limits: Limits) -> Result<Program, Unread> {
    Program::parse(&Language::new(tree_sitter_php::LANGUAGE_PHP), text, limits)
}

/// What the framework's own objects do.
pub trait Host<'t> {
    /// `$object->name(…)` on an object of the host's; `None`: the host does not know it.
    fn method(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Option<Value<'t>>;

    /// `Scope::name(…)`; `None`: the host does not know it.
    fn scoped(&mut self, run: &mut Run<'t>, scope: &str, call: &Call<'t>) -> Option<Value<'t>>;

    /// A function that is none of PHP's own; `None`: the host does not know it.
    fn function(&mut self, run: &mut Run<'t>, call: &Call<'t>) -> Option<Value<'t>>;

    /// `$object->name`.
    fn property(&mut self, object: &Object, name: &str) -> Value<'t>;

    /// `$object instanceof name`, where it can be told.
    fn is_a(&self, value: &Value<'t>, class: &str) -> Option<bool>;

    /// A call on an object that is not known; whether it was told.
    fn unknown(&mut self, _run: &mut Run<'t>, _call: &Call<'t>) -> bool {
        false
    }

    /// Something was met that cannot be followed.
    fn unread(&mut self, run: &Run<'t>, node: Node<'t>, why: Unread);
}

/// Where the program is no PHP, outside of these methods: each place is a step.
pub fn errors(program: &Program, outside: &[&str]) -> Vec<Step> {
    let mut steps = vec![];
    let root = program.root();
    if !root.has_error() {
        return steps;
    }
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        let left_out = node.kind() == "method_declaration"
            && node.child_by_field_name("name").is_some_and(|name| {
                outside.iter().any(|method| program.text_of(name).eq_ignore_ascii_case(method))
            });
        if (node.is_error() || node.is_missing()) && steps.len() < 20 {
            let why = run::syntax(program.text_of(node));
            steps.push(Step::new(Operation::Unread(why), super::syntax::line_of(node), program.text_of(node)));
        } else if !left_out && node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return steps;
            }
        }
    }
}
