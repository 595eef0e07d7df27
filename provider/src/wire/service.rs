//! Calls by path: decode, hand to the [`Server`], encode.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::server::{self, Server};

/// What Terraform itself allows a message to be; tonic's default is 4 MiB.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// The path prefix of every call.
pub const SERVICE: &str = "tfplugin5.Provider";

/// Something that answers the calls of one gRPC service. Clones answer alike.
pub trait Calls: Clone + Send + Sync + 'static {
    /// The path prefix of its calls.
    const SERVICE: &'static str;

    /// Answers one call.
    fn answer(self, request: http::Request<Body>) -> impl Future<Output = http::Response<Body>> + Send;
}

/// What answers calls, in the form in which tonic serves it.
#[derive(Clone, Debug)]
pub struct Service<C>(pub C);

impl<C: Calls> tonic::server::NamedService for Service<C> {
    const NAME: &'static str = C::SERVICE;
}

impl<C: Calls> tower::Service<http::Request<Body>> for Service<C> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let calls = self.0.clone();
        Box::pin(async move { Ok(calls.answer(request).await) })
    }
}

impl Calls for Arc<Server> {
    const SERVICE: &'static str = SERVICE;

    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let path = request.uri().path().to_owned();
        let method = path.rsplit('/').next().unwrap_or_default();
        match method {
            "GetMetadata" => unary(request, self, server::get_metadata::handle).await,
            "GetSchema" => unary(request, self, server::get_schema::handle).await,
            "PrepareProviderConfig" => unary(request, self, server::prepare_provider_config::handle).await,
            "ValidateResourceTypeConfig" => unary(request, self, server::validate_resource_config::handle).await,
            "ValidateDataSourceConfig" => unary(request, self, server::validate_data_source_config::handle).await,
            "Configure" => unary(request, self, server::configure::handle).await,
            "UpgradeResourceState" => unary(request, self, server::upgrade_resource_state::handle).await,
            "ReadResource" => unary(request, self, server::read_resource::handle).await,
            "PlanResourceChange" => unary(request, self, server::plan_resource_change::handle).await,
            "ApplyResourceChange" => unary(request, self, server::apply_resource_change::handle).await,
            "ImportResourceState" => unary(request, self, server::import_resource_state::handle).await,
            "MoveResourceState" => unary(request, self, server::move_resource_state::handle).await,
            "ReadDataSource" => unary(request, self, server::read_data_source::handle).await,
            "GetFunctions" => unary(request, self, server::get_functions::handle).await,
            "CallFunction" => unary(request, self, server::call_function::handle).await,
            "Stop" => unary(request, self, server::stop::handle).await,
            _ => Status::unimplemented(format!("the provider has no call {method}")).into_http(),
        }
    }
}

/// One request, one response. The answer to a well-formed request is never an error of the transport: what went wrong is in its diagnostics.
async fn unary<Q, A, F>(
    request: http::Request<Body>,
    server: Arc<Server>,
    handle: impl Fn(Arc<Server>, Q) -> F + Clone + Send + 'static,
) -> http::Response<Body>
where
    Q: prost::Message + Default + Send + 'static,
    A: prost::Message + Default + Send + 'static,
    F: Future<Output = A> + Send,
{
    let call = tower::service_fn(move |request: Request<Q>| {
        let answer = handle(Arc::clone(&server), request.into_inner());
        async move { Ok::<_, Status>(Response::new(answer.await)) }
    });
    let limit = Some(MAX_MESSAGE_BYTES);
    Grpc::new(ProstCodec::<A, Q>::default()).apply_max_message_size_config(limit, limit).unary(call, request).await
}
