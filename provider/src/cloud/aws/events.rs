//! EventBridge.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::BuildError;
use aws_sdk_eventbridge::types::{DeadLetterConfig, RuleState, Tag, Target as SdkTarget};
use aws_types::request_id::RequestId as _;
use trailwire_engine::fanout::rules::{Rule, Target};

use super::failure::Failure;
use crate::cloud::call::{Bus, ListedRule, Reply, Tags};
use crate::cloud::error::Kind;

/// The most that a list may return at once.
const PAGE: i32 = 100;

fn tags(tags: Tags) -> Result<Option<Vec<Tag>>, Failure> {
    let all = tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let all: Vec<Tag> = all.collect::<Result<_, _>>().map_err(incomplete)?;
    Ok(Some(all).filter(|all| !all.is_empty()))
}

fn incomplete(error: BuildError) -> Failure {
    Failure::ours(Kind::Other, error.to_string())
}

pub(super) async fn create_bus(client: &Client, name: String, description: String, bus_tags: Tags) -> Result<Reply, Failure> {
    client.create_event_bus().name(name).description(description).set_tags(tags(bus_tags)?).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn describe_bus(client: &Client, name: String) -> Result<Reply, Failure> {
    match client.describe_event_bus().name(name).send().await.map_err(Failure::from) {
        Ok(bus) => Ok(Reply::Bus(Some(Bus { arn: bus.arn.unwrap_or_default(), policy: bus.policy.filter(|policy| !policy.is_empty()) }))),
        Err(failure) if failure.kind("events:DescribeEventBus") == Kind::NotFound => Ok(Reply::Bus(None)),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn delete_bus(client: &Client, name: String) -> Result<Reply, Failure> {
    done(client.delete_event_bus().name(name).send().await.map_err(Failure::from), "events:DeleteEventBus")
}

pub(super) async fn put_bus_policy(client: &Client, bus: String, policy: String) -> Result<Reply, Failure> {
    client.put_permission().event_bus_name(bus).policy(policy).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn list_rules(client: &Client, bus: String, prefix: String) -> Result<Reply, Failure> {
    let mut rules = Vec::new();
    let mut token = None;
    // AWS takes no empty prefix.
    let wanted = Some(prefix).filter(|prefix| !prefix.is_empty());
    loop {
        let page =
            client.list_rules().event_bus_name(&bus).set_name_prefix(wanted.clone()).limit(PAGE).set_next_token(token).send().await?;
        rules.extend(page.rules.unwrap_or_default().into_iter().map(|rule| ListedRule {
            name: rule.name.unwrap_or_default(),
            description: rule.description,
            pattern: rule.event_pattern,
            state: rule.state.map(|state| state.as_str().to_owned()),
        }));
        token = page.next_token;
        if token.is_none() {
            return Ok(Reply::Rules(rules));
        }
    }
}

pub(super) async fn list_rule_names_by_target(client: &Client, bus: String, arn: String) -> Result<Reply, Failure> {
    let mut names = Vec::new();
    let mut token = None;
    loop {
        let page =
            client.list_rule_names_by_target().event_bus_name(&bus).target_arn(&arn).limit(PAGE).set_next_token(token).send().await?;
        names.extend(page.rule_names.unwrap_or_default());
        token = page.next_token;
        if token.is_none() {
            return Ok(Reply::Names(names));
        }
    }
}

pub(super) async fn list_targets(client: &Client, bus: String, rule: String) -> Result<Reply, Failure> {
    let mut targets = Vec::new();
    let mut token = None;
    loop {
        let page = client.list_targets_by_rule().event_bus_name(&bus).rule(&rule).limit(PAGE).set_next_token(token).send().await;
        let page = match page.map_err(Failure::from) {
            Err(failure) if failure.kind("events:ListTargetsByRule") == Kind::NotFound => return Ok(Reply::Targets(Vec::new())),
            other => other?,
        };
        targets.extend(page.targets.unwrap_or_default().into_iter().map(|target| Target {
            altered: target.input.is_some()
                || target.input_path.is_some()
                || target.input_transformer.is_some()
                || target.retry_policy.is_some(),
            id: target.id,
            arn: target.arn,
            role_arn: target.role_arn,
            dead_letter_arn: target.dead_letter_config.and_then(|config| config.arn),
        }));
        token = page.next_token;
        if token.is_none() {
            return Ok(Reply::Targets(targets));
        }
    }
}

pub(super) async fn put_rule(client: &Client, bus: String, rule: Rule, rule_tags: Tags) -> Result<Reply, Failure> {
    client
        .put_rule()
        .event_bus_name(bus)
        .name(rule.name)
        .description(rule.description)
        .event_pattern(rule.pattern)
        .state(RuleState::from(rule.state.as_str()))
        .set_tags(tags(rule_tags)?)
        .send()
        .await?;
    Ok(Reply::Done)
}

pub(super) async fn put_target(client: &Client, bus: String, rule: String, target: Target) -> Result<Reply, Failure> {
    let dead_letters = target.dead_letter_arn.map(|arn| DeadLetterConfig::builder().arn(arn).build());
    let target = SdkTarget::builder()
        .id(target.id)
        .arn(target.arn)
        .set_role_arn(target.role_arn)
        .set_dead_letter_config(dead_letters)
        .build()
        .map_err(incomplete)?;
    let answer = client.put_targets().event_bus_name(bus).rule(rule).targets(target).send().await?;
    let first = answer.failed_entries().first().map(|entry| (entry.error_code(), entry.error_message()));
    without_failed(first, answer.failed_entry_count, answer.request_id())
}

/// Whether no entry of a call failed, by the first that did and how many are counted: AWS may count one and tell nothing of it.
fn without_failed(first: Option<(Option<&str>, Option<&str>)>, count: i32, request: Option<&str>) -> Result<Reply, Failure> {
    match first {
        Some((code, message)) => Err(Failure::entry(code, message, request)),
        None if count > 0 => Err(Failure::entry(None, None, request)),
        None => Ok(Reply::Done),
    }
}

pub(super) async fn remove_targets(client: &Client, bus: String, rule: String, ids: Vec<String>) -> Result<Reply, Failure> {
    let answer = client.remove_targets().event_bus_name(bus).rule(rule).set_ids(Some(ids)).send().await;
    match answer.map_err(Failure::from) {
        Err(failure) if failure.kind("events:RemoveTargets") == Kind::NotFound => Ok(Reply::Done),
        Err(failure) => Err(failure),
        Ok(answer) => {
            let first = answer.failed_entries().first().map(|entry| (entry.error_code(), entry.error_message()));
            without_failed(first, answer.failed_entry_count, answer.request_id())
        }
    }
}

pub(super) async fn delete_rule(client: &Client, bus: String, rule: String) -> Result<Reply, Failure> {
    done(client.delete_rule().event_bus_name(bus).name(rule).send().await.map_err(Failure::from), "events:DeleteRule")
}

pub(super) async fn list_tags(client: &Client, arn: String) -> Result<Reply, Failure> {
    let answer = client.list_tags_for_resource().resource_arn(arn).send().await?;
    Ok(Reply::Tags(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()))
}

pub(super) async fn tag(client: &Client, arn: String, new: Tags) -> Result<Reply, Failure> {
    client.tag_resource().resource_arn(arn).set_tags(tags(new)?).send().await?;
    Ok(Reply::Done)
}

pub(super) async fn untag(client: &Client, arn: String, keys: Vec<String>) -> Result<Reply, Failure> {
    client.untag_resource().resource_arn(arn).set_tag_keys(Some(keys)).send().await?;
    Ok(Reply::Done)
}

fn done<T>(result: Result<T, Failure>, operation: &str) -> Result<Reply, Failure> {
    match result {
        Ok(_) => Ok(Reply::Done),
        Err(failure) if failure.kind(operation) == Kind::NotFound => Ok(Reply::Done),
        Err(failure) => Err(failure),
    }
}
