//! Creating, updating and destroying a destination.

use std::collections::BTreeMap;
use std::time::Instant;

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::policy::destination_policy;
use trailwire_engine::fanout::table::Kind;
use trailwire_engine::trigger::Destination;

use super::kinds::{self, FIELDS, Field};
use super::read::unused;
use super::settings::Settings;
use super::{check, placeholder, policy};
use crate::apply::cells::drifted_value;
use crate::cloud::Session;
use crate::cloud::call::{Tagged, Tags};
use crate::cloud::error::{CloudError, CloudResult, Kind as ErrorKind};
use crate::config::Secret;
use crate::context::Context;
use crate::resource::common::{all_tags, is_calm, optional_text, tags_value, timeout, to_json};
use crate::resource::definition::{Done, find, identify, one};
use crate::resource::{ApplyRequest, ApplyResponse};
use crate::store::{Claimed, Lease, Store, StoreError};
use crate::value::Dynamic;

pub(super) async fn apply(context: &Context, request: ApplyRequest) -> ApplyResponse {
    let prior = request.prior.clone();
    let done = if request.is_destroy() {
        destroy(context, &request).await
    } else if !request.is_create() && is_calm(&request.planned) {
        Ok(ApplyResponse { state: request.planned.clone(), ..ApplyResponse::default() })
    } else {
        match Work::prepare(context, &request).await {
            Ok(work) if request.is_create() => work.create(&request).await,
            Ok(work) => work.update(&request).await,
            Err(diagnostics) => Err(diagnostics),
        }
    };
    done.unwrap_or_else(|diagnostics| ApplyResponse { state: prior, diagnostics, private: None })
}

/// A destination that is being applied. An `Err` of its methods means that nothing was changed, that it was undone, or that what was begun is in its settings and
/// told by `drifted`.
struct Work<'a> {
    session: Session,
    hub: Hub,
    store: Store,
    name: &'a str,
    config: &'a Dynamic,
    tags: Tags,
    tags_all: Tags,
}

