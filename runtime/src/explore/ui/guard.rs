//! Who is let in. A page on this machine can be reached by every other page in the same browser, and by every user of the machine.
//!
//! A name of another site that leads here (DNS rebinding) is told by `Host`, a request that another site's page makes by `Origin` and
//! `Sec-Fetch-Site`, another user of the machine by the token, which each question has to bring. It is in no cookie: those of 127.0.0.1 go to every port, whoever
//! listens there. What the page is made of holds nothing of anybody's, and is open.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::secrets::SecretText;

/// The names under which this machine is itself, whatever the port: a tunnel may have another.
const OWN_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// What a page may do: only what came from here, and nothing that is written into it. No text can become markup (trusted types).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Why a request is not let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: &'static str,
}

/// The door.
pub(super) struct Guard {
    token: SecretText,
    /// The address that is listened on, as it stands in a link.
    own: String,
}

impl Guard {
    pub(super) fn new(token: SecretText, own: IpAddr) -> Self {
        let own = if own.is_ipv6() { format!("[{own}]") } else { own.to_string() };
        Self { token, own }
    }

    /// Whether a request is let in.
    pub(super) fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text("host").unwrap_or_default();
        if headers.get_all(header::HOST).iter().count() != 1 || !self.is_own(host) {
            return refuse(StatusCode::MISDIRECTED_REQUEST, "this page answers to 127.0.0.1 and localhost alone");
        }
        let is_question = match *method {
            Method::GET | Method::HEAD => false,
            Method::POST => true,
            _ => return refuse(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST are known here"),
        };
        let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
        if origin.is_some_and(|origin| origin.strip_prefix("http://") != Some(host)) {
            return refuse(StatusCode::FORBIDDEN, "requests of other sites are not answered");
        }
        let is_visit = !is_question && text("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
        if !is_visit && text("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return refuse(StatusCode::FORBIDDEN, "requests of other sites are not answered");
        }
        let given = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if is_question && !given.is_some_and(|given| self.token.is(given)) {
            return refuse(StatusCode::UNAUTHORIZED, LOCKED);
        }
        Ok(())
    }

    /// Whether a host, with a port or without, is this machine.
    fn is_own(&self, host: &str) -> bool {
        OWN_NAMES.iter().copied().chain([self.own.as_str()]).any(|name| {
            host.strip_prefix(name).is_some_and(|rest| {
                rest.is_empty()
                    || rest.strip_prefix(':').is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
            })
        })
    }
}

const LOCKED: &str = "a token is needed: open the link that `trailwire ui` printed, or send `Authorization: Bearer …`";

fn refuse<T>(status: StatusCode, reason: &'static str) -> Result<T, Refusal> {
    Err(Refusal { status, reason })
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
    const TOKEN: (&str, &str) = ("authorization", "Bearer secret");
    const ORIGIN: (&str, &str) = ("origin", "http://127.0.0.1:7000");

    fn check(method: &str, headers: &[(&'static str, &'static str)]) -> Result<(), u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let guard = Guard::new(SecretText::new("secret"), [127, 0, 0, 2].into());
        guard.check(&method.parse().unwrap(), &map).map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn the_token_answers_and_the_page_itself_is_open() {
        assert_eq!(check("POST", &[HOST, TOKEN]), Ok(()));
        assert_eq!(check("POST", &[HOST, TOKEN, ORIGIN]), Ok(()));
        assert_eq!((check("GET", &[HOST]), check("HEAD", &[HOST])), (Ok(()), Ok(())));
        for given in [
            &[HOST][..],
            &[HOST, ORIGIN],
            &[HOST, ("authorization", "Bearer wrong")],
            &[HOST, ("authorization", "Bearer ")],
            &[HOST, ("authorization", "secret")],
            // Whoever listens on another port of this machine is sent its cookies.
            &[HOST, ORIGIN, ("cookie", "trailwire_7000=secret")],
        ] {
            assert_eq!(check("POST", given), Err(401), "{given:?}");
        }
    }

    #[test]
    fn only_this_machine_is_meant() {
        for host in ["127.0.0.1", "127.0.0.2:7000", "localhost:1", "localhost", "[::1]:7000"] {
            assert_eq!(check("POST", &[("host", host), TOKEN]), Ok(()), "{host}");
        }
        for host in
            ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7000", "127.0.0.1:", "127.0.0.1:7000x", "0.0.0.0:7000"]
        {
            assert_eq!(check("GET", &[("host", host), TOKEN]), Err(421), "{host}");
        }
        assert_eq!(check("GET", &[TOKEN]), Err(421));
        assert_eq!(check("GET", &[HOST, HOST, TOKEN]), Err(421));
    }

    #[test]
    fn other_sites_get_nothing() {
        let post = |headers: &[(&'static str, &'static str)]| check("POST", &[&[HOST, TOKEN], headers].concat());
        for origin in ["http://evil.example", "null", "https://127.0.0.1:7000", "http://127.0.0.1:7001", "http://localhost:7000", ""] {
            assert_eq!(post(&[("origin", origin)]), Err(403), "{origin}");
        }
        assert_eq!(post(&[ORIGIN, ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")]), Ok(()));
        assert_eq!(post(&[ORIGIN, ("sec-fetch-site", "cross-site")]), Err(403));
        let get = |site, mode| check("GET", &[HOST, ("sec-fetch-site", site), ("sec-fetch-mode", mode)]);
        assert_eq!(get("cross-site", "no-cors"), Err(403));
        assert_eq!(get("same-site", "no-cors"), Err(403));
        assert_eq!(get("same-origin", "no-cors"), Ok(()));
        assert_eq!(get("cross-site", "navigate"), Ok(()));
        for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"] {
            assert_eq!(check(method, &[HOST, TOKEN, ORIGIN]), Err(405), "{method}");
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
