//! The function of a hub.

use serde_json::{Value, json};

use super::H;
use crate::cloud::call::Tagged;
use crate::cloud::error::Kind;
use crate::resource::hub::sha256;
use crate::resource::testing::{Bench, drawn};
use crate::value::Dynamic;

const NAME: &str = "trailwire-security";

fn config(lambda: &Value, team: &str) -> Value {
    let mut config = json!({ "name": "security", "regions": ["eu-west-1"], "tags": { "team": team } });
    if !lambda.is_null() {
        config["lambda"] = json!([lambda]);
    }
    config
}

/// A package in S3, which the model takes to be its key.
fn package(key: &str) -> Value {
    json!({ "s3_bucket": "packages", "s3_key": key, "source_code_hash": sha256(key.as_bytes()) })
}

/// The same with other members.
fn with(mut lambda: Value, more: &Value) -> Value {
    lambda.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    lambda
}

fn visibility(bench: &Bench) -> String {
    bench.model.with(|world| world.queues[&("eu-west-1".to_owned(), NAME.to_owned())]["VisibilityTimeout"].clone())
}

#[tokio::test]
async fn it_is_made_changed_and_removed_with_the_block() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config(&package("one"), "a")).await;
    assert_eq!(state.get_str("lambda_arn"), Some("arn:aws:lambda:eu-west-1:111122223333:function:trailwire-security"));
    assert_eq!(state.get_str("runtime_role_arn"), Some("arn:aws:iam::111122223333:role/trailwire/tw-755b7686-runtime"));
    assert_eq!(state.get_str("lambda_code_sha256"), Some(sha256(b"one").as_str()));
    assert_eq!(visibility(&bench), "360");
    bench.model.with(|world| {
        let function = &world.lambda.functions[NAME]["Configuration"];
        let role = "arn:aws:iam::111122223333:role/trailwire/tw-755b7686-runtime";
        for (member, value) in [
            ("Runtime", json!("provided.al2023")),
            ("Handler", json!("bootstrap")),
            ("Role", json!(role)),
            ("MemorySize", json!(256)),
            ("Timeout", json!(60)),
            ("Architectures", json!(["x86_64"])),
            ("Environment", json!({ "Variables": { "TRAILWIRE_HUB": "security" } })),
        ] {
            assert_eq!(function[member], value, "{member}");
        }
        let mapping = world.lambda.mappings.values().next().unwrap();
        assert_eq!(mapping["EventSourceArn"], "arn:aws:sqs:eu-west-1:111122223333:trailwire-security");
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
        assert_eq!(mapping["ScalingConfig"], json!({ "MaximumConcurrency": 10 }));
        assert_eq!(world.lambda.logs["/aws/lambda/trailwire-security"], 30);
        assert_eq!(world.lambda.schedules["tw-755b7686-sweep"], "rate(1 minute)");
        assert_eq!(world.lambda.inputs["tw-755b7686-sweep"], r#"{"trailwire":"sweep"}"#);
        let tags: Vec<_> = world.tags.iter().filter(|((_, of), _)| matches!(of, Tagged::Function(_) | Tagged::LogGroup(_))).collect();
        assert!(tags.len() == 2 && tags.iter().all(|(_, tags)| tags["team"] == "a"), "{tags:?}");
    });
    // A change of the package, of every setting, and of the tags.
    let more = json!({ "memory_size": 512, "timeout": 30, "architectures": ["arm64"], "maximum_concurrency": 5, "reserved_concurrent_executions": 7,
        "log_retention_in_days": 0, "s3_object_version": "v" });
    let changed = with(package("two"), &more);
    let state = bench.ok(H, &state, &config(&changed, "b")).await;
    assert_eq!(visibility(&bench), "180");
    bench.model.with(|world| {
        let function = &world.lambda.functions[NAME];
        let configuration = &function["Configuration"];
        assert_eq!((&configuration["MemorySize"], &configuration["Architectures"]), (&json!(512), &json!(["arm64"])));
        assert_eq!((&configuration["CodeSha256"], &configuration["Timeout"]), (&json!(sha256(b"two")), &json!(30)));
        assert_eq!(function["Concurrency"], json!({ "ReservedConcurrentExecutions": 7 }));
        assert_eq!(world.lambda.logs["/aws/lambda/trailwire-security"], Value::Null);
        assert!(world.tags.iter().filter(|((_, of), _)| matches!(of, Tagged::Function(_))).all(|(_, tags)| tags["team"] == "b"));
    });
    let imported = bench.import(H, "security").await.unwrap();
    let imported = bench.read(H, &imported).await.state;
    assert_eq!(imported.get("lambda"), state.get("lambda"));
    bench.settled(H, &imported, &config(&changed, "b")).await;

    let state = bench.ok(H, &state, &config(&Value::Null, "b")).await;
    assert!(bench.model.with(|world| world.lambda.is_empty() && world.roles.len() == 1));
    assert_eq!((visibility(&bench).as_str(), state.get("lambda_arn")), ("60", &Dynamic::Null));
    bench.ok(H, &state, &Value::Null).await;
    let state = bench.ok(H, &Dynamic::Null, &config(&package("one"), "a")).await;
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn another_content_of_the_same_file_is_deployed() {
    let bench = Bench::new();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("package.zip");
    let config = config(&json!({ "filename": file.to_str().unwrap() }), "a");
    let plan = bench.plan(H, &Dynamic::Null, &bench.config(H, &config)).await;
    assert!(
        drawn(&plan.diagnostics).contains("cannot be read: No such file or directory (os error 2) (in lambda[0].filename)"),
        "{:?}",
        plan.diagnostics
    );
    std::fs::write(&file, "one").unwrap();
    let state = bench.ok(H, &Dynamic::Null, &config).await;
    std::fs::write(&file, "two").unwrap();
    bench.ok(H, &state, &config).await;
    bench.model.with(|world| assert_eq!(world.lambda.functions[NAME]["Configuration"]["CodeSha256"], sha256(b"two")));
}

#[tokio::test]
async fn what_somebody_changed_is_drift_and_is_repaired() {
    let bench = Bench::new();
    let config = config(&package("one"), "a");
    let state = bench.ok(H, &Dynamic::Null, &config).await;
    bench.model.with(|world| {
        let function = world.lambda.functions.get_mut(NAME).unwrap();
        function["Configuration"]["CodeSha256"] = json!("other");
        function["Configuration"]["Timeout"] = json!(3);
        world.lambda.mappings.values_mut().for_each(|mapping| mapping["State"] = json!("Disabled"));
        world.lambda.logs.clear();
        world.lambda.policies.clear();
        world.lambda.schedules.clear();
        world.role_policies.retain(|(role, _), _| !role.ends_with("-runtime"));
    });
    let read = bench.read(H, &state).await.state;
    let told = read.get("drifted").get_str("111122223333/eu-west-1").unwrap().to_owned();
    let expected = "role tw-755b7686-runtime has another policy; log group /aws/lambda/trailwire-security is missing; function trailwire-security runs another \
                    package; function trailwire-security differs in Timeout; rule tw-755b7686-sweep is missing, or has another schedule; function \
                    trailwire-security may not be invoked by rule tw-755b7686-sweep; what feeds the function is switched off";
    assert_eq!(told, expected);
    let state = bench.ok(H, &read, &config).await;
    bench.model.with(|world| {
        world.lambda.functions.clear();
        world.lambda.mappings.clear();
        world.roles.retain(|role, _| !role.ends_with("-runtime"));
        world.rules.values_mut().for_each(|rule| rule.targets.iter_mut().for_each(|target| target.arn.push_str("-other")));
    });
    let read = bench.read(H, &state).await.state;
    let state = bench.ok(H, &read, &config).await;
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn answers_that_are_lost_and_calls_that_are_denied_leave_nothing() {
    let bench = Bench::new();
    bench.model.lose_answers(true);
    let state = bench.ok(H, &Dynamic::Null, &config(&package("one"), "a")).await;
    let state = bench.ok(H, &state, &config(&package("two"), "a")).await;
    bench.ok(H, &state, &Value::Null).await;
    bench.model.lose_answers(false);
    assert!(bench.model.with(|world| world.is_empty()));
    bench.model.fail(|_, call| (call.operation() == "lambda:CreateEventSourceMapping").then_some(Kind::AccessDenied));
    let (state, error) = bench.fails(H, &Dynamic::Null, &config(&package("one"), "a")).await;
    assert!(error.contains("allow `lambda:CreateEventSourceMapping` to whoever runs Terraform"), "{error}");
    assert!(state.is_null() && bench.model.with(|world| world.is_empty()));
    // Lambda is not asked where there is no function.
    bench
        .model
        .fail(|_, call| ["lambda:", "logs:"].iter().any(|service| call.operation().starts_with(service)).then_some(Kind::AccessDenied));
    let state = bench.ok(H, &Dynamic::Null, &config(&Value::Null, "a")).await;
    let state = bench.ok(H, &state, &config(&Value::Null, "b")).await;
    bench.ok(H, &state, &Value::Null).await;
}

#[tokio::test]
async fn a_package_that_is_another_one_is_refused() {
    let bench = Bench::new();
    let wrong = with(package("one"), &json!({ "source_code_hash": sha256(b"two") }));
    let (state, error) = bench.fails(H, &Dynamic::Null, &config(&wrong, "a")).await;
    let expected = format!("the package `s3://packages/one` has the hash {}, and {} is wanted", sha256(b"one"), sha256(b"two"));
    assert!(error.contains(&expected), "{error}");
    assert!(state.is_null() && bench.model.with(|world| world.is_empty()));
}

/// What runs already and is not what was meant gets no events until it is.
#[tokio::test]
async fn a_changed_package_that_is_another_one_is_not_fed() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config(&package("one"), "a")).await;
    let wrong = with(package("three"), &json!({ "source_code_hash": sha256(b"two") }));
    let (state, error) = bench.fails(H, &state, &config(&wrong, "a")).await;
    assert!(error.contains("the package `s3://packages/three` has the hash"), "{error}");
    let is_fed = || bench.model.with(|world| world.lambda.mappings.values().next().unwrap()["Enabled"] != json!(false));
    assert!(!is_fed(), "{:?}", bench.model.with(|world| format!("{:?}", world.lambda.mappings)));
    bench.ok(H, &state, &config(&package("two"), "a")).await;
    assert!(is_fed());
}

#[tokio::test]
async fn what_does_not_belong_together_is_refused() {
    let bench = Bench::new();
    let file = json!({ "filename": "f.zip" });
    for (lambda, expected) in [
        (json!({}), "the function has no package (in lambda[0].filename)"),
        (with(package("one"), &file), "the package is given twice, as `filename` and as `s3_key` (in lambda[0].s3_key)"),
        (json!({ "s3_key": "k", "source_code_hash": "h" }), "`s3_bucket` and `s3_key` belong together"),
        (json!({ "s3_key": "k", "s3_bucket": "b" }), "a package in S3 needs its hash"),
        (with(file, &json!({ "reserved_concurrent_executions": 5 })), "fewer invocations are kept (5) than batches handled at once (10)"),
    ] {
        let config = bench.config(H, &config(&with(lambda, &json!({ "maximum_concurrency": 10 })), "a"));
        let wrong = crate::resource::Resource::validate(H, &crate::resource::ValidateRequest { config });
        assert!(drawn(&wrong).contains(expected), "{}", drawn(&wrong));
    }
}
