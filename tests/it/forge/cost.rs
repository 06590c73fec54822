//! What a look costs a forge, counted: calls of its API and requests of git, for each repository in which nothing
//! happens and for each in which a promotion is under way.
//!
//! A forge of the tests has one repository; a front before it makes many of it, each of them another for Towpath: with
//! paths, a mirror, branches and kept answers of its own. So what is common to a forge is counted once, and what is
//! a repository's own for each. `scripts/campaign api-cost` counts the same for 100 and 1,000.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Add, Mul, Range, Sub};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::response::Response;
use tokio::net::TcpListener;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::engine::tick::{Ticked, tick};
use towpath::setup::{Need, Setup};
use towpath_core::explain::Words;
use towpath_core::model::{CommitId, Span};

use super::hosts::{GitHub, GitLab, Gitea, Host};

/// What was asked of a forge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    /// Calls of its API that read, those that are free included.
    reads: i64,
    /// Of these, how many were answered with 304: what was kept is still true.
    kept: i64,
    /// Calls of its API that change something.
    writes: i64,
    /// HTTP requests of git.
    git: i64,
}

impl Cost {
    fn with(self, other: Self, what: impl Fn(i64, i64) -> i64) -> Self {
        Self {
            reads: what(self.reads, other.reads),
            kept: what(self.kept, other.kept),
            writes: what(self.writes, other.writes),
            git: what(self.git, other.git),
        }
    }

    /// Of one of so many, where all cost the same.
    fn each(self, of: i64) -> Self {
        let one = self.with(self, |all, _| all / of);
        assert_eq!(one * of, self, "{of} did not cost the same");
        one
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, i64::add)
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.with(other, i64::sub)
    }
}

impl Mul<i64> for Cost {
    type Output = Self;

    fn mul(self, times: i64) -> Self {
        self.with(self, |all, _| all * times)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} read ({} of them 304), {} written, {} of git", self.reads, self.kept, self.writes, self.git)
    }
}

/// Makes many repositories of a forge's one, and counts.
#[derive(Clone)]
struct Front {
    forge: String,
    /// The one repository.
    path: &'static str,
    client: reqwest::Client,
    cost: Arc<Mutex<Cost>>,
}

