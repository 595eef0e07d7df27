//! An index gives what reading the logs gives.

mod crash;
mod faulty;
mod unreadable;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use trailwire_engine::event::Event;
use trailwire_engine::search::{Query, quoted};

use super::*;
use crate::explore::column::Column;
use crate::explore::files::{self as found, Selection};
use crate::explore::log_file::LogFile;
use crate::explore::newest::{First, Newest};
use crate::explore::search::search;

struct Bench {
    folder: TempDir,
    logs: Vec<LogFile>,
}

impl Bench {
    fn new(files: &[Vec<Value>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let logs = files.iter().enumerate().map(|(number, records)| {
            let path = folder.path().join(format!("{number}.json"));
            std::fs::write(&path, json!({"Records": records}).to_string()).unwrap();
            LogFile::Local(path)
        });
        let logs = logs.collect();
        Self { folder, logs }
    }

    fn index(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    fn write(&self) -> Written {
        write(&self.index(), &self.logs, 100, |_| {}).unwrap()
    }

    fn open(&self) -> Index {
        Index::open(&self.index()).unwrap()
    }
}

fn rows(find: impl FnOnce(&mut dyn FnMut(Event) -> bool)) -> Vec<Event> {
    let mut rows = Vec::new();
    find(&mut |event| {
        rows.push(event);
        true
    });
    rows
}

fn all_of(index: &Index) -> Vec<Event> {
    let all = Query::parse("").0.unwrap();
    rows(|take| drop(index.search(&all, &Selection::default(), take).unwrap()))
}

/// Records of every odd form, some of them twice, and some of the ids with two meanings.
fn files() -> Vec<Vec<Value>> {
    files_of(200)
}

/// The same of so many ids: of 240 none has two meanings.
fn files_of(ids: u32) -> Vec<Vec<Value>> {
    let mut records = Vec::new();
    for number in 0..240_u32 {
        let (small, region) = (number as usize, ["us-east-1", "eu-west-1"]);
        let name = ["CreateUser", "CreateLogStream", "GetUser", "RunInstances", "create-user"][small % 5];
        let mut record = json!({"eventName": name, "eventSource": "iam.amazonaws.com", "eventID": format!("id-{}", number % ids), "awsRegion": (region[small % 2]),
            "recipientAccountId": "111122223333", "eventTime": format!("2026-03-{:02}T{:02}:00:00Z", 1 + number % 3, number % 24), "eventType": "AwsApiCall",
            "userIdentity": {"type": "IAMUser", "userName": format!("user{}", number % 7)}, "requestParameters": {"id": format!("i-{number:04x}"), "n": number, "f": 1e3}});
        match number % 13 {
            0 => record["errorCode"] = json!("AccessDenied"),
            1 => record["userIdentity"] = json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}),
            2 => {
                record["requestParameters"] =
                    json!({"policy": "{\"Effect\":\"Allow\"}\nnext\tline é", "list": [{"key": "a-b"}, {"key": "c"}], "esc": "\u{1b}[2Jx"});
            }
            3 => record["errorCode"] = json!(7),
            4 => drop(record.as_object_mut().unwrap().remove("eventTime")),
            5 => record["eventTime"] = json!("2026-03-01T12:00:00+02:00"),
            6 => record["userAgent"] = json!("x".repeat(700) + "yz"),
            7 => record["userIdentity"]["userName"] = json!("u".repeat(600)),
            8 => {
                record = json!({"source": "aws.iam", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333", "region": "eu-west-1", "id": format!("e{number}"), "detail": record})
            }
            9 => drop(record.as_object_mut().unwrap().remove("eventID")),
            10 => record["errorCode"] = json!(""),
            11 => {
                record["eventTime"] = match number % 3 {
                    0 => json!(format!("{}-01-01T00:00:00Z", 2600 + number * 7 % 100)),
                    1 => json!(format!("{}-01-01T00:00:00Z", 1600 - number * 7 % 100)),
                    _ => json!("soon"),
                }
            }
            _ => {}
        }
        records.push(record);
    }
    records.extend_from_within(10..40);
    records.chunks(60).map(<[Value]>::to_vec).collect()
}

fn shared() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(|| {
        let bench = Bench::new(&files());
        bench.write();
        bench
    })
}

/// Events that have ids of their own, some of them twice.
fn unique() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(|| {
        let bench = Bench::new(&files_of(240));
        bench.write();
        bench
    })
}

