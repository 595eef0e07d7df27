//! Canaries that have arrived: the runtime writes them down for `trailwire doctor --canary`.

use jiff::Timestamp;
use trailwire_engine::event::Event;
use trailwire_engine::fanout::canary::Arrival;
use trailwire_engine::fanout::names;

use super::Hub;
use super::aws::describe;

impl Hub {
    /// The canaries among events. They are judged as any other, too.
    pub(crate) fn arrivals<'a>(&self, events: impl IntoIterator<Item = &'a Event>) -> Vec<Arrival> {
        let Some(hub) = names::Hub::from_arn(&self.record.bus_arn) else { return Vec::new() };
        events.into_iter().filter_map(|event| Arrival::of(&hub, event.envelope())).collect()
    }

    /// Writes down that canaries have arrived. Where that fails the doctor misses them, and nothing else.
    pub(crate) async fn note_arrivals(&self, arrivals: Vec<Arrival>) {
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        for arrival in arrivals {
            tracing::info!(cell = %arrival.cell, "a canary arrived");
            if let Err(error) = self.table.put(&arrival.write(now)).await {
                tracing::warn!(reason = describe(&error), "the arrival of a canary can not be written");
            }
        }
    }
}
