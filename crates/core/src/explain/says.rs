//! What Towpath says on a forge besides opening requests: a line on commits, and one comment on the
//! request of an edge.
//!
//! These texts stay where they are put until something changes, so nothing in them counts from now
//! ([`Words::lasting`]).

use super::Words;
use crate::model::{CommitId, Decision, Instant, Tip};
use crate::text;

/// The line by which our one comment on a request is known.
pub const COMMENT_MARKER: &str = "<!-- towpath says -->";

impl Words<'_> {
    /// What the candidate of an edge waits for or is blocked by, in one plain line.
    pub fn status(&self, decision: &Decision) -> String {
        super::capital(self.verdict_on(&decision.verdict, self.flow.edge(&decision.env)))
    }

    /// That a commit has come to an environment, in one plain line.
    pub fn arrived(&self, decision: &Decision, since: Instant) -> String {
        let env = super::inert::shown(decision.env.as_str(), 80);
        format!("In {env} since {}", self.at(since))
    }

    /// The comment on the open request of an edge, whose head is `head`, as Markdown.
    pub fn comment(&self, decision: &Decision, head: CommitId) -> String {
        let md = |said: &str| text::markdown(said);
        let mut lines =
            vec![COMMENT_MARKER.to_owned(), format!("**{}**", md(&self.headline(decision))), String::new()];
        let lead = decision.lead.as_ref();
        match lead.filter(|lead| lead.commit == head) {
            Some(lead) => {
                let edge = self.flow.edge(&decision.env);
                for judged in &lead.judged {
                    let said = self.verdict_on(&judged.verdict, edge);
                    lines.push(format!("- {} {}: {}", judged.verdict.word(), judged.check.key(), md(&said)));
                }
            }
            None => lines.push(format!("This request is for {}.", head.short())),
        }
        let explained = self.explain(decision);
        for todo in explained.todo {
            lines.extend([String::new(), md(&todo.say)]);
            // To be copied, so nothing in them is escaped; what would end the code is left out.
            let commands = todo.commands.iter().filter(|command| !command.contains(['`', '\n']));
            lines.extend(commands.map(|command| format!("- `{command}`")));
        }
        lines.join("\n")
    }

    /// The last comment on a request whose head was pushed to the target, and that was closed then.
    pub fn pushed_comment(&self, decision: &Decision, head: CommitId) -> String {
        let env = text::markdown(decision.env.as_str());
        let branch = self.flow.environment(&decision.env).map_or("its branch", |env| env.branch.as_str());
        let branch = text::markdown(branch);
        format!(
            "{COMMENT_MARKER}\nThis request is over: Towpath pushed {branch} to exactly its head, `{head}`, by fast-forward, so \
             {env} has its commits as they are. The forge does not take a push for a merge here, so Towpath closed the \
             request."
        )
    }

    /// The last comment on a request that is over.
    pub fn last_comment(&self, decision: &Decision) -> String {
        let env = text::markdown(decision.env.as_str());
        let at = match decision.target {
            Tip::At(tip) => format!("{env} is at {}.", tip.short()),
            Tip::Absent | Tip::Unknown(_) => String::new(),
        };
        format!("{COMMENT_MARKER}\nThis request is over. {at}")
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::tests::{commit, decided, every_reason, flow, judged, local, words};
    use super::*;
    use crate::model::{Check, GateKind, Verdict, Who};

    #[test]
    fn what_stays_does_not_count_from_now() {
        let flow = flow();
        let now = words(&flow);
        for why in every_reason() {
            let until = Some(local(11, 23, 9, 0));
            let verdicts = [
                Verdict::Wait { why: why.clone(), on: Who::Time, until },
                Verdict::Wait { why: why.clone(), on: Who::Towpath, until: None },
                Verdict::Block { why, who: Who::Operator },
            ];
            for verdict in verdicts {
                let decision = decided(vec![judged(Check::Gate(GateKind::Ci), verdict)]);
                let said = |minute| {
                    let words = Words { lasting: true, now: local(11, 22, 8, minute), ..now };
                    (words.status(&decision), words.comment(&decision, commit(2)), words.last_comment(&decision))
                };
                assert_eq!(said(10), said(55));
            }
        }
    }

    #[test]
    fn a_comment_says_how_it_stands_and_what_to_do() {
        let flow = flow();
        let words = Words { lasting: true, ..words(&flow) };
        let red = every_reason().into_iter().find(|why| matches!(why, crate::model::Reason::CheckRed { .. }));
        let why = red.expect("one of them");
        let decision = decided(vec![judged(Check::Gate(GateKind::Ci), Verdict::Block { why, who: Who::Ci })]);
        let lead = decision.lead.as_ref().expect("a candidate").commit;
        assert_snapshot!(words.comment(&decision, lead), @r#"
        <!-- towpath says -->
        **production: blocked: check &#96;build&#96; is red on &#96;staging&#96; &lt;https:<!-- -->//ci.example.com/77&gt;; CI can mend it: &#96;222222222&#96; "Fix rounding" \(Marek\)**

        - block ci: check &#96;build&#96; is red on &#96;staging&#96; &lt;https:<!-- -->//ci.example.com/77&gt;; CI can mend it

        Mend &#96;build&#96; with a commit on &#96;develop&#96;, or run it again if it failed by chance.
        "#);
        assert_snapshot!(words.comment(&decision, commit(9)).lines().nth(3).unwrap_or_default(), @"This request is for 999999999.");
        assert_snapshot!(words.status(&decision), @"Check `build` is red on `staging` <https://ci.example.com/77>; CI can mend it");
        assert_snapshot!(words.arrived(&decision, local(11, 21, 10, 2)), @"In production since Sat 21 Nov 2026 10:02 CET");
        assert_snapshot!(words.last_comment(&decision), @"
        <!-- towpath says -->
        This request is over. production is at 111111111.
        ");
    }
}
