//! Changelogs as trees of elements, whether written in XML, YAML or JSON.
//!
//! Not here: what an element means.

use saphyr_parser::{Event, Parser, Span};

use crate::migration::Limits;

/// An element: attributes, text and elements within it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name, without a prefix.
    pub name: String,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// What it says of itself, in order.
    pub attributes: Vec<(String, String)>,
    /// The text in it.
    pub text: String,
    /// The line on which the text begins.
    pub text_line: u32,
    /// The elements in it.
    pub children: Vec<Node>,
}

impl Node {
    /// An attribute, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether an attribute says true.
    pub fn is(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The elements of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element of a name.
    pub fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Why a changelog could not be read: the line, and words.
pub type NoTree = (u32, String);

/// XML to a tree. Entities and document types are refused.
pub fn of_xml(text: &str, limits: Limits) -> Result<Node, NoTree> {
    let document = roxmltree::Document::parse(text).map_err(|error| (error.pos().row, error.to_string()))?;
    // Where lines begin, so that finding a line is not a walk through the text.
    let breaks: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
    let line_of = |at: usize| u32::try_from(breaks.partition_point(|end| *end < at)).unwrap_or(u32::MAX - 1) + 1;
    element(document.root_element(), &line_of, limits.nesting)
}

fn element(xml: roxmltree::Node<'_, '_>, line_of: &dyn Fn(usize) -> u32, depth: usize) -> Result<Node, NoTree> {
    let line = line_of(xml.range().start);
    let Some(depth) = depth.checked_sub(1) else {
        return Err((line, "elements nest too deep".to_owned()));
    };
    let attributes =
        xml.attributes().map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned())).collect();
    let mut node =
        Node { name: xml.tag_name().name().to_owned(), line, attributes, text_line: line, ..Node::default() };
    for child in xml.children() {
        if child.is_element() {
            node.children.push(element(child, line_of, depth)?);
        } else if let Some(text) = child.text().filter(|_| child.is_text()) {
            if node.text.trim().is_empty() {
                node.text.clear();
                node.text_line = line_of(child.range().start);
            }
            node.text.push_str(text);
        }
    }
    Ok(node)
}

/// What a value of YAML is before it is an element.
#[derive(Debug, Clone)]
enum Yaml {
    Scalar(String, u32),
    List(Vec<Yaml>),
    Map(Vec<(String, u32, Yaml)>),
}

/// How many values an alias may bring in all.
const ALIASES: usize = 10_000;

/// YAML or JSON to a tree: the root has the changelog's parts as elements.
pub fn of_yaml(text: &str, limits: Limits) -> Result<Node, NoTree> {
    let mut reader = Reader { anchors: vec![], brought: 0, depth: limits.nesting };
    let mut parser = Parser::new_from_str(text);
    let value = reader.document(&mut parser)?;
    let mut root = Node { name: "databaseChangeLog".to_owned(), line: 1, ..Node::default() };
    let Some(Yaml::Map(pairs)) = value else {
        return Err((1, "no changelog".to_owned()));
    };
    for (key, _, value) in pairs {
        if key == "databaseChangeLog" {
            fill(&mut root, value);
        }
    }
    Ok(root)
}

struct Reader {
    anchors: Vec<(usize, Yaml, usize)>,
    brought: usize,
    depth: usize,
}

