//! From the text of a scenario to its steps. Every mistake is named with its file and line.

use towpath::engine::Side;
use towpath_core::command::{Command, CommitWord, Verb};
use towpath_core::model::{CiState, Span};

use crate::support::book::{DEEDS, Deed};

/// A scenario as written.
pub struct Script {
    /// File name without its ending.
    pub name: String,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub number: usize,
    /// As written, without comment and blanks around.
    pub text: String,
    pub step: Step,
}

/// What a line says. Commits are letters, branches are names.
#[derive(Debug, Clone)]
pub enum Step {
    /// A line of config; judged by the config itself.
    Flow(String),
    /// The root commit, at which all branches of the flow begin.
    Start(String),
    /// A file that a commit's change writes, instead of one that is named by its letter.
    File {
        label: String,
        path: String,
        text: String,
    },
    /// Commits on top of a branch, pushed together.
    Commit {
        labels: Vec<String>,
        branch: String,
        by: String,
    },
    /// A merge into a branch; side commits that are new are made on top of it.
    Merge {
        label: String,
        sides: Vec<String>,
        branch: String,
        by: String,
    },
    /// The change of one commit once more, on another branch.
    Pick {
        of: String,
        label: String,
        branch: String,
    },
    /// The changes of several commits as one.
    Squash {
        label: String,
        of: Vec<String>,
        branch: String,
    },
    /// A first commit without parents, to which a branch is set.
    Orphan {
        label: String,
        branch: String,
    },
    /// Somebody sets a branch: forward, back, or to what was not there.
    Set {
        branch: String,
        to: String,
    },
    Delete {
        branch: String,
    },
    /// A CI result.
    Ci {
        commit: String,
        check: String,
        state: CiState,
        on: Option<String>,
    },
    /// What a person does to the newest request into an environment.
    OnRequest {
        env: String,
        deed: Deed,
        by: String,
    },
    /// What the server of the `http` gates says of a commit from here on: these answers one after
    /// the other, and the last for good.
    Gate {
        says: Vec<GateSays>,
        commit: String,
    },
    /// Whether that server hangs up on everybody.
    GateGone(bool),
    /// A command in the real grammar, and whether it has to be refused.
    Order {
        by: String,
        text: String,
        refused: bool,
    },
    Advance(Span),
    /// The wall jumps by so many milliseconds, and no time passes.
    Jump(i64),
    /// The machine starts again.
    Reboot,
    /// The process starts again.
    Restart,
    /// From here on, that replica ticks and takes orders.
    Replica(usize),
    Fault {
        kind: FaultKind,
        count: u32,
    },
    Crash {
        side: Side,
        effect: String,
    },
    Tick(u32),
    /// Two replicas tick at the same time.
    TickBoth,
    Expect(Vec<Expectation>),
    /// The explanation of an environment has this in it.
    Says {
        env: String,
        text: String,
    },
    /// The explanation of an environment goes into the transcript.
    Explain {
        env: String,
    },
    /// What `compare` says goes into the transcript.
    Compare,
}

/// An answer of the server of the `http` gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateSays {
    Pass,
    /// For so long, where it says.
    Wait(Option<Span>),
    Block,
    /// A status of 503.
    Broken,
    /// A verdict that there is not.
    Odd,
}

/// What a world is to do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The next pushes land, and their answers are lost.
    LoseAnswer,
    /// The next pushes are lost on the way, and nobody says so.
    LosePush,
    /// The next pushes are refused by the server.
    Refuse,
    /// In the next ticks the remote does not answer.
    Unreachable,
    NoHistory,
    CutOff,
    /// In the next ticks the store takes nothing.
    DiskFull,
    /// In the next ticks no message is delivered.
    SinkDown,
}

#[derive(Debug, Clone)]
pub enum Expectation {
    /// `staging=A`, `staging=gone`; `staging=M1|B`, where it depends on how the forge merges
    At { env: String, labels: Vec<Option<String>> },
    /// `production=wait:lag`; without a check any of that kind.
    Verdict { env: String, word: String, check: Option<String> },
    /// `moves 1`
    Count { what: Counted, count: usize },
}

/// What is counted since the beginning, or stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Moves,
    Effects,
    Messages,
    Holds,
    Pauses,
    Asked,
}

const COUNTED: [(&str, Counted); 6] = [
    ("moves", Counted::Moves),
    ("effects", Counted::Effects),
    ("messages", Counted::Messages),
    ("holds", Counted::Holds),
    ("pauses", Counted::Pauses),
    ("asked", Counted::Asked),
];

