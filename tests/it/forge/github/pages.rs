//! Lists of GitHub that have no total: a page that is missing is no end, and what stands on it counts.

use serde_json::{Value, json};
use towpath::forge::{Forge as _, Required};

use super::state::{Comment, Fault};
use super::{REQUEST, World, branch};

const MARK: &str = "<!-- towpath -->";

/// A world in which the one item that decides is on the second page of each list, of `many` and one; and the
/// number of the request.
async fn world(many: u32) -> (World, u64) {
    let world = World::new().await;
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    {
        let mut state = world.server.state();
        for at in 0..many {
            state.review(number, &format!("p{at}"), "COMMENTED");
            let id = state.id();
            state.comments.push(Comment { id, pull: number, by: "ana".to_owned(), body: format!("{at}") });
            // Of the head's other life, and newer: GitHub lists the newest first.
            let mut other = state.pulls[&number].clone();
            other.number = state.id();
            state.pulls.insert(other.number, other);
        }
        state.review(number, "bo", "CHANGES_REQUESTED");
        let (id, body) = (state.id(), format!("{MARK} before"));
        let by = state.pulls[&number].by.clone();
        state.comments.push(Comment { id, pull: number, by, body });
        let mut members: Vec<String> = (0..many).map(|at| format!("p{at}")).collect();
        members.push("zoe".to_owned());
        state.teams.insert("release".to_owned(), members);
        let about =
            json!({ "ruleset_source_type": "Repository", "ruleset_source": "shop/checkout", "ruleset_id": 1 });
        let rule = |mut rule: Value| {
            rule.as_object_mut().expect("a rule").extend(about.as_object().expect("fields").clone());
            rule
        };
        let mut rules: Vec<Value> = (0..many).map(|_| rule(json!({ "type": "deletion" }))).collect();
        rules.push(rule(json!({
            "type": "required_status_checks",
            "parameters": {
                "strict_required_status_checks_policy": false,
                "required_status_checks": [{ "context": "build", "integration_id": 15368 }],
            },
        })));
        state.rules.insert("staging".to_owned(), rules);
    }
    (world, number)
}

/// Reads one list; whether what stands on its second page was found, or nothing is known.
async fn found(world: &World, number: u64, what: &str) -> Result<bool, String> {
    let (repo, head, base) = (&world.repo, branch(REQUEST), branch("staging"));
    let words = |unknown: towpath_core::model::Unknown| format!("{unknown:?}");
    match what {
        "members" => {
            let members = world.forge.members(repo, "release").await.map_err(words)?;
            Ok(members.contains(&"zoe".to_owned()))
        }
        "rules" => {
            let required = world.forge.required(repo, &base).await.map_err(words)?;
            Ok(
                matches!(required, Required::Checks(all) if all.len() == 1 && format!("{all:?}").contains("\"build\"")),
            )
        }
        "requests" => {
            let all = world.forge.requests(repo, &head, &base).await.map_err(words)?;
            Ok(all.iter().any(|request| request.number == number))
        }
        "reviews" => {
            let all = world.forge.requests(repo, &head, &base).await.map_err(words)?;
            let of = all.iter().find(|request| request.number == number);
            Ok(of.is_some_and(|request| request.objections == ["bo"]))
        }
        "comments" => {
            let before = world.server.state().comments.len();
            let said = world.forge.comment(repo, number, MARK, &format!("{MARK} now")).await;
            assert_eq!(world.server.state().comments.len(), before, "ours is there, and no second one is made");
            said.map(|()| true).map_err(|fault| fault.to_string())
        }
        other => panic!("{other}"),
    }
}

/// Each list, and a part of the call for it.
const LISTS: [(&str, &str); 5] = [
    ("members", "/members?"),
    ("rules", "rules/branches/staging?"),
    ("requests", "/pulls?state=open"),
    ("reviews", "/reviews?"),
    ("comments", "/comments?"),
];

#[tokio::test]
async fn a_second_page_that_cannot_be_read_is_unknown() {
    let (world, number) = world(3).await;
    world.server.state().page_max = 3;
    fn number_instead(body: &mut Value) {
        *body = json!(7);
    }
    for (what, call) in LISTS {
        assert_eq!(found(&world, number, what).await, Ok(true), "{what}");
        let asked = world.server.state().asked.clone();
        let second = asked.iter().rev().find(|line| line.contains(call) && line.contains("&page=2"));
        let second = second.unwrap_or_else(|| panic!("{what}: no second page: {asked:#?}")).clone();
        for (name, fault, times) in [
            ("502", Fault::Say(502, vec![], json!({})), 3),
            ("404", Fault::Say(404, vec![], json!({ "message": "Not Found" })), 1),
            ("cut", Fault::Truncate, 3),
            ("lost", Fault::LoseRequest, 3),
            ("HTML", Fault::Html, 1),
            ("another type", Fault::Spoil(number_instead), 1),
        ] {
            for _ in 0..times {
                world.server.fault(&second, fault.clone());
            }
            let unknown = found(&world, number, what).await;
            assert!(unknown.is_err(), "{what}, {name}: {unknown:?}");
            assert!(world.server.state().faults.is_empty(), "{what}: {name} was met");
            assert_eq!(found(&world, number, what).await, Ok(true), "{what}, after {name}");
        }
    }
}

/// Proxies drop headers: a full page is not the last one because it names no other.
#[tokio::test]
async fn a_full_page_without_a_link_is_followed() {
    let (world, number) = world(100).await;
    for (what, call) in LISTS {
        // Of the one request that has any.
        let call = if what == "reviews" { format!("/pulls/{number}{call}") } else { call.to_owned() };
        world.server.fault(&call, Fault::NoLink);
        assert_eq!(found(&world, number, what).await, Ok(true), "{what}");
        assert!(world.server.state().faults.is_empty(), "{what}: it was met");
    }
}
