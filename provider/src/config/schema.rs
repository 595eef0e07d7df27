//! The schema of the provider block.

use trailwire_engine::diagnostic::Code;
use trailwire_engine::fanout::names::{is_account_id, is_region_name};

use crate::schema::{Attribute, NestedBlock, Schema, Type};
use crate::value::Dynamic;

/// The services that take an endpoint of their own.
pub const ENDPOINT_SERVICES: [&str; 12] = [
    "account",
    "cloudtrail",
    "cloudwatch",
    "dynamodb",
    "eventbridge",
    "iam",
    "lambda",
    "logs",
    "organizations",
    "secretsmanager",
    "sqs",
    "sts",
];

/// The `provider "trailwire"` block. Terraform ignores defaults here, so they are in the descriptions and in [`super::ProviderConfig::parse`].
pub fn schema() -> Schema {
    Schema::new(0, "Declares what to watch for in AWS, in every region and account, and what to do when it happens.")
        .attribute(
            Attribute::string("region")
                .not_empty()
                .check(Code::BAD_AWS_NAME, region_names)
                .describe("Home region of hubs that do not name one. Else the AWS configuration of the environment decides."),
        )
        .attribute(Attribute::string("profile").not_empty().describe("Profile of the shared AWS configuration files."))
        .attribute(
            Attribute::string("access_key")
                .not_empty()
                .describe("Access key id, together with `secret_key`. Prefer the environment or a profile."),
        )
        .attribute(Attribute::string("secret_key").sensitive().not_empty().describe("Secret access key, together with `access_key`."))
        .attribute(Attribute::string("token").sensitive().not_empty().describe("Session token that belongs to the two keys."))
        .attribute(
            Attribute::number("max_retries")
                .check(Code::OUT_OF_RANGE, whole::<0, 100>)
                .describe("How often a failed AWS call is tried again."),
        )
        .attribute(
            Attribute::string("retry_mode")
                .one_of(&["standard", "adaptive"])
                .describe("How retries are paced: `standard` (the default) or `adaptive`."),
        )
        .attribute(
            Attribute::number("max_concurrency")
                .check(Code::OUT_OF_RANGE, whole::<1, 1000>)
                .describe("How many AWS calls may be under way at once. Default `32`."),
        )
        .attribute(
            Attribute::set("allowed_account_ids", Type::String)
                .not_empty()
                .check(Code::BAD_AWS_NAME, account_ids)
                .describe("Only these accounts may be touched. Conflicts with `forbidden_account_ids`."),
        )
        .attribute(
            Attribute::set("forbidden_account_ids", Type::String)
                .not_empty()
                .check(Code::BAD_AWS_NAME, account_ids)
                .describe("These accounts may not be touched. Conflicts with `allowed_account_ids`."),
        )
        .attribute(
            Attribute::string("member_role_name")
                .not_empty()
                .check(Code::BAD_AWS_NAME, role_name)
                .describe("The role that is assumed in each member account of a hub, with its path if it has one. Default `trailwire-deploy`."),
        )
        .attribute(
            Attribute::string("member_external_id")
                .not_empty()
                .check(Code::BAD_AWS_NAME, external_id)
                .describe("The external id that the trust policies of these roles ask for."),
        )
        .attribute(
            Attribute::string("custom_ca_bundle")
                .not_empty()
                .describe("Path of a PEM file with certificate authorities to trust besides the system's."),
        )
        .attribute(Attribute::bool("skip_credentials_validation").describe(
            "Do not ask STS who we are. The account is then that of `assume_role`, of the credentials (`AWS_ACCOUNT_ID`, `aws_account_id` of the \
             profile), or the only one of `allowed_account_ids`.",
        ))
        .attribute(Attribute::bool("skip_region_validation").describe("Accept regions that this version does not know."))
        .attribute(
            Attribute::string("refresh")
                .one_of(&["rules", "deep", "none"])
                .describe("What a refresh reads: `rules` (the default), `deep` (targets, roles and tags too) or `none`."),
        )
        .block(
            NestedBlock::optional("default_tags", "Tags for everything that takes tags.")
                .attribute(
                    Attribute::map("tags", Type::String)
                        .check(Code::OUT_OF_RANGE, check_tags)
                        .describe("Key to value. Tags of a resource win."),
                ),
        )
        .block(
            NestedBlock::optional("ignore_tags", "Tags that somebody else manages: not shown, not changed.")
                .attribute(Attribute::set("keys", Type::String).describe("Whole keys."))
                .attribute(Attribute::set("key_prefixes", Type::String).describe("Beginnings of keys.")),
        )
        .block(
            NestedBlock::optional("assume_role", "A role to assume before anything else.")
                .attribute(Attribute::string("role_arn").required().not_empty().describe("Its ARN."))
                .attribute(Attribute::string("external_id").not_empty().describe("External id that its trust policy asks for."))
                .attribute(Attribute::string("session_name").not_empty().describe("Name of the session, as CloudTrail shows it."))
                .attribute(
                    Attribute::string("duration")
                        .check(Code::BAD_DURATION, session_duration)
                        .describe("How long the session lasts: `15m` to `12h`."),
                ),
        )
        .block(endpoints())
}

