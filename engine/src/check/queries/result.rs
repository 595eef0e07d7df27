//! What an expression over an answer gives, and what it looks for in vain.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Kind as Node, Over};
use crate::operations::{Kind, Service};
use crate::text::{Span, nearest};

/// What is known of a value that comes of an answer.
#[derive(Debug, Clone)]
pub enum Answer<'s> {
    /// Nothing.
    Unknown,
    /// A value of a shape.
    Shape(&'s Service, &'s str),
    /// A list that an expression made.
    List(Box<Answer<'s>>),
    /// An object that an expression made.
    Object(BTreeMap<String, Answer<'s>>),
}

impl<'s> Answer<'s> {
    /// The members that an object has; `None` where they are not known, or where it is no object.
    #[must_use]
    pub fn members(&self) -> Option<Vec<&str>> {
        match self {
            Self::Shape(service, word) => match service.kind(word) {
                Kind::Structure(structure) => Some(structure.members.keys().map(String::as_str).collect()),
                _ => None,
            },
            Self::Object(members) => Some(members.keys().map(String::as_str).collect()),
            _ => None,
        }
    }

    /// A member; an error in words where there cannot be one.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn member(&self, name: &str) -> Result<Self, (String, String)> {
        let missing = |known: Vec<&str>| {
            let help = nearest(name, known.iter().copied())
                .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
            Err((format!("the answer has no `{name}` here"), help))
        };
        match self {
            Self::Unknown => Ok(Self::Unknown),
            Self::List(_) => Err(Self::of_a_list(name)),
            Self::Object(members) => members.get(name).cloned().map_or_else(|| missing(members.keys().map(String::as_str).collect()), Ok),
            Self::Shape(service, word) => match service.kind(word) {
                Kind::Structure(structure) => match structure.members.get(name) {
                    Some(member) => Ok(Self::Shape(service, &member.shape)),
                    None => missing(structure.members.keys().map(String::as_str).collect()),
                },
                Kind::Map(map) => Ok(Self::Shape(service, &map.map)),
                Kind::List(_) => Err(Self::of_a_list(name)),
                Kind::Policy | Kind::Unknown => Ok(Self::Unknown),
                scalar => {
                    Err((format!("`{name}` is looked for in {}, which has no members", scalar.in_words()), "take the step out".to_owned()))
                }
            },
        }
    }

    fn of_a_list(name: &str) -> (String, String) {
        (format!("`{name}` is looked for in a list, not in its elements"), format!("write `[].{name}` for that of each element"))
    }

    fn element(&self) -> Self {
        match self {
            Self::List(element) => (**element).clone(),
            Self::Shape(service, word) => match service.kind(word) {
                Kind::List(list) => Self::Shape(service, &list.list),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    fn is_list(&self) -> bool {
        match self {
            Self::List(_) => true,
            Self::Shape(service, word) => matches!(service.kind(word), Kind::List(_)),
            _ => false,
        }
    }
}

/// What an expression gives, and what is wrong with it.
pub(super) fn walk<'s>(expr: &Expr, current: &Answer<'s>, text: &str) -> (Answer<'s>, Vec<Diagnostic>) {
    let mut walk = Walk { text, found: Vec::new() };
    let value = walk.value(expr, current);
    (value, walk.found)
}

struct Walk<'t> {
    text: &'t str,
    found: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn value<'s>(&mut self, expr: &Expr, current: &Answer<'s>) -> Answer<'s> {
        match &expr.kind {
            Node::Current => current.clone(),
            Node::Field { name, .. } => self.member(current, name, expr.span),
            Node::Index(_) => current.element(),
            Node::Slice(_) => Answer::List(Box::new(current.element())),
            Node::Sub(left, right) | Node::Pipe(left, right) => {
                let left = self.value(left, current);
                self.value(right, &left)
            }
            Node::Flatten(inner) => {
                let element = self.value(inner, current).element();
                Answer::List(Box::new(if element.is_list() { element.element() } else { element }))
            }
            Node::Projection { over, source, each } => {
                let source = self.value(source, current);
                let element = match (over, &source) {
                    (Over::Members, Answer::Shape(service, word)) => match service.kind(word) {
                        Kind::Map(map) => Answer::Shape(service, &map.map),
                        _ => Answer::Unknown,
                    },
                    (Over::Members, _) => Answer::Unknown,
                    (Over::Elements | Over::Filter(_), source) => source.element(),
                };
                if let Over::Filter(condition) = over {
                    self.value(condition, &element);
                }
                Answer::List(Box::new(self.value(each, &element)))
            }
            Node::MultiSelectHash(members) => {
                Answer::Object(members.iter().map(|(name, value)| (name.clone(), self.value(value, current))).collect())
            }
            Node::Or(operands) | Node::And(operands) => {
                operands.iter().for_each(|operand| drop(self.value(operand, current)));
                Answer::Unknown
            }
            Node::Call(call) => {
                let arguments: Vec<Answer<'s>> = call
                    .arguments
                    .iter()
                    .filter(|argument| !is_reference(argument))
                    .map(|argument| self.value(argument, current))
                    .collect();
                let list = arguments.first().map_or(Answer::Unknown, Clone::clone);
                for argument in &call.arguments {
                    if let Node::Reference(inner) = &argument.kind {
                        self.value(inner, &list.element());
                    }
                }
                match call.name.as_str() {
                    "sort" | "sort_by" | "reverse" => list,
                    "max_by" | "min_by" => list.element(),
                    _ => Answer::Unknown,
                }
            }
            Node::Literal(_) | Node::Pattern(_) => Answer::Unknown,
            Node::MultiSelectList(_) | Node::Not(_) | Node::Comparison(..) | Node::Reference(_) => {
                expr.children().into_iter().for_each(|child| drop(self.value(child, current)));
                Answer::Unknown
            }
        }
    }

    fn member<'s>(&mut self, current: &Answer<'s>, name: &str, span: Span) -> Answer<'s> {
        current.member(name).unwrap_or_else(|(message, help)| {
            self.found.push(Diagnostic::error(Code::RESULT_MEMBER, message).under(self.text, span).help(help));
            Answer::Unknown
        })
    }
}

fn is_reference(expr: &Expr) -> bool {
    matches!(expr.kind, Node::Reference(_))
}
