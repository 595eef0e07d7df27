//! Which management events a trail logs. AWS sends events to EventBridge only where one logs them.

use serde_json::Value;

/// A trail as CloudTrail lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// Its ARN; of an organisation's trail, that of the management account.
    pub arn: String,
    /// Where it was made. Elsewhere a trail of all regions is listed, too.
    pub home_region: String,
    /// Whether it logs what happens in every region.
    pub multi_region: bool,
    /// Whether somebody chose what it logs. Otherwise it logs every management event.
    pub custom_selectors: bool,
}

impl Trail {
    /// The trails of an answer to `DescribeTrails`. One without ARN or region cannot be asked about, and is left out.
    ///
    /// ```
    /// use serde_json::json;
    /// use trailwire_engine::fanout::trails::Trail;
    /// let answer = json!({ "trailList": [{ "TrailARN": "a", "HomeRegion": "eu-west-1", "IsMultiRegionTrail": true, "HasCustomEventSelectors": false }] });
    /// let trail = Trail { arn: "a".to_owned(), home_region: "eu-west-1".to_owned(), multi_region: true, custom_selectors: false };
    /// assert_eq!(Trail::listed(&answer), [trail]);
    /// assert_eq!(Trail::listed(&json!({})), []);
    /// ```
    #[must_use]
    pub fn listed(answer: &Value) -> Vec<Self> {
        let read = |trail: &Value| {
            let text = |name: &str| trail.get(name).and_then(Value::as_str).map(str::to_owned);
            let flag = |name: &str| trail.get(name).and_then(Value::as_bool);
            Some(Self {
                arn: text("TrailARN")?,
                home_region: text("HomeRegion")?,
                multi_region: flag("IsMultiRegionTrail").unwrap_or(false),
                custom_selectors: flag("HasCustomEventSelectors").unwrap_or(true),
            })
        };
        members(answer, "trailList").iter().filter_map(read).collect()
    }
}

/// Whether what `GetEventSelectors` answers keeps management events that write. What narrows them further, by source, name or identity, is not looked at:
/// whoever leaves out a busy service still logs the others.
#[must_use]
pub fn keeps_writes(answer: &Value) -> bool {
    let basic = |selector: &Value| {
        let managed = selector.get("IncludeManagementEvents").and_then(Value::as_bool).unwrap_or(true);
        managed && selector.get("ReadWriteType").and_then(Value::as_str) != Some("ReadOnly")
    };
    let advanced = |selector: &Value| {
        let fields = members(selector, "FieldSelectors");
        let of = |name: &str| fields.iter().find(|field| field.get("Field").and_then(Value::as_str) == Some(name));
        let equals = |field: &Value, value: &str| members(field, "Equals").iter().any(|one| one.as_str() == Some(value));
        of("eventCategory").is_some_and(|field| equals(field, "Management")) && of("readOnly").is_none_or(|field| equals(field, "false"))
    };
    members(answer, "EventSelectors").iter().any(basic) || members(answer, "AdvancedEventSelectors").iter().any(advanced)
}

fn members<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_of_both_kinds_are_read() {
        let field = |name: &str, value: &str| json!({ "Field": name, "Equals": [value] });
        let advanced = |fields: Value| json!({ "AdvancedEventSelectors": [{ "Name": "a", "FieldSelectors": fields }] });
        for (answer, expected) in [
            (json!({ "EventSelectors": [{ "ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [] }] }), true),
            (json!({ "EventSelectors": [{ "ReadWriteType": "WriteOnly", "IncludeManagementEvents": true }] }), true),
            (json!({ "EventSelectors": [{ "ReadWriteType": "ReadOnly", "IncludeManagementEvents": true }] }), false),
            (json!({ "EventSelectors": [{ "ReadWriteType": "All", "IncludeManagementEvents": false }] }), false),
            (
                json!({ "EventSelectors": [
                    { "ReadWriteType": "All", "IncludeManagementEvents": false },
                    { "ReadWriteType": "All", "IncludeManagementEvents": true },
                ]}),
                true,
            ),
            (advanced(json!([field("eventCategory", "Management")])), true),
            (advanced(json!([field("eventCategory", "Management"), field("readOnly", "false")])), true),
            (advanced(json!([field("eventCategory", "Management"), field("readOnly", "true")])), false),
            (advanced(json!([field("eventCategory", "Management"), { "Field": "eventSource", "NotEquals": ["kms.amazonaws.com"] }])), true),
            (advanced(json!([field("eventCategory", "Data"), field("resources.type", "AWS::S3::Object")])), false),
            (json!({}), false),
        ] {
            assert_eq!(keeps_writes(&answer), expected, "{answer}");
        }
    }
}
