//! What is counted, for Prometheus: every number a person asks for when an alert did not come. Names of triggers and destinations are the
//! only labels; nothing that an event says becomes one.
//!
//! | metric | kind | what |
//! | --- | --- | --- |
//! | `trailwire_events_total{verdict}` | counter | events judged: `matched`, `unmatched` |
//! | `trailwire_event_copies_total` | counter | matches that were known already: copies of an event, which are normal |
//! | `trailwire_event_lag_seconds` | histogram | from the event's time to its receipt here; CloudTrail's share included |
//! | `trailwire_trigger_runs_total{trigger}` | counter | runs started |
//! | `trailwire_trigger_matches_total{trigger,outcome}` | counter | matches: `ran`, `held_back` by a threshold or `suppress`, `copy` of one that is known |
//! | `trailwire_trigger_errors_total{trigger}` | counter | match expressions that ended in an error |
//! | `trailwire_deliveries_total{destination,outcome}` | counter | attempts: `delivered`, `retried`, `dead_lettered` |
//! | `trailwire_delivery_seconds{destination}` | histogram | from when a delivery was due first to its success |
//! | `trailwire_circuit_open{destination}` | gauge | 1 while the destination failed again and again and is tried once a pause |
//! | `trailwire_open_tasks` | gauge | deliveries, waits and retries that are not done |
//! | `trailwire_oldest_delivery_seconds` | gauge | age of the oldest open delivery; 0 where none is open |
//! | `trailwire_commit_seconds` | histogram | one commit of the journal |
//! | `trailwire_definitions{kind}` | gauge | definitions in force: `trigger`, `destination`; and `refused` documents |
//! | `trailwire_definitions_revision` | gauge | the hub's revision in force; 0 without a hub |
//! | `trailwire_ready` | gauge | 1 while `/readyz` answers 200 |
//! | `trailwire_build_info{version}` | gauge | always 1 |
//! | `process_resident_memory_bytes`, `process_start_time_seconds` | gauge | as Prometheus names them; absent where the system does not tell |

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use trailwire_engine::event::Event;

use super::health::Health;
use crate::core::run::TaskId;
use crate::core::{Note, Verdict};
use crate::definitions::Definitions;

const LAG: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];
const DELIVERY: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 900.0, 86_400.0];
const COMMIT: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// The outcome of a match that was known already.
const COPY: &str = "copy";

type Label = (&'static str, String);
type Seconds = Gauge<f64, AtomicU64>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MatchLabels {
    trigger: String,
    outcome: &'static str,
}

/// What came of one trigger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OfTrigger {
    /// Matches but for copies.
    pub(crate) matches: u64,
    pub(crate) errors: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    destination: String,
    outcome: &'static str,
}

