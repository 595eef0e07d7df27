//! `trailwire ui`: its server over HTTP, its page in a browser.

mod browser;
mod laws;
mod page;
mod sample;
mod server;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::program::{Bench, gzip, trailwire};

/// A `trailwire ui` that runs. Killed when it is dropped.
struct Ui {
    child: Child,
    /// The link that it printed.
    link: String,
    _bench: Bench,
}

impl Ui {
    /// Over these records, with the triggers of the sample.
    fn start(records: &[Value]) -> Self {
        let bench = Bench::new(&sample::definitions());
        std::fs::create_dir(bench.path("logs")).unwrap();
        gzip(
            &serde_json::json!({"Records": records}).to_string(),
            &bench.path("logs/111122223333_CloudTrail_eu-west-1_20260303T0005Z_AbCd.json.gz"),
        );
        let mut command = trailwire(&["ui", "--definitions"]);
        command.arg(bench.path("definitions.json")).arg(bench.path("logs"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut link = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut link).unwrap();
        Self { child, link: link.trim().to_owned(), _bench: bench }
    }

    /// `http://127.0.0.1:PORT/`
    fn address(&self) -> &str {
        self.link.split('#').next().unwrap()
    }

    fn token(&self) -> &str {
        self.link.split_once("token=").unwrap().1
    }
}

impl Drop for Ui {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
