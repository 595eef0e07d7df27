//! Answers that are wrong, too large, endless or malicious, and what AWS says in place of one.

use serde_json::{Value, json};

use super::server::Server;
use super::{asked, query, reason};
use crate::query::{ANSWER, PAGE, PAGES, RESULT};

async fn told(answers: Vec<(u16, String)>, result: Option<&str>) -> (Result<Value, (&'static str, String)>, usize) {
    let server = Server::start(answers).await;
    let answer = asked(&server, &query("ec2:DescribeInstances", &json!({}), result)).await.map_err(reason);
    (answer, server.seen().len())
}

fn page(inside: &str, token: Option<&str>) -> (u16, String) {
    let token = token.map(|token| format!("<nextToken>{token}</nextToken>")).unwrap_or_default();
    (200, format!("<DescribeInstancesResponse><reservationSet>{inside}</reservationSet>{token}</DescribeInstancesResponse>"))
}

const PLACE: &str = "query ec2:DescribeInstances in 444455556666/us-east-1: ";

#[tokio::test]
async fn what_is_no_answer_is_told() {
    let bomb = r#"<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><DescribeInstancesResponse><nextToken>&b;</nextToken></DescribeInstancesResponse>"#;
    let external = r#"<DescribeInstancesResponse><!DOCTYPE x SYSTEM "file:///etc/passwd"><reservationSet/></DescribeInstancesResponse>"#;
    for (body, expected) in [
        (bomb, "it declares a type or an entity, which no answer of AWS does"),
        (external, "it declares a type or an entity, which no answer of AWS does"),
        ("<DescribeInstancesResponse><reservationSet><item><ownerId>1</ownerId></item>", "it breaks off"),
        ("<DescribeInstancesResponse><reservationSet><item><ownerId>1</own", "it is not XML"),
        ("<DescribeInstancesResponse><nextToken>&nope;</nextToken></DescribeInstancesResponse>", "it is not XML"),
        ("", "it is empty"),
        ("<html", "it is not XML"),
    ] {
        let (answer, _) = told(vec![(200, body.to_owned())], None).await;
        let (kind, reason) = answer.unwrap_err();
        assert!(kind == "failed" && reason.starts_with(&format!("{PLACE}the answer cannot be read: {expected}")), "{body}: {reason}");
    }
    let server = Server::start(vec![(200, "[".repeat(100_000))]).await;
    let (kind, reason) = reason(asked(&server, &query("kms:DescribeKey", &json!({"KeyId": "k"}), None)).await.unwrap_err());
    assert!(kind == "failed" && reason.contains("the answer cannot be read: it is not JSON: recursion limit exceeded"), "{reason}");
}

#[tokio::test]
async fn depth_and_length_cost_nothing() {
    let deep = format!("{}{}", "<item>".repeat(50_000), "</item>".repeat(50_000));
    assert_eq!(told(vec![page(&deep, None)], Some("length(Reservations)")).await.0, Ok(json!(1)));
    let many = "<item/>".repeat(100_000);
    assert_eq!(told(vec![page(&many, None)], Some("length(Reservations)")).await.0, Ok(json!(100_000)));
    let huge = format!("<item><ownerId>{}</ownerId></item>", "x".repeat(PAGE));
    let (answer, _) = told(vec![page(&huge, None)], Some("length(Reservations)")).await;
    assert_eq!(answer, Err(("final", format!("{PLACE}the answer is too large; ask for less with `parameters`"))));
    let large = format!("<item><ownerId>{}</ownerId></item>", "x".repeat(PAGE - 1_000));
    let pages = (0..10).map(|number| page(&large, Some(&number.to_string()))).collect();
    let (answer, asked) = told(pages, Some("length(Reservations)")).await;
    assert_eq!((answer.unwrap_err().0, asked), ("final", ANSWER / PAGE + 1));
}

#[tokio::test]
async fn results_are_bounded() {
    let names = format!("<item><ownerId>{}</ownerId></item>", "x".repeat(RESULT));
    let (answer, _) = told(vec![page(&names, None)], Some("Reservations[].OwnerId")).await;
    let expected = format!("{PLACE}the result has {} bytes and may have {RESULT}; take less of it with `result`", RESULT + 4);
    assert_eq!(answer, Err(("final", expected)));
    let (answer, _) = told(vec![page("<item/>", None)], Some("length(Reservations[0].OwnerId)")).await;
    let (kind, reason) = answer.unwrap_err();
    assert!(kind == "final" && reason.starts_with(&format!("{PLACE}the result cannot be taken: ")), "{reason}");
}

#[tokio::test]
async fn pages_end() {
    let pages = |tokens: &dyn Fn(usize) -> String| (0..PAGES + 5).map(|number| page("<item/>", Some(&tokens(number)))).collect::<Vec<_>>();
    let (answer, asked) = told(pages(&|number| number.to_string()), None).await;
    assert_eq!(
        (answer, asked),
        (Err(("final", format!("{PLACE}the answer has more than 20 pages; ask for less with `parameters`"))), PAGES)
    );
    let (answer, asked) = told(pages(&|_| "same".to_owned()), None).await;
    assert_eq!((answer, asked), (Err(("final", format!("{PLACE}the answer goes on with the same page again and again"))), 2));
}

#[tokio::test]
async fn what_aws_refuses_is_told_with_account_region_and_request() {
    let fault = |code: &str| format!("<Response><Errors><Error><Code>{code}</Code><Message>said\nso</Message></Error></Errors></Response>");
    for (status, code, expected) in [
        (503, "RequestLimitExceeded", ("failed", "AWS answered 503: RequestLimitExceeded: said so (request r-1)")),
        (400, "InvalidParameterValue", ("final", "AWS answered 400: InvalidParameterValue: said so (request r-1)")),
        (
            403,
            "UnauthorizedOperation",
            (
                "failed",
                "AWS answered 403: UnauthorizedOperation: said so (request r-1); let its reading role do it: apply the hub, and look for a policy above it that denies it",
            ),
        ),
    ] {
        let (answer, _) = told(vec![(status, fault(code))], None).await;
        assert_eq!(answer, Err((expected.0, format!("{PLACE}{}", expected.1))));
    }
    // On the second page, too.
    let (answer, _) = told(vec![page("<item/>", Some("2")), (500, String::new())], None).await;
    assert_eq!(answer, Err(("failed", format!("{PLACE}AWS answered 500 (request r-1)"))));
    let (answer, _) = told(vec![(400, fault("InvalidInstanceID.NotFound"))], Some("length(Reservations)")).await;
    assert_eq!(answer, Ok(Value::Null));
}
