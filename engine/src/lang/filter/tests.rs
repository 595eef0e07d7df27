mod judge;
mod laws;
mod mistakes;

use serde_json::json;

use super::*;
use crate::eval::{search, truthy};
use crate::lang::jmespath;
use crate::value::Value;

/// The verdict, agreed on by both judges and by the printed expression.
#[track_caller]
fn verdict(pattern: &str, envelope: &Value) -> bool {
    let (node, diagnostics) = read(pattern).unwrap_or_else(|diagnostic| panic!("{}", diagnostic.draw()));
    assert!(!any_error(&diagnostics), "{pattern}: {diagnostics:?}");
    let lowered = lower::lower(&node);
    let printed = lowered.to_string();
    let reparsed = jmespath::parse(&printed).0.unwrap_or_else(|| panic!("{pattern}: {printed}"));
    let expected = judge::holds(&node, envelope);
    for expr in [&lowered, &reparsed] {
        let value = search(expr, envelope).unwrap_or_else(|error| panic!("{pattern} errs: {error}\n{printed}\n{envelope}"));
        assert_eq!(truthy(&value), expected, "{pattern}\n{printed}\n{envelope}");
    }
    expected
}

#[track_caller]
fn check(record: &Value, pattern: &str, expected: bool) {
    assert_eq!(verdict(pattern, &json!({ "detail": record })), expected, "{pattern} on {record}");
}

/// A record with a value of every kind.
fn record() -> Value {
    json!({
        "type": "ConsoleLogin", "address": "203.0.113.7", "empty": "", "star": "a*b", "quote": "say \"hi\"", "slash": "DOMAIN\\user",
        "int": 123, "float": 12.34, "whole": 12.0, "digits": "123", "big": 9_007_199_254_740_993_i64, "flag": true, "off": false,
        "nothing": null, "object": {"name": "x", "none": null}, "list": ["one", "two", 3, null],
        "items": [{"id": 1, "tag": "a"}, {"id": 2}], "dotted.name": "c", "with-dash": "d", "grid": [[0, 1], [2, 3]]
    })
}

