//! `trailwire check` and what it and `trailwire test` write for tools.

use serde_json::{Value, json};

use crate::program::{Bench, Finished, trailwire};

fn check(bench: &Bench, name: &str, arguments: &[&str]) -> Finished {
    Finished::of(trailwire(&["check", "--definitions"]).arg(bench.path(name)).args(arguments))
}

fn bench(text: &str) -> Bench {
    let bench = Bench::new(&json!({}));
    bench.write("definitions.json", text);
    bench
}

/// One good trigger and three bad ones, as a person would write them.
const DOCUMENT: &str = r#"{
  "format_version": 1,
  "triggers": [
    {
      "name": "good",
      "event_names": ["CreateUser"],
      "action": [{"notify": [{"destinations": ["hook"]}]}]
    },
    {
      "name": "misspelt",
      "event_names": ["CreateUser"],
      "match_expression":
        "start_with(detail.userAgent, 'aws')",
      "action": [{"notify": [{"destinations": ["hok"], "fields": {"Who": "detail.a ="}}]}]
    },
    {
      "name": "formless",
      "event_names": [],
      "match_expression": "!detail.errorCode",
      "action": [{"wait": [{"duration": "1m"}]}]
    },
    {
      "name": "untrue",
      "event_names": ["CreateUser"],
      "match_expression": "detail.awsRegion == 'eu-west-1'",
      "action": [{"wait": [{"duration": "1m"}]}],
      "test": [
        {"name": "fires", "event": "{\"eventName\": \"CreateUser\", \"awsRegion\": \"eu-west-2\"}", "expect": true}
      ]
    }
  ],
  "destinations": [{"name": "hook", "webhook": [{"url": "https://example.com"}]}]
}"#;

/// What it finds, as `CODE trigger:line path underlined`.
fn found(report: &Value) -> Vec<String> {
    let line = |found: &Value| {
        let text = |name: &str| found[name].as_str().unwrap_or("-").to_owned();
        let marked = found["text"].as_str().map_or("-".to_owned(), |text| {
            let at = |name: &str| usize::try_from(found["span"][name].as_u64().unwrap()).unwrap();
            text.get(at("start")..at("end")).unwrap().to_owned()
        });
        format!("{} {}:{} {} {marked}", text("code"), text("trigger"), found["line"], text("path"))
    };
    report["diagnostics"].as_array().unwrap().iter().map(line).collect()
}

fn json_of(told: &Finished) -> Value {
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:#?}"))
}

const FOUND: [&str; 6] = [
    "TW2101 misspelt:12 match_expression start_with",
    "TW2000 misspelt:14 action[0].notify[0].fields[\"Who\"] =",
    "TW1109 misspelt:14 action[0].notify[0].destinations[0] -",
    "TW1101 formless:18 event_names -",
    "TW2110 formless:19 match_expression !detail.errorCode",
    "TW1111 untrue:28 test[0].expect -",
];

#[test]
fn everything_is_told_at_once_with_its_place() {
    let bench = bench(DOCUMENT);
    let told = check(&bench, "definitions.json", &["--format", "json"]);
    assert_eq!(told.status.code(), Some(1), "{told:#?}");
    let report = json_of(&told);
    assert_eq!(found(&report), FOUND);
    for diagnostic in report["diagnostics"].as_array().unwrap() {
        assert_eq!(diagnostic["file"], bench.path("definitions.json").to_str().unwrap());
        assert_eq!((&diagnostic["severity"], &diagnostic["address"]), (&json!("error"), &Value::Null));
    }
    let file = bench.path("definitions.json").display().to_string();
    let text = check(&bench, "definitions.json", &[]);
    assert!(
        text.stdout.starts_with(&format!(
            "error[TW2101]: unknown function `start_with` (in match_expression)\n --> {file}:12: trigger `misspelt`\n  |\n\
             1 | start_with(detail.userAgent, 'aws')\n  | ^^^^^^^^^^\n  = help: did you mean `starts_with`?\n\n"
        )),
        "{}",
        text.stdout
    );
    assert!(text.stdout.ends_with("\n6 errors in 4 triggers\n"), "{}", text.stdout);
    // The same bytes every time, whatever the form.
    for format in ["text", "json", "junit", "sarif"] {
        let twice = [0, 1].map(|_| check(&bench, "definitions.json", &["--format", format]).stdout);
        assert_eq!(twice[0], twice[1]);
    }
}

