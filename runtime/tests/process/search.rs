//! `trailwire search` over folders of logs: what goes wrong, and what others wrote.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::program::{Bench, Finished, event, gzip, trailwire};

/// Two days of logs, one event of them twice, and one by somebody who means no good.
fn bench() -> Bench {
    let bench = Bench::new(&json!({}));
    std::fs::create_dir_all(bench.path("logs")).unwrap();
    let record = |name: &str, id: &str| event(name, id)["detail"].clone();
    let day = json!({"Records": [record("CreateUser", "a"), record("DeleteUser", "b"), record("CreateUser", "c")]});
    gzip(&day.to_string(), &bench.path("logs/111122223333_CloudTrail_eu-west-1_20260301T1205Z_AbCd.json.gz"));
    let mut late = record("CreateAccessKey", "d");
    late["eventTime"] = json!("2026-03-02T08:00:00Z");
    late["userIdentity"]["userName"] = json!("=m\u{202e}\u{1b}[2Jallory\nROOT");
    bench.write("logs/more.jsonl", &format!("{}\n{late}\n", record("CreateUser", "a")));
    bench
}

fn search(bench: &Bench, arguments: &[&str]) -> Finished {
    let mut command = trailwire(&["search"]);
    Finished::of(command.args(arguments).arg(bench.path("logs")))
}

#[test]
fn an_event_is_told_once_and_whole() {
    let bench = bench();
    let found = search(&bench, &["event:CreateUser", "--format", "json"]).success();
    let lines: Vec<Value> = found.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [event("CreateUser", "a")["detail"].clone(), event("CreateUser", "c")["detail"].clone()]);
    assert_eq!(found.stderr, "2 matches in 5 records of 2 files; 1 of repeated events\n");
    let newest = search(&bench, &["*", "--format", "json", "--limit", "1", "--columns", "id,error"]).success();
    assert_eq!(newest.stdout, "{\"id\":\"d\",\"error\":null}\n");
    let oldest = search(&bench, &["*", "--oldest", "--limit", "2", "--columns", "id"]).success();
    assert_eq!(oldest.stdout, "ID\na\nb\n");
    assert_eq!(search(&bench, &["-event:CreateUser", "--count"]).success().stdout, "2\n");
}

#[test]
fn what_others_wrote_stays_text() {
    let bench = bench();
    let table = search(&bench, &["event:CreateAccessKey", "--columns", "time,user"]).success();
    assert_eq!(table.stdout, "TIME                  USER\n2026-03-02T08:00:00Z  =m\\u202e\\u001b[2Jallory ROOT\n");
    let csv = search(&bench, &["event:CreateAccessKey", "--columns", "user,event", "--format", "csv"]).success();
    assert_eq!(csv.stdout, "user,event\n\"'=m\\u202e\\u001b[2Jallory\nROOT\",CreateAccessKey\n");
    let hint = search(&bench, &["(\u{1b}[2J"]).refused();
    assert!(!hint.stderr.contains('\u{1b}'), "{}", hint.stderr);
}

