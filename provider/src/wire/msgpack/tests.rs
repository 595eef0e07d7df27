use proptest::prelude::*;

use super::*;

fn object(members: &[(&str, Type)]) -> Type {
    Type::Object(members.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect())
}

fn whole() -> Type {
    object(&[
        ("flag", Type::Bool),
        ("number", Type::Number),
        ("text", Type::String),
        ("list", Type::list(Type::String)),
        ("set", Type::set(Type::Number)),
        ("map", Type::map(Type::Bool)),
        ("blocks", Type::list(object(&[("inner", Type::String)]))),
    ])
}

#[test]
fn numbers_come_in_every_form_and_stay_exact() {
    let cases: &[(&[u8], &str)] = &[
        (&[0x05], "5"),
        (&[0xff], "-1"),
        (&[0xcc, 0xff], "255"),
        (&[0xcd, 0x01, 0x00], "256"),
        (&[0xce, 0, 1, 0, 0], "65536"),
        (&[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "18446744073709551615"),
        (&[0xd0, 0x80], "-128"),
        (&[0xd1, 0x80, 0x00], "-32768"),
        (&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808"),
        (&[0xca, 0x3f, 0x00, 0, 0], "0.5"),
        (&[0xcb, 0x40, 0x04, 0, 0, 0, 0, 0, 0], "2.5"),
        (&[0xa3, b'0', b'.', b'1'], "0.1"),
    ];
    for (bytes, text) in cases {
        let number = decode(bytes, &Type::Number).unwrap();
        assert_eq!(number.as_number().unwrap().to_string(), *text);
        assert_eq!(decode(&encode(&number, &Type::Number).unwrap(), &Type::Number).unwrap(), number);
    }
    assert_eq!(encode(&Dynamic::Number("0.1".parse().unwrap()), &Type::Number).unwrap(), [0xa3, b'0', b'.', b'1']);
    assert!(decode(&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], &Type::Number).is_err(), "infinity");
}

#[test]
fn every_extension_is_unknown_and_unknown_is_written_plainly() {
    let refined = [0xc7, 0x03, 12, 0x81, 0x01, 0xc2];
    for bytes in [&[0xd4, 0, 0][..], &[0xd5, 0, 0, 0], &refined, &[0xc8, 0, 1, 5, 9], &[0xc9, 0, 0, 0, 1, 5, 9]] {
        assert_eq!(decode(bytes, &whole()), Ok(Dynamic::Unknown));
    }
    assert_eq!(encode(&Dynamic::Unknown, &Type::String), Ok(vec![0xd4, 0, 0]));
}

#[test]
fn wrong_shapes_name_the_attribute() {
    let block =
        |bytes: &[u8]| decode(bytes, &object(&[("blocks", Type::list(object(&[("inner", Type::String)])))])).unwrap_err().to_string();
    let inner = |value: &[u8]| [&[0x81, 0xa6][..], b"blocks", &[0x91, 0x81, 0xa5], b"inner", value].concat();
    assert_eq!(block(&inner(&[0x01])), "blocks[0].inner: a string was expected here");
    assert_eq!(block(&inner(&[0xa5, b'x'])), "blocks[0].inner: a value ends early");
    assert_eq!(block(&[0x80]), "blocks: an object lacks its member `blocks`");
    assert_eq!(block(&[0x81, 0xa1, b'x', 0xc0]), ": an object has a member that the schema does not know");
    assert_eq!(block(&[&inner(&[0xc0])[..], &[0xc0]].concat()), ": bytes follow the end of the value");
    assert_eq!(block(&[]), ": a value ends early");
    let written = encode(&Dynamic::object([("blocks", Dynamic::from("x"))]), &object(&[("blocks", Type::list(Type::String))]));
    assert_eq!(written.unwrap_err().to_string(), "blocks: list of string was expected here, not a string");
}

#[test]
fn huge_lengths_cost_nothing() {
    for bytes in
        [[0xdd, 0xff, 0xff, 0xff, 0xff], [0xdf, 0xff, 0xff, 0xff, 0xff], [0xdb, 0xff, 0xff, 0xff, 0xff], [0xc9, 0xff, 0xff, 0xff, 0xff]]
    {
        for kind in [Type::list(Type::String), Type::map(Type::String), Type::String, whole()] {
            assert!(decode(&bytes, &kind).is_err());
        }
    }
}

fn maybe(known: impl Strategy<Value = Dynamic> + 'static) -> impl Strategy<Value = Dynamic> {
    prop_oneof![1 => Just(Dynamic::Null), 1 => Just(Dynamic::Unknown), 6 => known]
}

fn number() -> impl Strategy<Value = Dynamic> {
    let decimal = ("-?[0-9]{1,30}", "[0-9]{1,40}").prop_map(|(whole, fraction)| format!("{whole}.{fraction}").parse().unwrap());
    let binary = any::<f64>().prop_filter_map("finite", |value| Number::from_f64(value).ok());
    maybe(prop_oneof![any::<i64>().prop_map(Number::from), any::<u64>().prop_map(Number::from), decimal, binary].prop_map(Dynamic::Number))
}

fn text() -> impl Strategy<Value = Dynamic> {
    maybe(".{0,40}".prop_map(Dynamic::String))
}

fn value() -> impl Strategy<Value = Dynamic> {
    let list = |element: BoxedStrategy<Dynamic>| maybe(prop::collection::vec(element, 0..20).prop_map(Dynamic::List));
    let map = maybe(prop::collection::btree_map(".{0,5}", maybe(any::<bool>().prop_map(Dynamic::Bool)), 0..20).prop_map(Dynamic::Map));
    let block = text().prop_map(|inner| Dynamic::object([("inner", inner)]));
    let members = (
        maybe(any::<bool>().prop_map(Dynamic::Bool)),
        number(),
        text(),
        list(text().boxed()),
        list(number().boxed()),
        map,
        list(block.boxed()),
    );
    members.prop_map(|(flag, number, text, list, set, map, blocks)| {
        Dynamic::object([
            ("flag", flag),
            ("number", number),
            ("text", text),
            ("list", list),
            ("set", set),
            ("map", map),
            ("blocks", blocks),
        ])
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(value in value()) {
        let bytes = encode(&value, &whole()).unwrap();
        prop_assert_eq!(decode(&bytes, &whole()).unwrap(), value);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes, &whole());
        let _ = decode(&bytes, &Type::Number);
    }

    #[test]
    fn damaged_values_do_not_make_it_panic(value in value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&value, &whole()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode(&bytes, &whole());
    }
}