#[test]
fn exit_codes_tell_errors_warnings_and_what_cannot_be_read() {
    for command in ["check", "test", "eval", "pattern", "explain"] {
        let help = Finished::of(&mut trailwire(&[command, "--help"]));
        assert!(help.stdout.contains("Exit codes: 0 "), "{command}: {}", help.stdout);
    }
    let bench = Bench::new(&json!({}));
    let document = |trigger: Value| json!({"format_version": 1, "triggers": [trigger]}).to_string();
    let trigger = |members: Value| {
        let mut trigger = json!({"name": "t", "event_names": ["CreateUser"], "action": [{"wait": [{"duration": "1m"}]}]});
        trigger.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        document(trigger)
    };
    for (text, arguments, code, said) in [
        (trigger(json!({})), &[][..], 0, "nothing wrong in 1 trigger"),
        // `*` of a network is compared as text: a warning.
        (trigger(json!({"filter_pattern": "{ $.sourceIPAddress = 10.0.0.0/8 }"})), &[], 0, "1 warning in 1 trigger"),
        (trigger(json!({"filter_pattern": "{ $.sourceIPAddress = 10.0.0.0/8 }"})), &["--deny-warnings"], 1, "1 warning in 1 trigger"),
        (trigger(json!({"match_expression": "a ="})), &[], 1, "1 error in 1 trigger"),
        // A destination may be declared in another place.
        (trigger(json!({"action": [{"send": [{"destination": "elsewhere"}]}]})), &[], 0, "nothing wrong in 1 trigger"),
        ("{".to_owned(), &[], 1, "error[TW1000]: the document is not JSON"),
        (json!({"triggers": []}).to_string(), &[], 1, "error[TW1003]: `format_version` is missing"),
        (trigger(json!({"event_names": ["A".repeat(2_000)]})), &[], 1, "is too long for an event pattern"),
    ] {
        bench.write("definitions.json", &text);
        let told = check(&bench, "definitions.json", arguments);
        assert_eq!(told.status.code(), Some(code), "{text}: {told:#?}");
        assert!(told.stdout.contains(said), "{text}: {told:#?}");
    }
    check(&bench, "nowhere.json", &[]).refused();
    std::fs::create_dir(bench.path("empty")).unwrap();
    check(&bench, "empty", &[]).refused();
    Finished::of(&mut trailwire(&["check"])).refused();
}

#[test]
fn a_name_of_two_files_is_told_at_the_second() {
    let bench = Bench::new(&json!({}));
    std::fs::create_dir(bench.path("triggers")).unwrap();
    let document = json!({"format_version": 1, "triggers": [
        {"name": "t", "event_names": ["CreateUser"], "action": [{"wait": [{"duration": "1m"}]}]}]})
    .to_string();
    bench.write("triggers/a.json", &document);
    bench.write("triggers/b.json", &document);
    let report = json_of(&check(&bench, "triggers", &["--format", "json"]));
    assert_eq!(found(&report), ["TW1005 t:1 name -"]);
    assert_eq!(report["diagnostics"][0]["file"], bench.path("triggers/b.json").to_str().unwrap());
}

