//! A resource from validation to destroy, and what happens when its code fails.

use std::time::{Duration, Instant};

use trailwire_provider::value::Dynamic;
use trailwire_provider::wire::message::{
    ApplyResourceChangeRequest, ApplyResourceChangeResponse, CallFunctionRequest, CallFunctionResponse, ClientCapabilities, Diagnostic,
    DiagnosticsResponse, DynamicValue, Empty, ImportResourceStateRequest, ImportResourceStateResponse, PlanResourceChangeRequest,
    PlanResourceChangeResponse, RawState, ReadDataSourceRequest, ReadDataSourceResponse, ReadResourceRequest, ReadResourceResponse,
    Selector, StopResponse, UpgradeResourceStateRequest, UpgradeResourceStateResponse, ValidateConfigRequest,
};

use crate::client::{Client, fake_provider, received, sent};
use crate::fake::{THING, config};

fn name() -> String {
    THING.to_owned()
}

async fn validate(client: &Client, config: &Dynamic, write_only: bool) -> Vec<Diagnostic> {
    let client_capabilities = Some(ClientCapabilities { write_only_attributes_allowed: write_only, ..Default::default() });
    let request = ValidateConfigRequest { type_name: name(), config: sent(config), client_capabilities };
    client.call::<_, DiagnosticsResponse>("ValidateResourceTypeConfig", request).await.unwrap().diagnostics
}

async fn plan(client: &Client, prior: &Dynamic, proposed: &Dynamic, config: &Dynamic) -> PlanResourceChangeResponse {
    let request = PlanResourceChangeRequest {
        type_name: name(),
        prior_state: sent(prior),
        proposed_new_state: sent(proposed),
        config: sent(config),
        prior_private: b"before".to_vec(),
    };
    client.call("PlanResourceChange", request).await.unwrap()
}

async fn apply(client: &Client, prior: &Dynamic, planned: Option<DynamicValue>, config: &Dynamic) -> ApplyResourceChangeResponse {
    let request = ApplyResourceChangeRequest {
        type_name: name(),
        prior_state: sent(prior),
        planned_state: planned,
        config: sent(config),
        planned_private: b"planned".to_vec(),
    };
    client.call("ApplyResourceChange", request).await.unwrap()
}

/// Creates with this configuration as Terraform does: what is proposed for a create is the configuration.
async fn create(client: &Client, config: &Dynamic) -> ApplyResourceChangeResponse {
    let planned = plan(client, &Dynamic::Null, config, config).await;
    assert_eq!(planned.diagnostics, []);
    apply(client, &Dynamic::Null, planned.planned_state, config).await
}

