//! What must hold of the page's scripts whatever is typed, run by Node.js where it is installed.

use std::process::Command;

use crate::program::Finished;

#[test]
fn a_link_holds_the_whole_state_and_clicks_write_searches() {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("skipped: node is not installed");
        return;
    }
    let laws = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/ui/laws.mjs");
    let told = Finished::of(Command::new("node").arg("--test").arg("--test-reporter=tap").arg(laws));
    assert!(told.status.success() && told.stdout.contains("# pass 6"), "{}\n{}", told.stdout, told.stderr);
}