/// What SARIF 2.1.0 requires, and what code scanning needs to show a result.
fn sarif(text: &str) -> Vec<(String, String, u64)> {
    let report: Value = serde_json::from_str(text).unwrap();
    assert_eq!(report["version"], "2.1.0");
    assert!(report["$schema"].as_str().unwrap().ends_with("/sarif-schema-2.1.0.json"));
    let [run] = report["runs"].as_array().unwrap().as_slice() else { panic!("{text}") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "trailwire");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        let id = rule["id"].as_str().unwrap();
        assert!(
            rule["helpUri"].as_str().unwrap().starts_with("https://")
                && rule["helpUri"].as_str().unwrap().ends_with(&format!("/docs/diagnostics/{id}.md"))
        );
        assert!(!rule["shortDescription"]["text"].as_str().unwrap().is_empty());
    }
    let results = run["results"].as_array().unwrap().iter().map(|result| {
        let rule = result["ruleId"].as_str().unwrap();
        assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], rule);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let [location] = result["locations"].as_array().unwrap().as_slice() else { panic!("{result}") };
        let place = &location["physicalLocation"];
        assert!(!place["artifactLocation"]["uri"].as_str().unwrap().is_empty());
        let name = location["logicalLocations"][0]["fullyQualifiedName"].as_str().unwrap_or_default();
        (rule.to_owned(), name.to_owned(), place["region"]["startLine"].as_u64().filter(|line| *line > 0).unwrap())
    });
    results.collect()
}

