//! Moving everything from one database to another, of the same kind and of the other.

use std::time::Duration;

use lectern::model::{
    DeliveryFilter, DeliveryState, EventFilter, NewToken, QuarantineBounds, ResourceFilter, ResourceKind,
    ResourceState, Role, SkippedEvent, TokenDigest, TokenId, Words,
};
use lectern::moving::{MovingError, export, import};
use lectern::store::{Acceptance, Database, Mirrored};

use crate::home::Home;
use crate::make::{
    accept, claim_all, claim_one, do_all, event, failed, first, microsecond, owed, owed_to, second, settle,
    settlement, uids,
};
use crate::mirroring::at_the_mirror;
use crate::quarantining::{held, rejected};

crate::on_both_stores![
    everything_moves_to_the_same_kind_of_database_and_to_the_other,
    work_goes_on_where_it_was,
    lines_that_were_changed_are_not_taken_for_what_they_were,
    a_database_that_is_not_empty_takes_nothing,
    an_import_that_was_interrupted_goes_on,
    a_mirror_that_is_half_made_does_not_move,
];

async fn lines(store: &dyn Database) -> Vec<u8> {
    let mut lines = Vec::new();
    export(store, &mut lines, |_| {}).await.unwrap();
    lines
}

async fn read(lines: &[u8], store: &dyn Database, resume: bool) -> Result<(), MovingError> {
    import(&mut &*lines, store, resume, |_| {}).await.map(|_| ())
}

async fn new_homes() -> [Home; 2] {
    [Home::in_sqlite().await, Home::in_postgres().await]
}

async fn fill(store: &Home) {
    for n in 0..5 {
        accept(
            &**store,
            owed_to(&["mirror", "crm"], &n.to_string(), &format!("k{}", n % 2), microsecond(n * 7 + 1)),
        )
        .await;
    }
    let mut odd = event("odd", second(1));
    odd.record.decode_error = Some("ö \"quoted\"".into());
    odd.record.occurred_at = Some("0001-01-01T00:00:00.000001Z".parse().unwrap());
    odd.record.origin = lectern::model::Origin::Repair;
    odd.content.body = (0..=255).collect::<Vec<u8>>().into();
    let odd_id = odd.record.id;
    accept(&**store, odd).await;
    do_all(&**store, second(2)).await;
    let dead = accept(&**store, owed("late", "parked", second(3))).await[0];
    let queue = claim_one(&**store, second(3)).await;
    let mut parking = settlement(&queue, vec![failed(dead, DeliveryState::Dead, second(3))], second(3));
    parking.parked_by = Some(dead);
    settle(&**store, parking).await;
    store.pause("crm", second(4)).await.unwrap();

    store
        .quarantine(&[held(second(5), 9), rejected(second(6), 9)], QuarantineBounds::new(9, 999))
        .await
        .unwrap();
    let token = NewToken {
        id: TokenId::at(second(7)),
        name: "laptop".into(),
        digest: TokenDigest::of("secret"),
        role: Role::Read,
        created_at: second(7),
        expires_at: Some(second(700)),
    };
    store.add_token(&token).await.unwrap();
    assert!(store.write_note("a", b"sealed\0\xff", 0, second(8)).await.unwrap());
    let lease = at_the_mirror(&**store).await;
    let contact = ResourceState {
        name: Some("Ann Smith".into()),
        words: Words::of(["Ann", "Smith", "ann@example.com"]).marked("channel", ["ann@example.com"]),
        data: r#"{"uid":"p","name":"Ann Smith","emails":["ann@example.com"]}"#.into(),
        ..crate::mirroring::state(ResourceKind::Contact, "p", 1, 0)
    };
    let unmirrored: Vec<_> = store.unmirrored(4).await.unwrap().iter().map(|one| one.event.id).collect();
    let mirrored = Mirrored {
        token: lease,
        told_by: vec![(ResourceKind::Contact, "p".into(), unmirrored[0])],
        states: vec![contact],
        skipped: vec![SkippedEvent { event_id: odd_id, reason: "no uid".into() }],
        fitting: vec![],
        events: unmirrored,
        rebuilt_after: None,
    };
    assert!(store.mirror(&mirrored).await.unwrap());
}

