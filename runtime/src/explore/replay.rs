//! Logs through triggers: what would have fired.
//!
//! Most records name no event that a trigger is about, and that is seen in their bytes alone; the others are read, and judged as the runtime
//! judges them. Each event counts once, however often it is in the logs, as in the runtime. [`restrained`] tells which matches `threshold` and `suppress` let run.

mod restrained;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use memchr::{memchr2, memmem};
use trailwire_engine::actor;
use trailwire_engine::event::Event;
use trailwire_engine::matcher::Scratch;

use super::files::{self, Selection};
use super::log_file::LogFile;
use super::reading;
use super::scan::{Sifted, scan};
use super::unpack;
use crate::core::run::{RunId, event_key};
use crate::definitions::Definitions;
use crate::source::Received;
use restrained::Restrained;

pub(crate) use restrained::Outcome;

/// A trigger fires for an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Match {
    pub(crate) trigger: String,
    pub(crate) event: Event,
}

impl Match {
    /// Who made the event.
    pub(crate) fn actor(&self) -> String {
        actor::who(self.event.detail()).to_string()
    }
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    /// Records, repeated ones too.
    pub(crate) records: u64,
    /// Matches of events that had matched already.
    pub(crate) repeated: u64,
    /// Expressions that ended in an error, by trigger, and the first of the errors.
    pub(crate) errors: BTreeMap<String, (u64, String)>,
    /// What could not be read, each with its place.
    pub(crate) faults: Vec<String>,
}

/// What came of one file.
#[derive(Debug, Default)]
struct Read {
    records: u64,
    matches: Vec<(RunId, Match)>,
    errors: Vec<(String, String)>,
    faults: Vec<String>,
}

/// What a thread uses again and again.
#[derive(Default)]
struct Room {
    text: Vec<u8>,
    scratch: Scratch,
}

/// Puts the files through the triggers. Each match is handed to `take` once for each event, in the order of the files and their records, until it says
/// no.
pub(crate) fn replay(definitions: &Definitions, files: &[LogFile], selection: &Selection, mut take: impl FnMut(Match) -> bool) -> Totals {
    each(definitions, files, selection, |matches| matches.into_iter().all(&mut take))
}

/// The same, and what would have become of each match; `None` where its trigger runs for each. What is shown of a match is made when it is found, and
/// handed over when it is judged. Where a trigger has a threshold or `suppress`, the files are read in the order in which they were delivered, as far as
/// their names tell; those come first whose names do not.
pub(crate) fn outcomes<T>(
    definitions: &Definitions,
    files: &mut [LogFile],
    selection: &Selection,
    show: impl Fn(&Match) -> T,
    mut take: impl FnMut(T, Option<Outcome>) -> bool,
) -> Totals {
    let mut restrained = Restrained::of(definitions);
    if !restrained.is_empty() {
        files.sort_by_cached_key(|file| files::delivered(file.name()));
    }
    let mut goes_on = true;
    let totals = each(definitions, files, selection, |matches| {
        goes_on = matches.into_iter().all(|matched| restrained.wait(&matched, show(&matched)).is_none_or(|shown| take(shown, None)))
            && restrained.go_on(&mut take);
        goes_on
    });
    if goes_on {
        restrained.end(take);
    }
    totals
}

/// Puts the files through the triggers. The matches of each file are handed to `take`, without those of events that had matched already.
fn each(definitions: &Definitions, files: &[LogFile], selection: &Selection, mut take: impl FnMut(Vec<Match>) -> bool) -> Totals {
    let names = Names::of(definitions);
    let mut totals = Totals::default();
    let mut seen = HashSet::new();
    reading::each(
        files,
        Room::default,
        |file, room, turn| read(definitions, &names, selection, file, room, &|| turn.come()),
        |file, read| {
            totals.files += 1;
            let Some(read) = read else {
                totals.faults.push(format!("{file}: a bug stopped the reading of this file"));
                return true;
            };
            totals.records += read.records;
            totals.faults.extend(read.faults.into_iter().map(|fault| format!("{file}: {fault}")));
            for (trigger, error) in read.errors {
                totals.errors.entry(trigger).or_insert((0, error)).0 += 1;
            }
            let count = read.matches.len();
            let matches: Vec<Match> = read.matches.into_iter().filter_map(|(id, found)| seen.insert(id).then_some(found)).collect();
            totals.repeated += u64::try_from(count - matches.len()).unwrap_or_default();
            take(matches)
        },
    );
    totals
}

