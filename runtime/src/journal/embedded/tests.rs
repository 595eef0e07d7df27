use jiff::SignedDuration;
use proptest::prelude::*;

use super::super::model::Model;
use super::super::testing::{at, change, compare, restraints, run, task};
use super::*;
use crate::driver::FULL;

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_file_does_what_the_model_does(commits in prop::collection::vec(prop::collection::vec(change(), 1..5), 0..12)) {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut model = Model::default();
        let mut journal = Embedded::open(dir.path()).unwrap();
        for (round, commit) in commits.into_iter().enumerate() {
            let expected = model.apply(&commit);
            prop_assert_eq!(runtime.block_on(journal.commit(commit)).unwrap(), expected);
            if round % 4 == 3 {
                // What was committed is there for the next process.
                journal = reopened(journal, dir.path());
            }
        }
        runtime.block_on(compare(&journal, &model));
        let dead = runtime.block_on(journal.dead_letters()).unwrap();
        prop_assert_eq!(dead.len(), model.dead.len());
    }
}

/// The writer's thread lets go of the file a moment after the journal is dropped.
fn reopened(journal: Embedded, dir: &Path) -> Embedded {
    drop(journal);
    for _ in 0..6_000 {
        match Embedded::open(dir) {
            Ok(journal) => return journal,
            Err(JournalError::Held { .. }) => std::thread::sleep(std::time::Duration::from_millis(10)),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the file stays locked");
}

#[test]
fn a_second_holder_is_told_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Embedded::open(dir.path()).unwrap();
    let error = Embedded::open(dir.path()).unwrap_err().to_string();
    let expected = format!("the journal in {} is in use by process {} since 2", dir.path().display(), std::process::id());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::create(dir.path().join(FILE)).unwrap();
    assert_eq!(tables::prepare(&database, FORMAT + 1).unwrap(), FORMAT + 1);
    drop(database);
    let error = Embedded::open(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("has format 2; this version reads format 1"), "{error}");
}

#[test]
fn a_file_that_is_no_journal_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), "hello").unwrap();
    assert!(matches!(Embedded::open(dir.path()), Err(JournalError::Broken { .. })));
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(Embedded::open(&file), Err(JournalError::Broken { .. })));
}

/// What a test writes into the file behind the journal's back.
fn tamper(dir: &Path, change: impl FnOnce(&redb::WriteTransaction)) {
    let mut database = Database::create(dir.join(FILE));
    while let Err(DatabaseError::DatabaseAlreadyOpen) = database {
        std::thread::sleep(std::time::Duration::from_millis(10));
        database = Database::create(dir.join(FILE));
    }
    let database = database.unwrap();
    let transaction = database.begin_write().unwrap();
    change(&transaction);
    transaction.commit().unwrap();
}

#[tokio::test]
async fn what_can_not_be_read_is_buried_raw_and_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Embedded::open(dir.path()).unwrap();
    let accept = |number| Change::Accept { run: run(number), tasks: vec![task(number, 0, Some("a"))], gate: None };
    journal.commit(vec![accept(1), accept(2), accept(3)]).await.unwrap();
    drop(journal);
    tamper(dir.path(), |transaction| {
        transaction.open_table(tables::RUNS).unwrap().insert(run(1).id().0.as_slice(), "{oops".as_bytes()).unwrap();
        let key = codec::task_key(&task(2, 0, Some("a")).id);
        transaction.open_table(tables::TASKS).unwrap().insert(key.as_slice(), "{oops".as_bytes()).unwrap();
    });
    let journal = Embedded::open(dir.path()).unwrap();
    assert_eq!(journal.run(run(1).id()).await.unwrap(), None);
    assert_eq!(journal.tasks(FULL).await.unwrap().len(), 2);
    let done = task(1, 0, Some("a")).id;
    assert_eq!(journal.commit(vec![Change::Bury { done, reason: "why".to_owned(), at: at(7) }]).await.unwrap(), [Applied::Now(vec![])]);
    let dead = journal.dead_letters().await.unwrap();
    assert_eq!((dead[0].1.raw.as_deref(), &dead[0].1.run), (Some("{oops"), &None));
}

#[tokio::test]
async fn documents_are_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Embedded::open(dir.path()).unwrap();
    assert_eq!(journal.remembered().await.unwrap(), None);
    journal.commit(vec![Change::Remember("one".to_owned()), Change::Remember("two".to_owned())]).await.unwrap();
    let journal = reopened(journal, dir.path());
    assert_eq!(journal.remembered().await.unwrap().as_deref(), Some("two"));
}

#[tokio::test]
async fn many_commits_at_once_are_each_answered() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Arc::new(Embedded::open(dir.path()).unwrap());
    let commits = (0..=255u8).map(|number| {
        let journal = Arc::clone(&journal);
        tokio::spawn(async move {
            journal.commit(vec![Change::Accept { run: run(number % 128), tasks: vec![task(number % 128, 0, Some("a"))], gate: None }]).await
        })
    });
    let mut applied = 0;
    for commit in commits.collect::<Vec<_>>() {
        applied += usize::from(commit.await.unwrap().unwrap() != [Applied::Not]);
    }
    assert_eq!((applied, journal.tasks(FULL).await.unwrap().len()), (128, 128));
}

#[tokio::test]
async fn keys_are_kept_for_their_days_only() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Embedded::open(dir.path()).unwrap();
    let accept = || vec![Change::Accept { run: run(1), tasks: vec![], gate: None }];
    assert_eq!(journal.commit(accept()).await.unwrap(), [Applied::Now(vec![])]);
    assert_eq!(journal.commit(accept()).await.unwrap(), [Applied::Not]);
    let soon = run(1).accepted.saturating_add(SignedDuration::from_secs(1)).unwrap();
    journal.commit(vec![Change::Prune(run(1).accepted)]).await.unwrap();
    assert_eq!(journal.commit(accept()).await.unwrap(), [Applied::Not]);
    journal.commit(vec![Change::Prune(soon)]).await.unwrap();
    assert_eq!(journal.commit(accept()).await.unwrap(), [Applied::Now(vec![])]);
}

#[tokio::test]
async fn thresholds_and_suppress_do_what_they_do_in_the_model() {
    let dir = tempfile::tempdir().unwrap();
    restraints(&Embedded::open(dir.path()).unwrap()).await;
}

#[tokio::test]
async fn what_was_given_up_is_begun_again_or_forgotten_after_its_days() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Embedded::open(dir.path()).unwrap();
    for number in 1..=2 {
        journal.commit(vec![Change::Accept { run: run(number), tasks: vec![task(number, 0, Some("a"))], gate: None }]).await.unwrap();
        let done = task(number, 0, Some("a")).id;
        journal.commit(vec![Change::Bury { done, reason: "410".to_owned(), at: at(i64::from(number)) }]).await.unwrap();
    }
    let dead = journal.dead_letters().await.unwrap();
    let (number, letter) = &dead[1];
    assert!(journal.begin_again(*number, letter, at(9)).await.unwrap());
    let begun = Task { due: at(9), since: at(9), ..task(2, 0, Some("a")) };
    assert_eq!((journal.tasks(FULL).await.unwrap(), journal.run(run(2).id()).await.unwrap()), (vec![begun], Some(run(2))));
    assert!(!journal.begin_again(*number, letter, at(9)).await.unwrap());
    for (before, left) in [(1, 1), (2, 0)] {
        journal.commit(vec![Change::Prune(at(before))]).await.unwrap();
        assert_eq!(journal.dead_letters().await.unwrap().len(), left);
    }
}
