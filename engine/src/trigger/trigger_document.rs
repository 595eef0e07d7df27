//! From the JSON form of a trigger to [`Trigger`].

use std::time::Duration;

use super::duration;
use super::model::{Action, Notify, OnError, PushDown, Query, Send, Severity, Test, Trigger, Wait};
use super::reader::Reader;
use super::restraint::{Suppress, Threshold};
use crate::diagnostic::Code;
use crate::lang::Language;

/// The longest `wait`.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 86_400);

/// The members of a trigger's document, in the order in which they are read; the attributes of a configuration that make it up have the same names.
pub const MEMBERS: [&str; 23] = [
    "name",
    "description",
    "enabled",
    "severity",
    "event_names",
    "any_event",
    "event_sources",
    "match_expression",
    "filter_pattern",
    "event_pattern",
    "on_error",
    "include_read_only",
    "include_self",
    "regions",
    "exclude_regions",
    "account_ids",
    "forwarder",
    "push_down",
    "allow",
    "threshold",
    "suppress",
    "action",
    "test",
];

impl Trigger {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let name = read_name(reader, "name", "trigger");
        let trigger = Self {
            name,
            description: reader.text("description"),
            enabled: reader.boolean("enabled", true),
            severity: reader.one_of("severity", &Severity::ALL),
            event_names: reader.texts("event_names"),
            any_event: reader.boolean("any_event", false),
            event_sources: reader.texts("event_sources"),
            match_expression: reader.text("match_expression"),
            filter_pattern: reader.text("filter_pattern"),
            event_pattern: reader.text("event_pattern"),
            on_error: reader.one_of("on_error", &OnError::ALL),
            include_read_only: reader.boolean("include_read_only", false),
            include_self: reader.boolean("include_self", false),
            regions: reader.texts("regions"),
            exclude_regions: reader.texts("exclude_regions"),
            account_ids: reader.texts("account_ids"),
            forwarder: reader.text("forwarder").inspect(|name| check_name(reader, "forwarder", name, "forwarder")),
            push_down: reader.one_of("push_down", &PushDown::ALL),
            allow: reader.text_map("allow"),
            threshold: reader.block("threshold", Threshold::read),
            suppress: reader.block("suppress", Suppress::read),
            actions: reader.objects("action", Action::read).into_iter().flatten().collect(),
            tests: reader.objects("test", Test::read),
        };
        if reader.is_object() {
            if trigger.any_event && !reader.absent("event_names") {
                reader.error(
                    Code::CONFLICT,
                    "any_event",
                    "`any_event = true` and `event_names` exclude each other",
                    "take one of the two out",
                );
            }
            if !trigger.any_event && reader.absent("event_names") {
                reader.missing("event_names", "name the events, such as [\"CreateUser\"], or set `any_event = true`");
            }
            if reader.absent("action") || reader.is_empty_list("action") {
                reader.error(Code::BLOCK_COUNT, "action", "a trigger has at least one action", "add an `action` block");
            }
            at_most_one_match(reader);
            check_account_ids(reader, &trigger.account_ids);
        }
        reader.finish();
        trigger
    }
}

/// A name that must be there: of a trigger, or whatever the word says.
pub(super) fn read_name(reader: &mut Reader<'_>, member: &'static str, word: &str) -> String {
    let name = reader.required_text(member);
    check_name(reader, member, &name, word);
    name
}

fn check_name(reader: &mut Reader<'_>, member: &str, name: &str, word: &str) {
    if !name.is_empty() && !is_name(name, 40) {
        let help = "lower-case letters, digits and hyphens, beginning with a letter, at most 40 characters";
        reader.error(Code::BAD_NAME, member, format!("`{name}` is not a name for a {word}"), help);
    }
}