fn query() -> impl Strategy<Value = String> {
    let field = prop::sample::select(vec![
        "event",
        "error",
        "user",
        "actor",
        "region",
        "identity",
        "id",
        "requestParameters",
        "requestParameters.id",
        "requestParameters.n",
        "requestParameters.list.key",
        "agent",
        "detail-type",
        "time",
    ]);
    let word = prop::sample::select(vec![
        "CreateUser",
        "Create*",
        "*User",
        "create*",
        "user1",
        "user*",
        "us-east-1",
        "AccessDenied",
        "i-0001",
        "i-00*",
        "*00a*",
        "a-b",
        "line",
        "next",
        "Allow",
        "\"line é\"",
        "é*",
        "7",
        "1000.0",
        "f",
        "IAMUser",
        "yz",
        "xyz",
        "xxxxxx*",
        "2026-03-01",
        "2026",
        "*",
        "ec2.amazonaws.com",
        "uuu*",
        "false",
        "id-3",
        "\"\"",
        "2jx",
        ">=2026-03-02",
    ]);
    let leaf = prop_oneof![word.clone().prop_map(str::to_owned), (field, word).prop_map(|(field, word)| format!("{field}:{word}"))];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|inner| format!("-({inner})")),
        ]
    })
}

fn selection() -> impl Strategy<Value = Selection> {
    let time = || prop::option::of(prop::sample::select(vec!["2026-03-01T10:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T05:00:00Z"]));
    let parse = |time: Option<&str>| time.map(|time| time.parse().unwrap());
    (time(), time(), any::<bool>()).prop_map(move |(from, to, narrow)| Selection {
        from: parse(from),
        to: parse(to),
        regions: if narrow { ["eu-west-1".to_owned()].into() } else { [].into() },
        ..Selection::default()
    })
}

/// Everything that an index answers is what reading answers.
fn same(query: &Query, selection: &Selection, logs: &[LogFile], index: &Index) -> Result<usize, TestCaseError> {
    let read = rows(|take| drop(search(query, logs, selection, take)));
    let found = rows(|take| drop(index.search(query, selection, take).unwrap()));
    prop_assert_eq!(&found, &read, "{}", query.text());

    let has_plan = narrow::Narrow::new(index, query, selection).unwrap().plan.is_some();
    for (first, limit) in
        [(First::Newest, 7), (First::Oldest, 3), (First::Oldest, 40), (First::Newest, 1_000), (First::Oldest, 1_000), (First::Newest, 0)]
    {
        let mut newest = Newest::new(first, limit);
        read.iter().for_each(|event| newest.add(event.clone()));
        let expected: Vec<Event> = newest.into_events().collect();
        let mut told = None;
        let found = rows(|take| told = index.first(query, selection, (first, limit), take).unwrap());
        prop_assert_eq!(told.is_some(), has_plan && !index.has_variants().unwrap(), "{}", query.text());
        if let Some((all, _)) = told {
            prop_assert_eq!(all, read.len() as u64, "{}", query.text());
            prop_assert_eq!(&found, &expected, "{} {:?}", query.text(), first);
        }
    }

    let groups: Vec<Vec<String>> = ["day", "hour", "event", "actor", "error,user", "day,region,role"]
        .map(|names| names.split(',').map(str::to_owned).collect())
        .to_vec();
    let Some((all, counted, _)) = index.counts(query, selection, &groups).unwrap() else { return Ok(read.len()) };
    prop_assert_eq!(all, read.len() as u64, "{}", query.text());
    for (names, counted) in groups.iter().zip(counted) {
        let mut counts: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        for event in &read {
            *counts.entry(names.iter().map(|name| Column::new(name).of(event).unwrap_or_default()).collect()).or_default() += 1;
        }
        prop_assert_eq!(counted, counts, "{} {:?}", query.text(), names);
    }
    Ok(read.len())
}

