//! A runtime that can not start says why, and soon.

use std::time::{Duration, Instant};

use trailwire_tests::control::{Fault, Matcher};
use trailwire_tests::process::Program;
use trailwire_tests::runtime;

use trailwire_tests::hub::{Hub, REGION};

#[tokio::test]
async fn what_is_missing_is_named_soon() {
    let hub = Hub::new("named").await;
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case; 5] = [
        ("nosuch", REGION, &[], &["there is no hub `nosuch` in eu-central-1", "check the name, AWS_REGION"]),
        ("named", "us-west-2", &[], &["there is no hub `named` in us-west-2"]),
        ("named", "", &[], &["no region: set AWS_REGION"]),
        ("named", REGION, &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")], &["no AWS credentials", "set AWS_PROFILE"]),
        (
            "named",
            REGION,
            // Nobody listens there, and no test is given that port.
            &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9")],
            &["the hub's table `trailwire-named` in eu-central-1 can not be read: the endpoint can not be reached"],
        ),
    ];
    for (name, region, variables, expected) in cases {
        let mut command = runtime::command(hub.stand, &hub.account, region, &["run", "--hub", name]);
        command.env("TRAILWIRE_STATE_DIR", hub.state()).envs(variables.iter().copied());
        for (variable, value) in command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect::<Vec<_>>()
        {
            if value.is_some_and(|value| value.is_empty()) {
                command.env_remove(variable);
            }
        }
        let started = Instant::now();
        let finished = Program::start(command).finish().await;
        assert_eq!(finished.status.code(), Some(2), "{}", finished.said());
        for text in expected {
            assert!(finished.stderr.contains(text), "{text}: {}", finished.stderr);
        }
        assert_eq!(finished.stderr.matches("error: ").count(), 1, "{}", finished.stderr);
        // A runtime that tried again would do so for as long as it is let.
        assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn an_aws_error_is_told_in_its_own_words() {
    let hub = Hub::new("denied").await;
    let _fault = hub
        .stand
        .control()
        .fault(Fault::fail(Matcher::operation("dynamodb", "GetItem").by(&hub.account), 400, "AccessDeniedException"))
        .await;
    let finished = hub.run().await.failure();
    assert!(finished.stderr.contains("can not be read: AccessDeniedException: injected by the stand"), "{}", finished.stderr);
}
