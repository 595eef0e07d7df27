//! Whether one pattern keeps everything that another keeps, as far as their form tells.

use super::{Entry, Group, Pattern, Test};

impl Pattern {
    /// Whether every event that satisfies this pattern satisfies `other`, too. `true` is certain; `false` says only that the forms
    /// do not show it: names joined by dots are not taken apart, and tests are compared as they are written.
    ///
    /// ```
    /// use trailwire_engine::pattern::Pattern;
    /// let read = |text| Pattern::parse(text).0.unwrap();
    /// let narrow = read(r#"{"detail": {"eventName": ["A"], "errorCode": ["x"]}}"#);
    /// let wide = read(r#"{"detail": {"eventName": ["A", "B"]}}"#);
    /// assert!(narrow.implies(&wide) && !wide.implies(&narrow));
    /// ```
    #[must_use]
    pub fn implies(&self, other: &Self) -> bool {
        if asks_for_absence(&other.root, false) { self.root == other.root } else { group(&self.root, &other.root) }
    }
}

/// Whether a group, or one in it, asks that a field is absent which may stand in an array's elements. There more paths can keep more: all of them
/// look at one element, and in that one the field may be absent although another has it. `detail` is an object, never an array.
fn asks_for_absence(group: &Group, is_within: bool) -> bool {
    group.entries.iter().any(|entry| match entry {
        Entry::Field(_, tests) => is_within && tests.contains(&Test::Exists(false)),
        Entry::Object(name, inner) => asks_for_absence(inner, is_within || name != "detail"),
        Entry::Or(groups) => groups.iter().any(|group| asks_for_absence(group, is_within)),
    })
}

/// Paths that the wider group does not name only narrow: leaving them out keeps more.
fn group(narrow: &Group, wide: &Group) -> bool {
    wide.entries.iter().all(|wanted| match wanted {
        Entry::Field(name, tests) => narrow.entries.iter().any(|entry| match entry {
            Entry::Field(found, narrower) => found == name && narrower.iter().all(|test| tests.contains(test)),
            _ => false,
        }),
        Entry::Object(name, inner) => narrow.entries.iter().any(|entry| match entry {
            Entry::Object(found, narrower) => found == name && group(narrower, inner),
            _ => false,
        }),
        Entry::Or(groups) => {
            let holds = |narrower: &Group| groups.iter().any(|wide| group(narrower, wide));
            holds(narrow)
                || narrow.entries.iter().any(|entry| match entry {
                    Entry::Or(alternatives) => alternatives.iter().all(holds),
                    _ => false,
                })
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Pattern {
        Pattern::parse(&value.to_string()).0.unwrap()
    }

    #[test]
    fn what_the_forms_show() {
        let cases = [
            (json!({"a": ["x"]}), json!({"a": ["x", "y"]}), true, false),
            (json!({"a": ["x"], "b": [1]}), json!({"a": ["x"]}), true, false),
            (json!({"a": {"b": ["x"], "c": [1]}}), json!({"a": {"b": ["x"]}}), true, false),
            (json!({"a": {"b": ["x"]}}), json!({"b": {"a": ["x"]}}), false, false),
            (json!({"a": [{"prefix": "x"}]}), json!({"a": [{"prefix": "x"}, null]}), true, false),
            (json!({"a": [{"exists": false}]}), json!({"a": [{"exists": true}]}), false, false),
            (json!({"a": ["x"]}), json!({"$or": [{"a": ["x"]}, {"b": ["y"]}]}), true, false),
            (json!({"$or": [{"a": ["x"]}, {"b": ["y"]}]}), json!({"$or": [{"a": ["x"]}, {"b": ["y"]}, {"c": ["z"]}]}), true, false),
            (json!({"a": ["x"], "c": [1]}), json!({"c": [1], "a": ["x"]}), true, true),
            (json!({"detail": {"b": [{"exists": false}], "c": [1]}}), json!({"detail": {"b": [{"exists": false}]}}), true, false),
            // Of `{"a": [{"b": 1}, {"c": 1}]}` the first keeps the second element, and the second nothing.
            (json!({"a": {"b": [{"exists": false}], "c": [1]}}), json!({"a": {"b": [{"exists": false}]}}), false, false),
        ];
        for (narrow, wide, forth, back) in cases {
            assert_eq!((read(&narrow).implies(&read(&wide)), read(&wide).implies(&read(&narrow))), (forth, back), "{narrow} {wide}");
        }
    }

    fn tests() -> impl Strategy<Value = Value> {
        let test = prop_oneof![
            Just(json!("x")),
            Just(json!("y")),
            Just(json!(null)),
            Just(json!({"prefix": "x"})),
            Just(json!({"exists": true})),
            Just(json!({"exists": false})),
            Just(json!({"anything-but": ["x"]})),
        ];
        proptest::collection::vec(test, 1..4).prop_map(Value::Array)
    }

    fn object() -> impl Strategy<Value = Value> {
        proptest::collection::btree_map(
            prop::sample::select(vec!["a", "b", "c"]),
            prop_oneof![
                tests(),
                proptest::collection::btree_map(prop::sample::select(vec!["d", "e"]), tests(), 1..3).prop_map(|map| json!(map))
            ],
            1..4,
        )
        .prop_map(|map| json!(map))
    }

    fn pattern() -> impl Strategy<Value = Value> {
        (object(), proptest::option::of(proptest::collection::vec(object(), 2..4))).prop_map(|(mut object, alternatives)| {
            if let Some(alternatives) = alternatives {
                object["$or"] = Value::Array(alternatives);
            }
            object
        })
    }

    fn event() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(json!("x")), Just(json!("y")), Just(json!("xy")), Just(json!(null)), Just(json!(["x", "z"])), Just(json!([]))];
        let inner = proptest::collection::btree_map(prop::sample::select(vec!["d", "e"]), leaf.clone(), 0..3).prop_map(|map| json!(map));
        let inner = prop_oneof![leaf, inner.clone(), proptest::collection::vec(inner, 0..3).prop_map(Value::Array)];
        proptest::collection::btree_map(prop::sample::select(vec!["a", "b", "c"]), inner, 0..4).prop_map(|map| json!(map))
    }

    proptest! {
        #![proptest_config(crate::testing::cases())]

        #[test]
        fn what_is_implied_holds(narrow in pattern(), wide in pattern(), more in object(), events in proptest::collection::vec(event(), 8)) {
            // A pattern and itself with more paths: seldom met by chance, and what the question is asked about.
            let mut narrower = wide.clone();
            for (name, value) in more.as_object().unwrap() {
                narrower.as_object_mut().unwrap().entry(name.clone()).or_insert_with(|| value.clone());
            }
            for narrow in [&narrow, &narrower] {
                let (Some(narrow), Some(wide)) = (Pattern::parse(&narrow.to_string()).0, Pattern::parse(&wide.to_string()).0) else { continue };
                if narrow.implies(&wide) {
                    for event in &events {
                        prop_assert!(!narrow.matches(event) || wide.matches(event), "{} {} {}", narrow, wide, event);
                    }
                }
            }
        }
    }
}
