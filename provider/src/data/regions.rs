//! `data "trailwire_regions"`: the regions that are enabled in an account.

use crate::cloud::error::CloudResult;
use crate::context::Context;
use crate::resource::{Boxed, DataSource, ReadDataRequest, ReadResponse};
use crate::schema::{Attribute, Schema, Type};
use crate::value::Dynamic;

/// The data source.
#[derive(Debug, Clone, Copy)]
pub struct RegionsData;

impl DataSource for RegionsData {
    fn name(&self) -> &'static str {
        "trailwire_regions"
    }

    fn schema(&self) -> Schema {
        let about = "The regions that are enabled in an account: what a hub without `regions` covers. A region that is enabled later is among them from the next plan on.";
        Schema::new(0, about)
            .attribute(Attribute::list("names", Type::String).computed().describe("The regions, in alphabetical order."))
            .attribute(
                Attribute::string("account_id")
                    .optional_computed()
                    .not_empty()
                    .describe("The account, in which the provider takes the role of members. Omitted: that of the provider's credentials."),
            )
    }

    fn read<'a>(&'a self, context: &'a Context, request: ReadDataRequest) -> Boxed<'a, ReadResponse> {
        Box::pin(async move { read(context, &request).await.map_err(|error| error.diagnostic()).into() })
    }
}

async fn read(context: &Context, request: &ReadDataRequest) -> CloudResult<Dynamic> {
    let session = context.cloud.session(&request.stop);
    let account = match request.config.get_str("account_id") {
        Some(account) => account.to_owned(),
        None => session.home().await?.cell.account,
    };
    let names = Dynamic::strings(session.enabled_regions(&account).await?.iter().cloned());
    Ok(Dynamic::object([("names", names), ("account_id", Dynamic::String(account))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::error::Kind;
    use crate::resource::testing::{Bench, drawn};

    #[tokio::test]
    async fn the_enabled_regions_of_the_account() {
        let bench = Bench::new();
        let read =
            || async { RegionsData.read(&bench.context(), ReadDataRequest { config: Dynamic::Null, stop: bench.stop.clone() }).await };
        let found = read().await;
        assert_eq!(found.state.get_str("account_id"), Some("111122223333"));
        let names = found.state.get_strings("names");
        assert!(names.contains(&"eu-west-1".to_owned()) && names.is_sorted(), "{names:?}");
        bench.model.fail(|_, call| (call.operation() == "account:ListRegions").then_some(Kind::AccessDenied));
        assert!(drawn(&read().await.diagnostics).contains("account:ListRegions"));
    }
}
