//! Alerting services: PagerDuty, Opsgenie, Jira Service Management.

use super::address::read_url;
use super::{Secret, members};
use crate::trigger::reader::Reader;
use crate::value::{Map, Value};

/// A PagerDuty service, by Events API v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagerduty {
    /// The integration's routing key.
    pub routing_key: Secret,
    /// Another address of the API: that of PagerDuty's EU region, for example, or a proxy's.
    pub endpoint: Option<String>,
}

impl Pagerduty {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let routing_key = Secret::required(reader, "the integration's routing key");
        let endpoint = read_url(reader, "endpoint");
        reader.finish();
        Self { routing_key, endpoint }
    }

    pub(super) fn members(&self) -> Map<String, Value> {
        members([self.routing_key.member("secret_arn", "secret_env"), endpoint(self.endpoint.as_ref())])
    }
}

/// Where an Opsgenie account lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Site {
    /// The United States, the default.
    #[default]
    Us,
    /// The European Union.
    Eu,
}

/// An integration of Opsgenie's alert API, or of the same API of Jira Service Management.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// The integration's key.
    pub api_key: Secret,
    /// Where the account lives. Jira Service Management has one address for all.
    pub site: Site,
    /// Another address of the API: a proxy's, for example.
    pub endpoint: Option<String>,
}

impl Alerts {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let api_key = Secret::required(reader, "the integration's API key");
        let site = reader.one_of("region", &[("us", Site::Us), ("eu", Site::Eu)]);
        let endpoint = read_url(reader, "endpoint");
        reader.finish();
        Self { api_key, site, endpoint }
    }

    pub(super) fn members(&self) -> Map<String, Value> {
        let region = (self.site == Site::Eu).then(|| "eu".into());
        members([self.api_key.member("secret_arn", "secret_env"), ("region", region), endpoint(self.endpoint.as_ref())])
    }
}

fn endpoint(endpoint: Option<&String>) -> (&'static str, Option<Value>) {
    ("endpoint", endpoint.map(|address| address.as_str().into()))
}
