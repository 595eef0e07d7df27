//! What the catalogue says of one name or source.

use crate::catalogue::{self, Closest, Entry, Origin, closest_events, closest_source, has_source, sources_of, written_as};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::matcher::is_read_only_name;

/// Of how many other sources a name may be for its being renamed in one to be worth a word. (`TagResource` is an event of hundreds.)
const FEW: usize = 3;

/// How many near names are looked at.
const NEAR: usize = 20;

/// What else decides.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// Whether it is worth the time to search for what was meant by a name that nobody knows.
    pub(super) searches: bool,
    /// Whether read-only events are known to be left out.
    pub(super) leaves_out_reads: bool,
    /// Whether nothing can narrow the sources further.
    pub(super) is_settled: bool,
}

/// The sources that a trigger may mean.
#[derive(Debug, Clone)]
pub(super) enum Sources<'t> {
    /// Every one.
    All,
    /// One of these.
    Of(Vec<&'t str>),
}

/// A source that has an event of the name.
pub(super) struct Candidate {
    pub(super) source: String,
    pub(super) entry: Entry,
}

impl<'t> Sources<'t> {
    /// Those that are listed; all where none are.
    pub(super) fn of(listed: &'t [String]) -> Self {
        if listed.is_empty() { Self::All } else { Self::Of(listed.iter().map(String::as_str).collect()) }
    }

    /// Those that are among others, too. Where none are, the others: the contradiction is told elsewhere.
    pub(super) fn within(self, others: impl Iterator<Item = &'t str>) -> Self {
        let others: Vec<&str> = others.collect();
        match self {
            Self::Of(own) if own.iter().any(|source| others.contains(source)) => {
                Self::Of(own.into_iter().filter(|source| others.contains(source)).collect())
            }
            _ => Self::Of(others),
        }
    }

    /// Those that have an event of the name, or whose API has it.
    pub(super) fn candidates(&self, name: &str) -> Vec<Candidate> {
        let candidate = |source: String| Some(Candidate { entry: catalogue::lookup(&source, name)?, source });
        match self {
            Self::All => catalogue::sources().filter_map(candidate).collect(),
            Self::Of(list) => list.iter().map(|source| (*source).to_owned()).filter_map(candidate).collect(),
        }
    }

    /// Whether one of them is not in the catalogue, so that it may have any event.
    pub(super) fn has_unknown(&self) -> bool {
        match self {
            Self::All => false,
            Self::Of(list) => list.iter().any(|source| !has_source(source)),
        }
    }

    fn listed(&self) -> Vec<String> {
        match self {
            Self::All => Vec::new(),
            Self::Of(list) => list.iter().map(|source| (*source).to_owned()).collect(),
        }
    }

    /// ` of a or b`; nothing for all.
    fn said(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Of(list) => format!(" of {}", any_of(list)),
        }
    }
}

/// What is to be told of a name that the trigger waits for.
pub(super) fn wanted(name: &str, sources: &Sources<'_>, candidates: &[Candidate], asked: Asked) -> Vec<Diagnostic> {
    let (renamed, live): (Vec<_>, Vec<_>) = candidates.iter().partition(|candidate| candidate.entry.origin == Origin::Renamed);
    if live.is_empty() {
        return absent(name, sources, &renamed, asked).into_iter().collect();
    }
    if sources.has_unknown() {
        return Vec::new();
    }
    let all = |holds: fn(&Entry) -> bool| live.iter().all(|candidate| holds(&candidate.entry));
    let mut found = Vec::new();
    let is_all = matches!(sources, Sources::All);
    if let [one, ..] = renamed.as_slice()
        && is_all
        && asked.is_settled
        && live.len() <= FEW
    {
        found.push(also_renamed(name, one, &live));
    }
    if asked.leaves_out_reads && live.iter().all(|candidate| is_left_out(name, candidate)) {
        let message = format!("`{name}` is a read-only event, and this trigger leaves those out");
        let help = "set `include_read_only = true`; rules then carry every read-only event of these names";
        found.push(Diagnostic::error(Code::READ_ONLY_EVENT, message).help(help));
    }
    if all(|entry| !entry.reaches_event_bridge) {
        let message = format!("`{name}` of {} never reaches EventBridge", sources_of_live(&live));
        found.push(Diagnostic::error(Code::UNRECORDED_EVENT, message).help("no trigger can see it: take it out"));
    } else if all(|entry| entry.data_event) {
        let message = format!("`{name}` is a data event, which is recorded only where a trail's selectors ask for it");
        let help = "where a trail selects it, say so: `allow = { TW2405 = \"the trail selects it\" }`";
        found.push(Diagnostic::warning(Code::DATA_EVENT, message).help(help));
    }
    found
}

/// What is to be told of a name that the match leaves out: whether there is such an event.
pub(super) fn unwanted(name: &str, sources: &Sources<'_>, candidates: &[Candidate], asked: Asked) -> Vec<Diagnostic> {
    let renamed: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.entry.origin == Origin::Renamed).collect();
    if renamed.len() < candidates.len() {
        return Vec::new();
    }
    let told = absent(name, sources, &renamed, asked);
    told.map(|diagnostic| Diagnostic { severity: Severity::Warning, ..diagnostic }).into_iter().collect()
}

