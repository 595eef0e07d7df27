//! Trails with digests of their own, signed by a key of their own: whole, and with whatever can be wrong with them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::digest::hex;
use super::*;

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

const ARN: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit";
const BUCKET: &str = "logs";
const FINGERPRINT: &str = "31e8b5433410dfb61a9dc45cc65b22ff";

/// One for all tests: making one takes long.
fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn public_keys() -> String {
    let value = BASE64_STANDARD.encode(key().public_key().as_ref());
    json!({"PublicKeyList": [{"Value": value, "ValidityStartTime": "2026-01-01T00:00:00Z", "ValidityEndTime": "2026-12-01T00:00:00Z", "Fingerprint": FINGERPRINT}]})
        .to_string()
}

/// Midnight, and so many minutes.
fn at(minutes: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

fn log_key(minutes: i64, number: u32) -> String {
    let time = at(minutes);
    format!(
        "AWSLogs/111122223333/CloudTrail/us-east-1/{}/111122223333_CloudTrail_us-east-1_{}_{number:016}.json.gz",
        time.strftime("%Y/%m/%d"),
        time.strftime("%Y%m%dT%H%MZ")
    )
}

fn digest_key(end: i64, tail: &str) -> String {
    let time = at(end);
    format!(
        "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/{}/111122223333_CloudTrail-Digest_us-east-1_audit_us-east-1_{}{tail}.json.gz",
        time.strftime("%Y/%m/%d"),
        time.strftime("%Y%m%dT%H%M%SZ")
    )
}

/// A bucket, as a folder.
struct Bucket {
    folder: tempfile::TempDir,
    /// Key and signature of the newest digest of each chain.
    last: BTreeMap<&'static str, (String, String)>,
}

impl Bucket {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), last: BTreeMap::new() }
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        let path = self.folder.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn path(&self, key: &str) -> std::path::PathBuf {
        self.folder.path().join(key)
    }

    /// Two logs, and the digest of the hour that ends here.
    fn hour(&mut self, end: i64, tail: &'static str) -> &mut Self {
        let logs: Vec<Value> = [1, 2]
            .map(|number| {
                let text = format!("{{\"Records\":[{{\"eventID\":\"{end}{tail}-{number}\"}}]}}");
                let key = log_key(end - 60 + i64::from(number) * 10, number + if tail.is_empty() { 0 } else { 10 });
                self.put(&key, &gzip(text.as_bytes()));
                json!({"s3Bucket": BUCKET, "s3Object": key, "hashValue": hex(&Sha256::digest(text)), "hashAlgorithm": "SHA-256"})
            })
            .to_vec();
        let key = digest_key(end, tail);
        let previous = self.last.get(tail).cloned();
        self.digest(&key, end, &logs, previous, tail)
    }

    fn digest(&mut self, key: &str, end: i64, logs: &[Value], previous: Option<(String, String)>, tail: &'static str) -> &mut Self {
        let (before, before_signature) = previous.unzip();
        let ends = display(at(end));
        let digest = json!({
            "awsAccountId": "111122223333", "digestStartTime": display(at(end - 60)), "digestEndTime": ends, "digestS3Bucket": BUCKET,
            "digestS3Object": key, "digestPublicKeyFingerprint": FINGERPRINT, "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Bucket": before.as_ref().map(|_| BUCKET), "previousDigestS3Object": before, "previousDigestHashAlgorithm": "SHA-256",
            "previousDigestSignature": before_signature, "logFiles": logs,
        });
        let text = digest.to_string();
        let previous = before_signature.unwrap_or_else(|| "null".to_owned());
        let signed = format!("{ends}\n{BUCKET}/{key}\n{}\n{previous}", hex(&Sha256::digest(&text)));
        let mut signature = vec![0; self::key().public_modulus_len()];
        self::key().sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        let signature = hex(&signature);
        self.put(key, &gzip(text.as_bytes()));
        let mut metadata = json!({"signature": signature, "signature-algorithm": "SHA256withRSA"});
        if !tail.is_empty() {
            metadata["backfill-generation-timestamp"] = json!("2026-03-02T00:00:00Z");
        }
        self.put(&format!("{key}.metadata.json"), json!({"ContentLength": 1, "Metadata": metadata}).to_string().as_bytes());
        self.last.insert(tail, (key.to_owned(), signature));
        self
    }

    /// Three hours.
    fn whole() -> Self {
        let mut bucket = Self::new();
        bucket.hour(60, "").hour(120, "").hour(180, "");
        bucket
    }

    fn change(&self, key: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        self.put(key, &change(std::fs::read(self.path(key)).unwrap()));
    }

    fn copy(&self, from: &str, to: &str) {
        self.put(to, &std::fs::read(self.path(from)).unwrap());
    }

    fn remove(&self, key: &str) {
        std::fs::remove_file(self.path(key)).unwrap();
    }

    /// What is told of the first four hours: lines, with keys in short, and the last words.
    fn told(&self) -> (Vec<String>, Vec<String>) {
        told(self.folder.path(), Some(BUCKET))
    }
}

