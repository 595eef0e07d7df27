//! What the hub's function may do for a destination: an inline policy of the function's role, which is the destination's own. Where the hub has no function,
//! its runtime has a role that is not ours, and `runtime_policy_json` tells what that needs.

use trailwire_engine::fanout::function::Function;
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::policy::{destination_policy, destination_policy_name, same_document};
use trailwire_engine::fanout::table::{HubItem, Kind};
use trailwire_engine::trigger::Destination;

use crate::cloud::Session;
use crate::cloud::call::Call;
use crate::cloud::error::CloudResult;
use crate::store::{Store, StoreError};

/// Whether the hub has a function, by its item.
pub(super) fn has_function(hub: Option<&HubItem>) -> bool {
    Function::stored(hub.and_then(|hub| hub.settings.as_deref())).is_some()
}

/// Gives the function's role the policy of a destination, or takes it away where none is needed.
pub(super) async fn put(session: &Session, hub: &Hub, destination: &Destination) -> CloudResult<()> {
    match destination_policy(hub, destination) {
        Some(policy) => {
            let name = destination_policy_name(&destination.name);
            session.iam(hub.home(), Call::PutRolePolicy { role: hub.runtime_role_name(), name, policy }).await
        }
        None => remove(session, hub, &destination.name).await,
    }
}

/// Takes the policy of a destination away.
pub(super) async fn remove(session: &Session, hub: &Hub, destination: &str) -> CloudResult<()> {
    let name = destination_policy_name(destination);
    session.iam(hub.home(), Call::DeleteRolePolicy { role: hub.runtime_role_name(), name }).await
}

/// Gives a function's role that was made now the policies of all destinations.
pub(in crate::resource) async fn put_all(session: &Session, hub: &Hub) -> Result<(), StoreError> {
    let definitions = Store::new(session, hub).definitions(Kind::Destination).await?;
    let documents = definitions.iter().filter_map(|definition| definition.document.as_deref());
    for destination in documents.filter_map(|document| Destination::parse(document).ok()) {
        put(session, hub, &destination).await?;
    }
    Ok(())
}

/// What is not as wanted of the policy of a destination; `None` where all is well.
pub(super) async fn fault(session: &Session, hub: &Hub, destination: &Destination) -> CloudResult<Option<String>> {
    let Some(wanted) = destination_policy(hub, destination) else { return Ok(None) };
    let (role, name) = (hub.runtime_role_name(), destination_policy_name(&destination.name));
    let found = session.get_role_policy(hub.home(), &role, &name).await?;
    Ok(match found {
        Some(found) if same_document(&found, &wanted) => None,
        Some(_) => Some(format!("policy {name} of role {role} is another one")),
        None => Some(format!("role {role} lacks policy {name}")),
    })
}
