//! What a field's name means.

use super::tree::{Form, Place};
use crate::shape::{FIELDS, Kinds, Schema, record};

/// A name that stands for one path or for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortName {
    /// The name.
    pub name: &'static str,
    /// The paths from the record down. A `/` or `:` at the end means the part of the text behind the last of it.
    pub paths: &'static [&'static str],
    /// What it is, in a few words.
    pub about: &'static str,
}

const fn short(name: &'static str, paths: &'static [&'static str], about: &'static str) -> ShortName {
    ShortName { name, paths, about }
}

/// Every short name.
pub const SHORT_NAMES: &[ShortName] = &[
    short("account", &["recipientAccountId"], "the account in which it happened"),
    short(
        "actor",
        &[
            "userIdentity.userName",
            "userIdentity.arn",
            "userIdentity.arn/",
            "userIdentity.principalId:",
            "userIdentity.sessionContext.sessionIssuer.userName",
            "userIdentity.invokedBy",
        ],
        "whoever did it: a user's, role's or session's name, an ARN, or a service",
    ),
    short("agent", &["userAgent"], "the program that made the call"),
    short("error", &["errorCode"], "the error's code"),
    short("event", &["eventName"], "the event's name"),
    short("id", &["eventID"], "the event's id"),
    short("identity", &["userIdentity.type"], "the kind of identity, such as Root or AssumedRole"),
    short("ip", &["sourceIPAddress"], "the address that the call came from"),
    short("key", &["userIdentity.accessKeyId"], "the access key that was used"),
    short("message", &["errorMessage"], "the error's message"),
    short("region", &["awsRegion"], "the region in which it happened"),
    short(
        "role",
        &["userIdentity.sessionContext.sessionIssuer.userName", "userIdentity.sessionContext.sessionIssuer.arn"],
        "the role of the session that did it: its name or ARN",
    ),
    short("source", &["eventSource"], "the service, such as iam.amazonaws.com"),
    short("time", &["eventTime"], "when it happened"),
    short("user", &["userIdentity.userName"], "the name of the user who did it"),
];

/// The one field of the envelope that a search can name: of all others the record has its own.
pub const ENVELOPE_FIELD: &str = "detail-type";

/// The paths from the record down that a name means: those of a short name, else the name itself.
///
/// ```
/// use trailwire_engine::search::paths_of;
/// assert_eq!(paths_of("event"), ["eventName"]);
/// assert_eq!(paths_of("requestParameters.groupId"), ["requestParameters.groupId"]);
/// ```
#[must_use]
pub fn paths_of(name: &str) -> Vec<&str> {
    match SHORT_NAMES.iter().find(|short| short.name == name) {
        Some(short) => {
            let mut paths: Vec<&str> = short.paths.iter().map(|path| path.trim_end_matches(['/', ':'])).collect();
            paths.dedup();
            paths
        }
        None => vec![name.strip_prefix("detail.").unwrap_or(name)],
    }
}

/// The places that a name means. Its members were parted at the dots.
pub(super) fn places(members: &[String]) -> Vec<Place> {
    match members {
        [name] if name == ENVELOPE_FIELD => vec![Place { path: members.to_vec(), form: Form::Envelope }],
        [name] => match SHORT_NAMES.iter().find(|short| short.name == name) {
            Some(short) => short.paths.iter().map(|path| short_place(path)).collect(),
            None => vec![place(members)],
        },
        [detail, rest @ ..] if detail == "detail" => vec![place(rest)],
        members => vec![place(members)],
    }
}

fn short_place(path: &str) -> Place {
    let bare = path.trim_end_matches(['/', ':']);
    let members: Vec<String> = bare.split('.').map(str::to_owned).collect();
    match path.chars().last().filter(|_| bare.len() < path.len()) {
        Some(tail) => Place { path: members, form: Form::Tail(tail) },
        None => place(&members),
    }
}

fn place(path: &[String]) -> Place {
    let mut objects = 0;
    let mut members = vec!["detail"];
    let mut form = None;
    for name in path {
        members.push(name);
        let kinds = Schema::CloudTrail.kinds_at(&members).without(Kinds::NULL);
        if kinds != Kinds::OBJECT {
            form = Some(kinds);
            break;
        }
        objects += 1;
    }
    let is_last = members.len() == path.len() + 1;
    let form = match form {
        None => Form::Whole,
        Some(Kinds::ARRAY) if is_last => Form::Whole,
        Some(Kinds::STRING) if is_last => Form::Text,
        Some(Kinds::BOOLEAN) if is_last => Form::Flag,
        Some(_) => Form::Any { objects },
    };
    Place { path: path.to_vec(), form }
}

/// Where no record has such a field: the first name that there is not, and the field that may have been meant, as it is written in a search.
pub(super) fn unknown(path: &[String]) -> Option<(String, Option<String>)> {
    let mut parent = "detail".to_owned();
    for name in path {
        let members = record::members(&parent)?;
        if !members.contains(&name.as_str()) {
            let above = parent.strip_prefix("detail").unwrap_or_default().trim_start_matches('.');
            let beside = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
            let short = SHORT_NAMES.iter().map(|short| short.name).filter(|_| above.is_empty());
            let nearest = crate::text::nearest(name, members.into_iter().chain(short)).map(beside);
            let in_any_case = || {
                FIELDS
                    .iter()
                    .map(|field| field.path)
                    .find(|path| path.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name)))
            };
            let elsewhere =
                || record::field_of_name(name).or_else(in_any_case).and_then(|path| path.strip_prefix("detail.")).map(str::to_owned);
            return Some((name.clone(), elsewhere().or(nearest)));
        }
        parent = format!("{parent}.{name}");
        if Schema::CloudTrail.kinds_at(&parent.split('.').collect::<Vec<_>>()).has(Kinds::ARRAY) {
            parent.push_str("[]");
        }
    }
    None
}
