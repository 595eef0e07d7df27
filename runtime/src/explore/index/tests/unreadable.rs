//! Indexes that can not be opened, or not be written.

use std::io::ErrorKind;
use std::sync::atomic::Ordering::SeqCst;

use super::faulty::Faulty;
use super::*;
use crate::explore::index::write::add;

fn written() -> Bench {
    let bench = Bench::new(&files()[..1]);
    bench.write();
    bench
}

#[test]
fn what_is_no_index_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for folder in [folder.path(), &folder.path().join("none")] {
        let said = Index::open(folder).map(drop).unwrap_err();
        assert_eq!(
            said,
            format!("{}: there is no index here: trailwire index LOGS --into FOLDER makes one in a new folder", folder.display())
        );
    }
    let bench = written();
    let folder = bench.index().display().to_string();
    let held: tantivy::IndexWriter = super::super::files(&bench.index()).unwrap().0.writer_with_num_threads(1, 20 << 20).unwrap();
    let said = write(&bench.index(), &bench.logs, 2, |_| {}).unwrap_err();
    assert_eq!(said, format!("{folder}: another process is writing this index"));
    drop(held);
    std::fs::write(bench.index().join("meta.json"), "{").unwrap();
    let said = Index::open(&bench.index()).map(drop).unwrap_err();
    assert!(said.starts_with(&format!("{folder}: the index can not be read: ")), "{said}");
}

/// Whoever may not write reads without a lock.
#[test]
fn no_lock_is_needed_to_read() {
    let bench = written();
    for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
        let folder = Faulty::new(&bench.index(), 0).locked(kind);
        let index = Index::of(Unlocked(folder), &bench.index()).unwrap();
        assert_eq!(all_of(&index), all_of(&bench.open()));
    }
    let folder = Faulty::new(&bench.index(), 0).locked(ErrorKind::OutOfMemory);
    assert!(Index::of(Unlocked(folder), &bench.index()).is_err());
}

/// A file that a writer has deleted in the meantime is looked for once more, by the list that the writer left.
#[test]
fn a_file_that_is_gone_is_looked_for_again() {
    let bench = written();
    for (gone, opens) in [(1, true), (2, false)] {
        let folder = Faulty::new(&bench.index(), 0);
        folder.gone.store(gone, SeqCst);
        assert_eq!(Index::of(Unlocked(folder), &bench.index()).is_ok(), opens, "{gone}");
    }
}

#[test]
fn who_may_not_write_is_told_so() {
    let bench = written();
    let folder = Faulty::new(&bench.index(), 1_000).locked(ErrorKind::PermissionDenied);
    let (index, fields) = within(folder, &bench.index(), true).unwrap();
    let said = add(&bench.index(), (&index, &fields), &bench.logs, (1, 1), |_| {}).unwrap_err();
    assert_eq!(said, format!("{}: can not be written: permission denied", bench.index().display()));
}

#[test]
fn a_file_that_is_cut_off_is_told_with_what_to_do() {
    let segments = || {
        let bench = written();
        let files = std::fs::read_dir(bench.index()).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|end| !["json", "lock"].contains(&end.to_str().unwrap()))).collect();
        (bench, files)
    };
    let count = segments().1.len();
    assert!(count > 3, "{count}");
    for number in 0..count {
        for part in [0, 1, 2] {
            let (bench, files) = segments();
            let file = std::fs::OpenOptions::new().write(true).open(&files[number]).unwrap();
            file.set_len(file.metadata().unwrap().len() * part / 3).unwrap();
            let said = Index::open(&bench.index()).map(|index| index.search(&Query::parse("").0.unwrap(), &Selection::default(), |_| true));
            let said = said.and_then(|found| found.map(drop)).unwrap_err();
            let folder = bench.index().display().to_string();
            assert!(said.starts_with(&format!("{folder}: the index can not be read: ")), "{said}");
            assert!(said.ends_with(": make it anew with trailwire index LOGS --into another folder"), "{said}");
        }
    }
}
