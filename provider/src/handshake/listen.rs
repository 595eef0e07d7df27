//! The socket and what comes in over it.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

/// The longest path that a Unix socket can have, less the closing zero.
const MAX_PATH_BYTES: usize = 107;

/// A listening socket in a directory that only this user can enter. Dropping it removes both.
pub(super) struct Socket {
    listener: std::os::unix::net::UnixListener,
    path: PathBuf,
    _directory: TempDir,
}

impl Socket {
    /// Listens in the temporary directory, or in `/tmp` when that has too long a name.
    pub(super) fn bind() -> io::Result<Socket> {
        let fits = |path: &Path| path.as_os_str().len() <= MAX_PATH_BYTES;
        let mut directory = directory_in(&std::env::temp_dir())?;
        if !fits(&directory.path().join("provider.sock")) {
            directory = directory_in(Path::new("/tmp"))?;
        }
        let path = directory.path().join("provider.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Socket { listener, path, _directory: directory })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn directory_in(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("trailwire-").permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

/// The connections that got through TLS, if there is any. A client that is refused costs a log line.
pub(super) fn connections(socket: &Socket, acceptor: Option<TlsAcceptor>) -> io::Result<ReceiverStream<io::Result<Connection>>> {
    let listener = UnixListener::from_std(socket.listener.try_clone()?)?;
    let (sender, receiver) = mpsc::channel(8);
    tokio::spawn(async move {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (acceptor, sender) = (acceptor.clone(), sender.clone());
            tokio::spawn(async move {
                match secured(stream, acceptor).await {
                    // Sending fails when the server is gone, and then nobody misses the connection.
                    Ok(connection) => drop(sender.send(Ok(connection)).await),
                    Err(error) => tracing::warn!(%error, "a client was refused"),
                }
            });
        }
    });
    Ok(ReceiverStream::new(receiver))
}

async fn secured(stream: tokio::net::UnixStream, acceptor: Option<TlsAcceptor>) -> io::Result<Connection> {
    Ok(Connection(match acceptor {
        Some(acceptor) => Box::new(acceptor.accept(stream).await?),
        None => Box::new(stream),
    }))
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection, with TLS or without.
pub(super) struct Connection(Box<dyn Duplex>);

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}
