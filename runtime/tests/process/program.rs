//! `trailwire` as a process, and the files it reads.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a slow and busy machine may take for what a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A directory with definitions, input and state.
pub(crate) struct Bench {
    dir: TempDir,
}

impl Bench {
    pub(crate) fn new(definitions: &Value) -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap() };
        bench.write("definitions.json", &definitions.to_string());
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// `trailwire run` over these definitions, with the state kept here.
    pub(crate) fn command(&self, source: &str) -> Command {
        let mut command = trailwire(&["run", "--source", source, "--definitions"]);
        command.arg(self.path("definitions.json")).arg("--state").arg(self.path("state"));
        command
    }

    /// Runs over a file of these lines until everything is done.
    pub(crate) fn run_over(&self, lines: &[Value], arguments: &[&str]) -> Finished {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let input = self.write("input.jsonl", &text);
        Finished::of(self.command(input.to_str().unwrap()).args(arguments))
    }
}

pub(crate) fn trailwire(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailwire"));
    for variable in ["RUST_LOG", "TRAILWIRE_STATE_DIR", "TRAILWIRE_HTTP_TOKEN", "HTTP_PROXY", "http_proxy", "AWS_PROFILE"] {
        command.env_remove(variable);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What a program that has ended said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert!(self.status.success(), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn refused(self) -> Self {
        assert_eq!(self.status.code(), Some(2), "{self:#?}");
        self
    }
}

/// A running `trailwire run` with an HTTP source. Killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    said: Arc<Mutex<String>>,
}

impl Server {
    /// Starts it and waits until it listens. `address` is `127.0.0.1:0` for any free port.
    pub(crate) fn start(bench: &Bench, address: &str) -> Self {
        Self::of(bench.command(&format!("http://{address}")))
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it listened: {said}");
            said.push_str(&line);
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            if value["message"] == "listening" {
                break value["address"].as_str().unwrap().to_owned();
            }
        };
        let said = Arc::new(Mutex::new(said));
        let log = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                log.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Self { child, url: format!("http://{address}"), said }
    }

    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop and waits for that.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until the log holds this text.
    pub(crate) async fn says(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.said().contains(text) {
            assert!(Instant::now() < deadline, "it never said {text:?}: {}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An event of this name and id.
pub(crate) fn event(name: &str, id: &str) -> Value {
    json!({
        "version": "0", "id": format!("envelope-{id}"), "source": "aws.iam", "detail-type": "AWS API Call via CloudTrail",
        "account": "111122223333", "region": "eu-west-1", "time": "2026-03-01T12:00:01Z", "resources": [],
        "detail": {
            "eventName": name, "eventSource": "iam.amazonaws.com", "eventID": id, "eventTime": "2026-03-01T12:00:00Z",
            "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "sourceIPAddress": "192.0.2.7",
            "userAgent": "aws-cli/2.13.0", "readOnly": false, "requestParameters": {"userName": "mallory"},
            "userIdentity": {"type": "IAMUser", "userName": "alice", "accountId": "111122223333"},
        },
    })
}

/// Definitions with one webhook `hook` at this address.
pub(crate) fn definitions(url: &str, triggers: &[Value]) -> Value {
    json!({"format_version": 1, "triggers": triggers, "destinations": [{"name": "hook", "webhook": [{"url": url}]}]})
}

/// A trigger `users` on CreateUser with these actions.
pub(crate) fn trigger(actions: &Value) -> Value {
    json!({"name": "users", "event_names": ["CreateUser"], "action": actions})
}

pub(crate) fn notify() -> Value {
    json!({"notify": [{"destinations": ["hook"]}]})
}

/// Compresses as CloudTrail does.
pub(crate) fn gzip(text: &str, path: &Path) {
    let mut encoder = flate2::write::GzEncoder::new(std::fs::File::create(path).unwrap(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
}

/// Feeds standard input and waits for the end.
pub(crate) fn with_stdin(mut command: Command, text: &str) -> Finished {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    Finished { status: child.wait().unwrap(), stdout, stderr }
}
