use super::*;
use crate::lang::jmespath::parse;

fn tree(text: &str) -> Expr {
    parse(text).0.unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn conjuncts_are_those_of_the_text() {
    let text = "a && (b && !(c)) && (d || e)";
    let expr = tree(text);
    assert_eq!(conjuncts(&expr).iter().map(|part| part.span.of(text)).collect::<Vec<_>>(), ["a", "b", "!(c)", "(d || e)"]);
}

#[test]
fn paths() {
    for (text, expected) in [
        ("detail.a.\"b c\"", Some(vec!["detail", "a", "b c"])),
        ("(detail.a).b", Some(vec!["detail", "a", "b"])),
        ("@.a", Some(vec!["a"])),
        ("detail | a", Some(vec!["detail", "a"])),
        ("a[0]", None),
        ("!a.b", None),
        ("a[*].b", None),
    ] {
        assert_eq!(path(&tree(text)), expected, "{text}");
    }
}

#[test]
fn kinds_and_errors() {
    for (text, expected, err) in [
        ("detail.errorCode", Kinds::STRING.with(Kinds::NULL), false),
        ("detail.errorCode || ''", Kinds::STRING, false),
        ("detail.requestParameters.a", Kinds::ANY, false),
        ("detail.eventName.b", Kinds::NULL, false),
        ("starts_with(detail.errorCode, 'A')", Kinds::BOOLEAN, true),
        ("starts_with(detail.errorCode || '', 'A')", Kinds::BOOLEAN, false),
        ("starts_with(not_null(detail.errorCode, ''), 'A')", Kinds::BOOLEAN, false),
        ("starts_with(not_null(detail.requestParameters.a, ''), 'A')", Kinds::BOOLEAN, true),
        ("type(detail.a) == 'string' && starts_with(detail.a, 'b')", Kinds::BOOLEAN, false),
        ("(type(detail.a) == 'string' || type(detail.a) == 'array') && contains(detail.a, 'b')", Kinds::BOOLEAN, false),
        ("(type(detail.a) == 'string' || type(detail.b) == 'array') && contains(detail.a, 'b')", Kinds::BOOLEAN, true),
        ("type(detail.a) != 'string' && starts_with(detail.a, 'b')", Kinds::BOOLEAN, true),
        ("parse_json('{}')", Kinds::ANY, true),
        ("detail.a == 'x' && detail.b", Kinds::ANY, false),
        ("detail | starts_with(errorCode || '', 'A')", Kinds::ANY, true),
    ] {
        let expr = tree(text);
        assert_eq!((kinds(&expr, Schema::CloudTrail), can_err(&expr, Schema::CloudTrail)), (expected, err), "{text}");
    }
    assert_eq!(kinds(&tree("detail.errorCode"), Schema::None), Kinds::ANY);
}

#[test]
fn known_fields_stand_under_known_objects() {
    for (index, field) in FIELDS.iter().enumerate() {
        assert!(FIELDS[..index].iter().all(|other| other.path != field.path), "{} twice", field.path);
        if let Some((parent, _)) = field.path.rsplit_once('.') {
            assert!(FIELDS[..index].iter().any(|other| other.path == parent && other.kinds == Kinds::OBJECT), "{}", field.path);
        }
    }
}
