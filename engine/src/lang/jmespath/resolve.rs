//! Ties calls to the functions that exist, and makes literal arguments ready.

use crate::diagnostic::{Code, Diagnostic};
use crate::eval::functions::{self, Signature, Takes};
use crate::expr::{Call, Expr, Kind, Network, Over, Prepared, compile_regex};
use crate::text::nearest;
use crate::value::{Value, type_name};

pub(super) fn resolve(expr: &mut Expr, text: &str) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    walk(expr, text, &mut diagnostics);
    diagnostics
}

fn walk(expr: &mut Expr, text: &str, diagnostics: &mut Vec<Diagnostic>) {
    match &mut expr.kind {
        Kind::Current | Kind::Literal(_) | Kind::Field { .. } | Kind::Index(_) | Kind::Slice(_) | Kind::Pattern(_) => {}
        Kind::Sub(left, right) | Kind::Pipe(left, right) | Kind::Comparison(_, left, right) => {
            walk(left, text, diagnostics);
            walk(right, text, diagnostics);
        }
        Kind::Projection { over, source, each } => {
            walk(source, text, diagnostics);
            if let Over::Filter(condition) = over {
                walk(condition, text, diagnostics);
            }
            walk(each, text, diagnostics);
        }
        Kind::Flatten(inner) | Kind::Not(inner) | Kind::Reference(inner) => walk(inner, text, diagnostics),
        Kind::MultiSelectList(list) | Kind::And(list) | Kind::Or(list) => {
            list.iter_mut().for_each(|element| walk(element, text, diagnostics));
        }
        Kind::MultiSelectHash(members) => members.iter_mut().for_each(|(_, member)| walk(member, text, diagnostics)),
        Kind::Call(call) => {
            call.arguments.iter_mut().for_each(|argument| walk(argument, text, diagnostics));
            let span = expr.span;
            resolve_call(call, |diagnostic, place| diagnostics.push(diagnostic.under(text, place.unwrap_or(span))));
        }
    }
}

/// Notes a diagnostic under a place, or under the whole call.
type Note<'n> = &'n mut dyn FnMut(Diagnostic, Option<crate::text::Span>);

fn resolve_call(call: &mut Call, mut note: impl FnMut(Diagnostic, Option<crate::text::Span>)) {
    let Some(signature) = functions::find(&call.name) else {
        let names = functions::ALL.iter().map(|signature| signature.name);
        let help = nearest(&call.name, names.clone()).map_or_else(
            || format!("the functions are {}", names.collect::<Vec<_>>().join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        let message = format!("unknown function `{}`", call.name);
        note(Diagnostic::error(Code::UNKNOWN_FUNCTION, message).help(help), Some(call.name_span));
        return;
    };
    if !signature.takes_count(call.arguments.len()) {
        let given = call.arguments.len();
        let message = format!("`{}` takes {}, {given} {} given", call.name, signature.count_words(), if given == 1 { "is" } else { "are" });
        note(Diagnostic::error(Code::ARITY, message).help(usage(signature)), None);
        return;
    }
    for (index, argument) in call.arguments.iter().enumerate() {
        check_argument(call, signature, index, argument, &mut note);
    }
    prepare(call, signature, &mut note);
}

/// What is certain before any event is seen: literals and references.
fn check_argument(call: &Call, signature: &Signature, index: usize, argument: &Expr, note: Note<'_>) {
    let Some(takes) = signature.parameter(index) else { return };
    let found = match &argument.kind {
        Kind::Reference(_) if takes != Takes::Reference => "an expression reference".to_owned(),
        Kind::Reference(_) => return,
        Kind::Literal(value) if !takes.accepts(value) => match type_name(value) {
            "null" => "null".to_owned(),
            name @ ("array" | "object") => format!("an {name}"),
            name => format!("a {name}"),
        },
        _ if takes == Takes::Reference => "a value".to_owned(),
        _ => return,
    };
    let message = format!("`{}` wants {} here, this is {found}", call.name, takes.words());
    note(Diagnostic::error(Code::ARGUMENT_TYPE, message).help(usage(signature)), Some(argument.span));
}

fn usage(signature: &Signature) -> String {
    let parameters: Vec<&str> = signature.parameters.iter().map(|takes| takes.words()).collect();
    let more = if signature.arity == functions::Arity::OneOrMore { ", …" } else { "" };
    format!("{}({}{more})", signature.name, parameters.join(", "))
}

fn prepare(call: &mut Call, signature: &Signature, note: Note<'_>) {
    let Some(index) = signature.literal else { return };
    let Some(argument) = call.arguments.get(index) else { return };
    let place = Some(argument.span);
    let refuse = |message: String, help: &str| Diagnostic::error(Code::BAD_LITERAL_ARGUMENT, message).help(help);
    let Kind::Literal(Value::String(literal)) = &argument.kind else {
        if !matches!(argument.kind, Kind::Literal(_)) {
            let help = "it is compiled once, before any event: write it as a string in single quotes";
            note(refuse(format!("`{}` wants a literal string here", call.name), help), place);
        }
        return;
    };
    let prepared = if call.name == "matches" {
        compile_regex(literal).map(Prepared::Regex).map_err(|reason| {
            refuse(
                format!("the regular expression cannot be compiled: {reason}"),
                "the syntax is that of RE2, without look-around and back-references",
            )
        })
    } else {
        Network::parse(literal)
            .map(Prepared::Network)
            .ok_or_else(|| refuse(format!("`{literal}` is not an IP network"), "for example 10.0.0.0/8 or 2001:db8::/32"))
    };
    match prepared {
        Ok(prepared) => call.prepared = Some(prepared),
        Err(diagnostic) => note(diagnostic, place),
    }
}
