//! `trailwire replay` against `zcat | jq`, over the same logs and for the same question; and what else is asked of these logs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use super::{Failure, Figure, Promise, require, search};

/// Records, and files that they are in.
const RECORDS: usize = 200_000;
const FILES: usize = 100;
/// Each side is run so often, by turns; the least time counts.
pub(super) const PASSES: usize = 3;

/// How many times faster logs are replayed than unpacked and filtered by the usual tools, at least.
const RATIO: f64 = 15.0;

/// Event names with their services, the first ones asked for.
pub(super) const NAMES: [(&str, &str, &str); 16] = [
    ("CreateUser", "iam", "{\"userName\":\"u-@\"}"),
    ("StopLogging", "cloudtrail", "{\"name\":\"arn:aws:cloudtrail:us-east-1:111122223333:trail/t-@\"}"),
    ("AssumeRole", "sts", "{\"roleArn\":\"arn:aws:iam::111122223333:role/r-@\",\"roleSessionName\":\"s-@\",\"durationSeconds\":3600}"),
    ("DescribeInstances", "ec2", "{\"instancesSet\":{\"items\":[{\"instanceId\":\"i-@\"}]},\"filterSet\":{}}"),
    ("DescribeVolumes", "ec2", "{\"volumeSet\":{\"items\":[{\"volumeId\":\"vol-@\"}]},\"filterSet\":{}}"),
    (
        "RunInstances",
        "ec2",
        "{\"instancesSet\":{\"items\":[{\"imageId\":\"ami-@\",\"minCount\":1,\"maxCount\":1}]},\"instanceType\":\"m5.large\"}",
    ),
    ("GetBucketAcl", "s3", "{\"bucketName\":\"b-@\",\"Host\":\"b-@.s3.amazonaws.com\",\"acl\":\"\"}"),
    ("PutBucketPolicy", "s3", "{\"bucketName\":\"b-@\",\"bucketPolicy\":{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\"}]}}"),
    ("Decrypt", "kms", "{\"encryptionAlgorithm\":\"SYMMETRIC_DEFAULT\",\"encryptionContext\":{\"aws:s3:arn\":\"arn:aws:s3:::b-@\"}}"),
    ("GenerateDataKey", "kms", "{\"keyId\":\"alias/@\",\"keySpec\":\"AES_256\"}"),
    ("GetSecretValue", "secretsmanager", "{\"secretId\":\"s-@\"}"),
    ("CreateLogStream", "logs", "{\"logGroupName\":\"/aws/lambda/f-@\",\"logStreamName\":\"2026/03/01/[$LATEST]@\"}"),
    ("ListRoles", "iam", "null"),
    ("GetCallerIdentity", "sts", "null"),
    ("DescribeAlarms", "monitoring", "{\"maxRecords\":100}"),
    ("UpdateInstanceInformation", "ssm", "{\"instanceId\":\"i-@\",\"agentVersion\":\"3.3.1611.0\",\"agentStatus\":\"Active\"}"),
];

/// The figures of replaying.
pub(super) fn figures(program: &Path) -> Result<Vec<Figure>, Failure> {
    require(program)?;
    let folder = tempfile::tempdir()?;
    let plain = write(folder.path(), RECORDS)?;
    let definitions = folder.path().join("definitions.json");
    let asked = [NAMES[0].0, NAMES[1].0];
    let triggers =
        asked.map(|name| json!({"name": name.to_lowercase(), "event_names": [name], "action": [{"notify": [{"destinations": ["d"]}]}]}));
    let documents =
        json!({"format_version": 1, "triggers": triggers, "destinations": [{"name": "d", "webhook": [{"url": "https://example.com"}]}]});
    fs::write(&definitions, documents.to_string())?;
    let logs = folder.path().join("logs");
    let mut ours = Command::new(program);
    ours.arg("replay").arg(&logs).arg("--definitions").arg(&definitions).stderr(Stdio::null());
    let filter = format!(
        ".Records[] | select(.eventName == \"{}\" or .eventName == \"{}\") | [.eventID, .eventName, .eventTime, .recipientAccountId, .awsRegion]",
        asked[0], asked[1]
    );
    let mut theirs = Command::new("sh");
    theirs.args(["-c", "zcat \"$1\"/*.json.gz | jq -c \"$2\"", "sh"]).arg(&logs).arg(filter);
    let has_jq = Command::new("jq").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());

    let (mut ours_took, mut theirs_took) = (f64::MAX, f64::MAX);
    let mut memory = 0.0_f64;
    for _ in 0..PASSES {
        let (took, lines) = run(&mut ours)?;
        ours_took = ours_took.min(took);
        if has_jq {
            let (took, expected) = run(&mut theirs)?;
            theirs_took = theirs_took.min(took);
            if lines != expected || lines == 0 {
                return Err(format!("replay found {lines} matches and jq {expected}").into());
            }
        }
        memory = memory.max(peak(&mut ours)?.resident);
    }
    let size = format!("{RECORDS} records, {:.0} MB plain, in {FILES} files", plain as f64 / 1e6);
    let figure =
        |name: &str, value: f64, unit: &str, note: String, promise| Figure { name: name.into(), value, unit: unit.into(), note, promise };
    let mut figures = vec![
        figure("replay_gb_per_s", plain as f64 / 1e9 / ours_took, "GB/s", format!("{size}, all cores"), None),
        figure("replay_rss_mb", memory, "MB", "peak, over the same".to_owned(), None),
    ];
    if has_jq {
        let note = format!("{size}; {ours_took:.2} s against {theirs_took:.2} s");
        figures.push(figure("replay_vs_zcat_jq", theirs_took / ours_took, "x", note, Some(Promise::AtLeast(RATIO))));
    } else {
        eprintln!("bench: jq is not installed: replay_vs_zcat_jq is not measured");
    }
    figures.extend(search::figures(program, &logs, plain)?);
    Ok(figures)
}

