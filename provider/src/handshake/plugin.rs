//! go-plugin's own three services, as far as Terraform uses them: one call that ends us, and two streams that stay open and silent until then.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::wire::message::Empty;

/// `plugin.GRPCController`: `Shutdown` ends the process.
#[derive(Clone)]
pub(super) struct Controller(pub(super) CancellationToken);

/// `plugin.GRPCStdio`: would carry our standard output.
#[derive(Clone)]
pub(super) struct Stdio(pub(super) CancellationToken);

/// `plugin.GRPCBroker`: would open more connections.
#[derive(Clone)]
pub(super) struct Broker(pub(super) CancellationToken);

impl NamedService for Controller {
    const NAME: &'static str = "plugin.GRPCController";
}

impl NamedService for Stdio {
    const NAME: &'static str = "plugin.GRPCStdio";
}

impl NamedService for Broker {
    const NAME: &'static str = "plugin.GRPCBroker";
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;
type Silence = BoxStream<'static, Result<Empty, Status>>;
type Reply<T> = BoxFuture<'static, Result<Response<T>, Status>>;

fn grpc() -> Grpc<ProstCodec<Empty, Empty>> {
    Grpc::new(ProstCodec::default())
}

/// A stream that ends without an item when `quit` comes; `kept` lives as long.
fn silence<T: Send + 'static>(quit: CancellationToken, kept: T) -> Silence {
    let wait = async move {
        quit.cancelled().await;
        drop(kept);
    };
    stream::once(wait).filter_map(|()| async { None }).boxed()
}

impl tower::Service<http::Request<Body>> for Controller {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let quit = self.0.clone();
        let shutdown = tower::service_fn(move |_: Request<Empty>| {
            quit.cancel();
            std::future::ready(Ok::<_, Status>(Response::new(Empty {})))
        });
        Box::pin(async move { Ok(grpc().unary(shutdown, request).await) })
    }
}

impl tower::Service<http::Request<Body>> for Stdio {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let quit = self.0.clone();
        let open = tower::service_fn(move |_: Request<Empty>| -> Reply<Silence> {
            let silence = silence(quit.clone(), ());
            Box::pin(async move { Ok(Response::new(silence)) })
        });
        Box::pin(async move { Ok(grpc().server_streaming(open, request).await) })
    }
}

impl tower::Service<http::Request<Body>> for Broker {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let quit = self.0.clone();
        let open = tower::service_fn(move |request: Request<Streaming<Empty>>| -> Reply<Silence> {
            let silence = silence(quit.clone(), request);
            Box::pin(async move { Ok(Response::new(silence)) })
        });
        Box::pin(async move { Ok(grpc().streaming(open, request).await) })
    }
}
