//! From signing in to an outage that Podium gave up on, with not one message missing at the end.

use std::time::Duration;

use lectern::simulator::Settings;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::timeout;

use super::world::{World, events, impatient};
use crate::support::on_both_stores;
use crate::support::patience::eventually;

on_both_stores! {
    async fn a_person_signs_in_and_a_webhook_is_registered_that_delivers(setup) {
        let world = World::with(setup, impatient(), "").await.with_application();
        let lectern = world.setup.start().await;
        let refused = world.setup.run(&["auth", "status"]).await;
        assert!(!refused.success && refused.stderr.contains("lectern auth login"), "{refused:?}");
        let refused = world.setup.run(&["webhooks", "plan"]).await;
        assert!(!refused.success && refused.stderr.contains("nobody has signed in"), "{refused:?}");

        let mut login = world.setup.command(&["auth", "login"]).spawn().unwrap();
        let mut lines = BufReader::new(login.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("an address is printed");
            if let Some(url) = line.trim().strip_prefix("http://") {
                break format!("http://{url}");
            }
        };
        // A stranger who guesses ends nothing.
        let guess = format!("{}/oauth/callback?state=a-guess&code=another", lectern.internal);
        assert_eq!(lectern.http.get(&guess).send().await.unwrap().status(), 400);
        // The browser follows Podium back to the server.
        let led = lectern.http.get(&url).send().await.unwrap();
        assert_eq!(led.status(), 200, "{}", led.text().await.unwrap());
        let ended = timeout(Duration::from_secs(30), login.wait()).await.expect("it ends").unwrap();
        assert!(ended.success());
        // A state is good once.
        assert_eq!(lectern.http.get(&url).send().await.unwrap().status(), 400);
        assert!(world.told(&["auth", "status"]).await.contains("read_messages"));

        assert!(world.told(&["webhooks", "plan"]).await.contains("not registered"));
        assert!(world.told(&["webhooks", "apply"]).await.contains("registered"));
        assert!(world.told(&["webhooks", "plan"]).await.contains("as it should be"));
        assert_eq!(world.podium.webhooks().len(), 1);
        for number in 0..20 {
            world.podium.receive(&format!("conversation-{}", number % 3), &format!("number {number}"));
        }
        world.podium.send("conversation-0", "it is");
        world.nothing_is_missing(&lectern).await;
        let event = &events(&lectern, "message.received").await[0];
        assert_eq!((&event["source"], &event["origin"]), (&json!("north"), &json!("webhook")));

        // The token ends, and is renewed by itself.
        world.podium.forget_access_tokens();
        assert!(world.told(&["podium", "users"]).await.contains("Ann"));
        let list = world.told(&["webhooks", "list", "--json"]).await;
        assert!(list.contains(r#""isSigned": true"#) && !list.contains("secret"), "{list}");
        assert!(world.told(&["auth", "logout"]).await.contains("forgotten"));
        assert!(!world.setup.run(&["podium", "users"]).await.success);
    }

    async fn after_an_outage_that_podium_gave_up_on_nothing_is_missing(setup) {
        let world = World::with(setup, impatient(), "").await.with_token();
        let lectern = world.setup.start().await;
        world.told(&["webhooks", "apply"]).await;
        world.podium.receive("one", "before");
        world.nothing_is_missing(&lectern).await;

        lectern.kill().await;
        for number in 0..5 {
            world.podium.receive("one", &format!("lost {number}"));
        }
        eventually("Podium gives up", async || world.podium.webhooks()[0].1.then_some(())).await;
        assert_eq!(world.podium.lose(), 5);
        for number in 0..5 {
            world.podium.receive("two", &format!("waiting {number}"));
        }
        assert_eq!(world.podium.waiting(), 5);

        let lectern = world.setup.start().await;
        eventually("the webhook is enabled again", async || (!world.podium.webhooks()[0].1).then_some(())).await;
        eventually("what waited is delivered", async || (world.podium.waiting() == 0).then_some(())).await;
        eventually("it is told of", async || {
            let both = (
                events(&lectern, "lectern.webhook_disabled").await.len(),
                events(&lectern, "lectern.webhook_reenabled").await.len(),
            );
            (both == (1, 1)).then_some(())
        })
        .await;

        let counted = world.told(&["repair", "--since", "1h", "--dry-run", "--json"]).await;
        let counted: serde_json::Value = serde_json::from_str(&counted).unwrap();
        assert_eq!(counted["missing"], json!({ "message.received": 5 }));
        let said = world.told(&["repair", "--since", "1h"]).await;
        assert!(said.contains("5 message.received") && said.contains("Calls can't be listed"), "{said}");
        world.nothing_is_missing(&lectern).await;
        let repaired = events(&lectern, "message.received").await;
        assert_eq!(repaired.iter().filter(|event| event["origin"] == "repair").count(), 5);
        assert_eq!(events(&lectern, "lectern.gap_repaired").await.len(), 1);
        let counted = "lectern_repaired_events_total{type=\"message.received\"} 5\n";
        eventually("they are counted", async || lectern.metrics().await.contains(counted).then_some(())).await;
        world.told(&["rebuild"]).await;
        assert!(lectern.metrics().await.contains(counted), "what is mirrored anew is not repaired anew");
        // Once more finds nothing.
        assert!(world.told(&["repair", "--since", "1h"]).await.contains("0 were missing"));
    }

    async fn a_secret_is_rotated_without_a_message_refused(setup) {
        let world = World::with(setup, impatient(), "").await.with_token();
        let lectern = world.setup.start().await;
        world.told(&["webhooks", "apply"]).await;
        let rotation = world.told(&["webhooks", "rotate", "north"]);
        let writing = async {
            for number in 0.. {
                world.podium.receive("one", &format!("number {number}"));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let said = tokio::select! {
            said = rotation => said,
            () = writing => unreachable!("it never ends"),
        };
        assert!(said.contains("signed with"), "{said}");
        world.podium.receive("one", "after");
        world.nothing_is_missing(&lectern).await;
        assert!(lectern.get("/api/v1/quarantine").await.as_array().unwrap().is_empty());
        let sources = lectern.get("/api/v1/sources").await;
        let north = sources.as_array().unwrap().iter().find(|source| source["name"] == "north").unwrap();
        assert_eq!(north["secrets"].as_array().unwrap().len(), 2);
        // A server that starts knows them, too.
        lectern.stop().await;
        let lectern = world.setup.start().await;
        world.podium.receive("one", "after the restart");
        world.nothing_is_missing(&lectern).await;
    }

    async fn the_watchdog_says_what_is_wrong_and_until_when(setup) {
        let world = World::with(setup, Settings { access_token: Some(super::world::ACCESS.to_owned()), ..impatient() }, "")
            .await
            .with_token();
        let lectern = world.setup.start().await;
        let findings = async || {
            lectern.get("/readyz").await["findings"].as_array().unwrap().clone()
        };
        eventually("it is not registered", async || {
            findings().await.iter().any(|finding| finding["kind"] == "gone").then_some(())
        })
        .await;
        world.told(&["webhooks", "apply"]).await;
        eventually("all is well", async || findings().await.is_empty().then_some(())).await;
        let metrics = lectern.metrics().await;
        assert!(metrics.contains(r#"lectern_watchdog_findings{kind="gone"} 0"#), "{metrics}");
        // The public listener tells nobody.
        let ready = lectern.http.get(format!("{}/readyz", lectern.public)).send().await.unwrap();
        assert!(!ready.text().await.unwrap().contains("findings"));
    }

    async fn what_is_given_up_is_told_of_by_an_event(setup) {
        let handlers = r#"
            [[handlers]]
            name = "broken"
            kind = "command"
            command = ["false"]
            events = ["message.*"]
            [handlers.retry]
            max_attempts = 1
            [[handlers]]
            name = "all"
            kind = "log"
            [[handlers]]
            name = "alarm"
            kind = "log"
            events = ["lectern.*"]
        "#;
        let world = World::with(setup, impatient(), handlers).await.with_token();
        let lectern = world.setup.start().await;
        world.told(&["webhooks", "apply"]).await;
        world.podium.receive("one", "nobody can handle this");
        let told = eventually("it is told of", async || events(&lectern, "lectern.dead_letter").await.pop()).await;
        let told = lectern.get(&format!("/api/v1/events/{}", told["id"].as_str().unwrap())).await;
        assert_eq!(told["payload"]["handler"], "broken");
        assert_eq!(told["origin"], "lectern");
        // Only who names it is given it.
        let owed = lectern.get(&format!("/api/v1/events/{}/deliveries", told["id"].as_str().unwrap())).await;
        let handlers: Vec<_> = owed.as_array().unwrap().iter().map(|one| &one["handler"]).collect();
        assert_eq!(handlers, ["alarm"]);
    }
}
