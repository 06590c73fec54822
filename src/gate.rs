//! Asks the servers of `http` gates about candidates.
//!
//! One POST a candidate, over the HTTP layer of [`crate::forge::client`]: one deadline for all of it, a
//! small body, no redirects, nothing sent twice. What comes back is a verdict of the three, or is
//! unknown and says what came instead; of the URL only the host is ever told.
//!
//! A server that does not answer is asked once in a look and not for each candidate again, so that a
//! dead one costs a pass one deadline. It is asked anew in the next look ([`Gates::look_begins`]).
//!
//! Not here: what a verdict means for a move, and which candidates are asked about
//! (`decide/gates/http.rs` and `judge.rs` of the core). The contract, for whoever writes such a server,
//! is `docs/http-gate.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::DateTime;
use reqwest::Url;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use towpath_core::dag::Dag;
use towpath_core::model::{
    EdgeKey, EnvName, Fact, Flow, FlowName, Gate, GateKind, HttpInstead, HttpSaid, HttpVerdict, Instant, Tip,
    Unknown, UnknownWhy,
};
use towpath_core::see::Tips;

use crate::clock::Clock;
use crate::config::Config;
use crate::forge::client::read::or_default;
use crate::forge::client::{Answer, Call, Client, Fault, Options, TokenPlace};

/// From asking to the last byte of the answer. A promotion waits for it, and people who ask for a plan.
const DEADLINE: Duration = Duration::from_secs(10);

/// More than this is no verdict with a reason.
const BODY_MAX: usize = 64 * 1024;

/// How many questions of one flow are under way at once.
const AT_ONCE: usize = 8;

/// How many of all flows at one server.
const AT_ONCE_THERE: usize = 32;

/// For how long a connection is kept for another question: through a pass, and not until the next, when
/// the server may be about to close it.
const IDLE: Duration = Duration::from_secs(5);

/// What the questions are counted as.
const OPERATION: &str = "http gate";

/// The `http` gates of a config.
#[derive(Debug)]
pub struct Gates {
    gates: BTreeMap<(FlowName, EnvName), Asked>,
    /// Which did not answer in this look, and what was met.
    silent: Mutex<BTreeMap<(FlowName, EnvName), HttpInstead>>,
}

/// A gate, as it is asked.
#[derive(Debug, Clone)]
struct Asked {
    host: String,
    url: Result<Url, HttpInstead>,
    server: Arc<Server>,
    token: TokenPlace,
    /// Under which name the server's limits are kept.
    account: String,
}

/// What several gates may ask. What one server does holds up no question to another.
#[derive(Debug)]
struct Server {
    /// Whether it is on this machine, and is asked there, whatever proxy is set for the rest.
    local: bool,
    clock: Clock,
    deadline: Duration,
    /// Made when it is first asked: most who read a config ask nobody.
    client: OnceLock<Result<Client, HttpInstead>>,
}

impl Gates {
    /// Those of these flows.
    pub fn of(config: &Config, clock: &Clock) -> Self {
        Self::with(config, clock, DEADLINE)
    }

    /// The same with another deadline, for tests.
    pub fn with(config: &Config, clock: &Clock, deadline: Duration) -> Self {
        let mut servers: BTreeMap<String, Arc<Server>> = BTreeMap::new();
        let mut gates = BTreeMap::new();
        for found in &config.flows {
            let flow = &found.flow.name;
            for environment in &found.flow.environments {
                let Some(Gate::Http(gate)) = environment.gate(GateKind::Http) else { continue };
                let env = &environment.name;
                let url = Url::parse(&gate.url).map_err(|error| HttpInstead::Nothing { words: error.to_string() });
                let origin = url.as_ref().map_or_else(|_| String::new(), |url| url.origin().ascii_serialization());
                let server = servers.entry(origin).or_insert_with_key(|origin| {
                    let (local, client) = (origin.starts_with("http:"), OnceLock::new());
                    Arc::new(Server { local, clock: clock.clone(), deadline, client })
                });
                let asked = Asked {
                    host: gate.host().to_owned(),
                    url,
                    server: Arc::clone(server),
                    token: found.gate_tokens.get(env).cloned().into(),
                    account: format!("{flow}/{env}"),
                };
                gates.insert((flow.clone(), env.clone()), asked);
            }
        }
        Self { gates, silent: Mutex::default() }
    }

