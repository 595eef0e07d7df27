//! What Trailwire has in an account: nothing must be left of it after a destroy.

use aws_sdk_eventbridge::types::Rule;
use serde_json::{Value, json};

use crate::stand::Stand;

/// The rules that Trailwire has on a bus.
///
/// # Panics
/// When the stand does not answer.
pub async fn rules(stand: &Stand, account: &str, region: &str, bus: &str) -> Vec<Rule> {
    let events = aws_sdk_eventbridge::Client::new(&stand.sdk(account, region).await);
    let mut rules = Vec::new();
    let mut token = None;
    loop {
        let page = events.list_rules().event_bus_name(bus).name_prefix("tw-").set_next_token(token).send().await.expect("rules are listed");
        rules.extend(page.rules.unwrap_or_default());
        token = page.next_token;
        if token.is_none() {
            return rules;
        }
    }
}

/// Whether a rule is a hub's own, that no trigger declares.
pub fn is_canary(rule: &Rule) -> bool {
    rule.name().is_some_and(|name| name.ends_with("-canary") || name.ends_with("-sweep"))
}

/// Functions, what feeds them, and their log groups, each with its kind.
async fn functions(stand: &Stand, account: &str, region: &str) -> Vec<(&'static str, String)> {
    let ask = async |service: &str, path: &str, target: Option<&str>| -> Value {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client without TLS settings can be made");
        let url = format!("{}{path}", stand.endpoint());
        let request = match target {
            Some(target) => {
                client.post(url).header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1").json(&json!({}))
            }
            None => client.get(url),
        };
        let answer = request.header("authorization", scope).send().await.expect("the stand answers");
        answer.json().await.unwrap_or_else(|error| panic!("{service} answers in JSON: {error}"))
    };
    let names = |answer: &Value, list: &str, name: &str| -> Vec<String> {
        let listed = answer[list].as_array().unwrap_or_else(|| panic!("no {list} in {answer}"));
        listed.iter().map(|one| one[name].as_str().unwrap_or_default().to_owned()).collect()
    };
    let listed = ask("lambda", "/2015-03-31/functions/", None).await;
    let mapped = ask("lambda", "/2015-03-31/event-source-mappings/", None).await;
    let logged = ask("logs", "/", Some("Logs_20140328.DescribeLogGroups")).await;
    let functions = names(&listed, "Functions", "FunctionName").into_iter().map(|name| ("function", name));
    let mappings = names(&mapped, "EventSourceMappings", "UUID").into_iter().map(|name| ("event source mapping", name));
    let groups = names(&logged, "logGroups", "logGroupName").into_iter().map(|name| ("log group", name));
    functions.chain(mappings).chain(groups.filter(|(_, name)| name.starts_with("/aws/lambda/trailwire-"))).collect()
}

/// The names of everything that Trailwire owns in the account, looked for in these regions, each with its kind and place.
///
/// # Panics
/// When the stand does not answer.
pub async fn of(stand: &Stand, account: &str, regions: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for region in regions {
        let sdk = stand.sdk(account, region).await;
        let events = aws_sdk_eventbridge::Client::new(&sdk);
        let buses = events.list_event_buses().send().await.expect("buses are listed").event_buses.unwrap_or_default();
        for bus in buses.iter().filter_map(|bus| bus.name()) {
            let rules = rules(stand, account, region, bus).await;
            found.extend(rules.iter().filter_map(|rule| rule.name()).map(|name| format!("rule {name} on {bus} in {region}")));
            if bus != "default" {
                found.push(format!("bus {bus} in {region}"));
            }
        }
        let queues = aws_sdk_sqs::Client::new(&sdk).list_queues().send().await.expect("queues are listed");
        found.extend(queues.queue_urls().iter().map(|url| format!("queue {url} in {region}")));
        let tables = aws_sdk_dynamodb::Client::new(&sdk).list_tables().send().await.expect("tables are listed");
        found.extend(tables.table_names().iter().map(|name| format!("table {name} in {region}")));
        let secrets = aws_sdk_secretsmanager::Client::new(&sdk).list_secrets().send().await.expect("secrets are listed");
        for (what, name) in functions(stand, account, region).await {
            found.push(format!("{what} {name} in {region}"));
        }
        found.extend(secrets.secret_list().iter().filter_map(|secret| secret.name()).map(|name| format!("secret {name} in {region}")));
    }
    let iam = aws_sdk_iam::Client::new(&stand.sdk(account, "us-east-1").await);
    let roles = iam.list_roles().path_prefix("/trailwire/").send().await.expect("roles are listed");
    found.extend(roles.roles.iter().map(|role| format!("role {}", role.role_name())));
    found
}
