//! Who is let in.

use std::os::unix::fs::PermissionsExt;

use trailwire_provider::wire::message::{Empty, GetMetadataResponse};

use crate::client::{Certificate, Client, Line, start};
use crate::fake;

async fn metadata(client: Result<Client, tonic::transport::Error>) -> Result<GetMetadataResponse, String> {
    client.map_err(|error| error.to_string())?.call("GetMetadata", Empty {}).await.map_err(|status| status.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_holder_of_the_certificate_is_let_in() {
    let terraform = Certificate::new();
    let line = Line::read(&start(fake::server(), Some(terraform.pem.clone())).await);

    assert!(metadata(Client::plain(&line.socket).await).await.is_err(), "without TLS");
    assert!(metadata(Client::secure(&line, None).await).await.is_err(), "without a certificate");
    assert!(metadata(Client::secure(&line, Some(&Certificate::new())).await).await.is_err(), "with another certificate");
    assert!(metadata(Client::secure(&line, Some(&terraform.stolen())).await).await.is_err(), "with the certificate and another key");

    let answer = metadata(Client::secure(&line, Some(&terraform)).await).await.unwrap();
    assert_eq!(answer.resources[0].name, fake::THING);
    let capabilities = answer.server_capabilities.unwrap();
    assert!(capabilities.plan_destroy && capabilities.get_provider_schema_optional);
}

#[tokio::test]
async fn the_socket_is_where_only_this_user_can_go() {
    let line = start(fake::server(), None).await;
    let socket = crate::client::socket_of(&line);
    let mode = std::fs::metadata(socket.parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_certificate_that_is_none_is_an_error() {
    let invitation = trailwire_provider::handshake::Invitation { client_certificate: Some("no certificate".to_owned()) };
    let server = std::sync::Arc::new(fake::server());
    assert!(trailwire_provider::handshake::serve(server, &invitation, &mut Vec::new()).await.is_err());
}
