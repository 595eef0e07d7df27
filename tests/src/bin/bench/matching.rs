//! The matcher against parsing: `tests/bench/matching` measures, this runs it and takes its figures over.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Failure, Figure, Promise, require};

/// How many times faster than parsing alone an event is judged, at least, by the number of triggers.
const RATIOS: [(&str, f64); 4] = [("match_ratio_1", 10.0), ("match_ratio_100", 7.0), ("match_ratio_1000", 4.5), ("match_ratio_10000", 3.0)];

/// The figures of the matching benchmark. `directory` holds its two programs; `make bench` builds them.
pub(super) fn figures(directory: &Path) -> Result<Vec<Figure>, Failure> {
    let (program, baseline) = (directory.join("trailwire-match-bench"), directory.join("trailwire-bench-baseline"));
    require(&program)?;
    require(&baseline)?;
    let output = Command::new(program).arg(baseline).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the matching benchmark failed: {}", output.status).into());
    }
    String::from_utf8(output.stdout)?.lines().map(figure).collect()
}

fn figure(line: &str) -> Result<Figure, Failure> {
    let value: Value = serde_json::from_str(line)?;
    let text = |name: &str| value[name].as_str().map(str::to_owned).ok_or_else(|| format!("no {name} in {line}"));
    let name = text("name")?;
    let promise = RATIOS.iter().find(|(promised, _)| *promised == name).map(|(_, least)| Promise::AtLeast(*least));
    Ok(Figure {
        name,
        value: value["value"].as_f64().ok_or_else(|| format!("no value in {line}"))?,
        unit: text("unit")?,
        note: text("note")?,
        promise,
    })
}
