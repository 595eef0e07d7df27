//! Log files in a bucket. A trail's folders tell account, region and day of delivery (`[PREFIX/]AWSLogs/[o-ID/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/`: AWS CloudTrail
//! user guide, "Finding your CloudTrail log files"), and those that hold nothing that is asked for are not listed.

use futures::{StreamExt as _, stream};

use trailwire_engine::fanout::names::is_account_id;

use super::{Ask, Fault, S3};
use crate::explore::files::{Found, Selection, told_by_name};
use crate::explore::log_file::LogFile;

/// So many lists are read side by side.
const AT_ONCE: usize = 16;

/// What is done about a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing: it holds nothing that is asked for.
    Leave,
    /// Its own names and folders are listed.
    Look,
    /// Everything in it is listed at once, however deep.
    Sweep,
}

/// Finds the log files that begin with a prefix, which is a folder's, with a slash at its end or without, or the whole name of one.
pub(in crate::explore) fn find(bucket: &str, prefix: &str, selection: &Selection, found: &mut Found) {
    let place = format!("s3://{bucket}/{prefix}");
    let s3 = match S3::shared() {
        Ok(s3) => s3,
        Err(reason) => return found.faults.push(format!("{place}: {reason}")),
    };
    match walk(s3, bucket, prefix, selection) {
        Err(fault) => found.faults.push(format!("{place}: {}", fault.words())),
        Ok(Walked { keys, left_out, .. }) if keys.is_empty() && left_out == 0 => {
            found.faults.push(format!("{place}: there is no log file"))
        }
        Ok(walked) => {
            found.left_out += walked.left_out;
            found.files.extend(walked.keys.into_iter().map(|key| LogFile::Object { bucket: bucket.into(), key }));
        }
    }
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// In their order.
    pub(super) keys: Vec<String>,
    pub(super) left_out: u64,
}

pub(super) fn walk(s3: &S3, bucket: &str, prefix: &str, selection: &Selection) -> Result<Walked, Fault> {
    s3.runtime.block_on(async {
        let mut walked = Walked::default();
        let mut level = Vec::new();
        if prefix.is_empty() || prefix.ends_with('/') {
            level.push((prefix.to_owned(), step(prefix, selection)));
        } else {
            // It is an object, a folder, or both. What merely begins so is neither.
            let (keys, folders) = listed(s3, bucket, prefix, true).await?;
            walked.keys.extend(keys.into_iter().filter(|key| key == prefix));
            level.extend(folders.into_iter().filter(|folder| folder.strip_suffix('/') == Some(prefix)).map(|folder| {
                let step = step(&folder, selection);
                (folder, step)
            }));
        }
        while !level.is_empty() {
            let lists = std::mem::take(&mut level).into_iter().filter(|(_, step)| *step != Step::Leave);
            let mut lists = stream::iter(lists)
                .map(|(folder, step)| async move { listed(s3, bucket, &folder, step == Step::Look).await })
                .buffered(AT_ONCE);
            while let Some(list) = lists.next().await {
                let (keys, folders) = list?;
                for key in keys {
                    match told_by_name(key.rsplit('/').next().unwrap_or_default(), selection) {
                        Some(true) => walked.keys.push(key),
                        Some(false) => walked.left_out += 1,
                        None => {}
                    }
                }
                level.extend(folders.into_iter().map(|folder| {
                    let step = step(&folder, selection);
                    (folder, step)
                }));
            }
        }
        walked.keys.sort_unstable();
        Ok(walked)
    })
}

/// All pages of a list: names, and folders where they are asked for.
async fn listed(s3: &S3, bucket: &str, prefix: &str, folders: bool) -> Result<(Vec<String>, Vec<String>), Fault> {
    let mut found = (Vec::new(), Vec::new());
    let ask = Ask { prefix, folders, token: None, after: None };
    s3.pages(bucket, &ask, |page| {
        found.0.append(&mut page.keys);
        found.1.append(&mut page.folders);
        true
    })
    .await?;
    Ok(found)
}

