//! Templates of messages: `{{ event_name }} by {{ actor }}`.
//!
//! The language is minijinja's (Jinja2), in a sandbox: no includes, no macros, no files, a budget of steps ([`FUEL`]) and a bound
//! on what comes out ([`MAX_OUTPUT`]). What a template prints is plain text: whoever sends it escapes it for where it goes, and
//! never renders it a second time, so what an event says can not become template code or markup.
//!
//! A member that an event does not have prints as nothing (`{{ detail.requestParameters.groupId }}`); the name of a
//! variable that does not exist is refused by [`check`], before anything is applied.

use std::fmt;
use std::io;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectExt as _, ObjectRepr, Serde, ValueKind};
use minijinja::{Environment, UndefinedBehavior, Value};
use thiserror::Error;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::text::{Span, nearest};

/// Steps that one rendering may take; a template that needs more is stopped with [`RenderError`].
pub const FUEL: u64 = 100_000;

/// Bytes that one rendering may give; what follows is cut off at a character boundary and [`MARK`] put in its place.
pub const MAX_OUTPUT: usize = 16 * 1024;

/// What stands where text was cut off.
pub const MARK: &str = " … (cut)";

/// A variable of a template.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub meaning: &'static str,
}

/// Every variable that `title` and `message` may use. A variable that an event does not fill prints as nothing.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "trigger", meaning: "the trigger's name" },
    Variable { name: "severity", meaning: "the trigger's severity: info, low, medium, high or critical" },
    Variable { name: "description", meaning: "the trigger's description" },
    Variable { name: "event_name", meaning: "detail.eventName: `RunInstances`" },
    Variable { name: "event_source", meaning: "detail.eventSource: `ec2.amazonaws.com`" },
    Variable { name: "event_time", meaning: "detail.eventTime: `2026-03-01T12:00:00Z`" },
    Variable { name: "event_id", meaning: "detail.eventID" },
    Variable { name: "request_id", meaning: "detail.requestID" },
    Variable { name: "account", meaning: "the account in which it happened (12 digits)" },
    Variable { name: "region", meaning: "the region in which it happened" },
    Variable { name: "source_ip", meaning: "detail.sourceIPAddress: an address or the name of a service" },
    Variable { name: "user_agent", meaning: "detail.userAgent" },
    Variable { name: "error_code", meaning: "detail.errorCode, empty when the call succeeded" },
    Variable { name: "error_message", meaning: "detail.errorMessage" },
    Variable {
        name: "actor",
        meaning: "who did it, in words; also actor.kind, .name, .account, .role, .session, .on_behalf_of, .arn, .access_key, .via, .tool, .mfa",
    },
    Variable { name: "console_url", meaning: "the event in the CloudTrail console" },
    Variable { name: "detail", meaning: "the whole CloudTrail record: `detail.requestParameters.groupId`" },
    Variable { name: "event", meaning: "the whole EventBridge event: `event.resources`" },
];

/// Why a template is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct InvalidTemplate {
    /// One sentence, lower case, without a full stop.
    pub message: String,
    /// The line, from 1, where the fault has one.
    pub line: Option<usize>,
    /// What to do about it.
    pub help: Option<String>,
    /// The variable that does not exist, where that is the fault.
    pub name: Option<String>,
}

/// Why a template that [`check`] accepts could not be rendered with these variables: its budget ran out, a filter met a value it
/// can not take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RenderError(String);

