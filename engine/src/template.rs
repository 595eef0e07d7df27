//! Templates of messages: `{{ event_name }} by {{ actor }}`.
//!
//! The language is minijinja's (Jinja2), in a sandbox: no includes, no macros, no files, a budget of steps ([`FUEL`]) and a bound
//! on what comes out ([`MAX_OUTPUT`]). What a template prints is plain text: whoever sends it escapes it for where it goes, and
//! never renders it a second time, so what an event says can not become template code or markup.
//!
//! A member that an event does not have prints as nothing (`{{ detail.requestParameters.groupId }}`); the name of a
//! variable that does not exist is refused by [`check`], before anything is applied.

mod results;
mod sample;
mod uses;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectExt as _, ObjectRepr, Serde, ValueKind};
use minijinja::{Environment, UndefinedBehavior, Value};
use thiserror::Error;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::text::{Span, nearest};
pub use results::{Results, diagnose_trigger};

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

/// Every variable that `title` and `message` may use, beside the results of the queries before them. A variable that an event does not fill prints as nothing.
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
        meaning: "who did it, in words; also actor.kind, .name, .account, .role, .session, .on_behalf_of, .assumed_by (a list), .arn, .access_key, .via, .tool, .mfa",
    },
    Variable {
        name: "state",
        meaning: "`alarm` or `ok` by a threshold, `suppressed` where the message counts what was not told; else empty",
    },
    Variable { name: "count", meaning: "how many events the message stands for: 1, or what threshold or suppress counted" },
    Variable { name: "group", meaning: "the value of the threshold's group_by or the key of suppress, as JSON; else empty" },
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
    /// The name that nobody knows, where that is the fault.
    pub name: Option<String>,
    /// Its place.
    pub span: Option<Span>,
}

/// Why a template that [`check`] accepts could not be rendered with these variables: its budget ran out, a filter met a value it
/// can not take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RenderError(String);

/// What a template sees.
#[derive(Debug, Clone, Default)]
pub struct Variables(std::collections::BTreeMap<Cow<'static, str>, Value>);

impl Variables {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A text; `None` prints as nothing and is false in a condition.
    #[must_use]
    pub fn text(mut self, name: &'static str, text: Option<&str>) -> Self {
        self.0.insert(name.into(), text.map_or(Value::UNDEFINED, Value::from));
        self
    }

    /// Any JSON, members reached with a dot.
    #[must_use]
    pub fn json(mut self, name: impl Into<Cow<'static, str>>, value: &serde_json::Value) -> Self {
        self.0.insert(name.into(), Value::from(Serde(value)));
        self
    }

    /// JSON that prints as `text` when it is named alone: `{{ actor }}` and `{{ actor.session }}`.
    #[must_use]
    pub fn named(mut self, name: &'static str, text: String, members: &serde_json::Value) -> Self {
        self.0.insert(name.into(), Value::from_object(Named { text, members: Value::from(Serde(members)) }));
        self
    }

    /// The names that are filled, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
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

/// Filters that a user may have meant.
const FILTERS: [&str; 24] = [
    "abs",
    "batch",
    "capitalize",
    "default",
    "dictsort",
    "first",
    "float",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "replace",
    "round",
    "sort",
    "split",
    "title",
    "trim",
    "upper",
];

/// Tests that a user may have meant.
const TESTS: [&str; 13] = [
    "boolean",
    "defined",
    "endingwith",
    "even",
    "in",
    "mapping",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "undefined",
];

/// Parses a template, looks at the variables, filters and tests that it names, and tries it on samples. `results` are those of the queries before it.
///
/// # Errors
///
/// Syntax that is not minijinja's; a variable, filter or test that nobody knows; what fails on every event, such as a filter without
/// its argument or too many steps. What only some events make fail shows when it is rendered.
pub fn check(template: &str, results: &Results<'_>) -> Result<(), InvalidTemplate> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| InvalidTemplate {
        message: describe(&error),
        line: error.line(),
        name: None,
        span: None,
        help: Some("a value stands in `{{ … }}`, a condition in `{% if … %} … {% endif %}`".to_owned()),
    })?;
    let mut unknown: Vec<String> = parsed.undeclared_variables(false).into_iter().collect();
    let is_known = |name: &String| results.contains_key(name) || VARIABLES.iter().any(|variable| variable.name == name);
    unknown.retain(|name| !is_known(name) && !is_global(&environment, name));
    unknown.sort();
    if let Some(name) = unknown.into_iter().next() {
        let known = VARIABLES.iter().map(|variable| variable.name).chain(results.keys().map(String::as_str));
        return Err(nobody_knows("variable", &name, place(template, &name), known, template));
    }
    for found in uses::uses(template) {
        let (word, known) = match found.kind {
            uses::Kind::Filter => ("filter", &FILTERS[..]),
            uses::Kind::Test => ("test", &TESTS[..]),
        };
        if !exists(&environment, word, found.name) {
            return Err(nobody_knows(word, found.name, Some(found.span), known.iter().copied(), template));
        }
    }
    sample::samples().iter().try_for_each(|variables| match render_in(&environment, template, variables) {
        Err(error) if fails_always(error.kind()) => Err(InvalidTemplate {
            message: describe(&error),
            line: error.line(),
            name: None,
            span: None,
            help: Some("this is so whatever the event says".to_owned()),
        }),
        _ => Ok(()),
    })
}

