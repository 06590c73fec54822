//! Which lines of a Markdown text are plain text: of a paragraph that stands in no quotation.
//!
//! A scanner, no parser: it knows the blocks of CommonMark 0.31 that hide a line which begins at the first
//! column, and GitLab's quotations between lines of `>>>`. It is linear in the text.

use std::collections::BTreeMap;

/// One way to read what Markdown and its writers do not agree on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// HTML is HTML, and hides what is in it; else it is text like any other.
    html: bool,
    /// Fences and the marks of lists may be indented as deeply as one likes, a fence in a list ends only where
    /// it is closed, and a paragraph goes on to the next blank line; else it is as CommonMark has it.
    loose: bool,
}

/// All of them. What hides a line in one of them hides it.
///
/// A mistake that one reading makes, such as to take the end of one block for the beginning of another, another
/// hardly makes. One body is known that fools all of them: a list item that holds a quote, and behind it a fence
/// on a line that goes on with the item.
pub(super) const READINGS: [Reading; 4] = [
    Reading { html: true, loose: false },
    Reading { html: true, loose: true },
    Reading { html: false, loose: false },
    Reading { html: false, loose: true },
];

/// For each line, whether it is plain text.
pub(super) fn plain(lines: &[&str], reading: Reading) -> Vec<bool> {
    let mut scan = Scan {
        reading,
        plain: vec![false; lines.len()],
        inside: Inside::Text,
        within_html: false,
        lists: Vec::new(),
        bare_mark: false,
        quote: false,
        fenced_quote: false,
        hidden: false,
        paragraph: Vec::new(),
        left: 0,
    };
    for (at, line) in lines.iter().enumerate() {
        scan.line(lines, at, line);
    }
    scan.end_paragraph(lines);
    scan.plain
}

struct Scan {
    reading: Reading,
    plain: Vec<bool>,
    inside: Inside,
    /// What the line stands in stands itself in HTML, and gives way to it.
    within_html: bool,
    /// Where the text of each list begins that may still go on, outermost first.
    lists: Vec<usize>,
    /// The line before is the mark of a list and nothing else.
    bare_mark: bool,
    /// A quotation goes on until a blank line: what follows it without one may belong to it.
    quote: bool,
    /// Between two lines of `>>>`.
    fenced_quote: bool,
    /// In an HTML comment that began in the middle of a paragraph.
    hidden: bool,
    /// The lines of the present paragraph.
    paragraph: Vec<usize>,
    /// Where the text begins of the list that it is in.
    left: usize,
}

