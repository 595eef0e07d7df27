//! From text to [`Pattern`], with every mistake named.

use std::collections::BTreeSet;

use super::json::{self, Kind, Node};
use super::numeral::is_comparable;
use super::validate::joined;
use super::{Bound, Entry, Excluded, Group, Pattern, Range, Scalar, Test, network_of};
use crate::diagnostic::{Code, Diagnostic, any_error};
use crate::text::{Span, nearest};
use crate::value::{Number, Value, type_name};

const OPERATORS: [&str; 8] = ["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"];

/// Names that cannot be fields inside `$or`, because EventBridge keeps them for itself there.
const RESERVED_IN_OR: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// Whether a member's name means itself wherever it stands in a pattern: it has no dot, which joins names, and is no word that
/// EventBridge keeps for itself.
#[must_use]
pub fn can_be_pushed_as_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('.') && !name.starts_with('$') && !RESERVED_IN_OR.contains(&name)
}

/// Where an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    InOr,
}

pub(super) fn read(text: &str) -> (Option<Pattern>, Vec<Diagnostic>) {
    let node = match json::parse(text) {
        Ok(node) => node,
        Err((span, message)) => {
            let message = format!("the pattern is not JSON: {message}");
            return (None, vec![Diagnostic::error(Code::PATTERN_SYNTAX, message).under(text, span)]);
        }
    };
    let mut reader = Reader { text, found: Vec::new() };
    let root = match &node.kind {
        Kind::Object(members) => reader.group(members, node.span, "", Place::Plain),
        _ => {
            reader.refuse(Code::PATTERN_SHAPE, node.span, format!("a pattern is an object, this is {}", described(&node)));
            None
        }
    };
    let accepted = !any_error(&reader.found);
    (root.filter(|_| accepted).map(|root| Pattern { root }), reader.found)
}

