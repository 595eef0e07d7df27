//! What a wide hub costs: one trigger over 600 cells, and the refresh of 500.
//!
//! Every call takes 50 ms longer than the stand needs. Rules are answered by the stand's proxy: the emulator would be the limit, not the provider.

use std::path::Path;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use trailwire_tests::control::{Effect, Fault, Matcher};
use trailwire_tests::members;
use trailwire_tests::plugin::{Plugin, State};
use trailwire_tests::stand::Stand;

use super::watch::taken;
use super::{Failure, Figure, Promise, require};

const ACCOUNTS: usize = 20;
/// All but one of those that the emulator has.
const REGIONS: usize = 30;
const EXCLUDED: &str = "mx-central-1";
const CELLS: usize = ACCOUNTS * REGIONS;
const HOME: &str = "us-east-1";
const LATENCY: Duration = Duration::from_millis(50);
/// The provider's default.
const MAX_CONCURRENCY: usize = 32;
/// A rule and its target.
const CALLS_OF_A_CELL: usize = 2;
const TRIGGERS: usize = 500;
/// What Terraform does side by side unless it is told otherwise.
const PARALLELISM: usize = 10;
const HUB: &str = "trailwire_hub";
const TRIGGER: &str = "trailwire_trigger";

struct Bench<'a> {
    stand: Stand,
    provider: &'a Path,
    home: String,
}

pub(super) async fn figures(provider: &Path) -> Result<Vec<Figure>, Failure> {
    require(provider)?;
    let stand = Stand::start()?;
    stand.control().answer_rules(true).await;
    let home = stand.new_account();
    let mut others = Vec::with_capacity(ACCOUNTS);
    for _ in 1..ACCOUNTS {
        let member = stand.new_account();
        members::allow(&stand, &member, &home, "bench").await;
        others.push(member);
    }
    let bench = Bench { stand, provider, home };
    let hub = json!({ "name": "bench", "exclude_regions": [EXCLUDED], "member_accounts": others, "forward_dead_letter": false });
    let making = bench.start(MAX_CONCURRENCY).await?;
    making.apply(HUB, &State::default(), &hub).await?.checked()?;
    let mut figures = bench.one_trigger(&making).await?;
    figures.push(bench.refresh(&making).await?);
    making.end().await;
    Ok(figures)
}

fn trigger(name: &str) -> Value {
    json!({ "hub": "bench", "name": name, "event_names": ["CreateUser", "DeleteUser"],
        "match_expression": "detail.userIdentity.type == 'Root'", "action": [{ "send": [{ "destination": "sink" }] }] })
}

fn figure(name: &str, value: f64, unit: &str, note: String, bound: f64) -> Figure {
    Figure { name: name.to_owned(), value, unit: unit.to_owned(), note, promise: Some(Promise::Below(bound)) }
}

