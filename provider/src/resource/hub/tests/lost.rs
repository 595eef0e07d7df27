//! A hub whose table was lost is made again, and that fails.

use serde_json::{Value, json};

use super::accounts::B;
use super::{H, trigger};
use crate::cloud::error::Kind;
use crate::resource::testing::Bench;
use crate::resource::trigger::TriggerResource;
use crate::value::Dynamic;

fn config() -> Value {
    json!({ "name": "security", "regions": ["eu-west-1", "us-east-1"], "alarm_actions": ["arn:aws:sns:eu-west-1:111122223333:pager"] })
}

/// The same over one more region and one more account.
fn wider() -> Value {
    let mut config = config();
    config["regions"] = json!(["eu-west-1", "us-east-1", "us-west-2"]);
    config["member_accounts"] = json!([B]);
    config
}

/// Everything there is, and what is in the items of tables.
fn things(bench: &Bench) -> Vec<String> {
    bench.model.with(|world| {
        let mut things: Vec<String> = world.roles.keys().chain(world.role_policies.keys().map(|(role, _)| role)).cloned().collect();
        let mut add = |kind: &str, (place, name): &(String, String)| things.push(format!("{kind} {place} {name}"));
        world.buses.keys().for_each(|place| add("bus", place));
        world.rules.keys().for_each(|place| add("rule", place));
        world.queues.keys().for_each(|place| add("queue", place));
        world.alarms.keys().for_each(|place| add("alarm", place));
        world.tables.keys().for_each(|place| add("table", place));
        world.tables.values().flat_map(|items| items.keys()).for_each(|place| add("item", place));
        let targets = world.rules.values().flat_map(|rule| &rule.targets);
        things.push(format!("{} targets, held {:?}", targets.count(), held(world)));
        things
    })
}

fn held(world: &crate::cloud::model::World) -> Vec<&String> {
    world.queues.values().filter_map(|queue| queue.get("ApproximateNumberOfMessages")).collect()
}

#[tokio::test]
async fn a_create_that_fails_removes_what_it_made_and_nothing_that_it_found() {
    for (operation, place) in [
        ("iam:CreateRole", B),
        ("iam:PutRolePolicy", B),
        ("sqs:CreateQueue", "us-west-2"),
        ("sqs:CreateQueue", B),
        ("events:PutPermission", ""),
        ("events:PutTargets", "us-west-2"),
        ("events:PutTargets", B),
    ] {
        for table in [false, true] {
            let bench = Bench::new();
            bench.ok(H, &Dynamic::Null, &config()).await;
            bench.ok(&TriggerResource, &Dynamic::Null, &trigger()).await;
            bench.model.with(|world| {
                for queue in world.queues.values_mut() {
                    queue.insert("ApproximateNumberOfMessages".to_owned(), "3".to_owned());
                }
                if table {
                    world.tables.values_mut().for_each(|items| items.retain(|(kind, _), _| kind == "trigger"));
                } else {
                    world.tables.clear();
                }
            });
            let before = things(&bench);
            bench
                .model
                .fail(move |cell, call| (call.operation() == operation && format!("{cell}").contains(place)).then_some(Kind::AccessDenied));
            let (state, error) = bench.fails(H, &Dynamic::Null, &wider()).await;
            assert!(state.is_null() && error.contains("what was made is removed again"), "{operation} {place}: {error}");
            assert_eq!(things(&bench), before, "{operation} {place}");
            bench.model.heal();
            let state = bench.apply(H, &Dynamic::Null, &wider()).await.state;
            assert!(!state.is_null());
            bench.model.with(|world| assert_eq!(held(world).len(), 4));
        }
    }
}

/// Of a function what is no role and no rule.
fn parts(bench: &Bench) -> [usize; 3] {
    bench.model.with(|world| [world.lambda.functions.len(), world.lambda.mappings.len(), world.lambda.logs.len()])
}

/// Table and bus are lost, and what is in the cells is not.
#[tokio::test]
async fn canaries_roles_and_a_function_that_were_found_stay() {
    let mut more = wider();
    more["query_operations"] = json!(["ec2:DescribeInstances"]);
    more["lambda"] = json!([{ "s3_bucket": "packages", "s3_key": "one", "source_code_hash": crate::resource::hub::sha256(b"one") }]);
    let mut function = config();
    function["lambda"] = more["lambda"].clone();
    for (before, after) in [(config(), &more), (function, &more)] {
        let bench = Bench::new();
        bench.ok(H, &Dynamic::Null, &before).await;
        bench.model.with(|world| {
            world.tables.clear();
            world.buses.clear();
            world.rules.retain(|(_, name), _| name.starts_with("default/"));
            // Of a function the role is gone, and the rest is not.
            world.roles.retain(|role, _| !role.ends_with("-runtime"));
            world.role_policies.retain(|(role, _), _| !role.ends_with("-runtime"));
        });
        let (found, function) = (things(&bench), parts(&bench));
        bench.model.fail(|cell, call| (call.operation() == "events:PutTargets" && cell.account == B).then_some(Kind::AccessDenied));
        let (state, error) = bench.fails(H, &Dynamic::Null, after).await;
        assert!(state.is_null() && error.contains("what was made is removed again"), "{error}");
        assert_eq!((things(&bench), parts(&bench)), (found, function));
    }
}

/// A create that was interrupted is tainted, and a user may tell Terraform to keep it.
#[tokio::test]
async fn a_create_that_was_interrupted_can_be_finished_or_says_so() {
    let bench = Bench::new();
    bench.ok(H, &Dynamic::Null, &config()).await;
    bench.model.with(|world| {
        world.tables.clear();
        world.queues.values_mut().for_each(|queue| drop(queue.insert("ApproximateNumberOfMessages".to_owned(), "3".to_owned())));
    });
    bench.model.fail(|cell, call| match call.operation() {
        "events:PutTargets" if cell.region == "us-west-2" => Some(Kind::AccessDenied),
        "sqs:DeleteQueue" => Some(Kind::AccessDenied),
        _ => None,
    });
    let (state, error) = bench.fails(H, &Dynamic::Null, &wider()).await;
    assert!(error.contains("was not wholly created"), "{error}");
    bench.model.heal();
    let read = bench.read(H, &state).await.state;
    let (_, error) = bench.fails(H, &read, &Value::Null).await;
    assert!(error.contains("its create did not end") && error.contains("terraform untaint"), "{error}");
    let state = bench.ok(H, &read, &wider()).await;
    assert!(state.get_str("queue_url").is_some());
    bench.settled(H, &state, &wider()).await;
}