fn told(folder: &Path, bucket: Option<&str>) -> (Vec<String>, Vec<String>) {
    let trail = Trail::of(ARN).unwrap();
    let store = Store::Folder(folder.to_owned());
    let asked = Asked { trail: &trail, store: &store, bucket, from: at(0), to: at(240), now: at(300) };
    let mut keys = Keys::saved(&[public_keys()]).unwrap();
    let mut lines = Vec::new();
    let totals = verify(&asked, &mut keys, |told| lines.push(told.line())).unwrap();
    let short = [
        ("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/111122223333_CloudTrail_us-east-1_", "LOG_"),
        (
            "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/111122223333_CloudTrail-Digest_us-east-1_audit_us-east-1_",
            "DIGEST_",
        ),
        ("_00000000000000", "_"),
    ];
    let lines = lines.iter().map(|line| short.iter().fold(line.clone(), |line, (long, short)| line.replace(long, short)));
    (lines.collect(), totals.lines(at(0), at(240)))
}

const WHOLE: [&str; 9] = [
    "Digest file\ts3://logs/DIGEST_20260301T030000Z.json.gz\tvalid",
    "Log file\ts3://logs/LOG_20260301T0210Z_01.json.gz\tvalid",
    "Log file\ts3://logs/LOG_20260301T0220Z_02.json.gz\tvalid",
    "Digest file\ts3://logs/DIGEST_20260301T020000Z.json.gz\tvalid",
    "Log file\ts3://logs/LOG_20260301T0110Z_01.json.gz\tvalid",
    "Log file\ts3://logs/LOG_20260301T0120Z_02.json.gz\tvalid",
    "Digest file\ts3://logs/DIGEST_20260301T010000Z.json.gz\tvalid",
    "Log file\ts3://logs/LOG_20260301T0010Z_01.json.gz\tvalid",
    "Log file\ts3://logs/LOG_20260301T0020Z_02.json.gz\tvalid",
];
const REQUESTED: &str = "Results requested for 2026-03-01T00:00:00Z to 2026-03-01T04:00:00Z";
const FOUND: &str = "Results found for 2026-03-01T00:00:00Z to 2026-03-01T03:00:00Z:";

