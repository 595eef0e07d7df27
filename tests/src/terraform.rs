//! A driver of the real Terraform: a directory of its own, our provider from the build, nothing of the user's configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{self, Finished, Program};
use crate::stand::Stand;

const PROVIDER: &str = "terraform-provider-trailwire";

/// A Terraform working directory with one configuration and one state.
#[derive(Debug)]
pub struct Workspace {
    directory: TempDir,
    environment: Vec<(String, String)>,
}

/// The variables that make Terraform take our provider from `directory` without `init`, and leave the network and the user's settings alone.
/// The configuration file is written to `config`.
///
/// # Errors
/// When the file cannot be written.
pub fn environment(directory: &Path, config: &Path) -> std::io::Result<Vec<(String, String)>> {
    let text = format!(
        "provider_installation {{\n  dev_overrides {{\n    \"trailwire/trailwire\" = {:?}\n  }}\n  direct {{}}\n}}\n",
        directory.to_string_lossy()
    );
    fs::write(config, text)?;
    let variables = [
        ("TF_CLI_CONFIG_FILE", config.to_string_lossy().into_owned()),
        ("CHECKPOINT_DISABLE", "1".into()),
        ("TF_IN_AUTOMATION", "1".into()),
    ];
    Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

impl Workspace {
    /// An empty working directory whose provider talks to the stand, as this account and in this region.
    ///
    /// # Panics
    /// When the provider is not built.
    pub fn new(stand: &Stand, account: &str, region: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("trailwire-terraform-").tempdir().expect("a temporary directory can be made");
        let provider = process::built(PROVIDER);
        let provider = provider.parent().expect("a program is in a directory");
        let own = environment(provider, &directory.path().join("terraform.rc")).expect("a temporary directory can be written to");
        let environment = stand.environment(account, region).into_iter().chain(own).collect();
        Self { directory, environment }
    }

    /// Sets a variable for every later command.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Makes `text` the configuration.
    pub fn configure(&self, text: &str) {
        fs::write(self.path().join("main.tf"), text).expect("a temporary directory can be written to");
    }

    /// The working directory.
    pub fn path(&self) -> PathBuf {
        self.directory.path().to_path_buf()
    }

    /// Starts `terraform` and does not wait.
    pub fn start(&self, arguments: &[&str]) -> Program {
        let mut command = Command::new("terraform");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TF_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(self.path()).envs(self.environment.iter().cloned());
        Program::start(command)
    }

    /// Runs `terraform` to its end.
    pub async fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).finish().await
    }

    /// `terraform apply`, without questions.
    pub async fn apply(&self) -> Finished {
        self.run(&["apply", "-auto-approve", "-input=false", "-no-color"]).await
    }

    /// `terraform apply` that goes on while the test does something to it.
    pub fn start_apply(&self) -> Program {
        self.start(&["apply", "-auto-approve", "-input=false", "-no-color"])
    }

    /// `terraform destroy`, without questions.
    pub async fn destroy(&self) -> Finished {
        self.run(&["destroy", "-auto-approve", "-input=false", "-no-color"]).await
    }

    /// `terraform plan -detailed-exitcode`.
    pub async fn plan(&self) -> Finished {
        self.run(&["plan", "-detailed-exitcode", "-input=false", "-no-color"]).await
    }

    /// Asserts that there is nothing to do.
    pub async fn assert_empty_plan(&self) {
        let plan = self.plan().await;
        assert_eq!(plan.status.code(), Some(0), "the plan is not empty:\n{}", plan.said());
    }

    /// Asserts that there is something to do and gives the plan's text.
    pub async fn assert_changes(&self) -> String {
        let plan = self.plan().await;
        assert_eq!(plan.status.code(), Some(2), "the plan has no changes or failed:\n{}", plan.said());
        plan.stdout
    }

    /// `terraform import ADDRESS ID`.
    pub async fn import(&self, address: &str, id: &str) -> Finished {
        self.run(&["import", "-input=false", "-no-color", address, id]).await
    }

    /// The addresses in the state.
    pub async fn state(&self) -> Vec<String> {
        let list = self.run(&["state", "list"]).await;
        list.stdout.lines().map(str::to_owned).collect()
    }

    /// The attributes of one resource in the state.
    ///
    /// # Panics
    /// When the state does not have it.
    pub async fn attributes(&self, address: &str) -> Value {
        let shown = self.run(&["show", "-json", "-no-color"]).await.success();
        let state: Value = serde_json::from_str(&shown.stdout).expect("terraform show -json prints JSON");
        let resources = state["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default();
        let found = resources.into_iter().find(|resource| resource["address"] == address);
        found.unwrap_or_else(|| panic!("the state has no {address}"))["values"].clone()
    }

    /// The state file as it is, for what must not be in it.
    pub fn state_text(&self) -> String {
        fs::read_to_string(self.path().join("terraform.tfstate")).unwrap_or_default()
    }
}

/// The provider that a running Terraform has started.
///
/// # Panics
/// When there is not exactly one.
pub fn provider_of(terraform: &Program) -> u32 {
    let providers = process::children(terraform.id(), PROVIDER);
    let [provider] = providers.as_slice() else { panic!("terraform has {} providers", providers.len()) };
    *provider
}
