//! The tool behind a user agent.

/// Marks in a user agent and the tool that leaves them. The first that is found counts, so tools built on an SDK stand before the
/// SDKs, and what a person uses stands before what it runs on. Upper and lower case are not told apart.
const MARKS: &[(&str, &str)] = &[
    ("opentofu", "OpenTofu"),
    ("terraform", "Terraform"),
    ("pulumi", "Pulumi"),
    ("crossplane", "Crossplane"),
    ("cloudformation.amazonaws.com", "CloudFormation"),
    ("aws-cdk", "AWS CDK"),
    ("ansible", "Ansible"),
    ("packer", "Packer"),
    ("stratus-red-team", "Stratus Red Team"),
    ("cloudcustodian", "Cloud Custodian"),
    ("c7n/", "Cloud Custodian"),
    ("cloudshell", "CloudShell"),
    ("powershell", "PowerShell"),
    ("aws-cli/", "AWS CLI"),
    ("amazon-ssm-agent", "SSM agent"),
    ("s3console", "console"),
    (" console,", "console"),
    ("signin.amazonaws.com", "console"),
    ("console.amazonaws.com", "console"),
    ("aws-console", "console"),
    ("boto3/", "Boto3"),
    ("botocore/", "botocore"),
    ("aws-sdk-go", "AWS SDK for Go"),
    ("aws-sdk-java", "AWS SDK for Java"),
    ("aws-sdk-js", "AWS SDK for JavaScript"),
    ("aws-sdk-nodejs", "AWS SDK for JavaScript"),
    ("aws-sdk-rust", "AWS SDK for Rust"),
    ("aws-sdk-ruby", "AWS SDK for Ruby"),
    ("aws-sdk-php", "AWS SDK for PHP"),
    ("aws-sdk-dotnet", "AWS SDK for .NET"),
    ("aws-sdk-cpp", "AWS SDK for C++"),
    ("mozilla/", "browser"),
    ("aws internal", "AWS internal"),
];

/// The tool that a user agent tells: `console`, `AWS CLI`, `Terraform`, an SDK, or the service itself where the user agent is a
/// service's host name. `None` for one that is not known: the caller shows the user agent as it is.
///
/// A user agent is whatever the caller sent, so this is a hint and proves nothing.
pub fn tool(user_agent: &str) -> Option<&str> {
    let folded = user_agent.to_ascii_lowercase();
    if folded.starts_with("console.") && folded.ends_with(".amazonaws.com") {
        return Some("console");
    }
    let known = MARKS.iter().find(|(mark, _)| folded.contains(mark)).map(|(_, tool)| *tool);
    known.or_else(|| is_service(user_agent).then_some(user_agent))
}

/// `autoscaling.amazonaws.com`: one host name of AWS and nothing else.
fn is_service(user_agent: &str) -> bool {
    user_agent.ends_with(".amazonaws.com") && user_agent.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_told_by_their_marks() {
        let cases = [
            (
                "APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) terraform-provider-aws/3.76.1 aws-sdk-go/1.44.157 stratus-red-team_36659dd6",
                Some("Terraform"),
            ),
            ("aws-cli/2.13.0 Python/3.11.4 Linux/5.10.0-1234-aws exe/x86_64.ubuntu.22", Some("AWS CLI")),
            ("aws-cli/2.15 exec-env/CloudShell", Some("CloudShell")),
            ("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.4]", Some("console")),
            ("RDS Console, aws-internal/3 aws-sdk-java/1.11.975", Some("console")),
            ("console.ec2.amazonaws.com", Some("console")),
            ("console.amazonaws.com", Some("console")),
            ("signin.amazonaws.com", Some("console")),
            ("cloudformation.amazonaws.com", Some("CloudFormation")),
            ("autoscaling.amazonaws.com", Some("autoscaling.amazonaws.com")),
            ("Boto3/1.26.165 Python/3.10.6 Botocore/1.29.165", Some("Boto3")),
            ("aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/", Some("SSM agent")),
            ("aws-sdk-go-v2/1.32.3 os/linux", Some("AWS SDK for Go")),
            ("Mozilla/5.0 (X11; Linux x86_64) Firefox/102.0", Some("browser")),
            ("stratus-red-team_e0cb7ef1", Some("Stratus Red Team")),
            ("AWS Internal", Some("AWS internal")),
            ("example-user-agent", None),
            ("<https://evil.example|x>.amazonaws.com", None),
            ("...", None),
            ("", None),
        ];
        for (user_agent, expected) in cases {
            assert_eq!(tool(user_agent), expected, "{user_agent}");
        }
    }
}
