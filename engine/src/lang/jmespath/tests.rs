use super::*;

#[track_caller]
fn drawn(text: &str) -> String {
    let (expr, diagnostics) = parse(text);
    assert!(expr.is_none(), "{text} was accepted");
    diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_user_sees() {
    for (text, expected) in [
        (
            "detail.userIdentity.type = 'Root'",
            "\
error[TW2000]: `=` cannot stand here
  |
1 | detail.userIdentity.type = 'Root'
  |                          ^
  = help: write `==` to compare",
        ),
        (
            "detail.userIdentity.type ==",
            "\
error[TW2003]: the expression ends where an expression should stand
  |
1 | detail.userIdentity.type ==
  |                            ^",
        ),
        (
            "detail.eventName == 'Root",
            "\
error[TW2001]: the string does not end
  |
1 | detail.eventName == 'Root
  |                     ^^^^^
  = help: close it with '",
        ),
        (
            "detail.count > 5",
            "\
error[TW2002]: `5` stands where an expression should
  |
1 | detail.count > 5
  |                ^
  = help: write a number to compare with in backticks: `5`",
        ),
        (
            "detail.a == 'x' and detail.b == 'y'",
            "\
error[TW2002]: `and` stands where an operator or the end should
  |
1 | detail.a == 'x' and detail.b == 'y'
  |                 ^^^
  = help: write `&&`",
        ),
        (
            "start_with(detail.eventName, 'Create')",
            "\
error[TW2101]: unknown function `start_with`
  |
1 | start_with(detail.eventName, 'Create')
  | ^^^^^^^^^^
  = help: did you mean `starts_with`?",
        ),
        (
            "a || starts_with(detail.eventName)",
            "\
error[TW2102]: `starts_with` takes 2 arguments, 1 is given
  |
1 | a || starts_with(detail.eventName)
  |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: starts_with(a string, a string)",
        ),
        (
            "length(`5`)",
            "\
error[TW2103]: `length` wants a string, an array or an object here, this is a number
  |
1 | length(`5`)
  |        ^^^
  = help: length(a string, an array or an object)",
        ),
        (
            "matches(detail.eventName, '(')",
            "\
error[TW2104]: the regular expression cannot be compiled: unclosed group
  |
1 | matches(detail.eventName, '(')
  |                           ^^^
  = help: the syntax is that of RE2, without look-around and back-references",
        ),
        (
            "cidr_contains(detail.net, detail.sourceIPAddress)",
            "\
error[TW2104]: `cidr_contains` wants a literal string here
  |
1 | cidr_contains(detail.net, detail.sourceIPAddress)
  |               ^^^^^^^^^^
  = help: it is compiled once, before any event: write it as a string in single quotes",
        ),
        (
            "$.eventName",
            "\
error[TW2000]: `$` cannot stand here
  |
1 | $.eventName
  | ^
  = help: JMESPath has no `$`; begin with a member's name, such as detail.eventName",
        ),
        (
            "detail-type == 'AWS API Call via CloudTrail'",
            "\
error[TW2000]: `-` cannot stand here
  |
1 | detail-type == 'AWS API Call via CloudTrail'
  |       ^
  = help: a name with `-` in it is written in double quotes: \"detail-type\"",
        ),
        (" ", "error[TW2006]: the expression is empty"),
    ] {
        assert_eq!(drawn(text), expected, "{text}");
    }
}

#[test]
fn every_unknown_function_is_named_at_once() {
    assert_eq!(parse("nosuch(@) && neither(@)").1.len(), 2);
}

#[test]
fn syntax_errors() {
    for text in [
        "a.",
        ".a",
        "a..b",
        "a b",
        "[",
        "[a",
        "a[",
        "a[b]",
        "{a}",
        "{a:}",
        "{}",
        "{'a': b}",
        "foo(",
        "foo(a,)",
        "a.'b'",
        "a ==",
        "== a",
        "!",
        "&a",
        "a[*",
        "*.",
        "a.*b",
        "(a",
        "a)",
        "@(a)",
        "\"f\"(a)",
        "a[1:2:3:4]",
        "a[::0]",
        "a[99999999999999999999]",
        "\"\\x\"",
        "`",
        "#",
        "a[1 2]",
    ] {
        let (expr, diagnostics) = parse(text);
        assert!(expr.is_none() && diagnostics.len() == 1, "{text} {diagnostics:?}");
    }
}

#[test]
fn nesting_is_bounded_whichever_way_it_grows() {
    let deep = 5_000;
    for text in [
        format!("{}a{}", "(".repeat(deep), ")".repeat(deep)),
        format!("{}a", "!".repeat(deep)),
        format!("a{}", ".a".repeat(deep)),
        format!("a{}", "[0]".repeat(deep)),
        format!("a{}", "[]".repeat(deep)),
        format!("a{}", " | a".repeat(deep)),
        format!("{}a{}", "[".repeat(deep), "]".repeat(deep)),
        (0..3).fold("a".to_owned(), |inner, _| format!("({inner}{})", ".b".repeat(150))),
        "x".repeat(LONGEST + 1),
    ] {
        assert_eq!(parse(&text).1.first().map(|diagnostic| diagnostic.code), Some(Code::TOO_COMPLEX));
    }
    // What people write in length stays possible.
    let many = vec!["detail.eventName == 'A'"; 1_500].join(" || ");
    assert!(parse(&many).0.is_some());
    // The deepest that is allowed is evaluated and dropped without harm.
    for text in [format!("a{}", "[]".repeat(DEEPEST - 2)), format!("{}a{}", "[".repeat(DEEPEST - 2), "]".repeat(DEEPEST - 2))] {
        let expr = parse(&text).0.expect("within bounds");
        crate::eval::search(&expr, &serde_json::json!({"a": [1]})).expect("evaluated");
    }
}

#[test]
fn chains_are_flat_and_parentheses_kept() {
    use crate::expr::Kind;
    let operands = |text: &str| match parse(text).0.map(|expr| expr.kind) {
        Some(Kind::And(operands) | Kind::Or(operands)) => operands.len(),
        _ => 0,
    };
    assert_eq!(operands("a && b && c"), 3);
    assert_eq!(operands("(a && b) && c"), 2);
    assert_eq!(operands("a || b && c || d"), 3);
}

proptest::proptest! {
    #![proptest_config(crate::testing::cases())]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_line_of_tokens_makes_it_panic(tokens in proptest::collection::vec(proptest::sample::select(vec![
        "a", ".", "[", "]", "[]", "[?", "(", ")", "{", "}", "*", "@", "&", "&&", "|", "||", "!", "==", "<", ",", ":", "0", "-1", "'s'", "`1`",
        "\"q\"", "length", "sort_by", " ",
    ]), 0..25)) {
        if let (Some(expr), _) = parse(&tokens.concat()) {
            let _ = crate::eval::search(&expr, &serde_json::json!({"a": [{"a": 1}, 2, "s"], "q": "x"}));
        }
    }
}