impl Front {
    async fn new(forge: &str, path: &'static str) -> (Self, String) {
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let front = Self { forge: forge.to_owned(), path, client, cost: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let router = Router::new().fallback(through).with_state(front.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (front, url)
    }

    fn name(&self) -> &'static str {
        self.path.rsplit('/').next().expect("a name")
    }

    /// `-0007`, where one of the many is named.
    fn which(&self, text: &str) -> Option<String> {
        let at = text.find(&format!("{}-", self.name()))? + self.name().len();
        text.get(at..at + 5).map(str::to_owned)
    }

    fn count(&self, method: &Method, path: &str, sent: &[u8], status: u16) {
        let mut cost = self.cost.lock().expect("the cost");
        if !path.starts_with("/api/") {
            cost.git += 1;
        } else if *method == Method::GET
            || (path.ends_with("/graphql") && !sent.starts_with(b"{\"query\":\"mutation"))
        {
            cost.reads += 1;
            cost.kept += i64::from(status == 304);
        } else {
            cost.writes += 1;
        }
    }
}

async fn through(State(front): State<Front>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut sent = to_bytes(body, 1 << 26).await.expect("a request's body").to_vec();
    let path = parts.uri.path_and_query().expect("a path").as_str();
    let is_api = path.starts_with("/api/");
    let which = front.which(path).or_else(|| front.which(&String::from_utf8_lossy(&sent)).filter(|_| is_api));
    let plain = |text: &str| match &which {
        Some(which) => text.replace(&format!("{}{which}", front.name()), front.name()),
        None => text.to_owned(),
    };
    if is_api {
        sent = plain(&String::from_utf8_lossy(&sent)).into_bytes();
    }
    let mut headers = parts.headers.clone();
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    let call = front.client.request(parts.method.clone(), format!("{}{}", front.forge, plain(path)));
    let came = call.headers(headers).body(sent.clone()).send().await.expect("the forge of the test");
    front.count(&parts.method, parts.uri.path(), &sent, came.status().as_u16());
    let mut response = Response::builder().status(came.status());
    for (name, value) in came.headers() {
        if *name != header::CONTENT_LENGTH && *name != header::TRANSFER_ENCODING {
            response = response.header(name, value);
        }
    }
    let mut bytes = came.bytes().await.expect("an answer's body").to_vec();
    if let Some(which) = which.filter(|_| is_api) {
        let text = String::from_utf8_lossy(&bytes).replace(front.path, &format!("{}{which}", front.path));
        bytes = text.into_bytes();
    }
    response.body(Body::from(bytes)).expect("the forge's own headers")
}

/// So many flows, each of a repository of its own on one forge.
struct Fleet<H> {
    host: H,
    front: Front,
    clock: ManualClock,
    setup: Setup,
    /// What was said last of each flow.
    said: RefCell<BTreeMap<String, Vec<String>>>,
    _dir: tempfile::TempDir,
}

/// The environment branches of a flow: all repositories are one behind the front.
fn branch(flow: usize, environment: &str) -> String {
    format!("f{flow:04}-{environment}")
}

impl<H: Host> Fleet<H> {
    async fn new(kind: &str, flows: usize) -> Self {
        let host = H::new().await;
        host.allow(1_000_000);
        let (front, url) = Front::new(host.url(), H::PATH).await;
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("token"), host.token()).expect("written");
        let mut text = format!("[forge.f]\nkind = \"{kind}\"\nurl = \"{url}\"\ntoken = {{ file = \"token\" }}\n");
        let root = host.tip(H::BRANCHES[0]);
        for flow in 0..flows {
            text += &format!("[[flow]]\nname = \"f{flow:04}\"\nrepository = \"f:{}-{flow:04}\"\n", H::PATH);
            for (environment, gates) in [
                ("develop", ""),
                ("staging", "gates.ci = { checks = [\"build\", \"test\"] }\n"),
                (
                    "production",
                    "via = \"merge-request\"\nrequest = { open = \"at-once\" }\ngates.ci = { checks = [\"build\", \"test\"] }\n\
                     gates.lag = \"30m\"\ngates.approvals = { required = 1, authors = \"allow\" }\n",
                ),
            ] {
                let branch = branch(flow, environment);
                host.with(|repo| repo.set(&branch, root));
                text += &format!("[[flow.environment]]\nname = \"{environment}\"\nbranch = \"{branch}\"\n{gates}");
            }
        }
        std::fs::write(dir.path().join("towpath.toml"), text).expect("written");
        let config = Config::load(&dir.path().join("towpath.toml")).unwrap_or_else(|problems| panic!("{problems}"));
        let clock = ManualClock::new(host.now());
        let setup = Setup::open(config, Clock::Manual(clock.clone()), Need::Create).await.expect("a setup");
        Self { host, front, clock, setup, said: RefCell::default(), _dir: dir }
    }

    /// After a first look, and one promotion of the first; and what the first look cost.
    async fn warm(kind: &str, flows: usize) -> (Self, Cost) {
        let fleet = Self::new(kind, flows).await;
        let first = fleet.look(0).await;
        fleet.promote(0..1, 0..1).await;
        (fleet, first)
    }

    /// A look at every flow, so many minutes after the one before: what it cost.
    async fn look(&self, after: i64) -> Cost {
        self.look_at(0..self.setup.config.flows.len(), after).await
    }

    async fn look_at(&self, flows: Range<usize>, after: i64) -> Cost {
        self.clock.advance(Span::from_mins(after));
        self.host.pass(Span::from_mins(after));
        *self.front.cost.lock().expect("the cost") = Cost::default();
        for found in &self.setup.config.flows[flows] {
            let Ticked::Done(pass) = tick(&self.setup.world, &found.flow).await.expect("a pass") else {
                panic!("nobody else is at work");
            };
            let (flow, now) = (&found.flow, pass.seen.now.wall);
            let words = Words { zone: flow.zone, now, flow, remote_word: "origin", lasting: false };
            let plan = pass.after.as_ref().unwrap_or(&pass.plan);
            let lines = plan.decisions.iter().map(|decision| words.headline(decision)).collect();
            self.said.borrow_mut().insert(flow.name.to_string(), lines);
        }
        *self.front.cost.lock().expect("the cost")
    }

