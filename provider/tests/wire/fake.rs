//! A resource without AWS that misbehaves on request: its attribute `mode` says how.

use std::sync::Arc;
use std::time::Duration;

use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_provider::context::Context;
use trailwire_provider::function::{Function, FunctionError, Parameter};
use trailwire_provider::resource::plan::propose;
use trailwire_provider::resource::{
    ApplyRequest, ApplyResponse, Boxed, DataSource, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadDataRequest, ReadRequest,
    ReadResponse, Resource, ValidateRequest,
};
use trailwire_provider::schema::{Attribute, NestedBlock, Schema, Type, conform};
use trailwire_provider::server::Server;
use trailwire_provider::value::Dynamic;

pub(crate) const THING: &str = "trailwire_thing";

pub(crate) fn server() -> Server {
    Server::offering(vec![Arc::new(Thing)], vec![Arc::new(Things)], vec![Arc::new(Shout)])
}

pub(crate) fn schema() -> Schema {
    Schema::new(1, "A thing.")
        .attribute(Attribute::string("id").computed())
        .attribute(Attribute::string("name").required().force_new().not_empty())
        .attribute(Attribute::string("severity").default_to("medium").one_of(&["low", "medium", "high"]))
        .attribute(Attribute::number("size").optional())
        .attribute(Attribute::set("regions", Type::String).not_empty())
        .attribute(Attribute::map("tags", Type::String))
        .attribute(Attribute::string("mode").optional())
        .attribute(Attribute::string("secret_wo").write_only())
        .attribute(Attribute::number("secret_wo_version").optional())
        .attribute(Attribute::map("cells", Type::String).volatile())
        .block(
            NestedBlock::list("action", "What to do.")
                .attribute(Attribute::string("wait").default_to("1m"))
                .attribute(Attribute::string("token_wo").write_only())
                .block(NestedBlock::optional("notify", "Whom to tell.").attribute(Attribute::string("title").optional())),
        )
}

/// A configuration with these members and nothing else.
pub(crate) fn config(members: &[(&str, Dynamic)]) -> Dynamic {
    conform::conform(Dynamic::object(members.iter().map(|(name, value)| (*name, value.clone()))), &schema().block)
}

struct Thing;

impl Resource for Thing {
    fn name(&self) -> &'static str {
        THING
    }

    fn schema(&self) -> Schema {
        schema()
    }

    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        match request.config.get_str("mode") {
            Some("panic_validate") => panic!("s3cret"),
            Some("bad") => vec![Diagnostic::error(Code::NOT_ONE_OF, "`mode` is bad").at(Path::root("mode"))],
            _ => Vec::new(),
        }
    }

    fn upgrade(&self, _: i64, mut state: Dynamic) -> Result<Dynamic, Vec<Diagnostic>> {
        let renamed = state.get("title").clone();
        state.set("name", renamed);
        Ok(state)
    }

    fn read<'a>(&'a self, _: &'a Context, request: ReadRequest) -> Boxed<'a, ReadResponse> {
        Box::pin(async move {
            match request.state.get_str("mode") {
                Some("panic_read") => panic!("s3cret"),
                Some("gone") => ReadResponse::default(),
                Some("misfit") => ReadResponse { state: Dynamic::object([("name", Dynamic::from(true))]), ..ReadResponse::default() },
                _ => ReadResponse { state: request.state, ..ReadResponse::default() },
            }
        })
    }

    fn plan<'a>(&'a self, _: &'a Context, request: PlanRequest) -> Boxed<'a, PlanResponse> {
        Box::pin(async move {
            assert_ne!(request.config.get_str("mode"), Some("panic_plan"), "s3cret");
            propose(&schema(), &request)
        })
    }

    fn apply<'a>(&'a self, _: &'a Context, request: ApplyRequest) -> Boxed<'a, ApplyResponse> {
        Box::pin(async move {
            if request.is_destroy() {
                return ApplyResponse::default();
            }
            let mut state = request.planned.clone();
            state.set("id", format!("id-{}", request.planned.get_str("name").unwrap_or_default()));
            match request.config.get_str("mode") {
                Some("unknown") => return ApplyResponse { state, ..ApplyResponse::default() },
                Some("panic") => panic!("s3cret"),
                Some("panic_late") => {
                    request.progress.record(state);
                    panic!("s3cret");
                }
                Some("slow") => {
                    tokio::select! {
                        () = request.stop.cancelled() => {
                            let stopped = Diagnostic::error(Code::INTERRUPTED, "interrupted");
                            return ApplyResponse { state, diagnostics: vec![stopped], private: None };
                        }
                        () = tokio::time::sleep(Duration::from_secs(20)) => {}
                    }
                }
                _ => {}
            }
            let secret =
                request.config.get_str("secret_wo").map_or_else(|| "no secret".to_owned(), |text| format!("{} letters", text.len()));
            state.set("cells", Dynamic::object([("here", Dynamic::from(secret))]));
            ApplyResponse { state, private: Some(b"applied".to_vec()), diagnostics: Vec::new() }
        })
    }

    fn import<'a>(&'a self, _: &'a Context, request: ImportRequest) -> Boxed<'a, ImportResponse> {
        Box::pin(async move {
            let name = Dynamic::from(request.id.as_str());
            let state = Dynamic::object([
                ("id", Dynamic::from(format!("id-{}", request.id))),
                ("name", name),
                ("severity", Dynamic::from("medium")),
            ]);
            ImportResponse { state, diagnostics: Vec::new() }
        })
    }
}

struct Things;

impl DataSource for Things {
    fn name(&self) -> &'static str {
        "trailwire_things"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "Things.").attribute(Attribute::string("name").required()).attribute(Attribute::number("count_of").computed())
    }

    fn read<'a>(&'a self, _: &'a Context, request: ReadDataRequest) -> Boxed<'a, ReadResponse> {
        let mut state = request.config;
        state.set("count_of", Dynamic::Number("0.1".parse().unwrap()));
        Box::pin(std::future::ready(ReadResponse { state, ..ReadResponse::default() }))
    }
}

struct Shout;

impl Function for Shout {
    fn name(&self) -> &'static str {
        "shout"
    }

    fn summary(&self) -> &'static str {
        "Makes text loud."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter { name: "text", kind: Type::String, description: "The text." }]
    }

    fn result(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: &[Dynamic]) -> Result<Dynamic, FunctionError> {
        match arguments.first().and_then(Dynamic::as_str) {
            Some("panic") => panic!("s3cret"),
            Some(text) if !text.is_empty() => Ok(Dynamic::from(text.to_uppercase())),
            _ => Err(FunctionError { text: "nothing to shout".to_owned(), argument: Some(0) }),
        }
    }
}
