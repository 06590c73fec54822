//! What stops automation where a view looks: who ordered it, why and until when, above everything else.
//!
//! One struct and one layout for every view, so that all say it in the same words and at the same place.
//!
//! Not here: what a pause stops (`decide` of the core), and the sentence (`explain` of the core).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use towpath_core::explain::{Mark, Words};
use towpath_core::model::{Actor, EnvName, Flow, FlowName, Instant, OrderId, Pause, PauseKind, Standing, Until};
use utoipa::ToSchema;

use super::page::Line;

/// A pause or freeze that covers what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Banner {
    /// The order.
    #[schema(value_type = String)]
    pub id: OrderId,
    /// `pause` or `freeze`.
    #[schema(value_type = String, example = "pause")]
    pub kind: PauseKind,
    /// The environments of the flow that it covers.
    #[schema(value_type = Vec<String>)]
    pub environments: Vec<EnvName>,
    /// Who ordered it.
    #[schema(value_type = String, example = "ana")]
    pub by: Actor,
    /// Why, in their words.
    #[schema(example = "database failover")]
    pub reason: String,
    /// Since when, in epoch milliseconds.
    #[schema(value_type = i64)]
    pub since: Instant,
    /// Until when, in epoch milliseconds; none where only `resume` ends it.
    #[schema(value_type = Option<i64>)]
    pub until: Option<Instant>,
    /// All of it in one line.
    #[schema(example = "`production` of `checkout` is paused until 18:00 CET (in 2h) by `ana`: database failover")]
    pub text: String,
}

/// Those of a flow, in a view of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowBanners {
    /// The flow.
    #[schema(value_type = String, example = "shop/checkout")]
    pub flow: FlowName,
    /// The pauses and freezes that stand on it.
    pub paused: Vec<Banner>,
}

impl FlowBanners {
    /// None where none stands.
    pub fn of(flow: &Flow, paused: Vec<Banner>) -> Option<Self> {
        (!paused.is_empty()).then(|| Self { flow: flow.name.clone(), paused })
    }
}

/// Those that stand on a flow, or on that environment of it, in the order in which they were given.
pub fn banners(flow: &Flow, standing: &Standing, words: &Words<'_>, env: Option<&EnvName>) -> Vec<Banner> {
    let covered = |pause: &Pause| -> Vec<EnvName> {
        let targets = flow.edges().map(|edge| &edge.target.name);
        targets.filter(|env| pause.stands_on(&flow.name, env, words.now)).cloned().collect()
    };
    let banner = |pause: &Pause| Banner {
        id: pause.id.clone(),
        kind: pause.kind,
        environments: covered(pause),
        by: pause.by.clone(),
        reason: pause.reason.clone(),
        since: pause.at,
        until: match pause.until {
            Until::At(at) => Some(at),
            Until::Resumed => None,
        },
        text: words.pause(pause),
    };
    let all = standing.pauses.iter().map(banner);
    all.filter(|banner| match env {
        Some(env) => banner.environments.contains(env),
        None => !banner.environments.is_empty(),
    })
    .collect()
}

/// The lines at the top, below the flow's name.
pub fn lay_out(banners: &[Banner]) -> impl Iterator<Item = Line> + '_ {
    let texts = banners.iter().map(|banner| banner.text.clone()).collect();
    folded(texts).into_iter().map(|text| Line::marked(2, Mark::Block, &text))
}

/// Each line once, in the order in which they come first, with how often it stands.
pub(super) fn folded(lines: Vec<String>) -> Vec<String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for line in &lines {
        *times.entry(line.clone()).or_default() += 1;
    }
    let said = |line: String| match times.remove(&line) {
        None => None,
        Some(1) => Some(line),
        Some(count) => Some(format!("{line} ({count} times)")),
    };
    lines.into_iter().filter_map(said).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use towpath_core::model::Scope;

    use super::super::page::words;
    use super::*;
    use crate::config::Config;

    const NOW: Instant = Instant(1_795_255_200_000);

    fn flow() -> Flow {
        let text = "[[flow]]\nname = \"shop\"\nrepository = \"shop.git\"\n[[flow.environment]]\nname = \"develop\"\n\
                    [[flow.environment]]\nname = \"staging\"\n[[flow.environment]]\nname = \"production\"\n";
        Config::from_text(text, Path::new("/towpath.toml")).unwrap().flows.remove(0).flow
    }

    fn pause(scope: Scope, until: Until) -> Pause {
        Pause {
            id: "p1".into(),
            kind: PauseKind::Freeze,
            scope,
            by: "ana".into(),
            reason: "the till\u{1b}[2J is\ndown".to_owned(),
            at: Instant(NOW.0 - 60_000),
            until,
            cause: None,
            began: None,
        }
    }

    #[test]
    fn shown_is_what_stands_on_what_is_looked_at() {
        let flow = flow();
        let words = words(&flow, "origin", NOW);
        let edge = |name: &str, env: &str| Scope::Edge(name.into(), env.into());
        let at = |minutes: i64| Until::At(Instant(NOW.0 + minutes * 60_000));
        for (scope, until, everywhere, staging) in [
            (Scope::All, Until::Resumed, 2, true),
            (Scope::All, at(5), 2, true),
            (Scope::All, at(0), 0, false),
            (Scope::Flow("shop".into()), at(5), 2, true),
            (Scope::Flow("other".into()), at(5), 0, false),
            (Scope::Environment("production".into()), at(5), 1, false),
            (Scope::Environment("develop".into()), at(5), 0, false),
            (edge("shop", "staging"), at(5), 1, true),
            (edge("other", "staging"), at(5), 0, false),
        ] {
            let standing = Standing { pauses: vec![pause(scope.clone(), until)], ..Standing::default() };
            let all = banners(&flow, &standing, &words, None);
            assert_eq!(
                all.first().map_or(0, |banner| banner.environments.len()),
                everywhere,
                "{scope:?} {until:?}"
            );
            let of = banners(&flow, &standing, &words, Some(&"staging".into()));
            assert_eq!(!of.is_empty(), staging, "{scope:?} {until:?}");
        }
    }

    #[test]
    fn it_says_who_why_and_until_when_on_one_line() {
        let flow = flow();
        let words = words(&flow, "origin", NOW);
        let lines = |until| {
            let pause = pause(Scope::Edge("shop".into(), "production".into()), until);
            let standing = Standing { pauses: vec![pause], ..Standing::default() };
            let banners = banners(&flow, &standing, &words, None);
            lay_out(&banners).map(|line| (line.indent, line.mark, line.text)).collect::<Vec<_>>()
        };
        let line = |until: &str| {
            let text = format!("`production` of `shop` is frozen {until} by `ana`: the till\\x1b[2J is down");
            vec![(2, Some(Mark::Block), text)]
        };
        assert_eq!(lines(Until::At(Instant(NOW.0 + 7_200_000))), line("until 12:00 UTC (in 2h)"));
        assert_eq!(lines(Until::Resumed), line("until resumed"));
    }
}
