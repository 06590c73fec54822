//! Tables and sequences that no class maps and whose names mappers make of others': between two tables
//! (`has_and_belongs_to_many`, `ManyToManyField`, `belongsToMany`, `@ManyToMany`, Prisma's lists on both
//! sides), of a collection (`@ElementCollection`), of what was before (`@Audited`), of keys
//! (`@GeneratedValue`).

use super::{line_of, word};
use crate::evidence::around::clean;
use crate::evidence::words::{TableName, compact, numbers, pieces};

/// What declares a table between two.
const MARKS: &[&str] = &["has_and_belongs_to_many", "ManyToManyField(", "belongsToMany("];

/// Marks that stand before the property they mark.
const BEFORE: &[&str] = &["ManyToMany", "@ElementCollection", "@Audited", "@GeneratedValue"];

/// A declaration of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Join {
    /// The name of the side that is declared, in all its numbers, compact.
    names: Vec<String>,
    /// The class that declares it, likewise.
    owner: Vec<String>,
    /// The whole name, compact, where it is certain.
    whole: Option<String>,
    shown: String,
    pub(crate) line: u32,
    pub(crate) text: String,
}

impl Join {
    /// Whether a table's name is made of the two sides, in either order, perhaps behind a prefix.
    pub(in crate::evidence) fn makes(&self, table: &TableName<'_>) -> bool {
        if let Some(whole) = &self.whole {
            return *whole == compact(table.name);
        }
        // TypeORM puts the property between them: `guest_plans_plan`.
        let between = |before: &str, side: &str| {
            before.strip_prefix(side).is_some_and(|rest| self.names.iter().any(|name| name == rest))
        };
        let joins = |left: &[String], right: &[String]| {
            let mut before = right.iter().filter_map(|name| table.before(name));
            before.any(|before| left.iter().any(|name| before.ends_with(name.as_str()) || between(before, name)))
        };
        joins(&self.owner, &self.names) || joins(&self.names, &self.owner)
    }

    /// The side's name.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

pub(super) fn may_hold(bytes: &[u8]) -> bool {
    let has = |mark: &&str| memchr::memmem::find(bytes, mark.as_bytes()).is_some();
    MARKS.iter().chain(BEFORE).any(has)
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
                names: forms(name),
                owner: forms(owner.unwrap_or_default()),
                whole: None,
                shown: name.to_owned(),
                line: line_of(text, at),
                text: clean(&text[start..end]),
            });
        }
    }
    joins.extend(BEFORE.iter().flat_map(|mark| marked(text, mark)));
    joins.extend(lists(text));
    joins
}

/// A name in all its numbers, compact.
fn forms(name: &str) -> Vec<String> {
    numbers(&pieces(name)).iter().map(|form| form.concat()).collect()
}

/// What `@ManyToMany` and its like declare: the property that follows, of the class around it.
fn marked(text: &str, mark: &str) -> Vec<Join> {
    text.match_indices(mark).take(500).filter_map(|(at, _)| mark_at(text, at, mark)).collect()
}

fn mark_at(text: &str, at: usize, mark: &str) -> Option<Join> {
    const SAID: &[&str] = &[
        "mappedBy",
        "JoinTable(name",
        "JoinTable(\n",
        "JoinTable({",
        "CollectionTable",
        "joinTable",
        "generator",
        "IDENTITY",
        "AuditTable",
    ];
    let (before, after) = (text.get(..at)?, text.get(at + mark.len()..)?);
    let annotates = mark.starts_with('@') || before.ends_with(['@', '\\', '[', ' ', '\n', '\t']);
    if !annotates || after.starts_with(char::is_alphanumeric) {
        return None;
    }
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let declaration = declaration(after, mark)?;
    if SAID.iter().any(|word| declaration.contains(word)) || before[start..].contains("AuditTable") {
        return None;
    }
    let property = property(declaration, mark);
    let (names, owner) = sides(mark, declaration, property, before)?;
    let shown = if property.is_empty() { mark } else { property };
    (!names.is_empty() && !owner.is_empty()).then(|| Join {
        names,
        owner,
        whole: None,
        shown: shown.to_owned(),
        line: line_of(text, at),
        text: clean(text[start..].lines().next().unwrap_or_default()),
    })
}

/// From a mark to the end of what it marks.
fn declaration<'a>(after: &'a str, mark: &str) -> Option<&'a str> {
    const LONGEST: usize = 600;
    let end = after.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST).unwrap_or(after.len());
    let after = after.get(..end)?;
    // Its arguments have `=` in them: only a value that is made ends it before the `;`.
    let until = after.find(if mark == "@Audited" { '{' } else { ';' });
    after.get(..until.unwrap_or(after.len()))?.split(" = new").next()
}

/// The name of what is marked: `private Set<Plan> plans`, `private Collection $plans`, `plans: Plan[]`.
fn property<'a>(declaration: &'a str, mark: &str) -> &'a str {
    let declared = declaration.trim_end();
    let typed = declared
        .rsplit_once(':')
        .filter(|(before, ty)| mark == "ManyToMany" && !ty.contains(['(', '$']) && !before.ends_with(':'));
    let named = typed.map_or(declared, |(before, _)| before.trim_end());
    let last = named.rsplit(|letter: char| letter.is_whitespace() || letter == '$').next().unwrap_or_default();
    word(last.trim_matches(['(', ')']))
}

