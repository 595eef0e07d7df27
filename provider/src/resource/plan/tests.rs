//! Terraform's own rules for a valid plan, as properties over generated configurations and states.

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::resource::PlanRequest;
use crate::schema::{Type, conform};

fn schema() -> Schema {
    Schema::new(0, "")
        .attribute(Attribute::string("id").computed())
        .attribute(Attribute::string("name").required().force_new())
        .attribute(Attribute::string("note"))
        .attribute(Attribute::string("severity").default_to("medium"))
        .attribute(Attribute::string("region").optional_computed().force_new())
        .attribute(Attribute::list("names", Type::String))
        .attribute(Attribute::string("secret_wo").write_only())
        .attribute(Attribute::string("cells").volatile())
        .block(
            NestedBlock::list("action", "")
                .attribute(Attribute::string("wait").default_to("1m"))
                .attribute(Attribute::string("given").optional_computed())
                .attribute(Attribute::string("token_wo").write_only()),
        )
        .block(NestedBlock::set("scope", "").attribute(Attribute::string("account")))
        .block(NestedBlock::optional("limits", "").force_new().attribute(Attribute::string("count_of")))
}

fn text() -> impl Strategy<Value = Dynamic> {
    prop_oneof![2 => Just(Dynamic::Null), 1 => Just(Dynamic::Unknown), 4 => "[a-c]{1,2}".prop_map(Dynamic::String)]
}

fn block(names: &'static [&'static str], most: usize) -> impl Strategy<Value = Dynamic> {
    let object = prop::collection::vec(text(), names.len()).prop_map(|values| Dynamic::object(names.iter().copied().zip(values)));
    prop_oneof![1 => Just(Dynamic::Unknown), 8 => prop::collection::vec(object, 0..=most).prop_map(Dynamic::List)]
}

/// A configuration as Terraform may send it while planning.
fn config() -> impl Strategy<Value = Dynamic> {
    let names = prop_oneof![Just(Dynamic::Null), Just(Dynamic::Unknown), prop::collection::vec(text(), 0..3).prop_map(Dynamic::List)];
    let blocks = (block(&["wait", "given", "token_wo"], 3), block(&["account"], 2), block(&["count_of"], 1));
    (("[a-c]{1,2}", text(), text(), text(), names, text()), blocks).prop_map(
        |((name, note, severity, region, names, secret), (action, scope, limits))| {
            let members = [
                ("name", name.into()),
                ("note", note),
                ("severity", severity),
                ("region", region),
                ("names", names),
                ("secret_wo", secret),
            ];
            let blocks = [("action", action), ("scope", scope), ("limits", limits)];
            conform::conform(Dynamic::object(members.into_iter().chain(blocks)), &schema().block)
        },
    )
}

/// Terraform's merge: the configuration, and what was before where a computed attribute is not configured.
fn propose_like_terraform(block: &Block, prior: &Dynamic, config: &Dynamic) -> Dynamic {
    let Dynamic::Map(members) = config else { return config.clone() };
    let mut proposed = Dynamic::Map(members.clone());
    for attribute in block.attributes.iter().filter(|attribute| attribute.is_computed() && config.get(attribute.name).is_null()) {
        proposed.set(attribute.name, prior.get(attribute.name).clone());
    }
    for nested in block.blocks.iter().filter(|nested| nested.nesting == Nesting::List) {
        if let Dynamic::List(items) = config.get(nested.name) {
            let before = prior.get_list(nested.name);
            let merge = |(index, item)| propose_like_terraform(&nested.block, before.get(index).unwrap_or(&Dynamic::Null), item);
            proposed.set(nested.name, items.iter().enumerate().map(merge).collect::<Vec<_>>());
        }
    }
    proposed
}

fn plan(prior: &Dynamic, config: &Dynamic) -> PlanResponse {
    let proposed = propose_like_terraform(&schema().block, prior, config);
    let stop = CancellationToken::new();
    propose(&schema(), &PlanRequest { prior: prior.clone(), proposed, config: config.clone(), private: Vec::new(), stop })
}

