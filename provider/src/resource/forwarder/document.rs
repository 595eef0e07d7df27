//! Between a forwarder's configuration, its document and the attributes of its state.

use serde_json::Value;
use trailwire_engine::check::check_forwarder;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::limits::check_names;
use trailwire_engine::fanout::names::Carrier;
use trailwire_engine::fanout::pattern::PatternTooLong;
use trailwire_engine::fanout::pushed::{Pushed, forwarded_after};
use trailwire_engine::trigger::{FORWARDER_MEMBERS, Forwarder, Trigger, placeholder};

use crate::resource::common::{optional_list, optional_map, optional_set, optional_tags, tags_value, to_json, without_set_elements};
use crate::resource::rows::Settings;
use crate::resource::rows::carried::{pushed_of, set_pushed};
use crate::resource::trigger::check::{SETS, is_premature};
use crate::resource::{PlanRequest, plan};
use crate::value::Dynamic;

/// What decides the events that the rules carry.
const DECIDES: [&str; 3] = ["all", "event_names", "event_sources"];

/// The forwarder that a configuration declares, with something in the place of what is not known yet, or everything that is wrong with its form.
pub(super) fn parse(config: &Dynamic) -> Result<Forwarder, Vec<Diagnostic>> {
    let document: Value = to_json(config, &FORWARDER_MEMBERS, placeholder);
    let parsed = Forwarder::from_value(&document);
    parsed.map_err(|diagnostics| diagnostics.into_iter().map(|diagnostic| without_set_elements(diagnostic, &SETS)).collect())
}

/// The forwarder as far as it can be read, and everything that is wrong, or looks wrong, with a configuration.
pub(super) fn check(config: &Dynamic) -> (Option<Forwarder>, Vec<Diagnostic>) {
    let (forwarder, mut diagnostics) = match parse(config) {
        Ok(forwarder) => {
            let mut diagnostics = check_forwarder(&forwarder, &|name| config.get(name).is_wholly_known());
            diagnostics.extend(check_names(&forwarder.events()));
            (Some(forwarder), diagnostics)
        }
        Err(diagnostics) => (None, diagnostics),
    };
    diagnostics.retain(|diagnostic| !is_premature(config, diagnostic));
    (forwarder, diagnostics)
}

/// Whether all of the document is known.
pub(super) fn is_decided(config: &Dynamic) -> bool {
    FORWARDER_MEMBERS.iter().all(|name| config.get(name).is_wholly_known())
}

/// What the rules of a forwarder are to carry, when its state was `prior` and its attributes are `planned`.
pub(super) fn choose(forwarder: &Forwarder, prior: &Dynamic, planned: &Dynamic) -> Result<Pushed, PatternTooLong> {
    let unchanged = DECIDES.iter().all(|name| prior.get(name) == planned.get(name));
    forwarded_after(forwarder, pushed_of(prior).filter(|_| unchanged).as_ref())
}

/// Plans the attributes that tell what the rules carry: unknown as long as that is not decided.
pub(super) fn plan_pushed(planned: &mut Dynamic, request: &PlanRequest) {
    let is_decided = DECIDES.iter().all(|name| request.config.get(name).is_wholly_known());
    let forwarder = parse(&request.config).ok().filter(|_| is_decided);
    match forwarder.and_then(|forwarder| choose(&forwarder, &request.prior, planned).ok()) {
        Some(pushed) => set_pushed(planned, Carrier::Forwarder, &pushed),
        None => plan::mark_unknown(planned, &["pushed_pattern", "pattern_sha256"]),
    }
}

/// The attributes that a document and its settings say; the other computed ones and `timeouts` are left to the caller.
pub(super) fn attributes(events: &Trigger, settings: &Settings) -> Dynamic {
    let all = events.event_names.is_empty() && events.event_sources.is_empty();
    Dynamic::object([
        ("name", Dynamic::String(events.name.clone())),
        ("all", Dynamic::Bool(all)),
        ("event_names", optional_list(&events.event_names)),
        ("event_sources", optional_list(&events.event_sources)),
        ("include_read_only", Dynamic::Bool(events.include_read_only)),
        ("regions", optional_set(&events.regions)),
        ("exclude_regions", optional_set(&events.exclude_regions)),
        ("account_ids", optional_set(&events.account_ids)),
        ("allow", optional_map(&events.allow)),
        ("failure_tolerance", Dynamic::from(settings.failure_tolerance)),
        ("tags", optional_tags(&settings.tags)),
        ("tags_all", tags_value(&settings.tags_all)),
    ])
}
