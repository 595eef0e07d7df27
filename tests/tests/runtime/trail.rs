//! What reads the logs of a trail, where they lie: in a bucket, and in a copy of one. What the guides show is what is printed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use trailwire_tests::bucket::Bucket;
use trailwire_tests::control::{Effect, Fault, Matcher};
use trailwire_tests::process::{Finished, Program, built};
use trailwire_tests::runtime;
use trailwire_tests::stand::repository;

const ARN: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit";
const LOG: &str =
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/111122223333_CloudTrail_us-east-1_20260301T0110Z_0000000000000001.json.gz";
const DIGEST: &str = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/111122223333_CloudTrail-Digest_us-east-1_audit_us-east-1_20260301T030000Z.json.gz";

fn trail() -> PathBuf {
    repository().join("tests/corpus/trail")
}

fn keys() -> String {
    trail().join("keys.json").display().to_string()
}

/// The trail in a bucket of this name.
async fn bucket(name: &str) -> Bucket {
    let bucket = Bucket::new(name, "us-east-1").await;
    bucket.fill(&trail().join("logs")).await;
    bucket
}

async fn at(bucket: &Bucket, arguments: &[&str]) -> Finished {
    Program::start(runtime::command(bucket.stand, &bucket.account, bucket.region, arguments)).finish().await
}

/// Without AWS.
async fn here(arguments: &[&str]) -> Finished {
    let mut command = Command::new(built("trailwire"));
    command.args(arguments).env_clear();
    Program::start(command).finish().await
}

const VERIFY: [&str; 8] =
    ["verify", "--trail-arn", ARN, "--start-time", "2026-03-01", "--end-time", "2026-03-01T03:00:00Z", "--public-keys"];

/// What a guide shows for a command.
fn shown(page: &str, command: &str) -> String {
    let page = std::fs::read_to_string(repository().join("docs/guides").join(page)).unwrap();
    let after = page.split_once(&format!("$ {command}\n")).unwrap_or_else(|| panic!("the page does not show `{command}`")).1;
    let end = ["```", "$ "].into_iter().filter_map(|end| after.find(&format!("\n{end}"))).min().unwrap();
    after[..=end].to_owned()
}

#[tokio::test]
async fn a_trail_is_verified_where_it_lies() {
    let bucket = bucket("logs").await;
    let keys = keys();
    let verify = [&VERIFY[..], &[&keys, "--s3-bucket", "logs"]].concat();
    let valid = at(&bucket, &verify).await.success();
    assert!(valid.stdout.ends_with("\n\n3/3 digest files valid\n6/6 log files valid\n"), "{}", valid.said());
    assert_eq!(valid.stderr, "", "{}", valid.said());

    bucket.put(LOG, std::fs::read(trail().join("logs").join(LOG.replace("0110Z", "0120Z").replace("01.json", "02.json"))).unwrap()).await;
    let changed = at(&bucket, &verify).await;
    assert_eq!(changed.status.code(), Some(1), "{}", changed.said());
    let command = format!("trailwire verify --trail-arn {ARN} --start-time 2026-03-01 --end-time 2026-03-01T03:00:00Z");
    let shown = shown("verify.md", &command);
    let (out, err): (Vec<&str>, Vec<&str>) = shown.lines().partition(|line| !line.contains("INVALID: ") && !line.starts_with("error: "));
    let without_blank = |lines: Vec<&str>| lines.into_iter().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_blank(changed.stdout.lines().collect()), without_blank(out));
    assert_eq!(without_blank(changed.stderr.lines().collect()), without_blank(err));

    // What is printed for programs, by this run and by one with an object too many and a digest too few.
    let mut lines: Vec<String> = Vec::new();
    let mut json = async || {
        let said = at(&bucket, &[&verify[..], &["--json"]].concat()).await;
        assert_eq!(said.status.code(), Some(1), "{}", said.said());
        lines.extend(said.stdout.lines().map(str::to_owned));
    };
    json().await;
    bucket.put(&LOG.replace("0110Z_0000000000000001", "0115Z_0000000000000009"), b"more".to_vec()).await;
    bucket.remove(DIGEST).await;
    json().await;
    bucket.remove(LOG).await;
    json().await;
    let page = std::fs::read_to_string(repository().join("docs/guides/verify.md")).unwrap();
    let block = page.split_once("--start-time 2026-03-01 --json\n").unwrap().1.split_once("```").unwrap().0;
    assert_eq!(block.lines().count(), 6);
    // Nobody can sign a trail that was stopped: gaps are tried beside the code.
    for shown in block.lines().filter(|line| !line.starts_with("{\"type\":\"gap\"")) {
        assert!(lines.iter().any(|line| is_shown(line, shown)), "{shown} is in none of\n{}", lines.join("\n"));
    }
    let gone = format!("{{\"type\":\"log\",\"place\":\"s3://logs/{LOG}\",\"valid\":false,\"reason\":\"not found\"}}");
    assert!(lines.contains(&gone), "{}", lines.join("\n"));
}

