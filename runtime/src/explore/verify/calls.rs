//! What is asked of CloudTrail and Organizations: the trail's bucket, the organisation's id, public keys.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::trail::Trail;
use crate::destination::Service;
use crate::explore::s3::S3;

const CLOUDTRAIL: Service = Service::new("cloudtrail", "CLOUDTRAIL");
const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101";
const ORGANIZATIONS: Service = Service::global("organizations", "ORGANIZATIONS", "organizations.us-east-1.amazonaws.com", "us-east-1");

/// CloudTrail, by the credentials of the environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloudTrail<'a>(pub(crate) &'a S3);

/// Where a trail's files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) is_of_organization: bool,
}

impl CloudTrail<'_> {
    fn call(&self, region: &str, operation: &str, input: &Value) -> Result<Value, String> {
        let answer = self.0.call(CLOUDTRAIL, region, &format!("{TARGET}.{operation}"), input);
        answer.map_err(|reason| format!("{operation} of CloudTrail in {region} failed: {reason}"))
    }

    /// # Errors
    ///
    /// In words: what CloudTrail says, or that it knows no such trail.
    pub(crate) fn delivery(&self, trail: &Trail) -> Result<Delivery, String> {
        let answer = self.call(&trail.home, "DescribeTrails", &json!({"trailNameList": [trail.arn]}))?;
        let found = answer.get("trailList").and_then(Value::as_array).into_iter().flatten();
        let mut found = found.filter(|found| found.get("TrailARN").and_then(Value::as_str) == Some(&trail.arn));
        let found = found.next().ok_or_else(|| format!("A trail could not be found for {}", trail.arn))?;
        let text = |name: &str| found.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Delivery {
            bucket: text("S3BucketName").ok_or_else(|| format!("{} has no bucket", trail.arn))?,
            prefix: text("S3KeyPrefix").unwrap_or_default(),
            is_of_organization: found.get("IsOrganizationTrail").and_then(Value::as_bool).unwrap_or_default(),
        })
    }

    /// The id of the caller's organisation.
    ///
    /// # Errors
    ///
    /// In words: what Organizations says.
    pub(crate) fn organization(&self) -> Result<String, String> {
        let answer = self.0.call(ORGANIZATIONS, "us-east-1", "AWSOrganizationsV20161128.DescribeOrganization", &json!({}));
        let answer = answer.map_err(|reason| format!("DescribeOrganization failed: {reason}; give --organization-id"))?;
        let id = answer.pointer("/Organization/Id").and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| "Organizations tells no id; give --organization-id".to_owned())
    }

    /// The public keys that were in use in a region from one time to another.
    ///
    /// # Errors
    ///
    /// In words: what CloudTrail says.
    pub(super) fn public_keys(&self, region: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Value>, String> {
        let mut input = json!({"StartTime": from.as_second(), "EndTime": to.as_second()});
        let mut keys = Vec::new();
        loop {
            let mut answer = self.call(region, "ListPublicKeys", &input)?;
            if let Some(Value::Array(more)) = answer.get_mut("PublicKeyList").map(Value::take) {
                keys.extend(more);
            }
            match answer.get("NextToken").filter(|token| token.is_string() && input.get("NextToken") != Some(token)) {
                Some(token) => drop(input.as_object_mut().map(|input| input.insert("NextToken".to_owned(), token.clone()))),
                None => return Ok(keys),
            }
        }
    }
}
