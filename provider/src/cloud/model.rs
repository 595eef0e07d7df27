//! AWS in memory, for tests: what the provider relies on, enforced as AWS enforces it.

mod alarms;
pub mod function;
mod roles;
pub mod trails;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::rules::{Rule, Target};
use trailwire_engine::fanout::table::{Attribute, Item, PK, SK};

use super::Door;
use super::call::{
    Bus, Call, Caller, Condition, ListedRule, OrganizationInfo, Region, Reply, Role, SecretInfo, Table, Tagged, Tags, Write,
};
use super::error::{CloudError, CloudResult, Kind};

/// The account of the model.
pub const ACCOUNT: &str = "111122223333";

type Place = (String, String);
type Fault = Box<dyn Fn(&Cell, &Call) -> Option<Kind> + Send>;

/// A rule with its targets and tags.
#[derive(Clone, Debug)]
pub struct ModelRule {
    /// The rule as it was put.
    pub rule: Rule,
    /// Its targets.
    pub targets: Vec<Target>,
}

/// An organisation: its management account, and what each account and unit is in.
#[derive(Clone, Debug, Default)]
pub struct ModelOrganization {
    /// Its management account.
    pub management: String,
    /// The parent of each active account.
    pub accounts: BTreeMap<String, String>,
    /// The parent of each unit.
    pub units: BTreeMap<String, String>,
}

/// The id of the model's organisation.
pub const ORGANIZATION: &str = "o-abc1234567";

/// Everything there is, by region and name; in another account than the model's own, by `account/region` and name.
#[derive(Debug, Default)]
pub struct World {
    /// Buses.
    pub buses: BTreeMap<Place, Bus>,
    /// Rules, by region and `bus/rule`.
    pub rules: BTreeMap<Place, ModelRule>,
    /// Roles, by name; in another account by `account/name`.
    pub roles: BTreeMap<String, Role>,
    /// Inline policies, by role and name.
    pub role_policies: BTreeMap<Place, String>,
    /// Queues with their attributes.
    pub queues: BTreeMap<Place, BTreeMap<String, String>>,
    /// Tables with their items.
    pub tables: BTreeMap<Place, BTreeMap<Place, Item>>,
    /// Secrets with their values.
    pub secrets: BTreeMap<Place, String>,
    /// Alarms with their settings.
    pub alarms: BTreeMap<Place, Value>,
    /// Functions and what belongs to them.
    pub lambda: function::Lambda,
    /// Tags.
    pub tags: BTreeMap<(String, Tagged), Tags>,
    /// Regions that are not enabled.
    pub disabled: BTreeSet<String>,
    /// The organisation of the model's account.
    pub organization: Option<ModelOrganization>,
    /// Accounts whose deploy role cannot be assumed.
    pub unreachable: BTreeSet<String>,
    /// Trails; nothing stands for one in every account that logs everything.
    pub trails: Option<Vec<trails::ModelTrail>>,
}

impl World {
    /// Whether nothing is left of anything.
    pub fn is_empty(&self) -> bool {
        self.buses.is_empty()
            && self.rules.is_empty()
            && self.roles.is_empty()
            && self.role_policies.is_empty()
            && self.queues.is_empty()
            && self.tables.is_empty()
            && self.secrets.is_empty()
            && self.alarms.is_empty()
            && self.lambda.is_empty()
    }

    /// The names of the rules on the default bus of a region that triggers and forwarders have.
    pub fn rule_names(&self, region: &str) -> Vec<String> {
        let here = self.rules.keys().filter(|(at, name)| at == region && !name.ends_with("-canary") && !name.ends_with("-sweep"));
        here.filter_map(|(_, name)| name.strip_prefix("default/").map(str::to_owned)).collect()
    }
}

/// A door into a world.
#[derive(Clone, Default)]
pub struct Model {
    /// What there is.
    pub world: Arc<Mutex<World>>,
    calls: Arc<Mutex<Vec<String>>>,
    fault: Arc<Mutex<Option<Fault>>>,
    lossy: Arc<Mutex<Option<BTreeMap<String, bool>>>>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Model")
    }
}

/// The regions of the model.
pub const REGIONS: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];

