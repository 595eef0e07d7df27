//! IAM: the roles of every account, with their inline policies.

use trailwire_engine::fanout::names::Cell;

use super::{ACCOUNT, Answer, World, here, refuse};
use crate::cloud::call::{Call, Reply, Role, Tagged};
use crate::cloud::error::Kind;

/// A call about roles.
pub(super) fn answer(world: &mut World, cell: &Cell, call: Call) -> Answer {
    let of = |role: &str| if cell.account == ACCOUNT { role.to_owned() } else { format!("{}/{role}", cell.account) };
    match call {
        Call::GetRole { name } => Ok(Reply::Role(world.roles.get(&of(&name)).cloned())),
        Call::CreateRole { name, path, trust, boundary, tags, .. } => {
            if world.roles.contains_key(&of(&name)) {
                return refuse(Kind::Exists, format!("role {name} exists"));
            }
            let arn = format!("arn:aws:iam::{}:role{path}{name}", cell.account);
            world.tags.insert((here(cell), Tagged::Role(name.clone())), tags);
            world.roles.insert(of(&name), Role { arn: arn.clone(), trust: Some(trust), boundary });
            Ok(Reply::Text(arn))
        }
        Call::UpdateTrust { role, trust } => {
            world.roles.entry(of(&role)).and_modify(|role| role.trust = Some(trust));
            Ok(Reply::Done)
        }
        Call::PutBoundary { role, boundary } => {
            world.roles.entry(of(&role)).and_modify(|role| role.boundary = boundary);
            Ok(Reply::Done)
        }
        Call::PutRolePolicy { role, name, policy } => {
            if !world.roles.contains_key(&of(&role)) {
                return refuse(Kind::NotFound, format!("The role with name {role} cannot be found."));
            }
            world.role_policies.insert((of(&role), name), policy);
            Ok(Reply::Done)
        }
        Call::GetRolePolicy { role, name } => Ok(Reply::Document(world.role_policies.get(&(of(&role), name)).cloned())),
        Call::ListRolePolicies { role } => {
            let of = of(&role);
            Ok(Reply::Names(world.role_policies.keys().filter(|(role, _)| *role == of).map(|(_, name)| name.clone()).collect()))
        }
        Call::DeleteRolePolicy { role, name } => {
            world.role_policies.remove(&(of(&role), name));
            Ok(Reply::Done)
        }
        Call::DeleteRole { name } => {
            if world.role_policies.keys().any(|(role, _)| *role == of(&name)) {
                return refuse(Kind::InUse, "must delete policies first");
            }
            world.roles.remove(&of(&name));
            world.tags.remove(&(here(cell), Tagged::Role(name)));
            Ok(Reply::Done)
        }
        other => refuse(Kind::Other, format!("the model does not know {}", other.operation())),
    }
}
