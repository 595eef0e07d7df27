//! The block `lambda` of a hub: what is configured of its function, and the package that it runs.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::function::Function;

use crate::config::whole;
use crate::resource::common::optional_text;
use crate::schema::{Attribute, NestedBlock, Type};
use crate::value::Dynamic;

/// The largest package that Lambda takes in a call; a larger one must be in S3.
const LARGEST: usize = 50 * 1024 * 1024;
/// For how many days CloudWatch Logs can be told to keep a log.
const RETENTIONS: [i64; 23] = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, 0];

/// What is configured, and the hash of the package that the function is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lambda {
    filename: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
    source_code_hash: Option<String>,
    /// What the engine knows of.
    #[serde(flatten)]
    pub(crate) function: Function,
    /// As Lambda tells it.
    pub(crate) code_sha256: String,
}

pub(super) fn block() -> NestedBlock {
    let number = |name, low_to_high: fn(&Dynamic) -> Result<(), String>, text| {
        Attribute::number(name).check(Code::OUT_OF_RANGE, low_to_high).describe(text)
    };
    let text = |name, text| Attribute::string(name).not_empty().describe(text);
    NestedBlock::optional(
        "lambda",
        "Runs the hub's runtime as a Lambda function: made here with its role, log, schedule and the mapping of the queue, and removed with the block. \
         Accepted work is kept in the hub's table, which daemons may share (`trailwire run --journal aws`).",
    )
    .attribute(text("filename", "The package, a zip file as `make lambda` builds it, of at most 50 MB. Either this or `s3_key`. Its content is what counts: another one is deployed."))
    .attribute(text("s3_bucket", "The bucket with the package, in the hub's region."))
    .attribute(text("s3_key", "The key of the package in `s3_bucket`. Needs `source_code_hash`."))
    .attribute(text("s3_object_version", "The version of that object. Omitted: the latest."))
    .attribute(text(
        "source_code_hash",
        "SHA-256 of the package in base64, as `filebase64sha256` gives it. What is deployed must have it. Omitted: that of `filename`.",
    ))
    .attribute(
        Attribute::list("architectures", Type::String)
            .default_to(vec![Dynamic::String("x86_64".to_owned())])
            .check(Code::OUT_OF_RANGE, architectures)
            .describe("`x86_64` or `arm64`, for which the package is built. Default `[\"x86_64\"]`."),
    )
    .attribute(number("memory_size", whole::<128, 10_240>, "Megabytes; processor time grows with it. Default `256`.").default_to(256))
    .attribute(
        number(
            "timeout",
            whole::<10, 900>,
            "Seconds for an invocation. The queue hides a message for six times as long. Default `60`.",
        )
        .default_to(60),
    )
    .attribute(
        number("maximum_concurrency", whole::<2, 1_000>, "How many batches of the queue are handled at once. Default `10`.").default_to(10),
    )
    .attribute(number(
        "reserved_concurrent_executions",
        whole::<2, 100_000>,
        "Invocations that are kept for the function, and are its most; not fewer than `maximum_concurrency`. Omitted: it shares the account's.",
    ))
    .attribute(
        number("log_retention_in_days", retention, "How long the log is kept, one of CloudWatch Logs' periods; `0` is for ever. Default `30`.")
            .default_to(30),
    )
}

fn architectures(value: &Dynamic) -> Result<(), String> {
    match value.as_strings().as_slice() {
        [one] if one == "x86_64" || one == "arm64" => Ok(()),
        _ => Err("must be `[\"x86_64\"]` or `[\"arm64\"]`".to_owned()),
    }
}

fn retention(value: &Dynamic) -> Result<(), String> {
    match value.as_i64() {
        Some(days) if RETENTIONS.contains(&days) => Ok(()),
        _ => Err("must be a period of CloudWatch Logs, such as 7, 14, 30, 90 or 365, or 0".to_owned()),
    }
}

fn at(attribute: &str) -> Path {
    Path::root("lambda").index(0).attribute(attribute)
}

/// What is wrong between the attributes of a block, as far as they are known.
pub(super) fn check(config: &Dynamic) -> Vec<Diagnostic> {
    let Some(block) = config.get_block("lambda") else { return Vec::new() };
    let given = |name: &str| !block.get(name).is_null();
    let wrong = |attribute: &str, message: &str, help: &str| {
        let diagnostic = Diagnostic::error(Code::CONFLICT, message).at(at(attribute));
        if help.is_empty() { diagnostic } else { diagnostic.help(help) }
    };
    let mut found = Vec::new();
    match (given("filename"), given("s3_key")) {
        (true, true) => found.push(wrong("s3_key", "the package is given twice, as `filename` and as `s3_key`", "")),
        (false, false) => found.push(wrong(
            "filename",
            "the function has no package",
            "build it with `make lambda` and give it as `filename`, or `s3_bucket` and `s3_key`",
        )),
        _ => {}
    }
    if given("s3_key") != given("s3_bucket") || (given("s3_object_version") && !given("s3_key")) {
        found.push(wrong("s3_bucket", "`s3_bucket` and `s3_key` belong together, and `s3_object_version` to both", ""));
    }
    if given("s3_key") && !given("source_code_hash") {
        let help = "give the SHA-256 of the package in base64: openssl dgst -sha256 -binary FILE | base64";
        found.push(wrong("source_code_hash", "a package in S3 needs its hash: a change of the object could not be seen otherwise", help));
    }
    if let (Some(reserved), Some(most)) = (block.get_i64("reserved_concurrent_executions"), block.get_i64("maximum_concurrency"))
        && reserved < most
    {
        let message =
            format!("fewer invocations are kept ({reserved}) than batches handled at once ({most}): some would be refused and come late");
        found.push(wrong("reserved_concurrent_executions", &message, ""));
    }
    found
}

