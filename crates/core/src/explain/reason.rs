//! The table: a clause for each reason, what a wait is for, and how it ends.
//!
//! Clauses begin with a small letter and have no full stop, so that they stand after `ci: `.

use super::inert::{name, quote, shown};
use super::{REASON_MAX, Words, count, id, list};
use crate::model::{
    Actor, BranchName, CheckName, Edge, Gate, GateKind, Held, HttpInstead, Instant, KeptOut, LagFrom, LagGate,
    NotCounted, NotCountedWhy, Pause, PauseKind, Reason, Scope, Stranger, Unknown, UnknownWhy, Until, Who,
};
use crate::text::one_line;

impl Words<'_> {
    /// A reason as a clause, on an edge if that is known.
    #[expect(clippy::too_many_lines, reason = "the one table of reasons")]
    pub(super) fn clause(&self, reason: &Reason, edge: Option<Edge<'_>>) -> String {
        let (source, target) = (source(edge), target(edge));
        match reason {
            Reason::UpToDate => format!("{target} has everything that {source} has"),
            Reason::Ready => "every check passes".to_owned(),
            Reason::Nothing => "nothing stands in the way".to_owned(),
            Reason::SourceAbsent { branch } => {
                format!("the source branch {} does not exist", name(branch.as_str()))
            }
            Reason::TargetAbsent { branch } => {
                format!("the target branch {} does not exist, and Towpath never creates one", name(branch.as_str()))
            }
            Reason::Unknown(unknown) => self.unknown_clause(unknown),
            Reason::Diverged { commits, total } => self.diverged(commits, *total, edge),
            Reason::RequestOpen { number, url } => format!("request {number} is for this commit{}", page(url)),
            Reason::NotProposed { open: None } => "no request is open for it yet".to_owned(),
            Reason::NotProposed { open: Some(number) } => {
                format!("request {number} is open for another commit, or the forge does not yet show this one")
            }
            Reason::ForeignHead { number, head } => format!(
                "somebody else moved the branch of request {number} to {}, which is never merged; Towpath puts it back",
                id(*head)
            ),
            Reason::RequestClosed { number, url, by } => {
                let by = by.as_ref().map_or_else(|| "somebody".to_owned(), |by| self.actor(by));
                format!("{by} closed request {number} without merging it{}", page(url))
            }
            Reason::RequestDraft { number } => format!("somebody marked request {number} as a draft"),
            Reason::ChangesRequested { number, by } => {
                let by = list(by.iter().map(|by| self.actor(by)), "and");
                format!("{by} asked for changes in request {number}")
            }
            Reason::ForPeopleToMerge { number, url } => {
                format!("every gate passes, and people merge here themselves: request {number}{}", page(url))
            }
            Reason::NoWayToMerge { fast_forward: true } => format!(
                "the forge lets requests into {target} be merged by fast-forward only, and the commit does not contain {target}"
            ),
            Reason::NoWayToMerge { fast_forward: false } => {
                format!("the forge lets requests into {target} be merged in no way that keeps the commit as it is")
            }
            Reason::InFlight { to, .. } => format!("a push of {} to {target} has begun and may still land", id(*to)),
            Reason::PushRefused { words, count } => {
                let again = if *count > 1 { format!(" ({count} times in a row)") } else { String::new() };
                format!("the push of this commit failed{again}: {}", said(words))
            }
            Reason::PushInDoubt { old, to, words } => {
                let answer = match words.is_empty() {
                    true => "it had no answer".to_owned(),
                    false => format!("the answer was {}", said(words)),
                };
                format!(
                    "whether the push of {} landed is not known ({answer}), and {target} is at {}, where it was before or \
                     where somebody took it back to",
                    id(*to),
                    id(*old)
                )
            }
            Reason::Paused { scope, by, reason, at, until, .. } => {
                format!("{} is paused {}", self.scope(scope), self.stopped(by, reason, *at, *until))
            }
            Reason::Frozen { scope, by, reason, at, until } => {
                format!("{} is frozen {}", self.scope(scope), self.stopped(by, reason, *at, *until))
            }
            Reason::Held { what, flow, env, by, reason, fixed_by, .. } => {
                let from = match (flow, env) {
                    (None, None) => "back everywhere ".to_owned(),
                    (None, Some(env)) => format!("back from {} of every flow ", name(env.as_str())),
                    (Some(_), None) => format!("back from every environment of {} ", name(self.flow.name.as_str())),
                    (Some(_), Some(env)) => format!("back from {} ", name(env.as_str())),
                };
                let what = match what {
                    Held::Commit(commit) => format!("{} with everything that contains it", id(*commit)),
                    Held::Range { lost, kept } => {
                        format!("what was taken back when {target} went from {} to {}", id(*lost), id(*kept))
                    }
                };
                let fix = fixed_by.map(|fix| format!("; only a commit that contains {} may pass", id(fix)));
                let (by, reason) = (self.actor(by), quote(reason, REASON_MAX));
                format!("{what} is held {from}by {by}: {reason}{}", fix.unwrap_or_default())
            }
            Reason::Promoted { by, until } => {
                format!("passed by the `promote` of {}, which stands until {}", self.actor(by), self.at(*until))
            }
            Reason::Overridden { by, reason } => {
                format!("passed by the `override` of {}: {}", self.actor(by), quote(reason, REASON_MAX))
            }
            Reason::ChecksGreen { count: 0 } => "no check is required".to_owned(),
            Reason::ChecksGreen { count: 1 } => "the required check is green".to_owned(),
            Reason::ChecksGreen { count: 2 } => "both required checks are green".to_owned(),
            Reason::ChecksGreen { count } => format!("all {count} required checks are green"),
            Reason::CheckMissing { name, push_tip, since } => {
                let there = since.map(|at| format!("; the commit has been on {source} since {}", self.at(at)));
                match push_tip {
                    true => format!("{} yet{}", no_result(name.as_ref()), there.unwrap_or_default()),
                    false => format!(
                        "{}, and CI usually does not run for it: it was never pushed as the tip of a branch",
                        no_result(name.as_ref())
                    ),
                }
            }
            Reason::NoCiCame { name, since, after } => format!(
                "{}, although the commit has been on {source} since {}; after {after} that counts as never coming",
                no_result(name.as_ref()),
                self.at(*since)
            ),
            Reason::CheckRunning { name: check, on } => format!("{} has not finished{}", self.check(check), on_branch(on)),
            Reason::CheckRed { name: check, on, url } => {
                let more = url.as_ref().map(|url| page(url)).unwrap_or_default();
                format!("{} is red{}{more}", self.check(check), on_branch(on))
            }
            Reason::LagOver { since } => match lag(edge) {
                Some(lag) => format!("the lag of {} is over; it counted from {}", lag.length, self.at(*since)),
                None => format!("the lag is over; it counted from {}", self.at(*since)),
            },
            Reason::LagNotOver { length, since, from } => {
                let at = self.at(*since);
                match from {
                    LagFrom::Arrival => format!("the lag of {length} counts from {at}, when the commit came onto {source}"),
                    LagFrom::FirstSight => format!(
                        "the lag of {length} counts from {at}, when Towpath first looked; \
                         the commit may have been on {source} before"
                    ),
                    LagFrom::Check(check) => format!(
                        "the lag of {length} counts from {at}, when {} was green and the commit on {source}",
                        self.check(check)
                    ),
                }
            }
            Reason::LagNotBegun { check } => {
                format!("the lag has not begun, because it counts from when {} turns green", self.check(check))
            }
            Reason::QuietOver { since } => format!("nothing has come onto {source} since {}", self.at(*since)),
            Reason::NotQuiet { length, since } => {
                format!("{source} has to be quiet for {length}, and its newest commit came at {}", self.at(*since))
            }
            Reason::WindowOpen { closes: Some(closes) } => format!("entry is open until {}", self.at(*closes)),
            Reason::WindowOpen { closes: None } => "entry is open".to_owned(),
            Reason::WindowClosed { opens: Some(opens) } => format!("entry is closed until {}", self.at(*opens)),
            Reason::WindowClosed { opens: None } => "entry is closed and does not open within two years".to_owned(),
            Reason::SlotOpen { slot } => format!("the slot of {} is open", self.at(*slot)),
            Reason::NoSlot { next, used } => {
                let used = used.map(|used| format!("the slot of {} has been used; ", self.at(used))).unwrap_or_default();
                match next {
                    Some(next) => format!("{used}the next slot opens at {}", self.at(*next)),
                    None => format!("{used}the schedule has no further slot"),
                }
            }
            Reason::Approved { by } if by.is_empty() => "no approval is required".to_owned(),
            Reason::Approved { by } => format!("approved by {}", list(by.iter().map(|by| self.actor(by)), "and")),
            Reason::ApprovalsMissing { have, need, not_counted } => {
                let lacks = count(need.saturating_sub(*have), "approval is", "approvals are");
                let lacks = format!("{lacks} missing ({have} of {need} given)");
                not_counted.iter().fold(lacks, |text, one| format!("{text}; {}", self.not_counted(one)))
            }
            Reason::HttpPasses { host, words } if words.trim().is_empty() => format!("{} lets it pass", name(host)),
            Reason::HttpPasses { host, words } => format!("{} lets it pass: {}", name(host), said(words)),
            Reason::HttpWaits { host, words } => format!("{} says to wait: {}", name(host), said(words)),
            Reason::HttpBlocks { host, words } => format!("{} does not let it pass: {}", name(host), said(words)),
            Reason::MigrationsPass { brought: 0 } => "it brings no migration that the database does not have".to_owned(),
            Reason::MigrationsPass { brought } => {
                format!("no running code breaks on the {} it brings", count(*brought, "migration", "migrations"))
            }
            Reason::MigrationsBreak { env, running, finding, more, kept_out, .. } => {
                let found = self.finding(finding.as_ref(), *more);
                let runs = format!("{found}; {} runs in {}", id(*running), name(env.as_str()));
                match kept_out {
                    None => runs,
                    Some(KeptOut { commit, why }) => {
                        let why = self.clause(why, None);
                        format!("{runs}; {} would take its place, but is kept out: {why}", id(*commit))
                    }
                }
            }
            Reason::MigrationsWait { finding, still, .. } => {
                format!("{}; {}", self.finding(Some(finding), 0), self.still(still))
            }
            Reason::MigrationsLacked { had, finding, more } => format!(
                "the database already has migrations of {}, and this commit's own code does not know them: {}",
                id(*had),
                self.finding(finding.as_ref(), *more)
            ),
            Reason::MigrationsUnseen { env } => format!(
                "it takes away names that no known code uses, and what {} held before Towpath first saw it may still run",
                name(env.as_str())
            ),
            Reason::BranchesMoved => {
                "a branch was no longer where it had been when this was decided, or the commit was no candidate any more"
                    .to_owned()
            }
            Reason::ConfigChanged => "the config changed between the decision and the push".to_owned(),
            Reason::HoldsChanged => "a hold was placed or lifted between the decision and the push".to_owned(),
            Reason::OrderGone => "the `promote` or `override` that it rested on was spent or over".to_owned(),
            Reason::NotLookedAt { looked_at, waiting } => {
                format!("looked at {looked_at} of {} that wait, and none of them may move", count(*waiting, "commit", "commits"))
            }
        }
    }

    /// Why a fact is not known, in one line.
    pub fn unknown(&self, unknown: &Unknown) -> String {
        super::capital(self.unknown_clause(unknown))
    }

    fn unknown_clause(&self, unknown: &Unknown) -> String {
        let repository = name(&self.flow.repository);
        match &unknown.why {
            UnknownWhy::NotAnswered => "a fact that the decision needs was not learned in time".to_owned(),
            UnknownWhy::Unreachable { words } => format!("{repository} does not answer: {}", said(words)),
            UnknownWhy::Limited { until, words } => {
                format!("the forge is not asked again before {}: {}", self.at(*until), said(words))
            }
            UnknownWhy::CredentialsRefused { words } => {
                format!("{repository} does not accept Towpath's credentials: {}", said(words))
            }
            UnknownWhy::TokenRefused { forge, words } => {
                let token = format!("{repository} refuses the token of {}", name(format!("[forge.{forge}]")));
                if words.trim().is_empty() { token } else { format!("{token}: {}", said(words)) }
            }
            UnknownWhy::TokenUnusable { forge, words } => {
                let token = name(format!("[forge.{forge}]"));
                format!("the token of {token} cannot be used: {}", shown(words, 300))
            }
            UnknownWhy::NotTrusted { words } => {
                format!("the certificate of the server of {repository} is not trusted: {}", said(words))
            }
            UnknownWhy::NoRepository { words } => {
                format!("there is no repository {repository}, or Towpath may not see it: {}", said(words))
            }
            UnknownWhy::NoTeam { team, words } => {
                format!("who is in {} is not known: {}", name(format!("@{team}")), said(words))
            }
            UnknownWhy::TimedOut { after } => format!("{repository} did not answer within {after}"),
            UnknownWhy::NoForge => {
                format!("{repository} is a plain git remote, and what the config asks for only a forge can tell")
            }
            UnknownWhy::NoCommonAncestor => "the two branches have no commit in common".to_owned(),
            UnknownWhy::Shallow => format!("the history of {repository} is cut off (a shallow clone)"),
            UnknownWhy::Sha256 => {
                format!("{repository} uses SHA-256 object ids, which this version of Towpath cannot read")
            }
            UnknownWhy::TooLarge { commits_max } => {
                format!("more than {commits_max} commits lie between the branches, and Towpath loads no more")
            }
            UnknownWhy::ManyAuthors { commits, most } => {
                format!(
                    "{commits} commits would enter, and the forge is asked for the authors of {most} at most, so it \
                     cannot be told whether an approval is an author's"
                )
            }
            UnknownWhy::MissingCommit { commit } => {
                format!("the commit {} is part of the history of {repository}, but it is not there", id(*commit))
            }
            UnknownWhy::Unreadable { words } => {
                format!("what git holds of {repository} cannot be read: {}", said(words))
            }
            UnknownWhy::HttpGate { host, instead } => no_verdict(host, instead),
            UnknownWhy::Migrations { words } => format!("the migrations could not be judged: {}", said(words)),
        }
    }

    /// Where a pause or freeze reaches, as the subject of a sentence.
    pub fn scope(&self, scope: &Scope) -> String {
        match scope {
            Scope::All => "every flow".to_owned(),
            Scope::Flow(flow) => format!("all of {}", name(flow.as_str())),
            Scope::Edge(flow, env) => format!("{} of {}", name(env.as_str()), name(flow.as_str())),
            Scope::Environment(env) => format!("{} of every flow", name(env.as_str())),
        }
    }

    /// What is stopped where, until when, by whom and why, on one line.
    pub fn pause(&self, pause: &Pause) -> String {
        let kind = match pause.kind {
            PauseKind::Pause => "paused",
            PauseKind::Freeze => "frozen",
        };
        let until = match pause.until {
            Until::At(at) => format!("until {}", self.at(at)),
            Until::Resumed => "until resumed".to_owned(),
        };
        let (scope, by) = (self.scope(&pause.scope), self.actor(&pause.by));
        format!("{scope} is {kind} {until} by {by}: {}", one_line(&pause.reason, REASON_MAX))
    }

    fn stopped(&self, by: &Actor, reason: &str, at: Instant, until: Until) -> String {
        let until = match until {
            Until::At(until) => format!("until {}", self.at(until)),
            Until::Resumed => "until somebody resumes".to_owned(),
        };
        format!("by {} since {} {until}: {}", self.actor(by), self.at(at), quote(reason, REASON_MAX))
    }

    fn not_counted(&self, one: &NotCounted) -> String {
        let by = self.actor(&one.by);
        match &one.stranger {
            Some(stranger) if stranger.co_author => format!(
                "that of {by} does not count, because authors may not approve here, and whose account on the forge a \
                 co-author has is not known: {}",
                unlinked(stranger)
            ),
            None => format!("that of {by} does not count, because {}", not_counted_why(one.why)),
            Some(stranger) => {
                format!("that of {by} does not count, because {}: {}", not_counted_why(one.why), unlinked(stranger))
            }
        }
    }

    /// What is said to whoever approves something that does not count, and what they can do about it.
    pub fn approved_in_vain(&self, one: &NotCounted) -> String {
        let help = match (one.why, one.by.as_str().starts_with("token:")) {
            (NotCountedWhy::Author, _) => " Somebody else has to approve.",
            (NotCountedWhy::EmailUnknown, true) => {
                " A token made by `towpath token create` with `--email` can approve."
            }
            (NotCountedWhy::EmailUnknown, false) => {
                " Set it by `git config --global user.email ADDRESS`, and approve again."
            }
            (
                NotCountedWhy::NotListed
                | NotCountedWhy::OtherHead
                | NotCountedWhy::TooEarly
                | NotCountedWhy::HeadUnknown
                | NotCountedWhy::AuthorUnknown,
                _,
            ) => "",
        };
        // Said to whoever gave it.
        let why = match one.why {
            NotCountedWhy::Author => "you wrote one of the commits",
            NotCountedWhy::EmailUnknown => {
                "authors may not approve here, and without an e-mail it cannot be told whether you are one"
            }
            why => not_counted_why(why),
        };
        format!("It does not count, because {why}.{help}")
    }

    fn check(&self, check: &CheckName) -> String {
        format!("check {}", name(check.as_str()))
    }

    /// `waits for …: COMMIT may enter at …`, for a headline.
    pub(super) fn waits(
        &self,
        why: &Reason,
        on: &Who,
        until: Option<Instant>,
        edge: Option<Edge<'_>>,
        lead: Option<String>,
    ) -> String {
        let until = until.filter(|_| !by_itself(why));
        let what = match self.wait_is_for(why, edge) {
            Some(what) => format!("waits for {what}"),
            None => format!("waits: {}", self.clause(why, edge)),
        };
        match (lead, until) {
            (Some(lead), Some(at)) if at > self.now => format!("{what}: {lead} may enter at {}", self.at(at)),
            (Some(lead), Some(at)) => format!("{what}: {lead} may enter since {}", self.at(at)),
            (Some(lead), None) => format!("{what}: {lead}; {}", self.no_time(on)),
            (None, _) => match self.ending(why, on, until, edge) {
                Some(ending) => format!("{what}; {ending}"),
                None => what,
            },
        }
    }

    /// What is waited for, as a noun; none where the reason itself says it best.
    #[expect(clippy::too_many_lines, reason = "the one table of what is waited for")]
    fn wait_is_for(&self, why: &Reason, edge: Option<Edge<'_>>) -> Option<String> {
        Some(match why {
            Reason::LagNotOver { length, from: LagFrom::FirstSight, since } => {
                format!("the lag of {length}, counted from the first look at {}", self.at(*since))
            }
            Reason::LagNotOver { length, from: LagFrom::Arrival, .. } => format!("the lag of {length}"),
            Reason::LagNotOver { length, from: LagFrom::Check(check), .. } => {
                format!("the lag of {length} after {}", self.check(check))
            }
            Reason::LagNotBegun { check } => format!("{}, from which the lag counts", self.check(check)),
            Reason::CheckMissing { name: Some(check), .. } => {
                format!("{}, which has no result yet", self.check(check))
            }
            Reason::CheckMissing { name: None, .. } => "CI, which has reported nothing yet".to_owned(),
            Reason::CheckRunning { name: check, on } => format!("{}{}", self.check(check), on_branch(on)),
            Reason::NotQuiet { length, .. } => format!("{} to be quiet for {length}", source(edge)),
            Reason::WindowClosed { .. } => "the window to open".to_owned(),
            Reason::NoSlot { .. } => "the next slot of the schedule".to_owned(),
            Reason::ApprovalsMissing { have, need, .. } => {
                count(need.saturating_sub(*have), "approval", "approvals")
            }
            Reason::NotProposed { open: None } => "its request to be opened".to_owned(),
            Reason::NotProposed { open: Some(number) } => format!("request {number} to be for it"),
            Reason::ForeignHead { number, .. } => format!("the branch of request {number} to be put back"),
            Reason::RequestDraft { number } => format!("request {number}, a draft, to be marked as ready"),
            Reason::ChangesRequested { number, by } => {
                let by = list(by.iter().map(|by| self.actor(by)), "and");
                format!("the changes that {by} asked for in request {number}")
            }
            Reason::ForPeopleToMerge { number, .. } => format!("somebody to merge request {number}"),
            Reason::MigrationsWait { still, behind, .. } => {
                let behind = match behind {
                    0 => String::new(),
                    behind => format!("; {} behind it", count(*behind, "commit waits", "commits wait")),
                };
                format!("code that still uses what it takes away: {}{behind}", self.still(still))
            }
            Reason::MigrationsUnseen { env } => {
                format!("the end of what {} may have held before Towpath first saw it", name(env.as_str()))
            }
            Reason::HttpWaits { host, words } if words.trim().is_empty() => {
                format!("{}, which gives no reason", name(host))
            }
            Reason::HttpWaits { host, words } => format!("{}, which says {}", name(host), said(words)),
            Reason::InFlight { to, .. } => format!("the push of {}, which may still land", id(*to)),
            Reason::PushRefused { words, .. } => {
                format!("another try, because the last push failed: {}", said(words))
            }
            Reason::Paused { scope, by, reason, .. } => {
                format!(
                    "the end of the pause of {} by {}: {}",
                    self.scope(scope),
                    self.actor(by),
                    quote(reason, REASON_MAX)
                )
            }
            Reason::Frozen { scope, by, reason, .. } => {
                format!(
                    "the end of the freeze of {} by {}: {}",
                    self.scope(scope),
                    self.actor(by),
                    quote(reason, REASON_MAX)
                )
            }
            Reason::UpToDate
            | Reason::Ready
            | Reason::Nothing
            | Reason::SourceAbsent { .. }
            | Reason::TargetAbsent { .. }
            | Reason::Unknown(_)
            | Reason::Diverged { .. }
            | Reason::RequestOpen { .. }
            | Reason::RequestClosed { .. }
            | Reason::NoWayToMerge { .. }
            | Reason::PushInDoubt { .. }
            | Reason::Held { .. }
            | Reason::Promoted { .. }
            | Reason::Overridden { .. }
            | Reason::ChecksGreen { .. }
            | Reason::NoCiCame { .. }
            | Reason::CheckRed { .. }
            | Reason::LagOver { .. }
            | Reason::QuietOver { .. }
            | Reason::WindowOpen { .. }
            | Reason::SlotOpen { .. }
            | Reason::Approved { .. }
            | Reason::HttpPasses { .. }
            | Reason::HttpBlocks { .. }
            | Reason::MigrationsPass { .. }
            | Reason::MigrationsBreak { .. }
            | Reason::MigrationsLacked { .. }
            | Reason::BranchesMoved
            | Reason::ConfigChanged
            | Reason::HoldsChanged
            | Reason::OrderGone
            | Reason::NotLookedAt { .. } => return None,
        })
    }

    /// How a wait ends: when, or why that is not known. None where the reason has said it.
    pub(super) fn ending(
        &self,
        why: &Reason,
        on: &Who,
        until: Option<Instant>,
        edge: Option<Edge<'_>>,
    ) -> Option<String> {
        let Some(until) = until.filter(|_| !by_itself(why)) else {
            return Some(match missing_after(why, edge) {
                Some(at) => format!("{}; without a result it is a block from {} on", self.no_time(on), self.at(at)),
                None => self.no_time(on),
            });
        };
        let (at, over) = (self.at(until), until <= self.now);
        match why {
            Reason::LagNotOver { .. } if over => Some(format!("it was over at {at}")),
            Reason::LagNotOver { .. } => Some(format!("it is over at {at}")),
            Reason::NotQuiet { .. } => Some(format!("the commit may enter at {at} unless another one comes")),
            Reason::InFlight { .. } => {
                Some(format!("Towpath reads the branch again, and after {at} nothing of it can land any more"))
            }
            Reason::PushRefused { .. } => Some(format!("Towpath tries again at {at}")),
            Reason::WindowClosed { opens: Some(_) }
            | Reason::NoSlot { next: Some(_), .. }
            | Reason::Paused { until: Until::At(_), .. }
            | Reason::Frozen { until: Until::At(_), .. } => None,
            Reason::UpToDate
            | Reason::Ready
            | Reason::Nothing
            | Reason::SourceAbsent { .. }
            | Reason::TargetAbsent { .. }
            | Reason::Unknown(_)
            | Reason::Diverged { .. }
            | Reason::RequestOpen { .. }
            | Reason::NotProposed { .. }
            | Reason::ForeignHead { .. }
            | Reason::RequestClosed { .. }
            | Reason::RequestDraft { .. }
            | Reason::ChangesRequested { .. }
            | Reason::ForPeopleToMerge { .. }
            | Reason::NoWayToMerge { .. }
            | Reason::PushInDoubt { .. }
            | Reason::Paused { until: Until::Resumed, .. }
            | Reason::Frozen { until: Until::Resumed, .. }
            | Reason::Held { .. }
            | Reason::Promoted { .. }
            | Reason::Overridden { .. }
            | Reason::ChecksGreen { .. }
            | Reason::CheckMissing { .. }
            | Reason::NoCiCame { .. }
            | Reason::CheckRunning { .. }
            | Reason::CheckRed { .. }
            | Reason::LagOver { .. }
            | Reason::LagNotBegun { .. }
            | Reason::QuietOver { .. }
            | Reason::WindowOpen { .. }
            | Reason::WindowClosed { opens: None }
            | Reason::SlotOpen { .. }
            | Reason::NoSlot { next: None, .. }
            | Reason::Approved { .. }
            | Reason::ApprovalsMissing { .. }
            | Reason::HttpPasses { .. }
            | Reason::HttpWaits { .. }
            | Reason::HttpBlocks { .. }
            | Reason::MigrationsPass { .. }
            | Reason::MigrationsBreak { .. }
            | Reason::MigrationsWait { .. }
            | Reason::MigrationsLacked { .. }
            | Reason::MigrationsUnseen { .. }
            | Reason::BranchesMoved
            | Reason::ConfigChanged
            | Reason::HoldsChanged
            | Reason::OrderGone
            | Reason::NotLookedAt { .. } => Some(format!("until {at}")),
        }
    }

    /// Why a wait has no time.
    fn no_time(&self, on: &Who) -> String {
        match on {
            Who::Time => "no time is known".to_owned(),
            Who::Ci => "no time is known, because CI does not say when it will be done".to_owned(),
            Who::Towpath => "Towpath looks again by itself".to_owned(),
            Who::Remote => format!("Towpath looks again by itself, and {} can help", self.who(on)),
            Who::Approvers(_) => format!("no time is known, because it depends on {}", self.who(on)),
            Who::Pushers(_) | Who::Person(_) | Who::Operator | Who::Service(_) => {
                format!("no time is known, because it depends on {}", self.who(on))
            }
            Who::Environment(_) => format!("no time is known, because {} has to move first", self.who(on)),
        }
    }
}

