//! The event catalogue against real records and test fixtures of public projects, kept beside the repository as data.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test fails by panicking, and says why it was skipped")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trailwire_engine::catalogue::{self, Origin};

/// Pairs of event source and name that no service records: made up by authors of tests (an S3 call that comes from EC2, names
/// that no API has). The catalogue does well not to know them.
const MADE_UP: [(&str, &str); 15] = [
    ("cloudtrail", "DeleteRule"),
    ("cloudtrail", "DescribeTrail"),
    ("cloudtrail", "EnableRegion"),
    ("ec2", "DeleteBucketEncryption"),
    ("ec2", "DeleteBucketPublicAccessBlock"),
    ("ec2", "DeleteBucketReplication"),
    ("ec2", "PutBucketLogging"),
    ("ec2", "PutBucketVersioning"),
    ("iam", "DescribePolicy"),
    ("iam", "DetachUserGroup"),
    ("iam", "NotCreateUser"),
    ("iam", "PutPolicy"),
    ("s3", "CreateServiceLinkedRole"),
    ("s3", "SetQueueAttributes"),
    ("signin", "AssumeRole"),
];

fn records() -> Option<Vec<Value>> {
    let file = Path::new("shared/data/records.jsonl");
    let found: Option<PathBuf> =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2).map(|above| above.join(file)).find(|file| file.exists());
    if found.is_none() {
        println!("skipped: there is no {} beside the repository", file.display());
    }
    let text = found.map(|file| fs::read_to_string(file).expect("the file is text"))?;
    let record = |line: &str| serde_json::from_str::<Value>(line).expect("a line is JSON").get("record").cloned();
    Some(text.lines().filter_map(record).collect())
}

fn field<'r>(record: &'r Value, name: &str) -> &'r str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn what_is_recorded_is_known() {
    let Some(records) = records() else { return };
    let pairs: BTreeSet<(&str, &str)> = records.iter().map(|record| (field(record, "eventSource"), field(record, "eventName"))).collect();
    let is_made_up = |(source, name): &(&str, &str)| {
        MADE_UP.iter().any(|(made_up, its)| source.strip_suffix(catalogue::DOMAIN) == Some(*made_up) && name == its)
    };
    let (made_up, real): (Vec<_>, Vec<_>) = pairs.iter().partition(|pair| is_made_up(pair));
    let unknown: Vec<_> = real.iter().filter(|(source, name)| catalogue::lookup(source, name).is_none()).collect();
    println!("{} of {} pairs are unknown: {unknown:?}", unknown.len(), real.len());
    assert!(unknown.len() * 100 <= real.len(), "more than 1 % are unknown: {unknown:?}");
    assert!((unknown.len() + made_up.len()) * 100 <= pairs.len() * 4, "more than 4 % of all are unknown");
    let accepted: Vec<_> = made_up.iter().filter(|(source, name)| catalogue::lookup(source, name).is_some()).collect();
    assert!(accepted.is_empty(), "made up, and known: {accepted:?}");
}

#[test]
fn read_only_is_right() {
    let Some(records) = records() else { return };
    let flagged = records.iter().filter_map(|record| {
        let flag = record["readOnly"].as_bool().or_else(|| record["readOnly"].as_str()?.to_lowercase().parse().ok())?;
        let entry = catalogue::lookup(field(record, "eventSource"), field(record, "eventName"))?;
        Some((entry, flag, field(record, "eventName")))
    });
    let flagged: Vec<_> = flagged.collect();
    let wrong: Vec<_> = flagged.iter().filter(|(entry, flag, _)| entry.read_only != *flag).collect();
    assert!(flagged.len() >= 490, "{} records carry the flag", flagged.len());
    assert!(wrong.len() * 100 <= flagged.len(), "{} of {} are wrong: {wrong:?}", wrong.len(), flagged.len());
}

/// A record's `eventType` is the one that the catalogue tells, where it tells another one than a call.
#[test]
fn event_types_are_right() {
    let Some(records) = records() else { return };
    for record in &records {
        let Some(entry) = catalogue::lookup(field(record, "eventSource"), field(record, "eventName")) else { continue };
        let written = field(record, "eventType");
        let is_blanked = written.is_empty() || written == "...";
        // One fixture calls an action of the billing console a sign-in.
        let is_known_fixture = field(record, "eventName") == "SetContactAddress";
        if entry.origin == Origin::Unlisted && !is_blanked && !is_known_fixture {
            assert_eq!(entry.event_type.to_string(), written, "{} {}", field(record, "eventSource"), field(record, "eventName"));
        }
    }
}
