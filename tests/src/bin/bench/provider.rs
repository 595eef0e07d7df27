//! The provider as Terraform starts it: how soon it answers, and how much memory it takes.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use trailwire_tests::plugin::{self, Client};
use trailwire_tests::process::{self, Program};
use trailwire_tests::stand::Stand;
use trailwire_tests::terraform;

use super::watch::{Taken, watch};
use super::{Failure, Figure, HUB_AND_SINK, Promise, require};

const ACCOUNT: &str = "111122223333";
const HOME: &str = "us-east-1";
const STARTS: usize = 41;
const TRIGGERS: usize = 100;

/// Both figures.
pub(super) async fn figures(provider: &Path) -> Result<Vec<Figure>, Failure> {
    require(provider)?;
    Ok(vec![ready(provider).await?, rss(provider).await?])
}

/// From the start of the process until it has answered Terraform's first call, over mutual TLS.
async fn ready(provider: &Path) -> Result<Figure, Failure> {
    let client = Client::new()?;
    let (mut handshakes, mut answers) = (Vec::with_capacity(STARTS), Vec::with_capacity(STARTS));
    for _ in 0..STARTS {
        let mut command = plugin::command(provider, &client);
        let started = Instant::now();
        let mut child = command.spawn()?;
        let line = plugin::handshake(&mut child).await?;
        handshakes.push(started.elapsed());
        client.get_schema(&line).await?;
        answers.push(started.elapsed());
        process::signal("TERM", child.id().ok_or("the provider has ended")?);
        child.wait().await?;
    }
    let (handshake, _, _) = spread(handshakes);
    let (median, first, last) = spread(answers);
    let note = format!("start to first answer, median of {STARTS} ({first:.1} to {last:.1}); to the handshake line {handshake:.1}");
    Ok(Figure { name: "provider_ready_ms".to_owned(), value: median, unit: "ms".to_owned(), note, promise: Some(Promise::Below(50.0)) })
}

/// Median, smallest and largest, in milliseconds.
fn spread(mut times: Vec<Duration>) -> (f64, f64, f64) {
    times.sort();
    let milliseconds = |index: usize| times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0);
    (milliseconds(times.len() / 2), milliseconds(0), milliseconds(times.len().saturating_sub(1)))
}

/// The memory of the largest provider process of a `terraform plan` of many triggers on the stand, at its end.
async fn rss(provider: &Path) -> Result<Figure, Failure> {
    let stand = Stand::start()?;
    let directory = tempfile::Builder::new().prefix("trailwire-bench-").tempdir()?;
    std::fs::write(directory.path().join("main.tf"), configuration())?;
    let programs = provider.parent().ok_or("the provider is in no directory")?;
    let mut plan = Command::new("terraform");
    plan.args(["plan", "-input=false", "-no-color"]).current_dir(directory.path()).envs(stand.environment(ACCOUNT, HOME));
    plan.envs(terraform::environment(programs, &directory.path().join("terraform.rc"))?);
    let (finished, taken) = watch(Program::start(plan)).await;
    let counted = format!("{} to add", TRIGGERS + 2);
    if !finished.status.success() || !finished.stdout.contains(&counted) {
        return Err(finished.said().into());
    }
    let largest = taken.into_iter().max_by(|one, other| one.resident.total_cmp(&other.resident));
    let Taken { resident: now, peak, .. } = largest.ok_or("no provider was seen while Terraform planned")?;
    let note = format!("resident at the end of a plan of {TRIGGERS} triggers (peak {peak:.1})");
    Ok(Figure { name: "provider_rss_mb".to_owned(), value: now, unit: "MB".to_owned(), note, promise: Some(Promise::Below(15.0)) })
}

fn configuration() -> String {
    let mut text = HUB_AND_SINK.to_owned();
    for number in 0..TRIGGERS {
        text.push_str(&format!(
            "resource \"trailwire_trigger\" \"t{number}\" {{\n  hub              = trailwire_hub.bench.id\n  name             = \"bench-{number}\"\n  \
             event_names      = [\"CreateUser\", \"DeleteUser\"]\n  match_expression = \"detail.userIdentity.type == 'Root' && starts_with(detail.eventName, 'Create')\"\n  \
             action {{\n    notify {{\n      destinations = [trailwire_destination.sink.name]\n    }}\n  }}\n}}\n"
        ));
    }
    text
}
