//! Trails of the stand: without one that logs, AWS sends no event to EventBridge.

use serde_json::{Value, json};

use crate::stand::Stand;

const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101";

/// Makes a trail that logs management events, of all regions or of this one alone.
///
/// # Panics
/// When it cannot be made.
pub async fn log(stand: &Stand, account: &str, region: &str, all_regions: bool) {
    let trail = json!({ "Name": format!("audit-{region}"), "S3BucketName": "logs", "IsMultiRegionTrail": all_regions });
    call(stand, account, region, "CreateTrail", &trail).await;
    call(stand, account, region, "StartLogging", &json!({ "Name": format!("audit-{region}") })).await;
}

/// Stops that trail.
///
/// # Panics
/// When there is none.
pub async fn stop(stand: &Stand, account: &str, region: &str) {
    call(stand, account, region, "StopLogging", &json!({ "Name": format!("audit-{region}") })).await;
}

/// A call of CloudTrail with what the stand reads of a signature: whose it is, and for where.
async fn call(stand: &Stand, account: &str, region: &str, operation: &str, body: &Value) {
    let signature =
        format!("AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/cloudtrail/aws4_request, SignedHeaders=host, Signature=0");
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client can be made");
    let request = client.post(stand.endpoint()).header("authorization", signature).header("x-amz-target", format!("{TARGET}.{operation}"));
    let answer =
        request.header("content-type", "application/x-amz-json-1.1").body(body.to_string()).send().await.expect("the stand answers");
    assert!(answer.status().is_success(), "{operation}: {}", answer.text().await.unwrap_or_default());
}
