//! What is shown of an event: a column is a field of a search, or something that is read out of several.

use serde_json::Value;
use trailwire_engine::actor;
use trailwire_engine::event::Event;
use trailwire_engine::search::paths_of;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    name: String,
    from: From,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum From {
    /// The first so many characters of the time.
    Time(usize),
    Actor,
    /// The first of these paths that is there.
    Paths(Vec<Vec<String>>),
}

/// The columns that are shown where none are named.
pub(crate) const USUAL: [&str; 7] = ["time", "account", "region", "event", "actor", "ip", "error"];

impl Column {
    /// The column of this name: `day`, `hour`, `actor`, or a field as a search has it.
    pub(crate) fn new(name: &str) -> Self {
        let from = match name {
            "day" => From::Time("2026-03-01".len()),
            "hour" => From::Time("2026-03-01T12".len()),
            "actor" => From::Actor,
            name => From::Paths(
                paths_of(name)
                    .into_iter()
                    .map(|path| path.split('.').map(|name| name.trim_end_matches("[]").to_owned()).collect())
                    .collect(),
            ),
        };
        Self { name: name.to_owned(), from }
    }

    /// Its name, as it was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it shows of an event; `None` where there is nothing. Several values are told with commas between them.
    pub(crate) fn of(&self, event: &Event) -> Option<String> {
        match &self.from {
            From::Time(length) => event.time().and_then(|time| time.get(..*length)).map(str::to_owned),
            From::Actor => Some(actor::who(event.detail()).to_string()),
            From::Paths(paths) => paths.iter().find_map(|path| {
                let mut found = Vec::new();
                walk(event.detail(), path, &mut found);
                (!found.is_empty()).then(|| found.join(","))
            }),
        }
    }
}

fn walk(value: &Value, path: &[String], found: &mut Vec<String>) {
    match (value, path.split_first()) {
        (Value::Array(elements), Some(_)) => elements.iter().for_each(|element| walk(element, path, found)),
        (value, Some((name, rest))) => value.get(name).into_iter().for_each(|member| walk(member, rest, found)),
        (Value::Null, None) => {}
        (Value::String(text), None) => found.push(text.clone()),
        (Value::Array(elements), None) => elements.iter().for_each(|element| walk(element, path, found)),
        (value, None) => found.push(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns() {
        let record = json!({"eventName": "CreateUser", "eventTime": "2026-03-01T12:00:00Z", "recipientAccountId": "111122223333",
            "userIdentity": {"type": "IAMUser", "userName": "bob"}, "requestParameters": {"items": [{"id": "a"}, {"id": 7}], "o": {"x": null}}});
        let event = Event::from_value(record).unwrap();
        for (name, expected) in [
            ("event", Some("CreateUser")),
            ("day", Some("2026-03-01")),
            ("hour", Some("2026-03-01T12")),
            ("time", Some("2026-03-01T12:00:00Z")),
            ("actor", Some("bob (IAM user)")),
            ("account", Some("111122223333")),
            ("error", None),
            ("requestParameters.items.id", Some("a,7")),
            ("requestParameters.items[].id", Some("a,7")),
            ("requestParameters.o", Some("{\"x\":null}")),
            ("requestParameters.o.x", None),
            ("detail.eventName", Some("CreateUser")),
        ] {
            assert_eq!(Column::new(name).of(&event).as_deref(), expected, "{name}");
        }
    }
}
