use std::collections::BTreeSet;

use chrono::TimeZone;
use chrono_tz::Europe::Warsaw;
use insta::assert_snapshot;

use super::*;
use crate::act::{Place, Why};
use crate::model::{
    BranchName, Candidates, CheckName, CheckRef, Checks, CiGate, CoAuthor, Coming, CompatFinding, EnvName,
    Environment, Event, Gate, GateKind, Held, HttpGate, HttpInstead, IntentRow, IntentState, KeptOut, LagFrom,
    LagGate, MoveKind, NamedCheck, NotCounted, NotCountedWhy, Now, PauseKind, Scope, StillUsed, Stranger, Stray,
    StrayKind, Trusted, Unknown, UnknownWhy, Until, Via,
};

pub(super) fn commit(n: u8) -> CommitId {
    CommitId::from_bytes([n.wrapping_mul(17); 20])
}

fn environment(name: &str, branch: &str) -> Environment {
    Environment {
        name: name.into(),
        branch: branch.into(),
        via: Via::FastForward,
        request: crate::model::RequestRules::default(),
        candidates: Candidates::Commits,
        mode: Mode::Act,
        database: None,
        settle: Span::from_mins(15),
        deployed: None,
        rollback: false,
        behind_alarm: None,
        blocked_alarm: None,
        heads_up: None,
        gates: Vec::new(),
    }
}

/// `develop` -> `staging` -> `production` (branch `master`, CI and a lag of 30 minutes).
pub(super) fn flow() -> Flow {
    let mut production = environment("production", "master");
    let named = |name: &str, on| NamedCheck { name: name.into(), on };
    production.gates = vec![
        Gate::Ci(CiGate {
            checks: Checks::Named(vec![named("build", CheckRef::Any), named("deploy", CheckRef::Source)]),
            missing_after: Some(Span::from_mins(30)),
        }),
        Gate::Lag(LagGate { length: Span::from_mins(30), since: None }),
    ];
    Flow {
        name: "checkout".into(),
        repository: "gitlab:shop/checkout".to_owned(),
        zone: Warsaw,
        look_back: 50,
        environments: vec![environment("develop", "develop"), environment("staging", "staging"), production],
        policy: "p".into(),
    }
}

/// An instant of 2026 in Warsaw.
pub(super) fn local(month: u32, day: u32, hour: u32, minute: u32) -> Instant {
    Instant(
        Warsaw.with_ymd_and_hms(2026, month, day, hour, minute, 0).earliest().expect("a time").timestamp_millis(),
    )
}

pub(super) fn words(flow: &Flow) -> Words<'_> {
    Words { zone: flow.zone, now: local(11, 21, 14, 20), flow, remote_word: "origin", lasting: false }
}

fn stray(n: u8, kind: StrayKind) -> Stray {
    Stray { commit: commit(n), author: "Ana".to_owned(), subject: "Stop the bleeding".to_owned(), kind }
}

fn every_stray() -> Vec<Stray> {
    vec![
        stray(9, StrayKind::PromotionMerge),
        stray(8, StrayKind::Squash { of: commit(2) }),
        stray(7, StrayKind::EmptyMerge),
        stray(6, StrayKind::CherryPick { of: commit(3) }),
        stray(5, StrayKind::Withdrawn),
        stray(2, StrayKind::HeldBack { env: "develop".into() }),
        stray(4, StrayKind::OnItsWay { env: "develop".into(), brought_by: commit(1) }),
        stray(3, StrayKind::Content),
    ]
}

/// Every reason, in the forms that read differently.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn every_reason() -> Vec<Reason> {
    let (ana, since, soon) = (Actor::from("os:ana@laptop"), local(11, 21, 10, 2), local(11, 21, 14, 32));
    let incident = "the till is down".to_owned();
    let build = || CheckName::from("build");
    let held = |what, fixed_by| Reason::Held {
        hold: "h1".into(),
        what,
        flow: Some("checkout".into()),
        env: Some("production".into()),
        by: ana.clone(),
        reason: incident.clone(),
        fixed_by,
    };
    let held_wider = |flow, env| Reason::Held {
        hold: "h2".into(),
        what: Held::Commit(commit(4)),
        flow,
        env,
        by: ana.clone(),
        reason: incident.clone(),
        fixed_by: None,
    };
    vec![
        Reason::UpToDate,
        Reason::Ready,
        Reason::Nothing,
        Reason::SourceAbsent { branch: "staging".into() },
        Reason::TargetAbsent { branch: "master".into() },
        Reason::Unknown(Unknown::passing(UnknownWhy::NotAnswered)),
        Reason::Diverged { commits: vec![stray(3, StrayKind::Content)], total: 1 },
        Reason::Diverged { commits: every_stray(), total: 60 },
        Reason::RequestOpen { number: 7, url: "https://forge.example/7".to_owned() },
        Reason::NotProposed { open: None },
        Reason::NotProposed { open: Some(7) },
        Reason::ForeignHead { number: 7, head: commit(3) },
        Reason::RequestClosed { number: 7, url: "https://forge.example/7".to_owned(), by: Some("ana".into()) },
        Reason::RequestClosed { number: 7, url: String::new(), by: None },
        Reason::RequestDraft { number: 7 },
        Reason::ChangesRequested { number: 7, by: vec!["ana".into(), "ben".into()] },
        Reason::ForPeopleToMerge { number: 7, url: "https://forge.example/7".to_owned() },
        Reason::NoWayToMerge { fast_forward: true },
        Reason::NoWayToMerge { fast_forward: false },
        Reason::InFlight { intent: "i1".into(), to: commit(1) },
        Reason::PushRefused { words: "remote: protected\nremote: ask an admin\n".to_owned(), count: 1 },
        Reason::PushRefused { words: String::new(), count: 3 },
        Reason::PushInDoubt { old: commit(1), to: commit(2), words: String::new() },
        Reason::PushInDoubt { old: commit(1), to: commit(2), words: "the remote end hung up".to_owned() },
        Reason::Paused {
            scope: Scope::All,
            by: ana.clone(),
            reason: incident.clone(),
            at: since,
            until: Until::At(soon),
            keeps_back: false,
        },
        Reason::Paused {
            scope: Scope::Edge("checkout".into(), "production".into()),
            by: crate::see::SOMEBODY.into(),
            reason: "production was moved by hand".to_owned(),
            at: since,
            until: Until::Resumed,
            keeps_back: true,
        },
        Reason::Frozen {
            scope: Scope::Environment("production".into()),
            by: ana.clone(),
            reason: incident.clone(),
            at: since,
            until: Until::Resumed,
        },
        held_wider(None, None),
        held_wider(Some("checkout".into()), None),
        held(Held::Commit(commit(1)), None),
        held(Held::Range { lost: commit(2), kept: commit(1) }, Some(commit(3))),
        Reason::Promoted { by: ana.clone(), until: soon },
        Reason::Overridden { by: ana.clone(), reason: incident.clone() },
        Reason::ChecksGreen { count: 0 },
        Reason::ChecksGreen { count: 1 },
        Reason::ChecksGreen { count: 2 },
        Reason::CheckMissing { name: Some(build()), push_tip: true, since: Some(since) },
        Reason::CheckMissing { name: Some(build()), push_tip: false, since: Some(since) },
        Reason::CheckMissing { name: None, push_tip: true, since: None },
        Reason::NoCiCame { name: None, since, after: Span::from_mins(30) },
        Reason::CheckRunning { name: build(), on: None },
        Reason::CheckRunning { name: build(), on: Some("staging".into()) },
        Reason::CheckRed {
            name: build(),
            on: Some("staging".into()),
            url: Some("https://ci.example.com/77".to_owned()),
        },
        Reason::LagOver { since },
        Reason::LagNotOver { length: Span::from_mins(30), since: local(11, 21, 14, 2), from: LagFrom::Arrival },
        Reason::LagNotOver { length: Span::from_mins(30), since: local(11, 21, 14, 2), from: LagFrom::FirstSight },
        Reason::LagNotOver {
            length: Span::from_mins(30),
            since: local(11, 21, 14, 2),
            from: LagFrom::Check("deploy".into()),
        },
        Reason::LagNotBegun { check: "deploy".into() },
        Reason::QuietOver { since },
        Reason::NotQuiet { length: Span::from_mins(10), since: local(11, 21, 14, 15) },
        Reason::WindowOpen { closes: Some(local(11, 21, 16, 0)) },
        Reason::WindowOpen { closes: None },
        Reason::WindowClosed { opens: Some(local(11, 23, 9, 0)) },
        Reason::WindowClosed { opens: None },
        Reason::SlotOpen { slot: local(11, 21, 14, 15) },
        Reason::NoSlot { next: Some(local(11, 23, 9, 0)), used: Some(local(11, 21, 14, 15)) },
        Reason::NoSlot { next: Some(local(11, 23, 9, 0)), used: None },
        Reason::NoSlot { next: None, used: None },
        Reason::Approved { by: vec![] },
        Reason::Approved { by: vec!["ana".into(), "jan".into(), "eva".into()] },
        Reason::ApprovalsMissing { have: 0, need: 1, not_counted: vec![] },
        Reason::ApprovalsMissing {
            have: 1,
            need: 2,
            not_counted: [
                NotCountedWhy::Author,
                NotCountedWhy::EmailUnknown,
                NotCountedWhy::AuthorUnknown,
                NotCountedWhy::TooEarly,
                NotCountedWhy::NotListed,
            ]
            .map(|why| NotCounted { by: "jan".into(), why, stranger: None })
            .to_vec(),
        },
        Reason::ApprovalsMissing {
            have: 0,
            need: 1,
            not_counted: [None, Some(""), Some("jan@home.example")]
                .map(|email| NotCounted {
                    by: "jan".into(),
                    why: NotCountedWhy::AuthorUnknown,
                    stranger: Some(Stranger {
                        commit: commit(3),
                        email: email.map(str::to_owned),
                        co_author: false,
                    }),
                })
                .to_vec(),
        },
        Reason::HttpPasses { host: host(), words: "CHG-7 is approved".to_owned() },
        Reason::HttpPasses { host: host(), words: String::new() },
        Reason::HttpWaits { host: host(), words: "the change board meets at four".to_owned() },
        Reason::HttpWaits { host: host(), words: String::new() },
        Reason::HttpBlocks { host: host(), words: "no ticket is named".to_owned() },
        Reason::HttpBlocks { host: host(), words: String::new() },
        Reason::MigrationsPass { brought: 0 },
        Reason::MigrationsPass { brought: 3 },
        Reason::MigrationsBreak {
            env: "staging".into(),
            running: commit(1),
            finding: Some(finding(true, true)),
            more: 2,
            has: vec![commit(3), commit(1)],
            kept_out: None,
        },
        Reason::MigrationsBreak {
            env: "staging".into(),
            running: commit(1),
            finding: Some(finding(false, false)),
            more: 0,
            has: vec![commit(1)],
            kept_out: Some(KeptOut {
                commit: commit(3),
                why: Box::new(Reason::CheckRed { name: "test".into(), on: None, url: None }),
            }),
        },
        Reason::MigrationsBreak {
            env: "staging".into(),
            running: commit(1),
            finding: None,
            more: 21,
            has: vec![],
            kept_out: None,
        },
        Reason::MigrationsWait { finding: finding(true, true), still: still(), behind: 4 },
        Reason::MigrationsLacked { had: commit(3), finding: Some(finding(true, true)), more: 1 },
        Reason::MigrationsUnseen { env: "production".into() },
        Reason::BranchesMoved,
        Reason::ConfigChanged,
        Reason::HoldsChanged,
        Reason::OrderGone,
        Reason::NotLookedAt { looked_at: 50, waiting: 500 },
    ]
}