/// The names of which that of a table or a sequence is made: what comes second, and what comes first.
fn sides(mark: &str, declaration: &str, property: &str, before: &str) -> Option<(Vec<String>, Vec<String>)> {
    let owner = || {
        before.rmatch_indices("class ").find_map(|(class, found)| {
            let name = word(before[class + found.len()..].trim_start());
            name.starts_with(char::is_uppercase).then_some(name)
        })
    };
    match mark {
        "@Audited" => {
            let class = declaration.split("class ").nth(1).map(|rest| word(rest.trim_start()))?;
            let mut owner = forms(class);
            let table = declaration.contains("@Table").then(|| super::argument(declaration, "name")).flatten();
            owner.extend(table.or_else(|| super::argument(before, "name")).map(compact));
            Some((vec!["aud".to_owned(), "audit".to_owned()], owner))
        }
        "@GeneratedValue" => Some((vec!["seq".to_owned()], forms(owner()?))),
        _ => {
            let mut names = forms(property);
            // What it holds: `Set<Plan>`, `targetEntity: Plan::class`, `() => Plan`.
            for opening in ["<", "targetEntity", "=>"] {
                let Some(held) = declaration.split(opening).nth(1) else { continue };
                let class = held.trim_start_matches(|letter: char| !letter.is_alphanumeric());
                names.extend(forms(word(
                    class.rsplit('\\').next().filter(|_| class.contains("::")).unwrap_or(class),
                )));
            }
            Some((names, forms(owner()?)))
        }
    }
}

/// Prisma: two models with a list of each other keep it in `_AToB`, or `_Name` of the relation.
fn lists(text: &str) -> Vec<Join> {
    let mut found: Vec<(&str, &str, Option<&str>, u32)> = vec![];
    let mut model = None;
    for (line, number) in text.lines().zip(1_u32..) {
        let code = line.trim();
        if let Some(rest) = code.strip_prefix("model ").filter(|rest| rest.ends_with('{')) {
            model = Some(word(rest));
        } else if code == "}" {
            model = None;
        } else if let Some(model) = model {
            let held = code.split_whitespace().nth(1).and_then(|ty| ty.strip_suffix("[]"));
            let relation = code.split_once("@relation(").map(|(_, rest)| rest);
            if let Some(held) = held.filter(|held| held.starts_with(char::is_uppercase)) {
                let name = relation
                    .filter(|rest| rest.trim_start().starts_with('"') || rest.starts_with("name"))
                    .and_then(super::literal);
                found.push((model, held, name, number));
            }
        }
    }
    let back = |one: &(&str, &str, Option<&str>, u32)| {
        found.iter().any(|other| other.0 == one.1 && other.1 == one.0 && other.2 == one.2 && other.3 != one.3)
    };
    found
        .iter()
        .filter(|one| back(one))
        .map(|(one, other, name, line)| {
            let (first, second) = if one <= other { (one, other) } else { (other, one) };
            let whole = name.map_or_else(|| format!("{first}To{second}"), str::to_owned);
            Join {
                names: vec![],
                owner: vec![],
                whole: Some(compact(&whole)),
                shown: (*one).to_owned(),
                line: *line,
                text: clean(
                    text.lines().nth(usize::try_from(*line).unwrap_or(1).saturating_sub(1)).unwrap_or_default(),
                ),
            }
        })
        .collect()
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
            ("class Guest {\n  @ManyToMany\n  private Set<Plan> plans;\n}", "guests_plans", true),
            ("class Guest {\n  @ManyToMany\n  private Set<Plan> plans;\n}", "guest_stay", false),
            ("class Guest {\n  @ManyToMany(mappedBy = \"g\")\n  private Set<Plan> plans;\n}", "guest_plan", false),
            (
                "class Guest {\n  @ManyToMany(() => Plan)\n  @JoinTable()\n  plans: Plan[];\n}",
                "guest_plans_plan",
                true,
            ),
            (
                "class Guest {\n  #[ORM\\ManyToMany(targetEntity: Plan::class)]\n  private Collection $p;\n}",
                "guest_plan",
                true,
            ),
            ("class Guest {\n  @ElementCollection\n  private Set<String> names;\n}", "guest_names", true),
            (
                "class Guest {\n  @ElementCollection(fetch = FetchType.EAGER)\n  private Set<String> names = new HashSet<>();\n}",
                "guest_names",
                true,
            ),
            ("@Entity\n@Audited\n@Table(name = \"guests\")\nclass Guest {", "guests_aud", true),
            ("@Entity\nclass Guest {", "guests_aud", false),
            (
                "class Guest {\n  @GeneratedValue(strategy = GenerationType.SEQUENCE)\n  Long id;\n}",
                "guest_seq",
                true,
            ),
            (
                "class Guest {\n  @GeneratedValue(strategy = GenerationType.IDENTITY)\n  Long id;\n}",
                "guest_seq",
                false,
            ),
            ("model A {\n  bs B[]\n}\nmodel B {\n  as A[]\n}\n", "_AToB", true),
            ("model A {\n  bs B[]\n}\nmodel B {\n  a A\n}\n", "_AToB", false),
            ("model A {\n  bs B[] @relation(\"X\")\n}\nmodel B {\n  as A[] @relation(\"X\")\n}\n", "_X", true),
        ] {
            let made = read(text).iter().any(|join| join.makes(&TableName::new(table)));
            assert_eq!(made, expected, "{text} {table}");
        }
    }
}
