//! Commands in comments under promotion requests: taken from the forge's hook, worked on from the store.
//!
//! Whoever comments has to be somebody's identity in the config, and the forge has to say, asked at that moment, that they
//! may push to the repository: an account that was closed or stolen from a leaver steers nothing. From a comment only the
//! flows of its own repository can be asked and steered, for whoever reads it reads the answer.
//!
//! On a public forge anybody may write. What the config alone refuses is refused before the forge is asked anything, and
//! strangers are told once how to be linked, and so many of them in an hour. Not here: which line is a
//! command (`command::comment` of the core), whether a hook is genuine and what a forge calls things (`forge`).

use serde::{Deserialize, Serialize};
use towpath_core::command::{Command, Context, Said, Verb, comment};
use towpath_core::model::{EnvName, FlowName, Scope, Via};
use towpath_core::people::{Identity, Surface};
use towpath_core::text::{markdown, one_line};

use super::lanes::Lane;
use super::queue::Wake;
use super::{Shared, intake, late, talk};
use crate::config::{Config, FlowConfig};
use crate::engine::command::{Person, Request, may_give, record_refusal};
use crate::engine::forges::OnForge;
use crate::engine::plan;
use crate::forge::{CommentSeen, Permission, Reaction};
use crate::setup::Setup;
use crate::store::{AskedRow, NewAsked, StoreError, Taken};
use crate::views::{self, Code, Line, Problem, Spoken, Sure};

/// What a command in a comment begins with.
pub const TRIGGER: &str = "/towpath";

/// What our answer begins with: one comment for each request, edited in place.
const MARKER: &str = "<!-- towpath:answer -->";

/// What the comment begins with that tells strangers how to be linked: it takes no answer's place.
const STRANGERS: &str = "<!-- towpath:strangers -->";

/// How many strangers are told so on one forge in an hour.
const STRANGERS_MAX: usize = 10;

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

/// Takes up a comment of a verified hook, if it holds a command. None if it holds none.
///
/// # Errors
/// If it could not be stored.
pub async fn take(
    setup: &Setup,
    forge: &str,
    flows: Vec<FlowName>,
    seen: CommentSeen,
) -> Result<Option<Taken>, StoreError> {
    if comment::find(&seen.body, TRIGGER) == Ok(None) {
        return Ok(None);
    }
    let CommentSeen { number, id, author, body, url, .. } = seen;
    let asked = Asked { flows, number, id, author, body, url };
    let wall = setup.world.clock().reading().wall;
    let text = serde_json::to_string(&asked).unwrap_or_default();
    let (place, once) = (format!("forge:{forge}"), id.to_string());
    let new =
        NewAsked { place: &place, once: &once, who: &asked.author, asked: &text, lane: Lane::Comments.word() };
    let is_linked = setup.config.laws.people.who(&Identity::forge(forge, &asked.author)).is_some();
    // What it is about may be said by its place alone; the first word tells enough.
    let word = comment::find(&asked.body, TRIGGER).ok().flatten().and_then(|said| said.split_whitespace().next());
    let only_stops = word.and_then(Verb::from_word).is_some_and(talk::stops);
    let room = intake::room(is_linked, only_stops);
    setup.world.store().take_asked(&new, wall, room).await.map(Some)
}

/// Works on one; why it was not answered, if it was not.
pub(super) async fn work(shared: &Shared, setup: &Setup, (forge, row): (&str, &AskedRow)) -> Option<String> {
    let Ok(asked) = serde_json::from_str::<Asked>(&row.asked) else {
        return Some("it cannot be read by this version".to_owned());
    };
    let Some(on) = asked.flows.iter().find_map(|flow| setup.world.forge(flow).ok()) else {
        return Some("its forge cannot be used".to_owned());
    };
    if row.done {
        return owed(setup, (forge, on), (&asked, row)).await;
    }
    let who = person(forge, (&asked, row));
    if setup.config.laws.people.who(&who.identity).is_none() {
        return stranger(setup, (forge, on), (&asked, row), &who).await;
    }
    let refusal = match refused_by_config(setup, &asked, &who) {
        None => permitted(on, &asked).await.err(),
        refusal => refusal,
    };
    if refusal.is_none() {
        // First of all: what follows asks the flows, and takes its time.
        react(on, &asked, Reaction::Seen).await;
    }
    let answer = match refusal {
        Some(problem) => {
            // What is no command at all is not on record, as on every surface.
            if problem.code != Code::BadCommand
                && let Err(fault) = record(setup, &asked, &who, &problem).await
            {
                return Some(fault);
            }
            Err(problem)
        }
        None => {
            // What we say ourselves is no command; where we do not know who we are, no line of ours begins with the
            // trigger.
            if on.forge.whoami().await.is_ok_and(|us| us == asked.author) {
                return Some("it is our own".to_owned());
            }
            match edge(setup, &asked).await {
                Ok((found, env)) => answer(shared, setup, (found, &env), (&asked, row), who).await,
                Err(problem) => {
                    if steers(setup, &asked)
                        && let Err(fault) = record(setup, &asked, &who, &problem).await
                    {
                        return Some(fault);
                    }
                    Err(problem)
                }
            }
        }
    };
    if !is_ours(setup, row).await {
        return None;
    }
    react(on, &asked, if answer.is_ok() { Reaction::Done } else { Reaction::Refused }).await;
    say((forge, on), &asked, MARKER, &answer).await
}

