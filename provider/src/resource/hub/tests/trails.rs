//! A hub where no trail logs.

use serde_json::{Value, json};

use super::H;
use crate::cloud::error::Kind;
use crate::cloud::model::ACCOUNT;
use crate::cloud::model::trails::ModelTrail;
use crate::resource::testing::{Bench, drawn};
use crate::value::Dynamic;

const MEMBER: &str = "444455556666";

fn config() -> Value {
    json!({ "name": "security", "regions": ["eu-west-1", "us-east-1"], "member_accounts": [MEMBER] })
}

/// What a plan that makes the hub tells, and the calls about trails.
async fn planned(bench: &Bench) -> (String, Vec<String>) {
    let plan = bench.plan(H, &Dynamic::Null, &bench.config(H, &config())).await;
    let calls = bench.model.take_calls().into_iter().filter(|call| call.starts_with("cloudtrail:"));
    (drawn(&plan.diagnostics), calls.collect())
}

fn with(trails: impl IntoIterator<Item = ModelTrail>) -> Bench {
    let bench = Bench::new();
    let trails = trails.into_iter().collect();
    bench.model.with(|world| world.trails = Some(trails));
    bench
}

fn single(account: &str, region: &str) -> ModelTrail {
    let mut trail = ModelTrail::new(Some(account), region);
    trail.trail.multi_region = false;
    trail
}

#[tokio::test]
async fn a_trail_of_all_regions_is_asked_about_once_for_each_account() {
    for trails in [
        vec![ModelTrail::new(None, "us-east-1")],
        vec![ModelTrail::new(Some(ACCOUNT), "eu-west-1"), ModelTrail::new(Some(MEMBER), "us-west-2")],
    ] {
        let (told, calls) = planned(&with(trails)).await;
        assert_eq!(told, "");
        assert_eq!(calls.len(), 4, "{calls:?}");
    }
}

#[tokio::test]
async fn cells_that_nothing_logs_are_named() {
    let stopped = ModelTrail { logging: false, ..ModelTrail::new(None, "us-east-1") };
    let mut narrow = ModelTrail { writes: false, ..ModelTrail::new(Some(MEMBER), "eu-west-1") };
    narrow.trail.custom_selectors = true;
    let bench = with([stopped, narrow, single(ACCOUNT, "eu-west-1"), single(ACCOUNT, "us-west-2")]);
    let (told, calls) = planned(&bench).await;
    let first = "warning[TW4011]: no trail logs what happens in 3 cells of the hub, and AWS sends no event from there\n";
    assert!(told.starts_with(first), "{told}");
    for line in ["111122223333: us-east-1\n", "444455556666: eu-west-1, us-east-1\n"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert_eq!(calls.len(), 9, "{calls:?}");
}

#[tokio::test]
async fn nothing_is_asked_where_nothing_changes() {
    let bench = with([]);
    let state = bench.apply(H, &Dynamic::Null, &config()).await.state;
    bench.model.take_calls();
    let plan = bench.plan(H, &state, &bench.config(H, &config())).await;
    assert_eq!(drawn(&plan.diagnostics), "");
    assert!(bench.model.take_calls().iter().all(|call| !call.starts_with("cloudtrail:")));
}

#[tokio::test]
async fn who_may_not_look_is_told_so_once() {
    let bench = with([]);
    bench.model.fail(|_, call| call.operation().starts_with("cloudtrail:").then_some(Kind::AccessDenied));
    let (told, _) = planned(&bench).await;
    assert_eq!(told.matches("warning[").count(), 1, "{told}");
    assert!(
        told.starts_with("warning[TW4012]: ") && told.contains("allow `cloudtrail:DescribeTrails` to whoever runs Terraform"),
        "{told}"
    );
    bench.model.with(|world| world.trails = None);
    bench.model.fail(|_, call| (call.operation() == "cloudtrail:GetTrailStatus").then_some(Kind::AccessDenied));
    assert!(planned(&bench).await.0.contains("cloudtrail:GetTrailStatus"));
}
