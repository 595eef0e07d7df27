//! The operations of AWS that `query` may call, with the shapes of their parameters and answers; `tools/operations` makes the data.
//!
//! None of them changes anything, and none returns a secret: members that AWS's models call sensitive are not in the shapes, and what is not in a
//! shape is not kept of an answer.

mod shape;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use shape::Shape;
pub use shape::{Kind, List, Map, Member, Place, Structure};

use crate::text::nearest;

static TEXT: &str = include_str!("operations/operations.json");
static DATA: LazyLock<Data> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

#[derive(Debug, Default, Deserialize)]
struct Data {
    types: Vec<String>,
    services: BTreeMap<String, Service>,
}

/// A service and how it is called.
#[derive(Debug, Deserialize)]
pub struct Service {
    /// How requests and answers are written.
    pub protocol: Protocol,
    /// The version of the API, which the query protocols name in each request.
    pub version: String,
    /// The first part of its host names.
    pub host: String,
    /// Its name in signatures.
    pub signing: String,
    /// Its id, as `AWS_ENDPOINT_URL_<ID>` has it.
    pub id: String,
    /// What stands before the operation in `X-Amz-Target`, of a JSON protocol.
    pub target: Option<String>,
    /// By partition, where it is, of a service that is not regional.
    #[serde(default)]
    pub global: BTreeMap<String, Endpoint>,
    operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

/// Where a service is that has one place for all regions.
#[derive(Debug, Deserialize)]
pub struct Endpoint {
    /// The host.
    pub host: String,
    /// The region that requests are signed for.
    pub region: String,
}

/// How requests and answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Protocol {
    /// EC2's form of the query protocol.
    #[serde(rename = "ec2")]
    Ec2,
    /// Parameters of a form, answers in XML.
    #[serde(rename = "query")]
    Query,
    /// Parameters in the address, answers in XML.
    #[serde(rename = "rest-xml")]
    RestXml,
    /// JSON 1.0.
    #[serde(rename = "json-1.0")]
    Json10,
    /// JSON 1.1.
    #[serde(rename = "json-1.1")]
    Json11,
    /// Parameters in the address, answers in JSON.
    #[serde(rename = "rest-json")]
    RestJson,
}

/// An operation.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// The IAM action that allows it.
    pub action: String,
    /// The HTTP method.
    pub method: String,
    /// The path with `{Parameter}`, and what stands behind `?`.
    pub path: String,
    /// The shape of its parameters; `None` where it takes none.
    pub input: Option<String>,
    /// The shape of its answer.
    pub output: Option<String>,
    /// The element of an answer in XML that holds it.
    pub wrapper: Option<String>,
    /// How its answer goes on.
    pub pages: Option<Pages>,
}

/// How an answer goes on.
#[derive(Debug, Deserialize)]
pub struct Pages {
    /// The parameter that asks for the next page.
    pub sent: String,
    /// How that parameter is called on the way.
    pub sent_as: Place,
    /// The member of an answer that is its value; the last page has none.
    pub token: String,
    /// The lists that go on.
    pub lists: Vec<String>,
}

/// The services there are, by name.
pub fn services() -> impl Iterator<Item = (&'static str, &'static Service)> {
    DATA.services.iter().map(|(name, service)| (name.as_str(), service))
}

/// The service of this name: `ec2`.
#[must_use]
pub fn service(name: &str) -> Option<&'static Service> {
    DATA.services.get(name)
}

/// The operation that a text such as `ec2:DescribeInstances` names.
#[must_use]
pub fn named(text: &str) -> Option<(&'static Service, &'static Operation)> {
    let (name, operation) = text.split_once(':')?;
    let service = service(name)?;
    Some((service, service.operation(operation)?))
}

/// Every operation, as `ec2:DescribeInstances`.
pub fn names() -> impl Iterator<Item = String> {
    services().flat_map(|(name, service)| service.operations.keys().map(move |operation| format!("{name}:{operation}")))
}

