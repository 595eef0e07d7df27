//! Each sample of another product's format gives exactly the HCL beside it, says what is beside it, and judges the events beside it as it should.
//! With `UPDATE_CORPUS=1` the expected files are written; read what changed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trailwire_engine::event::Event;
use trailwire_engine::matcher::{CompiledTrigger, Scope};
use trailwire_engine::trigger::Trigger;

use super::*;

const FORMATS: [(&str, Format); 4] = [
    ("sigma", Format::Sigma),
    ("custodian", Format::Custodian),
    ("filter-pattern", Format::FilterPattern),
    ("event-pattern", Format::EventPattern),
];

/// The samples of a format: every file that is not expected of another.
fn samples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/import").join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut samples: Vec<PathBuf> =
        files.filter(|path| matches!(path.extension().and_then(|end| end.to_str()), Some("yml" | "json" | "txt"))).collect();
    samples.sort();
    samples
}

fn imported(format: Format, sample: &Path) -> Imported {
    let text = fs::read_to_string(sample).unwrap();
    import(format, &text, stem(sample.to_str().unwrap())).unwrap_or_else(|reason| panic!("{}: {reason}", sample.display()))
}

#[test]
fn samples_give_what_stands_beside_them() {
    for (folder, format) in FORMATS {
        let samples = samples(folder);
        assert!(!samples.is_empty(), "{folder} has no samples");
        for sample in samples {
            let printed = printed(imported(format, &sample), &Place::default());
            let told: String = printed.told.iter().map(|line| format!("{line}\n")).collect();
            for (end, text) in [("tf", printed.hcl), ("told", told)] {
                let expected = sample.with_extension(end);
                if std::env::var_os("UPDATE_CORPUS").is_some() {
                    fs::write(&expected, &text).unwrap();
                }
                let wanted = fs::read_to_string(&expected).unwrap_or_else(|error| panic!("{}: {error}", expected.display()));
                assert_eq!(text, wanted, "{}", expected.display());
            }
        }
    }
}

/// `NAME.events` beside a sample has lines `TRIGGER fires|silent EVENT`.
#[test]
fn imported_triggers_judge_events_as_their_rules_do() {
    let mut judged = 0;
    for (folder, format) in FORMATS {
        for sample in samples(folder) {
            let Ok(lines) = fs::read_to_string(sample.with_extension("events")) else { continue };
            let triggers: Vec<CompiledTrigger> = imported(format, &sample)
                .drafts
                .iter()
                .map(|draft| CompiledTrigger::new(Trigger::from_value(&draft.document()).unwrap()).unwrap())
                .collect();
            for line in lines.lines() {
                let mut words = line.splitn(3, ' ');
                let (name, verdict, event) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
                let trigger = triggers.iter().find(|trigger| trigger.trigger().name == name).unwrap_or_else(|| panic!("no {name}"));
                let event: Value = serde_json::from_str(event).unwrap();
                let explained = trailwire_engine::explain::trigger(trigger, &Event::from_value(event).unwrap(), &Scope::default());
                assert_eq!(explained.fires, verdict == "fires", "{}: {line}\n{}", sample.display(), explained.to_text());
                judged += 1;
            }
        }
    }
    assert!(judged > 20, "{judged} events were judged");
}

#[test]
fn a_hub_of_ones_own_leaves_the_module_out() {
    let place = Place { hub: Some("trailwire_hub.security.id".to_owned()), destinations: vec!["slack".to_owned()] };
    let imported = import(Format::FilterPattern, "{ $.eventName = StopLogging }", "stop").unwrap();
    let expected = r#"resource "trailwire_trigger" "stop" {
  hub         = trailwire_hub.security.id
  name        = "stop"
  event_names = ["StopLogging"]

  action {
    notify {
      destinations = ["slack"]
    }
  }
}
"#;
    assert_eq!(printed(imported, &place).hcl, expected);
}

#[test]
fn names_are_used_once() {
    let mut names = BTreeSet::new();
    let long = "a-name-that-is-as-long-as-a-name-can-be-";
    let given: Vec<String> = ["a", "a", "a", long, long].iter().map(|name| unique(name, &mut names)).collect();
    assert_eq!(given, ["a", "a-2", "a-3", long, "a-name-that-is-as-long-as-a-name-can-2"]);
}

#[test]
fn what_can_not_be_read_says_why() {
    let cases = [
        (Format::Sigma, "a: [", "not YAML: "),
        (Format::Sigma, "", "there is no rule in it"),
        (Format::Custodian, "a: b", "there is no list `policies` in it"),
        (Format::FilterPattern, "{ $.a == b }", "error[TW2201]"),
        (Format::EventPattern, "{", "not JSON: "),
        (Format::EventPattern, r#"{"a": 1}"#, "error[TW2301]"),
        (
            Format::EventPattern,
            r#"{"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]}"#,
            "it is about events that are not CloudTrail's",
        ),
    ];
    for (format, text, expected) in cases {
        let error = import(format, text, "x").unwrap_err();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}