impl Reader {
    fn next<'a>(&self, parser: &mut Parser<'a, saphyr_parser::StrInput<'a>>) -> Result<(Event<'a>, Span), NoTree> {
        match parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err((line(error.marker().line()), error.info().to_owned())),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document<'a>(
        &mut self,
        parser: &mut Parser<'a, saphyr_parser::StrInput<'a>>,
    ) -> Result<Option<Yaml>, NoTree> {
        loop {
            let (event, span) = self.next(parser)?;
            match event {
                Event::StreamEnd => return Ok(None),
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                event => return self.value(parser, event, span, self.depth).map(Some),
            }
        }
    }

    fn value<'a>(
        &mut self,
        parser: &mut Parser<'a, saphyr_parser::StrInput<'a>>,
        event: Event<'a>,
        span: Span,
        depth: usize,
    ) -> Result<Yaml, NoTree> {
        let at = line(span.start.line());
        let Some(depth) = depth.checked_sub(1) else { return Err((at, "values nest too deep".to_owned())) };
        let (anchor, value) = match event {
            Event::Scalar(text, _, anchor, _) => (anchor, Yaml::Scalar(text.into_owned(), at)),
            Event::SequenceStart(anchor, _) => {
                let mut items = vec![];
                loop {
                    let (event, span) = self.next(parser)?;
                    match event {
                        Event::SequenceEnd | Event::StreamEnd => break,
                        event => items.push(self.value(parser, event, span, depth)?),
                    }
                }
                (anchor, Yaml::List(items))
            }
            Event::MappingStart(anchor, _) => {
                let mut pairs = vec![];
                loop {
                    let (event, span) = self.next(parser)?;
                    if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                        break;
                    }
                    let key_line = line(span.start.line());
                    let key = match self.value(parser, event, span, depth)? {
                        Yaml::Scalar(text, _) => text,
                        _ => return Err((key_line, "a key that is no text".to_owned())),
                    };
                    let (event, span) = self.next(parser)?;
                    let value = self.value(parser, event, span, depth)?;
                    match value {
                        Yaml::Map(more) if key == "<<" => pairs.extend(more),
                        value => pairs.push((key, key_line, value)),
                    }
                }
                (anchor, Yaml::Map(pairs))
            }
            Event::Alias(of) => {
                let known = self.anchors.iter().find(|(anchor, ..)| *anchor == of);
                let Some((_, value, size)) = known else { return Err((at, "an unknown alias".to_owned())) };
                self.brought = self.brought.saturating_add(*size);
                if self.brought > ALIASES {
                    return Err((at, "aliases bring too much".to_owned()));
                }
                (0, value.clone())
            }
            _ => (0, Yaml::Scalar(String::new(), at)),
        };
        if anchor > 0 && self.anchors.len() < 1_000 {
            let size = size(&value);
            if size <= ALIASES {
                self.anchors.push((anchor, value.clone(), size));
            }
        }
        Ok(value)
    }
}

fn size(value: &Yaml) -> usize {
    1 + match value {
        Yaml::Scalar(..) => 0,
        Yaml::List(items) => items.iter().map(size).sum::<usize>(),
        Yaml::Map(pairs) => pairs.iter().map(|(_, _, value)| size(value)).sum::<usize>(),
    }
}

fn line(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX).max(1)
}

/// Puts a value into an element: texts are its attributes, all else elements in it. Of the lists
/// that XML writes without an element of their own, the items stand in the element itself.
fn fill(node: &mut Node, value: Yaml) {
    match value {
        Yaml::Scalar(text, line) => {
            node.text = text;
            node.text_line = line;
        }
        Yaml::List(items) => {
            for item in items {
                match item {
                    // `- rollback: …`, `- sql: …`: an item of one text is an element too.
                    Yaml::Map(pairs) if pairs.len() == 1 => {
                        for (key, key_line, value) in pairs {
                            if let Yaml::Scalar(text, text_line) = &value {
                                let (name, text, text_line) = (key.clone(), text.clone(), *text_line);
                                let line = key_line;
                                node.children.push(Node { name, line, text, text_line, ..Node::default() });
                            }
                            fill(node, Yaml::Map(vec![(key, key_line, value)]));
                        }
                    }
                    Yaml::Scalar(text, line) => {
                        if !node.text.is_empty() {
                            node.text.push(',');
                        }
                        node.text.push_str(&text);
                        node.text_line = line;
                    }
                    other => fill(node, other),
                }
            }
        }
        Yaml::Map(pairs) => {
            for (key, key_line, value) in pairs {
                match value {
                    Yaml::Scalar(text, line) => {
                        if matches!(key.as_str(), "sql" | "procedureText" | "procedureBody" | "selectQuery") {
                            node.text.clone_from(&text);
                            node.text_line = line;
                        }
                        node.attributes.push((key, text));
                    }
                    list @ Yaml::List(..) if matches!(key.as_str(), "changes" | "columns") => fill(node, list),
                    other => {
                        let mut child = Node { name: key, line: key_line, text_line: key_line, ..Node::default() };
                        fill(&mut child, other);
                        node.children.push(child);
                    }
                }
            }
        }
    }
}
