//! Log lines on standard error in the JSON form that Terraform merges into its own log (`TF_LOG`).
//!
//! Only our own code is heard: the AWS SDK's lower levels print requests, and requests hold secrets.

use std::fmt;
use std::io;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

const VARIABLES: [&str; 2] = ["TF_LOG_PROVIDER", "TF_LOG"];

/// Starts logging at the level that Terraform was started with; silent without one.
pub fn install() {
    let Some(level) = VARIABLES.iter().find_map(|name| std::env::var(name).ok()).and_then(|text| level(&text)) else { return };
    let ours = filter_fn(move |metadata: &Metadata<'_>| metadata.target().starts_with("trailwire") && *metadata.level() <= level);
    let lines = tracing_subscriber::fmt::layer().event_format(Lines).with_writer(io::stderr).with_filter(ours);
    // Fails only when somebody installed another one before, and then that one is fine.
    drop(tracing_subscriber::registry().with(lines).try_init());
}

fn level(text: &str) -> Option<Level> {
    match text.to_ascii_uppercase().as_str() {
        "JSON" | "TRACE" => Some(Level::TRACE),
        "DEBUG" => Some(Level::DEBUG),
        "INFO" => Some(Level::INFO),
        "WARN" => Some(Level::WARN),
        "ERROR" => Some(Level::ERROR),
        _ => None,
    }
}

/// One event, one JSON object on one line.
struct Lines;

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static> FormatEvent<S, N> for Lines {
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut members = Members(Map::new());
        members.0.insert("@level".to_owned(), event.metadata().level().as_str().to_ascii_lowercase().into());
        members.0.insert("@module".to_owned(), event.metadata().target().into());
        event.record(&mut members);
        writeln!(writer, "{}", Value::Object(members.0))
    }
}

struct Members(Map<String, Value>);

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = if field.name() == "message" { "@message" } else { field.name() };
        self.0.insert(name.to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let name = if field.name() == "message" { "@message" } else { field.name() };
        self.0.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_json_object_with_level_message_and_members() {
        let sink = Sink::default();
        let writer = sink.clone();
        let lines = tracing_subscriber::fmt::layer().event_format(Lines).with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::warn!(place = "a\nb", count = 3, "something \"odd\"");
        });
        let written = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written.lines().count(), 1);
        let line: Value = serde_json::from_str(&written).unwrap();
        assert_eq!((&line["@level"], &line["@message"], &line["place"]), (&"warn".into(), &"something \"odd\"".into(), &"a\nb".into()));
    }

    #[test]
    fn levels_are_terraforms() {
        assert_eq!((level("json"), level("WARN"), level("off"), level("")), (Some(Level::TRACE), Some(Level::WARN), None, None));
    }
}
