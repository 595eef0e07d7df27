//! The other commands, and what they say when they are asked for something that can not be.

use serde_json::{Value, json};

use crate::program::{Bench, Finished, definitions, event, notify, trailwire, trigger, with_stdin};

fn eval(arguments: &[&str], input: &str) -> Finished {
    with_stdin(trailwire(&[&["eval"], arguments, &["-"]].concat()), input)
}

#[test]
fn eval_tells_match_value_and_error_for_each_event() {
    let events = format!("{}\n{}\n", event("CreateUser", "a"), event("DeleteUser", "b")["detail"]);
    let cases: [(&str, [Value; 2]); 4] = [
        (
            "detail.eventName == 'CreateUser'",
            [json!({"match": true, "value": true, "error": null}), json!({"match": false, "value": false, "error": null})],
        ),
        (
            "detail.eventName",
            [json!({"match": true, "value": "CreateUser", "error": null}), json!({"match": true, "value": "DeleteUser", "error": null})],
        ),
        ("detail.nope", [json!({"match": false, "value": null, "error": null}), json!({"match": false, "value": null, "error": null})]),
        (
            "region",
            [json!({"match": true, "value": "eu-west-1", "error": null}), json!({"match": true, "value": "eu-west-1", "error": null})],
        ),
    ];
    for (expression, expected) in cases {
        let finished = eval(&["--jmespath", expression], &events).success();
        let lines: Vec<Value> = finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, expected, "{expression}");
    }
    for (on_error, matches) in [("no_match", false), ("match", true)] {
        let finished =
            eval(&["--jmespath", "starts_with(detail.nope, 'x')", "--on-error", on_error], &event("A", "a").to_string()).success();
        let line: Value = serde_json::from_str(&finished.stdout).unwrap();
        let error = "`starts_with` wants a string as first argument, this is null";
        assert_eq!(line, json!({"match": matches, "value": null, "error": error}));
    }
}

