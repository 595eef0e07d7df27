//! The proxy's own paths. [`crate::control::Control`] is their client.
//!
//! | path under `/_trailwire` | method | does |
//! | --- | --- | --- |
//! | `/faults` | POST, DELETE | arm a fault, answered with its id; remove all |
//! | `/faults/ID` | DELETE | remove it; calls that it holds go on |
//! | `/faults/ID/struck?COUNT` | GET | answers when it has struck COUNT times |
//! | `/calls`, `/calls/clear` | POST | counts of the calls that fit the matcher in the body; forget them |
//! | `/queue-names` | POST | for how long a deleted queue keeps its name |
//! | `/rules-answered` | POST | whether calls about rules of default buses are answered here |
//!
//! The emulator answers the other paths: see `side_door.py`.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::faults::Fault;
use super::identify::Matcher;
use super::{Answer, Proxy, Whole};

pub(super) const PREFIX: &str = "/_trailwire/";

/// The answer, unless the path is the emulator's.
pub(super) async fn answer(proxy: &Proxy, request: &Whole) -> Option<Answer> {
    let path = request.uri().path().strip_prefix(PREFIX)?;
    let steps: Vec<&str> = path.split('/').collect();
    let result = match (request.method(), steps.as_slice()) {
        (&Method::POST, ["faults"]) => body::<Fault>(request).map(|fault| json!({ "id": proxy.faults.add(fault) })),
        (&Method::DELETE, ["faults"]) => {
            proxy.faults.remove(None);
            Ok(json!({}))
        }
        (&Method::DELETE, ["faults", id]) => with_id(id, |id| proxy.faults.remove(Some(id)).then(|| json!({}))),
        (&Method::GET, ["faults", id, "struck"]) => struck(proxy, id, request.uri().query().unwrap_or("1")).await,
        (&Method::POST, ["calls"]) => body::<Matcher>(request).map(|matcher| json!(proxy.counts.read(&matcher))),
        (&Method::POST, ["calls", "clear"]) => body::<Matcher>(request).map(|matcher| {
            proxy.counts.clear(&matcher);
            json!({})
        }),
        (&Method::POST, ["queue-names"]) => body::<u64>(request).map(|milliseconds| {
            proxy.enforcer.hold_queue_names(Duration::from_millis(milliseconds));
            json!({})
        }),
        (&Method::POST, ["rules-answered"]) => body::<bool>(request).map(|on| {
            proxy.answerer.turn(on);
            json!({})
        }),
        _ => return None,
    };
    Some(match result {
        Ok(value) => write(StatusCode::OK, &value),
        Err(error) => write(StatusCode::BAD_REQUEST, &json!({ "error": error })),
    })
}

async fn struck(proxy: &Proxy, id: &str, count: &str) -> Result<Value, String> {
    let count: u64 = count.parse().map_err(|_| "the count is not a number".to_owned())?;
    let id: u64 = id.parse().map_err(|_| "the id is not a number".to_owned())?;
    let mut watch = proxy.faults.watch(id).ok_or("there is no such fault")?;
    let struck = *watch.wait_for(|struck| *struck >= count).await.map_err(|_| "the fault was removed")?;
    Ok(json!({ "struck": struck }))
}

fn with_id(id: &str, act: impl FnOnce(u64) -> Option<Value>) -> Result<Value, String> {
    let id = id.parse().map_err(|_| "the id is not a number".to_owned())?;
    act(id).ok_or_else(|| "there is no such fault".to_owned())
}

fn body<T: DeserializeOwned>(request: &Whole) -> Result<T, String> {
    serde_json::from_slice(request.body()).map_err(|error| error.to_string())
}

fn write(status: StatusCode, value: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(value.to_string())));
    *answer.status_mut() = status;
    answer
}
