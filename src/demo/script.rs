//! The story, as a value: who does what in which minute, what the watcher is told about it, and
//! what must be so afterwards.
//!
//! Not here: doing it (`stage`), drawing it (`view`). Nothing in here says why a commit moves or
//! waits; those words are Towpath's own, and come from what it decided.

use std::fmt;

/// Everybody who acts in the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Writes most of the shop.
    Marek,
    /// Mends what others broke.
    Ana,
    /// Pushes before the tests have run.
    Lukasz,
    /// Is on call.
    Olga,
    /// The machine that builds and tests.
    Ci,
}

impl Who {
    /// The name, as it stands in commits and in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Marek => "Marek",
            Self::Ana => "Ana",
            Self::Lukasz => "Łukasz",
            Self::Olga => "Olga",
            Self::Ci => "CI",
        }
    }

    /// Everybody.
    pub const ALL: [Self; 5] = [Self::Marek, Self::Ana, Self::Lukasz, Self::Olga, Self::Ci];

    /// Their role in the demo's config.
    pub const fn role(self) -> &'static str {
        match self {
            Self::Marek | Self::Ana | Self::Lukasz | Self::Ci => "developer",
            Self::Olga => "operator",
        }
    }

    /// The name of their account, of their clone, and of their mailbox.
    pub const fn plain(self) -> &'static str {
        match self {
            Self::Marek => "marek",
            Self::Ana => "ana",
            Self::Lukasz => "lukasz",
            Self::Olga => "olga",
            Self::Ci => "ci",
        }
    }
}

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nobody does anything; time passes.
    Watch,
    /// Commits and pushes.
    Push {
        /// To which branch.
        branch: &'static str,
        /// What the story calls the commit.
        commit: &'static str,
        /// Its first line.
        subject: &'static str,
        /// The file that it writes.
        file: &'static str,
    },
    /// Merges `master` back into `develop` and pushes.
    BackMerge {
        /// What the story calls the merge.
        commit: &'static str,
    },
    /// Reports results of a commit's checks: name and state, as `towpath report` takes them.
    Report {
        /// The commit.
        commit: &'static str,
        /// Check and state.
        results: &'static [(&'static str, &'static str)],
    },
    /// Gives an order; `{name}` stands for the id of the story's commit of that name.
    Order(&'static str),
}

