//! Destinations in AWS.

use super::address::read_url;
use super::members;
use crate::diagnostic::Code;
use crate::lang::jmespath;
use crate::trigger::reader::Reader;
use crate::value::{Map, Value};

/// The most recipients of an e-mail.
const RECIPIENTS: usize = 50;

/// Something in AWS that takes notifications or data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aws {
    /// What it is.
    pub target: Target,
    /// Its region as written; see [`Aws::region`].
    pub region: Option<String>,
    /// A role that is assumed to reach it: in another account, for example.
    pub role_arn: Option<String>,
}

/// The kinds of destinations in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An SNS topic.
    Sns {
        /// The topic.
        topic_arn: String,
    },
    /// E-mail by SES.
    Email {
        /// The sender, whose identity SES has verified.
        from: String,
        /// The recipients, 1 to 50.
        to: Vec<String>,
    },
    /// An SQS queue.
    Sqs {
        /// The queue.
        queue_url: String,
    },
    /// A Kinesis data stream.
    Kinesis {
        /// The stream.
        stream_arn: String,
        /// A JMESPath expression over the envelope; without it, or where it gives no text, records are spread evenly.
        partition_key: Option<String>,
    },
    /// A Firehose stream.
    Firehose {
        /// The stream.
        stream_name: String,
    },
    /// An EventBridge bus.
    EventBus {
        /// The bus.
        bus_arn: String,
    },
    /// A Lambda function, called asynchronously.
    Lambda {
        /// The function, its version or alias.
        function_arn: String,
    },
    /// A Step Functions state machine.
    StepFunctions {
        /// The state machine.
        state_machine_arn: String,
    },
    /// A CloudWatch Logs log group.
    LogGroup {
        /// The log group's name.
        name: String,
    },
    /// An OpenSearch domain or collection.
    Opensearch {
        /// Its address.
        endpoint: String,
        /// The index that documents go to.
        index: String,
    },
}

impl Target {
    /// The name of its kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sns { .. } => "sns",
            Self::Email { .. } => "email",
            Self::Sqs { .. } => "sqs",
            Self::Kinesis { .. } => "kinesis",
            Self::Firehose { .. } => "firehose",
            Self::EventBus { .. } => "event_bus",
            Self::Lambda { .. } => "lambda",
            Self::StepFunctions { .. } => "step_functions",
            Self::LogGroup { .. } => "log_group",
            Self::Opensearch { .. } => "opensearch",
        }
    }

    /// Its ARN, where it is written as one.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::Sns { topic_arn: arn }
            | Self::Kinesis { stream_arn: arn, .. }
            | Self::EventBus { bus_arn: arn }
            | Self::Lambda { function_arn: arn }
            | Self::StepFunctions { state_machine_arn: arn } => Some(arn),
            _ => None,
        }
    }

    fn read(kind: &str, reader: &mut Reader<'_>) -> Self {
        match kind {
            "sns" => Self::Sns { topic_arn: arn(reader, "topic_arn", ":sns:", "arn:aws:sns:us-east-1:111122223333:alerts") },
            "email" => Self::Email { from: mailbox(reader), to: recipients(reader) },
            "sqs" => Self::Sqs { queue_url: required_url(reader, "queue_url") },
            "kinesis" => Self::Kinesis {
                stream_arn: arn(reader, "stream_arn", ":kinesis:", "arn:aws:kinesis:us-east-1:111122223333:stream/events"),
                partition_key: partition_key(reader),
            },
            "firehose" => Self::Firehose { stream_name: named(reader, "stream_name", 64, "_.-") },
            "event_bus" => {
                Self::EventBus { bus_arn: arn(reader, "bus_arn", ":events:", "arn:aws:events:us-east-1:111122223333:event-bus/x") }
            }
            "lambda" => {
                Self::Lambda { function_arn: arn(reader, "function_arn", ":lambda:", "arn:aws:lambda:us-east-1:111122223333:function:x") }
            }
            "step_functions" => Self::StepFunctions {
                state_machine_arn: arn(reader, "state_machine_arn", ":states:", "arn:aws:states:us-east-1:111122223333:stateMachine:x"),
            },
            "log_group" => Self::LogGroup { name: named(reader, "name", 512, "_-/.#") },
            _ => Self::Opensearch { endpoint: required_url(reader, "endpoint"), index: index(reader) },
        }
    }

    fn members(&self) -> Map<String, Value> {
        let text = |text: &String| Some(Value::from(text.as_str()));
        match self {
            Self::Sns { topic_arn } => members([("topic_arn", text(topic_arn))]),
            Self::Email { from, to } => {
                members([("from", text(from)), ("to", Some(to.iter().map(|address| Value::from(address.as_str())).collect()))])
            }
            Self::Sqs { queue_url } => members([("queue_url", text(queue_url))]),
            Self::Kinesis { stream_arn, partition_key } => {
                members([("stream_arn", text(stream_arn)), ("partition_key", partition_key.as_ref().and_then(text))])
            }
            Self::Firehose { stream_name } => members([("stream_name", text(stream_name))]),
            Self::EventBus { bus_arn } => members([("bus_arn", text(bus_arn))]),
            Self::Lambda { function_arn } => members([("function_arn", text(function_arn))]),
            Self::StepFunctions { state_machine_arn } => members([("state_machine_arn", text(state_machine_arn))]),
            Self::LogGroup { name } => members([("name", text(name))]),
            Self::Opensearch { endpoint, index } => members([("endpoint", text(endpoint)), ("index", text(index))]),
        }
    }
}

