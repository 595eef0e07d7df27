//! What holds a trigger back: a threshold, which lets it act on many matches together, and `suppress`, which lets it act once and count
//! the rest.

use std::time::Duration;

use serde::Serialize;

use super::duration;
use super::reader::Reader;
use crate::diagnostic::Code;

/// The most events that a threshold can ask for.
pub const THRESHOLD_MAX: u32 = 1_000;

/// The longest window.
const LONGEST_WINDOW: Duration = Duration::from_secs(7 * 86_400);

/// How far back is looked, or forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// As written, such as `5m`.
    pub text: String,
    /// What it means: 1 second to 7 days.
    pub duration: Duration,
}

impl Serialize for Window {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The actions run when so many events match within a window, in place of running for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Threshold {
    /// From 1 to [`THRESHOLD_MAX`].
    pub count: u32,
    /// The sliding window, over the events' own time.
    pub window: Window,
    /// A JMESPath expression over the envelope: events are counted apart for each of its values. Without it all are counted together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
    /// Whether the notifications are sent once more when the alarm is over.
    pub notify_recovery: bool,
}

/// Within a window after the first run of a key the others are counted, not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppress {
    /// It begins with the first run.
    pub window: Window,
    /// A JMESPath expression over the envelope: each of its values has a window of its own. Without it the trigger has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Threshold {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        if reader.absent("count") {
            reader.missing("count", "how many events it takes, such as 3");
        }
        let count = reader.integer("count").and_then(|count| {
            let count = u32::try_from(count).ok().filter(|count| (1..=THRESHOLD_MAX).contains(count));
            if count.is_none() {
                let message = format!("a threshold counts to at least 1 and at most {THRESHOLD_MAX}");
                reader.error(Code::OUT_OF_RANGE, "count", message, "write a number between them");
            }
            count
        });
        let threshold = Self {
            count: count.unwrap_or(1),
            window: window(reader),
            group_by: reader.text("group_by"),
            notify_recovery: reader.boolean("notify_recovery", false),
        };
        reader.finish();
        threshold
    }
}

impl Suppress {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let suppress = Self { window: window(reader), key: reader.text("key") };
        reader.finish();
        suppress
    }
}

fn window(reader: &mut Reader<'_>) -> Window {
    let text = reader.required_text("window");
    let parsed = duration::parse(&text);
    match &parsed {
        _ if text.is_empty() => {}
        Err(invalid) => reader.error(Code::BAD_DURATION, "window", invalid.to_string(), "for example `5m`"),
        Ok(found) if found.is_zero() || *found > LONGEST_WINDOW => {
            reader.error(Code::BAD_DURATION, "window", format!("a window of `{text}` is out of bounds"), "from 1 second to 7 days");
        }
        Ok(_) => {}
    }
    Window { duration: parsed.unwrap_or(Duration::from_secs(1)), text }
}
