//! `data "trailwire_event_names"`: the names of a source's events, from the catalogue.

use trailwire_engine::catalogue;
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};

use crate::context::Context;
use crate::resource::{Boxed, DataSource, ReadDataRequest, ReadResponse, ValidateRequest};
use crate::schema::{Attribute, Schema, Type};
use crate::value::Dynamic;

/// The data source. It asks AWS nothing.
#[derive(Debug, Clone, Copy)]
pub struct EventNamesData;

impl DataSource for EventNamesData {
    fn name(&self) -> &'static str {
        "trailwire_event_names"
    }

    fn schema(&self) -> Schema {
        let about = "The names of a source's events, in CloudTrail's spelling: Lambda's `CreateFunction` is `CreateFunction20150331`. They come from the catalogue \
                     that the provider carries; AWS is not asked. Names that only IAM's list of actions has are among them: CloudTrail may never write those.";
        Schema::new(0, about)
            .attribute(Attribute::string("event_source").required().not_empty().describe("The event source, such as `iam.amazonaws.com`."))
            .attribute(Attribute::string("prefix").optional().not_empty().describe("Only names that begin so. Case counts."))
            .attribute(
                Attribute::bool("read_only")
                    .optional()
                    .describe("Only names of events that change nothing (`true`) or only of those that may (`false`). Omitted: all."),
            )
            .attribute(Attribute::list("names", Type::String).computed().describe("The names, in alphabetical order."))
    }

    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        let source = request.config.get_str("event_source");
        source.and_then(|source| names(source).err()).map(|wrong| wrong.at(Path::root("event_source"))).into_iter().collect()
    }

    fn read<'a>(&'a self, _: &'a Context, request: ReadDataRequest) -> Boxed<'a, ReadResponse> {
        Box::pin(async move { read(&request.config).into() })
    }
}

fn read(config: &Dynamic) -> Result<Dynamic, Diagnostic> {
    let source = config.get_str("event_source").unwrap_or_default();
    let prefix = config.get_str("prefix").unwrap_or_default();
    let read_only = config.get_bool("read_only");
    let events = names(source).map_err(|wrong| wrong.at(Path::root("event_source")))?;
    let wanted =
        events.into_iter().filter(|event| event.name.starts_with(prefix) && read_only.is_none_or(|only| event.entry.read_only == only));
    let mut state = config.clone();
    state.set("names", Dynamic::strings(wanted.map(|event| event.name)));
    Ok(state)
}

/// The events of a source that the catalogue knows, or why there are none.
pub(crate) fn names(source: &str) -> Result<Vec<catalogue::Event>, Diagnostic> {
    catalogue::events(source).ok_or_else(|| {
        let wrong = Diagnostic::error(Code::UNKNOWN_EVENT_SOURCE, format!("the catalogue has no event source `{source}`"));
        match catalogue::closest_source(source) {
            Some(meant) => wrong.help(format!("did you mean `{meant}`?")),
            None => wrong.help("`trailwire events` lists all of them"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(source: &str, members: &[(&str, Dynamic)]) -> Dynamic {
        let mut config = Dynamic::object([("event_source", Dynamic::from(source)), ("names", Dynamic::Null)]);
        members.iter().for_each(|(name, value)| config.set(name, value.clone()));
        config
    }

    #[test]
    fn names_by_prefix_and_effect() {
        let names = |members: &[(&str, Dynamic)]| read(&config("lambda.amazonaws.com", members)).unwrap().get_strings("names");
        assert_eq!(names(&[("prefix", "CreateF".into())]), ["CreateFunction20150331", "CreateFunctionUrlConfig"]);
        let (all, reads, changes) = (names(&[]), names(&[("read_only", true.into())]), names(&[("read_only", false.into())]));
        assert_eq!(all.len(), reads.len() + changes.len());
        assert!(reads.contains(&"ListFunctions".to_owned()) && changes.contains(&"CreateFunction20150331".to_owned()));
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn an_unknown_source_names_the_one_that_was_meant() {
        let request = ValidateRequest { config: config("cloudwatch.amazonaws.com", &[]) };
        let found = EventNamesData.validate(&request);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "the catalogue has no event source `cloudwatch.amazonaws.com`");
        assert_eq!(found[0].help.as_deref(), Some("did you mean `monitoring.amazonaws.com`?"));
        assert!(EventNamesData.validate(&ValidateRequest { config: config("iam.amazonaws.com", &[]) }).is_empty());
        let unknown = Dynamic::object([("event_source", Dynamic::Unknown)]);
        assert!(EventNamesData.validate(&ValidateRequest { config: unknown }).is_empty());
    }
}
