//! What a hub is configured to cover, and the cells that this means now.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path, Severity};
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::policy::ACCOUNTS_BY_NAME_MAX;

use super::told;
use crate::cloud::Session;
use crate::cloud::error::{CloudError, CloudResult, Kind};
use crate::resource::common::optional_set;
use crate::value::Dynamic;

/// The arguments of a hub that say which accounts and regions it covers, as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coverage {
    /// Nothing stands for every region that is enabled in an account.
    pub regions: Option<Vec<String>>,
    /// Taken out of them.
    pub exclude_regions: Option<Vec<String>>,
    /// Accounts beside the hub's own.
    pub member_accounts: Option<Vec<String>>,
    /// Accounts of an organisation, in place of named ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Membership>,
    /// Accounts that were given up.
    pub abandon_accounts: Option<Vec<String>>,
}

/// The accounts of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Membership {
    /// Its id.
    pub id: String,
    /// Roots or units; nothing stands for all of it.
    pub organizational_unit_ids: Option<Vec<String>>,
    /// Accounts that are left out.
    pub exclude_account_ids: Option<Vec<String>>,
}

/// The accounts that a coverage means now.
#[derive(Debug, Default)]
pub struct Members {
    /// The hub's own account and the others.
    pub accounts: BTreeSet<String>,
    /// The management account of the organisation, when it is among them and not the hub's own.
    pub management: Option<String>,
}

/// The cells that a coverage means now.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Every cell of the accounts whose regions are known.
    pub cells: BTreeSet<Cell>,
    /// Accounts whose regions could not be asked for.
    pub failed: BTreeMap<String, CloudError>,
    /// See [`Members::management`].
    pub management: Option<String>,
}

impl Coverage {
    /// The arguments of a configuration; unknown ones count as not written.
    pub fn of(config: &Dynamic) -> Self {
        let list = |name: &str| (!config.get(name).is_null()).then(|| config.get_strings(name));
        Self {
            regions: list("regions"),
            exclude_regions: list("exclude_regions"),
            member_accounts: list("member_accounts"),
            organization: config.get_block("organization").map(Membership::of),
            abandon_accounts: list("abandon_accounts"),
        }
    }

    /// Whether every one of these arguments is known.
    pub fn is_known(config: &Dynamic) -> bool {
        let names = ["regions", "exclude_regions", "member_accounts", "organization", "abandon_accounts"];
        names.iter().all(|name| config.get(name).is_wholly_known())
    }

    /// What is wrong with the arguments, whoever calls. Unknown ones are skipped.
    pub fn check(&self) -> Vec<Diagnostic> {
        let mut wrong = Vec::new();
        let excluded = self.exclude_regions.as_deref().unwrap_or_default();
        if let Some(named) = self.regions.as_ref().filter(|named| !named.is_empty())
            && named.iter().all(|region| excluded.contains(region))
        {
            let message = "every region in `regions` is excluded, so nothing would be watched";
            wrong.push(Diagnostic::error(Code::CONFLICT, message).at(Path::root("exclude_regions")).help("exclude less"));
        }
        let members = self.member_accounts.as_deref().unwrap_or_default();
        for account in members.iter().filter(|account| self.abandons(account)) {
            let message = format!("account {account} is in `member_accounts` and in `abandon_accounts`");
            wrong.push(Diagnostic::error(Code::CONFLICT, message).at(Path::root("abandon_accounts")).help("take it out of one of them"));
        }
        if self.organization.is_some() && self.member_accounts.is_some() {
            let message = "`member_accounts` cannot stand beside `organization`";
            let help = "take one of them out; `exclude_account_ids` and `organizational_unit_ids` narrow the organisation";
            wrong.push(Diagnostic::error(Code::CONFLICT, message).at(Path::root("member_accounts")).help(help));
        }
        if members.len() >= ACCOUNTS_BY_NAME_MAX {
            let message = format!("a bus policy names at most {ACCOUNTS_BY_NAME_MAX} accounts, the hub's own included, and these are more");
            let help = "let the bus trust a whole organisation: `organization { id = \"o-…\" }` in place of `member_accounts`";
            wrong.push(Diagnostic::error(Code::OUT_OF_RANGE, message).at(Path::root("member_accounts")).help(help));
        }
        wrong
    }

