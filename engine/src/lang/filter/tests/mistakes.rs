//! What a user sees for every mistake.

use super::super::*;

#[track_caller]
fn drawn(text: &str) -> String {
    let (_, diagnostics) = parse(text);
    diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_user_sees() {
    for (text, expected) in [
        (
            "ERROR",
            "\
error[TW2200]: a filter pattern begins with `{`
  |
1 | ERROR
  | ^^^^^
  = help: a filter pattern for JSON is written in braces, such as { $.eventName = ConsoleLogin }",
        ),
        (
            "{ $.eventName == ConsoleLogin }",
            "\
error[TW2201]: `=` cannot stand here
  |
1 | { $.eventName == ConsoleLogin }
  |               ^
  = help: write `=` to compare",
        ),
        (
            "{ $.eventName = 'ConsoleLogin' }",
            "\
error[TW2201]: `'` cannot stand here
  |
1 | { $.eventName = 'ConsoleLogin' }
  |                 ^
  = help: write texts in straight double quotes",
        ),
        (
            "{ $.errorMessage = \"Failed }",
            "\
error[TW2202]: the text does not end
  |
1 | { $.errorMessage = \"Failed }
  |                    ^^^^^^^^^
  = help: close it with \"",
        ),
        (
            "{ $.errorMessage = Failed authentication }",
            "\
error[TW2203]: `authentication` stands where `&&`, `||` or `}` should
  |
1 | { $.errorMessage = Failed authentication }
  |                           ^^^^^^^^^^^^^^
  = help: a text with spaces is written in double quotes",
        ),
        (
            "{ eventName = ConsoleLogin }",
            "\
error[TW2203]: `eventName` stands where a selector such as $.eventName should
  |
1 | { eventName = ConsoleLogin }
  |   ^^^^^^^^^
  = help: did you mean $.eventName?",
        ),
        (
            "{ ($.eventName = A) && ($.eventName = B }",
            "\
error[TW2203]: `}` stands where `&&`, `||` or `)` should
  |
1 | { ($.eventName = A) && ($.eventName = B }
  |                                         ^",
        ),
        (
            "{ $.eventName =",
            "\
error[TW2204]: the filter pattern ends where a value should stand
  |
1 | { $.eventName =
  |                ^",
        ),
        (
            "{ $.resources[-1] = a }",
            "\
error[TW2205]: an index, `*` or a quoted name should follow the bracket
  |
1 | { $.resources[-1] = a }
  |              ^^
  = help: write [0], [*] or ['name']",
        ),
        (
            "{ $ = a }",
            "\
error[TW2205]: `$` alone selects nothing to compare
  |
1 | { $ = a }
  |   ^
  = help: go on as in $.eventName",
        ),
        (
            "{ $.aws:userid = a }",
            "\
error[TW2205]: `:` cannot stand in a selector
  |
1 | { $.aws:userid = a }
  |        ^
  = help: names have letters, digits, `-` and `_`; any other is written as in $.['a.b']",
        ),
        (
            "{ $.count > \"5\" && $.other < many }",
            "\
error[TW2206]: only a number can stand here, this is `\"5\"`
  |
1 | { $.count > \"5\" && $.other < many }
  |             ^^^
  = help: `<`, `<=`, `>` and `>=` compare numbers, written without quotes
error[TW2206]: only a number can stand here, this is `many`
  |
1 | { $.count > \"5\" && $.other < many }
  |                              ^^^^
  = help: `<`, `<=`, `>` and `>=` compare numbers, written without quotes",
        ),
        (
            "{ $.eventName = %(% }",
            "\
error[TW2207]: the regular expression cannot be compiled: unclosed group
  |
1 | { $.eventName = %(% }
  |                 ^^^
  = help: the syntax is that of RE2, without look-around and back-references",
        ),
        (
            "{ $.errorCode IS NOT NULL }",
            "\
error[TW2203]: `IS` stands where an operator should
  |
1 | { $.errorCode IS NOT NULL }
  |               ^^
  = help: there is no `IS NOT`; write `EXISTS`, `!=` or the other of `IS TRUE` and `IS FALSE`",
        ),
        (
            "{ $.detail.eventName = A }",
            "\
warning[TW2210]: `$` is the event's `detail` already, which has no `$.detail.eventName`
  |
1 | { $.detail.eventName = A }
  |   ^^^^^^^^^^^^^^^^^^
  = help: did you mean $.eventName?",
        ),
        (
            "{ $.readOnly = false }",
            "\
warning[TW2211]: `false` is compared as text, and a boolean is no text
  |
1 | { $.readOnly = false }
  |                ^^^^^
  = help: write `$.readOnly IS FALSE` for a boolean, or \"false\" for the text",
        ),
        (
            "{ $.sourceIPAddress != \"10.0.0.0/8\" }",
            "\
warning[TW2212]: `10.0.0.0/8` is compared as text: a filter pattern knows no networks
  |
1 | { $.sourceIPAddress != \"10.0.0.0/8\" }
  |                        ^^^^^^^^^^^^
  = help: write a prefix such as 10.1.*, or use cidr_contains in a match_expression",
        ),
        (
            "{ $.eventName != * }",
            "\
warning[TW2213]: `!= *` is never true: any text and any number is `*`
  |
1 | { $.eventName != * }
  |                  ^
  = help: write `NOT EXISTS` where the field must be missing",
        ),
        ("", "error[TW2209]: the filter pattern is empty\n  |\n1 |\n  | ^"),
    ] {
        assert_eq!(drawn(text), expected, "{text}");
    }
}

#[test]
fn every_mistake_has_its_code_and_help() {
    for (text, code, help) in [
        ("{ $.a = b and $.c = d }", Code::FILTER_TOKEN, "write `&&`"),
        ("{ $.a = b OR $.c = d }", Code::FILTER_TOKEN, "write `||`"),
        ("{ $.a = b & $.c = d }", Code::FILTER_CHARACTER, "write `&&`"),
        ("{ $.a = b | $.c = d }", Code::FILTER_CHARACTER, "write `||`"),
        ("{ !($.a = b) }", Code::FILTER_CHARACTER, "there is no negation; write `!=` or `NOT EXISTS`"),
        ("{ NOT $.a EXISTS }", Code::FILTER_TOKEN, "there is no negation; write `!=` or `NOT EXISTS`"),
        ("{ $.a <> b }", Code::FILTER_CHARACTER, "write `!=`"),
        ("{ $.a =~ b }", Code::FILTER_CHARACTER, "a regular expression is compared as in $.eventName = %Create.*%"),
        ("{ $.a is null }", Code::FILTER_TOKEN, "write `IS NULL`"),
        ("{ $.a exists }", Code::FILTER_TOKEN, "write `EXISTS`"),
        ("{ $.a IS }", Code::FILTER_TOKEN, "`IS` is followed by NULL, TRUE or FALSE"),
        ("{ $.a NOT }", Code::FILTER_TOKEN, "`NOT` is followed by EXISTS"),
        ("{ $.a LIKE b }", Code::FILTER_TOKEN, "the operators are = != < <= > >=, IS NULL, IS TRUE, IS FALSE, EXISTS and NOT EXISTS"),
        ("{ $.a = $.b }", Code::FILTER_TOKEN, "a filter pattern cannot compare two fields; a match_expression can"),
        ("{ $.a = a;b }", Code::FILTER_CHARACTER, "a text with such a character is written in double quotes"),
        ("{ $.a = é }", Code::FILTER_CHARACTER, "a text with such a character is written in double quotes"),
        ("[ip, user]", Code::FILTER_CHARACTER, "an index belongs to a selector, such as $.resources[0]"),
        ("{ $.a[ = a }", Code::FILTER_SELECTOR, "write [0], [*] or ['name']"),
        ("{ $.a[0 = a }", Code::FILTER_UNTERMINATED, "close it with ]"),
        ("{ $.a['b = a }", Code::FILTER_UNTERMINATED, "close it with '"),
        ("{ $.a = %b }", Code::FILTER_UNTERMINATED, "close it with %"),
        ("{ $..a = b }", Code::FILTER_SELECTOR, "names have letters, digits, `-` and `_`; any other is written as in $.['a.b']"),
        ("{ $.a = 1e999 }", Code::FILTER_OPERAND, "write it in double quotes to compare text"),
    ] {
        let diagnostics = parse(text).1;
        let found = diagnostics.first().map(|diagnostic| (diagnostic.code, diagnostic.help.as_deref().unwrap_or("")));
        assert_eq!(found, Some((code, help)), "{text}");
        assert!(diagnostics.iter().all(|diagnostic| diagnostic.excerpt.is_some()), "{text}");
    }
}

#[test]
fn syntax_errors() {
    for text in [
        "{",
        "}",
        "{}",
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ = a }",
        "{ $.a = b",
        "{ $.a = b }}",
        "{ $.a = b } x",
        "{ () }",
        "{ ($.a = b }",
        "{ $.a = b) }",
        "{ && $.a = b }",
        "{ $.a = b && }",
        "{ $.a = b $.c = d }",
        "{ $.a = b || || $.c = d }",
        "{ $.a[*b] = c }",
        "{ $.a[1.5] = c }",
        "{ $.a[99999999999] = c }",
        "{ \"a\" = b }",
        "{ $.a EXISTS NULL }",
        "{ $a = b }",
    ] {
        let (expr, diagnostics) = parse(text);
        assert!(expr.is_none() && diagnostics.len() == 1, "{text} {diagnostics:?}");
    }
}

#[test]
fn size_is_bounded() {
    let deep = format!("{{{}$.a = b{}}}", "(".repeat(25), ")".repeat(25));
    let long = format!("{{ $.a = \"{}\" }}", "x".repeat(LONGEST));
    for text in [deep, long] {
        assert_eq!(parse(&text).1.first().map(|diagnostic| diagnostic.code), Some(Code::FILTER_TOO_COMPLEX));
    }
    let many_steps = format!("{{ $.{} = b }}", vec!["a"; 25].join("."));
    let many_wildcards = "{ $.a[*][*][*][*] = b }".to_owned();
    for text in [many_steps, many_wildcards] {
        assert_eq!(parse(&text).1.first().map(|diagnostic| diagnostic.code), Some(Code::FILTER_SELECTOR));
    }
}
