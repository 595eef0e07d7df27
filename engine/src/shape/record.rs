//! What is known of the record beside the types of [`super::FIELDS`]: which members an object has, which values a field has, and
//! which fields most events lack.
//!
//! What stands here is for telling a user of a likely mistake. Nothing is supposed of events by it: push-down does not read it.
//!
//! Sources: as those of [`super::FIELDS`]. The shares were counted in 28,048 published records of some 700 events.

use super::{FIELDS, Kinds, Schema};

/// Members that there are beside [`FIELDS`]. `[]` stands for an element of an array.
const NAMES: &[&str] = &[
    "resources[]",
    "detail.insightDetails",
    "detail.addendum.reason",
    "detail.addendum.updatedFields",
    "detail.addendum.originalRequestID",
    "detail.addendum.originalEventID",
    "detail.resources[]",
    "detail.resources[].ARN",
    "detail.resources[].ARNPrefix",
    "detail.resources[].arn",
    "detail.resources[].accountId",
    "detail.resources[].type",
    "detail.userIdentity.invokedByDelegate",
    "detail.userIdentity.invokedByDelegate.accountId",
    "detail.userIdentity.inScopeOf.sourceArn",
    "detail.userIdentity.inScopeOf.sourceAccount",
    "detail.userIdentity.inScopeOf.issuerType",
    "detail.userIdentity.inScopeOf.credentialsIssuedTo",
    "detail.userIdentity.sessionContext.assumedRoot",
    "detail.userIdentity.sessionContext.ec2RoleDelivery",
    "detail.userIdentity.sessionContext.signInSessionArn",
    "detail.userIdentity.sessionContext.webIdFederationData.attributes",
];

/// The objects whose members are known. Of all others anything can be a member.
const CLOSED: &[&str] = &[
    "",
    "detail",
    "detail.addendum",
    "detail.resources[]",
    "detail.tlsDetails",
    "detail.userIdentity",
    "detail.userIdentity.inScopeOf",
    "detail.userIdentity.invokedByDelegate",
    "detail.userIdentity.onBehalfOf",
    "detail.userIdentity.sessionContext",
    "detail.userIdentity.sessionContext.attributes",
    "detail.userIdentity.sessionContext.sessionIssuer",
    "detail.userIdentity.sessionContext.webIdFederationData",
];

/// Fields, or all that stands under them, without which a good part of the events comes: `errorCode` is in 38 % of them,
/// `responseElements` is null in 79 %, `userName` and `sessionContext` are there for some kinds of caller only.
const OFTEN_ABSENT: &[&str] = &[
    "detail.additionalEventData",
    "detail.apiVersion",
    "detail.errorCode",
    "detail.errorMessage",
    "detail.responseElements",
    "detail.serviceEventDetails",
    "detail.sessionCredentialFromConsole",
    "detail.sharedEventID",
    "detail.tlsDetails",
    "detail.userIdentity.credentialId",
    "detail.userIdentity.identityProvider",
    "detail.userIdentity.invokedBy",
    "detail.userIdentity.onBehalfOf",
    "detail.userIdentity.sessionContext",
    "detail.userIdentity.userName",
    "detail.vpcEndpointAccountId",
    "detail.vpcEndpointId",
];

/// The texts that a field has.
#[derive(Debug, Clone, Copy)]
pub enum Texts {
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Those of a form: whether a text is of it, the form in words, and one to show.
    Form(fn(&str) -> bool, &'static str, &'static str),
}

impl Texts {
    /// Whether the field can have a text.
    #[must_use]
    pub fn hold(self, text: &str) -> bool {
        match self {
            Self::OneOf(texts) => texts.contains(&text),
            Self::Form(holds, ..) => holds(text),
        }
    }
}

const FLAGS: Texts = Texts::OneOf(&["true", "false"]);
const ACCOUNT: Texts = Texts::Form(is_account, "the 12 digits of an account", "111122223333");
const REGION: Texts = Texts::Form(is_region, "a region's name", "eu-west-1");

const TEXTS: &[(&str, Texts)] = &[
    ("source", Texts::Form(|text| text.starts_with("aws."), "a name such as `aws.ec2`", "aws.ec2")),
    (
        "detail-type",
        Texts::OneOf(&[
            "AWS API Call via CloudTrail",
            "AWS Console Action via CloudTrail",
            "AWS Console Sign In via CloudTrail",
            "AWS Console Signin via CloudTrail",
            "AWS Insight via CloudTrail",
            "AWS Network Activity Event via CloudTrail",
            "AWS Service Event via CloudTrail",
        ]),
    ),
    ("account", ACCOUNT),
    ("region", REGION),
    ("detail.awsRegion", REGION),
    ("detail.recipientAccountId", ACCOUNT),
    ("detail.userIdentity.accountId", ACCOUNT),
    ("detail.userIdentity.sessionContext.sessionIssuer.accountId", ACCOUNT),
    ("detail.errorCode", Texts::Form(is_error_code, "absent where a call succeeded", "AccessDenied")),
    ("detail.eventCategory", Texts::OneOf(&["Data", "Insight", "Management", "NetworkActivity"])),
    (
        "detail.eventType",
        Texts::OneOf(&[
            "AwsApiCall",
            "AwsCloudTrailInsight",
            "AwsConsoleAction",
            "AwsConsoleSignIn",
            "AwsConsoleSignin",
            "AwsServiceEvent",
            "AwsVpceEvent",
            "AwsVpceEvents",
        ]),
    ),
    (
        "detail.userIdentity.type",
        Texts::OneOf(&[
            "AWSAccount",
            "AWSService",
            "AssumedRole",
            "Directory",
            "FederatedUser",
            "IAMUser",
            "IdentityCenterUser",
            "Role",
            "Root",
            "SAMLUser",
            "Unknown",
            "WebIdentityUser",
        ]),
    ),
    ("detail.sessionCredentialFromConsole", FLAGS),
    ("detail.userIdentity.sessionContext.attributes.mfaAuthenticated", FLAGS),
    ("detail.userIdentity.sessionContext.sessionIssuer.type", Texts::OneOf(&["IAMUser", "Role", "Root"])),
];

