//! The fields that there are in logs, for whoever names one that is not.

use std::collections::BTreeSet;

use serde_json::Value;
use trailwire_engine::search::member;
use trailwire_engine::text::nearest;

use super::log_file::LogFile;
use super::scan::{Sifted, scan};

/// So many files are looked into, from the first to the last, and of each so many records.
const FILES: usize = 8;
const RECORDS: usize = 500;

/// The paths of the members that occur in some of the records, as a search has them.
pub(crate) fn fields(files: &[LogFile]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut text = Vec::new();
    for file in files.iter().step_by(files.len().div_ceil(FILES).max(1)) {
        let mut left = RECORDS;
        let mut sift = |_: &[u8]| {
            left = left.saturating_sub(1);
            if left > 0 { Sifted::Unsure } else { Sifted::No }
        };
        scan(file, &mut text, &|| true, &mut sift, &mut |event, _, _| walk(event.detail(), &mut String::new(), &mut found));
    }
    found
}

fn walk(value: &Value, path: &mut String, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| walk(element, path, found)),
        Value::Object(members) => {
            for (name, value) in members {
                let above = path.len();
                if above > 0 {
                    path.push('.');
                }
                path.push_str(&member(name));
                walk(value, path, found);
                if !found.contains(path.as_str()) {
                    found.insert(path.clone());
                }
                path.truncate(above);
            }
        }
        _ => {}
    }
}

/// The field that may have been meant by one that does not occur: one of the same letters in another case or place, else the nearest beside it.
pub(crate) fn meant<'f>(field: &str, fields: &'f BTreeSet<String>) -> Option<&'f str> {
    let parted = |path: &'f str| path.rsplit_once('.').unwrap_or(("", path));
    let (above, last) = field.rsplit_once('.').unwrap_or(("", field));
    let all = || fields.iter().map(|known| (known.as_str(), parted(known)));
    let same = all().filter(|(_, (_, name))| name.eq_ignore_ascii_case(last)).min_by_key(|(known, _)| known.len());
    let beside = || all().filter(|(_, (known, _))| *known == above);
    let near = || nearest(last, beside().map(|(_, (_, name))| name));
    same.map(|(known, _)| known).or_else(|| near().and_then(|near| beside().find(|(_, (_, name))| *name == near)).map(|(known, _)| known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.json");
        std::fs::write(&path, r#"{"requestParameters":{"items":[{"groupId":"a"},{"cidrIp":"b"}],"a.b":1},"userIdentity":{"arn":"x"}}"#)
            .unwrap();
        let found = fields(&[LogFile::Local(path)]);
        let all: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(
            all,
            [
                "requestParameters",
                "requestParameters.a\\.b",
                "requestParameters.items",
                "requestParameters.items.cidrIp",
                "requestParameters.items.groupId",
                "userIdentity",
                "userIdentity.arn"
            ]
        );
        for (field, expected) in [
            ("requestParameters.groupid", Some("requestParameters.items.groupId")),
            ("requestParameters.items.cidrIpp", Some("requestParameters.items.cidrIp")),
            ("requestParameters.zzzzzzzz", None),
        ] {
            assert_eq!(meant(field, &found), expected, "{field}");
        }
    }
}
