//! The place where notifications arrive.

use std::time::Duration;

use trailwire_tests::sink::Reply;
use trailwire_tests::stand::Stand;

#[tokio::test]
async fn requests_are_recorded_and_answered_as_told() {
    let sink = Stand::shared().sink();
    let replies = [Reply::status(500), Reply::status(429).header("retry-after", "7")];
    sink.script("/scripted", replies);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut found = Vec::new();
    for n in 0..3 {
        let answer =
            client.post(sink.at("/scripted")).header("webhook-id", n.to_string()).body(format!(r#"{{"n":{n}}}"#)).send().await.unwrap();
        let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        found.push((answer.status().as_u16(), retry_after));
    }
    assert_eq!(found, [(500, None), (429, Some("7".to_owned())), (200, None)]);
    let received = sink.expect("/scripted", 3).await;
    assert_eq!(received[1].json()["n"], 1);
    assert_eq!(received[2].header("webhook-id"), "2");
    assert_eq!(received.iter().map(|notification| notification.is_accepted()).collect::<Vec<_>>(), [false, false, true]);
}

#[tokio::test]
async fn waiting_ends_when_the_notification_arrives() {
    let sink = Stand::shared().sink();
    let waiting = tokio::spawn(async move { sink.expect("/awaited", 1).await });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.post(sink.at("/awaited")).send().await.unwrap();
    let received = tokio::time::timeout(Duration::from_secs(120), waiting).await.unwrap().unwrap();
    assert_eq!(received.len(), 1);
}
