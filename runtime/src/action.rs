//! What an action says: the content of a notification, or the event that is sent on. Pure; how it looks at a destination is that
//! destination's affair ([`crate::destination`]).

pub(crate) mod facts;
mod mute;
pub(crate) mod sample;

use serde_json::{Map, Value};
use trailwire_engine::actor::{Actor, who};
use trailwire_engine::check::is_template;
use trailwire_engine::template::{self, Variables};
use trailwire_engine::trigger::{Action, Notify, Query};
use trailwire_engine::{eval, lang};

use crate::core::run::{Occasion, Run};
use facts::Facts;

/// What is delivered.
#[derive(Debug)]
pub(crate) enum Content {
    /// To people.
    Notification(Box<Notification>),
    /// The whole event.
    Event(Box<EventContent>),
}

/// An event that is sent on.
#[derive(Debug)]
pub(crate) struct EventContent {
    pub(crate) accepted: jiff::Timestamp,
    pub(crate) trigger: String,
    pub(crate) severity: &'static str,
    pub(crate) event: Value,
}

/// A notification. Its texts hold whatever the event says and are not escaped.
#[derive(Debug)]
pub(crate) struct Notification {
    pub(crate) accepted: jiff::Timestamp,
    pub(crate) trigger: String,
    pub(crate) severity: &'static str,
    pub(crate) description: Option<String>,
    pub(crate) title: String,
    /// The message that the trigger's author wrote, rendered; `None` where there is none.
    pub(crate) message: Option<String>,
    /// Label and value, in label order.
    pub(crate) fields: Vec<(String, Value)>,
    pub(crate) actor: Actor,
    pub(crate) facts: Facts,
    pub(crate) event: Value,
    /// How addresses begin that are no event's: those that the trigger's author wrote, and the link to the console.
    pub(crate) links: Vec<String>,
    /// A `suppress` block to paste, in HCL; `None` where the trigger has one.
    pub(crate) suppress: Option<String>,
    /// What went wrong while it was written: a template or a field. The notification goes out all the same.
    pub(crate) faults: Vec<String>,
}

impl Notification {
    /// The message in plain text: the author's own, or one that says who, what, where, when, from where and with what, and where to
    /// look.
    pub(crate) fn text(&self) -> String {
        match &self.message {
            Some(message) => message.clone(),
            None => self.description.iter().cloned().chain(self.facts.sentences()).collect::<Vec<_>>().join("\n"),
        }
        .chars()
        .filter(|c| is_shown(*c))
        .collect()
    }
}

/// What the action at this index of a run delivers; `None` where it is no action that delivers.
pub(crate) fn content(run: &Run, action: u32) -> Option<Content> {
    match run.trigger.actions.get(action as usize)? {
        Action::Notify(notify) => Some(Content::Notification(Box::new(notification(run, notify)))),
        Action::Send(_) => Some(Content::Event(Box::new(EventContent {
            accepted: run.accepted,
            trigger: run.trigger.name.clone(),
            severity: run.trigger.severity.name(),
            event: run.event.clone(),
        }))),
        Action::Wait(_) | Action::Query(_) => None,
    }
}

fn notification(run: &Run, notify: &Notify) -> Notification {
    let actor = actor(run, &run.event);
    let facts = Facts::new(&run.event, &actor);
    let variables = variables(run);
    let mut faults = Vec::new();
    let mut render = |what: &str, template: &Option<String>| {
        let rendered = template::render(template.as_deref()?, &variables);
        rendered.map_err(|error| faults.push(format!("{what}: {error}"))).ok().filter(|text| !text.trim().is_empty())
    };
    let title = render("title", &notify.title);
    let message = render("message", &notify.message);
    let fields = notify.fields.iter().map(|(label, expression)| {
        let value = field(expression, &run.event).unwrap_or_else(|fault| {
            faults.push(format!("field `{label}`: {fault}"));
            Value::Null
        });
        (label.clone(), value)
    });
    Notification {
        fields: fields.collect(),
        accepted: run.accepted,
        trigger: run.trigger.name.clone(),
        severity: run.trigger.severity.name(),
        description: run.trigger.description.clone(),
        title: one_line(&titled(&run.occasion, title.unwrap_or_else(|| facts.title(&actor)))),
        message,
        links: links(run, notify, &facts),
        suppress: run.trigger.suppress.is_none().then(|| mute::suppress(&run.event)),
        actor,
        facts,
        event: run.event.clone(),
        faults,
    }
}

/// Who made the event of a run, with what is known of where the session came from.
fn actor(run: &Run, event: &Value) -> Actor {
    let assumed_by = run.assumed_by.iter().map(|name| one_line(name)).collect();
    Actor { assumed_by, ..who(event.get("detail").unwrap_or(&Value::Null)) }
}

/// The title with what the message stands for before it, where that is more than its event. It is there whatever the author wrote: a
/// message that tells of many must not look like one of them.
fn titled(occasion: &Occasion, title: String) -> String {
    let of = |group: &Option<String>| group.as_ref().map(|group| format!(" for {group}")).unwrap_or_default();
    match occasion {
        Occasion::Event | Occasion::Watch { .. } => title,
        Occasion::Alarm { count, window, group } => format!("{count} within {window}{}: {title}", of(group)),
        Occasion::Recovered { group } => format!("Over{}: {title}", of(group)),
        Occasion::Hidden { count, window, group } => format!("{count} more within {window}{}: {title}", of(group)),
    }
}

