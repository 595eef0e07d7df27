//! The three languages on the command line, the tests that triggers carry, and explanations.

use serde_json::{Value, json};

use crate::program::{Bench, Finished, definitions, event, notify, trailwire, trigger, with_stdin};

fn lines(finished: Finished) -> Vec<Value> {
    finished.success().stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn eval_speaks_every_language() {
    let events = format!("{}\n{}\n", event("CreateUser", "a"), event("DeleteUser", "b"));
    for (option, text) in [
        ("--jmespath", "starts_with(detail.eventName, 'Create')"),
        ("--filter-pattern", "{ $.eventName = Create* }"),
        ("--event-pattern", r#"{"detail": {"eventName": [{"prefix": "Create"}]}}"#),
    ] {
        let outcomes = lines(with_stdin(trailwire(&["eval", option, text, "-"]), &events));
        let expected = [json!({"match": true, "value": true, "error": null}), json!({"match": false, "value": false, "error": null})];
        assert_eq!(outcomes, expected, "{option}");
    }
    // Bare JSON: nothing is wrapped, so `$` is what stands under `detail` there.
    let raw =
        lines(with_stdin(trailwire(&["eval", "--raw", "--filter-pattern", "{ $.a > 1 }", "-"]), r#"{"detail": {"a": 2}} {"a": 2} 7"#));
    assert_eq!(raw.iter().map(|line| line["match"].clone()).collect::<Vec<_>>(), [json!(true), json!(false), json!(false)]);
}

#[test]
fn every_language_refuses_with_a_caret() {
    for (option, text, expected) in [
        (
            "--filter-pattern",
            "{ $.eventName == A }",
            "error[TW2201]: `=` cannot stand here\n  |\n1 | { $.eventName == A }\n  |               ^\n  = help: write `=` to compare\n",
        ),
        ("--event-pattern", r#"{"detail": 5}"#, "error[TW2301]: "),
    ] {
        let finished = Finished::of(&mut trailwire(&["eval", option, text, "-"])).refused();
        assert!(finished.stderr.starts_with(expected), "{}", finished.stderr);
        let finished = Finished::of(&mut trailwire(&["explain", option, text, "-"])).refused();
        assert!(finished.stderr.starts_with(expected), "{}", finished.stderr);
    }
    let warned = with_stdin(trailwire(&["eval", "--filter-pattern", "{ $.readOnly = false }", "-"]), "").success();
    assert!(warned.stderr.starts_with("warning[TW2211]"), "{}", warned.stderr);
}

#[test]
fn explain_as_text_and_as_json() {
    let one = event("CreateUser", "a").to_string();
    let pattern = "{ ($.eventName = CreateUser) && ($.userIdentity.type = Root) }";
    let text = with_stdin(trailwire(&["explain", "--filter-pattern", pattern, "-"]), &one).success().stdout;
    let expected = r#"event a CreateUser (iam.amazonaws.com)
  the match is not true
    because `($.userIdentity.type = Root)` is false: `$.userIdentity.type` is "IAMUser"
    ($.eventName = CreateUser) && ($.userIdentity.type = Root) -> false
      ($.eventName = CreateUser) -> true
        $.eventName -> "CreateUser"
      ($.userIdentity.type = Root) -> false
        $.userIdentity.type -> "IAMUser"
"#;
    assert_eq!(text, expected);
    let json = lines(with_stdin(trailwire(&["explain", "--format", "json", "--filter-pattern", pattern, "-"]), &one));
    assert_eq!(json.len(), 1);
    assert_eq!((&json[0]["event_id"], &json[0]["match"], &json[0]["value"]), (&json!("a"), &json!(false), &json!(false)));
    assert_eq!(json[0]["parts"].as_array().unwrap().len(), 5);

    let mut root = trigger(&json!([notify()]));
    root["filter_pattern"] = json!(pattern);
    let bench = Bench::new(&definitions("https://example.com", &[root]));
    let mut command = trailwire(&["explain", "-", "--format", "json", "--definitions"]);
    let json = lines(with_stdin(
        {
            command.arg(bench.path("definitions.json"));
            command
        },
        &one,
    ));
    assert_eq!((&json[0]["trigger"], &json[0]["fires"]), (&json!("users"), &json!(false)));
    assert_eq!(json[0]["reason"], json!("the match is not true"));
}

/// A trigger with a test that comes out as expected, one that does not, one whose event cannot be read; a disabled trigger.
fn tested() -> Bench {
    let case = |name: &str, event: String, expect: bool| json!({"name": name, "event": event, "expect": expect});
    let root = json!({"eventName": "CreateUser", "eventSource": "iam.amazonaws.com", "userIdentity": {"type": "Root"}}).to_string();
    let user = root.replace("Root", "IAMUser");
    let mut users = trigger(&json!([notify()]));
    users["filter_pattern"] = json!("{ $.userIdentity.type = Root }");
    users["test"] = json!([case("root <fires>", root, true), case("a user", user.clone(), true), case("broken", "{".to_owned(), true)]);
    let mut disabled = trigger(&json!([notify()]));
    disabled["name"] = json!("disabled");
    disabled["enabled"] = json!(false);
    disabled["test"] = json!([case("never", user, true)]);
    let mut untested = trigger(&json!([notify()]));
    untested["name"] = json!("untested");
    Bench::new(&definitions("https://example.com", &[users, disabled, untested]))
}

#[test]
fn test_runs_what_triggers_carry() {
    let bench = tested();
    let (path, report) = (bench.path("definitions.json"), bench.path("junit.xml"));
    let mut command = trailwire(&["test", "--definitions"]);
    let finished = Finished::of(command.arg(&path).arg("--junit").arg(&report));
    assert_eq!(finished.status.code(), Some(1), "{finished:#?}");
    let expected = r#"skipped  disabled: never: the trigger is disabled
ok       users: root <fires>
FAILED   users: a user: expected to fire, and did not
           trigger users does not fire: the match is not true
             the match is not true
               because `$.userIdentity.type = Root` is false: `$.userIdentity.type` is "IAMUser"
               $.userIdentity.type = Root -> false
                 $.userIdentity.type -> "IAMUser"
FAILED   users: broken: its event cannot be read: "#;
    assert!(finished.stdout.starts_with(expected), "{}", finished.stdout);
    assert!(finished.stdout.ends_with("\n1 test as expected, 2 not, 1 skipped; 1 trigger without tests\n"), "{}", finished.stdout);
    let report = std::fs::read_to_string(report).unwrap();
    for expected in [
        "<testsuites name=\"trailwire\" tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"1\">",
        "<testsuite name=\"users\" tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"0\">",
        "<testcase classname=\"users\" name=\"root &lt;fires&gt;\"/>",
        "<testcase classname=\"users\" name=\"a user\"><failure message=\"expected to fire, and did not\">trigger users does not fire",
        "<testcase classname=\"disabled\" name=\"never\"><skipped message=\"the trigger is disabled\"/></testcase>",
    ] {
        assert!(report.contains(expected), "{expected}\n{report}");
    }
    let only = Finished::of(trailwire(&["test", "--trigger", "untested", "--definitions"]).arg(&path)).success();
    assert_eq!(only.stdout, "0 tests as expected, 0 not; 1 trigger without tests\n");
    Finished::of(trailwire(&["test", "--trigger", "nope", "--definitions"]).arg(&path)).refused();
}

/// The daemon runs over triggers whose tests fail: that is for the plan and for `trailwire test` to stop.
/// Destinations may be in another state than the triggers: only delivering needs them.
#[test]
fn what_is_only_judged_needs_no_destinations() {
    let mut users = trigger(&json!([notify()]));
    let root = json!({"eventName": "CreateUser", "eventSource": "iam.amazonaws.com"}).to_string();
    users["test"] = json!([{"name": "a user", "event": root, "expect": true}]);
    let bench = Bench::new(&json!({"format_version": 1, "triggers": [users], "destinations": []}));
    let path = bench.path("definitions.json");
    let tested = Finished::of(trailwire(&["test", "--definitions"]).arg(&path)).success();
    assert_eq!(tested.stdout, "ok       users: a user\n1 test as expected, 0 not\n");
    let mut command = trailwire(&["explain", "-", "--definitions"]);
    command.arg(&path);
    assert!(with_stdin(command, &root).success().stdout.contains("trigger users fires"));
    let refused = bench.run_over(&[], &[]).refused();
    assert!(refused.stderr.contains("no destination `hook` is declared"), "{}", refused.stderr);
}

#[test]
fn failing_tests_do_not_stop_the_daemon() {
    tested().run_over(&[], &["--until-idle", "0s"]).success();
}

/// An expression that is an error is refused, though it could be evaluated: it never says what it seems to say.
#[test]
fn an_expression_that_is_surely_wrong_is_refused() {
    for command in ["eval", "explain", "pattern"] {
        let inputs: &[&str] = if command == "pattern" { &[] } else { &["-"] };
        let finished = Finished::of(trailwire(&[command, "--jmespath", "!detail.errorCode"]).args(inputs)).refused();
        assert!(finished.stderr.starts_with("error[TW2110]"), "{}", finished.stderr);
    }
}

/// What stands in events does not reach a terminal as a command.
#[test]
fn nothing_in_an_event_steers_the_terminal() {
    let hostile = event("\u{1b}[31mA\u{202e}", "\u{9b}x\n").to_string();
    for arguments in [
        &["eval", "--jmespath", "detail.eventName", "-"][..],
        &["explain", "--jmespath", "detail.eventName", "-"],
        &["explain", "--format", "json", "--filter-pattern", "{ $.eventName = x }", "-"],
    ] {
        let told = with_stdin(trailwire(arguments), &hostile).success().stdout;
        let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!told.contains(hidden) && told.contains("\\u001b[31mA\\u202e"), "{told:?}");
    }
    let value = lines(with_stdin(trailwire(&["eval", "--jmespath", "detail.eventName", "-"]), &hostile))[0]["value"].clone();
    assert_eq!(value, json!("\u{1b}[31mA\u{202e}"));
}

#[test]
fn pattern_tells_what_is_pushed_down_and_what_stays() {
    let told = |arguments: &[&str]| lines(Finished::of(trailwire(&["pattern"]).args(arguments))).remove(0);
    assert_eq!(
        told(&["--jmespath", "detail.userIdentity.type == 'Root' && contains(detail.userAgent, 'console')"]),
        json!({"pattern": {"detail": {"userIdentity": {"type": ["Root"]}}}, "exact": false,
            "residual": "contains(detail.userAgent, 'console')", "never": null,
            "notes": ["`contains(detail.userAgent, 'console')`: it takes a wildcard, which only `push_down = \"full\"` may spend"]})
    );
    let exact = told(&["--filter-pattern", "{ ($.eventName = A) || ($.eventName = B) }", "--event-source", "s3.amazonaws.com"]);
    assert_eq!((&exact["exact"], &exact["residual"]), (&json!(true), &json!(null)));
    assert_eq!(exact["pattern"], json!({"detail": {"eventSource": ["s3.amazonaws.com"], "eventName": ["A", "B"]}}));
    let pattern = r#"{"detail":{"eventName":[{"prefix":"Create"}]}}"#;
    assert_eq!(told(&["--event-pattern", pattern])["pattern"], serde_json::from_str::<Value>(pattern).unwrap());
    assert_eq!(told(&["--jmespath", "detail.a == detail.b"])["pattern"], json!(null));
    assert!(told(&["--jmespath", "detail.eventName == 'A' && detail.eventName == 'B'"])["never"].is_string());
    Finished::of(&mut trailwire(&["pattern"])).refused();
}