async fn everything_moves_to_the_same_kind_of_database_and_to_the_other(store: Home) {
    fill(&store).await;
    let written = lines(&*store).await;
    for target in new_homes().await {
        read(&written, &*target, false).await.unwrap();
        assert_eq!(lines(&*target).await, written, "line for line");
        let page = first(100);
        assert_eq!(
            target.events(&EventFilter::default(), page).await.unwrap(),
            store.events(&EventFilter::default(), page).await.unwrap()
        );
        let smith = ResourceFilter { words: Words::of(["smith"]), ..ResourceFilter::default() };
        assert_eq!(target.resources(ResourceKind::Contact, &smith, first(9)).await.unwrap().len(), 1);
        assert!(target.token(&TokenDigest::of("secret")).await.unwrap().is_some());
        let waiting = async |store: &dyn Database| -> Vec<_> {
            store.unmirrored(9).await.unwrap().into_iter().map(|one| (one.event, one.content)).collect()
        };
        assert_eq!(waiting(&*target).await, waiting(&*store).await);
    }
}

async fn work_goes_on_where_it_was(store: Home) {
    fill(&store).await;
    let written = lines(&*store).await;
    for target in new_homes().await {
        read(&written, &*target, false).await.unwrap();
        // Known is known, and what is new comes behind what is there.
        let again = event("odd", second(50));
        assert!(matches!(target.accept(&[again]).await.unwrap()[..], [Acceptance::Duplicate(_)]));
        accept(&*target, owed_to(&["crm"], "new", "k0", second(60))).await;
        assert!(target.resume("crm").await.unwrap());
        let claim = lectern::store::Claim {
            handler: "crm".into(),
            until: second(70) + Duration::from_secs(60),
            ..crate::make::claim(second(70))
        };
        let queues = target.claim(&claim).await.unwrap().queues;
        let first_queue = queues.iter().find(|queue| queue.lease.queue.ordering_key == "k0").unwrap();
        assert_eq!(uids(&first_queue.due), ["0", "2", "4", "new"]);
        let dead = DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() };
        let dead = target.deliveries(&dead, first(9)).await.unwrap().remove(0);
        target.resolve(dead.id, "by hand", second(80)).await.unwrap();
        accept(&*target, owed("after", "parked", second(81))).await;
        assert_eq!(uids(&claim_all(&*target, second(90)).await.queues[0].due), ["after"]);
        let feed = target.feed(0, 100).await.unwrap();
        assert_eq!(feed.len(), 4);
    }
}

async fn lines_that_were_changed_are_not_taken_for_what_they_were(store: Home) {
    fill(&store).await;
    let written = String::from_utf8(lines(&*store).await).unwrap();
    let all: Vec<&str> = written.lines().collect();
    let without = |nth: usize| {
        let left: Vec<&str> =
            all.iter().enumerate().filter(|(other, _)| *other != nth).map(|(_, line)| *line).collect();
        left.join("\n") + "\n"
    };
    for (damaged, says) in [
        (without(0), "does not begin as an export does"),
        (without(all.len() - 1), "the last line is missing"),
        (without(all.len() - 2), "does not come to what the last line says"),
        (written.replace("ö", "o"), "does not come to what the last line says"),
        (written.clone(), ""),
        (all[..3].join("\n") + "\n{\"record\":{\"of\":\"passwords\",\"has\":{}}}\n", "line 4"),
        (all[..3].join("\n") + "\nno line\n", "line 4"),
        (
            all[0].to_owned() + "\n{\"record\":{\"of\":\"feed\",\"has\":{\"position\":\"x\"}}}\n",
            "`position` of a record of `feed`",
        ),
    ] {
        let target = Home::in_sqlite().await;
        match read(damaged.as_bytes(), &*target, false).await {
            Ok(()) => assert_eq!(says, ""),
            Err(error) => assert!(!says.is_empty() && error.to_string().contains(says), "{says}: {error}"),
        }
    }
}

async fn a_database_that_is_not_empty_takes_nothing(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let written = lines(&*store).await;
    let refused = read(&written, &*store, false).await.unwrap_err();
    assert!(matches!(&refused, MovingError::NotEmpty { collection } if collection == "events"), "{refused}");
}

async fn a_mirror_that_is_half_made_does_not_move(store: Home) {
    fill(&store).await;
    store.begin_rebuild(second(9)).await.unwrap();
    let refused = export(&*store, &mut Vec::new(), |_| {}).await.unwrap_err();
    assert!(matches!(refused, MovingError::Rebuilding), "{refused}");
}

async fn an_import_that_was_interrupted_goes_on(store: Home) {
    fill(&store).await;
    let written = lines(&*store).await;
    let half = written.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(9).unwrap().0;
    for target in new_homes().await {
        assert!(matches!(read(&written[..=half], &*target, false).await, Err(MovingError::Unfinished)));
        assert!(read(&written, &*target, false).await.is_err());
        read(&written, &*target, true).await.unwrap();
        assert_eq!(lines(&*target).await, written);
    }
}
