//! Which log files there are under what a user names, and which of them need not be opened.
//!
//! CloudTrail writes `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_RANDOM.json.gz` (AWS CloudTrail user guide, "CloudTrail log file name format"): account,
//! region and the time of delivery are in the name. A record is in no file that was delivered before it happened; how late it may be delivered
//! is bounded by [`LATEST`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use trailwire_engine::fanout::names::is_account_id;

use super::log_file::LogFile;
use super::s3;

/// How long after an event its file may be delivered. CloudTrail says 15 minutes as a rule; a day leaves room.
const LATEST: SignedDuration = SignedDuration::from_hours(24);

/// What is asked for; what is `None` or empty is not asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Events at or after this.
    pub(crate) from: Option<Timestamp>,
    /// Events before this.
    pub(crate) to: Option<Timestamp>,
    /// Of these recipient accounts.
    pub(crate) accounts: BTreeSet<String>,
    /// Of these regions.
    pub(crate) regions: BTreeSet<String>,
}

impl Selection {
    /// Whether a file of this name may hold something that is asked for. A name that is not CloudTrail's may.
    pub(crate) fn may_hold(&self, name: &str) -> bool {
        let Some(told) = Told::read(name) else { return true };
        let is_late = self.latest().is_some_and(|latest| told.delivered > latest);
        let is_early = self.from.is_some_and(|from| told.delivered < from);
        !(is_late || is_early)
            && (self.accounts.is_empty() || self.accounts.contains(told.account))
            && (self.regions.is_empty() || self.regions.contains(told.region))
    }

    /// Whether a file that was delivered on this day, or in this month or year, as the folders of a trail have it, may hold something that is asked for. What
    /// is no date may.
    pub(super) fn may_be_delivered(&self, date: &[&str]) -> bool {
        let number = |at: usize| date.get(at).map_or(Ok(None), |part| part.parse::<i16>().map(Some));
        let (Ok(Some(year)), Ok(month), Ok(day)) = (number(0), number(1), number(2)) else { return true };
        let small = |part: Option<i16>, or: i8| part.map_or(Some(or), |part| i8::try_from(part).ok());
        let civil = |month: Option<i8>, day: Option<i8>| Date::new(year, month?, day?).ok();
        let Some(first) = civil(small(month, 1), small(day, 1)) else { return true };
        let Some(last) = (match day {
            Some(_) => Some(first),
            None => civil(small(month, 12), Some(1)).map(Date::last_of_month),
        }) else {
            return true;
        };
        let midnight = |date: Date| date.to_zoned(TimeZone::UTC).map(|midnight| midnight.timestamp()).ok();
        let is_early = last.tomorrow().ok().and_then(midnight).is_some_and(|end| self.from.is_some_and(|from| end <= from));
        let is_late = midnight(first).is_some_and(|start| self.latest().is_some_and(|latest| start > latest));
        !(is_early || is_late)
    }

    /// When the last file may be delivered.
    fn latest(&self) -> Option<Timestamp> {
        self.to.and_then(|to| to.checked_add(LATEST).ok())
    }

    /// Whether an event of this time, account and region is asked for. What an event does not tell is not held against it.
    pub(crate) fn holds(&self, time: Option<&str>, account: Option<&str>, region: Option<&str>) -> bool {
        let time = time.and_then(|time| time.parse::<Timestamp>().ok());
        time.is_none_or(|time| self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to))
            && account.is_none_or(|account| self.accounts.is_empty() || self.accounts.contains(account))
            && region.is_none_or(|region| self.regions.is_empty() || self.regions.contains(region))
    }
}

/// When a log file was delivered, as its name tells; `None` of a name that is not CloudTrail's.
pub(super) fn delivered(name: &str) -> Option<Timestamp> {
    Told::read(name).map(|told| told.delivered)
}

/// What the name of a log file tells.
struct Told<'n> {
    account: &'n str,
    region: &'n str,
    delivered: Timestamp,
}

impl<'n> Told<'n> {
    fn read(name: &'n str) -> Option<Self> {
        let mut parts = name.split('_');
        let (account, kind, region, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let time = DateTime::strptime("%Y%m%dT%H%MZ", time).ok()?.to_zoned(TimeZone::UTC).ok()?;
        (is_account_id(account) && kind == "CloudTrail").then(|| Self { account, region, delivered: time.timestamp() })
    }
}

/// What was found under the paths that a user named.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Files to read, in the order of the paths named, each folder's in the order of their names.
    pub(crate) files: Vec<LogFile>,
    /// How many were left out because of their names.
    pub(crate) left_out: u64,
    /// Folders and files that can not be looked at, with the reason.
    pub(crate) faults: Vec<String>,
}

/// Finds log files. A file that is named is taken whatever it is called; of a folder, and of those in it, those are taken whose names end with
/// `.json`, `.jsonl`, `.ndjson` or `.log`, with `.gz` or without, or with `.gz` alone. Digest files are no log files, nor are those of an index.
/// `s3://BUCKET/PREFIX` is a folder, too.
pub(crate) fn find(paths: &[PathBuf], selection: &Selection) -> Found {
    let mut found = Found::default();
    for path in paths {
        if let Some((bucket, prefix)) = object(path) {
            s3::find(bucket, prefix, selection, &mut found);
        } else if is_index(path) {
            found.faults.push(format!("{}: this is an index and no logs: trailwire search --index reads it", path.display()));
        } else if path.is_dir() {
            folder(path, selection, &mut found);
        } else {
            found.files.push(LogFile::Local(path.clone()));
        }
    }
    found
}

