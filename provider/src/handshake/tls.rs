//! Mutual TLS with exactly one client: the one whose certificate Terraform put into our environment.
//!
//! Terraform makes a self-signed certificate for itself and calls it an authority, which certificate path validation rightly refuses as a client's. So
//! nothing is validated here but what matters: the certificate is byte for byte the one we were given, and the client signs with its key. The key is on
//! curve P-521, which is why the cryptography is aws-lc-rs.

use std::io;
use std::sync::Arc;

use base64::Engine;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

/// The name that go-plugin's client asks for.
const SERVER_NAME: &str = "localhost";

/// Our side of the connection: a key of our own, made anew in every process.
pub(super) struct Identity {
    pub(super) acceptor: TlsAcceptor,
    /// Our certificate as the handshake line carries it: DER in base64 without padding.
    pub(super) certificate_base64: String,
}

impl Identity {
    /// An identity that talks to the holder of this certificate (PEM) alone.
    pub(super) fn pinned_to(client_pem: &str) -> io::Result<Identity> {
        let client = CertificateDer::from_pem_slice(client_pem.as_bytes()).map_err(io::Error::other)?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()]).map_err(io::Error::other)?;
        // The client takes our certificate as its only authority.
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key).map_err(io::Error::other)?;
        let private_key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let config = config(client, certificate.der().clone(), private_key).map_err(io::Error::other)?;
        let certificate_base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(certificate.der());
        Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), certificate_base64 })
    }
}

fn config(client: CertificateDer<'static>, own: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Pinned { client, algorithms: provider.signature_verification_algorithms };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(vec![own], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Accepts one certificate.
#[derive(Debug)]
struct Pinned {
    client: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if *end_entity == self.client {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
