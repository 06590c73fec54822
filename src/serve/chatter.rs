//! What people said in a chat: read, carried out or looked up, and answered.
//!
//! Not here: when it is worked on, and in which order (`talk`).

use std::time::Duration;

use towpath_core::command::{Context, Said};
use towpath_core::model::Instant;
use towpath_core::people::{Identity, Platform, Surface};

use super::Shared;
use super::lanes::Lane;
use super::late;
use super::queue::Wake;
use super::showing;
use super::talk::only_stops;
use crate::chat::answer::{answered, refused, sentence};
use crate::chat::incoming::{Incoming, Proof, What};
use crate::chat::message::{Message, Press};
use crate::chat::sent::{Sent, Visible};
use crate::chat::system::System;
use crate::config::{Config, Strangers};
use crate::engine::command::{Person, Request, record_refusal};
use crate::setup::Setup;
use crate::store::{AskedRow, StoreError};
use crate::views::{self, Code, Problem, Spoken, Sure};

/// The pauses before an answer is sent again that was not taken.
const AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];

/// The longest wait for a platform that wants no calls: its address for the answer ends after half an hour.
const WAIT_MAX: Duration = Duration::from_secs(10 * 60);

/// An answer that is to be given.
#[derive(Debug)]
pub(super) struct Answer {
    chat: String,
    asked: Box<Incoming>,
    /// One after the other, each until it is taken.
    says: Vec<Say>,
}

/// One thing of an answer.
#[derive(Debug)]
struct Say {
    visible: Visible,
    /// Whether it stands in the place of what was pressed.
    replace: bool,
    message: Message,
}

/// Where it waits for its turn.
pub(super) fn lane(setup: &Setup, row: &AskedRow) -> Lane {
    of(setup, row).map_or(Lane::Asks, |(system, asked)| lane_in(setup, system, &asked))
}

/// Where what came just now waits for its turn.
pub(super) fn lane_of(setup: &Setup, chat: &str, asked: &Incoming) -> Lane {
    setup.chats.get(chat).map_or(Lane::Asks, |system| lane_in(setup, system, asked))
}

fn lane_in(setup: &Setup, system: &System, asked: &Incoming) -> Lane {
    if matches!(asked.what, What::Pressed(Press::HoldMine { .. })) {
        return Lane::Mine;
    }
    Lane::of(said(setup, system, asked).as_ref())
}

/// What was said or pressed, where it is one thing that can be read.
fn said(setup: &Setup, system: &System, asked: &Incoming) -> Option<Said> {
    let (text, context) = match &asked.what {
        What::Said(text) => (text, system.config.context(&setup.config, &asked.channel)),
        What::Pressed(press) | What::Typed(press) => match press {
            Press::Say(text) | Press::Confirm { command: text, .. } => (text, Context::NOWHERE),
            Press::HoldMine { .. } => return None,
        },
    };
    Said::parse_in(text, &context).ok()
}

/// Whether whoever said it is linked to a person, and whether it only stops things.
pub(super) fn weight(setup: &Setup, chat: &str, asked: &Incoming) -> (bool, bool) {
    let Some(system) = setup.chats.get(chat) else { return (false, false) };
    let who = person(&setup.config, system, asked);
    let proven = matches!(asked.proof, Proof::Request | Proof::Trigger);
    let is_linked = proven && setup.config.laws.people.who(&who.identity).is_some();
    let hold_mine = matches!(asked.what, What::Pressed(Press::HoldMine { .. }));
    (is_linked, hold_mine || said(setup, system, asked).is_some_and(|said| only_stops(&said)))
}

/// The chat and what was said there, or why it cannot be answered.
fn of<'s>(setup: &'s Setup, row: &AskedRow) -> Result<(&'s System, Incoming), String> {
    let Some(name) = row.place.strip_prefix("chat:") else { return Err("nobody here knows that place".to_owned()) };
    let Ok(asked) = serde_json::from_str::<Incoming>(&row.asked) else {
        return Err("it cannot be read by this version".to_owned());
    };
    let Some(system) = setup.chats.get(name) else {
        return Err(format!("there is no usable `[chat.{name}]` in the config any more"));
    };
    // The config may have changed since it was taken.
    if asked.team.as_ref().is_some_and(|team| !system.config.teams.contains(team)) {
        return Err(format!("its team is not in `[chat.{name}]` any more"));
    }
    Ok((system, asked))
}

