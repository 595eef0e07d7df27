//! `trailwire doctor`: whether a hub and each of its cells is as its definitions want.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use trailwire_engine::fanout::names::Cell;

use super::{Failure, print};
use crate::hub::{Health, HubError, Look, MemberRole};

/// Looks at a hub and at each of its cells: the forwarding role, the rules and their targets, what could not be sent from there; at home the
/// hub's rule, the queues, the dead letters, the Lambda function with what feeds it and its schedule, and when a runtime was seen last. Nothing is changed, but for the tag by which a canary is sent.
///
/// It needs what a refresh of the provider needs, and `cloudwatch:GetMetricData`: how many events wait SQS tells, for how long CloudWatch.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The hub. AWS access and the home region come from the environment and profiles, as for every AWS tool.
    #[arg(long, value_name = "NAME", value_parser = super::run::hub_name)]
    hub: String,
    /// One JSON object in place of the table: `{"hub","ok","home":{"ok","problems","waiting","oldest_seconds",
    /// "seconds_since_runtimes_were_seen"},"cells":[{"account","region","ok","problems","canary_seconds"}]}`.
    #[arg(long)]
    json: bool,
    /// Send a canary from each cell: its canary rule gets a new tag, CloudTrail records that, and the record must arrive at a runtime that is at
    /// work. Beside reading this needs `events:TagResource`.
    #[arg(long)]
    canary: bool,
    /// How long to wait for canaries. CloudTrail mostly takes less than a minute, and sometimes some.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = super::run::length, requires = "canary")]
    wait: Duration,
    /// The role by which other accounts of the hub are entered, as `member_role_name` of the provider.
    #[arg(long, value_name = "NAME", default_value = "trailwire-deploy")]
    member_role_name: String,
    /// What that role's trust policy asks for.
    #[arg(long, value_name = "ID")]
    member_external_id: Option<String>,
}

/// # Errors
///
/// [`Failure::Refused`] for a hub that can not be found; [`Failure::Broken`] where something is wrong, after it was printed.
pub(crate) fn run(arguments: DoctorArguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::broken)?;
    let member_role = MemberRole { name: arguments.member_role_name, external_id: arguments.member_external_id };
    let looked = runtime.block_on(async {
        let look = Look::at(&arguments.hub, member_role).await?;
        let mut health = look.health().await;
        if arguments.canary {
            look.add_canaries(&mut health, arguments.wait).await;
        }
        Ok::<_, HubError>((look, health))
    });
    let (look, health) = looked.map_err(Failure::refused)?;
    let home = format!("{}/{}", look.record.account_id, look.record.region);
    if arguments.json {
        print(&as_json(&arguments.hub, &health).to_string())?;
    } else {
        table(&arguments.hub, &home, &health).iter().try_for_each(|line| print(line))?;
    }
    if health.is_sound() {
        return Ok(());
    }
    let broken = health.cells.values().filter(|problems| !problems.is_empty()).count();
    let at_home = if health.home.is_empty() { "" } else { "the home of the hub and " };
    Err(Failure::Broken(format!("{at_home}{broken} of {} cells are not as they should be", health.cells.len())))
}

/// A line for each place, and one for each further problem of it.
fn table(hub: &str, home: &str, health: &Health) -> Vec<String> {
    let seen = health.seen.first().map_or_else(|| "no runtime".to_owned(), |seconds| format!("a runtime seen {seconds} s ago"));
    let home = format!("hub {hub} at {home}, {}, {seen}", waiting(health));
    let places: Vec<(String, &Vec<String>)> =
        std::iter::once((home, &health.home)).chain(health.cells.iter().map(|(cell, problems)| (named(cell, health), problems))).collect();
    let lines = places.iter().flat_map(|(place, problems)| match problems.as_slice() {
        [] => vec![format!("ok      {place}")],
        problems => {
            let told = problems.iter().map(|problem| format!("        {problem}"));
            std::iter::once(format!("broken  {place}")).chain(told).collect()
        }
    });
    lines.collect()
}

