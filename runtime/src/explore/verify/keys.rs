//! The public keys by which CloudTrail's signatures are checked: asked of CloudTrail, or saved before.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::calls::CloudTrail;
use super::trail::Trail;

/// Keys by their fingerprint; in PKCS #1, as `ListPublicKeys` gives them.
type Known = BTreeMap<String, Vec<u8>>;

/// Public keys, and where more come from.
#[derive(Debug)]
pub(crate) struct Keys<'c> {
    known: Known,
    cloudtrail: Option<CloudTrail<'c>>,
    /// Times of backfill digests that were asked about.
    asked: BTreeSet<Timestamp>,
}

impl<'c> Keys<'c> {
    /// Keys that were saved: what `aws cloudtrail list-public-keys` printed, one answer or several.
    ///
    /// # Errors
    ///
    /// In words: it is not that.
    pub(crate) fn saved(texts: &[String]) -> Result<Self, String> {
        let mut known = Known::new();
        for text in texts {
            let answer: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
            let listed = answer.get("PublicKeyList").and_then(Value::as_array);
            known.extend(read(listed.ok_or("it has no `PublicKeyList`")?)?);
        }
        if known.is_empty() {
            Err("there is no key in it".to_owned())
        } else {
            Ok(Self { known, cloudtrail: None, asked: BTreeSet::new() })
        }
    }

    /// The keys that were in use from one time to another, and where more are asked for.
    ///
    /// # Errors
    ///
    /// In words: what CloudTrail says, or that there are none.
    pub(crate) fn ask(cloudtrail: CloudTrail<'c>, trail: &Trail, from: Timestamp, to: Timestamp) -> Result<Self, String> {
        let mut keys = Self { known: Known::new(), cloudtrail: Some(cloudtrail), asked: BTreeSet::new() };
        keys.add(trail, from, to)?;
        if keys.known.is_empty() {
            return Err(format!("No public keys found between {} and {}", display(from), display(to)));
        }
        Ok(keys)
    }

    /// A key by its fingerprint. Of a backfill digest, the time of its making tells when its key was in use.
    ///
    /// # Errors
    ///
    /// In words: what CloudTrail says.
    pub(super) fn get(&mut self, trail: &Trail, fingerprint: &str, generated: Option<Timestamp>) -> Result<Option<&[u8]>, String> {
        if let Some(generated) = generated.filter(|generated| !self.known.contains_key(fingerprint) && self.asked.insert(*generated)) {
            let hour = SignedDuration::from_hours(1);
            let around = generated.checked_sub(hour).ok().zip(generated.checked_add(hour).ok());
            if let Some((from, to)) = around {
                self.add(trail, from, to)?;
            }
        }
        Ok(self.known.get(fingerprint).map(Vec::as_slice))
    }

    /// Each region has keys of its own. The AWS CLI asks the region that it is set to, which may be the home of a trail of all regions: so both are asked.
    fn add(&mut self, trail: &Trail, from: Timestamp, to: Timestamp) -> Result<(), String> {
        let Some(cloudtrail) = &self.cloudtrail else { return Ok(()) };
        for region in BTreeSet::from([&trail.region, &trail.home]) {
            self.known.extend(read(&cloudtrail.public_keys(region, from, to)?)?);
        }
        Ok(())
    }
}

fn read(listed: &[Value]) -> Result<Known, String> {
    let key = |key: &Value| {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let (fingerprint, value) = text("Fingerprint").zip(text("Value"))?;
        Some((fingerprint.to_owned(), BASE64_STANDARD.decode(value).ok()?))
    };
    let known: Option<Known> = listed.iter().map(key).collect();
    known.ok_or_else(|| "a public key has no `Fingerprint`, or no `Value` in base64".to_owned())
}

/// A time as `aws cloudtrail validate-logs` writes it.
pub(super) fn display(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_keys_are_what_the_aws_cli_prints() {
        let list = |keys: &str| format!("{{\"PublicKeyList\": [{keys}]}}");
        let texts = [list("{\"Value\": \"AQI=\", \"Fingerprint\": \"a\", \"ValidityStartTime\": \"2026\"}"), list("")];
        let mut keys = Keys::saved(&texts).unwrap();
        let trail = Trail::of("arn:aws:cloudtrail:us-east-1:111122223333:trail/audit").unwrap();
        assert_eq!(keys.get(&trail, "a", None), Ok(Some([1, 2].as_slice())));
        assert_eq!(keys.get(&trail, "b", Some(Timestamp::UNIX_EPOCH)), Ok(None));
        for (text, expected) in [
            ("{}", "it has no `PublicKeyList`"),
            ("{\"PublicKeyList\": []}", "there is no key in it"),
            (
                "{\"PublicKeyList\": [{\"Value\": \"?\", \"Fingerprint\": \"a\"}]}",
                "a public key has no `Fingerprint`, or no `Value` in base64",
            ),
        ] {
            assert_eq!(Keys::saved(&[text.to_owned()]).unwrap_err(), expected, "{text}");
        }
        assert!(Keys::saved(&["x".to_owned()]).unwrap_err().starts_with("not JSON: "));
    }
}
