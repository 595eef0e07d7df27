//! Events as CloudTrail and EventBridge shape them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

/// Builds one event in EventBridge's envelope.
#[derive(Clone, Debug)]
pub struct Event {
    envelope: Value,
}

impl Event {
    /// A successful write by an IAM user, a moment ago, with ids of its own. The source is the service's short name: `ec2` is `aws.ec2` in the
    /// envelope and `ec2.amazonaws.com` in the record.
    pub fn new(account: &str, region: &str, source: &str, name: &str) -> Self {
        let id = next_id();
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let envelope = json!({
            "version": "0",
            "id": id,
            "detail-type": "AWS API Call via CloudTrail",
            "source": format!("aws.{source}"),
            "account": account,
            "time": now,
            "region": region,
            "resources": [],
            "detail": {
                "eventVersion": "1.11",
                "userIdentity": {
                    "type": "IAMUser",
                    "principalId": "AIDAEXAMPLE",
                    "arn": format!("arn:aws:iam::{account}:user/alice"),
                    "accountId": account,
                    "accessKeyId": "AKIAEXAMPLE",
                    "userName": "alice",
                },
                "eventTime": now,
                "eventSource": format!("{source}.amazonaws.com"),
                "eventName": name,
                "awsRegion": region,
                "sourceIPAddress": "203.0.113.7",
                "userAgent": "aws-cli/2.22.0",
                "requestParameters": null,
                "responseElements": null,
                "requestID": next_id(),
                "eventID": id,
                "readOnly": false,
                "eventType": "AwsApiCall",
                "managementEvent": true,
                "recipientAccountId": account,
                "eventCategory": "Management",
            },
        });
        Self { envelope }
    }

    /// A sign-in to the console by root, under one of the two detail-types in use: `AWS Console Signin via CloudTrail` and
    /// `AWS Console Sign In via CloudTrail`.
    pub fn console_login(account: &str, region: &str, detail_type: &str) -> Self {
        let mut event = Self::new(account, region, "signin", "ConsoleLogin");
        event.envelope["detail-type"] = json!(detail_type);
        event
            .with("/detail/eventType", json!("AwsConsoleSignIn"))
            .with("/detail/userAgent", json!("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"))
            .with(
                "/detail/userIdentity",
                json!({
                    "type": "Root",
                    "principalId": account,
                    "arn": format!("arn:aws:iam::{account}:root"),
                    "accountId": account,
                }),
            )
            .with("/detail/responseElements", json!({ "ConsoleLogin": "Success" }))
            .with("/detail/additionalEventData", json!({ "MFAUsed": "No" }))
    }

    /// The event of a call that only reads.
    pub fn read_only(account: &str, region: &str, source: &str, name: &str) -> Self {
        Self::new(account, region, source, name).with("/detail/readOnly", json!(true))
    }

    /// The same with one member set, given as a JSON pointer; its parent must be there.
    ///
    /// # Panics
    /// When the parent is not.
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        let (parent, member) = pointer.rsplit_once('/').expect("a JSON pointer starts with a slash");
        let parent = self.envelope.pointer_mut(parent).unwrap_or_else(|| panic!("the event has no {parent}"));
        parent[member] = value;
        self
    }

    /// The id that CloudTrail gave the event.
    pub fn id(&self) -> &str {
        self.envelope["detail"]["eventID"].as_str().unwrap_or_default()
    }

    /// The envelope.
    pub fn envelope(&self) -> Value {
        self.envelope.clone()
    }
}

impl From<Event> for Value {
    fn from(event: Event) -> Self {
        event.envelope
    }
}

/// Ids that differ between events of this process and look like CloudTrail's.
fn next_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let process = std::process::id();
    format!("{process:08x}-0000-4000-8000-{:012x}", NEXT.fetch_add(1, Ordering::Relaxed))
}
