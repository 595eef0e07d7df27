//! Whether a search finds a record, straight from its bytes wherever that is possible.

use memchr::memmem::Finder;
use serde_json::{Map, json};
use trailwire_engine::event::Event;
use trailwire_engine::expr::Expr;
use trailwire_engine::matcher::{CompiledSet, CompiledTrigger, Fired, Scope, Scratch, TriggerSet};
use trailwire_engine::search::Query;
use trailwire_engine::trigger::Trigger;
use trailwire_engine::{eval, search};

use super::scan::Sifted;
use super::sieve::Sieve;

/// What stands before and behind a bare record so that it is an envelope. No search reads these members.
const BEFORE: &[u8] = br#"{"source":"aws.a","detail-type":"AWS API Call via CloudTrail","account":"","region":"","detail":"#;
const AFTER: &[u8] = b"}";

/// A search, ready to judge.
#[derive(Debug)]
pub(crate) struct Judge {
    sieve: Sieve,
    expr: Option<Expr>,
    /// `None` where there is none: then every record is read.
    set: Option<CompiledSet>,
    reads_envelope: bool,
    /// What an envelope has, and a record whose members' names may be written with escapes.
    odd: [Finder<'static>; 2],
}

/// What a thread uses again and again.
#[derive(Debug, Default)]
pub(crate) struct Room {
    scratch: Scratch,
    envelope: Vec<u8>,
}

impl Judge {
    pub(crate) fn new(query: &Query) -> Self {
        Self {
            sieve: Sieve::new(&query.need()),
            expr: query.expr(),
            set: set(query),
            reads_envelope: query.fields().iter().any(|field| field == search::ENVELOPE_FIELD),
            odd: [Finder::new(b"\"detail\""), Finder::new(b"\\u")],
        }
    }

    /// Judges the bytes of a record or envelope.
    pub(crate) fn sift(&self, record: &[u8], room: &mut Room) -> Sifted {
        if !self.sieve.may(record) {
            return Sifted::No;
        }
        if self.reads_envelope || self.odd.iter().any(|odd| odd.find(record).is_some()) {
            return Sifted::Unsure;
        }
        let Room { scratch, envelope } = room;
        envelope.clear();
        [BEFORE, record, AFTER].iter().for_each(|part| envelope.extend_from_slice(part));
        match self.set.as_ref().map(|set| set.judge(envelope, &Scope::default(), scratch)) {
            Some(Ok([])) => Sifted::No,
            Some(Ok(verdicts)) if verdicts.iter().all(|verdict| verdict.fired == Fired::Match) => Sifted::Yes,
            // Whoever reads it finds out what is wrong.
            _ => Sifted::Unsure,
        }
    }

    /// Judges an event that was read.
    ///
    /// # Errors
    ///
    /// In words, where that would be too much work.
    pub(crate) fn holds(&self, event: &Event) -> Result<bool, String> {
        let Some(expr) = &self.expr else { return Ok(true) };
        eval::search(expr, event.envelope()).map(|value| eval::truthy(&value)).map_err(|error| error.to_string())
    }
}

/// The search as the one trigger of a set. Names that no trigger can have stay in its match.
fn set(query: &Query) -> Option<CompiledSet> {
    let parts = query.parts();
    let trigger = |names: &[String], sources: &[String]| {
        let all = [
            ("name", json!("search")),
            ("any_event", json!(names.is_empty())),
            ("event_names", json!(names)),
            ("event_sources", json!(sources)),
            ("include_read_only", json!(true)),
            ("include_self", json!(true)),
            ("action", json!([{"send": [{"destination": "d"}]}])),
        ];
        let given = all.into_iter().filter(|(_, value)| value.as_array().is_none_or(|list| !list.is_empty()));
        Trigger::from_value(&given.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()).ok()
    };
    let narrow = trigger(&parts.event_names, &parts.event_sources).map(|trigger| CompiledTrigger::with(trigger, parts.expr));
    let trigger = narrow.or_else(|| trigger(&[], &[]).map(|trigger| CompiledTrigger::with(trigger, query.expr())))?;
    Some(CompiledSet::of(TriggerSet::of(vec![trigger])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_events_are_judged_alike() {
        let records = [
            json!({"eventName": "CreateUser", "eventSource": "iam.amazonaws.com", "readOnly": false}),
            json!({"eventName": "GetUser", "eventSource": "iam.amazonaws.com", "readOnly": true, "errorCode": "AccessDenied"}),
            json!({"eventName": "CreateUser", "requestParameters": {"detail": "x", "tags": [{"key": "a"}]}}),
            json!({"detail": {"eventName": "CreateUser"}, "detail-type": "AWS Insight via CloudTrail", "source": "aws.iam"}),
            json!({}),
        ];
        let mut room = Room::default();
        for (text, expected) in [
            ("", [true; 5]),
            ("event:CreateUser", [true, false, true, true, false]),
            ("event:CreateUser source:iam.amazonaws.com", [true, false, false, false, false]),
            ("-error:*", [true, false, true, true, true]),
            ("requestParameters.tags.key:a", [false, false, true, false, false]),
            ("detail-type:*Insight*", [false, false, false, true, false]),
            ("event:\"Create User\"", [false; 5]),
            ("accessdenied", [false, true, false, false, false]),
        ] {
            let judge = Judge::new(&Query::parse(text).0.unwrap());
            for (record, expected) in records.iter().zip(expected) {
                let event = Event::from_value(record.clone()).unwrap();
                assert_eq!(judge.holds(&event), Ok(expected), "{text} {record}");
                let sifted = judge.sift(record.to_string().as_bytes(), &mut room);
                assert!(sifted == Sifted::Unsure || (sifted == Sifted::Yes) == expected, "{text} {record} {sifted:?}");
            }
        }
    }
}
