use serde_json::json;

use super::*;

/// Reads a trigger and gives each diagnostic as `CODE path: message`.
fn complaints(value: &Value) -> Vec<String> {
    Trigger::from_value(value).err().unwrap_or_default().iter().map(line).collect()
}

fn line(diagnostic: &Diagnostic) -> String {
    format!("{} {}: {}", diagnostic.code, diagnostic.path, diagnostic.message)
}

fn minimal() -> Value {
    json!({"name": "t", "event_names": ["CreateUser"], "action": [{"notify": [{"destinations": ["d"]}]}]})
}

fn with(name: &str, value: Value) -> Value {
    let mut trigger = minimal();
    trigger.as_object_mut().unwrap().insert(name.to_owned(), value);
    trigger
}

#[test]
fn defaults() {
    let trigger = Trigger::from_value(&minimal()).unwrap();
    assert!(trigger.enabled && !trigger.any_event && !trigger.include_read_only && !trigger.include_self);
    assert_eq!(trigger.severity, Severity::Medium);
    assert_eq!(trigger.on_error, OnError::NoMatch);
}

#[test]
fn what_is_written_is_read_again() {
    let text = json!({
        "name": "t", "description": "d", "enabled": false, "severity": "critical", "event_names": ["A", "B"], "event_sources": ["s"],
        "match_expression": "detail.a", "on_error": "match", "include_read_only": true, "include_self": true, "regions": ["eu-west-1"],
        "exclude_regions": ["eu-west-2"], "account_ids": ["111122223333"], "allow": {"TW2404": "a reason"},
        "action": [{"notify": [{"destinations": ["d"], "title": "t", "message": "m", "fields": {"a": "b"}}]},
                   {"wait": [{"duration": "10m"}]}, {"send": [{"destination": "d"}]}]});
    let mut text = text;
    for (language, matching) in [("match_expression", "detail.a"), ("filter_pattern", "{ $.a = b }"), ("event_pattern", "{}")] {
        text.as_object_mut().unwrap().retain(|name, _| !name.ends_with("_pattern") && name != "match_expression");
        text[language] = json!(matching);
        text["any_event"] = json!(false);
        text["push_down"] = json!("full");
        text["forwarder"] = json!("all-writes");
        text["threshold"] = json!([{"count": 3, "window": "5m", "group_by": "detail.userIdentity.arn", "notify_recovery": true}]);
        text["suppress"] = json!([{"window": "1h30m", "key": "account"}]);
        text["test"] = json!([{"name": "a test", "event": "{}", "expect": false}]);
        let trigger = Trigger::from_value(&text).unwrap();
        assert_eq!(trigger.matching().map(|(language, text)| (language.attribute(), text)), Some((language, matching)));
        let written = serde_json::to_string(&trigger).unwrap();
        assert_eq!(Trigger::parse(&written).unwrap(), trigger);
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), text);
    }
    let trigger = Trigger::from_value(&text).unwrap();
    let written = serde_json::to_string(&trigger).unwrap();
    assert_eq!(Trigger::parse(&written).unwrap(), trigger);

    for destination in [
        json!({"name": "w", "webhook": [{"url": "https://h/x", "signing_secret_env": "S", "headers": {"X-A": "b"}}]}),
        json!({"name": "w", "webhook": [{"secret_arn": "arn:aws:secretsmanager:us-east-1:1:secret:x"}]}),
        json!({"name": "s", "slack": [{"secret_env": "S"}]}),
    ] {
        let read = Destination::from_value(&destination).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), destination);
    }
}

#[test]
fn a_forwarder_is_read_again_and_its_mistakes_are_named() {
    let text = json!({"name": "f", "all": false, "event_names": ["A"], "event_sources": ["s"], "include_read_only": true,
        "regions": ["eu-west-1"], "exclude_regions": ["eu-west-2"], "account_ids": ["111122223333"], "allow": {"TW2404": "a reason"}});
    let forwarder = Forwarder::from_value(&text).unwrap();
    assert_eq!(serde_json::to_value(&forwarder).unwrap(), text);
    assert_eq!(FORWARDER_MEMBERS.len(), text.as_object().unwrap().len());
    for (document, expected) in [
        (json!({"name": "f"}), vec!["TW1003 all: `all` is missing"]),
        (json!({"name": "f", "all": false}), vec!["TW1003 all: `all` is missing"]),
        (json!({"name": "F", "all": true}), vec!["TW1100 name: `F` is not a name for a forwarder"]),
        (
            json!({"name": "f", "all": true, "event_sources": ["s"]}),
            vec!["TW1104 all: `all = true` and `event_sources` exclude each other"],
        ),
        (json!({"name": "f", "event_names": []}), vec!["TW1101 event_names: `event_names` is an empty list"]),
        (json!({"name": "f", "all": true, "account_ids": ["1"]}), vec!["TW1107 account_ids: `1` (element 0) is no account id"]),
        (json!({"name": "f", "all": true, "enabled": true}), vec!["TW1002 enabled: nothing is called `enabled` here"]),
    ] {
        let found: Vec<String> = Forwarder::from_value(&document).err().unwrap_or_default().iter().map(line).collect();
        assert_eq!(found, expected, "{document}");
    }
}

