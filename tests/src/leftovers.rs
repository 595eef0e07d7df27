//! What Trailwire has in an account: nothing must be left of it after a destroy.

use aws_sdk_eventbridge::types::Rule;

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
    rule.name().is_some_and(|name| name.ends_with("-canary"))
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
        found.extend(secrets.secret_list().iter().filter_map(|secret| secret.name()).map(|name| format!("secret {name} in {region}")));
    }
    let iam = aws_sdk_iam::Client::new(&stand.sdk(account, "us-east-1").await);
    let roles = iam.list_roles().path_prefix("/trailwire/").send().await.expect("roles are listed");
    found.extend(roles.roles.iter().map(|role| format!("role {}", role.role_name())));
    found
}
