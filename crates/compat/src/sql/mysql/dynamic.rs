//! SQL that MySQL puts together in variables: `SET @s = IF(…, 'ALTER …', 'SELECT 1'); PREPARE …`.
//!
//! Only what is literal in the file is followed; anything else is unknown.

use std::collections::HashMap;

use super::super::common::GROWTH;
use super::super::cursor::{Cursor, string};
use super::super::lex::Kind;

/// Texts that a variable may hold, each with the line on which it stands; `None`: unknown.
type Texts = Option<Vec<(String, u32)>>;

/// How many texts a variable may hold, and how deep an expression is followed.
const MOST: usize = 8;
const DEEPEST: usize = 12;

/// What a session's variables and prepared statements hold.
#[derive(Default)]
pub struct Variables {
    values: HashMap<String, Texts>,
    prepared: HashMap<String, Texts>,
    /// Bodies of this file's procedures that take no parameters, each with its line.
    pub procedures: HashMap<String, (String, u32)>,
}

impl Variables {
    /// One assignment of SET.
    pub fn set(&mut self, mut part: Cursor<'_>) {
        let Some(name) = variable(&mut part) else { return };
        part.eat_mark(b':');
        if part.eat_mark(b'=') {
            let texts = self.texts(part, 0);
            self.values.insert(name, texts);
        }
    }

    /// `SELECT x INTO @a …`, `SELECT @a := x`.
    pub fn select_into(&mut self, cursor: Cursor<'_>) {
        for (at, token) in cursor.rest().iter().enumerate() {
            let assigned = cursor.ahead(at + 1).is_some_and(|next| next.kind == Kind::Mark(b':'));
            if token.kind == Kind::Variable && assigned {
                self.values.insert(cursor.text(token).to_lowercase(), None);
            }
        }
        let Some(into) = cursor.find(&["INTO"]) else { return };
        let mut selected = cursor.take(into);
        selected.skip(1);
        selected = selected.take(selected.find(&["FROM"]).unwrap_or(usize::MAX));
        let mut names = cursor;
        names.skip(into + 1);
        let items = selected.commas();
        for (at, mut part) in names.commas().into_iter().enumerate() {
            if let Some(name) = variable(&mut part) {
                let texts = items.get(at).and_then(|item| self.texts(*item, 0));
                self.values.insert(name, texts);
            }
        }
    }

    /// `PREPARE s FROM …`.
    pub fn prepare(&mut self, mut cursor: Cursor<'_>) {
        cursor.skip(1);
        let Ok(name) = cursor.ident() else { return };
        let texts = if cursor.eat(&["FROM"]) { self.texts(cursor, 0) } else { None };
        self.prepared.insert(name.key, texts);
    }

    /// What EXECUTE runs: every text it may be.
    pub fn executed(&self, mut cursor: Cursor<'_>) -> Texts {
        cursor.skip(1);
        if cursor.eat(&["IMMEDIATE"]) {
            return self.texts(cursor.take(cursor.find(&["USING"]).unwrap_or(usize::MAX)), 0);
        }
        let name = cursor.ident().ok()?;
        self.prepared.get(&name.key).cloned().flatten()
    }

    /// The texts that an expression may come to.
    fn texts(&self, mut cursor: Cursor<'_>, depth: usize) -> Texts {
        if depth > DEEPEST {
            return None;
        }
        if cursor.is_mark(b'(') {
            let group = cursor.group().ok()?;
            return if cursor.done() { self.texts(group, depth + 1) } else { None };
        }
        if cursor.eat(&["SELECT"]) {
            return self.texts(cursor.take(cursor.find(&["FROM"]).unwrap_or(usize::MAX)), depth + 1);
        }
        if cursor.eat(&["CASE"]) {
            return self.case(cursor, depth);
        }
        let token = *cursor.ahead(0)?;
        let line = cursor.line();
        match token.kind {
            Kind::Text | Kind::Double => {
                cursor.skip(1);
                cursor.done().then(|| vec![(string(cursor.text(&token), cursor.dialect()), line)])
            }
            Kind::Variable if cursor.left() == 1 => self.values.get(&cursor.text(&token).to_lowercase())?.clone(),
            Kind::Number if cursor.left() == 1 => Some(vec![(cursor.text(&token).to_owned(), line)]),
            Kind::Word => self.call(cursor, depth),
            _ => None,
        }
    }

    /// `IF(c, a, b)`, `CONCAT(a, b)`.
    fn call(&self, mut cursor: Cursor<'_>, depth: usize) -> Texts {
        let either = cursor.eat(&["IF"]);
        if !either && !cursor.eat(&["CONCAT"]) {
            return None;
        }
        let group = cursor.group().ok()?;
        let parts = group.commas();
        if !cursor.done() {
            return None;
        }
        if either {
            let [_, yes, no] = parts.as_slice() else { return None };
            let mut texts = self.texts(*yes, depth + 1)?;
            texts.extend(self.texts(*no, depth + 1)?);
            return (texts.len() <= MOST).then_some(texts);
        }
        let longest = group.rest_text().len() + GROWTH;
        let mut whole = vec![(String::new(), group.line())];
        for part in parts {
            let endings = self.texts(part, depth + 1)?;
            let joined = |(start, line): &(String, u32)| {
                let line = *line;
                let joined = endings.iter().map(|(text, _)| (format!("{start}{text}"), line));
                joined.collect::<Vec<_>>()
            };
            whole = whole.iter().flat_map(joined).collect();
            if whole.len() > MOST || whole.iter().any(|(text, _)| text.len() > longest) {
                return None;
            }
        }
        Some(whole)
    }

    /// Every THEN and ELSE of a CASE.
    fn case(&self, mut cursor: Cursor<'_>, depth: usize) -> Texts {
        let mut texts = Vec::new();
        while let Some(at) = cursor.find(&["THEN", "ELSE"]) {
            cursor.skip(at + 1);
            let end = cursor.find(&["WHEN", "ELSE", "END"])?;
            texts.extend(self.texts(cursor.take(end), depth + 1)?);
            cursor.skip(end);
        }
        (texts.len() > 1 && texts.len() <= MOST).then_some(texts)
    }
}

/// The name of a variable that is assigned to; passes it.
fn variable(part: &mut Cursor<'_>) -> Option<String> {
    let token = part.ahead(0).filter(|token| token.kind == Kind::Variable)?;
    let name = part.text(token).to_lowercase();
    part.skip(1);
    Some(name)
}
