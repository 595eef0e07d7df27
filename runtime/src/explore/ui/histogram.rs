//! How many events there are in each stretch of time.

use serde_json::{Value, json};

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Lengths of a stretch that people reckon in.
const STEPS: [i64; 19] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    60 * SECOND,
    120 * SECOND,
    300 * SECOND,
    600 * SECOND,
    1_800 * SECOND,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
    28 * DAY,
    91 * DAY,
    365 * DAY,
];

/// At most so many stretches.
const MOST: i64 = 90;

/// Counts events by their times, of each stretch all, those that failed, and those for which a trigger fires. What is shown reaches over what was
/// asked for, as far as there are any logs.
pub(super) fn histogram(times: &[(i64, bool, bool)], wanted: [Option<i64>; 2], extent: Option<(i64, i64)>) -> Value {
    let Some((first, last)) = extent else { return Value::Null };
    let [from, to] = wanted;
    let (from, to) = (from.unwrap_or(first).max(first), to.unwrap_or(last + 1).min(last + 1));
    let step = STEPS.into_iter().find(|step| (to - from).max(0) / step < MOST).unwrap_or_else(|| (to - from) / MOST);
    let start = from.div_euclid(step) * step;
    let stretches = usize::try_from((to - start + step - 1).div_euclid(step).max(1)).unwrap_or(1);
    let mut counts = vec![[0_u64; 3]; stretches];
    for (time, failed, fired) in times {
        let place = usize::try_from((time - start).div_euclid(step)).ok().and_then(|index| counts.get_mut(index));
        if let Some([all, failures, fires]) = place {
            *all += 1;
            *failures += u64::from(*failed);
            *fires += u64::from(*fired);
        }
    }
    json!({"start": start, "step": step, "counts": counts})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_as_people_reckon() {
        let noon = 1_772_366_400_000;
        for (from, to, step, start, stretches) in [
            (noon, noon, SECOND, noon, 1),
            (noon + 500, noon + 2_000, SECOND, noon, 3),
            (noon + 61_000, noon + 600_000, 10 * SECOND, noon + 60_000, 55),
            (noon, noon + DAY, 1_800 * SECOND, noon, 49),
            (noon, noon + 30 * DAY, 12 * HOUR, noon, 61),
        ] {
            let told = histogram(&[], [None, None], Some((from, to)));
            assert_eq!(told["step"], step);
            assert_eq!((&told["start"], told["counts"].as_array().unwrap().len()), (&json!(start), stretches), "{from} {to}");
        }
        for days in [1, 100, 1_000, 10_000, 100_000] {
            let told = histogram(&[], [None, None], Some((noon, noon + days * DAY)));
            assert!(told["counts"].as_array().unwrap().len() <= 92, "{days}");
        }
    }

    #[test]
    fn every_event_is_in_one_stretch() {
        let noon = 1_772_366_400_000;
        let times: Vec<_> = (0..1000).map(|number| (noon + number * 777, number % 3 == 0, number % 5 == 0)).collect();
        let told = histogram(&times, [None, None], Some((noon, noon + 999 * 777)));
        let sum = |index: usize| told["counts"].as_array().unwrap().iter().map(|counts| counts[index].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum(0), sum(1), sum(2)), (1000, 334, 200));
        assert_eq!(histogram(&[], [None, None], None), Value::Null);
        let narrow = histogram(&times[..2], [Some(noon), Some(noon + 1_000)], Some((noon, noon + 999 * 777)));
        assert_eq!(narrow, json!({"start": noon, "step": SECOND, "counts": [[2, 1, 1]]}));
    }
}