/// What is done about a folder whose name ends with a slash.
fn step(folder: &str, selection: &Selection) -> Step {
    let mut parts = folder.trim_end_matches('/').split('/').skip_while(|part| *part != "AWSLogs").skip(1).peekable();
    parts.next_if(|part| part.starts_with("o-"));
    let Some(account) = parts.next() else { return Step::Look };
    if !is_account_id(account) {
        return Step::Look;
    }
    if !selection.accounts.is_empty() && !selection.accounts.contains(account) {
        return Step::Leave;
    }
    // Logs of other services lie beside those of CloudTrail.
    match parts.next() {
        None => return Step::Look,
        Some("CloudTrail") => {}
        Some(service) if service.starts_with("CloudTrail") && service != "CloudTrail-Digest" => return Step::Sweep,
        Some(_) => return Step::Leave,
    }
    let Some(region) = parts.next() else { return Step::Look };
    if !selection.regions.is_empty() && !selection.regions.contains(region) {
        return Step::Leave;
    }
    if selection.from.is_none() && selection.to.is_none() {
        return Step::Sweep;
    }
    let date = parts.collect::<Vec<_>>();
    match (selection.may_be_delivered(&date), date.len()) {
        (false, _) => Step::Leave,
        (true, 0..3) => Step::Look,
        (true, _) => Step::Sweep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_hold_nothing_that_is_asked_for_are_left() {
        let all = Selection::default();
        let some = Selection {
            from: Some("2026-02-28T22:00:00Z".parse().unwrap()),
            to: Some("2026-03-01T12:00:00Z".parse().unwrap()),
            accounts: ["111122223333".to_owned()].into(),
            regions: ["eu-west-1".to_owned()].into(),
        };
        let trail = "AWSLogs/111122223333/CloudTrail/eu-west-1/";
        for (folder, of_all, of_some) in [
            ("", Step::Look, Step::Look),
            ("any/thing/", Step::Look, Step::Look),
            ("AWSLogs/", Step::Look, Step::Look),
            ("p/q/AWSLogs/o-abc123/", Step::Look, Step::Look),
            ("p/q/AWSLogs/o-abc123/111122223333/", Step::Look, Step::Look),
            ("AWSLogs/444455556666/", Step::Look, Step::Leave),
            ("AWSLogs/111122223333/Config/", Step::Leave, Step::Leave),
            ("AWSLogs/111122223333/CloudTrail-Digest/", Step::Leave, Step::Leave),
            ("AWSLogs/111122223333/CloudTrail-Insight/", Step::Sweep, Step::Sweep),
            ("AWSLogs/111122223333/CloudTrail/", Step::Look, Step::Look),
            ("AWSLogs/o-abc123/111122223333/CloudTrail/us-east-1/", Step::Sweep, Step::Leave),
            (trail, Step::Sweep, Step::Look),
            (&format!("{trail}2025/"), Step::Sweep, Step::Leave),
            (&format!("{trail}2026/"), Step::Sweep, Step::Look),
            (&format!("{trail}2026/01/"), Step::Sweep, Step::Leave),
            (&format!("{trail}2026/02/"), Step::Sweep, Step::Look),
            (&format!("{trail}2026/02/27/"), Step::Sweep, Step::Leave),
            (&format!("{trail}2026/02/28/"), Step::Sweep, Step::Sweep),
            (&format!("{trail}2026/03/02/"), Step::Sweep, Step::Sweep),
            (&format!("{trail}2026/03/03/"), Step::Sweep, Step::Leave),
            (&format!("{trail}2026/12/"), Step::Sweep, Step::Leave),
            (&format!("{trail}odd/"), Step::Sweep, Step::Look),
        ] {
            assert_eq!((step(folder, &all), step(folder, &some)), (of_all, of_some), "{folder}");
        }
    }
}
