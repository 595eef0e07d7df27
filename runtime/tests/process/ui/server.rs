//! What the server lets in, and what it says.

use std::process::Command;

use reqwest::{Client, Method, StatusCode, header};
use serde_json::{Value, json};

use super::{Ui, sample};
use crate::program::{Finished, trailwire};

fn client() -> Client {
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

#[tokio::test]
async fn what_the_page_is_made_of_is_open_and_holds_nothing() {
    let ui = Ui::start(&[sample::hostile()]);
    let client = client();
    let page = client.get(ui.address()).send().await.unwrap();
    assert!(page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'; script-src 'self';"));
    assert_eq!(page.headers().get(header::SET_COOKIE), None);
    for asset in ["", "app.js", "theme.css", "layout.css", "icon.svg"] {
        let answer = client.get(format!("{}{asset}", ui.address())).send().await.unwrap();
        assert_eq!((answer.status(), answer.headers()["x-content-type-options"].to_str().unwrap()), (StatusCode::OK, "nosniff"), "{asset}");
        let text = answer.text().await.unwrap();
        assert!(!text.contains(ui.token()) && !text.contains("onclick=\""), "{asset}");
    }
    let missing = client.get(format!("{}..%2fsecrets", ui.address())).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn questions_are_answered_to_the_page_alone() {
    let ui = Ui::start(&sample::records());
    let client = client();
    let ask = |path: &str, question: &Value| client.post(format!("{}api/{path}", ui.address())).body(question.to_string());
    let search = json!({"q": "event:StopLogging", "columns": ["event", "actor"], "limit": 10, "facets": ["account"]});
    assert_eq!(ask("search", &search).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let answer: Value =
        serde_json::from_str(&ask("search", &search).bearer_auth(ui.token()).send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(answer["rows"][0]["cells"], json!(["StopLogging", "admin/mallory"]), "{answer:#}");
    assert_eq!((&answer["total"], &answer["rows"][0]["fired"]), (&json!(1), &json!(["trail-stopped"])));
    let rebound = ask("search", &search).bearer_auth(ui.token()).header(header::HOST, "evil.example");
    assert_eq!(rebound.send().await.unwrap().status(), StatusCode::MISDIRECTED_REQUEST);
    let foreign = ask("search", &search).bearer_auth(ui.token()).header(header::ORIGIN, "http://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let other = client.request(Method::PUT, ui.address()).bearer_auth(ui.token()).send().await.unwrap();
    assert_eq!((other.status(), other.headers()[header::ALLOW].to_str().unwrap()), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, POST"));
    for (question, status) in [
        (json!({"q": 1}), StatusCode::BAD_REQUEST),
        (json!({"unknown": 1}), StatusCode::BAD_REQUEST),
        (json!({"columns": (0..65).map(|number| format!("a{number}")).collect::<Vec<_>>()}), StatusCode::BAD_REQUEST),
        (json!({"q": "x".repeat(300_000)}), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(ask("search", &question).bearer_auth(ui.token()).send().await.unwrap().status(), status);
    }
    assert_eq!(ask("event", &json!({"id": "0".repeat(32)})).bearer_auth(ui.token()).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(ask("nothing", &json!({})).bearer_auth(ui.token()).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[test]
fn it_ends_well_where_it_is_told_to_stop() {
    for signal in ["-INT", "-TERM"] {
        let mut ui = Ui::start(&[sample::hostile()]);
        assert!(Command::new("kill").args([signal, &ui.child.id().to_string()]).status().unwrap().success());
        assert_eq!(ui.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn other_machines_are_refused() {
    let refused = Finished::of(&mut trailwire(&["ui", "--listen", "0.0.0.0:0", "."])).refused();
    assert_eq!(
        refused.stderr,
        "error: `0.0.0.0:0` can be reached from other machines: the page is for this one alone. Listen on 127.0.0.1, and reach it from elsewhere with `ssh -L`\n"
    );
}
