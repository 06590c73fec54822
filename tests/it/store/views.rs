//! History, reports, single rows and the export.

use towpath::store::{DiscoveredRow, What};
use towpath_core::model::{
    Actor, AuditRow, BranchName, BranchSeen, Change, CheckName, CiState, CommitId, Concerns, Event, EventRow,
    Instant, IntentState, MoveKind, PolicyDigest, Report, Scope, TipHow, Trusted,
};

use super::{Place, at, audit, commit, effect, finish, flow, intent, pause};

fn landed(n: u8) -> [Change; 4] {
    let row = intent(&format!("i-{n}"), "web", n, n + 1);
    let moved = Event::Moved { old: row.old, new: row.new };
    let told = Change::Event(EventRow { env: row.env.clone(), at: at(i64::from(n)), event: moved });
    [Change::Intent(row.clone()), finish(&row, IntentState::Landed), effect(&row, n.into(), false), told]
}

#[tokio::test]
async fn history_is_newest_first_and_of_one_flow_if_asked() {
    let place = Place::new();
    let store = place.open().await;
    let (web, api) = (flow("web"), flow("api"));
    for n in 0..5 {
        store.commit(None, Some(&web), &landed(n)).await.unwrap();
    }
    store.commit(None, None, &[Change::Audit(audit("all"))]).await.unwrap();
    let of = |id: &str, concerns| Change::Audit(AuditRow { concerns, ..audit(id) });
    store.commit(None, None, &[of("api", Concerns::one(api.clone()))]).await.unwrap();
    let items = store.history(Some(&web), 5).await.unwrap();
    let words: Vec<_> = items
        .iter()
        .map(|item| match &item.what {
            What::Intent(row) => format!("{} {}", row.id, row.state.word()),
            What::Effect(row) => format!("effect {}", row.intent),
            What::Event(_) => "event".to_owned(),
            What::Audit(row) => format!("audit {}", row.id),
        })
        .collect();
    assert_eq!(words, ["audit all", "event", "effect i-4", "i-4 landed", "event"]);
    assert_eq!(store.history(None, 100).await.unwrap().len(), 17);
    assert_eq!(store.history(Some(&api), 100).await.unwrap().len(), 2);
    let audited: Vec<_> = store.audit(10).await.unwrap().into_iter().map(|row| row.id.to_string()).collect();
    assert_eq!(audited, ["api", "all"]);
}

#[tokio::test]
async fn the_export_holds_everything_once_and_in_order() {
    let place = Place::new();
    let store = place.open().await;
    let many: Vec<_> = (0..250).flat_map(landed).collect();
    store.commit(None, Some(&flow("web")), &many).await.unwrap();
    let mut text = Vec::new();
    // Three lines for each: the intent, its effect, its event. More than one page.
    assert_eq!(store.export(&mut text).await.unwrap(), 750);
    let lines: Vec<serde_json::Value> =
        String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<_> = lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert!(seqs.is_sorted_by(|a, b| a < b));
    assert_eq!((lines.len(), lines[0]["what"].as_str()), (750, Some("intent")));
    assert_eq!(lines[0]["row"]["state"], "landed");
}

#[tokio::test]
async fn reports_are_folded_in_the_order_they_were_made() {
    let place = Place::new();
    let store = place.open().await;
    let web = flow("web");
    let report = |n: u8, state, ms| {
        let (name, on) = (CheckName::from("build"), Some(BranchName::from("main")));
        let by = Actor::from("ci");
        Change::Report(Report { commit: commit(n), name, on, state, url: None, by, at: at(ms) })
    };
    let made = [
        report(1, CiState::Green, 10),
        report(1, CiState::Red, 20),
        report(1, CiState::Green, 30),
        report(1, CiState::Green, 40),
        report(2, CiState::Red, 5),
    ];
    for change in made {
        store.commit(None, Some(&web), &[change]).await.unwrap();
    }
    let checks = store.checks(&web, &[commit(1), commit(2), commit(3)]).await.unwrap();
    assert_eq!(checks.keys().copied().collect::<Vec<_>>(), [commit(1), commit(2)]);
    assert_eq!(checks[&commit(1)][0].green_since, Some(Trusted(30)));
    assert_eq!(checks[&commit(2)][0].state, CiState::Red);
    assert!(store.checks(&flow("api"), &[commit(1)]).await.unwrap().is_empty());
}

