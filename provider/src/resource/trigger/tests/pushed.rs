//! What the rules carry: planned, kept, repaired.

use trailwire_engine::fanout::table::{Attribute, SETTINGS};

use super::*;
use crate::resource::plan::known_part;

const ROOT: &str = r#"{"source":[{"prefix":"aws."}],"detail-type":[{"suffix":" via CloudTrail"}],"detail":{"eventName":["AuthorizeSecurityGroupIngress"],"userIdentity":{"type":["Root"]}}}"#;

const ROOT_SHA256: &str = "5f9ec6b636c18d3e66de6fef38a56c98d8298ac62e7ca5211c29e5eec8f28559";

/// The patterns of the trigger's rules, each once.
fn patterns(bench: &Bench) -> Vec<String> {
    let mut patterns: Vec<String> = bench.model.with(|world| {
        let rules = world.rules.values().filter(|rule| rule.rule.name.ends_with("opened-0"));
        rules.map(|rule| rule.rule.pattern.clone()).collect()
    });
    patterns.dedup();
    patterns
}

#[tokio::test]
async fn a_match_in_any_language_is_planned_as_the_pattern_that_the_rules_get() {
    let (bench, _) = bench(&REGIONS).await;
    let mut state = Dynamic::Null;
    for (attribute, text, residual) in [
        ("match_expression", "detail.userIdentity.type == 'Root'", None),
        ("filter_pattern", "{ $.userIdentity.type = \"Root\" }", None),
        ("event_pattern", r#"{"detail": {"userIdentity": {"type": ["Root"]}}}"#, None),
        (
            "match_expression",
            "detail.a == detail.b && detail.userIdentity.type == 'Root' && detail.c == detail.d",
            Some("detail.a == detail.b && detail.c == detail.d"),
        ),
    ] {
        let config = with(json!({ attribute: text }));
        let plan = bench.plan(T, &state, &bench.config(T, &config)).await;
        assert_eq!((plan.planned.get_str("pushed_pattern"), plan.planned.get_str("residual")), (Some(ROOT), residual), "{text}");
        state = bench.ok(T, &state, &config).await;
        assert_eq!(patterns(&bench), [ROOT], "{text}");
        assert_eq!((state.get_str("pushed_pattern"), state.get_str("residual")), (Some(ROOT), residual), "{text}");
        assert_eq!(state.get_str("pattern_sha256"), Some(ROOT_SHA256));
    }
    let filter = with(json!({ "filter_pattern": "{ $.userIdentity.type = \"Root\" && $.userAgent = \"*x*\" }" }));
    state = bench.ok(T, &state, &filter).await;
    assert_eq!(state.get_str("residual"), Some("{ $.userAgent = \"*x*\" }"));
    let names = with(json!({ "match_expression": "detail.userIdentity.type == 'Root'", "push_down": "names" }));
    let state = bench.ok(T, &state, &names).await;
    assert_eq!(state.get_str("pushed_pattern"), Some(ROOT.replace(r#","userIdentity":{"type":["Root"]}"#, "").as_str()));
    assert_eq!(state.get_str("residual"), Some("detail.userIdentity.type == 'Root'"));
    let wild = with(json!({ "match_expression": "contains(detail.userAgent, 'console')", "push_down": "full" }));
    let state = bench.ok(T, &state, &wild).await;
    assert!(state.get_str("pushed_pattern").unwrap().contains(r#"{"wildcard":"*console*"}"#));
    bench.ok(T, &state, &with(json!({ "match_expression": "contains(detail.userAgent, 'console')" }))).await;
    assert!(!patterns(&bench)[0].contains("wildcard"));
}

#[tokio::test]
async fn every_attribute_is_changed_in_place_and_read_back_by_an_import() {
    let (bench, _) = bench(&REGIONS).await;
    let mut state = bench.ok(T, &Dynamic::Null, &trigger()).await;
    let event = json!({ "eventName": "AuthorizeSecurityGroupIngress", "errorCode": "x" }).to_string();
    let test = json!({ "name": "an x", "event": event, "expect": true });
    for changes in [
        json!({ "filter_pattern": "{ $.errorCode = \"x\" }" }),
        json!({ "filter_pattern": "{ $.errorCode = \"x\" }", "test": [test] }),
        json!({ "filter_pattern": "{ $.errorCode = \"x\" }", "test": [test, test], "push_down": "names" }),
        json!({ "event_pattern": "{\n  \"detail\": {\"errorCode\": [\"x\"]}\n}", "test": [test], "push_down": "full", "on_error": "match" }),
    ] {
        let config = with(changes);
        state = bench.ok(T, &state, &config).await;
        let imported = bench.import(T, "security/opened").await.unwrap();
        assert_eq!(bench.settled(T, &imported, &config).await, state);
    }
    let plain = bench.ok(T, &state, &trigger()).await;
    assert_eq!(plain.get_list("test"), []);
}

#[tokio::test]
async fn a_changed_pattern_is_drift_and_repaired() {
    let (bench, _) = bench(&REGIONS).await;
    let config = with(json!({ "match_expression": "detail.userIdentity.type == 'Root'" }));
    let state = bench.ok(T, &Dynamic::Null, &config).await;
    bench.model.with(|world| {
        let found = world.rules.iter_mut().find(|((region, _), rule)| region == "us-east-1" && rule.rule.name.ends_with("opened-0"));
        found.unwrap().1.rule.pattern = ROOT.replace("Root", "IAMUser");
    });
    let read = bench.read(T, &state).await.state;
    let drifted = read.get_string_map("drifted");
    assert!(drifted.len() == 1 && drifted["111122223333/us-east-1"].ends_with("has another event pattern"), "{drifted:?}");
    assert_eq!(read.get("pushed_pattern"), state.get("pushed_pattern"));
    bench.ok(T, &read, &config).await;
    assert_eq!(patterns(&bench), [ROOT]);
}

/// What an earlier version of the provider deployed.
fn deployed_before(bench: &Bench, change: impl Fn(&str) -> String) {
    bench.model.with(|world| {
        for rule in world.rules.values_mut().filter(|rule| rule.rule.name.ends_with("opened-0")) {
            rule.rule.pattern = change(&rule.rule.pattern);
        }
        for items in world.tables.values_mut() {
            let item = items.get_mut(&("trigger".to_owned(), "opened".to_owned())).unwrap();
            let Some(Attribute::Text(settings)) = item.get(SETTINGS) else { panic!("no settings") };
            let mut settings: Value = serde_json::from_str(settings).unwrap();
            let pattern = settings["pushed"]["patterns"][0].as_str().unwrap();
            settings["pushed"]["patterns"][0] = change(pattern).into();
            item.insert(SETTINGS.to_owned(), settings.to_string().into());
        }
    });
}

#[tokio::test]
async fn what_an_earlier_version_deployed_is_kept_until_what_decides_it_changes() {
    let (bench, hub_state) = bench(&REGIONS).await;
    let config = json!({ "match_expression": "detail.userIdentity.type == 'Root' && detail.errorCode == 'x'" });
    let state = bench.ok(T, &Dynamic::Null, &with(config.clone())).await;
    deployed_before(&bench, |pattern| pattern.replace(r#","errorCode":["x"]"#, "").replace(r#""errorCode":["x"],"#, ""));
    let deployed = patterns(&bench);
    assert!(deployed.len() == 1 && !deployed[0].contains("errorCode"), "{deployed:?}");
    let state = bench.settled(T, &state, &with(config.clone())).await;
    assert_eq!(state.get_str("pushed_pattern"), Some(deployed[0].as_str()));
    let imported = bench.import(T, "security/opened").await.unwrap();
    bench.settled(T, &imported, &with(config.clone())).await;
    let described = with(json!({ "description": "d", "match_expression": config["match_expression"] }));
    let state = bench.ok(T, &state, &described).await;
    assert_eq!(patterns(&bench), deployed);
    // A region that the hub takes in gets the same.
    bench.ok(&HubResource, &hub_state, &hub(&["eu-west-1", "us-east-1", "us-west-2"])).await;
    assert_eq!((rules(&bench), patterns(&bench)), (vec![0, 1, 1, 1], deployed.clone()));
    let state = bench.settled(T, &state, &described).await;
    let changed = with(json!({ "description": "d", "match_expression": "detail.errorCode == 'x' && detail.userIdentity.type == 'Root'" }));
    bench.ok(T, &state, &changed).await;
    assert!(patterns(&bench)[0].contains(r#""errorCode":["x"]"#));
}

#[tokio::test]
async fn what_an_earlier_version_deployed_and_is_found_to_lose_events_is_replaced() {
    let (bench, _) = bench(&REGIONS).await;
    let config = with(json!({ "match_expression": "detail.userIdentity.type == 'Root'" }));
    let state = bench.ok(T, &Dynamic::Null, &config).await;
    deployed_before(&bench, |pattern| pattern.replace("Root", "AWSAccount"));
    let read = bench.read(T, &state).await.state;
    assert_eq!(read.get_string_map("drifted").len(), 3);
    bench.ok(T, &read, &config).await;
    assert_eq!(patterns(&bench), [ROOT]);
}

#[tokio::test]
async fn names_of_several_rules_have_an_array_of_patterns() {
    let (bench, _) = bench(&["us-east-1"]).await;
    let names: Vec<String> = (0..200).map(|n| format!("AnEventNameOfSomeLength{n}")).collect();
    let config = with(json!({ "event_names": names, "match_expression": "detail.errorCode == 'x'" }));
    let state = bench.ok(T, &Dynamic::Null, &config).await;
    let several: Vec<Value> = serde_json::from_str(state.get_str("pushed_pattern").unwrap()).unwrap();
    assert_eq!(several.len(), state.get_list("rule_names").len());
    let state =
        bench.ok(T, &state, &with(json!({ "event_names": names, "match_expression": "detail.errorCode == 'x'", "severity": "low" }))).await;
    bench.ok(T, &state, &Value::Null).await;
}

#[tokio::test]
async fn nothing_is_claimed_of_a_pattern_that_is_not_decided() {
    let (bench, _) = bench(&["us-east-1"]).await;
    let config = json!({ "match_expression": "detail.userIdentity.type == 'Root'", "description": "d" });
    for unknown in ["event_names", "match_expression", "push_down", "on_error", "event_sources", "any_event"] {
        let mut config = bench.config(T, &with(config.clone()));
        config.set(unknown, Dynamic::Unknown);
        let planned = bench.plan(T, &Dynamic::Null, &config).await.planned;
        assert!(planned.get("pushed_pattern").is_unknown() && planned.get("residual").is_unknown(), "{unknown}");
    }
    let mut config = bench.config(T, &with(config));
    config.set("description", Dynamic::Unknown);
    assert_eq!(bench.plan(T, &Dynamic::Null, &config).await.planned.get_str("pushed_pattern"), Some(ROOT));
    assert!(known_part(config).get("description").is_null());
}