#[test]
fn eval_takes_log_files_and_raw_json() {
    let log = json!({"Records": [event("A", "a")["detail"], event("B", "b")["detail"]]}).to_string();
    let names = |finished: Finished| {
        let lines = finished.success().stdout;
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["value"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(eval(&["--jmespath", "detail.eventName"], &log)), [json!("A"), json!("B")]);
    assert_eq!(names(eval(&["--raw", "--jmespath", "Records[].eventName"], &log)), [json!(["A", "B"])]);
    assert_eq!(names(eval(&["--raw", "--jmespath", "@"], "1 \"x\"\n[2]")), [json!(1), json!("x"), json!([2])]);
    let bench = Bench::new(&json!({}));
    crate::program::gzip(&log, &bench.path("log.gz"));
    let path = bench.path("log.gz");
    let finished = Finished::of(trailwire(&["eval", "--jmespath", "detail.eventName"]).arg(&path).arg(&path));
    assert_eq!(names(finished).len(), 4);
}

#[test]
fn eval_refuses_a_bad_expression_with_a_caret_and_bad_input_with_its_place() {
    let finished = eval(&["--jmespath", "start_with(detail.eventName, 'C')"], "").refused();
    let expected = "\
error[TW2101]: unknown function `start_with`
  |
1 | start_with(detail.eventName, 'C')
  | ^^^^^^^^^^
  = help: did you mean `starts_with`?
";
    assert_eq!(finished.stderr, expected);
    let finished = eval(&["--jmespath", "detail"], &format!("{}\n{{oops\n{}", event("A", "a"), event("B", "b"))).refused();
    assert_eq!(finished.stdout.lines().count(), 2, "the rest is evaluated");
    assert!(finished.stderr.contains("line 2: not JSON"), "{}", finished.stderr);
    assert!(eval(&["--raw", "--jmespath", "@"], "1 oops").refused().stderr.contains("not JSON"));
    let finished = Finished::of(&mut trailwire(&["eval", "--jmespath", "@", "/nonexistent"])).refused();
    assert!(finished.stderr.contains("cannot read /nonexistent"), "{}", finished.stderr);
    // One match, in one language.
    Finished::of(&mut trailwire(&["eval", "-"])).refused();
    Finished::of(&mut trailwire(&["eval", "--jmespath", "@", "--filter-pattern", "{ $.a = 1 }", "-"])).refused();
}

#[test]
fn explain_tells_which_step_said_no_and_what_every_part_came_to() {
    let mut disabled = trigger(&json!([notify()]));
    disabled["name"] = json!("disabled");
    disabled["enabled"] = json!(false);
    let mut matching = trigger(&json!([notify()]));
    matching["match_expression"] = json!("detail.userIdentity.type == 'Root' || detail.region");
    let mut other = trigger(&json!([notify()]));
    other["name"] = json!("other");
    other["event_names"] = json!(["DeleteUser"]);
    let bench = Bench::new(&definitions("https://example.com", &[disabled, matching, other]));
    let mut command = trailwire(&["explain", "-", "--definitions"]);
    command.arg(bench.path("definitions.json"));
    let finished = with_stdin(command, &event("CreateUser", "a").to_string()).success();
    let expected = "\
event a CreateUser (iam.amazonaws.com)
  trigger disabled does not fire: the trigger is disabled
  trigger other does not fire: its event name is not one of the trigger's
  trigger users does not fire: the match is not true
    the match is not true
      because `detail.userIdentity.type == 'Root'` is false: `detail.userIdentity.type` is \"IAMUser\"
      because `detail.region` is null
      detail.userIdentity.type == 'Root' || detail.region -> null
        detail.userIdentity.type == 'Root' -> false
";
    assert!(finished.stdout.starts_with(expected), "{}", finished.stdout);
    assert!(finished.stdout.contains("detail.userIdentity.type -> \"IAMUser\""), "{}", finished.stdout);
}

#[test]
fn bad_definitions_are_told_all_at_once() {
    let mut bad = trigger(&json!([notify(), {"send": [{"destination": "nowhere"}]}]));
    bad["match_expression"] = json!("nosuch(@)");
    let bench = Bench::new(&definitions("https://example.com", &[bad]));
    let finished = bench.run_over(&[], &[]).refused();
    assert!(
        finished.stderr.contains("unknown function `nosuch`") && finished.stderr.contains("no destination `nowhere` is declared"),
        "{}",
        finished.stderr
    );
    let slack = json!({"format_version": 1, "triggers": [trigger(&json!([{"send": [{"destination": "chat"}]}]))],
        "destinations": [{"name": "chat", "slack": [{"secret_env": "X"}]}]});
    let finished = Bench::new(&slack).run_over(&[], &[]).refused();
    assert!(finished.stderr.contains("`chat` is a slack destination, which takes notifications only"), "{}", finished.stderr);
    let template = trigger(&json!([{"notify": [{"destinations": ["hook"], "title": "{{ event_nam }}"}]}]));
    let finished = Bench::new(&definitions("https://example.com", &[template])).run_over(&[], &[]).refused();
    assert!(finished.stderr.contains("unknown variable `event_nam`"), "{}", finished.stderr);
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    for arguments in [
        &["run"][..],
        &["run", "--hub", "x", "--definitions", "y"],
        &["run", "--definitions", "y"],
        &["run", "--hub", "Not_A_Hub"],
        &["run", "--hub", "x", "--until-idle", "soon"],
    ] {
        let finished = Finished::of(&mut trailwire(arguments)).refused();
        assert!(finished.stderr.starts_with("error: "), "{}", finished.stderr);
    }
    let version = Finished::of(&mut trailwire(&["--version"])).success();
    assert_eq!(version.stdout, format!("trailwire {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_know_every_command() {
    for (shell, begins) in [("bash", "_trailwire() {"), ("zsh", "#compdef trailwire"), ("fish", "# Print an optspec")] {
        let script = Finished::of(&mut trailwire(&["completions", shell])).success().stdout;
        assert!(script.starts_with(begins), "{script}");
        for command in ["run", "eval", "explain", "dlq", "doctor", "redrive", "metrics-address"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

/// Every command tells its exit codes.
#[test]
fn the_help_tells_the_exit_codes() {
    let help = Finished::of(&mut trailwire(&["--help"])).success().stdout;
    let commands: Vec<&str> =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).map_while(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 11 && commands.contains(&"dlq"), "{help}");
    for command in commands.iter().filter(|command| !["help", "completions"].contains(command)) {
        let help = Finished::of(&mut trailwire(&[command, "--help"])).success().stdout;
        assert!(help.contains("Exit codes: 0 "), "{help}");
    }
}
