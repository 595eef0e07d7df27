//! Who did it: one actor out of every form that `userIdentity` takes.
//!
//! CloudTrail says who in a dozen shapes. A person is `userName` for an IAM user, the part after the colon of
//! `principalId` for a role session, `onBehalfOf.userId` for Identity Center, and nothing but `invokedBy` when a service acted
//! for itself; some service events carry no `type` at all. [`who`] reads them all and never fails: what a record does
//! not tell stays `None`, and [`Actor::name`] always says something.
//!
//! Everything here comes from the event, so it is text that an attacker may have chosen: escape it for where it goes.

mod tool;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

pub use tool::tool;

/// The kind of identity behind an event, after `userIdentity.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The account's root user.
    Root,
    /// An IAM user, with a key or a password of its own.
    IamUser,
    /// A session of a role: a person, a machine or a service that assumed it.
    AssumedRole,
    /// A session of `GetFederationToken`.
    FederatedUser,
    /// An AWS service acting for itself.
    AwsService,
    /// A principal of another account.
    AwsAccount,
    /// A user of IAM Identity Center.
    IdentityCenterUser,
    /// A user signed in by a SAML provider.
    SamlUser,
    /// A user signed in by a web identity provider.
    WebIdentityUser,
    /// Anything else, a record without `userIdentity` or `type` included.
    Unknown,
}

impl Kind {
    /// The kind in words, as a sentence has it: `IAM user`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Root => "root user",
            Self::IamUser => "IAM user",
            Self::AssumedRole => "role session",
            Self::FederatedUser => "federated user",
            Self::AwsService => "AWS service",
            Self::AwsAccount => "another AWS account",
            Self::IdentityCenterUser => "Identity Center user",
            Self::SamlUser => "SAML user",
            Self::WebIdentityUser => "web identity user",
            Self::Unknown => "unknown identity",
        }
    }
}

/// Who made an event. Serialises to the `actor` object of a notification, without the members that are not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// The kind of identity.
    pub kind: Kind,
    /// The shortest name that tells this actor apart: a user's name, `ROLE/SESSION` for a role session, a service's host
    /// name, `root`. Never empty.
    pub name: String,
    /// The account that the identity belongs to, which need not be the account in which the event took place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name of the role, for a role session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The name of the session, for a role session: often the person's name or the instance's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The person behind a session where AWS knows it: `sourceIdentity`, the Identity Center user, or who issued the session
    /// of a federated user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// Who opened the session, and who opened the session in which that was done, and so on back. No record tells it of itself: [`who`] leaves
    /// it empty, and whoever has seen the events of `AssumeRole` may fill it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumed_by: Vec<String>,
    /// The identity's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The access key used: its id, never a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// The service that made the call for this identity (`invokedBy`), unless the actor is that service itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The tool that the call came from, read from the user agent: `console`, `AWS CLI`, `Terraform` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Whether the session was opened with a second factor; `None` where the record does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa: Option<bool>,
}

/// The name alone where the kind goes without saying; otherwise the kind is told too: `deploy (IAM user)`,
/// `Admin/alice (role session)`, `root of 111122223333`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.account) {
            (Kind::Root, Some(account)) => write!(f, "{} of {account}", self.name),
            (Kind::Root | Kind::AwsService | Kind::Unknown, _) => f.write_str(&self.name),
            (Kind::AwsAccount, _) => write!(f, "{} ({})", self.name, self.kind.words()),
            (kind, _) => write!(f, "{} ({})", self.name, kind.words()),
        }
    }
}

/// Tells who made the event whose CloudTrail record is `detail`. Never fails: a record without `userIdentity` gives
/// [`Kind::Unknown`] with the name `unknown`.
///
/// ```
/// let detail = serde_json::json!({"userIdentity": {
///     "type": "AssumedRole", "principalId": "AROAEXAMPLE:alice",
///     "sessionContext": {"sessionIssuer": {"userName": "Admin"}}}});
/// let actor = trailwire_engine::actor::who(&detail);
/// assert_eq!(actor.to_string(), "Admin/alice (role session)");
/// ```
pub fn who(detail: &Value) -> Actor {
    let identity = Identity(detail.get("userIdentity").unwrap_or(&Value::Null));
    let kind = identity.kind();
    let role = (kind == Kind::AssumedRole).then(|| identity.role()).flatten();
    let session = (kind == Kind::AssumedRole).then(|| identity.session()).flatten();
    let name = identity.name(kind, role.as_deref(), session.as_deref());
    let invoked_by = identity.text(&["invokedBy"]);
    Actor {
        kind,
        via: invoked_by.filter(|service| *service != name).map(str::to_owned),
        account: identity.account().map(str::to_owned),
        on_behalf_of: identity.on_behalf_of(kind),
        assumed_by: Vec::new(),
        arn: identity.text(&["arn"]).map(str::to_owned),
        access_key: identity.text(&["accessKeyId"]).map(str::to_owned),
        tool: detail.get("userAgent").and_then(Value::as_str).and_then(tool).map(str::to_owned).or_else(|| {
            // Records since 2023 say it outright when the user agent is a plain browser's.
            (detail.get("sessionCredentialFromConsole").and_then(Value::as_str) == Some("true")).then(|| "console".to_owned())
        }),
        mfa: identity.mfa(detail),
        name,
        role,
        session,
    }
}