struct Reader<'t> {
    text: &'t str,
    found: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn refuse(&mut self, code: Code, span: Span, message: String) {
        self.found.push(Diagnostic::error(code, message).under(self.text, span));
    }

    fn refuse_with(&mut self, code: Code, span: Span, message: String, help: &str) {
        self.found.push(Diagnostic::error(code, message).under(self.text, span).help(help));
    }

    /// All members are read even after one was refused; what comes back is only used if none was.
    fn group(&mut self, members: &[(String, Span, Node)], span: Span, at: &str, place: Place) -> Option<Group> {
        if members.is_empty() {
            let message = if at.is_empty() { "the pattern is empty".to_owned() } else { format!("`{at}` is an empty object") };
            self.refuse_with(Code::PATTERN_SHAPE, span, message, "EventBridge refuses empty objects: test a field, or leave it out");
        }
        let mut names = BTreeSet::new();
        let mut entries = Vec::new();
        for (name, name_span, value) in members {
            if !names.insert(name) {
                let message = format!("`{}` stands twice, of which EventBridge would forget one", joined(at, name));
                self.refuse_with(Code::PATTERN_REPEATED_PATH, *name_span, message, "put everything in one of them");
            } else if name == "$or" {
                entries.extend(self.or(value, at));
            } else {
                entries.extend(self.member(name, *name_span, value, at, place));
            }
        }
        Some(Group { entries })
    }

    fn member(&mut self, name: &str, name_span: Span, value: &Node, at: &str, place: Place) -> Option<Entry> {
        let path = joined(at, name);
        if place == Place::InOr && RESERVED_IN_OR.contains(&name) {
            let message = format!("EventBridge keeps the name `{name}` for itself inside `$or`");
            self.refuse(Code::PATTERN_OR, name_span, message);
        }
        match &value.kind {
            Kind::Object(members) => self.group(members, value.span, &path, place).map(|group| Entry::Object(name.to_owned(), group)),
            Kind::Array(tests) => Some(Entry::Field(name.to_owned(), self.tests(tests, value.span, &path))),
            Kind::Scalar(_) => {
                let message = format!("`{path}` is {} where EventBridge wants an array of tests or an object", described(value));
                let help = format!("write `[{}]`", value.span.of(self.text));
                self.refuse_with(Code::PATTERN_SHAPE, value.span, message, &help);
                None
            }
        }
    }

    fn or(&mut self, value: &Node, at: &str) -> Option<Entry> {
        let Kind::Array(alternatives) = &value.kind else {
            self.refuse(Code::PATTERN_OR, value.span, format!("`$or` is {} where EventBridge wants an array of objects", described(value)));
            return None;
        };
        if alternatives.len() < 2 {
            self.refuse(Code::PATTERN_OR, value.span, format!("`$or` wants two alternatives or more, this one has {}", alternatives.len()));
        }
        let mut groups = Vec::new();
        for alternative in alternatives {
            match &alternative.kind {
                Kind::Object(members) => groups.extend(self.group(members, alternative.span, at, Place::InOr)),
                _ => {
                    let message = format!("an alternative of `$or` is an object, this is {}", described(alternative));
                    self.refuse(Code::PATTERN_OR, alternative.span, message);
                }
            }
        }
        Some(Entry::Or(groups))
    }

    fn tests(&mut self, tests: &[Node], span: Span, path: &str) -> Vec<Test> {
        if tests.is_empty() {
            let help = "EventBridge refuses empty arrays: `[{\"exists\": false}]` fits a missing field";
            self.refuse_with(Code::PATTERN_SHAPE, span, format!("`{path}` is an empty array"), help);
        }
        tests.iter().filter_map(|test| self.test(test, path)).collect()
    }

    fn test(&mut self, node: &Node, path: &str) -> Option<Test> {
        match &node.kind {
            Kind::Scalar(Value::Null) => Some(Test::Equals(Scalar::Null)),
            Kind::Scalar(Value::Bool(truth)) => Some(Test::Equals(Scalar::Bool(*truth))),
            Kind::Scalar(Value::Number(number)) => Some(Test::Equals(Scalar::Number(number.clone()))),
            Kind::Scalar(Value::String(text)) => Some(Test::Equals(Scalar::String(text.clone()))),
            Kind::Object(members) => {
                let [(name, name_span, operand)] = members.as_slice() else {
                    let message = format!("a test has exactly one operator, this one has {}", members.len());
                    self.refuse_with(Code::PATTERN_OPERATOR, node.span, message, "give each operator its own object");
                    return None;
                };
                self.operator(name, *name_span, operand)
            }
            Kind::Array(_) | Kind::Scalar(_) => {
                self.refuse(Code::PATTERN_SHAPE, node.span, format!("`{path}` has an array among its tests"));
                None
            }
        }
    }

    fn operator(&mut self, name: &str, name_span: Span, operand: &Node) -> Option<Test> {
        match name {
            "prefix" => self.affix(name, operand, Test::Prefix, Test::PrefixIgnoringCase),
            "suffix" => self.affix(name, operand, Test::Suffix, Test::SuffixIgnoringCase),
            "equals-ignore-case" => self.text(name, operand).map(Test::EqualsIgnoringCase),
            "wildcard" => self.text(name, operand).filter(|text| self.wildcard(text, operand.span)).map(Test::Wildcard),
            "anything-but" => self.anything_but(operand).map(Test::AnythingBut),
            "numeric" => self.numeric(operand).map(Test::Numeric),
            "cidr" => {
                let text = self.text(name, operand)?;
                if network_of(&text).is_none() {
                    let help = "for example 10.0.0.0/8 or 2001:db8::/32; a single address is written as plain text";
                    self.refuse_with(
                        Code::PATTERN_OPERAND,
                        operand.span,
                        format!("`{text}` is not a network that EventBridge takes"),
                        help,
                    );
                }
                Some(Test::Cidr(text))
            }
            "exists" => match operand.kind {
                Kind::Scalar(Value::Bool(truth)) => Some(Test::Exists(truth)),
                _ => self.wrong("`exists` wants true or false", operand),
            },
            _ => {
                let help = nearest(name, OPERATORS)
                    .map_or_else(|| format!("the operators are {}", OPERATORS.join(", ")), |name| format!("did you mean `{name}`?"));
                self.refuse_with(Code::PATTERN_OPERATOR, name_span, format!("unknown operator `{name}`"), &help);
                None
            }
        }
    }

    fn wrong<T>(&mut self, wanted: &str, operand: &Node) -> Option<T> {
        self.refuse(Code::PATTERN_OPERAND, operand.span, format!("{wanted}, this is {}", described(operand)));
        None
    }

    fn text(&mut self, name: &str, operand: &Node) -> Option<String> {
        match &operand.kind {
            Kind::Scalar(Value::String(text)) => Some(text.clone()),
            _ => self.wrong(&format!("`{name}` wants a string"), operand),
        }
    }

    /// `prefix` and `suffix`: a string, or an object with `equals-ignore-case` alone.
    fn affix(&mut self, name: &str, operand: &Node, exact: fn(String) -> Test, ignoring_case: fn(String) -> Test) -> Option<Test> {
        match &operand.kind {
            Kind::Object(members) => match members.as_slice() {
                [(inner, _, operand)] if inner == "equals-ignore-case" => self.text(inner, operand).map(ignoring_case),
                _ => self.wrong(&format!("`{name}` wants a string or `{{\"equals-ignore-case\": \"…\"}}`"), operand),
            },
            _ => self.text(name, operand).map(exact),
        }
    }

    fn wildcard(&mut self, text: &str, span: Span) -> bool {
        let refusal = match wildcard_fault(text) {
            None => return true,
            Some(WildcardFault::Doubled) => "two `*` in a row",
            Some(WildcardFault::Escape) => "a `\\` that escapes neither `*` nor `\\`",
        };
        self.refuse(Code::PATTERN_OPERAND, span, format!("the wildcard has {refusal}"));
        false
    }

    fn anything_but(&mut self, operand: &Node) -> Option<Excluded> {
        let Kind::Object(members) = &operand.kind else { return self.excluded_values(operand) };
        let [(name, name_span, inner)] = members.as_slice() else {
            return self.wrong("`anything-but` wants values, or an object with one operator", operand);
        };
        let texts = |reader: &mut Self| reader.excluded_texts(name, inner);
        match name.as_str() {
            "prefix" => texts(self).map(Excluded::Prefixes),
            "suffix" => texts(self).map(Excluded::Suffixes),
            "equals-ignore-case" => texts(self).map(Excluded::IgnoringCase),
            "wildcard" => texts(self).filter(|texts| texts.iter().all(|text| self.wildcard(text, inner.span))).map(Excluded::Wildcards),
            _ => {
                let help = "prefix, suffix, equals-ignore-case and wildcard can";
                self.refuse_with(Code::PATTERN_OPERATOR, *name_span, format!("`{name}` cannot stand inside `anything-but`"), help);
                None
            }
        }
    }

    fn excluded_texts(&mut self, name: &str, operand: &Node) -> Option<Vec<String>> {
        let list = one_or_all(operand);
        if list.is_empty() {
            return self.wrong(&format!("`{name}` wants a string or an array of strings"), operand);
        }
        let texts: Vec<String> = list.into_iter().map(|element| self.text(name, element)).collect::<Option<_>>()?;
        if matches!(name, "prefix" | "suffix") && texts.iter().any(String::is_empty) {
            self.refuse(Code::PATTERN_OPERAND, operand.span, format!("an empty `{name}` inside `anything-but` leaves nothing"));
        }
        Some(texts)
    }

    fn excluded_values(&mut self, operand: &Node) -> Option<Excluded> {
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        for element in one_or_all(operand) {
            match &element.kind {
                Kind::Scalar(Value::String(text)) => texts.push(text.clone()),
                Kind::Scalar(Value::Number(number)) => numbers.extend(self.number(number, element.span)),
                _ => return self.wrong("`anything-but` wants strings or numbers", element),
            }
        }
        match (texts.is_empty(), numbers.is_empty()) {
            (false, true) => Some(Excluded::Strings(texts)),
            (true, false) => Some(Excluded::Numbers(numbers)),
            _ => self.wrong("`anything-but` wants strings alone or numbers alone", operand),
        }
    }

    /// A number that is to be compared.
    fn number(&mut self, number: &Number, span: Span) -> Option<Number> {
        if !is_comparable(number) {
            self.refuse(Code::PATTERN_OPERAND, span, format!("EventBridge cannot compare {number}: it has too many digits"));
            return None;
        }
        Some(number.clone())
    }

    fn numeric(&mut self, operand: &Node) -> Option<Range> {
        let Kind::Array(parts) = &operand.kind else { return self.wrong("`numeric` wants an array such as `[\">\", 0]`", operand) };
        let mut ends = Vec::new();
        for pair in parts.chunks(2) {
            match pair {
                [Node { kind: Kind::Scalar(Value::String(sign)), .. }, Node { kind: Kind::Scalar(Value::Number(number)), span }] => {
                    ends.push((sign.as_str(), self.number(number, *span)?));
                }
                _ => return self.wrong("`numeric` wants a sign and a number, once or twice", operand),
            }
        }
        let range = match ends.as_slice() {
            [("=", number)] => Some(Range::Equal(number.clone())),
            [(sign, number)] => match (lower(sign), upper(sign)) {
                (Some(bound), _) => Some(Range::Between { bottom: Some((number.clone(), bound)), top: None }),
                (_, Some(bound)) => Some(Range::Between { bottom: None, top: Some((number.clone(), bound)) }),
                _ => None,
            },
            [(low, bottom), (high, top)] => match (lower(low), upper(high)) {
                (Some(low), Some(high)) if bottom.as_f64() < top.as_f64() => {
                    Some(Range::Between { bottom: Some((bottom.clone(), low)), top: Some((top.clone(), high)) })
                }
                (Some(_), Some(_)) => {
                    self.refuse(Code::PATTERN_OPERAND, operand.span, format!("the range from {bottom} to {top} is empty"));
                    return None;
                }
                _ => None,
            },
            _ => None,
        };
        if range.is_none() {
            let message = "`numeric` wants `=`, `>`, `>=`, `<` or `<=`, or a lower end and then an upper one".to_owned();
            self.refuse(Code::PATTERN_OPERAND, operand.span, message);
        }
        range
    }
}