/// What a template sees.
#[derive(Debug, Clone, Default)]
pub struct Variables(std::collections::BTreeMap<&'static str, Value>);

impl Variables {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A text; `None` prints as nothing and is false in a condition.
    #[must_use]
    pub fn text(mut self, name: &'static str, text: Option<&str>) -> Self {
        self.0.insert(name, text.map_or(Value::UNDEFINED, Value::from));
        self
    }

    /// Any JSON, members reached with a dot.
    #[must_use]
    pub fn json(mut self, name: &'static str, value: &serde_json::Value) -> Self {
        self.0.insert(name, Value::from(Serde(value)));
        self
    }

    /// JSON that prints as `text` when it is named alone: `{{ actor }}` and `{{ actor.session }}`.
    #[must_use]
    pub fn named(mut self, name: &'static str, text: String, members: &serde_json::Value) -> Self {
        self.0.insert(name, Value::from_object(Named { text, members: Value::from(Serde(members)) }));
        self
    }

    /// The names that are filled, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

/// A map that prints as a text.
#[derive(Debug)]
struct Named {
    text: String,
    members: Value,
}

impl Object for Named {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.members.get_item(key).ok().filter(|value| !value.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mapped_enumerator(|this| match this.members.try_iter() {
            Ok(keys) => Box::new(keys.collect::<Vec<_>>().into_iter()),
            Err(_) => Box::new(std::iter::empty()),
        })
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Parses a template and looks at the variables it names.
///
/// # Errors
///
/// Syntax that is not minijinja's, an unknown filter or test can only show when it is rendered; an unknown variable is told here,
/// with the known name that comes nearest to it.
pub fn check(template: &str) -> Result<(), InvalidTemplate> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| InvalidTemplate {
        message: describe(&error),
        line: error.line(),
        name: None,
        help: Some("a value stands in `{{ … }}`, a condition in `{% if … %} … {% endif %}`".to_owned()),
    })?;
    let mut unknown: Vec<String> = parsed.undeclared_variables(false).into_iter().collect();
    unknown.retain(|name| !VARIABLES.iter().any(|variable| variable.name == name) && !is_global(&environment, name));
    unknown.sort();
    let Some(name) = unknown.into_iter().next() else {
        return Ok(());
    };
    let names = VARIABLES.iter().map(|variable| variable.name).collect::<Vec<_>>().join(", ");
    let line = template.lines().position(|line| line.contains(&name)).map(|index| index + 1);
    Err(InvalidTemplate { message: format!("unknown variable `{name}`"), line, help: Some(format!("known are {names}")), name: Some(name) })
}

/// What is wrong with a template that stands at a path, as a diagnostic with the place in the text.
///
/// ```
/// use trailwire_engine::{diagnostic::Path, template};
/// let found = template::diagnose("{{ event_nam }} by {{ actor }}", &Path::root("title"));
/// assert_eq!(found[0].message, "unknown variable `event_nam`");
/// assert_eq!(found[0].help.as_deref(), Some("did you mean `event_name`?"));
/// ```
pub fn diagnose(template: &str, path: &Path) -> Vec<Diagnostic> {
    let Err(invalid) = check(template) else { return Vec::new() };
    let mut diagnostic = Diagnostic::error(Code::BAD_TEMPLATE, invalid.message).at(path.clone());
    if let Some(span) = invalid.name.as_deref().and_then(|name| place(template, name)) {
        diagnostic = diagnostic.under(template, span);
    } else if let Some(line) = invalid.line.filter(|_| template.contains('\n')) {
        diagnostic.message.push_str(&format!(" (line {line})"));
    }
    let names = VARIABLES.iter().map(|variable| variable.name);
    let near = invalid.name.as_deref().and_then(|name| nearest(name, names)).map(|name| format!("did you mean `{name}`?"));
    vec![match near.or(invalid.help) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }]
}

/// The first place where a name stands alone.
fn place(template: &str, name: &str) -> Option<Span> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut places = template.match_indices(name).map(|(start, _)| (start, start + name.len()));
    let alone = |(start, end): &(usize, usize)| {
        let before = template.get(..*start).and_then(|text| text.chars().next_back());
        let after = template.get(*end..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(|c| is_part(c) && c != '.')
    };
    places.find(alone).map(|(start, end)| Span::new(start, end))
}

/// Renders a template once.
///
/// # Errors
///
/// Syntax errors, a spent budget ([`FUEL`]), a filter or test that does not exist or can not take its value. Text beyond
/// [`MAX_OUTPUT`] is no error: it is cut off with [`MARK`].
pub fn render(template: &str, variables: &Variables) -> Result<String, RenderError> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| RenderError(describe(&error)))?;
    let mut output = Bounded::default();
    let context = Value::from_pairs(variables.0.iter().map(|(name, value)| (*name, value.clone())));
    let ended = parsed.render_captured_to(context, &mut output).map(drop);
    match ended {
        Err(error) if !output.full => Err(RenderError(describe(&error))),
        _ => Ok(output.into_text()),
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(50);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(|output, state, value| match value.kind() {
        // A null prints as nothing, as a missing member does; everything else as JSON has it, texts bare.
        ValueKind::None => Ok(()),
        ValueKind::Bool => output.write_str(if value.is_true() { "true" } else { "false" }).map_err(Into::into),
        ValueKind::Map | ValueKind::Seq if value.downcast_object_ref::<Named>().is_none() => {
            let json = serde_json::to_string(value).unwrap_or_default();
            output.write_str(&json).map_err(Into::into)
        }
        _ => minijinja::escape_formatter(output, state, value),
    });
    environment
}

