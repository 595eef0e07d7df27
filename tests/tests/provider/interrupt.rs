//! The user interrupts while AWS does not answer.
//!
//! The provider promises to end before 5 seconds are over. A call that gets no answer takes 20 seconds, and is tried again twelve times:
//! who waits for AWS takes more than four minutes. That not even the one call was waited for is what the state says of its cell. How long
//! it took is printed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trailwire_tests::control::{Effect, Fault, Matcher};
use trailwire_tests::plugin::{Answer, Failure, Plugin};

use crate::sandbox::{HOME, HUB, REGIONS, Sandbox, TRIGGER, hub, trigger};

/// Less than all attempts at a call without an answer take.
const SOON: Duration = Duration::from_secs(120);

/// What the provider answers after it was told to stop.
async fn stopped(provider: &Plugin, applied: impl Future<Output = Result<Answer, Failure>>) -> Answer {
    let interrupted = Instant::now();
    provider.stop().await.expect("the provider answers");
    let answer = tokio::time::timeout(SOON, applied).await.expect("the provider waits for AWS after an interrupt");
    println!("the provider ended {:.1} s after the interrupt", interrupted.elapsed().as_secs_f64());
    answer.expect("the provider answers while AWS does not")
}

/// No call is ever answered again, and the provider still ends, with a state by which everything is found.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_does_not_wait_for_aws() {
    for resource in [HUB, TRIGGER] {
        let mut sandbox = Sandbox::new().await;
        let (operation, config) = if resource == HUB { ("CreateEventBus", hub(&REGIONS, "one")) } else { ("PutRule", trigger(1, "A")) };
        if resource == TRIGGER {
            sandbox.apply(HUB, &hub(&REGIONS, "one")).await.ok();
        }
        // Whatever is called from here on is held; the first is carried out already.
        let first = Fault::new(sandbox.calls("events", operation), Effect::Hold).after().times(1);
        let first = sandbox.control().fault(first).await;
        let provider = sandbox.provider().await;
        let nothing = sandbox.state(resource);
        let mut applied = Box::pin(provider.apply(resource, &nothing, &config));
        tokio::select! {
            () = first.struck(1) => {}
            answer = &mut applied => panic!("{resource} was not held: {answer:?}"),
        }
        let rest = sandbox.control().fault(Fault::new(Matcher::default().by(&sandbox.account), Effect::Hold)).await;
        let answer = stopped(&provider, &mut applied).await;
        drop(applied);
        provider.kill().await;
        first.remove().await;
        rest.remove().await;
        let said = answer.errors.join("\n");
        assert!(said.contains("interrupted"), "{said}");
        assert!(!answer.state.is_none(), "what is there is forgotten:\n{said}");
        sandbox.states.insert(resource, answer.state);
        sandbox.apply(resource, &Value::Null).await.ok();
        if resource == TRIGGER {
            sandbox.apply(HUB, &Value::Null).await.ok();
        }
        assert_eq!(sandbox.leftovers().await, [] as [String; 0], "{resource}:\n{said}");
    }
}

/// Of a trigger in many cells two calls are under way when the user interrupts, and are never answered: none of those that wait is begun any more, and the state
/// says of each cell that it is not done.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_begun_after_an_interrupt() {
    let mut sandbox = Sandbox::new().await;
    let everywhere = json!({ "name": "security", "force_destroy": true, "forward_dead_letter": false });
    sandbox.apply(HUB, &everywhere).await.ok();
    let provider = sandbox.provider_with(&json!({ "region": HOME, "max_concurrency": 2 })).await;
    let planned = sandbox.plan_with(&provider, TRIGGER, &trigger(1, "A")).await;
    let rules = Matcher::operation("events", "PutRule").by(&sandbox.account);
    sandbox.control().clear_calls(&Matcher::default().by(&sandbox.account)).await;
    let held = sandbox.control().fault(Fault::new(rules.clone(), Effect::Hold).after()).await;
    let mut applied = Box::pin(provider.carry_out(planned));
    tokio::select! {
        () = held.struck(2) => {}
        answer = &mut applied => panic!("nothing was held: {answer:?}"),
    }
    let rest = sandbox.control().fault(Fault::new(Matcher::default().by(&sandbox.account), Effect::Hold)).await;
    let answer = stopped(&provider, &mut applied).await;
    drop(applied);
    // What is still written is that nobody may adopt the name.
    let begun = sandbox.control().calls(&Matcher::service("events").by(&sandbox.account)).await;
    assert!(begun.iter().all(|calls| calls.operation == "PutRule"), "{begun:?}");
    assert_eq!(sandbox.control().call_count(&rules).await, 2);
    let state = answer.state.attributes();
    let cells: usize = state["cells"].as_object().unwrap().values().map(|regions| regions.as_array().unwrap().len()).sum();
    assert!(cells > 20, "{state:#}");
    let drifted = state["drifted"].as_object().unwrap();
    assert_eq!(drifted.len(), cells, "{state:#}");
    // A call that ended by itself would be one that was about to be tried again.
    let given_up = drifted.values().filter(|reason| reason.as_str().unwrap().contains("the answer was not waited for"));
    assert_eq!(given_up.count(), 2, "{state:#}");
    provider.kill().await;
    held.remove().await;
    rest.remove().await;
    sandbox.states.insert(TRIGGER, answer.state);
    sandbox.apply(TRIGGER, &Value::Null).await.ok();
    sandbox.apply(HUB, &Value::Null).await.ok();
    assert_eq!(sandbox.leftovers().await, [] as [String; 0]);
}
