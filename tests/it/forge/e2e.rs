//! Whole days on a forge: an example of `config/` runs through the engine, the real `git` over HTTP and
//! an adapter, against the forge of the tests. What counts is where the branches are in the end.
//!
//! Here are the days; how each forge is made and what its people do is in `hosts.rs`.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::engine::tick::{Pass, Ticked, tick};
use towpath::serve::{Shared, run};
use towpath::server::{self, Limits};
use towpath::setup::{Need, Setup};
use towpath_core::explain::{COMMENT_MARKER, Words};
use towpath_core::model::{CommitId, Span};

use super::gitea::faults::Fault::DoneAndDropped as Dropped;
use super::github;
use super::hosts::{GitHub, GitLab, Gitea, Host};

/// A flow of an example on a forge, and the time.
pub struct Day<H> {
    pub host: H,
    pub clock: ManualClock,
    pub setup: Setup,
    pub dir: tempfile::TempDir,
    /// What `status` said last.
    said: RefCell<Vec<String>>,
}

impl<H: Host> Day<H> {
    /// The example with its forge and repository in the place of those that it names.
    pub async fn new(example: &str, change: impl Fn(String) -> String) -> Self {
        let path = crate::config::root().join("config").join(example);
        let text = change(std::fs::read_to_string(path).expect("an example"));
        let host = H::new().await;
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("token"), host.token()).expect("written");
        let text = localised(&text, H::PATH, host.url(), &dir.path().join("token"));
        let file = dir.path().join("towpath.toml");
        std::fs::write(&file, text).expect("written");
        let config = Config::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
        let clock = ManualClock::new(host.now());
        let setup = Setup::open(config, Clock::Manual(clock.clone()), Need::Create).await.expect("a setup");
        Self { host, clock, setup, dir, said: RefCell::default() }
    }

    /// One pass; the forge's clock is ours.
    pub async fn look(&self) -> Pass {
        let flow = &self.setup.config.flows[0].flow;
        let pass = match tick(&self.setup.world, flow).await.expect("a pass") {
            Ticked::Done(pass) => *pass,
            Ticked::Leased => panic!("nobody else is at work"),
        };
        let plan = pass.after.as_ref().unwrap_or(&pass.plan);
        let words = Words { zone: flow.zone, now: pass.seen.now.wall, flow, remote_word: "origin", lasting: false };
        *self.said.borrow_mut() = plan.decisions.iter().map(|decision| words.headline(decision)).collect();
        pass
    }

    pub fn pass_time(&self, mins: i64) {
        self.clock.advance(Span::from_mins(mins));
        self.host.pass(Span::from_mins(mins));
    }

    /// Looks every five minutes for that long, the first time now.
    pub async fn looks(&self, mins: i64) -> Pass {
        let mut last = self.look().await;
        for _ in 0..mins / 5 {
            self.pass_time(5);
            last = self.look().await;
        }
        last
    }

    /// A commit of Ana's on the first branch.
    pub fn push(&self, file: &str) -> CommitId {
        self.host.push(H::BRANCHES[0], file)
    }

    /// What CI runs of a commit, where it was pushed to and where it was deployed to.
    pub fn green(&self, commit: CommitId) {
        self.host.green(commit, H::BRANCHES[0], &["build", "test"]);
        self.host.green(commit, H::BRANCHES[1], &["smoke"]);
    }

    /// The commit's status for an environment is that, and in those words.
    fn status(&self, commit: CommitId, env: &str, state: &str, words: &str) {
        let (is, said) = self.host.says(commit, env);
        assert!(is == state && said.contains(words), "{env}: {is} \"{said}\", and not {state} \"{words}\"");
    }

    /// There is one comment of ours under a request, and it says that.
    fn comment(&self, nth: usize, words: &str) {
        let comments = self.host.comments(self.host.number(nth));
        let [comment] = &*comments else { panic!("not one comment: {comments:#?}") };
        assert!(comment.starts_with(COMMENT_MARKER) && comment.contains(words), "{words}: {comment}");
    }

    fn is_at(&self, branch: &str, commit: CommitId) {
        assert_eq!(self.host.tip(branch), commit, "{branch}: {:#?}", self.said.borrow());
    }

    fn parents(&self, commit: CommitId) -> Vec<CommitId> {
        self.host.parents(commit)
    }
}

