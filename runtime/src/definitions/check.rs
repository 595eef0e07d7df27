//! What only shows when triggers and destinations are seen together, and what the expressions and templates of a trigger tell.

use std::collections::BTreeMap;

use trailwire_engine::check::check_trigger;
use trailwire_engine::diagnostic::{Code, Diagnostic, Path, Severity};
use trailwire_engine::template;
use trailwire_engine::text::nearest;
use trailwire_engine::trigger::{Action, Destination, Trigger};

/// Every diagnostic of a trigger among these destinations, with paths within the trigger.
pub(super) fn check(trigger: &Trigger, destinations: &BTreeMap<String, Destination>) -> Vec<Diagnostic> {
    let told = check_trigger(trigger).into_iter().map(told_only).chain(template::diagnose_trigger(trigger));
    told.chain(check_destinations(trigger, destinations)).collect()
}

/// Destinations that nothing declares, or that do not take what the trigger sends to them.
pub(crate) fn check_destinations(trigger: &Trigger, destinations: &BTreeMap<String, Destination>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (index, action) in trigger.actions.iter().enumerate() {
        let at = |block: &str| Path::root("action").index(index).attribute(block).index(0);
        match action {
            Action::Wait(_) | Action::Query(_) => {}
            Action::Send(send) => {
                let path = at("send").attribute("destination");
                match destinations.get(&send.destination) {
                    Some(destination) => diagnostics.extend(destination.refuses_events().map(|refused| refused.at(path))),
                    None => diagnostics.push(unknown(&send.destination, destinations, path)),
                }
            }
            Action::Notify(notify) => {
                let path = at("notify");
                for (position, name) in notify.destinations.iter().enumerate().filter(|(_, name)| !destinations.contains_key(*name)) {
                    diagnostics.push(unknown(name, destinations, path.attribute("destinations").index(position)));
                }
            }
        }
    }
    diagnostics
}

/// A test that fails stops a plan and `trailwire test`, and so does what only makes a trigger useless, or what this version calls a mistake and the
/// one that applied it did not; a trigger that is in force they do not stop.
fn told_only(diagnostic: Diagnostic) -> Diagnostic {
    let stops_plans_only = match diagnostic.code {
        Code::TEST_VERDICT | Code::TEST_EVENT | Code::NEVER_FIRES => true,
        // What this version does not know of AWS stops the query alone.
        Code::UNKNOWN_OPERATION | Code::BAD_PARAMETER | Code::RESULT_MEMBER => true,
        Code::ALLOW_UNKNOWN | Code::ALLOW_REFUSED | Code::ALLOW_REASON => true,
        code => code.is_silenceable(),
    };
    if stops_plans_only { Diagnostic { severity: Severity::Warning, ..diagnostic } } else { diagnostic }
}

fn unknown(name: &str, destinations: &BTreeMap<String, Destination>, path: Path) -> Diagnostic {
    let help = match nearest(name, destinations.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "declare it among the destinations".to_owned(),
    };
    Diagnostic::error(Code::BAD_DESTINATION, format!("no destination `{name}` is declared")).at(path).help(help)
}
