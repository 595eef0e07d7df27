//! The alarms of the model.

use trailwire_engine::fanout::names::Cell;

use super::{World, here};
use crate::cloud::call::{Call, Reply, Tagged};

pub(super) fn answer(world: &mut World, cell: &Cell, call: Call) -> Reply {
    let place = here(cell);
    match call {
        Call::PutAlarm { alarm, tags } => {
            let arn = format!("arn:aws:cloudwatch:{}:{}:alarm:{}", cell.region, cell.account, alarm.name);
            // AWS ignores the tags of an alarm that is there.
            world.tags.entry((place.clone(), Tagged::Alarm(arn))).or_insert(tags);
            world.alarms.insert((place, alarm.name), alarm.settings);
            Reply::Done
        }
        Call::DeleteAlarms { names } => {
            world.alarms.retain(|(at, name), _| *at != place || !names.contains(name));
            let is_gone =
                |tagged: &Tagged| matches!(tagged, Tagged::Alarm(arn) if names.iter().any(|name| arn.ends_with(&format!(":{name}"))));
            world.tags.retain(|(at, tagged), _| *at != place || !is_gone(tagged));
            Reply::Done
        }
        Call::DescribeAlarms { prefix } => {
            let here = world.alarms.iter().filter(|((at, name), _)| *at == place && name.starts_with(&prefix));
            Reply::Alarms(here.map(|((_, name), settings)| (name.clone(), settings.clone())).collect())
        }
        _ => Reply::Done,
    }
}
