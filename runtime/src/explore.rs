//! Logs that lie somewhere: found, read side by side, and judged or searched. Nothing here acts on anything by itself.
//!
//! [`files`] finds log files and leaves out those whose names say that nothing in them is asked for; [`unpack`] reads one ([`log_file`], on this disk or in [`s3`]) whole, within bounds;
//! [`records`] cuts its text into records without reading them; [`reading`] does all that on every core and hands over what came of each file in
//! the order of the files; [`replay`] judges records by triggers; [`verify`] tells whether logs are as CloudTrail delivered them; [`dispatch`] hands events to a runtime that is at work.

pub(crate) mod dispatch;
pub(crate) mod files;
mod log_file;
mod reading;
mod records;
pub(crate) mod replay;
pub(crate) mod s3;
mod unpack;
pub(crate) mod verify;
