//! Pausing handlers.

use lectern::store::{Claim, LeaseToken};

use crate::home::Home;
use crate::make::{HANDLER, accept, all_done, claim, claim_all, claim_one, owed_to, second, settle, uids};

crate::on_both_stores![
    a_paused_handler_gets_nothing_in_any_process_until_it_is_resumed,
    a_pause_is_kept_and_lasts_since_it_began,
    what_is_leased_goes_on_in_a_pause,
];

async fn a_paused_handler_gets_nothing_in_any_process_until_it_is_resumed(store: Home) {
    let other = store.another_server().await;
    store.pause(HANDLER, second(1)).await.unwrap();
    accept(&*store, owed_to(&[HANDLER, "crm"], "e1", "a", second(2))).await;
    for process in [&*store, &*other] {
        let claimed = claim_all(process, second(900)).await;
        assert!(claimed.queues.is_empty());
        assert_eq!(claimed.next_due, None, "nothing to wait for");
    }
    let crm = Claim { handler: "crm".into(), token: LeaseToken::at(second(3)), ..claim(second(3)) };
    assert_eq!(other.claim(&crm).await.unwrap().queues.len(), 1, "others go on");
    assert!(other.resume(HANDLER).await.unwrap());
    assert_eq!(uids(&claim_one(&*store, second(4)).await.due), ["e1"]);
}

async fn a_pause_is_kept_and_lasts_since_it_began(store: Home) {
    assert_eq!(store.paused().await.unwrap(), []);
    assert!(!store.resume(HANDLER).await.unwrap());
    assert_eq!(store.pause(HANDLER, second(5)).await.unwrap(), second(5));
    assert_eq!(store.pause(HANDLER, second(9)).await.unwrap(), second(5));
    assert_eq!(store.pause("crm", second(7)).await.unwrap(), second(7));
    store.close().await;

    let store = store.another().await;
    let paused = [("crm".to_owned(), second(7)), (HANDLER.to_owned(), second(5))];
    assert_eq!(store.paused().await.unwrap(), paused);
    assert!(store.resume(HANDLER).await.unwrap());
    assert!(!store.resume(HANDLER).await.unwrap());
    assert_eq!(store.paused().await.unwrap(), [("crm".to_owned(), second(7))]);
}

async fn what_is_leased_goes_on_in_a_pause(store: Home) {
    accept(&*store, owed_to(&[HANDLER], "e1", "a", second(1))).await;
    let queue = claim_one(&*store, second(2)).await;
    store.pause(HANDLER, second(3)).await.unwrap();
    assert_eq!(store.renew(std::slice::from_ref(&queue.lease), second(90)).await.unwrap().len(), 1);
    settle(&*store, all_done(&queue, second(4))).await;
    assert_eq!(store.backlog().await.unwrap(), []);
}
