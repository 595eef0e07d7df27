//! What is written is read again, by the reader of the same crate.

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Value, json};

use super::*;

fn event(record: Value) -> Event {
    Event::from_value(record).unwrap()
}

/// The rows of a file, as JSON without what is not there.
fn rows(path: &Path) -> Vec<Value> {
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(|row| bare(&row.unwrap())).collect()
}

fn bare(row: &Row) -> Value {
    let members = row.get_column_iter().filter(|(_, field)| !matches!(field, Field::Null));
    Value::Object(members.map(|(name, field)| (name.clone(), value(field))).collect())
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Str(text) => json!(text),
        Field::Group(row) => bare(row),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        other => panic!("{other:?}"),
    }
}

fn names(folder: &Path, found: &mut Vec<String>, root: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { names(&entry, found, root) } else { found.push(entry.strip_prefix(root).unwrap().display().to_string()) }
    }
    found.sort();
}

#[test]
fn events_are_rows_in_the_folders_of_their_partitions() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("out");
    let mut export = Export::new(&root).unwrap();
    let records = [
        json!({"eventName": "RunInstances", "eventTime": "2026-03-01T23:59:59Z", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "readOnly": false,
            "userIdentity": {"type": "AssumedRole", "sessionContext": {"attributes": {"mfaAuthenticated": "true"}, "sessionIssuer": {"userName": "r"}}},
            "requestParameters": {"a": [1, null]}, "responseElements": null,
            "resources": [{"ARN": "arn:1", "type": "T"}, {"arn": "arn:2"}, null], "extra": 1}),
        json!({"eventName": "X", "eventTime": "2026-03-01T00:00:00Z", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "userIdentity": {"sessionContext": null},
            "resources": [], "requestParameters": "text", "userAgent": 7, "tlsDetails": {}}),
        json!({"eventName": "Y", "eventTime": "2026-02-30T00:00:00Z", "awsRegion": "../../etc", "recipientAccountId": "1/../2", "userIdentity": "none", "resources": 1}),
    ];
    records.iter().for_each(|record| export.add(event(record.clone())).unwrap());
    let written = export.end().unwrap();
    assert_eq!((written.rows, written.files), (3, 2));
    let mut found = Vec::new();
    names(&root, &mut found, &root);
    let known = "account=111122223333/region=eu-west-1/day=2026-03-01/part-000001.parquet";
    let unknown = "account=unknown/region=unknown/day=unknown/part-000002.parquet";
    assert_eq!(found, [known, unknown]);
    assert_eq!(
        rows(&root.join(known)),
        [
            json!({"eventname": "RunInstances", "eventtime": "2026-03-01T23:59:59Z", "awsregion": "eu-west-1", "recipientaccountid": "111122223333", "readonly": "false",
                "useridentity": {"type": "AssumedRole", "sessioncontext": {"attributes": {"mfaauthenticated": "true"}, "sessionissuer": {"username": "r"}}},
                "requestparameters": "{\"a\":[1,null]}", "resources": [{"arn": "arn:1", "type": "T"}, {"arn": "arn:2"}, null]}),
            json!({"eventname": "X", "eventtime": "2026-03-01T00:00:00Z", "awsregion": "eu-west-1", "recipientaccountid": "111122223333", "useridentity": {},
                "resources": [], "requestparameters": "text", "useragent": "7", "tlsdetails": {}}),
        ]
    );
    assert_eq!(
        rows(&root.join(unknown)),
        [json!({"eventname": "Y", "eventtime": "2026-02-30T00:00:00Z", "awsregion": "../../etc", "recipientaccountid": "1/../2"})]
    );
    assert_eq!(Export::new(&root).unwrap_err(), format!("{} is not empty: what lies there would be counted, too", root.display()));
}

#[test]
fn what_waits_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut export = Export::new(folder.path()).unwrap();
    let large = "x".repeat(4 << 20);
    for number in 0..30 {
        let day = format!("2026-03-{:02}T00:00:00Z", number % 15 + 1);
        export.add(event(json!({"eventName": "A", "eventTime": day, "userAgent": large, "n": number}))).unwrap();
        assert!(export.bytes < WAITING + (5 << 20), "{}", export.bytes);
    }
    let written = export.end().unwrap();
    assert_eq!((written.rows, written.partitions.len()), (30, 15));
    assert!(written.files > 15, "{}", written.files);
}

#[test]
fn the_table_says_what_the_files_have() {
    let partition =
        |account: &str, day: &str| Partition { account: account.to_owned(), region: "eu-west-1".to_owned(), day: day.to_owned() };
    let text = sql::athena(&[partition("2", "2026-03-02"), partition("1", "2026-03-01"), partition("1", UNKNOWN)].into());
    assert!(
        text.starts_with(
            "CREATE EXTERNAL TABLE cloudtrail (\n  `eventversion` STRING,\n  `useridentity` STRUCT<type: STRING, principalid: STRING,"
        ),
        "{text}"
    );
    assert!(text.contains("\n  `resources` ARRAY<STRUCT<arn: STRING, accountid: STRING, type: STRING>>,\n"), "{text}");
    assert!(
        text.contains("  'projection.account.values' = '1,2',\n") && text.contains("  'projection.day.range' = '2026-03-01,NOW',\n"),
        "{text}"
    );
    assert_eq!(sql::duckdb("o'x").matches("'o''x/**/*.parquet'").count(), 1);
}
