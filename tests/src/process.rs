//! Programs under test: started with an environment of their own, watched line by line, signalled by their id alone.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::stand::UNWANTED_VARIABLES;

/// How long a program may take to say or do what a test waits for.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the streams of a program that has ended may stay open.
const REST: Duration = Duration::from_secs(30);

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    output: watch::Receiver<Vec<Line>>,
    readers: [JoinHandle<()>; 2],
}

#[derive(Clone, Debug)]
struct Line {
    is_error: bool,
    text: String,
}

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The command, for messages.
    pub name: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Whether a stream was still open when reading was given up: what is said here may not be all.
    pub is_cut: bool,
}

impl Program {
    /// Starts a command. Variables of the caller's shell that lead AWS SDKs or Terraform elsewhere do not reach it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: Command) -> Self {
        Self::start_with_input(command, Stdio::null())
    }

    /// The same with standard input from somewhere.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_with_input(mut command: Command, input: Stdio) -> Self {
        for variable in UNWANTED_VARIABLES {
            command.env_remove(variable);
        }
        let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
        let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ");
        let mut command = tokio::process::Command::from(command);
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let sender = watch::Sender::new(Vec::new());
        let output = sender.subscribe();
        let stdout = child.stdout.take().map(|stream| tokio::spawn(read_lines(stream, false, sender.clone())));
        let stderr = child.stderr.take().map(|stream| tokio::spawn(read_lines(stream, true, sender)));
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else { panic!("the streams of {name} were piped") };
        Self { name, child, output, readers: [stdout, stderr] }
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it has ended.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or_else(|| panic!("{} has ended", self.name))
    }

    /// Asks it to end as Ctrl-C does.
    pub fn interrupt(&self) {
        signal("INT", self.id());
    }

    /// Asks it to end as a supervisor does.
    pub fn terminate(&self) {
        signal("TERM", self.id());
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(mut self) -> Finished {
        let _ = self.child.start_kill();
        self.finish().await
    }

    /// Waits for a line, of either stream, that contains the text, and gives it.
    ///
    /// # Panics
    /// When the program ends or two minutes pass before it says so.
    pub async fn says(&self, text: &str) -> String {
        let mut output = self.output.clone();
        let found = async {
            let lines = output.wait_for(|lines| lines.iter().any(|line| line.text.contains(text))).await.ok()?;
            lines.iter().find(|line| line.text.contains(text)).map(|line| line.text.clone())
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(Some(line)) => line,
            Ok(None) => panic!("{} ended and did not say {text:?}:\n{}", self.name, self.said()),
            Err(_) => panic!("{} did not say {text:?} within {PATIENCE:?}:\n{}", self.name, self.said()),
        }
    }

    /// All that it has said so far, both streams.
    pub fn said(&self) -> String {
        join(&self.output.borrow(), |_| true)
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it has not after five minutes.
    pub async fn finish(mut self) -> Finished {
        let ended = tokio::time::timeout(Duration::from_secs(300), self.child.wait()).await;
        let Ok(Ok(status)) = ended else { panic!("{} did not end:\n{}", self.name, self.said()) };
        let deadline = tokio::time::Instant::now() + REST;
        let mut is_cut = false;
        for reader in &mut self.readers {
            // A grandchild may hold the streams open: what it says is not waited for.
            is_cut |= tokio::time::timeout_at(deadline, reader).await.is_err();
        }
        let lines = self.output.borrow();
        let (stdout, stderr) = (join(&lines, |line| !line.is_error), join(&lines, |line| line.is_error));
        Finished { name: self.name.clone(), status, stdout, stderr, is_cut }
    }
}

impl Finished {
    /// Both streams, for messages.
    pub fn said(&self) -> String {
        let note = if self.is_cut { format!("(a stream stayed open; what came after {REST:?} is not here)\n") } else { String::new() };
        format!("{}{}{note}", self.stdout, self.stderr)
    }

    /// The same, which must have ended well.
    #[track_caller]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{} failed ({}):\n{}", self.name, self.status, self.said());
        self
    }

    /// The same, which must have failed of its own.
    #[track_caller]
    pub fn failure(self) -> Self {
        assert!(self.status.code().is_some_and(|code| code != 0), "{} did not fail ({}):\n{}", self.name, self.status, self.said());
        self
    }
}

async fn read_lines(stream: impl AsyncRead + Unpin, is_error: bool, sender: watch::Sender<Vec<Line>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(text)) = lines.next_line().await {
        sender.send_modify(|lines| lines.push(Line { is_error, text }));
    }
}

fn join(lines: &[Line], wanted: impl Fn(&Line) -> bool) -> String {
    lines.iter().filter(|line| wanted(line)).flat_map(|line| [line.text.as_str(), "\n"]).collect()
}

/// A program of this workspace, up to date: `cargo test` builds only the programs of packages that have tests beside them, so the first use
/// in a process asks cargo to build all.
///
/// # Panics
/// When it does not build.
pub fn built(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(|| {
        let own = std::env::current_exe().expect("a process knows its program");
        // Tests are in `deps`, programs one up.
        let directory = own.ancestors().skip(1).find(|directory| !directory.ends_with("deps")).expect("a program is in a directory");
        if let Some(cargo) = std::env::var_os("CARGO") {
            build(Path::new(&cargo), directory);
        }
        directory.to_path_buf()
    });
    let program = directory.join(name);
    assert!(program.is_file(), "{} is not built: run `cargo build --workspace` first", program.display());
    program
}

fn build(cargo: &Path, directory: &Path) {
    let profile = if directory.ends_with("release") { "release" } else { "dev" };
    let mut command = Command::new(cargo);
    command.args(["build", "--workspace", "--bins", "--quiet", "--offline", "--profile", profile]);
    let status = command.current_dir(crate::stand::repository()).status().expect("cargo can be run");
    assert!(status.success(), "the programs under test do not build");
}

/// The processes that have this parent and run the program of this name.
pub fn children(parent: u32, program: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| is_child(*id, parent, program)).collect()
}

/// `/proc/ID/stat` reads `ID (name) state parent …`, and `/proc/ID/cmdline` starts with the path.
fn is_child(id: u32, parent: u32, program: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let found_parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
    let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let path = command.split(|byte| *byte == 0).next().unwrap_or_default();
    found_parent == Some(parent) && path.ends_with(program.as_bytes())
}

/// Sends the signal, named without its `SIG`, to one process. True when there was such a process.
pub fn signal(name: &str, pid: u32) -> bool {
    kill(name, &pid.to_string())
}

/// Sends the signal to every process of the group that the process leads.
pub fn signal_group(name: &str, leader: u32) -> bool {
    kill(name, &format!("-{leader}"))
}

/// The shell's own `kill`: a machine without the program of that name has it too.
fn kill(name: &str, whom: &str) -> bool {
    let status = Command::new("sh").args(["-c", "kill -s \"$1\" -- \"$2\"", "sh", name, whom]).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
