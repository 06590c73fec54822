//! Classes of the languages with braces by their brackets: what stands before a member, and the
//! member, for the mappers that read annotations. Java, Kotlin, C#, PHP, TypeScript.

use super::word;

/// A class and its members.
#[derive(Debug)]
pub(super) struct Class<'a> {
    pub(super) name: &'a str,
    /// What stands before its name: annotations, modifiers.
    pub(super) before: &'a str,
    /// What it extends, by last names.
    pub(super) bases: Vec<String>,
    pub(super) members: Vec<Member<'a>>,
    pub(super) line: u32,
}

/// A member: a field, a property, the head of a method.
#[derive(Debug)]
pub(super) struct Member<'a> {
    /// Annotations and the declaration.
    pub(super) text: &'a str,
    /// The annotations.
    pub(super) marks: &'a str,
    /// The declaration alone.
    pub(super) code: &'a str,
    /// The line of the declaration.
    pub(super) line: u32,
    /// A block follows: a method's body, a property's accessors.
    pub(super) block: bool,
}

/// The classes of a text. With `newlines` a member ends with its line (TypeScript, Kotlin).
pub(super) fn classes(text: &str, newlines: bool) -> Vec<Class<'_>> {
    Reader {
        text,
        newlines,
        classes: vec![],
        blocks: vec![],
        start: 0,
        brackets: 0,
        lines: Lines { text, at: 0, line: 1 },
    }
    .read()
}

struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line of a byte; asked mostly in order.
    fn of(&mut self, at: usize) -> u32 {
        if at < self.at {
            return super::line_of(self.text, at);
        }
        let more = memchr::memchr_iter(b'\n', self.text.as_bytes().get(self.at..at).unwrap_or_default()).count();
        self.at = at;
        self.line = self.line.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        self.line
    }
}

struct Reader<'a> {
    text: &'a str,
    newlines: bool,
    classes: Vec<Class<'a>>,
    /// Open blocks: of a class, or of anything else.
    blocks: Vec<Option<usize>>,
    /// Where what is being read began.
    start: usize,
    /// Open brackets that are no blocks.
    brackets: usize,
    lines: Lines<'a>,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Vec<Class<'a>> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' | b'\'' | b'`' => {
                    at = string_end(bytes, at, byte);
                    continue;
                }
                // A block of a comment is left only where it holds annotations.
                b'/' if bytes.get(at + 1) == Some(&b'*') => {
                    at = memchr::memmem::find(&bytes[at..], b"*/").map_or(bytes.len(), |end| at + end + 2);
                    continue;
                }
                b'(' | b'[' => self.brackets += 1,
                b')' | b']' => self.brackets = self.brackets.saturating_sub(1),
                b'{' if self.brackets == 0 => {
                    self.open(at);
                }
                b'}' if self.brackets == 0 => {
                    self.member(at, false);
                    self.blocks.pop();
                    self.start = at + 1;
                }
                b';' if self.brackets == 0 => {
                    self.member(at, false);
                    self.start = at + 1;
                }
                b'\n' if self.brackets == 0 && self.newlines => self.newline(at),
                _ => {}
            }
            at += 1;
        }
        self.classes
    }

    fn segment(&self, end: usize) -> &'a str {
        self.text.get(self.start..end).unwrap_or_default()
    }

    fn open(&mut self, at: usize) {
        let segment = self.segment(at);
        if let Some((before, name, rest)) = header(segment) {
            let offset = self.start + before.len();
            let line = self.lines.of(offset);
            self.classes.push(Class { name, before, bases: bases(rest), members: vec![], line });
            let class = self.classes.len() - 1;
            self.parameters(class, rest);
            self.blocks.push(Some(class));
        } else {
            self.member(at, true);
            self.blocks.push(None);
        }
        self.start = at + 1;
    }

    /// The fields of `data class X(val a: A)` and `record X(A a)`.
    fn parameters(&mut self, class: usize, rest: &'a str) {
        let trimmed = rest.trim_start();
        if !trimmed.starts_with('(') {
            return;
        }
        let Some((inner, _)) = super::bracketed(trimmed) else { return };
        let base = inner.as_ptr() as usize - self.text.as_ptr() as usize;
        for (offset, piece) in super::listed(inner) {
            self.push(class, base + offset, piece, false);
        }
    }

    fn member(&mut self, end: usize, block: bool) {
        if let Some(Some(class)) = self.blocks.last().copied() {
            let (start, segment) = (self.start, self.segment(end));
            self.push(class, start, segment, block);
        } else if self.newlines {
            self.bodyless(end);
        }
    }

    /// Kotlin's class that has parameters and no body.
    fn bodyless(&mut self, end: usize) {
        let segment = self.segment(end);
        if let Some((before, name, rest)) =
            header(segment).filter(|(_, _, rest)| rest.trim_start().starts_with('('))
        {
            let line = self.lines.of(self.start + before.len());
            self.classes.push(Class { name, before, bases: bases(rest), members: vec![], line });
            let class = self.classes.len() - 1;
            self.parameters(class, rest);
        }
    }

    fn push(&mut self, class: usize, start: usize, segment: &'a str, block: bool) {
        let marks = marks(segment);
        let code = segment.get(marks..).unwrap_or_default().trim();
        if code.is_empty() {
            return;
        }
        let lead = segment.len() - segment.get(marks..).unwrap_or_default().trim_start().len();
        let line = self.lines.of(start + lead);
        if let Some(class) = self.classes.get_mut(class) {
            class.members.push(Member {
                text: segment,
                marks: segment.get(..marks).unwrap_or_default(),
                code,
                line,
                block,
            });
        }
    }

    fn newline(&mut self, at: usize) {
        let segment = self.segment(at);
        let code = segment.get(marks(segment)..).unwrap_or_default().trim();
        let goes_on = code.is_empty()
            || code.ends_with([',', '=', '|', '&', ':', '?', '+', '<'])
            || header(segment)
                .is_some_and(|(_, _, rest)| !rest.trim_start().starts_with('(') || rest.trim_end().ends_with(':'))
            || matches!(code, "public" | "private" | "export" | "default" | "abstract");
        let next = self.text.get(at..).unwrap_or_default().trim_start();
        if goes_on
            || next.starts_with(['{', '|', '.', '=', '?', ':'])
            || next.starts_with("extends")
            || next.starts_with("implements")
        {
            return;
        }
        self.member(at, false);
        self.start = at;
    }
}

