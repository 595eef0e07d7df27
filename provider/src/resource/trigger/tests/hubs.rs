//! Several hubs of one name: a trigger never lands in another one than is meant.

use serde_json::{Value, json};

use super::{T, with};
use crate::cloud::error::Kind;
use crate::resource::hub::HubResource;
use crate::resource::testing::Bench;
use crate::value::Dynamic;

/// Ours is in another region than the provider's own, where another team's may be.
async fn hubs(regions: &[&str]) -> (Bench, Vec<String>) {
    let bench = Bench::new();
    let mut arns = Vec::new();
    for region in regions {
        let config = json!({ "name": "security", "region": region, "regions": ["us-east-1"] });
        let made = bench.ok(&HubResource, &Dynamic::Null, &config).await;
        arns.push(made.get_str("arn").unwrap().to_owned());
    }
    (bench, arns)
}

#[tokio::test]
async fn a_hub_of_the_same_name_in_the_own_region_is_not_taken_for_ours() {
    let (bench, arns) = hubs(&["eu-west-1", "us-west-2"]).await;
    let (state, error) = bench.fails(T, &Dynamic::Null, &with(json!({}))).await;
    assert!(state.is_null() && error.contains("there are several hubs `security`"), "{error}");
    assert!(arns.iter().all(|arn| error.contains(arn)), "{error}");
    assert!(bench.import(T, "security/a").await.unwrap_err().contains("there are several hubs"));
    assert_eq!(bench.model.with(|world| world.rule_names("us-east-1")), Vec::<String>::new());
    let ours = with(json!({ "hub": arns[1] }));
    let state = bench.ok(T, &Dynamic::Null, &ours).await;
    assert_eq!(state.get_str("hub_arn"), Some(arns[1].as_str()));
    bench.ok(T, &state, &Value::Null).await;
}

#[tokio::test]
async fn a_region_that_may_not_be_read_is_passed_over_and_one_that_fails_is_not() {
    let (bench, arns) = hubs(&["us-west-2"]).await;
    for (operation, kind) in [
        ("dynamodb:GetItem", Kind::AccessDenied),
        ("dynamodb:GetItem", Kind::ScpDenied),
        ("dynamodb:GetItem", Kind::RegionDisabled),
        ("dynamodb:GetItem", Kind::Other),
        ("account:ListRegions", Kind::AccessDenied),
    ] {
        bench.model.fail(move |cell, call| {
            let here = call.operation() == operation && (cell.region == "eu-central-1" || operation.starts_with("account"));
            here.then_some(kind)
        });
        let found = bench.import(T, "security/none").await.unwrap_err();
        let expected = match (operation, kind) {
            ("account:ListRegions", _) => "there is no hub `security`",
            (_, Kind::Other) => "an AWS call failed, `dynamodb:GetItem` in 111122223333/eu-central-1",
            _ => "hub `security` has no trigger `none`",
        };
        assert!(found.contains(expected), "{operation} {kind:?}: {found}");
        assert_eq!(found.contains("name the hub by its ARN"), kind == Kind::Other, "{found}");
    }
    bench.model.heal();
    assert_eq!(bench.ok(T, &Dynamic::Null, &with(json!({}))).await.get_str("hub_arn"), Some(arns[0].as_str()));
}
