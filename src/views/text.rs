//! Sentences with their marks: what several views are made of.

use serde::{Deserialize, Serialize};
use towpath_core::explain::{Explanation, Mark};
use utoipa::ToSchema;

use super::page::Line;

/// A sentence and how it bears on the move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Marked {
    /// `pass`, `wait`, `block` or `note`.
    #[schema(value_type = String, example = "wait")]
    pub mark: Mark,
    /// The sentence, in one line.
    #[schema(example = "lag: 12m of 30m are over")]
    pub text: String,
}

impl Marked {
    /// A sentence with its mark.
    pub fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self { mark, text: text.into() }
    }
}

/// Something that somebody can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// What and why, in one line.
    pub say: String,
    /// The commands that do it, complete but for words in capitals.
    pub commands: Vec<String>,
}

/// A decision in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    /// One line: what moves, waits or is blocked, until when or by whom it mends.
    pub headline: String,
    /// What was found, worst first.
    pub lines: Vec<Marked>,
    /// What somebody can do, best first.
    pub todo: Vec<Step>,
}

impl From<Explanation> for Explained {
    fn from(explanation: Explanation) -> Self {
        Self {
            headline: explanation.headline,
            lines: explanation.lines.into_iter().map(|line| Marked { mark: line.mark, text: line.text }).collect(),
            todo: explanation
                .todo
                .into_iter()
                .map(|todo| Step { say: todo.say, commands: todo.commands })
                .collect(),
        }
    }
}

impl Explained {
    /// Laid out under its flow.
    pub fn lay_out(&self, mark: Mark, lines: &mut Vec<Line>) {
        lines.push(Line::marked(2, mark, &self.headline));
        lines.extend(self.lines.iter().map(|line| Line::marked(6, line.mark, &line.text)));
        for todo in &self.todo {
            lines.push(Line::plain(6, format!("> {}", todo.say)));
            lines.extend(todo.commands.iter().map(|command| Line::plain(10, command)));
        }
    }
}

/// `1 flow`, `2 flows`.
pub fn counted(count: usize, one: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {one}{s}")
}
