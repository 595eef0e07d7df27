//! The Python environments that the stand and its tests need: each made once under `.stand/` at the root of the repository, shared by every test process.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::stand::StandError;

/// What is installed into an environment.
struct Wanted {
    /// Its folder below `.stand/`.
    name: &'static str,
    /// What it is made for.
    whose: &'static str,
    /// The file of the requirements, below this crate, and what is in it.
    requirements: (&'static str, &'static str),
    /// What is used of it.
    program: &'static str,
}

const EMULATOR: Wanted = Wanted {
    name: "venv",
    whose: "the emulator's",
    requirements: ("stand/requirements.txt", include_str!("../stand/requirements.txt")),
    program: "bin/python",
};

const DUCKDB: Wanted = Wanted {
    name: "duckdb",
    whose: "DuckDB's",
    requirements: ("stand/duckdb.txt", include_str!("../stand/duckdb.txt")),
    program: "bin/duckdb",
};

/// The Python that the emulator runs in.
pub(crate) fn python() -> Result<PathBuf, StandError> {
    environment(&EMULATOR)
}

/// The program `duckdb`.
///
/// # Errors
/// When it cannot be installed: there is no Python, or no package index.
pub fn duckdb() -> Result<PathBuf, StandError> {
    environment(&DUCKDB)
}

/// The program of an environment, which is made when it is missing or when the requirements have changed since. Processes that arrive
/// together wait for the one that makes it.
fn environment(wanted: &Wanted) -> Result<PathBuf, StandError> {
    let home = repository().join(".stand");
    let io_error = |error: io::Error| StandError::new(format!("cannot use {}: {error}", home.display()));
    fs::create_dir_all(&home).map_err(io_error)?;
    let lock = File::create(home.join("lock")).map_err(io_error)?;
    lock.lock().map_err(io_error)?;

    let environment = home.join(wanted.name);
    let program = environment.join(wanted.program);
    let stamp = environment.join("stamp");
    let made = stamp_of(&environment, wanted);
    if program.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == made) {
        return Ok(program);
    }
    make(&environment, wanted)?;
    fs::write(&stamp, made).map_err(io_error)?;
    Ok(program)
}

/// The root of the repository, known when the crate is compiled.
pub(crate) fn repository() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// An environment does not survive a move: its path is part of the stamp.
fn stamp_of(environment: &Path, wanted: &Wanted) -> String {
    let digest = Sha256::new().chain_update(wanted.requirements.1).chain_update(environment.as_os_str().as_encoded_bytes()).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn make(environment: &Path, wanted: &Wanted) -> Result<(), StandError> {
    eprintln!("stand: making {} Python environment (once, about ten seconds)", wanted.whose);
    if environment.exists() {
        fs::remove_dir_all(environment).map_err(|error| StandError::new(format!("cannot replace {}: {error}", environment.display())))?;
    }
    run("python3", &["-m".as_ref(), "venv".as_ref(), environment.as_os_str()], "is Python 3.10 or newer installed, with its venv module?")?;
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join(wanted.requirements.0);
    let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"];
    let mut arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(|argument| (*argument).as_ref()).collect();
    arguments.push(requirements.as_os_str());
    run(&environment.join("bin/python").to_string_lossy(), &arguments, "can pip reach a package index?")
}

fn run(program: &str, arguments: &[&std::ffi::OsStr], question: &str) -> Result<(), StandError> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| StandError::new(format!("cannot run {program}: {error}; {question}")))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(StandError::new(format!("{program} failed ({}); {question}\n{}", output.status, complaint.trim_end())))
}