#[test]
fn what_can_not_be_read_is_told() {
    let bench = bench();
    let whole = std::fs::read(bench.path("logs/111122223333_CloudTrail_eu-west-1_20260301T1205Z_AbCd.json.gz")).unwrap();
    std::fs::write(bench.path("logs/cut.json.gz"), &whole[..whole.len() / 2]).unwrap();
    let found = search(&bench, &["*", "--count"]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    assert_eq!(found.stdout, "4\n");
    assert!(found.stderr.contains("/logs/cut.json.gz: the gzip is cut off\n"), "{}", found.stderr);

    bench.write("logs/all.json", &json!([{"Records": [event("StopLogging", "e")["detail"]]}]).to_string());
    assert_eq!(search(&bench, &["event:StopLogging", "--count"]).stdout, "1\n");

    let refused = search(&bench, &["event:(CreateUser"]).refused();
    assert!(
        refused.stderr.starts_with("error[TW2501]: the parenthesis does not end\n  |\n1 | event:(CreateUser\n  |       ^\n"),
        "{}",
        refused.stderr
    );
    let no_logs = Finished::of(&mut trailwire(&["search", "event:CreateUser"])).refused();
    assert_eq!(no_logs.stderr, "error: no logs are named: write trailwire search 'event:CreateUser' logs/\n");
    let only_logs = Finished::of(trailwire(&["search"]).arg(bench.path("logs"))).refused();
    assert!(only_logs.stderr.starts_with("error: the search stands before the logs: write trailwire search '*' "), "{}", only_logs.stderr);
    let unknown = search(&bench, &["*", "--session", "nobody"]).refused();
    assert!(unknown.stderr.starts_with("error: no event in these logs opens a session of `nobody`"), "{}", unknown.stderr);
}

#[test]
fn a_search_is_printed_as_a_trigger() {
    let printed = |query: &str, more: &[&str]| Finished::of(trailwire(&["search", query, "--as-trigger"]).args(more)).success().stdout;
    let trigger = printed("error:*Denied* user:\"${x}\"", &["--account", "111122223333", "--region", "eu-west-1"]);
    assert_eq!(
        trigger,
        r#"# Of the search error:*Denied* user:"${x}"
# What Trailwire's own roles did is left out; include_self = true takes it in
resource "trailwire_trigger" "search" {
  hub               = var.hub
  name              = "search"
  any_event         = true
  include_read_only = true
  account_ids       = ["111122223333"]
  regions           = ["eu-west-1"]
  match_expression  = "type(detail.errorCode) == 'string' && contains(detail.errorCode, 'Denied') && detail.userIdentity.userName == '$${x}'"

  action {
    notify {
      destinations = var.destinations
    }
  }
}
"#
    );
    let refused = Finished::of(&mut trailwire(&["search", "readOnly:true readOnly:false", "--as-trigger"])).refused();
    assert!(refused.stderr.starts_with("error: no trigger can say this: "), "{}", refused.stderr);
}

/// A role is assumed in one account and hour, and used in others.
#[test]
fn sessions_are_followed_into_other_files() {
    let bench = Bench::new(&json!({}));
    std::fs::create_dir_all(bench.path("logs")).unwrap();
    let mut opened = event("AssumeRole", "a")["detail"].clone();
    opened["eventSource"] = json!("sts.amazonaws.com");
    opened["requestParameters"] = json!({"roleArn": "arn:aws:iam::444455556666:role/audit", "roleSessionName": "s"});
    opened["responseElements"] = json!({"credentials": {"accessKeyId": "ASIAONE"}});
    bench.write("logs/111122223333_CloudTrail_us-east-1_20260301T1205Z_a.json", &json!({"Records": [opened]}).to_string());
    let mut done = event("GetObject", "b")["detail"].clone();
    done["userIdentity"] = json!({"type": "AssumedRole", "accessKeyId": "ASIAONE"});
    done["eventTime"] = json!("2026-03-01T15:00:00Z");
    done["recipientAccountId"] = json!("444455556666");
    bench.write("logs/444455556666_CloudTrail_eu-west-1_20260301T1505Z_b.json", &json!({"Records": [done]}).to_string());
    for narrow in [&["--from", "2026-03-01T14:00:00Z"][..], &["--account", "444455556666"]] {
        let found = search(&bench, &[&["*", "--session", "audit", "--columns", "id"], narrow].concat()).success();
        assert_eq!(found.stdout, "ID\nb\n", "{narrow:?}");
    }
}

/// An index whose making was cut off and gone on with answers as one that was made at once, and as the logs do.
#[test]
fn an_index_survives_being_killed() {
    use std::io::{BufRead as _, BufReader};

    let bench = Bench::new(&json!({}));
    std::fs::create_dir_all(bench.path("logs")).unwrap();
    for number in 0..200 {
        let record = |name: &str| event(name, &format!("{name}-{number}"))["detail"].clone();
        let day = json!({"Records": [record("CreateUser"), record("DeleteUser"), event("GetUser", "always")["detail"]]});
        bench.write(&format!("logs/{number:03}.json"), &day.to_string());
    }
    let index = |folder: &str, more: &[&str]| {
        let mut command = trailwire(&["index"]);
        command.args(more).arg(bench.path("logs")).arg("--into").arg(bench.path(folder));
        command
    };
    let mut child = index("killed", &["--batch", "1"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(first, "1 file read: the index has 3 events\n");

    let resumed = Finished::of(&mut index("killed", &[])).success();
    assert!(!resumed.stderr.contains("; 0 known before;"), "{}", resumed.stderr);
    assert!(resumed.stderr.ends_with("; the index has 401 events\n"), "{}", resumed.stderr);
    let whole = Finished::of(&mut index("whole", &["--json"])).success();
    assert_eq!(whole.stderr, "401 events added of 600 records of 200 files; 0 known before; the index has 401 events\n");
    assert_eq!(whole.stdout, "{\"files\":200,\"known\":0,\"records\":600,\"added\":401,\"events\":401,\"faults\":[]}\n");
    let again = Finished::of(&mut index("whole", &[])).success();
    assert_eq!(again.stderr, "0 events added of 0 records of 0 files; 200 known before; the index has 401 events\n");
    for arguments in [
        &["*", "--format", "json"][..],
        &["event:CreateUser", "--columns", "id", "--oldest"],
        &["event:CreateUser", "--limit", "150"],
        &["event:Create*", "--by", "event"],
        &["-event:GetUser", "--by", "requestParameters.none,event"],
        &["*", "--histogram", "day"],
        &["*", "--facets", "event,id"],
        &["always", "--count"],
        &["--changes", "--count"],
    ] {
        let of = |folder: &str| Finished::of(trailwire(&["search"]).args(arguments).arg("--index").arg(bench.path(folder))).success();
        let read = search(&bench, arguments).success().stdout;
        assert_eq!(of("whole").stdout, read, "{arguments:?}");
        assert_eq!(of("killed").stdout, read, "{arguments:?}");
        assert!(of("whole").stderr.ends_with(" in 401 events of 200 files in the index\n"), "{arguments:?}");
    }
    let none = Finished::of(trailwire(&["search", "*", "--index"]).arg(bench.path("logs"))).refused();
    assert!(none.stderr.contains("there is no index here: trailwire index LOGS --into FOLDER"), "{}", none.stderr);

    let cut = bench.write("logs/cut.json", "{\"Records\":[{},{");
    let told = Finished::of(&mut index("whole", &["--json"]));
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(told.stderr.contains(&format!("warning: {}: byte 15: the record is cut off", cut.display())), "{}", told.stderr);
    assert!(told.stdout.contains("\"faults\":[\""), "{}", told.stdout);
}

/// The second run finds the index of the first beside the logs, which is no log.
#[test]
fn an_index_may_lie_among_its_logs() {
    let bench = bench();
    for told in ["4 events added of 5 records of 2 files; 0 known before", "0 events added of 0 records of 0 files; 2 known before"] {
        let mut command = trailwire(&["index"]);
        let run = Finished::of(command.arg(bench.path("logs")).arg("--into").arg(bench.path("logs/index"))).success();
        assert_eq!(run.stderr, format!("{told}; the index has 4 events\n"));
    }
    assert_eq!(search(&bench, &["*", "--count"]).success().stdout, "4\n");
    // Whoever may read the folder may read what is in it.
    let mode = |name: &str| std::fs::metadata(bench.path("logs/index").join(name)).unwrap().permissions().mode();
    assert_eq!([mode("meta.json"), mode(".managed.json")], [mode(".tantivy-writer.lock"); 2]);
}

#[test]
fn what_can_not_be_meant_is_refused_and_what_may_be_a_slip_is_told() {
    let bench = bench();
    for (arguments, told) in [
        (&["--account", "123"][..], "an account id is 12 digits"),
        (&["--region", "us-east-1,us-east1"], "a region is named like `us-east-1`"),
        (&["--by", " ,event"], "a field has a name"),
        (&["--columns", ""], "a field has a name"),
    ] {
        let refused = search(&bench, &[&["*"], arguments].concat()).refused();
        assert!(refused.stderr.contains(told), "{arguments:?}: {}", refused.stderr);
    }
    let both = search(&bench, &["*", "--count", "--region", "us-east-1,eu-west-1"]).success();
    assert_eq!(both.stdout, search(&bench, &["*", "--count", "--region", "us-east-1", "--region", "eu-west-1"]).success().stdout);
    let slip = search(&bench, &["*", "--by", "evnt, region"]).success();
    assert!(slip.stderr.contains("warning: no record is known to have a `evnt`: did you mean `event`?\n"), "{}", slip.stderr);
    let mut into_logs = trailwire(&["index"]);
    let refused = Finished::of(into_logs.arg(bench.path("logs")).arg("--into").arg(bench.path("logs")));
    assert!(refused.stderr.contains("this folder has other files and no index: name a new folder"), "{refused:?}");
    assert_eq!(refused.status.code(), Some(1));
}

/// A table holds a text of any length, and a name with the end of a line stays on one.
#[test]
fn what_others_wrote_fits_into_a_table() {
    let bench = bench();
    let long = "x".repeat(70_000);
    let record =
        serde_json::json!({"eventID": "1", "eventName": "A", "eventTime": "2026-03-01T12:00:00Z", "requestParameters": {"p": long}});
    bench.write("logs/long.json", &record.to_string());
    bench.write("logs/a\nerror: 0.json", "x");
    let told = search(&bench, &["id:1", "--columns", "requestParameters.p,event"]);
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!((lines.len(), lines[1].len()), (2, 70_000 + 2 + 1));
    assert!(told.stderr.contains("a\\nerror: 0.json: "), "{}", told.stderr);
    assert_eq!(told.status.code(), Some(1));
}
