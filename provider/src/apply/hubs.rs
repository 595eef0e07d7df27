//! The hubs that a name means: one in each region of the account may have it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::names::Hub;

/// What this process knows, by name.
#[derive(Debug, Default)]
pub struct Hubs {
    there: Mutex<HashMap<String, BTreeSet<Hub>>>,
    /// Those that this process was asked to read or to plan.
    met: Mutex<HashMap<String, BTreeSet<Hub>>>,
    searches: Mutex<HashMap<String, Arc<OnceCell<()>>>>,
}

impl Hubs {
    /// Those that are known to be there. Only after [`Hubs::search`] these are all.
    pub fn known(&self, name: &str) -> BTreeSet<Hub> {
        of(&self.there, name)
    }

    /// The one that is known to be there, unless another one is, or was met.
    pub fn only(&self, name: &str) -> Option<Hub> {
        let mut there = self.known(name);
        let only = there.pop_first()?;
        let is_only = there.is_empty() && of(&self.met, name).iter().all(|met| *met == only);
        is_only.then_some(only)
    }

    /// Remembers one that is there.
    pub fn remember(&self, hub: &Hub) {
        insert(&self.there, hub);
    }

    /// Remembers one that is read or planned: it is, or will be, there.
    pub fn meet(&self, hub: &Hub) {
        insert(&self.met, hub);
    }

    /// Forgets one that was removed.
    pub fn forget(&self, hub: &Hub) {
        if let Some(hubs) = self.there.lock().unwrap_or_else(PoisonError::into_inner).get_mut(hub.name()) {
            hubs.remove(hub);
        }
    }

    /// Remembers all that `search` finds. It is made once for each name; a failed one counts for nothing.
    ///
    /// # Errors
    /// Those of the search.
    pub async fn search<E>(&self, name: &str, search: impl Future<Output = Result<Vec<Hub>, E>>) -> Result<(), E> {
        let once = Arc::clone(self.searches.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default());
        let found = async { search.await.map(|hubs| hubs.iter().for_each(|hub| self.remember(hub))) };
        once.get_or_try_init(|| found).await?;
        Ok(())
    }

    /// What is wrong with a name that a plan is to find a hub by, as far as this is known without a search.
    pub fn check(&self, name: &str) -> Option<Diagnostic> {
        let mut all = self.known(name);
        all.extend(of(&self.met, name));
        (all.len() > 1).then(|| several(name, &all))
    }
}

fn of(hubs: &Mutex<HashMap<String, BTreeSet<Hub>>>, name: &str) -> BTreeSet<Hub> {
    hubs.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default()
}

fn insert(hubs: &Mutex<HashMap<String, BTreeSet<Hub>>>, hub: &Hub) {
    hubs.lock().unwrap_or_else(PoisonError::into_inner).entry(hub.name().to_owned()).or_default().insert(hub.clone());
}

/// The name means more than one hub.
pub fn several(name: &str, hubs: &BTreeSet<Hub>) -> Diagnostic {
    let arns: Vec<String> = hubs.iter().map(Hub::arn).collect();
    let help = format!("name the one you mean by its ARN, `trailwire_hub.NAME.arn`: {}", arns.join(", "));
    Diagnostic::error(Code::NOT_FOUND, format!("there are several hubs `{name}` in this account")).at(Path::root("hub")).help(help)
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use trailwire_engine::fanout::names::Cell;

    use super::*;

    fn hub(region: &str) -> Hub {
        Hub::new("security", Cell::new("111122223333", region))
    }

    #[test]
    fn a_name_that_is_known_to_mean_two_hubs_is_told_while_planning() {
        let hubs = Hubs::default();
        hubs.remember(&hub("eu-west-1"));
        hubs.meet(&hub("eu-west-1"));
        assert_eq!((hubs.check("security"), hubs.only("security")), (None, Some(hub("eu-west-1"))));
        hubs.meet(&hub("us-east-1"));
        assert_eq!(hubs.only("security"), None);
        assert_eq!(
            hubs.check("security").unwrap().draw(),
            "error[TW4006]: there are several hubs `security` in this account (in hub)\n  = help: name the one you mean by its ARN, \
             `trailwire_hub.NAME.arn`: arn:aws:events:eu-west-1:111122223333:event-bus/trailwire-security, \
             arn:aws:events:us-east-1:111122223333:event-bus/trailwire-security"
        );
        assert_eq!((hubs.check("other"), hubs.only("other")), (None, None));
    }

    #[tokio::test]
    async fn a_search_is_made_once_and_a_failed_one_again() {
        let hubs = Hubs::default();
        assert_eq!(hubs.search("security", ready(Err("cut"))).await, Err("cut"));
        assert_eq!(hubs.search::<()>("security", ready(Ok(vec![hub("eu-west-1")]))).await, Ok(()));
        assert_eq!(hubs.search::<()>("security", ready(Ok(vec![hub("us-east-1")]))).await, Ok(()));
        assert_eq!(hubs.known("security"), BTreeSet::from([hub("eu-west-1")]));
        hubs.forget(&hub("eu-west-1"));
        assert_eq!(hubs.known("security"), BTreeSet::new());
    }
}
