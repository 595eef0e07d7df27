//! Trails of the stand: without one that logs, AWS sends no event to EventBridge.

use serde_json::json;

use crate::json::call;
use crate::stand::Stand;

const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101";

/// Makes a trail that logs management events, of all regions or of this one alone.
///
/// # Panics
/// When it cannot be made.
pub async fn log(stand: &Stand, account: &str, region: &str, all_regions: bool) {
    let trail = json!({ "Name": format!("audit-{region}"), "S3BucketName": "logs", "IsMultiRegionTrail": all_regions });
    call(stand, account, region, ("cloudtrail", TARGET), "CreateTrail", &trail).await;
    call(stand, account, region, ("cloudtrail", TARGET), "StartLogging", &json!({ "Name": format!("audit-{region}") })).await;
}

/// Stops that trail.
///
/// # Panics
/// When there is none.
pub async fn stop(stand: &Stand, account: &str, region: &str) {
    call(stand, account, region, ("cloudtrail", TARGET), "StopLogging", &json!({ "Name": format!("audit-{region}") })).await;
}
