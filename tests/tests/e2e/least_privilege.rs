//! The whole life of a hub under the policies that are printed for its deployers, with everything else denied.

use std::fs;

use aws_sdk_iam::Client as Iam;
use serde_json::{Value, json};
use trailwire_tests::process::{Finished, Program};
use trailwire_tests::stand::{Stand, repository};
use trailwire_tests::terraform::Workspace;
use trailwire_tests::{function, leftovers, runtime};
use yaml_rust2::{Yaml, YamlLoader};

use crate::world::{HOME, PROVIDER, REGIONS};

const EXTERNAL_ID: &str = "id-1";

fn provider() -> String {
    PROVIDER.replace(
        "  region = \"us-east-1\"\n",
        &format!("  region = \"us-east-1\"\n  member_external_id = {EXTERNAL_ID:?}\n  refresh = \"deep\"\n"),
    )
}

/// The policies as the data source prints them: home and member for the hub `security`, and member for every hub.
async fn printed(stand: &Stand, account: &str) -> [String; 3] {
    let terraform = Workspace::new(stand, account, HOME);
    let block = |name: &str, arguments: &str| {
        format!(
            "data \"trailwire_deploy_policy\" \"{name}\" {{\n{arguments}\n}}\n\
             output \"{name}\" {{\n  value = data.trailwire_deploy_policy.{name}.json\n}}\n"
        )
    };
    let (home, member) = ("role = \"home\"\nhub = \"security\"", "role = \"member\"\nhub = \"security\"");
    let blocks = [block("home", home), block("member", member), block("any_member", "role = \"member\"")];
    terraform.configure(&(provider() + &blocks.concat()));
    terraform.apply().await.success();
    let outputs: Value = serde_json::from_str(&terraform.run(&["output", "-json"]).await.success().stdout).unwrap();
    ["home", "member", "any_member"].map(|name| outputs[name]["value"].as_str().unwrap().to_owned())
}

/// A user with this policy alone: its access key and secret.
async fn user(stand: &Stand, account: &str, policy: &str) -> (String, String) {
    let iam = Iam::new(&stand.sdk(account, HOME).await);
    iam.create_user().user_name("ci").send().await.unwrap();
    iam.put_user_policy().user_name("ci").policy_name("p").policy_document(policy).send().await.unwrap();
    let key = iam.create_access_key().user_name("ci").send().await.unwrap().access_key.unwrap();
    (key.access_key_id, key.secret_access_key)
}

/// The deploy role of a member account with this policy alone.
async fn role(stand: &Stand, account: &str, home: &str, policy: &str) {
    let iam = Iam::new(&stand.sdk(account, HOME).await);
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{home}:root") }, "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": EXTERNAL_ID } },
    }]});
    iam.create_role().role_name("trailwire-deploy").assume_role_policy_document(trust.to_string()).send().await.unwrap();
    iam.put_role_policy().role_name("trailwire-deploy").policy_name("p").policy_document(policy).send().await.unwrap();
}

/// Every resource and data source. `more` is put into the hub's block.
fn configuration(member: &str, sink: &str, regions: &[&str], team: &str, more: &str) -> String {
    let provider = provider();
    format!(
        r#"{provider}
resource "trailwire_hub" "security" {{
  name            = "security"
  regions         = {regions:?}
  member_accounts = [{member:?}]
  alarm_actions   = ["arn:aws:sns:{HOME}:111122223333:pager"]
  query_operations = ["ec2:DescribeInstances"]
  tags            = {{ team = {team:?} }}
  {more}
}}
data "trailwire_hub" "same" {{
  name       = "security"
  depends_on = [trailwire_hub.security]
}}
data "trailwire_regions" "enabled" {{}}
resource "trailwire_destination" "team" {{
  hub  = trailwire_hub.security.id
  name = "team"
  tags = {{ team = {team:?} }}
  webhook {{
    url_wo         = "{sink}/secret"
    url_wo_version = {version}
  }}
}}
resource "trailwire_forwarder" "writes" {{
  hub           = trailwire_hub.security.id
  name          = "writes"
  event_sources = ["ec2.amazonaws.com", "iam.amazonaws.com"]
  tags          = {{ team = {team:?} }}
}}
resource "trailwire_trigger" "forwarded" {{
  hub           = trailwire_hub.security.id
  name          = "forwarded"
  event_names   = ["CreateUser"]
  event_sources = ["iam.amazonaws.com"]
  forwarder     = trailwire_forwarder.writes.name
  description   = {team:?}
  action {{
    send {{
      destination = trailwire_destination.team.name
    }}
  }}
}}
resource "trailwire_trigger" "instances" {{
  hub         = trailwire_hub.security.id
  name        = "instances"
  event_names = ["RunInstances"]
  description = {team:?}
  tags        = {{ team = {team:?} }}
  action {{
    notify {{
      destinations = [trailwire_destination.team.name]
    }}
  }}
}}
"#,
        version = team.len()
    )
}

/// What `trailwire doctor` says under this key.
async fn doctor(stand: &Stand, home: &str, (key, secret): (&str, &str), more: &[&str]) -> Finished {
    let arguments = [&["doctor", "--hub", "security", "--member-external-id", EXTERNAL_ID], more].concat();
    let mut command = runtime::command(stand, home, HOME, &arguments);
    command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
    Program::start(command).finish().await
}

