//! Killed at random moments, again and again, the runtime loses nothing and repeats deliveries under their own ids only, whatever keeps its
//! journal and however many share the work.
//!
//! `make crash` does it at full length: 10,000 events over 20 triggers to 3 destinations, one of them slow and one that fails half of the time, and
//! 100 kills, with every event once and with every event twice. `TRAILWIRE_CRASH=1000` is the same with 1,000 events and a kill for each hundred.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::json;
use trailwire_engine::fanout::table::Kind;
use trailwire_tests::process::Program;
use trailwire_tests::sink::{Notification, Reply};

use trailwire_tests::hub::Hub;

const TRIGGERS: usize = 20;
const WAIT: Duration = Duration::from_secs(2);

/// How long it goes.
#[derive(Debug, Clone, Copy)]
struct Scale {
    events: usize,
    kills: usize,
    slow: Duration,
    /// For everything to arrive after the last kill.
    patience: Duration,
}

const SHORT: Scale = Scale { events: 60, kills: 4, slow: Duration::from_millis(100), patience: Duration::from_secs(600) };
const WHOLE: Scale = Scale { events: 10_000, kills: 100, slow: Duration::from_millis(100), patience: Duration::from_secs(2_400) };

/// How often each event is sent. What a killed runtime had received and not deleted, or its last receive still gets, comes back after a minute; a second copy,
/// sent after the kills, stands for it where time is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Once,
    Twice,
}

fn scale() -> (Scale, &'static [Sent]) {
    let both = &[Sent::Once, Sent::Twice];
    match std::env::var("TRAILWIRE_CRASH").as_deref() {
        Err(_) => (SHORT, &[Sent::Twice]),
        Ok("whole") => (WHOLE, both),
        Ok(events) => {
            let events: usize = events.parse().expect("TRAILWIRE_CRASH is `whole` or a number of events");
            (Scale { events, kills: (events / 100).max(1), ..WHOLE }, both)
        }
    }
}