/// The types of resources that Cloud Control may be asked for: those whose properties hold no secrets.
#[must_use]
pub fn resource_types() -> &'static [String] {
    &DATA.types
}

/// Why a text names no operation, and what to do.
///
/// ```
/// use trailwire_engine::operations::unknown;
/// let (message, help) = unknown("ec2:DescribeInstance");
/// assert_eq!(message, "`ec2:DescribeInstance` is not an operation that a query may call");
/// assert_eq!(help, "did you mean `ec2:DescribeInstances`?");
/// ```
#[must_use]
pub fn unknown(text: &str) -> (String, String) {
    let message = format!("`{text}` is not an operation that a query may call");
    let all: Vec<String> = names().collect();
    let of_service: Vec<&str> = all.iter().map(String::as_str).filter(|name| name.split(':').next() == text.split(':').next()).collect();
    let help = match nearest(text, all.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if of_service.is_empty() => {
            let names: Vec<&str> = services().map(|(name, _)| name).collect();
            format!("a query names one as `service:Operation`; the services are {}", names.join(", "))
        }
        None => format!("operations that change something or return secrets cannot be called; there are {}", of_service.join(", ")),
    };
    (message, help)
}

impl Service {
    /// The operation of this name: `DescribeInstances`.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    /// What a word for a shape means.
    #[must_use]
    pub fn kind(&self, word: &str) -> Kind<'_> {
        shape::kind(&self.shapes, word)
    }

    /// The parameters of an operation.
    #[must_use]
    pub fn parameters(&self, operation: &Operation) -> Option<&Structure> {
        match self.kind(operation.input.as_deref()?) {
            Kind::Structure(structure) => Some(structure),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_there() {
        assert_eq!(names().count(), 33);
        for (name, service) in services() {
            let named = service.operations.values().flat_map(|operation| [&operation.input, &operation.output]).flatten();
            let held = service.shapes.values().flat_map(Shape::words);
            for word in named.map(String::as_str).chain(held) {
                assert!(service.shapes.contains_key(word) || service.kind(word) != Kind::Unknown, "{name}: {word}");
            }
        }
    }

    #[test]
    fn nothing_is_kept_that_is_a_secret() {
        for secret in ["Environment", "MasterUserPassword", "UserData", "SecretAccessKey", "Variables"] {
            assert!(!TEXT.contains(&format!("\"{secret}\"")), "{secret}");
        }
        for prefix in ["Describe", "Get", "List"] {
            assert!(names().any(|name| name.contains(&format!(":{prefix}"))));
        }
        assert!(names().all(|name| ["Describe", "Get", "List"].iter().any(|prefix| name.contains(&format!(":{prefix}")))));
    }

    #[test]
    fn a_shape_tells_its_members() {
        let (service, operation) = named("ec2:DescribeInstances").unwrap();
        let Kind::Structure(answer) = service.kind(operation.output.as_deref().unwrap()) else { panic!("a structure") };
        let reservations = answer.members.get("Reservations").unwrap();
        assert_eq!(reservations.place.wire.as_deref(), Some("reservationSet"));
        assert!(matches!(service.kind(&reservations.shape), Kind::List(List { element: Some(element), .. }) if element == "item"));
        assert!(named("ec2:TerminateInstances").is_none() && named("DescribeInstances").is_none());
    }

    #[test]
    fn what_may_not_be_called_is_told_with_what_may() {
        for (text, help) in [
            ("ec2:describeinstances", "did you mean `ec2:DescribeInstances`?"),
            ("kms:Decrypt", "operations that change something or return secrets cannot be called; there are kms:DescribeKey"),
            (
                "secretsmanager:GetSecretValue",
                "a query names one as `service:Operation`; the services are autoscaling, cloudcontrol, cloudtrail, ec2, iam, kms, lambda, rds, s3",
            ),
        ] {
            assert_eq!(unknown(text).1, help, "{text}");
        }
    }
}
