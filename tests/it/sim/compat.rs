//! Facts of the migration gate in the simulated world: the same reading of the same files, without git and
//! without a process of its own.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use git2::{ObjectType, Oid};
use towpath::migrations::{ACCEPTED_PATH, Accepted, said};
use towpath_compat::check::{Question, Running, Settings, check_with};
use towpath_compat::sql::Dialect;
use towpath_compat::tree::{ContentId, Entry, NoContent, Tree};
use towpath_core::model::{
    CommitId, CompatKey, CompatSaid, Fact, Flow, Gate, GateKind, Instant, MigrationsGate, Tip,
};
use towpath_core::see::Tips;

use super::made;
use super::universe::{Repository, Universe};

pub fn answer(
    universe: &Universe,
    flow: &Flow,
    tips: &Tips,
    keys: &BTreeSet<CompatKey>,
) -> BTreeMap<CompatKey, Fact<CompatSaid>> {
    let Repository { trees, memo, made, .. } = &universe.repositories[&flow.name];
    if universe.made.is_some() {
        let said = |key: &CompatKey| {
            let blind = made::planted(universe.plant, tips, key);
            if blind { CompatSaid::default() } else { made::said(made, key) }
        };
        return keys.iter().map(|key| (key.clone(), Fact::Known(said(key)))).collect();
    }
    let files = |commit: &CommitId| trees.get(commit).cloned().unwrap_or_default();
    let first = tips.get(&flow.environments[0].name).and_then(Tip::commit);
    let text = first.and_then(|commit| files(&commit).get(ACCEPTED_PATH).cloned()).unwrap_or_default();
    let accepted = Accepted::parse(&text);
    let now = Instant(universe.truth + universe.wall_offset);
    let one = |key: &CompatKey| {
        let Some(Gate::Migrations(gate)) =
            flow.environment(&key.env).and_then(|env| env.gate(GateKind::Migrations))
        else {
            panic!("{} has no gate on migrations", key.env);
        };
        let tree = |commit: &CommitId| Files::new(files(commit));
        let base: Vec<Files> = key.has.iter().map(tree).collect();
        let (head, running) = (tree(&key.brings), tree(&key.running));
        let question = Question {
            base: base.iter().map(|tree| tree as &dyn Tree).collect(),
            head: &head,
            running: vec![Running { name: key.running.short(), tree: &running }],
            settings: settings(gate),
        };
        (key.clone(), Fact::Known(said(check_with(&question, memo), &accepted, now)))
    };
    keys.iter().map(one).collect()
}

/// Files whose contents are named as git names them: an acceptance says such a name.
struct Files {
    entries: Vec<Entry>,
    texts: BTreeMap<String, String>,
}

impl Files {
    fn new(texts: BTreeMap<String, String>) -> Self {
        let blob = |text: &String| Oid::hash_object(ObjectType::Blob, text.as_bytes()).expect("a name");
        let entry = |(path, text): (&String, &String)| Entry {
            path: path.clone(),
            content: ContentId(blob(text).to_string()),
        };
        Self { entries: texts.iter().map(entry).collect(), texts }
    }
}

impl Tree for Files {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, NoContent> {
        self.texts.get(path).map(|text| Cow::Borrowed(text.as_bytes())).ok_or(NoContent::Absent)
    }
}

fn settings(gate: &MigrationsGate) -> Settings {
    assert_eq!(gate.schema, None, "a schema file is read in the real world only");
    Settings {
        framework: gate.framework.clone(),
        dialect: gate.dialect.as_deref().and_then(Dialect::of_word),
        paths: gate.paths.clone(),
        ..Settings::default()
    }
}
