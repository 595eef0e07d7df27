//! A server that takes roles as STS does, and answers everything else with what it was given.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

#[derive(Default)]
struct Book {
    answers: VecDeque<(u16, String)>,
    seen: Vec<String>,
    taken: Vec<String>,
    signed: Vec<String>,
}

pub(super) struct Server {
    address: String,
    book: Arc<Mutex<Book>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

const ROLE: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials><AccessKeyId>ASIAREADER</AccessKeyId>\
    <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
    </AssumeRoleResponse>";

async fn answer(State(book): State<Arc<Mutex<Book>>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut book = book.lock().unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    if body.starts_with("Action=AssumeRole&") {
        let of = |name: &str| body.split('&').find(|part| part.starts_with(name)).unwrap_or_default().to_owned();
        book.taken.push(format!("{} {}", of("RoleArn="), of("ExternalId=")));
        return ROLE.into_response();
    }
    let target = headers.get("x-amz-target").map(|target| format!(" {}", target.to_str().unwrap())).unwrap_or_default();
    book.seen.push(format!("{method} {uri}{target} {body}").trim_end().to_owned());
    book.signed.push(headers["authorization"].to_str().unwrap().to_owned());
    let (status, body) = book.answers.pop_front().unwrap_or((500, String::new()));
    (StatusCode::from_u16(status).unwrap(), [("x-amzn-requestid", "r-1")], body).into_response()
}

impl Server {
    /// Answers in this order.
    pub(super) async fn start(answers: Vec<(u16, String)>) -> Self {
        let book = Arc::new(Mutex::new(Book { answers: answers.into(), ..Book::default() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&book));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, book, serving }
    }

    pub(super) async fn config(&self) -> SdkConfig {
        let credentials = Credentials::new("AKIAOWN", "s", None, None, "test");
        let loader = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(&self.address).region(Region::new("eu-west-1"));
        loader.credentials_provider(credentials).load().await
    }

    /// What was asked, but for roles: method, path, target, body.
    pub(super) fn seen(&self) -> Vec<String> {
        self.book.lock().unwrap().seen.clone()
    }

    /// The roles that were taken.
    pub(super) fn taken(&self) -> Vec<String> {
        self.book.lock().unwrap().taken.clone()
    }

    /// The signatures of what was asked.
    pub(super) fn signed(&self) -> Vec<String> {
        self.book.lock().unwrap().signed.clone()
    }
}
