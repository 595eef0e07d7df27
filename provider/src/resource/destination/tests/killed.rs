//! The provider is killed in the middle, and then something else is applied.

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

use super::policy::{self, TOPIC};
use super::{D, SECRET, one, secrets, slack, webhook};
use crate::resource::hub::HubResource;
use crate::resource::testing::{Bench, drawn};
use crate::value::Dynamic;

async fn bench() -> Bench {
    let bench = Bench::new();
    bench.ok(&HubResource, &Dynamic::Null, &policy::hub(true)).await;
    bench
}

/// One that needs a policy and has no secret.
fn topic() -> Value {
    json!({ "hub": "security", "name": "chat", "sns": [{ "topic_arn": TOPIC }] })
}

fn is_topic(bench: &Bench) {
    assert_eq!((secrets(bench), policy::policies(bench)), (vec![], policy::one(TOPIC)));
}

fn is_slack(bench: &Bench) {
    assert_eq!((secrets(bench), policy::policies(bench)), (one("slack-webhook-url", SECRET), vec![]));
}

#[tokio::test]
async fn what_a_killed_create_made_goes_when_another_kind_is_made() {
    for (first, then, holds) in [(slack(1), topic(), is_topic as fn(&Bench)), (topic(), slack(1), is_slack)] {
        let calls = bench().await.kill_in(D, 0, &Dynamic::Null, &first).await;
        let killed = (1..=calls).map(|moment| {
            let (first, then) = (&first, &then);
            async move {
                let bench = bench().await;
                bench.kill_in(D, moment, &Dynamic::Null, first).await;
                let done = bench.apply(D, &Dynamic::Null, then).await;
                let imports = drawn(&done.diagnostics).contains("terraform import");
                let state = if imports { bench.import(D, "security/chat").await.unwrap() } else { done.state };
                let read = bench.read(D, &state).await.state;
                bench.ok(D, &read, then).await;
                holds(&bench);
            }
        });
        stream::iter(killed).buffer_unordered(16).collect::<()>().await;
    }
}

/// What an update was killed in is seen by the next refresh, and whatever is applied then leaves nothing of the other.
#[tokio::test]
async fn what_a_killed_update_began_is_taken_back_or_finished() {
    let mut retagged = slack(2);
    retagged["tags"] = json!({ "a": "c", "d": "e" });
    retagged["slack"][0]["webhook_url_wo"] = json!("https://hooks.example.com/other");
    for (before, after) in [(slack(1), topic()), (slack(1), webhook()), (topic(), slack(1)), (slack(1), retagged)] {
        let began = bench().await;
        let state = began.ok(D, &Dynamic::Null, &before).await;
        let calls = began.kill_in(D, 0, &state, &after).await;
        for then in [&before, &after, &Value::Null] {
            let wanted = &everything(&made(then).await);
            let killed = (1..=calls).map(|moment| {
                let (before, after) = (&before, &after);
                async move {
                    let bench = bench().await;
                    let state = bench.ok(D, &Dynamic::Null, before).await;
                    bench.kill_in(D, moment, &state, after).await;
                    let read = bench.read(D, &state).await.state;
                    bench.ok(D, &read, then).await;
                    assert_eq!(everything(&bench), *wanted, "killed in call {moment}");
                }
            });
            stream::iter(killed).buffer_unordered(16).collect::<()>().await;
        }
    }
}

/// As if nothing else had ever been.
async fn made(config: &Value) -> Bench {
    let bench = bench().await;
    if !config.is_null() {
        bench.ok(D, &Dynamic::Null, config).await;
    }
    bench
}

/// Secrets with their tags, and policies.
fn everything(bench: &Bench) -> [Vec<(String, String)>; 3] {
    let tags = bench.model.with(|world| {
        let of_secrets = world.tags.iter().filter(|((_, tagged), tags)| format!("{tagged:?}").contains("/chat/") && !tags.is_empty());
        of_secrets.map(|((_, tagged), tags)| (format!("{tagged:?}"), format!("{tags:?}"))).collect()
    });
    [secrets(bench), policy::policies(bench), tags]
}
