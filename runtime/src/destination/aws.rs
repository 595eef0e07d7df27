//! Requests to AWS: signed here, so that a kind is a page of its own and no SDK crate.
//!
//! A kind names the service and gives method, path and body, as AWS's own description of the API has them; the endpoint is that of the region, or what
//! `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` (or the profile) say. Credentials are the runtime's own, or those of the destination's role.

use std::time::{Duration, SystemTime};

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_types::service_config::ServiceConfigKey;
use reqwest::Url;
use serde_json::Value;
use trailwire_engine::operations::Service as Called;
use trailwire_engine::trigger::Aws;

use super::{Answer, Request, To};
use crate::core::Attempt;
use crate::hub::aws::Config;
use crate::lookups::Lookups;

/// For how long credentials without an end are used before they are looked for again.
const FRESH: Duration = Duration::from_secs(300);
/// How long before their end credentials are not used any more.
const MARGIN: Duration = Duration::from_secs(300);

/// A service, as it is addressed and signed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Service {
    /// The first part of its host names.
    pub(super) host: &'static str,
    /// Its name in signatures.
    pub(super) name: &'static str,
    /// Its id, as `AWS_ENDPOINT_URL_<ID>` has it.
    pub(super) id: &'static str,
    /// Its host and the region that it is signed for, where it has one place for all regions.
    pub(super) place: Option<(&'static str, &'static str)>,
}

impl Service {
    /// A service with one name for all.
    pub(crate) const fn new(host: &'static str, id: &'static str) -> Self {
        Self { host, name: host, id, place: None }
    }

    /// A service with one place for all regions: its host, and the region that it is signed for.
    pub(crate) const fn global(name: &'static str, id: &'static str, host: &'static str, region: &'static str) -> Self {
        Self { host: name, name, id, place: Some((host, region)) }
    }
}

/// Where a request to AWS goes, and by whose leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(super) service: Service,
    /// The endpoint, where the destination names one.
    pub(super) endpoint: Option<Url>,
    pub(super) path: String,
    /// `None` is the runtime's.
    pub(super) region: Option<String>,
    pub(super) role_arn: Option<String>,
    /// What the role asks of whom it trusts.
    pub(super) external_id: Option<String>,
    /// The bucket that the path is in.
    pub(super) bucket: Option<String>,
}

impl Signed {
    pub(super) fn to(service: Service, aws: &Aws, path: impl Into<String>) -> To {
        let (region, role_arn) = (aws.region().map(str::to_owned), aws.role_arn.clone());
        To::Aws(Self { service, endpoint: None, path: path.into(), region, role_arn, external_id: None, bucket: None })
    }

    /// A service in a region, by the credentials in use.
    pub(crate) fn own(service: Service, region: &str, path: impl Into<String>) -> Self {
        let region = Some(region.to_owned());
        Self { service, endpoint: None, path: path.into(), region, role_arn: None, external_id: None, bucket: None }
    }

    /// The same in a bucket of S3.
    pub(crate) fn in_bucket(self, bucket: &str) -> Self {
        Self { bucket: Some(bucket.to_owned()), ..self }
    }

    /// The same at a path.
    pub(crate) fn at(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// A call for a query in a region, by a role that asks for an external id.
    pub(crate) fn query(service: &'static Called, partition: &str, region: &str, (role_arn, external_id): &(String, String)) -> Self {
        let place = service.global.get(partition).map(|endpoint| (endpoint.host.as_str(), endpoint.region.as_str()));
        let service = Service { host: &service.host, name: &service.signing, id: &service.id, place };
        let (role_arn, external_id) = (Some(role_arn.clone()), Some(external_id.clone()));
        Self { role_arn, external_id, ..Self::own(service, region, "/") }
    }
}

/// A call of a service that takes JSON and tells operations by a header.
pub(super) fn json_call(service: Service, aws: &Aws, version: &str, target: &str, body: &Value) -> Request {
    let content_type = format!("application/x-amz-json-{version}");
    Request::to(Signed::to(service, aws, "/"), &content_type, body.to_string().into_bytes()).header("x-amz-target", target)
}

/// What an answer of AWS means. Nearly everything may be repaired: a policy, a resource that is not there yet.
pub(super) fn verdict(answer: &Answer) -> Attempt {
    match answer.status {
        _ if answer.is_success() => Attempt::Delivered,
        413 => answer.refused(&fault(answer)),
        _ => answer.failed(&fault(answer)),
    }
}

/// AWS's code and message.
pub(crate) fn fault(answer: &Answer) -> String {
    let (code, message) = (code(answer), message(answer));
    if message.is_empty() { code } else { format!("{code}: {message}") }
}

/// AWS's code: of the JSON or the XML that it answers with.
pub(crate) fn code(answer: &Answer) -> String {
    let json = answer.json();
    let of_json = ["__type", "code", "Code"].into_iter().find_map(|name| json.get(name)?.as_str());
    let code = of_json.or_else(|| element(&answer.body, "Code")).unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().to_owned()
}

fn message(answer: &Answer) -> String {
    let json = answer.json();
    let of_json = ["message", "Message"].into_iter().find_map(|name| json.get(name)?.as_str());
    of_json.or_else(|| element(&answer.body, "Message")).unwrap_or_default().to_owned()
}

pub(super) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// Credentials by role (`None`: the runtime's own), and until when they are used.
type Kept = Lookups<Option<String>, (SystemTime, Credentials)>;

/// Signs requests, and keeps the credentials that it needs for it.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    config: Config,
    credentials: Kept,
}

