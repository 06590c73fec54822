//! Plays a scenario on a stage and writes the transcript. Nothing here knows which world it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::DateTime;
use towpath::config::Config;
use towpath::engine::command::{Person, Refusal, Reply};
use towpath::engine::{Fault, Side, Ticked};
use towpath::store::Moves;
use towpath::views::compare::lines;
use towpath_core::command::{Command, CommitWord, state_word};
use towpath_core::compare::{Compared, compare};
use towpath_core::explain::Words;
use towpath_core::model::{
    Check, CiState, CommitId, Decision, EnvName, EventRow, Flow, Instant, IntentState, Ledger, Now, Reason, Span,
    Trusted, Ways,
};
use towpath_core::people::{Identity, Surface};

use crate::support::book::Deed;
use crate::support::gate::{GateBook, Says};

use super::parse::{Counted, Expectation, FaultKind, GateSays, Line, Script, Step};

/// Monday 23 March 2026, 09:00 in Warsaw: six days before the clock changes.
pub const START: Instant = Instant(1_774_252_800_000);

/// What stands for the repository in the config that a stage is given.
pub const REPOSITORY: &str = "/scenario/shop";

/// What stands for the forge in it.
pub const FORGE: &str = "https://forge.test/scenario";

/// What stands for the server of `http` gates.
pub const GATE: &str = "https://gate.test";

/// How a config begins whose repository is on no forge.
pub const PLAIN: &str = "[[flow]]\nrepository = \"/scenario/shop\"\n";

/// How one begins whose repository is on a forge.
pub const HOSTED: &str = "[forge.hub]\nkind = \"gitea\"\nurl = \"https://forge.test/scenario\"\n\n\
                          [[flow]]\nrepository = \"hub:shop.git\"\n";

/// A commit to be made.
pub struct Made {
    pub label: String,
    pub parents: Vec<CommitId>,
    /// The changes that it has.
    pub files: BTreeSet<String>,
    /// Its files and their texts: one for each change, named and filled with the change's letter, unless the
    /// scenario says what the change writes.
    pub tree: BTreeMap<String, String>,
    /// `NAME <NAME@example.com>`
    pub author: String,
    /// What the tree has that the first parent's has not.
    pub change: BTreeSet<String>,
}

/// What truly happened, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Branches that Towpath moved, as the server saw it.
    pub moves: usize,
    /// Effect rows in the store.
    pub effects: usize,
    /// Messages that arrived.
    pub messages: usize,
    /// Questions that the server of the `http` gates answered.
    pub asked: usize,
}

/// A world that a scenario can be played in. Whatever fails that is not part of the play panics.
pub trait Stage: Sized {
    /// A fresh world at that instant: no commits, an empty store. `toml` names the repository as
    /// [`REPOSITORY`]; a stage puts in its own. `ways` is how the forge of a flow with requests merges.
    fn begin(toml: &str, start: Instant, ways: Ways) -> Result<Self, String>;
    /// Another config from here on.
    fn configure(&mut self, toml: &str) -> Result<(), String>;
    fn config(&self) -> &Config;

    // The repository, by other people's hands.
    fn commit(&mut self, made: &Made) -> CommitId;
    fn set_branch(&mut self, branch: &str, to: Option<CommitId>);
    fn tip(&self, branch: &str) -> Option<CommitId>;

    /// What a person does to the newest request into a branch.
    fn on_request(&mut self, base: &str, deed: Deed, by: &str) -> Result<(), String>;

    /// What the server of the `http` gates says from here on.
    fn gates(&mut self, change: impl FnOnce(&mut GateBook));

    /// A result of CI that the forge tells; if it cannot, it is reported by command.
    fn checked(&mut self, _commit: CommitId, _check: &str, _state: CiState, _on: Option<&str>) -> bool {
        false
    }

    // Time, faults, processes. An error is a verb that this world lacks.
    fn advance(&mut self, by: Span);
    fn jump(&mut self, ms: i64);
    fn reboot(&mut self) -> Result<(), String>;
    /// Ends the process of that replica, if it runs, and starts it again.
    fn restart(&mut self, replica: usize) -> Result<(), String>;
    /// Pushes are counted for the faults of pushes, ticks for the others.
    fn fault(&mut self, kind: FaultKind, count: u32) -> Result<(), String>;
    fn crash(&mut self, side: Side, effect: &str) -> Result<(), String>;

