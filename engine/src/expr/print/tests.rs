use proptest::prelude::*;

use crate::expr::{Call, Comparator, Expr, Kind, Over, Prepared, Slice};
use crate::lang::jmespath::parse;
use crate::text::Span;
use crate::value::Value;

#[track_caller]
fn check(text: &str, printed: &str) {
    let (Some(expr), _) = parse(text) else { panic!("{text} cannot be parsed") };
    assert_eq!(expr.to_string(), printed, "{text}");
    assert_eq!(placeless(&parse(printed).0.expect("parses again")), placeless(&expr), "{text}");
}

#[test]
fn canonical_texts() {
    for (text, printed) in [
        ("a", "a"),
        (r#""a""#, r#""a""#),
        (r#""a b"."c\n""#, r#""a b"."c\n""#),
        ("(((a)))", "a"),
        ("a.b.c[0][1].d", "a.b.c[0][1].d"),
        ("(a.b)[0]", "(a.b)[0]"),
        ("a.b[0]", "a.b[0]"),
        ("@", "@"),
        ("@.a", "@.a"),
        ("@[0]", "[0]"),
        ("a||b&&c", "a || b && c"),
        ("(a||b)&&c", "(a || b) && c"),
        ("(a&&b)&&c", "(a && b) && c"),
        ("a&&(b&&c)", "a && (b && c)"),
        ("a|b|c", "a | b | c"),
        ("a|(b|c)", "a | (b | c)"),
        ("a==b", "a == b"),
        ("a == (b == c)", "a == (b == c)"),
        ("!a", "!a"),
        ("!(a.b)", "!(a.b)"),
        ("!a.b", "(!a).b"),
        ("!a[0]", "!a[0]"),
        ("(!a)[0]", "(!a)[0]"),
        ("!(a == b)", "!(a == b)"),
        ("!!a", "!!a"),
        ("a[*].b.c", "a[*].b.c"),
        ("(a[*].b).c", "(a[*].b).c"),
        ("a[*].b[*].c | [0]", "a[*].b[*].c | [0]"),
        ("(a[*])[0]", "(a[*])[0]"),
        ("a[*][0]", "a[*][0]"),
        ("*", "*"),
        ("@.*", "*"),
        ("a.*.b", "a.*.b"),
        ("[*]", "[*]"),
        ("[(*)]", "[(*)]"),
        ("a.[*]", "a.[(*)]"),
        ("[*, *]", "[*, *]"),
        ("a[]", "a[]"),
        ("a[][].b[]", "a[][].b[]"),
        ("(a[].b).c", "(a[].b).c"),
        ("a[?b=='c'].d", "a[?b == 'c'].d"),
        ("a[?b][?c]", "a[?b][?c]"),
        ("(a[?b])[?c]", "(a[?b])[?c]"),
        ("[?a] | [0]", "[?a] | [0]"),
        ("a[1:2]", "a[1:2]"),
        ("a[::-1].b", "a[::-1].b"),
        ("[:]", "[:]"),
        ("a[*].[b, c]", "a[*].[b, c]"),
        ("a[*].{b: c, \"d e\": f}", "a[*].{b: c, \"d e\": f}"),
        ("sort_by(a, & b.c)[0]", "sort_by(a, &b.c)[0]"),
        ("'it\\'s'", "'it\\'s'"),
        ("'a\\d'", "'a\\d'"),
        (r#"`"a\\"`"#, r#"`"a\\"`"#),
        (r#"`"a\nb"`"#, r#"`"a\nb"`"#),
        ("` foo`", "'foo'"),
        ("'`'", "'`'"),
        ("`[\"\\`\"]`", "`[\"\\u0060\"]`"),
        ("`{\"b\": 1, \"a\": [null, 1.0, -0.0, 1e300]}`", "`{\"b\":1,\"a\":[null,1.0,-0.0,1e+300]}`"),
        ("matches(a, '^x$')", "matches(a, '^x$')"),
    ] {
        check(text, printed);
    }
}

/// The tree without its places.
fn placeless(expr: &Expr) -> Expr {
    let boxed = |expr: &Expr| Box::new(placeless(expr));
    let all = |list: &[Expr]| list.iter().map(placeless).collect();
    let kind = match &expr.kind {
        kind @ (Kind::Current | Kind::Literal(_) | Kind::Field { .. } | Kind::Index(_) | Kind::Slice(_) | Kind::Pattern(_)) => kind.clone(),
        Kind::Sub(left, right) => Kind::Sub(boxed(left), boxed(right)),
        Kind::Pipe(left, right) => Kind::Pipe(boxed(left), boxed(right)),
        Kind::Comparison(comparator, left, right) => Kind::Comparison(*comparator, boxed(left), boxed(right)),
        Kind::Projection { over, source, each } => {
            let over = match over {
                Over::Filter(condition) => Over::Filter(boxed(condition)),
                other => other.clone(),
            };
            Kind::Projection { over, source: boxed(source), each: boxed(each) }
        }
        Kind::Flatten(inner) => Kind::Flatten(boxed(inner)),
        Kind::Not(inner) => Kind::Not(boxed(inner)),
        Kind::Reference(inner) => Kind::Reference(boxed(inner)),
        Kind::MultiSelectList(list) => Kind::MultiSelectList(all(list)),
        Kind::And(list) => Kind::And(all(list)),
        Kind::Or(list) => Kind::Or(all(list)),
        Kind::MultiSelectHash(members) => {
            Kind::MultiSelectHash(members.iter().map(|(name, value)| (name.clone(), placeless(value))).collect())
        }
        Kind::Call(call) => Kind::Call(Call { name_span: Span::default(), arguments: all(&call.arguments), ..call.clone() }),
    };
    node(kind)
}

fn node(kind: Kind) -> Expr {
    Expr::new(kind, Span::default())
}

fn call(name: &str, arguments: Vec<Expr>, prepared: Option<Prepared>) -> Expr {
    node(Kind::Call(Call { name: name.to_owned(), name_span: Span::default(), arguments, prepared }))
}

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

fn name() -> impl Strategy<Value = Expr> {
    let plain = proptest::sample::select(vec!["a", "b", "_c", "a1", "type"]);
    let odd = proptest::sample::select(vec!["", "a", "a b", "a-b", "\"", "\\", "`", "'", "\n", "é", "\u{1f600}", "0", "*"]);
    prop_oneof![
        4 => plain.prop_map(|name| node(Kind::Field { name: name.to_owned(), quoted: false })),
        1 => odd.prop_map(|name| node(Kind::Field { name: name.to_owned(), quoted: true })),
    ]
}

fn literal() -> impl Strategy<Value = Expr> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let value = scalar.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..3).prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    });
    value.prop_map(|value| node(Kind::Literal(value)))
}