/// The hash of the package that a configuration asks for: null without the block, unknown while it is not known.
///
/// # Errors
/// When the package can not be read, or is too large.
pub(super) fn planned_hash(config: &Dynamic) -> Result<Dynamic, Diagnostic> {
    if config.get("lambda").is_unknown() {
        return Ok(Dynamic::Unknown);
    }
    let Some(block) = config.get_block("lambda") else { return Ok(Dynamic::Null) };
    match (block.get_str("source_code_hash"), block.get_str("filename")) {
        (Some(hash), _) => Ok(Dynamic::String(hash.to_owned())),
        (None, Some(filename)) if !block.get("source_code_hash").is_unknown() => package(filename).map(|zip| Dynamic::String(sha256(&zip))),
        _ => Ok(Dynamic::Unknown),
    }
}

/// The SHA-256 of a package, as Lambda tells it.
pub(crate) fn sha256(package: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(package))
}

fn package(filename: &str) -> Result<Vec<u8>, Diagnostic> {
    let refused = |message: String| Diagnostic::error(Code::CONFLICT, message).at(at("filename"));
    let zip = std::fs::read(PathBuf::from(filename))
        .map_err(|error| refused(format!("the package `{filename}` cannot be read: {error}")).help("build it with `make lambda`"))?;
    if zip.len() > LARGEST {
        let message = format!("the package `{filename}` has {} MB, and Lambda takes at most 50 in a call", zip.len() / (1024 * 1024));
        return Err(refused(message).help("put it into S3, and give `s3_bucket` and `s3_key`"));
    }
    Ok(zip)
}

impl Lambda {
    /// What a planned state says; `None` without the block.
    pub(super) fn of(planned: &Dynamic, config: &Dynamic) -> Option<Self> {
        let (block, given) = (planned.get_block("lambda")?, config.get_block("lambda")?);
        let text = |name: &str| given.get_str(name).map(str::to_owned);
        let number = |name: &str| block.get_i64(name).and_then(|number| u32::try_from(number).ok());
        let hash = planned.get_str("lambda_code_sha256").map(str::to_owned);
        Some(Self {
            filename: text("filename"),
            s3_bucket: text("s3_bucket"),
            s3_key: text("s3_key"),
            s3_object_version: text("s3_object_version"),
            source_code_hash: text("source_code_hash"),
            function: Function {
                memory_size: number("memory_size").unwrap_or_default(),
                timeout: number("timeout").unwrap_or_default(),
                architecture: block.get_strings("architectures").into_iter().next().unwrap_or_default(),
                reserved_concurrent_executions: number("reserved_concurrent_executions"),
                maximum_concurrency: number("maximum_concurrency").unwrap_or_default(),
                log_retention_in_days: number("log_retention_in_days").unwrap_or_default(),
            },
            code_sha256: hash.or_else(|| planned_hash(config).ok()?.as_str().map(str::to_owned)).unwrap_or_default(),
        })
    }

    /// The block in a state.
    pub(super) fn value(&self) -> Dynamic {
        let Function { memory_size, timeout, architecture, reserved_concurrent_executions, maximum_concurrency, log_retention_in_days } =
            &self.function;
        let number = |number: &u32| Dynamic::from(i64::from(*number));
        let text = |text: &Option<String>| optional_text(text.as_deref());
        Dynamic::List(vec![Dynamic::object([
            ("filename", text(&self.filename)),
            ("s3_bucket", text(&self.s3_bucket)),
            ("s3_key", text(&self.s3_key)),
            ("s3_object_version", text(&self.s3_object_version)),
            ("source_code_hash", text(&self.source_code_hash)),
            ("architectures", Dynamic::List(vec![Dynamic::String(architecture.clone())])),
            ("memory_size", number(memory_size)),
            ("timeout", number(timeout)),
            ("maximum_concurrency", number(maximum_concurrency)),
            ("reserved_concurrent_executions", reserved_concurrent_executions.as_ref().map_or(Dynamic::Null, number)),
            ("log_retention_in_days", number(log_retention_in_days)),
        ])])
    }

    /// What Lambda is told of the code: the package itself, or where it is.
    ///
    /// # Errors
    /// When the package can not be read, or is not the one that was planned with.
    pub(super) fn code(&self) -> Result<Value, String> {
        let Some(filename) = &self.filename else {
            let mut code = json!({ "S3Bucket": self.s3_bucket, "S3Key": self.s3_key });
            if let (Some(version), Some(code)) = (&self.s3_object_version, code.as_object_mut()) {
                code.insert("S3ObjectVersion".to_owned(), version.as_str().into());
            }
            return Ok(code);
        };
        let zip = package(filename).map_err(|diagnostic| diagnostic.message)?;
        self.check_hash(&sha256(&zip))?;
        Ok(json!({ "ZipFile": STANDARD.encode(zip) }))
    }

    /// Whether a package has the hash that was planned with.
    ///
    /// # Errors
    /// Which it has.
    pub(super) fn check_hash(&self, found: &str) -> Result<(), String> {
        if found == self.code_sha256 {
            return Ok(());
        }
        let place = match (&self.filename, &self.s3_bucket, &self.s3_key) {
            (Some(filename), ..) => format!("`{filename}`"),
            (None, bucket, key) => format!("`s3://{}/{}`", bucket.as_deref().unwrap_or_default(), key.as_deref().unwrap_or_default()),
        };
        Err(format!(
            "the package {place} has the hash {found}, and {} is wanted: plan again, or correct `source_code_hash`",
            self.code_sha256
        ))
    }
}
