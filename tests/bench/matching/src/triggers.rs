//! Triggers as JMESPath text with event names: 1 to 4 operands joined by `&&`.
//!
//! Of the atoms 30 % are on fields that the event does not have, 5 % are functions on fields that are missing now and then (an error
//! then), 5 % projections or one field against another; the others are 40 % equalities, the rest suffix, contains, prefix,
//! anything-but, numbers and networks. 10 % of the operands are `||` of two atoms, 10 % are negated; 5 % of the triggers have
//! only broad operands, 1 % are for any event. One string in twenty holds a character that JSON escapes.

use serde_json::{Value, json};
use trailwire_engine::fanout::pushed::pushed;
use trailwire_engine::trigger::Trigger;

use crate::dice::{Dice, Zipf};
use crate::events::{ERRORS, NAMES, REGIONS, account, agent, name, parameter, resource, role, user};

/// A trigger; `peer` is the expression for the crate that knows no `cidr_contains`.
pub struct Made {
    pub names: Vec<String>,
    pub any_event: bool,
    pub expression: String,
    pub peer: String,
}

impl Made {
    pub fn document(&self, index: usize) -> Value {
        let mut document = json!({"name": format!("t{index}"), "match_expression": self.expression, "include_read_only": true,
            "action": [{"send": [{"destination": "d"}]}]});
        if self.any_event {
            document["any_event"] = true.into();
        } else {
            document["event_names"] = self.names.clone().into();
        }
        document
    }

