use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use trailwire_engine::fanout::names::Cell;

use super::*;
use crate::cloud::Cloud;
use crate::cloud::model::{ACCOUNT, Model};
use crate::cloud::retry::Timing;
use crate::config::ProviderConfig;
use crate::value::Dynamic;

async fn store(model: &Model) -> Store {
    store_with(model, Timing::fast()).await
}

/// The same table with a lease so long that a slow machine renews it in time.
async fn with_long_lease(model: &Model) -> Store {
    let mut timing = Timing::fast();
    timing.lease = Duration::from_secs(4);
    store_with(model, timing).await
}

async fn store_with(model: &Model, timing: Timing) -> Store {
    let config = Arc::new(ProviderConfig::parse(&Dynamic::Null).unwrap());
    let session = Arc::new(Cloud::with_door(config, Arc::new(model.clone()), timing)).session(&CancellationToken::new());
    let hub = Hub::new("security", Cell::new(ACCOUNT, "eu-west-1"));
    let _ = session.create_table(hub.home(), &hub.table_name(), &Default::default()).await;
    Store::new(&session, &hub)
}

async fn live(model: &Model) -> Store {
    let store = store(model).await;
    let (adopted, _lease) = store.claim_hub(|_| String::new()).await.unwrap();
    assert_eq!(adopted, None);
    store.put_hub(&HubItem { record: None, revision: 0, settings: None, claim: Claim::live() }).await.unwrap();
    store
}

async fn revision(store: &Store) -> u64 {
    store.hub_item().await.unwrap().unwrap().revision
}