    // The engine. Replicas count from 1; several in one call tick at the same time.
    fn tick(&mut self, replicas: &[usize]) -> Vec<Result<Ticked, Fault>>;
    fn order(&mut self, replica: usize, command: &Command, who: &Person) -> Result<Reply, Refusal>;

    // What is so now.
    fn ledger(&mut self) -> Ledger;
    /// Everything in the history, oldest first.
    fn events(&mut self) -> Vec<EventRow>;
    /// The moves since then that `compare` tells of.
    fn moves_since(&mut self, since: Instant) -> Moves;
    fn counts(&mut self) -> Counts;
    /// What only this world can find wrong.
    fn violations(&mut self) -> Vec<String>;
    /// Puts what only this world says (a path, a server's words) in the words of all worlds.
    fn plain(&self, text: String) -> String {
        text
    }
}

/// Plays a scenario to its end and answers the transcript.
///
/// # Panics
/// With file, line, what was expected, what is, and the transcript so far.
pub fn play<S: Stage>(script: &Script, ways: Ways) -> String {
    let mut toml = Toml::default();
    let mut lines = script.lines.iter().peekable();
    while let Some(Line { step: Step::Flow(text), .. }) = lines.peek() {
        toml.line(text);
        lines.next();
    }
    let stage = S::begin(&toml.text(), START, ways)
        .unwrap_or_else(|why| panic!("{}.scn: the config: {why}\n{}", script.name, toml.text()));
    let mut play = Play {
        stage,
        ways,
        toml,
        commits: Vec::new(),
        files: BTreeMap::new(),
        writes: BTreeMap::new(),
        names: BTreeMap::new(),
        wall: START,
        passed: Span::ZERO,
        replica: 1,
        told: 0,
        may_fail: false,
        out: String::new(),
    };
    for line in lines {
        if let Err(why) = play.step(line) {
            let Play { out, .. } = &play;
            panic!("\n{}.scn:{}: {}\n    {why}\n\nso far:\n{out}", script.name, line.number, line.text);
        }
    }
    let wrong = play.stage.violations();
    assert!(wrong.is_empty(), "{}.scn: {wrong:#?}\n\n{}", script.name, play.out);
    play.out
}

struct Play<S> {
    stage: S,
    ways: Ways,
    toml: Toml,
    /// Letters and ids, in the order in which they were made.
    commits: Vec<(String, CommitId)>,
    files: BTreeMap<CommitId, BTreeSet<String>>,
    /// What a change writes, by its letter.
    writes: BTreeMap<String, BTreeMap<String, String>>,
    /// Ids of orders and intents, as they are called in the transcript.
    names: BTreeMap<String, String>,
    wall: Instant,
    passed: Span,
    replica: usize,
    /// How many events are in the transcript.
    told: usize,
    /// The file has asked for a crash or a failing store, so ticks and orders may fail.
    may_fail: bool,
    out: String,
}