/// What a line stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Text,
    Fence(Fence),
    /// An HTML block until a blank line.
    Html,
    /// An HTML comment.
    Comment,
    /// An HTML block until a line that holds this text.
    HtmlUntil(&'static str),
    /// An element until it is closed as often as it was opened.
    Element(&'static str, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fence {
    mark: char,
    length: usize,
    /// A line that is indented less ends it.
    left: usize,
    /// A line that is indented more does not close it.
    right: usize,
}

/// Elements whose text is not what somebody says here and now.
const ELEMENTS: [&str; 12] =
    ["blockquote", "code", "del", "details", "kbd", "pre", "q", "s", "script", "style", "template", "textarea"];

impl Scan {
    fn line(&mut self, lines: &[&str], at: usize, line: &str) {
        let blank = line.trim_matches([' ', '\t']).is_empty();
        if !self.goes_on(line, blank) {
            self.fresh(lines, at, line, blank);
        }
    }

    /// Whether the line belongs to a block that began before it; then nothing else is to be done.
    fn goes_on(&mut self, line: &str, blank: bool) -> bool {
        match self.inside {
            Inside::Text => return false,
            Inside::Fence(fence) => {
                if !blank && column(line) < fence.left {
                    self.inside = Inside::Text;
                    return false;
                }
                if fence.is_closed_by(line) {
                    self.inside = Inside::Text;
                }
            }
            Inside::Html if blank => {
                (self.inside, self.within_html) = (Inside::Text, false);
                return false;
            }
            Inside::Html => {
                if let Some(inside) = html(line.trim_start_matches([' ', '\t'])) {
                    self.inside = if inside == Inside::Text { Inside::Html } else { inside };
                }
                if leaves_open(line, false) {
                    self.inside = Inside::Comment;
                }
                self.within_html = true;
            }
            Inside::Comment if leaves_open(line, true) => {}
            Inside::Comment => self.end_html(),
            Inside::HtmlUntil(end) => {
                if line.to_ascii_lowercase().contains(end) {
                    self.end_html();
                }
            }
            Inside::Element(name, depth) => {
                self.inside = match element(name, depth, line) {
                    Inside::Text => Inside::Html,
                    inside => inside,
                };
            }
        }
        true
    }

    fn end_html(&mut self) {
        self.inside = if self.within_html { Inside::Html } else { Inside::Text };
    }

    /// A line that may begin a block.
    fn fresh(&mut self, lines: &[&str], at: usize, line: &str, blank: bool) {
        if blank {
            self.end_paragraph(lines);
            // An item of a list begins with one empty line at most.
            if self.bare_mark {
                self.lists.pop();
            }
            self.bare_mark = false;
            (self.quote, self.hidden) = (false, false);
            return;
        }
        let strict = !self.reading.loose;
        let in_paragraph = !self.paragraph.is_empty();
        let indented = column(line);
        let base = self.lists.iter().copied().rfind(|left| *left <= indented).unwrap_or(0);
        let content =
            Content::of(line, strict.then_some(Strictly { base, in_paragraph: in_paragraph && base == self.left }));
        if content.quoted {
            self.end_paragraph(lines);
            self.lists.retain(|left| *left <= indented);
            // Nothing goes on from an empty line of a quotation.
            self.quote = !content.text.is_empty();
            if line.trim() == ">>>" {
                self.fenced_quote = !self.fenced_quote;
            }
            return;
        }
        let begins = content.indent <= 3 || !strict;
        let left = content.lists.last().copied().unwrap_or(base);
        let block = match Fence::opened_by(&content) {
            Some(fence) if begins && strict => Some(Inside::Fence(Fence { left, right: left + 3, ..fence })),
            Some(fence) if begins => Some(Inside::Fence(fence)),
            _ if self.reading.html && begins => html(content.text),
            _ => None,
        };
        let is_code = strict && content.indent > 3 && !in_paragraph;
        let underline = in_paragraph && is_underline(content.text);
        let alone = strict && (content.text.starts_with('#') || is_rule(content.text) || underline);
        let listed = !content.lists.is_empty();
        // A line of a paragraph may stand further left than the list that it belongs to.
        if listed || block.is_some() || alone || !in_paragraph {
            self.lists.retain(|left| *left <= indented);
            self.lists.extend(&content.lists);
        }
        self.bare_mark = listed && content.text.is_empty();
        if let Some(inside) = block {
            self.end_paragraph(lines);
            (self.inside, self.within_html) = (inside, false);
            return;
        }
        if is_code {
            return;
        }
        if alone || (listed && strict) {
            self.end_paragraph(lines);
        }
        self.plain[at] = !(self.quote || self.fenced_quote || self.hidden);
        if self.paragraph.is_empty() {
            self.left = self.lists.last().copied().unwrap_or(0);
        }
        if !content.text.is_empty() {
            self.paragraph.push(at);
        }
        if self.reading.html {
            self.hidden = leaves_open(line, self.hidden);
        }
        if alone {
            self.end_paragraph(lines);
        }
    }

    /// What stands between back quotes is code, over the ends of lines.
    fn end_paragraph(&mut self, lines: &[&str]) {
        let paragraph = std::mem::take(&mut self.paragraph);
        for (at, in_code) in paragraph.iter().zip(begin_in_code(paragraph.iter().map(|at| lines[*at]))) {
            if in_code {
                self.plain[*at] = false;
            }
        }
    }
}

/// A line without the marks of quotations and lists before it.
struct Content<'a> {
    text: &'a str,
    /// How far from the left, a tab reaching to the next multiple of four.
    column: usize,
    /// How far from the last of the marks, or from the left.
    indent: usize,
    quoted: bool,
    /// Where the text begins of each list that has its mark in the line.
    lists: Vec<usize>,
}

