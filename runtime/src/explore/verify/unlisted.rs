//! Log files that lie where CloudTrail delivers, and that no digest lists: nobody vouches for them.
//!
//! Only times that valid digests are about are looked at: what was delivered while validation was off is in none, and what was delivered last is in one to come.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::store::Store;
use super::trail::Trail;
use crate::explore::files::delivered;
use crate::explore::s3::Fault;

/// A file is named before it is delivered: one that is named at the end of an hour is in the digest of the next.
const LATE: SignedDuration = SignedDuration::from_mins(15);

/// What valid digests list, and the times that they are about.
#[derive(Debug, Default)]
pub(super) struct Listed {
    hasher: RandomState,
    /// Hashes of keys: a million of them are some megabytes. That one is taken for another has a chance of one in 2^64 for each pair.
    keys: HashSet<u64>,
    spans: Vec<(Timestamp, Timestamp)>,
}

impl Listed {
    pub(super) fn log(&mut self, key: &str) {
        self.keys.insert(self.hasher.hash_one(key));
    }

    pub(super) fn span(&mut self, start: Timestamp, end: Timestamp) {
        self.spans.push((start, end));
    }

    /// Hands over each key that no digest lists.
    ///
    /// # Errors
    ///
    /// [`Fault`]: the bucket can not be listed.
    pub(super) fn others(
        &self,
        store: &Store,
        bucket: &str,
        trail: &Trail,
        (from, to): (Timestamp, Timestamp),
        mut take: impl FnMut(&str),
    ) -> Result<(), Fault> {
        let spans = joined(&self.spans, (from, to));
        let (Some((first, _)), Some((_, last))) = (spans.first(), spans.last()) else { return Ok(()) };
        let folder = trail.logs();
        let (before, behind) = (format!("{folder}{}", first.strftime("%Y/%m/%d")), Trail::last_of_day(&folder, *last));
        store.list(bucket, &folder, &before, |key| {
            if is_about(&spans, key.strip_prefix(&folder).unwrap_or(key)) && !self.keys.contains(&self.hasher.hash_one(key)) {
                take(key);
            }
            key <= behind.as_str()
        })
    }
}

/// Whether digests should list what lies here in a trail's folder. The day is that of the folder, and the name may excuse what came in its last minutes; a name that tells another
/// day or nothing excuses nothing.
fn is_about(spans: &[(Timestamp, Timestamp)], place: &str) -> bool {
    let Some((day, name)) = place.rsplit_once('/') else { return true };
    if name.is_empty() {
        return false;
    }
    let Some(midnight) = DateTime::strptime("%Y/%m/%d/%H", format!("{day}/00")).and_then(|day| day.to_zoned(TimeZone::UTC)).ok() else {
        return true;
    };
    let (midnight, tomorrow) = (midnight.timestamp(), midnight.timestamp() + SignedDuration::from_hours(24));
    match delivered(name).filter(|time| midnight <= *time && *time < tomorrow) {
        Some(time) => spans.iter().any(|(start, end)| *start <= time && time < *end),
        None => spans.iter().any(|(start, end)| *start < tomorrow && midnight < *end),
    }
}

/// Times without breaks within those that are asked for, each as far as its digests are sure to list what was delivered.
fn joined(spans: &[(Timestamp, Timestamp)], (from, to): (Timestamp, Timestamp)) -> Vec<(Timestamp, Timestamp)> {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (start, end) in spans {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    let sure = |(start, end): (Timestamp, Timestamp)| (start.max(from), end.checked_sub(LATE).unwrap_or(end).min(to));
    joined.into_iter().map(sure).filter(|(start, end)| start < end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_excuses_nothing_but_the_last_minutes() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let spans = [(time("2026-03-01T00:00:00Z"), time("2026-03-01T02:45:00Z"))];
        let name = |time: &str| format!("111122223333_CloudTrail_us-east-1_{time}_x.json.gz");
        for (place, expected) in [
            (format!("2026/03/01/{}", name("20260301T0110Z")), true),
            (format!("2026/03/01/{}", name("20260301T0250Z")), false),
            (format!("2026/03/01/{}", name("20990101T0000Z")), true),
            (format!("2026/03/01/{}", name("19990101T0000Z")), true),
            ("2026/03/01/forged.json.gz".to_owned(), true),
            ("2026/03/01/x.json.gz.metadata.json".to_owned(), true),
            ("2026/03/02/forged.json.gz".to_owned(), false),
            ("forged.json.gz".to_owned(), true),
            ("2026/03/01/more/forged.json.gz".to_owned(), true),
            ("2026/03/01/".to_owned(), false),
        ] {
            assert_eq!(is_about(&spans, &place), expected, "{place}");
        }
    }

    #[test]
    fn times_without_breaks_are_one() {
        let time = |hour: i64, minute: i64| Timestamp::from_second(hour * 3600 + minute * 60).unwrap();
        let spans = [
            (time(3, 0), time(4, 0)),
            (time(1, 0), time(2, 0)),
            (time(2, 0), time(3, 0)),
            (time(8, 0), time(9, 0)),
            (time(20, 0), time(20, 5)),
        ];
        let all = (time(0, 0), time(99, 0));
        assert_eq!(joined(&spans, all), [(time(1, 0), time(3, 45)), (time(8, 0), time(8, 45))]);
        assert_eq!(joined(&spans, (time(2, 30), time(8, 10))), [(time(2, 30), time(3, 45)), (time(8, 0), time(8, 10))]);
        assert_eq!(joined(&[], all), []);
    }
}
