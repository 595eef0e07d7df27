//! The provider as Terraform meets it: over the socket, with and without the right certificate, with messages good and bad.

#![forbid(unsafe_code)]

mod client;
mod fake;
mod handshake;
mod hostile;
mod lifecycle;
mod process;
mod terraform;
