//! Co-authors of commits where the forge tells the accounts of authors alone: Gitea and GitLab. (What GitHub tells of
//! them is in `github/reads.rs`.)

use serde_json::json;
use towpath::engine::tick::Pass;
use towpath::forge::Forge as _;
use towpath_core::explain::Words;
use towpath_core::model::CommitId;

use super::e2e::Day;
use super::gitea::faults::Fault;
use super::gitlab;
use super::hosts::{GitLab, Gitea, Host};

/// What the last environment waits for, and what helps.
fn told<H: Host>(day: &Day<H>, pass: &Pass) -> String {
    let flow = &day.setup.config.flows[0].flow;
    let words = Words { zone: flow.zone, now: pass.seen.now.wall, flow, remote_word: "origin", lasting: false };
    let plan = pass.after.as_ref().unwrap_or(&pass.plan);
    let decision = plan.decisions.last().expect("of production");
    format!("{} {:?}", words.verdict(&decision.verdict), words.explain(decision).todo)
}

/// A commit of that author on the first branch.
fn commit<H: Host>(day: &Day<H>, file: &str, message: &str, author: &str) -> CommitId {
    let branch = H::BRANCHES[0];
    let made = day.host.with(|repo| {
        let parent = repo.tip(branch).expect("a branch");
        repo.commit_as(&[parent], branch, &[(file, file)], message, author)
    });
    day.host.pushed(made);
    made
}

/// A commit of Ana's with that trailer goes as far as the request into the last environment, which Bo approves.
async fn approved<H: Host>(day: &Day<H>, trailer: &str, then: impl FnOnce()) -> (CommitId, Pass) {
    let message = format!("A change\n\nIt does something.\n\n{trailer}\n");
    let one = commit(day, "one", &message, "Ana <ana@example.com>");
    day.green(one);
    then();
    day.looks(15).await;
    assert_eq!(day.host.tip(H::BRANCHES[1]), one, "it is promoted so far");
    day.host.approve("bo", day.host.number(1));
    let pass = day.looks(40).await;
    (one, pass)
}

const BO: &str = "Co-authored-by: Bo <Bo@Home.example>";

fn person(name: &str, identities: &str) -> String {
    format!("\n[people.{name}]\nidentities = [{identities}]\n")
}

#[tokio::test]
async fn a_co_author_is_no_independent_approver_on_gitea() {
    let bo = person("Bo", "\"mail:bo@home.example\", \"forge:forgejo/bo\"");
    let eva = person("Bo", "\"mail:bo@home.example\", \"forge:forgejo/eva\"");
    let no_account = person("Bo", "\"mail:bo@home.example\"");
    let here = "Co-authored-by: Bo <bo@noreply.127.0.0.1>";
    for (what, trailer, config, moves, words) in [
        ("nobody knows whose address it is", BO, "", false, &["bo@home.example", "co-author", "[people]"][..]),
        ("the config knows it as the approver's", BO, &*bo, false, &["they wrote one of the commits"]),
        ("the config knows it as another's", BO, &*eva, true, &[]),
        (
            "the config has them without an account there",
            BO,
            &*no_account,
            false,
            &["bo@home.example", "forge:NAME/LOGIN"],
        ),
        ("an address that the forge made up", here, "", false, &["they wrote one of the commits"]),
        ("that of somebody else", "Co-authored-by: Eve <eve@noreply.127.0.0.1>", "", true, &[]),
        ("that of the author", "Co-authored-by: Ana <ANA@example.com>", "", true, &[]),
        ("no trailer", "Reviewed-by: Bo <bo@home.example>", "", true, &[]),
    ] {
        let day = Day::<Gitea>::new("docplanner-gitea.toml", |text| text + config).await;
        let root = day.host.tip("master");
        let (one, pass) = approved(&day, trailer, || ()).await;
        let said = told(&day, &pass);
        assert_eq!(day.host.tip("master"), if moves { one } else { root }, "{what}: {said}");
        for part in words {
            assert!(said.contains(part), "{what}: {part}: {said}");
        }
        day.host.assert_good(20);
    }
}

