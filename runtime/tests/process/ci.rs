//! The GitHub workflow that people copy: what its steps run does what they say, on the plan of the configuration beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use crate::program::Finished;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap()
}

fn workflow() -> Yaml {
    YamlLoader::load_from_str(&read("examples/github-actions/trailwire.yml")).unwrap().remove(0)
}

/// A working copy with the committed plan, after this change to it.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new(change: impl FnOnce(&str) -> String) -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        std::fs::write(copy.0.path().join("main.tf"), read("examples/github-actions/main.tf")).unwrap();
        std::fs::write(copy.0.path().join("plan.json"), change(&read("tests/corpus/plans/github-actions.json"))).unwrap();
        copy
    }

    /// Runs the step of this name as the runner does.
    fn step(&self, job: &str, name: &str) -> Finished {
        let workflow = workflow();
        let steps = workflow["jobs"][job]["steps"].as_vec().unwrap();
        let step = steps.iter().find(|step| step["name"].as_str() == Some(name)).unwrap();
        let built = Path::new(env!("CARGO_BIN_EXE_trailwire")).parent().unwrap();
        let path = format!("{}:{}", built.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().unwrap()]);
        Finished::of(command.current_dir(self.0.path()).env("PATH", path))
    }

    fn report(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join("reports").join(name)).unwrap()
    }
}

#[test]
fn a_plan_that_is_right_passes() {
    let copy = Copy::new(str::to_owned);
    copy.step("check", "Check").success();
    copy.step("check", "Test").success();
    assert!(copy.report("check.sarif").contains("\"results\": []") && copy.report("test.sarif").contains("\"results\": []"));
    assert!(copy.report("check.md").contains("nothing wrong in 1 trigger") && copy.report("test.md").contains("2 tests as expected"));
    assert!(copy.report("test.xml").contains("tests=\"2\" failures=\"0\""));
}

#[test]
fn a_plan_that_is_wrong_fails_with_its_line_and_a_comment_that_holds() {
    // A name that somebody chose to look like the end of a block of code, and like more.
    let name = "open ```` to\\n```\\n@everyone <img src=x>";
    let copy = Copy::new(|plan| plan.replace("0.0.0.0/0')", "0.0.0.0/1')").replace("open to the world", name));
    assert_eq!(copy.step("check", "Check").status.code(), Some(1));
    assert_eq!(copy.step("check", "Test").status.code(), Some(1));
    let sarif = copy.report("check.sarif");
    let line = read("examples/github-actions/main.tf").lines().position(|line| line.trim() == "expect = true").unwrap() + 1;
    assert!(sarif.contains("\"uri\": \"main.tf\"") && sarif.contains(&format!("\"startLine\": {line}")), "{sarif}");
    assert!(sarif.contains("trailwire_trigger.security_group_opened.test[0].expect"), "{sarif}");
    for report in ["check.md", "test.md"] {
        let comment = copy.report(report);
        let fences: Vec<usize> =
            comment.lines().enumerate().filter(|(_, line)| line.starts_with("`````")).map(|(number, _)| number).collect();
        let [first, last] = fences.as_slice() else { panic!("{comment}") };
        let outside: Vec<&str> =
            comment.lines().enumerate().filter(|(number, _)| number < first || number > last).map(|(_, line)| line).collect();
        assert!(outside.iter().all(|line| !line.contains('@') && !line.contains("<img")), "{comment}");
        assert!(comment.contains("@everyone"), "{comment}");
    }
}

/// Pinned to commits, least rights, and nothing of an event in a script.
#[test]
fn the_workflow_trusts_nobody() {
    let workflow = workflow();
    assert!(workflow["permissions"].as_hash().unwrap().is_empty());
    let mut uses = 0;
    for (name, job) in workflow["jobs"].as_hash().unwrap() {
        let rights: Vec<&str> = job["permissions"]
            .as_hash()
            .unwrap()
            .iter()
            .filter(|(_, right)| right.as_str() == Some("write"))
            .map(|(of, _)| of.as_str().unwrap())
            .collect();
        let wanted: &[&str] = if name.as_str() == Some("check") { &["id-token"] } else { &["pull-requests", "security-events"] };
        assert_eq!(rights, wanted);
        for step in job["steps"].as_vec().unwrap() {
            if let Some(action) = step["uses"].as_str() {
                let (_, commit) = action.split_once('@').unwrap();
                assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action}");
                uses += 1;
            }
            assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step:?}");
        }
    }
    assert!(uses >= 6);
    assert!(workflow["on"]["pull_request_target"].is_badvalue());
}