/// Carries out or looks up what was said. What is to be answered, or why nothing can be.
pub(super) async fn work(shared: &Shared, setup: &Setup, row: &AskedRow) -> Result<Answer, String> {
    let (system, asked) = of(setup, row)?;
    let (visible, message) = if row.done {
        let (allowed, lines) = late::done(setup, row).await;
        let visible = if allowed { Visible::Channel } else { Visible::Person };
        (visible, answered(&Spoken { lines, confirm: None, audit: None }, None))
    } else {
        match reply(shared, setup, system, &asked, row).await {
            Ok(done) => done,
            Err(problem) => {
                if problem.code.is_a_fault() {
                    not_confirmed(setup, system, &asked, row).await;
                }
                (Visible::Person, refused(&problem))
            }
        }
    };
    let chat = system.config.name.clone();
    Ok(Answer { chat, says: says(&asked, visible, message), asked: Box::new(asked) })
}

/// What is said of it, and to whom. What was shown to one person alone can be replaced for that person alone (Slack keeps
/// an ephemeral message so), and stands in a direct message of Mattermost's: everybody is told apart.
fn says(asked: &Incoming, visible: Visible, message: Message) -> Vec<Say> {
    let What::Pressed(Press::Confirm { command, .. }) = &asked.what else {
        return vec![Say { visible, replace: false, message }];
    };
    if visible == Visible::Person {
        return vec![Say { visible, replace: true, message }];
    }
    let own =
        Say { visible: Visible::Person, replace: true, message: sentence(&format!("Confirmed: `{command}`")) };
    let all = Say { visible, replace: false, message };
    // Of the same channel of Mattermost's everybody there is told, and nothing is replaced.
    let apart = asked.platform == Platform::Slack || asked.learns() != asked.channel;
    if apart { vec![own, all] } else { vec![all] }
}

/// Gives an answer; why it could not be given, if it could not.
pub(super) async fn answer(shared: &Shared, setup: &Setup, answer: Answer) -> Option<String> {
    let Answer { chat, asked, says } = answer;
    let system = setup.chats.get(&chat)?;
    let mut lost = None;
    for say in says {
        if let Some(words) = give(shared, system, &asked, &say).await {
            tracing::warn!(chat, words, "an answer could not be given");
            lost.get_or_insert(words);
        }
    }
    // Whoever waits for a response need not any more.
    shared.pressed.release(&chat, &asked.once);
    lost
}

/// Says one thing of an answer; why it could not be, if it could not. What one person is told who waits for it is given
/// to that request, but for what can be pressed: of that they are told where it is, and of what was lost, why.
async fn give(shared: &Shared, system: &System, asked: &Incoming, say: &Say) -> Option<String> {
    let in_response = say.visible == Visible::Person && system.answers_in_response(asked);
    let respond = async |message: &Message| match system.at_once(&asked.what, message) {
        Some(body) if in_response => shared.pressed.give(&system.config.name, &asked.once, &body).await,
        _ => false,
    };
    let buttons = !say.message.buttons.is_empty();
    if !buttons && respond(&say.message).await {
        return None;
    }
    let lost = send(system, asked, say).await;
    if buttons {
        let told = match &lost {
            None => "You have a direct message from me: what is to be confirmed stands there.".to_owned(),
            Some(words) => format!("What is to be confirmed could not be shown to you: {words}"),
        };
        respond(&sentence(&told)).await;
    }
    lost
}

/// Sends it, again and again while that may help.
async fn send(system: &System, asked: &Incoming, say: &Say) -> Option<String> {
    let mut pauses = AGAIN.into_iter();
    loop {
        let (after, words) = match system.answer(asked, say.visible, say.replace, &say.message).await {
            Sent::Posted(_) | Sent::Answered => return None,
            Sent::Later { after, words } => (after, words),
            Sent::Never { words } => return Some(words),
            Sent::Gone => return Some("there is nowhere to answer any more".to_owned()),
        };
        let Some(pause) = pauses.next() else { return Some(words) };
        let wanted = after.and_then(|after| u64::try_from(after.ms()).ok()).map(Duration::from_millis);
        let wait = wanted.unwrap_or_default().max(pause);
        if wait > WAIT_MAX {
            return Some(words);
        }
        tokio::time::sleep(wait).await;
    }
}

