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
            name => From::Paths(paths_of(name).into_iter().map(members).collect()),
        };
        Self { name: name.to_owned(), from }
    }

    /// Its name, as it was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The path from the record down, where there is one alone.
    pub(crate) fn path(&self) -> Option<String> {
        match &self.from {
            From::Paths(paths) => {
                if let [path] = paths.as_slice() {
                    Some(path.join("."))
                } else {
                    None
                }
            }
            From::Time(_) | From::Actor => None,
        }
    }

    /// Whether there is something at one of its paths that is neither a text nor nothing.
    pub(crate) fn is_other_than_text(&self, event: &Event) -> bool {
        let From::Paths(paths) = &self.from else { return false };
        paths.iter().any(|path| {
            let mut value = event.detail();
            for name in path {
                match (value, value.get(name)) {
                    (Value::Array(_), _) => return true,
                    (_, Some(member)) => value = member,
                    (_, None) => return false,
                }
            }
            !(value.is_null() || value.is_string())
        })
    }

    /// What it shows of an event; `None` where there is nothing. Several values are told with commas between them.
    pub(crate) fn of(&self, event: &Event) -> Option<String> {
        let mut found = Vec::new();
        self.each(event, &mut |text| found.push(text.to_owned()));
        (!found.is_empty()).then(|| found.join(","))
    }

    /// Hands over every value that an event has here: of a list each element's, of an object its JSON.
    pub(crate) fn each(&self, event: &Event, take: &mut dyn FnMut(&str)) {
        match &self.from {
            From::Time(length) => event.time().and_then(|time| time.get(..*length)).into_iter().for_each(take),
            From::Actor => take(&actor::who(event.detail()).to_string()),
            From::Paths(paths) => {
                paths.iter().find(|path| walk(event.detail(), path, take));
            }
        }
    }
}

/// Whether anything was found at a path.
fn walk(value: &Value, path: &[String], take: &mut dyn FnMut(&str)) -> bool {
    match (value, path) {
        (Value::Array(elements), _) => elements.iter().filter(|element| walk(element, path, take)).count() > 0,
        (value, [name, rest @ ..]) => value.get(name).is_some_and(|member| walk(member, rest, take)),
        (Value::Null, []) => false,
        (value, []) => {
            match value {
                Value::String(text) => take(text),
                value => take(&value.to_string()),
            }
            true
        }
    }
}

/// The members of a path: between dots, unless a backslash stands before them. What an array is passed through with is left out.
fn members(path: &str) -> Vec<String> {
    let (mut members, mut member, mut letters) = (Vec::new(), String::new(), path.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => member.extend(letters.next()),
            '.' => members.push(std::mem::take(&mut member)),
            '[' => while !matches!(letters.next(), None | Some(']')) {},
            letter => member.push(letter),
        }
    }
    members.push(member);
    members
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns() {
        let record = json!({"eventName": "CreateUser", "eventTime": "2026-03-01T12:00:00Z", "recipientAccountId": "111122223333",
            "userIdentity": {"type": "IAMUser", "userName": "bob"}, "requestParameters": {"items": [{"id": "a"}, {"id": 7}], "o": {"x": null}, "a.b": "dotted"}});
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
            ("requestParameters.a\\.b", Some("dotted")),
            ("requestParameters.items[].id", Some("a,7")),
            ("requestParameters.o", Some("{\"x\":null}")),
            ("requestParameters.o.x", None),
            ("requestParameters.a\\.b", Some("dotted")),
            ("requestParameters.items[*].id", Some("a,7")),
            ("detail.eventName", Some("CreateUser")),
        ] {
            assert_eq!(Column::new(name).of(&event).as_deref(), expected, "{name}");
        }
    }
}
