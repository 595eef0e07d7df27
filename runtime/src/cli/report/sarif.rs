//! What is wrong as SARIF 2.1.0, the form that code scanning reads.
//!
//! Each code is a rule with the address of its page. A result stands in the file and line in which it was written; the resource's address in a
//! plan, or the trigger, is its logical location. Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>; what GitHub shows of
//! it: "SARIF support for code scanning" in its documentation.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::text::visible;

use super::Finding;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn report(findings: &[Finding]) -> String {
    let codes: BTreeMap<Code, &str> = findings.iter().map(|finding| (finding.diagnostic.code, about(finding.diagnostic.code))).collect();
    let rule_index = |code: Code| codes.keys().position(|known| *known == code);
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, rule_index(finding.diagnostic.code))).collect();
    let report = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "trailwire",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": codes.iter().map(|(code, about)| rule(*code, about)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

/// The registry's sentence.
fn about(code: Code) -> &'static str {
    Code::ALL.iter().find(|(known, _)| *known == code).map_or("", |(_, about)| about.trim())
}

fn rule(code: Code, about: &str) -> Value {
    let page = format!("{}/blob/main/docs/diagnostics/{code}.md", env!("CARGO_PKG_REPOSITORY"));
    json!({
        "id": code.to_string(),
        "shortDescription": {"text": about},
        "fullDescription": {"text": about},
        "helpUri": page,
        "help": {"text": format!("{about} See {page}")},
    })
}

fn result(finding: &Finding, rule_index: Option<usize>) -> Value {
    let Diagnostic { code, severity, message, path, .. } = &finding.diagnostic;
    let what = finding.place.address.as_ref().or(finding.trigger.as_ref());
    let mut location = json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(&finding.place.file)},
        "region": {"startLine": finding.place.line.unwrap_or(1)},
    }});
    if let (Some(what), Some(members)) = (what, location.as_object_mut()) {
        let path = if path.is_empty() { String::new() } else { format!(".{path}") };
        members.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": format!("{what}{path}"), "kind": "resource"}]));
    }
    let lines: Vec<String> = finding.diagnostic.body().iter().map(|line| visible(line)).collect();
    let text = std::iter::once(visible(message)).chain(lines).collect::<Vec<_>>().join("\n");
    json!({
        "ruleId": code.to_string(),
        "ruleIndex": rule_index,
        "level": severity.word(),
        "message": {"text": text},
        "locations": [location],
    })
}

/// A file's name as a relative reference: what a URI has no place for is written as `%20`.
fn uri(file: &str) -> String {
    let mut uri = String::with_capacity(file.len());
    let file = file.strip_prefix("./").unwrap_or(file);
    for byte in file.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    if uri.starts_with('/') { format!("file://{uri}") } else { uri }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_references() {
        for (file, wanted) in [
            ("triggers.json", "triggers.json"),
            ("./a b/é.json", "a%20b/%C3%A9.json"),
            ("/tmp/x.json", "file:///tmp/x.json"),
            ("a:b#c?.json", "a%3Ab%23c%3F.json"),
        ] {
            assert_eq!(uri(file), wanted);
        }
    }
}
