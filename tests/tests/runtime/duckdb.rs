//! What `trailwire export --parquet` writes, read by DuckDB: the command that is printed runs as it is, and both count alike.

use std::path::{Path, PathBuf};
use std::process::Command;

use trailwire_tests::process::{Finished, Program, built};
use trailwire_tests::stand::repository;
use trailwire_tests::venv;

fn logs() -> String {
    repository().join("tests/corpus/trail/logs").display().to_string()
}

async fn trailwire(arguments: &[&str]) -> Finished {
    let mut command = Command::new(built("trailwire"));
    command.args(arguments).env_clear();
    Program::start(command).finish().await.success()
}

/// DuckDB, which prints what a spreadsheet reads.
struct Duck {
    programs: PathBuf,
    home: tempfile::TempDir,
}

impl Duck {
    /// `None` where it cannot be installed.
    fn installed() -> Option<Self> {
        let program = venv::duckdb().inspect_err(|error| eprintln!("not tried: DuckDB is not here: {error}")).ok()?;
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(".duckdbrc"), ".mode csv\n.nullvalue ''\n").unwrap();
        Some(Self { programs: program.parent()?.to_owned(), home })
    }

    /// The rows that a line of a shell prints, in their order by name.
    async fn run(&self, line: &str) -> Vec<String> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).env_clear().env("HOME", self.home.path()).env("PATH", &self.programs);
        rows(&Program::start(command).finish().await.success().stdout)
    }

    async fn ask(&self, question: &str) -> Vec<String> {
        self.run(&format!("duckdb -c \"{question}\"")).await
    }
}

/// The lines behind the head, sorted.
fn rows(csv: &str) -> Vec<String> {
    let mut rows: Vec<String> = csv.lines().skip(1).map(|line| line.trim_end().to_owned()).collect();
    rows.sort();
    rows
}

async fn exported(to: &Path) -> String {
    trailwire(&["export", "--parquet", &to.display().to_string(), &logs()]).await.stdout.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn duckdb_reads_what_is_exported_and_counts_as_we_do() {
    let Some(duck) = Duck::installed() else { return };
    let folder = tempfile::tempdir().unwrap();
    let printed = exported(&folder.path().join("a lake of 'ours'")).await;
    let logs = logs();
    let ours = async |arguments: &[&str]| rows(&trailwire(&[arguments, &[&logs, "--format", "csv"]].concat()).await.stdout);

    assert_eq!(duck.run(&printed).await, ours(&["search", "*", "--by", "source,event"]).await, "{printed}");
    let table = printed.split_once(" FROM ").unwrap().1.split_once(" GROUP BY ").unwrap().0;
    let fields =
        "eventID,eventName,eventTime,awsRegion,recipientAccountId,userIdentity.arn,userIdentity.accessKeyId,errorCode,sourceIPAddress";
    let found = duck.ask(&format!("SELECT {} FROM {table}", fields.to_lowercase())).await;
    assert_eq!(found.len(), 12);
    assert_eq!(found, ours(&["search", "*", "--columns", fields]).await);

    let actor = "CASE useridentity.type WHEN 'IAMUser' THEN useridentity.username || ' (IAM user)' \
        ELSE split_part(useridentity.arn, 'assumed-role/', 2) || ' (role session)' END";
    for (report, columns, chosen) in [
        ("regions", "account, region, eventsource".to_owned(), "true"),
        ("actors", format!("recipientaccountid, {actor} AS actor"), "true"),
        (
            "denied",
            format!("{actor} AS actor, eventname, errorcode"),
            "errorcode LIKE 'AccessDenied%' OR errorcode LIKE '%UnauthorizedOperation'",
        ),
        ("days", "day".to_owned(), "true"),
        ("roles", format!("{actor} AS actor, json_extract_string(requestparameters, '$.roleArn')"), "eventname LIKE 'AssumeRole%'"),
    ] {
        let found = duck.ask(&format!("SELECT {columns}, count(*) FROM {table} WHERE {chosen} GROUP BY ALL").replace('$', "\\$")).await;
        assert_eq!(found, ours(&["report", report]).await, "{report}");
    }
}
