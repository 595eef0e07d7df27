mod judge;
mod laws;
mod mistakes;

use super::*;

#[track_caller]
fn read(text: &str) -> Query {
    let (query, diagnostics) = Query::parse(text);
    query.unwrap_or_else(|| panic!("{text}: {}", diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n")))
}

/// What a search becomes.
#[test]
fn searches_are_matches() {
    for (text, expected) in [
        ("event:CreateUser", "detail.eventName == 'CreateUser'"),
        ("detail.eventName:CreateUser", "detail.eventName == 'CreateUser'"),
        (
            "event:Create* -event:CreateLogStream",
            "type(detail.eventName) == 'string' && starts_with(detail.eventName, 'Create') && !(detail.eventName == 'CreateLogStream')",
        ),
        ("-error:*", "!(detail.errorCode != `null`)"),
        ("NOT error:*", "!(detail.errorCode != `null`)"),
        ("region:us-east-1,eu-west-1", "detail.awsRegion == 'us-east-1' || detail.awsRegion == 'eu-west-1'"),
        ("-region:(us-east-1 OR eu-west-1)", "!(detail.awsRegion == 'us-east-1' || detail.awsRegion == 'eu-west-1')"),
        (
            "a:1 OR b:2 c:3",
            r#"contains([detail.a][], '1') || contains([detail.a][], `1`) || (contains([detail.b][], '2') || contains([detail.b][], `2`)) && (contains([detail.c][], '3') || contains([detail.c][], `3`))"#,
        ),
        ("time:>=2026-03 time:<=2026-04", "detail.eventTime >= '2026-03' && detail.eventTime <= '2026-04~'"),
        ("time:[2026-03-01 TO 2026-03-07}", "detail.eventTime >= '2026-03-01' && detail.eventTime < '2026-03-07'"),
        ("time:[* TO 2026-03-07T12:00:00Z]", "detail.eventTime <= '2026-03-07T12:00:00~'"),
        ("time:2026-03-01", "type(detail.eventTime) == 'string' && starts_with(detail.eventTime, '2026-03-01')"),
        ("readOnly:true", "detail.readOnly == `true`"),
        (
            "ip:10.0.0.0/8",
            "detail.sourceIPAddress == '10.0.0.0/8' || type(detail.sourceIPAddress) == 'string' && cidr_contains('10.0.0.0/8', detail.sourceIPAddress)",
        ),
        ("requestParameters.groupId:sg-1", "contains([detail.requestParameters.groupId][], 'sg-1')"),
        (
            "requestParameters.fromPort:22",
            "contains([detail.requestParameters.fromPort][], '22') || contains([detail.requestParameters.fromPort][], `22`)",
        ),
        ("requestParameters.items.port:>=1024", r#"contains(map(&@ >= `1024`, [detail.requestParameters.items][].port[]), `true`)"#),
        (
            "requestParameters.items[].tag:a*",
            r#"contains(map(&type(@) == 'string' && starts_with(@, 'a'), [detail.requestParameters.items][].tag[]), `true`)"#,
        ),
        ("requestParameters.a.b.c:*", "length([detail.requestParameters.a][].b[].c[]) > `0`"),
        ("requestParameters.a\\.b:x", "contains([detail.requestParameters.\"a.b\"][], 'x')"),
        ("resources.ARN:x", "contains([detail.resources][].ARN[], 'x')"),
        (
            "requestParameters:sg-1",
            r"detail.requestParameters != `null` && matches(lower(to_json(detail.requestParameters)), '(?:[^0-9a-z]|[^\\](?:\\\\)*\\(?:[bfnrt]|u[0-9a-f]{4}))sg\-1[^0-9a-z]')",
        ),
        ("*Policy*", "contains(lower(to_json(detail)), 'policy')"),
        ("\"say \\\"hi\\\"\"", r#"matches(lower(to_json(detail)), '(?:[^0-9a-z]|[^\\](?:\\\\)*\\(?:[bfnrt]|u[0-9a-f]{4}))say \\"hi\\"')"#),
        (
            "arn:aws:iam::1:user/x",
            r#"matches(lower(to_json(detail)), '(?:[^0-9a-z]|[^\\](?:\\\\)*\\(?:[bfnrt]|u[0-9a-f]{4}))arn:aws:iam::1:user/x[^0-9a-z]')"#,
        ),
        (
            "user:bob*e",
            r#"type(detail.userIdentity.userName) == 'string' && starts_with(detail.userIdentity.userName, 'bob') && ends_with(detail.userIdentity.userName, 'e') && length(detail.userIdentity.userName) >= `4`"#,
        ),
        (
            "actor:bob",
            r#"detail.userIdentity.userName == 'bob' || detail.userIdentity.arn == 'bob' || type(detail.userIdentity.arn) == 'string' && ends_with(detail.userIdentity.arn, '/bob') || type(detail.userIdentity.principalId) == 'string' && ends_with(detail.userIdentity.principalId, ':bob') || detail.userIdentity.sessionContext.sessionIssuer.userName == 'bob' || detail.userIdentity.invokedBy == 'bob'"#,
        ),
        ("detail-type:*Insight*", "type(\"detail-type\") == 'string' && contains(\"detail-type\", 'Insight')"),
    ] {
        let expr = read(text).expr().unwrap();
        assert_eq!(expr.to_string(), expected, "{text}");
    }
    assert_eq!(read("").expr(), None);
    assert_eq!(read(" * ").expr(), None);
}