impl Model {
    /// Looks at the world, or changes it behind the provider's back.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The calls made since this was asked last, `operation region`.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes calls fail for which this gives a kind.
    pub fn fail(&self, fault: impl Fn(&Cell, &Call) -> Option<Kind> + Send + 'static) {
        *self.fault.lock().unwrap() = Some(Box::new(fault));
    }

    /// Loses the first answer to every call that changes something, after the work is done; or loses no more.
    pub fn lose_answers(&self, lose: bool) {
        *self.lossy.lock().unwrap() = lose.then(BTreeMap::new);
    }

    /// Whether the answer to this call is lost: every second time that the very same call is made, so that a retry is answered
    /// whatever others do at the same time.
    fn loses(&self, operation: &str, call: &str) -> bool {
        let reads = ["Get", "List", "Describe", "Query"].iter().any(|verb| operation.contains(&format!(":{verb}")));
        let mut lossy = self.lossy.lock().unwrap();
        let Some(lossy) = lossy.as_mut().filter(|_| !reads) else { return false };
        let lost = lossy.entry(call.to_owned()).or_insert(false);
        *lost = !*lost;
        *lost
    }

    /// Lets all calls succeed again.
    pub fn heal(&self) {
        *self.fault.lock().unwrap() = None;
    }
}

impl Door for Model {
    fn home_region(&self) -> BoxFuture<'_, CloudResult<String>> {
        Box::pin(std::future::ready(Ok("eu-west-1".to_owned())))
    }

    fn call<'a>(&'a self, cell: &'a Cell, call: Call) -> BoxFuture<'a, CloudResult<Reply>> {
        Box::pin(async move {
            self.calls.lock().unwrap().push(format!("{} {}", call.operation(), here(cell)));
            tokio::time::sleep(Duration::from_millis(1)).await;
            let operation = call.operation();
            let asked = format!("{} {call:?}", here(cell));
            let error = |kind: Kind, message: &str| CloudError {
                kind,
                code: format!("{kind:?}"),
                message: message.to_owned(),
                request_id: Some("r-1".to_owned()),
                cell: Box::new(cell.clone()),
                operation,
            };
            let fault = self.fault.lock().unwrap().as_ref().and_then(|fault| fault(cell, &call));
            if let Some(kind) = fault {
                return Err(error(kind, "injected"));
            }
            self.with(|world| {
                if world.unreachable.contains(&cell.account) {
                    return Err(CloudError { operation: "sts:AssumeRole", ..error(Kind::AccountRefused, "not authorized") });
                }
                if world.disabled.contains(&here(cell)) {
                    return Err(error(Kind::RegionDisabled, "not enabled"));
                }
                answer(world, cell, call).map_err(|(kind, message)| error(kind, &message))
            })
            .and_then(|reply| {
                if self.loses(operation, &asked) { Err(error(Kind::Unreachable, "the connection was cut")) } else { Ok(reply) }
            })
        })
    }
}

/// Where a cell's things are kept.
fn here(cell: &Cell) -> String {
    if cell.account == ACCOUNT || cell.account.is_empty() { cell.region.clone() } else { cell.to_string() }
}

type Answer = Result<Reply, (Kind, String)>;

fn refuse(kind: Kind, message: impl Into<String>) -> Answer {
    Err((kind, message.into()))
}