/// The made-up trail of the guide and the copy of a trail's bucket.
fn samples() -> &'static (Bench, Vec<String>) {
    static SAMPLES: OnceLock<(Bench, Vec<String>)> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folders = ["examples/explore/logs", "tests/corpus/trail/logs"].map(|folder| repository.join(folder));
        let logs = found::find(&folders, &Selection::default()).files;
        assert!(logs.len() > 10, "{logs:?}");
        let bench = Bench { folder: tempfile::tempdir().unwrap(), logs };
        bench.write();
        let mut texts = Vec::new();
        for event in all_of(&bench.open()) {
            leaves(event.detail(), "", &mut texts);
        }
        (bench, texts)
    })
}

/// A search for each value of a record, and its text. Null is none: no search finds it.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Array(elements) => elements.iter().for_each(|element| leaves(element, path, found)),
        Value::Object(members) => {
            for (name, value) in members {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{}", trailwire_engine::search::member(name)), found);
            }
        }
        value => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let cut: String = text.chars().take(text.chars().count().div_ceil(2)).collect();
            found.push(format!("{path}:{}", quoted(&text)));
            found.push(quoted(&text));
            // Wildcards are for texts.
            if value.is_string() && cut.chars().all(char::is_alphanumeric) {
                found.extend([format!("{path}:{cut}*"), format!("{cut}*")]);
            }
        }
    }
}

/// The laws below open files for each of their cases.
fn cases(of: u32, most: u32) -> u32 {
    (ProptestConfig::default().cases / of).clamp(1, most)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(4, 10_000), ..ProptestConfig::default() })]

    #[test]
    fn an_index_finds_what_reading_finds(text in query(), selection in selection()) {
        let Some(query) = Query::parse(&text).0 else { return Ok(()) };
        same(&query, &selection, &shared().logs, &shared().open())?;
        same(&query, &selection, &unique().logs, &unique().open())?;
    }

    #[test]
    fn an_index_finds_what_is_in_samples(one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), join in 0..3) {
        let (bench, texts) = samples();
        let (one, other) = (one.get(texts), other.get(texts));
        let text = [one.clone(), format!("{one} OR {other}"), format!("{one} -{other}")][join as usize].clone();
        let Some(query) = Query::parse(&text).0 else { return Ok(()) };
        let found = same(&query, &Selection::default(), &bench.logs, &bench.open())?;
        prop_assert!(found > 0 || join == 2, "{}", text);
    }
}

#[test]
fn what_is_there_is_not_added_again() {
    let mut bench = Bench::new(&files());
    let first = bench.write();
    assert_eq!((first.files, first.known, first.records, first.faults.len()), (5, 0, 270, 0));
    assert!(first.added < 245, "copies are kept once: {first:?}");
    assert_eq!(first.added, first.events);
    let before = all_of(&bench.open());
    let again = bench.write();
    assert_eq!((again.files, again.known, again.added, again.events), (0, 5, 0, first.events));
    assert_eq!(all_of(&bench.open()), before);

    // A file that has changed is read again, and gives what is new; one that can not be read whole is tried again.
    let LogFile::Local(path) = &bench.logs[4] else { panic!() };
    std::fs::write(path, json!({"Records": [files()[4][0], {"eventID": "new"}]}).to_string()).unwrap();
    let cut = bench.folder.path().join("cut.json");
    std::fs::write(&cut, "{\"Records\":[{\"eventID\":\"first\"},{").unwrap();
    bench.logs.push(LogFile::Local(cut.clone()));
    bench.logs.push(LogFile::Local("/nowhere/at/all.json".into()));
    let grown = bench.write();
    assert_eq!((grown.files, grown.known, grown.added), (2, 4, 2));
    let told = |fault: &str| grown.faults.iter().any(|told| told.starts_with(fault));
    assert!(told(&format!("{}: byte 32: the record is cut off", cut.display())) && told("/nowhere/at/all.json: No such file"), "{grown:?}");
    let retried = bench.write();
    assert_eq!((retried.files, retried.known, retried.added), (1, 5, 0));
}

