//! The user interrupts while AWS does not answer.

use serde_json::Value;
use trailwire_tests::control::{Effect, Fault, Matcher};

use crate::sandbox::{HUB, REGIONS, Sandbox, TRIGGER, hub, trigger};

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
        provider.stop().await.expect("the provider answers");
        let answer = (&mut applied).await.expect("the provider answers while AWS does not");
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
