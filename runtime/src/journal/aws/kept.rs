//! What the journal in AWS keeps beside runs and windows: the last good definitions, since when triggers count, and what it does not take.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::TriggerState;
use super::super::codec::{self, DeadLetter, to_json};
use super::super::states::{self, Enabled};
use super::rows::{self, DEAD, ENABLED, REMEMBERED};
use super::store::{Between, Expect, Item, Store, StoreError, Write};
use super::writer::{WRITES, Writer};
use crate::core::gate::Kind;
use crate::core::run::Run;
use crate::definitions::Restraints;

/// The entry of [`ENABLED`] that says of which revision the others are: no trigger has such a name.
const REVISION: &str = "#revision";

/// Keeps the last good definitions. Part by part: half of them can not be read, and are none.
pub(super) async fn remember(writer: &Writer, text: &str) {
    for (part, data) in rows::packed(text.as_bytes()).into_iter().enumerate() {
        writer.keep(vec![Write::Put(item(REMEMBERED, &format!("{part:04}"), data), Expect::Anything)]).await;
    }
}

pub(super) async fn remembered(writer: &Writer) -> Option<String> {
    let parts: Vec<Vec<u8>> = writer.all(REMEMBERED).await.into_iter().map(|item| item.data).collect();
    String::from_utf8(rows::unpacked(&parts)?).ok()
}

/// Notes which triggers count from now on. Another runtime may have newer definitions: those of older ones change nothing.
pub(super) async fn enable(writer: &Writer, restraints: &Restraints, at: Timestamp) {
    let mut before: BTreeMap<String, Vec<u8>> = writer.all(ENABLED).await.into_iter().map(|item| (item.sk, item.data)).collect();
    let revision: u64 = before.remove(REVISION).and_then(|data| rows::read(&data)).unwrap_or(0);
    if revision > restraints.revision {
        return;
    }
    let mut writes = vec![Write::Put(item(ENABLED, REVISION, to_json(&restraints.revision)), Expect::Anything)];
    for (trigger, (rule, window)) in &restraints.enabled {
        let known = before.remove(trigger).and_then(|data| rows::read::<Enabled>(&data)).is_some_and(|before| before.rule == *rule);
        if !known {
            let enabled = Enabled { rule: rule.clone(), window: *window, since: at.as_millisecond() };
            writes.push(Write::Put(item(ENABLED, trigger, to_json(&enabled)), Expect::Anything));
        }
    }
    for trigger in before.into_keys() {
        for kind in [Kind::Threshold, Kind::Suppress].into_iter().filter(|_| !restraints.known.contains(&trigger)) {
            let key = rows::windows_key(&trigger, kind);
            let windows = writer.all(&key).await;
            writes.extend(windows.into_iter().map(|window| Write::Delete(key.clone(), window.sk, Expect::Anything)));
        }
        writes.push(Write::Delete(ENABLED.to_owned(), trigger, Expect::Anything));
    }
    for some in writes.chunks(WRITES) {
        writer.keep(some.to_vec()).await;
    }
}

pub(super) async fn states(writer: &Writer, now: Timestamp) -> Vec<TriggerState> {
    let items = writer.all(ENABLED).await.into_iter();
    let enabled: Vec<(String, Enabled)> = items.filter_map(|item| Some((item.sk, rows::read(&item.data)?))).collect();
    let mut windows = Vec::new();
    for (trigger, _) in enabled.iter().filter(|(_, enabled)| enabled.window.is_some()) {
        for item in writer.all(&rows::windows_key(trigger, Kind::Threshold)).await {
            windows.extend(rows::window_id(trigger, Kind::Threshold, &item.sk).zip(rows::read(&item.data)));
        }
    }
    states::states(enabled.into_iter(), windows.into_iter(), now)
}

/// Sets a run aside that the table does not take as one: part by part, beside what could not be delivered.
pub(super) async fn set_aside(writer: &Writer, run: &Run, reason: &str, at: Timestamp) {
    let letter = DeadLetter {
        trigger: run.trigger.name.clone(),
        destination: None,
        action: 0,
        attempts: 0,
        reason: reason.to_owned(),
        at,
        run: None,
        raw: None,
    };
    let place = format!("{}/{}/refused", rows::moment(at.as_millisecond()), run.id());
    for (part, data) in rows::packed(&codec::run_value(run)).into_iter().enumerate() {
        writer.keep(vec![Write::Put(item(DEAD, &format!("{place}/{part:04}"), data), Expect::Anything)]).await;
    }
    writer.keep(vec![Write::Put(item(DEAD, &place, to_json(&letter)), Expect::Anything)]).await;
}

/// What was set aside, and what could not be put among the dead letters, by its place in the table, the oldest first.
pub(super) async fn dead(store: &dyn Store) -> Result<Vec<(String, DeadLetter)>, StoreError> {
    let items = store.query(DEAD.to_owned(), Between::default(), usize::MAX).await?;
    // Parts of runs lie beside their letters.
    Ok(items.into_iter().filter_map(|item| Some((item.sk, rows::read(&item.data)?))).collect())
}

fn item(pk: &str, sk: &str, data: Vec<u8>) -> Item {
    Item { pk: pk.to_owned(), sk: sk.to_owned(), version: 1, data }
}
