//! `trailwire verify`: whether the logs of a trail are those that CloudTrail delivered.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::logs::{count_of, moment};
use super::{Failure, escaped, print};
use crate::explore::s3::S3;
use crate::explore::verify::calls::CloudTrail;
use crate::explore::verify::keys::Keys;
use crate::explore::verify::store::Store;
use crate::explore::verify::trail::Trail;
use crate::explore::verify::{Asked, Told, Totals, verify};

/// How long after the last time asked for keys may be in use that sign its digests.
const KEYS_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_hours(2);

/// Checks digest files and log files of a trail: whether they are there, signed by CloudTrail and unchanged, and follow one another; where there are
/// gaps; and whether there are logs that no digest lists.
///
/// It finds what `aws cloudtrail validate-logs` finds, and says it in the same words; what it finds beyond that is told as UNLISTED.
/// It needs s3:ListBucket and s3:GetObject on the bucket and cloudtrail:ListPublicKeys, and where --s3-bucket is not given cloudtrail:DescribeTrails. With --folder and
/// --public-keys it checks a copy, and AWS is not asked.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The trail: `arn:aws:cloudtrail:us-east-1:111122223333:trail/NAME`.
    #[arg(long, value_name = "ARN")]
    trail_arn: String,
    /// Logs delivered at or after this: `2026-03-01` (in UTC) or `2026-03-01T12:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    start_time: Timestamp,
    /// Logs delivered until this. Default: now.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    end_time: Option<Timestamp>,
    /// The region whose logs are checked. Default: the trail's own.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The account whose logs are checked; a trail of an organisation has those of many. Default: the trail's own.
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// The bucket of the digests. Default: the one that the trail delivers to now.
    #[arg(long, value_name = "BUCKET")]
    s3_bucket: Option<String>,
    /// What stands before `AWSLogs/` in the keys.
    #[arg(long, value_name = "PREFIX")]
    s3_prefix: Option<String>,
    /// The organisation's id, where --s3-bucket or --folder is given and the trail is an organisation's.
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,
    /// Check a copy of the bucket in this folder, with the metadata of each digest beside it as `KEY.metadata.json`.
    #[arg(long, value_name = "FOLDER", requires = "public_keys")]
    folder: Option<PathBuf>,
    /// Public keys as `aws cloudtrail list-public-keys` prints them, instead of asking; may be given more than once.
    #[arg(long, value_name = "FILE")]
    public_keys: Vec<PathBuf>,
    /// Tell of valid files, too.
    #[arg(long)]
    verbose: bool,
    /// Tell of every file, gap and the whole as lines of JSON.
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// [`Failure::Refused`] for what can not be asked; [`Failure::Broken`] where something is not valid.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<(), Failure> {
    let to = arguments.end_time.unwrap_or_else(Timestamp::now);
    let from = arguments.start_time;
    if from > to {
        return Err(Failure::refused("--start-time is after --end-time"));
    }
    let (trail, store, bucket) = place(arguments)?;
    let mut keys = match (&store, arguments.public_keys.as_slice()) {
        (Store::S3(s3), []) => {
            let after = to.checked_add(KEYS_AFTER).unwrap_or(to);
            Keys::ask(CloudTrail(s3), &trail, from, after).map_err(Failure::refused)?
        }
        (_, files) => saved(files)?,
    };
    let mut out = Out { arguments, is_apart: true, failed: None };
    out.head(&trail, from, to)?;
    let asked = Asked { trail: &trail, store: &store, bucket: bucket.as_deref(), from, to, now: Timestamp::now() };
    let totals = verify(&asked, &mut keys, |told| out.told(told)).map_err(Failure::refused)?;
    out.end(&totals, from, to)?;
    match totals.wrong() {
        0 if totals.is_known() => Ok(()),
        0 => Err(Failure::Broken("no valid digest is about this time: nothing is known of its logs".to_owned())),
        wrong => Err(Failure::Broken(format!("{} not as CloudTrail delivered them", count_of(wrong, "file", "s")))),
    }
}

/// Which logs, where they lie, and in which bucket.
fn place(arguments: &VerifyArguments) -> Result<(Trail, Store, Option<String>), Failure> {
    let arn = &arguments.trail_arn;
    let trail = Trail::of(arn).ok_or_else(|| Failure::refused(format!("`{}` is no ARN of a trail", escaped(arn))))?;
    let mut trail = Trail { organization: arguments.organization_id.clone(), ..trail };
    trail.account = arguments.account_id.clone().unwrap_or(trail.account);
    trail.region = arguments.region.clone().unwrap_or(trail.region);
    let mut prefix = arguments.s3_prefix.clone();
    let mut bucket = arguments.s3_bucket.clone();
    let store = match &arguments.folder {
        Some(folder) if !folder.is_dir() => return Err(Failure::refused(format!("{} is no folder", folder.display()))),
        Some(folder) => Store::Folder(folder.clone()),
        None => Store::S3(S3::shared().map_err(Failure::broken)?),
    };
    if let (Store::S3(s3), None) = (&store, &bucket) {
        let cloudtrail = CloudTrail(s3);
        let delivery = cloudtrail.delivery(&trail).map_err(Failure::refused)?;
        if delivery.is_of_organization && trail.organization.is_none() {
            if arguments.account_id.is_none() {
                return Err(Failure::refused("the trail is an organisation's: say with --account-id whose logs are checked"));
            }
            trail.organization = Some(cloudtrail.organization().map_err(Failure::refused)?);
        }
        bucket = Some(delivery.bucket);
        prefix = prefix.or(Some(delivery.prefix));
    }
    trail.prefix = match prefix.unwrap_or_default().trim_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    Ok((trail, store, bucket))
}

fn saved(files: &[PathBuf]) -> Result<Keys<'static>, Failure> {
    let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|error| Failure::refused(format!("{}: {error}", path.display())));
    let texts = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Keys::saved(&texts).map_err(|reason| Failure::refused(format!("--public-keys: {reason}")))
}

/// What is printed: what is wrong on standard error, each with an empty line around it, the rest on standard output.
struct Out<'a> {
    arguments: &'a VerifyArguments,
    /// Whether the last line was an empty one.
    is_apart: bool,
    failed: Option<Failure>,
}

impl Out<'_> {
    fn head(&self, trail: &Trail, from: Timestamp, to: Timestamp) -> Result<(), Failure> {
        if self.arguments.json {
            return Ok(());
        }
        let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ");
        print(&format!("Validating log files for trail {} between {} and {}\n", trail.arn, time(from), time(to)))
    }

    fn told(&mut self, told: &Told) {
        if self.failed.is_some() {
            return;
        }
        let line = escaped_line(&told.line());
        let written = if self.arguments.json {
            print(&told.json().to_string())
        } else if !told.is_valid() {
            let before = if std::mem::replace(&mut self.is_apart, true) { "" } else { "\n" };
            std::io::stderr().write_all(format!("{before}{line}\n\n").as_bytes()).map_err(Failure::broken)
        } else if self.arguments.verbose {
            self.is_apart = false;
            print(&line)
        } else {
            Ok(())
        };
        self.failed = written.err();
    }

    fn end(self, totals: &Totals, from: Timestamp, to: Timestamp) -> Result<(), Failure> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        if self.arguments.json {
            return print(&totals.json(from, to).to_string());
        }
        let before = if self.is_apart { "" } else { "\n" };
        print(&format!("{before}{}", totals.lines(from, to).join("\n")))
    }
}

/// Keys are anybody's text; the tabs between them are ours.
fn escaped_line(line: &str) -> String {
    line.split('\t').map(escaped).collect::<Vec<_>>().join("\t")
}