    /// One promotion of each of these flows, from the push to the end, with looks at all of those: what each cost.
    async fn promote(&self, moving: Range<usize>, all: Range<usize>) -> Vec<(&'static str, Cost)> {
        let look = async |after: i64| self.look_at(all.clone(), after).await;
        let commits: Vec<(usize, CommitId)> = moving
            .map(|flow| {
                let develop = branch(flow, "develop");
                let commit = self.host.push(&develop, &format!("of {flow} at {}", self.host.now().0));
                self.host.green(commit, &develop, &["build", "test"]);
                (flow, commit)
            })
            .collect();
        let are_in = |environment: &str| {
            for (flow, commit) in &commits {
                let (tip, said) = (self.host.tip(&branch(*flow, environment)), self.said.borrow());
                assert_eq!(tip, *commit, "{environment} of {flow}: {:?}", said.get(&format!("f{flow:04}")));
            }
        };
        let had = self.host.requests();
        let mut told = vec![("a new green commit: it enters staging", look(5).await)];
        are_in("staging");
        told.push(("its request is opened", look(5).await));
        assert_eq!(self.host.requests(), had + commits.len(), "a request each");
        told.push(("its request is open, and nothing has changed", look(5).await));
        for number in had + 1..=self.host.requests() {
            self.host.approve("bo", self.host.number(number));
        }
        told.push(("its request was approved, and waits", look(5).await));
        told.push(("its lag is over: it is merged", look(25).await));
        are_in("production");
        told.push(("all is said", look(5).await));
        told
    }
}

