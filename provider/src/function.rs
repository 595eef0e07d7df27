//! Provider-defined functions, one file each; `registry` lists them.

pub mod event_names;
pub mod event_pattern;
pub mod explain;
pub mod from_filter_pattern;
pub mod matches;
mod reading;

use crate::schema::Type;
use crate::value::Dynamic;

/// A pure function that configurations call as `provider::trailwire::NAME(…)`. Terraform calls it only with known, non-null arguments.
pub trait Function: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// One sentence.
    fn summary(&self) -> &'static str;

    /// Markdown: what the summary leaves open, line by line.
    fn description(&self) -> &'static str {
        ""
    }

    /// Its parameters in order.
    fn parameters(&self) -> Vec<Parameter>;

    /// The type of its result.
    fn result(&self) -> Type;

    /// Calls it. There are as many arguments as parameters.
    ///
    /// # Errors
    /// What is wrong with the call.
    fn call(&self, arguments: &[Dynamic]) -> Result<Dynamic, FunctionError>;
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name, for documentation.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// Markdown.
    pub description: &'static str,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// One or more lines for the user.
    pub text: String,
    /// The argument that is to blame.
    pub argument: Option<usize>,
}
