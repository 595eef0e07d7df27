//! Region, credentials and HTTP client, found as the SDK finds them but bounded in time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig as SdkProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, imds};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::failure::{Failure, chain};
use crate::cloud::error::Kind;
use crate::config::{AssumeRole, ProviderConfig, Secret};

/// How long opening a connection may take: an address that does not answer is named soon.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one attempt may take. Listing rules pages through at most a few hundred.
const ATTEMPT: Duration = Duration::from_secs(20);
/// How long finding credentials may take, files, processes and metadata services together.
const CREDENTIALS: Duration = Duration::from_secs(15);
/// How long the instance metadata service may take; anywhere else than on EC2 nobody answers.
const METADATA: Duration = Duration::from_secs(1);

/// The region that is home unless a resource says otherwise: the provider block, the environment, the profile.
pub(super) async fn region(config: &ProviderConfig) -> Result<String, Failure> {
    if let Some(region) = &config.region {
        return Ok(region.clone());
    }
    if let Some(region) = EnvironmentVariableRegionProvider::new().region().await {
        return Ok(region.to_string());
    }
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &config.profile {
        profile = profile.profile_name(name);
    }
    let region = profile.build().region().await;
    region.map(|region| region.to_string()).ok_or_else(|| {
        Failure::ours(
            Kind::Configuration,
            "no AWS region is configured: set `region` in the provider block, AWS_REGION, or the profile's region",
        )
    })
}

/// What every client is made from.
#[derive(Debug)]
pub(super) struct Base {
    /// Credentials, HTTP client, timeouts. Retries are ours.
    pub(super) sdk: SdkConfig,
    /// The account that the credentials say they are of; most do not say.
    pub(super) account: Option<String>,
}

/// Finds credentials and makes what every client is made from.
pub(super) async fn base(config: &ProviderConfig) -> Result<Base, Failure> {
    let region = Region::new(region(config).await?);
    let http = http_client(config)?;
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.clone())
        .http_client(http.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .app_name_opt();
    if let Some(profile) = &config.profile {
        loader = loader.profile_name(profile);
    }
    let credentials = credentials(config, &region, http).await;
    let base = loader.credentials_provider(credentials.clone()).load().await;
    let provider = match &config.assume_role {
        Some(role) => assume(config, role, credentials, &base).await,
        None => credentials,
    };
    // Asked once here, so that missing credentials are named as such and not as a failed call.
    let found = tokio::time::timeout(CREDENTIALS, provider.provide_credentials()).await;
    match found {
        Ok(Ok(found)) => Ok(Base {
            account: found.account_id().map(|id| id.as_str().to_owned()),
            sdk: base.into_builder().credentials_provider(SharedCredentialsProvider::new(Found::new(found, provider))).build(),
        }),
        Ok(Err(error)) => Err(Failure::ours(Kind::NoCredentials, chain(&error))),
        Err(_) => {
            Err(Failure::ours(Kind::NoCredentials, format!("finding credentials took longer than {} seconds", CREDENTIALS.as_secs())))
        }
    }
}

/// Credentials that were found already, given away once; the SDK keeps them until they expire. A role is so assumed once, and a second factor asked for once.
#[derive(Debug)]
struct Found {
    first: Mutex<Option<Credentials>>,
    provider: SharedCredentialsProvider,
}

impl Found {
    fn new(first: Credentials, provider: SharedCredentialsProvider) -> Self {
        Self { first: Mutex::new(Some(first)), provider }
    }
}

impl ProvideCredentials for Found {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(first) => future::ProvideCredentials::ready(Ok(first)),
            None => self.provider.provide_credentials(),
        }
    }
}

trait AppName {
    fn app_name_opt(self) -> Self;
}

impl AppName for aws_config::ConfigLoader {
    fn app_name_opt(self) -> Self {
        match aws_types::app_name::AppName::new("trailwire") {
            Ok(name) => self.app_name(name),
            Err(_) => self,
        }
    }
}

async fn credentials(config: &ProviderConfig, region: &Region, http: SharedHttpClient) -> SharedCredentialsProvider {
    if let (Some(access), Some(secret)) = (&config.access_key, &config.secret_key) {
        let token = config.token.as_ref().map(|token| Secret::expose(token).to_owned());
        return SharedCredentialsProvider::new(Credentials::new(access, secret.expose(), token, None, "provider block"));
    }
    let sdk = SdkProviderConfig::default().with_http_client(http).with_region(Some(region.clone()));
    let metadata = imds::Client::builder().configure(&sdk).max_attempts(1).connect_timeout(METADATA).read_timeout(METADATA).build();
    let mut chain = DefaultCredentialsChain::builder().configure(sdk).region(region.clone()).imds_client(metadata);
    if let Some(profile) = &config.profile {
        chain = chain.profile_name(profile);
    }
    SharedCredentialsProvider::new(chain.build().await)
}

async fn assume(
    config: &ProviderConfig,
    role: &AssumeRole,
    credentials: SharedCredentialsProvider,
    base: &SdkConfig,
) -> SharedCredentialsProvider {
    let base = match config.endpoints.get("sts") {
        Some(url) => base.to_builder().endpoint_url(url).build(),
        None => base.clone(),
    };
    let mut provider =
        AssumeRoleProvider::builder(&role.role_arn).configure(&base).session_name(role.session_name.as_deref().unwrap_or("trailwire"));
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    if let Some(duration) = role.duration {
        provider = provider.session_length(duration);
    }
    SharedCredentialsProvider::new(provider.build_from_provider(credentials).await)
}

/// One client for everything: its connections and the trusted certificates are shared by all regions. Proxies come from the environment.
fn http_client(config: &ProviderConfig) -> Result<SharedHttpClient, Failure> {
    let mut trusted = TrustStore::default();
    if let Some(path) = &config.custom_ca_bundle {
        let wrong = |what: &str| Failure::ours(Kind::Configuration, format!("`custom_ca_bundle` {what}: {path}"));
        let pem = std::fs::read(path).map_err(|error| wrong(&format!("cannot be read ({error})")))?;
        check_certificates(&pem).map_err(|what| wrong(&what))?;
        trusted = trusted.with_pem_certificate(pem);
    }
    let context = TlsContext::builder().with_trust_store(trusted).build();
    let context = context.map_err(|error| Failure::ours(Kind::Configuration, format!("TLS cannot be set up: {}", chain(&error))))?;
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc)).tls_context(context.clone()).build()
    });
    Ok(client)
}

/// Whether this is PEM with certificates that can be authorities. The SDK takes that for granted and panics where it is not so.
fn check_certificates(pem: &[u8]) -> Result<(), String> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("holds a certificate that cannot be read ({error})"))?;
        store.add(certificate).map_err(|error| format!("holds a certificate that cannot be used ({error})"))?;
    }
    if store.is_empty() { Err("holds no PEM certificate".to_owned()) } else { Ok(()) }
}
