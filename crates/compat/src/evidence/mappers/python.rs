//! Python's classes by their indentation, for the mappers that declare fields in a class's body.

use super::{bracketed, word};

/// A class.
#[derive(Debug, Default)]
pub(super) struct Class<'a> {
    pub(super) name: &'a str,
    /// What stands in its brackets: bases as written and keywords.
    pub(super) bases: Vec<&'a str>,
    pub(super) entries: Vec<Entry<'a>>,
    /// What stands in its `class Meta`.
    pub(super) meta: Vec<Entry<'a>>,
    pub(super) line: u32,
}

impl Class<'_> {
    /// The bases' last names.
    pub(super) fn base_names(&self) -> Vec<String> {
        self.bases
            .iter()
            .filter(|base| !base.contains('='))
            .map(|base| {
                word(base.rsplit_once('[').map_or(*base, |(base, _)| base).rsplit('.').next().unwrap_or(base))
                    .to_owned()
            })
            .filter(|base| !base.is_empty())
            .collect()
    }
}

/// `name: annotation = value` in a body; the value as long as its brackets are open.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) annotation: &'a str,
    pub(super) value: &'a str,
    pub(super) line: u32,
}

impl Entry<'_> {
    /// What is called: `models.CharField` of `models.CharField(…)`.
    pub(super) fn callee(&self) -> &str {
        self.value.split(['(', '[', ' ']).next().unwrap_or_default()
    }
}

/// The classes of a file.
pub(super) fn classes(text: &str) -> Vec<Class<'_>> {
    let mut classes: Vec<Class<'_>> = vec![];
    // The class, its indentation, the indentation of its body, and whether it is a Meta.
    let mut open: Vec<(usize, usize, Option<usize>, bool)> = vec![];
    let mut at = 0;
    let mut number = 0_u32;
    while at < text.len() {
        let rest = &text[at..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let start = at;
        number += 1;
        at += line.len() + 1;
        let code = line.trim_start();
        if code.is_empty() {
            continue;
        }
        let indent = line.len() - code.len();
        while open.last().is_some_and(|(_, within, ..)| indent <= *within) {
            open.pop();
        }
        if let Some(header) = code.strip_prefix("class ") {
            let name = word(header.trim_start());
            let after = &text[start + indent..];
            let (inner, length) = match header.find(['(', ':']) {
                Some(mark) if header[mark..].starts_with('(') => {
                    bracketed(after).unwrap_or(("", line.len() - indent))
                }
                _ => ("", line.len() - indent),
            };
            if name == "Meta" && !open.is_empty() {
                let of = open.last().map_or(0, |(of, ..)| *of);
                open.push((of, indent, None, true));
            } else {
                let bases = super::listed(inner)
                    .into_iter()
                    .map(|(_, base)| base.trim())
                    .filter(|base| !base.is_empty())
                    .collect();
                classes.push(Class { name, bases, line: number, ..Class::default() });
                open.push((classes.len() - 1, indent, None, false));
            }
            skip_to(text, start + indent + length, &mut at, &mut number);
            continue;
        }
        let Some((of, _, body, meta)) = open.last_mut() else { continue };
        if *body.get_or_insert(indent) != indent {
            continue;
        }
        let (of, meta) = (*of, *meta);
        let Some((entry, end)) = entry(text, start + indent, number) else { continue };
        if let Some(class) = classes.get_mut(of) {
            if meta { class.meta.push(entry) } else { class.entries.push(entry) }
        }
        skip_to(text, end, &mut at, &mut number);
    }
    classes
}

/// Goes on after the line in which something ended.
fn skip_to(text: &str, end: usize, at: &mut usize, number: &mut u32) {
    while *at < end.min(text.len()) {
        let rest = &text[*at..];
        *at += rest.find('\n').map_or(rest.len(), |newline| newline + 1);
        *number += 1;
    }
}

fn entry(text: &str, start: usize, line: u32) -> Option<(Entry<'_>, usize)> {
    let rest = text.get(start..)?;
    let name = word(rest);
    if name.is_empty()
        || matches!(name, "def" | "async" | "if" | "return" | "for" | "with" | "pass" | "import" | "from")
    {
        return None;
    }
    let after = &rest[name.len()..];
    let end_of_line = after.find('\n').unwrap_or(after.len());
    let head = &after[..end_of_line];
    let (annotation, value_at) = if let Some(typed) = head.trim_start().strip_prefix(':') {
        let equals = typed.find(" = ").map_or(typed.len(), |equals| equals);
        let offset = head.len() - typed.len();
        (typed[..equals].trim(), (equals < typed.len()).then_some(offset + equals + 3))
    } else if head.trim_start().starts_with('=') && !head.trim_start().starts_with("==") {
        ("", head.find('=').map(|equals| equals + 1))
    } else {
        return None;
    };
    let Some(value_at) = value_at else {
        return Some((Entry { name, annotation, value: "", line }, start + name.len() + end_of_line));
    };
    let value = after[value_at..].trim_start_matches(' ');
    let value_start = start + name.len() + after.len() - value.len();
    let line_end = value.find('\n').unwrap_or(value.len());
    let opens = value[..line_end].find(['(', '[', '{']);
    let length = opens.and_then(|_| bracketed(value)).map_or(line_end, |(_, end)| end.max(line_end));
    let value = value.get(..length).unwrap_or(value);
    Some((Entry { name, annotation, value, line }, value_start + length))
}

#[cfg(test)]
mod tests {
    use super::classes;

    #[test]
    fn classes_fall_into_entries() {
        let found = classes(
            "X = 1\nclass A(B, c.D[int], table=True):\n    \"\"\"Words.\n    no = 1\n    \"\"\"\n    a = f(\n        x=1,\n    )\n    b: Mapped[str] = g()\n    c: int\n\n    class Meta:\n        db_table = 'as'\n\n    def m(self):\n        z = 1\n    d = h(1)\n\nclass E(\n    F,\n):\n    e = 1\n",
        );
        assert_eq!(found.len(), 2);
        let names: Vec<&str> = found[0].entries.iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["no", "a", "b", "c", "d"]);
        assert_eq!(found[0].entries[1].line, 6);
        assert_eq!(found[0].entries[4].line, 17);
        assert_eq!(found[0].meta[0].value, "'as'");
        assert_eq!(found[0].base_names(), ["B", "D"]);
        assert_eq!(found[1].base_names(), ["F"]);
        assert_eq!(found[1].entries[0].name, "e");
        assert_eq!(found[1].line, 19);
    }
}
