//! The runtime dies, again and again, while events flow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::sink::Notification;

use crate::world::{Configuration, Told, Trigger, World};

const EVENTS: usize = 2_000;
const KILLS: usize = 20;

/// Every event that matches is told; when it is told again, then under the same webhook-id, so that receivers can know it.
#[tokio::test]
async fn no_event_is_lost_when_the_runtime_is_killed_twenty_times() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let mut wanted = Configuration::new(&url);
    wanted.triggers =
        vec![Trigger::new("ports", "AuthorizeSecurityGroupIngress").with(r#"match_expression = "detail.requestParameters.open""#)];
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();

    let events: Vec<Event> = (0..EVENTS)
        .map(|n| {
            let region = ["us-east-1", "eu-west-1"][n % 2];
            Event::new(&world.account, region, "ec2", "AuthorizeSecurityGroupIngress")
                .with("/detail/requestParameters", json!({ "open": n % 4 != 0 }))
        })
        .collect();
    let matching: BTreeSet<Told> =
        events.iter().enumerate().filter(|(n, _)| n % 4 != 0).map(|(_, event)| Told::new("ports", event)).collect();
    let envelopes: Vec<Value> = events.iter().map(Event::envelope).collect();
    let control = world.control().clone();
    let flow = tokio::spawn(async move {
        for some in envelopes.chunks(10) {
            control.put_events(some).await;
        }
    });

    // The moments: numbers of arrivals, spread at random over all of them.
    let journal = tempfile::tempdir().unwrap();
    let sink = world.stand.sink();
    let mut random = Random(0x5eed);
    let mut moments: Vec<usize> = (0..KILLS).map(|_| random.below(matching.len() - 50)).collect();
    moments.sort_unstable();
    for moment in moments {
        let runtime = world.start_runtime(journal.path());
        sink.expect(&path, moment.max(sink.received(&path).len() + 1)).await;
        runtime.kill().await;
    }
    flow.await.unwrap();
    // What a killed runtime had received comes back to the queue when its time is over.
    let last = world.start_runtime(journal.path());
    let all = |received: &[Notification]| {
        received.iter().map(|one| one.header("webhook-id").to_owned()).collect::<BTreeSet<_>>().len() >= matching.len()
    };
    sink.wait(&path, all, Duration::from_secs(600), "every event that matches").await;
    last.terminate();
    last.finish().await.success();
    let last = world.run_until_idle(journal.path()).await;

    let mut ids: BTreeMap<Told, BTreeSet<String>> = BTreeMap::new();
    for notification in sink.received(&path) {
        ids.entry(Told::of(&notification)).or_default().insert(notification.header("webhook-id").to_owned());
    }
    let told: BTreeSet<Told> = ids.keys().cloned().collect();
    assert_eq!(matching.difference(&told).count(), 0, "events were lost; the last run said:\n{}", last.said());
    assert_eq!(told.difference(&matching).count(), 0, "events were told that do not match");
    assert!(ids.values().all(|ids| ids.len() == 1), "a notification came again under another id");
    let distinct: BTreeSet<&String> = ids.values().flatten().collect();
    assert_eq!(distinct.len(), matching.len(), "two notifications have the same id");
    world.destroy().await;
}

/// A small generator of numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }
}
