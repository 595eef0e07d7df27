//! The client beside a server that behaves as S3 does, and misbehaves as S3 does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::walk::{Walked, walk};
use super::*;
use crate::explore::files::Selection;

/// What a server answers: a status, headers, a body, and whether it breaks off before its end.
type Said = (u16, Vec<(&'static str, &'static str)>, &'static str, bool);

#[derive(Default)]
struct Book {
    answers: VecDeque<Said>,
    seen: Vec<String>,
}

/// One request, one answer.
async fn say(mut stream: TcpStream, book: &Mutex<Book>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let of = |name: &str| head.lines().find_map(|line| line.split_once(": ").filter(|(found, _)| *found == name)).map(|(_, value)| value);
    let told = |name: &str| of(name).map(|value| format!(" {name}={value}")).unwrap_or_default();
    let scope = of("authorization").unwrap().split('/').nth(2).unwrap().to_owned();
    let path = head.split(' ').nth(1).unwrap();
    let answer = {
        let mut book = book.lock().unwrap();
        book.seen.push(format!("{scope} {path}{}{}", told("range"), told("if-match")));
        let (status, headers, body, breaks) = book.answers.pop_front().unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len() + usize::from(breaks);
        format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
    };
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// What a client of that server finds, and what the server was asked.
fn at<T>(answers: Vec<Said>, ask: impl FnOnce(&S3) -> T) -> (T, Vec<String>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let book = Arc::new(Mutex::new(Book { answers: answers.into(), seen: Vec::new() }));
    let secrets = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let book = Arc::clone(&book);
        tokio::spawn(async move {
            loop {
                say(listener.accept().await.unwrap().0, &book).await;
            }
        });
        let credentials = Credentials::new("AKIAOWN", "s", None, None, "test");
        let loader = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(address).region(Region::new("eu-west-1"));
        Secrets::with(&loader.credentials_provider(credentials).load().await)
    });
    let found = ask(&S3::with(secrets).unwrap());
    let seen = book.lock().unwrap().seen.clone();
    (found, seen)
}

fn whole(text: &'static str) -> Said {
    (200, vec![("etag", "\"1\"")], text, false)
}

const NO_KEY: &str = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><RequestId>R1</RequestId></Error>";
const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

#[test]
fn an_object_is_read_with_its_metadata() {
    let answer = (200, vec![("x-amz-meta-signature", "ab"), ("content-type", "text/plain")], "0123456789", false);
    let (object, seen) = at(vec![answer], |s3| s3.get("b.c", "a b/é+.gz", 4).unwrap());
    assert_eq!(object.bytes, b"0123");
    assert_eq!(object.metadata, BTreeMap::from([("signature".to_owned(), "ab".to_owned())]));
    assert_eq!(seen, ["eu-west-1 /b.c/a%20b/%C3%A9%2B.gz"]);
}

/// Keys are whatever somebody was allowed to write into the bucket.
#[test]
fn a_key_leads_to_no_other_host_or_bucket() {
    let (found, seen) = at(vec![whole("x")], |s3| {
        let keys = ["/evil.example/x.json", "../other/secret.json", "a/../b.json", "./b.json"];
        keys.map(|key| s3.get("b", key, 9).map(|object| object.bytes))
    });
    assert_eq!(seen, ["eu-west-1 /b//evil.example/x.json"]);
    assert_eq!(found[0], Ok(b"x".to_vec()));
    let refused = "the key `../other/secret.json` has a `.` or `..` between slashes, which no address can say";
    assert_eq!(found[1], Err(Fault::Other(refused.to_owned())));
    assert!(found[2].is_err() && found[3].is_err());
    let (found, seen) = at(vec![], |s3| ["x@evil", "a/b", "", "a..b"].map(|bucket| s3.get(bucket, "k", 9).is_err()));
    assert_eq!((found, seen), ([true; 4], vec![]));
}

#[test]
fn a_read_that_breaks_off_goes_on() {
    let broken = |text| (200, vec![("etag", "\"1\"")], text, true);
    let rest = (206, vec![("etag", "\"1\"")], "456789", false);
    let (bytes, seen) = at(vec![broken("0123"), rest], |s3| s3.get("b", "k", 100).map(|object| object.bytes));
    assert_eq!(bytes, Ok(b"0123456789".to_vec()));
    assert_eq!(seen, ["eu-west-1 /b/k", "eu-west-1 /b/k range=bytes=4- if-match=\"1\""]);
    // Another object by now, and a server that knows no ranges.
    let changed = (412, vec![], "<Error><Code>PreconditionFailed</Code></Error>", false);
    let (bytes, seen) = at(vec![broken("0123"), changed, whole("new")], |s3| s3.get("b", "k", 100).map(|object| object.bytes));
    assert_eq!((bytes, seen.len()), (Ok(b"new".to_vec()), 3));
    assert_eq!(seen[2], "eu-west-1 /b/k");
    let (bytes, _) = at(vec![broken("0123"), whole("0123456789")], |s3| s3.get("b", "k", 100).map(|object| object.bytes));
    assert_eq!(bytes, Ok(b"0123456789".to_vec()));
}