fn answer(world: &mut World, cell: &Cell, call: Call) -> Answer {
    let at = |name: &str| (here(cell), name.to_owned());
    match call {
        Call::GetCallerIdentity => Ok(Reply::Caller(Caller { account: ACCOUNT.to_owned(), arn: None })),
        Call::ListRegions => {
            let region = |name: &&str| Region {
                name: (*name).to_owned(),
                enabled: !world.disabled.contains(&here(&Cell::new(&cell.account, *name))),
            };
            Ok(Reply::Regions(REGIONS.iter().map(region).collect()))
        }
        Call::DescribeOrganization | Call::ListAccounts { .. } | Call::ListUnits { .. } => organization(world, &call),
        Call::DescribeAlarms { .. } | Call::PutAlarm { .. } | Call::DeleteAlarms { .. } => Ok(alarms::answer(world, cell, call)),
        Call::DescribeTrails | Call::GetTrailStatus { .. } | Call::GetEventSelectors { .. } => Ok(trails::answer(world, cell, &call)),
        Call::Function { operation, subject, input } => function::answer(world, cell, operation, &subject, &input),
        Call::CreateBus { name, tags, .. } => {
            if world.buses.contains_key(&at(&name)) {
                return refuse(Kind::Exists, format!("bus {name} exists"));
            }
            let arn = format!("arn:aws:events:{}:{}:event-bus/{name}", cell.region, cell.account);
            world.tags.insert((here(cell), Tagged::Events(arn.clone())), tags);
            world.buses.insert(at(&name), Bus { arn, policy: None });
            Ok(Reply::Done)
        }
        Call::DescribeBus { name } => Ok(Reply::Bus(world.buses.get(&at(&name)).cloned())),
        Call::DeleteBus { name } => {
            let prefix = format!("{name}/");
            if world.rules.keys().any(|(region, rule)| *region == here(cell) && rule.starts_with(&prefix)) {
                return refuse(Kind::InUse, "Cannot delete an event bus with rules");
            }
            world.buses.remove(&at(&name));
            Ok(Reply::Done)
        }
        Call::PutBusPolicy { bus, policy } => match world.buses.get_mut(&at(&bus)) {
            Some(bus) => {
                bus.policy = Some(policy);
                Ok(Reply::Done)
            }
            None => refuse(Kind::NotFound, "no such bus"),
        },
        Call::GetRole { .. }
        | Call::CreateRole { .. }
        | Call::UpdateTrust { .. }
        | Call::PutBoundary { .. }
        | Call::PutRolePolicy { .. }
        | Call::GetRolePolicy { .. }
        | Call::ListRolePolicies { .. }
        | Call::DeleteRolePolicy { .. }
        | Call::DeleteRole { .. } => roles::answer(world, cell, call),
        Call::ListTags { of } => Ok(Reply::Tags(world.tags.get(&(here(cell), of)).cloned().unwrap_or_default())),
        Call::Tag { of, tags } => {
            world.tags.entry((here(cell), of)).or_default().extend(tags);
            Ok(Reply::Done)
        }
        Call::Untag { of, keys } => {
            world.tags.entry((here(cell), of)).or_default().retain(|key, _| !keys.contains(key));
            Ok(Reply::Done)
        }
        other => rules(world, cell, other),
    }
}

fn organization(world: &World, call: &Call) -> Answer {
    let Some(found) = &world.organization else { return refuse(Kind::AccessDenied, "AWSOrganizationsNotInUse") };
    let inside = |children: &BTreeMap<String, String>, parent: &String| {
        Reply::Names(children.iter().filter(|(_, of)| *of == parent).map(|(name, _)| name.clone()).collect())
    };
    Ok(match call {
        Call::ListAccounts { parent: Some(parent) } => inside(&found.accounts, parent),
        Call::ListAccounts { parent: None } => Reply::Names(found.accounts.keys().cloned().collect()),
        Call::ListUnits { parent } => inside(&found.units, parent),
        _ => Reply::Organization(OrganizationInfo { id: ORGANIZATION.to_owned(), management: found.management.clone() }),
    })
}

