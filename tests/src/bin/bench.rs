//! `trailwire-bench [PART…]`: the figures that the design promises, measured on this machine with the programs beside this one (a release build,
//! `make bench`). The parts are `provider`, `fanout`, `runtime`, `matching` and `replay`; without a name, all. Prints a table, writes `bench.json`, and fails when a promise is not kept.
#![forbid(unsafe_code)]

#[path = "bench/fanout.rs"]
mod fanout;
#[path = "bench/index.rs"]
mod index;
#[path = "bench/matching.rs"]
mod matching;
#[path = "bench/plans.rs"]
mod plans;
#[path = "bench/provider.rs"]
mod provider;
#[path = "bench/replay.rs"]
mod replay;
#[path = "bench/runtime.rs"]
mod runtime;
#[path = "bench/search.rs"]
mod search;
#[path = "bench/watch.rs"]
mod watch;

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use trailwire_tests::plugin::Failure;

const PARTS: [&str; 5] = ["provider", "fanout", "runtime", "matching", "replay"];

/// What triggers are planned with.
const HUB_AND_SINK: &str = "terraform {\n  required_providers {\n    trailwire = { source = \"trailwire/trailwire\" }\n  }\n}\n\
    resource \"trailwire_hub\" \"bench\" {\n  name    = \"bench\"\n  regions = [\"us-east-1\", \"eu-west-1\"]\n}\n\
    resource \"trailwire_destination\" \"sink\" {\n  hub  = trailwire_hub.bench.id\n  name = \"sink\"\n  webhook {\n    url = \"https://example.com/hook\"\n  }\n}\n";

/// One figure, as it stands in `bench.json`, and what was promised of it.
struct Figure {
    name: String,
    value: f64,
    unit: String,
    note: String,
    promise: Option<Promise>,
}

/// A bound on a figure.
#[derive(Clone, Copy)]
enum Promise {
    Below(f64),
    AtLeast(f64),
}

impl Figure {
    fn is_kept(&self) -> bool {
        match self.promise {
            Some(Promise::Below(bound)) => self.value < bound,
            Some(Promise::AtLeast(bound)) => self.value >= bound,
            None => true,
        }
    }

    fn promised(&self) -> String {
        let verdict = if self.is_kept() { "" } else { " MISSED" };
        match self.promise {
            Some(Promise::Below(bound)) => format!("< {bound}{verdict}"),
            Some(Promise::AtLeast(bound)) => format!(">= {bound}{verdict}"),
            None => String::new(),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let parts: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        eprintln!("bench: there is no part {unknown}; the parts are {}", PARTS.join(", "));
        return ExitCode::FAILURE;
    }
    let outcome = match measure(|part| parts.is_empty() || parts.iter().any(|given| given == part)).await {
        Ok(figures) => report(&figures),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(wanted: impl Fn(&str) -> bool) -> Result<Vec<Figure>, Failure> {
    let programs = std::env::current_exe()?.parent().map(Path::to_owned).ok_or("this program is in no directory")?;
    let mut figures = Vec::new();
    if wanted("provider") {
        let provider = programs.join("terraform-provider-trailwire");
        figures.extend(provider::figures(&provider).await?);
        figures.extend(plans::figures(&provider).await?);
    }
    if wanted("fanout") {
        figures.extend(fanout::figures(&programs.join("terraform-provider-trailwire")).await?);
    }
    if wanted("runtime") {
        figures.extend(runtime::figures(&programs.join("trailwire")).await?);
    }
    if wanted("replay") {
        figures.extend(replay::figures(&programs.join("trailwire"))?);
        figures.extend(index::figures(&programs.join("trailwire"))?);
    }
    if wanted("matching") {
        figures.extend(matching::figures(&programs.join("../bench/release"))?);
    }
    Ok(figures)
}

/// # Errors
/// When `bench.json` cannot be written, or a promise is not kept.
fn report(figures: &[Figure]) -> Result<(), Failure> {
    println!("{:<28} {:>10}  {:<5} {:<14} note", "name", "value", "unit", "promised");
    for figure in figures {
        println!("{:<28} {:>10.2}  {:<5} {:<14} {}", figure.name, figure.value, figure.unit, figure.promised(), figure.note);
    }
    let entry = |figure: &Figure| json!({ "name": figure.name, "value": figure.value, "unit": figure.unit, "note": figure.note });
    let list: Value = figures.iter().map(entry).collect();
    std::fs::write("bench.json", format!("{list:#}\n")).map_err(|error| format!("bench.json cannot be written: {error}"))?;
    let missed: Vec<&str> = figures.iter().filter(|figure| !figure.is_kept()).map(|figure| figure.name.as_str()).collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("promised and not kept: {}", missed.join(", ")).into()) }
}

/// Whether a program is there to be measured.
fn require(program: &Path) -> Result<(), Failure> {
    if program.exists() { Ok(()) } else { Err(format!("{} is not built: run `make bench`", program.display()).into()) }
}
