//! Who is let in. A page on this machine can be reached by every other page in the same browser, and by every user of the machine.
//!
//! A name of another site that leads here (DNS rebinding) is told by `Host`, a request that another site's page makes by `Origin` and
//! `Sec-Fetch-Site`, another user of the machine by the token. The printed link brings the token; it is answered with a cookie that no script reads and no
//! other site's request carries, and with the same address without the token.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use crate::secrets::SecretText;

/// The names under which this machine is itself, whatever the port: a tunnel may have another.
const OWN_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// What a page may do: only what came from here, and nothing that is written into it. No text can become markup (trusted types).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// How a request is let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It may have what it asks for.
    Open,
    /// It brought the token in its address: a cookie is set, and it is sent to this address.
    ByLink { cookie: String, location: String },
}

/// Why a request is not let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: &'static str,
}

/// The door.
pub(super) struct Guard {
    token: SecretText,
    /// Cookies know no ports: two pages at once have cookies of different names.
    cookie: String,
}

impl Guard {
    pub(super) fn new(token: SecretText, port: u16) -> Self {
        Self { token, cookie: format!("trailwire_{port}") }
    }

    /// Whether a request is let in.
    pub(super) fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Entry, Refusal> {
        let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).unwrap_or_default();
        if headers.get_all(header::HOST).iter().count() != 1 || !is_own(host) {
            return refuse(StatusCode::MISDIRECTED_REQUEST, "this page answers to 127.0.0.1 and localhost alone");
        }
        let is_post = match *method {
            Method::GET | Method::HEAD => false,
            Method::POST => true,
            _ => return refuse(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST are known here"),
        };
        let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
        if origin.is_some_and(|origin| origin.strip_prefix("http://") != Some(host)) {
            return refuse(StatusCode::FORBIDDEN, "requests of other sites are not answered");
        }
        let fetched = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_visit = !is_post && fetched("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
        if !is_visit && fetched("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return refuse(StatusCode::FORBIDDEN, "requests of other sites are not answered");
        }
        if !is_post && PUBLIC.contains(&uri.path()) {
            return Ok(Entry::Open);
        }
        if let Some(given) = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) {
            return if self.token.is(given) { Ok(Entry::Open) } else { refuse(StatusCode::UNAUTHORIZED, LOCKED) };
        }
        if let Some((given, location)) = token_of(uri).filter(|_| !is_post) {
            let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie, self.token.reveal());
            return if self.token.is(&given) { Ok(Entry::ByLink { cookie, location }) } else { refuse(StatusCode::UNAUTHORIZED, LOCKED) };
        }
        if !self.has_cookie(headers) {
            return refuse(StatusCode::UNAUTHORIZED, LOCKED);
        }
        // A browser that sends a cookie with a POST says where the page is from.
        if is_post && origin.is_none() {
            return refuse(StatusCode::FORBIDDEN, "a request with a cookie has to say its Origin");
        }
        Ok(Entry::Open)
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == self.cookie && self.token.is(value))
    }
}

/// What holds nothing of anybody's: the page that says that the token is missing is made of it.
const PUBLIC: [&str; 2] = ["/theme.css", "/icon.svg"];

const LOCKED: &str = "a token is needed: open the link that `trailwire ui` printed, or send `Authorization: Bearer …`";

fn refuse<T>(status: StatusCode, reason: &'static str) -> Result<T, Refusal> {
    Err(Refusal { status, reason })
}

fn is_own(host: &str) -> bool {
    OWN_NAMES.iter().any(|name| {
        host.strip_prefix(name).is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        })
    })
}

/// The token in an address, and the address without it.
fn token_of(uri: &Uri) -> Option<(String, String)> {
    let pairs: Vec<&str> = uri.query()?.split('&').collect();
    let token = pairs.iter().find_map(|pair| pair.strip_prefix("token="))?.to_owned();
    let rest: Vec<&str> = pairs.into_iter().filter(|pair| !pair.starts_with("token=")).collect();
    // The path begins with one slash: `//host/` would lead to another site.
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    Some((token, if rest.is_empty() { path } else { format!("{path}?{}", rest.join("&")) }))
}