/// What Terraform proposes for an update: the configuration, and prior values of what is computed.
fn propose(prior: &Dynamic, config: &Dynamic) -> Dynamic {
    let mut proposed = config.clone();
    for computed in ["id", "severity", "cells"] {
        if config.get(computed).is_null() {
            proposed.set(computed, prior.get(computed).clone());
        }
    }
    proposed
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_values_are_not_judged_and_known_ones_are() {
    let client = fake_provider().await;
    let unknown =
        config(&[("name", Dynamic::Unknown), ("severity", Dynamic::Unknown), ("action", Dynamic::Unknown), ("regions", Dynamic::Unknown)]);
    assert_eq!(validate(&client, &unknown, true).await, []);
    let wrong = validate(&client, &config(&[("name", "".into()), ("severity", "hihg".into()), ("mode", "bad".into())]), true).await;
    let summaries: Vec<&str> = wrong.iter().map(|found| found.summary.as_str()).collect();
    let severity = "`severity` must be one of `low`, `medium`, `high`, not `hihg`";
    assert_eq!(summaries, ["`name` may not be \"\"", severity, "`mode` is bad"]);
    assert_eq!(wrong[1].detail, "    = help: did you mean `high`?\n  [TW1102]");
    let step = wrong[2].attribute.clone().unwrap().steps[0].selector.clone();
    assert_eq!(step, Some(Selector::AttributeName("mode".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn write_only_values_need_a_terraform_that_keeps_them_out_of_the_state() {
    let client = fake_provider().await;
    let config = config(&[("name", "a".into()), ("secret_wo", "s3cret".into())]);
    assert_eq!(validate(&client, &config, true).await, []);
    let refused = validate(&client, &config, false).await;
    assert!(refused[0].detail.contains("TW5002") && !format!("{refused:?}").contains("s3cret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn create_plans_unknowns_and_defaults_and_stores_no_secret() {
    let client = fake_provider().await;
    let action =
        Dynamic::List(vec![Dynamic::object([("wait", Dynamic::Null), ("token_wo", "t0ken".into()), ("notify", Dynamic::List(vec![]))])]);
    let size = Dynamic::Number("0.1".parse().unwrap());
    let config = config(&[("name", "a".into()), ("size", size.clone()), ("secret_wo", "s3cret".into()), ("action", action)]);
    let planned = plan(&client, &Dynamic::Null, &config, &config).await;
    let state = received(planned.planned_state.clone());
    assert_eq!((state.get("id"), state.get("cells"), state.get_str("severity")), (&Dynamic::Unknown, &Dynamic::Unknown, Some("medium")));
    assert_eq!((state.get_list("action")[0].get_str("wait"), state.get("size")), (Some("1m"), &size));
    assert_eq!((planned.planned_private.as_slice(), planned.requires_replace.len()), (&b"before"[..], 0));

    let again = plan(&client, &Dynamic::Null, &config, &config).await;
    assert_eq!(again, planned, "the second plan, in apply, must agree");

    let applied = apply(&client, &Dynamic::Null, planned.planned_state.clone(), &config).await;
    let state = received(applied.new_state.clone());
    assert_eq!(applied.diagnostics, []);
    assert_eq!((state.get_str("id"), state.get("cells").get_str("here")), (Some("id-a"), Some("6 letters")));
    assert_eq!(applied.private, b"applied");
    for bytes in [planned.planned_state.unwrap().msgpack, applied.new_state.unwrap().msgpack] {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("s3cret") && !text.contains("t0ken"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_work_is_the_prior_state_and_volatile_results_are_unknown_with_work() {
    let client = fake_provider().await;
    let first = config(&[("name", "a".into()), ("severity", "high".into())]);
    let prior = received(create(&client, &first).await.new_state);

    let nothing = plan(&client, &prior, &propose(&prior, &first), &first).await;
    assert_eq!(received(nothing.planned_state), prior);

    // Omitting it brings the default back, although Terraform proposes the prior value.
    let omitted = config(&[("name", "a".into())]);
    let update = plan(&client, &prior, &propose(&prior, &omitted), &omitted).await;
    let planned = received(update.planned_state);
    assert_eq!(
        (planned.get_str("severity"), planned.get_str("id"), planned.get("cells")),
        (Some("medium"), Some("id-a"), &Dynamic::Unknown)
    );
    assert_eq!(update.requires_replace, []);

    let renamed = config(&[("name", "b".into()), ("severity", "high".into())]);
    let replace = plan(&client, &prior, &propose(&prior, &renamed), &renamed).await;
    let paths: Vec<_> = replace.requires_replace.iter().map(|path| path.steps[0].selector.clone()).collect();
    assert_eq!(paths, [Some(Selector::AttributeName("name".to_owned()))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn destroy_plans_and_applies_null() {
    let client = fake_provider().await;
    let prior = received(create(&client, &config(&[("name", "a".into())])).await.new_state);
    let planned = plan(&client, &prior, &Dynamic::Null, &Dynamic::Null).await;
    assert_eq!(received(planned.planned_state.clone()), Dynamic::Null);
    let applied = apply(&client, &prior, planned.planned_state, &Dynamic::Null).await;
    assert_eq!((received(applied.new_state), applied.diagnostics.len()), (Dynamic::Null, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_diagnostic_without_values_and_loses_no_state() {
    trailwire_provider::server::install_panic_hook();
    let client = fake_provider().await;
    let with = |mode: &str| config(&[("name", "a".into()), ("mode", mode.into())]);
    let prior = received(create(&client, &with("good")).await.new_state);
    let judge = |diagnostics: &[Diagnostic]| {
        assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
        let found = &diagnostics[0];
        assert!(found.summary.starts_with("The provider panicked at ") && found.summary.contains("fake.rs:"), "{}", found.summary);
        assert!(found.detail.contains("bug in the provider") && !format!("{found:?}").contains("s3cret"));
    };

    judge(&validate(&client, &with("panic_validate"), true).await);
    let planned = plan(&client, &prior, &propose(&prior, &with("panic_plan")), &with("panic_plan")).await;
    judge(&planned.diagnostics);
    assert_eq!(received(planned.planned_state), prior);

    let mut unreadable = prior.clone();
    unreadable.set("mode", "panic_read");
    let request = ReadResourceRequest { type_name: name(), current_state: sent(&unreadable), private: b"p".to_vec() };
    let read: ReadResourceResponse = client.call("ReadResource", request).await.unwrap();
    judge(&read.diagnostics);
    assert_eq!((received(read.new_state), read.private), (unreadable, b"p".to_vec()));

    let updated = apply(&client, &prior, sent(&propose(&prior, &with("panic"))), &with("panic")).await;
    judge(&updated.diagnostics);
    assert_eq!((received(updated.new_state), updated.private), (prior, b"planned".to_vec()));

    let created = create(&client, &with("panic")).await;
    judge(&created.diagnostics);
    assert_eq!(received(created.new_state), Dynamic::Null, "nothing was recorded, so nothing is known to exist");
    let created = create(&client, &with("panic_late")).await;
    judge(&created.diagnostics);
    let known = received(created.new_state);
    assert_eq!(
        (known.get_str("id"), known.get("cells")),
        (Some("id-a"), &Dynamic::Null),
        "what was recorded, and null for what is unknown"
    );

    let argument = DynamicValue { msgpack: vec![0xa5, b'p', b'a', b'n', b'i', b'c'], json: vec![] };
    let request = CallFunctionRequest { name: "shout".to_owned(), arguments: vec![argument] };
    let called: CallFunctionResponse = client.call("CallFunction", request).await.unwrap();
    assert!(called.error.unwrap().text.contains("panicked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_the_resource_gets_wrong_are_bugs_with_a_name() {
    let client = fake_provider().await;
    let left_unknown = create(&client, &config(&[("name", "a".into()), ("mode", "unknown".into())])).await;
    assert!(left_unknown.diagnostics[0].summary.contains("unknown after apply"));
    assert_eq!(received(left_unknown.new_state).get_str("id"), Some("id-a"));

    let misfit = config(&[("name", "a".into()), ("mode", "misfit".into())]);
    let request = ReadResourceRequest { type_name: name(), current_state: sent(&misfit), private: Vec::new() };
    let read: ReadResourceResponse = client.call("ReadResource", request).await.unwrap();
    assert!(read.diagnostics[0].summary.contains("string was expected here, not a bool"));
    assert_eq!(received(read.new_state), misfit);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_a_running_apply_with_its_state() {
    let client = fake_provider().await;
    let slow = config(&[("name", "a".into()), ("mode", "slow".into())]);
    let running = tokio::spawn({
        let client = client.clone();
        async move { create(&client, &slow).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let asked = Instant::now();
    let _: StopResponse = client.call("Stop", Empty {}).await.unwrap();
    let stopped = running.await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2));
    assert_eq!(stopped.diagnostics[0].summary, "Interrupted");
    assert_eq!(received(stopped.new_state).get_str("id"), Some("id-a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn old_state_is_rewritten_and_fitted() {
    let client = fake_provider().await;
    let upgrade = async |version, json: &str| {
        let raw_state = Some(RawState { json: json.as_bytes().to_vec(), ..Default::default() });
        let request = UpgradeResourceStateRequest { type_name: name(), version, raw_state };
        client.call::<_, UpgradeResourceStateResponse>("UpgradeResourceState", request).await.unwrap()
    };
    let same = upgrade(1, r#"{"name":"a","size":0.1,"gone":true}"#).await;
    let state = received(same.upgraded_state);
    assert_eq!((state.get_str("name"), state.get("size").as_number().unwrap().to_string().as_str()), (Some("a"), "0.1"));
    assert_eq!(state.get("action"), &Dynamic::List(vec![]));
    let older = upgrade(0, r#"{"title":"b","size":12345678901234567890123}"#).await;
    assert_eq!(received(older.upgraded_state).get_str("name"), Some("b"));
    let newer = upgrade(2, "{}").await;
    assert!(newer.diagnostics[0].summary.contains("later version"));
}

#[tokio::test(flavor = "multi_thread")]
async fn import_data_sources_and_functions_answer() {
    let client = fake_provider().await;
    let request = ImportResourceStateRequest { type_name: name(), id: "a".to_owned() };
    let imported: ImportResourceStateResponse = client.call("ImportResourceState", request).await.unwrap();
    assert_eq!(received(imported.imported_resources[0].state.clone()).get_str("id"), Some("id-a"));

    let gone = config(&[("name", "a".into()), ("mode", "gone".into())]);
    let request = ReadResourceRequest { type_name: name(), current_state: sent(&gone), private: Vec::new() };
    let read: ReadResourceResponse = client.call("ReadResource", request).await.unwrap();
    assert_eq!(received(read.new_state), Dynamic::Null);

    let config = Some(DynamicValue { json: br#"{"name":"a","count_of":null}"#.to_vec(), msgpack: Vec::new() });
    let request = ReadDataSourceRequest { type_name: "trailwire_things".to_owned(), config };
    let read: ReadDataSourceResponse = client.call("ReadDataSource", request).await.unwrap();
    assert!(read.state.unwrap().msgpack.ends_with(&[0xa1, b'a']) && read.diagnostics.is_empty());

    let shout = async |text: &str| {
        let argument = DynamicValue { json: format!("{text:?}").into_bytes(), msgpack: Vec::new() };
        let request = CallFunctionRequest { name: "shout".to_owned(), arguments: vec![argument] };
        client.call::<_, CallFunctionResponse>("CallFunction", request).await.unwrap()
    };
    assert_eq!(shout("hi").await.result.unwrap().msgpack, [0xa2, b'H', b'I']);
    let error = shout("").await.error.unwrap();
    assert_eq!((error.text.as_str(), error.function_argument), ("nothing to shout", Some(0)));
}
