//! The proxy in front of the emulator: every call to the local AWS passes here. In this order it
//! identifies the call, counts it, applies faults, enforces what AWS enforces and the emulator does not, and forwards it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use self::answerer::Answerer;
use self::counts::Counts;
use self::enforce::Enforcer;
use self::faults::{Faults, Verdict};
use self::identify::{Call, Sessions};

mod admin;
mod answerer;
mod counts;
mod enforce;
mod faults;
mod identify;
mod model;
mod refusal;

pub use self::counts::CallCount;
pub use self::faults::{Effect, Fault, When};
pub use self::identify::Matcher;

/// What the proxy remembers, shared by all connections.
#[derive(Debug)]
struct Proxy {
    emulator: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    sessions: Sessions,
    counts: Counts,
    faults: Faults,
    enforcer: Enforcer,
    answerer: Answerer,
}

/// A request read whole.
type Whole = Request<Bytes>;
/// An answer read whole.
type Answer = Response<Full<Bytes>>;

/// Serves connections until the runtime ends.
pub(crate) async fn serve(listener: TcpListener, emulator: SocketAddr) {
    let proxy = Arc::new(Proxy {
        emulator,
        client: Client::builder(TokioExecutor::new()).build_http(),
        sessions: Sessions::default(),
        counts: Counts::default(),
        faults: Faults::default(),
        enforcer: Enforcer::default(),
        answerer: Answerer::default(),
    });
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let proxy = Arc::clone(&proxy);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request| {
                let proxy = Arc::clone(&proxy);
                async move { proxy.answer(request).await }
            });
            // An error ends the connection without an answer: that is how a call is cut.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Proxy {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, io::Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let request = Request::from_parts(parts, body);
        if request.uri().path().starts_with(admin::PREFIX) {
            return match admin::answer(&self, &request).await {
                Some(answer) => Ok(answer),
                None => self.forward(request).await,
            };
        }
        let call = identify::call(&request, &self.sessions);
        self.counts.add(&call);
        match self.faults.apply(&call, When::Before).await {
            Verdict::Pass => {}
            Verdict::Answer(answer) => return Ok(answer),
            Verdict::Cut => return Err(cut(&call)),
        }
        // AWS carries out what it has received, whatever becomes of the caller.
        let (proxy, made) = (Arc::clone(&self), call.clone());
        let answer = tokio::spawn(async move { proxy.call(&made, request).await }).await.map_err(io::Error::other)??;
        match self.faults.apply(&call, When::After).await {
            Verdict::Pass => Ok(answer),
            Verdict::Answer(instead) => Ok(instead),
            Verdict::Cut => Err(cut(&call)),
        }
    }

    /// The call as AWS would answer it.
    async fn call(&self, call: &Call, request: Whole) -> Result<Answer, io::Error> {
        if let Some(answer) = self.answerer.answer(call, request.body()) {
            return Ok(answer);
        }
        let request = match self.enforcer.check(call, request) {
            Ok(request) => request,
            Err(refusal) => return Ok(refusal.into_answer(call.protocol)),
        };
        let body = request.body().clone();
        let answer = self.forward(request).await?;
        if answer.status().is_success() {
            let answered = answer.body().clone().collect().await.map_err(io::Error::other)?.to_bytes();
            self.enforcer.learn(call, &body);
            self.sessions.learn(call, &answered);
        }
        Ok(answer)
    }

    async fn forward(&self, request: Whole) -> Result<Answer, io::Error> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("http://{}{path}", self.emulator).parse().map_err(io::Error::other)?;
        parts.headers.remove(http::header::CONTENT_LENGTH);
        parts.headers.remove(http::header::TRANSFER_ENCODING);
        let answer = self.client.request(Request::from_parts(parts, Full::new(body))).await.map_err(io::Error::other)?;
        let (mut parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        parts.headers.remove(http::header::TRANSFER_ENCODING);
        Ok(Response::from_parts(parts, Full::new(body)))
    }
}

fn cut(call: &Call) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, format!("cut {} {}", call.service, call.operation))
}
