//! What is told of searches that cannot be read, or look wrong.

use super::*;

/// `mistakes.txt` has each search behind `== `, and under it what is told.
#[test]
fn mistakes() {
    let written = include_str!("mistakes.txt");
    let mut told = String::new();
    for text in written.lines().filter_map(|line| line.strip_prefix("== ")) {
        let (query, diagnostics) = Query::parse(text);
        assert_eq!(query.is_none(), any_error(&diagnostics), "{text}");
        let drawn = diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n");
        told.push_str(&format!("== {text}\n{drawn}\n"));
    }
    assert_eq!(told, written);
    let long = Query::parse(&"a ".repeat(10_000)).1;
    assert_eq!(long[0].draw(), "error[TW2504]: the search is 20000 bytes long, 16384 are allowed");
}
