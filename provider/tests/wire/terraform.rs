//! A real Terraform against the fake resource, which lives in this process.

use std::io::{self, Write};
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use trailwire_provider::handshake::serve_debug;

use crate::fake;

/// Sends the first line that is written.
struct FirstLine(mpsc::Sender<String>, Vec<u8>);

impl Write for FirstLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        drop(self.0.send(String::from_utf8(self.1.clone()).unwrap()));
        Ok(())
    }
}

async fn reattach() -> String {
    let (sender, receiver) = mpsc::channel();
    tokio::spawn(async move { serve_debug(Arc::new(fake::server()), &mut FirstLine(sender, Vec::new())).await.unwrap() });
    let line = tokio::task::spawn_blocking(move || receiver.recv_timeout(Duration::from_secs(10)).unwrap()).await.unwrap();
    line.trim_end().strip_prefix("TF_REATTACH_PROVIDERS='").unwrap().strip_suffix('\'').unwrap().to_owned()
}

struct Terraform {
    directory: tempfile::TempDir,
    reattach: String,
}

impl Terraform {
    async fn new() -> Terraform {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("terraform.rc"), "").unwrap();
        Terraform { directory, reattach: reattach().await }
    }

    async fn run(&self, body: &str, arguments: &[&str]) -> Output {
        let head = "terraform {\n  required_providers {\n    trailwire = { source = \"trailwire/trailwire\" }\n  }\n}\n";
        std::fs::write(self.path().join("main.tf"), format!("{head}{body}")).unwrap();
        let mut command = tokio::process::Command::new("terraform");
        command.args(arguments).current_dir(self.path()).env("TF_REATTACH_PROVIDERS", &self.reattach).env("CHECKPOINT_DISABLE", "1");
        command.env("TF_CLI_CONFIG_FILE", self.path().join("terraform.rc")).kill_on_drop(true);
        command.output().await.expect("terraform is on the path")
    }

    /// Runs it and expects this exit code; the output, both streams.
    async fn expect(&self, body: &str, arguments: &[&str], code: i32) -> String {
        let output = self.run(body, arguments).await;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "terraform {arguments:?}\n{text}");
        text
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

const APPLY: &[&str] = &["apply", "-auto-approve", "-input=false", "-no-color"];
const PLAN: &[&str] = &["plan", "-detailed-exitcode", "-input=false", "-no-color"];

fn thing(members: &str) -> String {
    format!("resource \"trailwire_thing\" \"a\" {{\n{members}\n}}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn terraform_creates_updates_replaces_imports_and_destroys() {
    let terraform = Terraform::new().await;
    let first = thing(
        "name = \"a\"\nsize = 0.1\nregions = [\"b\", \"a\", \"b\"]\nsecret_wo = \"s3cret\"\naction {}\naction {\n  wait = \"5m\"\n  notify {}\n}",
    );
    terraform.expect(&first, &["init", "-no-color"], 0).await;
    let applied = terraform.expect(&first, APPLY, 0).await;
    assert!(applied.contains("1 added"), "{applied}");
    terraform.expect(&first, PLAN, 0).await;
    let state = std::fs::read_to_string(terraform.path().join("terraform.tfstate")).unwrap();
    assert!(state.contains("\"size\": 0.1") && state.contains("6 letters") && !state.contains("s3cret"), "{state}");

    let second = first.replace("0.1", "12345678901234567890.25").replace("5m", "6m");
    let applied = terraform.expect(&second, APPLY, 0).await;
    assert!(applied.contains("0 added, 1 changed"), "{applied}");
    terraform.expect(&second, PLAN, 0).await;

    let renamed = second.replace("name = \"a\"", "name = \"b\"");
    let planned = terraform.expect(&renamed, PLAN, 2).await;
    assert!(planned.contains("# forces replacement"), "{planned}");
    terraform.expect(&renamed, APPLY, 0).await;
    terraform.expect(&renamed, PLAN, 0).await;
    terraform.expect(&renamed, &["destroy", "-auto-approve", "-no-color"], 0).await;

    let plain = thing("name = \"c\"");
    terraform.expect(&plain, &["import", "-no-color", "trailwire_thing.a", "c"], 0).await;
    terraform.expect(&plain, PLAN, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terraform_shows_our_diagnostics_where_they_belong_and_keeps_state_after_a_panic() {
    trailwire_provider::server::install_panic_hook();
    let terraform = Terraform::new().await;
    let wrong = thing("name = \"a\"\nseverity = \"hihg\"");
    terraform.expect(&wrong, &["init", "-no-color"], 0).await;
    let shown = terraform.expect(&wrong, PLAN, 1).await;
    assert!(shown.contains("Error: `severity` must be one of `low`, `medium`, `high`, not `hihg`"), "{shown}");
    assert!(shown.contains("on main.tf line 8, in resource \"trailwire_thing\" \"a\":"), "{shown}");
    assert!(shown.contains("= help: did you mean `high`?"), "{shown}");

    let late = thing("name = \"a\"\nmode = \"panic_late\"");
    let shown = terraform.expect(&late, APPLY, 1).await;
    assert!(shown.contains("Error: The provider panicked at") && !shown.contains("s3cret"), "{shown}");
    let state = terraform.expect(&late, &["show", "-no-color"], 0).await;
    assert!(state.contains("(tainted)") && state.contains("id-a"), "{state}");

    let good = thing("name = \"a\"\nmode = \"good\"");
    terraform.expect(&good, APPLY, 0).await;
    let output = terraform
        .expect(&format!("{good}output \"loud\" {{ value = provider::trailwire::shout(trailwire_thing.a.id) }}\n"), APPLY, 0)
        .await;
    assert!(output.contains("ID-A"), "{output}");
}
