//! Jira Service Management, which took over Opsgenie's alerts: the same request to its own address, which is one for all regions.
//! Source: <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/intro/>.

use trailwire_engine::trigger::Alerts;

use super::{Answer, Call, Kind, Pace, Request, Undeliverable, notification, opsgenie};
use crate::action::Content;
use crate::core::Attempt;

const ALERTS: &str = "https://api.atlassian.com/jsm/ops/integration/v2/alerts";

/// An integration of Jira Service Management.
pub(super) struct JiraServiceManagement<'a>(pub(super) &'a Alerts);

impl Kind for JiraServiceManagement<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        opsgenie::create(self.0, ALERTS, notification(content, "jira_service_management")?, call)
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        opsgenie::verdict(answer)
    }

    fn pace(&self) -> Option<Pace> {
        Some(opsgenie::PACE)
    }
}