/// Whether a line is what a page shows; `…` stands for anything.
fn is_shown(line: &str, shown: &str) -> bool {
    match shown.split_once('…') {
        Some((first, last)) => line.starts_with(first) && line.ends_with(last),
        None => line == shown,
    }
}

#[tokio::test]
async fn a_copy_is_verified_without_aws() {
    let (keys, logs) = (keys(), trail().join("logs").display().to_string());
    let valid = here(&[&VERIFY[..], &[&keys, "--folder", &logs]].concat()).await.success();
    assert!(valid.stdout.ends_with("\n\n3/3 digest files valid\n6/6 log files valid\n"), "{}", valid.said());
    for (arguments, told) in [
        (vec!["--folder", "/nowhere"], "error: /nowhere is no folder\n"),
        (vec!["--folder", &logs, "--public-keys", "/nowhere"], "error: /nowhere: No such file"),
    ] {
        let refused = here(&[&VERIFY[..], &[&keys], &arguments].concat()).await;
        assert_eq!(refused.status.code(), Some(2), "{}", refused.said());
        assert!(refused.stderr.starts_with(told), "{}", refused.said());
    }
}

fn definitions(folder: &Path) -> String {
    let path = folder.join("users.json");
    let trigger = r#"{"format_version":1,"triggers":[{"name":"users","event_names":["CreateUser","RunInstances"],"action":[{"send":[{"destination":"d"}]}]}]}"#;
    std::fs::write(&path, trigger).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn logs_in_a_bucket_are_replayed_as_those_in_a_folder() {
    let bucket = bucket("replayed").await;
    let folder = tempfile::tempdir().unwrap();
    let definitions = definitions(folder.path());
    let logs = trail().join("logs").display().to_string();
    let local = here(&["replay", &logs, "--definitions", &definitions]).await.success();
    for place in ["s3://replayed", "s3://replayed/AWSLogs", "s3://replayed/AWSLogs/111122223333/CloudTrail/us-east-1/"] {
        let remote = at(&bucket, &["replay", place, "--definitions", &definitions]).await.success();
        assert_eq!((&remote.stdout, &remote.stderr), (&local.stdout, &local.stderr), "{place}");
    }
    let replay = ["replay", "s3://replayed", "--definitions", &definitions];
    let one = at(&bucket, &["replay", &format!("s3://replayed/{LOG}"), "--definitions", &definitions]).await.success();
    assert!(one.stderr.contains("1 match in 2 records of 1 file"), "{}", one.said());
    let day = at(&bucket, &["replay", "s3://replayed", "--definitions", &definitions, "--from", "2026-03-02"]).await;
    assert!(day.stderr.contains("s3://replayed/: there is no log file"), "{}", day.said());

    // An object that S3 refuses is told by name, and the others are read.
    let operation = LOG.rsplit('/').next().map(str::to_owned);
    let matcher = Matcher { account: Some(bucket.account.clone()), operation, ..Matcher::default() };
    let refused = Effect::Fail { status: 403, code: "AccessDenied".to_owned(), message: "Access Denied".to_owned() };
    let denied = bucket.stand.control().fault(Fault::new(matcher.clone(), refused)).await;
    let told = at(&bucket, &replay).await;
    assert_eq!(told.status.code(), Some(1), "{}", told.said());
    assert!(told.stderr.contains(&format!("warning: s3://replayed/{LOG}: AccessDenied: Access Denied")), "{}", told.said());
    assert!(told.stderr.contains("1 match in 10 records of 6 files"), "{}", told.said());
    denied.remove().await;

    // What passes is tried again.
    let cut = bucket.stand.control().fault(Fault::new(matcher, Effect::Cut).times(2)).await;
    let again = at(&bucket, &replay).await.success();
    assert_eq!((&again.stdout, cut.times_struck().await), (&local.stdout, 2), "{}", again.said());
    cut.remove().await;

    let none = at(&bucket, &["replay", "s3://nobodys-bucket/x", "--definitions", &definitions]).await;
    assert_eq!(none.status.code(), Some(1), "{}", none.said());
    assert!(none.stderr.contains("warning: s3://nobodys-bucket/x: NoSuchBucket: "), "{}", none.said());
}

/// Accounts, regions and days of a trail of an organization.
const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];
const DAYS: [&str; 2] = ["01", "05"];

