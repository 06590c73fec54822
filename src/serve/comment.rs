//! Commands in comments under promotion requests: taken from the forge's hook, worked on from the store.
//!
//! Whoever comments has to be somebody's identity in the config, and the forge has to say, asked at that moment, that they
//! may push to the repository: an account that was closed or stolen from a leaver steers nothing. From a comment only the
//! flows of its own repository can be asked and steered, for whoever reads it reads the answer. Not here: which line is a
//! command (`command::comment` of the core), whether a hook is genuine and what a forge calls things (`forge`).

use serde::{Deserialize, Serialize};
use towpath_core::command::{Command, Context, Said, comment};
use towpath_core::model::{EnvName, FlowName, Scope};
use towpath_core::people::{Identity, Surface};
use towpath_core::text::{markdown, one_line};

use super::lanes::Lane;
use super::queue::Wake;
use super::{Shared, late};
use crate::config::FlowConfig;
use crate::engine::command::{Person, Request, record_refusal};
use crate::engine::forges::OnForge;
use crate::engine::plan;
use crate::forge::{CommentSeen, Permission, Reaction};
use crate::setup::Setup;
use crate::store::{AskedRow, StoreError};
use crate::views::{self, Code, Line, Problem, Spoken, Sure};

/// What a command in a comment begins with.
pub const TRIGGER: &str = "/towpath";

/// What our answer begins with: one comment for each request, edited in place.
const MARKER: &str = "<!-- towpath:answer -->";

/// How many lines an answer has.
const LINES: usize = 60;

/// How much of what was said is repeated.
const QUOTED: usize = 300;

/// A comment that holds a command, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The flows of its repository.
    flows: Vec<FlowName>,
    /// The number of the request.
    number: u64,
    /// The forge's number of the comment.
    id: u64,
    /// The login name of whoever wrote it.
    author: String,
    /// The whole comment.
    body: String,
    /// Its page.
    url: String,
}

/// Takes up a comment of a verified hook, if it holds a command; whether it is new. None if it holds none.
///
/// # Errors
/// If it could not be stored.
pub async fn take(
    setup: &Setup,
    forge: &str,
    flows: Vec<FlowName>,
    seen: CommentSeen,
) -> Result<Option<bool>, StoreError> {
    if comment::find(&seen.body, TRIGGER) == Ok(None) {
        return Ok(None);
    }
    let CommentSeen { number, id, author, body, url, .. } = seen;
    let asked = Asked { flows, number, id, author, body, url };
    let wall = setup.world.clock().reading().wall;
    let text = serde_json::to_string(&asked).unwrap_or_default();
    let (place, once) = (format!("forge:{forge}"), id.to_string());
    setup.world.store().take_asked((&place, &once), wall, &text, Lane::Comments.word()).await.map(Some)
}

/// Works on one; why it was not answered, if it was not.
pub(super) async fn work(shared: &Shared, setup: &Setup, (forge, row): (&str, &AskedRow)) -> Option<String> {
    let Ok(asked) = serde_json::from_str::<Asked>(&row.asked) else {
        return Some("it cannot be read by this version".to_owned());
    };
    // On a public forge anybody may write: whoever is nobody here and has no right there costs one call.
    if is_nobody(setup, forge, &asked).await {
        return Some("it is by nobody who may push".to_owned());
    }
    let Some((found, env)) = edge(setup, &asked).await else {
        return Some("it is under no open request of ours".to_owned());
    };
    let Ok(on) = setup.world.forge(&found.flow.name) else { return Some("its forge cannot be used".to_owned()) };
    // What we say ourselves is no command; where we do not know who we are, no line of ours begins with the trigger.
    if on.forge.whoami().await.is_ok_and(|us| us == asked.author) {
        return Some("it is our own".to_owned());
    }
    react(on, &asked, Reaction::Seen).await;
    let answer = answer(shared, setup, (forge, on), (found, &env), (&asked, row)).await;
    // Another process took us for gone: it answers.
    if matches!(setup.world.store().answer_asked(row).await, Ok(false)) {
        return None;
    }
    react(on, &asked, if answer.is_ok() { Reaction::Done } else { Reaction::Refused }).await;
    let body = body(&asked, &answer);
    match on.forge.comment(&on.repo, asked.number, MARKER, &body).await {
        Ok(()) => None,
        Err(fault) => {
            let words = one_line(&fault.to_string(), 300);
            tracing::warn!(forge, words, "an answer could not be given");
            Some(words)
        }
    }
}

/// Whether it is by somebody who is linked to no person and, as far as the forge says, may not push either.
async fn is_nobody(setup: &Setup, forge: &str, asked: &Asked) -> bool {
    let identity = Identity::forge(forge, &asked.author);
    if setup.config.laws.people.who(&identity).is_some() {
        return false;
    }
    let Some(on) = asked.flows.iter().find_map(|flow| setup.world.forge(flow).ok()) else { return true };
    permitted(on, asked).await.is_err()
}

/// The edge whose open request it is under.
async fn edge<'s>(setup: &'s Setup, asked: &Asked) -> Option<(&'s FlowConfig, EnvName)> {
    for name in &asked.flows {
        let Some(found) = setup.config.named(name) else { continue };
        let Ok(planned) = plan(&setup.world, &found.flow).await else { continue };
        let requests = planned.seen.facts.requests.iter();
        let open = requests.filter_map(|(env, fact)| Some((env, fact.known()?.open.as_ref()?.number)));
        if let Some((env, _)) = open.into_iter().find(|(_, number)| *number == asked.number) {
            return Some((found, env.clone()));
        }
    }
    None
}

async fn react(on: &OnForge, asked: &Asked, reaction: Reaction) {
    if let Err(fault) = on.forge.react(&on.repo, asked.number, asked.id, reaction).await {
        tracing::debug!(%fault, "a reaction could not be put");
    }
}