/// What CommonMark looks at before it takes a line's beginning for the mark of a list.
#[derive(Debug, Clone, Copy)]
struct Strictly {
    /// Where the text of the present list begins: four spaces from there are code.
    base: usize,
    /// Within a paragraph of it only a list that begins with 1, and with some text, is one.
    in_paragraph: bool,
}

impl<'a> Content<'a> {
    fn of(line: &'a str, strictly: Option<Strictly>) -> Self {
        let mut content = Self { text: line, column: 0, indent: 0, quoted: false, lists: Vec::new() };
        content.skip_space();
        content.indent -= strictly.map_or(0, |strictly| strictly.base).min(content.indent);
        loop {
            if let Some(rest) = content.text.strip_prefix('>') {
                content.quoted = true;
                content.skip(rest);
                content.skip_space();
                continue;
            }
            let digits = content.text.bytes().take_while(u8::is_ascii_digit).count();
            let marker = match digits {
                0 => content.text.strip_prefix(['-', '+', '*']),
                1..=9 => content.text[digits..].strip_prefix(['.', ')']),
                _ => None,
            };
            let number = &content.text[..digits];
            let is_mark = |rest: &&str| {
                let ends = rest.is_empty() || rest.starts_with([' ', '\t']);
                ends && strictly.is_none_or(|strictly| {
                    let begins = number.is_empty() || number == "1";
                    let interrupts = !strictly.in_paragraph || (begins && !rest.trim().is_empty());
                    content.indent <= 3 && interrupts && !is_rule(content.text)
                })
            };
            let Some(rest) = marker.filter(is_mark) else { return content };
            content.skip(rest);
            let behind = content.column + 1;
            content.skip_space();
            content.indent = content.column.saturating_sub(behind);
            let left = if content.text.is_empty() || content.indent > 3 { behind } else { content.column };
            content.lists.push(left);
        }
    }

    fn skip_space(&mut self) {
        let rest = self.text.trim_start_matches([' ', '\t']);
        let from = self.column;
        for c in self.text[..self.text.len() - rest.len()].chars() {
            self.column += if c == '\t' { 4 - self.column % 4 } else { 1 };
        }
        self.indent = self.column - from;
        self.text = rest;
    }

    fn skip(&mut self, rest: &'a str) {
        self.column += self.text.len() - rest.len();
        self.text = rest;
    }
}

impl Fence {
    fn opened_by(content: &Content<'_>) -> Option<Self> {
        let mark = content.text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = content.text.trim_start_matches(mark);
        let length = content.text.len() - info.len();
        // With a back quote behind it, it is code within a line.
        let opens = length >= 3 && (mark == '~' || !info.contains('`'));
        opens.then_some(Self { mark, length, left: 0, right: content.column.max(3) })
    }

    fn is_closed_by(self, line: &str) -> bool {
        let text = line.trim_start_matches([' ', '\t']);
        let rest = text.trim_start_matches(self.mark);
        let long = text.len() - rest.len() >= self.length;
        long && column(line) <= self.right && rest.trim_matches([' ', '\t']).is_empty()
    }
}

/// Whether it is a line across the page.
fn is_rule(text: &str) -> bool {
    let Some(mark) = text.chars().next().filter(|c| matches!(c, '-' | '*' | '_')) else { return false };
    let marks = text.chars().filter(|c| *c == mark).count();
    marks >= 3 && text.chars().all(|c| c == mark || matches!(c, ' ' | '\t'))
}

/// Whether it makes a heading of the lines before it.
fn is_underline(text: &str) -> bool {
    let text = text.trim_end_matches([' ', '\t']);
    !text.is_empty() && (text.chars().all(|c| c == '-') || text.chars().all(|c| c == '='))
}