    /// What is wrong with the arguments of a hub in this account: its own account is no member, and cannot be given up.
    pub fn check_home(&self, home: &str) -> Vec<Diagnostic> {
        let named =
            |accounts: &Option<Vec<String>>| accounts.as_ref().is_some_and(|accounts| accounts.iter().any(|account| account == home));
        let wrong = [("member_accounts", &self.member_accounts), ("abandon_accounts", &self.abandon_accounts)];
        let wrong = wrong.into_iter().filter(|(_, accounts)| named(accounts));
        let told = wrong.map(|(attribute, _)| {
            let message = format!("account {home} is the hub's own, which it always covers");
            Diagnostic::error(Code::CONFLICT, message).at(Path::root(attribute)).help(format!("take it out of `{attribute}`"))
        });
        told.collect()
    }

    /// Whether an account was given up.
    pub fn abandons(&self, account: &str) -> bool {
        self.abandon_accounts.as_ref().is_some_and(|accounts| accounts.iter().any(|abandoned| abandoned == account))
    }

    /// The accounts that are meant now.
    ///
    /// # Errors
    /// When the organisation cannot be listed, or is another one than the arguments say: its accounts could not send to the hub.
    pub async fn members(&self, session: &Session, home: &str) -> CloudResult<Members> {
        let own = BTreeSet::from([home.to_owned()]);
        let (mut accounts, management) = match &self.organization {
            None => (self.member_accounts.iter().flatten().cloned().collect(), None),
            Some(membership) => {
                let found = session.organization(membership.organizational_unit_ids.as_deref().unwrap_or_default()).await?;
                if found.id != membership.id {
                    let cell = session.home().await?.cell;
                    let message = format!("account {home} is of organisation {}, and the hub says `{}`", found.id, membership.id);
                    return Err(CloudError::ours(Kind::Configuration, &cell, message));
                }
                let excluded = membership.exclude_account_ids.as_deref().unwrap_or_default();
                let kept = found.accounts.iter().filter(|account| !excluded.contains(account)).cloned();
                (kept.collect::<BTreeSet<String>>(), Some(found.management.clone()))
            }
        };
        accounts.retain(|account| !self.abandons(account));
        accounts.extend(own);
        let management = management.filter(|account| account != home && accounts.contains(account));
        Ok(Members { accounts, management })
    }

    /// The cells that are meant now: in each account the named regions, or those that are enabled there, without the excluded ones.
    ///
    /// # Errors
    /// When the regions of the hub's own account cannot be told, and when the user interrupts.
    pub async fn resolve(&self, session: &Session, home: &str) -> CloudResult<Resolved> {
        let members = self.members(session, home).await?;
        let looks = members.accounts.into_iter().map(|account| async move {
            let regions = self.regions_in(session, &account).await;
            (account, regions)
        });
        let mut resolved = Resolved { management: members.management, ..Resolved::default() };
        for (account, regions) in join_all(looks).await {
            match regions {
                Ok(regions) => resolved.cells.extend(regions.into_iter().map(|region| Cell::new(account.clone(), region))),
                Err(error) if account == home || matches!(error.kind, Kind::Interrupted | Kind::Configuration) => return Err(error),
                Err(error) => {
                    resolved.failed.insert(account, error);
                }
            }
        }
        Ok(resolved)
    }

    /// The regions that are meant in an account: the named ones, or those that are enabled there, without the excluded ones.
    pub async fn regions_in(&self, session: &Session, account: &str) -> CloudResult<BTreeSet<String>> {
        let mut regions: BTreeSet<String> = match &self.regions {
            Some(regions) => regions.iter().cloned().collect(),
            None => (*session.enabled_regions(account).await?).clone(),
        };
        regions.retain(|region| !self.exclude_regions.as_ref().is_some_and(|excluded| excluded.contains(region)));
        Ok(regions)
    }
}

