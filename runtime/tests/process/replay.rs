//! `trailwire replay` over folders of logs.

use serde_json::{Value, json};

use crate::program::{Bench, Finished, event, gzip, trailwire};

fn definitions(triggers: &[Value]) -> Value {
    json!({"format_version": 1, "triggers": triggers, "destinations": [{"name": "d", "webhook": [{"url": "https://example.com"}]}]})
}

fn trigger(name: &str, event_name: &str) -> Value {
    json!({"name": name, "event_names": [event_name], "action": [{"notify": [{"destinations": ["d"]}]}]})
}

/// Two days of logs: a log file as CloudTrail writes it, and JSON lines.
fn bench() -> Bench {
    let bench = Bench::new(&definitions(&[trigger("users", "CreateUser"), trigger("keys", "CreateAccessKey")]));
    std::fs::create_dir_all(bench.path("logs/eu-west-1")).unwrap();
    let record = |name: &str, id: &str| event(name, id)["detail"].clone();
    let day = json!({"Records": [record("CreateUser", "a"), record("DeleteUser", "b"), record("CreateUser", "c")]});
    gzip(&day.to_string(), &bench.path("logs/eu-west-1/111122223333_CloudTrail_eu-west-1_20260301T1205Z_AbCd.json.gz"));
    let mut late = record("CreateAccessKey", "d");
    late["eventTime"] = json!("2026-03-02T08:00:00Z");
    late["userIdentity"]["userName"] = json!("m\u{202e}allory");
    bench.write("logs/more.jsonl", &format!("{}\n{late}\n", record("CreateUser", "a")));
    bench
}

fn replay(bench: &Bench, arguments: &[&str]) -> Finished {
    let mut command = trailwire(&["replay", "--definitions"]);
    command.arg(bench.path("definitions.json")).arg(bench.path("logs")).args(arguments);
    Finished::of(&mut command)
}

#[test]
fn each_match_is_a_line() {
    let bench = bench();
    let replayed = replay(&bench, &[]).success();
    let row = |trigger: &str, id: &str, name: &str, time: &str| json!({"trigger": trigger, "event_id": id, "event_name": name, "event_time": time, "account": "111122223333", "region": "eu-west-1"});
    let first = "2026-03-01T12:00:00Z";
    let expected = [
        row("users", "a", "CreateUser", first),
        row("users", "c", "CreateUser", first),
        row("keys", "d", "CreateAccessKey", "2026-03-02T08:00:00Z"),
    ];
    let lines: Vec<Value> = replayed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, expected);
    assert_eq!(replayed.stderr, "3 matches in 5 records of 2 files; 1 of repeated events\n");
    // The members stand in the order of the help.
    assert!(
        replayed.stdout.starts_with(r#"{"trigger":"users","event_id":"a","event_name":"CreateUser","event_time":"2026"#),
        "{}",
        replayed.stdout
    );

    let later = replay(&bench, &["--from", "2026-03-02"]).success();
    assert_eq!(later.stdout.lines().count(), 1);
    assert_eq!(later.stderr, "1 match in 2 records of 1 file; 0 of repeated events, 1 file left out by its name\n");
}

#[test]
fn matches_are_counted_for_people() {
    let counted = replay(&bench(), &["--by", "trigger,day", "--format", "table"]).success();
    assert_eq!(counted.stdout, "TRIGGER  DAY         COUNT\nusers    2026-03-01  2\nkeys     2026-03-02  1\n");
    let actors = replay(&bench(), &["--by", "actor", "--format", "table"]).success();
    assert_eq!(actors.stdout, "ACTOR                     COUNT\nalice (IAM user)          2\nm\\u202eallory (IAM user)  1\n");
}

