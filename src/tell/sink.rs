//! The sinks of a config: who wants to be told of what, and how they are called.
//!
//! Of a webhook: one POST, over the HTTP layer of [`crate::forge::client`]: one deadline for all of it, a small answer, no redirects.
//! Secrets and addresses that are secrets are read for each call: what was replaced counts at once, and none of it is in
//! the store.
//!
//! Not here: when and how often (`post`), and what chats make of it ([`super::chat`]).

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use reqwest::Url;
use towpath_core::calendar::Schedule;
use towpath_core::explain::Words;
use towpath_core::model::{EnvName, Environment, Event, Flow, Instant, Message, Mode, Pause};
use towpath_core::people::accounts::{Accounts, Known};
use towpath_core::people::coming::writers;
use towpath_core::people::{ForgeHost, Identity, Mailmap, People};

use super::chat::{Announced, AnnouncedCommit, Told, Wrote};
use super::notice::{Notice, Place, stored};
use super::post::Failed;
use super::presets::{PresetError, Token};
use super::sign::{self, Key};
use super::template::{Kind, Template};
use crate::chat::system::{System, Systems};
use crate::clock::Clock;
use crate::config::{Chat, ChatSink, Config, SecretRef, Sink, SinkUrl};
use crate::forge::client::{Auth, Call, Client, Fault, Options, TokenPlace};
use crate::secret::Secret;
use crate::store::{NoticeRow, NoticeState};

/// From calling to the last byte of the answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// More than this of an answer is not read.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// What calls are counted as.
const OPERATION: &str = "sink";

/// What ids of messages end with: the one reader of the outbox.
const HANDED_OUT_BY: &str = "/log";

/// The sinks of a config.
#[derive(Debug)]
pub struct Sinks {
    sinks: Vec<Ready>,
    /// Made when they are first needed: most worlds only look.
    systems: OnceLock<Arc<Systems>>,
    chats: Vec<Chat>,
    public_url: Option<String>,
    people: People,
    hosts: Vec<ForgeHost>,
    flows: Vec<Flow>,
    look: Schedule,
    clock: Clock,
}

/// What chats are told besides an event, by whoever knows it.
#[derive(Debug, Clone, Default)]
pub struct Besides {
    /// A page of the forge that shows what moved, or is going to.
    pub compare: Option<String>,
    /// Names and addresses, as written in the commits, of who wrote what is in the way, was taken back or moved.
    pub wrote: Vec<(String, String)>,
    /// The `.mailmap` of the branch that it is about.
    pub mailmap: Mailmap,
    /// Whose accounts on the flow's forge some of the addresses are.
    pub accounts: Accounts,
    /// Pauses and freezes of the flow.
    pub pauses: Vec<Pause>,
    /// Whether `retry` may help what stands against the edge.
    pub retry: bool,
}

/// A sink, and what it is called with: of its own, so that what it wants holds up no other one.
#[derive(Debug)]
struct Ready {
    sink: Sink,
    /// Made when it is first needed.
    client: OnceLock<Result<Client, Fault>>,
    /// Of a chat: when a digest that was not taken is tried again, in milliseconds since 1970.
    digest_again: AtomicI64,
}

/// A sink that is a chat, with everything that it is told by.
#[derive(Debug, Clone, Copy)]
pub(super) struct InChat<'s> {
    /// The sink.
    pub sink: &'s Sink,
    /// Its part of a chat.
    pub chat: &'s ChatSink,
    /// Who speaks with the platform; none where that cannot be set up.
    pub system: Option<&'s System>,
    /// Everybody that the config knows.
    pub people: &'s People,
    /// Every flow of the config.
    pub flows: &'s [Flow],
    /// When every flow is looked at.
    pub look: &'s Schedule,
    /// When a digest that was not taken is tried again, in milliseconds since 1970.
    pub digest_again: &'s AtomicI64,
}

impl Sinks {
    /// Those of this config. Calls nothing and reads no secret.
    pub fn of(config: &Config, clock: &Clock) -> Self {
        let ready = |sink: &Sink| Ready {
            sink: sink.clone(),
            client: OnceLock::new(),
            digest_again: AtomicI64::new(i64::MIN),
        };
        Self {
            sinks: config.sinks.values().map(ready).collect(),
            systems: OnceLock::new(),
            chats: config.chats.values().cloned().collect(),
            public_url: config.service.public_url.clone(),
            people: config.laws.people.clone(),
            hosts: config.forge_hosts(),
            flows: config.flows.iter().map(|found| found.flow.clone()).collect(),
            look: config.service.look_schedule.clone(),
            clock: clock.clone(),
        }
    }

    /// The chat systems of the config.
    pub fn chats(&self) -> Arc<Systems> {
        Arc::clone(self.systems())
    }

    fn systems(&self) -> &Arc<Systems> {
        self.systems.get_or_init(|| Arc::new(Systems::new(&self.chats, self.public_url.as_deref(), &self.clock)))
    }

    /// The sinks that are chats.
    pub(super) fn in_chats(&self) -> impl Iterator<Item = &Sink> {
        self.sinks.iter().map(|ready| &ready.sink).filter(|sink| sink.chat.is_some())
    }