/// A name that none of the sources has.
fn absent(name: &str, sources: &Sources<'_>, renamed: &[&Candidate], asked: Asked) -> Option<Diagnostic> {
    if let [one, ..] = renamed {
        let spelt = written_as(&one.source, name);
        let message = format!("`{name}` is what the API calls it: CloudTrail writes {}", any_of(&spelt));
        // A source that nobody knows may have it.
        let severity = if sources.has_unknown() { Severity::Warning } else { Severity::Error };
        let told = Diagnostic { severity, ..Diagnostic::error(Code::RENAMED_EVENT, message) };
        return Some(told.help(format!("write {}", any_of(&spelt))));
    }
    if sources.has_unknown() {
        return None;
    }
    let elsewhere = if matches!(sources, Sources::All) { Vec::new() } else { sources_of(name) };
    if !elsewhere.is_empty() {
        let message = format!("no event `{name}`{} is known", sources.said());
        let elsewhere: Vec<&str> = elsewhere.iter().map(String::as_str).collect();
        let verb = if elsewhere.len() == 1 { "has" } else { "have" };
        return Some(Diagnostic::warning(Code::NAME_OF_OTHER_SOURCE, message).help(format!("{} {verb} it", some_of(&elsewhere))));
    }
    if name.contains('*') {
        let message = format!("no event is called `{name}`: names are compared as they are, and `*` stands for itself");
        let help = "name the events, or set `any_event = true` and write `starts_with(detail.eventName, '…')` in the match";
        return Some(Diagnostic::error(Code::UNKNOWN_EVENT_NAME, message).help(help));
    }
    let told = Diagnostic::warning(Code::UNKNOWN_EVENT_NAME, format!("no event `{name}`{} is known", sources.said()));
    let near = if asked.searches { closest_events(&sources.listed(), name, NEAR) } else { Vec::new() };
    Some(match meant(&near, sources) {
        meant if meant.is_empty() => told.help("names are CloudTrail's, and case counts: `trailwire events` lists those that are known"),
        meant => told.help(format!("did you mean {}?", meant.join(" or "))),
    })
}

/// The nearest two names; the source of one where the trigger does not say it and no other source has the name.
fn meant(near: &[Closest], sources: &Sources<'_>) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    for closest in near {
        if !names.contains(&closest.name.as_str()) {
            names.push(&closest.name);
        }
    }
    let is_said = matches!(sources, Sources::Of(list) if list.len() == 1);
    let shown = names.into_iter().take(2).map(|name| {
        let mut having = near.iter().filter(|closest| closest.name == name);
        match (having.next(), having.next()) {
            (Some(only), None) if !is_said => format!("`{name}` of `{}`", only.source),
            _ => format!("`{name}`"),
        }
    });
    shown.collect()
}

/// A name that some sources have, and that one of them writes otherwise.
fn also_renamed(name: &str, one: &Candidate, live: &[&Candidate]) -> Diagnostic {
    let spelt = written_as(&one.source, name);
    let message = format!("`{name}` is an event of {}; for `{}`, CloudTrail writes {}", sources_of_live(live), one.source, any_of(&spelt));
    Diagnostic::warning(Code::RENAMED_EVENT, message).help(format!("write {}, or name the source in `event_sources`", any_of(&spelt)))
}

/// Whether a plain rule leaves the event out.
fn is_left_out(name: &str, candidate: &Candidate) -> bool {
    candidate.entry.read_only && is_read_only_name(name, Some(&candidate.source))
}

/// A source that the catalogue does not know. It is certain that there is none where it is written otherwise than CloudTrail does.
pub(super) fn unknown_source(source: &str) -> Diagnostic {
    let meant = closest_source(source);
    let bare = |text: &str| {
        let lower = text.trim().to_lowercase();
        let lower = lower.strip_prefix("aws.").unwrap_or(&lower);
        lower.strip_suffix(catalogue::DOMAIN).unwrap_or(lower).to_owned()
    };
    match meant {
        Some(meant) if bare(source) == bare(&meant) => {
            let message = format!("`{source}` is no event source: CloudTrail writes `{meant}`");
            Diagnostic::error(Code::UNKNOWN_EVENT_SOURCE, message).help(format!("write `{meant}`"))
        }
        Some(meant) => unknown(source).help(format!("did you mean `{meant}`?")),
        None => unknown(source).help("`trailwire events` lists those that are known"),
    }
}

fn unknown(source: &str) -> Diagnostic {
    Diagnostic::warning(Code::UNKNOWN_EVENT_SOURCE, format!("no event source `{source}` is known"))
}

fn sources_of_live(live: &[&Candidate]) -> String {
    some_of(&live.iter().map(|candidate| candidate.source.as_str()).collect::<Vec<_>>())
}

fn any_of(words: &[&str]) -> String {
    joined(words, "or")
}

/// All of them where they are few, else the first and how many there are beside.
pub(super) fn some_of(words: &[&str]) -> String {
    match words.split_at_checked(FEW) {
        Some((shown, others @ [_, _, ..])) => {
            let shown: Vec<String> = shown.iter().map(|word| format!("`{word}`")).collect();
            format!("{} and {} others", shown.join(", "), others.len())
        }
        _ => joined(words, "and"),
    }
}

/// `` `a`, `b` or `c` ``.
pub(super) fn joined(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., end] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} {last} `{end}`", first.join(", "))
        }
    }
}
