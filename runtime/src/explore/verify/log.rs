//! One log file: whether it is what a digest lists.

use sha2::{Digest as _, Sha256};

use super::digest::{Listed, hex};
use super::inflate::{self, inflate};
use super::store::Store;
use crate::explore::unpack::LARGEST;

/// # Errors
///
/// What is wrong with it, as `aws cloudtrail validate-logs` words it.
pub(super) fn check(store: &Store, listed: &Listed) -> Result<(), String> {
    let object = store.get(&listed.bucket, &listed.key, LARGEST).map_err(super::unread)?;
    let mut hash = Sha256::new();
    let inflated = inflate(&object.bytes, |piece| hash.update(piece));
    let is_same = hex(&hash.finalize()) == listed.hash.to_lowercase();
    match (inflated, is_same) {
        (Ok(()), true) => Ok(()),
        (Err(inflate::Fault::Trailing), _) => Err("unexpected data after end of compressed stream".to_owned()),
        (Err(inflate::Fault::Broken), _) | (Err(inflate::Fault::CutOff), true) => Err("invalid format".to_owned()),
        (Ok(()) | Err(inflate::Fault::CutOff), false) => Err("hash value doesn't match".to_owned()),
    }
}