/// A file counts once, by whatever name and however often it was read.
#[test]
fn totals_tell_how_many_files_there_are() {
    let mut bench = Bench::new(&files());
    let round = bench.folder.path().join("./index/../0.json");
    std::fs::create_dir_all(bench.index()).unwrap();
    bench.logs.push(LogFile::Local(round));
    let written = bench.write();
    assert_eq!((written.files, written.known, written.records), (5, 0, 270));
    let totals = || {
        let totals = bench.open().search(&Query::parse("").0.unwrap(), &Selection::default(), |_| true).unwrap();
        (totals.files, totals.records)
    };
    assert_eq!(totals(), (5, written.events));
    for times in 1..4 {
        let LogFile::Local(path) = &bench.logs[4] else { panic!() };
        let mut records = files()[4].clone();
        records.extend((0..times).map(|number| json!({"eventID": format!("new-{number}")})));
        std::fs::write(path, json!({"Records": records}).to_string()).unwrap();
        let grown = bench.write();
        assert_eq!((grown.files, grown.known, grown.added), (1, 4, 1));
        assert_eq!(totals(), (5, written.events + times));
    }
}

/// The first events by time are found by columns where each event is itself.
#[test]
fn the_first_events_need_no_reading_of_all() {
    let none = Selection::default();
    for (bench, expected) in [(shared(), false), (unique(), true)] {
        for (text, has_plan) in [("", true), ("event:CreateUser", true), ("user:user* -error:*", true), ("requestParameters.n:7", false)] {
            let told = bench.open().first(&Query::parse(text).0.unwrap(), &none, (First::Newest, 5), |_| true).unwrap();
            assert_eq!(told.is_some(), expected && has_plan, "{text}");
        }
    }
}

/// Files are read in the order of their names, whatever the order in which they are named.
#[test]
fn rows_come_in_the_order_of_files() {
    for ids in [200, 240] {
        let bench = Bench::new(&files_of(ids));
        let read = rows(|take| drop(search(&Query::parse("").0.unwrap(), &bench.logs, &Selection::default(), take)));
        let reversed: Vec<LogFile> = bench.logs.iter().rev().cloned().collect();
        write(&bench.index(), &reversed, 1, |_| {}).unwrap();
        assert_eq!(all_of(&bench.open()), read);

        // Files without copies are found where reading has them when they are added later, too.
        let later = Bench::new(&files_of(ids)[..3]);
        for logs in [&later.logs[2..], &later.logs[..1], &later.logs] {
            write(&later.index(), logs, 1, |_| {}).unwrap();
        }
        let read = rows(|take| drop(search(&Query::parse("").0.unwrap(), &later.logs, &Selection::default(), take)));
        assert_eq!(all_of(&later.open()), read);
    }
}

/// An event stays where it was read first, though a copy of it comes later, of a file that sorts before.
#[test]
fn a_copy_that_comes_later_moves_nothing() {
    let bench = Bench::new(&files_of(240));
    for logs in [&bench.logs[4..], &bench.logs] {
        write(&bench.index(), logs, 1, |_| {}).unwrap();
    }
    let all = Query::parse("").0.unwrap();
    let of = |logs: &[LogFile]| rows(|take| drop(search(&all, logs, &Selection::default(), take)));
    let copies = of(&bench.logs[4..]);
    let expected: Vec<Event> = of(&bench.logs[..4]).into_iter().filter(|event| !copies.contains(event)).chain(copies.clone()).collect();
    assert_eq!(copies.len(), 30);
    assert_eq!(all_of(&bench.open()), expected);
}
