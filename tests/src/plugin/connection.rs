//! Terraform's side of the socket that a provider names in its handshake line: mutual TLS, and calls in protobuf.

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
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use super::Failure;
use super::message::{Empty, Schemas};

/// The largest message, as Terraform has it.
const MOST_BYTES: usize = 256 << 20;

/// Terraform's side of mutual TLS: a certificate on P-521, as go-plugin makes one.
pub struct Client {
    /// The certificate, for `PLUGIN_CLIENT_CERT`.
    pub pem: String,
    certificate: CertificateDer<'static>,
    key: rcgen::KeyPair,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// A client with a new certificate.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn new() -> Result<Self, Failure> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512)?;
        let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&key)?;
        Ok(Self { pem: certificate.pem(), certificate: certificate.der().clone(), key })
    }

    /// Connects to the provider that said this and asks for its schema.
    ///
    /// # Errors
    /// When the line is no handshake, or the provider does not answer.
    pub async fn get_schema(&self, handshake: &str) -> Result<(), Failure> {
        let schemas: Schemas = self.connect(handshake).await?.call("GetSchema", Empty {}).await?;
        if schemas.provider.is_some() { Ok(()) } else { Err("the provider sent no schema".into()) }
    }

    /// Connects to the provider that said this.
    pub(super) async fn connect(&self, handshake: &str) -> Result<Connection, Failure> {
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
        Ok(Connection(Endpoint::from_static("http://localhost").connect_with_connector(connect).await?))
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

/// A connection to a provider.
#[derive(Clone, Debug)]
pub(super) struct Connection(Channel);

impl Connection {
    /// One call of the provider.
    pub(super) async fn call<Q, A>(&self, method: &str, request: Q) -> Result<A, Failure>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let mut grpc = tonic::client::Grpc::new(self.0.clone()).max_decoding_message_size(MOST_BYTES).max_encoding_message_size(MOST_BYTES);
        grpc.ready().await?;
        let path: http::uri::PathAndQuery = format!("/tfplugin5.Provider/{method}").parse()?;
        Ok(grpc.unary(Request::new(request), path, ProstCodec::<Q, A>::default()).await?.into_inner())
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
