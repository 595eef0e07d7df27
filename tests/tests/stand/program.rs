//! The program `trailwire-stand`.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use trailwire_tests::process::{Program, built, children, signal};

#[tokio::test]
async fn a_command_runs_inside_the_environment() {
    let mut command = Command::new(built("trailwire-stand"));
    command.env("AWS_PROFILE", "mine");
    let script =
        r#"echo "$AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID $AWS_REGION $TRAILWIRE_SINK_URL [$AWS_PROFILE]"; cat "$TF_CLI_CONFIG_FILE"; exit 7"#;
    command.args(["--account", "444455556666", "--region", "eu-west-1", "--run", "sh", "-c", script]);
    let finished = Program::start(command).finish().await;
    assert_eq!(finished.status.code(), Some(7), "{}", finished.said());
    let words: Vec<&str> = finished.stdout.split_whitespace().collect();
    assert!(words[0].starts_with("http://127.0.0.1:"), "{words:?}");
    assert_eq!(words[1..3], ["444455556666", "eu-west-1"]);
    assert!(words[3].starts_with("http://127.0.0.1:"), "{words:?}");
    assert_eq!(words[4], "[]");
    assert!(finished.stdout.contains("dev_overrides"), "{}", finished.stdout);
}

/// The emulator writes to the same standard error as the stand, so that stream ends when both have.
#[tokio::test]
async fn nothing_is_left_however_the_stand_ends() {
    for end in ["TERM", "INT", "KILL"] {
        let mut command = tokio::process::Command::new(built("trailwire-stand"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut stand = command.spawn().unwrap();
        let mut errors = BufReader::new(stand.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("stand: ready") {
            line.clear();
            assert_ne!(errors.read_line(&mut line).await.unwrap(), 0, "the stand ended");
        }
        assert_eq!(children(stand.id().unwrap(), "python").len(), 1);
        assert!(signal(end, stand.id().unwrap()));
        let mut rest = String::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), errors.read_to_string(&mut rest)).await;
        assert!(ended.is_ok(), "something is left after {end}");
        stand.wait().await.unwrap();
    }
}