/// Gives the answer to what was carried out, or refused on record, by a process that is gone: nothing else is done.
async fn owed(setup: &Setup, (forge, on): (&str, &OnForge), (asked, row): (&Asked, &AskedRow)) -> Option<String> {
    let (allowed, lines) = late::done(setup, row).await;
    let answer = if allowed {
        Ok(Spoken { lines, confirm: None, audit: None })
    } else {
        let said: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        Err(Problem::new(Code::Refused, said.join(" ")))
    };
    if !is_ours(setup, row).await {
        return None;
    }
    let is_stranger = setup.config.laws.people.who(&Identity::forge(forge, &asked.author)).is_none();
    if is_stranger && !allowed {
        return say((forge, on), asked, STRANGERS, &answer).await;
    }
    react(on, asked, if allowed { Reaction::Done } else { Reaction::Refused }).await;
    say((forge, on), asked, MARKER, &answer).await
}

/// Whether its answer is ours to give; not if another process took us for gone, and answers.
async fn is_ours(setup: &Setup, row: &AskedRow) -> bool {
    !matches!(setup.world.store().answer_asked(row).await, Ok(false))
}

/// Who wrote it, and that what is done for them is done for this, once.
fn person(forge: &str, (asked, row): (&Asked, &AskedRow)) -> Person {
    Person {
        place: Some(one_line(&asked.url, 300)),
        said: Some(found(asked).to_owned()),
        request: Some(Request { seq: row.seq, turn: row.turn }),
        ..Person::new(Identity::forge(forge, &asked.author), Surface::Comment)
    }
}

/// What stands behind the trigger.
fn found(asked: &Asked) -> &str {
    comment::find(&asked.body, TRIGGER).ok().flatten().unwrap_or_default()
}

/// Gives the answer; why it could not be given, if it could not.
async fn say(
    (forge, on): (&str, &OnForge),
    asked: &Asked,
    marker: &str,
    answer: &Result<Spoken, Problem>,
) -> Option<String> {
    match on.forge.comment(&on.repo, asked.number, marker, &body(asked, marker, answer)).await {
        Ok(()) => None,
        Err(fault) => {
            let words = one_line(&fault.to_string(), 300);
            tracing::warn!(forge, words, "an answer could not be given");
            Some(words)
        }
    }
}

/// Tells somebody who is linked to no person how to be: once, and not many in an hour. That is all that it costs.
async fn stranger(
    setup: &Setup,
    (forge, on): (&str, &OnForge),
    (asked, row): (&Asked, &AskedRow),
    who: &Person,
) -> Option<String> {
    let nobody = Some("it is by nobody whom the config knows".to_owned());
    if !is_told(setup, forge, asked).await.unwrap_or(false) {
        return nobody;
    }
    let identity = one_line(&who.identity.to_string(), 200);
    let what = format!(
        "`{identity}` is linked to no person here, and comments by nobody else are carried out or answered: whoever runs \
         Towpath can add it to the `identities` of a `[people.NAME]`"
    );
    let problem = Problem::new(Code::NotPermitted, what);
    if let Err(fault) = record(setup, asked, who, &problem).await {
        return Some(fault);
    }
    if !is_ours(setup, row).await {
        return None;
    }
    say((forge, on), asked, STRANGERS, &Err(problem)).await.or(nobody)
}

