//! The columns of Athena's CloudTrail table, by their names there. Source: Amazon Athena user guide, "Create a table for CloudTrail logs in Athena using partition projection";
//! `tlsdetails` and `edgedevicedetails` are from AWS's declaration of the table, too. Of `useridentity` the attributes of a web identity are text here, not a map.

use serde_json::Value;

/// A column, or a member of one.
#[derive(Debug)]
pub(super) struct Column {
    /// Its name in Athena: the member's in lower case.
    pub(super) name: &'static str,
    /// The member of a record.
    pub(super) member: &'static str,
    pub(super) kind: Kind,
}

/// What a column holds.
#[derive(Debug)]
pub(super) enum Kind {
    /// A text; numbers and booleans as they are written, anything else as JSON.
    Text,
    /// Whatever it is, as JSON.
    Json,
    Group(&'static [Column]),
    /// A list of groups.
    List(&'static [Column]),
}

const fn text(name: &'static str, member: &'static str) -> Column {
    Column { name, member, kind: Kind::Text }
}

const fn json(name: &'static str, member: &'static str) -> Column {
    Column { name, member, kind: Kind::Json }
}

const fn group(name: &'static str, member: &'static str, members: &'static [Column]) -> Column {
    Column { name, member, kind: Kind::Group(members) }
}

const IDENTITY: &[Column] = &[
    text("type", "type"),
    text("principalid", "principalId"),
    text("arn", "arn"),
    text("accountid", "accountId"),
    text("invokedby", "invokedBy"),
    text("accesskeyid", "accessKeyId"),
    text("username", "userName"),
    group("onbehalfof", "onBehalfOf", &[text("userid", "userId"), text("identitystorearn", "identityStoreArn")]),
    group(
        "sessioncontext",
        "sessionContext",
        &[
            group("attributes", "attributes", &[text("mfaauthenticated", "mfaAuthenticated"), text("creationdate", "creationDate")]),
            group(
                "sessionissuer",
                "sessionIssuer",
                &[
                    text("type", "type"),
                    text("principalid", "principalId"),
                    text("arn", "arn"),
                    text("accountid", "accountId"),
                    text("username", "userName"),
                ],
            ),
            text("ec2roledelivery", "ec2RoleDelivery"),
            text("sourceidentity", "sourceIdentity"),
            group(
                "webidfederationdata",
                "webIdFederationData",
                &[text("federatedprovider", "federatedProvider"), json("attributes", "attributes")],
            ),
        ],
    ),
];

/// In their order.
pub(super) const COLUMNS: &[Column] = &[
    text("eventversion", "eventVersion"),
    group("useridentity", "userIdentity", IDENTITY),
    text("eventtime", "eventTime"),
    text("eventsource", "eventSource"),
    text("eventname", "eventName"),
    text("awsregion", "awsRegion"),
    text("sourceipaddress", "sourceIPAddress"),
    text("useragent", "userAgent"),
    text("errorcode", "errorCode"),
    text("errormessage", "errorMessage"),
    json("requestparameters", "requestParameters"),
    json("responseelements", "responseElements"),
    json("additionaleventdata", "additionalEventData"),
    text("requestid", "requestID"),
    text("eventid", "eventID"),
    text("readonly", "readOnly"),
    Column {
        name: "resources",
        member: "resources",
        kind: Kind::List(&[text("arn", "ARN"), text("accountid", "accountId"), text("type", "type")]),
    },
    text("eventtype", "eventType"),
    text("apiversion", "apiVersion"),
    text("recipientaccountid", "recipientAccountId"),
    json("serviceeventdetails", "serviceEventDetails"),
    text("sharedeventid", "sharedEventID"),
    text("vpcendpointid", "vpcEndpointId"),
    text("vpcendpointaccountid", "vpcEndpointAccountId"),
    text("eventcategory", "eventCategory"),
    group(
        "addendum",
        "addendum",
        &[
            text("reason", "reason"),
            text("updatedfields", "updatedFields"),
            text("originalrequestid", "originalRequestID"),
            text("originaleventid", "originalEventID"),
        ],
    ),
    text("sessioncredentialfromconsole", "sessionCredentialFromConsole"),
    json("edgedevicedetails", "edgeDeviceDetails"),
    group(
        "tlsdetails",
        "tlsDetails",
        &[
            text("tlsversion", "tlsVersion"),
            text("ciphersuite", "cipherSuite"),
            text("clientprovidedhostheader", "clientProvidedHostHeader"),
        ],
    ),
];

/// A value as a column holds it; null is nothing.
pub(super) fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The columns as a message type of Parquet.
pub(super) fn schema() -> String {
    let mut schema = "message cloudtrail {\n".to_owned();
    COLUMNS.iter().for_each(|column| declare(column, &mut schema));
    schema + "}\n"
}

fn declare(column: &Column, schema: &mut String) {
    let name = column.name;
    match column.kind {
        Kind::Text | Kind::Json => schema.push_str(&format!("OPTIONAL BYTE_ARRAY {name} (UTF8);\n")),
        Kind::Group(members) => {
            schema.push_str(&format!("OPTIONAL GROUP {name} {{\n"));
            members.iter().for_each(|member| declare(member, schema));
            schema.push_str("}\n");
        }
        Kind::List(members) => {
            schema.push_str(&format!("OPTIONAL GROUP {name} (LIST) {{\nREPEATED GROUP list {{\nOPTIONAL GROUP element {{\n"));
            members.iter().for_each(|member| declare(member, schema));
            schema.push_str("}\n}\n}\n");
        }
    }
}
