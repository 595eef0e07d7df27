//! Events as CloudTrail writes them and EventBridge wraps them: seeded, so that everybody measures the same ones.
//!
//! 600 event names of 27 services in Zipf's proportions (1.05), compact JSON of about 1.9 KB, eventSource and eventName behind
//! userIdentity. One string in twenty holds a character that JSON escapes.

use serde_json::Value;

use crate::dice::Dice;

/// Services with a share of the 600 names each.
const SERVICES: [&str; 27] = [
    "ec2",
    "s3",
    "iam",
    "sts",
    "lambda",
    "dynamodb",
    "kms",
    "rds",
    "sqs",
    "sns",
    "cloudformation",
    "logs",
    "monitoring",
    "ecs",
    "eks",
    "ecr",
    "route53",
    "elasticloadbalancing",
    "autoscaling",
    "secretsmanager",
    "ssm",
    "organizations",
    "config",
    "guardduty",
    "cloudtrail",
    "glue",
    "athena",
];
const VERBS: [&str; 12] = ["Describe", "Create", "Delete", "Get", "Put", "Update", "List", "Attach", "Modify", "Start", "Authorize", "Tag"];
const NOUNS: [&str; 10] =
    ["Instances", "Bucket", "Role", "Policy", "Key", "Table", "Queue", "SecurityGroupIngress", "Snapshot", "UserProfile"];
pub const REGIONS: [&str; 12] = [
    "us-east-1",
    "us-east-1",
    "us-east-1",
    "us-west-2",
    "us-west-2",
    "eu-west-1",
    "eu-west-1",
    "eu-central-1",
    "ap-southeast-1",
    "ap-northeast-1",
    "sa-east-1",
    "ca-central-1",
];
pub const ERRORS: [&str; 10] = [
    "AccessDenied",
    "Client.UnauthorizedOperation",
    "ThrottlingException",
    "NoSuchEntityException",
    "ValidationException",
    "ResourceNotFoundException",
    "NoSuchBucket",
    "InvalidParameterValue",
    "ConditionalCheckFailedException",
    "EntityAlreadyExistsException",
];
pub const NAMES: usize = 600;

/// An event name and its service.
pub fn name(index: usize) -> (String, &'static str) {
    let service = SERVICES[index % SERVICES.len()];
    let (verb, noun) = (VERBS[index / 10 % VERBS.len()], NOUNS[index % 10]);
    let version = if index >= 120 { format!("{}", index / 120) } else { String::new() };
    (format!("{verb}{noun}{version}"), service)
}

pub fn account(index: usize) -> String {
    format!("{:012}", 100_000_000_000 + index as u64 * 7_919_333 % 899_999_999_999)
}

pub fn role(index: usize) -> String {
    format!(
        "{}-{}-{}",
        ["svc", "app", "ops", "team", "ci"][index % 5],
        ["deploy", "reader", "admin", "batch", "api", "etl"][index / 5 % 6],
        index
    )
}

pub fn user(index: usize) -> String {
    format!(
        "{}.{}{}",
        ["ana", "bert", "carl", "dora", "emil", "fay"][index % 6],
        ["smith", "jones", "khan", "weber", "rossi"][index / 6 % 5],
        index
    )
}

pub fn resource(index: usize) -> String {
    // One in twenty has a name that JSON escapes.
    let mark = if index.is_multiple_of(20) { "\"q\" \\ " } else { "" };
    format!(
        "{mark}{}-{}-{:05}",
        ["prod", "dev", "stage", "test"][index % 4],
        ["data", "logs", "web", "queue", "cache"][index / 4 % 5],
        index
    )
}

pub fn agent(index: usize) -> String {
    match index % 4 {
        0 => format!(
            "aws-cli/2.{}.{} Python/3.11.{} Linux/5.10 exe/x86_64.amzn.2 prompt/off command/ec2.describe",
            index % 17,
            index % 7,
            index % 9
        ),
        1 => format!(
            "Boto3/1.{} md/Botocore#1.{} ua/2.0 os/linux#5.10.{} lang/python#3.{} md/pyimpl#CPython Botocore/1.{}",
            20 + index % 15,
            index % 40,
            index,
            index % 12,
            index % 40
        ),
        2 => format!(
            "APN/1.0 HashiCorp/1.0 Terraform/1.{}.{} (+https://www.terraform.io) terraform-provider-aws/5.{} aws-sdk-go/1.44.{}",
            index % 9,
            index % 5,
            index % 60,
            index
        ),
        _ => [
            "console.amazonaws.com",
            "AWS Internal",
            "cloudformation.amazonaws.com",
            "autoscaling.amazonaws.com",
            "[S3Console/0.4, aws-internal/3]",
        ][index % 5]
            .to_owned(),
    }
}