/// A histogram with buckets of its own, made where a label is met first.
#[derive(Debug, Clone, Copy)]
struct Buckets(&'static [f64]);

impl prometheus_client::metrics::family::MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// The counters of a runtime, and whether it is ready. One for each driver.
#[derive(Debug)]
pub(crate) struct Meters {
    /// Whether the runtime is ready.
    pub(crate) health: Health,
    registry: Registry,
    events: Family<[Label; 1], Counter>,
    copies: Counter,
    lag: Histogram,
    longest_lag: AtomicU64,
    longest_age: AtomicU64,
    /// What came of each trigger since this was asked last.
    of_triggers: Mutex<BTreeMap<String, OfTrigger>>,
    runs: Family<[Label; 1], Counter>,
    matches: Family<MatchLabels, Counter>,
    errors: Family<[Label; 1], Counter>,
    deliveries: Family<DeliveryLabels, Counter>,
    delivery: Family<[Label; 1], Histogram, Buckets>,
    circuit: Family<[Label; 1], Gauge>,
    open: Gauge,
    oldest: Seconds,
    commit: Histogram,
    definitions: Family<[Label; 1], Gauge>,
    revision: Gauge,
    ready: Gauge,
    memory: Gauge,
}

impl Default for Meters {
    fn default() -> Self {
        let mut meters = Self {
            health: Health::default(),
            registry: Registry::default(),
            events: Family::default(),
            copies: Counter::default(),
            lag: Histogram::new(LAG),
            longest_lag: AtomicU64::default(),
            longest_age: AtomicU64::default(),
            of_triggers: Mutex::default(),
            runs: Family::default(),
            matches: Family::default(),
            errors: Family::default(),
            deliveries: Family::default(),
            delivery: Family::new_with_constructor(Buckets(&DELIVERY)),
            circuit: Family::default(),
            open: Gauge::default(),
            oldest: Seconds::default(),
            commit: Histogram::new(COMMIT),
            definitions: Family::default(),
            revision: Gauge::default(),
            ready: Gauge::default(),
            memory: Gauge::default(),
        };
        let registry = meters.registry.sub_registry_with_prefix("trailwire");
        registry.register("events", "Events judged", meters.events.clone());
        registry.register("event_copies", "Matches that were known already", meters.copies.clone());
        registry.register("event_lag_seconds", "From the event's time to its receipt", meters.lag.clone());
        registry.register("trigger_runs", "Runs started", meters.runs.clone());
        registry.register("trigger_matches", "Matches by what became of them", meters.matches.clone());
        registry.register("trigger_errors", "Match expressions that ended in an error", meters.errors.clone());
        registry.register("deliveries", "Attempts at deliveries by outcome", meters.deliveries.clone());
        registry.register("delivery_seconds", "From when a delivery was due first to its success", meters.delivery.clone());
        registry.register("circuit_open", "Whether a destination is left alone because it failed", meters.circuit.clone());
        registry.register("open_tasks", "Deliveries, waits and retries that are not done", meters.open.clone());
        registry.register("oldest_delivery_seconds", "Age of the oldest open delivery", meters.oldest.clone());
        registry.register("commit_seconds", "One commit of the journal", meters.commit.clone());
        registry.register("definitions", "Definitions in force, and refused documents", meters.definitions.clone());
        registry.register("definitions_revision", "The revision in force", meters.revision.clone());
        registry.register("ready", "Whether the runtime is ready", meters.ready.clone());
        let build: Family<[Label; 1], Gauge> = Family::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1);
        registry.register("build_info", "The version of this runtime", build);
        let process = meters.registry.sub_registry_with_prefix("process");
        process.register("resident_memory_bytes", "Resident memory", meters.memory.clone());
        let start: Gauge = Gauge::default();
        start.set(Timestamp::now().as_second());
        process.register("start_time_seconds", "When the process started, since 1970", start);
        meters
    }
}

