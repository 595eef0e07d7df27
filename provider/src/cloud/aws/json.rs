//! Services of which a few calls are made: what the SDK's clients are built of, with JSON in place of a crate of types for each service, which
//! would make the provider larger by far more than the calls are worth.

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{AuthSchemeOptionResolverParams, SharedAuthScheme};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::{Region, SigningRegion};
use aws_types::service_config::ServiceConfigKey;
use aws_types::{SdkConfig, SigningName};
use serde_json::Value;
use trailwire_engine::fanout::names::partition;

use super::Clients;
use super::failure::Failure;
use crate::cloud::error::Kind;

/// A service that speaks JSON.
#[derive(Debug)]
pub(super) struct Service {
    /// What AWS calls it, as in `AWS_ENDPOINT_URL_<ID>`.
    pub(super) id: &'static str,
    /// Its name in the provider block's `endpoints`.
    pub(super) endpoint: &'static str,
    /// Its name in host names and signatures.
    pub(super) name: &'static str,
    /// What stands before the operation in the header that says it; nothing where method and path do.
    pub(super) target: &'static str,
    /// The version of the protocol.
    pub(super) content_type: &'static str,
}

/// Method and path of a call.
pub(super) struct Line {
    pub(super) method: &'static str,
    /// Encoded, with the query.
    pub(super) path: String,
}

/// Makes one attempt at a call whose operation is in a header; null where the service has nothing to say.
pub(super) async fn call(clients: &Clients, service: &Service, operation: &'static str, input: &Value) -> Result<Value, Failure> {
    send(clients, service, operation, Line { method: "POST", path: "/".to_owned() }, input).await
}

/// Makes one attempt at a call; null where the service has nothing to say. A null input sends nothing.
pub(super) async fn send(
    clients: &Clients,
    service: &Service,
    operation: &'static str,
    line: Line,
    input: &Value,
) -> Result<Value, Failure> {
    let sdk = &clients.base;
    let lacks = |what: &str| Failure::ours(Kind::Other, format!("there is no {what} to call {} with", service.id));
    let region = sdk.region().ok_or_else(|| lacks("region"))?;
    let endpoint = clients.endpoints.get(service.endpoint).cloned().unwrap_or_else(|| service.url(sdk, region));
    let target = (!service.target.is_empty()).then(|| format!("{}.{operation}", service.target));
    let content_type = service.content_type;
    let call = Operation::builder()
        .service_name(service.id)
        .operation_name(operation)
        .http_client(sdk.http_client().ok_or_else(|| lacks("HTTP client"))?)
        .endpoint_url(&endpoint)
        .no_retry()
        .timeout_config(sdk.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
        .runtime_plugin(signing(service, sdk, region).ok_or_else(|| lacks("credentials"))?)
        .serializer(move |body: String| {
            let request = http::Request::builder().method(line.method).uri(&line.path).header("content-type", content_type);
            let request = target.iter().fold(request, |request, target| request.header("x-amz-target", target));
            Ok(HttpRequest::try_from(request.body(SdkBody::from(body))?)?)
        })
        .deserializer(|response: &HttpResponse| answer(response))
        .build();
    Ok(call.invoke(if input.is_null() { String::new() } else { input.to_string() }).await?)
}

/// Who signs, and for what. The cache of the other clients is used: credentials are asked for once.
fn signing(service: &Service, sdk: &SdkConfig, region: &Region) -> Option<StaticRuntimePlugin> {
    let components = RuntimeComponentsBuilder::new("signing")
        .with_identity_cache(sdk.identity_cache())
        .with_time_source(sdk.time_source())
        .with_sleep_impl(sdk.sleep_impl())
        .with_identity_resolver(SCHEME_ID, sdk.credentials_provider()?)
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])));
    let mut config = Layer::new("signing");
    config.store_put(AuthSchemeOptionResolverParams::new(()));
    config.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(region.clone())),
        name: Some(SigningName::from_static(service.name)),
        ..SigV4OperationSigningConfig::default()
    });
    Some(StaticRuntimePlugin::new().with_config(config.freeze()).with_runtime_components(components))
}