#[test]
fn texts() {
    for (pattern, expected) in [
        (r#"{ $.type = "ConsoleLogin" }"#, true),
        ("{ $.type = ConsoleLogin }", true),
        ("{$.type=ConsoleLogin}", true),
        ("{ $.type = consolelogin }", false),
        ("{ $.type != ConsoleLogin }", false),
        ("{ $.type != Other }", true),
        ("{ $.type = Console* }", true),
        (r#"{ $.type = "Console*" }"#, true),
        ("{ $.type = *Login }", true),
        ("{ $.type = *sole* }", true),
        ("{ $.type = C*e*n }", true),
        ("{ $.type = C*n }", true),
        ("{ $.type = ConsoleL*Login }", false),
        ("{ $.type != C*n }", false),
        ("{ $.type = * }", true),
        ("{ $.empty = * }", true),
        (r#"{ $.empty = "" }"#, true),
        (r#"{ $.star = "a\*b" }"#, true),
        (r#"{ $.type = "\*" }"#, false),
        (r#"{ $.quote = "say \"hi\"" }"#, true),
        (r#"{ $.slash = "DOMAIN\\user" }"#, true),
        (r#"{ $.slash = "DOMAIN\user" }"#, true),
        ("{ $.address = 203.0.113.* }", true),
        ("{ $.address != 203.0.* }", false),
        ("{ $.address != 198.51.* }", true),
        ("{ $.type = %^Console(Login|Out)$% }", true),
        ("{ $.type != %Login% }", false),
        (r"{ $.address = %203\.0\.113\.[0-9]{1,2}% }", true),
    ] {
        check(&record(), pattern, expected);
    }
}

#[test]
fn numbers() {
    for (pattern, expected) in [
        ("{ $.int = 123 }", true),
        ("{ $.int = 123.0 }", true),
        ("{ $.int = +123 }", true),
        ("{ $.int = 1.23e2 }", true),
        ("{ $.int = 0123 }", true),
        ("{ $.int != 124 }", true),
        ("{ $.int != 123 }", false),
        // Quoted, a number is its text.
        (r#"{ $.int = "123" }"#, true),
        (r#"{ $.int = "123.0" }"#, false),
        (r#"{ $.int != "123.0" }"#, true),
        (r#"{ $.whole = "12.0" }"#, true),
        (r#"{ $.whole != "12" }"#, true),
        ("{ $.whole = 12 }", true),
        ("{ $.int != abc }", true),
        ("{ $.int = 12* }", true),
        ("{ $.float = *.34 }", true),
        ("{ $.float = 1*4 }", true),
        ("{ $.float != 4* }", true),
        ("{ $.int = Console* }", false),
        ("{ $.int != Console* }", true),
        ("{ $.int = %^1[0-9]+$% }", true),
        // A text is no number, but may be written as one.
        ("{ $.digits = 123 }", true),
        ("{ $.digits != 123 }", false),
        ("{ $.digits = 123.0 }", false),
        ("{ $.digits > 1 }", false),
        ("{ $.type != 5 }", true),
        ("{ $.int >= 123 }", true),
        ("{ $.int > 123 }", false),
        ("{ $.int < 10e3 }", true),
        ("{ $.int < 10e-3 }", false),
        ("{ $.float <= 12.34 }", true),
        ("{ $.int > -5 }", true),
        ("{ $.big = 9007199254740993 }", true),
        ("{ $.big = 9007199254740992 }", false),
    ] {
        check(&record(), pattern, expected);
    }
}

/// "Semantics": comparisons are false on what is no string and no number, `!=` included.
#[test]
fn what_cannot_be_compared() {
    for selector in ["missing", "object", "list", "nothing", "flag", "off", "object.missing.deep", "type.x", "list.x", "object[0]"] {
        for test in
            ["= a", "!= a", "= \"a*\"", "!= \"a*\"", "= 1", "!= 1", "< 1", ">= 1", "= *", "= %a%", "!= %a%", "= true", "!= \"null\""]
        {
            check(&record(), &format!("{{ $.{selector} {test} }}"), false);
        }
    }
}

#[test]
fn presence() {
    for (selector, exists, null, truth, falsehood) in [
        ("$.type", true, false, false, false),
        ("$.empty", true, false, false, false),
        ("$.nothing", true, true, false, false),
        ("$.missing", false, false, false, false),
        ("$.missing.deep", false, false, false, false),
        ("$.type.deep", false, false, false, false),
        ("$.object.none", true, true, false, false),
        ("$.object.other", false, false, false, false),
        ("$.nothing.deep", false, false, false, false),
        ("$.list[3]", true, true, false, false),
        ("$.list[4]", false, false, false, false),
        ("$.object[0]", false, false, false, false),
        ("$.list[*]", true, true, false, false),
        ("$.type[*]", false, false, false, false),
        ("$.items[*].tag", true, false, false, false),
        ("$.items[*].nope", false, false, false, false),
        ("$.object.*", true, true, false, false),
        ("$.*", true, true, true, true),
        ("$.flag", true, false, true, false),
        ("$.off", true, false, false, true),
    ] {
        check(&record(), &format!("{{ {selector} EXISTS }}"), exists);
        check(&record(), &format!("{{ {selector} NOT EXISTS }}"), !exists);
        check(&record(), &format!("{{ {selector} IS NULL }}"), null);
        check(&record(), &format!("{{ {selector} IS TRUE }}"), truth);
        check(&record(), &format!("{{ {selector} IS FALSE }}"), falsehood);
    }
}

#[test]
fn selectors() {
    for (pattern, expected) in [
        ("{ $.object.name = x }", true),
        ("{ $.['dotted.name'] = c }", true),
        ("{ $['dotted.name'] = c }", true),
        (r#"{ $.["dotted.name"] = c }"#, true),
        ("{ $.with-dash = d }", true),
        ("{ $.list[0] = one }", true),
        ("{ $.list[2] = 3 }", true),
        ("{ $.items[1].id = 2 }", true),
        ("{ $.grid[1][0] = 2 }", true),
        ("{ $.list[*] = two }", true),
        // Any element that differs is enough.
        ("{ $.list[*] != two }", true),
        ("{ $.items[*].id > 1 }", true),
        ("{ $.items[*].id > 2 }", false),
        ("{ $.items[*].tag != a }", false),
        ("{ $.grid[*][*] = 3 }", true),
        ("{ $.grid[*][1] = 3 }", true),
        ("{ $.object.* = x }", true),
        ("{ $.* = ConsoleLogin }", true),
        (r"{ $.* = %^203\.% }", true),
        ("{ $.list[*] = %^t% }", true),
    ] {
        check(&record(), pattern, expected);
    }
}

#[test]
fn and_binds_tighter_than_or() {
    for (pattern, expected) in [
        ("{ $.type = ConsoleLogin || $.type = a && $.type = b }", true),
        ("{ ($.type = ConsoleLogin || $.type = a) && $.type = b }", false),
        ("{ $.type = a && $.type = b || $.type = ConsoleLogin }", true),
        ("{($.type=a)||($.type=ConsoleLogin)}", true),
        ("{(($.int=1)&&($.type=a))||($.float>1)}", true),
    ] {
        check(&record(), pattern, expected);
    }
}

/// The record may be anything at all.
#[test]
fn an_event_of_any_form() {
    for envelope in [json!(null), json!(1), json!([]), json!({}), json!({"detail": null}), json!({"detail": []}), json!({"detail": "x"})] {
        assert!(!verdict("{ $.a = 1 }", &envelope));
        assert!(!verdict("{ $.a != 1 }", &envelope));
        assert!(!verdict("{ $.a IS NULL }", &envelope));
        assert!(verdict("{ $.a NOT EXISTS }", &envelope));
        assert!(!verdict("{ $.a[*] EXISTS }", &envelope));
    }
}

/// How the monitors of the CIS benchmark are written: with parentheses and without, with spaces and without.
#[test]
fn the_idioms_of_metric_filters() {
    let root = r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }"#;
    let by_root = json!({"userIdentity": {"type": "Root"}, "eventType": "AwsApiCall"});
    check(&by_root, root, true);
    check(&json!({"userIdentity": {"type": "Root", "invokedBy": "support.amazonaws.com"}, "eventType": "AwsApiCall"}), root, false);
    check(&json!({"userIdentity": {"type": "Root"}, "eventType": "AwsServiceEvent"}), root, false);
    check(&json!({"userIdentity": {"type": "Root"}}), root, false);

    let denied = r#"{($.errorCode="*UnauthorizedOperation")||($.errorCode="AccessDenied*")}"#;
    check(&json!({"errorCode": "Client.UnauthorizedOperation"}), denied, true);
    check(&json!({"errorCode": "AccessDeniedException"}), denied, true);
    check(&json!({"errorCode": "NoSuchBucket"}), denied, false);
    check(&json!({}), denied, false);

    let no_mfa = r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.responseElements.ConsoleLogin = "Success") }"#;
    let login = |mfa: &str| json!({"eventName": "ConsoleLogin", "additionalEventData": {"MFAUsed": mfa}, "responseElements": {"ConsoleLogin": "Success"}});
    check(&login("No"), no_mfa, true);
    check(&login("Yes"), no_mfa, false);
    check(&json!({"eventName": "ConsoleLogin", "responseElements": {"ConsoleLogin": "Success"}}), no_mfa, false);

    let keys = "{($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion))}";
    check(&json!({"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}), keys, true);
    check(&json!({"eventSource": "kms.amazonaws.com", "eventName": "EnableKey"}), keys, false);

    let large = "{ ($.eventName = RunInstances) && (($.requestParameters.instanceType = *.8xlarge) || ($.requestParameters.instanceType = *.4xlarge)) }";
    check(&json!({"eventName": "RunInstances", "requestParameters": {"instanceType": "m5.8xlarge"}}), large, true);
    check(&json!({"eventName": "RunInstances", "requestParameters": {"instanceType": "m5.large"}}), large, false);
}

#[test]
fn the_guards_are_printed() {
    for (pattern, expected) in [
        ("{ $.eventName = CreateUser }", "detail.eventName == 'CreateUser'"),
        (
            "{ $.eventName != CreateUser }",
            "(type(detail.eventName) == 'string' || type(detail.eventName) == 'number') && detail.eventName != 'CreateUser'",
        ),
        ("{ $.a = 5 }", "detail.a == `5` || detail.a == '5'"),
        (r#"{ $.a = "5" }"#, "detail.a == '5' || detail.a == `5` && to_string(detail.a) == '5'"),
        ("{ $.a > 5 }", "detail.a > `5`"),
        ("{ $.a.b IS NULL }", "detail.a.b == `null` && type(detail.a) == 'object' && contains(keys(detail.a), 'b')"),
        ("{ $.a NOT EXISTS }", "detail.a == `null` && !(type(detail) == 'object' && contains(keys(detail), 'a'))"),
        ("{ $.a[1] EXISTS }", "detail.a[1] != `null` || type(detail.a) == 'array' && length(detail.a) > `1`"),
        ("{ $.a-b IS TRUE }", "detail.\"a-b\" == `true`"),
        ("{ $.a[*].b = x }", "type(detail.a) == 'array' && contains(map(&b == 'x', detail.a), `true`)"),
        ("{ $.a = x && ($.b = y || $.c = z) }", "detail.a == 'x' && (detail.b == 'y' || detail.c == 'z')"),
        (
            "{ $.a = x*y }",
            "type(detail.a) == 'string' && starts_with(detail.a, 'x') && ends_with(detail.a, 'y') && length(detail.a) >= `2`",
        ),
        ("{ $.a != %x+% }", "(type(detail.a) == 'string' || type(detail.a) == 'number') && !matches(to_string(detail.a), 'x+')"),
    ] {
        assert_eq!(to_jmespath(pattern).unwrap(), expected, "{pattern}");
    }
}

/// The longest pattern whose JMESPath grows most still is an expression.
#[test]
fn the_text_stays_within_what_an_expression_may_have() {
    for unit in ["$.*.*.*=1*", "$.*=1*", "$.a!=1*", "$.a=1*2*", "$.a!=1", "$.a NOT EXISTS", "$.a[*][*][*]!=%1%"] {
        let count = (LONGEST - 2) / (unit.len() + 2);
        let pattern = format!("{{{}}}", vec![unit; count].join("||"));
        let text = to_jmespath(&pattern).unwrap();
        assert!(text.len() <= jmespath::LONGEST, "{unit}: {} bytes", text.len());
        assert!(jmespath::parse(&text).0.is_some(), "{unit}");
    }
    let deepest = format!("{{{}$.a[*].b[*].c[*].d.e.f.g.h.i.j.k.l.m.n.o.p != 1*{}}}", "($.a = 1 || $.b = 2 && ".repeat(24), ")".repeat(24));
    let text = to_jmespath(&deepest).unwrap();
    assert!(jmespath::parse(&text).0.is_some(), "{text}");
}