    /// What the other sides read: names, the expression for crates that know no networks, and where an event pattern can say
    /// something of the trigger, that pattern. It matches whatever the trigger matches, and sometimes more.
    pub fn for_peer(&self, index: usize) -> Value {
        let mut document = self.document(index);
        document["push_down"] = "full".into();
        let trigger = Trigger::from_value(&document).expect("a trigger");
        let patterns = pushed(&trigger).expect("a pattern").patterns;
        json!({"event_names": self.names, "any_event": self.any_event, "peer_expression": self.peer, "patterns": patterns})
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

pub fn trigger(dice: &mut Dice, zipf: &Zipf) -> Made {
    let any_event = dice.percent(1);
    let first = zipf.draw(dice);
    let mut indices = vec![first];
    for _ in 0..dice.roll(3) {
        // Other names of the same service and with the same parameter.
        indices.push((first + 270 * (1 + dice.roll(2))) % NAMES);
    }
    indices.sort_unstable();
    indices.dedup();
    let broad = dice.percent(5);
    let count = if any_event { 2 + dice.roll(3) } else { 1 + dice.roll(4) };
    let narrowing = dice.roll(count);
    let operands: Vec<String> = (0..count)
        .map(|index| {
            if broad {
                return broad_atom(dice);
            }
            if index == narrowing {
                return narrow_atom(dice, first, any_event);
            }
            match dice.roll(10) {
                0 | 1 => format!("({} || {})", atom(dice, first), atom(dice, first)),
                2 | 3 => format!("!({})", atom(dice, first)),
                _ => atom(dice, first),
            }
        })
        .collect();
    let expression = operands.join(" && ");
    let peer = without_networks(&expression);
    let names = if any_event { Vec::new() } else { indices.into_iter().map(|index| name(index).0).collect() };
    Made { names, any_event, expression, peer }
}

fn broad_atom(dice: &mut Dice) -> String {
    match dice.roll(4) {
        0 => format!("detail.userIdentity.type == '{}'", ["AssumedRole", "IAMUser", "Root"][dice.roll(3)]),
        1 => format!("detail.awsRegion == '{}'", REGIONS[dice.roll(REGIONS.len())]),
        2 => "detail.userIdentity.sessionContext.attributes.mfaAuthenticated == 'false'".to_owned(),
        _ => "detail.errorCode != 'AccessDenied'".to_owned(),
    }
}

/// What makes a trigger worth having: something that holds seldom.
fn narrow_atom(dice: &mut Dice, name: usize, any_event: bool) -> String {
    if !any_event && dice.percent(15) {
        return absent(dice);
    }
    match dice.roll(7) {
        0 => usual(dice, name, 0),
        1 if !any_event => usual(dice, name, 5),
        2 => usual(dice, name, 10),
        3 => usual(dice, name, 17),
        4 if !any_event => usual(dice, name, 25),
        5 if !any_event => usual(dice, name, 34),
        _ => usual(dice, name, 56),
    }
}

fn atom(dice: &mut Dice, name: usize) -> String {
    if dice.percent(30) {
        return absent(dice);
    }
    match dice.roll(70) {
        0..=4 => {
            // Where the field is missing, this errs.
            let field = [
                "detail.tlsDetails.clientProvidedHostHeader",
                "detail.userIdentity.accessKeyId",
                "detail.userIdentity.principalId",
                "detail.responseElements.requestId",
            ][dice.roll(4)];
            let function = ["starts_with", "ends_with", "contains"][dice.roll(3)];
            format!("{function}({field}, {})", quoted(ERRORS[dice.roll(ERRORS.len())]))
        }
        5..=9 => match dice.roll(5) {
            0 => "detail.userIdentity.accountId != detail.recipientAccountId".to_owned(),
            1 => "detail.awsRegion == region".to_owned(),
            2 => "contains(detail.requestParameters.ipPermissions.items[].ipRanges.items[].cidrIp || `[]`, '0.0.0.0/0')".to_owned(),
            3 => format!("contains(detail.resources[].accountId || `[]`, '{}')", account(dice.skewed(200))),
            _ => "length(detail.requestParameters.ipPermissions.items[?fromPort == `22`] || `[]`) > `0`".to_owned(),
        },
        kind => usual(dice, name, kind - 10),
    }
}

/// 40 parts of 100 equalities, then suffixes, contains, prefixes, anything-but, numbers and networks.
fn usual(dice: &mut Dice, name: usize, kind: usize) -> String {
    let target = |dice: &mut Dice| quoted(&resource(dice.skewed(3_000)));
    let parameter = parameter(name);
    match kind {
        0..=4 => format!("detail.userIdentity.accountId == '{}'", account(dice.roll(200))),
        5..=9 => format!("detail.requestParameters.{parameter} == {}", target(dice)),
        10..=13 => format!("detail.userIdentity.sessionContext.sessionIssuer.userName == '{}'", role(dice.roll(400))),
        14..=16 => format!("detail.recipientAccountId == '{}'", account(dice.roll(200))),
        17..=18 => format!("detail.userIdentity.userName == '{}'", user(dice.roll(500))),
        19..=20 => {
            format!("contains(`[\"{}\", \"{}\"]`, detail.errorCode)", ERRORS[dice.roll(ERRORS.len())], ERRORS[dice.roll(ERRORS.len())])
        }
        21..=22 => format!("detail.userIdentity.type == '{}'", ["Root", "IAMUser", "AssumedRole"][dice.roll(3)]),
        23..=24 => format!("detail.awsRegion == '{}'", REGIONS[dice.roll(REGIONS.len())]),
        25..=33 => match dice.roll(2) {
            0 => format!("ends_with(detail.userIdentity.arn, '/{}')", user(dice.roll(500))),
            _ => format!("ends_with(detail.requestParameters.{parameter}, '-{:05}')", dice.skewed(3_000)),
        },
        34..=41 => match dice.roll(2) {
            0 => {
                let agent = agent(dice.roll(400));
                let start = dice.roll(agent.len().saturating_sub(12).max(1));
                format!("contains(detail.userAgent, {})", quoted(agent.get(start..(start + 12).min(agent.len())).unwrap_or("aws-cli")))
            }
            _ => format!("contains(detail.userIdentity.arn, 'role/{}')", role(dice.roll(400))),
        },
        42..=47 => match dice.roll(2) {
            0 => {
                let agent = agent(dice.roll(400));
                format!("starts_with(detail.userAgent, {})", quoted(agent.get(..16.min(agent.len())).unwrap_or("aws")))
            }
            _ => format!(
                "starts_with(detail.requestParameters.{parameter}, '{}-{}-0')",
                ["prod", "dev", "stage", "test"][dice.roll(4)],
                ["data", "logs", "web", "queue", "cache"][dice.roll(5)]
            ),
        },
        48..=51 => format!("detail.userIdentity.sessionContext.sessionIssuer.userName != '{}'", role(dice.roll(400))),
        52..=55 => format!("detail.requestParameters.maxResults {} `{}`", ["<", "<=", ">", ">="][dice.roll(4)], dice.roll(1_000)),
        _ => format!(
            "cidr_contains('{}.{}.{}.0/24', detail.sourceIPAddress)",
            [10, 52, 54, 172, 203][dice.roll(5)],
            dice.roll(16),
            dice.roll(40)
        ),
    }
}

/// On a field that the event does not have. Missing is null: such an operand is false, not an error.
fn absent(dice: &mut Dice) -> String {
    let field = [
        "detail.vpcEndpointId",
        "detail.userIdentity.webIdFederationData.federatedProvider",
        "detail.userIdentity.invokedBy",
        "detail.requestParameters.kmsKeyId",
        "detail.serviceEventDetails.state",
        "detail.additionalEventData.LoginTo",
        "detail.edgeDeviceDetails.type",
        "detail.requestParameters.launchTemplate.version",
        "detail.responseElements.ConsoleLogin",
        "detail.sharedEventID",
    ][dice.roll(10)];
    match dice.roll(6) {
        0 => format!("{field} != {}", quoted(&resource(dice.roll(3_000)))),
        1 => format!("{field} > `{}`", dice.roll(1_000)),
        _ => format!("{field} == {}", quoted(&resource(dice.roll(3_000)))),
    }
}

/// A network of 24 bits as a prefix of the text, for those who know no networks.
fn without_networks(expression: &str) -> String {
    let mut parts = expression.split("cidr_contains('");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (network, rest) = part.split_once("0/24', detail.sourceIPAddress)").unwrap_or((part, ""));
        text += &format!("starts_with(detail.sourceIPAddress, '{network}'){rest}");
    }
    text
}