/// What is answered, and to whom.
async fn reply(
    shared: &Shared,
    setup: &Setup,
    system: &System,
    asked: &Incoming,
    row: &AskedRow,
) -> Result<(Visible, Message), Problem> {
    let config = &setup.config;
    if let Some(why) = nothing_for(config, system, asked) {
        if let Some(said @ Said::Steer(_)) = said(setup, system, asked) {
            let who = asker(config, system, asked, row);
            record_refusal(&setup.world, config, &who, said.to_string(), &why).await?;
        }
        return Ok((Visible::Person, sentence(&why)));
    }
    let (all, note) = read(setup, system, asked, row).await?;
    let mut told = (Visible::Person, Message::default());
    let last = all.len().saturating_sub(1);
    for (at, (said, who, sure)) in all.into_iter().enumerate() {
        // Done with the last of them: where Towpath is killed between two holds of a press, the next start gives them
        // all, and those that stand are not given twice.
        let who = Person { request: who.request.filter(|_| at == last), ..who };
        let why = match &said {
            Said::Steer(_) => not_now(setup, &said, asked, row).await?,
            Said::Ask(_) => late::too_often(row),
        };
        if let Some(why) = why {
            if matches!(said, Said::Steer(_)) {
                record_refusal(&setup.world, config, &who, said.to_string(), &why).await?;
            }
            return Ok((Visible::Person, sentence(&why)));
        }
        let spoken = match views::say(setup, config, &said, &who, sure).await {
            // What was done before it is not kept from whoever asked for it.
            Err(problem) if at > 0 => {
                told.1.lines.extend(refused(&problem).lines);
                return Ok(told);
            }
            spoken => spoken?,
        };
        if let Said::Steer(command) = &said
            && spoken.audit.is_some()
        {
            // What was done concerns everybody there.
            told.0 = Visible::Channel;
            let scope = config.target(&command.place());
            for found in scope.map(|scope| config.reach(&scope)).unwrap_or_default() {
                shared.wake(&found.flow.name, Wake::Command);
            }
        }
        let shown = match &spoken.confirm {
            Some(exact) => Some(showing::keep(setup, system, row, exact).await?),
            None => None,
        };
        let message = answered(&spoken, shown);
        told.1.lines.extend(message.lines);
        told.1.buttons.extend(message.buttons);
    }
    told.1.lines.extend(note.iter().flat_map(|note| sentence(note).lines));
    Ok(told)
}

/// What somebody is told, and nothing else, in a chat that answers nobody but people.
fn nothing_for(config: &Config, system: &System, asked: &Incoming) -> Option<String> {
    if system.config.strangers == Strangers::Read {
        return None;
    }
    match asked.proof {
        Proof::Request | Proof::Trigger => {}
        Proof::Token(why) => return Some(format!("This chat answers only whom it knows: {}.", why.words())),
        Proof::Nobody => {
            let why = "This chat answers only whom it knows, and does not prove who pressed a button.";
            return Some(why.to_owned());
        }
    }
    let who = person(config, system, asked).identity;
    if config.laws.people.who(&who).is_some() {
        return None;
    }
    Some(format!(
        "`{who}` is linked to no person here, and this chat answers nobody else: whoever runs Towpath can add it to the \
         `identities` of your `[people.NAME]`."
    ))
}

fn wall(setup: &Setup) -> Instant {
    setup.world.clock().reading().wall
}

/// Why an order is not carried out now, if it is not.
async fn not_now(setup: &Setup, said: &Said, asked: &Incoming, row: &AskedRow) -> Result<Option<String>, Problem> {
    match asked.proof {
        Proof::Request | Proof::Trigger => {}
        Proof::Token(why) => return Ok(Some(format!("Nothing is done: {}.", why.words()))),
        Proof::Nobody => {
            let why = "This chat does not prove who pressed a button, so nothing is done by it.";
            return Ok(Some(why.to_owned()));
        }
    }
    Ok(late::not_now(setup, &setup.config, said, row).await?)
}

/// What was said, by whom, and whether it was confirmed; and what they have to know of how that was found.
async fn read(
    setup: &Setup,
    system: &System,
    asked: &Incoming,
    row: &AskedRow,
) -> Result<(Vec<(Said, Person, Sure)>, Option<String>), Problem> {
    let config = &setup.config;
    let who = asker(config, system, asked, row);
    let parse = |text: &str, context: &_| {
        Said::parse_in(text, context).map_err(|problem| Problem::new(Code::BadCommand, problem.to_string()))
    };
    let all = match &asked.what {
        What::Said(text) => {
            if let Some(code) = showing::code_in(text) {
                return Err(Problem::new(Code::Refused, showing::unknown(&code)));
            }
            let text = if text.trim().is_empty() { "help" } else { text };
            let said = parse(text, &system.config.context(config, &asked.channel))?;
            vec![(said, Person { said: Some(text.to_owned()), ..who }, Sure::Ask)]
        }
        What::Pressed(Press::Say(text)) | What::Typed(Press::Say(text)) => {
            vec![(parse(text, &Context::NOWHERE)?, Person { said: Some(text.clone()), ..who }, Sure::Ask)]
        }
        What::Pressed(Press::Confirm { command, tip, once, until, .. })
        | What::Typed(Press::Confirm { command, tip, once, until, .. }) => {
            let said = parse(command, &Context::NOWHERE)?;
            confirmed(setup, system, (asked, row), (once, *until)).await?;
            vec![(said, Person { shown: *tip, ..who }, Sure::Yes)]
        }
        What::Pressed(Press::HoldMine { flow, env, newest })
        | What::Typed(Press::HoldMine { flow, env, newest }) => {
            let mine = views::mine(setup, config, (flow, env, *newest), &who).await?;
            let hold = |(command, commit)| {
                (Said::Steer(command), Person { wrote: Some(commit), ..who.clone() }, Sure::Yes)
            };
            return Ok((mine.holds.into_iter().map(hold).collect(), mine.note));
        }
    };
    Ok((all, None))
}