/// What Towpath does at its next look, whatever time stands there.
const fn by_itself(why: &Reason) -> bool {
    matches!(why, Reason::NotProposed { .. } | Reason::ForeignHead { .. })
}

/// A commit whose author may be anybody.
fn unlinked(stranger: &Stranger) -> String {
    match stranger.email.as_deref().map(str::trim) {
        None => id(stranger.commit),
        Some("") if stranger.co_author => {
            format!("{}, which has more co-authors than are read", id(stranger.commit))
        }
        Some(email) if stranger.co_author => {
            format!("{}, which names {} as a co-author", id(stranger.commit), name(email))
        }
        Some("") => format!("{}, which bears no address", id(stranger.commit)),
        Some(email) => format!("{}, by {}", id(stranger.commit), name(email)),
    }
}

/// Why an approval does not count, as the end of a sentence.
fn not_counted_why(why: NotCountedWhy) -> &'static str {
    match why {
        NotCountedWhy::Author => "they wrote one of the commits",
        NotCountedWhy::EmailUnknown => {
            "authors may not approve here, and without an e-mail it cannot be told whether they are one"
        }
        NotCountedWhy::AuthorUnknown => {
            "authors may not approve here, and one of the commits has an author whose address is that of no account on \
             the forge"
        }
        NotCountedWhy::NotListed => "`from` does not list them",
        NotCountedWhy::OtherHead => "it was given for another head of the request",
        NotCountedWhy::TooEarly => {
            "it was given before Towpath saw this head in the request, so it may be for an earlier one: it counts when it is \
             taken back and given again"
        }
        NotCountedWhy::HeadUnknown => "the forge does not say for which head it was given",
    }
}

