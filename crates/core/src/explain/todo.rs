//! What somebody can do, as commands to copy. What would not work is not offered.

use super::inert::{name, shell_word};
use super::reason::{source, target};
use super::{Todo, Words, id, not_asked};
use crate::model::{
    Candidate, Check, CheckName, CheckRef, Checks, CommitId, Decision, Distance, Edge, EnvName, FlowName, Gate,
    GateKind, Held, HttpInstead, Mode, NotCounted, NotCountedWhy, Reason, Scope, UnknownWhy, Verdict, Via,
};

impl Words<'_> {
    /// What can be done about a decision, best first.
    pub(super) fn todo(&self, decision: &Decision, edge: Option<Edge<'_>>) -> Vec<Todo> {
        let Some(edge) = edge else { return Vec::new() };
        if decision.verdict.passes() {
            return Vec::new();
        }
        let mut todo: Vec<Todo> = Vec::new();
        let mut add = |more: Vec<Todo>| {
            for one in more {
                if !todo.contains(&one) {
                    todo.push(one);
                }
            }
        };
        match &decision.lead {
            None => add(self.todo_for(&decision.verdict, None, decision, edge)),
            Some(lead) => {
                let mut failing: Vec<_> = lead.judged.iter().filter(|j| !j.verdict.passes()).collect();
                // What was taken back goes on by `unhold` first and `resume` then.
                failing.sort_by_key(|j| (std::cmp::Reverse(j.verdict.distance()), j.check != Check::Hold));
                for judged in failing {
                    add(self.todo_for(&judged.verdict, Some(lead.commit), decision, edge));
                }
            }
        }
        if let Some(unproven) = &decision.unproven {
            let lacks = unproven.judged.iter().find_map(|judged| {
                if let Reason::CheckMissing { name, .. } = judged.verdict.why() { name.as_ref() } else { None }
            });
            add(self.prove(unproven.commit, lacks, edge));
        }
        if todo.is_empty() {
            todo.push(self.nothing_to_do(&decision.verdict));
        }
        if let Some(lead) = &decision.lead {
            todo.extend(self.sooner(lead, edge));
        }
        todo
    }

    fn nothing_to_do(&self, verdict: &Verdict) -> Todo {
        let say = match verdict {
            Verdict::Pass { .. } | Verdict::Wait { .. } => "Nothing to do: Towpath goes on by itself.".to_owned(),
            Verdict::Block { why, who } => {
                format!("Towpath goes on when this is mended; {}.", self.mender(why, who))
            }
        };
        Todo { say, commands: Vec::new() }
    }

    /// `promote`, where it would move the candidate at once.
    fn sooner(&self, lead: &Candidate, edge: Edge<'_>) -> Option<Todo> {
        let mut failing = lead.judged.iter().filter(|j| j.verdict.distance() > Distance::Now).peekable();
        failing.peek()?;
        if edge.target.mode == Mode::Observe || !failing.all(|j| crate::decide::promote_passes(j.check)) {
            return None;
        }
        let asks = not_asked(lead, edge).map(|host| format!(", if {} lets it pass", name(host)));
        let say = format!("To let {} in at once all the same{}:", id(lead.commit), asks.unwrap_or_default());
        let commands = vec![format!("{} to {} --reason 'WHY'", self.on_edge("promote", edge), lead.commit)];
        Some(Todo { say, commands })
    }

    /// What can be done about one verdict.
    #[expect(clippy::too_many_lines, reason = "the one table of what to do")]
    fn todo_for(
        &self,
        verdict: &Verdict,
        lead: Option<CommitId>,
        decision: &Decision,
        edge: Edge<'_>,
    ) -> Vec<Todo> {
        let one = |say: String, commands: Vec<String>| vec![Todo { say, commands }];
        let env = name(edge.target.name.as_str());
        match verdict.why() {
            Reason::Diverged { commits, total } => self.todo_diverged(commits, *total, decision, edge),
            Reason::SourceAbsent { branch } => one(
                format!(
                    "Push {}, which does not exist now, or mend `branch` of {} in the config.",
                    name(branch.as_str()),
                    name(edge.source.name.as_str())
                ),
                Vec::new(),
            ),
            Reason::TargetAbsent { branch } => {
                let at = format!("SHA:{}", branch.full_ref());
                one(
                    format!(
                        "Create the branch at the commit SHA from which it is to go on, or mend `branch` of {env} in the config:"
                    ),
                    vec![format!("git push {} {}", self.remote(), shell_word(&at))],
                )
            }
            Reason::Unknown(unknown) => self.todo_unknown(&unknown.why, lead, edge),
            Reason::RequestClosed { number, .. } => one(
                format!("To go on, open request {number} again on the forge, or let Towpath open a new one:"),
                vec![self.on_edge("retry", edge)],
            ),
            Reason::RequestDraft { number } => {
                one(format!("To let it go on, mark request {number} as ready on the forge."), Vec::new())
            }
            Reason::ChangesRequested { number, .. } => one(
                format!(
                    "Push what they asked for to {}, or let them take it back in request {number}.",
                    self.first()
                ),
                Vec::new(),
            ),
            Reason::ForPeopleToMerge { number, .. } => one(
                format!("Merge request {number} on the forge: as a merge commit, not squashed or rebased."),
                Vec::new(),
            ),
            Reason::NoWayToMerge { .. } => one(
                format!(
                    "Let the forge's project merge requests into {} with a merge commit; what is set there is told by:",
                    target(Some(edge))
                ),
                vec!["towpath doctor".to_owned()],
            ),
            Reason::PushRefused { .. } => one(
                "When the server would take it now, do not wait for the next try:".to_owned(),
                vec![self.on_edge("retry", edge)],
            ),
            Reason::PushInDoubt { to, .. } => vec![
                Todo {
                    say: "If nobody took it back, let Towpath push again:".to_owned(),
                    commands: vec![self.on_edge("retry", edge)],
                },
                Todo {
                    say: format!("If somebody did, hold {} back first, and then let the rest go on:", id(*to)),
                    commands: vec![
                        format!(
                            "towpath hold {to} {} {} --reason 'WHY'",
                            shell_word(self.flow.name.as_str()),
                            shell_word(edge.target.name.as_str())
                        ),
                        self.on_edge("retry", edge),
                    ],
                },
            ],
            Reason::Paused { scope, .. } | Reason::Frozen { scope, .. } => {
                let say = match scope {
                    Scope::Edge(..) => "To go on:".to_owned(),
                    wider => format!("To go on, with {}:", self.scope(wider)),
                };
                one(say, vec![resume(scope)])
            }
            Reason::Held { what, flow, env, fixed_by, .. } => {
                self.todo_held(*what, (flow.as_ref(), env.as_ref()), *fixed_by)
            }
            Reason::CheckMissing { name, push_tip: false, .. } => match lead {
                Some(commit) => self.prove(commit, name.as_ref(), edge),
                None => Vec::new(),
            },
            Reason::CheckMissing { name: check, push_tip: true, .. } => {
                let say = "Where no forge has the result, CI reports it with:".to_owned();
                lead.map(|commit| Todo { say, commands: vec![self.report(commit, check.as_ref(), edge)] })
                    .into_iter()
                    .collect()
            }
            Reason::NoCiCame { name: check, .. } => {
                let say = format!(
                    "Usual causes: no CI is set up for {}, or the push was made with a token whose pushes start none. \
                     Run it by hand; where no forge has the result, CI reports it with:",
                    source(Some(edge))
                );
                lead.map(|commit| Todo { say, commands: vec![self.report(commit, check.as_ref(), edge)] })
                    .into_iter()
                    .collect()
            }
            Reason::CheckRed { name: check, .. } => one(
                format!(
                    "Mend {} with a commit on {}, or run it again if it failed by chance.",
                    name(check.as_str()),
                    self.first()
                ),
                Vec::new(),
            ),
            Reason::ApprovalsMissing { not_counted, .. } => match (lead, edge.target.via) {
                (Some(commit), Via::FastForward) => one(
                    format!("{} can approve it:", super::capital(self.approvers(verdict))),
                    vec![format!("{} {commit}", self.on_edge("approve", edge))],
                ),
                (_, Via::MergeRequest) if not_counted.iter().any(names_a_co_author) => one(
                    format!(
                        "The approvals count once the config says who that co-author is: somebody in {} who has that \
                         address ({}) and an account on the forge ({}). Or say {} in {} of {} in the config.",
                        name("[people]"),
                        name("mail:ADDRESS"),
                        name("forge:NAME/LOGIN"),
                        name("authors = \"allow\""),
                        name("gates.approvals"),
                        name(edge.target.name.as_str())
                    ),
                    Vec::new(),
                ),
                (_, Via::MergeRequest) if not_counted.iter().any(|one| one.why == NotCountedWhy::AuthorUnknown) => {
                    one(
                        format!(
                            "The approvals count once that address is a confirmed one of an account on the forge, which its \
                             author adds in their settings there. Or say {} in {} of {} in the config.",
                            name("authors = \"allow\""),
                            name("gates.approvals"),
                            name(edge.target.name.as_str())
                        ),
                        Vec::new(),
                    )
                }
                (_, Via::MergeRequest) => one(
                    format!("{} can approve its request on the forge.", super::capital(self.approvers(verdict))),
                    Vec::new(),
                ),
                (None, Via::FastForward) => Vec::new(),
            },
            Reason::WindowClosed { opens: None } => {
                one(format!("Mend `gates.window` of {env}, which does not open within two years."), Vec::new())
            }
            Reason::NoSlot { next: None, .. } => {
                one(format!("Mend `gates.schedule` of {env}, which has no further slot."), Vec::new())
            }
            Reason::NotLookedAt { .. } => one(
                "Older commits are looked at with a higher `look_back`, or ask for one of them:".to_owned(),
                vec![format!("{} to SHA --reason 'WHY'", self.on_edge("promote", edge))],
            ),
            Reason::HttpBlocks { host, .. } => {
                self.pass_http(format!("Towpath asks {} again at each look.", name(host)), lead, edge)
            }
            Reason::MigrationsBreak { running, has, .. } => {
                let has = if has.is_empty() { std::slice::from_ref(running) } else { &has[..] };
                let asked = lead.map(|head| Asked { has: has.to_vec(), head, running: *running });
                self.todo_migrations(lead, asked.as_ref(), edge)
            }
            Reason::MigrationsLacked { had, .. } => {
                let asked = lead.map(|own| Asked { has: vec![own], head: *had, running: own });
                self.todo_migrations(lead, asked.as_ref(), edge)
            }
            Reason::UpToDate
            | Reason::Ready
            | Reason::Nothing
            | Reason::MigrationsPass { .. }
            | Reason::MigrationsWait { .. }
            | Reason::MigrationsUnseen { .. }
            | Reason::InFlight { .. }
            | Reason::RequestOpen { .. }
            | Reason::NotProposed { .. }
            | Reason::ForeignHead { .. }
            | Reason::Promoted { .. }
            | Reason::Overridden { .. }
            | Reason::ChecksGreen { .. }
            | Reason::CheckRunning { .. }
            | Reason::LagOver { .. }
            | Reason::LagNotOver { .. }
            | Reason::LagNotBegun { .. }
            | Reason::QuietOver { .. }
            | Reason::NotQuiet { .. }
            | Reason::WindowOpen { .. }
            | Reason::WindowClosed { opens: Some(_) }
            | Reason::SlotOpen { .. }
            | Reason::NoSlot { next: Some(_), .. }
            | Reason::Approved { .. }
            | Reason::HttpPasses { .. }
            | Reason::HttpWaits { .. }
            | Reason::BranchesMoved
            | Reason::ConfigChanged
            | Reason::HoldsChanged
            | Reason::OrderGone => Vec::new(),
        }
    }

    fn approvers(&self, verdict: &Verdict) -> String {
        match verdict {
            Verdict::Wait { on: who, .. } | Verdict::Block { who, .. } => self.who(who),
            Verdict::Pass { .. } => "nobody".to_owned(),
        }
    }

    fn todo_held(
        &self,
        what: Held,
        scope: (Option<&FlowName>, Option<&EnvName>),
        fixed_by: Option<CommitId>,
    ) -> Vec<Todo> {
        let commit = match what {
            Held::Commit(commit) => commit,
            Held::Range { lost, .. } => lost,
        };
        // With the words of the hold itself: with others it would not be lifted.
        let unhold = match scope {
            (None, _) => format!("towpath unhold {commit}"),
            (Some(flow), None) => format!("towpath unhold {commit} {}", shell_word(flow.as_str())),
            (Some(flow), Some(env)) => {
                format!("towpath unhold {commit} {} {}", shell_word(flow.as_str()), shell_word(env.as_str()))
            }
        };
        if fixed_by.is_some() {
            let say =
                format!("Push a commit that contains the fix to {}, or lift the hold altogether:", self.first());
            return vec![Todo { say, commands: vec![unhold] }];
        }
        let say = "To go on, say which commit FIX mends what it was held for; without `--fixed-by` everything passes again:";
        vec![Todo { say: say.to_owned(), commands: vec![format!("{unhold} --fixed-by FIX")] }]
    }

    /// How a commit that never was a branch's tip gets its CI.
    fn prove(&self, commit: CommitId, check: Option<&CheckName>, edge: Edge<'_>) -> Vec<Todo> {
        if only_on_source(check, edge) {
            let say = format!(
                "Only results on {} count here, where CI runs for newer commits only. One of those that passes \
                 brings {} along; where CI did run for it, its result is reported with:",
                source(Some(edge)),
                id(commit)
            );
            return vec![Todo { say, commands: vec![self.report(commit, check, edge)] }];
        }
        let ci = format!("{commit}:refs/heads/ci/{}", commit.short());
        let say =
            format!("To let CI see {}, give it a branch (CI has to be set up for such branches):", id(commit));
        let fetch = format!("git fetch {} {}", self.remote(), shell_word(&edge.source.branch.full_ref()));
        vec![Todo { say, commands: vec![fetch, format!("git push {} {ci}", self.remote())] }]
    }

    /// `towpath report`, in the form that counts on this edge.
    fn report(&self, commit: CommitId, check: Option<&CheckName>, edge: Edge<'_>) -> String {
        let check = check.map_or_else(|| "NAME".to_owned(), |check| shell_word(check.as_str()));
        format!(
            "towpath report {} {commit} {check} success --ref {}",
            shell_word(self.flow.name.as_str()),
            shell_word(edge.source.branch.as_str())
        )
    }

    /// What can be done where migrations stand in the way. With what was asked, people can ask it themselves,
    /// and accept what was found.
    fn todo_migrations(&self, lead: Option<CommitId>, asked: Option<&Asked>, edge: Edge<'_>) -> Vec<Todo> {
        let mut todo = Vec::new();
        if let Some(asked) = asked {
            let command = asked.command(edge);
            let first = name(self.flow.environments[0].branch.as_str());
            let again = format!("{command} --acceptances");
            todo.push(Todo {
                say: "What was found, with the lines and the way out, in a clone of the repository:".to_owned(),
                commands: vec![command],
            });
            todo.push(Todo {
                say: format!(
                    "To accept it as the files are now, commit to {first}, in `.towpath/accepted.toml`, what this prints:"
                ),
                commands: vec![again],
            });
        }
        let Some(commit) = lead else { return todo };
        let (flow, env) = (shell_word(self.flow.name.as_str()), shell_word(edge.target.name.as_str()));
        todo.push(Todo {
            say: format!("To let {} pass this gate all the same:", id(commit)),
            commands: vec![format!("towpath override migrations {flow} {env} {commit} --reason 'WHY'")],
        });
        todo
    }

    /// `override`, for when the server of an `http` gate is wrong or away.
    fn pass_http(&self, first: String, lead: Option<CommitId>, edge: Edge<'_>) -> Vec<Todo> {
        let Some(commit) = lead else { return vec![Todo { say: first, commands: Vec::new() }] };
        let say = format!("{first} To let {} pass this gate all the same:", id(commit));
        let (flow, env) = (shell_word(self.flow.name.as_str()), shell_word(edge.target.name.as_str()));
        vec![Todo { say, commands: vec![format!("towpath override http {flow} {env} {commit} --reason 'WHY'")] }]
    }

    fn todo_unknown(&self, why: &UnknownWhy, lead: Option<CommitId>, edge: Edge<'_>) -> Vec<Todo> {
        let one = |say: String, commands: Vec<String>| vec![Todo { say, commands }];
        match why {
            UnknownWhy::CredentialsRefused { .. } | UnknownWhy::NoRepository { .. } | UnknownWhy::NoTeam { .. } => one(
                "What Towpath may and may not do there is told by:".to_owned(),
                vec!["towpath doctor".to_owned()],
            ),
            UnknownWhy::TokenRefused { forge, .. } => one(
                format!(
                    "The token of {} is wrong, expired or revoked, or may not read and write this repository. A new one \
                     in its file counts from the next look on; one in the environment, from the next start.",
                    name(format!("[forge.{forge}]"))
                ),
                vec!["towpath doctor".to_owned()],
            ),
            UnknownWhy::TokenUnusable { forge, .. } => one(
                format!(
                    "Put the token, or the App's key, where {} says. A file is read anew at each look; the environment, only at the start.",
                    name(format!("[forge.{forge}]"))
                ),
                vec!["towpath doctor".to_owned()],
            ),
            UnknownWhy::NotTrusted { .. } => one(
                "If the server's certificate is from an authority of your own, name its file as `ca` in the `[forge.NAME]` \
                 of this repository. If it should be known to everybody, somebody may be listening in."
                    .to_owned(),
                vec!["towpath doctor".to_owned()],
            ),
            UnknownWhy::NoCommonAncestor => one(
                format!(
                    "Check `branch` of {} and {} in the config: nothing can move from {} to {}, not even by a merge.",
                    name(edge.source.name.as_str()),
                    name(edge.target.name.as_str()),
                    source(Some(edge)),
                    target(Some(edge))
                ),
                Vec::new(),
            ),
            UnknownWhy::NoForge => one(
                format!(
                    "Name the repository by a `[forge.X]` in the config, or mend `via`, `gates.ci` and `gates.approvals` of {}.",
                    name(edge.target.name.as_str())
                ),
                Vec::new(),
            ),
            UnknownWhy::ManyAuthors { .. } => one(fewer_at_once(edge), Vec::new()),
            UnknownWhy::Shallow => one("Towpath needs a repository with its whole history.".to_owned(), Vec::new()),
            UnknownWhy::HttpGate { instead: HttpInstead::NoToken { .. }, .. } => one(
                format!(
                    "Put the token where `gates.http` of {} says. A file is read anew at each look; the environment, only \
                     at the start.",
                    name(edge.target.name.as_str())
                ),
                Vec::new(),
            ),
            UnknownWhy::HttpGate { host, .. } => {
                self.pass_http(format!("Towpath asks {} again at its next look.", name(host)), lead, edge)
            }
            UnknownWhy::NotAnswered
            | UnknownWhy::Unreachable { .. }
            | UnknownWhy::Limited { .. }
            | UnknownWhy::TimedOut { .. }
            | UnknownWhy::Sha256
            | UnknownWhy::TooLarge { .. }
            | UnknownWhy::MissingCommit { .. }
            | UnknownWhy::Unreadable { .. } => Vec::new(),
            UnknownWhy::Migrations { .. } => self.todo_migrations(lead, None, edge),
        }
    }

    /// A command on an edge: `towpath VERB FLOW ENV`.
    fn on_edge(&self, verb: &str, edge: Edge<'_>) -> String {
        let (flow, env) = (shell_word(self.flow.name.as_str()), shell_word(edge.target.name.as_str()));
        format!("towpath {verb} {flow} {env}")
    }
}

