//! Tables between two others that no class maps: `has_and_belongs_to_many`, `ManyToManyField`,
//! `belongsToMany`.

use super::line_of;
use crate::evidence::around::clean;
use crate::evidence::words::{compact, numbers, pieces};

/// What declares a table between two.
const MARKS: &[&str] = &["has_and_belongs_to_many", "ManyToManyField(", "belongsToMany(", "ManyToMany"];

/// A declaration of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Join {
    /// The name of the side that is declared, in all its numbers, compact.
    names: Vec<String>,
    shown: String,
    pub(crate) line: u32,
    pub(crate) text: String,
}

impl Join {
    /// Whether a table's name has this side at its end or at its beginning, and another side beside it.
    pub(crate) fn makes(&self, table: &str) -> bool {
        let words = pieces(table);
        (1..words.len()).any(|at| {
            let (left, right) = words.split_at(at);
            let is = |side: &[String]| self.names.contains(&side.concat());
            is(right) || is(left)
        }) && words.len() > 1
    }

    /// The side's name.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

pub(super) fn may_hold(bytes: &[u8]) -> bool {
    MARKS.iter().any(|mark| memchr::memmem::find(bytes, mark.as_bytes()).is_some())
}

/// The declarations of a text without comments.
pub(crate) fn read(text: &str) -> Vec<Join> {
    let mut joins = vec![];
    for mark in MARKS {
        for (at, _) in text.match_indices(mark).take(500) {
            let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
            let (before, after) = (&text[start..at], &text[at + mark.len()..end]);
            // `tags = ManyToManyField(Tag)`, `has_and_belongs_to_many :tags`, `belongsToMany(Tag::class)`.
            let name = match *mark {
                "ManyToManyField(" => before.split('=').next().map(str::trim),
                "has_and_belongs_to_many" => {
                    after.trim_start_matches(['(', ' ', ':']).split([',', ')', ' ']).next()
                }
                "belongsToMany(" => after.split("::").next().and_then(|class| class.rsplit('\\').next()),
                _ => None,
            };
            let said = ["join_table", "db_table", "through"].iter().any(|word| after.contains(word));
            let Some(name) = name.filter(|name| !name.is_empty() && !said && compact(name).len() > 1) else {
                continue;
            };
            joins.push(Join {
                names: numbers(&pieces(name)).iter().map(|form| form.concat()).collect(),
                shown: name.to_owned(),
                line: line_of(text, at),
                text: clean(&text[start..end]),
            });
        }
    }
    joins
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_join_makes_its_table() {
        for (text, table, expected) in [
            ("  has_and_belongs_to_many :tags\n", "posts_tags", true),
            ("  has_and_belongs_to_many :posts\n", "posts_tags", true),
            ("  has_and_belongs_to_many :posts\n", "tags", false),
            ("    tags = models.ManyToManyField(Tag)\n", "blog_post_tags", true),
            ("    tags = models.ManyToManyField(Tag, through='PostTag')\n", "blog_post_tags", false),
            ("return $this->belongsToMany(Tag::class);\n", "post_tag", true),
            ("return $this->belongsToMany(Role::class);\n", "post_tag", false),
        ] {
            assert_eq!(read(text).iter().any(|join| join.makes(table)), expected, "{text} {table}");
        }
    }
}
