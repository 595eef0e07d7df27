//! Addresses that are posted to.

use crate::diagnostic::Code;
use crate::trigger::reader::Reader;

/// Checks an address: `https` to anywhere; `http` only to a loopback address; no user info (it would be a secret in the open).
pub(super) fn check_url(reader: &mut Reader<'_>, member: &'static str, address: &str) {
    let mut refuse = |message: &str, help: &str| reader.error(Code::BAD_URL, member, message, help);
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    if address.chars().any(|c| c.is_whitespace() || c.is_control()) {
        refuse("the address holds white space or control characters", "write it without");
    } else if authority.contains('@') {
        refuse("the address holds a user or a password", "keep it as a secret: `url_wo` or `secret_arn`");
    } else if host.is_empty() {
        refuse("the address names no host", "for example https://hooks.example.com/trailwire");
    } else if scheme == "http" && !is_loopback(host) {
        refuse("plain http is for loopback addresses only", "use https");
    } else if scheme != "https" && scheme != "http" {
        refuse("the address is neither https nor http", "for example https://hooks.example.com/trailwire");
    }
}

/// An address that may be there, checked.
pub(super) fn read_url(reader: &mut Reader<'_>, member: &'static str) -> Option<String> {
    let address = reader.text(member);
    if let Some(address) = &address {
        check_url(reader, member, address);
    }
    address
}

/// Whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
