use super::*;

fn origin(source: &str, name: &str) -> Option<Origin> {
    lookup(&format!("{source}{DOMAIN}"), name).map(|entry| entry.origin)
}

/// What is committed is whole: every entry can be read, and every name is found again as what it is.
#[test]
fn every_event_is_found_again() {
    let mut count = 0;
    let mut before = String::new();
    for source in sources() {
        assert!(source > before || source.trim_end_matches(DOMAIN) > before.trim_end_matches(DOMAIN), "{source} stands after {before}");
        before.clone_from(&source);
        let number = source_number(&source).unwrap();
        search::each(number, |name, entry| {
            count += 1;
            assert_eq!(search::lookup(number, name), Some(entry), "{source} {name}");
            assert_eq!(search::lookup(number, &format!("{name}X")), None, "{source} {name}X");
        });
    }
    assert_eq!(count, DATA.count());
    assert!(count > 24_000, "{count}");
}

#[test]
fn origins() {
    for (source, name, expected) in [
        ("iam", "CreateUser", Some(Origin::Api)),
        ("iam", "PassRole", Some(Origin::Permission)),
        ("lambda", "CreateFunction", Some(Origin::Renamed)),
        ("lambda", "CreateFunction20150331", Some(Origin::Spelt)),
        ("lambda", "GetFunctionUrlConfig", Some(Origin::Api)),
        ("lambda", "ListLayers20181031", Some(Origin::Dated)),
        ("lambda", "ListLairs20181031", None),
        ("s3", "PutPublicAccessBlock", Some(Origin::Renamed)),
        ("s3", "PutBucketPublicAccessBlock", Some(Origin::Spelt)),
        ("signin", "ConsoleLogin", Some(Origin::Unlisted)),
        ("kms", "RotateKey", Some(Origin::Unlisted)),
        ("iam", "createUser", None),
        ("iam", "", None),
        ("iam", "é", None),
        ("nowhere", "CreateUser", None),
    ] {
        assert_eq!(origin(source, name), expected, "{source} {name}");
    }
    assert_eq!(lookup("iam", "CreateUser"), None, "a source is written whole");
}

#[test]
fn what_is_known_of_an_event() {
    let entry = |source: &str, name: &str| lookup(&format!("{source}{DOMAIN}"), name).unwrap();
    let api = Entry {
        origin: Origin::Api,
        event_type: EventType::AwsApiCall,
        read_only: false,
        data_event: false,
        reaches_event_bridge: true,
        regions: Regions::Anywhere,
    };
    assert_eq!(entry("ec2", "RunInstances"), api);
    assert_eq!(entry("ec2", "DescribeInstances"), Entry { read_only: true, ..api });
    assert_eq!(entry("kms", "Decrypt"), Entry { read_only: true, ..api });
    assert_eq!(entry("sts", "GetSessionToken"), api);
    assert_eq!(entry("s3", "PutObject"), Entry { data_event: true, ..api });
    assert_eq!(entry("iotdata", "Publish"), Entry { reaches_event_bridge: false, ..api });
    assert_eq!(entry("kms", "RotateKey"), Entry { origin: Origin::Unlisted, event_type: EventType::AwsServiceEvent, ..api });
    assert_eq!(EventType::AwsConsoleSignIn.to_string(), "AwsConsoleSignIn");

    let regions = |source: &str, name: &str| entry(source, name).regions;
    let iam = regions("iam", "CreateUser");
    assert!(matches!(iam, Regions::Only(_)));
    assert_eq!(iam.names().take(3).collect::<Vec<_>>(), ["us-east-1", "cn-north-1", "us-gov-west-1"]);
    assert_eq!(regions("route53domains", "RegisterDomain"), Regions::Only("us-east-1"));
    assert_eq!(regions("signin", "ConsoleLogin"), Regions::Often("us-east-1 us-east-2 eu-north-1 ap-southeast-2"));
    assert_eq!(regions("signin", "SwitchRole").names().count(), 0);
}

