//! What whoever deploys a hub must be allowed to do, and nothing else: everything by the names that Trailwire gives.

use serde_json::{Value, json};

use super::names::{Hub, ROLE_PATH};
use super::objects::boundary_in;

/// In whose account the policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deployer<'a> {
    /// The hub's own account: whoever runs Terraform.
    Home {
        /// The role that is assumed in each member account, with its path.
        member_role_name: &'a str,
    },
    /// A member account: the role that is assumed there.
    Member,
}

/// The policy, JSON. For one hub where it is given, else for every hub of the partition.
///
/// Whoever may make a role and write its policy may do everything that some role may. With `boundary`, the ARN of a policy, this is bounded: no role is made
/// or written without that permissions boundary, or the policy of its name in the role's own account, and none loses it. Then every hub must name it, too.
#[must_use]
pub fn deploy_policy(deployer: Deployer<'_>, partition: &str, hub: Option<&Hub>, boundary: Option<&str>) -> String {
    let names = Names::of(partition, hub, boundary);
    let mut statements = names.cells();
    if let Deployer::Home { member_role_name } = deployer {
        statements.extend(names.home());
        let roles = format!("arn:{partition}:iam::*:role/{member_role_name}");
        statements.push(allow("Members", &["sts:AssumeRole"], &[roles]));
        let organisation = ["DescribeOrganization", "ListAccounts", "ListAccountsForParent", "ListOrganizationalUnitsForParent"];
        statements.push(allow("Organization", &of("organizations", &organisation), &["*".to_owned()]));
    }
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// The names of one hub, or patterns for those of all.
struct Names<'a> {
    partition: &'a str,
    /// What rules, roles and queues in cells begin with.
    prefix: String,
    /// The bus, the table and the queue.
    home: String,
    /// What secrets begin with.
    secrets: String,
    /// Where the hub is, `REGION:ACCOUNT`.
    place: String,
    /// The permissions boundary that every role has.
    boundary: Option<&'a str>,
}

impl<'a> Names<'a> {
    fn of(partition: &'a str, hub: Option<&Hub>, boundary: Option<&'a str>) -> Self {
        match hub {
            Some(hub) => Self {
                partition,
                prefix: hub.own_prefix(),
                home: hub.bus_name(),
                secrets: hub.secret_name("*", "*"),
                place: format!("{}:{}", hub.home().region, hub.home().account),
                boundary,
            },
            None => Self {
                partition,
                prefix: "tw-*".to_owned(),
                home: "trailwire-*".to_owned(),
                secrets: "trailwire/*".to_owned(),
                place: "*:*".to_owned(),
                boundary,
            },
        }
    }

    fn arn(&self, service: &str, place: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{place}:{resource}", self.partition)
    }

    /// Everything that ends in a star does so once.
    fn begins(&self) -> String {
        format!("{}*", self.prefix.trim_end_matches('*'))
    }

    /// What a hub has in every cell, and the role of its account.
    fn cells(&self) -> Vec<Value> {
        let begins = self.begins();
        let rules = self.arn("events", "*:*", &format!("rule/{begins}"));
        let role = format!("arn:{}:iam::*:role{ROLE_PATH}{begins}", self.partition);
        // A role that is missing has no path: looking for it, or removing what is gone, asks for its name alone.
        let missing = format!("arn:{}:iam::*:role/{begins}", self.partition);
        let queues = self.arn("sqs", "*:*", &begins);
        let pass = hand("Hand", "events.amazonaws.com", &role);
        let mut statements = vec![
            // Lists are of a bus: which resource they are asked for is not the same everywhere.
            allow("Look", &["account:ListRegions", "events:ListRules", "events:ListRuleNamesByTarget"], &["*".to_owned()]),
            allow("Trails", &of("cloudtrail", &["DescribeTrails", "GetTrailStatus", "GetEventSelectors"]), &["*".to_owned()]),
            allow("Rules", &of("events", &RULES), &[rules]),
            allow("MissingRoles", &of("iam", &["GetRole", "DeleteRolePolicy", "DeleteRole"]), &[missing]),
            pass,
            allow("Queues", &of("sqs", &QUEUES), &[queues]),
        ];
        statements.extend(self.roles(&role));
        statements
    }

