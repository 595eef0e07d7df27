//! A sample of what is delivered, for `trailwire destination test` and the pages of the documentation. Nothing in it is anybody's.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::trigger::Trigger;

use crate::core::run::{Occasion, Run};

/// A run whose first action notifies the destination of this name, and whose second sends it the whole event.
///
/// # Errors
///
/// When the name is none.
pub(crate) fn run(destination: &str, accepted: jiff::Timestamp) -> Result<Run, Vec<Diagnostic>> {
    let notify = json!({
        "destinations": [destination],
        "title": "{{ event_name }} by {{ actor }} (a test of trailwire)",
        "message": "This is a sample. A message like this one comes when somebody opens a security group.",
        "fields": {"Group": "detail.requestParameters.groupId", "Port": "detail.requestParameters.ipPermissions.items[0].toPort"},
    });
    let trigger = Trigger::from_value(&json!({
        "name": "destination-test",
        "description": "A sample, sent by hand",
        "severity": "low",
        "event_names": ["AuthorizeSecurityGroupIngress"],
        "action": [{"notify": [notify]}, {"send": [{"destination": destination}]}],
    }))?;
    Ok(Run {
        trigger,
        event: event(),
        event_key: "sample".to_owned(),
        assumed_by: vec![],
        accepted,
        occasion: Occasion::Event,
        results: BTreeMap::new(),
    })
}

fn event() -> Value {
    json!({
        "version": "0",
        "id": "5f0c5f6e-0000-4000-8000-000000000001",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "account": "111122223333",
        "time": "2026-03-01T12:00:05Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLEEXAMPLE:alice",
                "arn": "arn:aws:sts::111122223333:assumed-role/Admin/alice",
                "accountId": "111122223333",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROAEXAMPLEEXAMPLE",
                        "arn": "arn:aws:iam::111122223333:role/Admin",
                        "accountId": "111122223333",
                        "userName": "Admin",
                    },
                    "attributes": {"creationDate": "2026-03-01T11:00:00Z", "mfaAuthenticated": "true"},
                },
            },
            "eventTime": "2026-03-01T12:00:00Z",
            "eventSource": "ec2.amazonaws.com",
            "eventName": "AuthorizeSecurityGroupIngress",
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "192.0.2.7",
            "userAgent": "APN/1.0 HashiCorp/1.0 Terraform/1.9.0",
            "requestParameters": {
                "groupId": "sg-0123456789abcdef0",
                "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]},
            },
            "responseElements": {"_return": true},
            "requestID": "5f0c5f6e-0000-4000-8000-000000000002",
            "eventID": "5f0c5f6e-0000-4000-8000-000000000003",
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "111122223333",
            "eventCategory": "Management",
        },
    })
}
