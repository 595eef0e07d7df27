//! What Terraform does first with a provider that it has started: connect to the socket of the handshake line and ask for the schema.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use hyper_util::rt::TokioIo;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tonic::Request;
use tonic::transport::Endpoint;
use tonic_prost::ProstCodec;

use super::Failure;

/// Terraform's side of mutual TLS: a certificate on P-521, as go-plugin makes one.
pub(super) struct Client {
    pub(super) pem: String,
    certificate: CertificateDer<'static>,
    key: rcgen::KeyPair,
}

/// A message of which only it counts that it is there.
#[derive(Clone, PartialEq, prost::Message)]
struct Something {}

/// `GetProviderSchema.Response`, as far as it is looked at.
#[derive(Clone, PartialEq, prost::Message)]
struct Schemas {
    #[prost(message, optional, tag = "1")]
    provider: Option<Something>,
}

impl Client {
    pub(super) fn new() -> Result<Self, Failure> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512)?;
        let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&key)?;
        Ok(Self { pem: certificate.pem(), certificate: certificate.der().clone(), key })
    }

    /// Asks the provider that said this for its schema.
    pub(super) async fn get_schema(&self, handshake: &str) -> Result<(), Failure> {
        let fields: Vec<&str> = handshake.trim_end().split('|').collect();
        let [_, "5", "unix", socket, "grpc", certificate] = fields.as_slice() else {
            return Err(format!("the provider said {handshake:?}").into());
        };
        let server = CertificateDer::from(base64::engine::general_purpose::STANDARD_NO_PAD.decode(certificate)?);
        let (connector, socket) = (TlsConnector::from(Arc::new(self.tls(server)?)), PathBuf::from(socket));
        let connect = tower::service_fn(move |_: http::Uri| {
            let (connector, socket) = (connector.clone(), socket.clone());
            async move {
                let stream = UnixStream::connect(socket).await?;
                let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, stream).await?))
            }
        });
        let channel = Endpoint::from_static("http://localhost").connect_with_connector(connect).await?;
        let mut grpc = tonic::client::Grpc::new(channel);
        grpc.ready().await?;
        let codec = ProstCodec::<Something, Schemas>::default();
        let path = http::uri::PathAndQuery::from_static("/tfplugin5.Provider/GetSchema");
        let schemas = grpc.unary(Request::new(Something {}), path, codec).await?.into_inner();
        if schemas.provider.is_some() { Ok(()) } else { Err("the provider sent no schema".into()) }
    }

    fn tls(&self, server: CertificateDer<'static>) -> Result<ClientConfig, Failure> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = Arc::new(Shown { server: server.clone(), signatures: verifier_of_signatures(server, &provider)? });
        let key = PrivateKeyDer::try_from(self.key.serialize_der())?;
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = builder.with_client_auth_cert(vec![self.certificate.clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

fn verifier_of_signatures(
    server: CertificateDer<'static>,
    provider: &Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(server)?;
    Ok(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build()?)
}

/// Takes the certificate of the handshake line for the provider's, as go-plugin does.
#[derive(Debug)]
struct Shown {
    server: CertificateDer<'static>,
    signatures: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.server {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("another certificate than in the handshake line".to_owned()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signatures.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signatures.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.supported_verify_schemes()
    }
}
