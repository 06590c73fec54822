//! A labelled case: what is in its file, and the trees that it stands for.
//!
//! Not here: what is asked of a case ([`judgement`] asks the gate, [`engines`] ask a database).
//!
//! The format, one file per case:
//!
//! ```text
//! about: what is tempting to get wrong
//! verdict: compatible | needs_review | incompatible
//! accept: a second verdict that is tolerable (optional)
//! rule: the id of migrations.md 2 that decides
//! dialect: postgres | mysql | sqlite | mssql | oracle (optional)
//! framework: its id, where finding it is not the point (optional)
//! schema: a path of the base that is given as the schema (optional)
//! trap: yes | no
//! === base PATH          a file that the base has
//! === head PATH          a file that the head adds or replaces
//! === gone PATH          a file of the base that the head deletes
//! === running PATH       code at the running commit; base and head have it too
//! === client             what old code runs, for the engine's proof
//! === proof base         SQL for the proof in place of the base's files
//! === proof head         the same for the head's
//! === label              why it is labelled so
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use towpath_compat::Verdict;
use towpath_compat::sql::Dialect;
use towpath_compat::tree::MemoryTree;

/// Whether people may look at a case while they mend what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// They may.
    Tune,
    /// Only figures are shown.
    Kept,
}

/// One case.
#[derive(Debug)]
pub struct Case {
    /// Which part it is in.
    pub part: Part,
    /// The directory that it lies in.
    pub family: String,
    /// The file's name without its ending.
    pub name: String,
    /// The label.
    pub verdict: Verdict,
    /// Other verdicts that are tolerable.
    pub accept: Vec<Verdict>,
    /// The rule that decides.
    pub rule: String,
    /// The dialect, where it is given.
    pub dialect: Option<Dialect>,
    /// The framework, where it is given.
    pub framework: Option<String>,
    /// A path whose text is given as the schema.
    pub schema: Option<String>,
    /// Whether something about it misleads.
    pub trap: bool,
    /// What is tempting to get wrong.
    pub about: String,
    sections: Vec<Section>,
}

/// A part of a case's file.
#[derive(Debug)]
struct Section {
    kind: Kind,
    path: String,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Base,
    Head,
    Gone,
    Running,
    Client,
    ProofBase,
    ProofHead,
    Label,
}

impl Case {
    /// `family/name`, which is unique.
    pub fn id(&self) -> String {
        format!("{}/{}", self.family, self.name)
    }

    /// Whether this verdict is the label or tolerable.
    pub fn allows(&self, verdict: Verdict) -> bool {
        self.verdict == verdict || self.accept.contains(&verdict)
    }

    /// The tree whose migrations the database has.
    pub fn base(&self) -> MemoryTree {
        MemoryTree::new(self.files(&[Kind::Base]))
    }

    /// The tree that runs: the base with the application's code.
    pub fn running(&self) -> MemoryTree {
        MemoryTree::new(self.files(&[Kind::Base, Kind::Running]))
    }

    /// The tree that would be applied.
    pub fn head(&self) -> MemoryTree {
        let mut files: BTreeMap<String, String> = self.files(&[Kind::Base, Kind::Running]).into_iter().collect();
        files.extend(self.files(&[Kind::Head]));
        for section in self.sections.iter().filter(|section| section.kind == Kind::Gone) {
            files.remove(&section.path);
        }
        MemoryTree::new(files)
    }

    /// The text that is given as the schema, with its path.
    pub fn schema_text(&self) -> Option<(String, String)> {
        let path = self.schema.as_deref()?;
        let text = self.files(&[Kind::Base]).into_iter().find(|(at, _)| at == path)?.1;
        Some((path.to_owned(), text))
    }

    /// What an engine applies to make the base, piece by piece.
    pub fn base_sql(&self) -> Vec<String> {
        self.sql(Kind::ProofBase, Kind::Base)
    }

    /// What an engine applies to make the head of the base.
    pub fn head_sql(&self) -> Vec<String> {
        self.sql(Kind::ProofHead, Kind::Head)
    }

    /// What old code runs; `None`: nothing can be proven here.
    pub fn client(&self) -> Option<&str> {
        self.sections.iter().find(|section| section.kind == Kind::Client).map(|section| section.text.as_str())
    }

    fn files(&self, kinds: &[Kind]) -> Vec<(String, String)> {
        self.sections
            .iter()
            .filter(|section| kinds.contains(&section.kind))
            .map(|section| (section.path.clone(), section.text.clone()))
            .collect()
    }