#[test]
fn each_mistake_is_named_with_its_path() {
    for (trigger, expected) in [
        (json!([]), vec!["TW1001 : an object is wanted here, this is an array"]),
        (with("name", json!("Sg_Opened")), vec!["TW1100 name: `Sg_Opened` is not a name for a trigger"]),
        (with("event_names", json!([])), vec!["TW1101 event_names: `event_names` is an empty list"]),
        (with("event_names", json!(null)), vec!["TW1003 event_names: `event_names` is missing"]),
        (
            with("event_names", json!(["", 5])),
            vec!["TW1101 event_names[0]: an empty text in a list", "TW1001 event_names[1]: a string is wanted here, this is a number"],
        ),
        (with("regions", json!([])), vec!["TW1101 regions: `regions` is an empty list"]),
        (with("forwarder", json!("All")), vec!["TW1100 forwarder: `All` is not a name for a forwarder"]),
        (with("match_expression", json!("")), vec!["TW1101 match_expression: `match_expression` is empty"]),
        (with("any_event", json!(true)), vec!["TW1104 any_event: `any_event = true` and `event_names` exclude each other"]),
        (
            json!({"name": "t", "event_names": ["A"], "action": [{"send": [{"destination": "d"}]}], "match_expression": "a",
                "filter_pattern": "{ $.a = b }", "event_pattern": "{}"}),
            vec![
                "TW1104 filter_pattern: `filter_pattern` and `match_expression` exclude each other",
                "TW1104 event_pattern: `event_pattern` and `match_expression` exclude each other",
            ],
        ),
        (with("push_down", json!("al")), vec!["TW1102 push_down: `al` is not a known `push_down`"]),
        (
            with("test", json!([{"name": "a", "event": {}}])),
            vec!["TW1003 test[0].expect: `expect` is missing", "TW1001 test[0].event: `event` is a string, this is an object"],
        ),
        (
            with("threshold", json!([{"window": "5m"}, {"count": 1, "window": "1s"}])),
            vec!["TW1003 threshold[0].count: `count` is missing", "TW1006 threshold: there are 2 `threshold` blocks here"],
        ),
        (
            with("threshold", json!([{"count": 1001, "window": "5 m", "group": "x"}])),
            vec![
                "TW1108 threshold[0].count: a threshold counts to at least 1 and at most 1000",
                "TW1103 threshold[0].window: `5 m` is not a length of time; write whole numbers with d, h, m or s, such as `90s`, `10m` or `1h30m`",
                "TW1002 threshold[0].group: nothing is called `group` here",
            ],
        ),
        (with("suppress", json!([{}])), vec!["TW1003 suppress[0].window: `window` is missing"]),
        (with("suppress", json!([{"window": "8d"}])), vec!["TW1103 suppress[0].window: a window of `8d` is out of bounds"]),
        (with("severity", json!("hihg")), vec!["TW1102 severity: `hihg` is not a known `severity`"]),
        (with("enabled", json!("yes")), vec!["TW1001 enabled: `enabled` is a boolean, this is a string"]),
        (with("evnt_sources", json!(["x"])), vec!["TW1002 evnt_sources: nothing is called `evnt_sources` here"]),
        (with("account_ids", json!(["123"])), vec!["TW1107 account_ids: `123` (element 0) is no account id"]),
        (with("action", json!([])), vec!["TW1006 action: a trigger has at least one action"]),
        (with("action", json!([{}])), vec!["TW1006 action[0]: an action has exactly one block inside, this one has 0"]),
        (
            with("action", json!([{"wait": [{"duration": "10x"}]}])),
            vec![
                "TW1103 action[0].wait[0].duration: `10x` is not a length of time; write whole numbers with d, h, m or s, such as `90s`, `10m` or `1h30m`",
            ],
        ),
        (
            with("action", json!([{"wait": [{"duration": "0s"}]}])),
            vec!["TW1103 action[0].wait[0].duration: a wait of `0s` is out of bounds"],
        ),
        (
            with("action", json!([{"notify": [{"destinations": []}]}])),
            vec!["TW1101 action[0].notify[0].destinations: `destinations` is an empty list"],
        ),
    ] {
        assert_eq!(complaints(&trigger), expected, "{trigger}");
    }
}