#[test]
fn sarif_has_a_place_and_a_page_for_each() {
    let bench = bench(DOCUMENT);
    let told = check(&bench, "definitions.json", &["--format", "sarif"]);
    let results = sarif(&told.stdout);
    assert_eq!(results[0], ("TW2101".to_owned(), "misspelt.match_expression".to_owned(), 12));
    assert_eq!(results.len(), FOUND.len());
    assert!(
        told.stdout.contains(r"unknown function `start_with`\n  |\n1 | start_with(detail.userAgent, 'aws')\n  | ^^^^^^^^^^"),
        "{}",
        told.stdout
    );
    assert_eq!(sarif(&check(&self::bench(r#"{"format_version": 1}"#), "definitions.json", &["--format", "sarif"]).stdout), []);
}

#[test]
fn results_are_written_to_files_in_every_form() {
    let bench = bench(DOCUMENT);
    let [junit, sarif_file, markdown] = ["r.xml", "r.sarif", "r.md"].map(|name| bench.path(name).display().to_string());
    let told = check(&bench, "definitions.json", &["--junit", &junit, "--sarif", &sarif_file, "--markdown", &markdown]);
    assert!(told.stdout.contains("6 errors in 4 triggers"), "{told:#?}");
    let read = |file: &str| std::fs::read_to_string(file).unwrap();
    assert_eq!(sarif(&read(&sarif_file)).len(), FOUND.len());
    let xml = read(&junit);
    assert!(xml.contains("tests=\"4\" failures=\"3\"") && xml.contains("name=\"good\"/>"), "{xml}");
    assert!(xml.contains("<failure message=\"TW1111: test `fires` expects the trigger to fire, and it does not\">"), "{xml}");
    assert!(
        read(&markdown).starts_with("<!-- trailwire -->\n### Trailwire: 6 errors in 4 triggers\n\n```text\nerror[TW2101]"),
        "{}",
        read(&markdown)
    );
}

/// A plan of one trigger with these values, of which some are not known.
fn plan(values: &Value, unknown: &Value) -> String {
    let address = "module.rules[\"a.b\"].trailwire_trigger.t[0]";
    let resource = json!({"address": address, "mode": "managed", "type": "trailwire_trigger", "name": "t", "values": values});
    json!({
        "format_version": "1.2", "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"child_modules": [{"address": "module.rules[\"a.b\"]", "resources": [resource]}]}},
        "resource_changes": [{"address": address, "change": {"after_unknown": unknown}}],
        "configuration": {"root_module": {"module_calls": {"rules": {"source": "./modules/rules"}}}},
    })
    .to_string()
}

#[test]
fn a_plan_is_told_by_address_and_by_the_line_of_its_configuration() {
    let values = json!({"name": "t", "event_names": ["CreateUser"], "match_expression": "nosuch(@)", "regions": null,
        "action": [{"wait": [{"duration": "1m"}], "notify": [], "send": []}]});
    let bench = bench(&plan(&values, &json!({"id": true, "rule_names": true})));
    std::fs::create_dir_all(bench.path("modules/rules")).unwrap();
    bench.write(
        "modules/rules/main.tf",
        "resource \"trailwire_trigger\" \"t\" {\n  count            = 1\n  match_expression = \"nosuch(@)\"\n}\n",
    );
    let diagnostic = |arguments: &[&str]| {
        json_of(&check(&bench, "definitions.json", &[&["--format", "json"], arguments].concat()))["diagnostics"][0].clone()
    };
    let bare = diagnostic(&[]);
    assert_eq!(bare["address"], "module.rules[\"a.b\"].trailwire_trigger.t[0]");
    assert_eq!((&bare["file"], &bare["line"]), (&json!(bench.path("definitions.json")), &Value::Null));
    let placed = diagnostic(&["--configuration", bench.path("").to_str().unwrap()]);
    assert_eq!((&placed["file"], &placed["line"]), (&json!(bench.path("modules/rules/main.tf")), &json!(3)));
    let told = check(&bench, "definitions.json", &["--format", "sarif"]);
    assert_eq!(sarif(&told.stdout), [("TW2101".to_owned(), "module.rules[\"a.b\"].trailwire_trigger.t[0].match_expression".to_owned(), 1)]);
}

#[test]
fn what_a_plan_does_not_know_is_left_to_apply() {
    let whole = json!({"name": "t", "event_names": ["DeleteUser"], "any_event": false, "match_expression": "detail.eventName == 'CreateUser'",
        "action": [{"notify": [{"destinations": ["d"]}]}],
        "test": [{"name": "a", "event": "{\"eventName\": \"DeleteUser\"}", "expect": true}]});
    for (forgotten, wanted) in [
        ("", &["TW1112 t:null match_expression detail.eventName == 'CreateUser'", "TW1111 t:null test[0].expect -"][..]),
        ("/event_names", &[]),
        ("/match_expression", &[]),
        ("/test/0/event", &["TW1112 t:null match_expression detail.eventName == 'CreateUser'"]),
        (
            "/action/0/notify/0/destinations",
            &["TW1112 t:null match_expression detail.eventName == 'CreateUser'", "TW1111 t:null test[0].expect -"],
        ),
    ] {
        let (mut values, mut unknown) = (whole.clone(), json!({"id": true}));
        if let Some((parent, name)) = forgotten.rsplit_once('/') {
            values.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            unknown = json!({"id": true, "test": [{}], "action": [{"notify": [{}]}]});
            unknown.pointer_mut(parent).unwrap()[name] = json!(true);
        }
        let bench = bench(&plan(&values, &unknown));
        let report = json_of(&check(&bench, "definitions.json", &["--format", "json"]));
        assert_eq!(found(&report), wanted, "{forgotten}");
        // Nor is a test judged that depends on it.
        let tested = Finished::of(trailwire(&["test", "--definitions"]).arg(bench.path("definitions.json")));
        let is_judged = wanted.iter().any(|line| line.starts_with("TW1111"));
        assert_eq!(tested.stdout.contains("FAILED"), is_judged, "{forgotten}: {tested:#?}");
        assert_eq!(
            tested.stdout.contains("skipped  t: a: it depends on what is known only in apply"),
            !is_judged,
            "{forgotten}: {tested:#?}"
        );
    }
}

#[test]
fn a_plan_tells_what_the_regions_of_its_hub_leave_out() {
    let trigger = json!({"name": "t", "hub": "security", "event_names": ["CreateUser"], "event_sources": ["iam.amazonaws.com"],
        "action": [{"wait": [{"duration": "1m"}]}]});
    let left_out = &["TW2407 t:null hub -"][..];
    for (reference, hub, unknown, wanted) in [
        ("security", json!({"regions": ["eu-west-1"]}), json!({}), left_out),
        ("arn:aws:events:eu-west-1:111122223333:event-bus/trailwire-security", json!({"regions": ["eu-west-1"]}), json!({}), left_out),
        ("security", json!({"regions": ["eu-west-1", "us-east-1"], "exclude_regions": ["us-east-1"]}), json!({}), left_out),
        ("security", json!({"regions": ["eu-west-1", "us-east-1"]}), json!({}), &[]),
        ("security", json!({"regions": null}), json!({}), &[]),
        ("security", json!({"regions": ["eu-west-1"]}), json!({"regions": [false, true]}), &[]),
        ("other", json!({"regions": ["eu-west-1"]}), json!({}), &[]),
    ] {
        let mut trigger = trigger.clone();
        trigger["hub"] = json!(reference);
        let mut plan: Value = serde_json::from_str(&plan(&trigger, &json!({"id": true}))).unwrap();
        let mut values = hub.clone();
        values["name"] = json!("security");
        let address = "trailwire_hub.security";
        plan["planned_values"]["root_module"]["resources"] =
            json!([{"address": address, "mode": "managed", "type": "trailwire_hub", "name": "security", "values": values}]);
        let changes = plan["resource_changes"].as_array_mut().unwrap();
        changes.push(json!({"address": address, "change": {"after_unknown": unknown}}));
        let bench = bench(&plan.to_string());
        let report = json_of(&check(&bench, "definitions.json", &["--format", "json"]).success());
        assert_eq!(found(&report), wanted, "{reference} {hub} {unknown}");
    }
}

#[test]
fn a_plan_tells_what_its_forwarder_lacks() {
    let lacking = &["TW2424 t:null forwarder -"][..];
    for (forwarder, unknown, wanted) in [
        (json!({"hub": "security", "event_sources": ["ec2.amazonaws.com"]}), json!({}), lacking),
        (json!({"hub": "security", "all": true, "regions": ["eu-west-1"]}), json!({}), lacking),
        (json!({"hub": "security", "all": true}), json!({"id": true}), &[]),
        (json!({"hub": "security", "event_names": ["CreateUser"], "event_sources": null}), json!({}), &[]),
        (json!({"hub": "security", "event_sources": ["ec2.amazonaws.com"]}), json!({"event_sources": [true]}), &[]),
        (json!({"hub": "other", "event_sources": ["ec2.amazonaws.com"]}), json!({}), &[]),
    ] {
        let trigger = json!({"name": "t", "hub": "security", "event_names": ["CreateUser"], "forwarder": "all",
            "action": [{"wait": [{"duration": "1m"}]}]});
        let mut plan: Value = serde_json::from_str(&plan(&trigger, &json!({"id": true}))).unwrap();
        let mut values = forwarder.clone();
        values["name"] = json!("all");
        let address = "trailwire_forwarder.all";
        plan["planned_values"]["root_module"]["resources"] =
            json!([{"address": address, "mode": "managed", "type": "trailwire_forwarder", "name": "all", "values": values}]);
        plan["resource_changes"].as_array_mut().unwrap().push(json!({"address": address, "change": {"after_unknown": unknown}}));
        let bench = bench(&plan.to_string());
        let run = check(&bench, "definitions.json", &["--format", "json"]);
        assert_eq!(found(&json_of(&run)), wanted, "{forwarder} {unknown}");
    }
}

#[test]
fn triggers_are_seen_beside_each_other_in_whatever_files_they_are() {
    let bench = Bench::new(&json!({}));
    std::fs::create_dir(bench.path("triggers")).unwrap();
    let document = |name: &str, names: &[&str], more: Value| {
        let mut trigger = json!({"name": name, "event_names": names, "action": [{"send": [{"destination": "archive"}]}]});
        trigger.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"format_version": 1, "triggers": [trigger]}).to_string()
    };
    bench.write("triggers/a.json", &document("narrow", &["CreateUser"], json!({})));
    bench.write("triggers/b.json", &document("wide", &["CreateUser", "DeleteUser"], json!({})));
    let told = check(&bench, "triggers", &["--format", "json"]).success();
    let report = json_of(&told);
    assert_eq!(found(&report), ["TW2423 narrow:1 event_names -"]);
    assert_eq!(report["diagnostics"][0]["file"], bench.path("triggers/a.json").to_str().unwrap());
    assert_eq!(report["diagnostics"][0]["message"], "every event that fires this trigger fires `wide`, too, and both tell `archive`");
    bench.write("triggers/a.json", &document("narrow", &["CreateUser"], json!({"allow": {"TW2423": "its title is another"}})));
    assert_eq!(check(&bench, "triggers", &[]).success().stdout, "nothing wrong in 2 triggers\n");
}
