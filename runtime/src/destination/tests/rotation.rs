//! Secrets that are rotated while they are in use.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::routing::post;
use futures::future::BoxFuture;
use tokio::task::JoinHandle;

use super::*;
use crate::secrets::Secrets;

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key";

/// PagerDuty, which takes one key, and Secrets Manager, which has it.
struct Services {
    address: String,
    serving: JoinHandle<()>,
}

impl Drop for Services {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Services {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answer = async |uri: Uri, body: String| match uri.path() {
            "/v2/enqueue" if body.contains("new-key") => (StatusCode::ACCEPTED, "{}".to_owned()),
            "/v2/enqueue" => (StatusCode::BAD_REQUEST, r#"{"status":"invalid event","message":"Not with old-key"}"#.to_owned()),
            _ => (StatusCode::OK, json!({"ARN": ARN, "Name": "key", "SecretString": "new-key"}).to_string()),
        };
        let router = Router::new().fallback(post(answer));
        Self { address, serving: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }) }
    }

    /// A runtime that has read this a minute ago.
    async fn secrets(&self, known: &str) -> Secrets {
        let config = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(&self.address).region(Region::new("eu-west-1"));
        let config = config.credentials_provider(Credentials::new("AKIAOWN", "s", None, None, "test")).load().await;
        let secrets = Secrets::with(&config);
        secrets.remember(ARN, known).await;
        secrets
    }

    async fn attempt(&self, secrets: &Secrets) -> Attempt {
        let body = json!({"secret_arn": ARN, "endpoint": format!("{}/v2/enqueue", self.address)});
        let hold = || -> BoxFuture<'_, Result<bool, ()>> { Box::pin(async { Ok(true) }) };
        let sender = Sender::new(secrets.clone()).unwrap();
        sender.deliver(&destination("pagerduty", &body), &said(), ID, &hold).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_secret_that_was_rotated_is_read_before_anything_is_given_up() {
    let services = Services::start().await;
    let secrets = services.secrets("old-key").await;
    assert_eq!(services.attempt(&secrets).await, Attempt::Delivered);
}

#[tokio::test]
async fn what_can_not_be_known_to_be_for_good_is_tried_again() {
    let services = Services::start().await;
    let elsewhere = aws_config::defaults(BehaviorVersion::latest()).endpoint_url("http://127.0.0.1:1").region(Region::new("eu-west-1"));
    let elsewhere = elsewhere.credentials_provider(Credentials::new("AKIAOWN", "s", None, None, "test")).load().await;
    let secrets = Secrets::with(&elsewhere);
    secrets.remember(ARN, "old-key").await;
    let Attempt::Failed { reason, .. } = services.attempt(&secrets).await else { panic!("it is given up") };
    let expected = format!("the destination answered 400: Not with …; the secret `{ARN}` can not be read: ");
    assert!(reason.starts_with(&expected), "{reason}");
    // It was just read: what is refused is refused.
    let secrets = services.secrets("new-key").await;
    assert_eq!(services.attempt(&secrets).await, Attempt::Delivered);
}
