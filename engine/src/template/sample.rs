//! What templates are tried on before there is any event: one that tells everything, and one that tells nothing.

use serde_json::{Value, json};

use super::{VARIABLES, Variables};

/// Variables of an event on which everything is filled.
fn everything() -> Variables {
    let record = json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "AssumedRole", "principalId": "AROAEXAMPLE:alice", "arn": "arn:aws:sts::111122223333:assumed-role/Admin/alice",
            "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE"},
        "eventTime": "2026-03-01T12:00:00Z", "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.22.0", "errorCode": "Client.UnauthorizedOperation",
        "errorMessage": "You are not authorized", "requestParameters": {"groupId": "sg-1"}, "responseElements": null,
        "requestID": "r-1", "eventID": "e-1", "readOnly": false, "eventType": "AwsApiCall", "recipientAccountId": "111122223333",
    });
    let actor = json!({"kind": "role", "name": "Admin", "account": "111122223333", "role": "Admin", "session": "alice", "on_behalf_of": "alice",
        "assumed_by": ["alice (IAM user)"],
        "arn": "arn:aws:sts::111122223333:assumed-role/Admin/alice", "access_key": "ASIAEXAMPLE", "via": "console", "tool": "aws-cli", "mfa": true});
    let envelope = json!({"version": "0", "id": "e-1", "source": "aws.ec2", "account": "111122223333", "region": "us-east-1", "resources": [],
        "time": "2026-03-01T12:00:00Z", "detail-type": "AWS API Call via CloudTrail", "detail": record});
    let texts = VARIABLES.iter().fold(Variables::new(), |variables, variable| variables.text(variable.name, Some(variable.name)));
    texts.named("actor", "Admin/alice".to_owned(), &actor).json("detail", &record).json("event", &envelope)
}

/// Variables of an event that says nothing of itself.
fn nothing() -> Variables {
    let texts = VARIABLES.iter().fold(Variables::new(), |variables, variable| variables.text(variable.name, None));
    let empty = Value::Object(serde_json::Map::new());
    texts.named("actor", "somebody".to_owned(), &empty).json("detail", &empty).json("event", &empty)
}

/// Both.
pub(super) fn samples() -> [Variables; 2] {
    [everything(), nothing()]
}
