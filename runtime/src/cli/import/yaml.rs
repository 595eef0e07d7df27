//! YAML as JSON values, so that nothing behind this door knows which of the two a rule was written in.

use serde_json::{Map, Number, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// Every document of a YAML stream. JSON is YAML, too.
///
/// # Errors
///
/// Where the text is not YAML; the reason has line and column.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| format!("not YAML: {error}"))?;
    Ok(documents.iter().map(value).collect())
}

fn value(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Null | Yaml::BadValue | Yaml::Alias(_) => Value::Null,
        Yaml::Boolean(boolean) => Value::Bool(*boolean),
        Yaml::Integer(integer) => Value::from(*integer),
        Yaml::Real(text) => text.parse::<f64>().ok().and_then(Number::from_f64).map_or_else(|| Value::from(text.as_str()), Value::Number),
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Array(elements) => elements.iter().map(value).collect(),
        Yaml::Hash(members) => Value::Object(members.iter().map(|(name, member)| (key(name), value(member))).collect::<Map<_, _>>()),
    }
}

/// A member's name: keys that are no text are written as they stand in JSON.
fn key(yaml: &Yaml) -> String {
    match value(yaml) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_becomes_json() {
        let text = "a: [1, 1.5, yes, true, ~, 'x', \"y\"]\n5: b\nc: &anchor {d: e}\nf: *anchor\n---\n- |\n  two\n  lines\n";
        let expected =
            [json!({"a": [1, 1.5, "yes", true, null, "x", "y"], "5": "b", "c": {"d": "e"}, "f": {"d": "e"}}), json!(["two\nlines\n"])];
        assert_eq!(documents(text).unwrap(), expected);
        assert_eq!(documents("{\"a\": [1]}").unwrap(), [json!({"a": [1]})]);
    }

    #[test]
    fn what_is_not_yaml_is_told_with_its_place() {
        let error = documents("a: [1\nb: 2").unwrap_err();
        assert!(error.starts_with("not YAML: ") && error.contains("line 2"), "{error}");
    }
}