fn string_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' if quote != b'`' => return at,
            b'\\' => at += 2,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// What stands before a class's name, the name, and what follows it.
fn header(segment: &str) -> Option<(&str, &str, &str)> {
    for keyword in ["class ", "trait ", "record ", "struct ", "interface ", "object "] {
        for (at, _) in segment.match_indices(keyword).take(20) {
            let begins =
                segment[..at].chars().next_back().is_none_or(|before| before.is_whitespace() || before == ']');
            let rest = &segment[at + keyword.len()..];
            let name = word(rest.trim_start());
            let in_brackets = segment[..at].matches('(').count() > segment[..at].matches(')').count();
            if begins && !in_brackets && name.starts_with(|first: char| first.is_uppercase() || first == '_') {
                let after = rest.trim_start().get(name.len()..).unwrap_or_default();
                return Some((&segment[..at], name, after));
            }
        }
    }
    None
}

/// The last names of what follows `extends` or `:`.
fn bases(rest: &str) -> Vec<String> {
    let rest = match super::bracketed(rest).filter(|_| rest.trim_start().starts_with('(')) {
        Some((_, end)) => rest.get(end..).unwrap_or_default(),
        None => rest,
    };
    // What is only promised brings no fields.
    let rest = rest.split_once("implements ").map_or(rest, |(rest, _)| rest);
    // Type arguments are no bases.
    let mut depth = 0_usize;
    let plain: String = rest
        .chars()
        .map(|letter| match letter {
            '<' | '(' => {
                depth += 1;
                ' '
            }
            '>' | ')' => {
                depth = depth.saturating_sub(1);
                ' '
            }
            _ if depth > 0 => ' ',
            _ => letter,
        })
        .collect();
    plain
        .split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ':' | '(' | ')'))
        .filter(|name| !name.is_empty() && !matches!(*name, "extends" | "where" | "with"))
        .filter_map(|name| name.rsplit(['.', '\\']).next())
        .filter(|name| name.starts_with(|first: char| first.is_uppercase()))
        .map(str::to_owned)
        .collect()
}

/// How long the annotations at the beginning are: `@X(…)`, `[X]`, `#[X]`, `/** … */`.
fn marks(segment: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = segment.get(at..).unwrap_or_default();
        let code = rest.trim_start();
        let start = at + rest.len() - code.len();
        let length = if let Some(name) = code.strip_prefix('@') {
            let end = name
                .find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '.' | ':')))
                .unwrap_or(name.len());
            let after = &name[end..];
            let arguments =
                after.starts_with('(').then(|| super::bracketed(after)).flatten().map_or(0, |(_, end)| end);
            1 + end + arguments
        } else if code.starts_with('[') || code.starts_with("#[") {
            match super::bracketed(code) {
                Some((_, end)) => end,
                None => return at,
            }
        } else if code.starts_with("/*") {
            code.find("*/").map_or(code.len(), |end| end + 2)
        } else {
            return at;
        };
        at = start + length;
    }
}

#[cfg(test)]
mod tests {
    use super::classes;

    #[test]
    fn classes_fall_into_members() {
        let found = classes(
            "@Entity\n@Table(name = \"people\")\npublic class Person extends a.b.Base<X, Y> implements I {\n  @Column(name = \"nick\")\n  private String nickName;\n  public String getX() { String local = \"}\"; return local; }\n  @ManyToOne private User user;\n}\nclass Two {}\n",
            false,
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].name, "Person");
        assert!(found[0].before.contains("people"));
        assert_eq!(found[0].bases, ["Base"]);
        let members: Vec<(&str, u32, bool)> =
            found[0].members.iter().map(|member| (member.code, member.line, member.block)).collect();
        assert_eq!(
            members,
            [
                ("private String nickName", 5, false),
                ("public String getX()", 6, true),
                ("private User user", 7, false)
            ]
        );
    }

    #[test]
    fn a_line_may_end_a_member() {
        let found = classes(
            "@Entity('people')\nexport class Person {\n  @Column({ name: 'nick' })\n  nickName: string\n\n  @Column() age?: number;\n  m() {\n    return 1\n  }\n}\n@Entity\ndata class P(\n  val a: String,\n  @Column(name = \"b_c\") val b: Int = 1\n)\n",
            true,
        );
        let members: Vec<(&str, u32)> = found[0].members.iter().map(|member| (member.code, member.line)).collect();
        assert_eq!(members, [("nickName: string", 4), ("age?: number", 6), ("m()", 7)]);
        let members: Vec<&str> = found[1].members.iter().map(|member| member.code).collect();
        assert_eq!(members, ["val a: String", "val b: Int = 1"]);
    }
}
