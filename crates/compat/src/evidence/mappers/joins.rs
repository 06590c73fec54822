//! Tables between two others that no class maps: `has_and_belongs_to_many`, `ManyToManyField`,
//! `belongsToMany`.

use super::{line_of, word};
use crate::evidence::around::clean;
use crate::evidence::words::{TableName, compact, numbers, pieces};

/// What declares a table between two.
const MARKS: &[&str] = &["has_and_belongs_to_many", "ManyToManyField(", "belongsToMany(", "ManyToMany"];

/// A declaration of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Join {
    /// The name of the side that is declared, in all its numbers, compact.
    names: Vec<String>,
    /// The class that declares it, likewise.
    owner: Vec<String>,
    shown: String,
    pub(crate) line: u32,
    pub(crate) text: String,
}

impl Join {
    /// Whether a table's name is made of the two sides, in either order, perhaps behind a prefix.
    pub(in crate::evidence) fn makes(&self, table: &TableName<'_>) -> bool {
        let joins = |left: &[String], right: &[String]| {
            let mut before = right.iter().filter_map(|name| table.before(name));
            before.any(|before| left.iter().any(|name| before.ends_with(name.as_str())))
        };
        joins(&self.owner, &self.names) || joins(&self.names, &self.owner)
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
            let owner = text[..start].rmatch_indices("class ").find_map(|(class, _)| {
                let line = text[..class].rsplit('\n').next().unwrap_or_default();
                let name = word(text[class + "class ".len()..].trim_start());
                let begins = line.chars().all(|letter| letter.is_alphanumeric() || " <?".contains(letter));
                (begins && name.starts_with(|first: char| first.is_uppercase())).then_some(name)
            });
            let said = ["join_table", "db_table", "through"].iter().any(|word| after.contains(word));
            let Some(name) = name.filter(|name| !name.is_empty() && !said && compact(name).len() > 1) else {
                continue;
            };
            joins.push(Join {
                names: numbers(&pieces(name)).iter().map(|form| form.concat()).collect(),
                owner: numbers(&pieces(owner.unwrap_or_default())).iter().map(|form| form.concat()).collect(),
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
    use super::{TableName, read};

    #[test]
    fn a_join_makes_its_table() {
        for (text, table, expected) in [
            ("class Post < A\n  has_and_belongs_to_many :tags\n", "posts_tags", true),
            ("class Tag < A\n  has_and_belongs_to_many :posts\n", "posts_tags", true),
            ("class Tag < A\n  has_and_belongs_to_many :posts\n", "tags", false),
            ("class Pet < A\n  has_and_belongs_to_many :tags\n", "posts_tags", false),
            ("class Post(M):\n    tags = models.ManyToManyField(Tag)\n", "blog_post_tags", true),
            ("class Pet(M):\n    tags = models.ManyToManyField(Tag)\n", "blog_post_tags", false),
            (
                "class Post(M):\n    tags = models.ManyToManyField(Tag, through='PostTag')\n",
                "blog_post_tags",
                false,
            ),
            ("class Post extends M {\nreturn $this->belongsToMany(Tag::class);\n", "post_tag", true),
            ("class Post extends M {\nreturn $this->belongsToMany(Role::class);\n", "post_tag", false),
        ] {
            let made = read(text).iter().any(|join| join.makes(&TableName::new(table)));
            assert_eq!(made, expected, "{text} {table}");
        }
    }
}