fn finding(breaks: bool, by_use: bool) -> CompatFinding {
    CompatFinding {
        breaks,
        by_use,
        history: false,
        rule: "drop-column".to_owned(),
        object: "users.nick_name".to_owned(),
        path: "migrations/7_drop.sql".to_owned(),
        line: 3,
        message: "drops column users.nick_name.".to_owned(),
        used_at: by_use.then(|| "app/models/user.rb:12".to_owned()),
    }
}

fn still() -> Vec<StillUsed> {
    let still = |env: &str, by, until| StillUsed { env: env.into(), commit: commit(1), by, until };
    vec![still("staging", None, Some(local(11, 21, 14, 45))), still("production", Some(commit(2)), None)]
}

fn host() -> String {
    "gate.example.com".to_owned()
}

fn every_instead() -> Vec<HttpInstead> {
    vec![
        HttpInstead::Nothing { words: "connection refused".to_owned() },
        HttpInstead::TimedOut { after: Span::from_secs(10) },
        HttpInstead::Limited { again_in: Span::from_secs(30) },
        HttpInstead::Status { status: 302 },
        HttpInstead::Status { status: 503 },
        HttpInstead::TooLarge { bytes_max: 65_536 },
        HttpInstead::NotJson,
        HttpInstead::Malformed { words: "at `reason`: expected a string".to_owned() },
        HttpInstead::UnknownVerdict { word: "maybe".to_owned() },
        HttpInstead::NoToken { words: "the environment variable `GATE` is not set".to_owned() },
    ]
}

fn every_unknown() -> Vec<UnknownWhy> {
    let words = || "fatal: no\nroute".to_owned();
    let gate = |instead| UnknownWhy::HttpGate { host: host(), instead };
    let mut all = vec![
        UnknownWhy::NotAnswered,
        UnknownWhy::Unreachable { words: words() },
        UnknownWhy::Limited { until: local(11, 21, 14, 32), words: words() },
        UnknownWhy::CredentialsRefused { words: words() },
        UnknownWhy::TokenRefused { forge: "work".to_owned(), words: words() },
        UnknownWhy::TokenRefused { forge: "work".to_owned(), words: String::new() },
        UnknownWhy::TokenUnusable { forge: "work".to_owned(), words: "`/t` is empty".to_owned() },
        UnknownWhy::NotTrusted { words: words() },
        UnknownWhy::NoRepository { words: words() },
        UnknownWhy::NoTeam { team: "shop/release".to_owned(), words: words() },
        UnknownWhy::TimedOut { after: Span::from_secs(60) },
        UnknownWhy::NoCommonAncestor,
        UnknownWhy::NoForge,
        UnknownWhy::Shallow,
        UnknownWhy::Sha256,
        UnknownWhy::TooLarge { commits_max: 100_000 },
        UnknownWhy::ManyAuthors { commits: 2_500, most: 2_000 },
        UnknownWhy::MissingCommit { commit: commit(1) },
        UnknownWhy::Unreadable { words: words() },
        UnknownWhy::Migrations { words: words() },
    ];
    all.extend(every_instead().into_iter().map(gate));
    all
}

pub(super) fn judged(check: Check, verdict: Verdict) -> Judged {
    Judged { check, verdict }
}

fn pass(why: Reason) -> Verdict {
    Verdict::Pass { why }
}

fn lag_runs() -> Verdict {
    let why =
        Reason::LagNotOver { length: Span::from_mins(30), since: local(11, 21, 14, 2), from: LagFrom::Arrival };
    Verdict::Wait { why, on: Who::Time, until: Some(local(11, 21, 14, 32)) }
}

fn red() -> Verdict {
    let why = Reason::CheckRed { name: "build".into(), on: Some("staging".into()), url: None };
    Verdict::Block { why, who: Who::Pushers("staging".into()) }
}

fn candidate(n: u8, subject: &str, judged: Vec<Judged>) -> Candidate {
    Candidate { commit: commit(n), author: "Marek".to_owned(), subject: subject.to_owned(), judged }
}

/// A decision for production whose lead has these judgements; its verdict is the lead's.
pub(super) fn decided(judgements: Vec<Judged>) -> Decision {
    let lead = candidate(2, "Fix rounding", judgements);
    Decision {
        env: "production".into(),
        source: Tip::At(commit(3)),
        target: Tip::At(commit(1)),
        action: None,
        verdict: lead.verdict().cloned().unwrap_or(pass(Reason::Ready)),
        lead: Some(lead),
        beside: vec![],
        unproven: None,
        oldest: None,
        ahead: None,
        next: None,
        looked_at: 1,
        waiting: 1,
    }
}

/// A decision about the edge itself.
fn stuck(env: &str, verdict: Verdict) -> Decision {
    Decision { env: env.into(), verdict, lead: None, ..decided(vec![]) }
}

fn diverged(env: &str, commits: Vec<Stray>) -> Decision {
    let total = u32::try_from(commits.len()).expect("few");
    let tip = commits[0].commit;
    let why = Reason::Diverged { commits, total };
    Decision { target: Tip::At(tip), ..stuck(env, Verdict::Block { why, who: Who::Pushers("staging".into()) }) }
}

#[test]
fn every_reason_has_a_sentence() {
    let flow = flow();
    let words = words(&flow);
    let lines: Vec<String> = every_reason().iter().map(|reason| words.reason(reason)).collect();
    assert_snapshot!("every_reason", lines.join("\n"));
}

#[test]
fn no_reason_is_left_out_of_the_table() {
    // A new reason does not compile in `clause`; this makes it come to the table too.
    let in_table: BTreeSet<String> = every_reason().iter().map(variant).collect();
    let source = include_str!("../model/verdict.rs");
    let (_, from) = source.split_once("pub enum Reason {").expect("the enum");
    let (body, _) = from.split_once("\n}").expect("its end");
    let declared: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.chars().take_while(char::is_ascii_alphanumeric).collect())
        .collect();
    assert!(declared.len() > 30, "{declared:?}");
    assert_eq!(in_table, declared);
}