fn read(
    definitions: &Definitions,
    names: &Names<'_>,
    selection: &Selection,
    file: &LogFile,
    room: &mut Room,
    come: &dyn Fn() -> bool,
) -> Read {
    let mut read = Read::default();
    let Room { text, scratch } = room;
    let mut sift = |record: &[u8]| if names.may_be_in(record) { Sifted::Unsure } else { Sifted::No };
    let scanned = scan(file, text, come, &mut sift, &mut |event, _, _| judge(definitions, selection, event, scratch, &mut read));
    unpack::release(text);
    Read { records: scanned.records, faults: scanned.faults, ..read }
}

fn judge(definitions: &Definitions, selection: &Selection, event: Event, scratch: &mut Scratch, read: &mut Read) {
    if !selection.holds(event.time(), event.account(), event.region()) {
        return;
    }
    let received = Received::from(event);
    let judged = definitions.judge(&received, scratch);
    read.errors.extend(judged.errors);
    for trigger in judged.fires {
        let id = RunId::new(&trigger.name, &event_key(received.event()));
        read.matches.push((id, Match { trigger: trigger.name.clone(), event: received.event().clone() }));
    }
}

/// The event names that some trigger is about; `None` where one is about every event.
struct Names<'d> {
    names: Option<BTreeSet<&'d [u8]>>,
    member: memmem::Finder<'static>,
    escape: memmem::Finder<'static>,
}

impl<'d> Names<'d> {
    fn of(definitions: &'d Definitions) -> Self {
        let enabled = || definitions.triggers().filter(|trigger| trigger.enabled);
        let names = enabled().flat_map(|trigger| &trigger.event_names).map(String::as_bytes);
        let names = (!enabled().any(|trigger| trigger.any_event)).then(|| names.collect());
        Self { names, member: memmem::Finder::new(b"\"eventName\""), escape: memmem::Finder::new(b"\\u") }
    }

