//! Two hubs of two accounts watch the same member account, and each other's: neither touches what the other made.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_tests::members;
use trailwire_tests::stand::Stand;

use crate::sandbox::{AWAY, HOME, HUB, REGIONS, Sandbox, TRIGGER, trigger};

const EXTERNAL_ID: &str = "id-1";

/// A hub over these accounts.
fn over(accounts: &[&str], regions: &[&str], team: &str) -> Value {
    let mut accounts = accounts.to_vec();
    accounts.sort_unstable();
    json!({ "name": "security", "regions": regions, "member_accounts": accounts, "tags": { "team": team }, "force_destroy": true })
}

/// Everything that a hub has in an account, as AWS tells it: rules with their targets and tags, queues, the role with its policy and tags.
pub(crate) async fn objects(stand: &Stand, account: &str, hub: &Hub) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for region in REGIONS {
        let sdk = stand.sdk(account, region).await;
        let events = aws_sdk_eventbridge::Client::new(&sdk);
        let rules = events.list_rules().name_prefix(hub.own_prefix()).send().await.expect("rules are listed").rules.unwrap_or_default();
        for rule in rules {
            let (name, arn) = (rule.name().unwrap_or_default(), rule.arn().unwrap_or_default());
            let targets = events.list_targets_by_rule().rule(name).send().await.expect("targets are listed").targets;
            let tags = events.list_tags_for_resource().resource_arn(arn).send().await.expect("tags are listed").tags;
            found.insert(format!("{region} rule {name}"), format!("{rule:?} {targets:?} {tags:?}"));
        }
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let name = hub.forward_dead_letter_queue_name();
        let queues = sqs.list_queues().queue_name_prefix(name).send().await.expect("queues are listed");
        for url in queues.queue_urls() {
            let all = aws_sdk_sqs::types::QueueAttributeName::All;
            let attributes = sqs.get_queue_attributes().queue_url(url).attribute_names(all).send().await.expect("a queue has attributes");
            let attributes: BTreeMap<String, String> =
                attributes.attributes.unwrap_or_default().into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect();
            found.insert(format!("{region} queue {url}"), format!("{attributes:?}"));
        }
    }
    let iam = aws_sdk_iam::Client::new(&stand.sdk(account, HOME).await);
    let name = hub.forward_role_name();
    let role = iam.get_role().role_name(&name).send().await.expect("the role is there").role;
    let policies = iam.list_role_policies().role_name(&name).send().await.expect("policies are listed").policy_names;
    for policy in policies {
        let document = iam.get_role_policy().role_name(&name).policy_name(&policy).send().await.expect("the policy is there");
        found.insert(format!("policy {policy}"), document.policy_document);
    }
    found.insert("role".to_owned(), format!("{role:?}"));
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hubs_over_the_same_accounts_never_touch_each_other() {
    let (mut one, mut other) = (Sandbox::new().await, Sandbox::new().await);
    let (stand, member) = (one.stand, one.stand.new_account());
    members::allow_each(stand, &member, &[&one.account, &other.account], EXTERNAL_ID).await;
    members::allow(stand, &one.account, &other.account, EXTERNAL_ID).await;
    members::allow(stand, &other.account, &one.account, EXTERNAL_ID).await;
    let block = json!({ "region": HOME, "member_external_id": EXTERNAL_ID });

    let wide = over(&[&member, &other.account.clone()], &REGIONS, "one");
    let provider = one.provider_with(&block).await;
    one.apply_with(&provider, HUB, &wide).await.ok();
    one.apply_with(&provider, TRIGGER, &trigger(2, "A")).await.ok();
    provider.end().await;
    let hub = Hub::new("security", Cell::new(&one.account, HOME));
    let accounts = [member.clone(), one.account.clone(), other.account.clone()];
    let mut before = Vec::new();
    for account in &accounts {
        let there = objects(stand, account, &hub).await;
        // In each region two rules, a canary and a queue; the role and its policy.
        assert_eq!(there.len(), 2 * 4 + 2, "{account}: {there:#?}");
        before.push(there);
    }

    let also = |regions: &[&str], team: &str| over(&[&member, &one.account.clone()], regions, team);
    let changes = [
        (HUB, also(&REGIONS, "other")),
        (TRIGGER, trigger(1, "A")),
        (TRIGGER, trigger(2, "B")),
        (HUB, also(&[HOME], "another")),
        (HUB, also(&[AWAY, HOME], "another")),
        (TRIGGER, Value::Null),
        (HUB, Value::Null),
    ];
    for (resource, config) in changes {
        let provider = other.provider_with(&block).await;
        other.refresh_with(&provider, resource).await;
        other.apply_with(&provider, resource, &config).await.ok();
        provider.end().await;
        for (account, before) in accounts.iter().zip(&before) {
            assert_eq!(objects(stand, account, &hub).await, *before, "in {account}, after the other's {resource} {config}");
        }
    }

    let provider = one.provider_with(&block).await;
    one.assert_settled_with(&provider, HUB, &wide).await;
    one.assert_settled_with(&provider, TRIGGER, &trigger(2, "A")).await;
    one.apply_with(&provider, TRIGGER, &Value::Null).await.ok();
    one.apply_with(&provider, HUB, &Value::Null).await.ok();
    provider.end().await;
    for account in &accounts {
        assert_eq!(trailwire_tests::leftovers::of(stand, account, &REGIONS).await, [] as [String; 0], "{account}");
    }
}
