//! The provider without Terraform: its calls, one by one, as Terraform makes them. A test sees each answer, and may kill the process when it likes.

mod connection;
mod message;
mod value;

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub use self::connection::Client;
use self::connection::Connection;
use self::message::{
    Apply, ApplyDone, Block, Configure, Diagnostic, DynamicValue, Empty, Import, ImportDone, Plan, PlanDone, Read, ReadDone, Schemas, Told,
};
use crate::process;
use crate::stand::UNWANTED_VARIABLES;

/// Why a provider cannot be used, or a call got no answer.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
const NIL: u8 = 0xc0;

/// A provider process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Plugin {
    child: Child,
    connection: Connection,
    schemas: Schemas,
}

/// The state of one resource, as Terraform keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State(Vec<u8>);

/// What a provider answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The state afterwards; of a plan, what is planned.
    pub state: State,
    /// The errors, as a user reads them.
    pub errors: Vec<String>,
    /// The warnings.
    pub warnings: Vec<String>,
}

/// A change that is planned.
#[derive(Clone, Debug)]
pub struct Planned {
    resource: String,
    prior: State,
    config: Value,
    private: Vec<u8>,
    told: Answer,
}

impl Planned {
    /// What is planned, and what is told of it.
    pub fn told(&self) -> &Answer {
        &self.told
    }
}

/// The command that starts a provider as Terraform does.
pub fn command(provider: &Path, client: &Client) -> Command {
    let mut command = Command::new(provider);
    for variable in UNWANTED_VARIABLES {
        command.env_remove(variable);
    }
    command.env("TF_PLUGIN_MAGIC_COOKIE", COOKIE).env("PLUGIN_PROTOCOL_VERSIONS", "5,6").env("PLUGIN_CLIENT_CERT", &client.pem);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// Reads the line that a provider says first.
///
/// # Errors
/// When its output is not piped or cannot be read.
pub async fn handshake(child: &mut Child) -> Result<String, Failure> {
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("the provider's output is not piped")?).read_line(&mut line).await?;
    Ok(line)
}

impl State {
    /// Whether there is no such resource.
    pub fn is_none(&self) -> bool {
        self.0.is_empty() || self.0 == [NIL]
    }

    /// The attributes; null when there is no such resource.
    pub fn attributes(&self) -> Value {
        if self.is_none() { Value::Null } else { value::read(&self.0) }
    }

    /// How many bytes it takes as JSON, which is what Terraform keeps.
    pub fn length(&self) -> usize {
        self.attributes().to_string().len()
    }

    fn sent(&self) -> Option<DynamicValue> {
        let msgpack = if self.is_none() { vec![NIL] } else { self.0.clone() };
        Some(DynamicValue { msgpack, json: Vec::new() })
    }
}

fn json(value: &Value) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: Vec::new(), json: value.to_string().into_bytes() })
}

impl Answer {
    fn new(state: Option<DynamicValue>, diagnostics: Vec<Diagnostic>) -> Self {
        let told = |severity: i32| {
            let of = diagnostics.iter().filter(move |diagnostic| diagnostic.severity == severity);
            of.map(|diagnostic| format!("{}\n{}", diagnostic.summary, diagnostic.detail)).collect()
        };
        Self { state: State(state.unwrap_or_default().msgpack), errors: told(1), warnings: told(2) }
    }

    /// The state of an answer without errors.
    ///
    /// # Errors
    /// The errors.
    pub fn checked(self) -> Result<State, Failure> {
        if self.errors.is_empty() { Ok(self.state) } else { Err(self.errors.join("\n").into()) }
    }

    /// The same for tests.
    ///
    /// # Panics
    /// When there are errors.
    #[track_caller]
    pub fn ok(self) -> State {
        assert!(self.errors.is_empty(), "the provider failed:\n{}", self.errors.join("\n"));
        self.state
    }
}