#[test]
fn two_versions_of_triggers_are_compared() {
    let bench = bench();
    let narrow = json!({"name": "users", "event_names": ["CreateUser"], "match_expression": "detail.eventID == 'c'", "action": [{"notify": [{"destinations": ["d"]}]}]});
    let old =
        bench.write("old.json", &definitions(&[narrow, trigger("gone", "DeleteUser"), trigger("keys", "CreateAccessKey")]).to_string());
    let compared = replay(&bench, &["--compare", old.to_str().unwrap()]).success();
    let lines: Vec<Value> = compared.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<[&str; 3]> =
        lines.iter().map(|line| ["change", "trigger", "event_id"].map(|name| line[name].as_str().unwrap())).collect();
    assert_eq!(told, [["removed", "gone", "b"], ["added", "users", "a"]]);
}

#[test]
fn what_can_not_be_read_is_told_by_name_and_costs_nothing_else() {
    let bench = bench();
    let whole = std::fs::read(bench.path("logs/eu-west-1/111122223333_CloudTrail_eu-west-1_20260301T1205Z_AbCd.json.gz")).unwrap();
    std::fs::write(bench.path("logs/cut.json.gz"), &whole[..whole.len() / 2]).unwrap();
    bench.write("logs/text.json", "hello");
    let replayed = replay(&bench, &[]);
    assert_eq!(replayed.status.code(), Some(1), "{replayed:?}");
    assert_eq!(replayed.stdout.lines().count(), 3);
    for told in [
        "/logs/cut.json.gz: the gzip is cut off\n",
        "/logs/text.json: byte 0: neither an object nor an array\n",
        "2 pieces of the logs could not be read",
    ] {
        assert!(replayed.stderr.contains(told), "{}", replayed.stderr);
    }
    let refused = replay(&bench, &["--from", "soon"]).refused();
    assert!(refused.stderr.contains("write a day such as 2026-03-01"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_matches_is_dispatched_to_a_runtime() {
    let sink = crate::sink::Sink::start().await;
    let running =
        Bench::new(&crate::program::definitions(&sink.at("/hook"), &[crate::program::trigger(&json!([crate::program::notify()]))]));
    let server = crate::program::Server::start(&running, "127.0.0.1:0");
    let bench = bench();
    let url = server.url.clone();
    let replayed = tokio::task::spawn_blocking(move || replay(&bench, &["--dispatch", "--to", &url])).await.unwrap().success();
    assert!(
        replayed
            .stderr
            .starts_with("3 events dispatched; 3 of them are older than 15 days, and the runtime may act on them a second time\n"),
        "{}",
        replayed.stderr
    );
    let mut ids: Vec<String> = sink.expect("/hook", 2).await.iter().map(crate::sink::Received::event_id).collect();
    ids.sort();
    assert_eq!(ids, ["a", "c"]);
    drop(server);
    let refused = replay(&self::bench(), &["--dispatch"]).refused();
    assert!(refused.stderr.contains("<--hub <NAME>|--to <URL>>"), "{}", refused.stderr);
}

/// Two regions, a day each; the files of the second were delivered between those of the first. A file has the newest event first.
fn restrained() -> Bench {
    let mut crowd = trigger("crowd", "CreateUser");
    crowd["threshold"] = json!([{"count": 3, "window": "10m"}]);
    let mut quiet = trigger("quiet", "DeleteUser");
    quiet["suppress"] = json!([{"window": "1h", "key": "detail.userIdentity.userName"}]);
    let bench = Bench::new(&definitions(&[crowd, quiet, trigger("keys", "CreateAccessKey")]));
    let record = |name: &str, time: &str| {
        let mut record = event(name, time)["detail"].clone();
        record["eventTime"] = json!(format!("2026-03-01T{time}:00Z"));
        record
    };
    for (region, delivered, records) in [
        ("eu-west-1", "1205", json!([record("CreateUser", "12:02"), record("CreateUser", "12:01"), record("DeleteUser", "12:00")])),
        ("eu-west-1", "1310", json!([record("CreateAccessKey", "13:05"), record("DeleteUser", "13:04"), record("DeleteUser", "13:03")])),
        ("us-east-1", "1210", json!([record("CreateUser", "12:07"), record("DeleteUser", "12:03"), record("CreateUser", "11:59")])),
    ] {
        std::fs::create_dir_all(bench.path(&format!("logs/{region}"))).unwrap();
        let name = format!("logs/{region}/111122223333_CloudTrail_{region}_20260301T{delivered}Z_AbCd.json.gz");
        gzip(&json!({ "Records": records }).to_string(), &bench.path(&name));
    }
    bench
}

#[test]
fn what_a_threshold_and_suppress_hold_back_is_told() {
    let bench = restrained();
    let replayed = replay(&bench, &[]).success();
    let line = |trigger: &str, name: &str, time: &str, more: &str| {
        format!(
            r#"{{"trigger":"{trigger}","event_id":"{time}","event_name":"{name}","event_time":"2026-03-01T{time}:00Z","account":"111122223333","region":"eu-west-1"{more}}}"#
        ) + "\n"
    };
    let (ran, held_back) = (r#","outcome":"ran""#, r#","outcome":"held_back""#);
    let expected = [
        line("crowd", "CreateUser", "11:59", held_back),
        line("quiet", "DeleteUser", "12:00", ran),
        line("crowd", "CreateUser", "12:01", held_back),
        line("crowd", "CreateUser", "12:02", ran),
        line("quiet", "DeleteUser", "12:03", held_back),
        line("crowd", "CreateUser", "12:07", held_back),
        line("quiet", "DeleteUser", "13:03", ran),
        line("quiet", "DeleteUser", "13:04", held_back),
    ];
    // What runs for each match is told as it is found.
    let (found, judged): (Vec<&str>, Vec<&str>) =
        replayed.stdout.split_inclusive('\n').partition(|line| line.starts_with(r#"{"trigger":"keys""#));
    assert_eq!((found.concat(), judged.concat()), (line("keys", "CreateAccessKey", "13:05", ""), expected.concat()));
    assert_eq!(replayed.stderr, "9 matches in 9 records of 3 files; 0 of repeated events\n");

    let table = replay(&bench, &["--format", "table", "--from", "2026-03-01T13:00:00Z"]).success();
    let expected = "\
TRIGGER  EVENT ID  EVENT NAME       EVENT TIME            ACCOUNT       REGION     OUTCOME
keys     13:05     CreateAccessKey  2026-03-01T13:05:00Z  111122223333  eu-west-1  ran
quiet    13:03     DeleteUser       2026-03-01T13:03:00Z  111122223333  eu-west-1  ran
quiet    13:04     DeleteUser       2026-03-01T13:04:00Z  111122223333  eu-west-1  held_back
";
    assert_eq!(table.stdout, expected);
}

#[test]
fn what_runs_is_counted_beside_the_matches() {
    let bench = restrained();
    let counted = replay(&bench, &["--by", "trigger", "--format", "table"]).success();
    assert_eq!(counted.stdout, "TRIGGER  COUNT  RAN\ncrowd    4      1\nquiet    4      2\nkeys     1      1\n");
    let counted = replay(&bench, &["--by", "day,actor"]).success();
    assert_eq!(counted.stdout, "{\"day\":\"2026-03-01\",\"actor\":\"alice (IAM user)\",\"count\":9,\"ran\":4}\n");
    // Versions are compared by their matches.
    let old = bench.write("old.json", &definitions(&[trigger("crowd", "CreateUser"), trigger("quiet", "DeleteUser")]).to_string());
    let compared = replay(&bench, &["--compare", old.to_str().unwrap()]).success();
    let line = r#"{"change":"added","trigger":"keys","event_id":"13:05","event_name":"CreateAccessKey","event_time":"2026-03-01T13:05:00Z","account":"111122223333","region":"eu-west-1"}"#;
    assert_eq!(compared.stdout, format!("{line}\n"));
}