impl Bench<'_> {
    async fn start(&self, max_concurrency: usize) -> Result<Plugin, Failure> {
        let config = json!({ "region": HOME, "member_external_id": "bench", "max_concurrency": max_concurrency });
        Plugin::start(self.provider, &self.stand.environment(&self.home, HOME), &config).await
    }

    async fn calls(&self) -> f64 {
        self.stand.control().call_count(&Matcher::default()).await as f64
    }

    /// Creates a trigger; how long that takes once it is planned, what it calls, and its state.
    async fn create(&self, provider: &Plugin, config: &Value) -> Result<(f64, f64, State), Failure> {
        let planned = provider.plan(TRIGGER, &State::default(), config).await?;
        let before = self.calls().await;
        let started = Instant::now();
        let state = provider.carry_out(planned).await?.checked()?;
        Ok((started.elapsed().as_secs_f64(), self.calls().await - before, state))
    }

    async fn one_trigger(&self, provider: &Plugin) -> Result<Vec<Figure>, Failure> {
        let slow = Fault::new(Matcher::default(), Effect::Delay { milliseconds: LATENCY.as_millis() as u64 });
        let slow = self.stand.control().fault(slow).await;
        let floor = (CELLS * CALLS_OF_A_CELL) as f64 * LATENCY.as_secs_f64() / MAX_CONCURRENCY as f64;
        let bare = self.bare_calls(CELLS * CALLS_OF_A_CELL).await?;
        let (seconds, calls, state) = self.create(provider, &trigger("wide")).await?;
        let peak = provider.id().and_then(taken).ok_or("the provider has ended")?.peak;
        // One account is as good as another: all of them one after another would take a minute.
        let mut one_account = trigger("narrow");
        one_account["account_ids"] = json!([self.home]);
        let single = self.start(1).await?;
        let (one_by_one, ..) = self.create(&single, &one_account).await?;
        single.end().await;
        slow.remove().await;

        let note = format!(
            "creating a trigger in {ACCOUNTS} accounts x {REGIONS} regions takes {seconds:.2} s; {} calls of {} ms, {MAX_CONCURRENCY} at once, \
             take {floor:.2} s, and a client that does nothing else needs {bare:.2} s for them on the stand; one call after another {:.0} s \
             ({one_by_one:.1} s measured in one account)",
            CELLS * CALLS_OF_A_CELL,
            LATENCY.as_millis(),
            one_by_one * ACCOUNTS as f64,
        );
        let cells = CELLS as f64;
        Ok(vec![
            figure("fanout_floor_ratio", seconds / floor, "x", note, 1.3),
            figure(
                "fanout_calls_per_cell",
                calls / cells,
                "calls",
                format!("{calls} calls for {CELLS} cells, the hub's table included"),
                2.1,
            ),
            figure("fanout_rss_mb", peak, "MB", "the most that the provider took to make the hub and that trigger".to_owned(), 60.0),
            figure(
                "fanout_state_kb",
                state.length() as f64 / 1000.0,
                "kB",
                format!("the state of a trigger in {CELLS} cells, as JSON"),
                4.0,
            ),
        ])
    }

    /// The same calls by a client that only calls: the cost of the stand itself.
    async fn bare_calls(&self, count: usize) -> Result<f64, Failure> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let account = self.stand.new_account();
        let scope = format!("AWS4-HMAC-SHA256 Credential={account}/20260101/{HOME}/events/aws4_request, SignedHeaders=host, Signature=0");
        let started = Instant::now();
        let calls = stream::iter(0..count).map(|number| {
            let body = json!({ "Name": format!("rule-{}", number % 100), "EventPattern": "{}" }).to_string();
            let request = client.post(self.stand.endpoint()).header("authorization", &scope).header("x-amz-target", "AWSEvents.PutRule");
            async move { request.body(body).send().await?.error_for_status()?.bytes().await }
        });
        calls.buffer_unordered(MAX_CONCURRENCY).try_collect::<Vec<_>>().await?;
        Ok(started.elapsed().as_secs_f64())
    }

    /// What the refresh of many triggers calls, each in one region of every account: together they are in all cells.
    async fn refresh(&self, making: &Plugin) -> Result<Figure, Failure> {
        let regions = self.regions(making).await?;
        let made = stream::iter(0..TRIGGERS).map(|number| {
            let name = format!("t{number}");
            let mut config = trigger(&name);
            config["regions"] = json!([regions.get(number % regions.len().max(1))]);
            async move { making.apply(TRIGGER, &State::default(), &config).await?.checked() }
        });
        let states: Vec<State> = made.buffer_unordered(PARALLELISM).try_collect().await?;
        let provider = self.start(MAX_CONCURRENCY).await?;
        let before = self.calls().await;
        let started = Instant::now();
        let reads = stream::iter(&states).map(|state| {
            let provider = &provider;
            async move { provider.read(TRIGGER, state).await?.checked() }
        });
        reads.buffer_unordered(PARALLELISM).try_collect::<Vec<_>>().await?;
        let (seconds, calls) = (started.elapsed().as_secs_f64(), self.calls().await - before);
        provider.end().await;
        let note =
            format!("a refresh of {TRIGGERS} triggers of a hub of {CELLS} cells, {seconds:.1} s; sessions and the hub's table included");
        // Two lists a cell, one page each; a session for each other account, who we are, and the hub's table.
        let bound = (2 * CELLS + ACCOUNTS + 10) as f64;
        Ok(figure("refresh_500_triggers_calls", calls, "calls", note, bound))
    }

    /// The regions that the hub came to cover.
    async fn regions(&self, provider: &Plugin) -> Result<Vec<String>, Failure> {
        let hub = provider.import(HUB, "bench").await?.checked()?;
        let regions = hub.attributes()["cells"][&self.home].as_array().cloned().unwrap_or_default();
        let regions: Vec<String> = regions.iter().filter_map(|region| region.as_str().map(str::to_owned)).collect();
        if regions.len() == REGIONS { Ok(regions) } else { Err(format!("the hub covers the regions {regions:?}").into()) }
    }
}