/// What must be so after a row, by the repository and by what Towpath decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The environment's branch is at the commit.
    At(&'static str, &'static str),
    /// Entry waits for time or checks.
    Waits(&'static str),
    /// Entry is blocked by a red check.
    Red(&'static str),
    /// Entry is paused.
    Paused(&'static str),
    /// Entry is blocked by a commit that is only there.
    Stray(&'static str, &'static str),
    /// Entry is blocked by a hold.
    Held(&'static str),
}

/// One row of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// When, in simulated minutes from the beginning.
    pub minute: u32,
    /// Who.
    pub who: Who,
    /// What.
    pub act: Act,
    /// What the watcher is told; empty where the last line still holds.
    pub say: &'static str,
    /// What must be so then.
    pub then: &'static [Expect],
    /// What the watcher has then seen, for the summary; empty for a row that only leads there.
    pub seen: &'static str,
}

/// How long a commit has to be on `staging` before it may enter `production`, in minutes.
pub const LAG: u32 = 10;

/// The branch that `production` is.
pub const PRODUCTION: &str = "master";

const BOTH: &[(&str, &str)] = &[("build", "success"), ("test", "success")];

const fn row(minute: u32, who: Who, act: Act, say: &'static str) -> Row {
    Row { minute, who, act, say, then: &[], seen: "" }
}

impl Row {
    const fn then(self, then: &'static [Expect]) -> Self {
        Self { then, ..self }
    }

    const fn seen(self, seen: &'static str) -> Self {
        Self { seen, ..self }
    }
}

const fn push(commit: &'static str, subject: &'static str, file: &'static str) -> Act {
    Act::Push { branch: "develop", commit, subject, file }
}

const fn report(commit: &'static str, results: &'static [(&'static str, &'static str)]) -> Act {
    Act::Report { commit, results }
}

/// The story. A minute is a second at the usual pace, so that nobody has to read faster than they
/// can: rows with something to read are two minutes apart where they can be.
pub const STORY: &[Row] = &[
    row(0, Who::Ci, Act::Watch, "Three branches of a shop. A commit goes to staging when `build` and `test` are green, and to production when it has been on staging for 10 minutes."),
    row(2, Who::Marek, push("dates", "Show delivery dates", "basket.txt"), "Marek pushes to develop. Nothing moves before CI has answered.")
        .then(&[Expect::Waits("staging")]),
    row(3, Who::Lukasz, push("search", "Search as you type", "search.txt"), "Łukasz pushes on top of it."),
    row(5, Who::Ci, report("search", &[("build", "success"), ("test", "failure")]), "Łukasz's commit fails its test."),
    row(7, Who::Ci, report("dates", BOTH), "Marek's commit is green: staging moves to exactly that one. The red commit above it keeps nobody waiting.")
        .then(&[Expect::At("staging", "dates"), Expect::Red("staging")])
        .seen("a green commit went to staging, past a red one above it"),
    row(9, Who::Ana, push("mend", "Search: wait for the third letter", "search.txt"), "Ana mends the search with a commit on top."),
    row(12, Who::Ci, report("mend", &[("build", "success"), ("test", "failure")]), "CI is red again, but this time a runner lost its network ...")
        .then(&[Expect::Red("staging")]),
    row(14, Who::Ci, report("mend", &[("test", "success")]), "... and green when it runs again. Staging steps over the red commit: it was never the tip there, and only came with its repair.")
        .then(&[Expect::At("staging", "mend")])
        .seen("a re-run turned green, and staging stepped over the red commit"),
    row(17, Who::Ci, Act::Watch, "Marek's commit has been on staging for 10 minutes: production moves. Ana's has a clock of its own and did not reset his.")
        .then(&[Expect::At("production", "dates"), Expect::Waits("production")])
        .seen("production followed, 10 minutes later, with the very same commit"),
    row(19, Who::Olga, Act::Order("pause demo production --for 10m --reason \"database failover\""), "Olga pauses production. Everybody can see who, why and until when."),
    row(24, Who::Ci, Act::Watch, "Ana's 10 minutes are over. Production stays where it is: the pause holds.")
        .then(&[Expect::At("production", "dates"), Expect::Paused("production")])
        .seen("a pause, with reason and end, stopped production"),
    row(29, Who::Ci, Act::Watch, "The pause ends by itself. Nobody had to remember it.")
        .then(&[Expect::At("production", "mend")])
        .seen("the pause ended by itself, and production went on"),
    row(32, Who::Olga, Act::Push { branch: PRODUCTION, commit: "hotfix", subject: "Hotfix: charge cards once", file: "payment.txt" }, "Olga pushes straight to master: a hotfix. Staging does not have it. Towpath names it, says the way out, and does not force anything.")
        .then(&[Expect::Stray("production", "hotfix")]),
    row(35, Who::Marek, push("cards", "Gift cards", "cards.txt"), "Work goes on: Marek pushes gift cards."),
    row(37, Who::Ci, report("cards", BOTH), "Staging takes them. Production does not: it would lose the hotfix.")
        .then(&[Expect::At("staging", "cards"), Expect::At("production", "hotfix"), Expect::Stray("production", "hotfix")])
        .seen("a hotfix on production was named and never overwritten"),
    row(40, Who::Olga, Act::BackMerge { commit: "merge" }, "Olga does what Towpath advised: she merges master back into develop."),
    row(43, Who::Ci, report("merge", BOTH), "The merge is green and goes the usual way. Production can be reached again.")
        .then(&[Expect::At("staging", "merge"), Expect::Waits("production")]),
    row(53, Who::Ci, Act::Watch, "Production has the hotfix and everything else. No push was forced.")
        .then(&[Expect::At("production", "merge")])
        .seen("after the back-merge production went on by itself, the hotfix included"),
    row(56, Who::Olga, Act::Order("rollback demo production --reason \"gift cards fail at checkout\""), "Gift cards fail at checkout. Olga rolls production back with one command.")
        .then(&[Expect::At("production", "hotfix"), Expect::Held("production")]),
    row(58, Who::Marek, push("codes", "Gift cards: accept old codes", "cards.txt"), "The rollback holds: what was taken back is held until somebody says what mends it. Marek writes the repair."),
    row(60, Who::Ci, report("codes", BOTH), "The repair is on staging. Production still stays: two commands of a person let it go again.")
        .then(&[Expect::At("staging", "codes"), Expect::At("production", "hotfix"), Expect::Held("production")])
        .seen("a rollback held: nothing brought back what it had taken away"),
    row(62, Who::Olga, Act::Order("unhold {merge} demo production --fixed-by {codes}"), "The first: only what contains Marek's repair may pass."),
    row(63, Who::Olga, Act::Order("resume demo production"), "The second: production may move again.")
        .then(&[Expect::At("production", "hotfix"), Expect::Waits("production")]),
    row(66, Who::Ana, push("blik", "Pay with BLIK", "payment-blik.txt"), "Ana pushes the next feature."),
    row(70, Who::Ci, Act::Watch, "The repair has been on staging for 10 minutes, and goes to production.")
        .then(&[Expect::At("production", "codes")])
        .seen("with the repair named, production went on"),
    row(71, Who::Ci, report("blik", BOTH), "And so on. Ana's commit is next: it waits on staging now.")
        .then(&[Expect::At("staging", "blik"), Expect::Waits("production")]),
    row(73, Who::Ci, Act::Watch, ""),
];

/// The last minute.
pub fn length() -> u32 {
    STORY.last().map_or(0, |row| row.minute)
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.who.name();
        write!(f, "{:>3}  ", self.minute)?;
        match self.act {
            Act::Watch => f.write_str("time passes")?,
            Act::Push { branch, commit, subject, .. } => {
                write!(f, "{name} pushes {commit} \"{subject}\" to {branch}")?;
            }
            Act::BackMerge { commit } => write!(f, "{name} merges {PRODUCTION} back into develop as {commit}")?,
            Act::Report { commit, results } => {
                write!(f, "{name} reports {commit}:")?;
                results.iter().try_for_each(|(check, state)| write!(f, " {check} {state}"))?;
            }
            Act::Order(order) => write!(f, "{name}: towpath {order}")?,
        }
        self.then.iter().try_for_each(|expect| write!(f, "\n       then {expect}"))
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(env, commit) => write!(f, "{env} is at {commit}"),
            Self::Waits(env) => write!(f, "{env} waits"),
            Self::Red(env) => write!(f, "{env} is blocked by a red check"),
            Self::Paused(env) => write!(f, "{env} is paused"),
            Self::Stray(env, commit) => write!(f, "{env} is blocked by {commit}, which is only there"),
            Self::Held(env) => write!(f, "{env} is blocked by a hold"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_reads_like_this() {
        let lines: Vec<String> = STORY.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn it_goes_forward_and_everything_is_made_before_it_is_named() {
        let mut made = Vec::new();
        let mut last = 0;
        for row in STORY {
            assert!(row.minute >= last, "{row}");
            last = row.minute;
            match row.act {
                Act::Push { commit, .. } | Act::BackMerge { commit } => made.push(commit),
                Act::Report { commit, .. } => assert!(made.contains(&commit), "{row}"),
                Act::Order(order) => {
                    let named = order.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
                    named.for_each(|(name, _)| assert!(made.contains(&name), "{row}"));
                }
                Act::Watch => {}
            }
            assert!(row.seen.is_empty() || !row.then.is_empty(), "what was seen has to be checked: {row}");
        }
    }

    /// At the usual pace a minute is a second.
    #[test]
    fn it_is_told_within_the_time_that_people_give_it() {
        let first = STORY.iter().find(|row| row.then.iter().any(|e| matches!(e, Expect::At(..))));
        assert!(first.is_some_and(|row| row.minute <= 8));
        assert!(STORY.iter().any(|row| row.minute < 60 && row.then.contains(&Expect::Held("production"))));
        assert!(length() <= 75);
    }
}