/// Twelve digits, or a word that stands for no account, such as `ANONYMOUS_PRINCIPAL`.
fn is_account(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b' '));
    !digits || (text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let is_word = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2 && words.iter().all(is_word) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_error_code(text: &str) -> bool {
    !text.is_empty() && !["success", "succeeded", "ok", "none", "null"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The types that the value at a path can have, null among them. The path is written with dots, `[]` standing for an element of an
/// array; empty for the envelope.
#[must_use]
pub fn kinds_at(path: &str) -> Kinds {
    if path.is_empty() {
        return Kinds::OBJECT;
    }
    if path.ends_with("[]") || path.contains("[].") {
        return match path {
            "detail.resources[]" => Kinds::OBJECT.with(Kinds::NULL),
            path if is_name(path) => Kinds::STRING.with(Kinds::NULL),
            _ => Kinds::ANY,
        };
    }
    Schema::CloudTrail.kinds_at(&path.split('.').collect::<Vec<_>>())
}

/// The members that the object at a path has; `None` where that is not known.
#[must_use]
pub fn members(path: &str) -> Option<Vec<&'static str>> {
    CLOSED
        .contains(&path)
        .then(|| known().filter_map(parent_and_name).filter(|(parent, _)| *parent == path).map(|(_, name)| name).collect())
}

/// The field of a name, wherever in the event it stands, the highest first.
#[must_use]
pub fn field_of_name(name: &str) -> Option<&'static str> {
    let of_name = known().filter(|known| parent_and_name(known).is_some_and(|(_, known)| known == name));
    of_name.min_by_key(|known| known.matches('.').count())
}

/// The texts that the field at a path has; `None` where they are many.
#[must_use]
pub fn texts(path: &str) -> Option<Texts> {
    TEXTS.iter().find(|(known, _)| *known == path).map(|(_, texts)| *texts)
}

/// Whether a good part of the events lacks the field at a path.
#[must_use]
pub fn is_often_absent(path: &str) -> bool {
    OFTEN_ABSENT.iter().any(|known| path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
}

fn known() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|field| field.path).chain(NAMES.iter().copied())
}

fn is_name(path: &str) -> bool {
    NAMES.contains(&path)
}

/// `("a.b", "c")` of `a.b.c`; elements of arrays have no name.
fn parent_and_name(path: &'static str) -> Option<(&'static str, &'static str)> {
    (!path.ends_with("[]")).then(|| path.rsplit_once('.').unwrap_or(("", path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_object_is_named_and_no_name_stands_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for path in known() {
            assert!(seen.insert(path), "{path} stands twice");
        }
        for path in CLOSED.iter().skip(1).chain(OFTEN_ABSENT).chain(TEXTS.iter().map(|(path, _)| path)) {
            assert!(seen.contains(path), "{path}");
        }
        for (path, texts) in TEXTS {
            assert!(kinds_at(path).has(Kinds::STRING), "{path}");
            if let Texts::Form(holds, _, shown) = texts {
                assert!(holds(shown), "{path}: {shown}");
            }
        }
    }

    #[test]
    fn members_and_kinds() {
        assert_eq!(members("detail.tlsDetails").unwrap().len(), 4);
        assert!(members("").unwrap().contains(&"detail-type"));
        assert_eq!(members("detail.requestParameters"), None);
        assert_eq!(members("detail.resources[]").unwrap(), ["ARN", "ARNPrefix", "arn", "accountId", "type"]);
        assert_eq!(kinds_at("detail.resources[].type"), Kinds::STRING.with(Kinds::NULL));
        assert_eq!(kinds_at("detail.requestParameters.items[].a"), Kinds::ANY);
        assert_eq!(kinds_at("detail.eventName.a"), Kinds::NULL);
        assert_eq!(field_of_name("mfaAuthenticated"), Some("detail.userIdentity.sessionContext.attributes.mfaAuthenticated"));
        assert_eq!(field_of_name("accountId"), Some("detail.userIdentity.accountId"));
        assert!(is_often_absent("detail.responseElements.a") && is_often_absent("detail.responseElements[].a"));
        assert!(!is_often_absent("detail.errorCodes") && !is_often_absent("detail.requestParameters.a"));
    }

    #[test]
    fn forms() {
        for (path, right, wrong) in [
            ("region", "us-gov-west-1", "Ireland"),
            ("region", "eusc-de-east-1", "eu-west"),
            ("account", "111122223333", "1111-2222-3333"),
            ("account", "ANONYMOUS_PRINCIPAL", "11112222333"),
            ("detail.errorCode", "AccessDenied", "Success"),
            ("source", "aws.ec2", "ec2.amazonaws.com"),
            ("detail.userIdentity.type", "Root", "root"),
        ] {
            let texts = texts(path).unwrap();
            assert!(texts.hold(right), "{path} {right}");
            assert!(!texts.hold(wrong), "{path} {wrong}");
        }
    }
}