/// How far a line is indented.
fn column(line: &str) -> usize {
    let mut content = Content { text: line, column: 0, indent: 0, quoted: false, lists: Vec::new() };
    content.skip_space();
    content.column
}

/// The block that begins with a line of HTML: any tag, for the sake of caution.
fn html(text: &str) -> Option<Inside> {
    let rest = text.strip_prefix('<')?;
    let comment = leaves_open(text, false);
    let until = |rest: &str, end: &'static str| {
        Some(if rest.contains(end) { Inside::Text } else { Inside::HtmlUntil(end) })
    };
    if rest.starts_with("!--") {
        return Some(if comment { Inside::Comment } else { Inside::Text });
    }
    if let Some(rest) = rest.strip_prefix("![CDATA[") {
        return until(rest, "]]>");
    }
    if let Some(rest) = rest.strip_prefix('?') {
        return until(rest, "?>");
    }
    if let Some(rest) = rest.strip_prefix('!') {
        return rest.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| until(rest, ">"))?;
    }
    let name = rest.strip_prefix('/').unwrap_or(rest);
    let length = name.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
    let (name, behind) = name.split_at(length);
    let is_tag = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (behind.is_empty() || behind.starts_with([' ', '\t', '>', '/']));
    if !is_tag {
        return None;
    }
    let name = ELEMENTS.into_iter().find(|element| element.eq_ignore_ascii_case(name));
    Some(match name.map(|name| element(name, 0, text)) {
        Some(inside @ Inside::Element(..)) => inside,
        _ if comment => Inside::Comment,
        _ => Inside::Html,
    })
}

/// Where an element is after a line that began `depth` deep in it.
fn element(name: &'static str, depth: usize, line: &str) -> Inside {
    let line = line.to_ascii_lowercase();
    let tags = |open: &str| {
        let ends = |rest: &str| rest.is_empty() || rest.starts_with([' ', '\t', '>', '/']);
        line.match_indices(open)
            .filter(|(at, _)| line[at + open.len()..].strip_prefix(name).is_some_and(ends))
            .count()
    };
    match (depth + tags("<")).saturating_sub(tags("</")) {
        0 => Inside::Text,
        depth => Inside::Element(name, depth),
    }
}

/// Whether a line ends within an HTML comment.
fn leaves_open(line: &str, hidden: bool) -> bool {
    let mut rest = line;
    let mut hidden = hidden;
    while let Some((_, after)) = rest.split_once(if hidden { "-->" } else { "<!--" }) {
        rest = after;
        hidden = !hidden;
    }
    hidden
}

/// For each line of a paragraph, whether it begins within code: between two runs of back quotes of the
/// same length.
fn begin_in_code<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<bool> {
    let lines: Vec<&str> = lines.collect();
    let runs: Vec<Run> = lines.iter().enumerate().flat_map(|(line, text)| runs(line, text)).collect();
    // For each run, the next one that would close it.
    let mut next: Vec<Option<usize>> = vec![None; runs.len()];
    let mut later: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, run) in runs.iter().enumerate().rev() {
        next[at] = later.get(&(run.length - run.escaped)).copied();
        // A backslash does not keep a run from closing.
        later.insert(run.length, at);
    }
    let mut in_code = vec![false; lines.len()];
    let mut at = 0;
    while let Some(run) = runs.get(at) {
        let close = next[at].filter(|_| run.length > run.escaped);
        if let Some(close) = close {
            in_code[run.line + 1..=runs[close].line].fill(true);
            at = close;
        }
        at += 1;
    }
    in_code
}

/// A run of back quotes.
struct Run {
    line: usize,
    length: usize,
    /// 1 if the first of them cannot open code.
    escaped: usize,
}

fn runs(line: usize, text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut backslashes, mut in_run) = (0usize, false);
    for c in text.chars() {
        match (c, runs.last_mut().filter(|_| in_run)) {
            ('`', Some(run)) => run.length += 1,
            ('`', None) => runs.push(Run { line, length: 1, escaped: backslashes % 2 }),
            _ => {}
        }
        in_run = c == '`';
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
    }
    runs
}