/// The key of the one log of an account, a region and a day.
fn key(account: &str, region: &str, day: &str) -> String {
    format!("AWSLogs/o-abc123/{account}/CloudTrail/{region}/2026/03/{day}/{account}_CloudTrail_{region}_202603{day}T1205Z_0.json.gz")
}

/// A trail with one event in each of its logs.
async fn organization(name: &str) -> Bucket {
    let bucket = Bucket::new(name, "us-east-1").await;
    for account in ACCOUNTS {
        for region in REGIONS {
            for day in DAYS {
                let record = json!({"eventID": format!("{account} {region} {day}"), "eventName": "CreateUser", "eventSource": "iam.amazonaws.com",
                    "eventTime": format!("2026-03-{day}T12:00:00Z"), "awsRegion": region, "recipientAccountId": account});
                let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
                packed.write_all(json!({"Records": [record]}).to_string().as_bytes()).unwrap();
                bucket.put(&key(account, region, day), packed.finish().unwrap()).await;
            }
        }
    }
    bucket
}

/// What is found, and what S3 was asked for: the number of its lists, and the objects.
async fn searched(bucket: &Bucket, arguments: &[&str]) -> (Vec<String>, u64, Vec<String>) {
    let control = bucket.stand.control();
    let ours = Matcher::service("s3").by(&bucket.account);
    control.clear_calls(&ours).await;
    let place = format!("s3://{}", bucket.name);
    let columns = ["--columns", "eventID", "--format", "csv"];
    let found = at(bucket, &[&["search", "event:CreateUser", &place][..], arguments, &columns].concat()).await.success();
    let mut found: Vec<String> = found.stdout.lines().skip(1).map(str::to_owned).collect();
    found.sort();
    let calls = control.calls(&ours).await;
    let lists = calls.iter().filter(|call| call.operation.is_empty()).map(|call| call.count).sum();
    let objects = calls.iter().filter(|call| !call.operation.is_empty()).map(|call| call.operation.clone()).collect();
    (found, lists, objects)
}

#[tokio::test]
async fn a_search_asks_for_nothing_but_what_it_needs() {
    let bucket = organization("organization").await;
    let name = |account: &str, region: &str, day: &str| key(account, region, day).rsplit('/').next().unwrap().to_owned();
    // The bucket, `AWSLogs/`, the organization, two accounts with their `CloudTrail/`, and four regions, each swept.
    let (found, lists, objects) = searched(&bucket, &[]).await;
    assert_eq!((found.len(), lists, objects.len()), (8, 11, 8));
    // Of one account and region the year, the month and the day are looked at, too.
    let [account, _] = ACCOUNTS;
    let [region, _] = REGIONS;
    let one = ["--account", account, "--region", region, "--from", "2026-03-01", "--until", "2026-03-02"];
    let found = searched(&bucket, &one).await;
    assert_eq!(found, (vec![format!("{account} {region} 01")], 9, vec![name(account, region, "01")]));
    let (found, lists, objects) = searched(&bucket, &["--account", account, "--from", "2026-03-04"]).await;
    assert_eq!(found, REGIONS.map(|region| format!("{account} {region} 05")));
    assert_eq!((lists, objects), (13, REGIONS.map(|region| name(account, region, "05")).to_vec()));
    let (found, ..) = searched(&bucket, &["--region", "us-east-1"]).await;
    assert_eq!(found.len(), 4);

    // What can not be read is told by its name; the rest is found.
    let matcher = Matcher { operation: Some(name(account, region, "01")), ..Matcher::service("s3").by(&bucket.account) };
    let cut = bucket.stand.control().fault(Fault::new(matcher, Effect::Cut)).await;
    let told = at(&bucket, &["search", "*", "s3://organization", "--count"]).await;
    assert_eq!((told.status.code(), told.stdout.as_str()), (Some(1), "7\n"), "{}", told.said());
    assert!(told.stderr.contains(&format!("warning: s3://organization/{}: ", key(account, region, "01"))), "{}", told.said());
    assert!(told.stderr.contains("; it was tried 5 times\n7 matches in 7 records of 8 files; "), "{}", told.said());
    cut.remove().await;
}