const FAULTS: [(&str, FaultKind); 8] = [
    ("lose-answer", FaultKind::LoseAnswer),
    ("lose-push", FaultKind::LosePush),
    ("refuse", FaultKind::Refuse),
    ("unreachable", FaultKind::Unreachable),
    ("no-history", FaultKind::NoHistory),
    ("cut-off", FaultKind::CutOff),
    ("disk-full", FaultKind::DiskFull),
    ("sink-down", FaultKind::SinkDown),
];

/// Who commits and who gives orders when nobody is named.
const AUTHOR: &str = "ana";
const STEERS: &str = "olga";

/// Reads a scenario.
///
/// # Errors
/// Every mistake, a line each.
pub fn parse(name: &str, text: &str) -> Result<Script, String> {
    let mut lines = Vec::new();
    let mut mistakes = Vec::new();
    for (at, raw) in text.lines().enumerate() {
        let text = without_comment(raw).trim();
        if text.is_empty() {
            continue;
        }
        match step(text) {
            Ok(step) => lines.push(Line { number: at + 1, text: text.to_owned(), step }),
            Err(why) => mistakes.push(format!("{name}.scn:{}: {why}\n    {text}", at + 1)),
        }
    }
    if mistakes.is_empty() { Ok(Script { name: name.to_owned(), lines }) } else { Err(mistakes.join("\n")) }
}

/// The line up to a `#` that is not in a quoted text.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

fn step(text: &str) -> Result<Step, String> {
    let (verb, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let words: Vec<&str> = rest.split_whitespace().collect();
    if let Some(by) = verb.strip_suffix(':') {
        return order(by, rest, false);
    }
    if verb == "refused" {
        return match words.first().and_then(|word| word.strip_suffix(':')) {
            Some(by) => order(by, rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest), true),
            None => order(STEERS, rest, true),
        };
    }
    if Verb::from_word(verb).is_some_and(|verb| !verb.reads()) {
        return order(STEERS, text, false);
    }
    match verb {
        "flow" if !rest.is_empty() => Ok(Step::Flow(rest.to_owned())),
        "start" => match words[..] {
            [root] => Ok(Step::Start(label(root)?)),
            _ => form("start LETTER"),
        },
        "file" => file(rest),
        "commit" => commit(&words),
        "merge" => merge(rest),
        "pick" => match words[..] {
            [of, "to", branch] => {
                Ok(Step::Pick { of: label(of)?, label: label(&format!("{of}p"))?, branch: branch.into() })
            }
            [of, "as", new, "to", branch] => {
                Ok(Step::Pick { of: label(of)?, label: label(new)?, branch: branch.into() })
            }
            _ => form("pick LETTER [as LETTER] to BRANCH"),
        },
        "squash" => match named_list(rest).and_then(|(new, of, rest)| Some((new, of, rest.strip_prefix("into ")?)))
        {
            Some((new, of, branch)) => {
                Ok(Step::Squash { label: label(new)?, of: labels(&of)?, branch: branch.into() })
            }
            None => form("squash LETTER(LETTERS) into BRANCH"),
        },
        "orphan" => match words[..] {
            [new, "on", branch] => Ok(Step::Orphan { label: label(new)?, branch: branch.into() }),
            _ => form("orphan LETTER on BRANCH"),
        },
        _ => others_hands(verb, rest, &words),
    }
}

/// What people and CI do besides committing.
fn others_hands(verb: &str, rest: &str, words: &[&str]) -> Result<Step, String> {
    match verb {
        "push" => match *words {
            [to, "to", branch] | [to, "to", branch, "by", "human"] => {
                Ok(Step::Set { branch: branch.into(), to: label(to)? })
            }
            _ => form("push LETTER to BRANCH by human"),
        },
        "rewind" => match *words {
            [branch, "to", to] | [branch, "to", to, "by", "human"] => {
                Ok(Step::Set { branch: branch.into(), to: label(to)? })
            }
            _ => form("rewind BRANCH to LETTER by human"),
        },
        "delete" => match *words {
            [branch] => Ok(Step::Delete { branch: branch.into() }),
            _ => form("delete BRANCH"),
        },
        "create" => match *words {
            [branch, "at", at] => Ok(Step::Set { branch: branch.into(), to: label(at)? }),
            _ => form("create BRANCH at LETTER"),
        },
        "ci" => match *words {
            [commit, check, state] => ci(commit, check, state, None),
            [commit, check, state, "on", branch] => ci(commit, check, state, Some(branch)),
            _ => form("ci LETTER CHECK green|red|pending [on BRANCH]"),
        },
        "request" => match *words {
            [env, deed, "by", by] => match DEEDS.iter().find(|(word, _)| *word == deed) {
                Some((_, deed)) => Ok(Step::OnRequest { env: env.into(), deed: *deed, by: by.into() }),
                None => Err(format!("nobody can have {deed} a request")),
            },
            _ => form("request ENVIRONMENT approved|objected|closed|reopened|merged|squashed by NAME"),
        },
        "gate" => gate(words),
        "deploys" => match *words {
            // A deployment is a check of its own, as in `lag = { since = "deploy-staging" }`.
            [commit, "to", env] => ci(commit, &format!("deploy-{env}"), "green", Some(env)),
            _ => form("deploys LETTER to ENVIRONMENT"),
        },
        _ => time_and_faults(verb, rest, words),
    }
}

