//! Inputs that grow out of seeds.

use std::path::PathBuf;

use crate::laws::LONGEST;

/// What opens something, to be repeated until a reader's nesting is too deep.
const OPENERS: &[&str] = &[
    "(",
    "[",
    "{",
    "((",
    "NOT ",
    "CASE WHEN ",
    "SELECT (",
    "BEGIN ",
    "IF x THEN ",
    "/*",
    "- ",
    "<a>",
    "- - ",
    "[[",
    "{\"a\":",
    "if x\n",
    "f(",
    "a.b(",
    "x ? ",
    "1+",
    "function () {",
    "do |a|\n",
    "$a$",
    "a||",
    "((a)::b)",
    ",",
    ";",
    "'",
    "\"",
    "\n",
    " ",
    "a ",
    "a.",
    "=== head migrations/2_b.sql\n",
    "CREATE TABLE a (b int);\n",
    "UNION SELECT 1 ",
    "FOR x IN 1..2 LOOP ",
    "x = x + x\n",
    "ALTER TABLE a RENAME b TO c;\n",
];

/// A source of inputs; the same seed gives the same ones.
pub struct Mutator {
    state: u64,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    pub fn new(seed: u64, dictionary: PathBuf) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(dictionary)?;
        let words = text.lines().filter_map(|line| word(line.strip_prefix('"')?.strip_suffix('"')?)).collect();
        Ok(Self { state: seed, words })
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than the bound; 0 where that is 0.
    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    /// A seed with some changes.
    pub fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let at = self.below(corpus.len());
        let mut input = corpus.get(at).cloned().unwrap_or_default();
        for _ in 0..=self.below(6) {
            self.change(&mut input, corpus);
            input.truncate(LONGEST);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        match self.below(12) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << (self.next() % 8);
                }
            }
            1 => {
                let byte = (self.next() & 0xff) as u8;
                input.insert(at, byte);
            }
            2 => {
                let end = self.end(at, input.len());
                input.drain(at..end);
            }
            3 => {
                let end = self.end(at, input.len());
                let piece = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, piece);
            }
            4 | 5 => {
                let word = self.below(self.words.len());
                let word = self.words.get(word).cloned().unwrap_or_default();
                input.splice(at..at, word);
            }
            6 | 7 => self.splice(input, corpus),
            8 => self.lines(input),
            9 => {
                let end = self.end(at, input.len());
                input[at..end]
                    .iter_mut()
                    .for_each(|byte| *byte ^= if byte.is_ascii_alphabetic() { 0x20 } else { 0 });
            }
            10 if self.below(4) == 0 => {
                let opener = OPENERS[self.below(OPENERS.len())];
                let times = [3, 30, 201, 3_000, 30_000][self.below(5)];
                input.splice(at..at, opener.repeat(times).into_bytes().into_iter().take(LONGEST));
            }
            _ => input.truncate(if self.below(4) == 0 { at } else { input.len() }),
        }
    }

    /// Where a piece ends that begins there: mostly a short one.
    fn end(&mut self, at: usize, length: usize) -> usize {
        let longest = [4, 16, 64, 1_024][self.below(4)];
        at + self.below((length - at).min(longest) + 1)
    }

    /// A piece of another seed, of whole lines.
    fn splice(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let other = self.below(corpus.len());
        let Some(other) = corpus.get(other) else { return };
        let (ours, theirs) = (line_starts(input), line_starts(other));
        let from = self.below(theirs.len());
        let last = (from + 1 + self.below(8)).min(theirs.len());
        let piece = &other[theirs[from]..theirs.get(last).copied().unwrap_or(other.len())];
        let at = ours[self.below(ours.len())];
        let end = if self.below(2) == 0 {
            at
        } else {
            input[at..].iter().position(|b| *b == b'\n').map_or(input.len(), |n| at + n + 1)
        };
        input.splice(at..end, piece.iter().copied());
    }

    /// Two lines change places, or one goes.
    fn lines(&mut self, input: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if lines.is_empty() {
            return;
        }
        let (one, other) = (self.below(lines.len()), self.below(lines.len()));
        if self.below(3) == 0 {
            lines.remove(one);
        } else {
            lines.swap(one, other);
        }
        *input = lines.concat();
    }
}

fn line_starts(bytes: &[u8]) -> Vec<usize> {
    let after = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    [0].into_iter().chain(after).collect()
}

/// A word of libFuzzer's dictionary: `\\`, `\"` and `\x0a` are escaped.
fn word(escaped: &str) -> Option<Vec<u8>> {
    let mut word = vec![];
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            word.push(byte);
            continue;
        }
        match rest.next()? {
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                word.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            other => word.push(other),
        }
    }
    Some(word)
}
