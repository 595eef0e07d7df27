//! The direct evaluation, the lowered tree and its printed text say the same on every event.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::parse;
use super::verdict;
use crate::value::Value;

fn selector() -> impl Strategy<Value = String> {
    let step = select(vec![".a", ".b", ".['c d']", "[0]", "[1]", "[*]", ".*"]);
    let any = proptest::collection::vec(step, 1..4).prop_map(|steps| format!("${}", steps.concat()));
    let known = select(vec![
        "$.eventName",
        "$.eventSource",
        "$.readOnly",
        "$.errorCode",
        "$.userIdentity.type",
        "$.userIdentity.invokedBy",
        "$.requestParameters.count",
        "$.requestParameters.groups[*].id",
        "$.resources[0].accountId",
        "$.sourceIPAddress",
    ]);
    prop_oneof![any, known.prop_map(str::to_owned)]
}

fn test() -> impl Strategy<Value = String> {
    let texts = vec![
        "a",
        "*",
        "a*",
        "*a",
        "*b*",
        "a*b",
        "a*b*",
        "1*",
        "*2",
        "1*2",
        "12",
        "1.0",
        "12.0",
        "+1",
        "-1",
        "1e1",
        "\"12\"",
        "\"12.0\"",
        "\"\"",
        "\"a\"",
        "\"a b\"",
        "\"a*\"",
        "\"\\*\"",
        "%a%",
        "%^1%",
        "true",
        "\"null\"",
        "AccessDenied*",
        "*Role",
        "10.0.*",
        "111122223333",
    ];
    let ordered = (select(vec!["<", "<=", ">", ">="]), select(vec!["1", "1.5", "-1", "12", "1e1"]));
    prop_oneof![
        4 => (select(vec!["=", "!="]), select(texts)).prop_map(|(operator, text)| format!("{operator} {text}")),
        1 => ordered.prop_map(|(operator, number)| format!("{operator}{number}")),
        2 => select(vec!["IS NULL", "IS TRUE", "IS FALSE", "EXISTS", "NOT EXISTS"]).prop_map(str::to_owned),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let single = (selector(), test()).prop_map(|(selector, test)| format!("{selector} {test}"));
    let tree = single.prop_recursive(2, 6, 3, |inner| {
        (proptest::collection::vec(inner, 2..4), select(vec![" && ", "||"]), any::<bool>()).prop_map(|(parts, operator, within)| {
            let joined = parts.join(operator);
            if within { format!("({joined})") } else { joined }
        })
    });
    tree.prop_map(|tree| format!("{{ {tree} }}"))
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => select(vec!["a", "ab", "aab", "a b", "", "*", "12", "1.0", "b", "null", "1e1"]).prop_map(Value::from),
        2 => select(vec![0, 1, 2, 10, 12, -1]).prop_map(Value::from),
        2 => select(vec![1.0, 12.0, 1.5, -0.0, 1e300]).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((select(vec!["a", "b", "c d", "detail"]), inner), 0..3)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()),
        ]
    })
}

/// A record whose fields are missing, null or of their kind.
fn typed() -> impl Strategy<Value = Value> {
    let text = |texts: Vec<&'static str>| {
        let texts = texts.into_iter().map(Value::from).collect::<Vec<_>>();
        prop_oneof![1 => Just(None), 1 => Just(Some(Value::Null)), 4 => select(texts).prop_map(Some)]
    };
    let group = text(vec!["a", "ab", "12"]).prop_map(|id| object([("id", id)]));
    let parameters = (prop_oneof![Just(None), scalar().prop_map(Some)], proptest::collection::vec(group, 0..3))
        .prop_map(|(count, groups)| object([("count", count), ("groups", Some(groups.into()))]));
    let identity = (text(vec!["Root", "AssumedRole", "a"]), text(vec!["a", "ec2.amazonaws.com"]))
        .prop_map(|(kind, invoked_by)| object([("type", kind), ("invokedBy", invoked_by)]));
    (
        text(vec!["a", "ab", "CreateRole"]),
        text(vec!["AccessDenied", "AccessDeniedException", "a"]),
        text(vec!["10.0.0.1", "111.111.111.111", "a.amazonaws.com"]),
        prop_oneof![Just(None), any::<bool>().prop_map(|flag| Some(flag.into()))],
        prop_oneof![Just(None), Just(Some(Value::Null)), parameters.prop_map(Some)],
        identity,
        text(vec!["111122223333"]),
    )
        .prop_map(|(name, error, address, read_only, parameters, identity, account)| {
            object([
                ("eventName", name),
                ("errorCode", error),
                ("sourceIPAddress", address),
                ("readOnly", read_only),
                ("requestParameters", parameters),
                ("userIdentity", Some(identity)),
                ("resources", Some(Value::from(vec![object([("accountId", account)])]))),
            ])
        })
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

proptest! {
    #![proptest_config(crate::testing::cases())]

    #[test]
    fn all_judges_agree_on_any_json(pattern in pattern(), detail in any_json(), bare in any::<bool>()) {
        let envelope = if bare { detail } else { object([("detail", Some(detail))]) };
        verdict(&pattern, &envelope);
    }

    #[test]
    fn all_judges_agree_on_typed_records(pattern in pattern(), detail in typed()) {
        verdict(&pattern, &object([("detail", Some(detail))]));
    }
}

proptest! {
    #![proptest_config(crate::testing::cases())]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_line_of_tokens_makes_it_panic(tokens in proptest::collection::vec(select(vec![
        "{", "}", "(", ")", "$", "$.a", "$.", "[", "]", "[0]", "[*]", ".*", "=", "!=", "!", "<", "<=", ">", "&&", "||", "&", "\"x\"", "\"", "%", "%a%", "*",
        "1", "IS", "NULL", "TRUE", "NOT", "EXISTS", " ", "'",
    ]), 0..20)) {
        let _ = parse(&tokens.concat());
    }
}
