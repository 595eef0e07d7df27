//! `trailwire-bench`: the figures that the design promises, measured on this machine with the programs beside this one (a release build, `make bench`).
//! Prints a table and writes `bench.json`.
#![forbid(unsafe_code)]

#[path = "bench/matching.rs"]
mod matching;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trailwire_tests::process::{self, Program};
use trailwire_tests::stand::Stand;

const ACCOUNT: &str = "111122223333";
const HOME: &str = "us-east-1";
const STARTS: usize = 21;
const TRIGGERS: usize = 100;
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// One figure, as it stands in `bench.json`.
struct Figure {
    name: String,
    value: f64,
    unit: String,
    note: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure().await {
        Ok(figures) => report(&figures),
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<Vec<Figure>, Box<dyn Error>> {
    let programs = std::env::current_exe()?.parent().map(Path::to_owned).ok_or("this program is in no directory")?;
    let provider = programs.join("terraform-provider-trailwire");
    if !provider.exists() {
        return Err(format!("{} is not built", provider.display()).into());
    }
    let mut figures = vec![provider_ready(&provider)?, provider_rss(&provider).await?];
    figures.extend(matching::figures(&programs.join("../bench/release"))?);
    Ok(figures)
}

fn report(figures: &[Figure]) -> ExitCode {
    println!("{:<24} {:>10}  {:<4} note", "name", "value", "unit");
    for figure in figures {
        println!("{:<24} {:>10.2}  {:<4} {}", figure.name, figure.value, figure.unit, figure.note);
    }
    let list: Vec<Value> = figures
        .iter()
        .map(|figure| json!({ "name": figure.name, "value": figure.value, "unit": figure.unit, "note": figure.note }))
        .collect();
    match std::fs::write("bench.json", format!("{:#}\n", Value::from(list))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: bench.json cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// From the start of the process to its handshake line, with mutual TLS as Terraform asks for it.
fn provider_ready(provider: &Path) -> Result<Figure, Box<dyn Error>> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512)?;
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&key)?.pem();
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let mut command = Command::new(provider);
        command.env("TF_PLUGIN_MAGIC_COOKIE", COOKIE).env("PLUGIN_PROTOCOL_VERSIONS", "5,6").env("PLUGIN_CLIENT_CERT", &certificate);
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("the provider's output was piped")?).read_line(&mut line)?;
        times.push(started.elapsed());
        process::signal("TERM", child.id());
        child.wait()?;
        if !line.starts_with("1|5|unix|") {
            return Err(format!("the provider said {line:?}").into());
        }
    }
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let (first, median, last) = (times[0], times[STARTS / 2], times[STARTS - 1]);
    let note = format!(
        "start to handshake line, median of {STARTS} ({:.1} to {:.1}); promised: within 50",
        milliseconds(first),
        milliseconds(last)
    );
    Ok(Figure { name: "provider_ready_ms".to_owned(), value: milliseconds(median), unit: "ms".to_owned(), note })
}

/// The memory of one provider process after it validated and planned a hub, a destination and many triggers on the stand.
async fn provider_rss(provider: &Path) -> Result<Figure, Box<dyn Error>> {
    let stand = Stand::start()?;
    let mut command = Command::new(provider);
    command.arg("--debug").envs(stand.environment(ACCOUNT, HOME));
    let provider = Program::start(command);
    let line = provider.says("TF_REATTACH_PROVIDERS").await;
    let reattach =
        line.trim().strip_prefix("TF_REATTACH_PROVIDERS='").and_then(|rest| rest.strip_suffix('\'')).ok_or("no reattach line")?;

    let directory = tempfile::Builder::new().prefix("trailwire-bench-").tempdir()?;
    std::fs::write(directory.path().join("main.tf"), configuration())?;
    std::fs::write(directory.path().join("terraform.rc"), "")?;
    for arguments in [&["init", "-no-color"][..], &["plan", "-input=false", "-no-color"]] {
        let mut terraform = Command::new("terraform");
        terraform.args(arguments).current_dir(directory.path()).envs(stand.environment(ACCOUNT, HOME));
        terraform
            .env("TF_REATTACH_PROVIDERS", reattach)
            .env("TF_CLI_CONFIG_FILE", directory.path().join("terraform.rc"))
            .env("CHECKPOINT_DISABLE", "1");
        let finished = Program::start(terraform).finish().await;
        if !finished.status.success() {
            return Err(finished.said().into());
        }
    }
    let (now, peak) = (memory(provider.id(), "VmRSS:")?, memory(provider.id(), "VmHWM:")?);
    provider.interrupt();
    provider.finish().await;
    let note = format!("resident after validate and plan of {TRIGGERS} triggers (peak {peak:.1}); promised: under 15");
    Ok(Figure { name: "provider_rss_mb".to_owned(), value: now, unit: "MB".to_owned(), note })
}

fn configuration() -> String {
    let mut text = String::from(
        "terraform {\n  required_providers {\n    trailwire = { source = \"trailwire/trailwire\" }\n  }\n}\n\
         resource \"trailwire_hub\" \"bench\" {\n  name    = \"bench\"\n  regions = [\"us-east-1\", \"eu-west-1\"]\n}\n\
         resource \"trailwire_destination\" \"sink\" {\n  hub  = trailwire_hub.bench.id\n  name = \"sink\"\n  webhook {\n    url = \"https://example.com/hook\"\n  }\n}\n",
    );
    for number in 0..TRIGGERS {
        text.push_str(&format!(
            "resource \"trailwire_trigger\" \"t{number}\" {{\n  hub              = trailwire_hub.bench.id\n  name             = \"bench-{number}\"\n  \
             event_names      = [\"CreateUser\", \"DeleteUser\"]\n  match_expression = \"detail.userIdentity.type == 'Root' && starts_with(detail.eventName, 'Create')\"\n  \
             action {{\n    notify {{\n      destinations = [trailwire_destination.sink.name]\n    }}\n  }}\n}}\n"
        ));
    }
    text
}

/// A line of `/proc/PID/status`, in megabytes of a million bytes.
fn memory(pid: u32, name: &str) -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/status")))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("the kernel tells no memory")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}