/// What is answered, or why it was refused.
async fn answer(
    shared: &Shared,
    setup: &Setup,
    (forge, on): (&str, &OnForge),
    (found, env): (&FlowConfig, &EnvName),
    (asked, row): (&Asked, &AskedRow),
) -> Result<Spoken, Problem> {
    if row.done {
        let (allowed, lines) = late::done(setup, row).await?;
        if allowed {
            return Ok(Spoken { lines, confirm: None, audit: None });
        }
        let said: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        return Err(Problem::new(Code::Refused, said.join(" ")));
    }
    let context = Context::of_edge(&found.flow, env);
    let said = comment::said(&asked.body, TRIGGER, &context)
        .map_err(|problem| Problem::new(Code::BadCommand, problem.to_string()))?;
    let Some(said) = said else { return Err(Problem::new(Code::BadCommand, "there is no command in it")) };
    let who = Person {
        place: Some(one_line(&asked.url, 300)),
        said: comment::find(&asked.body, TRIGGER).ok().flatten().map(str::to_owned),
        request: Some(Request { seq: row.seq, turn: row.turn }),
        ..Person::new(Identity::forge(forge, &asked.author), Surface::Comment)
    };
    if let Err(problem) = permitted(on, asked).await {
        record_refusal(&setup.world, &setup.config, &who, said.to_string(), &problem.message).await?;
        return Err(problem);
    }
    let Said::Steer(command) = &said else {
        let view = setup.viewing(&asked.flows);
        return views::say(&view, &view.config, &said, &who, Sure::Yes).await;
    };
    let what = late::not_now(setup, &setup.config, &said, row).await?;
    let own = match what {
        Some(what) => Err(Problem::new(Code::Conflict, what)),
        None => of_its_own(setup, command, &asked.flows),
    };
    let flows = match own {
        Ok(flows) => flows,
        Err(problem) => {
            record_refusal(&setup.world, &setup.config, &who, said.to_string(), &problem.message).await?;
            return Err(problem);
        }
    };
    let config = setup.config.only(&asked.flows);
    let spoken = views::say(setup, &config, &said, &who, Sure::Yes).await?;
    for flow in flows {
        shared.wake(&flow, Wake::Command);
    }
    Ok(spoken)
}

/// The flows that it reaches, which have to be those of its own repository.
fn of_its_own(setup: &Setup, command: &Command, own: &[FlowName]) -> Result<Vec<FlowName>, Problem> {
    // Words that name nothing are told where they are looked up.
    let Ok(scope) = setup.config.target(&command.place()) else { return Ok(Vec::new()) };
    let reached: Vec<FlowName> =
        setup.config.reach(&scope).into_iter().map(|found| found.flow.name.clone()).collect();
    let wide = matches!(scope, Scope::All | Scope::Environment(_));
    if wide || reached.iter().any(|flow| !own.contains(flow)) {
        let what = "a comment steers flows of its own repository alone; name the flow, or say it in a chat or on the \
                    command line";
        return Err(Problem::new(Code::NotPermitted, what));
    }
    Ok(reached)
}

/// Whether the forge says, now, that they may push.
async fn permitted(on: &OnForge, asked: &Asked) -> Result<(), Problem> {
    let author = one_line(&asked.author, 100);
    match on.forge.permission(&on.repo, &asked.author).await {
        Ok(permission) if permission >= Permission::Write => Ok(()),
        Ok(_) => {
            let what = format!("`{author}` may not push to this repository, and so commands nothing here");
            Err(Problem::new(Code::NotPermitted, what))
        }
        Err(unknown) => {
            tracing::warn!(?unknown, "a forge does not say what somebody may do");
            let what =
                format!("the forge does not say now what `{author}` may do here, so nothing is done; say it again");
            Err(Problem::new(Code::NotPermitted, what))
        }
    }
}

/// Our comment: what was said, and what came of it. Everything in it is inert.
fn body(asked: &Asked, answer: &Result<Spoken, Problem>) -> String {
    let said = comment::find(&asked.body, TRIGGER).ok().flatten().unwrap_or_default();
    let said = markdown(&one_line(said, QUOTED));
    let mut text = format!("{MARKER}\n{} said: {said}\n\n", markdown(&one_line(&asked.author, 100)));
    let mut push = |line: &str| text.push_str(&format!("- {}\n", markdown(line)));
    match answer {
        Ok(spoken) => {
            let shown = spoken.lines.iter().filter(|line| !line.text.is_empty());
            shown.take(LINES).map(|line: &Line| line.text.as_str()).for_each(&mut push);
            if spoken.lines.len() > LINES {
                push("and more; ask about less");
            }
        }
        Err(problem) => {
            push(&problem.message);
            problem.hint.iter().for_each(|hint| push(hint));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_is_inert() {
        let asked = Asked {
            flows: Vec::new(),
            number: 7,
            id: 8,
            author: "an@a".to_owned(),
            body: "/towpath where <img src=x> @all #12 /close `x`".to_owned(),
            url: String::new(),
        };
        for answer in [
            Err(Problem::new(Code::BadCommand, "no <b>such</b> @all thing\n/close".to_owned())),
            Ok(Spoken { lines: vec![Line::plain(0, "@all <b> /close")], confirm: None, audit: None }),
        ] {
            let body = body(&asked, &answer);
            assert!(body.starts_with(MARKER), "{body}");
            for bad in ["<img", "<b>", " @all", "\n/close", " #12"] {
                assert!(!body.contains(bad), "{bad}: {body}");
            }
            assert!(body.lines().all(|line| !line.starts_with(TRIGGER)), "{body}");
        }
    }
}
