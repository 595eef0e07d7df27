//! The matcher against parsing: `tests/bench/matching` measures, this runs it and takes its figures over.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Figure;

/// The figures of the matching benchmark. `directory` holds its two programs; `make bench` builds them.
pub(super) fn figures(directory: &Path) -> Result<Vec<Figure>, Box<dyn Error>> {
    let (program, baseline) = (directory.join("trailwire-match-bench"), directory.join("trailwire-bench-baseline"));
    for path in [&program, &baseline] {
        if !path.exists() {
            return Err(format!("{} is not built", path.display()).into());
        }
    }
    let output = Command::new(program).arg(baseline).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the matching benchmark failed: {}", output.status).into());
    }
    String::from_utf8(output.stdout)?.lines().map(figure).collect()
}

fn figure(line: &str) -> Result<Figure, Box<dyn Error>> {
    let value: Value = serde_json::from_str(line)?;
    let text = |name: &str| value[name].as_str().map(str::to_owned).ok_or_else(|| format!("no {name} in {line}"));
    Ok(Figure {
        name: text("name")?,
        value: value["value"].as_f64().ok_or_else(|| format!("no value in {line}"))?,
        unit: text("unit")?,
        note: text("note")?,
    })
}