/// A small generator of numbers: what fails must fail again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_with_its_own_journal() {
    let (scale, variants) = scale();
    for sent in variants {
        crash("embedded", 1, *sent, scale).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_with_the_journal_in_aws() {
    let (scale, variants) = scale();
    for sent in variants {
        // Alone where time is long enough; two on one hub do all that one does.
        let alone = (variants.len() > 1).then_some(1);
        for runtimes in alone.into_iter().chain([2]) {
            crash("aws", runtimes, *sent, scale).await;
        }
    }
}

/// A hub with the triggers and destinations, and what the destinations answer.
async fn hub(name: &str, scale: Scale) -> Hub {
    let hub = Hub::new(name).await;
    for destination in ["ok", "slow", "half"] {
        let url = hub.stand.sink().at(&path(&hub, destination));
        hub.define(Kind::Destination, destination, &json!({"name": destination, "webhook": [{"url": url}]}).to_string()).await;
    }
    for number in 0..TRIGGERS {
        let name = format!("things-{number}");
        let trigger = json!({"name": name, "event_names": [format!("CreateThing{number}")], "action": [
            {"notify": [{"destinations": ["ok", "slow", "half"], "title": "first"}]},
            {"wait": [{"duration": format!("{}s", WAIT.as_secs())}]},
            {"notify": [{"destinations": ["ok"], "title": "after"}]}]});
        hub.define(Kind::Trigger, &name, &trigger.to_string()).await;
    }
    let sink = hub.stand.sink();
    sink.script(&path(&hub, "slow"), vec![Reply::status(200).after(scale.slow); 4 * scale.events]);
    // Not for ever: a retry that fails again and again waits for minutes, and shows nothing more.
    let half = (0..scale.events).map(|number| Reply::status(if number % 2 == 0 { 503 } else { 200 }));
    sink.script(&path(&hub, "half"), half);
    hub
}

fn path(hub: &Hub, destination: &str) -> String {
    format!("{}/{destination}", hub.path())
}

async fn crash(journal: &str, runtimes: usize, sent: Sent, scale: Scale) {
    let began = std::time::Instant::now();
    let form = format!("{journal}-{runtimes}-{}", if sent == Sent::Once { "once" } else { "twice" });
    let hub = hub(&format!("crash-{form}"), scale).await;
    let states: Vec<tempfile::TempDir> = (0..runtimes).map(|_| tempfile::tempdir().unwrap()).collect();
    let start = |index: usize| hub.start_with(states[index].path(), &["--journal", journal]);
    let mut running: Vec<Program> = (0..runtimes).map(start).collect();
    let events: Vec<_> = (0..scale.events).map(|number| hub.event(&format!("CreateThing{}", number % TRIGGERS))).collect();
    let bodies: Vec<String> = events.iter().map(|event| event.envelope().to_string()).collect();
    let mut numbers = Numbers(u64::try_from(runtimes).unwrap());
    let mut moments: Vec<usize> = (0..scale.kills).map(|_| numbers.below(scale.events as u64) as usize).collect();
    moments.sort_unstable();
    let mut rest = bodies.as_slice();
    for moment in moments {
        let (now, later) = rest.split_at((moment + rest.len()).saturating_sub(scale.events).min(rest.len()));
        hub.send_all(now).await;
        rest = later;
        tokio::time::sleep(Duration::from_millis(numbers.below(800))).await;
        let index = numbers.below(runtimes as u64) as usize;
        running.remove(index).kill().await;
        running.insert(index, start(index));
    }
    hub.send_all(rest).await;
    if sent == Sent::Twice {
        hub.send_all(&bodies).await;
    }

    // Event, destination and title: everything that each event must lead to.
    let of_each = [("ok", "first"), ("slow", "first"), ("half", "first"), ("ok", "after")];
    let wanted: BTreeSet<(String, &str, &str)> =
        events.iter().flat_map(|event| of_each.map(|(to, title)| (event.id().to_owned(), to, title))).collect();
    let key = |one: &Notification, to: &'static str| {
        let data = &one.json()["data"];
        let title = if data["title"] == "first" { "first" } else { "after" };
        (data["event"]["detail"]["eventID"].as_str().unwrap().to_owned(), to, title)
    };
    let destinations = [("ok", 2), ("slow", 1), ("half", 1)];
    for (to, titles) in destinations {
        let mut told = BTreeSet::new();
        let is_all = |one: &Notification| {
            if one.is_accepted() {
                told.insert(key(one, to));
            }
            told.len() == titles * scale.events
        };
        hub.stand.sink().each(&path(&hub, to), is_all, scale.patience, "every delivery").await;
    }
    for program in running {
        program.terminate();
        program.finish().await.success();
    }
    assert_eq!(hub.dead_letters().await, vec![]);

    let mut all: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    let mut deliveries = 0;
    for (to, _) in destinations {
        for one in hub.stand.sink().received(&path(&hub, to)).iter().filter(|one| one.is_accepted()) {
            let told = key(one, to);
            // No wait is short: what comes after it comes no sooner than that after the event was accepted.
            if told.2 == "after" {
                let accepted: jiff::Timestamp = one.json()["timestamp"].as_str().unwrap().parse().unwrap();
                let waited = one.arrived.duration_since(SystemTime::from(accepted)).unwrap_or_default();
                assert!(waited >= WAIT, "a wait of {waited:?}");
            }
            deliveries += 1;
            all.entry(told).or_default().insert(one.header("webhook-id").to_owned());
        }
    }
    assert_eq!(all.keys().cloned().collect::<BTreeSet<_>>(), wanted);
    assert!(all.values().all(|ids| ids.len() == 1), "a repetition has another id");
    assert_eq!(all.values().flatten().collect::<BTreeSet<_>>().len(), wanted.len(), "two deliveries share an id");
    let repeated = deliveries - wanted.len();
    let (events, kills, seconds) = (scale.events, scale.kills, began.elapsed().as_secs());
    println!(
        "{form}: {events} events, {kills} kills: {} deliveries, none lost, {repeated} repeated under their ids, {seconds} s",
        wanted.len()
    );
}
