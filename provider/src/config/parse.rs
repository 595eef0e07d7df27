//! From the provider block's values to [`ProviderConfig`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use trailwire_engine::diagnostic::{Code, Diagnostic, Path};

use super::{AssumeRole, ENDPOINT_SERVICES, IgnoreTags, ProviderConfig, Refresh, RetryMode, Secret, schema};
use crate::schema::validate;
use crate::value::Dynamic;

const DEFAULT_MAX_CONCURRENCY: usize = 32;
const DEFAULT_MEMBER_ROLE_NAME: &str = "trailwire-deploy";
const SESSION_SECONDS: std::ops::RangeInclusive<u64> = 900..=43_200;

/// Everything wrong with a provider block; unknown values are skipped.
pub(crate) fn check(config: &Dynamic) -> Vec<Diagnostic> {
    let mut found = validate::check(config, &schema().block);
    let both = |one: &str, other: &str| !config.get(one).is_null() && !config.get(other).is_null();
    if both("allowed_account_ids", "forbidden_account_ids") {
        found.push(conflict("forbidden_account_ids", "`forbidden_account_ids` cannot stand beside `allowed_account_ids`"));
    }
    for (given, missing) in [("access_key", "secret_key"), ("secret_key", "access_key")] {
        if !config.get(given).is_null() && config.get(missing).is_null() {
            found.push(conflict(given, &format!("`{given}` needs `{missing}` beside it")));
        }
    }
    if !config.get("token").is_null() && config.get("access_key").is_null() {
        found.push(conflict("token", "`token` needs `access_key` and `secret_key` beside it"));
    }
    if both("profile", "access_key") {
        found.push(conflict("profile", "`profile` cannot stand beside `access_key`"));
    }
    found
}

fn conflict(name: &str, message: &str) -> Diagnostic {
    Diagnostic::error(Code::CONFLICT, message).at(Path::root(name))
}

impl ProviderConfig {
    /// The typed form of a provider block. A null block is an empty one.
    ///
    /// # Errors
    /// All that is wrong with it, each with its path.
    pub fn parse(config: &Dynamic) -> Result<ProviderConfig, Vec<Diagnostic>> {
        let wrong = check(config);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let text = |name: &str| config.get_str(name).map(str::to_owned);
        let set = |name: &str| config.get_strings(name).into_iter().collect::<BTreeSet<_>>();
        let flag = |name: &str| config.get_bool(name).unwrap_or(false);
        Ok(ProviderConfig {
            region: text("region"),
            profile: text("profile"),
            access_key: text("access_key"),
            secret_key: text("secret_key").map(Secret::new),
            token: text("token").map(Secret::new),
            max_retries: config.get_i64("max_retries").and_then(|count| u32::try_from(count).ok()),
            retry_mode: if config.get_str("retry_mode") == Some("adaptive") { RetryMode::Adaptive } else { RetryMode::Standard },
            max_concurrency: config
                .get_i64("max_concurrency")
                .and_then(|count| usize::try_from(count).ok())
                .unwrap_or(DEFAULT_MAX_CONCURRENCY),
            default_tags: block(config, "default_tags").get_string_map("tags"),
            ignore_tags: IgnoreTags {
                keys: block(config, "ignore_tags").get_strings("keys").into_iter().collect(),
                key_prefixes: block(config, "ignore_tags").get_strings("key_prefixes").into_iter().collect(),
            },
            assume_role: assume_role(block(config, "assume_role")),
            allowed_account_ids: set("allowed_account_ids"),
            forbidden_account_ids: set("forbidden_account_ids"),
            member_role_name: text("member_role_name").unwrap_or_else(|| DEFAULT_MEMBER_ROLE_NAME.to_owned()),
            member_external_id: text("member_external_id"),
            endpoints: endpoints(block(config, "endpoints")),
            custom_ca_bundle: text("custom_ca_bundle"),
            skip_credentials_validation: flag("skip_credentials_validation"),
            skip_region_validation: flag("skip_region_validation"),
            refresh: match config.get_str("refresh") {
                Some("deep") => Refresh::Deep,
                Some("none") => Refresh::None,
                _ => Refresh::Rules,
            },
            unknown: unknown_arguments(config),
        })
    }
}

fn block<'a>(config: &'a Dynamic, name: &str) -> &'a Dynamic {
    config.get_block(name).unwrap_or(&Dynamic::Null)
}

fn assume_role(block: &Dynamic) -> Option<AssumeRole> {
    Some(AssumeRole {
        role_arn: block.get_str("role_arn")?.to_owned(),
        external_id: block.get_str("external_id").map(str::to_owned),
        session_name: block.get_str("session_name").map(str::to_owned),
        duration: block.get_str("duration").and_then(|text| session_duration(text).ok()),
    })
}

fn endpoints(block: &Dynamic) -> BTreeMap<String, String> {
    let given = ENDPOINT_SERVICES.iter().filter_map(|service| Some((*service, block.get_str(service)?)));
    given.map(|(service, url)| (service.to_owned(), url.to_owned())).collect()
}

