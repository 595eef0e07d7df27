//! One hub over several accounts.

use serde_json::{Value, json};
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::control::Matcher;
use trailwire_tests::process::Finished;
use trailwire_tests::{leftovers, members};

use crate::world::{Configuration, HOME, REGIONS, Told, World, told};

pub(crate) const EXTERNAL_ID: &str = "id-1";
const HUB: &str = "trailwire_hub.security";

/// A configuration over these members, whose provider gives the external id. `more` is put into the hub's block.
pub(crate) fn over(members: &[&String], webhook: &str, more: &str) -> String {
    let members = if members.is_empty() { String::new() } else { format!("member_accounts = {members:?}\n") };
    let text = Configuration::new(webhook).text();
    let text = text.replace("  name    = \"security\"\n", &format!("  name    = \"security\"\n{members}{more}\n"));
    text.replace("  region = \"us-east-1\"\n", &format!("  region = \"us-east-1\"\n  member_external_id = {EXTERNAL_ID:?}\n"))
}

/// Errors as one line: Terraform wraps and frames them.
fn in_one_line(finished: &Finished) -> String {
    let words = finished.stderr.split_whitespace().filter(|word| !matches!(*word, "│" | "╷" | "╵"));
    words.collect::<Vec<_>>().join(" ")
}

async fn assert_nothing_left(world: &World, accounts: &[&String]) {
    for account in accounts {
        assert_eq!(leftovers::of(world.stand, account, &REGIONS).await, [] as [String; 0], "{account}");
    }
}

#[tokio::test]
async fn what_happens_in_member_accounts_is_told_and_members_come_and_go() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let (one, two, three) = (world.stand.new_account(), world.stand.new_account(), world.stand.new_account());
    for member in [&one, &two] {
        members::allow(world.stand, member, &world.account, EXTERNAL_ID).await;
    }
    world.terraform.configure(&over(&[&one, &two], &url, ""));
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    let cells = world.terraform.attributes("trailwire_trigger.instances").await["cells"].clone();
    let regions = json!(["eu-west-1", "us-east-1"]);
    assert_eq!(cells, json!({ (world.account.as_str()): regions, (one.as_str()): regions, (two.as_str()): regions }));
    let assumed = Matcher::operation("sts", "AssumeRole").by(&world.account);
    let sessions = world.control().call_count(&assumed).await;
    assert!(sessions <= 2 * 4, "a role is assumed once by each process: {sessions}");

    let events: Vec<Event> = [&world.account, &one, &two]
        .into_iter()
        .flat_map(|account| ["us-east-1", "eu-west-1"].map(|region| Event::new(account, region, "ec2", "RunInstances")))
        .collect();
    let outside = [Event::new(&three, HOME, "ec2", "RunInstances"), Event::new(&one, "eu-north-1", "ec2", "RunInstances")];
    let envelopes: Vec<Value> = events.iter().chain(&outside).map(Event::envelope).collect();
    world.control().put_events(&envelopes).await;
    let journal = tempfile::tempdir().unwrap();
    let run = world.run_until_idle(journal.path()).await;
    let mut expected: Vec<Told> = events.iter().map(|event| Told::new("instances", event)).collect();
    expected.sort();
    assert_eq!(told(&world.stand.sink().received(&path)), expected, "{}", run.said());

    // The hub alone clears the account that goes: rules, queues and role.
    world.terraform.configure(&over(&[&two], &url, ""));
    world.terraform.apply().await.success();
    assert_nothing_left(&world, &[&one]).await;
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
    assert_nothing_left(&world, &[&two]).await;
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_is_named_and_can_be_given_up() {
    let world = World::new().await;
    let (_, url) = world.webhook();
    let lost = world.stand.new_account();
    world.terraform.configure(&over(&[&lost], &url, ""));
    let refused = world.terraform.apply().await;
    let said = in_one_line(&refused);
    assert!(said.contains("ub `security` was not created") && said.contains(&format!("{lost}/us-east-1: `sts:AssumeRole`")), "{said}");
    assert!(said.contains(&format!("abandon_accounts = [\"{lost}\"]")), "{said}");
    world.assert_nothing_left().await;

    members::allow(world.stand, &lost, &world.account, EXTERNAL_ID).await;
    world.terraform.apply().await.success();
    let role = aws_sdk_iam::Client::new(&world.stand.sdk(&lost, HOME).await);
    role.delete_role().role_name(members::ROLE).send().await.unwrap();
    let plan = world.terraform.plan().await;
    assert_eq!(plan.status.code(), Some(0), "{}", plan.said());
    assert!(plan.stdout.contains(&format!("ccount {lost} cannot be reached")), "{}", plan.said());
    assert!(world.terraform.attributes(HUB).await["cells"][&lost].is_array());

    world.terraform.configure(&over(&[], &url, ""));
    let said = in_one_line(&world.terraform.apply().await);
    assert!(said.contains("ub `security` is not updated everywhere") && said.contains(&lost), "{said}");
    world.terraform.configure(&over(&[], &url, &format!("abandon_accounts = [\"{lost}\"]")));
    let calls = Matcher::default().by(&lost);
    world.terraform.run(&["apply", "-auto-approve", "-refresh=false", "-no-color"]).await.success();
    world.control().clear_calls(&calls).await;
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
    assert_eq!(world.control().calls(&calls).await, []);
}

