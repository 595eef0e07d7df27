//! The environment that a Lambda function runs in: a server that speaks Lambda's Runtime API to one process. And the package of a function for the emulator,
//! which runs it for real.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path as InPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};

use crate::process::{Program, built};
use crate::stand::{Stand, repository};
use crate::venv;

/// How long a function may take to answer beyond its deadline before a test gives up.
const PATIENCE: Duration = Duration::from_secs(120);
const PREFIX: &str = "/2018-06-01/runtime";

/// The runtime as it was built for tests, as a package for Lambda: without what debuggers need, or Lambda would not take it in a call.
///
/// # Panics
/// When it cannot be made.
pub fn package(stand: &Stand) -> PathBuf {
    let (bare, package) = (stand.scratch().join("bootstrap"), stand.scratch().join("trailwire-lambda.zip"));
    let run = |command: &mut Command| {
        let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(status.success(), "{command:?}: {status}");
    };
    run(Command::new("strip").arg("-o").arg(&bare).arg(built("trailwire")));
    let python = venv::python().unwrap_or_else(|error| panic!("{error}"));
    let pack = repository().join("tools/lambda/package.py");
    run(Command::new(python).args([&pack, &bare, &package]).arg("1").stdout(Stdio::null()));
    package
}

/// What a function made of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Its response.
    Response(Value),
    /// Its error: type and message.
    Error(String, String),
}

/// An environment with one process in it. Serves as long as the test's runtime.
#[derive(Debug)]
pub struct Environment {
    address: String,
    invocations: mpsc::Sender<Invocation>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    deadline: u128,
    payload: String,
}

#[derive(Debug)]
struct Shared {
    waiting: AsyncMutex<mpsc::Receiver<Invocation>>,
    answers: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    refusal: mpsc::Sender<Answer>,
    refused: AsyncMutex<mpsc::Receiver<Answer>>,
    /// Whether the process has asked for its first invocation.
    asked: watch::Sender<bool>,
}

impl Environment {
    /// Serves on a port of its own.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of loopback is free");
        let address = listener.local_addr().expect("it listens").to_string();
        let ((invocations, waiting), (refusal, refused)) = (mpsc::channel(1), mpsc::channel(1));
        let shared = Arc::new(Shared {
            waiting: AsyncMutex::new(waiting),
            answers: Mutex::default(),
            refusal,
            refused: AsyncMutex::new(refused),
            asked: watch::Sender::new(false),
        });
        let router = Router::new()
            .route(&format!("{PREFIX}/invocation/next"), get(next))
            .route(&format!("{PREFIX}/invocation/{{id}}/response"), post(response))
            .route(&format!("{PREFIX}/invocation/{{id}}/error"), post(error))
            .route(&format!("{PREFIX}/init/error"), post(init_error))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, invocations, shared }
    }

    /// Starts the runtime as Lambda would for this hub. It does not know the function's name, and so may send to the sink, which in Lambda itself would be
    /// the function.
    pub fn start(&self, stand: &Stand, account: &str, region: &str, hub: &str) -> Program {
        let mut command = Command::new(built("trailwire"));
        command.envs(stand.environment(account, region)).env("AWS_LAMBDA_RUNTIME_API", &self.address).env("TRAILWIRE_HUB", hub);
        Program::start(command)
    }

    /// Waits until the process asks for its first invocation: it has started.
    ///
    /// # Panics
    /// When it does not.
    pub async fn started(&self) {
        let mut asked = self.shared.asked.subscribe();
        let started = asked.wait_for(|asked| *asked);
        tokio::time::timeout(PATIENCE, started).await.expect("the function starts").expect("the environment serves");
    }

    /// Invokes the function, which has this long.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn invoke(&self, payload: &Value, time: Duration) -> Answer {
        let id = format!("invocation-{}", self.answers().len() + 1);
        let deadline = SystemTime::now() + time;
        let deadline = deadline.duration_since(UNIX_EPOCH).expect("the clock is right").as_millis();
        let (answer, answered) = oneshot::channel();
        self.answers().insert(id.clone(), answer);
        self.invocations.send(Invocation { id, deadline, payload: payload.to_string() }).await.expect("the environment serves");
        let answer = tokio::time::timeout(time + PATIENCE, answered).await;
        answer.expect("the function answers").expect("the environment serves")
    }

    /// Why the function says that it cannot start.
    ///
    /// # Panics
    /// When it does not say so.
    pub async fn refused(&self) -> Answer {
        let mut refused = self.shared.refused.lock().await;
        tokio::time::timeout(PATIENCE, refused.recv()).await.expect("the function refuses to start").expect("the environment serves")
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Answer>>> {
        self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.asked.send_replace(true);
    match shared.waiting.lock().await.recv().await {
        Some(Invocation { id, deadline, payload }) => {
            let headers = [("lambda-runtime-aws-request-id", id), ("lambda-runtime-deadline-ms", deadline.to_string())];
            (StatusCode::OK, headers, payload).into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn response(State(shared): State<Arc<Shared>>, InPath(id): InPath<String>, body: String) -> StatusCode {
    shared.take(
        &id,
        serde_json::from_str(&body).map_or_else(|error| Answer::Error("not JSON".to_owned(), error.to_string()), Answer::Response),
    )
}

async fn error(State(shared): State<Arc<Shared>>, InPath(id): InPath<String>, headers: HeaderMap, body: String) -> StatusCode {
    shared.take(&id, failure(&headers, &body))
}

async fn init_error(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> StatusCode {
    let _ = shared.refusal.send(failure(&headers, &body)).await;
    StatusCode::ACCEPTED
}

/// An error names its type in a header and in the body.
fn failure(headers: &HeaderMap, body: &str) -> Answer {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let kind = headers.get("lambda-runtime-function-error-type").and_then(|kind| kind.to_str().ok());
    if kind != Some(text("errorType").as_str()) {
        return Answer::Error("two types".to_owned(), format!("{kind:?} and {body}"));
    }
    Answer::Error(text("errorType"), text("errorMessage"))
}

impl Shared {
    fn take(&self, id: &str, answer: Answer) -> StatusCode {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        // Kept, closed: no id is given twice.
        let taken = answers.insert(id.to_owned(), oneshot::channel().0).map(|waiting| waiting.send(answer));
        if taken == Some(Ok(())) { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST }
    }
}
