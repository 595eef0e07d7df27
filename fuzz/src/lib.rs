//! What must hold for any bytes: one module a target, each with a function `check` that panics where it does not.
//!
//! libFuzzer calls them (`make fuzz`), and the engine's tests include this file and call them with the seeds in `seeds/`, so that
//! every seed is checked wherever the engine is tested.

pub mod event_pattern;
pub mod filter_pattern;
pub mod jmespath;
pub mod matcher;
pub mod push_down;
mod repaired;

use serde_json::Value;
use trailwire_engine::diagnostic::{Diagnostic, any_error};
use trailwire_engine::expr::Expr;

/// Events on which whatever was parsed is tried.
fn events() -> Vec<Value> {
    let texts = [
        r#"{"detail":{}}"#,
        r#"{"a":"a","b":{"a":1,"b":[{"a":"x"},{"a":null,"b":[1,"x",[]]}],"c":""},"c":[],"":0,"x":true}"#,
        concat!(
            r#"{"version":"0","id":"i","detail-type":"AWS API Call via CloudTrail","source":"aws.iam","account":"111122223333","#,
            r#""time":"2026-01-01T00:00:00Z","region":"eu-west-1","resources":[],"detail":{"eventVersion":"1.11","userIdentity":{"#,
            r#""type":"Root","arn":"arn:aws:iam::111122223333:root"},"eventSource":"iam.amazonaws.com","eventName":"CreateUser","#,
            r#""sourceIPAddress":"10.0.0.1","userAgent":"a*b","readOnly":false,"errorCode":null,"a":[1,"a",{"b":5.0}],"#,
            r#""requestParameters":{"a":"x","b":[{"a":"10.0.0.1"},{"a":9007199254740993}],"c d":null,"x":"{\"a\":1}"}}}"#
        ),
        r#"[1,"a",null,{"a":[[1],[2]]}]"#,
    ];
    texts.iter().map(|text| serde_json::from_str(text).expect("is JSON")).collect()
}

/// Diagnostics point into the text and can be drawn; there is a tree just where none of them is an error.
fn are_told(text: &str, has_tree: bool, diagnostics: &[Diagnostic]) {
    assert_eq!(has_tree, !any_error(diagnostics), "{text:?} {diagnostics:?}");
    for diagnostic in diagnostics {
        assert!(!diagnostic.draw().is_empty());
        if let Some(excerpt) = &diagnostic.excerpt {
            let span = excerpt.span;
            assert!(excerpt.text.get(span.start..span.end).is_some(), "{text:?} {diagnostic:?}");
        }
    }
}

/// Every node stands in the text.
fn has_its_places(tree: &Expr, text: &str) {
    tree.walk(&mut |node| assert!(text.get(node.span.start..node.span.end).is_some(), "{text:?} {node:?}"));
}
