//! The packs through the real thing: Terraform plans them, and the plan is judged by the runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trailwire_tests::process::Program;
use trailwire_tests::runtime;
use trailwire_tests::stand::repository;

use crate::world::{HOME, PROVIDER, World};

const PACKS: [&str; 6] = ["compute", "data", "identity", "logging", "network", "organization"];

/// Third-party cases, looked for beside the repository and above it; they are not part of it.
const CASES: &str = "shared/data/rule_cases.jsonl";

/// Every rule of every pack, as Terraform plans them: the tests of their own pass, the page of each pack lists its rules as they are, and
/// each of the third-party cases comes out as expected.
#[tokio::test]
async fn every_rule_does_what_it_says() {
    let world = World::new().await;
    let everything = "include_read_only = true\n  include_frequent = true";
    let modules: String = PACKS.iter().map(|pack| module(pack, everything)).collect();
    let plan = planned(&world, &modules).await;

    let plan_file = world.terraform.path().join("plan.json");
    fs::write(&plan_file, plan.to_string()).unwrap();
    let tested = trailwire(&world, &["test", "--definitions", plan_file.to_str().unwrap()]).finish().await.success();
    let summary = tested.stdout.lines().last().unwrap_or_default();
    assert!(summary.ends_with(" tests as expected, 0 not"), "{}", tested.said());

    let mut rules = BTreeMap::new();
    for pack in PACKS {
        let triggers = triggers(&plan, pack);
        pages_agree(pack, &triggers);
        for trigger in triggers {
            each_has_both_verdicts(&trigger);
            rules.insert(format!("{pack}/{}", text(&trigger, "name")), trigger);
        }
    }
    let Some(path) = repository().ancestors().skip(1).map(|directory| directory.join(CASES)).find(|path| path.is_file()) else {
        println!("{CASES} is not there: its cases are skipped");
        return;
    };
    cases_agree(&world, &path, &plan_file, &rules).await;
}

#[tokio::test]
async fn a_pack_takes_its_settings() {
    let world = World::new().await;
    let settings = r#"name_prefix = "net-"
  disabled = ["vpc-changed"]
  severities = { gateway-changed = "critical" }
  severity_destinations = { critical = ["pager"] }
  exceptions = { "*" = "detail.awsRegion == 'eu-north-1'", endpoint-denied = "detail.vpcEndpointId == 'vpce-1'" }
  regions = ["us-east-1"]"#;
    let plan = planned(&world, &module("network", settings)).await;
    let triggers: BTreeMap<String, Value> =
        triggers(&plan, "network").into_iter().map(|trigger| (text(&trigger, "name").to_owned(), trigger)).collect();
    assert!(triggers.keys().all(|name| name.starts_with("net-")), "{:?}", triggers.keys());
    assert!(!triggers.contains_key("net-vpc-changed"));
    // It fires in daily work, so it is made only where that is asked for.
    assert!(!triggers.contains_key("net-security-group-changed"));
    let gateway = &triggers["net-gateway-changed"];
    assert_eq!(gateway["severity"], "critical");
    assert_eq!(gateway["action"][0]["notify"][0]["destinations"], json!(["pager"]));
    assert_eq!(gateway["regions"], json!(["us-east-1"]));
    assert_eq!(gateway["match_expression"], "(!(detail.errorCode)) && !(detail.awsRegion == 'eu-north-1')");
    let denied = text(&triggers["net-endpoint-denied"], "match_expression").to_owned();
    assert!(denied.ends_with("&& !(detail.vpcEndpointId == 'vpce-1') && !(detail.awsRegion == 'eu-north-1')"), "{denied}");

    world.terraform.configure(&configuration(&module("network", "only = [\"vpc-changd\"]")));
    world.terraform.run(&["get", "-no-color"]).await.success();
    let refused = world.terraform.plan().await;
    assert_eq!(refused.status.code(), Some(1), "{}", refused.said());
    assert!(refused.said().contains("There is no rule `vpc-changd` here. The rules are:"), "{}", refused.said());
}

fn module(pack: &str, settings: &str) -> String {
    format!(
        r#"
module "{pack}" {{
  source = "./modules/packs/{pack}"
  hub = "security"
  destinations = [trailwire_destination.team.name]
  {settings}
}}
"#
    )
}

fn configuration(modules: &str) -> String {
    let destination = |name: &str| {
        format!(
            r#"
resource "trailwire_destination" "{name}" {{
  hub  = "security"
  name = "{name}"
  webhook {{
    url = "https://example.com/{name}"
  }}
}}
"#
        )
    };
    format!("{PROVIDER}{}{}{modules}", destination("team"), destination("pager"))
}