    fn roles(&self, role: &str) -> Vec<Value> {
        let roles = [role.to_owned()];
        let Some(boundary) = self.boundary else {
            return vec![allow("Roles", &of("iam", &[&ROLES[..], &POWERS, &["DeleteRolePermissionsBoundary"]].concat()), &roles)];
        };
        let mut bounded = allow("BoundRoles", &of("iam", &POWERS), &roles);
        if let Some(statement) = bounded.as_object_mut() {
            statement.insert("Condition".to_owned(), json!({ "StringLike": { "iam:PermissionsBoundary": boundary_in(boundary, "*") } }));
        }
        vec![allow("Roles", &of("iam", &ROLES), &roles), bounded]
    }

    /// What a hub has in its home region alone.
    fn home(&self) -> Vec<Value> {
        let bus = self.arn("events", &self.place, &format!("event-bus/{}", self.home));
        let rule = self.arn("events", &self.place, &format!("rule/{}/{}", self.home, self.begins()));
        let queue = self.arn("sqs", &self.place, &self.home);
        let queues = if self.home.ends_with('*') { vec![queue] } else { vec![format!("{queue}-dlq"), queue] };
        let log = self.arn("logs", &self.place, &format!("log-group:/aws/lambda/{}", self.home));
        vec![
            allow("Bus", &of("events", &BUS), &[bus]),
            allow("HubRule", &of("events", &RULES), &[rule]),
            allow("HubQueues", &of("sqs", &QUEUES), &queues),
            // Lists of alarms, and metrics, are asked for whatever their names begin with. `trailwire doctor` asks for the age of the oldest event.
            allow("AlarmList", &["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"], &["*".to_owned()]),
            allow("Alarms", &of("cloudwatch", &ALARMS), &[self.arn("cloudwatch", &self.place, &format!("alarm:{}", self.begins()))]),
            // A role is removed after its policies, some of which belong to destinations.
            allow("RuntimePolicies", &["iam:ListRolePolicies"], &[format!("arn:{}:iam::*:role*{}runtime", self.partition, self.prefix)]),
            allow("Function", &of("lambda", &FUNCTION), &[self.arn("lambda", &self.place, &format!("function:{}", self.home))]),
            // What feeds a function has an id that nobody knows before; lists are asked for all of them.
            allow("Mappings", &of("lambda", &MAPPINGS), &["*".to_owned()]),
            allow("Logs", &of("logs", &LOGS), &[log.clone(), format!("{log}:*")]),
            allow("LogList", &["logs:DescribeLogGroups"], &["*".to_owned()]),
            hand("HandRuntime", "lambda.amazonaws.com", &format!("arn:{}:iam::*:role{ROLE_PATH}{}runtime", self.partition, self.prefix)),
            allow("Table", &of("dynamodb", &TABLE), &[self.arn("dynamodb", &self.place, &format!("table/{}", self.home))]),
            allow(
                "Secrets",
                &of("secretsmanager", &SECRETS),
                &[self.arn("secretsmanager", &self.place, &format!("secret:{}", self.secrets))],
            ),
        ]
    }
}

const RULES: [&str; 8] =
    ["PutRule", "DeleteRule", "PutTargets", "RemoveTargets", "ListTargetsByRule", "ListTagsForResource", "TagResource", "UntagResource"];
const BUS: [&str; 7] =
    ["CreateEventBus", "DescribeEventBus", "DeleteEventBus", "PutPermission", "ListTagsForResource", "TagResource", "UntagResource"];
const ROLES: [&str; 8] =
    ["GetRole", "DeleteRole", "UpdateAssumeRolePolicy", "GetRolePolicy", "DeleteRolePolicy", "ListRoleTags", "TagRole", "UntagRole"];
