//! The program `trailwire-stand`.

use std::process::{Command, Stdio};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use trailwire_tests::process::{Program, built, children, signal};
use trailwire_tests::stand::Stand;

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

/// A worker of the emulator's Lambda holds a connection to the test: it is closed when the worker is gone.
#[tokio::test]
async fn workers_of_the_emulator_end_with_the_stand() {
    let stand = Stand::start().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let code =
        "import socket\nheld = []\ndef handler(event, context):\n    held.append(socket.create_connection(('127.0.0.1', event['port'])))\n";
    std::fs::write(directory.path().join("index.py"), code).unwrap();
    let mut zip = Command::new("python3");
    zip.args(["-m", "zipfile", "-c", "code.zip", "index.py"]).current_dir(directory.path());
    assert!(zip.status().unwrap().success());
    let zip = BASE64_STANDARD.encode(std::fs::read(directory.path().join("code.zip")).unwrap());

    let call = |path: &str, body: serde_json::Value| {
        let scope = "AWS4-HMAC-SHA256 Credential=111122223333/20260101/us-east-1/lambda/aws4_request";
        reqwest::Client::new().post(format!("{}{path}", stand.endpoint())).header("authorization", scope).body(body.to_string()).send()
    };
    let function = json!({
        "FunctionName": "f", "Runtime": "python3.12", "Handler": "index.handler",
        "Role": "arn:aws:iam::111122223333:role/r", "Code": { "ZipFile": zip },
    });
    let created = call("/2015-03-31/functions", function).await.unwrap();
    assert_eq!(created.status().as_u16(), 201, "{}", created.text().await.unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let invoked = call("/2015-03-31/functions/f/invocations", json!({ "port": port })).await.unwrap();
    assert_eq!(invoked.text().await.unwrap(), "null");
    let (mut worker, _) = listener.accept().await.unwrap();
    drop(stand);
    let ended = tokio::time::timeout(Duration::from_secs(120), worker.read(&mut [0])).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "the worker is still there");
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
        let ended = tokio::time::timeout(Duration::from_secs(120), errors.read_to_string(&mut rest)).await;
        assert!(ended.is_ok(), "something is left after {end}");
        stand.wait().await.unwrap();
    }
}
