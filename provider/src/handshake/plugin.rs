//! go-plugin's own three services, as far as Terraform uses them: one call that ends us, and two streams that stay open and silent until then.

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::wire::message::Empty;
use crate::wire::service::Calls;

/// `plugin.GRPCController`: `Shutdown` ends the process.
#[derive(Clone)]
pub(super) struct Controller(pub(super) CancellationToken);

/// `plugin.GRPCStdio`: would carry our standard output.
#[derive(Clone)]
pub(super) struct Stdio(pub(super) CancellationToken);

/// `plugin.GRPCBroker`: would open more connections.
#[derive(Clone)]
pub(super) struct Broker(pub(super) CancellationToken);

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

impl Calls for Controller {
    const SERVICE: &'static str = "plugin.GRPCController";

    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let shutdown = tower::service_fn(move |_: Request<Empty>| {
            self.0.cancel();
            std::future::ready(Ok::<_, Status>(Response::new(Empty {})))
        });
        grpc().unary(shutdown, request).await
    }
}

impl Calls for Stdio {
    const SERVICE: &'static str = "plugin.GRPCStdio";

    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let open = tower::service_fn(move |_: Request<Empty>| -> Reply<Silence> {
            let silence = silence(self.0.clone(), ());
            Box::pin(async move { Ok(Response::new(silence)) })
        });
        grpc().server_streaming(open, request).await
    }
}

impl Calls for Broker {
    const SERVICE: &'static str = "plugin.GRPCBroker";

    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let open = tower::service_fn(move |request: Request<Streaming<Empty>>| -> Reply<Silence> {
            let silence = silence(self.0.clone(), request);
            Box::pin(async move { Ok(Response::new(silence)) })
        });
        grpc().streaming(open, request).await
    }
}