/// What came from the server of an `http` gate instead of a verdict.
fn no_verdict(host: &str, instead: &HttpInstead) -> String {
    let host = name(host);
    match instead {
        HttpInstead::Nothing { words } => format!("{host} does not answer: {}", said(words)),
        HttpInstead::TimedOut { after } => format!("{host} did not answer within {after}"),
        HttpInstead::Limited { again_in } => format!("{host} wants no questions for {again_in}"),
        HttpInstead::Status { status: status @ 300..=399 } => {
            format!("{host} answered with status {status}, and redirects of a gate are not followed")
        }
        HttpInstead::Status { status } => {
            format!("{host} answered with status {status}, and a verdict comes with 200 only")
        }
        HttpInstead::TooLarge { bytes_max } => {
            format!("the answer of {host} is longer than the {bytes_max} bytes that are read")
        }
        HttpInstead::NotJson => format!("the answer of {host} is no JSON, or does not say that it is"),
        HttpInstead::Malformed { words } => {
            format!("the answer of {host} is not as that of a gate has to be: {}", said(words))
        }
        HttpInstead::UnknownVerdict { word } => {
            format!("the verdict of {host} is {}, which is none of `pass`, `wait` and `block`", quote(word, 60))
        }
        HttpInstead::NoToken { words } => format!("the token for {host} cannot be used: {}", shown(words, 300)),
    }
}