/// What helps where more commits would enter than a forge is asked about.
fn fewer_at_once(edge: Edge<'_>) -> String {
    format!(
        "Let fewer commits enter at once: close the request, and name an earlier one by {}. Or say {} in {} of {} in the \
         config.",
        name("towpath promote"),
        name("authors = \"allow\""),
        name("gates.approvals"),
        name(edge.target.name.as_str())
    )
}

/// The command that ends a pause or freeze of that scope.
fn resume(scope: &Scope) -> String {
    let words = match scope {
        Scope::All => "all".to_owned(),
        Scope::Flow(flow) => shell_word(flow.as_str()),
        Scope::Edge(flow, env) => format!("{} {}", shell_word(flow.as_str()), shell_word(env.as_str())),
        Scope::Environment(env) => shell_word(env.as_str()),
    };
    format!("towpath resume {words}")
}

/// Whether results of the check count only on the source's branch; of some check if none is named.
fn only_on_source(check: Option<&CheckName>, edge: Edge<'_>) -> bool {
    let Some(Gate::Ci(ci)) = edge.target.gate(GateKind::Ci) else { return false };
    match &ci.checks {
        Checks::All | Checks::Required => false,
        Checks::Named(named) => named
            .iter()
            .filter(|one| check.is_none_or(|check| *check == one.name))
            .any(|one| one.on == CheckRef::Source),
    }
}

/// A question about migrations, as it was asked.
struct Asked {
    has: Vec<CommitId>,
    head: CommitId,
    running: CommitId,
}

impl Asked {
    /// The command that asks it, as the gate of that edge does.
    fn command(&self, edge: Edge<'_>) -> String {
        let mut command = "towpath check-migrations".to_owned();
        let mut add = |flag: &str, value: &str| command.extend([" --", flag, " ", value]);
        for had in &self.has {
            add("base", &had.to_string());
        }
        add("head", &self.head.to_string());
        if self.has[..] != [self.running] {
            add("running", &self.running.to_string());
        }
        if let Some(Gate::Migrations(gate)) = edge.target.gate(GateKind::Migrations) {
            let given = [("framework", &gate.framework), ("dialect", &gate.dialect), ("schema", &gate.schema)];
            for (flag, value) in given {
                if let Some(value) = value {
                    add(flag, &shell_word(value));
                }
            }
            for path in &gate.paths {
                add("path", &shell_word(path));
            }
        }
        command
    }
}

/// Whether it hangs on a co-author whose account is not known that an approval does not count.
fn names_a_co_author(one: &NotCounted) -> bool {
    one.stranger.as_ref().is_some_and(|stranger| stranger.co_author)
}
