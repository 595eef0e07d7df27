//! `trailwire report` and `trailwire export`: what the guide shows is what is printed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::program::{Finished, trailwire};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Over the trail that is at hand.
fn over(arguments: &[&str]) -> Finished {
    let mut command = trailwire(arguments);
    Finished::of(command.arg(repository().join("tests/corpus/trail/logs")))
}

/// What the guide shows for a command.
fn shown(command: &str) -> String {
    let page = std::fs::read_to_string(repository().join("docs/guides/export.md")).unwrap();
    let after = page.split_once(&format!("$ {command}\n")).unwrap_or_else(|| panic!("the guide does not show `{command}`")).1;
    let end = ["```", "$ "].into_iter().filter_map(|end| after.find(&format!("\n{end}"))).min().unwrap();
    after.get(..=end).unwrap().to_owned()
}

#[test]
fn reports_answer_the_usual_questions() {
    for arguments in [["report", "denied"], ["report", "actors"]] {
        let found = over(&arguments).success();
        assert_eq!(found.stdout, shown(&format!("trailwire {} logs/", arguments.join(" "))));
        assert!(found.stderr.contains(" in 12 records of 6 files; 0 of repeated events\n"), "{}", found.stderr);
    }
    let roles = over(&["report", "roles", "--format", "json"]).success();
    assert_eq!(
        roles.stdout,
        "{\"actor\":\"alice (IAM user)\",\"requestParameters.roleArn\":\"arn:aws:iam::111122223333:role/deploy\",\"count\":1}\n"
    );
    let show = Finished::of(&mut trailwire(&["report", "denied", "--show"])).success();
    assert_eq!(show.stdout, shown("trailwire report denied --show"));
}

#[test]
fn tables_lie_where_their_partitions_say() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("lake");
    let path = out.display().to_string();
    let done = over(&["export", "--parquet", &path]).success();
    assert!(done.stderr.starts_with(&format!("12 rows in 1 file below {path}\n12 matches in 12 records of 6 files")), "{}", done.stderr);
    let part = "account=111122223333/region=us-east-1/day=2026-03-01/part-000001.parquet";
    let bytes = std::fs::read(out.join(part)).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let told = shown("trailwire export --parquet lake logs/").replace("'lake/", &format!("'{path}/"));
    let (head, tail) = told.split_once("  …\n").unwrap();
    assert!(done.stdout.starts_with(head) && done.stdout.ends_with(tail), "{}", done.stdout);
    // What is there already would be counted twice.
    let again = over(&["export", "--parquet", &path]);
    assert_eq!(
        (again.status.code(), again.stderr),
        (Some(2), format!("error: {path} is not empty: what lies there would be counted, too\n"))
    );
}

#[test]
fn documents_have_ids_that_stay() {
    let printed = || over(&["export", "--bulk", "trail", "--query", "event:CreateUser"]).success().stdout;
    let first = printed();
    assert_eq!(first, printed());
    let lines: Vec<Value> = first.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["create"]["_index"], "trail");
    assert_eq!((&lines[1]["eventName"], &lines[1]["source_ip"]), (&json!("CreateUser"), &json!("198.51.100.7")));
    let template = Finished::of(&mut trailwire(&["export", "--bulk", "trail", "--template"])).success();
    let template: Value = serde_json::from_str(&template.stdout).unwrap();
    assert_eq!(template["template"]["mappings"]["dynamic"], false);
    let wrong = over(&["export", "--bulk", "Trail"]);
    assert!(wrong.stderr.starts_with("error: invalid value 'Trail' for '--bulk <INDEX>': write lower-case letters"), "{}", wrong.stderr);
    over(&["export"]).refused();
}
