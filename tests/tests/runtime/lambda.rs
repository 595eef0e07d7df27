//! The runtime as a Lambda function: what it answers, and what becomes of what is due after its invocation.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trailwire_engine::fanout::table::Kind;
use trailwire_tests::control::{Fault, Matcher};
use trailwire_tests::function::{Answer, Environment};
use trailwire_tests::process::Program;
use trailwire_tests::sink::Reply;

use trailwire_tests::hub::{Hub, REGION};

const TIME: Duration = Duration::from_secs(30);
/// An invocation also does what is due within a second: this is later than a slow one ends, and so soon that the run is still that of who
/// accepted it.
const LATER: &str = "18s";

/// A batch as Lambda gives it; the ids are `m-0`, `m-1` and so on.
fn batch(bodies: &[String]) -> Value {
    let record = |(index, body): (usize, &String)| {
        json!({"messageId": format!("m-{index}"), "receiptHandle": "h", "body": body, "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:1:q", "awsRegion": REGION})
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn returned(ids: &[&str]) -> Answer {
    let items: Vec<Value> = ids.iter().map(|id| json!({"itemIdentifier": id})).collect();
    Answer::Response(json!({"batchItemFailures": items}))
}

/// A function that has started: the time of an invocation counts from when it is asked for.
async fn start(environment: &Environment, hub: &Hub) -> Program {
    let function = environment.start(hub.stand, &hub.account, REGION, &hub.name);
    environment.started().await;
    function
}

/// The metrics of the last invocation.
async fn metrics(function: &Program, request: &str) -> Value {
    serde_json::from_str(&function.says(&format!(r#""RequestId":"{request}""#)).await).unwrap()
}

/// A trigger on `CreateUser` that tells, waits, and tells again.
async fn waiting_trigger(hub: &Hub, wait: &str) {
    hub.hook().await;
    let notify = |title: &str| json!({"notify": [{"destinations": ["hook"], "title": title}]});
    let trigger = json!({"name": "users", "event_names": ["CreateUser"], "action": [notify("first"), {"wait": [{"duration": wait}]}, notify("after")]});
    hub.define(Kind::Trigger, "users", &trigger.to_string()).await;
}

fn titles(hub: &Hub) -> Vec<Value> {
    hub.stand.sink().received(&hub.path()).iter().filter(|one| one.is_accepted()).map(|one| one.json()["data"]["title"].clone()).collect()
}

#[tokio::test]
async fn what_is_not_safe_goes_back_and_nothing_else() {
    let hub = Hub::new("batch").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    let environment = Environment::new().await;
    let function = start(&environment, &hub).await;
    let good = hub.event("CreateUser");
    let bodies =
        [good.envelope().to_string(), "{oops".to_owned(), hub.event("DeleteUser").envelope().to_string(), good.envelope().to_string()];

    // The dead-letter queue takes nothing: what can not be judged goes back alone.
    let closed = Fault::fail(Matcher::operation("sqs", "SendMessage").by(&hub.account), 403, "AccessDenied");
    let closed = hub.stand.control().fault(closed).await;
    assert_eq!(environment.invoke(&batch(&bodies), TIME).await, returned(&["m-1"]));
    closed.remove().await;
    let counted = metrics(&function, "invocation-1").await;
    let of = |name: &str| counted[name].as_u64();
    assert_eq!(
        ["Events", "Matches", "Runs", "Errors", "Deliveries", "DeadLetters", "Copies", "Returned"].map(of),
        [3, 2, 1, 0, 1, 0, 1, 1].map(Some),
        "{counted}"
    );
    assert_eq!((&counted["Hub"], of("Lag").is_some(), of("Init").is_some()), (&json!("batch"), true, true));
    assert_eq!(environment.invoke(&batch(&bodies[1..2]), TIME).await, returned(&[]));
    assert_eq!(hub.dead_letters().await, [("malformed JSON: key must be a string at line 1 column 2".to_owned(), "{oops".to_owned())]);
    assert_eq!(titles(&hub), ["CreateUser by alice (IAM user)"]);

    // A change of definitions is seen by the next invocation. Those that can not be read judge nothing.
    hub.trigger("deleted", "DeleteUser").await;
    assert_eq!(environment.invoke(&batch(&bodies[2..3]), TIME).await, returned(&[]));
    assert_eq!(titles(&hub).len(), 2);
    let unread = hub
        .stand
        .control()
        .fault(Fault::fail(Matcher::operation("dynamodb", "GetItem").by(&hub.account), 400, "AccessDeniedException"))
        .await;
    assert_eq!(environment.invoke(&batch(&bodies[2..]), TIME).await, returned(&["m-0", "m-1"]));
    unread.remove().await;

    let Answer::Error(kind, message) = environment.invoke(&json!({"hello": "world"}), TIME).await else { panic!("it takes anything") };
    assert_eq!(kind, "Trailwire.UnknownEvent");
    assert_eq!(message, r#"the payload is neither a batch of the hub's queue nor {"trailwire":"sweep"}"#);
    assert_eq!(hub.signs_of_life().await.len(), 1);
    assert_eq!(environment.invoke(&json!({"trailwire": "sweep"}), TIME).await, Answer::Response(json!({})));
    assert_eq!(hub.signs_of_life().await, [(4, json!([]))]);
}

#[tokio::test]
async fn a_wait_rides_on_the_queue_to_whichever_environment_is_there_then() {
    let hub = Hub::new("clock").await;
    waiting_trigger(&hub, LATER).await;
    let environment = Environment::new().await;
    let first = start(&environment, &hub).await;
    let event = hub.event("CreateUser").envelope().to_string();
    assert_eq!(environment.invoke(&batch(&[event]), TIME).await, returned(&[]));
    assert_eq!(titles(&hub), ["first"]);
    first.kill().await;
    let other = Environment::new().await;
    let _second = start(&other, &hub).await;
    let message = loop {
        let received = hub.sqs.receive_message().queue_url(&hub.queue_url).wait_time_seconds(20).send().await.unwrap();
        if let Some(message) = received.messages().first() {
            break message.body().unwrap().to_owned();
        }
    };
    assert!(message.contains("trailwire.due"), "{message}");
    assert_eq!(other.invoke(&batch(&[message]), TIME).await, returned(&[]));
    assert_eq!(titles(&hub), ["first", "after"]);
}

#[tokio::test]
async fn a_sweep_finds_what_no_clock_rang_for() {
    let hub = Hub::new("sweep").await;
    waiting_trigger(&hub, LATER).await;
    // The first attempt fails: it is made again by a later invocation, as the destination asks for.
    hub.stand.sink().script(&hub.path(), [Reply::status(429).header("retry-after", LATER.trim_end_matches('s'))]);
    let environment = Environment::new().await;
    let _function = start(&environment, &hub).await;
    let silent = Fault::fail(Matcher::operation("sqs", "SendMessage").by(&hub.account), 403, "AccessDenied");
    let _silent = hub.stand.control().fault(silent).await;
    assert_eq!(environment.invoke(&batch(&[hub.event("CreateUser").envelope().to_string()]), TIME).await, returned(&[]));
    assert_eq!((titles(&hub), hub.queued().await), (vec![], 0));
    let begun = Instant::now();
    while titles(&hub).len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(180), "{:?}", titles(&hub));
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(environment.invoke(&json!({"trailwire": "sweep"}), TIME).await, Answer::Response(json!({})));
    }
    let mut told = titles(&hub);
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, ["after", "first"]);
}

#[tokio::test]
async fn an_invocation_ends_in_time_whatever_does_not_answer() {
    let hub = Hub::new("late").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    let environment = Environment::new().await;
    let function = start(&environment, &hub).await;
    let short = Duration::from_secs(10);
    hub.stand.sink().script(&hub.path(), [Reply::status(200).after(Duration::from_secs(120))]);
    let begun = Instant::now();
    assert_eq!(environment.invoke(&batch(&[hub.event("CreateUser").envelope().to_string()]), short).await, returned(&[]));
    assert!(begun.elapsed() < Duration::from_secs(120), "it waited for the destination");
    // An attempt without an answer ends after 20 seconds, and the next one delivers: it did not wait for that either.
    let counted = metrics(&function, "invocation-1").await;
    assert_eq!((&counted["Runs"], &counted["Deliveries"]), (&json!(1), &json!(0)), "it waited for the destination: {counted}");
    // What the table does not take is not accepted.
    let throttled = Fault::fail(Matcher::operation("dynamodb", "TransactWriteItems").by(&hub.account), 400, "ThrottlingException");
    let throttled = hub.stand.control().fault(throttled).await;
    let event = hub.event("CreateUser").envelope().to_string();
    assert_eq!(
        environment.invoke(&batch(&[event.clone(), hub.event("Other").envelope().to_string()]), short).await,
        returned(&["m-0", "m-1"])
    );
    function.says("the invocation's time is over\"").await;
    throttled.remove().await;
    assert_eq!(environment.invoke(&batch(&[event]), 3 * short).await, returned(&[]));
    assert_eq!(hub.stand.sink().expect(&hub.path(), 2).await.len(), 2);
}

#[tokio::test]
async fn a_destination_that_is_dead_holds_up_no_invocation() {
    let hub = Hub::new("dead").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    let dead = format!("{}/dead", hub.path());
    let other = json!({"name": "dead", "webhook": [{"url": hub.stand.sink().at(&dead)}]});
    hub.define(Kind::Destination, "dead", &other.to_string()).await;
    let trigger = json!({"name": "told", "event_names": ["CreateUser"], "action": [{"notify": [{"destinations": ["dead"]}]}]});
    hub.define(Kind::Trigger, "told", &trigger.to_string()).await;
    // It fails at once, and then does not answer for as long as an attempt may take: twenty seconds.
    let failures = [Reply::status(500), Reply::status(500)];
    hub.stand.sink().script(&dead, failures.into_iter().chain((0..20).map(|_| Reply::status(500).after(Duration::from_secs(60)))));
    let environment = Environment::new().await;
    let _function = start(&environment, &hub).await;
    for delivered in 1..=3 {
        let event = hub.event("CreateUser").envelope().to_string();
        let begun = Instant::now();
        assert_eq!(environment.invoke(&batch(&[event]), TIME).await, returned(&[]));
        // One that waited for its attempt at the dead one would take as long as that.
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert_eq!(titles(&hub).len(), delivered);
    }
}

#[tokio::test]
async fn a_function_without_a_hub_says_so_and_ends() {
    let hub = Hub::new("there").await;
    let environment = Environment::new().await;
    let function = environment.start(hub.stand, &hub.account, REGION, "elsewhere");
    let Answer::Error(kind, message) = environment.refused().await else { panic!("it starts") };
    assert_eq!(kind, "Trailwire.Start");
    assert!(
        message.starts_with("there is no hub `elsewhere` in eu-central-1: the table `trailwire-elsewhere` does not exist"),
        "{message}"
    );
    function.finish().await.failure();
}
