//! Who, what, where, when, from where and with what: the facts that every message tells.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use trailwire_engine::actor::Actor;

use super::one_line;

/// The facts of an event in words. What the event does not tell is `None`.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) event_name: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) console_url: Option<String>,
    /// `Admin/alice (role session), on behalf of bob, through cloudformation.amazonaws.com`
    who: String,
    /// `AuthorizeSecurityGroupIngress (ec2)`
    what: String,
    /// `account 111122223333, eu-west-1`
    place: String,
    /// `2026-03-01 12:00:00 UTC`
    when: Option<String>,
    /// `192.0.2.7 with Terraform`
    from: Option<String>,
    /// `AccessDenied: User … is not authorized …`; `None` when the call succeeded.
    error: Option<String>,
    /// `AccessDenied`
    error_code: Option<String>,
}

impl Facts {
    pub(crate) fn new(event: &Value, actor: &Actor) -> Self {
        let null = Value::Null;
        let detail = event.get("detail").unwrap_or(&null);
        let of = |name: &str| text(detail, name);
        let account = text(event, "account").or_else(|| of("recipientAccountId"));
        let region = text(event, "region").or_else(|| of("awsRegion"));
        let name = of("eventName");
        let service = of("eventSource").map(|source| source.strip_suffix(".amazonaws.com").unwrap_or(source));
        let error_code = of("errorCode").or_else(|| failed_sign_in(detail));
        Self {
            who: who(actor),
            what: match (name, service) {
                (Some(name), Some(service)) => format!("{name} ({service})"),
                (Some(one), None) | (None, Some(one)) => one.to_owned(),
                (None, None) => text(event, "detail-type").unwrap_or("an event").to_owned(),
            },
            place: match (account, region) {
                (Some(account), Some(region)) => format!("account {account}, {region}"),
                (Some(account), None) => format!("account {account}"),
                (None, Some(region)) => region.to_owned(),
                (None, None) => "unknown".to_owned(),
            },
            when: of("eventTime").or_else(|| text(event, "time")).map(when),
            from: from(of("sourceIPAddress"), actor.tool.as_deref().or_else(|| of("userAgent"))),
            error: error_code.map(|code| match of("errorMessage") {
                Some(message) if message != code => format!("{code}: {message}"),
                _ => code.to_owned(),
            }),
            console_url: console_url(region, of("eventID")),
            event_name: name.map(str::to_owned),
            account: account.map(str::to_owned),
            region: region.map(str::to_owned),
            error_code: error_code.map(str::to_owned),
        }
    }

    /// The title where the author wrote none: `CreateUser by bert (IAM user) failed: AccessDenied`.
    pub(crate) fn title(&self, actor: &Actor) -> String {
        let what = self.event_name.as_deref().unwrap_or(&self.what);
        let outcome = self.error_code.as_ref().map(|code| format!(" failed: {code}")).unwrap_or_default();
        format!("{what} by {actor}{outcome}")
    }

    /// The facts as lines of text, for a message of which the author wrote nothing.
    pub(crate) fn sentences(&self) -> Vec<String> {
        self.pairs().into_iter().map(|(label, value)| format!("{label}: {value}")).chain(self.console_url.clone()).collect()
    }

    /// Where it happened.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Label and value of each fact that is known, each in one line, without the link.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let pairs = [
            ("Who", Some(&self.who)),
            ("What", Some(&self.what)),
            ("Where", Some(&self.place)),
            ("When", self.when.as_ref()),
            ("From", self.from.as_ref()),
            ("Error", self.error.as_ref()),
        ];
        pairs.into_iter().filter_map(|(label, value)| Some((label, one_line(value?)))).collect()
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A sign-in that failed says so in its response and nowhere else.
fn failed_sign_in(detail: &Value) -> Option<&str> {
    let outcome = detail.pointer("/responseElements/ConsoleLogin").and_then(Value::as_str)?;
    (outcome == "Failure").then_some("Failure")
}

fn who(actor: &Actor) -> String {
    let mut who = actor.to_string();
    if let Some(person) = &actor.on_behalf_of {
        who.push_str(&format!(", on behalf of {person}"));
    }
    for (step, opener) in actor.assumed_by.iter().enumerate() {
        who.push_str(if step == 0 { ", assumed by " } else { ", and that by " });
        who.push_str(opener);
    }
    if let Some(service) = &actor.via {
        who.push_str(&format!(", through {service}"));
    }
    who
}

fn from(address: Option<&str>, tool: Option<&str>) -> Option<String> {
    match (address, tool) {
        // A service that calls names itself in both places.
        (Some(address), Some(tool)) if address == tool => Some(address.to_owned()),
        (Some(address), Some(tool)) => Some(format!("{address} with {tool}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

/// `2026-03-01T12:00:00Z` as people read it; any other text as it is.
fn when(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => time.to_owned(),
    }
}

/// The event in the CloudTrail console. Only a region and an id that look like ones are put into an address.
fn console_url(region: Option<&str>, event_id: Option<&str>) -> Option<String> {
    let is_plain = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let region = region.filter(is_plain)?;
    let event_id = event_id.filter(is_plain)?;
    let host = match region {
        region if region.starts_with("cn-") => "console.amazonaws.cn",
        region if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    Some(format!("https://{region}.{host}/cloudtrailv2/home?region={region}#/events/{event_id}"))
}
