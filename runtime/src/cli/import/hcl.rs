//! Triggers as HCL, formatted as `terraform fmt` would.

use serde_json::Value;
use trailwire_engine::text::visible;

use super::draft::{Draft, Place, one_line};

/// What a module of its own begins with.
pub(super) const OWN_MODULE_HEAD: &str = r#"terraform {
  required_providers {
    trailwire = {
      source = "trailwire/trailwire"
    }
  }
}

variable "hub" {
  description = "The hub: its id, its name, or the ARN of its bus."
  type        = string
}

variable "destinations" {
  description = "Names of the destinations that are told."
  type        = list(string)
}
"#;

/// Lists and values wider than this are written over several lines.
const WIDTH: usize = 100;

/// A `trailwire_trigger` with its comments, and a line end.
pub(super) fn trigger(draft: &Draft, place: &Place) -> String {
    let mut text: String = draft.origin.iter().map(|line| comment(line)).collect();
    text.extend(draft.notes.iter().map(|note| comment(&format!("Not carried over: {note}"))));
    let label = draft.name.replace('-', "_");
    text.push_str(&format!("resource \"trailwire_trigger\" \"{label}\" {{\n"));
    let texts = |texts: &[String]| (!texts.is_empty()).then(|| list(texts, 2));
    let flag = |set: bool, value: &str| set.then(|| vec![value.to_owned()]);
    let matching = draft.matching.as_ref().map(|(language, value)| (language.attribute(), written(value)));
    let mut attributes = vec![
        ("hub", Some(vec![place.hub.clone().unwrap_or_else(|| "var.hub".to_owned())])),
        ("name", Some(vec![quoted(&draft.name)])),
        ("description", draft.description.as_ref().map(|text| vec![quoted(text)])),
        ("enabled", flag(draft.disabled, "false")),
        ("severity", draft.severity.map(|severity| vec![quoted(severity)])),
        ("event_names", texts(&draft.event_names)),
        ("any_event", flag(draft.event_names.is_empty(), "true")),
        ("event_sources", texts(&draft.event_sources)),
        ("include_read_only", flag(draft.include_read_only, "true")),
        ("account_ids", texts(&draft.account_ids)),
        ("regions", texts(&draft.regions)),
    ];
    attributes.extend(matching.map(|(attribute, lines)| (attribute, Some(lines))));
    text.push_str(&body(attributes.into_iter().filter_map(|(name, lines)| Some((name.to_owned(), lines?))).collect(), 2));
    let destinations = if place.destinations.is_empty() { vec!["var.destinations".to_owned()] } else { list(&place.destinations, 6) };
    text.push_str("\n  action {\n    notify {\n");
    text.push_str(&body(vec![("destinations".to_owned(), destinations)], 6));
    text.push_str("    }\n  }\n}\n");
    text
}

/// A comment of any text, with a line end; nothing in the text ends it.
pub(super) fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in visible(&one_line(text)).split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH || line == "#" => *line = format!("{line} {word}"),
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Attributes, each by its name and the lines of its value. The equals signs of neighbours on one line each stand under each other.
fn body(attributes: Vec<(String, Vec<String>)>, indent: usize) -> String {
    let is_short = |lines: &[String]| lines.len() < 2;
    let pad = " ".repeat(indent);
    let mut text = String::new();
    for run in attributes.chunk_by(|(_, left), (_, right)| is_short(left) && is_short(right)) {
        let widest = run.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, lines) in run {
            text.push_str(&format!("{pad}{name:<widest$} = {}\n", lines.join(&format!("\n{pad}"))));
        }
    }
    text
}

/// A list of texts.
fn list(texts: &[String], indent: usize) -> Vec<String> {
    let values: Vec<Vec<String>> = texts.iter().map(|text| vec![quoted(text)]).collect();
    elements(values, indent)
}

/// The value of a match: a text, or `jsonencode` of anything else.
fn written(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![quoted(text)],
        other => wrapped("jsonencode(", json(other, 2), ")"),
    }
}

fn json(value: &Value, indent: usize) -> Vec<String> {
    match value {
        Value::String(text) => vec![quoted(text)],
        Value::Array(values) => elements(values.iter().map(|value| json(value, indent + 2)).collect(), indent),
        Value::Object(members) if members.is_empty() => vec!["{}".to_owned()],
        Value::Object(members) => {
            let attributes = members.iter().map(|(name, value)| (key(name), json(value, indent + 2))).collect();
            let inside = body(attributes, 2);
            let inside = inside.lines().map(str::to_owned);
            std::iter::once("{".to_owned()).chain(inside).chain(["}".to_owned()]).collect()
        }
        other => vec![other.to_string()],
    }
}

/// A list of values: on one line where all are short and it fits, else one a line.
fn elements(values: Vec<Vec<String>>, indent: usize) -> Vec<String> {
    let flat = format!("[{}]", values.iter().map(|lines| lines.join("")).collect::<Vec<_>>().join(", "));
    if values.iter().all(|lines| lines.len() == 1) && flat.chars().count() + indent < WIDTH {
        return vec![flat];
    }
    let mut lines = vec!["[".to_owned()];
    for value in values {
        let last = value.len().saturating_sub(1);
        lines.extend(value.into_iter().enumerate().map(|(index, line)| format!("  {line}{}", if index == last { "," } else { "" })));
    }
    lines.push("]".to_owned());
    lines
}

fn wrapped(head: &str, mut lines: Vec<String>, tail: &str) -> Vec<String> {
    if let Some(first) = lines.first_mut() {
        first.insert_str(0, head);
    }
    if let Some(last) = lines.last_mut() {
        last.push_str(tail);
    }
    lines
}

/// The key of an object: bare where it is a name.
fn key(name: &str) -> String {
    let mut bytes = name.bytes();
    let is_bare = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A text in quotes: nothing in it is an escape, an interpolation or a directive any more.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // `$${` and `%%{` stand for what begins an interpolation and a directive.
            '$' | '%' if rest.peek() == Some(&'{') => quoted.extend([character, character]),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_escaped() {
        let cases = [
            ("a", r#""a""#),
            ("say \"hi\" \\d\n\t", r#""say \"hi\" \\d\n\t""#),
            ("${a} $${b} %{c} $ % {", r#""$${a} $$${b} %%{c} $ % {""#),
            ("\u{1b}[0m é", r#""\u001b[0m é""#),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn values_are_laid_out() {
        let value = json!({"a": 1, "detail-type": ["b", null, true], "c d": {"exists": [{"exists": false}, "x"]}, "e": {}});
        let expected = r#"jsonencode({
  a           = 1
  detail-type = ["b", null, true]
  "c d" = {
    exists = [
      {
        exists = false
      },
      "x",
    ]
  }
  e = {}
})"#;
        assert_eq!(written(&value).join("\n"), expected);
    }

    #[test]
    fn comments_stay_comments() {
        assert_eq!(comment("a\n}\nresource"), "# a } resource\n");
        let long = comment(&"word ".repeat(40));
        assert!(long.lines().all(|line| line.starts_with("# word") && line.len() <= WIDTH) && long.lines().count() > 1, "{long}");
    }
}