/// What gives a role rights.
const POWERS: [&str; 3] = ["CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary"];
const QUEUES: [&str; 8] =
    ["CreateQueue", "GetQueueUrl", "GetQueueAttributes", "SetQueueAttributes", "DeleteQueue", "ListQueueTags", "TagQueue", "UntagQueue"];
const FUNCTION: [&str; 13] = [
    "CreateFunction",
    "GetFunction",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "DeleteFunction",
    "PutFunctionConcurrency",
    "DeleteFunctionConcurrency",
    "GetPolicy",
    "AddPermission",
    "RemovePermission",
    "ListTags",
    "TagResource",
    "UntagResource",
];
const MAPPINGS: [&str; 4] = ["ListEventSourceMappings", "CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"];
const LOGS: [&str; 7] = [
    "CreateLogGroup",
    "PutRetentionPolicy",
    "DeleteRetentionPolicy",
    "DeleteLogGroup",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
];
const ALARMS: [&str; 5] = ["PutMetricAlarm", "DeleteAlarms", "ListTagsForResource", "TagResource", "UntagResource"];
/// A transaction is allowed by what it does to each item.
const TABLE: [&str; 12] = [
    "CreateTable",
    "DescribeTable",
    "DeleteTable",
    "GetItem",
    "Query",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "ConditionCheckItem",
    "ListTagsOfResource",
    "TagResource",
    "UntagResource",
];
const SECRETS: [&str; 6] = ["CreateSecret", "DescribeSecret", "PutSecretValue", "DeleteSecret", "TagResource", "UntagResource"];

fn of(service: &str, operations: &[&str]) -> Vec<String> {
    operations.iter().map(|operation| format!("{service}:{operation}")).collect()
}

/// The leave to give a role to a service.
fn hand(sid: &str, service: &str, role: &str) -> Value {
    let mut pass = allow(sid, &["iam:PassRole"], &[role.to_owned()]);
    if let Some(statement) = pass.as_object_mut() {
        statement.insert("Condition".to_owned(), json!({ "StringEquals": { "iam:PassedToService": service } }));
    }
    pass
}