/// What every answer says, whatever it is.
pub(super) fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: (&str, &str) = ("host", "127.0.0.1:7000");
    const COOKIE: (&str, &str) = ("cookie", "other=1; trailwire_7000=secret");
    const ORIGIN: (&str, &str) = ("origin", "http://127.0.0.1:7000");

    fn check(method: &str, uri: &str, headers: &[(&'static str, &'static str)]) -> Result<Entry, u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let guard = Guard::new(SecretText::new("secret"), 7000);
        guard.check(&method.parse().unwrap(), &uri.parse().unwrap(), &map).map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn the_token_opens_in_three_forms() {
        assert_eq!(check("GET", "/", &[HOST, COOKIE]), Ok(Entry::Open));
        assert_eq!(check("GET", "/", &[HOST, ("authorization", "Bearer secret")]), Ok(Entry::Open));
        assert_eq!(check("POST", "/api/search", &[HOST, ("authorization", "Bearer secret")]), Ok(Entry::Open));
        assert_eq!(check("POST", "/api/search", &[HOST, COOKIE, ORIGIN]), Ok(Entry::Open));
        let by_link = |location: &str| {
            let cookie = "trailwire_7000=secret; Path=/; HttpOnly; SameSite=Strict".to_owned();
            Ok(Entry::ByLink { cookie, location: location.to_owned() })
        };
        assert_eq!(check("GET", "/?token=secret", &[HOST]), by_link("/"));
        assert_eq!(check("GET", "/?q=a%20b&token=secret&sel=x", &[HOST]), by_link("/?q=a%20b&sel=x"));
        assert_eq!(check("GET", "//evil.example/?token=secret", &[HOST]), by_link("/evil.example/"));
        for (uri, headers) in [
            ("/", &[HOST][..]),
            ("/app.js", &[HOST]),
            ("/?token=wrong", &[HOST, COOKIE]),
            ("/?token=", &[HOST]),
            ("/", &[HOST, ("cookie", "trailwire_7001=secret")]),
            ("/", &[HOST, ("cookie", "trailwire_7000=secre")]),
            ("/", &[HOST, COOKIE, ("authorization", "Bearer wrong")]),
        ] {
            assert_eq!(check("GET", uri, headers), Err(401), "{uri} {headers:?}");
        }
        assert_eq!(check("POST", "/api/search?token=secret", &[HOST, ORIGIN]), Err(401));
        assert_eq!(check("GET", "/theme.css", &[HOST]), Ok(Entry::Open));
    }

    #[test]
    fn only_this_machine_is_meant() {
        for host in ["127.0.0.1", "localhost:1", "localhost", "[::1]:7000"] {
            assert_eq!(check("GET", "/", &[("host", host), COOKIE]), Ok(Entry::Open), "{host}");
        }
        for host in
            ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7000", "127.0.0.1:", "127.0.0.1:7000x", "0.0.0.0:7000"]
        {
            assert_eq!(check("GET", "/", &[("host", host), COOKIE]), Err(421), "{host}");
        }
        assert_eq!(check("GET", "/", &[COOKIE]), Err(421));
        assert_eq!(check("GET", "/", &[HOST, HOST, COOKIE]), Err(421));
    }

    #[test]
    fn other_sites_get_nothing() {
        let post = |headers: &[(&'static str, &'static str)]| check("POST", "/api/search", &[&[HOST, COOKIE], headers].concat());
        assert_eq!(post(&[]), Err(403));
        for origin in ["http://evil.example", "null", "https://127.0.0.1:7000", "http://127.0.0.1:7001", "http://localhost:7000", ""] {
            assert_eq!(post(&[("origin", origin)]), Err(403), "{origin}");
        }
        assert_eq!(post(&[ORIGIN, ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")]), Ok(Entry::Open));
        assert_eq!(post(&[ORIGIN, ("sec-fetch-site", "cross-site")]), Err(403));
        let get = |site, mode| check("GET", "/app.js", &[HOST, COOKIE, ("sec-fetch-site", site), ("sec-fetch-mode", mode)]);
        assert_eq!(get("cross-site", "no-cors"), Err(403));
        assert_eq!(get("same-site", "no-cors"), Err(403));
        assert_eq!(get("same-origin", "no-cors"), Ok(Entry::Open));
        assert_eq!(get("cross-site", "navigate"), Ok(Entry::Open));
        for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"] {
            assert_eq!(check(method, "/", &[HOST, COOKIE, ORIGIN]), Err(405), "{method}");
        }
    }

    #[test]
    fn every_answer_forbids_what_is_not_from_here() {
        let mut headers = HeaderMap::new();
        harden(&mut headers);
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; ") && !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
        assert_eq!(
            (&headers[header::CACHE_CONTROL], &headers[header::X_FRAME_OPTIONS]),
            (&"no-store".parse().unwrap(), &"DENY".parse().unwrap())
        );
    }
}
