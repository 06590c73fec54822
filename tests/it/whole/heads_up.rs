//! A heads-up that was posted, its button pressed before the wait is over, and where the branch is afterwards.

use serde_json::Value as Json;

use super::{ANNOUNCED, Whole};
use crate::chat::Platform;

const SLACK: &str = "chat.postMessage";
const MATTERMOST: &str = "/api/v4/posts";
/// Where a message is changed.
const CHANGED: [(&str, &str); 2] = [(SLACK, "chat.update"), (MATTERMOST, "/api/v4/posts/p1/patch")];

const MAILMAP: &str = "Ana <ana@new.example> <ana@old.example>\n";

/// What is pressed, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pressed {
    Nothing,
    InSlack,
    InMattermost,
}

fn calls(message: &Json, user: &str) -> bool {
    message.to_string().contains(user)
}

/// A commit of Ana's waits, is announced, perhaps held by her, and its time comes.
async fn a_day(author: &str, brings: &[(&str, &str)], pressed: Pressed) {
    let whole = Whole::new(&[(".mailmap", MAILMAP)], "").await;
    // Whom the message calls is asked of the server.
    whole.platform.answers("/api/v4/users/uana", r#"{"id":"uana","username":"ana26"}"#.to_owned());
    let zero = whole.repo.tip("production").unwrap();
    let commit = whole.commit(author, "Fix invoice rounding", brings);
    whole.looks_after(0).await;
    assert_eq!(whole.told(SLACK, "").len(), 0, "nothing is near");
    whole.looks_after(ANNOUNCED).await;
    let in_slack = whole.tells(SLACK, "Fix invoice rounding").await;
    let in_mattermost = whole.tells(MATTERMOST, "invoice").await;
    assert!(calls(&in_slack, "UANA"), "{author} {brings:?}: {in_slack:#}");
    assert!(calls(&in_mattermost, "@ana26"), "{author} {brings:?}: {in_mattermost:#}");
    match pressed {
        Pressed::Nothing => {}
        Pressed::InSlack => whole.press_in_slack("UANA", &in_slack, "Hold mine").await,
        Pressed::InMattermost => whole.press_in_mattermost("uana", &in_mattermost, "Hold mine").await,
    }
    if pressed != Pressed::Nothing {
        whole
            .until("it is held", || {
                whole.platform.told().iter().any(|(_, body)| body.to_string().contains("held back"))
            })
            .await;
        whole.rests().await;
    }
    whole.looks_after(15).await;
    if pressed == Pressed::Nothing {
        whole.until("it moves", || whole.repo.tip("production") == Some(commit)).await;
        return;
    }
    for (_, path) in CHANGED {
        let back = whole.tells(path, "does not go then").await;
        assert!(super::text(&back).contains("ana"), "{back:#}");
        assert!(!back.to_string().contains("Hold mine") && !back.to_string().contains("Promote now"), "{back:#}");
    }
    whole.looks_after(60).await;
    assert_eq!(whole.repo.tip("production"), Some(zero), "{author} {brings:?} {pressed:?}");
    assert!(Platform::told(&whole.platform).iter().all(|(_, body)| !body.to_string().contains("Towpath moved")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hold_mine_pressed_before_the_wait_is_over_stops_the_move() {
    let own = [("b", "1")];
    for pressed in [Pressed::Nothing, Pressed::InSlack, Pressed::InMattermost] {
        a_day("Ana <ana@new.example>", &own, pressed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wrote_under_an_old_address_is_called_and_may_hold_theirs() {
    let own = [("b", "1")];
    for pressed in [Pressed::InSlack, Pressed::InMattermost] {
        a_day("Ana N. <ana@OLD.example>", &own, pressed).await;
    }
    // What the commit itself says of its author bears on nothing.
    for brings in ["", "Eve <eve@example.com> <ana@old.example>\nEve <eve@example.com> <ana@new.example>\n"] {
        a_day("Ana N. <ana@old.example>", &[(".mailmap", brings)], Pressed::InSlack).await;
    }
}