fn is_global(environment: &Environment<'_>, name: &str) -> bool {
    environment.globals().any(|(global, _)| global == name)
}

/// An error in one line, without the library's own words for its kind where it has better ones.
fn describe(error: &minijinja::Error) -> String {
    let text = match (error.kind(), error.detail()) {
        (minijinja::ErrorKind::OutOfFuel, _) => "the template takes too many steps".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    };
    text.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// Takes [`MAX_OUTPUT`] bytes, then refuses.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl Bounded {
    fn into_text(self) -> String {
        // A cut may fall inside a character; the whole of it goes.
        let text = match String::from_utf8(self.bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                bytes.truncate(valid);
                String::from_utf8(bytes).unwrap_or_default()
            }
        };
        if self.full { text + MARK } else { text }
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = MAX_OUTPUT.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
        if bytes.len() > room {
            self.full = true;
            return Err(io::Error::other("the output is full"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables() -> Variables {
        Variables::new()
            .text("event_name", Some("RunInstances"))
            .text("error_code", None)
            .text("user_agent", Some("{{ 7 * 7 }} <!channel>"))
            .named("actor", "Admin/alice (role session)".to_owned(), &json!({"session": "alice", "mfa": false}))
            .json("detail", &json!({"requestParameters": {"groupId": "sg-1", "items": [1, 2]}, "none": null, "on": true}))
    }

    #[test]
    fn templates_print_what_the_event_says() {
        let cases = [
            ("{{ event_name }} by {{ actor }}", "RunInstances by Admin/alice (role session)"),
            ("{{ actor.session }} {{ actor.mfa }} {{ actor.role }}", "alice false "),
            ("{{ detail.requestParameters.groupId }}", "sg-1"),
            ("[{{ detail.requestParameters.missing.deeper }}]", "[]"),
            ("[{{ detail.none }}|{{ error_code }}]", "[|]"),
            ("{% if error_code %}failed{% else %}worked{% endif %}", "worked"),
            ("{% for item in detail.requestParameters['items'] %}{{ item }};{% endfor %}", "1;2;"),
            ("{{ event_name | lower }}{{ error_code | default('-') }}", "runinstances-"),
            ("{{ detail.requestParameters }} {{ detail.on }}", "{\"groupId\":\"sg-1\",\"items\":[1,2]} true"),
            ("plain & <text>", "plain & <text>"),
            // What an event says is never template code.
            ("{{ user_agent }}", "{{ 7 * 7 }} <!channel>"),
        ];
        for (template, expected) in cases {
            check(template).unwrap();
            assert_eq!(render(template, &variables()).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn faults_are_named() {
        let cases = [
            ("{{ event_nam }}", "unknown variable `event_nam`", Some(1)),
            ("a\n{% if nope %}x{% endif %}", "unknown variable `nope`", Some(2)),
            ("{{ event_name", "unexpected end of input, expected end of variable block", Some(1)),
            ("{% include 'x' %}", "unknown statement include", Some(1)),
        ];
        for (template, message, line) in cases {
            let error = check(template).unwrap_err();
            assert_eq!((error.message.as_str(), error.line), (message, line), "{template}");
            assert!(error.help.is_some(), "{template}");
        }
        assert!(render("{{ event_name | nosuch }}", &variables()).is_err());
    }

    #[test]
    fn work_and_output_are_bounded() {
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        assert_eq!(render(endless, &variables()), Err(RenderError("the template takes too many steps".to_owned())));
        let long = render("{% for a in range(9999) %}é{{ event_name }}{% endfor %}", &variables()).unwrap();
        assert!(long.len() <= MAX_OUTPUT + MARK.len() && long.ends_with(MARK), "{}", long.len());
        assert!(long.len() > MAX_OUTPUT - 4);
    }
}