/// How many events wait, and for how long where some do.
fn waiting(health: &Health) -> String {
    match (health.waiting, health.oldest) {
        (0, _) => "0 waiting".to_owned(),
        (count, Some(oldest)) => format!("{count} waiting for up to {} s", oldest.as_secs()),
        (count, None) => format!("{count} waiting for an unknown time"),
    }
}

/// A cell, and when its canary came.
fn named(cell: &Cell, health: &Health) -> String {
    match health.arrived.get(cell) {
        Some(after) => format!("{cell}, its canary arrived after {} s", after.as_secs()),
        None => cell.to_string(),
    }
}

fn as_json(hub: &str, health: &Health) -> Value {
    let cells = health.cells.iter().map(|(cell, problems)| {
        let canary = health.arrived.get(cell).map(Duration::as_secs);
        json!({"account": cell.account, "region": cell.region, "ok": problems.is_empty(), "problems": problems, "canary_seconds": canary})
    });
    json!({
        "hub": hub,
        "ok": health.is_sound(),
        "home": {
            "ok": health.home.is_empty(),
            "problems": health.home,
            "waiting": health.waiting,
            "oldest_seconds": health.oldest.map(|oldest| oldest.as_secs()),
            "seconds_since_runtimes_were_seen": health.seen,
        },
        "cells": cells.collect::<Vec<Value>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(problems: &[&str]) -> Health {
        let cell = |region: &str| Cell::new("111122223333", region);
        let arrived = [(cell("eu-west-1"), Duration::from_millis(7_900))].into();
        let problems = problems.iter().map(|problem| (*problem).to_owned()).collect();
        Health {
            cells: [(cell("eu-west-1"), vec![]), (cell("us-east-1"), problems)].into(),
            waiting: 2,
            oldest: Some(Duration::from_millis(71_900)),
            seen: vec![3, 40],
            arrived,
            ..Health::default()
        }
    }

    #[test]
    fn each_place_is_told() {
        let home = "111122223333/us-east-1";
        let sound = [
            "ok      hub security at 111122223333/us-east-1, 2 waiting for up to 71 s, a runtime seen 3 s ago",
            "ok      111122223333/eu-west-1, its canary arrived after 7 s",
        ];
        assert_eq!(table("security", home, &health(&[])), [sound.as_slice(), &["ok      111122223333/us-east-1"]].concat());
        let broken = ["broken  111122223333/us-east-1", "        a is missing", "        b differs"];
        assert_eq!(table("security", home, &health(&["a is missing", "b differs"])), [sound.as_slice(), &broken].concat());
    }

    #[test]
    fn for_how_long_events_wait_is_told_where_some_do() {
        for (waiting, oldest, expected) in [
            (0, Some(5), "0 waiting"),
            (0, None, "0 waiting"),
            (3, Some(5), "3 waiting for up to 5 s"),
            (3, None, "3 waiting for an unknown time"),
        ] {
            let health = Health { waiting, oldest: oldest.map(Duration::from_secs), ..Health::default() };
            assert_eq!(super::waiting(&health), expected);
        }
    }

    #[test]
    fn the_same_as_json() {
        let told = as_json("security", &health(&["a is missing"]));
        assert_eq!((&told["ok"], &told["home"]["ok"], &told["home"]["waiting"]), (&json!(false), &json!(true), &json!(2)));
        assert_eq!(told["home"]["oldest_seconds"], json!(71));
        assert_eq!(
            told["cells"][1],
            json!({"account": "111122223333", "region": "us-east-1", "ok": false, "problems": ["a is missing"], "canary_seconds": null})
        );
        assert_eq!(told["cells"][0]["canary_seconds"], json!(7));
        assert_eq!(as_json("security", &health(&[]))["ok"], json!(true));
    }
}