#[test]
fn events_of_a_source() {
    let names = |source: &str| events(source).unwrap().into_iter().map(|event| event.name).collect::<Vec<_>>();
    let sign_in = names("signin.amazonaws.com");
    assert!(sign_in.windows(2).all(|pair| pair[0] < pair[1]), "{sign_in:?}");
    assert!(["CheckMfa", "ConsoleLogin", "SwitchRole"].iter().all(|name| sign_in.iter().any(|known| known == name)), "{sign_in:?}");
    let lambda = names("lambda.amazonaws.com");
    assert!(lambda.contains(&"CreateFunction20150331".to_owned()));
    assert!(!lambda.contains(&"CreateFunction".to_owned()), "no event has this name");
    assert_eq!(events("nowhere.amazonaws.com"), None);
    assert_eq!(sources_of("ConsoleLogin"), ["signin.amazonaws.com"]);
    assert_eq!(sources_of("CreateFunction20150331"), ["lambda.amazonaws.com"]);
    assert_eq!(written_as("s3.amazonaws.com", "PutPublicAccessBlock"), ["PutAccountPublicAccessBlock", "PutBucketPublicAccessBlock"]);
    assert_eq!(written_as("s3.amazonaws.com", "CreateBucket"), [] as [&str; 0]);
}

#[test]
fn sources_that_were_meant() {
    for (written, expected) in [
        ("cloudwatch.amazonaws.com", Some("monitoring")),
        ("elb.amazonaws.com", Some("elasticloadbalancing")),
        ("elbv2", Some("elasticloadbalancing")),
        ("stepfunctions.amazonaws.com", Some("states")),
        ("efs.amazonaws.com", Some("elasticfilesystem")),
        ("email.amazonaws.com", Some("ses")),
        ("iam", Some("iam")),
        ("aws.iam", Some("iam")),
        ("IAM.amazonaws.com", Some("iam")),
        ("ec2.us-east-1.amazonaws.com", Some("ec2")),
        ("api.ecr.amazonaws.com", Some("ecr")),
        ("secretmanager.amazonaws.com", Some("secretsmanager")),
        ("iam.amazonaws.com", None),
        ("nothing-like-it.amazonaws.com", None),
        ("", None),
    ] {
        assert_eq!(closest_source(written), expected.map(|source| format!("{source}{DOMAIN}")), "{written}");
    }
}

#[test]
fn events_that_were_meant() {
    let meant = |source: &str, name: &str| {
        let sources = if source.is_empty() { vec![] } else { vec![format!("{source}{DOMAIN}")] };
        let found = closest_events(&sources, name, 2);
        found.iter().map(|closest| format!("{} {}", closest.source.trim_end_matches(DOMAIN), closest.name)).collect::<Vec<_>>().join(", ")
    };
    for (source, name, expected) in [
        ("lambda", "CreateFunction", "lambda CreateFunction20150331"),
        ("s3", "PutPublicAccessBlock", "s3 PutAccountPublicAccessBlock, s3 PutBucketPublicAccessBlock"),
        ("ec2", "PutBucketVersioning", "s3 PutBucketVersioning, s3-outposts PutBucketVersioning"),
        ("route53", "TransferDomainToAnotherAwsAccount", "route53domains TransferDomainToAnotherAwsAccount"),
        ("cloudtrail", "DescribeTrail", "cloudtrail DescribeTrails"),
        ("iam", "createuser", "iam CreateUser"),
        ("iam", "CreateUsr", "iam CreateUser"),
        ("", "StopLoging", "cloudtrail StopLogging"),
        ("iam", "Frobnicate", ""),
    ] {
        assert_eq!(meant(source, name), expected, "{source} {name}");
    }
}

#[test]
fn first_words() {
    for (name, expected) in [
        ("CreateUser", "Create"),
        ("DBInstance", "DB"),
        ("DBs", "D"),
        ("A2B", "A"),
        ("Sign", "Sign"),
        ("S", "S"),
        ("SAML2Response_POST", "SAML"),
        ("login_auth_sso", "login"),
        ("2020", "2020"),
        ("_x", "_"),
        ("é", "é"),
        ("", ""),
    ] {
        assert_eq!(name.split_at(search::first_word(name)).0, expected, "{name}");
    }
}

/// Bytes of another format, or cut short, are nothing rather than a panic.
#[test]
fn other_bytes() {
    assert!(format::read(b"").is_none());
    assert!(format::read(b"TWC2").is_none());
    assert!(format::read(b"TWC1\x05\x00\x00\x00ab").is_none());
}