    /// The sink of that name, if it is a chat.
    pub(super) fn in_chat(&self, name: &str) -> Option<InChat<'_>> {
        let Ready { sink, digest_again, .. } = self.sinks.iter().find(|ready| ready.sink.name == name)?;
        let chat = sink.chat.as_ref()?;
        let system = self.systems().get(&chat.chat);
        let (people, flows, look) = (&self.people, &*self.flows, &self.look);
        Some(InChat { sink, chat, system, people, flows, look, digest_again })
    }

    /// Whether any sink is a chat.
    pub fn tells_chats(&self) -> bool {
        self.in_chats().next().is_some()
    }

    /// Whether any sink that is a chat wants to be told of this.
    pub fn tells_chats_of(&self, flow: &Flow, message: &Message) -> bool {
        self.in_chats().any(|sink| self.place(sink, flow, message).is_some())
    }

    /// One notice for each sink that wants to be told of this.
    pub fn rows(&self, flow: &Flow, message: &Message, besides: &Besides) -> Vec<NoticeRow> {
        let sinks = self.sinks.iter().map(|ready| &ready.sink);
        let mut wanted = sinks.filter_map(|sink| Some((sink, self.place(sink, flow, message)?))).peekable();
        if wanted.peek().is_none() {
            return Vec::new();
        }
        let words = Words { zone: flow.zone, now: message.at, flow, remote_word: "origin", lasting: true };
        let text = words.event(&message.env, &message.event);
        let stands = |pause: &&Pause| pause.stands_on(&flow.name, &message.env, message.at);
        // Those say it themselves.
        let says = matches!(message.event, Event::EndsSoon { .. } | Event::TakenBack { .. });
        let pauses = besides.pauses.iter().filter(stands).filter(|_| !says);
        let paused: Vec<String> = pauses.map(|pause| words.pause(pause)).collect();
        let row = |(sink, (of, env)): (&Sink, (&Flow, EnvName))| {
            let key = message.id.strip_suffix(HANDED_OUT_BY).unwrap_or(&message.id);
            let id = format!("{key}/{}", sink.name);
            let branch = of.environment(&env).map(|env| env.branch.clone());
            let place = Place {
                flow: of.name.clone(),
                environment: env.clone(),
                branch: branch.unwrap_or_else(|| env.as_str().into()),
                repository: of.repository.clone(),
            };
            let notice = Notice::new(&id, place, message.at, &message.event, text.clone(), None);
            let notice = match &sink.chat {
                Some(_) => {
                    let mut told = self.told(notice, flow, &message.event, besides);
                    (told.heading, told.to_stop) = words.announcement(&message.env, &message.event).unzip();
                    told.paused.clone_from(&paused);
                    stored(&told, &message.event)
                }
                None => stored(&notice, &message.event),
            };
            Some(NoticeRow {
                id,
                sink: sink.name.clone(),
                flow: of.name.clone(),
                env,
                at: message.at,
                notice: notice.ok()?,
                state: NoticeState::Waiting,
                attempts: 0,
                next: message.at,
                words: None,
            })
        };
        wanted.filter_map(row).collect()
    }

    /// Where a sink is told that it happened; none if it is not to be. A pause that ends may cover many flows and
    /// environments, and is told by the first of them that is looked at: to each sink at the first that it is about.
    fn place<'s>(&'s self, sink: &Sink, flow: &'s Flow, message: &Message) -> Option<(&'s Flow, EnvName)> {
        let word = message.event.word();
        let Event::EndsSoon { scope, .. } = &message.event else {
            return sink.wants(&flow.name, &message.env, word).then(|| (flow, message.env.clone()));
        };
        if sink.wants(&flow.name, &message.env, word) {
            return Some((flow, message.env.clone()));
        }
        let targets = |flow: &'s Flow| flow.edges().map(move |edge| (flow, edge.target));
        let mut all = std::iter::once(flow).chain(&self.flows).flat_map(targets);
        let is_about = |(flow, target): &(&Flow, &Environment)| {
            target.mode == Mode::Act
                && scope.covers(&flow.name, &target.name)
                && sink.wants(&flow.name, &target.name, word)
        };
        all.find(is_about).map(|(flow, target)| (flow, target.name.clone()))
    }

    /// What chats are told: the notice, and who wrote what.
    fn told(&self, notice: Notice, flow: &Flow, event: &Event, besides: &Besides) -> Told {
        let mut told = Told::new(notice, event, flow.zone);
        told.compare.clone_from(&besides.compare);
        told.retry |= besides.retry
            && matches!(event, Event::Behind { .. } | Event::Blocked { .. } | Event::TakenBack { .. });
        if let Event::EndsSoon { by, .. } = event {
            let identity = by.as_str().parse::<Identity>().ok();
            let card = identity.as_ref().and_then(|identity| self.people.who(identity));
            let card = card.or_else(|| self.people.named(by.as_str()));
            told.ordered_by =
                Some(card.map_or_else(|| Wrote::Stranger(by.to_string()), |card| Wrote::Person(card.name.clone())));
        }
        let Besides { mailmap, accounts, .. } = besides;
        let known = Known { people: &self.people, forges: &self.hosts, mailmap, accounts };
        for (name, email) in &besides.wrote {
            let wrote = Wrote::from(&known.author(name, email));
            // One person may write under several addresses.
            if !told.authors.contains(&wrote) {
                told.authors.push(wrote);
            }
        }
        if let Event::HeadsUp { commits, more, newest, old, at, .. } = event {
            let commits = commits.iter().map(|one| AnnouncedCommit {
                id: one.id,
                subject: one.subject.clone(),
                authors: writers(&known, one).iter().map(Wrote::from).collect(),
            });
            told.announced =
                Some(Announced { commits: commits.collect(), more: *more, newest: *newest, old: *old, at: *at });
        }
        told
    }

    /// Sends a notice, once.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, row: &NoticeRow, now: Instant) -> Result<(), Failed> {
        let found = self.sinks.iter().find(|ready| ready.sink.name == row.sink);
        let Some(ready) = found else { return Err(Failed::NoSink { name: row.sink.clone() }) };
        let sink = &ready.sink;
        let (call, auth) = (call(sink, row, now)?, auth(sink)?);
        self.client(ready)?.send(&call, &auth).await?;
        Ok(())
    }

    fn client<'r>(&self, ready: &'r Ready) -> Result<&'r Client, Fault> {
        let make = || {
            let options = Options {
                deadline: DEADLINE,
                connect: DEADLINE / 2,
                body_max: BODY_MAX,
                at_once: 16,
                tries: 1,
                redirects: 0,
                kept_bytes: 0,
                ..Options::default()
            };
            Client::new(options, self.clock.clone())
        };
        ready.client.get_or_init(make).as_ref().map_err(Clone::clone)
    }
}