impl Signer {
    pub(super) fn new(config: Config) -> Self {
        Self { config, credentials: Kept::default() }
    }

    /// The address, and the headers that sign the request.
    ///
    /// # Errors
    ///
    /// In words: no region, no credentials, a role that cannot be assumed.
    pub(super) async fn sign(&self, to: &Signed, request: &Request) -> Result<(Url, Vec<(String, String)>), String> {
        let config = self.config.get().await;
        let region = to.region.clone().or_else(|| config.region().map(ToString::to_string));
        let region = to.service.place.map(|(_, region)| region.to_owned()).or(region);
        let region = region.ok_or("no region: give the destination one, or set AWS_REGION")?;
        let written = to.endpoint.clone().map_or_else(|| written(config, to.service), |endpoint| Ok(Some(endpoint)))?;
        let (base, path) = match (written, &to.bucket) {
            (Some(written), None) => (written, to.path.clone()),
            (None, None) => (own(to.service, &region)?, to.path.clone()),
            (None, Some(bucket)) if is_label(bucket) => (of_bucket(&own(to.service, &region)?, bucket)?, to.path.clone()),
            // A certificate of AWS is for one label before its own, and who runs another endpoint may have no names for buckets.
            (written, Some(bucket)) => (written.map_or_else(|| own(to.service, &region), Ok)?, format!("/{bucket}{}", to.path)),
        };
        let url = match &to.bucket {
            None => base.join(&path).map_err(|error| format!("the endpoint is no address: {error}"))?,
            Some(_) => at_path(&base, &path)?,
        };
        let credentials = self.credentials(config, to).await?;
        let headers = signature(&url, request, &region, to.service.name, credentials)?;
        Ok((url, headers))
    }

    /// Looks for the credentials anew next time: these were refused.
    pub(super) async fn forget(&self, role: Option<&str>) {
        *self.credentials.place(role.map(str::to_owned)).await = None;
    }

    async fn credentials(&self, config: &aws_config::SdkConfig, to: &Signed) -> Result<Credentials, String> {
        let role = to.role_arn.as_deref();
        let mut kept = self.credentials.place(role.map(str::to_owned)).await;
        if let Some((until, credentials)) = &*kept
            && *until > SystemTime::now()
        {
            return Ok(credentials.clone());
        }
        let found = match role {
            None => config.credentials_provider().ok_or("there are no AWS credentials")?.provide_credentials().await,
            Some(role) => {
                let mut provider = AssumeRoleProvider::builder(role).configure(config).session_name("trailwire");
                if let Some(id) = &to.external_id {
                    provider = provider.external_id(id);
                }
                provider.build().await.provide_credentials().await
            }
        };
        let found = found.map_err(|error| match role {
            None => format!("there are no AWS credentials: {}", crate::hub::aws::innermost(&error)),
            Some(role) => format!("the role {role} can not be assumed: {}", assume_fault(&error)),
        })?;
        let until = found.expiry().map_or_else(|| SystemTime::now() + FRESH, |expiry| expiry - MARGIN);
        *kept = Some((until, found.clone()));
        Ok(found)
    }
}

/// Why a role was not assumed: what STS says, or what happened on the way.
fn assume_fault(error: &(dyn std::error::Error + 'static)) -> String {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(refused) = error.downcast_ref::<AssumeRoleError>() {
            return format!("{}: {}", refused.meta().code().unwrap_or_default(), refused.meta().message().unwrap_or_default());
        }
        next = error.source();
    }
    crate::hub::aws::innermost(error)
}

/// The endpoint that the environment or the profile names.
fn written(config: &aws_config::SdkConfig, service: Service) -> Result<Option<Url>, String> {
    let key = ServiceConfigKey::builder().service_id(service.id).profile("endpoint_url").env("AWS_ENDPOINT_URL").build();
    let of_service = key.ok().and_then(|key| config.service_config()?.load_config(key));
    of_service.or_else(|| config.endpoint_url().map(str::to_owned)).map(|endpoint| address(&endpoint)).transpose()
}

