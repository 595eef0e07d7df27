//! The provider as Terraform meets it: over the socket, with and without the right certificate, with messages good and bad.

#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic: that is how it fails"
)]

mod access;
mod client;
mod fake;
mod handshake;
mod hostile;
mod lifecycle;
mod process;
mod terraform;
