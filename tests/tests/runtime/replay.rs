//! `trailwire replay --dispatch` at a hub: a gap is filled, and nobody is told a second time.

use serde_json::json;
use trailwire_tests::process::{Finished, Program};
use trailwire_tests::runtime;

use trailwire_tests::hub::{Hub, REGION};

#[tokio::test]
async fn a_gap_is_filled_without_a_second_alert() {
    let hub = Hub::new("gap").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    let [known, missed, other] = ["CreateUser", "CreateUser", "DeleteUser"].map(|name| hub.event(name).envelope());
    hub.send(&known.to_string()).await;
    hub.run().await.success();

    let folder = tempfile::tempdir().unwrap();
    let log = json!({"Records": [known["detail"], missed["detail"], other["detail"], missed["detail"]]});
    std::fs::write(folder.path().join("log.json"), log.to_string()).unwrap();
    let trigger = json!({"name": "users", "event_names": ["CreateUser"], "action": [{"notify": [{"destinations": ["hook"]}]}]});
    let definitions = folder.path().join("definitions");
    std::fs::write(&definitions, json!({"format_version": 1, "triggers": [trigger]}).to_string()).unwrap();
    let arguments = [
        "replay",
        folder.path().join("log.json").to_str().unwrap(),
        "--definitions",
        definitions.to_str().unwrap(),
        "--dispatch",
        "--hub",
        &hub.name,
    ]
    .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let replayed: Finished = Program::start(runtime::command(hub.stand, &hub.account, REGION, &arguments)).finish().await.success();
    assert_eq!(replayed.stdout.lines().count(), 2, "{}", replayed.said());
    assert!(
        replayed.stderr.starts_with("2 events dispatched\n2 matches in 4 records of 1 file; 1 of repeated events\n"),
        "{}",
        replayed.said()
    );

    hub.run().await.success();
    let told: Vec<_> = hub
        .stand
        .sink()
        .received(&hub.path())
        .iter()
        .map(|received| received.json()["data"]["event"]["detail"]["eventID"].clone())
        .collect();
    assert_eq!(told, [known["detail"]["eventID"].clone(), missed["detail"]["eventID"].clone()]);
}
