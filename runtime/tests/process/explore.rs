//! The commands of the guide to exploring logs, with what they print.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Finished, trailwire};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The arguments of a command line: blanks part them, but not within single quotes.
fn arguments(line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    for (index, piece) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            arguments.push(piece.to_owned());
        } else {
            arguments.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    arguments
}

/// A block of kind `console` is a command and all that it says. `UPDATE_DOCS=1` writes what it says.
#[test]
fn every_command_of_the_guide_says_what_stands_under_it() {
    let file = repository().join("docs/guides/explore.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut updated = text.clone();
    let mut wrong = Vec::new();
    // Some of the commands write.
    let here = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(repository().join("examples/explore/logs")).arg(here.path()).status();
    assert!(copied.unwrap().success());
    let blocks: Vec<&str> = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 10, "the guide has its commands in blocks of kind `console`");
    for block in blocks {
        let (command, _) = block.split_once('\n').unwrap();
        let arguments = arguments(command.strip_prefix("$ trailwire ").unwrap());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = Finished::of(trailwire(&arguments).current_dir(here.path()));
        let whole = format!("{command}\n{}{}", said.stdout, said.stderr);
        if whole != block {
            updated = updated.replace(&format!("```console\n{block}"), &format!("```console\n{whole}"));
            wrong.push(whole);
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, updated).unwrap();
    } else {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
