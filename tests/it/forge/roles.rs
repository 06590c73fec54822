//! Who may what by a comment under a promotion request: the table of `crate::roles`, asked on a forge of the tests of the
//! real service. There a stranger may not even look.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use towpath::clock::Clock;
use towpath::forge::Permission;

use super::e2e::{Day, EXAMPLES, served, until};
use super::hosts::{GitHub, Host as _};
use super::talk::Talk;
use crate::roles::{Cell, ENVIRONMENTS, ROLES, Stranger, audited};

/// The example, with one person of each role, whose account is called as the role.
async fn day() -> Day<GitHub> {
    let day = Day::<GitHub>::new(EXAMPLES[0], |text| {
        let text = text.replace("*/5 * * * *", "0 0 1 1 *");
        let text = text.replace("token = ", "webhook_secrets = [{ file = \"hook\" }]\ntoken = ");
        let person =
            |role: &&str| format!("\n[people.{role}]\nrole = \"{role}\"\nidentities = [\"forge:github/{role}\"]\n");
        format!("{text}\n{}", ROLES[1..].iter().map(person).collect::<String>())
    })
    .await;
    std::fs::write(day.dir.path().join("hook"), GitHub::SECRET).expect("written");
    day
}

/// The rows of the audit of commands.
async fn rows(day: &Day<GitHub>) -> Vec<Json> {
    let towpath::config::Store::Sqlite(path) = &day.setup.config.service.store;
    let store = towpath::store::SqliteStore::open(path, towpath::store::Create::No).await.expect("the store");
    let rows = store.audit(1_000).await.expect("rows").into_iter().filter(|row| row.came.is_some());
    rows.map(|row| serde_json::to_value(row).expect("JSON")).collect()
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
    let mut asked = BTreeMap::new();
    for role in ROLES {
        let cells = Cell::of(role, flow.name.as_str(), &two.to_string());
        for cell in &cells {
            let comment = host.say(role, number, &format!("/towpath {}", cell.said));
            for (event, payload) in host.told() {
                let (headers, body) = host.signed(&event, &payload, GitHub::SECRET);
                let sent =
                    reqwest::Client::new().post(&hooks).headers(headers).body(body).send().await.expect("sent");
                assert_eq!(sent.status().as_u16(), 202, "{event}");
            }
            until(&cell.said, || host.reactions(comment).len() == 2).await;
            let reaction = host.reactions(comment).pop().expect("a reaction").1;
            match cell.refused_by(Stranger::Nothing) {
                Some(rule) => assert_eq!(reaction, refused, "{cell:?}: {rule}"),
                // Allowed is not sensible; to look always is.
                None => assert!(reaction == done || cell.verb != "status", "{cell:?}"),
            }
        }
        asked.insert(format!("forge:github/{role}"), cells);
    }
    audited(&rows(&day).await, "comment", Stranger::Nothing, &asked);
    stop.cancel();
}