/// Runs a program; the seconds that it took and the lines that it printed.
pub(super) fn run(command: &mut Command) -> Result<(f64, usize), Failure> {
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped()).output()?;
    let took = begun.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("{command:?} failed: {}", output.status).into());
    }
    Ok((took, output.stdout.iter().filter(|byte| **byte == b'\n').count()))
}

/// The peak of what a run takes of memory, in megabytes.
pub(super) struct Peak {
    /// Files that it reads as memory included.
    pub(super) resident: f64,
    /// Its own alone, looked at every 2 milliseconds.
    pub(super) anonymous: f64,
}

/// Runs a program to its end, and tells the memory that it took.
pub(super) fn peak(command: &mut Command) -> Result<Peak, Failure> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let mut peak = Peak { resident: 0.0, anonymous: 0.0 };
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if let Some(taken) = super::watch::taken(child.id()) {
            (peak.resident, peak.anonymous) = (peak.resident.max(taken.peak), peak.anonymous.max(taken.anonymous));
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    if status.success() { Ok(peak) } else { Err(format!("{command:?} failed: {status}").into()) }
}

/// Writes logs of so many records; how many bytes they are unpacked.
pub(super) fn write(folder: &Path, records: usize) -> Result<usize, Failure> {
    let logs = folder.join("logs");
    fs::create_dir(&logs)?;
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice
    };
    let mut plain = 0;
    for file in 0..FILES {
        let mut text = "{\"Records\":[".to_owned();
        for index in 0..records / FILES {
            // The names asked for are rare, as they are in life.
            let drawn = usize::try_from(roll() % 1000)?;
            let (name, service, parameters) = NAMES[if drawn < 2 { drawn } else { 2 + drawn % (NAMES.len() - 2) }];
            let parameters = parameters.replace('@', &format!("{:017x}", roll() >> 4));
            let comma = if index == 0 { "" } else { "," };
            write!(text, "{comma}{}", record(name, service, &parameters, &mut roll))?;
        }
        text.push_str("]}");
        plain += text.len();
        let name = format!("111122223333_CloudTrail_us-east-1_20260301T{:02}{:02}Z_{:016x}.json.gz", file / 60, file % 60, roll());
        let mut packed = flate2::write::GzEncoder::new(fs::File::create(logs.join(name))?, flate2::Compression::default());
        packed.write_all(text.as_bytes())?;
        packed.finish()?;
    }
    Ok(plain)
}

fn record(name: &str, service: &str, parameters: &str, roll: &mut impl FnMut() -> u64) -> String {
    let id = |number: u64| {
        format!(
            "{:08x}-{:04x}-4{:03x}-9{:03x}-{:012x}",
            number >> 32,
            number >> 16 & 0xffff,
            number & 0xfff,
            number >> 20 & 0xfff,
            number >> 12 & 0xffff_ffff_ffff
        )
    };
    let (user, key) = (roll() % 400, roll() % 4000);
    let second = roll() % 86_400;
    let time = format!("2026-03-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
    let address = format!("{}.{}.{}.{}", 1 + roll() % 223, roll() % 256, roll() % 256, roll() % 256);
    format!(
        "{{\"eventVersion\":\"1.11\",\"userIdentity\":{{\"type\":\"AssumedRole\",\"principalId\":\"AROA{user:017X}:session-{user}\",\
         \"arn\":\"arn:aws:sts::111122223333:assumed-role/role-{user}/session-{user}\",\"accountId\":\"111122223333\",\"accessKeyId\":\"ASIA{key:016X}\",\
         \"sessionContext\":{{\"sessionIssuer\":{{\"type\":\"Role\",\"principalId\":\"AROA{user:017X}\",\"arn\":\"arn:aws:iam::111122223333:role/role-{user}\",\
         \"accountId\":\"111122223333\",\"userName\":\"role-{user}\"}},\"attributes\":{{\"creationDate\":\"{time}\",\"mfaAuthenticated\":\"false\"}}}}}},\
         \"eventTime\":\"{time}\",\"eventSource\":\"{service}.amazonaws.com\",\"eventName\":\"{name}\",\"awsRegion\":\"us-east-1\",\
         \"sourceIPAddress\":\"{address}\",\"userAgent\":\"Boto3/1.34.{} md/Botocore#1.34 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.12.3\",\
         \"requestParameters\":{parameters},\"responseElements\":null,\"requestID\":\"{}\",\"eventID\":\"{}\",\"readOnly\":false,\"eventType\":\"AwsApiCall\",\
         \"managementEvent\":true,\"recipientAccountId\":\"111122223333\",\"eventCategory\":\"Management\",\"tlsDetails\":{{\"tlsVersion\":\"TLSv1.3\",\
         \"cipherSuite\":\"TLS_AES_128_GCM_SHA256\",\"clientProvidedHostHeader\":\"{service}.us-east-1.amazonaws.com\"}}}}",
        roll() % 200,
        id(roll()),
        id(roll()),
    )
}
