//! How Terraform starts a provider and how the provider ends: go-plugin's handshake.
//!
//! Terraform starts the binary with a cookie, the protocol versions it speaks and its certificate in the environment. The provider answers with one line on
//! standard output that names a socket and its own certificate; then everything goes over that socket. Nothing else may go to standard output, and standard
//! error carries log lines.

mod invitation;
mod life;
mod listen;
pub mod log;
mod plugin;
mod socket;
mod tls;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tonic::transport::server::Router;

use crate::server::Server;
use crate::wire::service::Service;

pub use invitation::{Invitation, PROTOCOL, Refusal};

/// The address under which configurations name this provider.
pub const ADDRESS: &str = "registry.terraform.io/trailwire/trailwire";

/// Serves until Terraform says Shutdown, is gone, or the process is told to end. Writes the handshake line to `out`.
///
/// The socket is in a directory that only this user can enter; it is removed before this returns.
///
/// # Errors
/// No socket, or a client certificate that is none.
pub async fn serve(server: Arc<Server>, invitation: &Invitation, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let identity = invitation.client_certificate.as_deref().map(tls::Identity::pinned_to).transpose()?;
    let (socket, life) = (socket::Socket::bind()?, life::Life::of_parent());
    let line = handshake_line(socket.path(), identity.as_ref());
    let (acceptor, quit) = (identity.map(|identity| identity.acceptor), CancellationToken::new());
    writeln!(out, "{line}")?;
    out.flush()?;
    run(server, socket, acceptor, quit, life).await
}

/// Serves a Terraform that somebody else starts, for debuggers: writes the environment variable that makes Terraform come here. Without TLS, until interrupted.
///
/// # Errors
/// No socket.
pub async fn serve_debug(server: Arc<Server>, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let (socket, life) = (socket::Socket::bind()?, life::Life::of_user());
    let address = serde_json::json!({ "Network": "unix", "String": socket.path() });
    let process =
        serde_json::json!({ "Protocol": "grpc", "ProtocolVersion": PROTOCOL, "Pid": std::process::id(), "Test": true, "Addr": address });
    writeln!(out, "TF_REATTACH_PROVIDERS='{}'", serde_json::json!({ ADDRESS: process }))?;
    out.flush()?;
    run(server, socket, None, CancellationToken::new(), life).await
}

/// `1|5|unix|/path|grpc|CERT`: version of the handshake itself, of the protocol, address, transport, our certificate.
fn handshake_line(socket: &Path, identity: Option<&tls::Identity>) -> String {
    let certificate = identity.map(|identity| identity.certificate_base64.as_str()).unwrap_or_default();
    format!("1|{PROTOCOL}|unix|{}|grpc|{certificate}", socket.display())
}

async fn run(
    server: Arc<Server>,
    socket: socket::Socket,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    quit: CancellationToken,
    life: life::Life,
) -> io::Result<()> {
    let connections = listen::connections(&socket, acceptor)?;
    tokio::task::spawn_blocking(socket.sweeping());
    let served = router(Arc::clone(&server), &quit).serve_with_incoming_shutdown(connections, quit.clone().cancelled_owned());
    let ended = tokio::select! {
        served = served => served.map_err(io::Error::other),
        () = life.end(&server, &quit) => Ok(()),
    };
    life::settle(&server).await;
    ended
}

fn router(server: Arc<Server>, quit: &CancellationToken) -> Router {
    tonic::transport::Server::builder()
        .add_service(Service(server))
        .add_service(Service(plugin::Controller(quit.clone())))
        .add_service(Service(plugin::Stdio(quit.clone())))
        .add_service(Service(plugin::Broker(quit.clone())))
}
