//! A log file, wherever it lies.

use std::ffi::OsStr;
use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use super::s3::{Fault, S3};

/// A log file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogFile {
    /// On this machine.
    Local(PathBuf),
    /// In S3.
    Object { bucket: Arc<str>, key: String },
}

/// Where it lies, as its user would name it.
impl Display for LogFile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Object { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

impl LogFile {
    /// Its name without its folders; empty where that is no text.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Local(path) => path.file_name().and_then(OsStr::to_str).unwrap_or_default(),
            Self::Object { key, .. } => key.rsplit('/').next().unwrap_or_default(),
        }
    }

    /// What it holds, as it lies there, into `packed`; of one that is larger than `most` bytes, `most`.
    ///
    /// # Errors
    ///
    /// Why it can not be read.
    pub(super) fn read(&self, most: u64, packed: &mut Vec<u8>) -> io::Result<()> {
        packed.clear();
        match self {
            Self::Local(path) => File::open(path)?.take(most).read_to_end(packed).map(drop),
            Self::Object { bucket, key } => {
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                let object = S3::shared().map_err(Fault::Other).and_then(|s3| s3.get(bucket, key, most));
                *packed = object.map_err(|fault| io::Error::other(fault.words().to_owned()))?.bytes;
                Ok(())
            }
        }
    }

    /// The name by which an index knows it, and the same with its version. CloudTrail writes an object once.
    ///
    /// # Errors
    ///
    /// Why it can not be looked at.
    pub(super) fn version(&self) -> io::Result<(String, String)> {
        match self {
            Self::Local(path) => {
                let metadata = std::fs::metadata(path)?;
                let changed = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
                let name = std::fs::canonicalize(path)?.display().to_string();
                let version = format!("{name}\t{}\t{changed}", metadata.len());
                Ok((name, version))
            }
            Self::Object { .. } => Ok((self.to_string(), self.to_string())),
        }
    }

    /// The name that a name with its version has ([`LogFile::version`]).
    pub(super) fn name_of(version: &str) -> &str {
        if version.starts_with("s3://") { version } else { version.rsplitn(3, '\t').last().unwrap_or(version) }
    }
}