/// Whether what was shown can still be confirmed: once by each person, and not for long.
async fn confirmed(
    setup: &Setup,
    system: &System,
    (asked, row): (&Incoming, &AskedRow),
    (once, until): (&str, Instant),
) -> Result<(), Problem> {
    let wall = wall(setup);
    if wall > until {
        return Err(Problem::new(Code::Refused, "this was shown too long ago; say it again"));
    }
    // What nobody is known to have done must not use up anybody's; nothing comes of it.
    if !matches!(asked.proof, Proof::Request | Proof::Trigger) {
        return Ok(());
    }
    let place = format!("chat:{}/confirmed", system.config.name);
    let store = setup.world.store();
    let (of_all, own) = once_of(asked, once, row);
    if store.take_delivery_as(&place, (&of_all, Some(&own)), wall).await? {
        return Ok(());
    }
    // It was confirmed by this very press, and the process died before it was done.
    if store.has_delivery(&place, &own).await? {
        return Ok(());
    }
    Err(Problem::new(Code::Refused, "you have confirmed this already; `history` says what came of it"))
}

/// Under what a confirmation is noted: that it was given, and by which press.
fn once_of(asked: &Incoming, once: &str, row: &AskedRow) -> (String, String) {
    (format!("{once}/{}", asked.user), format!("{once}/{}/{}", asked.user, row.seq))
}

/// Gives back a confirmation of which nothing came because something failed: it can be pressed again.
async fn not_confirmed(setup: &Setup, system: &System, asked: &Incoming, row: &AskedRow) {
    let (What::Pressed(Press::Confirm { once, .. }) | What::Typed(Press::Confirm { once, .. })) = &asked.what
    else {
        return;
    };
    let (of_all, own) = once_of(asked, once, row);
    let place = format!("chat:{}/confirmed", system.config.name);
    let store = setup.world.store();
    let given_back = async {
        // Another press of the same may have been taken, and what failed may have been only the answer.
        if store.has_delivery(&place, &own).await? && !store.done_for(row).await?.iter().any(|row| row.allowed) {
            store.forget_delivery(&place, &[&of_all, &own]).await?;
        }
        Ok::<_, StoreError>(())
    };
    if let Err(error) = given_back.await {
        tracing::warn!(%error, "a confirmation of which nothing came cannot be given back");
    }
}

/// Who said it, and that what is done for them is done for this, once.
fn asker(config: &Config, system: &System, asked: &Incoming, row: &AskedRow) -> Person {
    let request = Some(Request { seq: row.seq, turn: row.turn });
    Person { request, ..person(config, system, asked) }
}

/// Who said it. People of Mattermost have one id on the whole server: whichever of its teams the config knows them by.
fn person(config: &Config, system: &System, asked: &Incoming) -> Person {
    let of = |team: &String| Identity::Chat {
        platform: asked.platform,
        team: Some(team.clone()),
        user: asked.user.clone(),
    };
    let own = asked.identity();
    let teams: &[String] = if asked.platform == Platform::Mattermost { &system.config.teams } else { &[] };
    let linked = |identity: &Identity| config.laws.people.who(identity).is_some();
    let known = own.iter().cloned().chain(teams.iter().map(of)).find(linked);
    let identity = known.or(own).or_else(|| system.config.teams.first().map(of)).unwrap_or(Identity::Chat {
        platform: asked.platform,
        team: None,
        user: asked.user.clone(),
    });
    let place = format!("{}:{}", system.config.name, asked.channel);
    Person { place: Some(place), ..Person::new(identity, Surface::Chat) }
}
