//! Webhooks of what really happened: late, out of order, each once.

use std::collections::BTreeSet;

use towpath::forge::{Forge as _, HookRefused, MergeHow};
use towpath_core::act::PushAnswer;

use super::{Place, proposal, repo};

/// The 32 bytes 0, 1, … 31.
const SIGNING: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[tokio::test]
async fn every_change_is_told_and_verified_whatever_the_order() {
    for secret in ["new secret", SIGNING] {
        let place = Place::new().await;
        let forge = place.forge();
        let head = place.push("towpath/checkout/staging", "a");
        let number = forge.open(&repo(), &proposal()).await.expect("opened");
        {
            let mut state = place.state();
            state.ran(head, "towpath/checkout/staging", "build", "success");
            state.approve("ana", number);
            state.close("ana", number);
            state.reopen(number);
        }
        assert_eq!(place.merge(number, head, MergeHow::FastForward).await, PushAnswer::Moved);
        let mut waiting = place.deliveries(secret);
        waiting.reverse();
        let secrets = ["old secret".to_owned(), secret.to_owned()];
        let (mut ids, mut events) = (BTreeSet::new(), Vec::new());
        for delivery in &waiting {
            let seen = forge.hook(&delivery.headers, &delivery.body, &secrets).expect("verified");
            assert_eq!(seen.repo, Some(repo()));
            assert!(ids.insert(seen.delivery.expect("an id")), "each has its own");
            events.push(seen.event);
        }
        events.sort_unstable();
        let expected = [&["merge_request"; 5][..], &["pipeline"], &["push"; 2]].concat();
        assert_eq!(events, expected, "{secret}");
        assert_eq!(place.deliveries(secret).len(), 0, "once");
        // Sent again, it has the same id.
        let again = forge.hook(&waiting[0].headers, &waiting[0].body, &secrets).expect("verified");
        assert!(ids.contains(&again.delivery.expect("an id")));
        place.watch.assert_good(6);
    }
}

#[tokio::test]
async fn a_delivery_that_was_changed_or_is_of_another_secret_is_refused() {
    let place = Place::new().await;
    place.push("develop", "a");
    let forge = place.forge();
    let delivery = place.deliveries(SIGNING).remove(0);
    let secrets = [SIGNING.to_owned()];
    assert!(forge.hook(&delivery.headers, &delivery.body, &secrets).is_ok());
    let mut other = delivery.body.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    assert_eq!(forge.hook(&delivery.headers, &other, &secrets), Err(HookRefused::Forged));
    let wrong = [SIGNING.replace("AAEC", "AAED")];
    assert_eq!(forge.hook(&delivery.headers, &delivery.body, &wrong), Err(HookRefused::Forged));
    let mut headers = delivery.headers.clone();
    headers.remove("webhook-signature");
    assert_eq!(forge.hook(&headers, &delivery.body, &secrets), Err(HookRefused::Unsigned));
    // GitLab's own time ten minutes later than the adapter's.
    place.state().now += 600_000;
    place.push("develop", "b");
    let late = place.deliveries(SIGNING).remove(0);
    assert_eq!(forge.hook(&late.headers, &late.body, &secrets), Err(HookRefused::Stale));
}
