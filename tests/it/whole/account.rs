//! Somebody whose address in commits no config has: the forge says which account wrote them, and they are called by it and
//! may hold what is theirs.

use serde_json::Value as Json;
use towpath::clock::Clock;
use towpath_core::model::{CommitId, Span};

use super::{ANNOUNCED, Whole};
use crate::forge::gitea::faults::Fault;
use crate::forge::hosts::{GitHub, GitLab, Gitea, Host};
use crate::support::git_fixture::Repo;

const MAREK: &str = "Marek <marek@private.example>";

/// A whole over a repository on a forge.
struct OnForge<H> {
    host: H,
    whole: Whole,
}

impl<H: Host> OnForge<H> {
    async fn new(kind: &str) -> Self {
        let host = H::new().await;
        let [first, _, last] = H::BRANCHES;
        let config = format!(
            r#"{}
[people.marek]
role = "viewer"
identities = ["slack:T1/UMAREK", "forge:hub/bo"]

[forge.hub]
kind = "{kind}"
url = "{}"
token = {{ file = "forge-token" }}

[[flow]]
repository = "hub:{}"
name = "shop/checkout"
[[flow.environment]]
name = "develop"
branch = "{first}"
[[flow.environment]]
name = "production"
branch = "{last}"
gates.lag = "30m"
heads_up = "10m"
"#,
            super::CONFIG,
            host.url(),
            H::PATH
        );
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("forge-token"), host.token()).unwrap();
        let repo = Repo::open(host.with(|repo| repo.dir.clone()));
        let whole = Whole::over(dir, repo, &config).await;
        let now = whole.clock.reading().wall;
        host.pass(Span::from_secs((now.0 - host.now().0) / 1_000));
        Self { host, whole }
    }

    fn commit(&self, author: &str, message: &str, files: &[(&str, &str)]) -> CommitId {
        let parent = self.whole.repo.tip(H::BRANCHES[0]).unwrap();
        self.whole.repo.commit_as(&[parent], H::BRANCHES[0], files, message, author)
    }

    async fn looks_after(&self, minutes: i64) {
        self.host.pass(Span::from_mins(minutes));
        self.whole.looks_after(minutes).await;
    }

    /// The announcement of that commit.
    async fn announces(&self, subject: &str) -> Json {
        self.looks_after(0).await;
        self.looks_after(ANNOUNCED).await;
        self.whole.tells("chat.postMessage", subject).await
    }

    /// What is answered to whoever presses "Hold mine".
    async fn holds(&self, message: &Json, words: &str) -> String {
        self.whole.press_in_slack("UMAREK", message, "Hold mine").await;
        super::text(&self.whole.tells("/actions/", words).await)
    }
}

/// A commit of Marek's that he is called for, holds, and lets go again.
async fn marek_is_called<H: Host>(kind: &str) {
    let on = OnForge::<H>::new(kind).await;
    let (host, whole) = (&on.host, &on.whole);
    let zero = host.tip(H::BRANCHES[2]);
    let commit = on.commit(MAREK, "Fix invoice rounding", &[("b", "1")]);
    host.attributes(commit, Some("bo"));
    let message = on.announces("Fix invoice rounding").await;
    assert!(message.to_string().contains("UMAREK"), "{kind}: {message:#}");
    assert_eq!(host.asked_for_authors(), 1, "{kind}");
    on.holds(&message, "held back").await;
    whole.rests().await;
    assert_eq!(host.asked_for_authors(), 1, "{kind}: it is remembered");
    let unhold = format!("unhold {commit} checkout production");
    // Ana, who did not write it, may not, and Marek may.
    whole.types_in_slack("UANA", "1.u", &unhold).await;
    whole.tells("/commands/1234/1.u", "takes an operator").await;
    whole.types_in_slack("UMAREK", "2.u", &unhold).await;
    whole.tells("/commands/1234/2.u", "is lifted").await;
    on.looks_after(60).await;
    whole.until("it moves", || host.tip(H::BRANCHES[2]) == commit).await;
    assert_ne!(zero, commit);
    host.assert_good(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_the_forge_knows_is_called_and_may_hold_theirs() {
    marek_is_called::<GitHub>("github").await;
    marek_is_called::<Gitea>("forgejo").await;
    marek_is_called::<GitLab>("gitlab").await;
}

/// A commit that is somebody else's, or nobody's, by the forge.
async fn marek_is_not_called<H: Host>(kind: &str, login: Option<&str>) {
    let on = OnForge::<H>::new(kind).await;
    let commit = on.commit(MAREK, "Fix invoice rounding", &[("b", "1")]);
    on.host.attributes(commit, login);
    let message = on.announces("Fix invoice rounding").await;
    assert!(!message.to_string().contains("UMAREK"), "{kind} {login:?}: {message:#}");
    assert!(super::text(&message).contains("Marek"), "{kind} {login:?}: {message:#}");
    on.holds(&message, "is yours as far as").await;
    on.looks_after(60).await;
    on.whole.until("it moves", || on.host.tip(H::BRANCHES[2]) == commit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_the_forge_does_not_know_is_named_and_holds_nothing() {
    marek_is_not_called::<GitHub>("github", None).await;
    marek_is_not_called::<Gitea>("forgejo", Some("ana")).await;
    marek_is_not_called::<GitLab>("gitlab", None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forge_that_does_not_answer_delays_no_message() {
    let on = OnForge::<Gitea>::new("forgejo").await;
    let subjects = ["Fix invoice rounding", "Fix it again"];
    let one = on.commit(MAREK, subjects[0], &[("b", "1")]);
    let two = on.commit("Marek B <marek@other.example>", subjects[1], &[("c", "1")]);
    [one, two].into_iter().for_each(|commit| on.host.attributes(commit, Some("bo")));
    on.host.0.faults.plan("/git/commits/", Fault::Trickled, 100);
    let began = Clock::System.reading().wall;
    let message = on.announces(subjects[0]).await;
    // It does not end by itself.
    let took = Clock::System.reading().wall.since(began);
    assert!(took < Span::from_secs(25), "{took}");
    assert!(!message.to_string().contains("UMAREK") && super::text(&message).contains("Marek"), "{message:#}");
    assert_eq!(on.host.asked_for_authors(), 1, "and no second question");
    // For a while it is not asked again, so that the next messages do not wait for it either.
    on.host.0.faults.clear();
    on.holds(&message, "is yours as far as").await;
    assert_eq!(on.host.asked_for_authors(), 1);
    // Then it is, and his button does what it says.
    on.whole.clock.advance(Span::from_mins(5));
    on.holds(&message, "held back").await;
    assert_eq!(on.host.asked_for_authors(), 3);
}
