//! What a runtime takes and gives: memory, events through it, and what one destination that is dead costs the others.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use trailwire_engine::catalogue;
use trailwire_engine::fanout::table::Kind;
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::function::Environment;
use trailwire_tests::hub::{Hub, REGION};
use trailwire_tests::process::Program;
use trailwire_tests::sink::Sink;
use trailwire_tests::stand::{Stand, repository};

use super::watch::taken;
use super::{Failure, Figure, Promise, require};

/// Triggers of the large set, each with an event name of its own and a match.
const TRIGGERS: usize = 10_000;
/// Events through the queue, and by HTTP; each is told to one destination.
const QUEUED: usize = 2_000;
const POSTED: usize = 20_000;
const POST: usize = 100;
/// One event for each destination at this pace, for so long.
const PACE: Duration = Duration::from_millis(100);
const MINUTE: Duration = Duration::from_secs(60);
/// Starts of the function.
const STARTS: usize = 21;
/// For a runtime that was started to have settled.
const SETTLED: Duration = Duration::from_secs(5);

/// The figures of the runtime.
pub(super) async fn figures(program: &Path) -> Result<Vec<Figure>, Failure> {
    require(program)?;
    let mut figures = vec![package(program)?, starts().await?, idle().await?, large(program).await?];
    figures.push(queued().await?);
    figures.push(posted(program).await?);
    figures.push(beside_a_dead_one().await?);
    Ok(figures)
}

fn figure(name: &str, value: f64, unit: &str, note: String, promise: Option<Promise>) -> Figure {
    Figure { name: name.to_owned(), value, unit: unit.to_owned(), note, promise }
}

fn memory(program: &Program) -> Result<f64, Failure> {
    Ok(taken(program.id()).ok_or("the runtime has ended")?.resident)
}

/// A hub with a destination `hook` at the sink and a trigger that tells it of `CreateUser`.
async fn hub(name: &str) -> Hub {
    let hub = Hub::new(name).await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    hub
}

