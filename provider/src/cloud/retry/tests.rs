use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::cloud::model::{ACCOUNT, Model};
use crate::config::ProviderConfig;
use crate::value::Dynamic;

fn cell() -> Cell {
    Cell::new(ACCOUNT, "us-east-1")
}

fn cloud(model: &Model) -> Arc<Cloud> {
    cloud_at(model, Timing::fast())
}

fn cloud_at(model: &Model, timing: Timing) -> Arc<Cloud> {
    let config = ProviderConfig::parse(&Dynamic::Null).unwrap();
    Arc::new(Cloud::with_door(Arc::new(config), Arc::new(model.clone()), timing))
}

fn call() -> Call {
    Call::DescribeTable { name: "t".to_owned() }
}

#[tokio::test]
async fn each_kind_is_tried_as_often_as_can_help() {
    for (kind, attempts) in [
        (Kind::Throttled, RETRIES + 1),
        (Kind::Transient, RETRIES + 1),
        (Kind::Unreachable, UNREACHABLE_RETRIES + 1),
        (Kind::AccessDenied, 1),
        (Kind::NotFound, 1),
        (Kind::ConditionFailed, 1),
    ] {
        let model = Model::default();
        model.fail(move |_, call| (call.operation() == "dynamodb:DescribeTable").then_some(kind));
        let error = cloud(&model).call(&cell(), call(), &CancellationToken::new()).await.unwrap_err();
        assert_eq!(error.kind, kind);
        let made = model.take_calls().iter().filter(|call| call.starts_with("dynamodb:DescribeTable")).count();
        assert_eq!(u32::try_from(made).unwrap(), attempts, "{kind:?}");
    }
}

#[tokio::test]
async fn a_call_succeeds_once_the_fault_is_over() {
    for kind in [Kind::Throttled, Kind::Transient, Kind::Propagating, Kind::QueueDeletedRecently, Kind::Unreachable] {
        let model = Model::default();
        let left = AtomicU32::new(2);
        model.fail(move |_, call| {
            let hit = call.operation() == "dynamodb:DescribeTable";
            (hit && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()).then_some(kind)
        });
        assert!(cloud(&model).call(&cell(), call(), &CancellationToken::new()).await.is_ok(), "{kind:?}");
    }
}

#[tokio::test]
async fn an_interrupt_ends_waiting_and_begins_nothing() {
    let model = Model::default();
    let failed = Arc::new(tokio::sync::Notify::new());
    let fails = Arc::clone(&failed);
    model.fail(move |_, call| {
        let asked = call.operation() == "dynamodb:DescribeTable";
        asked.then(|| fails.notify_one());
        asked.then_some(Kind::Propagating)
    });
    let stop = CancellationToken::new();
    let hour = Duration::from_secs(3600);
    let cloud = cloud_at(&model, Timing { poll: hour, propagation: hour, ..Timing::fast() });
    let cancel = async {
        failed.notified().await;
        stop.cancel();
    };
    let place = cell();
    let (outcome, ()) = tokio::join!(cloud.call(&place, call(), &stop), cancel);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, Kind::Interrupted);
    assert!(error.message.contains("injected"), "{}", error.message);
    model.take_calls();
    assert_eq!(cloud.call(&place, call(), &stop).await.unwrap_err().kind, Kind::Interrupted);
    assert!(model.take_calls().is_empty());
}

#[tokio::test]
async fn accounts_that_are_not_allowed_are_refused_before_any_call() {
    let model = Model::default();
    let mut config = ProviderConfig::parse(&Dynamic::Null).unwrap();
    config.allowed_account_ids.insert(ACCOUNT.to_owned());
    let cloud = Cloud::with_door(Arc::new(config.clone()), Arc::new(model.clone()), Timing::fast());
    let error = cloud.call(&Cell::new("999999999999", "us-east-1"), call(), &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Configuration);
    assert!(error.to_string().contains("does not allow account 999999999999"), "{error}");
    assert_eq!(model.take_calls(), ["sts:GetCallerIdentity eu-west-1"]);
    config.allowed_account_ids.clear();
    config.forbidden_account_ids.insert(ACCOUNT.to_owned());
    let cloud = Cloud::with_door(Arc::new(config), Arc::new(model.clone()), Timing::fast());
    let error = cloud.call(&cell(), call(), &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the credentials belong to account {ACCOUNT}, which the provider block does not allow"));
    assert_eq!(model.take_calls(), ["sts:GetCallerIdentity eu-west-1"]);
}