/// Texts of what is hard to quote.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(vec!["\\", "'", "\"", "`", "a", " ", "\n", "é", "{"]), 0..4)
        .prop_map(|parts| parts.concat())
}

fn slice() -> impl Strategy<Value = Expr> {
    let part = proptest::option::of(-3_i64..3);
    let step = prop_oneof![Just(1), Just(-1), Just(2)];
    (part.clone(), part, step).prop_map(|(start, stop, step)| node(Kind::Slice(Slice { start, stop, step })))
}

fn comparator() -> impl Strategy<Value = Comparator> {
    use Comparator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    proptest::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
}

/// What can follow a dot: a name or call, with brackets behind it, or a selection.
fn dotted(inner: &BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let head = prop_oneof![3 => name().boxed(), 1 => function(inner)].boxed();
    let with_index = (head.clone(), -2_i64..3).prop_map(|(head, index)| node(Kind::Sub(boxed(head), boxed(node(Kind::Index(index))))));
    let with_star = (head.clone(), each(inner))
        .prop_map(|(head, each)| node(Kind::Projection { over: Over::Elements, source: boxed(head), each: boxed(each) }));
    prop_oneof![4 => head, 2 => with_index, 1 => with_star, 1 => selection(inner)].boxed()
}

fn selection(inner: &BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let members = proptest::collection::vec((text(), inner.clone()), 1..3);
    prop_oneof![
        proptest::collection::vec(inner.clone(), 1..4).prop_map(|elements| node(Kind::MultiSelectList(elements))),
        members.prop_map(|members| node(Kind::MultiSelectHash(members))),
    ]
    .boxed()
}