    /// Whether a record may have one of the names, by its bytes. Where the bytes are not as CloudTrail writes them, it may.
    fn may_be_in(&self, record: &[u8]) -> bool {
        let Some(names) = &self.names else { return true };
        // A member's name may be written with escapes.
        if self.escape.find(record).is_some() {
            return true;
        }
        let mut is_there = false;
        for at in self.member.find_iter(record) {
            is_there = true;
            let Some(value) = record.get(at..).and_then(|rest| rest.strip_prefix(b"\"eventName\":\"")) else { return true };
            let end = memchr2(b'"', b'\\', value);
            let Some(name) = end.filter(|end| value.get(*end) == Some(&b'"')).and_then(|end| value.get(..end)) else { return true };
            if names.contains(name) {
                return true;
            }
        }
        !is_there
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use trailwire_engine::matcher::Scope;
    use trailwire_engine::trigger::Trigger;

    use super::*;
    use crate::definitions::Documents;

    fn definitions(triggers: &[Value]) -> Definitions {
        let mut documents = Documents::default();
        for trigger in triggers {
            let mut trigger = trigger.clone();
            trigger["action"] = json!([{"send": [{"destination": "d"}]}]);
            let trigger = Trigger::from_value(&trigger).unwrap();
            documents.triggers.insert(trigger.name.clone(), Ok(trigger));
        }
        Definitions::new(1, Scope::default(), documents, None)
    }

    fn record(name: &str, id: &str, time: &str) -> Value {
        json!({"eventName": name, "eventSource": "iam.amazonaws.com", "eventID": id, "eventTime": time, "awsRegion": "us-east-1", "recipientAccountId": "1",
            "eventType": "AwsApiCall", "requestParameters": {"eventName": "Nested"}, "userIdentity": {"type": "Root", "accountId": "1"}})
    }

    fn run(definitions: &Definitions, texts: &[String], selection: &Selection) -> (Vec<(String, String)>, Totals) {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<LogFile> = (0..texts.len()).map(|number| LogFile::Local(folder.path().join(number.to_string()))).collect();
        files.iter().zip(texts).for_each(|(file, text)| std::fs::write(file.to_string(), text).unwrap());
        let mut found = Vec::new();
        let mut totals = replay(definitions, &files, selection, |matched| {
            found.push((matched.trigger.clone(), matched.event.event_id().unwrap_or_default().to_owned()));
            true
        });
        let place = folder.path().display().to_string() + "/";
        totals.faults.iter_mut().for_each(|fault| *fault = fault.replace(&place, ""));
        (found, totals)
    }

    #[test]
    fn each_event_fires_each_trigger_once_in_order() {
        let definitions = definitions(&[
            json!({"name": "users", "event_names": ["CreateUser"]}),
            json!({"name": "errs", "event_names": ["CreateUser", "DeleteUser"], "match_expression": "abs(detail.eventName) == `1`"}),
        ]);
        let time = "2026-03-01T12:00:00Z";
        let (a, b, c) = (record("CreateUser", "a", time), record("DeleteUser", "b", time), record("CreateUser", "c", time));
        let first = json!({"Records": [a, b, {"eventName": "DescribeInstances"}]}).to_string();
        let second = format!("{a}\n{{\"eventName\": \"CreateUser\",}}\n{c}\n");
        let (found, totals) = run(&definitions, &[first, second, "{\"Records\":[{".to_owned()], &Selection::default());
        assert_eq!(found, [("users".to_owned(), "a".to_owned()), ("users".to_owned(), "c".to_owned())]);
        assert_eq!((totals.files, totals.records, totals.repeated), (3, 6, 1));
        assert_eq!(totals.errors["errs"].0, 4);
        assert_eq!(totals.faults.len(), 2, "{:?}", totals.faults);
        assert!(totals.faults[0].starts_with("1: record 2: not JSON: trailing comma"), "{:?}", totals.faults);
        assert_eq!(totals.faults[1], "2: byte 12: the record is cut off");
    }

    #[test]
    fn only_what_is_asked_for_is_judged() {
        let definitions = definitions(&[json!({"name": "users", "event_names": ["CreateUser"]})]);
        let records: Vec<Value> = ["2026-03-01T11:59:59Z", "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"]
            .iter()
            .map(|time| record("CreateUser", time, time))
            .collect();
        let text = json!({"Records": records}).to_string();
        let ids = |selection: Selection| {
            run(&definitions, std::slice::from_ref(&text), &selection).0.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
        };
        let (from, to) = (Some("2026-03-01T12:00:00Z".parse().unwrap()), Some("2026-03-01T13:00:00Z".parse().unwrap()));
        assert_eq!(ids(Selection { from, to, ..Selection::default() }), ["2026-03-01T12:00:00Z"]);
        assert_eq!(ids(Selection { regions: ["eu-west-1".to_owned()].into(), ..Selection::default() }), [""; 0]);
        assert_eq!(ids(Selection { accounts: ["1".to_owned()].into(), ..Selection::default() }).len(), 3);
    }

    /// The bytes say "perhaps" of every record that a trigger fires for.
    #[test]
    fn no_record_is_passed_over_that_fires() {
        let named = definitions(&[json!({"name": "users", "event_names": ["CreateUser"]})]);
        let any = definitions(&[json!({"name": "all", "any_event": true})]);
        for (text, perhaps) in [
            (r#"{"eventName":"CreateUser"}"#, true),
            (r#"{"eventName" : "CreateUser"}"#, true),
            (r#"{"eventN\u0061me":"CreateUser"}"#, true),
            (r#"{"eventName":"Cre\u0061teUser"}"#, true),
            (r#"{"eventName":"x","eventName":"CreateUser"}"#, true),
            (r#"{"detail":{"eventName":"CreateUser"}}"#, true),
            (r#"{"a":"eventName","eventName":"CreateUser"}"#, true),
            (r#"{"eventSource":"x"}"#, true),
            (r#"{"eventName":"DeleteUser"}"#, false),
            (r#"{"eventName":"CreateUsers"}"#, false),
            (r#"{"eventName":"DeleteUser","a":"\"eventName\":\"CreateUser\""}"#, false),
        ] {
            assert_eq!(Names::of(&named).may_be_in(text.as_bytes()), perhaps, "{text}");
            assert!(Names::of(&any).may_be_in(text.as_bytes()));
        }
    }
}