fn unknown_arguments(config: &Dynamic) -> Vec<String> {
    let members = config.as_map().into_iter().flatten();
    members.filter(|(_, value)| !value.is_wholly_known()).map(|(name, _)| name.clone()).collect()
}

/// `15m`, `3600s`, `12h`.
pub(super) fn session_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a length of time from 15m to 12h, such as `1h`".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    let seconds = number.checked_mul(factor).filter(|seconds| SESSION_SECONDS.contains(seconds)).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(items: &[&str]) -> Dynamic {
        Dynamic::strings(items.iter().copied())
    }

    fn tags(members: &[(&'static str, Dynamic)]) -> Dynamic {
        Dynamic::List(vec![Dynamic::object([("tags", Dynamic::object(members.to_vec()))])])
    }

    #[test]
    fn an_empty_block_has_the_defaults() {
        let config = ProviderConfig::parse(&Dynamic::Null).unwrap();
        assert_eq!((config.max_concurrency, config.retry_mode, config.refresh), (32, RetryMode::Standard, Refresh::Rules));
        assert_eq!((config.member_role_name.as_str(), config.member_external_id), ("trailwire-deploy", None));
        assert!(config.region.is_none() && config.max_retries.is_none() && config.unknown.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_path() {
        let account = strings(&["111122223333"]);
        let cases = [
            (
                vec![("allowed_account_ids", account.clone()), ("forbidden_account_ids", account)],
                "forbidden_account_ids: `forbidden_account_ids` cannot stand beside `allowed_account_ids`",
            ),
            (vec![("allowed_account_ids", strings(&[]))], "allowed_account_ids: `allowed_account_ids` may not be []"),
            (
                vec![("allowed_account_ids", strings(&["123"]))],
                "allowed_account_ids: `allowed_account_ids` holds `123`, which is not an account id (12 digits)",
            ),
            (
                vec![("member_role_name", Dynamic::from("arn:aws:iam::111122223333:role/x"))],
                "member_role_name: `member_role_name` is `arn:aws:iam::111122223333:role/x`, which is not a role's name: letters, digits and \
                 `+=,.@_-`, at most 64 characters",
            ),
            (
                vec![("member_external_id", Dynamic::from("x"))],
                "member_external_id: `member_external_id` is not an external id: 2 to 1,224 letters, digits and `+=,.@_:/-`",
            ),
            (vec![("retry_mode", Dynamic::from("legacy"))], "retry_mode: `retry_mode` must be one of `standard`, `adaptive`, not `legacy`"),
            (vec![("max_concurrency", Dynamic::from(0))], "max_concurrency: `max_concurrency` must be a whole number from 1 to 1000"),
            (vec![("access_key", Dynamic::from("AKIA"))], "access_key: `access_key` needs `secret_key` beside it"),
            (
                vec![("endpoints", Dynamic::List(vec![Dynamic::object([("sqs", Dynamic::from("localhost"))])]))],
                "endpoints[0].sqs: `sqs` must be an http or https URL",
            ),
            (
                vec![("default_tags", tags(&[("team", Dynamic::from("a")), ("owner", Dynamic::Null)]))],
                "default_tags[0].tags: `tags` has null under `owner`: leave the key out",
            ),
            (
                vec![("default_tags", tags(&[("aws:x", Dynamic::from("a"))]))],
                "default_tags[0].tags: `tags` has the key `aws:x`: keys have 1 to 128 characters and do not begin with `aws:`",
            ),
        ];
        for (members, expected) in cases {
            let wrong = ProviderConfig::parse(&Dynamic::object(members)).unwrap_err();
            assert_eq!(wrong.iter().map(|wrong| format!("{}: {}", wrong.path, wrong.message)).collect::<Vec<_>>(), [expected]);
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = Dynamic::object([
            ("access_key", Dynamic::from("AKIA")),
            ("secret_key", Dynamic::from("s3cret")),
            ("token", Dynamic::from("t0ken")),
        ]);
        let config = ProviderConfig::parse(&config).unwrap();
        let printed = format!("{config:?}");
        assert!(!printed.contains("s3cret") && !printed.contains("t0ken"), "{printed}");
        assert_eq!(config.secret_key.unwrap().expose(), "s3cret");
    }

    #[test]
    fn unknown_values_count_as_not_given_and_are_named() {
        let config =
            ProviderConfig::parse(&Dynamic::object([("region", Dynamic::Unknown), ("max_concurrency", Dynamic::from(4))])).unwrap();
        assert_eq!((config.region, config.max_concurrency, config.unknown), (None, 4, vec!["region".to_owned()]));
    }

    #[test]
    fn sessions_last_between_a_quarter_and_twelve_hours() {
        for (text, seconds) in
            [("15m", Some(900)), ("12h", Some(43_200)), ("899s", None), ("13h", None), ("h", None), ("", None), ("1ö", None)]
        {
            assert_eq!(session_duration(text).ok().map(|duration| duration.as_secs()), seconds, "{text}");
        }
    }
}
