//! Bad messages get an answer and do no harm.

use tonic::Code;
use trailwire_provider::wire::message::{
    ApplyResourceChangeRequest, ApplyResourceChangeResponse, CallFunctionRequest, CallFunctionResponse, ConfigureRequest,
    DiagnosticsResponse, DynamicValue, Empty, GetMetadataResponse, ImportResourceStateRequest, ImportResourceStateResponse,
    MoveResourceStateRequest, MoveResourceStateResponse, Named, PlanResourceChangeRequest, PlanResourceChangeResponse,
    PrepareProviderConfigRequest, PrepareProviderConfigResponse, RawState, ReadDataSourceRequest, ReadDataSourceResponse,
    ReadResourceRequest, ReadResourceResponse, UpgradeResourceStateRequest, UpgradeResourceStateResponse, ValidateConfigRequest,
};

use crate::client::{Client, fake_provider, received, sent};
use crate::fake::{self, THING, config};
use trailwire_provider::value::Dynamic;

fn garbage() -> Vec<Option<DynamicValue>> {
    let msgpack = |bytes: &[u8]| Some(DynamicValue { msgpack: bytes.to_vec(), json: Vec::new() });
    let json = |text: &str| Some(DynamicValue { msgpack: Vec::new(), json: text.as_bytes().to_vec() });
    vec![
        msgpack(&[0xc1]),
        msgpack(&[0x91, 0xc0]),
        msgpack(&[0x81, 0xa1, b'x', 0xc0]),
        msgpack(&[0xdf, 0xff, 0xff, 0xff, 0xff]),
        msgpack(&vec![0x91; 100_000]),
        json("{"),
        json("[[[["),
        json("{\"name\": 5}"),
        json(&"[".repeat(100_000)),
    ]
}

