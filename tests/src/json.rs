//! Calls of services for which the stand needs no crate of its own.

use serde_json::Value;

use crate::stand::Stand;

/// One call of a service that speaks JSON, by its signing name and what stands before its operations. It carries what a stand without enforcement reads of
/// a signature: whose the call is, and for where.
///
/// # Panics
/// When the stand refuses.
pub async fn call(stand: &Stand, account: &str, region: &str, (service, target): (&str, &str), operation: &str, body: &Value) -> Value {
    let signature =
        format!("AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0");
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client can be made");
    let request = client.post(stand.endpoint()).header("authorization", signature).header("x-amz-target", format!("{target}.{operation}"));
    let answer =
        request.header("content-type", "application/x-amz-json-1.1").body(body.to_string()).send().await.expect("the stand answers");
    let ok = answer.status().is_success();
    let text = answer.text().await.expect("the stand answers in full");
    assert!(ok, "{operation}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}
