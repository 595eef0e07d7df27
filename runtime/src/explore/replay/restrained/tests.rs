use proptest::prelude::*;
use serde_json::{Value, json};
use trailwire_engine::event::Event;
use trailwire_engine::matcher::Scope;

use super::*;
use crate::core::gate::GROUPS;
use crate::core::run::Task;
use crate::definitions::Documents;
use crate::journal::model::Model;
use crate::journal::{Applied, Change};

fn trigger(restraints: &Value) -> Trigger {
    let mut document = json!({"name": "t", "event_names": ["E"], "action": [{"notify": [{"destinations": ["d"]}]}]});
    document.as_object_mut().unwrap().extend(restraints.as_object().unwrap().clone());
    Trigger::from_value(&document).unwrap()
}

fn restrained(trigger: Trigger) -> Restrained<String> {
    let documents = Documents { triggers: [("t".to_owned(), Ok(trigger))].into(), ..Documents::default() };
    Restrained::of(&Definitions::new(1, Scope::default(), documents, None))
}

/// An event so many seconds after a midnight.
fn event(who: &str, second: Option<i64>) -> Event {
    let time = second.map(|second| at(second).to_string());
    Event::from_value(json!({"eventName": "E", "eventID": format!("{who} {second:?}"), "who": who, "eventTime": time})).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_323_200 + second).unwrap()
}

/// What becomes of the matches of these files, in the order in which they are judged: who, when, and in capitals where it runs.
fn judged(trigger: Trigger, files: &[Vec<(String, Option<i64>)>]) -> Vec<String> {
    let mut restrained = restrained(trigger);
    let mut told = Vec::new();
    let mut take = |shown: String, outcome: Option<Outcome>| {
        told.push(if outcome.unwrap() == Outcome::Ran { shown.to_uppercase() } else { shown });
        true
    };
    for file in files {
        for (who, second) in file {
            let matched = Match { trigger: "t".to_owned(), event: event(who, *second) };
            let time = second.map_or("-".to_owned(), |second| format!("{:02}:{:02}", second / 60, second % 60));
            assert_eq!(restrained.wait(&matched, format!("{who} {time}")), None);
        }
        assert!(restrained.go_on(&mut take));
    }
    restrained.end(&mut take);
    told
}

#[test]
fn the_first_of_a_crossing_and_of_a_window_run() {
    let threshold = json!({"threshold": [{"count": 3, "window": "5m", "group_by": "detail.who"}]});
    let suppress = json!({"suppress": [{"window": "10m", "key": "detail.who"}]});
    let minute = json!({"suppress": [{"window": "1m"}]});
    let both = json!({"threshold": [{"count": 2, "window": "1m"}], "suppress": [{"window": "10m"}]});
    for (name, restraints, files, expected) in [
        (
            "a group crosses once while its condition holds",
            &threshold,
            vec!["a 00:00, a 01:00, b 01:30, a 02:00, a 03:00, b 07:00", "a 20:00, a 20:01, a 20:02"],
            "a 00:00, a 01:00, b 01:30, A 02:00, a 03:00, b 07:00, a 20:00, a 20:01, A 20:02",
        ),
        (
            "the order in a file does not matter",
            &threshold,
            vec!["a 03:00, a 02:00, a 01:00, a 00:00"],
            "a 00:00, a 01:00, A 02:00, a 03:00",
        ),
        (
            "each key has its window",
            &suppress,
            vec!["a 00:00, b 01:00, a 09:59, a 10:00, b 10:59"],
            "A 00:00, B 01:00, a 09:59, A 10:00, b 10:59",
        ),
        (
            "what crosses is suppressed",
            &both,
            vec!["a 00:00, a 00:10, a 05:00, a 05:10, a 10:30, a 10:40"],
            "a 00:00, A 00:10, a 05:00, a 05:10, a 10:30, A 10:40",
        ),
        (
            "a file may be late by a quarter of an hour",
            &minute,
            vec!["a 08:00", "b 01:00, b 03:00", "c 20:00", "d 07:00"],
            "B 01:00, B 03:00, D 07:00, A 08:00, C 20:00",
        ),
        (
            "what comes later still is late",
            &minute,
            vec!["a 08:00", "b 23:00", "c 01:00, c 07:00", "d 23:30"],
            "A 08:00, c 01:00, c 07:00, B 23:00, d 23:30",
        ),
        (
            "what is late counts within its window",
            &threshold,
            vec!["a 08:00", "b 23:00", "a 02:59, a 04:00, a 03:01"],
            "a 08:00, a 02:59, a 03:01, A 04:00, b 23:00",
        ),
        ("without a time it is of the latest", &suppress, vec!["a -", "b 01:00, b -", "b 12:00, b -"], "A -, B 01:00, b -, B 12:00, b -"),
    ] {
        let event = |text: &str| {
            let (who, time) = text.trim().split_once(' ').unwrap();
            let number = |text: &str| text.parse::<i64>().unwrap();
            (who.to_owned(), time.split_once(':').map(|(minutes, seconds)| 60 * number(minutes) + number(seconds)))
        };
        let files: Vec<Vec<_>> = files.iter().map(|file| file.split(',').map(event).collect()).collect();
        assert_eq!(judged(trigger(restraints), &files).join(", "), expected, "{name}");
    }
}