#[tokio::test]
async fn a_definition_lives_and_dies_and_every_change_raises_the_revision() {
    let store = live(&Model::default()).await;
    let first = revision(&store).await;
    let (claimed, lease) = store.claim(Kind::Trigger, "a", Some("{}"), "{}").await.unwrap();
    assert_eq!(claimed, Claimed::New);
    let definition = store.definition(Kind::Trigger, "a").await.unwrap().unwrap();
    assert_eq!((definition.claim.state, definition.document.as_deref()), (State::Creating, Some("{}")));
    store.put(Kind::Trigger, "a", r#"{"b":1}"#, "{}", Some(&lease)).await.unwrap();
    drop(lease);
    let definition = store.definition(Kind::Trigger, "a").await.unwrap().unwrap();
    assert_eq!((definition.claim.state, definition.revision), (State::Live, 2));
    store.delete(Kind::Trigger, "a").await.unwrap();
    assert_eq!(store.definitions(Kind::Trigger).await.unwrap(), []);
    assert_eq!(revision(&store).await, first + 3);
    store.delete(Kind::Trigger, "a").await.unwrap();
}

#[tokio::test]
async fn a_live_name_is_refused_with_the_import_command() {
    let store = live(&Model::default()).await;
    let (_, lease) = store.claim(Kind::Trigger, "a", None, "{}").await.unwrap();
    store.confirm(Kind::Trigger, "a", &lease).await.unwrap();
    let error = store.claim(Kind::Trigger, "a", None, "{}").await.unwrap_err();
    assert_eq!(
        error.diagnostic().draw(),
        "error[TW4005]: trigger `a` of hub `security` exists already\n  \
         = help: choose another name, or bring it under this state: terraform import trailwire_trigger.NAME security/a"
    );
    assert!(store.claim(Kind::Destination, "a", None, "{}").await.is_ok(), "kinds have names of their own");
    assert!(matches!(store.claim_hub(|_| String::new()).await, Err(StoreError::Taken { .. })));
}

#[tokio::test]
async fn an_abandoned_claim_is_adopted_and_a_renewed_one_is_respected() {
    let model = Model::default();
    let store = live(&model).await;
    let (_, lease) = store.claim(Kind::Trigger, "killed", Some("{}"), "{}").await.unwrap();
    drop(lease);
    let (claimed, _lease) = store.claim(Kind::Trigger, "killed", Some("{}"), "{}").await.unwrap();
    assert_eq!(claimed, Claimed::Adopted);
    let store = with_long_lease(&model).await;
    let (_, _renewed) = store.claim(Kind::Trigger, "busy", Some("{}"), "{}").await.unwrap();
    let error = store.claim(Kind::Trigger, "busy", Some("{}"), "{}").await.unwrap_err();
    assert_eq!(error.to_string(), "trigger `busy` of hub `security` is being made by another apply");
}

/// A claim of a machine whose clock is `apart` seconds ahead of ours, or behind.
async fn claim_by_another_clock(store: &Store, name: &str, apart: i64) -> Item {
    let until = now().checked_add_signed(apart).unwrap();
    let claim = Claim::creating("somebody", until);
    let definition = Definition { kind: Kind::Trigger, name: name.to_owned(), document: None, settings: None, claim, revision: 1 };
    store.transact(vec![Write::Put { item: definition.write(), condition: None }]).await.unwrap();
    key(Kind::Trigger.as_str(), name)
}

#[tokio::test]
async fn the_clock_of_whoever_holds_a_claim_does_not_count() {
    let model = Model::default();
    let store = live(&model).await;
    let patient = with_long_lease(&model).await;
    let mut holders = Vec::new();
    for apart in [-400, -1, 0, 400] {
        let key = claim_by_another_clock(&patient, &format!("held{apart}"), apart).await;
        holders.push(Lease::begin(patient.clone(), key, "somebody".to_owned(), now()));
    }
    let refusals = [-400, -1, 0, 400].map(|apart| {
        let patient = &patient;
        async move {
            let error = patient.claim(Kind::Trigger, &format!("held{apart}"), None, "{}").await.unwrap_err();
            assert_eq!(error.to_string(), format!("trigger `held{apart}` of hub `security` is being made by another apply"));
        }
    });
    futures::future::join_all(refusals).await;
    assert_eq!(patient.declared().await.unwrap().len(), holders.len());
    drop(holders);
    for apart in [-400, 0, 400] {
        let name = format!("killed{apart}");
        claim_by_another_clock(&store, &name, apart).await;
        assert_eq!(store.claim(Kind::Trigger, &name, None, "{}").await.unwrap().0, Claimed::Adopted, "{apart}");
    }
}

#[tokio::test]
async fn a_claim_is_watched_for_a_whole_lease_unless_it_is_long_over() {
    let model = Model::default();
    let store = live(&model).await;
    let looks = |calls: Vec<String>| calls.iter().filter(|call| call.starts_with("dynamodb:GetItem")).count();
    for (apart, is_watched) in [(0, true), (-2_000, false)] {
        claim_by_another_clock(&store, &format!("killed{apart}"), apart).await;
        model.take_calls();
        let begun = Instant::now();
        let (claimed, _lease) = store.claim(Kind::Trigger, &format!("killed{apart}"), None, "{}").await.unwrap();
        assert_eq!(claimed, Claimed::Adopted);
        let took = begun.elapsed();
        // The hub, the claim, and then what was watched: how often depends on the machine.
        let looks = looks(model.take_calls());
        if is_watched {
            assert!(looks > 2 && took >= store.session.timing().lease, "{looks} looks in {took:?}");
        } else {
            assert_eq!(looks, 2);
        }
    }
}

#[tokio::test]
async fn what_somebody_else_adopts_meanwhile_is_left_alone() {
    let model = Model::default();
    live(&model).await;
    let store = with_long_lease(&model).await;
    claim_by_another_clock(&store, "a", 0).await;
    let (one, other) = (store.claim(Kind::Trigger, "a", None, "{}"), store.claim(Kind::Trigger, "a", None, "{}"));
    let outcomes = tokio::join!(one, other);
    let errors = [outcomes.0.as_ref().err(), outcomes.1.as_ref().err()];
    let told: Vec<String> = errors.into_iter().flatten().map(ToString::to_string).collect();
    assert_eq!(told, ["trigger `a` of hub `security` is being made by another apply"]);
}

#[tokio::test]
async fn nothing_is_declared_in_a_hub_that_is_gone_or_going() {
    let model = Model::default();
    let store = store(&model).await;
    assert!(matches!(store.claim(Kind::Trigger, "a", None, "{}").await, Err(StoreError::NoHub(_))));
    assert!(matches!(store.put(Kind::Trigger, "a", "{}", "{}", None).await, Err(StoreError::NoHub(_))));
    let store = live(&Model::default()).await;
    store.close_hub().await.unwrap();
    assert!(matches!(store.claim(Kind::Trigger, "a", None, "{}").await, Err(StoreError::NoHub(_))));
    store.reopen_hub().await.unwrap();
    assert!(store.claim(Kind::Trigger, "a", None, "{}").await.is_ok());
}

#[tokio::test]
async fn a_claim_that_was_lost_neither_confirms_nor_removes_what_somebody_else_makes() {
    let model = Model::default();
    let store = live(&model).await;
    let (_, mut lost) = store.claim(Kind::Trigger, "a", Some("{}"), "{}").await.unwrap();
    lost.stop_renewing();
    let (claimed, ours) = store.claim(Kind::Trigger, "a", Some("{}"), "{}").await.unwrap();
    assert_eq!(claimed, Claimed::Adopted);
    for outcome in [store.confirm(Kind::Trigger, "a", &lost).await, store.withdraw(Kind::Trigger, "a", &lost).await] {
        assert!(outcome.unwrap_err().to_string().contains("another apply has taken it over"));
    }
    store.confirm(Kind::Trigger, "a", &ours).await.unwrap();
    assert_eq!(store.definition(Kind::Trigger, "a").await.unwrap().unwrap().claim.state, State::Live);
}

#[tokio::test]
async fn answers_that_are_lost_after_the_work_was_done_do_no_harm() {
    let model = Model::default();
    let store = live(&model).await;
    model.lose_answers(true);
    let (claimed, lease) = store.claim(Kind::Trigger, "a", Some("{}"), "{}").await.unwrap();
    assert_eq!(claimed, Claimed::New);
    store.confirm(Kind::Trigger, "a", &lease).await.unwrap();
    store.put(Kind::Trigger, "a", "{}", "{}", None).await.unwrap();
    store.delete(Kind::Trigger, "a").await.unwrap();
    let (_, lease) = store.claim(Kind::Trigger, "b", Some("{}"), "{}").await.unwrap();
    store.withdraw(Kind::Trigger, "b", &lease).await.unwrap();
    assert_eq!(store.definitions(Kind::Trigger).await.unwrap(), []);
}