/// What Terraform calls an invalid plan.
fn assert_valid(block: &Block, config: &Dynamic, planned: &Dynamic) {
    let Dynamic::Map(_) = config else { return assert_eq!(config, planned) };
    for attribute in &block.attributes {
        let (config, planned) = (config.get(attribute.name), planned.get(attribute.name));
        if attribute.write_only {
            assert!(planned.is_null(), "{} is write-only", attribute.name);
        } else if !config.is_null() {
            assert_eq!(config, planned, "{} is configured", attribute.name);
        } else if !attribute.is_computed() {
            assert!(planned.is_null(), "{} is not computed", attribute.name);
        }
    }
    for nested in &block.blocks {
        match (config.get(nested.name), planned.get(nested.name)) {
            (Dynamic::List(config), Dynamic::List(planned)) => {
                assert_eq!(config.len(), planned.len(), "{} blocks", nested.name);
                config.iter().zip(planned).for_each(|(config, planned)| assert_valid(&nested.block, config, planned));
            }
            (config, planned) => assert_eq!(config, planned),
        }
    }
}

/// Every unknown made known in the same way everywhere: what apply makes of a plan, or what variables turn out to be.
fn known(value: Dynamic) -> Dynamic {
    match value {
        Dynamic::Unknown => Dynamic::from("known"),
        Dynamic::List(items) => Dynamic::List(items.into_iter().map(known).collect()),
        Dynamic::Map(members) => Dynamic::Map(members.into_iter().map(|(name, member)| (name, known(member))).collect()),
        other => other,
    }
}

/// Configurations in which only single strings are unknown, so that making them known keeps the types.
fn with_known_collections() -> impl Strategy<Value = Dynamic> {
    config().prop_filter("collections are known", |config| {
        ["names", "action", "scope", "limits"].iter().all(|name| !config.get(name).is_unknown())
    })
}

proptest! {
    #[test]
    fn plans_are_valid_for_create_and_update(first in with_known_collections(), second in config()) {
        let created = plan(&Dynamic::Null, &first);
        assert_valid(&schema().block, &first, &created.planned);
        prop_assert!(created.requires_replace.is_empty());
        let updated = plan(&known(created.planned), &second);
        assert_valid(&schema().block, &second, &updated.planned);
    }

    #[test]
    fn after_apply_the_plan_is_empty(config in with_known_collections()) {
        let config = known(config);
        let state = known(plan(&Dynamic::Null, &config).planned);
        let again = plan(&state, &config);
        prop_assert_eq!(&again.planned, &state);
        prop_assert!(again.requires_replace.is_empty());
    }

    #[test]
    fn what_the_first_plan_knows_the_second_confirms(prior in with_known_collections(), config in with_known_collections()) {
        let prior = known(plan(&Dynamic::Null, &known(prior)).planned);
        let (first, second) = (plan(&prior, &config), plan(&prior, &known(config.clone())));
        assert_confirmed(&first.planned, &second.planned);
    }

    #[test]
    fn a_replacement_names_what_changed(name in "[a-c]", other in "[d-f]", limit in "[a-c]") {
        let config = |name: &str, limits: Vec<Dynamic>| conform::conform(Dynamic::object([("name", Dynamic::from(name)), ("limits", limits.into())]), &schema().block);
        let state = known(plan(&Dynamic::Null, &config(&name, Vec::new())).planned);
        prop_assert_eq!(plan(&state, &config(&other, Vec::new())).requires_replace, [Path::root("name")]);
        let limits = vec![Dynamic::object([("count_of", Dynamic::from(limit))])];
        prop_assert_eq!(plan(&state, &config(&name, limits)).requires_replace, [Path::root("limits")]);
    }
}

/// A value that the first plan knew is the same in the second.
fn assert_confirmed(first: &Dynamic, second: &Dynamic) {
    match (first, second) {
        (Dynamic::Unknown, _) => {}
        (Dynamic::List(first), Dynamic::List(second)) => {
            assert_eq!(first.len(), second.len());
            first.iter().zip(second).for_each(|(first, second)| assert_confirmed(first, second));
        }
        (Dynamic::Map(first), Dynamic::Map(second)) => first.iter().for_each(|(name, first)| assert_confirmed(first, &second[name])),
        (first, second) => assert_eq!(first, second),
    }
}

#[test]
fn destroy_plans_null() {
    let prior = conform::empty(&schema().block);
    let request =
        PlanRequest { prior, proposed: Dynamic::Null, config: Dynamic::Null, private: Vec::new(), stop: CancellationToken::new() };
    assert_eq!(propose(&schema(), &request).planned, Dynamic::Null);
}