fn rules(world: &mut World, cell: &Cell, call: Call) -> Answer {
    let at = |bus: &str, rule: &str| (here(cell), format!("{bus}/{rule}"));
    match call {
        Call::ListRules { bus, prefix } => {
            let beginning = format!("{bus}/{prefix}");
            let here = world.rules.iter().filter(|((region, name), _)| *region == here(cell) && name.starts_with(&beginning));
            let listed = here.map(|(_, found)| ListedRule {
                name: found.rule.name.clone(),
                description: Some(found.rule.description.clone()),
                pattern: Some(found.rule.pattern.clone()),
                state: Some(found.rule.state.as_str().to_owned()),
            });
            Ok(Reply::Rules(listed.collect()))
        }
        Call::ListRuleNamesByTarget { bus, target_arn } => {
            let beginning = format!("{bus}/");
            let here = world.rules.iter().filter(|((region, name), _)| *region == here(cell) && name.starts_with(&beginning));
            let pointing = here.filter(|(_, found)| found.targets.iter().any(|target| target.arn == target_arn));
            Ok(Reply::Names(pointing.map(|(_, found)| found.rule.name.clone()).collect()))
        }
        Call::ListTargets { bus, rule } => {
            Ok(Reply::Targets(world.rules.get(&at(&bus, &rule)).map(|found| found.targets.clone()).unwrap_or_default()))
        }
        Call::PutRule { bus, rule, tags } => {
            if bus != "default" && !world.buses.contains_key(&(here(cell), bus.clone())) {
                return refuse(Kind::NotFound, "no such bus");
            }
            if rule.name.len() > 64 || rule.pattern.chars().count() > 2048 {
                return refuse(Kind::Other, "ValidationException");
            }
            let path = if bus == "default" { rule.name.clone() } else { format!("{bus}/{}", rule.name) };
            let arn = format!("arn:aws:events:{}:{}:rule/{path}", cell.region, cell.account);
            let place = at(&bus, &rule.name);
            match world.rules.get_mut(&place) {
                Some(found) => found.rule = *rule,
                None => {
                    world.tags.insert((here(cell), Tagged::Events(arn)), tags);
                    world.rules.insert(place, ModelRule { rule: *rule, targets: Vec::new() });
                }
            }
            Ok(Reply::Done)
        }
        Call::PutTarget { bus, rule, target } => match world.rules.get_mut(&at(&bus, &rule)) {
            Some(found) => {
                found.targets.retain(|other| other.id != target.id);
                found.targets.push(target);
                Ok(Reply::Done)
            }
            None => refuse(Kind::NotFound, "no such rule"),
        },
        Call::RemoveTargets { bus, rule, ids } => {
            if let Some(found) = world.rules.get_mut(&at(&bus, &rule)) {
                found.targets.retain(|target| !ids.contains(&target.id));
            }
            Ok(Reply::Done)
        }
        Call::DeleteRule { bus, rule } => {
            if world.rules.get(&at(&bus, &rule)).is_some_and(|found| !found.targets.is_empty()) {
                return refuse(Kind::InUse, "Rule can't be deleted since it has targets.");
            }
            world.rules.remove(&at(&bus, &rule));
            Ok(Reply::Done)
        }
        other => stores(world, cell, other),
    }
}

fn stores(world: &mut World, cell: &Cell, call: Call) -> Answer {
    let at = |name: &str| (here(cell), name.to_owned());
    let url = |name: &str| format!("https://sqs.{}/{name}", cell.region);
    let queue = |url: &str| at(url.rsplit('/').next().unwrap_or_default());
    match call {
        Call::CreateQueue { name, attributes, tags } => {
            if world.queues.get(&at(&name)).is_some_and(|there| *there != attributes) {
                return refuse(Kind::Exists, "a queue exists with other attributes");
            }
            world.tags.insert((here(cell), Tagged::Queue(url(&name))), tags);
            world.queues.insert(at(&name), attributes);
            Ok(Reply::Text(url(&name)))
        }
        Call::GetQueueUrl { name } => Ok(Reply::Document(world.queues.contains_key(&at(&name)).then(|| url(&name)))),
        Call::GetQueueAttributes { url } => Ok(Reply::Attributes(world.queues.get(&queue(&url)).cloned())),
        Call::SetQueueAttributes { url, attributes } => match world.queues.get_mut(&queue(&url)) {
            Some(there) => {
                there.extend(attributes);
                Ok(Reply::Done)
            }
            None => refuse(Kind::NotFound, "no such queue"),
        },
        Call::DeleteQueue { url } => {
            world.queues.remove(&queue(&url));
            Ok(Reply::Done)
        }
        Call::CreateTable { name, tags } => {
            if world.tables.contains_key(&at(&name)) {
                return refuse(Kind::Exists, "table exists");
            }
            let arn = table_arn(cell, &name);
            world.tags.insert((here(cell), Tagged::Table(arn)), tags);
            world.tables.insert(at(&name), BTreeMap::new());
            Ok(Reply::Done)
        }
        Call::DescribeTable { name } => {
            let table = world.tables.get(&at(&name)).map(|_| Table { arn: table_arn(cell, &name), status: "ACTIVE".to_owned() });
            Ok(Reply::Table(table))
        }
        Call::DeleteTable { name } => {
            world.tables.remove(&at(&name));
            Ok(Reply::Done)
        }
        Call::GetItem { table, pk, sk } => match world.tables.get(&at(&table)) {
            Some(items) => Ok(Reply::Item(items.get(&(pk, sk)).cloned())),
            None => refuse(Kind::NotFound, "no such table"),
        },
        Call::Query { table, pk } => match world.tables.get(&at(&table)) {
            Some(items) => Ok(Reply::Items(items.iter().filter(|((key, _), _)| *key == pk).map(|(_, item)| item.clone()).collect())),
            None => refuse(Kind::NotFound, "no such table"),
        },
        Call::Transact { table, writes, .. } => match world.tables.get_mut(&at(&table)) {
            Some(items) => transact(items, writes),
            None => refuse(Kind::NotFound, "no such table"),
        },
        Call::CreateSecret { name, value, tags, .. } => {
            if world.secrets.contains_key(&at(&name)) {
                return refuse(Kind::Exists, "secret exists");
            }
            let arn = secret_arn(cell, &name);
            world.tags.insert((here(cell), Tagged::Secret(arn.clone())), tags);
            world.secrets.insert(at(&name), value.expose().to_owned());
            Ok(Reply::Text(arn))
        }
        Call::DescribeSecret { id } => {
            let name = secret_name(&id);
            let info = world.secrets.contains_key(&at(name)).then(|| SecretInfo { arn: secret_arn(cell, name), deleted: false });
            Ok(Reply::Secret(info))
        }
        Call::PutSecretValue { id, value } => match world.secrets.get_mut(&at(secret_name(&id))) {
            Some(there) => {
                *there = value.expose().to_owned();
                Ok(Reply::Done)
            }
            None => refuse(Kind::NotFound, "no such secret"),
        },
        Call::DeleteSecret { id } => {
            let name = secret_name(&id);
            world.secrets.remove(&at(name));
            world.tags.remove(&(here(cell), Tagged::Secret(secret_arn(cell, name))));
            Ok(Reply::Done)
        }
        other => refuse(Kind::Other, format!("the model does not know {}", other.operation())),
    }
}