/// Template variables of the occasion: state, count, group.
fn counted(occasion: &Occasion) -> (&'static str, u64, Option<&str>) {
    match occasion {
        Occasion::Event | Occasion::Watch { .. } => ("", 1, None),
        Occasion::Alarm { count, group, .. } => ("alarm", u64::from(*count), group.as_deref()),
        Occasion::Recovered { group } => ("ok", 1, group.as_deref()),
        Occasion::Hidden { count, group, .. } => ("suppressed", *count, group.as_deref()),
    }
}

/// How addresses begin that are not to be broken: `https://` and a host that the author wrote out, with the `/` after it, and the whole link to the console.
fn links(run: &Run, notify: &Notify, facts: &Facts) -> Vec<String> {
    let texts = [&notify.title, &notify.message, &run.trigger.description];
    let written = texts.into_iter().flatten().flat_map(|text| {
        text.match_indices("https://").filter_map(|(at, scheme)| {
            let host = text.get(at + scheme.len()..)?.split_once('/')?.0;
            let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
            is_host.then(|| format!("{scheme}{host}/"))
        })
    });
    written.chain(facts.console_url.clone()).collect()
}

/// Characters that people see, in one line: nothing that an event says begins a line of its own.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().filter(|c| is_shown(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

fn field(expression: &str, event: &Value) -> Result<Value, String> {
    let (parsed, diagnostics) = lang::jmespath::parse(expression);
    let parsed = parsed.ok_or_else(|| crate::definitions::sentences(&diagnostics).join("; "))?;
    eval::search(&parsed, event).map_err(|error| error.to_string())
}

/// Everything that [`template::VARIABLES`] promises.
///
/// What the event says comes in one line each: the lines of a message are its author's.
fn variables(run: &Run) -> Variables {
    let (event, null) = (in_one_line(&run.event), Value::Null);
    let detail = event.get("detail").unwrap_or(&null);
    let actor = &actor(run, &event);
    let facts = &Facts::new(&event, actor);
    let of = |name: &str| detail.get(name).and_then(Value::as_str);
    let members = serde_json::to_value(actor).unwrap_or_else(|_| Value::Object(Map::new()));
    let (state, count, group) = counted(&run.occasion);
    let results = run.results.iter();
    let results = results.fold(Variables::new(), |variables, (name, value)| variables.json(name.clone(), &in_one_line(value)));
    results
        .text("state", Some(state))
        .text("count", Some(&count.to_string()))
        .text("group", group.map(one_line).as_deref())
        .text("trigger", Some(&run.trigger.name))
        .text("severity", Some(run.trigger.severity.name()))
        .text("description", run.trigger.description.as_deref())
        .text("event_name", facts.event_name.as_deref())
        .text("event_source", of("eventSource"))
        .text("event_time", of("eventTime").or_else(|| event.get("time").and_then(Value::as_str)))
        .text("event_id", of("eventID"))
        .text("request_id", of("requestID"))
        .text("account", facts.account.as_deref())
        .text("region", facts.region.as_deref())
        .text("source_ip", of("sourceIPAddress"))
        .text("user_agent", of("userAgent"))
        .text("error_code", of("errorCode"))
        .text("error_message", of("errorMessage"))
        .text("console_url", facts.console_url.as_deref())
        .named("actor", actor.to_string(), &members)
        .json("detail", detail)
        .json("event", &event)
}

/// The parameters of a query, their templates rendered.
///
/// # Errors
///
/// In words: a template that cannot be rendered, or that gives nothing. What is asked for must not widen where an event says nothing.
pub(crate) fn parameters(run: &Run, query: &Query) -> Result<Value, String> {
    let text = query.parameters.as_deref().unwrap_or("{}");
    let written: Value = serde_json::from_str(text).map_err(|error| format!("its parameters are not JSON: {error}"))?;
    rendered(&written, &variables(run))
}

fn rendered(value: &Value, variables: &Variables) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) if is_template(text) => {
            let rendered = template::render(text, variables).map_err(|error| format!("the template `{text}`: {error}"))?;
            if rendered.trim().is_empty() {
                return Err(format!("the template `{text}` gives nothing on this event"));
            }
            Value::String(rendered)
        }
        Value::Array(elements) => Value::Array(elements.iter().map(|element| rendered(element, variables)).collect::<Result<_, _>>()?),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| Ok((name.clone(), rendered(value, variables)?)));
            Value::Object(members.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

/// The value with each text in one line.
fn in_one_line(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().any(|c| c.is_control() || !is_shown(c)) => Value::String(one_line(text)),
        Value::Array(elements) => Value::Array(elements.iter().map(in_one_line).collect()),
        Value::Object(members) => Value::Object(members.iter().map(|(name, value)| (name.clone(), in_one_line(value))).collect()),
        other => other.clone(),
    }
}

/// Whether people see a character as what it is: a line end or tab, or neither control character nor one of those that reverse, hide
/// or join what stands around them (Unicode's bidirectional and zero-width ones).
pub(crate) fn is_shown(c: char) -> bool {
    let is_format = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    matches!(c, '\n' | '\t') || !(c.is_control() || is_format)
}

/// A field's value as people read it: a text as it is, anything else as JSON, nothing as a dash.
pub(crate) fn field_text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