/// The lines of a whole trail with others in place of some, in their order; an empty one stands for none.
fn instead(changes: &[(usize, &str)]) -> Vec<String> {
    let changed =
        |(at, line): (usize, &&'static str)| changes.iter().find(|(index, _)| *index == at).map_or(*line, |(_, line)| line).to_owned();
    WHOLE.iter().enumerate().map(changed).filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_whole_trail_is_valid() {
    let bucket = Bucket::whole();
    let summary = [REQUESTED, FOUND, "", "3/3 digest files valid", "6/6 log files valid"].map(str::to_owned).to_vec();
    assert_eq!(bucket.told(), (instead(&[]), summary.clone()));
    assert_eq!(told(bucket.folder.path(), None), (instead(&[]), summary));
}

#[test]
fn logs_that_are_not_what_was_delivered_are_told() {
    let log = log_key(70, 1);
    type Change = fn(Vec<u8>) -> Vec<u8>;
    let cases: [(Change, &str); 6] = [
        (|_| gzip(b"{\"Records\":[]}"), "hash value doesn't match"),
        (|bytes| [bytes.as_slice(), b"more"].concat(), "unexpected data after end of compressed stream"),
        (|bytes| [bytes, gzip(b"{\"Records\":[]}")].concat(), "unexpected data after end of compressed stream"),
        (|_| b"{\"Records\":[]}".to_vec(), "invalid format"),
        (|bytes| bytes[..bytes.len() / 2].to_vec(), "hash value doesn't match"),
        (|bytes| bytes[..bytes.len() - 4].to_vec(), "invalid format"),
    ];
    let summary =
        [REQUESTED, FOUND, "", "3/3 digest files valid", "5/6 log files valid, 1/6 log files INVALID"].map(str::to_owned).to_vec();
    let bucket = Bucket::whole();
    let whole = std::fs::read(bucket.path(&log)).unwrap();
    for (change, wrong) in cases {
        let line = format!("Log file\ts3://logs/LOG_20260301T0110Z_01.json.gz\tINVALID: {wrong}");
        bucket.change(&log, change);
        assert_eq!(bucket.told(), (instead(&[(4, &line)]), summary.clone()));
        bucket.put(&log, &whole);
    }
    let line = "Log file\ts3://logs/LOG_20260301T0110Z_01.json.gz\tINVALID: not found";
    bucket.remove(&log);
    assert_eq!(bucket.told(), (instead(&[(4, line)]), summary));
}

#[test]
fn digests_that_are_not_as_they_were_signed_are_told() {
    let middle = digest_key(120, "");
    let metadata = format!("{middle}.metadata.json");
    let other = || digest_key(60, "");
    type Break<'a> = &'a dyn Fn(&Bucket);
    let cases: [(Break<'_>, &str); 8] = [
        (&|bucket| bucket.copy(&other(), &middle), "has been moved from its original location"),
        (&|bucket| bucket.copy(&format!("{}.metadata.json", other()), &metadata), "signature verification failed"),
        (&|bucket| bucket.put(&metadata, b"{\"signature\":\"xy\",\"signature-algorithm\":\"\"}"), "signature verification failed"),
        (&|bucket| bucket.remove(&metadata), "signature verification failed: there is no file beside it with its metadata"),
        (&|bucket| bucket.put(&middle, b"{}"), "invalid format"),
        (&|bucket| bucket.put(&middle, &gzip(b"{}")), "invalid format"),
        (&|bucket| bucket.change(&middle, |bytes| [bytes.as_slice(), b"x"].concat()), "invalid format"),
        (&|bucket| bucket.remove(&middle), "not found"),
    ];
    for (break_it, wrong) in cases {
        let bucket = Bucket::whole();
        break_it(&bucket);
        let line = format!("Digest file\ts3://logs/DIGEST_20260301T020000Z.json.gz\tINVALID: {wrong}");
        let summary =
            [REQUESTED, FOUND, "", "2/3 digest files valid, 1/3 digest files INVALID", "4/4 log files valid"].map(str::to_owned).to_vec();
        assert_eq!(bucket.told(), (instead(&[(3, &line), (4, ""), (5, "")]), summary), "{wrong}");
    }
}

#[test]
fn a_key_that_nobody_knows_is_told() {
    let bucket = Bucket::whole();
    let newest = digest_key(180, "");
    let text = "{\"digestPublicKeyFingerprint\":\"ab\",\"digestS3Bucket\":\"logs\",\"digestS3Object\":KEY,\"previousDigestSignature\":null,\"digestEndTime\":\"\",\"digestStartTime\":\"\"}";
    bucket.put(&newest, &gzip(text.replace("KEY", &json!(newest).to_string()).as_bytes()));
    let line =
        "Digest file\ts3://logs/DIGEST_20260301T030000Z.json.gz\tINVALID: public key not found in region us-east-1 for fingerprint ab";
    let mut expected = instead(&[(0, line), (1, ""), (2, "")]);
    // What it would have listed is in no digest that can be trusted.
    expected.extend(
        [
            "No digest file is there for the time between 2026-03-01T02:00:00Z and 2026-03-01T03:00:00Z",
            "Log file\ts3://logs/LOG_20260301T0210Z_01.json.gz\tUNLISTED: it is in no digest file",
            "Log file\ts3://logs/LOG_20260301T0220Z_02.json.gz\tUNLISTED: it is in no digest file",
        ]
        .map(str::to_owned),
    );
    assert_eq!(bucket.told().0, expected);
}

#[test]
fn a_gap_is_told_and_is_nothing_wrong() {
    let mut bucket = Bucket::new();
    bucket.hour(60, "");
    bucket.last.clear();
    bucket.hour(180, "");
    // While validation was off a log was delivered, and nobody vouches for it or says that it is wrong.
    bucket.put(&log_key(90, 7), b"");
    let gap = "No log files were delivered by CloudTrail between 2026-03-01T01:00:00Z and 2026-03-01T02:00:00Z";
    let summary = [REQUESTED, FOUND, "", "2/2 digest files valid", "4/4 log files valid"].map(str::to_owned).to_vec();
    assert_eq!(bucket.told(), (instead(&[(3, gap), (4, ""), (5, "")]), summary));
}

#[test]
fn backfill_digests_have_a_chain_of_their_own() {
    let mut bucket = Bucket::whole();
    bucket.hour(120, "_backfill").hour(180, "_backfill");
    let (lines, summary) = bucket.told();
    let digest =
        |hour: u32, verdict: &str| format!("(backfill) Digest file\ts3://logs/DIGEST_20260301T0{hour}0000Z_backfill.json.gz\t{verdict}");
    let log = |time: &str| format!("Log file\ts3://logs/LOG_20260301T{time}.json.gz\tvalid");
    let logs = [log("0210Z_11"), log("0220Z_12"), log("0110Z_11"), log("0120Z_12")];
    let [a, b, c, d] = logs.clone();
    assert_eq!(lines[..9], instead(&[]));
    assert_eq!(lines[9..], [digest(3, "valid"), a.clone(), b.clone(), digest(2, "valid"), c, d]);
    assert_eq!(summary[3..], ["3/3 digest files valid", "2/2 backfill digest files valid", "10/10 log files valid"]);
    // Without the time of its making nobody knows which key to ask for.
    bucket.put(
        &format!("{}.metadata.json", digest_key(120, "_backfill")),
        b"{\"Metadata\":{\"signature\":\"ab\",\"signature-algorithm\":\"SHA256withRSA\"}}",
    );
    let (lines, summary) = bucket.told();
    let unlisted =
        ["0110Z_11", "0120Z_12"].map(|time| format!("Log file\ts3://logs/LOG_20260301T{time}.json.gz\tUNLISTED: it is in no digest file"));
    let [c, d] = unlisted;
    assert_eq!(lines[9..], [digest(3, "valid"), a, b, digest(2, "INVALID: invalid format"), c, d]);
    assert_eq!(
        summary[3..],
        [
            "3/3 digest files valid",
            "1/2 backfill digest files valid, 1/2 backfill digest files INVALID",
            "8/8 log files valid",
            "2 log files UNLISTED"
        ]
    );
}

#[test]
fn logs_that_no_digest_lists_are_told() {
    let bucket = Bucket::whole();
    bucket.put(&log_key(75, 9), &gzip(b"{\"Records\":[]}"));
    // One that is named in the last minutes is in a digest to come.
    bucket.put(&log_key(170, 9), &gzip(b"{\"Records\":[]}"));
    let (lines, summary) = bucket.told();
    assert_eq!(lines[9..], ["Log file\ts3://logs/LOG_20260301T0115Z_09.json.gz\tUNLISTED: it is in no digest file"]);
    assert_eq!(summary[4..], ["6/6 log files valid", "1 log files UNLISTED"]);
}

#[test]
fn where_there_is_nothing_that_is_told() {
    let nothing = "No digest file is there for the time between 2026-03-01T00:00:00Z and 2026-03-01T03:00:00Z".to_owned();
    assert_eq!(Bucket::new().told(), (vec![nothing], vec![REQUESTED.to_owned(), "No digests found".to_owned()]));
    let mut bucket = Bucket::new();
    bucket.hour(60, "");
    bucket.put(&digest_key(60, ""), b"");
    let summary =
        [REQUESTED, "No valid digests found in range", "", "0/1 digest files valid, 1/1 digest files INVALID", "2 log files UNLISTED"];
    assert_eq!(bucket.told().1, summary);
}

/// What anybody may write into a bucket hides nothing: neither a day behind it, nor the digests before it, nor a forged log.
#[test]
fn planted_files_hide_nothing() {
    let planted = |folder: &str, time: &str| {
        format!(
            "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/{folder}/111122223333_CloudTrail-Digest_us-east-1_audit_us-east-1_{time}.json.gz"
        )
    };
    for (folder, time) in [("2026/03/01", "20990101T000000Z"), ("2026/02/28", "20990101T000000Z"), ("2026/03/01", "20260209T000000Z")] {
        let bucket = Bucket::whole();
        bucket.change(&log_key(70, 1), |_| gzip(b"{}"));
        let key = planted(folder, time);
        bucket.put(&key, b"any bytes");
        let lines = bucket.told().0;
        let changed = "Log file\ts3://logs/LOG_20260301T0110Z_01.json.gz\tINVALID: hash value doesn't match";
        let rest = instead(&[(4, changed)]);
        assert!(lines.ends_with(&rest), "{key}: {lines:#?}");
        assert_eq!(lines.len(), rest.len() + 1, "{key}: {lines:#?}");
        assert!(lines[0].ends_with("INVALID: has been moved from its original location"), "{key}: {lines:#?}");
    }
    let bucket = Bucket::whole();
    let folder = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/";
    bucket.put(&format!("{folder}111122223333_CloudTrail_us-east-1_20990101T0000Z_x.json.gz"), b"");
    bucket.put(&format!("{folder}forged.json.gz"), b"");
    let lines = bucket.told().0;
    assert_eq!(lines.iter().filter(|line| line.ends_with("UNLISTED: it is in no digest file")).count(), 2, "{lines:#?}");
}

#[test]
fn digests_that_are_gone_at_an_end_are_told() {
    let bucket = Bucket::whole();
    bucket.remove(&digest_key(180, ""));
    let trail = Trail::of(ARN).unwrap();
    let store = Store::Folder(bucket.folder.path().to_owned());
    let told = |from: i64| {
        let asked = Asked { trail: &trail, store: &store, bucket: Some(BUCKET), from: at(from), to: at(180), now: at(600) };
        let mut lines = Vec::new();
        let totals = verify(&asked, &mut Keys::saved(&[public_keys()]).unwrap(), |told| lines.push(told.line())).unwrap();
        (lines, totals)
    };
    let (lines, totals) = told(-60);
    assert_eq!(
        lines[6..8],
        [
            "No digest file is there for the time between 2026-02-28T23:00:00Z and 2026-03-01T00:00:00Z",
            "No digest file is there for the time between 2026-03-01T02:00:00Z and 2026-03-01T03:00:00Z",
        ]
    );
    assert_eq!((totals.digests.valid, totals.unlisted, totals.is_known()), (2, 2, true), "{lines:#?}");
    // Logs and digests both gone: nothing is known, and that is nothing to be content with.
    let (lines, totals) = told(125);
    assert_eq!((lines.len(), totals.unlisted, totals.is_known()), (3, 2, false), "{lines:#?}");
}

/// Only what is asked for is looked at: the chain goes on before it.
#[test]
fn the_walk_ends_where_nothing_more_is_asked_for() {
    let bucket = Bucket::whole();
    let trail = Trail::of(ARN).unwrap();
    let store = Store::Folder(bucket.folder.path().to_owned());
    let mut keys = Keys::saved(&[public_keys()]).unwrap();
    let asked = Asked { trail: &trail, store: &store, bucket: Some(BUCKET), from: at(121), to: at(125), now: at(300) };
    let totals = verify(&asked, &mut keys, |_| {}).unwrap();
    assert_eq!(totals.digests, Count { valid: 1, invalid: 0 });
    assert_eq!(totals.found, Some((at(121), at(125))));
}
