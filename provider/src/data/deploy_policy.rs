//! `data "trailwire_deploy_policy"`: the IAM policy that whoever deploys needs, in the hub's account or in a member account.

use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::deploy::{Deployer, deploy_policy};
use trailwire_engine::fanout::names::{Cell, Hub, check_hub_name};

use crate::context::Context;
use crate::resource::{Boxed, DataSource, ReadDataRequest, ReadResponse, ValidateRequest};
use crate::schema::{Attribute, Schema};
use crate::value::Dynamic;

/// The data source.
#[derive(Debug, Clone, Copy)]
pub struct DeployPolicyData;

impl DataSource for DeployPolicyData {
    fn name(&self) -> &'static str {
        "trailwire_deploy_policy"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "The IAM policy that a deployer needs, in the hub's own account or in a member account: what the provider calls, by Trailwire's names.")
            .attribute(
                Attribute::string("role")
                    .required()
                    .one_of(&["home", "member"])
                    .describe("`home`: whoever runs Terraform, in the hub's account. `member`: the role that is assumed in each member account."),
            )
            .attribute(
                Attribute::string("hub")
                    .not_empty()
                    .describe("The name of a hub in the provider's region, or its ARN, whether it is made yet or not. Omitted: every hub."),
            )
            .attribute(Attribute::string("permissions_boundary").not_empty().describe(
                "ARN of a policy: no role is made or given rights without it as its permissions boundary, and none loses it. Every hub that is deployed by this \
                 must name it in its own `permissions_boundary`. Omitted: whoever holds the policy can give a role that begins with `tw-` any right, and so has \
                 all rights of the account.",
            ))
            .attribute(Attribute::string("json").computed().describe("The policy."))
    }

    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        let given = request.config.get_str("hub").filter(|reference| Hub::from_arn(reference).is_none());
        let wrong = given.map(check_hub_name).and_then(Result::err);
        wrong.map(|invalid| Diagnostic::error(Code::BAD_NAME, invalid.to_string()).at(Path::root("hub"))).into_iter().collect()
    }

    fn read<'a>(&'a self, context: &'a Context, request: ReadDataRequest) -> Boxed<'a, ReadResponse> {
        Box::pin(async move { read(context, &request).await.into() })
    }
}

async fn read(context: &Context, request: &ReadDataRequest) -> Result<Dynamic, Diagnostic> {
    let home = context.cloud.session(&request.stop).home().await.map_err(|error| error.diagnostic())?.cell;
    let partition = Hub::new("", home.clone()).partition();
    let hub = request.config.get_str("hub").map(|reference| {
        Hub::from_arn(reference).unwrap_or_else(|| Hub::new(reference, Cell::new(home.account.clone(), home.region.clone())))
    });
    let deployer = match request.config.get_str("role") {
        Some("member") => Deployer::Member,
        _ => Deployer::Home { member_role_name: &context.config.member_role_name },
    };
    let mut state = request.config.clone();
    let boundary = request.config.get_str("permissions_boundary");
    state.set("json", Dynamic::String(deploy_policy(deployer, partition, hub.as_ref(), boundary)));
    Ok(state)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// What AWS lets everybody do, and what it allows by the parts.
    const WITHOUT: [&str; 2] = ["sts:GetCallerIdentity", "dynamodb:TransactWriteItems"];

    /// Every operation that the list of calls names.
    fn operations() -> BTreeSet<&'static str> {
        let source = concat!(include_str!("../cloud/call.rs"), include_str!("../cloud/call/function.rs"));
        let quoted = source.split('"').skip(1).step_by(2);
        quoted.filter(|text| text.split_once(':').is_some_and(|(_, name)| name.starts_with(char::is_uppercase))).collect()
    }

    #[test]
    fn every_call_of_the_provider_is_allowed_and_nothing_beside() {
        let home = Deployer::Home { member_role_name: "trailwire-deploy" };
        let policy: Value = serde_json::from_str(&deploy_policy(home, "aws", None, None)).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
        let allowed: BTreeSet<&str> = actions.filter_map(Value::as_str).collect();
        let calls = operations();
        assert!(calls.len() > 40, "{calls:?}");
        let missing: Vec<&&str> = calls.iter().filter(|call| !allowed.contains(**call) && !WITHOUT.contains(call)).collect();
        assert_eq!(missing, [&""; 0]);
        let by_parts = ["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"].map(|name| format!("dynamodb:{name}"));
        // Of the last the provider has no need: whoever deploys may ask `trailwire doctor`, too.
        let others = ["iam:PassRole", "sts:AssumeRole", "cloudwatch:GetMetricData"];
        let used = |action: &str| calls.contains(action) || others.contains(&action) || by_parts.iter().any(|part| part == action);
        let unused: Vec<&&str> = allowed.iter().filter(|action| !used(action)).collect();
        assert_eq!(unused, [&""; 0]);
    }
}