fn allow(sid: &str, actions: &[impl AsRef<str>], resources: &[String]) -> Value {
    let actions: Vec<&str> = actions.iter().map(AsRef::as_ref).collect();
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fanout::names::Cell;

    const HOME: Deployer<'_> = Deployer::Home { member_role_name: "trailwire-deploy" };

    fn statements(policy: &str) -> Vec<Value> {
        serde_json::from_str::<Value>(policy).unwrap()["Statement"].as_array().unwrap().clone()
    }

    fn resources(policy: &str) -> Vec<(String, Vec<String>)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of = |statement: &Value| (text(&statement["Sid"]), statement["Resource"].as_array().unwrap().iter().map(text).collect());
        statements(policy).iter().map(of).collect()
    }

    #[test]
    fn a_hub_is_deployed_by_its_own_names_alone() {
        let hub = Hub::new("security", Cell::new("111122223333", "eu-west-1"));
        let expected: [(&str, &[&str]); 22] = [
            ("Look", &["*"]),
            ("Trails", &["*"]),
            ("Rules", &["arn:aws:events:*:*:rule/tw-755b7686-*"]),
            ("MissingRoles", &["arn:aws:iam::*:role/tw-755b7686-*"]),
            ("Hand", &["arn:aws:iam::*:role/trailwire/tw-755b7686-*"]),
            ("Queues", &["arn:aws:sqs:*:*:tw-755b7686-*"]),
            ("Roles", &["arn:aws:iam::*:role/trailwire/tw-755b7686-*"]),
            ("Bus", &["arn:aws:events:eu-west-1:111122223333:event-bus/trailwire-security"]),
            ("HubRule", &["arn:aws:events:eu-west-1:111122223333:rule/trailwire-security/tw-755b7686-*"]),
            (
                "HubQueues",
                &["arn:aws:sqs:eu-west-1:111122223333:trailwire-security-dlq", "arn:aws:sqs:eu-west-1:111122223333:trailwire-security"],
            ),
            ("AlarmList", &["*"]),
            ("Alarms", &["arn:aws:cloudwatch:eu-west-1:111122223333:alarm:tw-755b7686-*"]),
            ("RuntimePolicies", &["arn:aws:iam::*:role*tw-755b7686-runtime"]),
            ("Function", &["arn:aws:lambda:eu-west-1:111122223333:function:trailwire-security"]),
            ("Mappings", &["*"]),
            (
                "Logs",
                &[
                    "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/trailwire-security",
                    "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/trailwire-security:*",
                ],
            ),
            ("LogList", &["*"]),
            ("HandRuntime", &["arn:aws:iam::*:role/trailwire/tw-755b7686-runtime"]),
            ("Table", &["arn:aws:dynamodb:eu-west-1:111122223333:table/trailwire-security"]),
            ("Secrets", &["arn:aws:secretsmanager:eu-west-1:111122223333:secret:trailwire/security/*/*"]),
            ("Members", &["arn:aws:iam::*:role/trailwire-deploy"]),
            ("Organization", &["*"]),
        ];
        let expected: Vec<(String, Vec<String>)> =
            expected.iter().map(|(sid, arns)| ((*sid).to_owned(), arns.iter().map(|arn| (*arn).to_owned()).collect())).collect();
        assert_eq!(resources(&deploy_policy(HOME, "aws", Some(&hub), None)), expected);
        assert_eq!(resources(&deploy_policy(Deployer::Member, "aws", Some(&hub), None)), expected[..7]);
    }

    #[test]
    fn every_hub_is_deployed_by_what_their_names_begin_with() {
        let home = resources(&deploy_policy(HOME, "aws-cn", None, None));
        let find = |sid: &str| home.iter().find(|(found, _)| found == sid).unwrap().1.clone();
        assert_eq!(find("Rules"), ["arn:aws-cn:events:*:*:rule/tw-*"]);
        assert_eq!(find("HubRule"), ["arn:aws-cn:events:*:*:rule/trailwire-*/tw-*"]);
        assert_eq!(find("HubQueues"), ["arn:aws-cn:sqs:*:*:trailwire-*"]);
        assert_eq!(find("Secrets"), ["arn:aws-cn:secretsmanager:*:*:secret:trailwire/*"]);
    }

    #[test]
    fn the_policies_fit_into_a_managed_policy() {
        let hub = Hub::new("h".repeat(32), Cell::new("111122223333", "ap-southeast-2"));
        let boundary = format!("arn:aws:iam::111122223333:policy/{}", "b".repeat(128));
        for hub in [None, Some(&hub)] {
            assert!(deploy_policy(HOME, "aws", hub, Some(&boundary)).len() <= 6_144);
        }
    }

    #[test]
    fn with_a_boundary_no_role_comes_to_rights_without_it_and_none_loses_it() {
        let boundary = "arn:aws:iam::111122223333:policy/bound";
        for deployer in [HOME, Deployer::Member] {
            let policy = deploy_policy(deployer, "aws", None, Some(boundary));
            let conditions = |action: &str| {
                let name = Value::from(format!("iam:{action}"));
                let all = statements(&policy).into_iter().filter(|statement| statement["Action"].as_array().unwrap().contains(&name));
                all.map(|statement| statement["Condition"].clone()).collect::<Vec<_>>()
            };
            for action in POWERS {
                assert_eq!(
                    conditions(action),
                    [json!({ "StringLike": { "iam:PermissionsBoundary": "arn:aws:iam::*:policy/bound" } })],
                    "{action}"
                );
            }
            assert_eq!(conditions("DeleteRolePermissionsBoundary"), [Value::Null; 0]);
            assert_eq!(conditions("DeleteRole").len(), 2);
        }
    }
}