/// The `userIdentity` of a record, or null.
struct Identity<'a>(&'a Value);

impl<'a> Identity<'a> {
    /// The text at a path of members; `None` where it is missing, empty or no string.
    fn text(&self, path: &[&str]) -> Option<&'a str> {
        let mut value = self.0;
        for member in path {
            value = value.get(member)?;
        }
        value.as_str().filter(|text| !text.is_empty())
    }

    fn kind(&self) -> Kind {
        match self.text(&["type"]) {
            Some("Root") => Kind::Root,
            Some("IAMUser" | "User") => Kind::IamUser,
            Some("AssumedRole" | "Role") => Kind::AssumedRole,
            Some("FederatedUser") => Kind::FederatedUser,
            Some("AWSService") => Kind::AwsService,
            Some("AWSAccount") => Kind::AwsAccount,
            Some("IdentityCenterUser") => Kind::IdentityCenterUser,
            Some("SAMLUser") => Kind::SamlUser,
            Some("WebIdentityUser") => Kind::WebIdentityUser,
            Some(_) => Kind::Unknown,
            None => self.kind_without_type(),
        }
    }

    /// Records without a type are service events (only `invokedBy`, perhaps an account) and shortened copies: the issuer of
    /// the session tells a role.
    fn kind_without_type(&self) -> Kind {
        match self.text(&["sessionContext", "sessionIssuer", "type"]) {
            Some("Role") => Kind::AssumedRole,
            _ if self.text(&["onBehalfOf", "userId"]).is_some() => Kind::IdentityCenterUser,
            _ if self.text(&["userName"]).is_none() && self.text(&["invokedBy"]).is_some() => Kind::AwsService,
            _ => Kind::Unknown,
        }
    }

    fn role(&self) -> Option<String> {
        let issuer = self.text(&["sessionContext", "sessionIssuer", "userName"]);
        issuer.or_else(|| arn_part(self.text(&["arn"])?, "assumed-role/", 0)).map(str::to_owned)
    }

    /// After the colon of `principalId`, or the last part of the ARN.
    fn session(&self) -> Option<String> {
        let of_principal = self.text(&["principalId"]).and_then(|id| id.split_once(':')).map(|(_, session)| session);
        let session = of_principal.filter(|session| !session.is_empty());
        session.or_else(|| arn_part(self.text(&["arn"])?, "assumed-role/", 1)).map(str::to_owned)
    }

    fn account(&self) -> Option<&'a str> {
        let own = self.text(&["accountId"]);
        own.or_else(|| self.text(&["sessionContext", "sessionIssuer", "accountId"]))
            .or_else(|| self.text(&["arn"])?.split(':').nth(4).filter(|account| !account.is_empty()))
    }

    fn name(&self, kind: Kind, role: Option<&str>, session: Option<&str>) -> String {
        let named = match kind {
            Kind::Root => Some("root".to_owned()),
            Kind::AssumedRole => match (role, session) {
                (Some(role), Some(session)) => Some(format!("{role}/{session}")),
                (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
                (None, None) => None,
            },
            Kind::FederatedUser => self.federated().map(str::to_owned),
            Kind::AwsService => self.text(&["invokedBy"]).map(str::to_owned),
            Kind::IdentityCenterUser => self.text(&["onBehalfOf", "userId"]).map(str::to_owned),
            Kind::AwsAccount => self.text(&["accountId"]).map(|account| format!("account {account}")),
            Kind::IamUser | Kind::SamlUser | Kind::WebIdentityUser | Kind::Unknown => None,
        };
        named.or_else(|| self.any_name()).unwrap_or_else(|| "unknown".to_owned())
    }

    /// The name in the ARN of a federated user, or after the colon of `principalId`.
    fn federated(&self) -> Option<&'a str> {
        let of_arn = self.text(&["arn"]).and_then(|arn| arn_part(arn, "federated-user/", 0));
        of_arn.or_else(|| self.text(&["principalId"])?.split_once(':').map(|(_, name)| name))
    }

    /// The best name that any identity has: its user name, the tail of its ARN, its issuer, the service, its principal, its
    /// account.
    fn any_name(&self) -> Option<String> {
        let tail = || self.text(&["arn"])?.rsplit(['/', ':']).next().filter(|tail| !tail.is_empty());
        self.text(&["userName"])
            .or_else(tail)
            .or_else(|| self.text(&["sessionContext", "sessionIssuer", "userName"]))
            .or_else(|| self.text(&["invokedBy"]))
            .or_else(|| self.text(&["principalId"]))
            .map(str::to_owned)
            .or_else(|| self.text(&["accountId"]).map(|account| format!("account {account}")))
    }

    fn on_behalf_of(&self, kind: Kind) -> Option<String> {
        let source = self.text(&["sessionContext", "sourceIdentity"]);
        let person = source.or_else(|| self.text(&["onBehalfOf", "userId"]).filter(|_| kind != Kind::IdentityCenterUser));
        let issuer = || {
            let issuer = self.text(&["sessionContext", "sessionIssuer", "userName"]);
            issuer.or_else(|| self.text(&["sessionContext", "sessionIssuer", "arn"])).filter(|_| kind == Kind::FederatedUser)
        };
        person.or_else(issuer).map(str::to_owned)
    }

    /// `mfaAuthenticated` is the text `true` or `false`; a console sign-in says `MFAUsed`: `Yes`, `No` (or `YES`) instead.
    fn mfa(&self, detail: &Value) -> Option<bool> {
        if let Some(used) = detail.pointer("/additionalEventData/MFAUsed").and_then(Value::as_str) {
            return Some(used.eq_ignore_ascii_case("yes"));
        }
        match self.text(&["sessionContext", "attributes", "mfaAuthenticated"])? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

/// The `index`th part of what follows `marker` in an ARN's resource.
fn arn_part<'a>(arn: &'a str, marker: &str, index: usize) -> Option<&'a str> {
    let (_, resource) = arn.split_once(marker)?;
    resource.split('/').nth(index).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A `userIdentity`, what it is called, its kind, its account, and through which service it acted.
    type Case = (Value, &'static str, Kind, Option<&'static str>, Option<&'static str>);

    fn cases() -> Vec<Case> {
        let account = Some("111122223333");
        vec![
            (
                json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"}),
                "root of 111122223333",
                Kind::Root,
                account,
                None,
            ),
            (
                json!({"type": "Root", "accountId": "111122223333", "userName": "alias", "invokedBy": "autoscaling.amazonaws.com"}),
                "root of 111122223333",
                Kind::Root,
                account,
                Some("autoscaling.amazonaws.com"),
            ),
            (json!({"type": "IAMUser", "userName": "bert", "accountId": "111122223333"}), "bert (IAM user)", Kind::IamUser, account, None),
            (
                json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/team/bert"}),
                "bert (IAM user)",
                Kind::IamUser,
                account,
                None,
            ),
            (
                json!({"type": "IAMUser", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
                "HIDDEN_DUE_TO_SECURITY_REASONS (IAM user)",
                Kind::IamUser,
                None,
                None,
            ),
            (json!({"type": "User", "userName": "test"}), "test (IAM user)", Kind::IamUser, None, None),
            (
                json!({"type": "AssumedRole", "principalId": "AROA1:alice@example.com", "arn": "arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com",
                    "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "Admin", "accountId": "111122223333"}}}),
                "Admin/alice@example.com (role session)",
                Kind::AssumedRole,
                account,
                None,
            ),
            (
                json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Admin/i-0abc"}),
                "Admin/i-0abc (role session)",
                Kind::AssumedRole,
                account,
                None,
            ),
            (json!({"type": "AssumedRole", "principalId": "AROA1:bot"}), "bot (role session)", Kind::AssumedRole, None, None),
            (
                json!({"type": "AssumedRole", "principalId": "AROA1:SLRManagement", "accountId": "111122223333", "invokedBy": "rds.amazonaws.com",
                    "sessionContext": {"sessionIssuer": {"userName": "AWSServiceRoleForRDS"}}}),
                "AWSServiceRoleForRDS/SLRManagement (role session)",
                Kind::AssumedRole,
                account,
                Some("rds.amazonaws.com"),
            ),
            (json!({"type": "AssumedRole"}), "unknown (role session)", Kind::AssumedRole, None, None),
            (
                json!({"type": "FederatedUser", "principalId": "111122223333:carol", "arn": "arn:aws:sts::111122223333:federated-user/carol",
                    "sessionContext": {"sessionIssuer": {"type": "IAMUser", "userName": "broker"}}}),
                "carol (federated user)",
                Kind::FederatedUser,
                account,
                None,
            ),
            (
                json!({"type": "FederatedUser", "principalId": "111122223333:carol"}),
                "carol (federated user)",
                Kind::FederatedUser,
                None,
                None,
            ),
            (json!({"type": "AWSService", "invokedBy": "rds.amazonaws.com"}), "rds.amazonaws.com", Kind::AwsService, None, None),
            (json!({"type": "AWSService"}), "unknown", Kind::AwsService, None, None),
            (
                json!({"type": "AWSAccount", "accountId": "111122223333", "principalId": "AIDA1"}),
                "account 111122223333 (another AWS account)",
                Kind::AwsAccount,
                account,
                None,
            ),
            (
                json!({"type": "IdentityCenterUser", "accountId": "111122223333", "onBehalfOf": {"userId": "94482488-1", "identityStoreArn": "arn:x"}, "credentialId": "c"}),
                "94482488-1 (Identity Center user)",
                Kind::IdentityCenterUser,
                account,
                None,
            ),
            (json!({"type": "SAMLUser", "userName": "dave", "identityProvider": "okta"}), "dave (SAML user)", Kind::SamlUser, None, None),
            (
                json!({"type": "WebIdentityUser", "userName": "1234", "identityProvider": "accounts.google.com"}),
                "1234 (web identity user)",
                Kind::WebIdentityUser,
                None,
                None,
            ),
            (json!({"type": "Directory", "userName": "erin"}), "erin", Kind::Unknown, None, None),
            (json!({"type": "Unknown"}), "unknown", Kind::Unknown, None, None),
            (json!({"accountId": "111122223333", "invokedBy": "ec2.amazonaws.com"}), "ec2.amazonaws.com", Kind::AwsService, account, None),
            (json!({"invokedBy": "kms.amazonaws.com"}), "kms.amazonaws.com", Kind::AwsService, None, None),
            (json!({"accountId": "111122223333"}), "account 111122223333", Kind::Unknown, account, None),
            (json!({"userName": "frank"}), "frank", Kind::Unknown, None, None),
            (
                json!({"principalId": "AROA1:s", "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "R"}}}),
                "R/s (role session)",
                Kind::AssumedRole,
                None,
                None,
            ),
            (json!({}), "unknown", Kind::Unknown, None, None),
            (json!(null), "unknown", Kind::Unknown, None, None),
            (json!("HIDDEN"), "unknown", Kind::Unknown, None, None),
            (json!({"type": 7, "userName": ["x"]}), "unknown", Kind::Unknown, None, None),
        ]
    }

    #[test]
    fn every_kind_of_identity_has_a_name() {
        for (identity, text, kind, account, via) in cases() {
            let actor = who(&json!({"userIdentity": identity}));
            assert_eq!(actor.to_string(), text, "{identity}");
            assert_eq!(actor.kind, kind, "{identity}");
            assert_eq!(actor.account.as_deref(), account, "{identity}");
            assert_eq!(actor.via.as_deref(), via, "{identity}");
        }
        assert_eq!(who(&json!({})).name, "unknown");
        assert_eq!(who(&json!([])).name, "unknown");
    }

    #[test]
    fn a_session_is_traced_to_its_person() {
        let person = |identity: Value| who(&json!({"userIdentity": identity})).on_behalf_of;
        let traced = json!({"type": "AssumedRole", "principalId": "AROA1:i-1", "sessionContext": {"sourceIdentity": "alice"}, "onBehalfOf": {"userId": "u"}});
        assert_eq!(person(traced).as_deref(), Some("alice"));
        assert_eq!(person(json!({"type": "AssumedRole", "onBehalfOf": {"userId": "94482488"}})).as_deref(), Some("94482488"));
        let federated =
            json!({"type": "FederatedUser", "principalId": "1:carol", "sessionContext": {"sessionIssuer": {"userName": "broker"}}});
        assert_eq!(person(federated).as_deref(), Some("broker"));
        assert_eq!(person(json!({"type": "IAMUser", "userName": "bert"})), None);
    }

    #[test]
    fn the_second_factor_is_read_in_both_spellings() {
        let mfa = |detail: Value| who(&detail).mfa;
        let session = |said: &str| json!({"userIdentity": {"sessionContext": {"attributes": {"mfaAuthenticated": said}}}});
        assert_eq!(mfa(session("true")), Some(true));
        assert_eq!(mfa(session("false")), Some(false));
        assert_eq!(mfa(session("...")), None);
        assert_eq!(mfa(json!({"additionalEventData": {"MFAUsed": "YES"}})), Some(true));
        assert_eq!(mfa(json!({"additionalEventData": {"MFAUsed": "No"}})), Some(false));
        assert_eq!(mfa(json!({})), None);
    }

    #[test]
    fn what_is_not_known_is_left_out_of_the_json() {
        let actor = who(&json!({"userIdentity": {"type": "AWSService", "invokedBy": "rds.amazonaws.com"}}));
        assert_eq!(serde_json::to_value(actor).unwrap(), json!({"kind": "aws_service", "name": "rds.amazonaws.com"}));
    }
}