/// `[forge.X]` becomes the forge of the test, with a token in a file, and the repository the only one
/// that is there.
fn localised(text: &str, repository: &str, url: &str, token: &Path) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("url = ")).map(|line| {
        if line.starts_with("token = ") {
            return format!("url = \"{url}\"\ntoken = {{ file = \"{}\" }}", token.display());
        }
        if line.starts_with("app = ") {
            return format!("url = \"{url}\"\n{line}");
        }
        match line.strip_prefix("repository = \"").and_then(|rest| rest.split_once(':')) {
            Some((forge, _)) => format!("repository = \"{forge}:{repository}\""),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Three promotions to production: by Towpath as a fast-forward, by a person with a merge commit, and by
/// Towpath with a merge commit, because production has one of its own by then.
async fn three_promotions<H: Host>(example: &str) -> Day<H> {
    promotes_three(Day::<H>::new(example, |text| text).await).await
}

async fn promotes_three<H: Host>(day: Day<H>) -> Day<H> {
    let host = &day.host;
    let [first, staging, production] = H::BRANCHES;
    let root = host.tip(first);
    let approve = |nth: usize| {
        if H::APPROVED {
            host.approve("bo", host.number(nth));
        }
    };
    let up_to_date = || {
        let said = day.said.borrow();
        assert!(said.len() == 2 && said.iter().all(|line| line.contains("up to date")), "{said:#?}");
    };

    let one = day.push("one");
    day.looks(5).await;
    day.is_at(staging, root);
    day.status(one, staging, "pending", "CI");
    day.green(one);
    day.look().await;
    day.is_at(staging, one);
    let since = format!("In {staging} since ");
    day.status(one, staging, "success", &since);
    day.looks(10).await;
    assert_eq!(host.open_requests(), [(1, one)], "it is open from the start");
    day.status(one, "production", "pending", "");
    day.comment(1, "**production: waits for ");
    approve(1);
    day.looks(15).await;
    day.is_at(production, root);
    day.status(one, "production", "pending", "it is over at ");
    day.comment(1, "wait lag: ");
    day.looks(10).await;
    day.is_at(production, one);
    day.status(one, "production", "success", "In production since ");
    day.comment(1, "This request is over");
    assert_eq!(host.open_requests(), []);

    let two = day.push("two");
    day.green(two);
    day.looks(5).await;
    day.is_at(staging, two);
    day.looks(5).await;
    assert_eq!(host.open_requests(), [(2, two)]);
    let merged = host.merge_by_a_person("ana", host.number(2));
    assert_eq!(day.parents(merged), [one, two]);
    day.looks(45).await;
    day.is_at(production, merged);
    day.status(two, "production", "success", "In production since ");
    day.status(merged, "production", "success", "In production since ");
    day.comment(2, "This request is over");
    assert_eq!(host.open_requests(), []);
    up_to_date();

    let three = day.push("three");
    day.green(three);
    day.looks(5).await;
    day.is_at(staging, three);
    day.looks(5).await;
    assert_eq!(host.open_requests(), [(3, three)]);
    approve(3);
    day.looks(40).await;
    assert_eq!(day.parents(host.tip(production)), [merged, three]);
    assert_eq!(host.open_requests(), []);
    assert_eq!(host.requests(), 3, "no request too many");
    day.status(three, "production", "success", "In production since ");
    day.comment(3, "This request is over");
    day.is_at(staging, three);
    up_to_date();
    day
}

/// What is measured of forges, seen in a service that has called one.
pub const METRICS: [&str; 3] =
    ["towpath_forge_requests_total", "towpath_forge_rate_limit", "towpath_forge_rate_limit_remaining"];

/// The examples whose repository is on a forge: here they run, the others in `config::run_examples`.
pub const EXAMPLES: [&str; 3] = ["docplanner.toml", "docplanner-gitea.toml", "gitlab-flow.toml"];

#[tokio::test]
async fn docplanner_on_github() {
    let day = three_promotions::<GitHub>(EXAMPLES[0]).await;
    day.host.assert_good(60);
}

/// As an installation of an App: for the API and for git.
#[tokio::test]
async fn docplanner_on_github_as_an_app() {
    let app = "app = { id = 7, installation = 9, key = { file = \"app.pem\" } }";
    let day = Day::<GitHub>::new(EXAMPLES[0], |text| text.replace("token = { env = \"GITHUB_TOKEN\" }", app)).await;
    std::fs::write(day.dir.path().join("app.pem"), github::key_of_the_app_in_pem()).expect("written");
    let day = promotes_three(day).await;
    day.host.assert_good(60);
    assert!(day.host.minted() > 1, "an hour is longer than the day");
}

#[tokio::test]
async fn docplanner_on_forgejo() {
    let day = three_promotions::<Gitea>(EXAMPLES[1]).await;
    day.host.assert_good(60);
}

#[tokio::test]
async fn gitlab_flow_on_gitlab() {
    let day = three_promotions::<GitLab>(EXAMPLES[2]).await;
    day.host.assert_good(60);
}

/// Serves a day, whose flow is looked at when the service starts and whenever somebody says that there is
/// something to see.
pub(super) async fn served<H: Host>(day: &Day<H>, clock: Clock) -> (String, CancellationToken, Arc<Shared>) {
    let setup = Setup::open(day.setup.config.clone(), clock, Need::Create).await.expect("a setup");
    let (shared, stop) = (Arc::new(Shared::new(setup)), CancellationToken::new());
    tokio::spawn(run(shared.clone(), stop.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(server::serve(listener, shared.clone(), Limits::default(), stop.clone()));
    (url, stop, shared)
}

/// Until a branch is there and nobody is at work any more: the pass that moved it looks once more, and would
/// see what the test does next.
pub(super) async fn settled(what: &str, shared: &Shared, holds: impl Fn() -> bool) {
    until(what, || holds() && shared.queue(|queue| !queue.is_busy() && queue.waiting() == 0)).await;
}

pub(super) async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1_200 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within a minute");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_of_the_forge_wakes_the_flow_and_a_repeated_or_forged_one_does_not() {
    let day = Day::<GitHub>::new("docplanner.toml", |text| {
        let text = text.replace("*/5 * * * *", "0 0 1 1 *");
        text.replace("token = ", "webhook_secrets = [{ file = \"old\" }, { file = \"hook\" }]\ntoken = ")
    })
    .await;
    for (name, secret) in [("old", "of last year\n"), ("hook", "of this year\n")] {
        std::fs::write(day.dir.path().join(name), secret).expect("written");
    }
    let one = day.push("one");
    day.green(one);
    let (url, stop, shared) = served(&day, Clock::System).await;
    settled("the look at the start", &shared, || day.host.tip("staging") == one).await;

    let two = day.push("two");
    day.green(two);
    let hook = async |name: &str, secret: &str, repo: &str, delivery: &str| {
        github::server::send_hook(&format!("{url}/hooks/{name}"), secret, "push", (repo, delivery)).await.as_u16()
    };
    // Of somebody who does not know the secret, to a forge that is not there, about another repository.
    assert_eq!(hook("github", "a guess", "shop/checkout", "1").await, 401);
    assert_eq!(hook("gitlab", "of this year", "shop/checkout", "1").await, 404);
    assert_eq!(hook("github", "of this year", "shop/other", "1").await, 202);
    day.is_at("staging", one);
    // As the forge tells the name, which is not always as it is written in the config.
    assert_eq!(hook("github", "of this year", "Shop/Checkout", "2").await, 202);
    settled("a move", &shared, || day.host.tip("staging") == two).await;

    let three = day.push("three");
    day.green(three);
    assert_eq!(hook("github", "of this year", "shop/checkout", "2").await, 202, "taken, and it wakes nobody");
    tokio::time::sleep(Duration::from_millis(500)).await;
    day.is_at("staging", two);
    assert_eq!(hook("github", "of last year", "shop/checkout", "3").await, 202);
    until("another move", || day.host.tip("staging") == three).await;
    let page = reqwest::get(format!("{url}/metrics")).await.expect("an answer").text().await.expect("a text");
    for (name, label) in METRICS.into_iter().zip(["code=\"200\"", "resource=\"core\"", "resource=\"core\""]) {
        let sample = |line: &str| {
            let value = line.strip_prefix(name)?.strip_prefix("{forge=\"github\",")?.split_once("} ")?;
            (value.0.contains(label) && value.1 != "0").then_some(())
        };
        assert!(page.lines().any(|line| sample(line).is_some()), "{name}: {page}");
    }
    stop.cancel();
}

/// A service that was off knows from the forge since when commits have been there.
#[tokio::test]
async fn what_was_pushed_while_nobody_looked_has_waited_already() {
    let lag =
        |text: String| text.replacen("gates.ci = { checks = [\"build\", \"test\"] }", "gates.lag = \"30m\"", 1);
    let day = Day::<GitHub>::new(EXAMPLES[0], lag).await;
    let root = day.host.tip("develop");
    day.look().await;
    day.pass_time(60);
    let (one, two) = (day.push("one"), day.push("two"));
    {
        let mut state = day.host.0.state();
        let now = state.now;
        let push = |before, after, mins: i64| github::state::Push {
            on: "develop",
            kind: "push",
            before,
            after: Some(after),
            at: now - mins * 60_000,
        };
        state.pushes = vec![push(Some(one), two, 10), push(Some(root), one, 40), push(None, root, 90)];
    }
    day.look().await;
    day.is_at("staging", one);
    day.looks(15).await;
    day.is_at("staging", one);
    day.looks(5).await;
    day.is_at("staging", two);
    // What comes while somebody looks is asked about, too; without a record it counts from the look.
    let three = day.push("three");
    day.pass_time(5);
    day.looks(25).await;
    day.is_at("staging", two);
    day.looks(5).await;
    day.is_at("staging", three);
    let asked = day.host.0.state().asked.iter().filter(|call| call.contains("/activity?")).count();
    assert_eq!(asked, 2, "not at the first look, and once for each time that something came");
}

/// Reviewers are asked once for each request: after an answer was lost as well, and not again whom people took off it.
async fn asks_reviewers_once<H: Host>(
    example: &str,
    lose: impl Fn(&H),
    asked: impl Fn(&H) -> (Vec<String>, usize),
    clear: impl Fn(&H),
) {
    let day = Day::<H>::new(example, |text| {
        text.replace("open = \"at-once\" }", "open = \"at-once\", reviewers = [\"ana\"] }")
    })
    .await;
    lose(&day.host);
    let one = day.push("one");
    day.green(one);
    day.looks(8).await;
    assert_eq!(day.host.open_requests(), [(1, one)]);
    assert_eq!(asked(&day.host), (vec!["ana".to_owned()], 1), "though nobody was told that it was opened");
    clear(&day.host);
    let two = day.push("two");
    day.green(two);
    day.looks(8).await;
    assert_eq!(day.host.open_requests(), [(1, two)], "another head of the same request");
    assert_eq!(asked(&day.host), (Vec::new(), 1));
}

#[tokio::test]
async fn reviewers_are_asked_once_also_after_a_lost_answer() {
    let asked = |host: &Gitea| {
        let seen = host.0.state().pull(1).asked.clone();
        (seen, host.0.calls("requested_reviewers"))
    };
    let clear = |host: &Gitea| host.0.state().pull(1).asked.clear();
    let lose = |host: &Gitea| host.0.faults.plan("POST /api/v1/repos/shop/checkout/pulls", Dropped, 1);
    asks_reviewers_once(EXAMPLES[1], lose, asked, clear).await;
    asks_reviewers_once(EXAMPLES[1], |_: &Gitea| {}, asked, clear).await;
    let asked = |host: &GitHub| {
        let calls = host.0.asked("requested_reviewers");
        (host.0.state().pulls.values().next().expect("one").reviewers.clone(), calls)
    };
    let clear = |host: &GitHub| host.0.state().pulls.values_mut().for_each(|pull| pull.reviewers.clear());
    let lose = |host: &GitHub| host.0.fault("POST /repos/shop/checkout/pulls?", github::state::Fault::LoseAnswer);
    asks_reviewers_once(EXAMPLES[0], lose, asked, clear).await;
    asks_reviewers_once(EXAMPLES[0], |_: &GitHub| {}, asked, clear).await;
}

/// What a subject would close is not closed by entering an environment: forges read titles, too.
async fn titles_refer_to_nothing<H: Host>(example: &str) {
    let day = Day::<H>::new(example, |text| text).await;
    let first = H::BRANCHES[0];
    let made = day.host.with(|repo| {
        let parent = repo.tip(first).expect("a branch");
        let subject = "Fix it (#7), closes shop/other!3 and GH-12";
        repo.commit_as(&[parent], first, &[("one", "one")], subject, "Ana <Ana@Example.com>")
    });
    day.host.pushed(made);
    day.looks(5).await;
    day.green(made);
    day.looks(5).await;
    day.looks(5).await;
    let title = day.host.described(day.host.number(1)).0;
    assert_eq!(title, "production: Fix it (# 7), closes shop/other! 3 and GH- 12");
}

#[tokio::test]
async fn a_title_refers_to_nothing_on_any_forge() {
    titles_refer_to_nothing::<GitHub>(EXAMPLES[0]).await;
    titles_refer_to_nothing::<Gitea>(EXAMPLES[1]).await;
    titles_refer_to_nothing::<GitLab>(EXAMPLES[2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_of_gitlab_come_in_signed_or_with_a_token_while_others_send_and_do_not_end() {
    use base64::Engine as _;
    let key = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode("of this year"));
    let day = Day::<GitLab>::new(EXAMPLES[2], |text| {
        let text = text.replace("*/5 * * * *", "0 0 1 1 *");
        text.replace("token = ", "webhook_secrets = [{ file = \"old\" }, { file = \"hook\" }]\ntoken = ")
    })
    .await;
    std::fs::write(day.dir.path().join("old"), "of last year\n").expect("written");
    std::fs::write(day.dir.path().join("hook"), &key).expect("written");
    let staging = GitLab::BRANCHES[1];
    let (url, stop, _) = served(&day, Clock::System).await;
    let url = format!("{url}/hooks/gitlab");
    // What anybody can do: look like a hook, and never end.
    let mut open = Vec::new();
    for _ in 0..40 {
        let address = url.trim_start_matches("http://").split('/').next().expect("an address");
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        let head = "POST /hooks/gitlab HTTP/1.1\r\nHost: localhost\r\nX-Gitlab-Token: guess\r\nContent-Length: 20000000\r\n\r\n{";
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.expect("sent");
        open.push(stream);
    }
    for (file, secret) in [("one", key.as_str()), ("two", "of last year")] {
        day.host.deliveries(secret, false);
        let commit = day.push(file);
        day.green(commit);
        let sent = day.host.deliveries(secret, true);
        assert!(!sent.is_empty());
        for delivery in sent {
            let call = reqwest::Client::new().post(&url).headers(delivery.headers).body(delivery.body);
            assert_eq!(call.send().await.expect("an answer").status().as_u16(), 202, "{secret}");
        }
        until("a move", || day.host.tip(staging) == commit).await;
    }
    drop(open);
    stop.cancel();
}