impl Aws {
    /// The region of the destination: as written, or as its ARN or its address tells. `None` means that of the runtime.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref().or_else(|| self.told_region())
    }

    fn told_region(&self) -> Option<&str> {
        let of_host = |address: &'_ str| -> Option<(usize, usize)> {
            // `https://sqs.eu-west-1.amazonaws.com/…`, `https://search-x-1.eu-west-1.es.amazonaws.com`
            let host = address.split("://").nth(1)?.split(['/', ':']).next()?;
            let region = host.contains(".amazonaws.").then(|| host.split('.').find(|part| is_region(part)))??;
            let start = address.find(region)?;
            Some((start, start + region.len()))
        };
        match &self.target {
            Target::Sqs { queue_url: address } | Target::Opensearch { endpoint: address, .. } => {
                let (start, end) = of_host(address)?;
                address.get(start..end)
            }
            target => target.arn()?.split(':').nth(3).filter(|region| is_region(region)),
        }
    }

    pub(super) fn read(kind: &str, reader: &mut Reader<'_>) -> Self {
        let target = Target::read(kind, reader);
        let region = reader.text("region");
        let role_arn = reader.text("role_arn");
        reader.finish();
        let aws = Self { target, region, role_arn };
        if let Some(role) = aws.role_arn.as_ref().filter(|role| !(role.starts_with("arn:") && role.contains(":role/"))) {
            let message = format!("`{role}` is not the ARN of a role");
            reader.error(Code::BAD_AWS_NAME, "role_arn", message, "for example arn:aws:iam::111122223333:role/alerts");
        }
        if let Some(region) = &aws.region {
            if !is_region(region) {
                reader.error(Code::BAD_AWS_NAME, "region", format!("`{region}` is not a region"), "for example eu-west-1");
            } else if let Some(told) = aws.told_region().filter(|told| told != region) {
                let message = format!("the destination is in {told}, not in `{region}`");
                reader.error(Code::CONFLICT, "region", message, "leave `region` out");
            }
        }
        aws
    }

    pub(super) fn members(&self) -> Map<String, Value> {
        let mut all = self.target.members();
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        all.extend(members([("region", text(&self.region)), ("role_arn", text(&self.role_arn))]));
        all
    }
}

/// `eu-west-1`, `us-gov-east-1`: letters and hyphens, a digit at the end.
pub(super) fn is_region(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let Some((name, number)) = text.rsplit_once('-') else { return false };
    name.contains('-')
        && name.split('-').all(is_part)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn arn(reader: &mut Reader<'_>, member: &'static str, service: &str, example: &str) -> String {
    let arn = reader.required_text(member);
    let is_one = arn.starts_with("arn:") && arn.contains(service) && arn.split(':').count() >= 6;
    let is_clean = arn.bytes().all(|byte| byte.is_ascii_graphic());
    if !(arn.is_empty() || is_one && is_clean) {
        reader.error(
            Code::BAD_AWS_NAME,
            member,
            format!("`{member}` is not the ARN that is wanted here"),
            format!("for example {example}"),
        );
    }
    arn
}

fn required_url(reader: &mut Reader<'_>, member: &'static str) -> String {
    let address = read_url(reader, member);
    if reader.absent(member) {
        reader.missing(member, "it must be given");
    }
    address.unwrap_or_default()
}

fn named(reader: &mut Reader<'_>, member: &'static str, longest: usize, more: &str) -> String {
    let name = reader.required_text(member);
    let is_good = name.len() <= longest && name.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    if !is_good {
        let help = format!("letters, digits and `{more}`, at most {longest} characters");
        reader.error(Code::BAD_AWS_NAME, member, format!("`{member}` is no such name"), help);
    }
    name
}

fn is_mailbox(text: &str) -> bool {
    let is_clean = text.bytes().all(|byte| byte.is_ascii_graphic() && !b",;<>()\"\\".contains(&byte)) && text.len() <= 320;
    is_clean && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

fn mailbox(reader: &mut Reader<'_>) -> String {
    let from = reader.required_text("from");
    if !(from.is_empty() || is_mailbox(&from)) {
        reader.error(Code::BAD_AWS_NAME, "from", "`from` is not an e-mail address", "for example alerts@example.com");
    }
    from
}

fn recipients(reader: &mut Reader<'_>) -> Vec<String> {
    if reader.absent("to") {
        reader.missing("to", "name the recipients");
    }
    let to = reader.texts("to");
    for (index, address) in to.iter().enumerate().filter(|(_, address)| !is_mailbox(address)) {
        let message = format!("`{}` (element {index}) is not an e-mail address", address.escape_debug());
        reader.error(Code::BAD_AWS_NAME, "to", message, "for example security@example.com");
    }
    if to.len() > RECIPIENTS {
        let message = format!("an e-mail has at most {RECIPIENTS} recipients, this one has {}", to.len());
        reader.error(Code::OUT_OF_RANGE, "to", message, "write to a mailing list");
    }
    to
}

fn partition_key(reader: &mut Reader<'_>) -> Option<String> {
    let expression = reader.text("partition_key")?;
    if let (None, diagnostics) = jmespath::parse(&expression) {
        let said = diagnostics.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default();
        reader.error(
            Code::BAD_DESTINATION,
            "partition_key",
            format!("`partition_key` is no JMESPath expression: {said}"),
            "for example detail.eventID",
        );
    }
    Some(expression)
}

/// As OpenSearch wants it.
fn index(reader: &mut Reader<'_>) -> String {
    let name = reader.required_text("index");
    let is_good = name.len() <= 255
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte))
        && !name.starts_with(['-', '_', '.']);
    if !is_good {
        let help = "lower-case letters, digits, `-`, `_` and `.`, beginning with a letter or a digit";
        reader.error(Code::BAD_AWS_NAME, "index", "`index` is no name of an index", help);
    }
    name
}
