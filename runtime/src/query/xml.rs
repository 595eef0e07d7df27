//! Answers in XML. What is read follows the shape, whose depth is known; a document may be as deep as it likes. Documents with types or entities
//! of their own are refused: AWS writes none.

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use serde_json::{Map, Value};
use trailwire_engine::fanout::policy::from_percent;
use trailwire_engine::operations::{Kind, Map as MapShape, Member, Service, Structure};

/// The value of the root element, or of the element `wrapper` in it.
///
/// # Errors
///
/// In words: the body is not XML, ends too early, or holds no such element.
pub(super) fn read(service: &Service, word: &str, wrapper: Option<&str>, body: &str) -> Result<Value, String> {
    check(body)?;
    let mut document = Document::new(body);
    let mut root = document.root_element().map_err(|error| wrong(&error))?;
    let Some(wrapper) = wrapper else { return value(service, word, &mut root) };
    while let Some(mut element) = root.next_tag() {
        if element.start_el().local() == wrapper {
            return value(service, word, &mut element);
        }
    }
    Err(format!("it has no {wrapper}"))
}

fn wrong(error: &dyn std::error::Error) -> String {
    format!("it is not XML: {}", crate::hub::aws::innermost(error))
}

/// Reads all of it once: the decoder ends silently where a document breaks off.
fn check(body: &str) -> Result<(), String> {
    if body.contains("<!") && ["<!DOCTYPE", "<!ENTITY"].iter().any(|declaration| body.contains(declaration)) {
        return Err("it declares a type or an entity, which no answer of AWS does".to_owned());
    }
    let mut last = None;
    for token in Document::new(body) {
        last = Some(token.map_err(|error| wrong(&error))?.1);
    }
    match last {
        None => Err("it is empty".to_owned()),
        Some(0) => Ok(()),
        Some(_) => Err("it breaks off".to_owned()),
    }
}

fn value(service: &Service, word: &str, element: &mut ScopedDecoder<'_, '_>) -> Result<Value, String> {
    match service.kind(word) {
        Kind::Structure(shape) => structure(service, shape, element),
        Kind::List(list) => {
            let mut elements = Vec::new();
            while let Some(mut inner) = element.next_tag() {
                elements.push(value(service, &list.list, &mut inner)?);
            }
            Ok(Value::Array(elements))
        }
        Kind::Map(map) => {
            let mut entries = Map::new();
            while let Some(mut inner) = element.next_tag() {
                entry(service, map, &mut inner, &mut entries)?;
            }
            Ok(Value::Object(entries))
        }
        kind => {
            let text = try_data(element).map_err(|error| wrong(&error))?;
            Ok(scalar(kind, &text))
        }
    }
}

fn structure(service: &Service, shape: &Structure, element: &mut ScopedDecoder<'_, '_>) -> Result<Value, String> {
    let mut members = Map::new();
    for (name, member) in shape.members.iter().filter(|(_, member)| member.place.at.as_deref() == Some("attribute")) {
        let text = element.start_el().attr(wire(name, member)).map(Value::from);
        members.extend(text.map(|text| (name.clone(), text)));
    }
    while let Some(mut inner) = element.next_tag() {
        let found = shape.members.iter().find(|(name, member)| member.place.at.is_none() && inner.start_el().local() == wire(name, member));
        let Some((name, member)) = found else { continue };
        match service.kind(&member.shape) {
            Kind::List(list) if list.flat => {
                let read = value(service, &list.list, &mut inner)?;
                if let Value::Array(elements) = members.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                    elements.push(read);
                }
            }
            Kind::Map(map) if map.flat => {
                if let Value::Object(entries) = members.entry(name).or_insert_with(|| Value::Object(Map::new())) {
                    entry(service, map, &mut inner, entries)?;
                }
            }
            _ => drop(members.insert(name.clone(), value(service, &member.shape, &mut inner)?)),
        }
    }
    Ok(Value::Object(members))
}

fn entry(service: &Service, map: &MapShape, element: &mut ScopedDecoder<'_, '_>, entries: &mut Map<String, Value>) -> Result<(), String> {
    let (mut key, mut found) = (None, Value::Null);
    while let Some(mut inner) = element.next_tag() {
        let local = inner.start_el().local().to_owned();
        if Some(local.as_str()) == map.key.as_deref() {
            key = Some(try_data(&mut inner).map_err(|error| wrong(&error))?.into_owned());
        } else if Some(local.as_str()) == map.value.as_deref() {
            found = value(service, &map.map, &mut inner)?;
        }
    }
    entries.extend(key.map(|key| (key, found)));
    Ok(())
}

fn wire<'m>(name: &'m str, member: &'m Member) -> &'m str {
    member.place.wire.as_deref().unwrap_or(name)
}

/// A text as its shape has it; one that is none of its kind stays a text.
fn scalar(kind: Kind<'_>, text: &str) -> Value {
    let typed = match kind {
        Kind::Integer => text.trim().parse::<i64>().ok().map(Value::from),
        Kind::Float => text.trim().parse::<f64>().ok().map(Value::from),
        Kind::Boolean => match text.trim() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Policy => serde_json::from_str(&from_percent(text)).ok(),
        _ => None,
    };
    typed.unwrap_or_else(|| Value::from(text))
}
