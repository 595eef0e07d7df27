//! What the providers of a running Terraform take of the machine.

use std::collections::BTreeMap;
use std::time::Duration;

use trailwire_tests::process::{self, Finished, Program};

const SAMPLING: Duration = Duration::from_millis(5);

/// What one provider process was seen to take, when it was last looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// Resident memory, in megabytes of a million bytes.
    pub(super) resident: f64,
    /// The most of it.
    pub(super) peak: f64,
    /// What is resident of memory that is no file's.
    pub(super) anonymous: f64,
    /// Seconds on a processor, in its own code and in the kernel's for it.
    pub(super) processor: f64,
}

/// Waits for Terraform to end and gives what each of its providers took.
pub(super) async fn watch(terraform: Program) -> (Finished, Vec<Taken>) {
    let id = terraform.id();
    let finished = terraform.finish();
    tokio::pin!(finished);
    let mut seen = BTreeMap::new();
    let finished = loop {
        tokio::select! {
            finished = &mut finished => break finished,
            () = tokio::time::sleep(SAMPLING) => {
                for provider in process::children(id, "terraform-provider-trailwire") {
                    // One that is gone was looked at before.
                    seen.extend(taken(provider).map(|taken| (provider, taken)));
                }
            }
        }
    };
    (finished, seen.into_values().collect())
}

/// `None` when the process is gone.
pub(super) fn taken(pid: u32) -> Option<Taken> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let memory = |name: &str| {
        let kibibytes: f64 = status.lines().find_map(|line| line.strip_prefix(name))?.trim().trim_end_matches(" kB").trim().parse().ok()?;
        Some(kibibytes * 1024.0 / 1e6)
    };
    Some(Taken {
        resident: memory("VmRSS:")?,
        peak: memory("VmHWM:")?,
        anonymous: memory("RssAnon:")?,
        processor: processor(&pid.to_string(), 11)?,
    })
}

/// Seconds on a processor that programs took which this one started, and which have ended.
pub(super) fn children() -> Option<f64> {
    processor("self", 13)
}

/// From `/proc/PID/stat`, whose second field, in parentheses, may hold anything: two times, behind so many fields.
fn processor(process: &str, before: usize) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> = rest.split_whitespace().skip(before).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    // Linux tells these times in hundredths of a second, whatever its clock does.
    (ticks.len() == 2).then(|| ticks.iter().sum::<f64>() / 100.0)
}
