//! `trailwire index`, and what `trailwire search --index` takes for its answers: whole processes, from their start to their end.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::replay::{peak, run, write};
use super::{Failure, Figure, Promise, require};

/// Records that are indexed.
const RECORDS: usize = 1_000_000;
/// Each question is asked so often; the median counts.
const PASSES: usize = 15;

/// A histogram and three facets over all of them, and one event by its id, take less milliseconds than this.
const FACETS: f64 = 50.0;
const ID: f64 = 20.0;

/// The figures of the index.
pub(super) fn figures(program: &Path) -> Result<Vec<Figure>, Failure> {
    require(program)?;
    let folder = tempfile::tempdir()?;
    let plain = write(folder.path(), RECORDS)?;
    let (logs, index) = (folder.path().join("logs"), folder.path().join("index"));
    let into = |index: &Path| {
        let mut command = Command::new(program);
        command.arg("index").arg(&logs).arg("--into").arg(index).stderr(Stdio::null());
        command
    };
    let memory = peak(&mut into(&folder.path().join("watched")))?;
    fs::remove_dir_all(folder.path().join("watched"))?;
    let (took, _) = run(&mut into(&index))?;
    let bytes = size(&index)? as f64 / size(&logs)? as f64;

    let search = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.arg("search").args(arguments).arg("--index").arg(&index).stderr(Stdio::null());
        command
    };
    let newest = search(&["*", "--limit", "1", "--columns", "id", "--format", "csv"]).output()?;
    let id = String::from_utf8(newest.stdout)?.lines().nth(1).ok_or("the index is empty")?.to_owned();
    let overview = median(&mut search(&["*", "--histogram", "hour", "--facets", "event,actor,error", "--format", "csv"]), None)?;
    let by_id = median(&mut search(&[&format!("id:{id}"), "--format", "json"]), Some(1))?;
    let anywhere = median(&mut search(&[&id, "--format", "json"]), Some(1))?;
    let newest = median(&mut search(&["event:CreateUser", "--limit", "100", "--format", "csv"]), Some(101))?;

    let figure = |name: &str, value: f64, unit: &str, note: &str, promise| Figure {
        name: name.into(),
        value,
        unit: unit.into(),
        note: note.into(),
        promise,
    };
    let all = format!("over {RECORDS} records, {:.0} MB plain; the whole process", plain as f64 / 1e6);
    Ok(vec![
        figure("index_histogram_facets_ms", overview, "ms", &format!("by hour, event, actor, error {all}"), Some(Promise::Below(FACETS))),
        figure("index_id_ms", by_id, "ms", "one event by its id", Some(Promise::Below(ID))),
        figure("index_id_anywhere_ms", anywhere, "ms", "the same as a text without a field", Some(Promise::Below(ID))),
        figure("index_newest_ms", newest, "ms", "the newest 100 events of one name", None),
        figure("index_records_per_s", RECORDS as f64 / took, "1/s", "all cores", None),
        figure("index_size", bytes, "x", "of the gzipped logs", None),
        figure(
            "index_rss_mb",
            memory.resident,
            "MB",
            &format!("peak, indexing the same; {:.0} of it are not pages of files", memory.anonymous),
            None,
        ),
    ])
}

/// The median of what a program takes, in milliseconds. `lines`: so many are expected.
fn median(command: &mut Command, lines: Option<usize>) -> Result<f64, Failure> {
    let mut times = Vec::with_capacity(PASSES);
    for _ in 0..PASSES {
        let (took, printed) = run(command)?;
        if printed == 0 || lines.is_some_and(|lines| lines != printed) {
            return Err(format!("{command:?} printed {printed} lines").into());
        }
        times.push(took * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times.get(PASSES / 2).copied().ok_or_else(|| "nothing was measured".into())
}

/// Bytes of the files in a folder.
fn size(folder: &Path) -> Result<u64, Failure> {
    let files = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    files.iter().try_fold(0, |all, file| Ok(all + file.metadata()?.len()))
}