impl<S: Stage> Play<S> {
    fn step(&mut self, line: &Line) -> Result<(), String> {
        let silent = matches!(line.step, Step::Expect(_) | Step::Says { .. });
        if !silent {
            let at = matches!(line.step, Step::Tick(_) | Step::TickBoth).then(|| format!("   ({})", self.clock()));
            let _ = writeln!(self.out, "> {}{}", line.text, at.unwrap_or_default());
        }
        match &line.step {
            Step::Flow(text) => {
                self.toml.line(text);
                self.stage.configure(&self.toml.text())
            }
            Step::Start(root) => self.start(root),
            Step::File { .. }
            | Step::Commit { .. }
            | Step::Merge { .. }
            | Step::Pick { .. }
            | Step::Squash { .. }
            | Step::Orphan { .. } => self.history(&line.step),
            Step::Set { branch, to } => {
                let to = self.id(to)?;
                self.stage.set_branch(branch, Some(to));
                Ok(())
            }
            Step::Delete { branch } => {
                self.stage.set_branch(branch, None);
                Ok(())
            }
            Step::Ci { commit, check, state, on } => {
                let id = self.id(commit)?;
                if self.stage.checked(id, check, *state, on.as_deref()) {
                    return Ok(());
                }
                let on = on.as_ref().map_or_else(String::new, |on| format!(" --ref {on}"));
                let text = format!("report shop {commit} {check} {}{on}", state_word(*state));
                self.order("ci", &text).map(|_| ()).map_err(|refusal| refusal.to_string())
            }
            Step::OnRequest { env, deed, by } => {
                let base = self.branch_of(env)?;
                self.stage.on_request(&base, *deed, by)?;
                self.name_merges();
                Ok(())
            }
            Step::Order { by, text, refused } => self.ordered(by, text, *refused),
            Step::Tick(times) => (0..*times).try_for_each(|_| self.tick(&[self.replica])),
            Step::TickBoth => self.tick(&[1, 2]),
            Step::Expect(expected) => expected.iter().try_for_each(|expected| self.expect(expected)),
            Step::Says { env, text } => {
                let said = self.explanation(env)?;
                if said.contains(text) {
                    Ok(())
                } else {
                    Err(format!("`{env}` does not say that; it says:\n{said}"))
                }
            }
            Step::Explain { env } => {
                let said = self.explanation(env)?;
                self.indented(&said);
                Ok(())
            }
            Step::Compare => {
                let said = self.comparison();
                self.indented(&said);
                Ok(())
            }
            _ => self.disturb(&line.step),
        }
    }

    /// What `compare shop --since 7d` would print now.
    fn comparison(&mut self) -> String {
        let (within, since) = (Span::from_mins(10), Instant(self.wall.0 - Span::from_mins(7 * 24 * 60).ms()));
        let (ledger, moves) = (self.stage.ledger(), self.stage.moves_since(since));
        let flow = self.flow().clone();
        let now = Now { wall: self.wall, trusted: Trusted(self.passed.ms()) };
        let (hands, own) = (&moves.by_hand[..], &moves.own[..]);
        let compared = compare(&Compared { flow: &flow, ledger: &ledger, hands, own, since, within, now });
        let laid = |line: towpath::views::Line| {
            let sign = line.mark.map_or_else(String::new, |mark| format!("{} ", mark.sign()));
            format!("{:indent$}{sign}{}", "", line.text, indent = line.indent)
        };
        self.words(|words| lines(&words.comparison(&compared)).into_iter().map(laid).collect::<Vec<_>>().join("\n"))
    }