/// Credentials of another account see an error, whatever that account holds, and change nothing.
#[tokio::test]
async fn a_caller_in_another_account_is_refused_and_nothing_is_deleted() {
    let mut world = World::new().await;
    let (_, url) = world.webhook();
    world.terraform.configure(&Configuration::new(&url).text());
    world.terraform.apply().await.success();
    let before = leftovers::of(world.stand, &world.account, &REGIONS).await;
    let other = world.stand.new_account();
    members::allow(world.stand, &world.account, &other, EXTERNAL_ID).await;
    world.terraform.set("AWS_ACCESS_KEY_ID", &other);
    for refused in [world.terraform.plan().await, world.terraform.apply().await, world.terraform.destroy().await] {
        let said = in_one_line(&refused);
        assert!(said.contains(&format!("ub `security` belongs to account {}", world.account)), "{said}");
    }
    assert_eq!(leftovers::of(world.stand, &world.account, &REGIONS).await, before);
    let account = world.account.clone();
    world.terraform.set("AWS_ACCESS_KEY_ID", &account);
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

/// A provider of another region than the hub was made with changes nothing, whatever it is asked for, until the hub names its region.
#[tokio::test]
async fn a_caller_in_another_region_is_refused_and_nothing_is_deleted() {
    let world = World::new().await;
    let (_, url) = world.webhook();
    let here = Configuration::new(&url).text();
    let elsewhere = here.replace("  region = \"us-east-1\"\n", "  region = \"eu-west-1\"\n");
    let without_hub = elsewhere.split_once("resource").unwrap().0.to_owned();
    world.terraform.configure(&here);
    world.terraform.apply().await.success();
    let before = leftovers::of(world.stand, &world.account, &REGIONS).await;
    let known = world.terraform.attributes(HUB).await;
    let narrower = elsewhere.replace("[\"us-east-1\", \"eu-west-1\"]", "[\"eu-west-1\"]");
    for (configuration, destroys) in [(&elsewhere, false), (&narrower, false), (&without_hub, false), (&elsewhere, true)] {
        world.terraform.configure(configuration);
        let refused = if destroys { world.terraform.destroy().await } else { world.terraform.apply().await };
        let said = in_one_line(&refused);
        assert!(!refused.status.success(), "{}", refused.said());
        assert!(said.contains("ub `security` is in region us-east-1, and the provider works in eu-west-1"), "{said}");
        assert_eq!(leftovers::of(world.stand, &world.account, &REGIONS).await, before);
        assert_eq!(world.terraform.attributes(HUB).await, known);
    }
    // Nothing is lost, and the line of the help lets the hub be worked on from there.
    world.terraform.configure(&here);
    world.terraform.assert_empty_plan().await;
    world.terraform.configure(&elsewhere.replace("  name    = \"security\"\n", "  name    = \"security\"\n  region  = \"us-east-1\"\n"));
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    assert_eq!(leftovers::of(world.stand, &world.account, &REGIONS).await, before);
    world.destroy().await;
}

/// An organisation with a unit of two accounts, one of them closed; the ids of the organisation, the unit and both accounts.
async fn organised(world: &World) -> [String; 4] {
    let organizations = aws_sdk_organizations::Client::new(&world.stand.sdk(&world.account, HOME).await);
    let id = organizations.describe_organization().send().await.unwrap().organization.unwrap().id.unwrap();
    let root = organizations.list_roots().send().await.unwrap().roots()[0].id().unwrap().to_owned();
    let unit = organizations.create_organizational_unit().parent_id(&root).name("workloads").send().await.unwrap();
    let unit = unit.organizational_unit.unwrap().id.unwrap();
    let mut accounts = Vec::new();
    for name in ["active", "closed"] {
        let created = organizations.create_account().account_name(name).email(format!("{name}@example.com")).send().await.unwrap();
        let account = created.create_account_status.unwrap().account_id.unwrap();
        organizations.move_account().account_id(&account).source_parent_id(&root).destination_parent_id(&unit).send().await.unwrap();
        accounts.push(account);
    }
    let [active, closed] = <[String; 2]>::try_from(accounts).unwrap();
    organizations.close_account().account_id(&closed).send().await.unwrap();
    world.control().set_organization(&id, &[&world.account, &active]).await;
    [id, unit, active, closed]
}

#[tokio::test]
async fn the_active_accounts_of_an_organisation_are_covered_and_let_in_by_its_id() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let [id, unit, active, closed] = organised(&world).await;
    members::allow(world.stand, &active, &world.account, EXTERNAL_ID).await;
    let block = format!("organization {{\n  id = {id:?}\n  organizational_unit_ids = [{unit:?}]\n}}");
    world.terraform.configure(&over(&[], &url, &block));
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    let event = Event::new(&active, "eu-west-1", "ec2", "RunInstances");
    world.control().put_events(&[event.envelope(), Event::new(&closed, HOME, "ec2", "RunInstances").envelope()]).await;
    let journal = tempfile::tempdir().unwrap();
    let run = world.run_until_idle(journal.path()).await;
    assert_eq!(told(&world.stand.sink().received(&path)), [Told::new("instances", &event)], "{}", run.said());
    world.destroy().await;
    assert_nothing_left(&world, &[&active]).await;
}