fn lower(sign: &str) -> Option<Bound> {
    match sign {
        ">" => Some(Bound::Excluded),
        ">=" => Some(Bound::Included),
        _ => None,
    }
}

fn upper(sign: &str) -> Option<Bound> {
    match sign {
        "<" => Some(Bound::Excluded),
        "<=" => Some(Bound::Included),
        _ => None,
    }
}

fn one_or_all(node: &Node) -> Vec<&Node> {
    match &node.kind {
        Kind::Array(elements) => elements.iter().collect(),
        _ => vec![node],
    }
}

/// What is wrong with the text of a wildcard.
enum WildcardFault {
    Doubled,
    Escape,
}

fn wildcard_fault(text: &str) -> Option<WildcardFault> {
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('*', Some('*')) => return Some(WildcardFault::Doubled),
            ('\\', Some('*' | '\\')) => {
                letters.next();
            }
            ('\\', _) => return Some(WildcardFault::Escape),
            _ => {}
        }
    }
    None
}

fn described(node: &Node) -> String {
    match &node.kind {
        Kind::Object(_) => "an object".to_owned(),
        Kind::Array(_) => "an array".to_owned(),
        Kind::Scalar(Value::Null) => "null".to_owned(),
        Kind::Scalar(value) => format!("a {}", type_name(value)),
    }
}