    /// A look at the flow begins: whoever did not answer in the last one is asked again.
    pub fn look_begins(&self, flow: &FlowName) {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| of != flow);
    }

    /// What the gates of a flow say of these candidates. Each is answered.
    pub async fn ask(
        &self,
        flow: &Flow,
        dag: &Dag,
        tips: &Tips,
        keys: &BTreeSet<EdgeKey>,
    ) -> BTreeMap<EdgeKey, Fact<HttpSaid>> {
        let mut facts = BTreeMap::new();
        let mut waiting = keys.iter();
        // Dropped with this, and then nothing more is sent.
        let mut asking = JoinSet::new();
        loop {
            while asking.len() < AT_ONCE
                && let Some(key) = waiting.next()
            {
                match self.question(flow, dag, tips, key) {
                    Ok((asked, question)) => {
                        let key = key.clone();
                        asking.spawn(async move { (key, asked.ask(&question).await) });
                    }
                    Err(unknown) => drop(facts.insert(key.clone(), Fact::Unknown(unknown))),
                }
            }
            let Some(ended) = asking.join_next().await else { return facts };
            // A panic: its key is answered by whoever asked for it, as not answered.
            let Ok((key, said)) = ended else { continue };
            let fact = match said {
                Ok(said) => Fact::Known(said),
                Err(instead) => Fact::Unknown(self.met(flow, &key, instead)),
            };
            facts.insert(key, fact);
        }
    }

    /// What is sent about a candidate, and to whom; or why nothing is.
    fn question(&self, flow: &Flow, dag: &Dag, tips: &Tips, key: &EdgeKey) -> Result<(Asked, Question), Unknown> {
        let place = (flow.name.clone(), key.env.clone());
        let gate = self.gates.get(&place).zip(flow.edge(&key.env));
        let target = tips.get(&key.env).and_then(Tip::commit);
        let (Some((asked, edge)), Some(target), Some(node)) = (gate, target, dag.node(key.commit)) else {
            return Err(Unknown::passing(UnknownWhy::NotAnswered));
        };
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        if let Some(instead) = silent {
            return Err(asked.unknown(instead));
        }
        let question = Question {
            schema_version: 1,
            flow: flow.name.to_string(),
            environment: key.env.to_string(),
            repository: flow.repository.clone(),
            source: Source { environment: edge.source.name.to_string(), branch: edge.source.branch.to_string() },
            target: Target { branch: edge.target.branch.to_string(), commit: target.to_string() },
            candidate: Candidate {
                commit: key.commit.to_string(),
                author: node.author.clone(),
                subject: node.subject.clone(),
            },
        };
        Ok((asked.clone(), question))
    }

    /// What came instead of a verdict, as what is not known; a server that did not answer is remembered.
    fn met(&self, flow: &Flow, key: &EdgeKey, instead: HttpInstead) -> Unknown {
        let place = (flow.name.clone(), key.env.clone());
        if matches!(instead, HttpInstead::Nothing { .. } | HttpInstead::TimedOut { .. }) {
            self.silent.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), instead.clone());
        }
        match self.gates.get(&place) {
            Some(asked) => asked.unknown(instead),
            None => Unknown::passing(UnknownWhy::NotAnswered),
        }
    }
}

impl Server {
    fn client(&self) -> Result<&Client, HttpInstead> {
        let make = || {
            let options = Options {
                deadline: self.deadline,
                connect: self.deadline / 2,
                body_max: BODY_MAX,
                at_once: AT_ONCE_THERE,
                tries: 1,
                redirects: 0,
                idle: IDLE,
                proxy: !self.local,
                kept_bytes: 0,
                ..Options::default()
            };
            Client::new(options, self.clock.clone()).map_err(instead)
        };
        self.client.get_or_init(make).as_ref().map_err(Clone::clone)
    }
}