impl Plugin {
    /// Starts a provider in this environment and configures it with this provider block.
    ///
    /// # Errors
    /// When it does not start or refuses the block.
    pub async fn start(provider: &Path, environment: &[(String, String)], config: &Value) -> Result<Self, Failure> {
        let client = Client::new()?;
        let mut child = command(provider, &client).envs(environment.iter().cloned()).spawn()?;
        let connection = client.connect(&handshake(&mut child).await?).await?;
        let schemas: Schemas = connection.call("GetSchema", Empty {}).await?;
        let block = schemas.provider.clone().and_then(|schema| schema.block).unwrap_or_default();
        let config = json(&value::complete(config, &block));
        let told: Told = connection.call("Configure", Configure { terraform_version: "1.11.4".to_owned(), config }).await?;
        let refused = Answer::new(None, told.diagnostics).errors;
        if refused.is_empty() { Ok(Self { child, connection, schemas }) } else { Err(refused.join("\n").into()) }
    }

    /// Its process id; `None` when it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("a process of ours can be killed");
    }

    /// Ends it as Terraform's end does.
    pub async fn end(mut self) {
        if let Some(id) = self.id() {
            process::signal("TERM", id);
        }
        self.child.wait().await.expect("a process of ours can be waited for");
    }

    /// What Terraform says when the user interrupts.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn stop(&self) -> Result<(), Failure> {
        let _: Empty = self.connection.call("Stop", Empty {}).await?;
        Ok(())
    }

    /// Plans. A null configuration plans to destroy.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn plan(&self, resource: &str, prior: &State, config: &Value) -> Result<Planned, Failure> {
        let block = self.block(resource);
        let config = value::complete(config, &block);
        let proposed = value::proposed(&config, &prior.attributes(), &block);
        let request = Plan { type_name: resource.to_owned(), prior: prior.sent(), proposed: json(&proposed), config: json(&config) };
        let done: PlanDone = self.connection.call("PlanResourceChange", request).await?;
        let told = Answer::new(done.planned, done.diagnostics);
        Ok(Planned { resource: resource.to_owned(), prior: prior.clone(), config, private: done.private, told })
    }

    /// Applies what was planned. What could not be planned is not applied: its errors are the answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn carry_out(&self, planned: Planned) -> Result<Answer, Failure> {
        let Planned { resource, prior, config, private, told } = planned;
        if !told.errors.is_empty() {
            return Ok(Answer { state: prior, ..told });
        }
        let request = Apply { type_name: resource, prior: prior.sent(), planned: told.state.sent(), config: json(&config), private };
        let done: ApplyDone = self.connection.call("ApplyResourceChange", request).await?;
        Ok(Answer::new(done.state, done.diagnostics))
    }

    /// Plans and applies. A null configuration destroys.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn apply(&self, resource: &str, prior: &State, config: &Value) -> Result<Answer, Failure> {
        self.carry_out(self.plan(resource, prior, config).await?).await
    }

    /// Refreshes.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn read(&self, resource: &str, state: &State) -> Result<Answer, Failure> {
        let request = Read { type_name: resource.to_owned(), state: state.sent() };
        let done: ReadDone = self.connection.call("ReadResource", request).await?;
        Ok(Answer::new(done.state, done.diagnostics))
    }

    /// Imports and refreshes.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn import(&self, resource: &str, id: &str) -> Result<Answer, Failure> {
        let request = Import { type_name: resource.to_owned(), id: id.to_owned() };
        let done: ImportDone = self.connection.call("ImportResourceState", request).await?;
        let answer = Answer::new(done.imported.into_iter().next().and_then(|imported| imported.state), done.diagnostics);
        if answer.errors.is_empty() { self.read(resource, &answer.state).await } else { Ok(answer) }
    }

    fn block(&self, resource: &str) -> Block {
        let schema = self.schemas.resources.get(resource).unwrap_or_else(|| panic!("the provider has no {resource}"));
        schema.block.clone().unwrap_or_default()
    }
}
