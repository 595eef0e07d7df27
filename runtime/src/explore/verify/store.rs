//! Where a trail's files lie: in S3, or in a folder that they were copied to.
//!
//! A folder stands for the bucket, whichever it was: a file lies at its key. What S3 keeps beside an object, its metadata, lies beside the file as `KEY.metadata.json`, as
//! `aws s3api head-object` prints it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::explore::s3::{Ask, Fault, Object, S3};

/// The end of the name of a file that holds the metadata of another.
const METADATA_END: &str = ".metadata.json";

/// Where a trail's files lie.
#[derive(Debug)]
pub(crate) enum Store {
    S3(&'static S3),
    Folder(PathBuf),
}

impl Store {
    /// An object, or its first `most` bytes.
    pub(super) fn get(&self, bucket: &str, key: &str, most: usize) -> Result<Object, Fault> {
        match self {
            Self::S3(s3) => s3.get(bucket, key, most),
            Self::Folder(folder) => file(&place(folder, key)?, most),
        }
    }

    /// The keys that begin with a prefix, which ends with a slash, and come after one, in their order, until `take` says that it is enough.
    pub(super) fn list(&self, bucket: &str, prefix: &str, after: &str, mut take: impl FnMut(&str) -> bool) -> Result<(), Fault> {
        match self {
            Self::S3(s3) => s3.list(bucket, &Ask { prefix, after: Some(after), ..Ask::default() }, take),
            Self::Folder(folder) => {
                let mut names = Vec::new();
                names_in(&place(folder, prefix)?, prefix, &mut names).map_err(|error| Fault::Other(error.to_string()))?;
                names.sort_unstable();
                let mut later = names.iter().filter(|name| name.as_str() > after);
                later.all(|name| take(name));
                Ok(())
            }
        }
    }

    /// Whether its files were copied.
    pub(super) fn is_copy(&self) -> bool {
        matches!(self, Self::Folder(_))
    }
}

/// Keys stand in digests that anybody may have written: none leads out of the folder.
fn place(folder: &Path, key: &str) -> Result<PathBuf, Fault> {
    let mut parts = key.split('/');
    let leads_out = key.starts_with('/') || parts.any(|part| matches!(part, ".." | "."));
    if leads_out { Err(Fault::NotFound("it leads out of the folder".to_owned())) } else { Ok(folder.join(key)) }
}

fn file(path: &Path, most: usize) -> Result<Object, Fault> {
    let fault = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Fault::NotFound(error.to_string()),
        _ => Fault::Other(error.to_string()),
    };
    let mut object = Object::default();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    File::open(path).map_err(fault)?.take(most).read_to_end(&mut object.bytes).map_err(fault)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(METADATA_END);
    if let Ok(text) = std::fs::read_to_string(beside) {
        object.metadata = metadata(&text);
    }
    Ok(object)
}

/// The texts of an answer's `Metadata`, or of an object that is the metadata itself.
fn metadata(text: &str) -> BTreeMap<String, String> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let members = value.get("Metadata").unwrap_or(&value).as_object();
    let texts = members.into_iter().flatten().filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned())));
    texts.collect()
}

fn names_in(folder: &Path, key: &str, names: &mut Vec<String>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = format!("{key}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            names_in(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_a_bucket() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::Folder(folder.path().to_owned());
        for (name, text) in
            [("a/2/x", "2x"), ("a/1/y", "1y"), ("a/1/y.metadata.json", "{\"Metadata\": {\"Signature\": \"ab\", \"n\": 1}}"), ("b", "")]
        {
            std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let list = |after: &str, first: bool| {
            let mut names = Vec::new();
            store
                .list("any", "a/", after, |name| {
                    names.push(name.to_owned());
                    !first
                })
                .unwrap();
            names
        };
        assert_eq!(list("", false), ["a/1/y", "a/1/y.metadata.json", "a/2/x"]);
        assert_eq!(list("", true), ["a/1/y"]);
        assert_eq!(list("a/1/y", false), ["a/1/y.metadata.json", "a/2/x"]);
        assert_eq!(store.list("any", "nowhere/", "", |_| true), Ok(()));
        let object = store.get("any", "a/1/y", 1).unwrap();
        assert_eq!((object.bytes.as_slice(), &object.metadata["signature"], object.metadata.len()), (b"1".as_slice(), &"ab".to_owned(), 1));
        assert!(store.get("any", "a/2/x", 9).unwrap().metadata.is_empty());
        for key in ["a/none", "../secret", "a/../../secret", "/etc/passwd"] {
            assert!(matches!(store.get("any", key, 9), Err(Fault::NotFound(_))), "{key}");
        }
        assert!(matches!(store.get("any", "a", 9), Err(Fault::Other(_))));
    }
}
