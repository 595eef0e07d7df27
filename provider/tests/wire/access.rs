//! How the provider gets to AWS: roles, profiles, proxies and certificates, each seen from the other end of the line.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use trailwire_provider::config;
use trailwire_provider::data::hub::HubData;
use trailwire_provider::resource::DataSource;
use trailwire_provider::schema::Block;
use trailwire_provider::wire::message::{
    ConfigureRequest, Diagnostic, DiagnosticsResponse, DynamicValue, ReadDataSourceRequest, ReadDataSourceResponse,
};

use crate::process::Provider;

const ACCOUNT: &str = "111122223333";

/// Enough of AWS to say who calls, to hand out a session, and to know no hub. As a proxy it refuses every tunnel.
struct LittleAws {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

#[derive(Clone, Debug, Default)]
struct Request {
    /// Method and target.
    line: String,
    /// The access key and region that it was signed with: `KEY/DATE/REGION/SERVICE/aws4_request`.
    credential: String,
    body: String,
}

impl LittleAws {
    async fn start(tls: Option<TlsAcceptor>) -> LittleAws {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, seen) = (tls.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    let Some(tls) = tls else { return answer(stream, &seen).await };
                    // Who does not trust the certificate ends the connection.
                    if let Ok(stream) = tls.accept(stream).await {
                        answer(stream, &seen).await;
                    }
                });
            }
        });
        LittleAws { port, requests }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn seen(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The only request with this in its body.
    fn the_one(&self, body: &str) -> Request {
        let seen = self.seen();
        let found: Vec<&Request> = seen.iter().filter(|request| request.body.contains(body)).collect();
        assert_eq!(found.len(), 1, "{body} in {seen:?}");
        found[0].clone()
    }
}

/// Answers one request and closes.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Mutex<Vec<Request>>) {
    let mut bytes = Vec::new();
    let (head, mut body) = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            break (head.to_owned(), body.to_owned());
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let length: usize = header("content-length").parse().unwrap_or(0);
    while body.len() < length {
        let mut more = vec![0; length - body.len()];
        stream.read_exact(&mut more).await.unwrap();
        body.push_str(&String::from_utf8_lossy(&more));
    }
    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let signed = header("authorization");
    let credential = signed.split_once("Credential=").and_then(|(_, rest)| rest.split_once(',')).map(|(found, _)| found.to_owned());
    let (status, text) = reply(&line, &body);
    seen.lock().unwrap().push(Request { line, credential: credential.unwrap_or_default(), body });
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len());
    // A client that is gone misses nothing.
    drop(stream.write_all(answer.as_bytes()).await);
    drop(stream.shutdown().await);
}

fn reply(line: &str, body: &str) -> (&'static str, String) {
    let xml = |action: &str, result: &str| format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    if line.starts_with("CONNECT") {
        ("403 Forbidden", String::new())
    } else if body.contains("Action=AssumeRole") {
        let user = format!(
            "<AssumedRoleUser><Arn>arn:aws:sts::{ACCOUNT}:assumed-role/r/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser>"
        );
        let keys = "<AccessKeyId>ASIASESSION</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>";
        let credentials = format!("<Credentials>{keys}<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>");
        ("200 OK", xml("AssumeRole", &format!("{user}{credentials}")))
    } else if body.contains("Action=GetCallerIdentity") {
        let identity = format!("<Arn>arn:aws:iam::{ACCOUNT}:user/u</Arn><UserId>U</UserId><Account>{ACCOUNT}</Account>");
        ("200 OK", xml("GetCallerIdentity", &identity))
    } else {
        ("400 Bad Request", json!({ "__type": "ResourceNotFoundException", "message": "no such table" }).to_string())
    }
}

/// Configures a provider with this block and environment and lets it look for a hub. What it found to say of that.
async fn look(block: Value, environment: &[(&str, &str)]) -> String {
    let nowhere = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
    let provider = Provider::start_in(&[&nowhere, environment].concat());
    let client = provider.client().await;
    let config = sent(block, &config::schema().block);
    let configured: DiagnosticsResponse =
        client.call("Configure", ConfigureRequest { terraform_version: "1.11.4".to_owned(), config }).await.unwrap();
    assert_eq!(configured.diagnostics, []);
    let request = ReadDataSourceRequest {
        type_name: "trailwire_hub".to_owned(),
        config: sent(json!({ "name": "security", "region": "eu-west-1" }), &HubData.schema().block),
    };
    let answer: ReadDataSourceResponse = client.call("ReadDataSource", request).await.unwrap();
    let texts = answer.diagnostics.iter().map(|Diagnostic { summary, detail, .. }| format!("{summary}\n{detail}"));
    texts.collect::<Vec<_>>().join("\n")
}

