//! How much of what people write is pushed down beyond the event name, and why the rest stays: the worked examples that
//! Trailwire began with, the expressions in the documentation, metric filters for what security benchmarks ask to be watched, and
//! those that people published, where they are at hand.
//!
//! `cargo test -p trailwire-engine --test pushdown_share -- --nocapture` prints the list.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one prints a list"
)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trailwire_engine::expr::{Expr, Kind};
use trailwire_engine::lang::{filter, jmespath};
use trailwire_engine::pushdown::{Asked, Frame, Written, push_down};

const EXAMPLES: [&str; 6] = [
    "!starts_with(detail.requestParameters.bucketName, 'gorillastack-')",
    "detail.userIdentity.sessionContext.attributes.mfaAuthenticated == 'false'",
    "detail.requestParameters.storageEncrypted == `false`",
    "contains(detail.userAgent, 'S3Console')",
    "detail.userIdentity.type == 'Root'",
    "!starts_with(detail.sourceIPAddress, '55.10.15.')",
];

/// What benchmarks ask to be watched, each as one would write it.
const CONTROLS: [&str; 12] = [
    "{ $.errorCode = \"*UnauthorizedOperation\" || $.errorCode = \"AccessDenied*\" }",
    "{ ($.errorCode = *UnauthorizedOperation || $.errorCode = AccessDenied*) && $.sourceIPAddress != \"delivery.logs.amazonaws.com\" && $.eventName != HeadBucket }",
    "{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed != Yes }",
    "{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed != Yes && $.userIdentity.type = IAMUser && $.responseElements.ConsoleLogin = Success }",
    "{ $.eventName = ConsoleLogin && $.errorMessage = \"Failed authentication\" }",
    "{ $.userIdentity.type = Root && $.userIdentity.invokedBy NOT EXISTS && $.eventType != AwsServiceEvent }",
    "{ $.eventName = RunInstances && ($.requestParameters.instanceType = *.8xlarge || $.requestParameters.instanceType = *.16xlarge) }",
    "{ $.eventName = CreateTrail || $.eventName = UpdateTrail || $.eventName = DeleteTrail || $.eventName = StopLogging }",
    "{ $.eventSource = kms.amazonaws.com && ($.eventName = DisableKey || $.eventName = ScheduleKeyDeletion) }",
    "{ $.eventSource = s3.amazonaws.com && ($.eventName = PutBucketAcl || $.eventName = PutBucketPolicy || $.eventName = DeleteBucketPolicy) }",
    "{ $.eventName = AuthorizeSecurityGroupIngress || $.eventName = RevokeSecurityGroupIngress || $.eventName = DeleteSecurityGroup }",
    "{ $.eventName = CreateNetworkAcl || $.eventName = CreateNetworkAclEntry || $.eventName = ReplaceNetworkAclEntry }",
];

/// An expression, and the text that its places are in.
struct Given {
    from: &'static str,
    text: String,
    tree: Expr,
}

#[test]
fn at_least_seven_of_ten_are_pushed_beyond_the_event_name() {
    let mut given: Vec<Given> =
        EXAMPLES.iter().map(|text| Given { from: "example", text: (*text).to_owned(), tree: jmespath::parse(text).0.unwrap() }).collect();
    given.extend(CONTROLS.iter().map(|text| Given { from: "control", text: (*text).to_owned(), tree: filter::parse(text).0.unwrap() }));
    given.extend(documented());
    given.extend(metric_filters());

    let mut by_name_alone = 0;
    let mut pushed_ones = 0;
    let mut exact_ones = 0;
    for Given { from, text, tree } in &given {
        if tests_the_name_alone(tree) {
            by_name_alone += 1;
            continue;
        }
        let pushed = push_down(Asked { expression: Some(Written { tree, text }), frame: Frame::Bare, ..Asked::default() });
        let beyond = pushed.pattern.as_deref().is_some_and(says_more_than_the_name);
        pushed_ones += usize::from(beyond);
        exact_ones += usize::from(pushed.exact);
        println!("{from}: {text}\n    {}", pushed.pattern.as_deref().unwrap_or("(nothing)"));
        pushed.notes.iter().for_each(|note| println!("    stays: {note}"));
    }
    let asked = given.len() - by_name_alone;
    println!("{} in all, {by_name_alone} test the event's name and source alone; of the {asked} others", given.len());
    println!("{pushed_ones} are pushed beyond the event name, {exact_ones} of all exactly");
    assert!(pushed_ones * 10 >= asked * 7, "{pushed_ones} of {asked}");
}

/// Whether the expression speaks of nothing but the event's name and source, which every mode pushes.
fn tests_the_name_alone(tree: &Expr) -> bool {
    let mut only = true;
    tree.walk(&mut |expr| {
        if let Kind::Field { name, .. } = &expr.kind {
            only &= ["detail", "eventName", "eventSource"].contains(&name.as_str());
        }
    });
    only
}

fn says_more_than_the_name(pattern: &str) -> bool {
    let pattern: Value = serde_json::from_str(pattern).unwrap();
    let detail = pattern["detail"].as_object();
    pattern.as_object().unwrap().keys().any(|name| name != "detail")
        || detail.is_some_and(|detail| detail.keys().any(|name| name != "eventName" && name != "eventSource"))
}

/// Every `match_expression` and `filter_pattern` in a code block of the documentation and the examples.
fn documented() -> Vec<Given> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut given = Vec::new();
    for file in ["docs", "examples", "README.md"].iter().flat_map(|name| files(&root.join(name))) {
        for line in fs::read_to_string(&file).unwrap_or_default().lines() {
            let Some((name, value)) = line.split_once('=') else { continue };
            let value = value.trim();
            // HCL's escapes are JSON's, save for templates.
            let Ok(text) = serde_json::from_str::<String>(value.split(" #").next().unwrap_or_default()) else { continue };
            let tree = match name.trim() {
                "match_expression" => jmespath::parse(&text).0,
                "filter_pattern" => filter::parse(&text).0,
                _ => None,
            };
            given.extend(tree.map(|tree| Given { from: "documentation", text, tree }));
        }
    }
    given.sort_by(|a, b| a.text.cmp(&b.text));
    given.dedup_by(|a, b| a.text == b.text);
    given
}

fn files(at: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(at) else { return vec![at.to_owned()] };
    entries.flatten().flat_map(|entry| files(&entry.path())).collect()
}

/// The metric filters kept beside the repository as data, each once.
fn metric_filters() -> Vec<Given> {
    let file = Path::new("shared/data/metric_filters.json");
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2).map(|above| above.join(file)).find(|file| file.exists());
    let Some(found) = found else {
        println!("there is no {} beside the repository: left out", file.display());
        return Vec::new();
    };
    let filters: Vec<Value> = serde_json::from_str(&fs::read_to_string(found).unwrap()).unwrap();
    let mut texts: Vec<String> = filters.iter().map(|filter| filter["pattern"].as_str().unwrap().to_owned()).collect();
    texts.sort();
    texts.dedup();
    let tree = |text: &String| filter::parse(text).0.unwrap_or_else(|| panic!("{text}"));
    texts.into_iter().map(|text| Given { from: "metric filter", tree: tree(&text), text }).collect()
}
