//! Closing a request whose head was pushed to the target instead of being merged.
//!
//! That it is to be closed is stored with the landing. What is done about it follows from what is seen
//! ([`after_push`]), so a crash anywhere only means that the next pass does it,
//! and closing twice is closing once. It moves nothing, so no pause stops it. Until it is done nothing else happens on the
//! edge: the next head would go into the same request.
//!
//! Not here: the push itself, which is that of any other move (`run`), and the comment that is left (`say`).

use std::collections::BTreeSet;

use towpath_core::decide::request::{AfterPush, after_push};
use towpath_core::model::{
    Change, ClosedRequest, EnvName, Fact, Ledger, Missing, Observation, Proposed, PushedRequest, Tip, Unknown,
    UnknownWhy,
};

use super::observe::{self, Look};
use super::run::Runner;
use super::world::{Closing, Fault, Side, World};

/// Closes what is to be closed. Answers on which edges something was, or could not be found out or done: what was decided
/// there rests on a request that is over.
///
/// # Errors
/// When the store failed; the next pass does it again.
pub async fn close<W: World>(
    runner: &mut Runner<'_, W>,
    ledger: &mut Ledger,
    look: &Look,
    seen: &mut Observation,
) -> Result<BTreeSet<EnvName>, Fault> {
    let of = |(env, row): (&EnvName, &Proposed)| Some((env.clone(), row.pushed.filter(|pushed| pushed.open)?));
    let left: Vec<(EnvName, PushedRequest)> = ledger.proposed.iter().filter_map(of).collect();
    let mut busy = BTreeSet::new();
    for (env, pushed) in left {
        if !runner.acts(&env) {
            continue;
        }
        if !seen.facts.requests.contains_key(&env) {
            let missing = Missing { requests: [env.clone()].into(), ..Missing::default() };
            observe::answer(runner.world, runner.flow, look, seen, &missing, false).await;
        }
        let unknown = Tip::Unknown(Unknown::passing(UnknownWhy::NotAnswered));
        let target = look.tips.get(&env).unwrap_or(&unknown);
        let Some(requests) = seen.facts.requests.get(&env) else { continue };
        let over = match after_push(&pushed, requests, target, look.dag()) {
            AfterPush::Over => true,
            AfterPush::Wait => {
                busy.insert(env.clone());
                false
            }
            AfterPush::Close => {
                busy.insert(env.clone());
                ask(runner, seen, &env, pushed).await?
            }
        };
        if over && let Some(row) = ledger.proposed.get(&env) {
            let pushed = Some(PushedRequest { open: false, ..pushed });
            let row = Proposed { pushed, ..row.clone() };
            runner.commit(ledger, vec![Change::Proposed { env, row }]).await?;
        }
    }
    Ok(busy)
}

/// Asks the forge to close it. Whether nothing more is to be done about it.
async fn ask<W: World>(
    runner: &Runner<'_, W>,
    seen: &mut Observation,
    env: &EnvName,
    pushed: PushedRequest,
) -> Result<bool, Fault> {
    runner.world.crash_point(Side::Before, "Close")?;
    let answer = runner.world.close(runner.flow, env, pushed).await;
    runner.world.crash_point(Side::After, "Close")?;
    let (flow, number) = (runner.flow.name.as_str(), pushed.number);
    match answer {
        Closing::Done => {
            // What is said after this pass is said of a request that is over.
            if let Some(Fact::Known(requests)) = seen.facts.requests.get_mut(env)
                && let Some(open) = requests.open.take()
            {
                requests.closed = Some(ClosedRequest { number, url: open.url, head: open.head, by: None });
            }
            Ok(true)
        }
        Closing::Refused { words } => {
            // It stays open for the next head, which takes nothing from anybody.
            tracing::warn!(
                flow,
                env = env.as_str(),
                number,
                words,
                "the forge does not let Towpath close the request"
            );
            Ok(true)
        }
        Closing::Unsure { words } => {
            tracing::debug!(flow, env = env.as_str(), number, words, "the request is closed at the next look");
            Ok(false)
        }
    }
}