/// The program as a package for Lambda, as `make lambda` makes it.
fn package(program: &Path) -> Result<Figure, Failure> {
    let folder = tempfile::tempdir()?;
    let package = folder.path().join("trailwire-lambda.zip");
    let made = Command::new("python3").arg(repository().join("tools/lambda/package.py")).arg(program).arg(&package).output()?;
    if !made.status.success() {
        return Err(format!("the package can not be made: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    let (packed, bare) = (std::fs::metadata(&package)?.len() as f64 / 1e6, std::fs::metadata(program)?.len() as f64 / 1e6);
    let note = format!("the package of the function, for this machine; unpacked {bare:.1} MB");
    Ok(figure("lambda_package_mb", packed, "MB", note, Some(Promise::Below(15.0))))
}

/// From the start of the process until it asks for its first invocation, again and again.
async fn starts() -> Result<Figure, Failure> {
    let hub = hub("starts").await;
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let environment = Environment::new().await;
        let started = Instant::now();
        let function = environment.start(hub.stand, &hub.account, REGION, &hub.name);
        environment.started().await;
        times.push(started.elapsed().as_secs_f64() * 1e3);
        function.kill().await;
    }
    times.sort_by(f64::total_cmp);
    let note = format!(
        "start of the process to its first poll of the runtime API, the hub's table of the stand read in between, median of {STARTS} ({:.0} to {:.0})",
        times[0],
        times[STARTS - 1]
    );
    Ok(figure("lambda_init_ms", times[STARTS / 2], "ms", note, None))
}

/// At a hub with one trigger and one destination, after some deliveries, when nothing comes.
async fn idle() -> Result<Figure, Failure> {
    let hub = hub("idle").await;
    let runtime = hub.start();
    runtime.says("receiving").await;
    for _ in 0..10 {
        hub.send(&hub.event("CreateUser").envelope().to_string()).await;
    }
    hub.stand.sink().expect(&hub.path(), 10).await;
    tokio::time::sleep(SETTLED).await;
    let resident = memory(&runtime)?;
    runtime.kill().await;
    let note = "resident, at a hub with one trigger, after ten deliveries".to_owned();
    Ok(figure("runtime_idle_mb", resident, "MB", note, Some(Promise::Below(25.0))))
}

/// Without AWS: documents in a file, events by HTTP.
async fn offline(program: &Path, documents: &Value) -> Result<(Program, String, tempfile::TempDir), Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("definitions.json");
    std::fs::write(&path, documents.to_string())?;
    let mut command = Command::new(program);
    command.arg("run").arg("--definitions").arg(&path).args(["--source", "http://127.0.0.1:0"]).env("TRAILWIRE_STATE_DIR", folder.path());
    let runtime = Program::start(command);
    let line: Value = serde_json::from_str(&runtime.says("\"listening\"").await)?;
    let address = line["address"].as_str().ok_or("the runtime does not say where it listens")?;
    Ok((runtime, format!("http://{address}"), folder))
}

fn documents(url: &str, triggers: &[Value]) -> Value {
    json!({ "format_version": 1, "triggers": triggers, "destinations": [{ "name": "hook", "webhook": [{ "url": url }] }] })
}

async fn large(program: &Path) -> Result<Figure, Failure> {
    let of_iam = catalogue::events("iam.amazonaws.com").into_iter().flatten();
    let of_ec2 = catalogue::events("ec2.amazonaws.com").into_iter().flatten();
    let names: Vec<String> = of_iam.chain(of_ec2).map(|event| event.name).collect();
    let name = |number: usize| names.get(number % names.len()).cloned().unwrap_or_default();
    let trigger = |number: usize| {
        json!({ "name": format!("t-{number}"), "event_names": [name(number)], "include_read_only": true, "description": "Somebody did what nobody should",
            "match_expression": format!("detail.userIdentity.type == 'Root' && detail.requestParameters.number == `{number}`"),
            "action": [{ "notify": [{ "destinations": ["hook"], "title": "{{ event_name }} by {{ actor }}" }] }] })
    };
    let triggers: Vec<Value> = (0..TRIGGERS).map(trigger).collect();
    let started = Instant::now();
    let (runtime, url, _folder) = offline(program, &documents("https://example.com/hook", &triggers)).await?;
    let seconds = started.elapsed().as_secs_f64();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let events: Vec<Value> = (0..POST).map(|number| Event::new("111122223333", "us-east-1", "iam", &name(number)).envelope()).collect();
    client.post(&url).body(serde_json::to_vec(&events)?).send().await?.error_for_status()?;
    tokio::time::sleep(SETTLED).await;
    let resident = memory(&runtime)?;
    runtime.kill().await;
    let note = format!(
        "resident, with {TRIGGERS} triggers of {} event names, each with a match and a template; {seconds:.1} s after its start it listens",
        names.len()
    );
    Ok(figure("runtime_10k_triggers_mb", resident, "MB", note, Some(Promise::Below(60.0))))
}

/// How many messages a second a client gets that receives and deletes, and nothing else.
async fn bare_queue(hub: &Hub) -> Result<f64, Failure> {
    let got = AtomicUsize::new(0);
    let started = Instant::now();
    let receiver = async |_: usize| {
        while got.load(Ordering::Relaxed) < QUEUED {
            let received = hub.sqs.receive_message().queue_url(&hub.queue_url).max_number_of_messages(10).send().await?;
            let messages = received.messages.unwrap_or_default();
            got.fetch_add(messages.len(), Ordering::Relaxed);
            let entries = messages.into_iter().enumerate().map(|(index, message)| {
                aws_sdk_sqs::types::DeleteMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(message.receipt_handle.unwrap_or_default())
                    .build()
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            if !entries.is_empty() {
                hub.sqs.delete_message_batch().queue_url(&hub.queue_url).set_entries(Some(entries)).send().await?;
            }
        }
        Ok::<(), Failure>(())
    };
    stream::iter(0..4).map(Ok).try_for_each_concurrent(4, receiver).await?;
    Ok(QUEUED as f64 / started.elapsed().as_secs_f64())
}

async fn queued() -> Result<Figure, Failure> {
    let hub = hub("queued").await;
    let events: Vec<String> = (0..QUEUED).map(|_| hub.event("CreateUser").envelope().to_string()).collect();
    hub.send_all(&events).await;
    let bare = bare_queue(&hub).await?;
    hub.send_all(&events).await;
    let before = *hub.stand.sink().arrivals().borrow();
    let started = Instant::now();
    let runtime = hub.start();
    arrived(hub.stand.sink(), before + QUEUED).await?;
    let rate = QUEUED as f64 / started.elapsed().as_secs_f64();
    runtime.kill().await;
    let note = format!(
        "{QUEUED} events from the stand's queue to a webhook, the start of the runtime included; a client that only receives and deletes gets {bare:.0} a second there"
    );
    Ok(figure("runtime_queue_events_per_s", rate, "1/s", note, None))
}

/// Waits until so many requests in all have come to the sink.
async fn arrived(sink: &Sink, count: usize) -> Result<(), Failure> {
    let mut arrivals = sink.arrivals();
    let all = arrivals.wait_for(|now| *now >= count);
    match tokio::time::timeout(Duration::from_secs(180), all).await {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("after three minutes {} requests have come to the sink, not {count}", sink.all().len()).into()),
    }
}

async fn posted(program: &Path) -> Result<Figure, Failure> {
    let sink = Stand::shared().sink();
    let trigger = json!({ "name": "users", "event_names": ["CreateUser"], "action": [{ "notify": [{ "destinations": ["hook"] }] }] });
    let (runtime, url, _folder) = offline(program, &documents(&sink.at("/posted"), &[trigger])).await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let event = |_| Event::new("111122223333", "us-east-1", "iam", "CreateUser").envelope();
    let bodies: Vec<Vec<u8>> =
        (0..POSTED / POST).map(|_| serde_json::to_vec(&(0..POST).map(event).collect::<Vec<_>>())).collect::<Result<_, _>>()?;
    let before = *sink.arrivals().borrow();
    let started = Instant::now();
    let post = async |body: Vec<u8>| client.post(&url).body(body).send().await?.error_for_status().map(drop);
    stream::iter(bodies).map(Ok).try_for_each_concurrent(4, post).await?;
    let accepted = POSTED as f64 / started.elapsed().as_secs_f64();
    arrived(sink, before + POSTED).await?;
    let rate = POSTED as f64 / started.elapsed().as_secs_f64();
    let resident = memory(&runtime)?;
    runtime.kill().await;
    let note = format!(
        "{POSTED} events by HTTP to a webhook, {POST} in a request; {accepted:.0} a second are durable and answered; {resident:.0} MB at the end"
    );
    Ok(figure("runtime_http_events_per_s", rate, "1/s", note, None))
}

/// Half of the events go to a destination that takes ten seconds to fail, or to one that answers; how long the other half takes from queue to sink.
async fn beside_a_dead_one() -> Result<Figure, Failure> {
    let hole = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let dead = format!("http://{}/hook", hole.local_addr()?);
    // Connections are accepted and never answered.
    let held = Arc::new(std::sync::Mutex::new(Vec::new()));
    let holding = Arc::clone(&held);
    let swallow = tokio::spawn(async move {
        while let Ok((stream, _)) = hole.accept().await {
            holding.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(stream);
        }
    });
    let alive = latencies("alive", None).await?;
    let beside = latencies("dead", Some(&dead)).await?;
    swallow.abort();
    let percentile = |sorted: &[f64], share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    let (p99, p99_dead) = (percentile(&alive, 0.99), percentile(&beside, 0.99));
    let note = format!(
        "p99 from queue to sink beside a destination that never answers, {:.0} ms, over {:.0} ms beside one that does, for a minute each; p50 {:.0} and {:.0} ms",
        p99_dead * 1e3,
        p99 * 1e3,
        percentile(&beside, 0.5) * 1e3,
        percentile(&alive, 0.5) * 1e3,
    );
    Ok(figure("runtime_dead_destination_p99_x", p99_dead / p99, "x", note, Some(Promise::Below(2.0))))
}

/// Seconds from queue to sink of each event of a minute, the least first.
async fn latencies(name: &str, other: Option<&str>) -> Result<Vec<f64>, Failure> {
    let hub = hub(name).await;
    let sink = hub.stand.sink();
    let elsewhere = sink.at(&format!("{}/other", hub.path()));
    let other = json!({ "name": "other", "webhook": [{ "url": other.unwrap_or(&elsewhere) }] });
    hub.define(Kind::Destination, "other", &other.to_string()).await;
    let roles = json!({ "name": "roles", "event_names": ["CreateRole"], "action": [{ "notify": [{ "destinations": ["other"] }] }] });
    hub.define(Kind::Trigger, "roles", &roles.to_string()).await;
    let runtime = hub.start();
    runtime.says("receiving").await;
    let mut sent = HashMap::new();
    let mut pace = tokio::time::interval(PACE);
    let started = Instant::now();
    while started.elapsed() < MINUTE {
        pace.tick().await;
        hub.send(&hub.event("CreateRole").envelope().to_string()).await;
        let event = hub.event("CreateUser");
        sent.insert(event.id().to_owned(), SystemTime::now());
        hub.send(&event.envelope().to_string()).await;
    }
    let received = sink.expect(&hub.path(), sent.len()).await;
    runtime.kill().await;
    let mut took = Vec::with_capacity(sent.len());
    for notification in &received {
        let body = notification.json();
        let id = body["data"]["event"]["detail"]["eventID"].as_str().unwrap_or_default();
        took.push(notification.arrived.duration_since(*sent.get(id).ok_or("an event that was not sent")?)?.as_secs_f64());
    }
    took.sort_by(f64::total_cmp);
    Ok(took)
}