impl<'a> Work<'a> {
    async fn prepare(context: &Context, request: &'a ApplyRequest) -> Result<Work<'a>, Vec<Diagnostic>> {
        let config = &request.config;
        let wrong = check(config);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let operation = if request.is_create() { "create" } else { "update" };
        let session = context.cloud.session(&request.stop).within(timeout(config, operation));
        let (hub, name) = find(context, &session, config, request.prior.get_str("hub_arn")).await.map_err(|error| vec![error])?;
        let tags = config.get_string_map("tags");
        Ok(Work { store: Store::new(&session, &hub), session, hub, name, config, tags_all: all_tags(&context.config, &tags), tags })
    }

    /// The values that the configuration gives, each with its version.
    fn given(&self) -> impl Iterator<Item = (&'static Field, Secret, i64)> {
        FIELDS.iter().filter_map(|field| {
            let value = self.config.get_block(field.kind)?.get_str(field.attribute)?;
            Some((field, Secret::new(value), field.version_of(self.config).unwrap_or(0)))
        })
    }

    fn settings(&self, secrets: BTreeMap<String, String>) -> Settings {
        let versions = self.given().map(|(field, _, version)| (field.secret.to_owned(), version)).collect();
        Settings { tags: self.tags.clone(), tags_all: self.tags_all.clone(), versions, secrets, ..Settings::default() }
    }

    /// The destination; it names the secrets.
    fn destination(&self, secrets: &BTreeMap<String, String>) -> Result<Destination, Vec<Diagnostic>> {
        let config = to_json(self.config, &kinds::members(), placeholder);
        Destination::from_value(&kinds::document(config, &|secret| secrets.get(secret).cloned()))
    }

    /// The document, as text.
    fn document(&self, secrets: &BTreeMap<String, String>) -> Result<String, Vec<Diagnostic>> {
        serde_json::to_string(&self.destination(secrets)?)
            .map_err(|error| vec![Diagnostic::error(Code::PROVIDER_BUG, format!("the destination cannot be written as JSON: {error}"))])
    }

    /// Makes a secret, or gives the one that is there, which may have the tags `before`, its value and tags: one of this name can only be ours.
    async fn put_secret(&self, field: &Field, value: Secret, before: &Tags) -> CloudResult<String> {
        let (cell, name) = (self.hub.home(), self.hub.secret_name(self.name, field.secret));
        let description = format!("Trailwire: destination {} of hub {}", self.name, self.hub.name());
        let began = Instant::now();
        loop {
            match self.session.create_secret(cell, &name, &description, value.clone(), &self.tags_all).await {
                Err(error) if error.kind == ErrorKind::Exists => break,
                Err(error) if error.kind == ErrorKind::InUse && began.elapsed() < self.session.timing().secret_name => {
                    // Marked for deletion by somebody, or removed by us a moment ago: the name is free once it is wholly removed, which AWS does in its own time.
                    self.session.delete_secret(cell, &name).await?;
                    self.session.wait(cell, self.session.timing().poll, &format!("the removed secret {name} to be gone")).await?;
                }
                other => return other,
            }
        }
        self.session.put_secret_value(cell, &name, value).await?;
        let found = self.session.describe_secret(cell, &name).await?;
        let gone = || CloudError::ours(ErrorKind::NotFound, cell, format!("secret {name} was removed while it was given its value"));
        let arn = found.map(|secret| secret.arn).ok_or_else(gone)?;
        self.session.change_tags(cell, &Tagged::Secret(arn.clone()), before, &self.tags_all).await?;
        Ok(arn)
    }

    fn state(&self, planned: &Dynamic, secrets: &BTreeMap<String, String>) -> Dynamic {
        let mut state = planned.clone();
        identify(&mut state, &self.hub, self.name);
        state.set("tags_all", tags_value(&self.tags_all));
        state.set("secret_arns", tags_value(secrets));
        let policy = self.destination(secrets).ok().and_then(|destination| destination_policy(&self.hub, &destination));
        state.set("runtime_policy_json", optional_text(policy.as_deref()));
        state.set("drifted", drifted_value(BTreeMap::new()));
        state
    }

    async fn create(&self, request: &ApplyRequest) -> Done {
        let claim = self.store.claim(Kind::Destination, self.name, None, &self.settings(BTreeMap::new()).write()).await;
        let (claimed, lease) = claim.map_err(|error| one(&error))?;
        let mut secrets = BTreeMap::new();
        request.progress.record(self.state(&request.planned, &secrets));
        let made = async {
            if claimed == Claimed::Adopted {
                self.delete_others().await?;
            }
            self.make(&mut secrets, &lease).await
        };
        let Err(mut diagnostics) = made.await else {
            return Ok(ApplyResponse { state: self.state(&request.planned, &secrets), ..ApplyResponse::default() });
        };
        for diagnostic in &mut diagnostics {
            diagnostic.message = format!("destination `{}` was not created: {}", self.name, diagnostic.message);
        }
        if self.undo(&lease).await.is_ok() {
            return Err(diagnostics);
        }
        diagnostics
            .extend(self.store.unstoppable().confirm(Kind::Destination, self.name, &lease).await.err().map(|error| error.diagnostic()));
        Ok(ApplyResponse { state: self.state(&request.planned, &secrets), diagnostics, private: None })
    }

    /// Removes the secrets that an earlier create, which was for something else and never ended, may have made.
    async fn delete_others(&self) -> Result<(), Vec<Diagnostic>> {
        let given: Vec<&str> = self.given().map(|(field, _, _)| field.secret).collect();
        for field in FIELDS.iter().filter(|field| !given.contains(&field.secret)) {
            let name = self.hub.secret_name(self.name, field.secret);
            self.session.delete_secret(self.hub.home(), &name).await.map_err(|error| vec![error.diagnostic()])?;
        }
        Ok(())
    }

    /// The secrets, each of which is told once it is there, the policy, and then the document.
    async fn make(&self, secrets: &mut BTreeMap<String, String>, lease: &Lease) -> Result<(), Vec<Diagnostic>> {
        for (field, value, _) in self.given() {
            let arn = self.put_secret(field, value, &Tags::new()).await.map_err(|error| vec![error.diagnostic()])?;
            secrets.insert(field.secret.to_owned(), arn);
        }
        self.put_policy(secrets).await?;
        let (document, settings) = (self.document(secrets)?, self.settings(secrets.clone()).write());
        let put = self.store.put(Kind::Destination, self.name, &document, &settings, Some(lease)).await;
        put.map_err(|error| one(&error))
    }

    /// Lets the hub's function, where it has one, use the destination.
    async fn put_policy(&self, secrets: &BTreeMap<String, String>) -> Result<(), Vec<Diagnostic>> {
        if self.has_function().await.map_err(|error| one(&error))? {
            let destination = self.destination(secrets)?;
            policy::put(&self.session, &self.hub, &destination).await.map_err(|error| vec![error.diagnostic()])?;
        }
        Ok(())
    }

    async fn has_function(&self) -> Result<bool, StoreError> {
        Ok(policy::has_function(self.store.hub_item().await?.as_ref()))
    }

    async fn undo(&self, lease: &Lease) -> Result<(), StoreError> {
        for (field, _, _) in self.given() {
            self.session.delete_secret(self.hub.home(), &self.hub.secret_name(self.name, field.secret)).await?;
        }
        if self.has_function().await? {
            policy::remove(&self.session, &self.hub, self.name).await?;
        }
        self.store.withdraw(Kind::Destination, self.name, lease).await
    }

    async fn update(&self, request: &ApplyRequest) -> Done {
        let definition = self.store.definition(Kind::Destination, self.name).await.map_err(|error| one(&error))?;
        let before = Settings::read(definition.as_ref().and_then(|definition| definition.settings.as_deref()));
        let drifted = request.prior.get("drifted");
        let kept = |field: &Field, version| {
            let arn = before.secrets.get(field.secret)?;
            (before.versions.get(field.secret) == Some(&version) && drifted.get(field.secret).is_null()).then_some(arn)
        };
        let written = self.given().filter(|(field, _, version)| kept(field, *version).is_none());
        let changing =
            before.changing(written.map(|(field, ..)| (field.secret, self.hub.secret_name(self.name, field.secret))), &self.tags_all);
        if let Some(document) = definition.and_then(|definition| definition.document).filter(|_| changing != before) {
            let put = self.store.put(Kind::Destination, self.name, &document, &changing.write(), None).await;
            put.map_err(|error| one(&error))?;
        }
        let mut secrets = BTreeMap::new();
        for (field, value, version) in self.given() {
            let arn = match kept(field, version) {
                Some(arn) => {
                    let tagged = Tagged::Secret(arn.clone());
                    self.session.change_tags(self.hub.home(), &tagged, before.tags_there(), &self.tags_all).await.map(|()| arn.clone())
                }
                None => self.put_secret(field, value, before.tags_there()).await,
            };
            secrets.insert(field.secret.to_owned(), arn.map_err(|error| vec![error.diagnostic()])?);
        }
        self.put_policy(&secrets).await?;
        let document = self.document(&secrets)?;
        let leaving: BTreeMap<String, String> =
            changing.secrets.into_iter().filter(|(secret, _)| !secrets.contains_key(secret.as_str())).collect();
        // What nothing names any more is kept in the settings until it is removed, so that it is found whatever happens in between.
        let all: BTreeMap<String, String> = secrets.clone().into_iter().chain(leaving.clone()).collect();
        let put = self.store.put(Kind::Destination, self.name, &document, &self.settings(all.clone()).write(), None).await;
        put.map_err(|error| one(&error))?;
        if leaving.is_empty() {
            return Ok(ApplyResponse { state: self.state(&request.planned, &secrets), ..ApplyResponse::default() });
        }
        let removed = async {
            self.delete_secrets(leaving.values()).await?;
            self.store.put(Kind::Destination, self.name, &document, &self.settings(secrets.clone()).write(), None).await
        };
        Ok(match removed.await {
            Ok(()) => ApplyResponse { state: self.state(&request.planned, &secrets), ..ApplyResponse::default() },
            Err(error) => {
                let mut state = self.state(&request.planned, &all);
                state.set("drifted", drifted_value(unused(&leaving)));
                ApplyResponse { state, diagnostics: one(&error), private: None }
            }
        })
    }

    async fn delete_secrets(&self, arns: impl Iterator<Item = &String>) -> Result<(), StoreError> {
        for arn in arns {
            self.session.delete_secret(self.hub.home(), arn).await?;
        }
        Ok(())
    }
}

/// The secrets first: as long as the definition is there, a destroy that was interrupted or refused is known to be unfinished. Works from the
/// state alone when the hub is gone.
async fn destroy(context: &Context, request: &ApplyRequest) -> Done {
    let prior = &request.prior;
    let session = context.cloud.session(&request.stop).within(timeout(prior, "delete"));
    let (hub, name) = find(context, &session, prior, prior.get_str("hub_arn")).await.map_err(|error| vec![error])?;
    let store = Store::new(&session, &hub);
    let definition = store.definition(Kind::Destination, name).await.map_err(|error| one(&error))?;
    let mut secrets = prior.get_string_map("secret_arns");
    secrets.extend(Settings::read(definition.and_then(|definition| definition.settings).as_deref()).secrets);
    for field in FIELDS.iter().filter(|field| field.version_of(prior).is_some()) {
        secrets.entry(field.secret.to_owned()).or_insert_with(|| hub.secret_name(name, field.secret));
    }
    for arn in secrets.values() {
        session.delete_secret(hub.home(), arn).await.map_err(|error| vec![error.diagnostic()])?;
    }
    if policy::has_function(store.hub_item().await.map_err(|error| one(&error))?.as_ref()) {
        policy::remove(&session, &hub, name).await.map_err(|error| vec![error.diagnostic()])?;
    }
    store.delete(Kind::Destination, name).await.map_err(|error| one(&error))?;
    Ok(ApplyResponse::default())
}