fn gate(words: &[&str]) -> Result<Step, String> {
    const FORM: &str = "gate http pass|wait [SPAN]|block|broken|odd [then …] for LETTER, or gate http gone|back";
    match *words {
        ["http", "gone"] => Ok(Step::GateGone(true)),
        ["http", "back"] => Ok(Step::GateGone(false)),
        ["http", ref answers @ .., "for", commit] => {
            let says = answers.split(|word| *word == "then").map(|answer| match *answer {
                ["pass"] => Ok(GateSays::Pass),
                ["wait"] => Ok(GateSays::Wait(None)),
                ["wait", span] => Ok(GateSays::Wait(Some(Span::parse(span)?))),
                ["block"] => Ok(GateSays::Block),
                ["broken"] => Ok(GateSays::Broken),
                ["odd"] => Ok(GateSays::Odd),
                _ => form(FORM),
            });
            Ok(Step::Gate { says: says.collect::<Result<_, String>>()?, commit: label(commit)? })
        }
        _ => form(FORM),
    }
}

fn time_and_faults(verb: &str, rest: &str, words: &[&str]) -> Result<Step, String> {
    match (verb, words) {
        ("advance", [span]) => Ok(Step::Advance(Span::parse(span)?)),
        ("jump", ["clock", by]) => {
            let (sign, span) = match (by.strip_prefix('+'), by.strip_prefix('-')) {
                (Some(span), _) => (1, span),
                (_, Some(span)) => (-1, span),
                _ => return form("jump clock +2h|-2h"),
            };
            Ok(Step::Jump(sign * Span::parse(span)?.ms()))
        }
        ("reboot", []) => Ok(Step::Reboot),
        ("restart", []) => Ok(Step::Restart),
        ("replica", [number]) => match number.parse::<usize>() {
            Ok(number @ 1..=9) => Ok(Step::Replica(number)),
            _ => form("replica 1..9"),
        },
        ("fault", [kind, rest @ ..]) => {
            let found = FAULTS.iter().find(|(word, _)| word == kind);
            let Some((_, kind)) = found else {
                let known: Vec<&str> = FAULTS.iter().map(|(word, _)| *word).collect();
                return Err(format!("there is no fault `{kind}`; there are {}", known.join(", ")));
            };
            let count = match rest {
                [] | ["next"] => Some(1),
                [count] => count.parse().ok(),
                _ => None,
            };
            count.map_or_else(|| form("fault KIND [next|N]"), |count| Ok(Step::Fault { kind: *kind, count }))
        }
        ("crash", [side, effect]) => {
            let side = match *side {
                "before" => Side::Before,
                "after" => Side::After,
                _ => return form("crash before|after EFFECT"),
            };
            if !towpath::engine::run::CRASH_POINTS.contains(effect) {
                return Err(format!("there is no effect `{effect}`; {:?}", towpath::engine::run::CRASH_POINTS));
            }
            Ok(Step::Crash { side, effect: (*effect).to_owned() })
        }
        ("tick", []) => Ok(Step::Tick(1)),
        ("tick", ["both"]) => Ok(Step::TickBoth),
        ("tick", [times]) => match times.parse() {
            Ok(times @ 1..=100) => Ok(Step::Tick(times)),
            _ => form("tick [N|both]"),
        },
        ("expect", [_, ..]) => expect(words).map(Step::Expect),
        ("says", [env, _, ..]) => {
            let text = rest[env.len()..].trim().trim_matches('"').to_owned();
            Ok(Step::Says { env: (*env).to_owned(), text })
        }
        ("compare", []) => Ok(Step::Compare),
        ("explain", [env]) => Ok(Step::Explain { env: (*env).to_owned() }),
        _ => Err(format!("`{verb}` is no verb, or not in this form")),
    }
}

fn form<T>(form: &str) -> Result<T, String> {
    Err(format!("the form is `{form}`"))
}

fn label(word: &str) -> Result<String, String> {
    match CommitWord::label(word) {
        Some(label) => Ok(label.as_str().to_owned()),
        None => Err(format!("`{word}` is no name for a commit: letters and digits")),
    }
}

fn labels(words: &[&str]) -> Result<Vec<String>, String> {
    words.iter().map(|word| label(word)).collect()
}

