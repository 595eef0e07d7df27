//! A process that is gone in the middle of indexing, at any access to the disk.

use super::faulty::Faulty;
use super::*;
use crate::explore::index::write::add;

/// Indexes until that many changes were made.
fn dies(bench: &Bench, changes: u64, every: u64) -> (Result<Written, String>, u64) {
    let folder = bench.index();
    let dying = Faulty::new(&folder, changes);
    let written = within(dying.clone(), &folder, true)
        .and_then(|(index, fields)| add(&folder, (&index, &fields), &bench.logs, (every, usize::MAX), |_| {}));
    (written, dying.left())
}

/// How many changes one clean run makes, and what is in the index then.
fn clean() -> &'static (u64, u64, Vec<Event>) {
    static CLEAN: OnceLock<(u64, u64, Vec<Event>)> = OnceLock::new();
    CLEAN.get_or_init(|| {
        let bench = Bench::new(&files());
        let (written, left) = dies(&bench, u64::from(u32::MAX), 1);
        (u64::from(u32::MAX) - left, written.unwrap().events, all_of(&bench.open()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(32, 500), ..ProptestConfig::default() })]

    #[test]
    fn who_goes_on_has_what_a_clean_run_has(part in 0..1_000_u64, again in 0..1_000_u64) {
        let (changes, events, rows) = clean();
        let bench = Bench::new(&files());
        for part in [part, again] {
            let (written, _) = dies(&bench, changes * part / 1_000, 1);
            if let Ok(written) = written {
                prop_assert_eq!(written.events, *events);
            }
        }
        let resumed = write(&bench.index(), &bench.logs, 100, |_| {}).unwrap();
        prop_assert_eq!(resumed.events, *events);
        prop_assert_eq!(resumed.known + resumed.files, 5);
        prop_assert_eq!(&all_of(&bench.open()), rows);
        prop_assert_eq!(bench.write().added, 0);
    }
}

/// Wherever it was that the disk failed, that is what is told.
#[test]
fn what_stops_the_writing_is_told() {
    let (changes, ..) = clean();
    let mut midway = 0;
    // With a commit for each file, and with one at the end, before which a thread that writes fails.
    for (changes, every) in (0..20).map(|part| (changes * part / 20, 1)).chain((0..20).map(|changes| (changes, u64::MAX))) {
        let bench = Bench::new(&files());
        let (Err(told), _) = dies(&bench, changes, every) else { continue };
        assert!(told.starts_with(&bench.index().display().to_string()) && told.contains("the process is gone"), "{changes}: {told}");
        midway += u32::from(told.ends_with(": what was told of is kept, and the next run goes on from there"));
    }
    assert!(midway > 10, "{midway}");
}

/// Events that are large are made safe before there are many.
#[test]
fn so_many_bytes_wait_and_no_more() {
    let bench = Bench::new(&files());
    let (index, fields) = super::super::files(&bench.index()).unwrap();
    let mut told = 0;
    let written = add(&bench.index(), (&index, &fields), &bench.logs, (u64::MAX, 20_000), |_| told += 1).unwrap();
    assert_eq!((written.files, told), (5, 4), "{written:?}");
}