/// As in the runtime, a window has its place until it is told how many it hid, and no longer.
#[test]
fn windows_make_room_for_others() {
    let keys = |second: i64| (0..2 * GROUPS).map(move |number| (format!("k{second}-{}", number / 2), Some(second)));
    let told = judged(trigger(&json!({"suppress": [{"window": "1m", "key": "detail.who"}]})), &[keys(0).collect(), keys(120).collect()]);
    assert_eq!(told.iter().filter(|told| told.starts_with('k')).count(), 2 * GROUPS as usize);
}

#[test]
fn no_more_wait_than_there_is_room_for() {
    let mut restrained = restrained(trigger(&json!({"suppress": [{"window": "1m"}]})));
    let mut judged = Vec::new();
    for second in [3, 1, 2, 4] {
        restrained.wait(&Match { trigger: "t".to_owned(), event: event("a", Some(second)) }, second.to_string());
        restrained.judge(Timestamp::MIN, 2, |shown, _| {
            judged.push(shown);
            true
        });
    }
    assert_eq!((judged.join(" "), restrained.waiting.len()), ("1 2".to_owned(), 2));
    assert!(!restrained.judge(Timestamp::MAX, 0, |_, _| false));
    assert_eq!(restrained.waiting.len(), 1);
}

/// The same by a journal: events come when they happen, and each watch is looked at when it is due.
fn by_a_journal(trigger: &Trigger, matches: &[(String, Option<i64>)]) -> Vec<bool> {
    let mut model = Model::default();
    let mut ran = Vec::new();
    for (who, second) in matches {
        let (event, accepted) = (event(who, *second), at(second.unwrap()));
        let first = |model: &Model| model.tasks.values().min_by_key(|task| task.due).filter(|task| task.due <= accepted).cloned();
        while let Some(Task { id, due, .. }) = first(&model) {
            let run = Arc::clone(&model.runs[&id.run]);
            model.apply(&[match run.occasion {
                Occasion::Watch { .. } => Change::Close { done: id, run, at: due },
                _ => Change::Finish { done: id, next: vec![] },
            }]);
        }
        let event_key = event.event_id().unwrap().to_owned();
        let run = Run { trigger: trigger.clone(), event_key, accepted, ..Run::clone(&Restraint::new(trigger).run) };
        let applied = model.apply(&[Change::Accept { run: Arc::new(run), tasks: vec![], gate: gate::gate(trigger, &event) }]);
        ran.push(matches!(applied[..], [Applied::Now(_)]));
    }
    ran
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever order a file has its events in, and however it is cut off from the next.
    #[test]
    fn a_replay_says_what_the_runtime_does(
        gaps in prop::collection::vec((1i64..100, 0u8..3, any::<bool>()), 0..60), count in 0u32..4, window in 0u32..3, recovery in any::<bool>(),
    ) {
        let mut restraints = json!({"suppress": [{"window": format!("{}m", 1 + 2 * window), "key": "detail.who"}]});
        if count > 0 {
            restraints = json!({"threshold": [{"count": count, "window": "2m", "group_by": "detail.who", "notify_recovery": recovery}]});
            if window > 0 {
                restraints["suppress"] = json!([{"window": format!("{window}m")}]);
            }
        }
        let mut second = 0;
        let (mut matches, mut files) = (Vec::new(), vec![Vec::new()]);
        for (gap, who, is_next) in gaps {
            second += gap;
            let matched = (["a", "b", "c"][usize::from(who)].to_owned(), Some(second));
            matches.push(matched.clone());
            if is_next {
                files.push(Vec::new());
            }
            files.last_mut().unwrap().insert(0, matched);
        }
        let expected = by_a_journal(&trigger(&restraints), &matches);
        let told: Vec<bool> = judged(trigger(&restraints), &files).iter().map(|told| told.starts_with(['A', 'B', 'C'])).collect();
        prop_assert_eq!(told, expected);
    }
}