/// The words of a server or a program, on one line.
fn said(words: &str) -> String {
    let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.is_empty() {
        true => "it gave no reason".to_owned(),
        false => quote(&lines.join(" / "), 300),
    }
}

/// A page, after what it is about.
pub(super) fn page(url: &str) -> String {
    if url.is_empty() {
        return String::new();
    }
    format!(" <{}>", shown(url, 500).replace('<', "%3C").replace('>', "%3E"))
}

fn no_result(check: Option<&CheckName>) -> String {
    match check {
        Some(check) => format!("check {} has no result", name(check.as_str())),
        None => "CI has reported nothing".to_owned(),
    }
}

fn on_branch(on: &Option<BranchName>) -> String {
    on.as_ref().map(|on| format!(" on {}", name(on.as_str()))).unwrap_or_default()
}

/// The source's branch.
pub(super) fn source(edge: Option<Edge<'_>>) -> String {
    edge.map_or_else(|| "the source".to_owned(), |edge| name(edge.source.branch.as_str()))
}

/// The target's branch.
pub(super) fn target(edge: Option<Edge<'_>>) -> String {
    edge.map_or_else(|| "the target".to_owned(), |edge| name(edge.target.branch.as_str()))
}

fn lag(edge: Option<Edge<'_>>) -> Option<&LagGate> {
    if let Gate::Lag(lag) = edge?.target.gate(GateKind::Lag)? { Some(lag) } else { None }
}

/// From when on a check without a result is a block.
fn missing_after(why: &Reason, edge: Option<Edge<'_>>) -> Option<Instant> {
    let Reason::CheckMissing { push_tip: true, since: Some(since), .. } = why else { return None };
    let Gate::Ci(ci) = edge?.target.gate(GateKind::Ci)? else { return None };
    Some(*since + ci.missing_after?)
}
