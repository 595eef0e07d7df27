//! CloudTrail.

use serde_json::{Value, json};
use trailwire_engine::fanout::trails::{Trail, keeps_writes as selectors_keep_writes};

use super::Clients;
use super::failure::Failure;
use super::json::{Service, call};
use crate::cloud::call::Reply;

const CLOUDTRAIL: Service = Service {
    id: "CloudTrail",
    endpoint: "cloudtrail",
    name: "cloudtrail",
    target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
    content_type: "application/x-amz-json-1.1",
};

/// The trails of this region, and the others that log here.
pub(super) async fn describe_trails(clients: &Clients) -> Result<Reply, Failure> {
    let answer = call(clients, &CLOUDTRAIL, "DescribeTrails", &json!({ "includeShadowTrails": true })).await?;
    Ok(Reply::Trails(Trail::listed(&answer)))
}

/// Whether a trail logs.
pub(super) async fn is_logging(clients: &Clients, trail: String) -> Result<Reply, Failure> {
    let answer = call(clients, &CLOUDTRAIL, "GetTrailStatus", &json!({ "Name": trail })).await?;
    Ok(Reply::Is(answer.get("IsLogging").and_then(Value::as_bool) == Some(true)))
}

/// Whether a trail's selectors keep management events that write.
pub(super) async fn keeps_writes(clients: &Clients, trail: String) -> Result<Reply, Failure> {
    let answer = call(clients, &CLOUDTRAIL, "GetEventSelectors", &json!({ "TrailName": trail })).await?;
    Ok(Reply::Is(selectors_keep_writes(&answer)))
}
