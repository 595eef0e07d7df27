//! A trail, and where CloudTrail puts what belongs to it.
//!
//! Digest files lie at `[PREFIX/]AWSLogs/[o-ID/]ACCOUNT/CloudTrail-Digest/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_YYYYMMDDTHHMMSSZ[_backfill].json.gz`,
//! where HOME is the trail's own region and REGION the one that the logs are of. Source: `awscli/customizations/cloudtrail/validation.py`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use trailwire_engine::fanout::names::is_account_id;

const NAME_TIME: &str = "%Y%m%dT%H%M%SZ";
const END: &str = ".json.gz";
const BACKFILL_END: &str = "_backfill.json.gz";
/// Letters of a time in a name.
const TIME: usize = 16;

/// The two chains that a trail's digests form: those of every hour, and those that CloudTrail made up for later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    Standard,
    Backfill,
}

/// The logs of one account and region of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trail {
    pub(crate) arn: String,
    pub(crate) name: String,
    /// The region that the trail belongs to.
    pub(crate) home: String,
    /// The region whose logs are looked at.
    pub(crate) region: String,
    /// The account whose logs are looked at.
    pub(crate) account: String,
    /// Of a trail of an organisation.
    pub(crate) organization: Option<String>,
    /// What stands before `AWSLogs/` in every key, with its slash.
    pub(crate) prefix: String,
}

impl Trail {
    /// The trail of this ARN (`arn:PARTITION:cloudtrail:REGION:ACCOUNT:trail/NAME`), of its own account and region, without a prefix.
    pub(crate) fn of(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "cloudtrail", home, account, trail] = parts.as_slice() else { return None };
        let name = trail.strip_prefix("trail/").filter(|name| !name.is_empty() && !name.contains('/'))?;
        (is_account_id(account) && !home.is_empty()).then(|| Self {
            arn: arn.to_owned(),
            name: name.to_owned(),
            home: (*home).to_owned(),
            region: (*home).to_owned(),
            account: (*account).to_owned(),
            organization: None,
            prefix: String::new(),
        })
    }

    /// The folder of digests or logs.
    fn folder(&self, kind: &str) -> String {
        let organization = self.organization.as_ref().map(|id| format!("{id}/")).unwrap_or_default();
        format!("{}AWSLogs/{organization}{}/{kind}/{}/", self.prefix, self.account, self.region)
    }

    pub(super) fn digests(&self) -> String {
        self.folder("CloudTrail-Digest")
    }

    pub(super) fn logs(&self) -> String {
        self.folder("CloudTrail")
    }

    /// What the names of digests begin with, behind the folder of their day.
    fn digest_name(&self) -> String {
        format!("{}_CloudTrail-Digest_{}_{}_{}_", self.account, self.region, self.name, self.home)
    }

    /// A key before which no digest of this time or later lies.
    pub(super) fn digest_before(&self, time: Timestamp) -> String {
        let time = time.checked_sub(SignedDuration::from_mins(1)).unwrap_or(time);
        format!("{}{}{}{}{END}", self.digests(), time.strftime("%Y/%m/%d/"), self.digest_name(), time.strftime(NAME_TIME))
    }

    /// A key behind which nothing of this time's day or of one before it lies, in a folder of digests or logs.
    pub(super) fn last_of_day(folder: &str, time: Timestamp) -> String {
        format!("{folder}{}", time.strftime("%Y/%m/%d/~"))
    }

    /// The time and chain that the key of a digest of this trail tells, and whether it lies in the folder of its day; `None` of another's, or of what is no digest.
    pub(super) fn digest(&self, key: &str) -> Option<(Timestamp, Chain, bool)> {
        let mut parts = key.strip_prefix(&self.digests())?.split('/');
        let date = [parts.next()?, parts.next()?, parts.next()?];
        let name = parts.next()?.strip_prefix(&self.digest_name())?;
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        (parts.next().is_none() && date.into_iter().all(is_number)).then_some(())?;
        let (time, chain) = time_of(name)?;
        Some((time, chain, time.strftime("%Y/%m/%d").to_string() == date.join("/")))
    }
}

/// The time and chain that the end of a digest's name tells.
pub(super) fn time_of(name: &str) -> Option<(Timestamp, Chain)> {
    let (bare, chain) = match name.strip_suffix(BACKFILL_END) {
        Some(bare) => (bare, Chain::Backfill),
        None => (name.strip_suffix(END)?, Chain::Standard),
    };
    let time = bare.get(bare.len().checked_sub(TIME)?..)?;
    let time = DateTime::strptime(NAME_TIME, time).ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some((time.timestamp(), chain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_a_trail() {
        let trail = Trail::of("arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit").unwrap();
        assert_eq!((trail.home.as_str(), trail.account.as_str(), trail.name.as_str()), ("eu-west-1", "111122223333", "audit"));
        for wrong in [
            "",
            "audit",
            "arn:aws:s3:eu-west-1:111122223333:trail/a",
            "arn:aws:cloudtrail:eu-west-1:1:trail/a",
            "arn:aws:cloudtrail:eu-west-1:111122223333:trail/",
        ] {
            assert_eq!(Trail::of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keys_tell_whose_digests_they_are() {
        let mut trail = Trail::of("arn:aws:cloudtrail:us-east-1:111122223333:trail/audit").unwrap();
        trail.region = "eu-west-1".to_owned();
        trail.prefix = "p/".to_owned();
        trail.organization = Some("o-abc".to_owned());
        let time: Timestamp = "2026-03-01T12:05:09Z".parse().unwrap();
        let folder = "p/AWSLogs/o-abc/111122223333/CloudTrail-Digest/eu-west-1/";
        let name = "111122223333_CloudTrail-Digest_eu-west-1_audit_us-east-1";
        assert_eq!(trail.digest_before(time), format!("{folder}2026/03/01/{name}_20260301T120409Z.json.gz"));
        for (key, expected) in [
            (format!("{folder}2026/03/01/{name}_20260301T120509Z.json.gz"), Some((time, Chain::Standard, true))),
            (format!("{folder}2026/03/01/{name}_20260301T120509Z_backfill.json.gz"), Some((time, Chain::Backfill, true))),
            (format!("{folder}2026/02/28/{name}_20260301T120509Z.json.gz"), Some((time, Chain::Standard, false))),
            (format!("{folder}2026/03/01/{name}2_20260301T120509Z.json.gz"), None),
            (format!("{folder}2026/03/{name}_20260301T120509Z.json.gz"), None),
            (format!("{folder}2026/03/01/more/{name}_20260301T120509Z.json.gz"), None),
            (format!("{folder}2026/03/01/{name}_soon.json.gz"), None),
            (format!("{folder}2026/03/01/{name}_20260301T120509Z.json"), None),
            (format!("AWSLogs/o-abc/111122223333/CloudTrail-Digest/eu-west-1/2026/03/01/{name}_20260301T120509Z.json.gz"), None),
        ] {
            assert_eq!(trail.digest(&key), expected, "{key}");
        }
    }
}
