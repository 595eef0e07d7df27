//! The tree as canonical JMESPath text.
//!
//! The law: parsing the text gives the tree again, places apart. It holds for every tree that the parser can build, and for
//! every tree that a language lowers to. (A few shapes that no text stands for, such as a flattening that is no projection,
//! are printed as the nearest text.)
//!
//! How: JMESPath is parsed by operator precedence, so a piece of text carries two numbers. Its *need* is the loosest operator
//! at its top: it stands without parentheses where everything tighter than a smaller power is taken in. Its *open* is how
//! tightly its end grasps: an operator that binds tighter than that would be drawn into it, and so needs parentheses before.

use std::fmt;

use super::{Call, Expr, Kind, Over, Slice};
use crate::value::Value;

/// What binds tighter has the larger number. The parser's table, read from the other side.
mod power {
    pub(super) const PIPE: u8 = 1;
    pub(super) const OR: u8 = 2;
    pub(super) const AND: u8 = 3;
    pub(super) const COMPARISON: u8 = 5;
    /// Nothing that follows `!a` without parentheses is drawn into it. (`!a.b` would be `(!a).b`, which nobody reads so.)
    pub(super) const AFTER_NOT: u8 = 8;
    pub(super) const FLATTEN: u8 = 9;
    pub(super) const STAR: u8 = 20;
    pub(super) const FILTER: u8 = 21;
    pub(super) const DOT: u8 = 40;
    pub(super) const NOT: u8 = 45;
    pub(super) const BRACKET: u8 = 55;
    pub(super) const NONE: u8 = u8::MAX;
}

impl fmt::Display for Expr {
    /// Canonical JMESPath: parentheses only where they are needed, one space around operators.
    ///
    /// ```
    /// use trailwire_engine::lang::jmespath::parse;
    /// let expression = parse("((detail.a))[ 0 ]==\"b\" && ( c||d )").0.unwrap();
    /// assert_eq!(expression.to_string(), r#"(detail.a)[0] == "b" && (c || d)"#);
    /// ```
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&print(self).text)
    }
}

/// How a piece of text begins, which decides what can stand right before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lead {
    /// A name or `*`: follows a dot.
    Name,
    /// `[` or `[?`: follows a projection as it is.
    Bracket,
    /// Anything else.
    Other,
}

/// A piece of text and how it meets its neighbours.
struct Piece {
    text: String,
    need: u8,
    open: u8,
    lead: Lead,
}

impl Piece {
    /// A piece that stands anywhere and draws nothing in.
    fn closed(text: String, lead: Lead) -> Self {
        Self { text, need: power::NONE, open: power::NONE, lead }
    }

    /// In parentheses if something at its top binds no tighter than `binding`.
    fn within(self, binding: u8) -> Self {
        if self.need > binding { self } else { self.in_parentheses() }
    }

    /// In parentheses if it would draw in an operator of `power` that follows it.
    fn before(self, power: u8) -> Self {
        if self.open >= power { self } else { self.in_parentheses() }
    }

    fn in_parentheses(self) -> Self {
        Self::closed(format!("({})", self.text), Lead::Other)
    }

    /// This piece with `tail` behind it: an operator of `power` and its right side, which grasps as far as `open`.
    fn then(self, power: u8, tail: &str, open: u8) -> Self {
        let left = self.before(power);
        Self { text: left.text + tail, need: left.need.min(power), open, lead: left.lead }
    }
}

fn print(expr: &Expr) -> Piece {
    match &expr.kind {
        Kind::Current => Piece::closed("@".to_owned(), Lead::Other),
        Kind::Literal(value) => Piece::closed(literal(value), Lead::Other),
        Kind::Field { name, quoted } => Piece::closed(field(name, *quoted), Lead::Name),
        Kind::Index(index) => Piece::closed(format!("[{index}]"), Lead::Bracket),
        Kind::Slice(slice) => Piece::closed(bounds(*slice), Lead::Bracket),
        Kind::Sub(left, right) => sub(left, right),
        Kind::Pipe(left, right) => infix(left, power::PIPE, "|", right),
        Kind::Comparison(comparator, left, right) => infix(left, power::COMPARISON, &comparator.to_string(), right),
        Kind::And(operands) => chain(operands, power::AND, " && "),
        Kind::Or(operands) => chain(operands, power::OR, " || "),
        Kind::Not(operand) => {
            let operand = print(operand).within(power::NOT);
            Piece { text: format!("!{}", operand.text), need: power::NONE, open: power::AFTER_NOT.min(operand.open), lead: Lead::Other }
        }
        Kind::Projection { over, source, each } => projection(over, source, each),
        Kind::Flatten(source) => after(source, power::FLATTEN, "[]", power::FLATTEN),
        Kind::MultiSelectList(elements) => Piece::closed(list(elements), Lead::Bracket),
        Kind::MultiSelectHash(members) => Piece::closed(hash(members), Lead::Other),
        Kind::Call(call) => Piece::closed(function(call), Lead::Name),
        Kind::Reference(inner) => Piece::closed(format!("&{}", print(inner).text), Lead::Other),
        // For people: JMESPath has no words for it, so this cannot be read back.
        Kind::Pattern(pattern) => Piece::closed(format!("event_pattern({})", literal(&pattern.to_value())), Lead::Name),
    }
}

fn infix(left: &Expr, power: u8, operator: &str, right: &Expr) -> Piece {
    let right = print(right).within(power);
    print(left).then(power, &format!(" {operator} {}", right.text), power.min(right.open))
}

