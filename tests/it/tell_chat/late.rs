//! What a chat is told, or could not be told, once the instant that a heads-up names has come.

use towpath::store::NoticeState;

use super::place::{Held, Platform, heads_up, landed, mattermost, slack};

#[tokio::test]
async fn a_heads_up_is_not_posted_once_its_time_has_come_and_the_outbox_says_so() {
    let platform = Platform::new().await;
    for chat in [slack(""), mattermost("")] {
        let held = Held::new(1, &(platform.chats() + &chat)).await;
        let before = platform.came().len();
        platform.answers(500, &serde_json::json!({}));
        held.tells("a", heads_up(&held, 1, 2, "Ana", "One")).await;
        assert_eq!((platform.came().len(), held.count(NoticeState::Waiting).await), (before + 1, 1));
        held.later(9);
        held.happens_in(0, "b", heads_up(&held, 1, 3, "Ana", "Two")).await;
        held.later(1);
        // At the instant itself the first is no news any more; the second has nine minutes.
        let delivered = held.deliver().await;
        assert_eq!((delivered.dead["chat"], delivered.sent["chat"]), (1, 1));
        assert_eq!(platform.came().len(), before + 2);
        assert!(platform.last().words().contains("Two"), "{:#}", platform.last().body);
        let rows = held.store().notices(Some(NoticeState::Dead), 10).await.unwrap();
        let words = rows[0].words.clone().unwrap_or_default();
        let why = "it is too late: what it announces was to come at 2026-11-21T10:10:00Z; before that: ";
        assert!(words.starts_with(why) && words.len() > why.len(), "{words}");
        assert_eq!(towpath::tell::notice::too_late_from(&rows[0].notice), Some(held.now()));
        // Whatever happens then, it is not posted.
        held.later(60);
        held.deliver().await;
        assert_eq!((platform.came().len(), held.count(NoticeState::Dead).await), (before + 2, 1));
    }
}

#[tokio::test]
async fn what_stands_in_the_chat_is_changed_to_its_end_however_late() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    held.tells("a", heads_up(&held, 1, 2, "Ana", "One")).await;
    held.happens_in(0, "b", heads_up(&held, 1, 3, "Ana", "Two")).await;
    held.later(11);
    held.deliver().await;
    held.later(1);
    held.tells("c", landed(1, 3)).await;
    assert_eq!(platform.paths(), ["/api/chat.postMessage", "/api/chat.update", "/api/chat.update"]);
    assert!(platform.last().words().contains("Towpath moved"), "{:#}", platform.last().body);
    assert_eq!((held.count(NoticeState::Sent).await, held.count(NoticeState::Dead).await), (3, 0));
}

#[tokio::test]
async fn a_message_that_is_gone_is_not_posted_anew_once_it_is_too_late() {
    let platform = Platform::new().await;
    let held = Held::new(1, &(platform.chats() + &slack(""))).await;
    held.tells("a", heads_up(&held, 1, 2, "Ana", "One")).await;
    held.happens_in(0, "b", heads_up(&held, 1, 3, "Ana", "Two")).await;
    held.later(11);
    platform.refuses("message_not_found");
    let delivered = held.deliver().await;
    assert_eq!(platform.paths(), ["/api/chat.postMessage", "/api/chat.update"]);
    assert_eq!((delivered.dead["chat"], held.count(NoticeState::Dead).await), (1, 1));
}
