//! The HTTP source: all or nothing, and only for those who may.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::program::{Bench, Finished, Server, definitions, event, notify, trigger};
use crate::sink::Sink;

async fn bench() -> (Sink, Bench) {
    let sink = Sink::start().await;
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()]))]));
    (sink, bench)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_taken_whole_or_not_at_all() {
    let (sink, bench) = bench().await;
    let server = Server::start(&bench, "127.0.0.1:0");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |body: String| {
        let response = client.post(&server.url).body(body).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    };
    let (status, text) = post(event("CreateUser", "a").to_string()).await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer, json!({"accepted": 1, "matched": 1, "unmatched": 0, "started": 1, "repeated": 0, "counted": 0}));
    let (_, text) = post(json!([event("CreateUser", "a"), event("CreateUser", "b"), event("Other", "c")]).to_string()).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer, json!({"accepted": 3, "matched": 2, "unmatched": 1, "started": 1, "repeated": 1, "counted": 0}));

    for body in [json!([event("CreateUser", "x"), 7]).to_string(), "{".to_owned(), String::new(), "[null]".to_owned()] {
        let (status, text) = post(body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(text.contains("error"), "{text}");
    }
    // What is announced as too large is refused before any of it is read; what turns out to be is refused then, and the connection is closed: a client that
    // is still sending may not see the answer.
    let address = server.url.trim_start_matches("http://").to_owned();
    let large = 8 * 1024 * 1024;
    assert_eq!(raw(&address, &format!("content-length: {large}"), &[]), "HTTP/1.1 413 Payload Too Large");
    let chunk = [format!("{large:x}\r\n").as_bytes(), &vec![b' '; large], b"\r\n0\r\n\r\n"].concat();
    let answers: Vec<String> =
        (0..20).map(|_| raw(&address, "transfer-encoding: chunked", &chunk)).filter(|answer| !answer.is_empty()).collect();
    assert!(answers.iter().all(|answer| answer == "HTTP/1.1 413 Payload Too Large"), "{answers:?}");
    let received = sink.expect("/hook", 2).await;
    let mut ids: Vec<String> = received.iter().map(crate::sink::Received::event_id).collect();
    ids.sort();
    assert_eq!(ids, ["a", "b"]);
}

/// The first line of the answer to a request; empty where the connection was closed before.
fn raw(address: &str, header: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: {address}\r\n{header}\r\n\r\n");
    // The server may have closed its side by then.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut line = String::new();
    match BufReader::new(stream).read_line(&mut line) {
        Ok(_) => line.trim_end().to_owned(),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            String::new()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_only_those_who_know_it_are_heard() {
    let (_sink, bench) = bench().await;
    let mut command = bench.command("http://127.0.0.1:0");
    command.env("TRAILWIRE_HTTP_TOKEN", "s3cret");
    let server = Server::of(command);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = event("CreateUser", "a").to_string();
    for (header, status) in [(None, 401), (Some("Bearer wrong"), 401), (Some("s3cret"), 401), (Some("Bearer s3cret"), 200)] {
        let mut post = client.post(format!("{}/events", server.url)).body(body.clone());
        if let Some(header) = header {
            post = post.header("authorization", header);
        }
        assert_eq!(post.send().await.unwrap().status().as_u16(), status, "{header:?}");
    }
    let health = client.get(format!("{}/healthz", server.url)).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert!(!server.said().contains("s3cret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_machines_are_not_let_in_without_a_token() {
    let (_sink, bench) = bench().await;
    let finished = Finished::of(&mut bench.command("http://0.0.0.0:0")).refused();
    assert!(finished.stderr.contains("set TRAILWIRE_HTTP_TOKEN, or listen on 127.0.0.1"), "{}", finished.stderr);
    let finished = Finished::of(&mut bench.command("http://nonsense")).refused();
    assert!(finished.stderr.contains("`nonsense` is no address to listen on"), "{}", finished.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_serves_one_process() {
    let (_sink, bench) = bench().await;
    let _server = Server::start(&bench, "127.0.0.1:0");
    let finished = Finished::of(&mut bench.command("http://127.0.0.1:0")).refused();
    assert!(finished.stderr.contains("is in use by process "), "{}", finished.stderr);
}