/// What is asked of a forge.
#[derive(Debug, PartialEq)]
struct Costs {
    /// Once, at the first look, however many flows there are: whose the token is, say.
    once: Cost,
    /// For each flow at the first look.
    first: Cost,
    /// For each flow in which nothing happens.
    idle: Cost,
    /// For each flow with a promotion under way, in each of its looks.
    moving: Vec<(&'static str, Cost)>,
}

impl Costs {
    /// Taken from so many flows, and more of them; the same for each of many as for each of few.
    async fn of<H: Host>(kind: &str) -> Self {
        let (first_of_three, few) = per_flow::<H>(kind, 3, 1).await;
        let (first_of_five, many) = per_flow::<H>(kind, 5, 3).await;
        assert_eq!(few, many);
        let first = (first_of_five - first_of_three).each(2);
        let (idle, moving) = few;
        Self { once: first_of_three - first * 3, first, idle, moving }
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the first look, once: {}", self.once)?;
        writeln!(f, "the first look, each: {}", self.first)?;
        writeln!(f, "nothing to do: {}", self.idle)?;
        self.moving.iter().try_for_each(|(what, cost)| writeln!(f, "{what}: {cost}"))
    }
}

/// What the first look at so many flows costs, and then one flow: idle, and in each look of a promotion. Those in which
/// nothing happens must cost the same all the time.
async fn per_flow<H: Host>(kind: &str, flows: usize, moving: usize) -> (Cost, (Cost, Vec<(&'static str, Cost)>)) {
    let (fleet, first) = Fleet::<H>::warm(kind, flows).await;
    let idle = fleet.look(5).await.each(flows as i64);
    let looks = fleet.promote(1..1 + moving, 0..flows).await;
    let of_moving = looks.into_iter().map(|(what, cost)| {
        let (others, moving) = ((flows - moving) as i64, moving as i64);
        (what, (cost - idle * others).each(moving))
    });
    let told = of_moving.collect();
    assert_eq!(fleet.look(5).await, idle * flows as i64, "idle again");
    (first, (idle, told))
}

#[tokio::test]
async fn of_a_flow_on_github() {
    insta::assert_snapshot!(Costs::of::<GitHub>("github").await, @"
    the first look, once: 0 read (0 of them 304), 0 written, 0 of git
    the first look, each: 2 read (0 of them 304), 2 written, 5 of git
    nothing to do: 0 read (0 of them 304), 0 written, 2 of git
    a new green commit: it enters staging: 17 read (7 of them 304), 3 written, 13 of git
    its request is opened: 24 read (20 of them 304), 3 written, 10 of git
    its request is open, and nothing has changed: 9 read (8 of them 304), 0 written, 4 of git
    its request was approved, and waits: 12 read (9 of them 304), 2 written, 4 of git
    its lag is over: it is merged: 26 read (20 of them 304), 3 written, 14 of git
    all is said: 0 read (0 of them 304), 0 written, 2 of git
    ");
}

#[tokio::test]
async fn of_a_flow_on_gitlab() {
    insta::assert_snapshot!(Costs::of::<GitLab>("gitlab").await, @"
    the first look, once: 0 read (0 of them 304), 0 written, 0 of git
    the first look, each: 2 read (0 of them 304), 2 written, 5 of git
    nothing to do: 0 read (0 of them 304), 0 written, 2 of git
    a new green commit: it enters staging: 12 read (0 of them 304), 2 written, 15 of git
    its request is opened: 26 read (0 of them 304), 2 written, 10 of git
    its request is open, and nothing has changed: 8 read (0 of them 304), 0 written, 4 of git
    its request was approved, and waits: 12 read (0 of them 304), 1 written, 4 of git
    its lag is over: it is merged: 24 read (0 of them 304), 3 written, 14 of git
    all is said: 0 read (0 of them 304), 0 written, 2 of git
    ");
}

#[tokio::test]
async fn of_a_flow_on_forgejo() {
    insta::assert_snapshot!(Costs::of::<Gitea>("forgejo").await, @"
    the first look, once: 0 read (0 of them 304), 0 written, 0 of git
    the first look, each: 2 read (0 of them 304), 2 written, 5 of git
    nothing to do: 0 read (0 of them 304), 0 written, 2 of git
    a new green commit: it enters staging: 8 read (0 of them 304), 2 written, 15 of git
    its request is opened: 17 read (0 of them 304), 3 written, 10 of git
    its request is open, and nothing has changed: 5 read (0 of them 304), 0 written, 4 of git
    its request was approved, and waits: 8 read (0 of them 304), 2 written, 4 of git
    its lag is over: it is merged: 15 read (0 of them 304), 3 written, 14 of git
    all is said: 0 read (0 of them 304), 0 written, 2 of git
    ");
}

/// So many flows, five in a hundred of them moving, one look after another: the whole of each look is what its parts
/// cost.
async fn fleet<H: Host>(kind: &str, flows: usize) {
    let costs = Costs::of::<H>(kind).await;
    let (fleet, first) = Fleet::<H>::warm(kind, flows).await;
    let (all, moving) = (flows as i64, (flows / 20).max(1));
    let say = |what: &str, cost: Cost, parts: Cost| {
        println!("| {kind} | {flows} | {what} | {cost} |");
        assert_eq!(cost, parts, "{kind}, {flows}, {what}: not what its parts cost");
    };
    say("the first look", first, costs.once + costs.first * all);
    say("nothing to do", fleet.look(5).await, costs.idle * all);
    let looks = fleet.promote(1..1 + moving, 0..flows).await;
    for ((what, cost), (_, each)) in looks.into_iter().zip(&costs.moving) {
        let parts = costs.idle * (all - moving as i64) + *each * moving as i64;
        say(&format!("{moving} with: {what}"), cost, parts);
    }
}

/// For `scripts/campaign api-cost`: does nothing unless that asks for it.
#[tokio::test]
async fn campaign() {
    let Ok(sizes) = std::env::var("TOWPATH_COST_FLOWS") else { return };
    for flows in sizes.split(',').map(|size| size.parse().expect("a number of flows")) {
        fleet::<GitHub>("github", flows).await;
        fleet::<GitLab>("gitlab", flows).await;
        fleet::<Gitea>("forgejo", flows).await;
    }
}