#[test]
fn what_may_pass_is_tried_again_and_what_will_not_is_told() {
    let slow = || (503, vec![], "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>", false);
    let get = |answers| at(answers, |s3| s3.get("b", "k", 100).map(|object| object.bytes));
    assert_eq!(get(vec![slow(), (500, vec![], "", false), whole("x")]).0, Ok(b"x".to_vec()));
    let told = Fault::Other("SlowDown: Reduce your request rate.; it was tried 5 times".to_owned());
    assert_eq!(get(vec![slow(), slow(), slow(), slow(), slow()]), (Err(told), vec!["eu-west-1 /b/k".to_owned(); 5]));
    let told = Fault::NotFound("NoSuchKey: The specified key does not exist. (request R1)".to_owned());
    assert_eq!(get(vec![(404, vec![], NO_KEY, false)]).0, Err(told));
    let told = Fault::Other("AccessDenied: Access Denied (request R2)".to_owned());
    assert_eq!(get(vec![(403, vec![("x-amz-request-id", "R2")], DENIED, false)]).0, Err(told));
}

#[test]
fn a_bucket_is_asked_in_its_region() {
    let elsewhere = (301, vec![("x-amz-bucket-region", "ap-south-1")], "<Error><Code>PermanentRedirect</Code></Error>", false);
    let (found, seen) = at(vec![elsewhere, whole("x"), whole("y")], |s3| {
        [s3.get("b", "k", 9).map(|object| object.bytes), s3.get("b", "l", 9).map(|object| object.bytes)]
    });
    assert_eq!(found, [Ok(b"x".to_vec()), Ok(b"y".to_vec())]);
    assert_eq!(seen, ["eu-west-1 /b/k", "ap-south-1 /b/k", "ap-south-1 /b/l"]);
}

const QUERY: &str = "eu-west-1 /b/?encoding-type=url&list-type=2&prefix=";

#[test]
fn names_are_listed_page_by_page() {
    let first = "<ListBucketResult><Contents><Key>a</Key></Contents><NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
    let last = "<ListBucketResult><Contents><Key>b</Key></Contents><Contents><Key>c</Key></Contents></ListBucketResult>";
    let (keys, seen) = at(vec![whole(first), whole(last)], |s3| {
        let mut keys = Vec::new();
        let ask = Ask { prefix: "p", after: Some("0"), ..Ask::default() };
        s3.list("b", &ask, |key| {
            keys.push(key.to_owned());
            key != "b"
        })
        .map(|()| keys)
    });
    assert_eq!(keys, Ok(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(seen, [format!("{QUERY}p&start-after=0"), format!("{QUERY}p&start-after=0&continuation-token=t")]);
}

#[test]
fn only_folders_that_may_hold_something_are_listed() {
    let folders = "<ListBucketResult><Contents><Key>AWSLogs/111122223333/</Key></Contents><CommonPrefixes><Prefix>AWSLogs/111122223333/CloudTrail/</Prefix></CommonPrefixes>\
        <CommonPrefixes><Prefix>AWSLogs/111122223333/CloudTrail-Digest/</Prefix></CommonPrefixes></ListBucketResult>";
    let regions = "<ListBucketResult><CommonPrefixes><Prefix>AWSLogs/111122223333/CloudTrail/eu-west-1/</Prefix></CommonPrefixes>\
        <CommonPrefixes><Prefix>AWSLogs/111122223333/CloudTrail/us-east-1/</Prefix></CommonPrefixes></ListBucketResult>";
    let files = "<ListBucketResult><Contents><Key>AWSLogs/z.json.gz</Key></Contents><Contents><Key>AWSLogs/a.json.gz</Key></Contents>\
        <Contents><Key>AWSLogs/111122223333_CloudTrail_us-east-1_20260301T1205Z_x.json.gz</Key></Contents><Contents><Key>notes.txt</Key></Contents></ListBucketResult>";
    let selection = Selection { regions: ["eu-west-1".to_owned()].into(), ..Selection::default() };
    let (found, seen) = at(vec![whole(folders), whole(regions), whole(files)], |s3| walk(s3, "b", "AWSLogs/111122223333/", &selection));
    assert_eq!(found, Ok(Walked { keys: vec!["AWSLogs/a.json.gz".to_owned(), "AWSLogs/z.json.gz".to_owned()], left_out: 1 }));
    let asked = |prefix: &str| format!("{QUERY}{prefix}");
    assert_eq!(
        seen,
        [
            asked("AWSLogs%2F111122223333%2F&delimiter=%2F"),
            asked("AWSLogs%2F111122223333%2FCloudTrail%2F&delimiter=%2F"),
            asked("AWSLogs%2F111122223333%2FCloudTrail%2Feu-west-1%2F")
        ]
    );
}

#[test]
fn a_prefix_without_a_slash_is_one_object_or_one_folder() {
    let page = "<ListBucketResult><Contents><Key>logs/a</Key></Contents><Contents><Key>logs/a.json</Key></Contents>\
        <CommonPrefixes><Prefix>logs/a/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>logs/ab/</Prefix></CommonPrefixes></ListBucketResult>";
    let inner = "<ListBucketResult><Contents><Key>logs/a/1.json</Key></Contents></ListBucketResult>";
    let (found, _) = at(vec![whole(page), whole(inner)], |s3| walk(s3, "b", "logs/a", &Selection::default()));
    assert_eq!(found.map(|walked| walked.keys), Ok(vec!["logs/a".to_owned(), "logs/a/1.json".to_owned()]));
}