    /// Time, faults, processes, and the server of the `http` gates.
    fn disturb(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Gate { says, commit } => {
                let commit = self.id(commit)?;
                let wall = self.wall;
                let says: Vec<Says> = says.iter().map(|says| answer(*says, wall)).collect();
                self.stage.gates(|book| book.say(commit, &says));
                Ok(())
            }
            Step::GateGone(gone) => {
                self.stage.gates(|book| book.gone = *gone);
                Ok(())
            }
            Step::Advance(by) => {
                self.stage.advance(*by);
                self.wall = self.wall + *by;
                self.passed = Span::from_ms(self.passed.ms() + by.ms());
                Ok(())
            }
            Step::Jump(ms) => {
                self.stage.jump(*ms);
                self.wall = Instant(self.wall.0 + ms);
                Ok(())
            }
            Step::Reboot => self.stage.reboot(),
            Step::Restart => self.stage.restart(self.replica),
            Step::Replica(number) => {
                self.replica = *number;
                Ok(())
            }
            Step::Fault { kind, count } => {
                self.may_fail |= *kind == FaultKind::DiskFull;
                self.stage.fault(*kind, *count)
            }
            Step::Crash { side, effect } => {
                self.may_fail = true;
                self.stage.crash(*side, effect)
            }
            _ => Err("this is not of time, faults or processes".to_owned()),
        }
    }

    /// Weekday and time in the flow's zone, and how much time has truly passed.
    fn clock(&self) -> String {
        let local = DateTime::from_timestamp_millis(self.wall.0).map(|utc| utc.with_timezone(&self.flow().zone));
        let passed =
            if self.passed == Span::ZERO { "start".to_owned() } else { format!("start + {}", self.passed) };
        local.map_or_else(String::new, |local| format!("{}, {passed}", local.format("%a %H:%M %Z")))
    }

    fn flow(&self) -> &Flow {
        &self.stage.config().flows[0].flow
    }

    fn branches(&self) -> Vec<String> {
        self.flow().environments.iter().map(|e| e.branch.as_str().to_owned()).collect()
    }

    fn branch_of(&self, env: &str) -> Result<String, String> {
        let found = self.flow().environment(&EnvName::new(env));
        found.map(|e| e.branch.as_str().to_owned()).ok_or_else(|| format!("there is no environment `{env}`"))
    }

    fn id(&self, label: &str) -> Result<CommitId, String> {
        let found = self.commits.iter().find(|(known, _)| known == label);
        found.map(|(_, id)| *id).ok_or_else(|| format!("no commit is called `{label}`"))
    }

    fn label(&self, id: CommitId) -> String {
        let found = self.commits.iter().find(|(_, known)| *known == id);
        found.map_or_else(|| id.to_string(), |(label, _)| label.clone())
    }

    fn tip(&self, branch: &str) -> Result<CommitId, String> {
        self.stage.tip(branch).ok_or_else(|| format!("there is no branch `{branch}`"))
    }

    fn make(
        &mut self,
        label: &str,
        parents: Vec<CommitId>,
        files: BTreeSet<String>,
        by: &str,
    ) -> Result<CommitId, String> {
        if self.id(label).is_ok() {
            return Err(format!("`{label}` is made already"));
        }
        let before = parents.first().and_then(|parent| self.files.get(parent)).cloned().unwrap_or_default();
        let change = files.difference(&before).cloned().collect();
        let (files_of, author) = (files.clone(), by.to_owned());
        let tree = self.tree(&files);
        let made = Made { label: label.to_owned(), parents, files: files_of, tree, author, change };
        let id = self.stage.commit(&made);
        self.commits.push((label.to_owned(), id));
        self.files.insert(id, files);
        Ok(id)
    }

    fn start(&mut self, root: &str) -> Result<(), String> {
        let id = self.make(root, Vec::new(), BTreeSet::from([root.to_owned()]), "ana")?;
        for branch in self.branches() {
            self.stage.set_branch(&branch, Some(id));
        }
        Ok(())
    }

    /// What changes write, one after the other in the order of their letters.
    fn tree(&self, changes: &BTreeSet<String>) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        for change in changes {
            match self.writes.get(change) {
                Some(files) => tree.extend(files.clone()),
                None => drop(tree.insert(change.clone(), change.clone())),
            }
        }
        tree
    }

    /// A commit that puts its changes on top of one parent.
    fn on_top(&mut self, label: &str, parent: CommitId, changes: &[String], by: &str) -> Result<CommitId, String> {
        let mut files = self.files[&parent].clone();
        files.extend(changes.iter().cloned());
        self.make(label, vec![parent], files, by)
    }

    fn history(&mut self, step: &Step) -> Result<(), String> {
        if let Step::File { label, path, text } = step {
            self.writes.entry(label.clone()).or_default().insert(path.clone(), text.clone());
            return Ok(());
        }
        let (branch, tip) = match step {
            Step::Commit { labels, branch, by } => {
                let mut tip = self.tip(branch)?;
                for label in labels {
                    tip = self.on_top(label, tip, std::slice::from_ref(label), by)?;
                }
                (branch, tip)
            }
            Step::Merge { label, sides, branch, by } => {
                let first = self.tip(branch)?;
                let mut side = first;
                for letter in sides {
                    side = match self.id(letter) {
                        Ok(known) => known,
                        Err(_) => self.on_top(letter, side, std::slice::from_ref(letter), by)?,
                    };
                }
                let files = self.files[&first].union(&self.files[&side]).cloned().collect();
                (branch, self.make(label, vec![first, side], files, by)?)
            }
            Step::Pick { of, label, branch } => {
                self.id(of)?;
                let tip = self.tip(branch)?;
                (branch, self.on_top(label, tip, std::slice::from_ref(of), "ana")?)
            }
            Step::Squash { label, of, branch } => {
                let tip = self.tip(branch)?;
                (branch, self.on_top(label, tip, of, "ana")?)
            }
            Step::Orphan { label, branch } => {
                (branch, self.make(label, Vec::new(), BTreeSet::from([label.clone()]), "ana")?)
            }
            _ => return Err("this makes no commits".to_owned()),
        };
        self.stage.set_branch(branch, Some(tip));
        Ok(())
    }

    /// Commits that a forge has made are called M1, M2, … in the order in which they are seen.
    fn name_merges(&mut self) {
        for branch in self.branches() {
            let Some(tip) = self.stage.tip(&branch) else { continue };
            if self.commits.iter().all(|(_, known)| *known != tip) {
                let made = self.commits.iter().filter(|(label, _)| label.starts_with('M')).count();
                self.commits.push((format!("M{}", made + 1), tip));
                self.files.insert(tip, BTreeSet::new());
            }
        }
    }

    fn order(&mut self, by: &str, text: &str) -> Result<Reply, Refusal> {
        let commits = self.commits.clone();
        let letter = move |word: &str| {
            let found = commits.iter().find(|(label, _)| label == word);
            found.map_or_else(|| CommitWord::prefix(word), |(_, id)| CommitWord::prefix(&id.to_string()))
        };
        let command = Command::parse_with(text, &letter)?;
        let identity = Identity::Os { user: by.to_owned(), host: "desk".to_owned() };
        let email = Some(format!("{by}@example.com"));
        let who = Person { email, ..Person::new(identity, Surface::Cli) };
        self.stage.order(self.replica, &command, &who)
    }

    fn ordered(&mut self, by: &str, text: &str, refused: bool) -> Result<(), String> {
        match self.order(by, text) {
            Ok(_) if refused => Err("it was not refused".to_owned()),
            Ok(reply) => {
                for line in reply.lines {
                    let line = self.shown(line);
                    self.indented(&line);
                }
                self.tell_events();
                Ok(())
            }
            Err(Refusal::Fault(fault)) if self.may_fail => {
                let line = format!("failed: {}", fault_word(&fault));
                self.indented(&line);
                Ok(())
            }
            Err(refusal) => {
                let why = self.shown(refusal.to_string());
                if !refused {
                    return Err(format!("it was refused: {why}"));
                }
                self.indented(&format!("refused: {why}"));
                Ok(())
            }
        }
    }

    fn tick(&mut self, replicas: &[usize]) -> Result<(), String> {
        let ends = self.stage.tick(replicas);
        self.name_merges();
        let mut leased = 0;
        for end in ends {
            match end {
                Ok(Ticked::Leased) => leased += 1,
                Ok(Ticked::Done(pass)) => {
                    for acted in pass.acted {
                        let (row, again) = (&acted.row, if acted.recovered { " (found again)" } else { "" });
                        let words = row.words.as_ref().filter(|_| row.state == IntentState::Refused);
                        let words = words.map_or_else(String::new, |words| format!(": {words}"));
                        let (old, new) = (self.label(row.old), self.label(row.new));
                        let state = row.state.word();
                        let line = format!("{} {old} -> {new}: {state}{again}{words}", row.env);
                        let line = self.shown(line);
                        self.indented(&line);
                    }
                }
                Err(fault) if self.may_fail => self.indented(&format!("failed: {}", fault_word(&fault))),
                Err(fault) => return Err(format!("the tick failed: {fault}")),
            }
        }
        if leased == replicas.len() {
            self.indented("another process has the flow");
        }
        self.tell_events();
        self.tell_environments();
        Ok(())
    }

    fn tell_events(&mut self) {
        let events = self.stage.events();
        for row in &events[self.told.min(events.len())..] {
            let said = self.words(|words| words.event(&row.env, &row.event));
            self.indented(&format!("* {}", said.replace('\n', "\n  ")));
        }
        self.told = events.len();
    }

    fn tell_environments(&mut self) {
        let decisions = self.stage.ledger().decisions;
        for environment in self.flow().environments.clone() {
            let tip = self.stage.tip(environment.branch.as_str());
            let at = tip.map_or_else(|| "gone".to_owned(), |tip| self.label(tip));
            let said = match decisions.get(&environment.name) {
                Some(row) => self.words(|words| words.headline(&row.decision)),
                None => environment.name.to_string(),
            };
            self.indented(&format!("[{at}] {said}"));
        }
    }

    fn words(&mut self, tell: impl FnOnce(&Words<'_>) -> String) -> String {
        let flow = self.flow().clone();
        let said =
            tell(&Words { zone: flow.zone, now: self.wall, flow: &flow, remote_word: "origin", lasting: false });
        self.shown(said)
    }

    fn explanation(&mut self, env: &str) -> Result<String, String> {
        let decision = self.decision(env)?;
        Ok(self.words(|words| words.explain(&decision).to_string()))
    }

    fn decision(&mut self, env: &str) -> Result<Decision, String> {
        let row = self.stage.ledger().decisions.remove(&EnvName::new(env));
        row.map(|row| row.decision).ok_or_else(|| format!("nothing was decided for `{env}`"))
    }

    fn expect(&mut self, expected: &Expectation) -> Result<(), String> {
        let (wanted, is) = match expected {
            Expectation::At { env, labels } => {
                let label = expected_of(self.ways, labels);
                let branch = self.branch_of(env)?;
                let tip = self.stage.tip(&branch).map(|tip| self.label(tip));
                if let Some(label) = label {
                    self.id(label)?;
                }
                let word = |label: Option<&String>| format!("{env}={}", label.map_or("gone", String::as_str));
                (word(label), word(tip.as_ref()))
            }
            Expectation::Verdict { env, word, check } => {
                let decision = self.decision(env)?;
                let is = decision.verdict.word();
                match check {
                    Some(check) => (format!("{env}={word}:{check}"), format!("{env}={is}:{}", failing(&decision))),
                    None => (format!("{env}={word}"), format!("{env}={is}")),
                }
            }
            Expectation::Count { what, count } => {
                let counts = self.stage.counts();
                let standing = self.stage.ledger().standing;
                let is = match what {
                    Counted::Moves => counts.moves,
                    Counted::Effects => counts.effects,
                    Counted::Messages => counts.messages,
                    Counted::Asked => counts.asked,
                    Counted::Holds => standing.holds.len(),
                    Counted::Pauses => standing.pauses.iter().filter(|p| !p.until.is_over(self.wall)).count(),
                };
                (format!("{what:?} {count}"), format!("{what:?} {is}"))
            }
        };
        if wanted == is { Ok(()) } else { Err(format!("expected {wanted}; it is {is}")) }
    }

    fn indented(&mut self, text: &str) {
        for line in text.lines() {
            let line = format!("    {line}");
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
    }

    /// A text of this world as all worlds say it: letters for commits, numbers for orders.
    fn shown(&mut self, text: String) -> String {
        let text = self.stage.plain(text);
        let mut out = String::new();
        let mut word = String::new();
        for c in text.chars().chain(['\0']) {
            if c.is_ascii_alphanumeric() || c == '-' {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                out.push_str(&self.shown_word(&word));
                word.clear();
            }
            if c != '\0' {
                out.push(c);
            }
        }
        out
    }

    fn shown_word(&mut self, word: &str) -> String {
        let commit = self.commits.iter().find(|(_, id)| id.to_string() == word || id.short() == word);
        if let Some((label, _)) = commit {
            return label.clone();
        }
        let hex = |part: &str, least: usize| part.len() >= least && part.bytes().all(|b| b.is_ascii_hexdigit());
        let kind = match word.split_once('-') {
            Some((kind, rest)) if KINDS.contains(&kind) && rest.split('-').any(|part| hex(part, 8)) => kind,
            _ if word.len() == 24 && hex(word, 24) => "intent",
            _ => return word.to_owned(),
        };
        let number = self.names.values().filter(|name| name.starts_with(kind)).count() + 1;
        self.names.entry(word.to_owned()).or_insert_with(|| format!("{kind}-{number}")).clone()
    }
}

/// What ids of orders begin with.
const KINDS: [&str; 9] =
    ["pause", "freeze", "hold", "rollback", "rewind", "promote", "override", "approval", "command"];

/// What is ordered for so long ends then.
fn answer(says: GateSays, wall: Instant) -> Says {
    match says {
        GateSays::Pass => Says::Pass,
        GateSays::Wait(span) => Says::Wait { until: span.map(|span| wall + span) },
        GateSays::Block => Says::Block,
        GateSays::Broken => Says::Broken,
        GateSays::Odd => Says::Odd,
    }
}

/// The check that a verdict comes from, or what the edge itself says.
fn failing(decision: &Decision) -> String {
    match decision.verdict.why() {
        Reason::UpToDate => return "up-to-date".to_owned(),
        Reason::Ready => return "ready".to_owned(),
        _ => {}
    }
    let Some(lead) = &decision.lead else {
        let word = match decision.verdict.why() {
            Reason::Diverged { .. } => "diverged",
            Reason::SourceAbsent { .. } => "source-absent",
            Reason::TargetAbsent { .. } => "target-absent",
            Reason::Unknown(_) => "unknown",
            _ => Check::Branches.key(),
        };
        return word.to_owned();
    };
    // The first of the worst, as the verdict itself is chosen.
    let worst = lead.judged.iter().rev().max_by_key(|j| j.verdict.distance());
    worst.map_or_else(|| "none".to_owned(), |judged| judged.check.key().to_owned())
}

/// Of up to three places: where the forge merges with merge commits; where it can fast-forward, too; where it
/// can do nothing else. The last one stands for those that are not written.
fn expected_of(ways: Ways, labels: &[Option<String>]) -> Option<&String> {
    let at = match (ways.fast_forward, ways.merge_commit) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) => 2,
    };
    labels[at.min(labels.len() - 1)].as_ref()
}

