//! A client of our own: what Terraform does, without Terraform.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use base64::Engine;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::net::UnixStream;
use tonic::codegen::http::Uri;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;
use trailwire_provider::handshake::{Invitation, serve};
use trailwire_provider::schema::Type;
use trailwire_provider::server::Server;
use trailwire_provider::value::Dynamic;
use trailwire_provider::wire::message::{ConfigureRequest, DiagnosticsResponse, DynamicValue};
use trailwire_provider::wire::{decode, encode};

use crate::fake;

/// A certificate as go-plugin makes one: self-signed, an authority, on P-521.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    der: CertificateDer<'static>,
    key: KeyPair,
}

impl Certificate {
    pub(crate) fn new() -> Certificate {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key).unwrap();
        Certificate { pem: certificate.pem(), der: certificate.der().clone(), key }
    }

    /// This certificate with another key: what somebody has who saw the certificate but not the key.
    pub(crate) fn stolen(&self) -> Certificate {
        Certificate { pem: self.pem.clone(), der: self.der.clone(), key: KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap() }
    }
}

/// The parts of a handshake line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) socket: PathBuf,
    certificate: Vec<u8>,
}

impl Line {
    pub(crate) fn read(text: &str) -> Line {
        let fields: Vec<&str> = text.trim_end().split('|').collect();
        assert_eq!((fields.len(), fields[0], fields[1], fields[2], fields[4]), (6, "1", "5", "unix", "grpc"), "{text}");
        Line { socket: fields[3].into(), certificate: base64::engine::general_purpose::STANDARD_NO_PAD.decode(fields[5]).unwrap() }
    }
}

/// A connection to a provider.
#[derive(Clone)]
pub(crate) struct Client(Channel);

impl Client {
    /// Connects without TLS.
    pub(crate) async fn plain(socket: &Path) -> Result<Client, tonic::transport::Error> {
        let socket = socket.to_owned();
        let connector = tower::service_fn(move |_: Uri| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        Ok(Client(endpoint().connect_with_connector(connector).await?))
    }

    /// Connects with TLS, checking the provider's certificate, with this one of our own or none.
    pub(crate) async fn secure(line: &Line, own: Option<&Certificate>) -> Result<Client, tonic::transport::Error> {
        let connector = tokio_rustls::TlsConnector::from(Arc::new(client_config(line, own)));
        let socket = line.socket.clone();
        let connector = tower::service_fn(move |_: Uri| {
            let (socket, connector) = (socket.clone(), connector.clone());
            async move {
                let stream = UnixStream::connect(socket).await?;
                let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await?;
                Ok::<_, io::Error>(TokioIo::new(stream))
            }
        });
        Ok(Client(endpoint().connect_with_connector(connector).await?))
    }

    /// One call of the provider.
    pub(crate) async fn call<Q, A>(&self, method: &str, request: Q) -> Result<A, Status>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        self.call_path(&format!("/tfplugin5.Provider/{method}"), request).await
    }

    /// One call of any service.
    pub(crate) async fn call_path<Q, A>(&self, path: &str, request: Q) -> Result<A, Status>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let limit = trailwire_provider::wire::service::MAX_MESSAGE_BYTES;
        let mut grpc = tonic::client::Grpc::new(self.0.clone()).max_decoding_message_size(limit).max_encoding_message_size(limit);
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let answer = grpc.unary(Request::new(request), path.parse().unwrap(), ProstCodec::<Q, A>::default()).await?;
        Ok(answer.into_inner())
    }

    /// Configures with an empty provider block.
    pub(crate) async fn configure(&self) {
        let answer: DiagnosticsResponse =
            self.call("Configure", ConfigureRequest { terraform_version: "1.11.4".to_owned(), config: None }).await.unwrap();
        assert_eq!(answer.diagnostics, []);
    }
}

fn endpoint() -> Endpoint {
    Endpoint::from_static("http://localhost").connect_timeout(Duration::from_secs(5)).timeout(Duration::from_secs(30))
}

fn client_config(line: &Line, own: Option<&Certificate>) -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Pinned(CertificateDer::from(line.certificate.clone()), provider.signature_verification_algorithms);
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match own {
        Some(own) => {
            let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
            let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
            // Built by hand, so that a certificate can be sent with a key that is not its own.
            let certified = rustls::sign::CertifiedKey::new(vec![own.der.clone()], signer);
            builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// Takes the certificate of the handshake line for the provider's. (Go takes it as an authority too, which rustls refuses an end entity to be.)
#[derive(Debug)]
struct Pinned(CertificateDer<'static>, WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        assert_eq!(*end_entity, self.0, "the provider shows another certificate than its handshake line");
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        panic!("the provider speaks TLS 1.2")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.1)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.supported_schemes()
    }
}

/// A provider in this process that offers the fake resource, without TLS; gone with the runtime.
pub(crate) async fn fake_provider() -> Client {
    let line = start(fake::server(), None).await;
    let client = Client::plain(&socket_of(&line)).await.unwrap();
    client.configure().await;
    client
}

/// Starts a provider in this process and returns its handshake line.
pub(crate) async fn start(server: Server, client_certificate: Option<String>) -> String {
    let (sender, receiver) = mpsc::channel();
    tokio::spawn(async move {
        let mut out = LineWriter { sender, written: Vec::new() };
        serve(Arc::new(server), &Invitation { client_certificate }, &mut out).await.unwrap();
    });
    tokio::task::spawn_blocking(move || receiver.recv_timeout(Duration::from_secs(10)).unwrap()).await.unwrap()
}

pub(crate) fn socket_of(line: &str) -> PathBuf {
    line.split('|').nth(3).unwrap().into()
}

/// Sends the first line that is written to it.
struct LineWriter {
    sender: mpsc::Sender<String>,
    written: Vec<u8>,
}

impl Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        drop(self.sender.send(String::from_utf8(self.written.clone()).unwrap()));
        Ok(())
    }
}

/// A value of the fake resource on the wire.
pub(crate) fn sent(value: &Dynamic) -> Option<DynamicValue> {
    Some(encode(value, &kind()).unwrap())
}

/// A value of the fake resource from the wire.
pub(crate) fn received(value: Option<DynamicValue>) -> Dynamic {
    decode(value.as_ref(), &kind()).unwrap()
}

fn kind() -> Type {
    fake::schema().block.implied_type()
}
