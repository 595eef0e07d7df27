//! The provider block is not known yet: who will ask, and where, is not known either.

use serde_json::json;

use super::{H, config, trigger};
use crate::resource::Resource;
use crate::resource::testing::{Bench, drawn};
use crate::resource::trigger::TriggerResource;
use crate::value::Dynamic;

const UNKNOWN: [&str; 5] = ["region", "assume_role", "profile", "endpoints", "member_role_name"];

#[tokio::test]
async fn a_plan_promises_nothing_that_depends_on_it_and_asks_nobody() {
    for name in UNKNOWN {
        let bench = Bench { unknown: Some(name), ..Bench::new() };
        let mut named = config();
        named["region"] = json!("us-east-1");
        for (config, region) in [(config(), None), (named, Some("us-east-1"))] {
            let plan = bench.plan(H, &Dynamic::Null, &bench.config(H, &config)).await;
            assert_eq!(drawn(&plan.diagnostics), "");
            for attribute in ["arn", "account_id", "bus_arn", "queue_arn", "table_name", "forward_role_name", "runtime_policy_json"] {
                assert!(plan.planned.get(attribute).is_unknown(), "{attribute}");
            }
            assert_eq!((plan.planned.get_str("id"), plan.planned.get_str("region")), (Some("security"), region));
            assert_eq!(plan.planned.get("region").is_unknown(), region.is_none());
        }
        let plan = bench.plan(&TriggerResource, &Dynamic::Null, &bench.config(&TriggerResource, &trigger())).await;
        assert_eq!(drawn(&plan.diagnostics), "");
        assert_eq!(bench.model.take_calls(), [""; 0]);
    }
}

#[tokio::test]
async fn a_state_is_kept_and_a_plan_of_what_is_there_stands() {
    let mut bench = Bench::new();
    let hub = bench.ok(H, &Dynamic::Null, &config()).await;
    let mut narrow = trigger();
    narrow["regions"] = json!(["us-east-1"]);
    let made = bench.ok(&TriggerResource, &Dynamic::Null, &narrow).await;
    bench.unknown = Some("assume_role");
    bench.model.take_calls();
    for (resource, state, config) in [(H as &dyn Resource, &hub, config()), (&TriggerResource, &made, narrow)] {
        let read = bench.read(resource, state).await;
        assert_eq!(read.state, *state);
        assert_eq!(
            drawn(&read.diagnostics),
            "warning[TW4001]: `assume_role` of the provider block is not known yet, and the state is kept as it is\n  \
             = help: what it says may not be true any more; plan again once what it comes from is applied"
        );
        let plan = bench.plan(resource, state, &bench.config(resource, &config)).await;
        assert_eq!((drawn(&plan.diagnostics).as_str(), &plan.planned), ("", state));
    }
    assert_eq!(bench.model.take_calls(), [""; 0]);
    let error = bench.import(H, "security").await.unwrap_err();
    assert!(error.contains("`assume_role` of the provider block is not known yet, and AWS is not asked before it is"), "{error}");
}
