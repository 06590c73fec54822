//! Who may what by a comment under a promotion request: the table of `crate::roles`, asked on a forge of the tests of the
//! real service. There a stranger may not even look, and is told so once.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use towpath::clock::Clock;
use towpath::forge::Permission;
use towpath::store::{Create, NewAsked, Room, SqliteStore, Taken};
use towpath_core::model::Instant;

use super::e2e::{Day, EXAMPLES, served, until};
use super::hosts::{GitHub, Host as _};
use super::talk::Talk;
use crate::roles::{Cell, ENVIRONMENTS, ROLES, Stranger, audited};

/// The example, with one person of each role, whose account is called as the role.
async fn day() -> Day<GitHub> {
    let day = Day::<GitHub>::new(EXAMPLES[0], |text| {
        // A rollback that is done ends the request, and with it what can be said there.
        let text = text.replace("*/5 * * * *", "0 0 1 1 *").replace("rollback = true", "rollback = false");
        let text = text.replace("token = ", "webhook_secrets = [{ file = \"hook\" }]\ntoken = ");
        let person =
            |role: &&str| format!("\n[people.{role}]\nrole = \"{role}\"\nidentities = [\"forge:github/{role}\"]\n");
        format!("{text}\n{}", ROLES[1..].iter().map(person).collect::<String>())
    })
    .await;
    std::fs::write(day.dir.path().join("hook"), GitHub::SECRET).expect("written");
    day
}

async fn store(day: &Day<GitHub>) -> SqliteStore {
    let towpath::config::Store::Sqlite(path) = &day.setup.config.service.store;
    SqliteStore::open(path, Create::No).await.expect("the store")
}

/// The rows of the audit of commands.
async fn rows(store: &SqliteStore) -> Vec<Json> {
    let rows = store.audit(1_000).await.expect("rows").into_iter().filter(|row| row.came.is_some());
    rows.map(|row| serde_json::to_value(row).expect("JSON")).collect()
}

/// Waits until everything that a stranger said is worked on.
async fn worked_on(store: &SqliteStore) {
    let none = NewAsked { place: "forge:github", once: "none", who: ROLES[0], asked: "{}", lane: "comments" };
    // There is no room: it is not taken, and we are told how many wait or are at work.
    let room = Room { all: None, own: 0 };
    for _ in 0..1_200 {
        if store.take_asked(&none, Instant(0), room).await.expect("an answer") == Taken::FullOfTheirs(0) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not within a minute");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_comments_each_role_may_what_the_table_says() {
    let day = day().await;
    let host = &day.host;
    let one = day.push("one");
    day.green(one);
    day.looks(15).await;
    let number = host.number(1);
    // What is commanded is about a commit that can move nowhere: the request stays open.
    let two = day.push("two");
    let flow = &day.setup.config.flows[0].flow;
    let environments: Vec<&str> = flow.environments.iter().map(|env| env.name.as_str()).collect();
    assert_eq!(environments, ENVIRONMENTS);
    // Everybody may push there: what somebody may not is refused by us.
    ROLES.into_iter().for_each(|role| host.grant(role, Permission::Write));
    let (url, stop, _) = served(&day, Clock::Manual(day.clock.clone())).await;
    let hooks = format!("{url}/hooks/github");
    let [_, done, refused] = GitHub::REACTIONS;
    let say = async |role: &str, cell: &Cell| {
        let comment = host.say(role, number, &format!("/towpath {}", cell.said));
        for (event, payload) in host.told() {
            let (headers, body) = host.signed(&event, &payload, GitHub::SECRET);
            let sent = reqwest::Client::new().post(&hooks).headers(headers).body(body).send().await.expect("sent");
            assert_eq!(sent.status().as_u16(), 202, "{event}");
        }
        comment
    };
    let store = store(&day).await;
    // Nothing is done, nothing answered but once, and no right asked.
    let [stranger, linked @ ..] = ROLES;
    let rights = host.asked(GitHub::ASKS);
    let mut cells = Cell::of(stranger, flow.name.as_str(), &two.to_string());
    let mut comments = Vec::new();
    for cell in &cells {
        assert!(cell.refused_by(Stranger::Nothing).is_some(), "{cell:?}");
        comments.push(say(stranger, cell).await);
        worked_on(&store).await;
    }
    assert!(comments.into_iter().all(|comment| host.reactions(comment).is_empty()));
    let ours = host.comments(number);
    let begin = |marker: &str| ours.iter().filter(|comment| comment.starts_with(marker)).count();
    assert_eq!((begin("<!-- towpath:strangers -->"), begin("<!-- towpath:answer -->")), (1, 0), "{ours:#?}");
    assert_eq!(host.asked(GitHub::ASKS), rights);
    let of_comments: Vec<Json> =
        rows(&store).await.into_iter().filter(|row| row["came"]["surface"] == "comment").collect();
    assert!(of_comments.iter().all(|row| row["allowed"] == false), "{of_comments:#?}");
    // On record is what they were told about.
    cells.truncate(1);
    let mut asked = BTreeMap::from([(format!("forge:github/{stranger}"), cells)]);
    for role in linked {
        let cells = Cell::of(role, flow.name.as_str(), &two.to_string());
        for cell in &cells {
            let comment = say(role, cell).await;
            let last = || host.reactions(comment).pop().map(|(_, word)| word);
            until(&cell.said, || last().is_some_and(|word| word == done || word == refused)).await;
            let reaction = last().expect("a reaction");
            match cell.refused_by(Stranger::Nothing) {
                Some(rule) => assert_eq!(reaction, refused, "{cell:?}: {rule}"),
                // Allowed is not sensible; to look always is.
                // Of the first environment there is nothing to say.
                None => {
                    let sensible = cell.verb == "status" && cell.env != "develop";
                    assert!(reaction == done || !sensible, "{cell:?}: {:?}", host.comments(number));
                }
            }
        }
        asked.insert(format!("forge:github/{role}"), cells);
    }
    audited(&rows(&store).await, "comment", Stranger::Nothing, &asked);
    stop.cancel();
}
