//! Calls by path: decode, hand to the [`Server`], encode.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::server::Grpc;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::server::{self, Server};

/// What Terraform itself allows a message to be; tonic's default is 4 MiB.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// The path prefix of every call.
pub const SERVICE: &str = "tfplugin5.Provider";

/// The gRPC service. Clones share the server.
#[derive(Clone, Debug)]
pub struct ProviderService(Arc<Server>);

impl ProviderService {
    /// The service that this server stands behind.
    pub fn new(server: Arc<Server>) -> ProviderService {
        ProviderService(server)
    }
}

impl tonic::server::NamedService for ProviderService {
    const NAME: &'static str = SERVICE;
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl tower::Service<http::Request<Body>> for ProviderService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let server = Arc::clone(&self.0);
        let path = request.uri().path().to_owned();
        Box::pin(async move {
            let method = path.rsplit('/').next().unwrap_or_default();
            Ok(match method {
                "GetMetadata" => unary(request, server, server::get_metadata::handle).await,
                "GetSchema" => unary(request, server, server::get_schema::handle).await,
                "PrepareProviderConfig" => unary(request, server, server::prepare_provider_config::handle).await,
                "ValidateResourceTypeConfig" => unary(request, server, server::validate_resource_config::handle).await,
                "ValidateDataSourceConfig" => unary(request, server, server::validate_data_source_config::handle).await,
                "Configure" => unary(request, server, server::configure::handle).await,
                "UpgradeResourceState" => unary(request, server, server::upgrade_resource_state::handle).await,
                "ReadResource" => unary(request, server, server::read_resource::handle).await,
                "PlanResourceChange" => unary(request, server, server::plan_resource_change::handle).await,
                "ApplyResourceChange" => unary(request, server, server::apply_resource_change::handle).await,
                "ImportResourceState" => unary(request, server, server::import_resource_state::handle).await,
                "MoveResourceState" => unary(request, server, server::move_resource_state::handle).await,
                "ReadDataSource" => unary(request, server, server::read_data_source::handle).await,
                "GetFunctions" => unary(request, server, server::get_functions::handle).await,
                "CallFunction" => unary(request, server, server::call_function::handle).await,
                "Stop" => unary(request, server, server::stop::handle).await,
                _ => Status::unimplemented(format!("the provider has no call {method}")).into_http(),
            })
        })
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