/// Stores have words of their own for the same fault.
fn fault_word(fault: &Fault) -> &'static str {
    match fault {
        Fault::TakenOver => "another process took over",
        Fault::Conflict => "recorded already",
        Fault::Store { .. } => "the store takes nothing",
        Fault::Crashed => "crashed",
    }
}

/// `flow` lines as the config they stand for.
#[derive(Debug, Default, Clone)]
struct Toml {
    keys: Vec<(String, String)>,
    environments: Vec<(String, Vec<(String, String)>)>,
}

impl Toml {
    /// `NAME…` declares environments, `NAME key = value` sets a key of one, `key = value` one of the
    /// flow. The newest value of a key counts.
    fn line(&mut self, text: &str) {
        let (left, value) = match text.split_once('=') {
            Some((left, value)) => (left, Some(value.trim().to_owned())),
            None => (text, None),
        };
        let words: Vec<&str> = left.split_whitespace().collect();
        let keys = match (value.as_ref(), &words[..]) {
            (None, names) => {
                for name in names {
                    self.environment(name);
                }
                return;
            }
            (Some(_), [_]) => &mut self.keys,
            (Some(_), [env, ..]) => self.environment(env),
            (Some(_), []) => return,
        };
        let (key, value) = (words[words.len() - 1].to_owned(), value.unwrap_or_default());
        keys.retain(|(known, _)| known != &key);
        keys.push((key, value));
    }

    fn environment(&mut self, name: &str) -> &mut Vec<(String, String)> {
        let at = match self.environments.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None => {
                self.environments.push((name.to_owned(), Vec::new()));
                self.environments.len() - 1
            }
        };
        &mut self.environments[at].1
    }

    fn text(&self) -> String {
        let by_request = |(_, keys): &(String, Vec<(String, String)>)| keys.iter().any(|(key, _)| key == "via");
        let place = if self.environments.iter().any(by_request) { HOSTED } else { PLAIN };
        let mut text = format!("{place}name = \"shop\"\n");
        if !self.keys.iter().any(|(key, _)| key == "zone") {
            text.push_str("zone = \"Europe/Warsaw\"\n");
        }
        for (key, value) in &self.keys {
            let _ = writeln!(text, "{key} = {value}");
        }
        for (name, keys) in &self.environments {
            let _ = writeln!(text, "\n[[flow.environment]]\nname = \"{name}\"");
            for (key, value) in keys {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        text
    }
}