/// Whether this stranger is to be told, which is noted.
async fn is_told(setup: &Setup, forge: &str, asked: &Asked) -> Result<bool, StoreError> {
    let wall = setup.world.clock().reading().wall;
    let store = setup.world.store();
    let place = format!("forge:{forge}/strangers");
    if !store.take_delivery(&place, &asked.author.to_lowercase(), wall).await? {
        return Ok(false);
    }
    let (place, hour) = (format!("{place}/hour"), wall.0.div_euclid(3_600_000));
    for seat in 0..STRANGERS_MAX {
        if store.take_delivery(&place, &format!("{hour}/{seat}"), wall).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts a refusal on record; why it could not be.
async fn record(setup: &Setup, asked: &Asked, who: &Person, problem: &Problem) -> Result<(), String> {
    let readable = contexts(&setup.config.only(&asked.flows)).iter().find_map(|context| read(asked, context).ok());
    let said = readable.map_or_else(|| found(asked).to_owned(), |said| said.to_string());
    let done = record_refusal(&setup.world, &setup.config, who, said, &problem.message).await;
    done.map_err(|fault| one_line(&fault.to_string(), 300))
}

/// Whether it is an order, wherever it stands.
fn steers(setup: &Setup, asked: &Asked) -> bool {
    let all = contexts(&setup.config.only(&asked.flows));
    all.iter().any(|context| matches!(read(asked, context), Ok(Said::Steer(_))))
}

/// Under which requests of these flows a comment can stand.
fn contexts(config: &Config) -> Vec<Context> {
    let edges = config.flows.iter().flat_map(|found| found.flow.edges());
    let by_request = edges.filter(|edge| edge.target.via == Via::MergeRequest);
    let all: Vec<Context> = by_request.map(|edge| Context::of_edge(edge.flow, &edge.target.name)).collect();
    if all.is_empty() { vec![Context::NOWHERE] } else { all }
}

/// Why the config alone refuses it, under whichever of its repository's requests it stands.
fn refused_by_config(setup: &Setup, asked: &Asked, who: &Person) -> Option<Problem> {
    let config = setup.config.only(&asked.flows);
    let judged = |context: &Context| match read(asked, context)? {
        Said::Ask(_) => Ok(()),
        Said::Steer(command) => {
            of_its_own(setup, &command, &asked.flows)?;
            may_give(&config, &command, who).map_err(Problem::from)
        }
    };
    let mut refusals = Vec::new();
    for context in &contexts(&config) {
        match judged(context) {
            Ok(()) => return None,
            Err(problem) => refusals.push(problem),
        }
    }
    refusals.into_iter().next()
}

/// What is said in it, where the place tells that.
fn read(asked: &Asked, context: &Context) -> Result<Said, Problem> {
    let said = comment::said(&asked.body, TRIGGER, context)
        .map_err(|problem| Problem::new(Code::BadCommand, problem.to_string()))?;
    said.ok_or_else(|| Problem::new(Code::BadCommand, "there is no command in it"))
}

/// The edge whose open request it is under, or why nothing can be done there.
async fn edge<'s>(setup: &'s Setup, asked: &Asked) -> Result<(&'s FlowConfig, EnvName), Problem> {
    let mut unread = false;
    for found in asked.flows.iter().filter_map(|name| setup.config.named(name)) {
        let Ok(planned) = plan(&setup.world, &found.flow).await else {
            unread = true;
            continue;
        };
        for (env, requests) in &planned.seen.facts.requests {
            unread |= requests.known().is_none();
            if requests
                .known()
                .and_then(|requests| requests.open.as_ref())
                .is_some_and(|it| it.number == asked.number)
            {
                return Ok((found, env.clone()));
            }
        }
    }
    Err(if unread {
        Problem::new(
            Code::CannotTell,
            "the requests here cannot be read now, so nothing was done: say it again later",
        )
    } else {
        let what = "this is no open promotion request of Towpath's, so nothing was done: say it under one, or in a chat, \
                    or on the command line";
        Problem::new(Code::Refused, what)
    })
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
    (found, env): (&FlowConfig, &EnvName),
    (asked, row): (&Asked, &AskedRow),
    who: Person,
) -> Result<Spoken, Problem> {
    let said = read(asked, &Context::of_edge(&found.flow, env))?;
    let Said::Steer(command) = &said else {
        if let Some(why) = late::too_often(row) {
            return Err(Problem::new(Code::Refused, why));
        }
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
fn body(asked: &Asked, marker: &str, answer: &Result<Spoken, Problem>) -> String {
    let said = markdown(&one_line(found(asked), QUOTED));
    let mut text = format!("{marker}\n{} said: {said}\n\n", markdown(&one_line(&asked.author, 100)));
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
            problem.hint.iter().cloned().chain(problem.recorded()).for_each(|line| push(&line));
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
            let body = body(&asked, MARKER, &answer);
            assert!(body.starts_with(MARKER), "{body}");
            for bad in ["<img", "<b>", " @all", "\n/close", " #12"] {
                assert!(!body.contains(bad), "{bad}: {body}");
            }
            assert!(body.lines().all(|line| !line.starts_with(TRIGGER)), "{body}");
        }
    }
}