/// A name that is no variable, filter or test.
fn nobody_knows<'k>(word: &str, name: &str, span: Option<Span>, known: impl Iterator<Item = &'k str>, template: &str) -> InvalidTemplate {
    let known: Vec<&str> = known.collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", known.join(", ")),
    };
    let line = span.and_then(|span| template.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    InvalidTemplate { message: format!("unknown {word} `{name}`"), line, help: Some(help), name: Some(name.to_owned()), span }
}

/// Asks minijinja itself, whose tests `filter` and `test` say so.
fn exists(environment: &Environment<'_>, word: &str, name: &str) -> bool {
    let asked = environment.compile_expression(if word == "filter" { "name is filter" } else { "name is test" });
    let told = asked.and_then(|asked| asked.eval(Value::from_pairs([("name", Value::from(name))])));
    told.is_ok_and(|told| told.is_true())
}

/// Whether no event can help a template that fails so.
fn fails_always(kind: minijinja::ErrorKind) -> bool {
    use minijinja::ErrorKind;
    matches!(
        kind,
        ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
            | ErrorKind::MissingArgument
            | ErrorKind::TooManyArguments
            | ErrorKind::OutOfFuel
    )
}

/// What is wrong with a template that stands at a path, as a diagnostic with the place in the text.
///
/// ```
/// use trailwire_engine::{diagnostic::Path, template};
/// let found = template::diagnose("{{ event_nam }} by {{ actor }}", &Path::root("title"), &template::Results::new());
/// assert_eq!(found[0].message, "unknown variable `event_nam`");
/// assert_eq!(found[0].help.as_deref(), Some("did you mean `event_name`?"));
/// ```
pub fn diagnose(template: &str, path: &Path, results: &Results<'_>) -> Vec<Diagnostic> {
    let Err(invalid) = check(template, results) else { return results::missing_members(template, path, results) };
    let mut diagnostic = Diagnostic::error(Code::BAD_TEMPLATE, invalid.message).at(path.clone());
    if let Some(span) = invalid.span {
        diagnostic = diagnostic.under(template, span);
    } else if let Some(line) = invalid.line.filter(|_| template.contains('\n')) {
        diagnostic.message.push_str(&format!(" (line {line})"));
    }
    vec![match invalid.help {
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
    render_in(&environment(), template, variables).map_err(|error| RenderError(describe(&error)))
}

fn render_in(environment: &Environment<'_>, template: &str, variables: &Variables) -> Result<String, minijinja::Error> {
    let parsed = environment.template_from_str(template)?;
    let mut output = Bounded::default();
    let context = Value::from_pairs(variables.0.iter().map(|(name, value)| (name.as_ref(), value.clone())));
    let ended = parsed.render_captured_to(context, &mut output).map(drop);
    match ended {
        Err(error) if !output.full => Err(error),
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
mod tests;
