use serde_json::{Value, json};

use super::super::check_trigger;
use super::*;

fn trigger(query: Value) -> Trigger {
    let document = json!({"name": "t", "event_names": ["RunInstances"], "action": [{"query": [query]}]});
    Trigger::from_value(&document).unwrap()
}

#[track_caller]
fn told(query: Value) -> String {
    check_trigger(&trigger(query)).iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n")
}

fn query(operation: &str, parameters: &str, result: Option<&str>) -> Value {
    let (service, operation) = operation.split_once(':').unwrap();
    json!({"service": service, "operation": operation, "parameters": parameters, "result": result, "as": "found"})
}

#[test]
fn what_an_operation_takes_is_left_alone() {
    for (operation, parameters, result) in [
        ("ec2:DescribeInstances", "{}", Some("length(Reservations[].Instances[])")),
        (
            "ec2:DescribeInstances",
            r#"{"Filters": [{"Name": "tag:aws:autoscaling:groupName", "Values": ["{{ detail.requestParameters.autoScalingGroupName }}"]}]}"#,
            Some("Reservations[].Instances[?State.Name == 'running'][].{id: InstanceId, zone: Placement.AvailabilityZone}"),
        ),
        (
            "autoscaling:DescribeAutoScalingGroups",
            r#"{"AutoScalingGroupNames": ["a"]}"#,
            Some("sort_by(AutoScalingGroups, &CreatedTime)[0].Instances[*].InstanceId"),
        ),
        ("iam:GetAccountSummary", "{}", Some("SummaryMap.AccountMFAEnabled")),
        ("iam:GetRole", r#"{"RoleName": "r"}"#, Some("Role.AssumeRolePolicyDocument.Statement[0].Principal")),
        ("s3:GetPublicAccessBlock", r#"{"Bucket": "b"}"#, Some("PublicAccessBlockConfiguration.BlockPublicAcls || `false`")),
        (
            "cloudcontrol:GetResource",
            r#"{"TypeName": "AWS::S3::Bucket", "Identifier": "b"}"#,
            Some("parse_json(ResourceDescription.Properties).BucketName"),
        ),
        ("rds:DescribeDBInstances", r#"{"Filters": []}"#, Some("DBInstances[].Endpoint.Address | [0]")),
    ] {
        assert_eq!(told(query(operation, parameters, result)), "", "{operation}");
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (operation, parameters, result, expected) in [
        (
            "ec2:DescribeInstancs",
            "{}",
            None,
            "error[TW1118]: `ec2:DescribeInstancs` is not an operation that a query may call (in action[0].query[0].operation)\n  = help: did you mean `ec2:DescribeInstances`?",
        ),
        (
            "ec2:DescribeInstances",
            r#"{"Filter": []}"#,
            None,
            "error[TW1119]: `ec2:DescribeInstances` takes no parameter `Filter` (in action[0].query[0].parameters)\n  |\n1 | {\"Filter\": []}\n  |  ^^^^^^^^\n  = help: did you mean `Filters`?",
        ),
        (
            "ec2:DescribeInstances",
            r#"{"Filters": [{"Name": 5, "Values": "a"}]}"#,
            None,
            "error[TW1119]: `Filters[0].Name` is a string, this is a number (in action[0].query[0].parameters)\n  |\n1 | {\"Filters\": [{\"Name\": 5, \"Values\": \"a\"}]}\n  |                       ^\n  = help: write a string\n\
             error[TW1119]: `Filters[0].Values` is a list, this is a string (in action[0].query[0].parameters)\n  |\n1 | {\"Filters\": [{\"Name\": 5, \"Values\": \"a\"}]}\n  |                                    ^^^\n  = help: write a list",
        ),
        (
            "iam:GetRole",
            "{}",
            None,
            "error[TW1119]: `iam:GetRole` needs the parameter `RoleName` (in action[0].query[0].parameters)\n  = help: give it; its texts may be templates: `\"{{ detail.… }}\"`",
        ),
        (
            "cloudcontrol:GetResource",
            r#"{"TypeName": "AWS::SSM::Parameter", "Identifier": "p"}"#,
            Some("ResourceDescription.Identifier"),
            "error[TW1119]: `AWS::SSM::Parameter` is not a type of resource that a query may read (in action[0].query[0].parameters)\n  |\n1 | {\"TypeName\": \"AWS::SSM::Parameter\", \"Identifier\": \"p\"}\n  |              ^^^^^^^^^^^^^^^^^^^^^\n  = help: …",
        ),
        (
            "ec2:DescribeInstances",
            "{}",
            Some("Reservations[].Instances[].InstanceID"),
            "error[TW1121]: the answer has no `InstanceID` here (in action[0].query[0].result)\n  |\n1 | Reservations[].Instances[].InstanceID\n  |                            ^^^^^^^^^^\n  = help: did you mean `InstanceId`?",
        ),
        (
            "ec2:DescribeInstances",
            "{}",
            Some("Reservations.Instances"),
            "error[TW1121]: `Instances` is looked for in a list, not in its elements (in action[0].query[0].result)\n  |\n1 | Reservations.Instances\n  |              ^^^^^^^^^\n  = help: write `[].Instances` for that of each element",
        ),
        (
            "lambda:GetFunctionConfiguration",
            r#"{"FunctionName": "f"}"#,
            Some("Environment.Variables"),
            "error[TW1121]: the answer has no `Environment` here (in action[0].query[0].result)\n  |\n1 | Environment.Variables\n  | ^^^^^^^^^^^\n  = help: …",
        ),
        (
            "ec2:DescribeInstances",
            "{\"Filters\": ]",
            None,
            "error[TW1000]: the parameters are not JSON: expected value (in action[0].query[0].parameters)\n  |\n1 | {\"Filters\": ]\n  |             ^\n  = help: write `parameters = jsonencode({ … })`",
        ),
    ] {
        let told = told(query(operation, parameters, result));
        // Lists of names grow with the data.
        let (expected, told) = match expected.strip_suffix('…') {
            Some(head) => (head.to_owned(), told.get(..head.len()).unwrap_or(&told).to_owned()),
            None => (expected.to_owned(), told),
        };
        assert_eq!(told, expected, "{operation}");
    }
}
