//! Two days of a small organisation: its usual work, and a night in which somebody goes from a user through two roles into another account.

use serde_json::{Value, json};

const PROD: &str = "111122223333";
const TOOLS: &str = "444455556666";
const FIRST_DAY: &str = "2026-03-01T00:00:00Z";

/// What is done by day: service, event, whether it only reads, and how often.
const USUAL: [(&str, &str, bool, u64); 14] = [
    ("ec2", "DescribeInstances", true, 24),
    ("sts", "GetCallerIdentity", true, 16),
    ("s3", "ListBuckets", true, 12),
    ("logs", "CreateLogStream", false, 18),
    ("lambda", "UpdateFunctionCode20150331v2", false, 5),
    ("ec2", "RunInstances", false, 6),
    ("ec2", "TerminateInstances", false, 5),
    ("ec2", "CreateTags", false, 9),
    ("iam", "GetRole", true, 8),
    ("kms", "Decrypt", true, 14),
    ("ssm", "GetParameter", true, 9),
    ("cloudformation", "UpdateStack", false, 3),
    ("rds", "DescribeDBInstances", true, 6),
    ("ecr", "PutImage", false, 3),
];

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn user(name: &str, account: &str, key: &str) -> Value {
    json!({"type": "IAMUser", "userName": name, "accountId": account, "arn": format!("arn:aws:iam::{account}:user/{name}"), "accessKeyId": key,
        "principalId": format!("AIDA{}", name.to_uppercase())})
}

fn session(role: &str, name: &str, account: &str, key: &str) -> Value {
    json!({"type": "AssumedRole", "principalId": format!("AROA{}:{name}", role.to_uppercase()), "accountId": account, "accessKeyId": key,
        "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
        "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role, "accountId": account, "arn": format!("arn:aws:iam::{account}:role/{role}")},
            "attributes": {"mfaAuthenticated": "false"}}})
}

fn event(number: u64, second: i64, service: &str, name: &str, account: &str, identity: Value) -> Value {
    let time = FIRST_DAY.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(second);
    json!({"eventVersion": "1.11", "userIdentity": identity, "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.23",
        "userAgent": "aws-cli/2.22.0", "requestParameters": null, "responseElements": null, "requestID": format!("{number:08x}-0000-4000-8000-000000000001"),
        "eventID": format!("{number:08x}-0000-4000-8000-000000000000"), "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true,
        "recipientAccountId": account, "eventCategory": "Management"})
}

/// The records, in no order of time.
pub(super) fn records() -> Vec<Value> {
    let mut dice = Dice(7);
    let mut records: Vec<Value> = (0..1_400).map(|number| usual(number, &mut dice)).collect();
    records.extend(night());
    records
}

fn usual(number: u64, dice: &mut Dice) -> Value {
    let all = USUAL.iter().map(|usual| usual.3).sum();
    let mut left = dice.below(all);
    let mut kinds = USUAL.iter().skip_while(|usual| {
        let is_passed = left >= usual.3;
        left = left.saturating_sub(usual.3);
        is_passed
    });
    let (service, name, reads, _) = kinds.next().unwrap();
    // People work from eight to six, machines always.
    let by_day = dice.below(10) < 7;
    let hour = if by_day { 8 + dice.below(5) + dice.below(6) } else { dice.below(24) };
    let second = dice.below(2) * 86_400 + hour * 3_600 + dice.below(3_600);
    let account = if dice.below(4) == 0 { TOOLS } else { PROD };
    let identity = match dice.below(if by_day { 8 } else { 4 }) {
        0 => session("github-actions", "deploy-api", account, "ASIADEPLOY"),
        1 => session("github-actions", "deploy-web", account, "ASIADEPLOYWEB"),
        2 => json!({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}),
        3 => session("node-group", "i-0c1f6a3b9d2e47a51", account, "ASIANODE"),
        4 => user("alice", account, "AKIAALICE"),
        5 => session("Developer", "bob@example.com", account, "ASIABOB"),
        6 => session("Developer", "carol@example.com", account, "ASIACAROL"),
        _ => user("terraform", account, "AKIATERRAFORM"),
    };
    let mut record = event(number, second.try_into().unwrap(), service, name, account, identity);
    record["readOnly"] = json!(reads);
    record["awsRegion"] =
        json!(["eu-west-1", "eu-west-1", "eu-west-1", "us-east-1", "eu-central-1"][usize::try_from(dice.below(5)).unwrap()]);
    record["sourceIPAddress"] = json!(format!("198.51.100.{}", 20 + dice.below(9)));
    if dice.below(25) == 0 {
        record["errorCode"] =
            json!(["AccessDenied", "ThrottlingException", "Client.UnauthorizedOperation"][usize::try_from(dice.below(3)).unwrap()]);
    }
    if *name == "RunInstances" {
        record["requestParameters"] = json!({"instanceType": "m7g.large", "maxCount": 1});
        record["responseElements"] = json!({"instancesSet": {"items": [{"instanceId": format!("i-{number:017x}")}]}});
    }
    record
}