fn file(rest: &str) -> Result<Step, String> {
    let mut parts = rest.splitn(3, char::is_whitespace);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(of), Some(path), Some(text)) if !text.trim().is_empty() => {
            let text = format!("{}\n", text.trim().replace("\\n", "\n"));
            Ok(Step::File { label: label(of)?, path: path.to_owned(), text })
        }
        _ => form("file LETTER PATH TEXT"),
    }
}

fn commit(words: &[&str]) -> Result<Step, String> {
    const FORM: &str = "commit LETTERS on BRANCH [by NAME]";
    let Some(on) = words.iter().position(|word| *word == "on").filter(|at| *at > 0) else { return form(FORM) };
    let (branch, by) = match words[on + 1..] {
        [branch] => (branch, AUTHOR),
        [branch, "by", by] => (branch, by),
        _ => return form(FORM),
    };
    Ok(Step::Commit { labels: labels(&words[..on])?, branch: branch.to_owned(), by: by.to_owned() })
}

/// `C(x y) rest`
fn named_list(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    let (new, rest) = text.split_once('(')?;
    let (list, rest) = rest.split_once(')')?;
    Some((new.trim(), list.split_whitespace().collect(), rest.trim()))
}

fn merge(rest: &str) -> Result<Step, String> {
    const FORM: &str = "merge LETTER(LETTERS) into BRANCH [by NAME]";
    let Some((new, sides, rest)) = named_list(rest).filter(|(_, sides, _)| !sides.is_empty()) else {
        return form(FORM);
    };
    let (branch, by) = match rest.split_whitespace().collect::<Vec<_>>()[..] {
        ["into", branch] => (branch, AUTHOR),
        ["into", branch, "by", by] => (branch, by),
        _ => return form(FORM),
    };
    let (branch, by) = (branch.to_owned(), by.to_owned());
    Ok(Step::Merge { label: label(new)?, sides: labels(&sides)?, branch, by })
}

fn ci(commit: &str, check: &str, state: &str, on: Option<&str>) -> Result<Step, String> {
    let state = match state {
        "green" => CiState::Green,
        "red" => CiState::Red,
        "pending" => CiState::Running,
        _ => return Err(format!("`{state}` is no state: green, red, pending")),
    };
    Ok(Step::Ci { commit: label(commit)?, check: check.to_owned(), state, on: on.map(str::to_owned) })
}

/// Held to the real grammar here, so that a misspelt command is told with the file's other mistakes.
fn order(by: &str, text: &str, refused: bool) -> Result<Step, String> {
    Command::parse_with(text, &CommitWord::label).map_err(|problem| problem.to_string())?;
    Ok(Step::Order { by: by.to_owned(), text: text.to_owned(), refused })
}

fn expect(words: &[&str]) -> Result<Vec<Expectation>, String> {
    let mut expected = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if let Some((env, what)) = word.split_once('=') {
            expected.push(expect_env(env, what)?);
            continue;
        }
        let Some((_, what)) = COUNTED.iter().find(|(name, _)| name == word) else {
            return Err(format!(
                "`{word}` is nothing to expect: ENV=…, moves N, effects N, messages N, holds N, pauses N, asked N"
            ));
        };
        let count = rest.next().and_then(|count| count.parse().ok());
        let count = count.ok_or_else(|| format!("`{word}` wants a number"))?;
        expected.push(Expectation::Count { what: *what, count });
    }
    Ok(expected)
}

fn expect_env(env: &str, what: &str) -> Result<Expectation, String> {
    let env = env.to_owned();
    let (word, check) = match what.split_once(':') {
        Some((word, check)) => (word, Some(check)),
        None => (what, None),
    };
    if matches!(word, "pass" | "wait" | "block") {
        let check = check.map(str::to_owned);
        if let Some(unknown) = check.as_deref().filter(|check| !CHECKS.contains(check)) {
            return Err(format!("`{unknown}` is no check: {}", CHECKS.join(" ")));
        }
        return Ok(Expectation::Verdict { env, word: word.to_owned(), check });
    }
    let at = |what: &str| if what == "gone" { Ok(None) } else { label(what).map(Some) };
    let labels: Vec<_> = what.split('|').map(at).collect::<Result<_, _>>()?;
    if labels.len() > 3 { form("ENV=MERGED|FORWARD|ONLY-FORWARD") } else { Ok(Expectation::At { env, labels }) }
}

/// What can stand after `wait:`: the keys of checks, and what an edge itself says.
const CHECKS: [&str; 20] = [
    "branches",
    "push",
    "freeze",
    "pause",
    "hold",
    "request",
    "ci",
    "lag",
    "quiet",
    "window",
    "schedule",
    "approvals",
    "migrations",
    "http",
    "up-to-date",
    "ready",
    "diverged",
    "source-absent",
    "target-absent",
    "unknown",
];