pub(super) fn check_account_ids(reader: &mut Reader<'_>, accounts: &[String]) {
    for (index, account) in accounts.iter().enumerate() {
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            let help = "an account id is 12 digits, as text";
            reader.error(Code::BAD_AWS_NAME, "account_ids", format!("`{account}` (element {index}) is no account id"), help);
        }
    }
}

/// The match is written in one language.
fn at_most_one_match(reader: &mut Reader<'_>) {
    let given: Vec<&str> = Language::ALL.map(Language::attribute).into_iter().filter(|name| !reader.absent(name)).collect();
    if let [first, rest @ ..] = given.as_slice() {
        for other in rest {
            let message = format!("`{other}` and `{first}` exclude each other");
            reader.error(Code::CONFLICT, other, message, "write the match in one language");
        }
    }
}

impl Test {
    fn read(reader: &mut Reader<'_>) -> Self {
        if reader.absent("expect") {
            reader.missing("expect", "write true if the trigger fires for the event, false if not");
        }
        let test =
            Self { name: reader.required_text("name"), event: reader.required_text("event"), expect: reader.boolean("expect", false) };
        reader.finish();
        test
    }
}

impl Action {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let notify = reader.block("notify", Notify::read).map(Self::Notify);
        let wait = reader.block("wait", Wait::read).map(Self::Wait);
        let query = reader.block("query", Query::read).map(Self::Query);
        let send = reader.block("send", Send::read).map(Self::Send);
        reader.finish();
        let mut kinds: Vec<Self> = [notify, wait, query, send].into_iter().flatten().collect();
        if kinds.len() == 1 {
            return kinds.pop();
        }
        if reader.is_object() {
            let message = format!("an action has exactly one block inside, this one has {}", kinds.len());
            reader.error_here(Code::BLOCK_COUNT, message, "write `notify`, `wait`, `query` or `send`, and an `action` for each");
        }
        None
    }
}

impl Notify {
    fn read(reader: &mut Reader<'_>) -> Self {
        if reader.absent("destinations") {
            reader.missing("destinations", "name at least one destination");
        }
        let notify = Self {
            destinations: reader.texts("destinations"),
            title: reader.text("title"),
            message: reader.text("message"),
            fields: reader.text_map("fields"),
        };
        reader.finish();
        notify
    }
}

impl Wait {
    fn read(reader: &mut Reader<'_>) -> Self {
        let text = reader.required_text("duration");
        let duration = if text.is_empty() {
            Duration::ZERO
        } else {
            duration::parse(&text).unwrap_or_else(|invalid| {
                reader.error(Code::BAD_DURATION, "duration", invalid.to_string(), "for example `10m`");
                Duration::from_secs(1)
            })
        };
        if !text.is_empty() && (duration.is_zero() || duration > LONGEST_WAIT) {
            reader.error(Code::BAD_DURATION, "duration", format!("a wait of `{text}` is out of bounds"), "from 1 second to 365 days");
        }
        reader.finish();
        Self { text, duration }
    }
}

impl Query {
    fn read(reader: &mut Reader<'_>) -> Self {
        let query = Self {
            service: reader.required_text("service"),
            operation: reader.required_text("operation"),
            parameters: reader.text("parameters"),
            result: reader.text("result"),
            name: reader.required_text("as"),
        };
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let name = &query.name;
        let fits = name.len() <= 40 && name.bytes().all(is_word) && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        if !name.is_empty() && !fits {
            let help =
                "lower-case letters, digits and `_`, beginning with a letter, at most 40 characters: templates use it as `{{ name }}`";
            reader.error(Code::BAD_NAME, "as", format!("`{name}` is not a name for a result"), help);
        }
        reader.finish();
        query
    }
}

impl Send {
    fn read(reader: &mut Reader<'_>) -> Self {
        let send = Self { destination: reader.required_text("destination") };
        reader.finish();
        send
    }
}

/// Lower-case letters, digits and hyphens, beginning with a letter.
pub(super) fn is_name(name: &str, longest: usize) -> bool {
    name.len() <= longest
        && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
