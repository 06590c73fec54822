//! Towpath beside people, in lines.

use serde::{Deserialize, Serialize};

use super::inert::{self, name};
use super::{Line, Mark, Words, id};
use crate::compare::{Class, Comparison, Counts, EdgeCompared, MoveCompared, NotYet};
use crate::model::{HandMove, Instant, Span, Stood, Way};

/// A comparison in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparisonWords {
    /// How much agrees.
    pub summary: Line,
    /// What the times mean.
    pub note: Line,
    /// One for each edge, source-most first.
    pub edges: Vec<EdgeWords>,
}

/// An environment of a comparison in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeWords {
    /// How much agrees there.
    pub head: Line,
    /// Its moves by hand, oldest first, and what nobody has moved yet.
    pub moves: Vec<Line>,
}

impl Words<'_> {
    /// Everything: the summary first, then each environment with its moves, oldest first.
    pub fn comparison(&self, comparison: &Comparison) -> ComparisonWords {
        let edge = |edge: &EdgeCompared| {
            let mut moves: Vec<Line> = edge.moves.iter().map(|compared| self.compared(compared)).collect();
            moves.extend(edge.not_yet.as_ref().map(|wanted| self.not_yet(edge, wanted)));
            EdgeWords { head: self.edge_summary(edge), moves }
        };
        ComparisonWords {
            summary: self.summary(comparison),
            note: self.resolution(comparison),
            edges: comparison.edges.iter().map(edge).collect(),
        }
    }

    fn summary(&self, comparison: &Comparison) -> Line {
        let span = whole_minutes(self.now.since(comparison.since));
        let from = if comparison.since_first_look { " since the first look" } else { "" };
        let mark = worst(&comparison.counts);
        let flow = inert::shown(comparison.flow.as_str(), 80);
        Line { mark, text: format!("{flow}: in {span}{from}: {}", tally(&comparison.counts)) }
    }

    fn resolution(&self, comparison: &Comparison) -> Line {
        let looked = comparison.looked.map_or_else(
            || "Towpath has not looked yet".to_owned(),
            |looked| format!("the last was at {}", self.at(looked)),
        );
        let text = format!(
            "Times are those of looks: a move is seen at the first look after it; {looked}. Moves within {} of \
             each other agree",
            comparison.within
        );
        Line { mark: Mark::Note, text }
    }

    fn edge_summary(&self, edge: &EdgeCompared) -> Line {
        let observed = if edge.observed { " (observing only)" } else { "" };
        let own = match edge.by_towpath {
            0 => String::new(),
            1 => "; Towpath itself moved it once".to_owned(),
            count => format!("; Towpath itself moved it {count} times"),
        };
        let env = inert::shown(edge.env.as_str(), 80);
        Line { mark: worst(&edge.counts), text: format!("{env}{observed}: {}{own}", tally(&edge.counts)) }
    }

    /// A move by hand in one line: when, from where to where, and how it compares.
    pub fn compared(&self, compared: &MoveCompared) -> Line {
        let hand = &compared.moved;
        let (word, mark) = match compared.class {
            Class::Agreed { .. } => ("agreed", Mark::Pass),
            Class::Earlier => ("EARLIER", Mark::Wait),
            Class::Later { .. } => ("LATER", Mark::Wait),
            Class::Against => ("AGAINST", Mark::Block),
        };
        let mut text = format!("{word} {}: {} -> {}", self.at(hand.at.wall), id(hand.old), id(hand.new));
        // A look that was long before the last one leaves much room for when it really was.
        if let Some(after) = hand.after.filter(|after| hand.at.wall.since(*after) > LOOK_USUAL) {
            text.push_str(&format!(" (at some time since {})", self.at(after)));
        }
        text.push_str(&match compared.class {
            Class::Agreed { after_ms } => match after_ms {
                0 => ", as Towpath would have at that look".to_owned(),
                ms if ms < 0 => {
                    format!(", as Towpath would have {} after that look", Span::from_ms(ms.saturating_neg()))
                }
                ms => format!(", as Towpath would have {} before that look", Span::from_ms(ms)),
            },
            Class::Earlier => self.stood(hand),
            Class::Later { since, after_ms } => self.later(hand, since, Span::from_ms(after_ms)),
            Class::Against => match hand.way {
                Way::Back => ", back; Towpath goes back only when told to".to_owned(),
                Way::Aside => ", to another line of history; Towpath never does that".to_owned(),
                Way::Forward => self.stood(hand),
            },
        });
        if let Some(part) = hand.would.part.filter(|_| matches!(compared.class, Class::Earlier | Class::Against)) {
            text.push_str(&format!(
                "; Towpath would have gone to {}, which that contains, at {}",
                id(part.new),
                self.at(part.since)
            ));
        }
        Line { mark, text }
    }

    fn later(&self, hand: &HandMove, since: Instant, after: Span) -> String {
        let at = self.at(since);
        match (hand.would.same, hand.would.further) {
            (None, Some(further)) if after < Span::from_mins(1) => {
                format!(", where Towpath would have gone on to {}, at {at}", id(further.new))
            }
            (None, Some(further)) => {
                format!(", {after} after Towpath would have gone past it to {}, at {at}", id(further.new))
            }
            (Some(_), _) | (None, None) => {
                format!(", {after} after Towpath would have, at {at}{}", self.stood(hand))
            }
        }
    }

    /// What stood against a move, as it was at that look.
    fn stood(&self, hand: &HandMove) -> String {
        let then = Words { now: hand.at.wall, ..*self };
        let source = self
            .flow
            .edge(&hand.env)
            .map_or_else(|| "the environment before it".to_owned(), |edge| name(edge.source.name.as_str()));
        match &hand.stood {
            Stood::Nothing => String::new(),
            Stood::Against { of, verdict } => {
                let said = then.verdict_on(verdict, self.flow.edge(&hand.env));
                if *of == hand.new {
                    format!("; at that look: {said}")
                } else {
                    format!("; Towpath would not stop there, and at that look {} could not move: {said}", id(*of))
                }
            }
            Stood::NotOnSource => format!("; {source} does not have that commit"),
            Stood::NeverTip => format!("; {source} was never seen at that commit or at one above it"),
            Stood::NotForward => String::new(),
        }
    }

    fn not_yet(&self, edge: &EdgeCompared, wanted: &NotYet) -> Line {
        let nobody = if edge.observed { "nobody has" } else { "it has not come to that" };
        let mut text = format!(
            "NOT YET Towpath would move to {} since {}; {nobody}",
            id(wanted.now.new),
            self.at(wanted.now.since)
        );
        if let Some(first) = wanted.first {
            text.push_str(&format!("; it would have moved first to {} at {}", id(first.new), self.at(first.since)));
        }
        Line { mark: Mark::Wait, text }
    }
}

/// Looks are mostly this far apart at most; what is seen later than that says so.
const LOOK_USUAL: Span = Span::from_mins(15);

fn whole_minutes(span: Span) -> Span {
    if span.ms() < 60_000 { span } else { Span::from_ms(span.ms() - span.ms() % 60_000) }
}

fn tally(counts: &Counts) -> String {
    let mut said = match counts.moves {
        0 => "no moves by hand".to_owned(),
        1 => "1 move by hand".to_owned(),
        n => format!("{n} moves by hand"),
    };
    let parts = [
        (counts.agreed, "as Towpath would have"),
        (counts.earlier, "earlier"),
        (counts.later, "later"),
        (counts.against, "against it"),
    ];
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        said.push_str(&format!(", {count} {what}"));
    }
    match counts.not_yet {
        0 => {}
        1 => said.push_str("; 1 not yet made"),
        n => said.push_str(&format!("; {n} not yet made")),
    }
    said
}

const fn worst(counts: &Counts) -> Mark {
    match counts {
        Counts { against: 1.., .. } => Mark::Block,
        Counts { earlier: 1.., .. } | Counts { later: 1.., .. } | Counts { not_yet: 1.., .. } => Mark::Wait,
        _ => Mark::Pass,
    }
}