impl Asked {
    async fn ask(&self, question: &Question) -> Result<HttpSaid, HttpInstead> {
        let (url, client) = (self.url.clone()?, self.server.client()?);
        let auth = self.token.auth(&self.account, "Bearer").map_err(instead)?;
        let call = Call::query(OPERATION, url, question).urgent();
        verdict(&client.send(&call, &auth).await.map_err(instead)?)
    }

    fn unknown(&self, instead: HttpInstead) -> Unknown {
        // Nobody but who runs Towpath can mend its token; for the rest the next look may do.
        let lasts = matches!(instead, HttpInstead::NoToken { .. });
        let why = UnknownWhy::HttpGate { host: self.host.clone(), instead };
        if lasts { Unknown::lasting(why) } else { Unknown::passing(why) }
    }
}

/// What is asked. Its form is public: `docs/http-gate.md`.
#[derive(Debug, Serialize)]
struct Question {
    schema_version: u32,
    flow: String,
    environment: String,
    repository: String,
    source: Source,
    target: Target,
    candidate: Candidate,
}

#[derive(Debug, Serialize)]
struct Source {
    environment: String,
    branch: String,
}

#[derive(Debug, Serialize)]
struct Target {
    branch: String,
    commit: String,
}

#[derive(Debug, Serialize)]
struct Candidate {
    commit: String,
    author: String,
    subject: String,
}

/// What is answered; further keys are not looked at.
#[derive(Debug, Deserialize)]
struct Said {
    verdict: String,
    #[serde(default, deserialize_with = "or_default")]
    reason: String,
    #[serde(default)]
    until: Option<String>,
}

/// The verdict in an answer.
fn verdict(answer: &Answer) -> Result<HttpSaid, HttpInstead> {
    if answer.status != 200 {
        return Err(HttpInstead::Status { status: answer.status });
    }
    // To its last byte.
    if !answer.is_json() || serde_json::from_slice::<IgnoredAny>(answer.body()).is_err() {
        return Err(HttpInstead::NotJson);
    }
    // A list would be read as an object whose keys are left out.
    if answer.body().iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(HttpInstead::Malformed { words: "it is no object".to_owned() });
    }
    let said: Said = answer.json().map_err(instead)?;
    let verdict = match said.verdict.as_str() {
        "pass" => HttpVerdict::Pass,
        "wait" => HttpVerdict::Wait { until: said.until.as_deref().map(|text| time(answer, text)).transpose()? },
        "block" => HttpVerdict::Block,
        word => return Err(HttpInstead::UnknownVerdict { word: answer.words(word, 60) }),
    };
    Ok(HttpSaid { verdict, words: answer.words(&said.reason, HttpSaid::WORDS_MAX) })
}

fn time(answer: &Answer, text: &str) -> Result<Instant, HttpInstead> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| Instant(time.timestamp_millis())).map_err(|_| HttpInstead::Malformed {
        words: format!("`until` is {:?}, which is no time as in RFC 3339", answer.words(text, 60)),
    })
}

/// What a call that failed came to.
fn instead(fault: Fault) -> HttpInstead {
    match fault {
        Fault::NotSent { words } | Fault::NoAnswer { words } => HttpInstead::Nothing { words },
        Fault::TimedOut { after } => HttpInstead::TimedOut { after },
        Fault::Limited { again_in, .. } => HttpInstead::Limited { again_in },
        Fault::Said { status, .. } => HttpInstead::Status { status },
        Fault::TooLarge { bytes_max } => {
            HttpInstead::TooLarge { bytes_max: u64::try_from(bytes_max).unwrap_or(u64::MAX) }
        }
        Fault::Unreadable { words } => {
            let words = words.strip_prefix(OPERATION).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&words);
            HttpInstead::Malformed { words: words.to_owned() }
        }
        // Only of redirects that are followed, and none are.
        Fault::Elsewhere { host } => HttpInstead::Nothing { words: format!("it sends us on to {host}") },
        Fault::Credential { words } => HttpInstead::NoToken { words },
    }
}