/// A block on the wire: Terraform sends every member.
fn sent(members: Value, block: &Block) -> Option<DynamicValue> {
    Some(DynamicValue { json: whole(members, block).to_string().into_bytes(), msgpack: Vec::new() })
}

fn whole(mut members: Value, block: &Block) -> Value {
    for attribute in &block.attributes {
        members.as_object_mut().unwrap().entry(attribute.name).or_insert(Value::Null);
    }
    for nested in &block.blocks {
        let items = members.as_object_mut().unwrap().entry(nested.name).or_insert_with(|| json!([]));
        items.as_array_mut().unwrap().iter_mut().for_each(|item| *item = whole(item.take(), &nested.block));
    }
    members
}

/// A provider block with keys, one attempt a call, and these members.
fn block(members: Value) -> Value {
    let mut block = json!({ "region": "eu-west-1", "access_key": "AKIABLOCK", "secret_key": "s", "max_retries": 0 });
    block.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    block
}

fn at(aws: &LittleAws) -> Value {
    json!([{ "sts": aws.url(), "dynamodb": aws.url() }])
}

const NO_HUB: &str = "There is no hub `security`";

#[tokio::test]
async fn a_role_is_assumed_as_the_block_says_and_used_for_everything() {
    let aws = LittleAws::start(None).await;
    let role = "arn:aws:iam::111122223333:role/deploy";
    let assume = json!([{ "role_arn": role, "external_id": "tenant-7", "session_name": "pipeline", "duration": "30m" }]);
    let said = look(block(json!({ "endpoints": at(&aws), "assume_role": assume })), &[]).await;
    assert!(said.contains(NO_HUB), "{said}");
    let assumed = aws.the_one("Action=AssumeRole");
    for parameter in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fdeploy",
        "ExternalId=tenant-7",
        "RoleSessionName=pipeline",
        "DurationSeconds=1800",
    ] {
        assert!(assumed.body.contains(parameter), "{parameter} in {}", assumed.body);
    }
    assert!(assumed.credential.starts_with("AKIABLOCK/"));
    let others = aws.seen().into_iter().filter(|request| !request.body.contains("Action=AssumeRole"));
    let others: Vec<String> = others.map(|request| request.credential).collect();
    assert!(others.len() >= 2 && others.iter().all(|credential| credential.starts_with("ASIASESSION/")), "{others:?}");
}

#[tokio::test]
async fn profiles_of_the_shared_files_give_keys_region_and_roles() {
    let aws = LittleAws::start(None).await;
    let folder = tempfile::tempdir().unwrap();
    let (config, credentials) = (folder.path().join("config"), folder.path().join("credentials"));
    let chained = "[profile chained]\nrole_arn = arn:aws:iam::111122223333:role/chained\nsource_profile = deploy\nexternal_id = tenant-8\nregion = eu-north-1\n";
    std::fs::write(&config, format!("[profile deploy]\nregion = eu-central-1\n{chained}")).unwrap();
    std::fs::write(&credentials, "[deploy]\naws_access_key_id = AKIADEPLOY\naws_secret_access_key = s\n").unwrap();
    let url = aws.url();
    let environment = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap()),
        ("AWS_ENDPOINT_URL", url.as_str()),
    ];

    let said = look(json!({ "profile": "deploy", "max_retries": 0 }), &environment).await;
    assert!(said.contains(NO_HUB), "{said}");
    let caller = aws.the_one("Action=GetCallerIdentity").credential;
    assert!(caller.starts_with("AKIADEPLOY/") && caller.contains("/eu-central-1/sts/"), "{caller}");

    aws.requests.lock().unwrap().clear();
    let said = look(json!({ "max_retries": 0 }), &[&environment[..], &[("AWS_PROFILE", "chained")]].concat()).await;
    assert!(said.contains(NO_HUB), "{said}");
    let assumed = aws.the_one("Action=AssumeRole");
    assert!(assumed.credential.starts_with("AKIADEPLOY/") && assumed.body.contains("ExternalId=tenant-8"), "{assumed:?}");
    let caller = aws.the_one("Action=GetCallerIdentity").credential;
    assert!(caller.starts_with("ASIASESSION/") && caller.contains("/eu-north-1/sts/"), "{caller}");
}