fn table_arn(cell: &Cell, name: &str) -> String {
    format!("arn:aws:dynamodb:{}:{}:table/{name}", cell.region, cell.account)
}

fn secret_arn(cell: &Cell, name: &str) -> String {
    format!("arn:aws:secretsmanager:{}:{}:secret:{name}-AbCdEf", cell.region, cell.account)
}

fn secret_name(id: &str) -> &str {
    id.rsplit_once(":secret:").map_or(id, |(_, name)| name.trim_end_matches("-AbCdEf"))
}

fn transact(items: &mut BTreeMap<Place, Item>, writes: Vec<Write>) -> Answer {
    let place = |item: &Item| {
        let part = |name| match item.get(name) {
            Some(Attribute::Text(text)) => text.clone(),
            _ => String::new(),
        };
        (part(PK), part(SK))
    };
    let mut after = items.clone();
    for write in writes {
        let (key, condition) = match &write {
            Write::Put { item, condition } => (place(item), condition.clone()),
            Write::Update { key, condition, .. } | Write::Delete { key, condition } => (place(key), condition.clone()),
            Write::Check { key, condition } => (place(key), Some(condition.clone())),
        };
        if condition.is_some_and(|condition| !holds(&condition, items.get(&key))) {
            return refuse(Kind::ConditionFailed, "the conditional request failed");
        }
        match write {
            Write::Put { item, .. } => {
                after.insert(key, item);
            }
            Write::Update { key: keys, set, add, .. } => {
                let item = after.entry(key).or_insert(keys);
                item.extend(set);
                for (name, number) in add {
                    let before = match item.get(name) {
                        Some(Attribute::Number(before)) => *before,
                        _ => 0,
                    };
                    item.insert(name.to_owned(), Attribute::Number(before + number));
                }
            }
            Write::Delete { .. } => {
                after.remove(&key);
            }
            Write::Check { .. } => {}
        }
    }
    *items = after;
    Ok(Reply::Done)
}

fn holds(condition: &Condition, item: Option<&Item>) -> bool {
    let value = |name: &str| item.and_then(|item| item.get(name));
    match condition {
        Condition::Absent => item.is_none(),
        Condition::Present => item.is_some(),
        Condition::Equals(name, wanted) => value(name) == Some(wanted),
        Condition::All(all) => all.iter().all(|condition| holds(condition, item)),
        Condition::Any(any) => any.iter().any(|condition| holds(condition, item)),
    }
}
