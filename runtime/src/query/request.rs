//! A request in each protocol: <https://smithy.io/2.0/aws/protocols/>.

use reqwest::Method;
use serde_json::{Map, Value};
use trailwire_engine::operations::{Kind, Member, Operation, Place, Protocol, Service};

use crate::destination::{Request, Signed, percent};

/// The request for one page.
///
/// # Errors
///
/// In words: a parameter that cannot stand where it must.
pub(super) fn build(
    service: &'static Service,
    name: &str,
    operation: &'static Operation,
    parameters: &Value,
    token: Option<&str>,
    signed: Signed,
) -> Result<Request, String> {
    let page = operation.pages.as_ref().zip(token);
    match service.protocol {
        Protocol::Ec2 | Protocol::Query => {
            let mut form = vec![("Action".to_owned(), name.to_owned()), ("Version".to_owned(), service.version.clone())];
            if let Some(word) = &operation.input {
                flatten(service, word, parameters, "", &mut form);
            }
            form.extend(page.map(|(pages, token)| (sent_name(service, &pages.sent, &pages.sent_as), token.to_owned())));
            let body = form.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect::<Vec<_>>().join("&");
            let content_type = "application/x-www-form-urlencoded; charset=utf-8";
            Ok(Request::aws(Method::POST, signed.at(&operation.path), body.into_bytes()).header("content-type", content_type))
        }
        Protocol::Json10 | Protocol::Json11 => {
            let mut body = parameters.as_object().cloned().unwrap_or_default();
            body.extend(page.map(|(pages, token)| (pages.sent.clone(), Value::from(token))));
            let version = if service.protocol == Protocol::Json10 { "1.0" } else { "1.1" };
            let target = format!("{}.{name}", service.target.as_deref().unwrap_or_default());
            let request = Request::aws(Method::POST, signed.at(&operation.path), Value::Object(body).to_string().into_bytes());
            Ok(request.header("content-type", format!("application/x-amz-json-{version}")).header("x-amz-target", target))
        }
        Protocol::RestXml | Protocol::RestJson => {
            let none = Map::new();
            let given = parameters.as_object().unwrap_or(&none);
            let mut rest = Rest { path: operation.path.clone(), query: Vec::new(), headers: Vec::new() };
            for (name, member) in service.parameters(operation).into_iter().flat_map(|input| &input.members) {
                rest.put(name, member, given.get(name))?;
            }
            if let Some((pages, token)) = page {
                rest.query.push((pages.sent_as.wire.clone().unwrap_or_else(|| pages.sent.clone()), token.to_owned()));
            }
            let headers = std::mem::take(&mut rest.headers);
            let method = operation.method.parse::<Method>().map_err(|error| error.to_string())?;
            let mut request = Request::aws(method, signed.at(&rest.whole()), Vec::new());
            request.more_headers = headers;
            Ok(request)
        }
    }
}

/// The parts of a request that says everything beside its body.
struct Rest {
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl Rest {
    fn put(&mut self, name: &str, member: &Member, value: Option<&Value>) -> Result<(), String> {
        let wire = member.place.wire.as_deref().unwrap_or(name);
        let Some(text) = value.filter(|value| !value.is_null()).map(scalar) else { return Ok(()) };
        match member.place.at.as_deref() {
            Some("path") => {
                // A step up, or none, would be another operation.
                if matches!(text.as_str(), "" | "." | "..") {
                    return Err(format!("`{name}` is `{text}`, which names nothing"));
                }
                self.path = self.path.replace(&format!("{{{wire}}}"), &percent(&text));
            }
            Some("query") => self.query.push((wire.to_owned(), text)),
            Some("header") => {
                if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                    return Err(format!("`{name}` holds characters that no header may have"));
                }
                self.headers.push((wire.to_owned(), text));
            }
            _ => return Err(format!("`{name}` has no place in the request")),
        }
        Ok(())
    }

    fn whole(self) -> String {
        let query = self.query.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect::<Vec<_>>().join("&");
        match (query.is_empty(), self.path.contains('?')) {
            (true, _) => self.path,
            (false, true) => format!("{}&{query}", self.path),
            (false, false) => format!("{}?{query}", self.path),
        }
    }
}

fn sent_name(service: &Service, name: &str, place: &Place) -> String {
    let sent = if service.protocol == Protocol::Ec2 { &place.sent } else { &place.wire };
    sent.clone().unwrap_or_else(|| name.to_owned())
}

/// Lists and structures as a form has them: `Filter.1.Value.2`.
fn flatten(service: &Service, word: &str, value: &Value, prefix: &str, form: &mut Vec<(String, String)>) {
    match (service.kind(word), value) {
        (_, Value::Null) => {}
        (Kind::Structure(structure), Value::Object(given)) => {
            for (name, value) in given {
                let Some(member) = structure.members.get(name) else { continue };
                let name = sent_name(service, name, &member.place);
                let prefix = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                flatten(service, &member.shape, value, &prefix, form);
            }
        }
        (Kind::List(list), Value::Array(elements)) => {
            // EC2's lists are flat whatever their model says.
            let element = list.element.as_deref().filter(|_| service.protocol == Protocol::Query && !list.flat);
            let prefix = element.map_or_else(|| prefix.to_owned(), |element| format!("{prefix}.{element}"));
            for (number, element) in (1..).zip(elements) {
                flatten(service, &list.list, element, &format!("{prefix}.{number}"), form);
            }
        }
        (_, value) => form.push((prefix.to_owned(), scalar(value))),
    }
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
