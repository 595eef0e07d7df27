//! A bucket of S3 on the stand, filled from a folder.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::stand::Stand;

/// The end of the name of a file that holds the metadata of another, as `aws s3api head-object` prints it.
const METADATA_END: &str = ".metadata.json";

/// A bucket in an account of its own.
pub struct Bucket {
    /// Where it lives.
    pub stand: &'static Stand,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: &'static str,
    /// Its name.
    pub name: String,
}

impl Bucket {
    /// An empty one.
    ///
    /// # Panics
    /// When the stand refuses.
    pub async fn new(name: &str, region: &'static str) -> Self {
        let stand = Stand::shared();
        let bucket = Self { stand, account: stand.new_account(), region, name: name.to_owned() };
        bucket.send(reqwest::Method::PUT, "", Vec::new(), &[]).await;
        bucket
    }

    /// Puts the files of a folder at the keys that their paths say, with the metadata that lies beside them.
    ///
    /// # Panics
    /// When the stand refuses.
    pub async fn fill(&self, folder: &Path) {
        for path in files(folder).into_iter().filter(|path| !path.display().to_string().ends_with(METADATA_END)) {
            let key = path.strip_prefix(folder).expect("it is in the folder").display().to_string();
            let beside = std::fs::read_to_string(format!("{}{METADATA_END}", path.display())).unwrap_or_default();
            let beside: Value = serde_json::from_str(&beside).unwrap_or_default();
            let metadata = beside["Metadata"].as_object().into_iter().flatten();
            let headers: Vec<(String, String)> =
                metadata.map(|(name, value)| (format!("x-amz-meta-{name}"), value.as_str().unwrap_or_default().to_owned())).collect();
            self.send(reqwest::Method::PUT, &key, std::fs::read(&path).expect("it can be read"), &headers).await;
        }
    }

    /// Puts one object.
    ///
    /// # Panics
    /// When the stand refuses.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) {
        self.send(reqwest::Method::PUT, key, bytes, &[]).await;
    }

    /// Removes one object.
    ///
    /// # Panics
    /// When the stand refuses.
    pub async fn remove(&self, key: &str) {
        self.send(reqwest::Method::DELETE, key, Vec::new(), &[]).await;
    }

    async fn send(&self, method: reqwest::Method, key: &str, body: Vec<u8>, headers: &[(String, String)]) {
        let (account, region) = (&self.account, self.region);
        let signature = format!("AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/s3/aws4_request, SignedHeaders=host, Signature=0");
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client can be made");
        let url = format!("{}/{}/{key}", self.stand.endpoint(), self.name);
        let mut request = client.request(method, url.trim_end_matches('/')).header("authorization", signature).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.expect("the stand answers");
        assert!(answer.status().is_success(), "{key}: {} {:?}", answer.status(), answer.text().await);
    }
}

/// The files of a folder and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