/// The night of the second day, two hours after midnight.
fn night() -> Vec<Value> {
    let start = 86_400 + 2 * 3_600 + 11 * 60;
    let opened = |key: &str, role: &str, account: &str| json!({"credentials": {"accessKeyId": key, "expiration": "Mar 2, 2026, 3:11:00 AM"}, "assumedRoleUser": {"arn": format!("arn:aws:sts::{account}:assumed-role/{role}/mallory")}});
    let mut jump = event(5_000, start, "sts", "AssumeRole", TOOLS, user("mallory", TOOLS, "AKIAMALLORY"));
    jump["responseElements"] = opened("ASIAJUMP", "jump", TOOLS);
    jump["requestParameters"] = json!({"roleArn": format!("arn:aws:iam::{TOOLS}:role/jump"), "roleSessionName": "mallory"});
    let mut own = event(5_001, start + 40, "sts", "AssumeRole", TOOLS, session("jump", "mallory", TOOLS, "ASIAJUMP"));
    let mut other = event(
        5_002,
        start + 40,
        "sts",
        "AssumeRole",
        PROD,
        json!({"type": "AWSAccount", "accountId": TOOLS, "principalId": "AROAJUMP:mallory"}),
    );
    for copy in [&mut own, &mut other] {
        copy["responseElements"] = opened("ASIAADMIN", "admin", PROD);
        copy["requestParameters"] = json!({"roleArn": format!("arn:aws:iam::{PROD}:role/admin"), "roleSessionName": "mallory"});
        copy["sharedEventID"] = json!("7b0c2f0e-0000-4000-8000-000000000000");
    }
    let mut records = vec![jump, own, other];
    let tried = [
        "ListBuckets",
        "GetAccountAuthorizationDetails",
        "ListUsers",
        "ListRoles",
        "DescribeTrails",
        "GetSecretValue",
        "ListSecrets",
        "DescribeKeyPairs",
    ];
    for step in 0..64_u8 {
        let name = tried[usize::from(step) % tried.len()];
        let service = ["s3", "iam", "iam", "iam", "cloudtrail", "secretsmanager", "secretsmanager", "ec2"][usize::from(step) % tried.len()];
        let mut record = event(
            5_010 + u64::from(step),
            start + 60 + i64::from(step) * 7,
            service,
            name,
            PROD,
            session("admin", "mallory", PROD, "ASIAADMIN"),
        );
        record["readOnly"] = json!(true);
        if step % 8 != 0 {
            record["errorCode"] = json!("AccessDenied");
            record["errorMessage"] =
                json!(format!("User: arn:aws:sts::{PROD}:assumed-role/admin/mallory is not authorized to perform: {service}:{name}"));
        }
        records.push(record);
    }
    let done = [
        ("iam", "CreateUser", json!({"userName": "backup-svc"})),
        ("iam", "CreateAccessKey", json!({"userName": "backup-svc"})),
        ("iam", "AttachUserPolicy", json!({"userName": "backup-svc", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})),
        (
            "ec2",
            "AuthorizeSecurityGroupIngress",
            json!({"groupId": "sg-0a1b2c3d4e5f60718", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}),
        ),
        ("cloudtrail", "StopLogging", json!({"name": "organisation"})),
    ];
    for (number, (service, name, parameters)) in (0..).zip(done) {
        let mut record = event(
            5_100 + number,
            start + 600 + i64::try_from(number).unwrap() * 31,
            service,
            name,
            PROD,
            session("admin", "mallory", PROD, "ASIAADMIN"),
        );
        record["requestParameters"] = parameters;
        record["awsRegion"] = json!("us-east-1");
        records.push(record);
    }
    for record in &mut records {
        record["sourceIPAddress"] = json!("203.0.113.66");
        record["userAgent"] = json!("Boto3/1.34.0 Python/3.12");
    }
    records
}

/// Triggers of which two fire in the night.
pub(super) fn definitions() -> Value {
    let trigger = |name: &str, names: &[&str]| json!({"name": name, "severity": "high", "event_names": names, "action": [{"notify": [{"destinations": ["d"]}]}]});
    json!({"format_version": 1, "destinations": [{"name": "d", "webhook": [{"url": "https://example.com"}]}], "triggers": [
        trigger("access-key-created", &["CreateAccessKey"]),
        trigger("security-group-opened", &["AuthorizeSecurityGroupIngress"]),
        trigger("trail-stopped", &["StopLogging", "DeleteTrail"]),
    ]})
}

/// A record of which every text wants to be more than a text.
pub(super) fn hostile() -> Value {
    let mut record = event(6_000, 90_000, "iam", "CreateUser", PROD, user("<img src=x onerror=window.ran=1>", PROD, "AKIAHOSTILE"));
    record["userAgent"] = json!("<script>window.ran=1</script>");
    record["sourceIPAddress"] = json!("=HYPERLINK(\"https://example.com\")");
    record["errorCode"] = json!("\u{202e}txt.exe\u{0}\u{200b}");
    record["requestParameters"] = json!({"<b>bold</b>": "javascript:window.ran=1", "a.b \"c\"": {"svg": "<svg/onload=window.ran=1>"}, "": "nameless", "big": 12_345_678_901_234_567_890_u64,
        "lines": "first\r\nsecond\tend", "style": "</style><style>*{display:none}"});
    record
}
