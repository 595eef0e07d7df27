//! What destinations get, and what comes of their answers.

use std::time::Duration;

use base64::Engine as _;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};

use crate::program::{Bench, Finished, Server, definitions, event, notify, trailwire, trigger};
use crate::sink::{Received, Reply, Sink};

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn signature(received: &Received) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(KEY).unwrap();
    mac.update(format!("{}.{}.{}", received.id(), received.headers["webhook-timestamp"], received.body).as_bytes());
    format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_a_signed_notification_and_the_whole_event() {
    let sink = Sink::start().await;
    let actions = json!([{"notify": [{"destinations": ["hook"], "title": "{{ event_name }} by {{ actor }}", "fields": {"User": "detail.requestParameters.userName"}}]},
        {"send": [{"destination": "hook"}]}]);
    let mut definitions = definitions(&sink.at("/hook"), &[trigger(&actions)]);
    definitions["destinations"][0]["webhook"][0] =
        json!({"url": sink.at("/hook"), "signing_secret_env": "HOOK_SECRET", "headers": {"x-team": "security"}});
    let bench = Bench::new(&definitions);
    let input = bench.write("input", &event("CreateUser", "a").to_string());
    let secret = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(KEY));
    let finished = Finished::of(bench.command(input.to_str().unwrap()).env("HOOK_SECRET", &secret)).success();
    assert!(!finished.stderr.contains(secret.trim_start_matches("whsec_")));

    let received = sink.received("/hook");
    assert_eq!(received.len(), 2);
    for one in &received {
        assert_eq!(one.headers["webhook-signature"], signature(one));
        assert_eq!(one.headers["content-type"], "application/json");
        assert_eq!(one.headers["x-team"], "security");
    }
    let (notification, sent) = (received[0].json(), received[1].json());
    assert_eq!(notification["type"], "trailwire.notification");
    assert!(notification["timestamp"].as_str().unwrap().ends_with('Z'));
    let data = &notification["data"];
    assert_eq!(data["title"], "CreateUser by alice (IAM user)");
    assert_eq!((&data["trigger"], &data["severity"]), (&json!("users"), &json!("medium")));
    assert_eq!(data["fields"], json!({"User": "mallory"}));
    assert_eq!(data["actor"], json!({"kind": "iam_user", "name": "alice", "account": "111122223333", "tool": "AWS CLI"}));
    assert_eq!(data["event"], event("CreateUser", "a"));
    for fact in [
        "Who: alice (IAM user)",
        "What: CreateUser (iam)",
        "Where: account 111122223333, eu-west-1",
        "When: 2026-03-01 12:00:00 UTC",
        "From: 192.0.2.7 with AWS CLI",
        "https://eu-west-1.console.aws.amazon.com/",
    ] {
        assert!(data["message"].as_str().unwrap().contains(fact), "{fact}: {data}");
    }
    assert_eq!((&sent["type"], &sent["data"]["event"]), (&json!("trailwire.event"), &event("CreateUser", "a")));
    assert_ne!(received[0].id(), received[1].id());
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_gets_blocks_and_its_limits_are_honoured() {
    let sink = Sink::start().await;
    let definitions = json!({"format_version": 1, "triggers": [trigger(&json!([{"notify": [{"destinations": ["chat"]}]}]))],
        "destinations": [{"name": "chat", "slack": [{"secret_env": "SLACK"}]}]});
    let bench = Bench::new(&definitions);
    sink.answer(
        "/slack",
        [
            Reply { status: 429, header: Some(("retry-after", "1".to_owned())), ..Reply::default() },
            Reply { status: 200, body: r#"{"ok":false,"error":"internal_error"}"#, ..Reply::default() },
        ],
    );
    let input = bench.write("input", &event("CreateUser", "<!channel>").to_string());
    let finished = Finished::of(bench.command(input.to_str().unwrap()).env("SLACK", sink.at("/slack"))).success();
    assert!(!finished.stderr.contains("/slack"), "the address is a secret: {}", finished.stderr);
    let received = sink.received("/slack");
    assert_eq!(received.len(), 3);
    assert!(received[1].at.duration_since(received[0].at) >= Duration::from_millis(950));
    let message = received[2].json();
    assert_eq!(message["blocks"][0]["text"], json!({"type": "plain_text", "text": "CreateUser by alice (IAM user)", "emoji": false}));
    assert_eq!((&message["unfurl_links"], &message["unfurl_media"]), (&json!(false), &json!(false)));
    assert!(!received[2].body.contains("<!"), "{}", received[2].body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_repeats_the_address_does_not_get_into_the_log() {
    let sink = Sink::start().await;
    let definitions = json!({"format_version": 1, "triggers": [trigger(&json!([{"notify": [{"destinations": ["chat", "hook"]}]}]))],
        "destinations": [{"name": "chat", "slack": [{"secret_env": "ADDRESS"}]}, {"name": "hook", "webhook": [{"secret_env": "ADDRESS"}]}]});
    let bench = Bench::new(&definitions);
    let echo = || Reply { status: 410, body: "Cannot POST /T0/HUSH", ..Reply::default() };
    sink.answer("/T0/HUSH", [echo(), echo()]);
    let input = bench.write("input", &event("CreateUser", "a").to_string());
    let finished = Finished::of(bench.command(input.to_str().unwrap()).env("ADDRESS", sink.at("/T0/HUSH"))).success();
    assert!(finished.stdout.ends_with("delivered 0, dead letters 2\n"), "{}", finished.stdout);
    assert!(finished.stderr.contains("the destination answered 410") && !finished.stderr.contains("HUSH"), "{}", finished.stderr);
    let journal = std::fs::read(bench.path("state/journal.redb")).unwrap();
    assert!(!journal.windows(4).any(|window| window == b"HUSH"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_delivered_is_kept_as_a_dead_letter() {
    let sink = Sink::start().await;
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()]))]));
    sink.answer("/hook", [Reply::status(410)]);
    let finished = bench.run_over(&[event("CreateUser", "a")], &[]).success();
    assert!(finished.stdout.ends_with("delivered 0, dead letters 1\n"), "{}", finished.stdout);
    assert!(finished.stderr.contains("the destination answered 410"), "{}", finished.stderr);
    // It stays a dead letter, and is not tried again.
    let finished = bench.run_over(&[], &[]).success();
    assert!(finished.stdout.ends_with("delivered 0, dead letters 1\n"), "{}", finished.stdout);
    assert_eq!(sink.received("/hook").len(), 1);

    // It is looked at, and made again by whoever works next.
    let dlq = |arguments: &[&str]| Finished::of(trailwire(&["dlq"]).args(arguments).arg("--state").arg(bench.path("state")));
    let listed = dlq(&["list"]).success().stdout;
    let [row, reason] = listed.lines().collect::<Vec<_>>()[..] else { panic!("{listed}") };
    assert!(row.starts_with("0  delivery  111122223333/eu-west-1  ") && row.ends_with("  CreateUser of trigger users to hook"), "{row}");
    assert_eq!(reason, "          the destination answered 410");
    let listed: Value = serde_json::from_str(&dlq(&["list", "--json"]).success().stdout).unwrap();
    assert_eq!((&listed["id"], &listed["event"], &listed["destination"]), (&json!("0"), &json!("CreateUser"), &json!("hook")));
    let shown: Value = serde_json::from_str(&dlq(&["show", "0"]).success().stdout).unwrap();
    assert_eq!(shown["run"]["event"], event("CreateUser", "a"));
    let refused = dlq(&["redrive", "7"]).refused().stderr;
    assert!(refused.contains("there is no dead letter `7`"), "{refused}");
    assert_eq!(dlq(&["redrive", "--all"]).success().stdout, "1 will be delivered when the runtime starts\n");
    let finished = bench.run_over(&[], &[]).success();
    assert!(finished.stdout.ends_with("delivered 1, dead letters 0\n"), "{}", finished.stdout);
    let [first, again] = &sink.received("/hook")[..] else { panic!("it is delivered once more") };
    assert_eq!(first.headers["webhook-id"], again.headers["webhook-id"]);
    let empty = Finished::of(trailwire(&["dlq", "list", "--state"]).arg(bench.path("nothing"))).refused().stderr;
    assert!(empty.contains("there is no journal in "), "{empty}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let sink = Sink::start().await;
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()]))]));
    sink.answer("/hook", [Reply { status: 307, header: Some(("location", sink.at("/elsewhere"))), ..Reply::default() }]);
    bench.run_over(&[event("CreateUser", "a")], &[]).success();
    assert_eq!((sink.received("/hook").len(), sink.received("/elsewhere").len()), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_destination_holds_up_nobody() {
    let sink = Sink::start().await;
    // A listener that never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let both =
        json!([{"notify": [{"destinations": ["dead", "hook"]}]}, {"wait": [{"duration": "1s"}]}, {"send": [{"destination": "hook"}]}]);
    let mut definitions = definitions(&sink.at("/hook"), &[trigger(&both)]);
    let dead = json!({"name": "dead", "webhook": [{"url": format!("http://{}/", silent.local_addr().unwrap())}]});
    definitions["destinations"].as_array_mut().unwrap().push(dead);
    let bench = Bench::new(&definitions);
    let server = Server::start(&bench, "127.0.0.1:0");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let events: Vec<Value> = (0..100).map(|number| event("CreateUser", &number.to_string())).collect();
    let started = std::time::Instant::now();
    assert!(client.post(&server.url).json(&events).send().await.unwrap().status().is_success());
    sink.expect("/hook", 200).await;
    // An attempt at the dead one takes 20 seconds and eight are made at once: to wait for a hundred would take 250 seconds.
    assert!(started.elapsed() < Duration::from_secs(240), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_trigger_cancels_its_runs_and_disabling_does_not() {
    let sink = Sink::start().await;
    // Longer than a slow machine takes to kill it.
    let actions = json!([{"wait": [{"duration": "10s"}]}, notify()]);
    let named = |name: &str| json!({"name": name, "event_names": ["CreateUser"], "action": actions});
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[named("deleted"), named("disabled"), named("edited")]));
    let server = Server::start(&bench, "127.0.0.1:0");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(client.post(&server.url).json(&event("CreateUser", "a")).send().await.unwrap().status().is_success());
    server.kill();
    let mut disabled = named("disabled");
    disabled["enabled"] = json!(false);
    let mut edited = named("edited");
    edited["action"] = json!([{"notify": [{"destinations": ["hook"], "title": "edited"}]}]);
    bench.write("definitions.json", &definitions(&sink.at("/hook"), &[disabled, edited]).to_string());
    let server = Server::start(&bench, "127.0.0.1:0");
    server.says("cancelled: its trigger was deleted").await;
    let received = sink.expect("/hook", 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut told: Vec<(String, String)> = received
        .iter()
        .map(|one| one.json()["data"].clone())
        .map(|data| (data["trigger"].as_str().unwrap().to_owned(), data["title"].as_str().unwrap().to_owned()))
        .collect();
    told.sort();
    let title = "CreateUser by alice (IAM user)".to_owned();
    assert_eq!(told, [("disabled".to_owned(), title.clone()), ("edited".to_owned(), title)]);
    assert_eq!(sink.received("/hook").len(), 2);
}

/// What arrived: the path, the operation of AWS that it asks for, and the key it shows.
fn told(received: &Received) -> (String, String) {
    let header = |name: &str| received.headers.get(name).cloned().unwrap_or_default();
    let (target, key) = (header("x-amz-target"), header("authorization"));
    let key = key
        .split_once(" Credential=")
        .map_or(key.clone(), |(_, scope)| scope.split(',').next().unwrap().split('/').skip(2).collect::<Vec<_>>().join("/"));
    (format!("{} {target}", received.path), key)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_reached() {
    let sink = Sink::start().await;
    let arn = |service: &str, resource: &str| format!("arn:aws:{service}:eu-west-1:111122223333:{resource}");
    let kinds = [
        ("teams", json!({"secret_env": "TEAMS"}), vec![("/teams ", "")]),
        ("pagerduty", json!({"secret_env": "KEY", "endpoint": sink.at("/pagerduty")}), vec![("/pagerduty ", "")]),
        ("opsgenie", json!({"secret_env": "KEY", "endpoint": sink.at("/opsgenie")}), vec![("/opsgenie ", "GenieKey k-123456")]),
        ("jira_service_management", json!({"secret_env": "KEY", "endpoint": sink.at("/jsm")}), vec![("/jsm ", "GenieKey k-123456")]),
        ("sns", json!({"topic_arn": arn("sns", "t")}), vec![("/ ", "eu-west-1/sns/aws4_request")]),
        (
            "email",
            json!({"from": "a@example.com", "to": ["b@example.com"]}),
            vec![("/v2/email/outbound-emails ", "us-east-1/ses/aws4_request")],
        ),
        (
            "sqs",
            json!({"queue_url": sink.at("/111122223333/q"), "region": "eu-west-1"}),
            vec![("/ AmazonSQS.SendMessage", "eu-west-1/sqs/aws4_request")],
        ),
        (
            "kinesis",
            json!({"stream_arn": arn("kinesis", "stream/s")}),
            vec![("/ Kinesis_20131202.PutRecord", "eu-west-1/kinesis/aws4_request")],
        ),
        ("firehose", json!({"stream_name": "s"}), vec![("/ Firehose_20150804.PutRecord", "us-east-1/firehose/aws4_request")]),
        ("event_bus", json!({"bus_arn": arn("events", "event-bus/b")}), vec![("/ AWSEvents.PutEvents", "eu-west-1/events/aws4_request")]),
        (
            "lambda",
            json!({"function_arn": arn("lambda", "function:f")}),
            vec![(
                "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Af/invocations ",
                "eu-west-1/lambda/aws4_request",
            )],
        ),
        (
            "step_functions",
            json!({"state_machine_arn": arn("states", "stateMachine:m")}),
            vec![("/ AWSStepFunctions.StartExecution", "eu-west-1/states/aws4_request")],
        ),
        (
            "log_group",
            json!({"name": "/a"}),
            vec![
                ("/ Logs_20140328.CreateLogStream", "us-east-1/logs/aws4_request"),
                ("/ Logs_20140328.PutLogEvents", "us-east-1/logs/aws4_request"),
            ],
        ),
        (
            "opensearch",
            json!({"endpoint": sink.url, "index": "trail", "region": "eu-west-1"}),
            vec![("/_index_template/trailwire-trail ", "eu-west-1/es/aws4_request"), ("/trail/_bulk ", "eu-west-1/es/aws4_request")],
        ),
    ];
    let bulk = Reply { status: 200, body: r#"{"errors":false,"items":[{"create":{"status":201}}]}"#, ..Reply::default() };
    sink.answer("/trail/_bulk", [bulk]);
    for (kind, body, expected) in kinds {
        let seen = sink.all().len();
        let bench = Bench::new(&json!({"format_version": 1, "destinations": [{"name": "there", kind: [body]}]}));
        let mut command = trailwire(&["destination", "test", "there", "--definitions"]);
        command.arg(bench.path("definitions.json")).env("AWS_ENDPOINT_URL", &sink.url).env("AWS_REGION", "us-east-1");
        command
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "s3cr3t")
            .env("TEAMS", sink.at("/teams"))
            .env("KEY", "k-123456");
        let finished = Finished::of(&mut command).success();
        assert_eq!(finished.stdout, format!("the destination `there` ({kind}) has taken a sample\n"));
        let arrived: Vec<(String, String)> = sink.all()[seen..].iter().map(told).collect();
        let expected: Vec<(String, String)> = expected.into_iter().map(|(path, key)| (path.to_owned(), key.to_owned())).collect();
        assert_eq!(arrived, expected, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_fails_says_why_and_shows_no_secret() {
    let sink = Sink::start().await;
    sink.answer("/deny", [Reply { status: 403, body: r#"{"message":"key k-123456 is not valid"}"#, ..Reply::default() }]);
    let destinations = json!([
        {"name": "denied", "opsgenie": [{"secret_env": "KEY", "endpoint": sink.at("/deny")}]},
        {"name": "metadata", "webhook": [{"url": "https://169.254.169.254/latest"}]},
        {"name": "mapped", "webhook": [{"url": "https://[::ffff:169.254.169.254]/latest"}]},
    ]);
    let bench = Bench::new(&json!({"format_version": 1, "destinations": destinations}));
    let test = |arguments: &[&str]| {
        let mut command = trailwire(&["destination", "test"]);
        Finished::of(command.args(arguments).arg("--definitions").arg(bench.path("definitions.json")).env("KEY", "k-123456"))
    };
    for (name, code, expected) in [
        (
            "denied",
            1,
            "error: the destination `denied` (opsgenie) has not taken the sample: the destination answered 403: key … is not valid\n",
        ),
        (
            "metadata",
            1,
            "error: the destination `metadata` (webhook) has not taken the sample: the address is a link-local, metadata or multicast address, where nothing is sent to\n",
        ),
        (
            "mapped",
            1,
            "error: the destination `mapped` (webhook) has not taken the sample: the address is a link-local, metadata or multicast address, where nothing is sent to\n",
        ),
        ("nosuch", 2, "error: there is no destination `nosuch`; there are `denied`, `mapped`, `metadata`\n"),
    ] {
        let finished = test(&[name]);
        assert_eq!((finished.status.code(), finished.stderr.as_str()), (Some(code), expected));
    }
    let refused = test(&["denied", "--send"]).refused();
    assert_eq!(refused.stderr, "error: `denied` is an opsgenie destination, which takes notifications only\n");
}
