//! The roles of a hub in each account: the forwarding role, by which EventBridge puts what that account's rules carry on the hub's bus, and, where
//! the hub allows queries, the reading role, by which the runtime asks them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use trailwire_engine::fanout::names::{Cell, ROLE_PATH};
use trailwire_engine::fanout::objects::{FoundRole, Role, RoleStep};
use trailwire_engine::fanout::policy::{FORWARD_POLICY_NAME, READ_POLICY_NAME};
use trailwire_engine::fanout::table::HubRecord;

use super::column::{Looked, Place};
use super::home::{Home, Reasons};
use super::made::Thing;
use crate::apply::cells::{Outcome, in_each};
use crate::cloud::call::{Call, Tagged, Tags};
use crate::cloud::error::CloudResult;

impl Home<'_> {
    /// Where the role of an account is looked for, and under which its faults are told: IAM is the same in every region.
    pub(super) fn role_cell(&self, account: &str) -> Cell {
        Cell::new(account, self.hub.home().region.clone())
    }

    /// The roles of these accounts. Tells too whether one was made: events can be forwarded by it only some seconds later.
    pub(super) async fn roles(&self, accounts: &BTreeSet<String>) -> (Outcome, bool) {
        let made = AtomicBool::new(false);
        let outcome = in_each(accounts.iter().map(|account| self.role_cell(account)), |cell| {
            let made = &made;
            async move {
                let (_, new) = self.role(&cell).await?;
                made.fetch_or(new, Ordering::Relaxed);
                Ok(())
            }
        });
        let outcome = outcome.await;
        (outcome, made.into_inner())
    }

    /// The roles of a cell's account, and whether one was missing.
    async fn role(&self, cell: &Cell) -> CloudResult<(Reasons, bool)> {
        let boundary = &self.settings.permissions_boundary;
        let (mut reasons, mut is_new) = self.one_role(cell, &Role::forward(self.hub, &cell.account, boundary.clone())).await?;
        if !self.settings.query_operations.is_empty() {
            let read = Role::read(self.hub, &cell.account, &self.settings.query_operations, boundary.clone());
            let (more, new) = self.one_role(cell, &read).await?;
            reasons.extend(more);
            is_new |= new;
        } else if self.settings.reading && !self.repairs() {
            let name = self.hub.read_role_name();
            reasons.extend(self.session.get_role(cell, &name).await?.map(|_| format!("role {name} is not wanted any more")));
        }
        Ok((reasons, is_new))
    }

    /// A role with its policy, and whether it was missing.
    pub(super) async fn one_role(&self, cell: &Cell, role: &Role) -> CloudResult<(Reasons, bool)> {
        let found = match self.session.get_role(cell, &role.name).await? {
            Some(there) => {
                let policy = self.session.get_role_policy(cell, &role.name, role.policy_name).await?;
                Some(FoundRole { trust: there.trust, boundary: there.boundary, policy })
            }
            None => None,
        };
        let mut reasons = Reasons::new();
        for fault in role.faults(found.as_ref()) {
            reasons.push(fault.reason);
            for step in fault.steps.into_iter().filter(|_| self.repairs()) {
                if found.is_none() {
                    self.made.note(Thing::Role(cell.account.clone(), role.name.clone()));
                }
                self.session.iam(cell, role_call((&role.name, role.policy_name), step, self.all_tags())).await?;
            }
        }
        Ok((reasons, found.is_none()))
    }

    /// What differs of the hub's objects in its home region, and of the roles of the accounts in scope.
    pub(super) async fn look(&self, record: &HubRecord) -> Looked {
        let cells: Vec<Cell> = record.accounts.iter().map(|account| self.role_cell(account)).collect();
        let roles = join_all(cells.iter().map(|cell| self.role(cell)));
        let (home, roles) = futures::join!(self.all(), roles);
        let mut looked = Looked::default();
        looked.add(self.hub.home(), home.map(|(reasons, _)| reasons), Place::Inside);
        for (cell, role) in cells.iter().zip(roles) {
            looked.add(cell, role.map(|(reasons, _)| reasons), Place::Inside);
        }
        looked
    }

    /// The roles that are left in accounts which are not in scope any more.
    pub(super) async fn look_for_left_roles(&self, record: &HubRecord, outside: &BTreeSet<Cell>) -> Looked {
        let names: Vec<String> = self.roles_there(self.settings.reading).map(|(name, _)| name).collect();
        let gone = outside.iter().filter(|cell| **cell == self.role_cell(&cell.account) && !record.accounts.contains(&cell.account));
        let both = gone.flat_map(|cell| names.iter().map(move |name| (cell, name)));
        let looks = join_all(both.map(|(cell, name)| async move { (cell, name, self.session.get_role(cell, name).await) }));
        let mut looked = Looked::default();
        for (cell, name, role) in looks.await {
            let told = |_| format!("role {name} is not wanted here any more");
            looked.add(cell, role.map(|role| role.into_iter().map(told).collect()), Place::Outside);
        }
        looked
    }

    /// The names of the roles that an account may have, each with that of its policy.
    fn roles_there(&self, reading: bool) -> impl Iterator<Item = (String, &'static str)> {
        let forward = (self.hub.forward_role_name(), FORWARD_POLICY_NAME);
        let read = reading.then(|| (self.hub.read_role_name(), READ_POLICY_NAME));
        std::iter::once(forward).chain(read)
    }

    /// Waits until a role that was made is known in every region.
    pub(super) async fn wait_for_role(&self, since: Duration) -> CloudResult<()> {
        let left = self.session.timing().role.saturating_sub(since);
        self.session.wait(self.hub.home(), left, "the new role to be known in every region").await
    }

    /// Brings the tags of the roles of these accounts from what they were to what they shall be.
    pub(super) async fn change_role_tags(&self, accounts: &BTreeSet<String>, before: &Tags) -> Outcome {
        if before == self.all_tags() {
            return Outcome::default();
        }
        let roles: Vec<Tagged> = self.roles_there(!self.settings.query_operations.is_empty()).map(|(name, _)| Tagged::Role(name)).collect();
        in_each(accounts.iter().map(|account| self.role_cell(account)), |cell| {
            let roles = &roles;
            async move {
                for role in roles {
                    self.session.change_tags(&cell, role, before, self.all_tags()).await?;
                }
                Ok(())
            }
        })
        .await
    }

    /// Removes the roles of these accounts; `reading` tells whether there may be reading roles.
    pub(super) async fn remove_roles(&self, accounts: &BTreeSet<String>, reading: bool) -> Outcome {
        self.remove_each(accounts, &self.roles_there(reading).collect::<Vec<_>>()).await
    }

    /// Removes the reading roles of these accounts, which stay in scope.
    pub(super) async fn remove_reading_roles(&self, accounts: &BTreeSet<String>) -> Outcome {
        self.remove_each(accounts, &[(self.hub.read_role_name(), READ_POLICY_NAME)]).await
    }

    /// Removes the roles of these accounts that this apply made.
    pub(super) async fn remove_made_roles(&self, accounts: &BTreeSet<String>) -> Outcome {
        let roles: Vec<(String, &'static str)> = self.roles_there(true).collect();
        in_each(accounts.iter().map(|account| self.role_cell(account)), |cell| {
            let made = roles.iter().filter(|(name, _)| self.made.has(&Thing::Role(cell.account.clone(), name.clone())));
            let made: Vec<_> = made.cloned().collect();
            async move {
                for (name, policy) in made {
                    self.remove_role(&cell, &name, [policy]).await?;
                }
                Ok(())
            }
        })
        .await
    }

    async fn remove_each(&self, accounts: &BTreeSet<String>, roles: &[(String, &'static str)]) -> Outcome {
        in_each(accounts.iter().map(|account| self.role_cell(account)), |cell| async move {
            for (name, policy) in roles {
                self.remove_role(&cell, name, [*policy]).await?;
            }
            Ok(())
        })
        .await
    }

    /// Removes a role with its policies of these names.
    pub(super) async fn remove_role<'p>(&self, cell: &Cell, name: &str, policies: impl IntoIterator<Item = &'p str>) -> CloudResult<()> {
        let steps = policies.into_iter().map(|policy| (policy, RoleStep::RemovePolicy)).chain([("", RoleStep::Remove)]);
        for (policy, step) in steps {
            self.session.iam(cell, role_call((name, policy), step, self.all_tags())).await?;
        }
        Ok(())
    }
}

/// The call that takes a step about a role of this name, whose policy has that one.
fn role_call((name, policy_name): (&str, &str), step: RoleStep, tags: &Tags) -> Call {
    let name = name.to_owned();
    match step {
        RoleStep::Create(Role { description, trust, boundary, .. }) => {
            Call::CreateRole { name, path: ROLE_PATH.to_owned(), description, trust, boundary, tags: tags.clone() }
        }
        RoleStep::ChangeTrust(trust) => Call::UpdateTrust { role: name, trust },
        RoleStep::ChangeBoundary(boundary) => Call::PutBoundary { role: name, boundary },
        RoleStep::PutPolicy(policy) => Call::PutRolePolicy { role: name, name: policy_name.to_owned(), policy },
        RoleStep::RemovePolicy => Call::DeleteRolePolicy { role: name, name: policy_name.to_owned() },
        RoleStep::Remove => Call::DeleteRole { name },
    }
}

/// The accounts of cells.
pub(super) fn accounts_of<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> BTreeSet<String> {
    cells.into_iter().map(|cell| cell.account.clone()).collect()
}