#[tokio::test]
async fn commits_tips_and_attempts_are_found() {
    let place = Place::new();
    let store = place.open().await;
    let web = flow("web");
    let seen = BranchSeen { branch: "main".into(), repository: "r".into(), tip: commit(0xab), at: at(3) };
    let tip = Change::Tip { env: "production".into(), seen, how: TipHow::Pushed };
    let mut again = intent("again", "web", 1, 2);
    again.attempt = 4;
    let changes = [tip, Change::Intent(again), Change::Pause(pause("p", Scope::All))];
    store.commit(None, Some(&web), &changes).await.unwrap();

    assert_eq!(store.commits_known("ABAB").await.unwrap(), [commit(0xab)]);
    assert_eq!(store.commits_known("0").await.unwrap(), [commit(1), commit(2)]);
    for nothing in ["", "xyz", "a%", "ac", "ab'; --"] {
        assert_eq!(store.commits_known(nothing).await.unwrap(), [] as [CommitId; 0], "{nothing}");
    }
    let held = store.held_before(&web, &"production".into(), commit(0xab)).await.unwrap();
    assert_eq!(held.map(|tip| tip.from), Some(at(3)));
    assert!(store.held_before(&web, &"production".into(), commit(1)).await.unwrap().is_none());

    let (env, policy) = ("production".into(), PolicyDigest::from("p"));
    let attempts = async |new| {
        store.attempts(&web, &env, commit(1), commit(new), MoveKind::FastForward, &policy).await.unwrap()
    };
    assert_eq!((attempts(2).await, attempts(3).await), (5, 0));
}

#[tokio::test]
async fn a_command_is_told_of_the_flows_that_it_concerned_and_wakes_those() {
    let place = Place::new();
    let store = place.open().await;
    let names = |list: &[&str]| Concerns::Flows(list.iter().map(|name| flow(name)).collect());
    let rows = [
        AuditRow { concerns: Concerns::All, ..audit("all") },
        AuditRow { concerns: Concerns::one(flow("web")), ..audit("web") },
        AuditRow { concerns: names(&["api", "it's \"odd\""]), ..audit("two") },
        AuditRow { concerns: Concerns::none(), ..audit("token") },
        AuditRow { allowed: false, concerns: Concerns::All, ..audit("refused") },
        AuditRow { by: Actor::from("towpath"), concerns: Concerns::All, ..audit("expired") },
    ];
    for row in &rows {
        store.commit(None, None, &[Change::Audit(row.clone())]).await.unwrap();
    }
    let mut audited = store.audit(9).await.unwrap();
    audited.reverse();
    assert_eq!(audited, rows);
    let of = async |name: &str| {
        let rows = store.audit_before(Some(&flow(name)), None, 9).await.unwrap();
        rows.into_iter().rev().map(|(_, _, row)| row.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of("web").await, ["all", "web", "refused", "expired"]);
    assert_eq!(of("api").await, ["all", "two", "refused", "expired"]);
    assert_eq!(of("it's \"odd\"").await, of("api").await);
    assert_eq!(of("ap").await, ["all", "refused", "expired"]);
    let orders = store.ordered_since(Some(0), 9).await.unwrap();
    let woken: Vec<_> = rows[..4].iter().map(|row| row.concerns.clone()).collect();
    assert_eq!(orders.concerns, woken, "neither what was refused nor what Towpath itself records");
}

#[tokio::test]
async fn what_was_discovered_is_kept_brought_up_to_date_and_never_forgotten() {
    let place = Place::new();
    let store = place.open().await;
    let row = |path: &str, since: i64| DiscoveredRow {
        forge: "hub".to_owned(),
        path: path.to_owned(),
        repo: "7".to_owned(),
        since: Instant(since),
        gone: None,
    };
    assert_eq!(store.discovered().await.unwrap(), []);
    let rows = [row("shop/b", 1), row("shop/a", 2)];
    store.remember_discovered(&rows).await.unwrap();
    assert_eq!(store.discovered().await.unwrap(), rows, "oldest first");
    // What is told of it later changes; when it was found does not.
    let gone = Some((Instant(9), "it is archived".to_owned()));
    let later = DiscoveredRow { since: Instant(5), repo: "8".to_owned(), gone: gone.clone(), ..row("shop/b", 5) };
    store.remember_discovered(&[later]).await.unwrap();
    store.close().await.unwrap();
    let store = place.open().await;
    let expected = [DiscoveredRow { repo: "8".to_owned(), gone, ..row("shop/b", 1) }, row("shop/a", 2)];
    assert_eq!(store.discovered().await.unwrap(), expected);
}