/// What is sent.
fn call(sink: &Sink, row: &NoticeRow, now: Instant) -> Result<Call, Failed> {
    let notice: Notice = serde_json::from_str(&row.notice)
        .map_err(|error| not_made(format!("what is in the store cannot be read: {error}")))?;
    let (address, is_secret) = match &sink.url {
        SinkUrl::Text(text) => (text.clone(), false),
        SinkUrl::Secret(place) => {
            let secret = secret(place, "url")?;
            let text = std::str::from_utf8(secret.expose());
            (text.map_err(|_| not_made("`url`: what is there is no text".to_owned()))?.trim().to_owned(), true)
        }
    };
    let url = Template::new(&address, Kind::Url).and_then(|template| template.render(&notice));
    // Nothing of a secret is quoted.
    let url = url.map_err(|error| {
        not_made(if is_secret {
            "`url`: what is there makes no address".to_owned()
        } else {
            format!("`url`: {error}")
        })
    })?;
    let url = Url::parse(&url).map_err(|_| not_made("`url` is no URL".to_owned()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(not_made("`url` may not hold a user or a password; write `token`".to_owned()));
    }
    let template = match &sink.template {
        Some(template) => Template::new(&template.text, Kind::Json).map(Some).map_err(PresetError::from),
        None => sink.preset.body_with(&sink.values),
    };
    let body = match template.map_err(|error| not_made(error.to_string()))? {
        Some(template) => template.render(&notice).map_err(|error| not_made(format!("`template`: {error}")))?,
        None => notice.body().map_err(|error| not_made(error.to_string()))?,
    };
    let body = body.into_bytes();
    let key = |place: &SecretRef| {
        let parsed = Key::parse(secret(place, "secrets")?.expose());
        parsed.map_err(|fault| not_made(format!("`secrets`: {fault}")))
    };
    let keys = sink.secrets.iter().map(key).collect::<Result<Vec<_>, Failed>>()?;
    let headers = sign::sign(&keys, &notice.id, now, &body).map_err(|error| not_made(error.to_string()))?;
    let json = HeaderValue::from_static("application/json");
    let mut call = Call::post(OPERATION, url, json, body);
    if is_secret {
        // Receivers quote the address that they were called at.
        call = call.quiet();
    }
    let of_preset = sink.preset.headers.iter().copied();
    for (name, value) in headers.pairs().chain(of_preset) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            call = call.header(name, value);
        }
    }
    Ok(call)
}

/// In whose name: as the receiver of the preset wants it.
fn auth(sink: &Sink) -> Result<Auth, Failed> {
    match sink.preset.token {
        Token::Bearer => Ok(TokenPlace::from(sink.token.clone()).auth(&sink.name, "Bearer")?),
        Token::Header(name) => {
            let Some(place) = &sink.token else { return Ok(Auth::none()) };
            let key = secret(place, "token")?;
            Ok(Auth::header(&sink.name, HeaderName::from_static(name), key.expose(), key.expose())?)
        }
    }
}

/// What a key of the sink points to.
fn secret(place: &SecretRef, key: &str) -> Result<Secret, Failed> {
    Secret::read(place).map_err(|fault| not_made(format!("`{key}`: {fault}")))
}

fn not_made(words: String) -> Failed {
    Failed::NotMade { words }
}