/// `a && b && c`. An operand that is such a chain itself keeps its parentheses: the parser would make one chain of the two.
fn chain(operands: &[Expr], power: u8, operator: &str) -> Piece {
    let mut text = String::new();
    let mut need = power;
    let mut open = power;
    let mut lead = Lead::Other;
    for (index, operand) in operands.iter().enumerate() {
        let mut piece = print(operand);
        if index > 0 || piece.need == power {
            piece = piece.within(power);
        }
        if index + 1 < operands.len() {
            piece = piece.before(power);
        }
        if index == 0 {
            (need, lead) = (need.min(piece.need), piece.lead);
        } else {
            text.push_str(operator);
        }
        text.push_str(&piece.text);
        open = power.min(piece.open);
    }
    Piece { text, need, open, lead }
}

/// What follows a source; where the source is the current value, what follows stands alone.
fn after(source: &Expr, power: u8, tail: &str, open: u8) -> Piece {
    if source.kind == Kind::Current {
        return Piece { text: tail.to_owned(), need: power::NONE, open, lead: Lead::Bracket };
    }
    print(source).then(power, tail, open)
}

fn sub(left: &Expr, right: &Expr) -> Piece {
    match &right.kind {
        Kind::Index(index) => after(left, power::BRACKET, &format!("[{index}]"), power::NONE),
        Kind::MultiSelectList(_) | Kind::MultiSelectHash(_) => {
            let right = print(right);
            print(left).then(power::DOT, &format!(".{}", right.text), power::NONE)
        }
        _ => {
            let right = print(right);
            print(left).then(power::DOT, &format!(".{}", right.text), power::DOT.min(right.open))
        }
    }
}

fn projection(over: &Over, source: &Expr, each: &Expr) -> Piece {
    let (binding, power, head, source) = match (over, &source.kind) {
        (Over::Elements, Kind::Flatten(inner)) => (power::FLATTEN, power::FLATTEN, "[]".to_owned(), inner.as_ref()),
        (Over::Elements, Kind::Sub(left, right)) if matches!(right.kind, Kind::Slice(_)) => {
            (power::STAR, power::BRACKET, print(right).text, left.as_ref())
        }
        (Over::Elements, _) => (power::STAR, power::BRACKET, "[*]".to_owned(), source),
        (Over::Filter(condition), _) => (power::FILTER, power::FILTER, format!("[?{}]", print(condition).text), source),
        (Over::Members, Kind::Current) => {
            let (tail, open) = projected(each, power::STAR);
            return Piece { text: format!("*{tail}"), need: power::NONE, open, lead: Lead::Name };
        }
        (Over::Members, _) => (power::STAR, power::DOT, ".*".to_owned(), source),
    };
    let (tail, open) = projected(each, binding);
    after(source, power, &(head + &tail), open)
}

/// What a projection does with each element, and how far it grasps.
fn projected(each: &Expr, binding: u8) -> (String, u8) {
    match &each.kind {
        // What follows an empty projection is drawn into it, unless it binds as loosely as `[]`.
        Kind::Current => (String::new(), power::FLATTEN),
        Kind::MultiSelectList(_) | Kind::MultiSelectHash(_) => (format!(".{}", print(each).text), power::NONE),
        _ => {
            let each = print(each);
            let dot = if each.lead == Lead::Bracket { "" } else { "." };
            (format!("{dot}{}", each.text), binding.min(each.open))
        }
    }
}

fn list(elements: &[Expr]) -> String {
    let texts: Vec<String> = elements.iter().map(|element| print(element).text).collect();
    match texts.as_slice() {
        // `[*]` would be a projection.
        [star] if star == "*" => "[(*)]".to_owned(),
        texts => format!("[{}]", texts.join(", ")),
    }
}

fn hash(members: &[(String, Expr)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}: {}", field(name, false), print(value).text)).collect();
    format!("{{{}}}", members.join(", "))
}

fn function(call: &Call) -> String {
    let arguments: Vec<String> = call.arguments.iter().map(|argument| print(argument).text).collect();
    format!("{}({})", call.name, arguments.join(", "))
}

fn bounds(slice: Slice) -> String {
    let part = |part: Option<i64>| part.map_or_else(String::new, |part| part.to_string());
    let step = if slice.step == 1 { String::new() } else { format!(":{}", slice.step) };
    format!("[{}:{}{step}]", part(slice.start), part(slice.stop))
}

/// Whether a name stands without quotes.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn field(name: &str, quoted: bool) -> String {
    if quoted || !is_identifier(name) { Value::from(name).to_string() } else { name.to_owned() }
}

/// `'raw'` for a string that can be written so on one line, else `` `json` ``.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) if !text.contains(['\\']) && !text.contains(char::is_control) => format!("'{}'", text.replace('\'', "\\'")),
        Value::String(text) if is_raw_as_it_stands(text) => format!("'{text}'"),
        value => format!("`{}`", value.to_string().replace('`', "\\u0060")),
    }
}

/// A text with backslashes, such as a regular expression, that has no quote and does not keep the closing one from closing.
fn is_raw_as_it_stands(text: &str) -> bool {
    let trailing = text.len() - text.trim_end_matches('\\').len();
    !text.contains('\'') && !text.contains(char::is_control) && trailing.is_multiple_of(2)
}

#[cfg(test)]
mod tests;