    /// The proof's own text if any is given, else the files of SQL that are not down parts, in the
    /// order in which the case has them.
    fn sql(&self, proof: Kind, files: Kind) -> Vec<String> {
        let proven = |section: &&Section| matches!(section.kind, Kind::ProofBase | Kind::ProofHead);
        if self.sections.iter().any(|section| proven(&section)) {
            return self.files(&[proof]).into_iter().map(|(_, text)| text).collect();
        }
        let base: Vec<String> = self.files(&[Kind::Base]).into_iter().map(|(path, _)| path).collect();
        self.files(&[files])
            .into_iter()
            .filter(|(path, _)| files == Kind::Base || !base.contains(path))
            .filter(|(path, _)| path.ends_with(".sql") && !path.ends_with("down.sql"))
            .map(|(_, text)| text.trim_start_matches('\u{feff}').to_owned())
            .collect()
    }
}

/// Every case, ordered by part, family and name.
pub fn all() -> Vec<Case> {
    let mut cases = vec![];
    for (part, directory) in [(Part::Tune, "tune"), (Part::Kept, "kept")] {
        for family in children(&directory_of_cases().join(directory)) {
            for file in children(&family) {
                cases.push(read(part, &family, &file));
            }
        }
    }
    let mut ids: Vec<String> = cases.iter().map(Case::id).collect();
    ids.sort();
    if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        panic!("two cases are called {}", twice[0]);
    }
    cases
}

/// Where the cases are.
pub fn directory_of_cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn children(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.expect("an entry of the cases' directory").path())
        .collect();
    paths.sort();
    paths
}

fn read(part: Part, family: &Path, file: &Path) -> Case {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let name = |path: &Path| path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    parse(part, name(family), name(file), &text).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

fn parse(part: Part, family: String, name: String, text: &str) -> Result<Case, String> {
    let mut head: BTreeMap<&str, &str> = BTreeMap::new();
    let mut sections: Vec<Section> = vec![];
    // Not `lines()`: a case may have Windows line ends.
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if let Some(mark) = line.strip_prefix("=== ") {
            sections.push(section(mark)?);
        } else if let Some(section) = sections.last_mut() {
            section.text.push_str(line);
            section.text.push('\n');
        } else {
            let (key, value) = line.split_once(": ").ok_or_else(|| format!("no `key: value`: {line}"))?;
            head.insert(key, value.trim());
        }
    }
    if !sections.iter().any(|section| section.kind == Kind::Label) {
        return Err("no label section".to_owned());
    }
    let case = Case {
        part,
        family,
        name,
        verdict: verdict(head.remove("verdict").ok_or("no verdict")?)?,
        accept: head.remove("accept").map_or(Ok(vec![]), |words| words.split(", ").map(verdict).collect())?,
        rule: head.remove("rule").ok_or("no rule")?.to_owned(),
        dialect: match head.remove("dialect") {
            Some(word) => Some(Dialect::of_word(word).ok_or_else(|| format!("no dialect: {word}"))?),
            None => None,
        },
        framework: head.remove("framework").map(str::to_owned),
        schema: head.remove("schema").map(str::to_owned),
        trap: head.remove("trap").ok_or("no trap")? == "yes",
        about: head.remove("about").ok_or("no about")?.to_owned(),
        sections,
    };
    match head.keys().next() {
        Some(unknown) => Err(format!("what is `{unknown}`?")),
        None => Ok(case),
    }
}

fn section(mark: &str) -> Result<Section, String> {
    let (word, path) = mark.split_once(' ').unwrap_or((mark, ""));
    let kind = match (word, path) {
        ("base", _) => Kind::Base,
        ("head", _) => Kind::Head,
        ("gone", _) => Kind::Gone,
        ("running", _) => Kind::Running,
        ("client", _) => Kind::Client,
        ("proof", "base") => Kind::ProofBase,
        ("proof", "head") => Kind::ProofHead,
        ("label", _) => Kind::Label,
        _ => return Err(format!("no section: {mark}")),
    };
    let named = matches!(kind, Kind::Base | Kind::Head | Kind::Gone | Kind::Running);
    if named && path.is_empty() {
        return Err(format!("no path: {mark}"));
    }
    Ok(Section { kind, path: path.to_owned(), text: String::new() })
}

fn verdict(word: &str) -> Result<Verdict, String> {
    match word {
        "compatible" => Ok(Verdict::Compatible),
        "needs_review" => Ok(Verdict::NeedsReview),
        "incompatible" => Ok(Verdict::Incompatible),
        _ => Err(format!("no verdict: {word}")),
    }
}