impl Meters {
    /// Events were received; `now` is when.
    pub(crate) fn received<'a>(&self, events: impl Iterator<Item = &'a Event>, now: Timestamp) {
        // A clock that is ahead of ours is no lag.
        let times = events.filter_map(|event| event.time()?.parse::<Timestamp>().ok());
        let lags = times.map(|time| now.duration_since(time).as_secs_f64().max(0.0));
        for lag in lags {
            self.lag.observe(lag);
            // Whole milliseconds: their order is that of the numbers.
            self.longest_lag.fetch_max(Duration::from_secs_f64(lag).as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// The longest lag since this was asked last.
    pub(crate) fn take_longest_lag(&self) -> Duration {
        Duration::from_millis(self.longest_lag.swap(0, Ordering::Relaxed))
    }

    /// The age of the oldest delivery that was open, the longest since this was asked last.
    pub(crate) fn take_longest_age(&self) -> Duration {
        Duration::from_millis(self.longest_age.swap(0, Ordering::Relaxed))
    }

    /// What came of each trigger since this was asked last.
    pub(crate) fn take_of_triggers(&self) -> BTreeMap<String, OfTrigger> {
        std::mem::take(&mut *self.of_triggers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn matched(&self, trigger: &str, outcome: &'static str) {
        self.matches.get_or_create(&MatchLabels { trigger: trigger.to_owned(), outcome }).inc();
        if outcome != COPY {
            self.of_triggers.lock().unwrap_or_else(PoisonError::into_inner).entry(trigger.to_owned()).or_default().matches += 1;
        }
    }

    /// A batch was judged.
    pub(crate) fn judged(&self, verdict: Verdict) {
        for (label, count) in [("matched", verdict.matched), ("unmatched", verdict.unmatched)] {
            self.events.get_or_create(&[("verdict", label.to_owned())]).inc_by(count);
        }
        self.copies.inc_by(verdict.repeated);
    }

    /// The core has said something; `now` is when.
    pub(crate) fn note(&self, note: &Note, now: Timestamp) {
        match note {
            Note::Started(run) => {
                self.runs.get_or_create(&[("trigger", run.trigger.name.clone())]).inc();
                self.matched(&run.trigger.name, "ran");
            }
            Note::NotRun { trigger, is_copy } => self.matched(trigger, if *is_copy { COPY } else { "held_back" }),
            Note::ExpressionError { trigger, .. } => {
                self.errors.get_or_create(&[("trigger", trigger.clone())]).inc();
                self.of_triggers.lock().unwrap_or_else(PoisonError::into_inner).entry(trigger.clone()).or_default().errors += 1;
            }
            Note::Delivered { task } => {
                self.delivery(&task.id, "delivered");
                let seconds = now.duration_since(task.since).as_secs_f64().max(0.0);
                self.delivery.get_or_create(&[("destination", destination(&task.id))]).observe(seconds);
            }
            Note::Answered { task } => self.delivery(&task.id, "answered"),
            Note::Circuit { destination, open } => {
                self.circuit.get_or_create(&[("destination", destination.clone())]).set(i64::from(*open));
            }
            Note::Retrying { task, .. } => self.delivery(&task.id, "retried"),
            Note::DeadLettered { task, .. } => self.delivery(&task.id, "dead_lettered"),
            _ => {}
        }
    }

    fn delivery(&self, task: &TaskId, outcome: &'static str) {
        self.deliveries.get_or_create(&DeliveryLabels { destination: destination(task), outcome }).inc();
    }

    /// So many tasks are open.
    pub(crate) fn open(&self, tasks: usize) {
        self.open.set(i64::try_from(tasks).unwrap_or(i64::MAX));
    }

    /// The oldest open delivery was due first so long ago.
    pub(crate) fn oldest(&self, age: Option<Duration>) {
        let age = age.unwrap_or_default();
        self.oldest.set(age.as_secs_f64());
        self.longest_age.fetch_max(u64::try_from(age.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The journal has taken a commit in this time.
    pub(crate) fn committed(&self, time: Duration) {
        self.commit.observe(time.as_secs_f64());
    }

    /// These definitions are in force.
    pub(crate) fn defined(&self, definitions: &Definitions) {
        let (triggers, destinations) = definitions.counts();
        for (kind, count) in [("trigger", triggers), ("destination", destinations), ("refused", definitions.refused.len())] {
            self.definitions.get_or_create(&[("kind", kind.to_owned())]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.revision.set(i64::try_from(definitions.revision).unwrap_or(i64::MAX));
    }

    /// All of it in OpenMetrics' text format.
    pub(crate) fn text(&self) -> String {
        self.ready.set(i64::from(self.health.faults().is_empty()));
        if let Some(bytes) = resident_memory() {
            self.memory.set(bytes);
        }
        let mut text = String::new();
        if text::encode(&mut text, &self.registry).is_err() {
            tracing::error!("a bug: the metrics can not be written");
        }
        text
    }
}

fn destination(task: &TaskId) -> String {
    task.step.text()
}

/// `VmRSS` of Linux's `/proc/self/status` (proc(5)), which is in KiB whatever a page is; `None` elsewhere.
fn resident_memory() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<i64>().ok()?.checked_mul(1024)
}
