//! Everything that is tested before the match expression.

use super::{Reason, Scope};
use crate::event::{DETAIL_TYPE_SUFFIX, Event, SOURCE_PREFIX};
use crate::trigger::Trigger;
use crate::value::Value;

/// The first rule that says no.
pub(super) fn first_no(trigger: &Trigger, event: &Event, scope: &Scope) -> Option<Reason> {
    let rules: [(bool, Reason); 8] = [
        (trigger.enabled, Reason::Disabled),
        (is_cloudtrail(event), Reason::NotCloudTrail),
        (account_fits(trigger, event, scope), Reason::Account),
        (region_fits(trigger, event, scope), Reason::Region),
        (trigger.include_read_only || !is_left_out_by_enabled_rule(event), Reason::ReadOnly),
        (trigger.include_self || !is_made_by(event, &scope.own_role_arns), Reason::OwnRole),
        (name_fits(trigger, event), Reason::EventName),
        (source_fits(trigger, event), Reason::EventSource),
    ];
    rules.into_iter().find(|(holds, _)| !holds).map(|(_, reason)| reason)
}

/// What a completed record does not tell is not tested; an envelope that does not tell it is not one of EventBridge's.
fn known(event: &Event, value: Option<&str>, holds: impl Fn(&str) -> bool) -> bool {
    value.map_or(event.is_completed(), holds)
}

fn is_cloudtrail(event: &Event) -> bool {
    known(event, event.envelope_source(), |source| source.starts_with(SOURCE_PREFIX))
        && known(event, event.detail_type(), |detail_type| detail_type.ends_with(DETAIL_TYPE_SUFFIX))
}

fn account_fits(trigger: &Trigger, event: &Event, scope: &Scope) -> bool {
    known(event, event.account(), |account| {
        scope.accounts.as_ref().is_none_or(|accounts| accounts.contains(account)) && account_is_wanted(trigger, account)
    })
}

fn region_fits(trigger: &Trigger, event: &Event, scope: &Scope) -> bool {
    known(event, event.region(), |region| {
        scope.regions.as_ref().is_none_or(|regions| regions.contains(region)) && region_is_wanted(trigger, region)
    })
}

/// The trigger's own narrowing of accounts.
pub(super) fn account_is_wanted(trigger: &Trigger, account: &str) -> bool {
    is_any_of(&trigger.account_ids, account)
}

/// The trigger's own narrowing of regions.
pub(super) fn region_is_wanted(trigger: &Trigger, region: &str) -> bool {
    is_any_of(&trigger.regions, region) && !trigger.exclude_regions.iter().any(|excluded| excluded == region)
}

fn name_fits(trigger: &Trigger, event: &Event) -> bool {
    trigger.any_event || event.name().is_some_and(|name| trigger.event_names.iter().any(|wanted| wanted == name))
}

pub(super) fn source_fits(trigger: &Trigger, event: &Event) -> bool {
    trigger.event_sources.is_empty() || event.source().is_some_and(|source| is_any_of(&trigger.event_sources, source))
}

/// An empty list stands for "all of them".
fn is_any_of(list: &[String], wanted: &str) -> bool {
    list.is_empty() || list.iter().any(|element| element == wanted)
}

/// Whether a rule in state ENABLED drops the event: a read-only one whose name begins with Get, List or Describe, save two of
/// STS that count as changes.
///
/// Source: EventBridge user guide, "Receiving read-only management events from AWS services".
pub(super) fn is_left_out_by_enabled_rule(event: &Event) -> bool {
    let is_read_only = event.detail().get("readOnly").and_then(Value::as_bool) == Some(true);
    is_read_only && event.name().is_some_and(|name| is_read_only_name(name, event.source()))
}

/// The part of it that names and sources decide: whether a plain ENABLED rule leaves out such an event where the event is read-only.
/// Where the source is not known, `None`.
#[must_use]
pub fn is_read_only_name(name: &str, source: Option<&str>) -> bool {
    let is_named_so = ["Get", "List", "Describe"].iter().any(|prefix| name.starts_with(prefix));
    let counts_as_change = source == Some("sts.amazonaws.com") && matches!(name, "GetFederationToken" | "GetSessionToken");
    is_named_so && !counts_as_change
}

/// Whether one of the roles made the event. A session's own ARN has the role's name without its path.
fn is_made_by(event: &Event, role_arns: &[String]) -> bool {
    let Some(identity) = event.detail().get("userIdentity") else { return false };
    let issuer = identity.pointer("/sessionContext/sessionIssuer/arn").and_then(Value::as_str);
    let arn = identity.get("arn").and_then(Value::as_str);
    is_of_role(arn, issuer, role_arns)
}

/// Whether an identity with this ARN and this session issuer is one of the roles.
pub(super) fn is_of_role(arn: Option<&str>, issuer: Option<&str>, role_arns: &[String]) -> bool {
    role_arns.iter().any(|role| {
        issuer == Some(role.as_str())
            || arn == Some(role.as_str())
            || arn.and_then(role_of_session).is_some_and(|session| Some(session) == role_of_arn(role))
    })
}

/// Account and role name of `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`.
fn role_of_session(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':').skip(4);
    let (account, resource) = (parts.next()?, parts.next()?);
    Some((account, resource.strip_prefix("assumed-role/")?.split('/').next()?))
}

/// Account and role name of `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
fn role_of_arn(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':').skip(4);
    let (account, resource) = (parts.next()?, parts.next()?);
    Some((account, resource.strip_prefix("role/")?.rsplit('/').next()?))
}