fn answer(response: &HttpResponse) -> Result<Value, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    let read = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice::<Value>(body) };
    if response.status().is_success() {
        return read.map_err(OrchestratorError::other);
    }
    let said = read.unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let mut refusal = ErrorMetadata::builder();
    // `com.amazonaws.cloudtrail#AccessDeniedException`, or the name alone; in a header it may be followed by a colon and an address.
    let header = response.headers().get("x-amzn-errortype").and_then(|code| code.split(':').next());
    if let Some(code) = text("__type").or(header) {
        refusal = refusal.code(code.rsplit('#').next().unwrap_or(code));
    }
    if let Some(message) = text("message").or_else(|| text("Message")) {
        refusal = refusal.message(message);
    }
    Err(OrchestratorError::operation(refusal.build()))
}

impl Service {
    /// Where it is in a region: what the environment or the profile say, or AWS's own place.
    fn url(&self, sdk: &SdkConfig, region: &Region) -> String {
        let key = ServiceConfigKey::builder().service_id(self.id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok();
        let set = key.and_then(|key| sdk.service_config()?.load_config(key));
        let own = || self.own_url(region.as_ref(), sdk.use_fips() == Some(true), sdk.use_dual_stack() == Some(true));
        set.or_else(|| sdk.endpoint_url().map(str::to_owned)).unwrap_or_else(own)
    }

    fn own_url(&self, region: &str, fips: bool, dual_stack: bool) -> String {
        let partition = partition(region);
        // In us-gov every endpoint is validated, and none is called so.
        let fips = if fips && partition != "aws-us-gov" { "-fips" } else { "" };
        let suffix = match (partition, dual_stack) {
            ("aws-cn", false) => "amazonaws.com.cn",
            ("aws-cn", true) => "api.amazonwebservices.com.cn",
            ("aws-eusc", _) => "amazonaws.eu",
            ("aws-iso", _) => "c2s.ic.gov",
            ("aws-iso-b", _) => "sc2s.sgov.gov",
            ("aws-iso-e", _) => "cloud.adc-e.uk",
            ("aws-iso-f", _) => "csp.hci.ic.gov",
            (_, true) => "api.aws",
            (_, false) => "amazonaws.com",
        };
        format!("https://{}{fips}.{region}.{suffix}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: Service = Service { id: "CloudTrail", endpoint: "cloudtrail", name: "cloudtrail", target: "t", content_type: "c" };

    #[test]
    fn every_partition_has_its_own_names() {
        for (region, fips, dual_stack, expected) in [
            ("eu-west-1", false, false, "https://cloudtrail.eu-west-1.amazonaws.com"),
            ("us-east-1", true, false, "https://cloudtrail-fips.us-east-1.amazonaws.com"),
            ("us-east-1", false, true, "https://cloudtrail.us-east-1.api.aws"),
            ("us-gov-west-1", true, false, "https://cloudtrail.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", false, false, "https://cloudtrail.cn-north-1.amazonaws.com.cn"),
            ("us-iso-east-1", false, false, "https://cloudtrail.us-iso-east-1.c2s.ic.gov"),
        ] {
            assert_eq!(SERVICE.own_url(region, fips, dual_stack), expected);
        }
    }

    #[test]
    fn refusals_are_read_in_every_spelling() {
        let response = |status: u16, body: &'static str| HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        for (body, code, message) in [
            (r#"{"__type":"com.amazonaws.cloudtrail#AccessDenied","Message":"no"}"#, Some("AccessDenied"), Some("no")),
            (r#"{"__type":"AccessDenied","message":"no"}"#, Some("AccessDenied"), Some("no")),
            ("<html>", None, None),
            ("", None, None),
        ] {
            let refused = answer(&response(403, body)).unwrap_err();
            let refused = refused.as_operation_error().unwrap();
            assert_eq!((refused.code(), refused.message()), (code, message));
        }
        assert_eq!(answer(&response(200, "")).unwrap(), Value::Null);
        assert!(answer(&response(200, "{")).is_err());
    }
}