fn function(inner: &BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let regex = Prepared::Regex(std::sync::Arc::new(regex::Regex::new("^a'\\.").expect("a regular expression")));
    prop_oneof![
        inner.clone().prop_map(|argument| call("type", vec![argument], None)),
        proptest::collection::vec(inner.clone(), 1..3).prop_map(|arguments| call("not_null", arguments, None)),
        (inner.clone(), name()).prop_map(|(each, list)| call("map", vec![node(Kind::Reference(boxed(each))), list], None)),
        name().prop_map(move |subject| {
            let literal = node(Kind::Literal(Value::from("^a'\\.")));
            call("matches", vec![subject, literal], Some(regex.clone()))
        }),
    ]
    .boxed()
}

/// What a projection can do with its elements.
fn each(inner: &BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let current = || node(Kind::Current);
    let index = (-2_i64..3).prop_map(move |index| node(Kind::Sub(boxed(current()), boxed(node(Kind::Index(index))))));
    let starred =
        prop_oneof![Just(Over::Members), Just(Over::Elements), inner.clone().prop_map(|condition| Over::Filter(boxed(condition)))]
            .prop_map(move |over| node(Kind::Projection { over, source: boxed(current()), each: boxed(current()) }));
    let members = (name(), name()).prop_map(|(left, right)| node(Kind::Sub(boxed(left), boxed(right))));
    let after_list = (proptest::collection::vec(inner.clone(), 1..3), name())
        .prop_map(|(elements, right)| node(Kind::Sub(boxed(node(Kind::MultiSelectList(elements))), boxed(right))));
    prop_oneof![
        3 => Just(node(Kind::Current)),
        3 => name(),
        2 => members,
        1 => index,
        1 => starred,
        1 => after_list,
        1 => selection(inner),
    ]
    .boxed()
}

fn projection(inner: &BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let over = prop_oneof![
        Just(Over::Elements).boxed(),
        Just(Over::Members).boxed(),
        inner.clone().prop_map(|condition| Over::Filter(boxed(condition))).boxed(),
    ];
    let plain = (over, inner.clone(), each(inner))
        .prop_map(|(over, source, each)| node(Kind::Projection { over, source: boxed(source), each: boxed(each) }));
    let elements = |source: Expr, each: Expr| node(Kind::Projection { over: Over::Elements, source: boxed(source), each: boxed(each) });
    let flat = (inner.clone(), each(inner)).prop_map(move |(source, each)| elements(node(Kind::Flatten(boxed(source))), each));
    let sliced = (inner.clone(), slice(), each(inner))
        .prop_map(move |(left, slice, each)| elements(node(Kind::Sub(boxed(left), boxed(slice))), each));
    prop_oneof![plain, flat, sliced].boxed()
}

/// Every tree that some text stands for.
pub(crate) fn tree() -> BoxedStrategy<Expr> {
    let leaf = prop_oneof![4 => name().boxed(), 2 => literal().boxed(), 1 => Just(node(Kind::Current)).boxed()];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.clone().prop_map(|operand| node(Kind::Not(boxed(operand)))),
            list.clone().prop_map(|operands| node(Kind::And(operands))),
            list.prop_map(|operands| node(Kind::Or(operands))),
            (comparator(), inner.clone(), inner.clone()).prop_map(|(comparator, left, right)| node(Kind::Comparison(
                comparator,
                boxed(left),
                boxed(right)
            ))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| node(Kind::Pipe(boxed(left), boxed(right)))),
            (inner.clone(), dotted(&inner)).prop_map(|(left, right)| node(Kind::Sub(boxed(left), boxed(right)))),
            (inner.clone(), -2_i64..3).prop_map(|(left, index)| node(Kind::Sub(boxed(left), boxed(node(Kind::Index(index)))))),
            projection(&inner),
            selection(&inner),
            function(&inner),
        ]
    })
    .boxed()
}

proptest! {
    #![proptest_config(crate::testing::cases())]

    #[test]
    fn the_printed_tree_is_the_tree(tree in tree()) {
        let text = tree.to_string();
        let (parsed, diagnostics) = parse(&text);
        let parsed = parsed.ok_or_else(|| TestCaseError::fail(format!("{text}\n{diagnostics:?}\n{tree:?}")))?;
        prop_assert_eq!(placeless(&parsed), placeless(&tree), "{}", text);
        prop_assert_eq!(parsed.to_string(), text);
    }
}
