//! A real browser, driven over WebDriver's HTTP API.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

/// For what is awaited to come true. Nothing takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(60);
/// What WebDriver calls the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A Chromium without a window. It ends when this is dropped.
pub(super) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    client: Client,
    _profile: TempDir,
}

/// Keys that are no letters.
pub(super) mod key {
    pub(in crate::ui) const TAB: &str = "\u{e004}";
    pub(in crate::ui) const END: &str = "\u{e010}";
    pub(in crate::ui) const HOME: &str = "\u{e011}";
    pub(in crate::ui) const LEFT: &str = "\u{e012}";
    pub(in crate::ui) const ENTER: &str = "\u{e007}";
    pub(in crate::ui) const ESCAPE: &str = "\u{e00c}";
    pub(in crate::ui) const DOWN: &str = "\u{e015}";
}

impl Browser {
    /// Starts one; `None`, and says so, where there is no Chromium or no driver for it.
    pub(super) async fn start(width: u32, height: u32) -> Option<Self> {
        let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_there(name));
        let (Some(chromium), true) = (chromium, is_there("chromedriver")) else {
            eprintln!("skipped: chromium and chromedriver are not installed");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut driver =
            Command::new("chromedriver").arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let said = lines.find_map(|line| line.unwrap().split_once("successfully on port ").map(|(_, port)| port.to_owned())).unwrap();
        let port = said.trim_end_matches('.').parse().unwrap();
        // What it says further on is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let client = Client::builder().no_proxy().build().unwrap();
        let mut browser = Self { driver, port, session: String::new(), client, _profile: profile };
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--no-first-run".to_owned(),
            "--lang=en-US".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", browser._profile.path().display()),
        ];
        let options = json!({"binary": which(chromium), "args": arguments});
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}});
        let session = browser.call("POST", "/session", &wanted).await;
        browser.session = session["sessionId"].as_str().unwrap().to_owned();
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        browser.devtools("Emulation.setDeviceMetricsOverride", &size).await;
        Some(browser)
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = match method {
            "GET" => self.client.get(url),
            "DELETE" => self.client.delete(url),
            _ => self.client.post(url).header("content-type", "application/json").body(body.to_string()),
        };
        let answer = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["value"].get("error").is_none(), "{method} {path} {body}: {answer:#}");
        answer["value"].clone()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}{path}", self.session), body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.call("GET", &format!("/session/{}{path}", self.session), &Value::Null).await
    }

    pub(super) async fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters})).await
    }

    pub(super) async fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url})).await;
    }

    pub(super) async fn url(&self) -> String {
        self.get("/url").await.as_str().unwrap().to_owned()
    }

    pub(super) async fn back(&self) {
        self.post("/back", &json!({})).await;
    }

    pub(super) async fn reload(&self) {
        self.post("/refresh", &json!({})).await;
    }

    /// What an expression in the page gives.
    pub(super) async fn eval(&self, expression: &str) -> Value {
        self.post("/execute/sync", &json!({"script": format!("return ({expression});"), "args": []})).await
    }

    /// Waits until an expression in the page is true.
    #[track_caller]
    pub(super) fn until<'b>(&'b self, expression: &'b str) -> impl Future<Output = ()> + 'b {
        let place = std::panic::Location::caller();
        async move {
            let deadline = Instant::now() + PATIENCE;
            while self.eval(&format!("!!({expression})")).await != true {
                if Instant::now() > deadline {
                    let page = self.eval("document.body.innerText.slice(0, 3000)").await;
                    panic!("{place}: never true: {expression}\n{}\n{}", self.url().await, page.as_str().unwrap_or_default());
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
    }

    /// Waits until the page shows what its link asks for.
    #[track_caller]
    pub(super) fn shown(&self) -> impl Future<Output = ()> + '_ {
        self.until("document.body.dataset.shown === location.search && !document.body.classList.contains('is-busy')")
    }

    /// The text that is seen of an element.
    pub(super) async fn text(&self, selector: &str) -> String {
        self.eval(&format!("document.querySelector({}).innerText", json!(selector))).await.as_str().unwrap().to_owned()
    }

    /// The texts that are seen of elements.
    pub(super) async fn texts(&self, selector: &str) -> Vec<String> {
        let texts = self.eval(&format!("[...document.querySelectorAll({})].map((found) => found.innerText)", json!(selector))).await;
        texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    async fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector})).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Clicks as a person does: what is hidden or covered can not be clicked.
    pub(super) async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.post(&format!("/element/{element}/click"), &json!({})).await;
    }

    /// Types into an element.
    pub(super) async fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.post(&format!("/element/{element}/value"), &json!({"text": text})).await;
    }

    /// Presses keys, one behind the other, wherever the focus is.
    pub(super) async fn press(&self, keys: &str) {
        let strokes: Vec<Value> =
            keys.chars().flat_map(|letter| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": letter.to_string()}))).collect();
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]})).await;
    }

    /// Moves the mouse to an element: what is shown on hovering is there.
    pub(super) async fn hover(&self, selector: &str) {
        let origin = json!({ELEMENT: self.element(selector).await});
        let steps = json!([{"type": "pointerMove", "duration": 0, "origin": origin, "x": 0, "y": 0}]);
        self.post("/actions", &json!({"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]})).await;
    }

    /// Drags across an element, between two parts of its width.
    pub(super) async fn brush(&self, selector: &str, from: f64, to: f64) {
        let place = self.eval(&format!("document.querySelector({}).getBoundingClientRect().toJSON()", json!(selector))).await;
        let [left, top, width, height] = ["left", "top", "width", "height"].map(|name| place[name].as_f64().unwrap());
        let go = |part: f64| json!({"type": "pointerMove", "duration": 20, "x": (left + width * part).round(), "y": (top + height / 2.0).round()});
        let steps = json!([go(from), {"type": "pointerDown", "button": 0}, go(to), {"type": "pointerUp", "button": 0}]);
        self.post("/actions", &json!({"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]})).await;
    }

    /// A picture of what is seen, as PNG.
    pub(super) async fn picture(&self) -> Vec<u8> {
        STANDARD.decode(self.get("/screenshot").await.as_str().unwrap()).unwrap()
    }

    /// What the page has complained of, such as a script that was refused.
    pub(super) async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"})).await;
        log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// The browser is told to end, and that is awaited: a driver that is killed leaves it behind.
impl Drop for Browser {
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let request = format!("DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", self.session);
            drop(stream.write_all(request.as_bytes()));
            drop(stream.read(&mut [0; 64]));
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn is_there(program: &str) -> bool {
    !which(program).is_empty()
}

fn which(program: &str) -> String {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.map(|path| path.display().to_string()).unwrap_or_default()
}