async fn still_alive(client: &Client) {
    let answer: GetMetadataResponse = client.call("GetMetadata", Empty {}).await.unwrap();
    assert_eq!(answer.resources[0].name, THING);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_in_every_value_is_an_error_diagnostic() {
    let client = fake_provider().await;
    let name = || THING.to_owned();
    for value in garbage() {
        let answer: PrepareProviderConfigResponse =
            client.call("PrepareProviderConfig", PrepareProviderConfigRequest { config: value.clone() }).await.unwrap();
        assert_eq!(answer.diagnostics.len(), 1);
        let answer: DiagnosticsResponse =
            client.call("Configure", ConfigureRequest { config: value.clone(), ..Default::default() }).await.unwrap();
        assert_eq!(answer.diagnostics.len(), 1);
        for (call, type_name) in [("ValidateResourceTypeConfig", name()), ("ValidateDataSourceConfig", "trailwire_things".to_owned())] {
            let request = ValidateConfigRequest { type_name, config: value.clone(), ..Default::default() };
            let answer: DiagnosticsResponse = client.call(call, request).await.unwrap();
            assert_eq!(answer.diagnostics.len(), 1, "{call}");
        }
        let answer: ReadResourceResponse = client
            .call("ReadResource", ReadResourceRequest { type_name: name(), current_state: value.clone(), private: b"p".to_vec() })
            .await
            .unwrap();
        assert_eq!((answer.diagnostics.len(), &answer.new_state, &answer.private[..]), (1, &value, &b"p"[..]));
        let request = PlanResourceChangeRequest { type_name: name(), proposed_new_state: value.clone(), ..Default::default() };
        let answer: PlanResourceChangeResponse = client.call("PlanResourceChange", request).await.unwrap();
        assert_eq!(answer.diagnostics.len(), 1);
        let request = ApplyResourceChangeRequest { type_name: name(), planned_state: value.clone(), ..Default::default() };
        let answer: ApplyResourceChangeResponse = client.call("ApplyResourceChange", request).await.unwrap();
        assert_eq!(answer.diagnostics.len(), 1);
        let request = ReadDataSourceRequest { type_name: "trailwire_things".to_owned(), config: value.clone() };
        let answer: ReadDataSourceResponse = client.call("ReadDataSource", request).await.unwrap();
        assert_eq!(answer.diagnostics.len(), 1);
        let request = CallFunctionRequest { name: "shout".to_owned(), arguments: vec![value.clone().unwrap()] };
        let answer: CallFunctionResponse = client.call("CallFunction", request).await.unwrap();
        assert_eq!(answer.error.unwrap().function_argument, Some(0));
        let raw_state = Some(RawState { json: value.clone().unwrap().msgpack, ..Default::default() });
        let request = UpgradeResourceStateRequest { type_name: name(), version: 1, raw_state };
        let answer: UpgradeResourceStateResponse = client.call("UpgradeResourceState", request).await.unwrap();
        assert!(!answer.diagnostics.is_empty());
    }
    still_alive(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_nobody_knows_are_an_error_diagnostic() {
    let client = fake_provider().await;
    let type_name = "trailwire_nothing".to_owned();
    let answer: PlanResourceChangeResponse =
        client.call("PlanResourceChange", PlanResourceChangeRequest { type_name: type_name.clone(), ..Default::default() }).await.unwrap();
    assert!(answer.diagnostics[0].summary.contains("`trailwire_nothing`"));
    let answer: ImportResourceStateResponse =
        client.call("ImportResourceState", ImportResourceStateRequest { type_name, id: "x".to_owned() }).await.unwrap();
    assert_eq!((answer.diagnostics.len(), answer.imported_resources.len()), (1, 0));
    let answer: CallFunctionResponse =
        client.call("CallFunction", CallFunctionRequest { name: "x".to_owned(), arguments: vec![] }).await.unwrap();
    assert!(answer.error.unwrap().text.contains("no function x"));
    let answer: CallFunctionResponse =
        client.call("CallFunction", CallFunctionRequest { name: "shout".to_owned(), arguments: vec![] }).await.unwrap();
    assert!(answer.error.unwrap().text.contains("takes 1 arguments"));
    let request = MoveResourceStateRequest { source_type_name: "aws_x".to_owned(), target_type_name: THING.to_owned() };
    let answer: MoveResourceStateResponse = client.call("MoveResourceState", request).await.unwrap();
    assert_eq!(answer.diagnostics[0].summary, "`aws_x` cannot be moved to `trailwire_thing`");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_bytes_that_are_not_ours_are_refused_by_the_transport() {
    let client = fake_provider().await;
    for path in ["/tfplugin5.Provider/GetResourceIdentitySchemas", "/tfplugin5.Provider/", "/tfplugin6.Provider/GetMetadata", "/x.Y/Z"] {
        let refused = client.call_path::<_, Empty>(path, Empty {}).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented, "{path}");
    }
    // Stop is not among them: it would end what the others start.
    for call in [
        "GetMetadata",
        "GetSchema",
        "PrepareProviderConfig",
        "ValidateResourceTypeConfig",
        "ValidateDataSourceConfig",
        "Configure",
        "UpgradeResourceState",
        "ReadResource",
        "PlanResourceChange",
        "ApplyResourceChange",
        "ImportResourceState",
        "MoveResourceState",
        "ReadDataSource",
        "GetFunctions",
        "CallFunction",
    ] {
        // Field 1 is text, a message or absent everywhere: a number there cannot be decoded, or is skipped.
        drop(client.call::<_, Empty>(call, Number { value: 7 }).await);
        let answer = client.call::<_, Empty>(call, Empty {}).await;
        assert!(answer.is_ok(), "{call} answers an empty request with diagnostics, not with {answer:?}");
    }
    still_alive(&client).await;
}

/// A message whose first field is a number.
#[derive(Clone, PartialEq, prost::Message)]
struct Number {
    #[prost(int64, tag = "1")]
    value: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_beyond_four_mebibytes_pass() {
    let client = fake_provider().await;
    let state = config(&[("name", Dynamic::from("x".repeat(9 * 1024 * 1024)))]);
    let request = ReadResourceRequest { type_name: THING.to_owned(), current_state: sent(&state), private: Vec::new() };
    let answer: ReadResourceResponse = client.call("ReadResource", request).await.unwrap();
    assert_eq!(received(answer.new_state), state);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_works_before_configure_and_everything_keeps_its_state() {
    let line = crate::client::start(fake::server(), None).await;
    let client = Client::plain(&crate::client::socket_of(&line)).await.unwrap();
    let state = config(&[("name", Dynamic::from("a"))]);
    let request = ReadResourceRequest { type_name: THING.to_owned(), current_state: sent(&state), private: Vec::new() };
    let answer: ReadResourceResponse = client.call("ReadResource", request).await.unwrap();
    assert_eq!(answer.diagnostics[0].summary, "The provider was used before it was configured");
    assert_eq!(received(answer.new_state), state);
    let _: Empty = client.call("GetFunctions", Named::default()).await.unwrap();
}
