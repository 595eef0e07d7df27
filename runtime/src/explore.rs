//! Logs that lie somewhere: found, read side by side, and judged or searched. Nothing here acts on anything by itself.
//!
//! [`files`] finds log files and leaves out those whose names say that nothing in them is asked for; [`unpack`] reads one ([`log_file`], on this disk or in [`s3`]) whole, within bounds;
//! [`records`] cuts its text into records without reading them; [`scan`] hands over those that may be wanted; [`reading`] does all that on every core and
//! hands over what came of each file in the order of the files. [`replay`] judges records by triggers; [`verify`]
//! tells whether logs are as CloudTrail delivered them; [`parquet`] and [`bulk`] write events for other engines; [`dispatch`] hands events to a runtime that is at work. [`ui`] shows logs on a page.
//!
//! [`search`] judges records by a search: [`judge`] from their bytes, of which [`sieve`] tells most that cannot be found. [`column`] is what is shown of an
//! event, [`session`] finds what was done in a role's sessions, [`newest`] keeps some of many, [`words`] reads times in words, and [`hints`] finds the field that may have been meant. [`index`] finds the same
//! in a moment where logs are many and are searched often.

mod brackets;
pub(crate) mod bulk;
pub(crate) mod column;
pub(crate) mod dispatch;
pub(crate) mod files;
pub(crate) mod hints;
pub(crate) mod index;
pub(crate) mod judge;
mod log_file;
pub(crate) mod newest;
pub(crate) mod parquet;
mod reading;
mod records;
pub(crate) mod replay;
pub(crate) mod s3;
pub(crate) mod scan;
pub(crate) mod search;
pub(crate) mod session;
mod sieve;
pub(crate) mod ui;
mod unpack;
pub(crate) mod verify;
pub(crate) mod words;
