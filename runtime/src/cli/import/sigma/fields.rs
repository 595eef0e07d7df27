//! Sigma's fields in CloudTrail's records.

use trailwire_engine::expr::Expr;

use super::super::carried::{each, member};

/// What a field's name stands for.
pub(super) enum Subject {
    /// One value.
    One(Expr),
    /// A value for each element of an array.
    Each(Expr),
}

/// Members of requests and responses that are arrays wherever they are met.
const ARRAYS: &[&str] = &["items", "containerDefinitions"];

/// Fields that CloudTrail writes itself, in one spelling.
const EXACT: &[&str] = &[
    "awsRegion",
    "errorCode",
    "eventCategory",
    "eventName",
    "eventSource",
    "eventType",
    "eventVersion",
    "managementEvent",
    "readOnly",
    "recipientAccountId",
    "userIdentity.accessKeyId",
    "userIdentity.accountId",
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "userIdentity.sessionContext.sessionIssuer.type",
    "userIdentity.type",
];

/// Whether the case of a field's value counts.
pub(super) fn is_exact(field: &str) -> bool {
    EXACT.contains(&field)
}

/// The value of a field: its dots lead down from the record.
pub(super) fn subject(field: &str) -> Subject {
    let mut steps = field.split('.').peekable();
    let mut path = member(None, "detail");
    let mut step_count = 0;
    while let Some(step) = steps.next() {
        path = member(Some(path), step);
        step_count += 1;
        let is_array = ARRAYS.contains(&step) || step_count == 1 && step == "resources";
        if is_array && steps.peek().is_some() {
            return Subject::Each(down(path, &steps.collect::<Vec<_>>()));
        }
    }
    Subject::One(path)
}

/// `array[].steps`, arrays on the way laid open.
fn down(array: Expr, steps: &[&str]) -> Expr {
    let inner = |steps: &[&str]| steps.iter().fold(None, |of, step| Some(member(of, step)));
    let next = steps.iter().position(|step| ARRAYS.contains(step)).map(|index| index + 1).filter(|next| *next < steps.len());
    match next.and_then(|next| steps.split_at_checked(next)) {
        Some((head, tail)) => match inner(head) {
            Some(head) => down(each(array, head), tail),
            None => array,
        },
        None => match inner(steps) {
            Some(steps) => each(array, steps),
            None => array,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_lead_down() {
        let shown = |field: &str| match subject(field) {
            Subject::One(expr) => expr.to_string(),
            Subject::Each(expr) => format!("each of {expr}"),
        };
        let cases = [
            ("eventName", "detail.eventName"),
            ("requestParameters.x-amz-acl", "detail.requestParameters.\"x-amz-acl\""),
            ("resources", "detail.resources"),
            ("resources.ARN", "each of detail.resources[].ARN"),
            ("requestParameters.ipPermissions.items.fromPort", "each of detail.requestParameters.ipPermissions.items[].fromPort"),
            (
                "requestParameters.ipPermissions.items.ipRanges.items.cidrIp",
                "each of detail.requestParameters.ipPermissions.items[].ipRanges.items[].cidrIp",
            ),
        ];
        for (field, expected) in cases {
            assert_eq!(shown(field), expected);
        }
    }
}