/// The forge tells whose the address is by a commit whose author bears it, wherever that is.
#[tokio::test]
async fn gitea_knows_a_co_author_as_the_author_of_another_commit() {
    for (what, trailer, author, moves, words) in [
        ("the approver's", "Co-authored-by: B <bo@example.com>", "Bo <bo@example.com>", false, "they wrote one"),
        ("another's", "Co-authored-by: E <eve@example.com>", "Eve <eve@example.com>", true, ""),
        ("nobody's there either", BO, "Bo <bo@home.example>", false, "bo@home.example"),
    ] {
        let day = Day::<Gitea>::new("docplanner-gitea.toml", |text| text).await;
        let root = day.host.tip("master");
        // Not green, and so behind; it is not of the range that is approved.
        let (one, pass) = approved(&day, trailer, || _ = commit(&day, "two", "Another", author)).await;
        let said = told(&day, &pass);
        assert_eq!(day.host.tip("master"), if moves { one } else { root }, "{what}: {said}");
        assert!(moves || said.contains(words), "{what}: {said}");
        day.host.assert_good(20);
    }
}

#[tokio::test]
async fn whoever_says_that_authors_may_approve_is_asked_nothing_of_co_authors() {
    let allow = |text: String| {
        let gate = "gates.approvals = { required = 1,";
        assert!(text.contains(gate));
        text.replace(gate, &format!("{gate} authors = \"allow\","))
    };
    let day = Day::<Gitea>::new("docplanner-gitea.toml", allow).await;
    let (one, pass) = approved(&day, BO, || ()).await;
    assert_eq!(day.host.tip("master"), one, "{}", told(&day, &pass));
}

#[tokio::test]
async fn a_co_author_is_no_independent_approver_on_gitlab() {
    let config = person("Bo", "\"mail:bo@home.example\", \"forge:gitlab/bo\"");
    for (what, shown, config, moves, words) in [
        ("nobody knows whose address it is", None, "", false, &["bo@home.example", "co-author", "[people]"][..]),
        ("the approver shows it to everybody", Some("bo"), "", false, &["they wrote one of the commits"]),
        ("somebody else does", Some("eve"), "", true, &[]),
        ("the config knows it", None, &*config, false, &["they wrote one of the commits"]),
    ] {
        let day = Day::<GitLab>::new("gitlab-flow.toml", |text| text + config).await;
        if let Some(who) = shown {
            day.host.0.state().shown.insert(who.to_owned(), "Bo@home.example".to_owned());
        }
        let root = day.host.tip("production");
        let (one, pass) = approved(&day, BO, || ()).await;
        let said = told(&day, &pass);
        assert_eq!(day.host.tip("production"), if moves { one } else { root }, "{what}: {said}");
        for part in words {
            assert!(said.contains(part), "{what}: {part}: {said}");
        }
        day.host.assert_good(20);
    }
}

#[tokio::test]
async fn gitlab_is_believed_only_of_exactly_that_address() {
    let place = gitlab::Place::new().await;
    place.state().shown.insert("bo".to_owned(), "bo@home.example".to_owned());
    let forge = place.forge();
    let account = async |address: &str| forge.account(address).await.expect("asked");
    assert_eq!(account("BO@home.example").await.as_deref(), Some("bo"));
    assert_eq!(account("o@home.example").await, None);
    let before = place.calls("/users");
    assert_eq!((account("").await, account("bo").await), (None, None));
    assert_eq!(place.calls("/users"), before, "no addresses");
    for (what, change) in [
        ("everybody", Fault::changed(|body| body[0]["public_email"] = json!("other@home.example"))),
        ("nobody's", Fault::changed(|body| body[0]["public_email"] = json!(null))),
        ("hidden", Fault::changed(|body| drop(body[0].as_object_mut().expect("somebody").remove("public_email")))),
        ("without a name", Fault::changed(|body| body[0]["username"] = json!(""))),
    ] {
        place.faults.plan("public_email=", change, 1);
        assert_eq!(account("bo@home.example").await, None, "{what}");
        place.faults.clear();
    }
    place.faults.plan("public_email=", Fault::Status(503, "down"), 9);
    forge.account("bo@home.example").await.expect_err("not known is not nobody's");
}