pub fn address(dice: &mut Dice) -> String {
    match dice.roll(10) {
        0 => format!("{}.amazonaws.com", SERVICES[dice.roll(SERVICES.len())]),
        _ => format!("{}.{}.{}.{}", [10, 52, 54, 172, 203][dice.roll(5)], dice.roll(16), dice.skewed(40), dice.roll(250)),
    }
}

/// The parameter that calls of a name have.
pub fn parameter(name: usize) -> &'static str {
    ["bucketName", "instanceId", "roleName", "groupId", "policyArn", "tableName", "queueUrl", "functionName", "keyId", "stackName"]
        [name % 10]
}

fn hex(dice: &mut Dice, digits: usize) -> String {
    (0..digits).map(|_| char::from(b"0123456789abcdef"[dice.roll(16)])).collect()
}

fn uuid(dice: &mut Dice) -> String {
    format!("{}-{}-{}-{}-{}", hex(dice, 8), hex(dice, 4), hex(dice, 4), hex(dice, 4), hex(dice, 12))
}

fn identity(dice: &mut Dice, time: &str) -> String {
    let owner = account(dice.skewed(200));
    match dice.roll(20) {
        0 => format!(r#"{{"type":"AWSService","invokedBy":"{}.amazonaws.com"}}"#, SERVICES[dice.roll(SERVICES.len())]),
        1 => format!(
            r#"{{"type":"Root","principalId":"{owner}","arn":"arn:aws:iam::{owner}:root","accountId":"{owner}","accessKeyId":"ASIA{}","sessionContext":{{"attributes":{{"creationDate":"{time}","mfaAuthenticated":"true"}}}}}}"#,
            hex(dice, 16).to_uppercase()
        ),
        2..=6 => {
            let user = user(dice.skewed(500));
            format!(
                r#"{{"type":"IAMUser","principalId":"AIDA{}","arn":"arn:aws:iam::{owner}:user/{user}","accountId":"{owner}","accessKeyId":"AKIA{}","userName":"{user}"}}"#,
                hex(dice, 17).to_uppercase(),
                hex(dice, 16).to_uppercase()
            )
        }
        _ => {
            let (role, session) = (role(dice.skewed(400)), user(dice.skewed(500)));
            let id = hex(dice, 17).to_uppercase();
            let key = hex(dice, 16).to_uppercase();
            let mfa = dice.one_in(4);
            format!(
                r#"{{"type":"AssumedRole","principalId":"AROA{id}:{session}","arn":"arn:aws:sts::{owner}:assumed-role/{role}/{session}","accountId":"{owner}","accessKeyId":"ASIA{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{id}","arn":"arn:aws:iam::{owner}:role/{role}","accountId":"{owner}","userName":"{role}"}},"webIdFederationData":{{}},"attributes":{{"creationDate":"{time}","mfaAuthenticated":"{mfa}"}}}}}}"#
            )
        }
    }
}

fn parameters(dice: &mut Dice, name: usize) -> String {
    let target = Value::from(resource(dice.skewed(3_000)));
    let mut text = format!(r#"{{"{}":{target}"#, parameter(name));
    if dice.one_in(2) {
        text += &format!(r#","maxResults":{},"dryRun":{}"#, dice.roll(1_000), dice.one_in(2));
    }
    match dice.roll(4) {
        0 => {
            let port = [22, 80, 443, 3389, 5432][dice.roll(5)];
            let network = if dice.one_in(5) { "0.0.0.0/0".to_owned() } else { format!("10.{}.0.0/16", dice.roll(250)) };
            text += &format!(
                r#","ipPermissions":{{"items":[{{"ipProtocol":"tcp","fromPort":{port},"toPort":{port},"groups":{{}},"ipRanges":{{"items":[{{"cidrIp":"{network}","description":"{}"}}]}}}}]}}"#,
                hex(dice, 12)
            );
        }
        1 => {
            let tags: Vec<String> =
                (0..2 + dice.roll(8)).map(|index| format!(r#"{{"key":"k{index}","value":"{}"}}"#, hex(dice, 16))).collect();
            text += &format!(r#","tagSpecificationSet":{{"items":[{{"resourceType":"instance","tags":[{}]}}]}}"#, tags.join(","));
        }
        2 => text += &format!(r#","nextToken":"{}","filter":{{"owner":["self","{}"]}}"#, hex(dice, 240), account(dice.skewed(200))),
        _ => text += &format!(r#","clientToken":"{}","description":"run {}""#, uuid(dice), hex(dice, 160)),
    }
    text + "}"
}

fn elements(dice: &mut Dice) -> String {
    match dice.roll(5) {
        0 | 1 => "null".to_owned(),
        2 => format!(r#"{{"requestId":"{}","_return":true}}"#, uuid(dice)),
        3 => format!(
            r#"{{"requestId":"{}","status":"creating","createTime":"Nov 21, 2026 7:13:00 AM","size":{},"encrypted":{}}}"#,
            uuid(dice),
            dice.roll(4_000),
            dice.one_in(2)
        ),
        _ => {
            let count = if dice.one_in(300) { 45 } else { 2 + dice.roll(6) };
            let items: Vec<String> = (0..count)
                .map(|index| format!(r#"{{"instanceId":"i-0{}","currentState":{{"code":{index},"name":"pending"}}}}"#, hex(dice, 16)))
                .collect();
            format!(r#"{{"requestId":"{}","instancesSet":{{"items":[{}]}}}}"#, uuid(dice), items.join(","))
        }
    }
}

/// One event.
pub fn event(dice: &mut Dice, name_index: usize) -> String {
    let (name, service) = name(name_index);
    let region = REGIONS[dice.roll(REGIONS.len())];
    let time = format!("2026-11-{:02}T{:02}:{:02}:{:02}Z", 1 + dice.roll(28), dice.roll(24), dice.roll(60), dice.roll(60));
    let recipient = account(dice.skewed(200));
    let error = if dice.one_in(12) {
        format!(
            r#","errorCode":"{}","errorMessage":"User is not authorized to perform: {service}:{name} {}""#,
            ERRORS[dice.skewed(ERRORS.len())],
            hex(dice, 40)
        )
    } else {
        String::new()
    };
    let read_only = ["Describe", "Get", "List"].iter().any(|verb| name.starts_with(verb));
    let resources = if dice.one_in(4) {
        format!(r#","resources":[{{"accountId":"{recipient}","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::{}"}}]"#, hex(dice, 20))
    } else {
        String::new()
    };
    let extra = if dice.one_in(3) {
        format!(
            r#","additionalEventData":{{"SignatureVersion":"SigV4","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":{},"x-amz-id-2":"{}"}}"#,
            dice.roll(100_000),
            hex(dice, 76)
        )
    } else {
        String::new()
    };
    let address = address(dice);
    let agent = Value::from(agent(dice.skewed(400)));
    let (identity, parameters, elements) = (identity(dice, &time), parameters(dice, name_index), elements(dice));
    let tls = if dice.one_in(4) {
        String::new()
    } else {
        format!(
            r#","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.{region}.amazonaws.com"}}"#
        )
    };
    let (id, request, event_id) = (uuid(dice), uuid(dice), uuid(dice));
    format!(
        r#"{{"version":"0","id":"{id}","detail-type":"AWS API Call via CloudTrail","source":"aws.{service}","account":"{recipient}","time":"{time}","region":"{region}","resources":[],"detail":{{"eventVersion":"1.11","userIdentity":{identity},"eventTime":"{time}","eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"{address}","userAgent":{agent}{error},"requestParameters":{parameters},"responseElements":{elements}{extra},"requestID":"{request}","eventID":"{event_id}","readOnly":{read_only}{resources},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{recipient}","eventCategory":"Management"{tls}}}}}"#
    )
}