#[test]
fn destinations_are_checked() {
    let complaints = |value: Value| -> Vec<String> { Destination::from_value(&value).err().unwrap_or_default().iter().map(line).collect() };
    let webhook = |body: Value| complaints(json!({"name": "w", "webhook": [body]}));
    for address in ["https://example.com/x", "http://localhost:8080/x", "http://127.0.0.1/x", "http://[::1]:9/x"] {
        assert_eq!(webhook(json!({"url": address})), [""; 0], "{address}");
    }
    for address in ["http://example.com/", "http://127.0.0.1.example.com/", "ftp://example.com", "https://", "https://u:p@h/", "x"] {
        assert_eq!(webhook(json!({"url": address})).len(), 1, "{address}");
    }
    assert_eq!(webhook(json!({})), ["TW1003 webhook[0].url: `url` is missing"]);
    assert_eq!(webhook(json!({"url": "https://h", "headers": {"webhook-id": "1", "a b": "1", "X": "\n"}})).len(), 3);
    assert_eq!(complaints(json!({"name": "n"})), ["TW1006 : a destination has exactly one kind, this one has 0"]);
    assert_eq!(complaints(json!({"name": "n", "slack": [{}]})), ["TW1003 slack[0].secret_arn: `secret_arn` is missing"]);
}

#[test]
fn documents_name_their_format_and_each_thing_once() {
    let of = |value: Value| -> Vec<String> { Document::from_value(&value).err().unwrap_or_default().iter().map(line).collect() };
    assert_eq!(of(json!({})), ["TW1003 format_version: `format_version` is missing"]);
    assert_eq!(
        of(json!({"format_version": 2})),
        ["TW1004 format_version: this version reads documents of format 1, this one is of format 2"]
    );
    assert_eq!(
        of(json!({"format_version": 1, "triggers": [minimal(), minimal()]})),
        ["TW1005 triggers[1].name: the name `t` is used twice"]
    );
}

#[test]
fn a_document_reads_the_same_from_its_text() {
    let trigger = minimal().to_string();
    let hook = json!({"name": "hook", "webhook": [{"url": "https://example.com"}]}).to_string();
    for text in [
        "{}".to_owned(),
        "[1]".to_owned(),
        "{\"triggers\": [".to_owned(),
        "{} {}".to_owned(),
        format!("{{\"triggers\": [{trigger}], \"format_version\": 1, \"destinations\": [{hook}]}}"),
        format!(
            "{{\"triggers\": [{trigger}, {trigger}, 7, {{\"nam\": 1}}], \"destinations\": [{{}}], \"format_version\": 2, \"trigers\": []}}"
        ),
        format!("{{\"triggers\": [{{}}], \"triggers\": [{trigger}], \"format_version\": 1}}"),
        format!("{{\"triggers\": {trigger}, \"destinations\": {hook}, \"format_version\": 1}}"),
        "{\"triggers\": null, \"destinations\": \"x\", \"format_version\": 1}".to_owned(),
    ] {
        let whole = serde_json::from_str(&text).map_err(|error| error.to_string());
        match (Document::parse(&text), whole) {
            (Err(told), Err(error)) => assert!(told.len() == 1 && told[0].message.ends_with(&error), "{text}: {told:?}"),
            (parsed, whole) => assert_eq!(parsed, Document::from_value(&whole.unwrap()), "{text}"),
        }
    }
}

#[test]
fn the_members_are_what_the_reader_asks_for() {
    let mut diagnostics = Vec::new();
    let nobody = json!({"qqqqqqqqqqqqqqqq": 1});
    drop(Trigger::read(&mut Reader::new(&nobody, Path::default(), &mut diagnostics)));
    let unknown = diagnostics.iter().find(|diagnostic| diagnostic.code == Code::UNKNOWN_MEMBER).and_then(|found| found.help.clone());
    assert_eq!(unknown, Some(format!("known here are {}", MEMBERS.join(", "))));
}
