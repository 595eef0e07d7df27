//! Each kind of fault, and the counts.

use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use trailwire_tests::control::{Effect, Fault, Matcher};
use trailwire_tests::members;

use crate::world::{ANY, World};

const REGION: &str = "us-west-2";

/// Clients that do not try again, so that each fault is seen.
struct Plain {
    world: World,
    events: aws_sdk_eventbridge::Client,
    iam: aws_sdk_iam::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Plain {
    async fn new() -> Self {
        let world = World::new();
        let sdk = world.stand.sdk(&world.account, REGION).await.into_builder().retry_config(RetryConfig::disabled()).build();
        let (events, iam, sqs) = (aws_sdk_eventbridge::Client::new(&sdk), aws_sdk_iam::Client::new(&sdk), aws_sdk_sqs::Client::new(&sdk));
        Self { world, events, iam, sqs }
    }

    fn calls(&self, service: &str, operation: &str) -> Matcher {
        Matcher::operation(service, operation).by(&self.world.account)
    }
}

#[tokio::test]
async fn errors_are_written_as_each_service_writes_them() {
    let plain = Plain::new().await;
    let control = plain.world.control();
    for (service, operation) in [("events", "ListRules"), ("iam", "GetRole"), ("sqs", "ListQueues")] {
        control.fault(Fault::fail(plain.calls(service, operation), 403, "AccessDenied")).await;
    }
    let refused = plain.events.list_rules().send().await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Some("AccessDenied"), Some("injected by the stand")));
    let refused = plain.iam.get_role().role_name("r").send().await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Some("AccessDenied"), Some("injected by the stand")));
    let refused = plain.sqs.list_queues().send().await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Some("AccessDenied"), Some("injected by the stand")));
}

#[tokio::test]
async fn a_throttle_strikes_one_region_and_so_often() {
    let plain = Plain::new().await;
    let control = plain.world.control();
    let fault = Fault::new(plain.calls("events", "ListRules").within(REGION), Effect::Throttle).times(2);
    control.fault(fault).await;
    plain.world.events("eu-north-1").await.list_rules().send().await.unwrap();
    for _ in 0..2 {
        let throttled = plain.events.list_rules().send().await.unwrap_err();
        assert_eq!(throttled.code(), Some("ThrottlingException"));
    }
    plain.events.list_rules().send().await.unwrap();
}

#[tokio::test]
async fn a_client_that_tries_again_overcomes_a_throttle() {
    let world = World::new();
    let fault = Fault::new(Matcher::service("events").by(&world.account), Effect::Throttle).times(1);
    world.control().fault(fault).await;
    world.events(REGION).await.list_rules().send().await.unwrap();
    assert_eq!(world.control().call_count(&Matcher::operation("events", "ListRules").by(&world.account)).await, 2);
}

#[tokio::test]
async fn a_fault_can_strike_a_share_of_the_calls() {
    let plain = Plain::new().await;
    let fault = Fault::new(plain.calls("events", "ListRules"), Effect::Throttle).percent(30);
    plain.world.control().fault(fault).await;
    let mut struck = 0;
    for _ in 0..20 {
        struck += usize::from(plain.events.list_rules().send().await.is_err());
    }
    assert_eq!(struck, 6);
}

#[tokio::test]
async fn a_cut_call_has_no_answer_and_may_have_been_carried_out() {
    let plain = Plain::new().await;
    let control = plain.world.control();
    let cut = Fault::new(plain.calls("events", "PutRule"), Effect::Cut).times(1);
    for (name, fault, exists) in [("before", cut.clone(), false), ("after", cut.after(), true)] {
        control.fault(fault).await;
        let lost = plain.events.put_rule().name(name).event_pattern(ANY).send().await.unwrap_err();
        assert!(matches!(lost, SdkError::DispatchFailure(_)), "{lost:?}");
        assert_eq!(plain.events.describe_rule().name(name).send().await.is_ok(), exists, "{name}");
    }
}

#[tokio::test]
async fn a_delayed_call_succeeds_later() {
    let plain = Plain::new().await;
    let delay = Effect::Delay { milliseconds: 300 };
    plain.world.control().fault(Fault::new(plain.calls("events", "ListRules"), delay)).await;
    let started = Instant::now();
    plain.events.list_rules().send().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_held_call_goes_on_when_the_fault_is_removed() {
    let plain = Plain::new().await;
    let held = plain.world.control().fault(Fault::new(plain.calls("events", "PutRule"), Effect::Hold)).await;
    let events = plain.events.clone();
    let call = tokio::spawn(async move { events.put_rule().name("held").event_pattern(ANY).send().await });
    held.struck(1).await;
    assert!(plain.events.describe_rule().name("held").send().await.is_err());
    assert!(!call.is_finished());
    held.remove().await;
    call.await.unwrap().unwrap();
    plain.events.describe_rule().name("held").send().await.unwrap();
}

#[tokio::test]
async fn calls_are_counted_by_account_region_and_operation() {
    let plain = Plain::new().await;
    let control = plain.world.control();
    for _ in 0..3 {
        plain.events.list_rules().send().await.unwrap();
    }
    plain.world.events("eu-north-1").await.list_event_buses().send().await.unwrap();
    let counts = control.calls(&Matcher::service("events").by(&plain.world.account)).await;
    let mut found: Vec<_> = counts.iter().map(|calls| (calls.region.as_str(), calls.operation.as_str(), calls.count)).collect();
    found.sort_unstable();
    assert_eq!(found, [("eu-north-1", "ListEventBuses", 1), (REGION, "ListRules", 3)]);
    control.clear_calls(&Matcher::default().by(&plain.world.account)).await;
    assert_eq!(control.call_count(&Matcher::default().by(&plain.world.account)).await, 0);
}

#[tokio::test]
async fn a_session_calls_as_the_account_of_its_role() {
    let world = World::new();
    let member = World::new();
    let role = members::allow(world.stand, &member.account, &world.account, "id-1").await;
    let sts = aws_sdk_sts::Client::new(&world.stand.sdk(&world.account, REGION).await);
    let assume = || sts.assume_role().role_arn(&role).role_session_name("s");
    let missing = format!("arn:aws:iam::{}:role/missing", member.account);
    for refused in [assume(), assume().external_id("id-2"), assume().external_id("id-1").role_arn(missing)] {
        let error = refused.send().await.unwrap_err().into_service_error();
        assert_eq!(error.meta().code(), Some("AccessDenied"), "{error:?}");
    }
    let session = assume().external_id("id-1").send().await.unwrap().credentials.unwrap();
    let credentials = aws_credential_types::Credentials::new(
        session.access_key_id(),
        session.secret_access_key(),
        Some(session.session_token().to_owned()),
        None,
        "session",
    );
    let sdk = world.stand.sdk(&world.account, REGION).await.into_builder();
    let sdk = sdk.credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials));
    aws_sdk_eventbridge::Client::new(&sdk.build()).put_rule().name("r").event_pattern(ANY).send().await.unwrap();
    member.events(REGION).await.describe_rule().name("r").send().await.unwrap();
    assert_eq!(world.control().call_count(&Matcher::operation("events", "PutRule").by(&member.account)).await, 1);
}
