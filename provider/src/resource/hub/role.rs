//! The forwarding role: one in each account, by which EventBridge puts what that account's rules carry on the hub's bus.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use trailwire_engine::fanout::names::{Cell, ROLE_PATH};
use trailwire_engine::fanout::objects::{FoundRole, Role, RoleStep};
use trailwire_engine::fanout::policy::FORWARD_POLICY_NAME;
use trailwire_engine::fanout::table::HubRecord;

use super::column::{Looked, Place};
use super::home::{Home, Reasons};
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

    /// The role of a cell's account, and whether it was missing.
    async fn role(&self, cell: &Cell) -> CloudResult<(Reasons, bool)> {
        let role = Role::forward(self.hub, &cell.account, self.settings.permissions_boundary.clone());
        self.one_role(cell, role, FORWARD_POLICY_NAME).await
    }

    /// A role with its policy of this name, and whether it was missing.
    pub(super) async fn one_role(&self, cell: &Cell, role: Role, policy_name: &str) -> CloudResult<(Reasons, bool)> {
        let found = match self.session.get_role(cell, &role.name).await? {
            Some(there) => {
                let policy = self.session.get_role_policy(cell, &role.name, policy_name).await?;
                Some(FoundRole { trust: there.trust, boundary: there.boundary, policy })
            }
            None => None,
        };
        let mut reasons = Reasons::new();
        for fault in role.faults(found.as_ref()) {
            reasons.push(fault.reason);
            for step in fault.steps.into_iter().filter(|_| self.repairs()) {
                self.session.iam(cell, role_call(&role.name, policy_name, step, self.all_tags())).await?;
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
        let name = self.hub.forward_role_name();
        let gone = outside.iter().filter(|cell| **cell == self.role_cell(&cell.account) && !record.accounts.contains(&cell.account));
        let name = &name;
        let looks = join_all(gone.map(|cell| async move { (cell, self.session.get_role(cell, name).await) }));
        let mut looked = Looked::default();
        for (cell, role) in looks.await {
            let told = |_| format!("role {name} is not wanted here any more");
            looked.add(cell, role.map(|role| role.into_iter().map(told).collect()), Place::Outside);
        }
        looked
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
        let role = Tagged::Role(self.hub.forward_role_name());
        in_each(accounts.iter().map(|account| self.role_cell(account)), |cell| {
            let role = &role;
            async move { self.session.change_tags(&cell, role, before, self.all_tags()).await }
        })
        .await
    }

    /// Removes the roles of these accounts.
    pub(super) async fn remove_roles(&self, accounts: &BTreeSet<String>) -> Outcome {
        in_each(accounts.iter().map(|account| self.role_cell(account)), |cell| async move {
            self.remove_role(&cell, &self.hub.forward_role_name(), FORWARD_POLICY_NAME).await
        })
        .await
    }

    /// Removes a role and its policy of this name.
    pub(super) async fn remove_role(&self, cell: &Cell, name: &str, policy_name: &str) -> CloudResult<()> {
        for step in Role::REMOVAL {
            self.session.iam(cell, role_call(name, policy_name, step, self.all_tags())).await?;
        }
        Ok(())
    }
}

/// The call that takes a step about a role.
fn role_call(name: &str, policy_name: &str, step: RoleStep, tags: &Tags) -> Call {
    let (name, policy_name) = (name.to_owned(), policy_name.to_owned());
    match step {
        RoleStep::Create(Role { description, trust, boundary, .. }) => {
            Call::CreateRole { name, path: ROLE_PATH.to_owned(), description, trust, boundary, tags: tags.clone() }
        }
        RoleStep::ChangeTrust(trust) => Call::UpdateTrust { role: name, trust },
        RoleStep::ChangeBoundary(boundary) => Call::PutBoundary { role: name, boundary },
        RoleStep::PutPolicy(policy) => Call::PutRolePolicy { role: name, name: policy_name, policy },
        RoleStep::RemovePolicy => Call::DeleteRolePolicy { role: name, name: policy_name },
        RoleStep::Remove => Call::DeleteRole { name },
    }
}

/// The accounts of cells.
pub(super) fn accounts_of<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> BTreeSet<String> {
    cells.into_iter().map(|cell| cell.account.clone()).collect()
}