/// AWS's own endpoint.
fn own(service: Service, region: &str) -> Result<Url, String> {
    address(&match service.place {
        Some((host, _)) => format!("https://{host}/"),
        None => format!("https://{}.{region}.{}/", service.host, domain(region)),
    })
}

/// The name of a bucket before that of its endpoint.
fn of_bucket(endpoint: &Url, bucket: &str) -> Result<Url, String> {
    let host = endpoint.host_str().unwrap_or_default();
    address(&format!("https://{bucket}.{host}/"))
}

/// Whether a bucket's name may be a label of a host's.
fn is_label(bucket: &str) -> bool {
    bucket.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The address of a path and query at a host. A path is somebody else's text: it never says which host, and what an address would fold is refused.
fn at_path(base: &Url, path: &str) -> Result<Url, String> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut url = base.clone();
    url.set_path(path);
    url.set_query(query);
    if url.path() == path && url.origin() == base.origin() { Ok(url) } else { Err(format!("no address can say the path {path}")) }
}

fn address(endpoint: &str) -> Result<Url, String> {
    Url::parse(endpoint).map_err(|error| format!("the endpoint `{endpoint}` is no address: {error}"))
}

/// The domain of a region's partition.
fn domain(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "amazonaws.com.cn",
        _ if region.starts_with("eusc-") => "amazonaws.eu",
        _ if region.starts_with("us-iso-") => "c2s.ic.gov",
        _ if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ => "amazonaws.com",
    }
}

/// S3 signs what a body is, and paths as they are.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

fn signature(url: &Url, request: &Request, region: &str, service: &str, credentials: Credentials) -> Result<Vec<(String, String)>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("the request can not be signed: {error}");
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder().identity(&identity).region(region).name(service).time(SystemTime::now());
    let parameters = parameters.settings(settings(service)).build().map_err(|error| wrong(&error))?.into();
    let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new(request.method.as_str(), url.as_str(), headers, SignableBody::Bytes(&request.body));
    let signed = sign(signable.map_err(|error| wrong(&error))?, &parameters).map_err(|error| wrong(&error))?;
    let (instructions, _) = signed.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_have_their_own_domains() {
        for (region, expected) in [
            ("eu-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("us-gov-west-1", "amazonaws.com"),
            ("eusc-de-east-1", "amazonaws.eu"),
        ] {
            assert_eq!(domain(region), expected);
        }
    }

    #[test]
    fn a_path_leads_to_no_other_host() {
        let base = Url::parse("https://b.s3.eu-west-1.amazonaws.com/").unwrap();
        for (path, expected) in [
            ("/a%20b/c?list-type=2&prefix=x", Some("https://b.s3.eu-west-1.amazonaws.com/a%20b/c?list-type=2&prefix=x")),
            ("//evil.example/x", Some("https://b.s3.eu-west-1.amazonaws.com//evil.example/x")),
            ("///x", Some("https://b.s3.eu-west-1.amazonaws.com///x")),
            ("/a/../b", None),
            ("/./b", None),
            ("/a/%2E%2e/b", None),
            ("/a b", None),
        ] {
            assert_eq!(at_path(&base, path).ok().as_ref().map(Url::as_str), expected, "{path}");
        }
        assert!(is_label("my-logs-1") && !is_label("my.logs") && !is_label("x@y") && !is_label("My_Logs"));
    }

    #[test]
    fn faults_are_read_from_json_and_xml() {
        let answer = |body: &str| Answer { status: 400, retry_after: None, request_id: Some("r-1".to_owned()), body: body.to_owned() };
        for (body, expected) in [
            (r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no queue"}"#, "QueueDoesNotExist: no queue"),
            (
                "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>no topic</Message></Error></ErrorResponse>",
                "NotFound: no topic",
            ),
            ("", ""),
        ] {
            assert_eq!(fault(&answer(body)), expected);
        }
        let reason = "the destination answered 400: NotFound (request r-1)".to_owned();
        assert_eq!(verdict(&answer("<Code>NotFound</Code>")), Attempt::Failed { reason, retry_after: None });
    }

    #[test]
    fn a_request_is_signed() {
        let url = Url::parse("https://sqs.eu-west-1.amazonaws.com/").unwrap();
        let request = Request::json(url.clone(), &serde_json::json!({}));
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("session".to_owned()), None, "test");
        let headers = signature(&url, &request, "eu-west-1", "sqs", credentials).unwrap();
        let header = |name: &str| headers.iter().find(|(found, _)| found == name).unwrap().1.clone();
        assert!(
            header("authorization")
                .contains("/eu-west-1/sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token")
        );
        assert_eq!(header("x-amz-security-token"), "session");
    }
}