impl Resolved {
    /// The cells, with those in which accounts that cannot be reached were covered `before`.
    ///
    /// # Errors
    /// When an account that cannot be reached was not covered before: there is nothing to keep.
    pub fn or_as_before(self, before: &[Cell]) -> Result<BTreeSet<Cell>, Diagnostic> {
        let mut cells = self.cells;
        let mut failed = self.failed;
        for cell in before.iter().filter(|cell| failed.contains_key(&cell.account)) {
            cells.insert(cell.clone());
        }
        failed.retain(|account, _| !cells.iter().any(|cell| cell.account == *account));
        match cannot_be_reached(Severity::Error, &failed) {
            Some(diagnostic) => Err(tell_management(diagnostic, self.management.as_deref(), failed.keys())),
            None => Ok(cells),
        }
    }
}

impl Membership {
    fn of(block: &Dynamic) -> Self {
        let list = |name: &str| (!block.get(name).is_null()).then(|| block.get_strings(name));
        Self {
            id: block.get_str("id").unwrap_or_default().to_owned(),
            organizational_unit_ids: list("organizational_unit_ids"),
            exclude_account_ids: list("exclude_account_ids"),
        }
    }

    /// The block as a value.
    pub fn value(&self) -> Dynamic {
        let list = |names: &Option<Vec<String>>| names.as_deref().map_or(Dynamic::Null, optional_set);
        Dynamic::List(vec![Dynamic::object([
            ("id", Dynamic::String(self.id.clone())),
            ("organizational_unit_ids", list(&self.organizational_unit_ids)),
            ("exclude_account_ids", list(&self.exclude_account_ids)),
        ])])
    }
}

/// Adds to an error about these accounts why the management account of an organisation is one of them.
pub fn tell_management<'a>(diagnostic: Diagnostic, management: Option<&str>, mut failed: impl Iterator<Item = &'a String>) -> Diagnostic {
    let Some(account) = management.filter(|management| failed.any(|account| account == management)) else { return diagnostic };
    let note = format!(
        "{account} is the organisation's management account: stack sets of the organisation make no role there; make it by a stack of its own, or \
         leave the account out: exclude_account_ids = [\"{account}\"]"
    );
    let help = diagnostic.help.clone().map_or_else(|| note.clone(), |help| format!("{help}\n    {note}"));
    diagnostic.help(help)
}

/// Tells of accounts that cannot be reached, all in one; nothing when there are none. A warning says that what is known of them is kept.
pub fn cannot_be_reached(severity: Severity, failed: &BTreeMap<String, CloudError>) -> Option<Diagnostic> {
    let (account, error) = failed.first_key_value()?;
    let names: Vec<&str> = failed.keys().map(String::as_str).collect();
    let what = match names.as_slice() {
        [_] => format!("account {account} cannot be reached"),
        names => format!("{} accounts cannot be reached: {}", names.len(), names.join(", ")),
    };
    let lines = told::lines(&failed.values().map(|error| ((*error.cell).clone(), error.clone())).collect());
    let code = error.diagnostic_code();
    let diagnostic = match severity {
        Severity::Error => Diagnostic::error(code, what),
        Severity::Warning => Diagnostic::warning(code, format!("{what}, and what the state says of it is kept")),
    };
    Some(diagnostic.help(lines.join("\n    ")))
}

/// Warnings about cells that could not be read: one for all accounts that do not let the provider in, and one for each other cell.
pub fn unread(cells: &BTreeMap<Cell, CloudError>) -> Vec<Diagnostic> {
    let (refused, others): (Vec<_>, Vec<_>) = cells.iter().partition(|(_, error)| error.kind == Kind::AccountRefused);
    let mut accounts = BTreeMap::new();
    for (cell, error) in refused {
        accounts.entry(cell.account.clone()).or_insert_with(|| error.clone());
    }
    let told = others.into_iter().map(|(cell, error)| {
        Diagnostic::warning(error.diagnostic_code(), format!("{cell} could not be read, what the state says of it is kept"))
            .help(error.to_string())
    });
    cannot_be_reached(Severity::Warning, &accounts).into_iter().chain(told).collect()
}
