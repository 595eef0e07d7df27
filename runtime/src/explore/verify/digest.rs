//! One digest file: whether it is CloudTrail's, and what it lists.
//!
//! What is signed is `END\nBUCKET/KEY\nHASH\nPREVIOUS`: the digest's end as it is written, where it lies, the SHA-256 of its text in hexadecimal, and the signature of the digest before
//! it or `null`; RSA, PKCS#1 v1.5, SHA-256. Source: AWS CloudTrail user guide, "Custom implementations of CloudTrail log file integrity validation".

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::inflate::inflate;
use super::keys::Keys;
use super::trail::{Chain, Trail};
use crate::explore::s3::Object;

/// Members that a digest has, whatever their value.
const REQUIRED: [&str; 6] =
    ["digestPublicKeyFingerprint", "digestS3Bucket", "digestS3Object", "previousDigestSignature", "digestEndTime", "digestStartTime"];
/// A digest lists what was delivered in an hour: some thousands of files at the most.
const LARGEST: usize = 256 << 20;

/// A digest that CloudTrail has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest {
    /// Where it lies, by its own word.
    pub(super) bucket: String,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Bucket and key of the digest before it.
    pub(super) previous: Option<(String, String)>,
    pub(super) logs: Vec<Listed>,
}

/// A log file, as a digest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) bucket: String,
    pub(super) key: String,
    /// SHA-256 of its text, in hexadecimal.
    pub(super) hash: String,
}

const FORMAT: &str = "invalid format";
/// It lies elsewhere than it says.
pub(super) const MOVED: &str = "has been moved from its original location";
const SIGNATURE: &str = "signature verification failed";

/// Checks a digest that lies in a bucket (`None`: whichever it says) under a key.
///
/// # Errors
///
/// What is wrong with it, as `aws cloudtrail validate-logs` words it.
pub(super) fn check(
    trail: &Trail,
    chain: Chain,
    (bucket, key): (Option<&str>, &str),
    object: &Object,
    keys: &mut Keys<'_>,
) -> Result<Digest, String> {
    let mut text = Vec::new();
    let inflated = inflate(&object.bytes, |piece| {
        if text.len() <= LARGEST {
            text.extend_from_slice(piece);
        }
    });
    let members: Option<Map<String, Value>> =
        inflated.ok().filter(|()| text.len() <= LARGEST).and_then(|()| serde_json::from_slice(&text).ok());
    let members = members.ok_or(FORMAT)?;
    let signature = object.metadata.get("signature").filter(|_| object.metadata.contains_key("signature-algorithm")).ok_or(SIGNATURE)?;
    let generated = match chain {
        Chain::Standard => None,
        Chain::Backfill => Some(time(object.metadata.get("backfill-generation-timestamp").map(String::as_str)).ok_or(FORMAT)?),
    };
    if !REQUIRED.iter().all(|name| members.contains_key(*name)) {
        return Err(FORMAT.to_owned());
    }
    let member = |name: &str| members.get(name).and_then(Value::as_str);
    let (told_bucket, told_key) = member("digestS3Bucket").zip(member("digestS3Object")).ok_or(FORMAT)?;
    if bucket.is_some_and(|bucket| bucket != told_bucket) || key != told_key {
        return Err(MOVED.to_owned());
    }
    let fingerprint = member("digestPublicKeyFingerprint").ok_or(FORMAT)?;
    let public = keys.get(trail, fingerprint, generated)?;
    let public = public.ok_or_else(|| format!("public key not found in region {} for fingerprint {fingerprint}", trail.home))?;
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
        .map_err(|_| format!("Unable to load PKCS #1 key with fingerprint {fingerprint}"))?;
    let previous = match members.get("previousDigestSignature") {
        Some(Value::String(previous)) => previous,
        Some(Value::Null) => "null",
        _ => return Err(FORMAT.to_owned()),
    };
    let end = member("digestEndTime").ok_or(FORMAT)?;
    let signed = format!("{end}\n{told_bucket}/{told_key}\n{}\n{previous}", hex(&Sha256::digest(&text)));
    public.verify_sig(signed.as_bytes(), &unhex(signature).ok_or(SIGNATURE)?).map_err(|_| SIGNATURE)?;
    let logs = members.get("logFiles").and_then(Value::as_array).ok_or(FORMAT)?.iter().map(listed).collect::<Option<_>>();
    Ok(Digest {
        bucket: told_bucket.to_owned(),
        start: time(member("digestStartTime")).ok_or(FORMAT)?,
        end: time(Some(end)).ok_or(FORMAT)?,
        previous: member("previousDigestS3Bucket")
            .zip(member("previousDigestS3Object"))
            .map(|(bucket, key)| (bucket.to_owned(), key.to_owned())),
        logs: logs.ok_or(FORMAT)?,
    })
}

fn listed(log: &Value) -> Option<Listed> {
    let text = |name: &str| log.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Listed { bucket: text("s3Bucket")?, key: text("s3Object")?, hash: text("hashValue")? })
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}