#[tokio::test]
async fn a_hub_over_two_accounts_lives_and_dies_under_the_printed_policies() {
    let stand = Stand::start_enforcing_iam().unwrap();
    let (home, member) = (stand.new_account(), stand.new_account());
    let [home_policy, member_policy, any_member_policy] = printed(&stand, &home).await;
    assert_template_gives(&any_member_policy);
    role(&stand, &member, &home, &member_policy).await;
    let (key, secret) = user(&stand, &home, &home_policy).await;
    for account in [&home, &member] {
        let everything = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let iam = Iam::new(&stand.sdk(account, HOME).await);
        iam.create_policy().policy_name("bound").policy_document(everything).send().await.unwrap();
    }
    let sink = stand.sink().at("/ci");

    // The policies bind: what is not Trailwire's is denied to both.
    let ci = aws_credential_types::Credentials::new(&key, &secret, None, None, "ci");
    let ci = stand
        .sdk(&home, HOME)
        .await
        .into_builder()
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(ci))
        .build();
    let refused =
        aws_sdk_eventbridge::Client::new(&ci).put_rule().name("other").event_pattern(r#"{"source":["a"]}"#).send().await.unwrap_err();
    assert_eq!(refused.into_service_error().meta().code(), Some("AccessDeniedException"));
    assert!(Iam::new(&ci).list_users().send().await.is_err());

    let mut terraform = Workspace::new(&stand, &home, HOME);
    terraform.set("AWS_ACCESS_KEY_ID", &key);
    terraform.set("AWS_SECRET_ACCESS_KEY", &secret);
    terraform.configure(&configuration(&member, &sink, &["us-east-1"], "one", ""));
    terraform.apply().await.success();
    // Wider, with other tags, another secret, and roles that a policy bounds.
    let bound = format!("permissions_boundary = \"arn:aws:iam::{home}:policy/bound\"");
    let wider = configuration(&member, &sink, &["us-east-1", "eu-west-1"], "second", &bound);
    terraform.configure(&wider);
    terraform.apply().await.success();
    terraform.assert_empty_plan().await;
    let imports = [
        ("trailwire_trigger.forwarded", "security/forwarded"),
        ("trailwire_trigger.instances", "security/instances"),
        ("trailwire_forwarder.writes", "security/writes"),
        ("trailwire_hub.security", "security"),
    ];
    for (address, _) in imports {
        terraform.run(&["state", "rm", address]).await.success();
    }
    for (address, id) in imports.iter().rev() {
        terraform.import(address, id).await.success();
    }
    terraform.assert_empty_plan().await;

    // Whoever deploys may ask the doctor, too. Here no trail sends what a canary does: that it was sent is all that is seen.
    let journal = tempfile::tempdir().unwrap();
    let mut run = runtime::command(&stand, &home, HOME, &["run", "--hub", "security", "--until-idle", "1s"]);
    run.env("TRAILWIRE_STATE_DIR", journal.path());
    Program::start(run).finish().await.success();
    let sound = doctor(&stand, &home, (&key, &secret), &[]).await.success();
    assert_eq!(sound.stdout.lines().count(), 1 + 2 * 2, "{}", sound.said());
    let silent = doctor(&stand, &home, (&key, &secret), &["--canary", "--wait", "1s"]).await;
    assert_eq!(silent.stdout.matches("its canary did not arrive within 1 s").count(), 2 * 2, "{}", silent.said());

    // Narrower, without what is optional, and with rules drawn back to nothing at all.
    let plain = configuration(&member, &sink, &["eu-west-1"], "second", "forward_dead_letter = false");
    terraform.configure(&plain.replace("  alarm_actions   =", "  #"));
    terraform.apply().await.success();
    terraform.assert_empty_plan().await;
    // A function of the hub's own, and another setting of it.
    let package = function::package(&stand);
    for timeout in [20, 30] {
        let lambda = format!("forward_dead_letter = false\n  lambda {{\n    filename = {package:?}\n    timeout = {timeout}\n  }}");
        terraform.configure(&configuration(&member, &sink, &["eu-west-1"], "second", &lambda));
        terraform.apply().await.success();
        terraform.assert_empty_plan().await;
    }
    terraform.destroy().await.success();
    for account in [&home, &member] {
        assert_eq!(leftovers::of(&stand, account, &REGIONS).await, [] as [String; 0]);
    }
}

/// The template of examples/bootstrap makes the role with what is printed for a member of any hub.
fn assert_template_gives(policy: &str) {
    let template = fs::read_to_string(repository().join("examples/bootstrap/member-role.yaml")).unwrap();
    let template = json_of(&YamlLoader::load_from_str(&template).unwrap()[0]);
    let made = &template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"];
    assert_eq!(made.to_string(), policy);
}

/// A template as JSON, with its only function, `Fn::Sub` of the partition, carried out.
fn json_of(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Hash(members) => {
            let mut members = members.iter().map(|(name, value)| (name.as_str().unwrap_or_default().to_owned(), json_of(value)));
            match (members.next(), members.next()) {
                (Some((name, Value::String(text))), None) if name == "Fn::Sub" => Value::String(text.replace("${AWS::Partition}", "aws")),
                (first, second) => first.into_iter().chain(second).chain(members).collect::<serde_json::Map<_, _>>().into(),
            }
        }
        Yaml::Array(items) => items.iter().map(json_of).collect(),
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::Integer(number) => json!(number),
        _ => Value::Null,
    }
}
