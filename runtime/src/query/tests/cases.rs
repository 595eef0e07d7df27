//! Requests and answers of each protocol, as the API references show them.

use serde_json::{Value, json};

use super::server::Server;
use super::{asked, query};

struct Case {
    called: &'static str,
    parameters: Value,
    answers: Vec<&'static str>,
    requests: Vec<&'static str>,
    answer: Value,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html>, shortened.
fn ec2() -> Case {
    Case {
        called: "ec2:DescribeInstances",
        parameters: json!({"Filters": [{"Name": "tag:Owner", "Values": ["a b", "c"]}], "InstanceIds": ["i-1"]}),
        answers: vec![
            r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>8f7724cf-496f-496e-8fe3-example</requestId>
  <reservationSet><item><reservationId>r-1</reservationId><ownerId>123456789012</ownerId><groupSet/>
    <instancesSet><item><instanceId>i-1</instanceId><instanceState><code>16</code><name>running</name></instanceState>
      <launchTime>2015-12-22T10:44:05.000Z</launchTime><ebsOptimized>false</ebsOptimized><sourceDestCheck>true</sourceDestCheck>
      <tagSet><item><key>Name</key><value>one &amp; only &lt;b&gt;</value></item></tagSet><somethingNew><deep>x</deep></somethingNew></item></instancesSet></item></reservationSet>
  <nextToken>page/2</nextToken>
</DescribeInstancesResponse>"#,
            r#"<DescribeInstancesResponse><reservationSet><item><reservationId>r-2</reservationId><instancesSet><item><instanceId>i-2</instanceId></item></instancesSet></item></reservationSet></DescribeInstancesResponse>"#,
        ],
        requests: vec![
            "POST / Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3AOwner&Filter.1.Value.1=a%20b&Filter.1.Value.2=c&InstanceId.1=i-1",
            "POST / Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3AOwner&Filter.1.Value.1=a%20b&Filter.1.Value.2=c&InstanceId.1=i-1&NextToken=page%2F2",
        ],
        answer: json!({"Reservations": [
            {"ReservationId": "r-1", "OwnerId": "123456789012", "Groups": [], "Instances": [{"InstanceId": "i-1", "State": {"Code": 16, "Name": "running"},
                "LaunchTime": "2015-12-22T10:44:05.000Z", "EbsOptimized": false, "SourceDestCheck": true, "Tags": [{"Key": "Name", "Value": "one & only <b>"}]}]},
            {"ReservationId": "r-2", "Instances": [{"InstanceId": "i-2"}]},
        ]}),
    }
}

/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html>, shortened.
fn form() -> Case {
    Case {
        called: "autoscaling:DescribeAutoScalingGroups",
        parameters: json!({"AutoScalingGroupNames": ["a", "b"], "IncludeInstances": true}),
        answers: vec![
            r#"<DescribeAutoScalingGroupsResponse xmlns="https://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeAutoScalingGroupsResult><AutoScalingGroups>
  <member><AutoScalingGroupName>a</AutoScalingGroupName><DesiredCapacity>2</DesiredCapacity><AvailabilityZones><member>us-east-1a</member><member>us-east-1b</member></AvailabilityZones>
  <Instances><member><InstanceId>i-1</InstanceId><ProtectedFromScaleIn>false</ProtectedFromScaleIn></member></Instances></member>
  </AutoScalingGroups></DescribeAutoScalingGroupsResult><ResponseMetadata><RequestId>7c6e177f</RequestId></ResponseMetadata></DescribeAutoScalingGroupsResponse>"#,
        ],
        requests: vec![
            "POST / Action=DescribeAutoScalingGroups&Version=2011-01-01&AutoScalingGroupNames.member.1=a&AutoScalingGroupNames.member.2=b&IncludeInstances=true",
        ],
        answer: json!({"AutoScalingGroups": [{"AutoScalingGroupName": "a", "DesiredCapacity": 2, "AvailabilityZones": ["us-east-1a", "us-east-1b"],
            "Instances": [{"InstanceId": "i-1", "ProtectedFromScaleIn": false}]}]}),
    }
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html>: named elements, and a password that is not kept.
fn named_elements() -> Case {
    Case {
        called: "rds:DescribeDBInstances",
        parameters: json!({"Filters": [{"Name": "engine", "Values": ["mysql"]}]}),
        answers: vec![
            r#"<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceIdentifier>db</DBInstanceIdentifier><PubliclyAccessible>true</PubliclyAccessible>
  <PendingModifiedValues><MasterUserPassword>****</MasterUserPassword><Port>99</Port></PendingModifiedValues>
  <Endpoint><Port>3306</Port><Address>db.example.com</Address></Endpoint></DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>"#,
        ],
        requests: vec![
            "POST / Action=DescribeDBInstances&Version=2014-10-31&Filters.Filter.1.Name=engine&Filters.Filter.1.Values.Value.1=mysql",
        ],
        answer: json!({"DBInstances": [{"DBInstanceIdentifier": "db", "PubliclyAccessible": true, "PendingModifiedValues": {"Port": 99},
            "Endpoint": {"Port": 3306, "Address": "db.example.com"}}]}),
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html> and `API_GetAccountSummary`: policies and maps.
fn iam() -> [Case; 2] {
    let role = Case {
        called: "iam:GetRole",
        parameters: json!({"RoleName": "S3Access"}),
        answers: vec![
            r#"<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><Path>/</Path>
  <AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%7D%5D%7D</AssumeRolePolicyDocument>
  <MaxSessionDuration>3600</MaxSessionDuration></Role></GetRoleResult></GetRoleResponse>"#,
        ],
        requests: vec!["POST / Action=GetRole&Version=2010-05-08&RoleName=S3Access"],
        answer: json!({"Role": {"Path": "/", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}, "MaxSessionDuration": 3600}}),
    };
    let summary = Case {
        called: "iam:GetAccountSummary",
        parameters: json!({}),
        answers: vec![
            r#"<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap><entry><key>Users</key><value>32</value></entry><entry><key>AccountMFAEnabled</key><value>0</value></entry></SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>"#,
        ],
        requests: vec!["POST / Action=GetAccountSummary&Version=2010-05-08"],
        answer: json!({"SummaryMap": {"Users": 32, "AccountMFAEnabled": 0}}),
    };
    [role, summary]
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html> and its neighbours: payloads, attributes, flat lists, a text.
fn rest_xml() -> [Case; 4] {
    let bucket = || json!({"Bucket": "a/b"});
    let acl = Case {
        called: "s3:GetBucketAcl",
        parameters: bucket(),
        answers: vec![
            r#"<AccessControlPolicy><Owner><ID>75aa</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"#,
        ],
        requests: vec!["GET /a%2Fb?acl"],
        answer: json!({"Owner": {"ID": "75aa"}, "Grants": [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}]}),
    };
    let block = Case {
        called: "s3:GetPublicAccessBlock",
        parameters: bucket(),
        answers: vec![
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls></PublicAccessBlockConfiguration>",
        ],
        requests: vec!["GET /a%2Fb?publicAccessBlock"],
        answer: json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": false}}),
    };
    let encryption = Case {
        called: "s3:GetBucketEncryption",
        parameters: bucket(),
        answers: vec![
            "<ServerSideEncryptionConfiguration><Rule><BucketKeyEnabled>true</BucketKeyEnabled></Rule><Rule><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>",
        ],
        requests: vec!["GET /a%2Fb?encryption"],
        answer: json!({"ServerSideEncryptionConfiguration": {"Rules": [{"BucketKeyEnabled": true}, {"BucketKeyEnabled": false}]}}),
    };
    let policy = Case {
        called: "s3:GetBucketPolicy",
        parameters: bucket(),
        answers: vec![r#"{"Version":"2008-10-17","Statement":[]}"#],
        requests: vec!["GET /a%2Fb?policy"],
        answer: json!({"Policy": r#"{"Version":"2008-10-17","Statement":[]}"#}),
    };
    [acl, block, encryption, policy]
}

/// Pages of a query string.
fn rest_pages() -> Case {
    Case {
        called: "s3:ListBuckets",
        parameters: json!({"Prefix": "a&b"}),
        answers: vec![
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>a&amp;b1</Name></Bucket></Buckets><ContinuationToken>t=</ContinuationToken></ListAllMyBucketsResult>",
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>a&amp;b2</Name></Bucket></Buckets></ListAllMyBucketsResult>",
        ],
        requests: vec!["GET /?prefix=a%26b", "GET /?prefix=a%26b&continuation-token=t%3D"],
        answer: json!({"Buckets": [{"Name": "a&b1"}, {"Name": "a&b2"}]}),
    }
}

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html> and Cloud Control's pages.
fn json_bodies() -> [Case; 2] {
    let status = Case {
        called: "cloudtrail:GetTrailStatus",
        parameters: json!({"Name": "all"}),
        answers: vec![r#"{"IsLogging": true, "LatestDeliveryTime": 1770000000.5, "LatestDeliveryError": null, "Unknown": {"a": 1}}"#],
        requests: vec![r#"POST / com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus {"Name":"all"}"#],
        answer: json!({"IsLogging": true, "LatestDeliveryTime": "2026-02-02T02:40:00.5Z"}),
    };
    let resources = Case {
        called: "cloudcontrol:ListResources",
        parameters: json!({"TypeName": "AWS::S3::Bucket"}),
        answers: vec![
            r#"{"TypeName": "AWS::S3::Bucket", "ResourceDescriptions": [{"Identifier": "a", "Properties": "{\"BucketName\":\"a\"}"}], "NextToken": "n"}"#,
            r#"{"TypeName": "AWS::S3::Bucket", "ResourceDescriptions": [{"Identifier": "b", "Properties": "{}"}]}"#,
        ],
        requests: vec![
            r#"POST / CloudApiService.ListResources {"TypeName":"AWS::S3::Bucket"}"#,
            r#"POST / CloudApiService.ListResources {"TypeName":"AWS::S3::Bucket","NextToken":"n"}"#,
        ],
        answer: json!({"TypeName": "AWS::S3::Bucket", "ResourceDescriptions": [{"Identifier": "a", "Properties": "{\"BucketName\":\"a\"}"}, {"Identifier": "b", "Properties": "{}"}]}),
    };
    [status, resources]
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>: environment variables are not kept.
fn rest_json() -> Case {
    Case {
        called: "lambda:GetFunctionConfiguration",
        parameters: json!({"FunctionName": "arn:aws:lambda:us-east-1:444455556666:function:f", "Qualifier": "v 1"}),
        answers: vec![
            r#"{"FunctionName": "f", "MemorySize": 128, "Environment": {"Variables": {"TOKEN": "s3cr3t"}}, "VpcConfig": {"SubnetIds": ["subnet-1"]}, "ImageConfigResponse": {"ImageConfig": {"Command": ["--token=s3cr3t"]}}}"#,
        ],
        requests: vec![
            "GET /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A444455556666%3Afunction%3Af/configuration?Qualifier=v%201",
        ],
        answer: json!({"FunctionName": "f", "MemorySize": 128, "VpcConfig": {"SubnetIds": ["subnet-1"]}}),
    }
}

#[tokio::test]
async fn every_protocol_is_spoken_as_documented() {
    let all = [ec2(), form(), named_elements(), rest_pages(), rest_json()].into_iter().chain(iam()).chain(rest_xml()).chain(json_bodies());
    for case in all {
        let server = Server::start(case.answers.iter().map(|answer| (200, (*answer).to_owned())).collect()).await;
        let answer = asked(&server, &query(case.called, &case.parameters, None)).await;
        assert_eq!(answer, Ok(case.answer), "{}", case.called);
        let requests: Vec<String> = server
            .seen()
            .iter()
            .map(|request| {
                request.replace(r#"{"NextToken":"n","TypeName":"AWS::S3::Bucket"}"#, r#"{"TypeName":"AWS::S3::Bucket","NextToken":"n"}"#)
            })
            .collect();
        assert_eq!(requests, case.requests, "{}", case.called);
    }
}
