//! What a plan of many triggers costs the provider, all checks and every trigger's test included: first, and again when everything is there.
//!
//! What is counted is the provider's own time: the seconds that its processes are on a processor. Terraform's own are in the notes.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;
use trailwire_tests::process::{Finished, Program};
use trailwire_tests::stand::Stand;
use trailwire_tests::terraform;

use super::watch::{Taken, watch};
use super::{Failure, Figure, HUB_AND_SINK, Promise, require};

const ACCOUNT: &str = "222233334444";
const HOME: &str = "us-east-1";
const TRIGGERS: usize = 500;
/// A bus takes 300 rules, so half of the triggers are in one region and half in the other.
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
const RUNS: usize = 3;
/// Seconds.
const BOUND: f64 = 2.0;

/// Both figures.
pub(super) async fn figures(provider: &Path) -> Result<Vec<Figure>, Failure> {
    require(provider)?;
    let stand = Stand::start()?;
    let directory = tempfile::Builder::new().prefix("trailwire-bench-").tempdir()?;
    std::fs::write(directory.path().join("main.tf"), configuration())?;
    let programs = provider.parent().ok_or("the provider is in no directory")?;
    let mut environment = stand.environment(ACCOUNT, HOME);
    environment.extend(terraform::environment(programs, &directory.path().join("terraform.rc"))?);
    let bench = Bench { directory, environment };

    let first = bench.plans(&format!("{} to add", TRIGGERS + 2)).await?;
    let applied = bench.start(&["apply", "-auto-approve", "-input=false", "-no-color"]).finish().await;
    expect(&applied, &format!("{} added", TRIGGERS + 2))?;
    let again = bench.plans("No changes.").await?;
    Ok(vec![
        figure("plan_500_triggers_s", "a first plan", &first),
        figure("replan_500_triggers_s", "a plan that refreshes them all", &again),
    ])
}

struct Bench {
    directory: TempDir,
    environment: Vec<(String, String)>,
}

/// One plan.
struct Plan {
    provider: f64,
    processes: usize,
    whole: f64,
}

impl Bench {
    fn start(&self, arguments: &[&str]) -> Program {
        let mut command = Command::new("terraform");
        command.args(arguments).current_dir(self.directory.path()).envs(self.environment.iter().cloned());
        Program::start(command)
    }

    /// Some plans that say this, the cheapest first.
    async fn plans(&self, wanted: &str) -> Result<Vec<Plan>, Failure> {
        let mut plans = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let started = Instant::now();
            let (finished, taken) = watch(self.start(&["plan", "-input=false", "-no-color"])).await;
            let whole = started.elapsed().as_secs_f64();
            expect(&finished, wanted)?;
            let provider = taken.iter().map(|Taken { processor, .. }| processor).sum();
            plans.push(Plan { provider, processes: taken.len(), whole });
        }
        plans.sort_by(|one, other| one.provider.total_cmp(&other.provider));
        Ok(plans)
    }
}

fn expect(finished: &Finished, wanted: &str) -> Result<(), Failure> {
    if finished.status.success() && finished.stdout.contains(wanted) { Ok(()) } else { Err(finished.said().into()) }
}

/// The median of the plans.
fn figure(name: &str, what: &str, plans: &[Plan]) -> Figure {
    let nothing = Plan { provider: f64::NAN, processes: 0, whole: f64::NAN };
    let plan = plans.get(plans.len() / 2).unwrap_or(&nothing);
    let (least, most) = (plans.first().unwrap_or(&nothing).provider, plans.last().unwrap_or(&nothing).provider);
    let note = format!(
        "processor time of the {} provider processes of {what}, median of {RUNS} ({least:.2} to {most:.2}); with Terraform {:.1} s",
        plan.processes, plan.whole
    );
    Figure { name: name.to_owned(), value: plan.provider, unit: "s".to_owned(), note, promise: Some(Promise::Below(BOUND)) }
}

/// A hub and triggers as people write them: names, a match, a message, fields, and a test that is run while planning.
fn configuration() -> String {
    let mut text = HUB_AND_SINK.to_owned();
    for number in 0..TRIGGERS {
        let region = REGIONS.get(number % REGIONS.len()).copied().unwrap_or(HOME);
        text.push_str(&format!(
            r#"resource "trailwire_trigger" "t{number}" {{
  hub              = trailwire_hub.bench.id
  name             = "bench-{number}"
  event_names      = ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"]
  event_sources    = ["ec2.amazonaws.com"]
  regions          = ["{region}"]
  match_expression = "detail.userIdentity.type == 'IAMUser' && detail.requestParameters.groupId == 'sg-{number}' && contains(detail.requestParameters.ipPermissions.items[].ipRanges.items[].cidrIp, '0.0.0.0/0')"
  action {{
    notify {{
      destinations = [trailwire_destination.sink.name]
      title        = "{{{{ actor }}}} opened a group in {{{{ region }}}}"
      fields       = {{ Group = "detail.requestParameters.groupId" }}
    }}
  }}
  test {{
    name   = "open to the world"
    expect = true
    event = jsonencode({{
      eventName = "AuthorizeSecurityGroupIngress"
      eventSource = "ec2.amazonaws.com"
      userIdentity = {{ type = "IAMUser", userName = "alice" }}
      requestParameters = {{ groupId = "sg-{number}", ipPermissions = {{ items = [{{ ipRanges = {{ items = [{{ cidrIp = "0.0.0.0/0" }}] }} }}] }} }}
    }})
  }}
}}
"#
        ));
    }
    text
}