fn endpoints() -> NestedBlock {
    let block = NestedBlock::optional(
        "endpoints",
        "Endpoints to use in place of AWS's own. `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` work too.",
    );
    ENDPOINT_SERVICES.iter().fold(block, |block, service| {
        block.attribute(Attribute::string(service).not_empty().check(Code::BAD_URL, url).describe("URL of this service."))
    })
}

pub(crate) fn whole<const MIN: i64, const MAX: i64>(value: &Dynamic) -> Result<(), String> {
    match value.as_i64() {
        Some(number) if (MIN..=MAX).contains(&number) => Ok(()),
        _ => Err(format!("must be a whole number from {MIN} to {MAX}")),
    }
}

/// A set of account ids.
pub(crate) fn account_ids(value: &Dynamic) -> Result<(), String> {
    let wrong = value.as_strings().into_iter().find(|id| !is_account_id(id));
    wrong.map_or(Ok(()), |id| Err(format!("holds `{id}`, which is not an account id (12 digits)")))
}

/// A region's name or a set of them, by their form: which there are AWS knows.
pub(crate) fn region_names(value: &Dynamic) -> Result<(), String> {
    let named = value.as_str().map(str::to_owned).into_iter().chain(value.as_strings());
    let wrong = named.into_iter().find(|name| !is_region_name(name));
    wrong.map_or(Ok(()), |name| Err(format!("says `{name}`, which is not the name of a region, such as `eu-west-1`")))
}

/// A role's name, at most 64 characters, after a path that begins without a slash.
fn role_name(value: &Dynamic) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default();
    let allowed = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+=,.@_-/".contains(letter));
    let name = text.rsplit('/').next().unwrap_or_default();
    let fits = allowed && (1..=64).contains(&name.len()) && !text.starts_with('/') && text.len() <= 512;
    if fits {
        Ok(())
    } else {
        Err(format!("is `{text}`, which is not a role's name: letters, digits and `+=,.@_-`, at most 64 characters"))
    }
}

fn external_id(value: &Dynamic) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default();
    let allowed = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+=,.@_:/-".contains(letter));
    if allowed && (2..=1224).contains(&text.len()) {
        return Ok(());
    }
    Err("is not an external id: 2 to 1,224 letters, digits and `+=,.@_:/-`".to_owned())
}

/// What AWS asks of tags, and no nulls: AWS cannot keep them, so they would differ in every plan.
pub(crate) fn check_tags(value: &Dynamic) -> Result<(), String> {
    let tags = value.as_map().into_iter().flatten();
    for (key, value) in tags {
        if value.is_null() {
            return Err(format!("has null under `{key}`: leave the key out"));
        }
        if key.is_empty() || key.chars().count() > 128 || key.starts_with("aws:") {
            return Err(format!("has the key `{key}`: keys have 1 to 128 characters and do not begin with `aws:`"));
        }
        if value.as_str().is_some_and(|value| value.chars().count() > 256) {
            return Err(format!("has a value of more than 256 characters under `{key}`"));
        }
    }
    if value.as_map().is_some_and(|tags| tags.len() > 50) { Err("has more than 50 tags".to_owned()) } else { Ok(()) }
}

fn url(value: &Dynamic) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    if rest.is_empty() || rest.contains(char::is_whitespace) { Err("must be an http or https URL".to_owned()) } else { Ok(()) }
}

fn session_duration(value: &Dynamic) -> Result<(), String> {
    super::parse::session_duration(value.as_str().unwrap_or_default()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_from_what_is_none() {
        for (value, expected) in [
            (Dynamic::from("eu-west-1"), Ok(())),
            (Dynamic::strings(["us-gov-east-1", "eusc-de-east-1"]), Ok(())),
            (Dynamic::from("us-east1"), Err("says `us-east1`, which is not the name of a region, such as `eu-west-1`".to_owned())),
            (
                Dynamic::strings(["eu-west-1", "a.example/?"]),
                Err("says `a.example/?`, which is not the name of a region, such as `eu-west-1`".to_owned()),
            ),
        ] {
            assert_eq!(region_names(&value), expected);
        }
    }
}