fn variant(reason: &Reason) -> String {
    format!("{reason:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[test]
fn reasons_name_the_branches_of_their_edge() {
    let flow = flow();
    let words = words(&flow);
    let edge = flow.edge(&"production".into());
    let naming = every_reason().into_iter().map(|reason| (words.reason(&reason), words.clause(&reason, edge)));
    let lines: Vec<String> =
        naming.filter(|(without, with)| *without != capital(with.clone())).map(|(_, with)| with).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    `master` has everything that `staging` has
    `master` has 1 commit that `staging` lacks: `333333333` "Stop the bleeding" (Ana), a change made on `master` itself
    `master` has 60 commits that `staging` lacks: `999999999` "Stop the bleeding" (Ana), a merge of `staging` with no change of its own; `888888888` "Stop the bleeding" (Ana), a squashed promotion, with the files of `222222222` in another commit; `777777777` "Stop the bleeding" (Ana), a merge that changes no file; and 57 more
    the forge lets requests into `master` be merged by fast-forward only, and the commit does not contain `master`
    the forge lets requests into `master` be merged in no way that keeps the commit as it is
    a push of `111111111` to `master` has begun and may still land
    whether the push of `222222222` landed is not known (it had no answer), and `master` is at `111111111`, where it was before or where somebody took it back to
    whether the push of `222222222` landed is not known (the answer was "the remote end hung up"), and `master` is at `111111111`, where it was before or where somebody took it back to
    what was taken back when `master` went from `222222222` to `111111111` is held back from `production` by `os:ana@laptop`: "the till is down"; only a commit that contains `333333333` may pass
    check `build` has no result yet; the commit has been on `staging` since 10:02 CET (4h 18m ago)
    CI has reported nothing, although the commit has been on `staging` since 10:02 CET (4h 18m ago); after 30m that counts as never coming
    the lag of 30m is over; it counted from 10:02 CET (4h 18m ago)
    the lag of 30m counts from 14:02 CET (18m ago), when the commit came onto `staging`
    the lag of 30m counts from 14:02 CET (18m ago), when Towpath first looked; the commit may have been on `staging` before
    the lag of 30m counts from 14:02 CET (18m ago), when check `deploy` was green and the commit on `staging`
    nothing has come onto `staging` since 10:02 CET (4h 18m ago)
    `staging` has to be quiet for 10m, and its newest commit came at 14:15 CET (5m ago)
    "#);
}

#[test]
fn every_unknown_has_a_sentence() {
    let flow = flow();
    let words = words(&flow);
    let lines: Vec<String> =
        every_unknown().into_iter().map(|why| words.verdict(&Verdict::unknown(Unknown::lasting(why)))).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    A fact that the decision needs was not learned in time; whoever administers the server of `gitlab:shop/checkout` can mend it
    `gitlab:shop/checkout` does not answer: "fatal: no / route"; whoever administers the server of `gitlab:shop/checkout` can mend it
    The forge is not asked again before 14:32 CET (in 12m): "fatal: no / route"; whoever administers the server of `gitlab:shop/checkout` can mend it
    `gitlab:shop/checkout` does not accept Towpath's credentials: "fatal: no / route"; whoever runs Towpath can mend it
    `gitlab:shop/checkout` refuses the token of `[forge.work]`: "fatal: no / route"; whoever runs Towpath can mend it
    `gitlab:shop/checkout` refuses the token of `[forge.work]`; whoever runs Towpath can mend it
    The token of `[forge.work]` cannot be used: '/t' is empty; whoever runs Towpath can mend it
    The certificate of the server of `gitlab:shop/checkout` is not trusted: "fatal: no / route"; whoever runs Towpath can mend it
    There is no repository `gitlab:shop/checkout`, or Towpath may not see it: "fatal: no / route"; whoever runs Towpath can mend it
    Who is in `@shop/release` is not known: "fatal: no / route"; whoever runs Towpath can mend it
    `gitlab:shop/checkout` did not answer within 1m; whoever administers the server of `gitlab:shop/checkout` can mend it
    The two branches have no commit in common; whoever runs Towpath can mend it
    `gitlab:shop/checkout` is a plain git remote, and what the config asks for only a forge can tell; whoever runs Towpath can mend it
    The history of `gitlab:shop/checkout` is cut off (a shallow clone); whoever administers the server of `gitlab:shop/checkout` can mend it
    `gitlab:shop/checkout` uses SHA-256 object ids, which this version of Towpath cannot read; whoever runs Towpath can mend it
    More than 100000 commits lie between the branches, and Towpath loads no more; whoever runs Towpath can mend it
    2500 commits would enter, and the forge is asked for the authors of 2000 at most, so it cannot be told whether an approval is an author's; whoever runs Towpath can mend it
    The commit `111111111` is part of the history of `gitlab:shop/checkout`, but it is not there; whoever administers the server of `gitlab:shop/checkout` can mend it
    What git holds of `gitlab:shop/checkout` cannot be read: "fatal: no / route"; whoever runs Towpath can mend it
    The migrations could not be judged: "fatal: no / route"; whoever runs Towpath can mend it
    `gate.example.com` does not answer: "connection refused"; whoever runs `gate.example.com` can mend it
    `gate.example.com` did not answer within 10s; whoever runs `gate.example.com` can mend it
    `gate.example.com` wants no questions for 30s; whoever runs `gate.example.com` can mend it
    `gate.example.com` answered with status 302, and redirects of a gate are not followed; whoever runs `gate.example.com` can mend it
    `gate.example.com` answered with status 503, and a verdict comes with 200 only; whoever runs `gate.example.com` can mend it
    The answer of `gate.example.com` is longer than the 65536 bytes that are read; whoever runs `gate.example.com` can mend it
    The answer of `gate.example.com` is no JSON, or does not say that it is; whoever runs `gate.example.com` can mend it
    The answer of `gate.example.com` is not as that of a gate has to be: "at 'reason': expected a string"; whoever runs `gate.example.com` can mend it
    The verdict of `gate.example.com` is "maybe", which is none of `pass`, `wait` and `block`; whoever runs `gate.example.com` can mend it
    The token for `gate.example.com` cannot be used: the environment variable 'GATE' is not set; whoever runs Towpath can mend it
    "#);
    assert_snapshot!(words.verdict(&Verdict::unknown(Unknown::passing(UnknownWhy::NotAnswered))), @"A fact that the decision needs was not learned in time; Towpath looks again by itself");
}

#[test]
fn everybody_has_a_name() {
    let flow = flow();
    let words = words(&flow);
    let everybody = [
        Who::Time,
        Who::Ci,
        Who::Towpath,
        Who::Pushers("staging".into()),
        Who::Approvers(vec![]),
        Who::Approvers(vec!["@release".to_owned(), "ana".to_owned()]),
        Who::Person("os:ana@laptop".into()),
        Who::Person(crate::see::SOMEBODY.into()),
        Who::Remote,
        Who::Operator,
        Who::Environment("staging".into()),
        Who::Service(host()),
    ];
    let lines: Vec<String> = everybody
        .into_iter()
        .map(|who| {
            let why = Reason::CheckRunning { name: "build".into(), on: None };
            let wait = Verdict::Wait { why: why.clone(), on: who.clone(), until: None };
            let block = Verdict::Block { why, who: who.clone() };
            format!("{}\n    {}\n    {}", words.who(&who), words.verdict(&wait), words.verdict(&block))
        })
        .collect();
    assert_snapshot!(lines.join("\n"), @"
    time
        Check `build` has not finished; no time is known
        Check `build` has not finished; time mends it
    CI
        Check `build` has not finished; no time is known, because CI does not say when it will be done
        Check `build` has not finished; CI can mend it
    Towpath
        Check `build` has not finished; Towpath looks again by itself
        Check `build` has not finished; Towpath looks again by itself
    whoever may push to `staging`
        Check `build` has not finished; no time is known, because it depends on whoever may push to `staging`
        Check `build` has not finished; whoever may push to `staging` can mend it
    anybody who may approve
        Check `build` has not finished; no time is known, because it depends on anybody who may approve
        Check `build` has not finished; anybody who may approve can mend it
    `@release` or `ana`
        Check `build` has not finished; no time is known, because it depends on `@release` or `ana`
        Check `build` has not finished; `@release` or `ana` can mend it
    `os:ana@laptop` or whoever may steer this flow
        Check `build` has not finished; no time is known, because it depends on `os:ana@laptop` or whoever may steer this flow
        Check `build` has not finished; `os:ana@laptop` or whoever may steer this flow can lift it
    whoever may steer this flow
        Check `build` has not finished; no time is known, because it depends on whoever may steer this flow
        Check `build` has not finished; whoever may steer this flow can lift it
    whoever administers the server of `gitlab:shop/checkout`
        Check `build` has not finished; Towpath looks again by itself, and whoever administers the server of `gitlab:shop/checkout` can help
        Check `build` has not finished; whoever administers the server of `gitlab:shop/checkout` can mend it
    whoever runs Towpath
        Check `build` has not finished; no time is known, because it depends on whoever runs Towpath
        Check `build` has not finished; whoever runs Towpath can mend it
    the edge into `staging`
        Check `build` has not finished; no time is known, because the edge into `staging` has to move first
        Check `build` has not finished; the edge into `staging` has to move first
    whoever runs `gate.example.com`
        Check `build` has not finished; no time is known, because it depends on whoever runs `gate.example.com`
        Check `build` has not finished; whoever runs `gate.example.com` can mend it
    ");
}

#[test]
fn a_wait_says_when_or_why_not() {
    let flow = flow();
    let words = words(&flow);
    let soon = local(11, 21, 14, 32);
    let waits = |why: &Reason| {
        let at = Verdict::Wait { why: why.clone(), on: Who::Time, until: Some(soon) };
        let open = Verdict::Wait { why: why.clone(), on: Who::Ci, until: None };
        [at, open].map(|verdict| {
            let judged = vec![judged(Check::Gate(GateKind::Ci), verdict.clone())];
            words.headline(&Decision { verdict, ..decided(judged) })
        })
    };
    for reason in every_reason() {
        let [at, open] = waits(&reason);
        // What Towpath does at its next look has no time of its own.
        let by_itself = matches!(reason, Reason::NotProposed { .. } | Reason::ForeignHead { .. });
        assert!(by_itself || at.contains("(in 12m)"), "{at}");
        assert!(open.contains("no time is known"), "{open}");
    }
    let lines: Vec<String> = every_reason().iter().filter(|r| words.waits_for(r)).flat_map(waits).collect();
    assert_snapshot!("every_wait", lines.join("\n"));
}

impl Words<'_> {
    fn waits_for(&self, reason: &Reason) -> bool {
        let wait = self.waits(reason, &Who::Time, None, None, None);
        wait.starts_with("waits for")
    }
}

#[test]
fn headlines() {
    let mut flow = flow();
    let gate = |kind, verdict| vec![judged(Check::Gate(kind), verdict)];
    let moving = Decision {
        action: Some(Action::FastForward {
            old: commit(1),
            new: commit(2),
            promote: None,
            overrides: vec![],
            merge: None,
        }),
        ..decided(gate(GateKind::Lag, pass(Reason::LagOver { since: local(11, 21, 13, 40) })))
    };
    let moving = Decision { verdict: pass(Reason::Ready), ..moving };
    let many = Decision { looked_at: 50, waiting: 500, ..decided(gate(GateKind::Ci, red())) };
    let decisions = vec![
        stuck("production", pass(Reason::UpToDate)),
        moving.clone(),
        Decision { source: Tip::At(commit(2)), waiting: 4, ..moving.clone() },
        Decision { waiting: 4, ..moving.clone() },
        decided(gate(GateKind::Lag, lag_runs())),
        Decision { waiting: 3, ..decided(gate(GateKind::Lag, lag_runs())) },
        decided(gate(GateKind::Ci, red())),
        many,
        diverged("production", vec![stray(3, StrayKind::Content)]),
        stuck(
            "production",
            Verdict::unknown(Unknown::passing(UnknownWhy::TimedOut { after: Span::from_secs(60) })),
        ),
        stuck("gone-from-config", pass(Reason::UpToDate)),
    ];
    let lines: Vec<String> = decisions.iter().map(|d| words(&flow).headline(d)).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    production: up to date at `111111111`
    production: moves `111111111` -> `222222222` "Fix rounding" (Marek)
    production: moves `111111111` -> `222222222` "Fix rounding" (Marek), the newest of 4 commits
    production: moves `111111111` -> `222222222` "Fix rounding" (Marek), one of 4 commits; newer ones do not pass yet
    production: waits for the lag of 30m: `222222222` "Fix rounding" (Marek) may enter at 14:32 CET (in 12m)
    production: waits for the lag of 30m: `222222222` "Fix rounding" (Marek) may enter at 14:32 CET (in 12m); 3 commits wait
    production: blocked: check `build` is red on `staging`; whoever may push to `staging` can mend it: `222222222` "Fix rounding" (Marek)
    production: blocked: check `build` is red on `staging`; whoever may push to `staging` can mend it: `222222222` "Fix rounding" (Marek); looked at 50 of 500
    production: blocked: `master` has 1 commit that `staging` lacks: `333333333` "Stop the bleeding" (Ana), a change made on `master` itself; whoever may push to `staging` can mend it
    production: waits: `gitlab:shop/checkout` did not answer within 1m; Towpath looks again by itself
    gone-from-config: up to date at `111111111`
    "#);
    flow.environments[2].mode = Mode::Observe;
    let lines: Vec<String> = decisions[1..6].iter().map(|d| words(&flow).headline(d)).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    production: would move, but only observes: `111111111` -> `222222222` "Fix rounding" (Marek)
    production: would move, but only observes: `111111111` -> `222222222` "Fix rounding" (Marek), the newest of 4 commits
    production: would move, but only observes: `111111111` -> `222222222` "Fix rounding" (Marek), one of 4 commits; newer ones do not pass yet
    production: waits for the lag of 30m: `222222222` "Fix rounding" (Marek) may enter at 14:32 CET (in 12m) (observing only)
    production: waits for the lag of 30m: `222222222` "Fix rounding" (Marek) may enter at 14:32 CET (in 12m); 3 commits wait (observing only)
    "#);
}

#[test]
fn a_stored_verdict_whose_time_has_come_does_not_speak_of_the_future() {
    let flow = flow();
    let later = Words { now: local(11, 21, 14, 40), ..words(&flow) };
    let decision = decided(vec![judged(Check::Gate(GateKind::Lag), lag_runs())]);
    assert_snapshot!(later.headline(&decision), @r#"production: waits for the lag of 30m: `222222222` "Fix rounding" (Marek) may enter since 14:32 CET (8m ago)"#);
    assert_snapshot!(later.verdict(&lag_runs()), @"The lag of 30m counts from 14:02 CET (38m ago), when the commit came onto the source; it was over at 14:32 CET (8m ago)");
}

#[test]
fn an_explanation_lists_failing_checks_first() {
    let flow = flow();
    let words = words(&flow);
    let decision = Decision {
        waiting: 3,
        looked_at: 2,
        beside: vec![candidate(3, "Drop the old till", vec![judged(Check::Gate(GateKind::Ci), red())])],
        next: Some(local(11, 21, 14, 25)),
        ..decided(vec![
            judged(Check::Push, pass(Reason::Nothing)),
            judged(Check::Freeze, pass(Reason::Nothing)),
            judged(Check::Gate(GateKind::Ci), pass(Reason::ChecksGreen { count: 2 })),
            judged(Check::Gate(GateKind::Lag), lag_runs()),
        ])
    };
    assert_snapshot!(words.explain(&decision), @r#"
    production: waits for the lag of 30m: `222222222` "Fix rounding" (Marek) may enter at 14:32 CET (in 12m); 3 commits wait
      ~ lag: the lag of 30m counts from 14:02 CET (18m ago), when the commit came onto `staging`; it is over at 14:32 CET (in 12m)
      + ci: both required checks are green
      + push, freeze: nothing stands in the way
      ! newer: `333333333` "Drop the old till" (Marek) does not move: ci: check `build` is red on `staging`; whoever may push to `staging` can mend it
        The next change by time alone: 14:25 CET (in 5m)

    Nothing to do: Towpath goes on by itself.

    To let `222222222` in at once all the same:
        towpath promote checkout production to 2222222222222222222222222222222222222222 --reason 'WHY'
    "#);
}

#[test]
fn what_was_rewound_goes_on_by_two_commands() {
    let flow = flow();
    let words = words(&flow);
    let by = Actor::from(crate::see::SOMEBODY);
    let reason = "production was moved by hand".to_owned();
    let (at, until) = (local(11, 21, 10, 2), Until::Resumed);
    let what = Held::Range { lost: commit(2), kept: commit(1) };
    let scope = Scope::Flow("checkout".into());
    let paused = Reason::Paused { scope, by: by.clone(), reason: reason.clone(), at, until, keeps_back: true };
    let (flow, env) = (None, None);
    let held = Reason::Held { hold: "h".into(), what, flow, env, by: by.clone(), reason, fixed_by: None };
    let decision = decided(vec![
        judged(Check::Pause, Verdict::Block { why: paused, who: Who::Person(by.clone()) }),
        judged(Check::Hold, Verdict::Block { why: held, who: Who::Person(by) }),
        judged(Check::Gate(GateKind::Lag), lag_runs()),
    ]);
    assert_snapshot!(words.explain(&decision), @r#"
    production: blocked: all of `checkout` is paused by a push from outside since 10:02 CET (4h 18m ago) until somebody resumes: "production was moved by hand"; whoever may `freeze` there can lift it: `222222222` "Fix rounding" (Marek)
      ! pause: all of `checkout` is paused by a push from outside since 10:02 CET (4h 18m ago) until somebody resumes: "production was moved by hand"; whoever may `freeze` there can lift it
      ! hold: what was taken back when `master` went from `222222222` to `111111111` is held back everywhere by a push from outside: "production was moved by hand"; whoever may `freeze` there can lift it
      ~ lag: the lag of 30m counts from 14:02 CET (18m ago), when the commit came onto `staging`; it is over at 14:32 CET (in 12m)

    To go on, say which commit FIX mends what it was held for; without `--fixed-by` everything passes again:
        towpath unhold 2222222222222222222222222222222222222222 --fixed-by FIX

    To go on, with all of `checkout`:
        towpath resume checkout
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_reason_knows_what_to_do() {
    let flow = flow();
    let words = words(&flow);
    let mut text = String::new();
    let no_token = HttpInstead::NoToken { words: String::new() };
    let no_verdict = [HttpInstead::NotJson, no_token]
        .map(|instead| Reason::Unknown(Unknown::passing(UnknownWhy::HttpGate { host: host(), instead })));
    for reason in every_reason().into_iter().chain(no_verdict) {
        let who = Who::Approvers(vec!["@release".to_owned(), "ana".to_owned()]);
        let verdict = Verdict::Block { why: reason.clone(), who };
        let decision = decided(vec![judged(Check::Gate(GateKind::Ci), verdict)]);
        for todo in words.explain(&decision).todo {
            if todo.say.starts_with("Towpath goes on") {
                continue;
            }
            text.push_str(&format!("{}: {}\n", variant(&reason), todo.say));
            todo.commands.iter().for_each(|command| text.push_str(&format!("    {command}\n")));
        }
    }
    assert_snapshot!(text, @"
    SourceAbsent: Push `staging`, which does not exist now, or mend `branch` of `staging` in the config.
    TargetAbsent: Create the branch at the commit SHA from which it is to go on, or mend `branch` of `production` in the config:
        git push origin SHA:refs/heads/master
    Diverged: Merge `master` back into `develop` with a merge commit, neither squashed nor rebased. If `develop` takes merge requests only, push the result to another branch and merge that one with a merge commit. The edge is free when that merge has come to `staging`.
        git fetch origin refs/heads/master
        git fetch origin refs/heads/develop
        git switch --detach FETCH_HEAD
        git merge --no-ff -m 'Merge master back into develop' 1111111111111111111111111111111111111111
        git push origin HEAD:refs/heads/develop
    Diverged: `555555555` was withdrawn before `staging`, so `master` is not merged back. Either let it come to `staging` again; what holds it up there is told by:
        towpath explain checkout staging
    Diverged: Or take `master` back to a commit that it held before and that is without it. Towpath does that only where `rollback = true` is set, which it is not for `production`; a person who may do so can push it.
    RequestClosed: To go on, open request 7 again on the forge, or let Towpath open a new one:
        towpath retry checkout production
    RequestClosed: To go on, open request 7 again on the forge, or let Towpath open a new one:
        towpath retry checkout production
    RequestDraft: To let it go on, mark request 7 as ready on the forge.
    ChangesRequested: Push what they asked for to `develop`, or let them take it back in request 7.
    ForPeopleToMerge: Merge request 7 on the forge: as a merge commit, not squashed or rebased.
    NoWayToMerge: Let the forge's project merge requests into `master` with a merge commit; what is set there is told by:
        towpath doctor
    NoWayToMerge: Let the forge's project merge requests into `master` with a merge commit; what is set there is told by:
        towpath doctor
    PushRefused: When the server would take it now, do not wait for the next try:
        towpath retry checkout production
    PushRefused: When the server would take it now, do not wait for the next try:
        towpath retry checkout production
    PushInDoubt: If nobody took it back, let Towpath push again:
        towpath retry checkout production
    PushInDoubt: If somebody did, hold `222222222` back first, and then let the rest go on:
        towpath hold 2222222222222222222222222222222222222222 checkout production --reason 'WHY'
        towpath retry checkout production
    PushInDoubt: If nobody took it back, let Towpath push again:
        towpath retry checkout production
    PushInDoubt: If somebody did, hold `222222222` back first, and then let the rest go on:
        towpath hold 2222222222222222222222222222222222222222 checkout production --reason 'WHY'
        towpath retry checkout production
    Paused: To go on, with every flow:
        towpath resume all
    Paused: To go on:
        towpath resume checkout production
    Frozen: To go on, with `production` of every flow:
        towpath resume production
    Held: To go on, say which commit FIX mends what it was held for; without `--fixed-by` everything passes again:
        towpath unhold 4444444444444444444444444444444444444444 --fixed-by FIX
    Held: To go on, say which commit FIX mends what it was held for; without `--fixed-by` everything passes again:
        towpath unhold 4444444444444444444444444444444444444444 checkout --fixed-by FIX
    Held: To go on, say which commit FIX mends what it was held for; without `--fixed-by` everything passes again:
        towpath unhold 1111111111111111111111111111111111111111 checkout production --fixed-by FIX
    Held: Push a commit that contains the fix to `develop`, or lift the hold altogether:
        towpath unhold 2222222222222222222222222222222222222222 checkout production
    CheckMissing: Where no forge has the result, CI reports it with:
        towpath report checkout 2222222222222222222222222222222222222222 build success --ref staging
    CheckMissing: To let CI see `222222222`, give it a branch (CI has to be set up for such branches):
        git fetch origin refs/heads/staging
        git push origin 2222222222222222222222222222222222222222:refs/heads/ci/222222222
    CheckMissing: Where no forge has the result, CI reports it with:
        towpath report checkout 2222222222222222222222222222222222222222 NAME success --ref staging
    NoCiCame: Usual causes: no CI is set up for `staging`, or the push was made with a token whose pushes start none. Run it by hand; where no forge has the result, CI reports it with:
        towpath report checkout 2222222222222222222222222222222222222222 NAME success --ref staging
    CheckRed: Mend `build` with a commit on `develop`, or run it again if it failed by chance.
    WindowClosed: Mend `gates.window` of `production`, which does not open within two years.
    NoSlot: Mend `gates.schedule` of `production`, which has no further slot.
    ApprovalsMissing: `@release` or `ana` can approve it:
        towpath approve checkout production 2222222222222222222222222222222222222222
    ApprovalsMissing: `@release` or `ana` can approve it:
        towpath approve checkout production 2222222222222222222222222222222222222222
    ApprovalsMissing: `@release` or `ana` can approve it:
        towpath approve checkout production 2222222222222222222222222222222222222222
    HttpBlocks: Towpath asks `gate.example.com` again at each look. To let `222222222` pass this gate all the same:
        towpath override http checkout production 2222222222222222222222222222222222222222 --reason 'WHY'
    HttpBlocks: Towpath asks `gate.example.com` again at each look. To let `222222222` pass this gate all the same:
        towpath override http checkout production 2222222222222222222222222222222222222222 --reason 'WHY'
    MigrationsBreak: What was found, with the lines and the way out, in a clone of the repository:
        towpath check-migrations --base 3333333333333333333333333333333333333333 --base 1111111111111111111111111111111111111111 --head 2222222222222222222222222222222222222222 --running 1111111111111111111111111111111111111111
    MigrationsBreak: To accept it as the files are now, commit to `develop`, in `.towpath/accepted.toml`, what this prints:
        towpath check-migrations --base 3333333333333333333333333333333333333333 --base 1111111111111111111111111111111111111111 --head 2222222222222222222222222222222222222222 --running 1111111111111111111111111111111111111111 --acceptances
    MigrationsBreak: To let `222222222` pass this gate all the same:
        towpath override migrations checkout production 2222222222222222222222222222222222222222 --reason 'WHY'
    MigrationsBreak: What was found, with the lines and the way out, in a clone of the repository:
        towpath check-migrations --base 1111111111111111111111111111111111111111 --head 2222222222222222222222222222222222222222
    MigrationsBreak: To accept it as the files are now, commit to `develop`, in `.towpath/accepted.toml`, what this prints:
        towpath check-migrations --base 1111111111111111111111111111111111111111 --head 2222222222222222222222222222222222222222 --acceptances
    MigrationsBreak: To let `222222222` pass this gate all the same:
        towpath override migrations checkout production 2222222222222222222222222222222222222222 --reason 'WHY'
    MigrationsBreak: What was found, with the lines and the way out, in a clone of the repository:
        towpath check-migrations --base 1111111111111111111111111111111111111111 --head 2222222222222222222222222222222222222222
    MigrationsBreak: To accept it as the files are now, commit to `develop`, in `.towpath/accepted.toml`, what this prints:
        towpath check-migrations --base 1111111111111111111111111111111111111111 --head 2222222222222222222222222222222222222222 --acceptances
    MigrationsBreak: To let `222222222` pass this gate all the same:
        towpath override migrations checkout production 2222222222222222222222222222222222222222 --reason 'WHY'
    MigrationsLacked: What was found, with the lines and the way out, in a clone of the repository:
        towpath check-migrations --base 2222222222222222222222222222222222222222 --head 3333333333333333333333333333333333333333
    MigrationsLacked: To accept it as the files are now, commit to `develop`, in `.towpath/accepted.toml`, what this prints:
        towpath check-migrations --base 2222222222222222222222222222222222222222 --head 3333333333333333333333333333333333333333 --acceptances
    MigrationsLacked: To let `222222222` pass this gate all the same:
        towpath override migrations checkout production 2222222222222222222222222222222222222222 --reason 'WHY'
    NotLookedAt: Older commits are looked at with a higher `look_back`, or ask for one of them:
        towpath promote checkout production to SHA --reason 'WHY'
    Unknown: Towpath asks `gate.example.com` again at its next look. To let `222222222` pass this gate all the same:
        towpath override http checkout production 2222222222222222222222222222222222222222 --reason 'WHY'
    Unknown: Put the token where `gates.http` of `production` says. A file is read anew at each look; the environment, only at the start.
    ");
}

#[test]
fn every_stray_has_its_advice() {
    let flow = flow();
    let words = words(&flow);
    let advice: Vec<String> = ["staging", "production"]
        .iter()
        .flat_map(|env| {
            let edge = flow.edge(&EnvName::from(*env)).expect("an edge");
            every_stray().into_iter().map(move |stray| words.stray_advice(&stray.kind, edge))
        })
        .collect();
    assert_snapshot!(advice.join("\n"), @r#"
    a fast-forward needs this very merge: merge `staging` back into `develop`, or let merge requests be the way into `staging` (`via = "merge-request"`)
    its files are on `develop`, but a fast-forward needs this very commit: merge `staging` back into `develop` with a merge commit, and do not squash promotions
    it changes nothing, but a fast-forward needs this very commit: merge `staging` back into `develop` with a merge commit
    a cherry-pick never makes a fast-forward possible: although `develop` has the change, `staging` still has to be merged back into `develop` with a merge commit
    do not merge it back: restore it on `develop`, or roll `staging` back to a commit without it
    do not merge it back: let it come from `develop` (`unhold`), or roll `staging` back to a commit without it
    nothing to do: it comes to `develop` with `111111111`, which is in `develop`
    merge `staging` back into `develop` with a merge commit, neither squashed nor rebased, so that this very commit comes along the flow
    a fast-forward needs this very merge: merge `master` back into `develop`, or let merge requests be the way into `production` (`via = "merge-request"`)
    its files are on `staging`, but a fast-forward needs this very commit: merge `master` back into `develop` with a merge commit, and do not squash promotions
    it changes nothing, but a fast-forward needs this very commit: merge `master` back into `develop` with a merge commit
    a cherry-pick never makes a fast-forward possible: although `staging` has the change, `master` still has to be merged back into `develop` with a merge commit
    do not merge it back: restore it on `staging`, or roll `master` back to a commit without it
    do not merge it back: let it come from `develop` (`unhold`), or roll `master` back to a commit without it
    nothing to do: it comes to `staging` with `111111111`, which is in `develop`
    merge `master` back into `develop` with a merge commit, neither squashed nor rebased, so that this very commit comes along the flow
    "#);
}

#[test]
fn a_hotfix_is_merged_back() {
    let flow = flow();
    let first =
        diverged("staging", vec![stray(3, StrayKind::Content), stray(6, StrayKind::CherryPick { of: commit(2) })]);
    assert_snapshot!(words(&flow).explain(&first), @r#"
    staging: blocked: `staging` has 2 commits that `develop` lacks: `333333333` "Stop the bleeding" (Ana), a change made on `staging` itself; `666666666` "Stop the bleeding" (Ana), a cherry-pick, with the change of `222222222` in another commit; whoever may push to `staging` can mend it
      ! branches: `staging` has 2 commits that `develop` lacks; whoever may push to `staging` can mend it
      ! `333333333` "Stop the bleeding" (Ana), a change made on `staging` itself: merge `staging` back into `develop` with a merge commit, neither squashed nor rebased, so that this very commit comes along the flow
      ! `666666666` "Stop the bleeding" (Ana), a cherry-pick, with the change of `222222222` in another commit: a cherry-pick never makes a fast-forward possible: although `develop` has the change, `staging` still has to be merged back into `develop` with a merge commit

    Merge `staging` back into `develop` with a merge commit, neither squashed nor rebased. If `develop` takes merge requests only, push the result to another branch and merge that one with a merge commit.
        git fetch origin refs/heads/staging
        git fetch origin refs/heads/develop
        git switch --detach FETCH_HEAD
        git merge --no-ff -m 'Merge staging back into develop' 3333333333333333333333333333333333333333
        git push origin HEAD:refs/heads/develop
    "#);
    let second = diverged("production", vec![stray(9, StrayKind::PromotionMerge)]);
    assert_snapshot!(words(&flow).explain(&second), @r#"
    production: blocked: `master` has 1 commit that `staging` lacks: `999999999` "Stop the bleeding" (Ana), a merge of `staging` with no change of its own; whoever may push to `staging` can mend it
      ! branches: `master` has 1 commit that `staging` lacks; whoever may push to `staging` can mend it
      ! `999999999` "Stop the bleeding" (Ana), a merge of `staging` with no change of its own: a fast-forward needs this very merge: merge `master` back into `develop`, or let merge requests be the way into `production` (`via = "merge-request"`)

    Merge `master` back into `develop` with a merge commit, neither squashed nor rebased. If `develop` takes merge requests only, push the result to another branch and merge that one with a merge commit. The edge is free when that merge has come to `staging`.
        git fetch origin refs/heads/master
        git fetch origin refs/heads/develop
        git switch --detach FETCH_HEAD
        git merge --no-ff -m 'Merge master back into develop' 9999999999999999999999999999999999999999
        git push origin HEAD:refs/heads/develop

    Or, if the repository's forge has merge requests and they are meant to be the way into `production`, set `via = "merge-request"` there.
    "#);
}

#[test]
fn a_squash_is_merged_where_it_changes_nothing() {
    let flow = flow();
    let squash = diverged("staging", vec![stray(8, StrayKind::Squash { of: commit(2) })]);
    assert_snapshot!(words(&flow).explain(&squash), @r#"
    staging: blocked: `staging` has 1 commit that `develop` lacks: `888888888` "Stop the bleeding" (Ana), a squashed promotion, with the files of `222222222` in another commit; whoever may push to `staging` can mend it
      ! branches: `staging` has 1 commit that `develop` lacks; whoever may push to `staging` can mend it
      ! `888888888` "Stop the bleeding" (Ana), a squashed promotion, with the files of `222222222` in another commit: its files are on `develop`, but a fast-forward needs this very commit: merge `staging` back into `develop` with a merge commit, and do not squash promotions

    Merge `staging` back into `develop` with a merge commit, neither squashed nor rebased. If `develop` takes merge requests only, push the result to another branch and merge that one with a merge commit.
        git fetch origin refs/heads/staging
        git fetch origin refs/heads/develop
        git switch --detach 2222222222222222222222222222222222222222
        git merge --no-ff -m 'Merge staging back into develop' 8888888888888888888888888888888888888888
        git switch --detach FETCH_HEAD
        git merge --no-ff -m 'Merge staging back into develop' '@{-1}'
        git push origin HEAD:refs/heads/develop
    "#);
}

#[test]
fn what_was_withdrawn_is_never_merged_back() {
    let mut flow = flow();
    for env in ["staging", "production"] {
        let all = words(&flow).explain(&diverged(env, every_stray())).to_string();
        assert!(!all.contains("HEAD:refs/heads/develop") || env == "staging", "{all}");
        assert!(!all.contains(&format!("git merge --no-ff -m 'Merge {env}")), "{all}");
    }
    flow.environments[2].rollback = true;
    let first = diverged("staging", vec![stray(5, StrayKind::Withdrawn)]);
    assert_snapshot!(words(&flow).explain(&first), @r#"
    staging: blocked: `staging` has 1 commit that `develop` lacks: `555555555` "Stop the bleeding" (Ana), withdrawn, since `develop` no longer has it; whoever may push to `staging` can mend it
      ! branches: `staging` has 1 commit that `develop` lacks; whoever may push to `staging` can mend it
      ! `555555555` "Stop the bleeding" (Ana), withdrawn, since `develop` no longer has it: do not merge it back: restore it on `develop`, or roll `staging` back to a commit without it

    `555555555` was on `develop` and was taken off it, so `staging` is not merged back. Either restore it on `develop`, if it was lost by mistake:
        git fetch origin refs/heads/staging
        git fetch origin refs/heads/develop
        git switch --detach FETCH_HEAD
        git merge --no-ff --no-edit 5555555555555555555555555555555555555555
        git push origin HEAD:refs/heads/develop

    Or take `staging` back to a commit that it held before and that is without it. Towpath does that only where `rollback = true` is set, which it is not for `staging`; a person who may do so can push it.
    "#);
    let second = diverged("production", vec![stray(5, StrayKind::Withdrawn)]);
    assert_snapshot!(words(&flow).explain(&second), @r#"
    production: blocked: `master` has 1 commit that `staging` lacks: `555555555` "Stop the bleeding" (Ana), withdrawn, since `staging` no longer has it; whoever may push to `staging` can mend it
      ! branches: `master` has 1 commit that `staging` lacks; whoever may push to `staging` can mend it
      ! `555555555` "Stop the bleeding" (Ana), withdrawn, since `staging` no longer has it: do not merge it back: restore it on `staging`, or roll `master` back to a commit without it

    `555555555` was withdrawn before `staging`, so `master` is not merged back. Either let it come to `staging` again; what holds it up there is told by:
        towpath explain checkout staging

    Or roll `master` back to a commit SHA that it held before and that is without it:
        towpath rollback checkout production to SHA --reason 'WHY'
    "#);
}

#[test]
fn what_is_on_its_way_needs_nothing() {
    let flow = flow();
    let kind = StrayKind::OnItsWay { env: "develop".into(), brought_by: commit(1) };
    let why = Reason::Diverged { commits: vec![stray(4, kind)], total: 1 };
    let on = Who::Environment("staging".into());
    let decision = stuck("production", Verdict::Wait { why, on, until: None });
    assert_snapshot!(words(&flow).explain(&decision), @r#"
    production: waits: `master` has 1 commit that `staging` lacks: `444444444` "Stop the bleeding" (Ana), on its way, since `develop` has it in `111111111`; no time is known, because the edge into `staging` has to move first
      ~ branches: `master` has 1 commit that `staging` lacks
      ~ `444444444` "Stop the bleeding" (Ana), on its way, since `develop` has it in `111111111`: nothing to do: it comes to `staging` with `111111111`, which is in `develop`

    Nothing to do: what `master` has beyond `staging` is on its way there.
    "#);
}

#[test]
fn strays_that_are_not_described_are_looked_at_first() {
    let flow = flow();
    let mut decision = diverged("staging", vec![stray(3, StrayKind::Content)]);
    let Verdict::Block { why: Reason::Diverged { total, .. }, .. } = &mut decision.verdict else { panic!() };
    *total = 51;
    assert_snapshot!(words(&flow).explain(&decision), @r#"
    staging: blocked: `staging` has 51 commits that `develop` lacks: `333333333` "Stop the bleeding" (Ana), a change made on `staging` itself; and 50 more; whoever may push to `staging` can mend it
      ! branches: `staging` has 51 commits that `develop` lacks; whoever may push to `staging` can mend it
      ! `333333333` "Stop the bleeding" (Ana), a change made on `staging` itself: merge `staging` back into `develop` with a merge commit, neither squashed nor rebased, so that this very commit comes along the flow
        and 50 more that are not listed

    First look at all 51 commits: what was withdrawn from `develop` on purpose must not be merged back.
        git fetch origin refs/heads/staging
        git fetch origin refs/heads/develop
        git log --oneline 3333333333333333333333333333333333333333..3333333333333333333333333333333333333333

    Merge `staging` back into `develop` with a merge commit, neither squashed nor rebased. If `develop` takes merge requests only, push the result to another branch and merge that one with a merge commit.
        git fetch origin refs/heads/staging
        git fetch origin refs/heads/develop
        git switch --detach FETCH_HEAD
        git merge --no-ff -m 'Merge staging back into develop' 3333333333333333333333333333333333333333
        git push origin HEAD:refs/heads/develop
    "#);
}

#[test]
fn an_unproven_commit_is_pushed_for_ci_only_where_that_counts() {
    let mut flow = flow();
    let missing = |name: &str| {
        let why = Reason::CheckMissing { name: Some(name.into()), push_tip: false, since: None };
        candidate(1, "Small one", vec![judged(Check::Gate(GateKind::Ci), Verdict::Block { why, who: Who::Ci })])
    };
    let blocked = decided(vec![judged(Check::Gate(GateKind::Ci), red())]);
    let decision = Decision { unproven: Some(missing("build")), ..blocked.clone() };
    assert_snapshot!(words(&flow).explain(&decision), @r#"
    production: blocked: check `build` is red on `staging`; whoever may push to `staging` can mend it: `222222222` "Fix rounding" (Marek)
      ! ci: check `build` is red on `staging`; whoever may push to `staging` can mend it
        older: `111111111` "Small one" (Marek) passes everything but CI, which never ran for it because it never was a branch's tip

    Mend `build` with a commit on `develop`, or run it again if it failed by chance.

    To let CI see `111111111`, give it a branch (CI has to be set up for such branches):
        git fetch origin refs/heads/staging
        git push origin 1111111111111111111111111111111111111111:refs/heads/ci/111111111
    "#);
    let decision = Decision { unproven: Some(missing("deploy")), ..blocked.clone() };
    let todo = words(&flow).explain(&decision).todo;
    assert!(todo.iter().flat_map(|t| &t.commands).all(|c| !c.contains("refs/heads/ci/")), "{todo:?}");
    flow.environments[2].gates.clear();
    let todo = words(&flow).explain(&decision).todo;
    assert!(todo.iter().flat_map(|t| &t.commands).any(|c| c.contains("refs/heads/ci/")), "{todo:?}");
}

#[test]
fn promote_is_offered_only_where_it_would_move_the_commit() {
    let mut flow = flow();
    let offers = |flow: &Flow, judgements: Vec<Judged>| {
        let todo = words(flow).explain(&decided(judgements)).todo;
        todo.iter().flat_map(|t| &t.commands).any(|c| c.starts_with("towpath promote"))
    };
    let lag = || judged(Check::Gate(GateKind::Lag), lag_runs());
    assert!(offers(&flow, vec![lag()]));
    assert!(!offers(&flow, vec![lag(), judged(Check::Gate(GateKind::Ci), red())]));
    let why = every_reason().into_iter().find(|r| matches!(r, Reason::Frozen { .. })).expect("one");
    assert!(!offers(&flow, vec![lag(), judged(Check::Freeze, Verdict::Block { why, who: Who::Operator })]));
    flow.environments[2].mode = Mode::Observe;
    assert!(!offers(&flow, vec![lag()]));
}

#[test]
fn an_http_gate_that_was_not_asked_is_not_forgotten() {
    let mut flow = flow();
    flow.environments[2].gates.push(Gate::Http(HttpGate { url: "https://gate.example.com/x".to_owned() }));
    let words = words(&flow);
    assert_snapshot!(words.explain(&decided(vec![judged(Check::Gate(GateKind::Lag), lag_runs())])), @r#"
    production: waits for the lag of 30m: `222222222` "Fix rounding" (Marek) may enter at 14:32 CET (in 12m)
      ~ lag: the lag of 30m counts from 14:02 CET (18m ago), when the commit came onto `staging`; it is over at 14:32 CET (in 12m)
        http: `gate.example.com` is asked once nothing else stands in the way

    Nothing to do: Towpath goes on by itself.

    To let `222222222` in at once all the same, if `gate.example.com` lets it pass:
        towpath promote checkout production to 2222222222222222222222222222222222222222 --reason 'WHY'
    "#);
    let why = Reason::HttpBlocks { host: host(), words: "no ticket is named".to_owned() };
    let blocks = Verdict::Block { why, who: Who::Service(host()) };
    assert_snapshot!(words.explain(&decided(vec![judged(Check::Gate(GateKind::Http), blocks)])), @r#"
    production: blocked: `gate.example.com` does not let it pass: "no ticket is named"; whoever runs `gate.example.com` can mend it: `222222222` "Fix rounding" (Marek)
      ! http: `gate.example.com` does not let it pass: "no ticket is named"; whoever runs `gate.example.com` can mend it

    Towpath asks `gate.example.com` again at each look. To let `222222222` pass this gate all the same:
        towpath override http checkout production 2222222222222222222222222222222222222222 --reason 'WHY'
    "#);
    let why = UnknownWhy::HttpGate { host: host(), instead: HttpInstead::Status { status: 503 } };
    let unknown = Verdict::unknown(Unknown::passing(why));
    assert_snapshot!(words.explain(&decided(vec![judged(Check::Gate(GateKind::Http), unknown)])), @r#"
    production: waits: `gate.example.com` answered with status 503, and a verdict comes with 200 only: `222222222` "Fix rounding" (Marek); Towpath looks again by itself
      ~ http: `gate.example.com` answered with status 503, and a verdict comes with 200 only; Towpath looks again by itself

    Towpath asks `gate.example.com` again at its next look. To let `222222222` pass this gate all the same:
        towpath override http checkout production 2222222222222222222222222222222222222222 --reason 'WHY'
    "#);
}

fn coming(n: u8, author: &str, subject: &str) -> Coming {
    let (author, subject) = (author.to_owned(), subject.to_owned());
    Coming { id: commit(n), author, email: "m@example.com".to_owned(), co_authors: Vec::new(), subject }
}

fn with(commit: Coming, others: &[&str]) -> Coming {
    let other = |name: &&str| CoAuthor { name: (*name).to_owned(), email: "o@example.com".to_owned() };
    Coming { co_authors: others.iter().map(other).collect(), ..commit }
}

fn heads_up(commits: Vec<Coming>, more: u32) -> Event {
    let at = local(11, 21, 14, 32);
    Event::HeadsUp { commits, more, newest: commit(3), old: commit(1), at, instead_of: None }
}

/// One of each, some in several ways.
fn blocked(commit: Option<CommitId>, why: Reason) -> Event {
    let verdict = Box::new(Verdict::Block { why, who: Who::Pushers("develop".into()) });
    Event::Blocked { commit, verdict, since: local(11, 21, 9, 5) }
}

fn events() -> Vec<Event> {
    let (lost, kept) = (commit(2), commit(1));
    vec![
        Event::Landed { kind: MoveKind::FastForward, old: kept, new: lost },
        Event::Landed { kind: MoveKind::Rollback, old: lost, new: kept },
        Event::Moved { old: kept, new: lost },
        Event::Rewound { lost, kept, hold: Some("h1".into()), paused: true },
        Event::Rewound { lost, kept, hold: Some("h1".into()), paused: false },
        Event::PutBack { lost, now: commit(3) },
        Event::Withdrawn { lost, kept },
        Event::Refused {
            kind: MoveKind::FastForward,
            new: lost,
            words: "remote: protected\n\nremote: ask `admin`\u{1b}[2J\n".to_owned(),
        },
        Event::Refused { kind: MoveKind::FastForward, new: lost, words: String::new() },
        Event::EndsSoon {
            kind: PauseKind::Freeze,
            scope: Scope::Flow("checkout".into()),
            by: "os:ana@laptop".into(),
            reason: "the till is down".to_owned(),
            until: local(11, 21, 14, 32),
        },
        Event::Refused { kind: MoveKind::Rollback, new: lost, words: String::new() },
        Event::CalledOff { old: commit(3), new: lost, why: Box::new(Reason::OrderGone) },
        Event::Overtaken { new: lost, now: commit(3) },
        Event::Behind { oldest: lost, since: local(11, 21, 9, 5) },
        Event::CaughtUp { oldest: lost, since: local(11, 21, 9, 5) },
        blocked(
            Some(lost),
            Reason::CheckRed {
                name: "build \u{1b}[2J`".into(),
                on: Some("develop".into()),
                url: Some("https://ci.example.com/7".to_owned()),
            },
        ),
        blocked(None, Reason::TargetAbsent { branch: "master".into() }),
        Event::Unblocked { since: local(11, 21, 9, 5) },
        heads_up(vec![coming(3, "Marek", "Fix invoice rounding")], 0),
        heads_up(vec![coming(3, "Marek", "Fix invoice rounding"), coming(2, "", " ")], 7),
        heads_up(
            vec![
                with(coming(3, "Marek", "Fix invoice rounding"), &["Ana", "marek", "renovate[bot]", "ANA", " "]),
                with(coming(2, "", "Dark menu"), &["Ana\u{1b}[31m`x`", "\u{202e}Bo"]),
                with(coming(1, "Cy", "Squash"), &["A", "B", "C", "D", "E"]),
            ],
            0,
        ),
        Event::TakenBack {
            newest: commit(3),
            at: local(11, 21, 14, 32),
            why: Box::new(Reason::Held {
                hold: "h1".into(),
                what: Held::Commit(lost),
                flow: Some("checkout".into()),
                env: Some("production".into()),
                by: "marek".into(),
                reason: "not `today`\u{1b}[2J".to_owned(),
                fixed_by: None,
            }),
        },
    ]
}

#[test]
fn every_event_has_a_sentence() {
    let flow = flow();
    let words = words(&flow);
    let lines: Vec<String> = events().iter().map(|event| words.event(&"production".into(), event)).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    Towpath moved `master` from `111111111` to `222222222`
    `master` was rolled back from `222222222` to `111111111`; what was taken back is held and the edge is paused. To go again: `towpath unhold 2222222222222222222222222222222222222222 checkout production --fixed-by FIX` (FIX is the commit that mends it) and then `towpath resume checkout production`
    Somebody moved `master` forward from `111111111` to `222222222`
    Somebody moved `master` from `222222222` to `111111111`, which does not contain it; Towpath holds what was lost and paused the edge. To go again: `towpath unhold 2222222222222222222222222222222222222222 checkout production --fixed-by FIX` (FIX is the commit that mends it) and then `towpath resume checkout production`
    Somebody moved `master` from `222222222` to `111111111`, which does not contain it; Towpath only observes here, so it pauses nothing, but it holds what was lost
    `master` is at `333333333`, which contains `222222222` again: what its loss had stopped is no longer held or paused
    Somebody moved `master` from `222222222` to `111111111`; the commits that it no longer has count as withdrawn, and those that are in a later environment are reported there
    The push of `222222222` to `master` was refused; Towpath tries again by itself. The server said:
    > remote: protected
    > remote: ask 'admin'\x1b[2J
    The push of `222222222` to `master` was refused; Towpath tries again by itself
    The freeze of all of `checkout` by `os:ana@laptop` ends by itself at 14:32 CET (in 12m): "the till is down". To keep it, order it again with `--for` or `--until`
    The rollback of `master` to `222222222` was refused; Towpath does not try again, what it was to take back is held, and the edge stays paused
    The rollback of `master` to `222222222` was not begun; Towpath does not try again, what it was to take back is held, and the edge stays paused. The `promote` or `override` that it rested on was spent or over. To leave the branch where it is: `towpath unhold 3333333333333333333333333333333333333333 checkout production` and then `towpath resume checkout production`
    `master` is at `333333333`, which contains `222222222`: somebody else moved it, so Towpath counts no move of its own
    `master` is behind: `222222222` has waited for it since 09:05 CET (5h 15m ago)
    `master` is no longer behind: `222222222` had waited since 09:05 CET (5h 15m ago)
    `master` has been blocked since 09:05 CET (5h 15m ago): check `build \x1b[2J'` is red on `develop` <https://ci.example.com/7>; whoever may push to `develop` can mend it. Next would be `222222222`. What to do: `towpath explain checkout production`
    `master` has been blocked since 09:05 CET (5h 15m ago): the target branch `master` does not exist, and Towpath never creates one; whoever may push to `develop` can mend it. What to do: `towpath explain checkout production`
    `master` is no longer blocked: it had been since 09:05 CET (5h 15m ago)
    At 14:32 CET (in 12m), 1 commit goes to `production` (`master`): `333333333` "Fix invoice rounding" (Marek). To stop one and all that contain it: `towpath hold SHA checkout production --reason 'WHY'`
    At 14:32 CET (in 12m), 9 commits go to `production` (`master`): `333333333` "Fix invoice rounding" (Marek) · `222222222` · and 7 more. To stop one and all that contain it: `towpath hold SHA checkout production --reason 'WHY'`
    At 14:32 CET (in 12m), 3 commits go to `production` (`master`): `333333333` "Fix invoice rounding" (Marek with Ana) · `222222222` "Dark menu" (Ana\x1b[31m'x', \u{202e}Bo) · `111111111` "Squash" (Cy with A, B, C and 2 more). To stop one and all that contain it: `towpath hold SHA checkout production --reason 'WHY'`
    What was to go to `production` (`master`) at 14:32 CET (in 12m), up to `333333333`, does not go then: `222222222` with everything that contains it is held back from `production` by `marek`: "not 'today'\x1b[2J"
    "#);
}

#[test]
fn a_heads_up_says_when_how_many_and_where_without_its_commits() {
    let flow = flow();
    let words = words(&flow);
    let said = |commits, more| words.announcement(&"production".into(), &heads_up(commits, more)).unwrap();
    let stop =
        "To stop one and all that contain it: `towpath hold SHA checkout production --reason 'WHY'`".to_owned();
    assert_eq!(
        said(vec![coming(3, "Marek", "Fix")], 0),
        ("At 14:32 CET (in 12m), 1 commit of `checkout` goes to `production` (`master`)".to_owned(), stop.clone())
    );
    assert_eq!(
        said(vec![coming(3, "Marek", "Fix"), coming(2, "Ana", "Menu")], 7),
        ("At 14:32 CET (in 12m), 9 commits of `checkout` go to `production` (`master`)".to_owned(), stop)
    );
    let moved = Event::Moved { old: commit(1), new: commit(2) };
    assert_eq!(words.announcement(&"production".into(), &moved), None);
}

#[test]
fn every_state_of_an_intent_has_a_sentence() {
    let flow = flow();
    let words = words(&flow);
    let wall = local(11, 21, 14, 5);
    let row = |state, kind| IntentRow {
        id: "i1".into(),
        flow: "checkout".into(),
        env: "production".into(),
        branch: "master".into(),
        kind,
        old: commit(1),
        new: commit(2),
        policy: "p".into(),
        attempt: 0,
        by: "os:ana@laptop".into(),
        reason: None,
        promote: None,
        overrides: vec![],
        holds: vec![],
        state,
        saved: Now { wall, trusted: Trusted(0) },
        deadline: None,
        words: matches!(state, IntentState::Refused).then(|| "remote: no\nremote: never".to_owned()),
        merge: None,
    };
    let states = [
        IntentState::Saved,
        IntentState::Pushing,
        IntentState::Landed,
        IntentState::Overtaken,
        IntentState::Superseded,
        IntentState::Refused,
        IntentState::Abandoned,
    ];
    let mut lines: Vec<String> = states.map(|state| words.intent(&row(state, MoveKind::FastForward))).to_vec();
    lines.push(words.intent(&row(IntentState::Landed, MoveKind::Rollback)));
    let places = [
        Place::Old,
        Place::New,
        Place::Beyond(commit(3)),
        Place::Aside(commit(3)),
        Place::Elsewhere(commit(3)),
        Place::Absent,
        Place::Unknown,
    ];
    let whys = places.map(Why::Moved).into_iter().chain([Why::Forgotten, Why::Judged(Reason::ConfigChanged)]);
    lines.extend(whys.map(|why| words.superseded(&"production".into(), &why)));
    assert_snapshot!(lines.join("\n"), @"
    The move of `master` from `111111111` to `222222222` was decided at 14:05 CET (15m ago) and is about to begin
    The move of `master` from `111111111` to `222222222` began at 14:05 CET (15m ago) and may still land
    The move of `master` from `111111111` to `222222222` landed
    The move of `master` from `111111111` to `222222222` was overtaken: the branch was already further
    The move of `master` from `111111111` to `222222222` was not begun or has no effect; it is decided afresh
    The move of `master` from `111111111` to `222222222` was refused
    > remote: no
    > remote: never
    The move of `master` from `111111111` to `222222222` was given up, because there was no answer and the branch had not moved in time
    The rollback of `master` from `111111111` to `222222222`, ordered by `os:ana@laptop`, landed
    `master` was moved by somebody else while it was pushed, and is back
    `master` is there already
    `master` has moved on to `333333333`
    `master` has moved on to `333333333`
    `master` was moved to `333333333`, which does not contain where it was
    `master` no longer exists
    It cannot be told where `master` is
    The process that decided on it ended before the push began
    The config changed between the decision and the push
    ");
}

#[test]
fn times_are_absolute_with_zone_and_relative() {
    let flow = flow();
    let words = words(&flow);
    let times = [
        local(11, 21, 14, 32),
        local(11, 21, 10, 2),
        local(11, 21, 14, 20),
        Instant(local(11, 21, 14, 20).0 - 999),
        Instant(local(11, 21, 14, 20).0 - 61_500),
        Instant(local(11, 21, 14, 20).0 + 1),
        local(11, 23, 9, 0),
        local(11, 20, 23, 59),
        local(12, 31, 23, 59),
        Instant(local(12, 31, 23, 59).0 + 60_000),
        Instant(i64::MAX),
        Instant(i64::MIN),
    ];
    assert_snapshot!(times.map(|at| words.at(at)).join("\n"), @"
    14:32 CET (in 12m)
    10:02 CET (4h 18m ago)
    14:20 CET (now)
    14:19 CET (now)
    14:18 CET (1m ago)
    14:20 CET (in 1s)
    Mon 23 Nov 09:00 CET (in 1d 18h)
    Fri 20 Nov 23:59 CET (14h 21m ago)
    Thu 31 Dec 23:59 CET (in 40d 9h)
    Fri 1 Jan 2027 00:00 CET (in 40d 9h)
    9223372036854775807 ms since 1970
    -9223372036854775808 ms since 1970
    ");
}

#[test]
fn the_hour_that_comes_twice_is_told_apart() {
    let flow = flow();
    let first =
        Instant(Warsaw.with_ymd_and_hms(2026, 10, 25, 2, 30, 0).earliest().expect("a time").timestamp_millis());
    let hour = Span::from_mins(60);
    let words = Words { now: Instant(first.0 - hour.ms()), ..words(&flow) };
    let times = [words.now, first, first + hour, first + hour + hour];
    assert_snapshot!(times.map(|at| words.at(at)).join("\n"), @"
    01:30 CEST (now)
    02:30 CEST (in 1h)
    02:30 CET (in 2h)
    03:30 CET (in 3h)
    ");
    let utc = Words { zone: Tz::UTC, ..words };
    assert_snapshot!(utc.at(first), @"Sun 25 Oct 00:30 UTC (in 1h)");
}

/// Control characters, directions, line ends, invisible ones, quotes and shell syntax.
const HOSTILE: &str = "\u{1b}[2J$(id);`id`\"'\u{202e}\r\n\u{2028}\u{200b}\u{85}\0\u{e0041}a\\|&<b>";

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn hostile_texts_come_out_inert_and_on_one_line() {
    let mut flow = flow();
    flow.repository = HOSTILE.to_owned();
    for environment in &mut flow.environments {
        environment.branch = BranchName::new(format!("{}{HOSTILE}", environment.name));
    }
    let words = Words { remote_word: HOSTILE, ..words(&flow) };
    let hostile = || CompatFinding {
        rule: HOSTILE.to_owned(),
        object: HOSTILE.to_owned(),
        path: HOSTILE.to_owned(),
        message: HOSTILE.to_owned(),
        used_at: Some(HOSTILE.to_owned()),
        ..finding(true, true)
    };
    let text = || HOSTILE.to_owned();
    let by = || Actor::from(HOSTILE);
    let at = local(11, 21, 10, 2);
    let strays: Vec<Stray> =
        every_stray().into_iter().map(|stray| Stray { author: text(), subject: text(), ..stray }).collect();
    let gate = |instead| Unknown::lasting(UnknownWhy::HttpGate { host: text(), instead });
    let reasons = [
        Reason::SourceAbsent { branch: HOSTILE.into() },
        Reason::TargetAbsent { branch: HOSTILE.into() },
        Reason::Unknown(Unknown::lasting(UnknownWhy::Unreachable { words: text() })),
        Reason::Unknown(Unknown::passing(UnknownWhy::Limited { until: at, words: text() })),
        Reason::Diverged { commits: strays.clone(), total: 9 },
        Reason::PushRefused { words: text(), count: 2 },
        Reason::Paused {
            scope: Scope::Flow(text().as_str().into()),
            by: by(),
            reason: text(),
            at,
            until: Until::Resumed,
            keeps_back: false,
        },
        Reason::Held {
            hold: "h".into(),
            what: Held::Commit(commit(1)),
            flow: Some(text().as_str().into()),
            env: Some(text().as_str().into()),
            by: by(),
            reason: text(),
            fixed_by: None,
        },
        Reason::Overridden { by: by(), reason: text() },
        Reason::CheckRed { name: HOSTILE.into(), on: Some(HOSTILE.into()), url: Some(text()) },
        Reason::CheckMissing { name: Some(HOSTILE.into()), push_tip: false, since: None },
        Reason::NoCiCame { name: Some(HOSTILE.into()), since: at, after: Span::from_mins(1) },
        Reason::LagNotBegun { check: HOSTILE.into() },
        Reason::HttpPasses { host: text(), words: text() },
        Reason::HttpWaits { host: text(), words: text() },
        Reason::HttpBlocks { host: text(), words: text() },
        Reason::MigrationsBreak {
            env: HOSTILE.into(),
            running: commit(1),
            finding: Some(hostile()),
            more: 1,
            has: vec![],
            kept_out: Some(KeptOut {
                commit: commit(2),
                why: Box::new(Reason::HttpBlocks { host: text(), words: text() }),
            }),
        },
        Reason::MigrationsWait { finding: hostile(), still: vec![], behind: 0 },
        Reason::MigrationsLacked { had: commit(1), finding: Some(hostile()), more: 0 },
        Reason::Unknown(Unknown::passing(UnknownWhy::Migrations { words: text() })),
        Reason::Unknown(gate(HttpInstead::Nothing { words: text() })),
        Reason::Unknown(gate(HttpInstead::Malformed { words: text() })),
        Reason::Unknown(gate(HttpInstead::UnknownVerdict { word: text() })),
        Reason::Unknown(gate(HttpInstead::NoToken { words: text() })),
        Reason::ApprovalsMissing {
            have: 0,
            need: 1,
            not_counted: vec![
                NotCounted { by: by(), why: NotCountedWhy::Author, stranger: None },
                NotCounted {
                    by: by(),
                    why: NotCountedWhy::AuthorUnknown,
                    stranger: Some(Stranger { commit: commit(3), email: Some(text()), co_author: true }),
                },
            ],
        },
    ];
    let whos = [
        Who::Pushers(HOSTILE.into()),
        Who::Approvers(vec![text()]),
        Who::Person(by()),
        Who::Remote,
        Who::Operator,
        Who::Service(text()),
    ];
    let mut lines = Vec::new();
    for reason in reasons {
        for who in &whos {
            let block = Verdict::Block { why: reason.clone(), who: who.clone() };
            let wait = Verdict::Wait { why: reason.clone(), on: who.clone(), until: None };
            for verdict in [block, wait] {
                let mut decision = decided(vec![judged(Check::Hold, verdict.clone())]);
                decision.lead.as_mut().expect("one").subject = text();
                decision.lead.as_mut().expect("one").author = text();
                decision.beside = decision.lead.clone().into_iter().collect();
                decision.unproven = decision.lead.clone();
                let edge_alone = Decision { lead: None, env: "staging".into(), verdict, ..decision.clone() };
                for said in [words.explain(&decision), words.explain(&edge_alone)] {
                    lines.push(said.headline);
                    lines.extend(said.lines.into_iter().map(|line| line.text));
                    for todo in said.todo {
                        lines.push(todo.say);
                        lines.extend(todo.commands);
                    }
                }
            }
        }
    }
    for kind in strays.into_iter().map(|stray| stray.kind) {
        let one = Stray { author: text(), subject: text(), ..stray(3, kind) };
        let said = words.explain(&diverged("staging", vec![one]));
        lines.extend(said.todo.into_iter().flat_map(|todo| todo.commands));
    }
    let many = (0..10).map(|n| coming(n, HOSTILE, HOSTILE)).collect();
    lines.push(words.event(&"production".into(), &heads_up(many, u32::MAX)));
    let refused = words.event(
        &"production".into(),
        &Event::Refused { kind: MoveKind::FastForward, new: commit(1), words: text() },
    );
    lines.extend(refused.lines().map(str::to_owned));
    for line in lines {
        assert!(!line.chars().any(inert::acts), "{line:?}");
        let is_command = line.starts_with("git ") || line.starts_with("towpath ");
        assert!(is_command || line.matches('`').count() % 2 == 0, "{line}");
        assert!(line.chars().count() < 2_500, "{line}");
    }
}

#[test]
fn a_heads_up_says_who_may_refuse_and_a_command_that_is_read() {
    let mut flow = flow();
    flow.environments[2].gates.push(Gate::Http(HttpGate { url: "https://gate.example.com/x".to_owned() }));
    let said = words(&flow).event(&"production".into(), &heads_up(vec![coming(3, "Marek", "Fix")], 0));
    assert_snapshot!(said, @r#"At 14:32 CET (in 12m), 1 commit goes to `production` (`master`) unless `gate.example.com` refuses: `333333333` "Fix" (Marek). To stop one and all that contain it: `towpath hold SHA checkout production --reason 'WHY'`"#);
    let command = said.rsplit('`').nth(1).and_then(|command| command.strip_prefix("towpath ")).expect("a command");
    let parsed = crate::command::Command::parse(&command.replace("SHA", &commit(3).to_string()));
    assert!(parsed.is_ok(), "{command}: {parsed:?}");
}

#[test]
fn every_command_of_ours_is_one_that_towpath_reads() {
    let mut flow = flow();
    flow.environments[2].rollback = true;
    let words = words(&flow);
    let mut read = BTreeSet::new();
    for reason in every_reason()
        .into_iter()
        .chain([Reason::Diverged { commits: vec![stray(5, StrayKind::Withdrawn)], total: 1 }])
        .chain(every_unknown().into_iter().map(|why| Reason::Unknown(Unknown::passing(why))))
    {
        let judged = vec![judged(Check::Gate(GateKind::Lag), Verdict::Block { why: reason, who: Who::Ci })];
        let said = words.explain(&decided(judged.clone()));
        let alone = words.explain(&Decision { lead: None, ..decided(judged) });
        for command in said.todo.into_iter().chain(alone.todo).flat_map(|todo| todo.commands) {
            let Some(command) = command.strip_prefix("towpath ") else { continue };
            if ["explain ", "check-migrations "].iter().any(|verb| command.starts_with(verb)) || command == "doctor"
            {
                continue;
            }
            let whole = commit(1).to_string();
            let filled = command.replace("SHA", &whole).replace("FIX", &whole);
            let parsed = crate::command::Command::parse(&filled);
            assert!(parsed.is_ok(), "{filled}: {parsed:?}");
            read.insert(filled.split(' ').next().expect("a verb").to_owned());
        }
    }
    let verbs: Vec<&str> = read.iter().map(String::as_str).collect();
    assert_eq!(
        verbs,
        ["approve", "hold", "override", "promote", "report", "resume", "retry", "rollback", "unhold"]
    );
}

#[test]
fn words_for_a_shell() {
    let texts = ["", "master", "refs/heads/a", "$(id)", "a;b", "it's", "-x", "~root", "a b", HOSTILE];
    assert_snapshot!(texts.map(shell_word).join("\n"), @r#"
    ''
    master
    refs/heads/a
    '$(id)'
    'a;b'
    'it'\''s'
    '-x'
    '~root'
    'a b'
    $'\033[2J$(id);`id`"\'\342\200\256\015\012\342\200\250\342\200\213\302\205\000\363\240\201\201a\\|&<b>'
    "#);
}

#[test]
fn no_line_ends_with_a_full_stop_behind_a_commit_id() {
    let flow = flow();
    let words = words(&flow);
    for reason in every_reason() {
        let verdict = Verdict::Block { why: reason, who: Who::Operator };
        for decision in [decided(vec![judged(Check::Hold, verdict.clone())]), stuck("staging", verdict)] {
            for line in words.explain(&decision).to_string().lines() {
                let tail: String = line.chars().rev().skip_while(|c| "`.".contains(*c)).take(9).collect();
                let hex = tail.len() == 9 && tail.chars().all(|c| c.is_ascii_hexdigit());
                assert!(!(hex && line.ends_with('.')), "{line}");
            }
        }
    }
}

#[test]
fn plural_forms() {
    assert_eq!(count(0, "commit", "commits"), "0 commits");
    assert_eq!(count(1, "commit", "commits"), "1 commit");
    assert_eq!(count(2, "commit", "commits"), "2 commits");
    let names = |n: usize| list(["a", "b", "c"].iter().take(n).map(|s| (*s).to_owned()), "and");
    assert_eq!([names(0), names(1), names(2), names(3)], ["", "a", "a and b", "a, b and c"]);
}

/// Who ordered something may not be who may undo it: the right is named, not the person.
#[test]
fn what_is_said_of_who_can_lift_it_is_the_right_that_it_takes() {
    let flow = flow();
    let words = words(&flow);
    let (at, until, reason) = (local(11, 21, 10, 2), Until::Resumed, "r".to_owned());
    let by = Actor::from("marek");
    let scope = || Scope::Edge("checkout".into(), "production".into());
    let paused = |keeps_back| Reason::Paused {
        scope: scope(),
        by: by.clone(),
        reason: reason.clone(),
        at,
        until,
        keeps_back,
    };
    let held = |what| Reason::Held {
        hold: "h".into(),
        what,
        flow: Some("checkout".into()),
        env: Some("production".into()),
        by: by.clone(),
        reason: reason.clone(),
        fixed_by: None,
    };
    let closed =
        |by: Option<Actor>| Reason::RequestClosed { number: 7, url: "https://forge.example/7".to_owned(), by };
    let somebody = Actor::from(crate::see::SOMEBODY);
    for (why, by, wanted) in [
        (paused(false), &by, "whoever may `resume` there can lift it"),
        (paused(true), &by, "whoever may `freeze` there can lift it"),
        (
            Reason::Frozen { scope: scope(), by: by.clone(), reason: reason.clone(), at, until },
            &by,
            "whoever may `freeze` there can lift it",
        ),
        (held(Held::Commit(commit(1))), &by, "whoever may `unhold` there can lift it"),
        (held(Held::Range { lost: commit(2), kept: commit(1) }), &by, "whoever may `freeze` there can lift it"),
        (
            Reason::PushInDoubt { old: commit(1), to: commit(2), words: String::new() },
            &somebody,
            "whoever may `retry` there can lift it",
        ),
        (closed(Some(by.clone())), &by, "`marek` or whoever may `retry` there can lift it"),
        (closed(None), &somebody, "whoever may `retry` there can lift it"),
    ] {
        let said = words.verdict(&Verdict::Block { why, who: Who::Person(by.clone()) });
        let end = said.rsplit("; ").next().unwrap_or_default();
        assert_eq!(end, wanted, "{said}");
    }
}