#[tokio::test]
async fn proxies_of_the_environment_are_used_save_for_no_proxy() {
    let (proxy, aws) = (LittleAws::start(None).await, LittleAws::start(None).await);
    let url = proxy.url();

    let said = look(block(json!({})), &[("HTTPS_PROXY", &url)]).await;
    assert!(said.contains("AWS cannot be reached"), "{said}");
    assert_eq!(proxy.seen().first().map(|request| request.line.clone()).as_deref(), Some("CONNECT sts.eu-west-1.amazonaws.com:443"));

    proxy.requests.lock().unwrap().clear();
    let endpoints = json!([{ "sts": "http://sts.example.com", "dynamodb": "http://dynamodb.example.com" }]);
    let said = look(block(json!({ "endpoints": endpoints })), &[("HTTP_PROXY", &url)]).await;
    assert!(said.contains(NO_HUB), "{said}");
    let lines: Vec<String> = proxy.seen().into_iter().map(|request| request.line).collect();
    assert!(lines.len() >= 2 && lines.iter().all(|line| line.starts_with("POST http://") && line.contains(".example.com")), "{lines:?}");

    proxy.requests.lock().unwrap().clear();
    let environment = [("HTTP_PROXY", url.as_str()), ("HTTPS_PROXY", url.as_str()), ("NO_PROXY", "127.0.0.1,example.com")];
    let said = look(block(json!({ "endpoints": at(&aws) })), &environment).await;
    assert!(said.contains(NO_HUB) && proxy.seen().is_empty() && aws.seen().len() >= 2, "{said} {:?}", proxy.seen());
}

/// A server for `localhost` whose certificate an authority of its own signs, and that authority in PEM.
async fn with_own_authority() -> (LittleAws, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    (LittleAws::start(Some(TlsAcceptor::from(Arc::new(config)))).await, authority.pem())
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_when_the_block_names_it() {
    let (aws, pem) = with_own_authority().await;
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("ca.pem");
    std::fs::write(&bundle, pem).unwrap();
    let url = format!("https://localhost:{}", aws.port);
    let endpoints = json!([{ "sts": url, "dynamodb": url }]);

    let said = look(block(json!({ "endpoints": endpoints })), &[]).await;
    assert!(said.contains("UnknownIssuer") && said.contains("AWS cannot be reached") && aws.seen().is_empty(), "{said}");
    let said = look(block(json!({ "endpoints": endpoints, "custom_ca_bundle": bundle })), &[]).await;
    assert!(said.contains(NO_HUB) && aws.seen().len() >= 2, "{said}");
}

#[tokio::test]
async fn a_bundle_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let pem = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let cases = [
        (folder.path().join("missing.pem"), "`custom_ca_bundle` cannot be read"),
        (file("text.pem", "no certificate\n"), "`custom_ca_bundle` holds no PEM certificate"),
        (file("base64.pem", &pem("!!!!")), "`custom_ca_bundle` holds a certificate that cannot be read"),
        (file("other.pem", &pem("aGVsbG8=")), "`custom_ca_bundle` holds a certificate that cannot be used"),
    ];
    for (path, expected) in cases {
        let said = look(block(json!({ "custom_ca_bundle": path })), &[]).await;
        let named = said.contains(&Path::display(&path).to_string());
        assert!(said.contains(expected) && named, "{expected}: {said}");
    }
}

#[tokio::test]
async fn the_account_can_be_told_so_that_sts_is_not_asked() {
    let aws = LittleAws::start(None).await;
    let members = |more: Value| {
        let mut members = json!({ "endpoints": at(&aws), "skip_credentials_validation": true });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        block(members)
    };
    let said = look(members(json!({ "allowed_account_ids": [ACCOUNT] })), &[]).await;
    assert!(said.contains(NO_HUB), "{said}");
    let said = look(members(json!({})), &[]).await;
    assert!(said.contains("nothing tells the account") && said.contains("allowed_account_ids"), "{said}");
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_ACCOUNT_ID", ACCOUNT)];
    let mut environment = members(json!({ "forbidden_account_ids": [ACCOUNT] }));
    environment.as_object_mut().unwrap().retain(|name, _| !matches!(name.as_str(), "access_key" | "secret_key"));
    let said = look(environment, &keys).await;
    assert!(said.contains("belong to account 111122223333, which the provider block does not allow"), "{said}");
    let asked: Vec<Request> = aws.seen().into_iter().filter(|request| request.body.contains("Action=GetCallerIdentity")).collect();
    assert!(asked.is_empty() && !aws.seen().is_empty(), "{asked:?}");
}
