//! What an expression is worth, as far as the text says it.

use tree_sitter::Node;

/// Stands in a text for a part that is not literal.
pub const HOLE: char = '\u{1}';

/// What an expression is worth.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'t> {
    /// It cannot be told.
    Unknown,
    /// `null`.
    Null,
    /// `true`, `false`.
    Truth(bool),
    /// A number, as written without `_`.
    Number(String),
    /// A text; parts that are not literal are each a [`HOLE`].
    Text {
        /// The text.
        text: String,
        /// The line on which its first character stands, from 1.
        line: u32,
    },
    /// An array: keys and values in order.
    Array(Vec<(Value<'t>, Value<'t>)>),
    /// A function without a name, and the program that holds it.
    Closure(Node<'t>, usize),
    /// Whether the database has something already: of this table, where it is said.
    There(Option<String>),
    /// An object of the host's.
    Object(Object),
}

/// An object of the host's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    /// What it is, in the host's words.
    pub kind: &'static str,
    /// What it is about: a table's name, a column's.
    pub names: Vec<String>,
    /// Where the host keeps more of it.
    pub at: usize,
}

impl Object {
    /// An object that has only a kind.
    pub fn of(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }

    /// An object with names.
    pub fn named(kind: &'static str, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { kind, names: names.into_iter().map(Into::into).collect(), at: 0 }
    }

    /// One of its names.
    pub fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", String::as_str)
    }
}

/// Whether something holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It cannot be told. With a table: it depends on what the database has of it.
    Maybe(Option<String>),
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            maybe => maybe,
        }
    }
}

impl<'t> Value<'t> {
    /// A text that stands nowhere in particular.
    pub fn of_text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), line: 0 }
    }

    /// The text, if it is one without holes.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } if !text.contains(HOLE) => Some(text),
            Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// What it is in a text.
    pub fn in_text(&self) -> String {
        match self {
            Self::Text { text, .. } | Self::Number(text) => text.clone(),
            Self::Null | Self::Truth(false) => String::new(),
            Self::Truth(true) => "1".to_owned(),
            _ => HOLE.to_string(),
        }
    }

    /// Whether it holds.
    pub fn truth(&self) -> Truth {
        match self {
            Self::Null => Truth::No,
            Self::Truth(truth) => Truth::from(*truth),
            Self::Number(digits) => Truth::from(!digits.chars().all(|digit| matches!(digit, '0' | '.'))),
            Self::Text { text, .. } if text.contains(HOLE) => Truth::Maybe(None),
            Self::Text { text, .. } => Truth::from(!matches!(text.as_str(), "" | "0")),
            Self::Array(pairs) => Truth::from(!pairs.is_empty()),
            Self::Closure(..) | Self::Object(_) => Truth::Yes,
            Self::There(table) => Truth::Maybe(Some(table.clone().unwrap_or_default())),
            Self::Unknown => Truth::Maybe(None),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Array(pairs) => {
                pairs.iter().rev().find(|(name, _)| name.literal() == Some(key)).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The values of an array.
    pub fn values(&self) -> Option<Vec<&Self>> {
        match self {
            Self::Array(pairs) => Some(pairs.iter().map(|(_, value)| value).collect()),
            _ => None,
        }
    }

    /// The texts of a text or of an array of texts; `None` if something in it is none.
    pub fn texts(&self) -> Option<Vec<String>> {
        match self {
            Self::Array(pairs) => pairs.iter().map(|(_, value)| value.literal().map(str::to_owned)).collect(),
            other => other.literal().map(|text| vec![text.to_owned()]),
        }
    }

    /// A whole number.
    pub fn whole(&self) -> Option<u64> {
        self.literal().and_then(|digits| digits.parse().ok())
    }

    /// Whether two values are the same, where that can be told.
    pub fn equals(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Null, Self::Null) => Some(true),
            (Self::Truth(left), Self::Truth(right)) => Some(left == right),
            (Self::Null, Self::Text { .. } | Self::Number(_) | Self::Truth(_))
            | (Self::Text { .. } | Self::Number(_) | Self::Truth(_), Self::Null) => Some(false),
            _ => Some(self.literal()? == other.literal()?),
        }
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::Yes } else { Self::No }
    }
}

/// What is handed to a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument<'t> {
    /// Its name, where it is handed over by name.
    pub name: Option<String>,
    /// What it is worth.
    pub value: Value<'t>,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<'t> {
    /// The node, for its line and text.
    pub node: Node<'t>,
    /// What is called.
    pub name: String,
    /// What is handed over.
    pub arguments: Vec<Argument<'t>>,
    /// The line on which its own name stands: in a chain, not where the chain begins.
    pub line: u32,
}

impl<'t> Call<'t> {
    /// An argument by its place or its name.
    pub fn argument(&self, place: usize, name: &str) -> Option<&Value<'t>> {
        if let Some(named) = self.arguments.iter().find(|argument| argument.name.as_deref() == Some(name)) {
            return Some(&named.value);
        }
        self.arguments.get(place).filter(|argument| argument.name.is_none()).map(|argument| &argument.value)
    }

    /// A literal text by its place or its name.
    pub fn text(&self, place: usize, name: &str) -> Option<&str> {
        self.argument(place, name).and_then(Value::literal)
    }

    /// Literal texts by place or name: of one text, or of an array of texts.
    pub fn texts(&self, place: usize, name: &str) -> Option<Vec<String>> {
        self.argument(place, name).and_then(Value::texts)
    }

    /// The values in order.
    pub fn values(&self) -> impl Iterator<Item = &Value<'t>> {
        self.arguments.iter().map(|argument| &argument.value)
    }
}
