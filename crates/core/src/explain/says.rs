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
