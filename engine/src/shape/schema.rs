//! What is known of CloudTrail's events: the fields of the record and of the envelope, and their types (table S).
//!
//! A known field is absent, null or of its type. Nothing is known of what stands under `requestParameters`, `responseElements`,
//! `additionalEventData` and `serviceEventDetails`, nor of members that are not listed.
//!
//! Sources: CloudTrail user guide, "CloudTrail record contents" and "CloudTrail userIdentity element" (record versions 1.05 to
//! 1.11); EventBridge user guide, "Events from AWS services"; the types were held against 28,048 published records.

use super::Kinds;

/// What may be supposed of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Schema {
    /// They are CloudTrail's, in EventBridge's envelope: members have one name each, `detail` is an object, the envelope has no
    /// members but EventBridge's, and known fields are absent, null or of their type.
    #[default]
    CloudTrail,
    /// Nothing: any JSON object in which no name stands twice.
    None,
}

/// A known field: where it stands and its type beside null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The member names from the envelope down, joined by dots. (None of them holds one.)
    pub path: &'static str,
    /// Its type.
    pub kinds: Kinds,
}

const fn text(path: &'static str) -> Field {
    Field { path, kinds: Kinds::STRING }
}

const fn flag(path: &'static str) -> Field {
    Field { path, kinds: Kinds::BOOLEAN }
}

const fn object(path: &'static str) -> Field {
    Field { path, kinds: Kinds::OBJECT }
}

const fn array(path: &'static str) -> Field {
    Field { path, kinds: Kinds::ARRAY }
}

/// Every known field.
pub const FIELDS: &[Field] = &[
    text("version"),
    text("id"),
    text("detail-type"),
    text("source"),
    text("account"),
    text("time"),
    text("region"),
    array("resources"),
    text("replay-name"),
    object("detail"),
    text("detail.eventVersion"),
    text("detail.eventTime"),
    text("detail.eventSource"),
    text("detail.eventName"),
    text("detail.awsRegion"),
    text("detail.sourceIPAddress"),
    text("detail.userAgent"),
    text("detail.errorCode"),
    text("detail.errorMessage"),
    object("detail.requestParameters"),
    object("detail.responseElements"),
    object("detail.additionalEventData"),
    object("detail.serviceEventDetails"),
    text("detail.requestID"),
    text("detail.eventID"),
    text("detail.eventType"),
    text("detail.apiVersion"),
    flag("detail.managementEvent"),
    flag("detail.readOnly"),
    array("detail.resources"),
    text("detail.recipientAccountId"),
    text("detail.sharedEventID"),
    text("detail.vpcEndpointId"),
    text("detail.vpcEndpointAccountId"),
    text("detail.eventCategory"),
    text("detail.sessionCredentialFromConsole"),
    object("detail.addendum"),
    object("detail.edgeDeviceDetails"),
    object("detail.tlsDetails"),
    text("detail.tlsDetails.tlsVersion"),
    text("detail.tlsDetails.cipherSuite"),
    text("detail.tlsDetails.clientProvidedHostHeader"),
    text("detail.tlsDetails.keyExchange"),
    object("detail.userIdentity"),
    text("detail.userIdentity.type"),
    text("detail.userIdentity.principalId"),
    text("detail.userIdentity.arn"),
    text("detail.userIdentity.accountId"),
    text("detail.userIdentity.accessKeyId"),
    text("detail.userIdentity.userName"),
    text("detail.userIdentity.invokedBy"),
    text("detail.userIdentity.identityProvider"),
    text("detail.userIdentity.credentialId"),
    object("detail.userIdentity.onBehalfOf"),
    text("detail.userIdentity.onBehalfOf.userId"),
    text("detail.userIdentity.onBehalfOf.identityStoreArn"),
    object("detail.userIdentity.inScopeOf"),
    object("detail.userIdentity.sessionContext"),
    object("detail.userIdentity.sessionContext.attributes"),
    text("detail.userIdentity.sessionContext.attributes.creationDate"),
    text("detail.userIdentity.sessionContext.attributes.mfaAuthenticated"),
    object("detail.userIdentity.sessionContext.sessionIssuer"),
    text("detail.userIdentity.sessionContext.sessionIssuer.type"),
    text("detail.userIdentity.sessionContext.sessionIssuer.principalId"),
    text("detail.userIdentity.sessionContext.sessionIssuer.arn"),
    text("detail.userIdentity.sessionContext.sessionIssuer.accountId"),
    text("detail.userIdentity.sessionContext.sessionIssuer.userName"),
    object("detail.userIdentity.sessionContext.webIdFederationData"),
    text("detail.userIdentity.sessionContext.webIdFederationData.federatedProvider"),
    text("detail.userIdentity.sessionContext.sourceIdentity"),
];

impl Schema {
    /// The types that the value at a path can have, null (which stands for missing, too) among them.
    #[must_use]
    pub fn kinds_at(self, path: &[&str]) -> Kinds {
        if self == Self::None || path.iter().any(|name| name.contains('.')) {
            return Kinds::ANY;
        }
        let joined = path.join(".");
        let known = FIELDS.iter().find(|field| field.path == joined);
        if let Some(field) = known {
            // An event has a `detail`, and it is an object.
            return if joined == "detail" { field.kinds } else { field.kinds.with(Kinds::NULL) };
        }
        // Under a text there is nothing.
        let under_scalar = FIELDS
            .iter()
            .any(|field| !field.kinds.has(Kinds::OBJECT) && joined.strip_prefix(field.path).is_some_and(|rest| rest.starts_with('.')));
        if under_scalar { Kinds::NULL } else { Kinds::ANY }
    }

    /// Whether `{"exists": false}` on a path means that the value there is missing or has no leaf of its own.
    ///
    /// It does not where an object on the way can be an array, or where a name with a dot in it (`{"a.b": …}`) can be taken for
    /// the path: then the pattern sees leaves of which the expression knows nothing.
    #[must_use]
    pub fn tells_absence(self, path: &[&str]) -> bool {
        match (self, path) {
            (_, [_]) => true,
            (Self::CloudTrail, [first, _]) => *first == "detail",
            _ => false,
        }
    }
}
