//! The text of what a database keeps and runs later: a view, a routine, a trigger, a policy.
//!
//! One text for all ways of writing it: its words and signs in lower case with one blank between
//! two, without comments and quotes of names. Not here: what a text uses.

use super::Dialect;

/// How deep a text may stand in a text: `AS 'SELECT ''…'''`.
const DEEPEST: usize = 3;

/// Between the words of a string: it is one word of the text.
const WITHIN: char = '\u{1}';

/// The words and signs of a definition. A string is one word that begins with `'`; the body of a
/// routine in dollar quotes is read on, and so is one in a string after AS.
pub fn fold(text: &str, dialect: Dialect) -> String {
    let mut folded = Folded { out: String::with_capacity(text.len()), dialect };
    folded.read(text, DEEPEST);
    folded.out
}

/// The words of what [`fold`] gives.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(' ').filter(|word| !word.is_empty())
}

/// The text of a string among them.
pub fn string(word: &str) -> Option<String> {
    Some(word.strip_prefix('\'')?.replace(WITHIN, " "))
}

struct Folded {
    out: String,
    dialect: Dialect,
}

impl Folded {
    fn push(&mut self, word: &str) {
        if !self.out.is_empty() {
            self.out.push(' ');
        }
        self.out.extend(word.chars().flat_map(char::to_lowercase));
    }

    fn last_is(&self, word: &str) -> bool {
        self.out.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with(' '))
    }

    fn read(&mut self, text: &str, depth: usize) {
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            rest = match letter {
                c if c.is_whitespace() => rest.get(c.len_utf8()..).unwrap_or_default(),
                '-' if rest.starts_with("--") => after(rest, "\n"),
                '#' if self.dialect == Dialect::MySql => after(rest, "\n"),
                '/' if rest.starts_with("/*") => after(rest.get(2..).unwrap_or_default(), "*/"),
                '\'' => self.string(rest, depth),
                '"' | '`' => self.name(rest, letter),
                '[' if self.dialect == Dialect::MsSql => self.name(rest, ']'),
                '$' => self.dollar(rest),
                c if is_word(c) => self.word(rest),
                c => {
                    self.push(c.encode_utf8(&mut [0; 4]));
                    rest.get(c.len_utf8()..).unwrap_or_default()
                }
            };
        }
    }

    fn word<'a>(&mut self, rest: &'a str) -> &'a str {
        let end = rest.find(|c: char| !is_word(c) && c != '$').unwrap_or(rest.len());
        self.push(rest.get(..end).unwrap_or_default());
        rest.get(end..).unwrap_or_default()
    }

    /// The mark of a dollar-quoted body is passed by, what stands within is read on.
    fn dollar<'a>(&mut self, rest: &'a str) -> &'a str {
        let inside = rest.get(1..).unwrap_or_default();
        let tag = inside.find(|c: char| !is_word(c)).unwrap_or(inside.len());
        if inside.get(tag..).is_some_and(|end| end.starts_with('$')) {
            self.push("$");
            return inside.get(tag + 1..).unwrap_or_default();
        }
        let (number, after) = inside.split_at_checked(tag).unwrap_or((inside, ""));
        self.push(&format!("${number}"));
        after
    }

    fn name<'a>(&mut self, rest: &'a str, close: char) -> &'a str {
        let inside = rest.get(1..).unwrap_or_default();
        let end = inside.find(close).unwrap_or(inside.len());
        let name: String = inside
            .get(..end)
            .unwrap_or_default()
            .chars()
            .map(|c| if c.is_whitespace() { WITHIN } else { c })
            .collect();
        self.push(&name);
        inside.get(end + 1..).unwrap_or_default()
    }

    fn string<'a>(&mut self, rest: &'a str, depth: usize) -> &'a str {
        let mut said = String::new();
        let mut letters = rest.char_indices().skip(1).peekable();
        let mut end = rest.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' if self.dialect == Dialect::MySql => said.extend(letters.next().map(|(_, c)| c)),
                '\'' if letters.peek().is_some_and(|(_, next)| *next == '\'') => {
                    letters.next();
                    said.push('\'');
                }
                '\'' => {
                    end = at + 1;
                    break;
                }
                c => said.push(c),
            }
        }
        if depth > 0 && said.contains(char::is_whitespace) && self.last_is("as") {
            self.push("$");
            self.read(&said, depth - 1);
            self.push("$");
        } else {
            let said: String = said.chars().map(|c| if c.is_whitespace() { WITHIN } else { c }).collect();
            self.push(&format!("'{said}"));
        }
        rest.get(end..).unwrap_or_default()
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '@'
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).and_then(|at| text.get(at + end.len()..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{fold, string, words};
    use crate::sql::Dialect;

    #[test]
    fn one_text_for_all_ways_of_writing_it() {
        for (dialect, text, folded) in [
            (Dialect::Postgres, "SELECT  a.\"B\"\n-- not c\nFROM t", "select a . b from t"),
            (Dialect::Postgres, "x /* y */ 'It''s a' z", "x 'it's\u{1}a z"),
            (
                Dialect::Postgres,
                "AS $body$ BEGIN NEW.x := $1; END $body$ LANGUAGE sql",
                "as $ begin new . x : = $1 ; end $ language sql",
            ),
            (Dialect::Postgres, "LANGUAGE sql AS 'SELECT ''a'' FROM t'", "language sql as $ select 'a from t $"),
            (Dialect::MySql, "SET NEW.`k` = 'a\\'b' # c\n;", "set new . k = 'a'b ;"),
            (Dialect::MsSql, "SELECT [My Name], @x FROM [dbo].[T]", "select my\u{1}name , @x from dbo . t"),
            (Dialect::Postgres, "'never ends", "'never\u{1}ends"),
            (Dialect::Postgres, "$never ends", "$never ends"),
        ] {
            assert_eq!(fold(text, dialect), folded, "{text}");
        }
    }

    #[test]
    fn a_string_is_one_word() {
        let folded = fold("execute 'drop table x'", Dialect::Postgres);
        assert_eq!(words(&folded).filter_map(string).collect::<Vec<_>>(), ["drop table x"]);
    }
}