/// Bucket and prefix of `s3://BUCKET/PREFIX`.
fn object(path: &Path) -> Option<(&str, &str)> {
    let rest = path.to_str()?.strip_prefix("s3://")?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

fn folder(path: &Path, selection: &Selection, found: &mut Found) {
    let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return found.faults.push(format!("{}: {error}", path.display())),
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        // A link to a folder may lead around in a circle.
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => match std::fs::metadata(&path) {
                Ok(target) if target.is_dir() => Err("a link to a folder is not followed: name the folder itself".to_owned()),
                target => target.map(|target| (false, target.is_file())).map_err(|error| error.to_string()),
            },
            Ok(kind) => Ok((kind.is_dir(), kind.is_file())),
            Err(error) => Err(error.to_string()),
        };
        match kind {
            Err(reason) => found.faults.push(format!("{}: {reason}", path.display())),
            Ok((true, _)) if name == "CloudTrail-Digest" || is_index(&path) => {}
            Ok((true, _)) => folder(&path, selection, found),
            Ok((_, true)) => match told_by_name(&name, selection) {
                Some(true) => found.files.push(LogFile::Local(path)),
                Some(false) => found.left_out += 1,
                None => {}
            },
            Ok(_) => {}
        }
    }
}

/// Whether a folder is one that `trailwire index` has made: tantivy keeps these two files.
pub(super) fn is_index(path: &Path) -> bool {
    [".managed.json", "meta.json"].iter().all(|name| path.join(name).is_file())
}

/// Whether something that is asked for may be in a file of this name; `None` where it is no log file.
pub(super) fn told_by_name(name: &str, selection: &Selection) -> Option<bool> {
    (is_log(name) && !name.contains("_CloudTrail-Digest_")).then(|| selection.may_hold(name))
}

fn is_log(name: &str) -> bool {
    let bare = name.strip_suffix(".gz");
    bare.is_some() || [".json", ".jsonl", ".ndjson", ".log"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whether_a_file_may_hold_what_is_asked_for() {
        let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let name = "111122223333_CloudTrail_eu-west-1_20260301T1205Z_AbCd.json.gz";
        for (selection, holds) in [
            (Selection::default(), true),
            (Selection { from: time("2026-03-01T12:05:00Z"), ..Selection::default() }, true),
            (Selection { from: time("2026-03-01T12:06:00Z"), ..Selection::default() }, false),
            (Selection { to: time("2026-02-28T12:05:00Z"), ..Selection::default() }, true),
            (Selection { to: time("2026-02-28T12:04:59Z"), ..Selection::default() }, false),
            (Selection { accounts: of(&["111122223333"]), ..Selection::default() }, true),
            (Selection { accounts: of(&["999999999999"]), ..Selection::default() }, false),
            (Selection { regions: of(&["us-east-1", "eu-west-1"]), ..Selection::default() }, true),
            (Selection { regions: of(&["us-east-1"]), ..Selection::default() }, false),
        ] {
            assert_eq!(selection.may_hold(name), holds, "{selection:?}");
        }
        let none = Selection { regions: of(&["us-east-1"]), from: time("2027-01-01T00:00:00Z"), ..Selection::default() };
        for other in
            ["events.json", "x_CloudTrail_eu-west-1_20260301T1205Z_A.json.gz", "111122223333_CloudTrail_eu-west-1_soon_A.json.gz", "", "é_"]
        {
            assert!(none.may_hold(other), "{other}");
        }
    }

    #[test]
    fn an_index_among_logs_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let index = root.path().join("index");
        for name in ["index/.managed.json", "index/meta.json", "index/a.json", "other/meta.json"] {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = find(&[root.path().to_owned()], &Selection::default());
        assert_eq!((found.files, found.faults), (vec![LogFile::Local(root.path().join("other/meta.json"))], Vec::new()));
        let named = find(std::slice::from_ref(&index), &Selection::default());
        let told = format!("{}: this is an index and no logs: trailwire search --index reads it", index.display());
        assert_eq!((named.files, named.faults), (Vec::new(), vec![told]));
    }

    #[test]
    fn folders_are_looked_through_in_order() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b/2.json.gz", "b/1.jsonl", "a.json", "notes.txt", "CloudTrail-Digest/d.json.gz", "1_CloudTrail-Digest_x.json.gz"] {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink(root.path(), root.path().join("b/circle")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("b/broken.json")).unwrap();
        let found = find(&[root.path().to_owned(), root.path().join("notes.txt")], &Selection::default());
        let names: Vec<_> = found.files.iter().map(ToString::to_string).collect();
        let root_name = root.path().display().to_string() + "/";
        let names: Vec<_> = names.iter().map(|name| name.strip_prefix(&root_name).unwrap()).collect();
        assert_eq!(names, ["a.json", "b/1.jsonl", "b/2.json.gz", "notes.txt"]);
        let [broken, circle] = &found.faults[..] else { panic!("{:?}", found.faults) };
        assert!(
            broken.contains("broken.json: ") && circle.ends_with("b/circle: a link to a folder is not followed: name the folder itself")
        );
    }
}