/// The plan that creates the modules, as `terraform show -json` prints it.
async fn planned(world: &World, modules: &str) -> Value {
    copy(&repository().join("modules"), &world.terraform.path().join("modules"));
    world.terraform.configure(&configuration(modules));
    world.terraform.run(&["get", "-no-color"]).await.success();
    let plan = world.terraform.run(&["plan", "-input=false", "-no-color", "-out=planned"]).await;
    assert_eq!(plan.status.code(), Some(0), "{}", plan.said());
    let shown = world.terraform.run(&["show", "-json", "-no-color", "planned"]).await.success();
    serde_json::from_str(&shown.stdout).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The triggers of a pack's module.
fn triggers(plan: &Value, pack: &str) -> Vec<Value> {
    let child = |module: &Value, address: &str| {
        let modules = module["child_modules"].as_array().cloned().unwrap_or_default();
        modules.into_iter().find(|module| module["address"] == address).unwrap_or_else(|| panic!("the plan has no {address}"))
    };
    let outer = child(&plan["planned_values"]["root_module"], &format!("module.{pack}"));
    let inner = child(&outer, &format!("module.{pack}.module.pack"));
    inner["resources"].as_array().unwrap().iter().map(|resource| resource["values"].clone()).collect()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn each_has_both_verdicts(trigger: &Value) {
    let verdicts: BTreeSet<bool> = trigger["test"].as_array().unwrap().iter().filter_map(|test| test["expect"].as_bool()).collect();
    assert_eq!(verdicts.len(), 2, "{} is to have a test that fires and one that does not", text(trigger, "name"));
}

/// The table on a pack's page has a row for each of its rules, and no other.
fn pages_agree(pack: &str, triggers: &[Value]) {
    let page = fs::read_to_string(repository().join(format!("modules/packs/{pack}/README.md"))).unwrap();
    let rows: BTreeMap<&str, (&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"))
        .filter_map(|row| {
            let (name, rest) = row.split_once("` | ")?;
            let mut cells = rest.splitn(3, " | ");
            Some((name, (cells.next()?, cells.nth(1)?)))
        })
        .collect();
    let rules: BTreeMap<&str, (&str, &str)> =
        triggers.iter().map(|trigger| (text(trigger, "name"), (text(trigger, "severity"), text(trigger, "description")))).collect();
    assert_eq!(rows, rules, "the table of modules/packs/{pack}/README.md");
}

/// Judges each case by the rule that stands for its own.
async fn cases_agree(world: &World, path: &Path, plan: &Path, rules: &BTreeMap<String, Value>) {
    let cases: Vec<Value> = fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mapping = fs::read_to_string(repository().join("tests/corpus/packs/rules.json")).unwrap();
    let mapping: BTreeMap<String, String> = serde_json::from_str(&mapping).unwrap();
    let named: BTreeSet<&str> = cases.iter().map(|case| text(case, "rule")).collect();
    assert_eq!(mapping.keys().map(String::as_str).collect::<BTreeSet<_>>(), named);

    let events: PathBuf = world.terraform.path().join("cases.jsonl");
    fs::write(&events, cases.iter().map(|case| format!("{}\n", case["event"])).collect::<String>()).unwrap();
    let arguments = ["explain", "--format", "json", "--definitions", plan.to_str().unwrap(), events.to_str().unwrap()];
    let explained = trailwire(world, &arguments).finish().await.success();
    // One line for each event and trigger, the events in their order.
    let verdicts: Vec<Value> = explained.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), cases.len() * rules.len());
    let mut wrong = Vec::new();
    for (case, verdicts) in cases.iter().zip(verdicts.chunks(rules.len())) {
        let rule = &mapping[text(case, "rule")];
        let trigger = text(&rules[rule], "name");
        let verdict = verdicts.iter().find(|verdict| verdict["trigger"] == trigger).unwrap();
        if verdict["fires"] != case["expected"] {
            wrong.push(format!("{rule}: {} ({}): {verdict}", text(case, "name"), text(case, "rule")));
        }
        names_nothing_of(case, &rules[rule]);
    }
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// No rule is written for its cases: no id of an event, a request or an account stands in it.
fn names_nothing_of(case: &Value, trigger: &Value) {
    let expression = text(trigger, "match_expression");
    let ids = ["/eventID", "/requestID", "/recipientAccountId", "/userIdentity/accountId", "/userIdentity/principalId"];
    for id in ids.iter().filter_map(|pointer| case["event"].pointer(pointer)?.as_str()).filter(|id| id.len() > 3) {
        assert!(!expression.contains(id), "{}: `{id}` is of a case", text(trigger, "name"));
    }
}

fn trailwire(world: &World, arguments: &[&str]) -> Program {
    Program::start(runtime::command(world.stand, &world.account, HOME, arguments))
}
