//! Where events come from. A source hands batches to the driver and acknowledges them when the driver says that they are safe.

pub(crate) mod file;
pub(crate) mod http;
pub(crate) mod sqs;
