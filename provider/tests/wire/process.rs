//! The binary itself: how it starts, what it says and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use trailwire_provider::wire::message::{
    DiagnosticsResponse, DynamicValue, Empty, GetMetadataResponse, GetSchemaResponse, PrepareProviderConfigRequest,
    PrepareProviderConfigResponse,
};

use crate::client::{Certificate, Client, Line};

const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-trailwire");
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

fn command() -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command
}

/// A provider as Terraform starts it; killed when the test ends early.
pub(crate) struct Provider {
    child: Child,
    line: Line,
    certificate: Certificate,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Provider {
    fn start() -> Provider {
        Provider::start_in(&[])
    }

    /// With these variables alone, beside those that Terraform sets.
    pub(crate) fn start_in(environment: &[(&str, &str)]) -> Provider {
        let certificate = Certificate::new();
        let mut command = command();
        command.env("TF_PLUGIN_MAGIC_COOKIE", COOKIE).env("PLUGIN_PROTOCOL_VERSIONS", "6,5").env("PLUGIN_CLIENT_CERT", &certificate.pem);
        let mut child = command.env("TF_LOG", "TRACE").envs(environment.iter().copied()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Provider { child, line: Line::read(&line), certificate }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::secure(&self.line, Some(&self.certificate)).await.unwrap()
    }

    /// How long it takes to end; fails after five seconds.
    async fn ends(&mut self) -> Duration {
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(5), "the provider does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        started.elapsed()
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_terraform_and_ends_with_shutdown() {
    let mut provider = Provider::start();
    let client = provider.client().await;
    let schema: GetSchemaResponse = client.call("GetSchema", Empty {}).await.unwrap();
    assert!(schema.provider.unwrap().block.unwrap().attributes.iter().any(|attribute| attribute.name == "allowed_account_ids"));

    provider.signal("INT");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let config = Some(DynamicValue { json: b"null".to_vec(), msgpack: Vec::new() });
    let prepared: PrepareProviderConfigResponse =
        client.call("PrepareProviderConfig", PrepareProviderConfigRequest { config }).await.unwrap();
    assert_eq!(prepared.diagnostics, [], "SIGINT is Terraform's business");

    let _: Empty = client.call_path("/plugin.GRPCController/Shutdown", Empty {}).await.unwrap();
    let took = provider.ends().await;
    assert!(took < Duration::from_secs(2), "Terraform kills a plugin that takes longer: {took:?}");
    assert!(!provider.line.socket.parent().unwrap().exists(), "the socket's directory is removed");
    let mut log = String::new();
    provider.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["@level"].is_string() && line["@module"].as_str().unwrap().starts_with("trailwire"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_told_to_terminate() {
    let mut provider = Provider::start();
    let _: DiagnosticsResponse = provider.client().await.call("GetMetadata", Empty {}).await.unwrap_or_default();
    provider.signal("TERM");
    provider.ends().await;
    assert!(!provider.line.socket.parent().unwrap().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_right_after_the_handshake_line_find_it_ready() {
    for signal in ["INT", "TERM"] {
        let mut provider = Provider::start();
        provider.signal(signal);
        if signal == "INT" {
            let metadata: Result<GetMetadataResponse, _> = provider.client().await.call("GetMetadata", Empty {}).await;
            assert!(metadata.is_ok(), "it went on");
            provider.signal("TERM");
        }
        provider.ends().await;
        assert!(!provider.line.socket.parent().unwrap().exists(), "{signal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_terraform_is_gone() {
    let certificate = Certificate::new();
    // The shell is the parent; it waits, and is killed.
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$0\" & echo $!; wait", BINARY]).env("TF_PLUGIN_MAGIC_COOKIE", COOKIE).env("PLUGIN_PROTOCOL_VERSIONS", "5");
    let mut shell = shell.env("PLUGIN_CLIENT_CERT", &certificate.pem).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines();
    let pid: u32 = lines.next().unwrap().unwrap().parse().unwrap();
    let line = Line::read(&lines.next().unwrap().unwrap());
    shell.kill().unwrap();
    shell.wait().unwrap();
    let started = Instant::now();
    while std::path::Path::new(&format!("/proc/{pid}/exe")).exists() && line.socket.exists() {
        assert!(started.elapsed() < Duration::from_secs(5), "the provider outlives Terraform");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_provider_leaves_the_next_one_sweeps() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("TMPDIR", folder.path().to_str().unwrap())];
    let mut killed = Provider::start_in(&environment);
    let living = Provider::start_in(&environment);
    let left = killed.line.socket.parent().unwrap().to_owned();
    killed.signal("KILL");
    killed.ends().await;

    let _next = Provider::start_in(&environment);
    let started = Instant::now();
    while left.exists() {
        assert!(started.elapsed() < Duration::from_secs(5), "{} is still there", left.display());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let metadata: Result<GetMetadataResponse, _> = living.client().await.call("GetMetadata", Empty {}).await;
    assert!(metadata.is_ok(), "a provider that lives keeps its socket");
}

#[test]
fn a_person_who_starts_it_is_told_what_it_is() {
    let output = command().output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("Trailwire provider for Terraform") && text.contains("terraform init"), "{text}");

    let output = command().env("TF_PLUGIN_MAGIC_COOKIE", COOKIE).env("PLUGIN_PROTOCOL_VERSIONS", "6").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("protocols 6"));

    let output = command().arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("terraform-provider-trailwire {}\n", env!("CARGO_PKG_VERSION")));
}
