//! `data "trailwire_hub"`: a hub that lives in another state.

use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::names::{Cell, Hub, check_hub_name};

use crate::apply::scope::find_hub;
use crate::context::Context;
use crate::resource::common::cells_attribute;
use crate::resource::hub::{Settings, state_of, told};
use crate::resource::{Boxed, DataSource, ReadDataRequest, ReadResponse, ValidateRequest};
use crate::schema::{Attribute, Schema, Type};
use crate::store::{Store, StoreError};
use crate::value::Dynamic;

/// The data source.
#[derive(Debug, Clone, Copy)]
pub struct HubData;

impl DataSource for HubData {
    fn name(&self) -> &'static str {
        "trailwire_hub"
    }

    fn schema(&self) -> Schema {
        let given = Schema::new(0, "A hub that is declared in another state.")
            .attribute(Attribute::string("name").required().not_empty().describe("The hub's name."))
            .attribute(
                Attribute::string("region").optional_computed().not_empty().describe("Its home region. Omitted: it is found by its name."),
            );
        told(given)
            .attribute(Attribute::map("tags_all", Type::String).computed().describe("All tags of the hub."))
            .attribute(cells_attribute())
    }

    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        let checked = request.config.get_str("name").map(check_hub_name);
        let wrong = checked.and_then(Result::err);
        wrong.map(|invalid| Diagnostic::error(Code::BAD_NAME, invalid.to_string()).at(Path::root("name"))).into_iter().collect()
    }

    fn read<'a>(&'a self, context: &'a Context, request: ReadDataRequest) -> Boxed<'a, ReadResponse> {
        Box::pin(async move { read(context, &request).await.into() })
    }
}

async fn read(context: &Context, request: &ReadDataRequest) -> Result<Dynamic, Diagnostic> {
    let session = context.cloud.session(&request.stop);
    let name = request.config.get_str("name").unwrap_or_default();
    let hub = match request.config.get_str("region") {
        Some(region) => {
            let home = session.home().await.map_err(|error| error.diagnostic())?.cell;
            Hub::new(name, Cell::new(home.account, region))
        }
        None => find_hub(&session, &context.shared, name, None).await.map_err(|diagnostic| diagnostic.at(Path::root("name")))?,
    };
    let item = Store::new(&session, &hub).hub_item().await.map_err(|error| error.diagnostic())?;
    match item.and_then(|item| Some((item.record?, Settings::read(item.settings.as_deref())))) {
        Some((record, settings)) => Ok(state_of(&hub, &record, &settings)),
        None => Err(StoreError::NoHub(name.to_owned()).diagnostic().at(Path::root("name"))),
    }
}
