//! Webhooks of what really happened: late, out of order, each once.

use std::collections::BTreeSet;

use towpath::forge::{Forge as _, HookRefused, MergeHow};

use super::{Place, proposal, repo};

#[tokio::test]
async fn every_change_is_told_and_verified_whatever_the_order() {
    for version in ["17.0.0+gitea-1.22.0", "1.24.7"] {
        let place = Place::new().await;
        place.state().version = version.to_owned();
        let forge = place.forge();
        let head = place.push("towpath/checkout/staging", "a");
        let number = forge.open(&repo(), &proposal()).await.expect("opened");
        {
            let mut state = place.state();
            state.report(Some("ana"), head, "build", "success");
            state.review("ana", number, "APPROVED");
            state.review("bo", number, "REQUEST_CHANGES");
            state.close(number);
            state.reopen(number);
        }
        assert!(matches!(
            place.merge(number, head, MergeHow::FastForward).await,
            towpath_core::act::PushAnswer::Moved
        ));
        let mut waiting = place.deliveries("new secret");
        waiting.reverse();
        let secrets = ["old secret".to_owned(), "new secret".to_owned()];
        let (mut ids, mut events) = (BTreeSet::new(), Vec::new());
        for delivery in &waiting {
            let seen = forge.hook(&delivery.headers, &delivery.body, &secrets).expect("verified");
            assert_eq!(seen.repo, Some(repo()));
            assert!(ids.insert(seen.delivery.expect("an id")), "each has its own");
            events.push(seen.event);
        }
        let expected = [
            "push",
            "pull_request",
            "pull_request",
            "pull_request",
            "pull_request_review_rejected",
            "pull_request_review_approved",
            "status",
            "pull_request",
            "push",
        ];
        events.sort_unstable();
        let mut expected = expected.map(str::to_owned).to_vec();
        expected.sort_unstable();
        assert_eq!(events, expected, "{version}");
        assert_eq!(place.deliveries("new secret").len(), 0, "once");
        // Sent again, it has the same id.
        let again = forge.hook(&waiting[0].headers, &waiting[0].body, &secrets).expect("verified");
        assert!(ids.contains(&again.delivery.expect("an id")));
        place.watch.assert_good(3);
    }
}

#[tokio::test]
async fn a_delivery_that_was_changed_or_is_of_another_secret_is_refused() {
    let place = Place::new().await;
    place.push("develop", "a");
    let forge = place.forge();
    let delivery = place.deliveries("secret").remove(0);
    let secrets = ["secret".to_owned()];
    assert!(forge.hook(&delivery.headers, &delivery.body, &secrets).is_ok());
    let refused =
        |body: &[u8], secrets: &[String]| forge.hook(&delivery.headers, body, secrets).expect_err("refused");
    let mut other = delivery.body.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    assert_eq!(refused(&other, &secrets), HookRefused::Forged);
    assert_eq!(refused(&delivery.body, &["Secret".to_owned()]), HookRefused::Forged);
    let mut headers = delivery.headers.clone();
    headers.remove("x-forgejo-signature");
    headers.remove("x-gitea-signature");
    assert_eq!(forge.hook(&headers, &delivery.body, &secrets), Err(HookRefused::Unsigned));
}
