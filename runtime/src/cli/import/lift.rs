//! Event names and sources out of a match, into the attributes of their own: they are indexed, checked against the catalogue and pushed
//! into the rules.

use serde_json::Value;
use trailwire_engine::expr::{Comparator, Expr, Kind};
use trailwire_engine::lang::Language;
use trailwire_engine::pushdown::{Asked, Frame, Written, push_down};
use trailwire_engine::shape::{conjuncts, path};
use trailwire_engine::text::Span;

/// What a match says of names and sources.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Lifted {
    /// Every event that matches has one of these names; empty where that is not known.
    pub(super) names: Vec<String>,
    /// Every event that matches has one of these sources; empty where that is not known.
    pub(super) sources: Vec<String>,
    /// Whether names and sources say all that the match says.
    pub(super) decides: bool,
    /// Why no event can ever match.
    pub(super) never: Option<String>,
}

/// What the event pattern that a match is pushed down to asks of names and sources. By the law of push-down no event that matches
/// has others.
pub(super) fn asked(language: Language, text: &str) -> Lifted {
    let (Some(tree), _) = language.parse(text) else { return Lifted::default() };
    let pushed = push_down(Asked { expression: Some(Written { tree: &tree, text }), frame: Frame::Bare, ..Asked::default() });
    let pattern: Value = pushed.pattern.as_deref().and_then(|pattern| serde_json::from_str(pattern).ok()).unwrap_or_default();
    let values = |field: &str| plain(pattern.pointer("/detail").and_then(|detail| detail.get(field)));
    let (names, sources) = (values("eventName"), values("eventSource"));
    let lifted = usize::from(!names.is_empty()) + usize::from(!sources.is_empty());
    let members = |value: Option<&Value>| value.and_then(Value::as_object).map_or(0, serde_json::Map::len);
    let decides = pushed.exact && members(Some(&pattern)) == 1 && members(pattern.get("detail")) == lifted && lifted > 0;
    let or_implied =
        |found: Vec<String>, field: &str| if found.is_empty() { implied(&tree, &["detail", field]).unwrap_or_default() } else { found };
    Lifted { names: or_implied(names, "eventName"), sources: or_implied(sources, "eventSource"), decides, never: pushed.never }
}

/// The values of a pattern's leaf, if each of them is a plain text.
pub(super) fn plain(leaf: Option<&Value>) -> Vec<String> {
    let texts: Option<Vec<String>> = leaf
        .and_then(Value::as_array)
        .map_or(Some(Vec::new()), |tests| tests.iter().map(|test| test.as_str().map(str::to_owned)).collect());
    texts.unwrap_or_default()
}

/// Takes the conjuncts that only list names or sources out of a match; what is left may be nothing.
pub(super) fn take(expr: &Expr) -> (Lifted, Option<Expr>) {
    let mut lifted = Lifted::default();
    let mut rest = Vec::new();
    for conjunct in conjuncts(expr) {
        let listed = |field: &str| listed(conjunct, &["detail", field]);
        match (listed("eventName"), listed("eventSource")) {
            (Some(names), _) if lifted.names.is_empty() => lifted.names = names,
            (_, Some(sources)) if lifted.sources.is_empty() => lifted.sources = sources,
            _ => rest.push(conjunct.clone()),
        }
    }
    lifted.decides = rest.is_empty();
    let rest = match rest.len() {
        0 | 1 => rest.pop(),
        _ => Some(Expr::new(Kind::And(rest), Span::default())),
    };
    if let (Some(rest), true) = (&rest, lifted.names.is_empty() || lifted.sources.is_empty()) {
        let more = asked(Language::JmesPath, &rest.to_string());
        lifted.never = more.never;
        for (found, more) in [(&mut lifted.names, more.names), (&mut lifted.sources, more.sources)] {
            if found.is_empty() {
                *found = more;
            }
        }
    }
    (lifted, rest)
}

/// The texts one of which the field has wherever the expression is true; `None` where that can be any.
fn implied(expr: &Expr, field: &[&str]) -> Option<Vec<String>> {
    if let Some(texts) = listed(expr, field) {
        return Some(texts);
    }
    match &expr.kind {
        Kind::And(operands) => operands.iter().find_map(|operand| implied(operand, field)),
        Kind::Or(operands) => {
            let mut texts: Vec<String> = Vec::new();
            for text in operands.iter().map(|operand| implied(operand, field)).collect::<Option<Vec<_>>>()?.concat() {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            Some(texts)
        }
        _ => None,
    }
}

/// The texts for one of which the field has to be equal, if that is all that the expression asks.
fn listed(expr: &Expr, field: &[&str]) -> Option<Vec<String>> {
    let is_field = |expr: &Expr| path(expr).is_some_and(|path| path == field);
    let text = |expr: &Expr| match &expr.kind {
        Kind::Literal(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    match &expr.kind {
        Kind::Comparison(Comparator::Equal, left, right) if is_field(left) => Some(vec![text(right)?]),
        Kind::Or(operands) => operands.iter().map(|operand| listed(operand, field)).collect::<Option<Vec<_>>>().map(|texts| texts.concat()),
        Kind::Call(call) if call.name == "contains" => match call.arguments.as_slice() {
            [Expr { kind: Kind::MultiSelectList(texts), .. }, subject] if is_field(subject) => texts.iter().map(text).collect(),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use trailwire_engine::lang::jmespath;

    use super::*;

    #[test]
    fn names_and_sources_are_taken_out() {
        let cases = [
            ("detail.eventName == 'A'", "A", "", None),
            ("detail.eventName == 'A' && detail.eventSource == 's'", "A", "s", None),
            ("contains(['A', 'B'], detail.eventName) && detail.x == 'y'", "A B", "", Some("detail.x == 'y'")),
            ("(detail.eventName == 'A' || detail.eventName == 'B') && detail.x == 'y'", "A B", "", Some("detail.x == 'y'")),
            (
                "detail.eventName == 'A' && detail.x == 'y' || detail.eventName == 'B'",
                "A B",
                "",
                Some("detail.eventName == 'A' && detail.x == 'y' || detail.eventName == 'B'"),
            ),
            ("!(detail.eventName == 'A')", "", "", Some("!(detail.eventName == 'A')")),
            ("starts_with(detail.eventName, 'A')", "", "", Some("starts_with(detail.eventName, 'A')")),
        ];
        for (text, names, sources, rest) in cases {
            let (lifted, left) = take(&jmespath::parse(text).0.unwrap());
            assert_eq!((lifted.names.join(" ").as_str(), lifted.sources.join(" ").as_str()), (names, sources), "{text}");
            assert_eq!(left.map(|left| left.to_string()).as_deref(), rest, "{text}");
        }
    }
}
