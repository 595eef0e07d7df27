//! Where may be sent to.
//!
//! An address that is written is checked when it is read; what its name means is checked when a connection is made, in the resolver, so that no
//! answer of a name server leads elsewhere. Nothing is ever sent to the services by which clouds give machines their credentials, to
//! link-local, multicast and unspecified addresses, in whichever of IPv6's forms they come. This machine itself is reached by a loopback address or as
//! `localhost` and by no other name, and not at all in Lambda, whose own interface listens there. Private networks are allowed:
//! that is where many receivers are. Through a proxy names are resolved by the proxy, and are its affair.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Undeliverable;

/// Addresses, outside the link-local network, at which clouds give credentials to machines: Alibaba, Azure, Oracle.
const METADATA: [Ipv4Addr; 3] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];

/// What an address is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Allowed,
    Loopback,
    Forbidden,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let is_nowhere = address.octets().first() == Some(&0) || address.is_broadcast() || address.is_multicast();
    if address.is_loopback() {
        Reach::Loopback
    } else if is_nowhere || address.is_link_local() || METADATA.contains(&address) {
        Reach::Forbidden
    } else {
        Reach::Allowed
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if address.is_loopback() {
        return Reach::Loopback;
    }
    if let Some(v4) = embedded(address) {
        return reach_v4(v4);
    }
    if perhaps_embedded(address).into_iter().any(|v4| v4.is_loopback() || v4.is_link_local() || METADATA.contains(&v4)) {
        return Reach::Forbidden;
    }
    // fd00:ec2::/32 is AWS's (254: instances, 23: pods), fd20:ce::/32 Google's.
    let is_metadata = matches!(address.segments(), [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..]);
    if is_metadata || address.is_unspecified() || address.is_multicast() || address.is_unicast_link_local() {
        Reach::Forbidden
    } else {
        Reach::Allowed
    }
}

/// The IPv4 address that high and low half give.
fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated (SIIT, NAT64) or tunnelled (6to4).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(v4(high, low))
        }
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// The IPv4 addresses that an IPv6 address may stand for: by a local NAT64 (RFC 8215), whose prefix may have each of the lengths that RFC 6052 knows from 48 on;
/// by Teredo, whose server and client it names (RFC 4380); by ISATAP (RFC 5214).
fn perhaps_embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 1, d, e, f, g, h] => {
            let bits = (u128::from(d) << 64) | (u128::from(e) << 48) | (u128::from(f) << 32) | (u128::from(g) << 16) | u128::from(h);
            // The eight bits after the first half are none of the address.
            let split = (bits >> 64 << 56) | (bits & ((1 << 56) - 1));
            let part = |shift: u32| Ipv4Addr::from(u32::try_from((split >> shift) & u128::from(u32::MAX)).unwrap_or_default());
            vec![part(40), part(32), part(24), v4(g, h)]
        }
        [0x2001, 0, high, low, _, _, g, h] => vec![v4(high, low), v4(!g, !h)],
        [.., 0 | 0x200, 0x5efe, high, low] => vec![v4(high, low)],
        _ => vec![],
    }
}

/// Whether the host of an address is this machine, as written.
pub(super) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host == "localhost") || literal(url).is_some_and(|address| reach(address) == Reach::Loopback)
}

/// The host, where it is written as an IP address.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// An address that may be sent to: https, or http to a loopback address, so that neither content nor secrets cross a network in the open.
pub(super) fn safe_url(text: &str) -> Result<Url, Undeliverable> {
    // The parser's error does not repeat the text.
    let url = Url::parse(text.trim()).map_err(|error| Undeliverable::BadUrl(error.to_string()))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(Undeliverable::Insecure("plain http".to_owned())),
        scheme => Err(Undeliverable::Insecure(scheme.to_owned())),
    }
}

/// Checks a host that is written as an IP address; names are checked by [`Guard`].
pub(super) fn check(url: &Url, in_lambda: bool) -> Result<(), Undeliverable> {
    let is_forbidden = literal(url).is_some_and(|address| reach(address) == Reach::Forbidden);
    if is_forbidden {
        return Err(Undeliverable::Forbidden("a link-local, metadata or multicast address".to_owned()));
    }
    if in_lambda && is_loopback(url) {
        return Err(Undeliverable::Forbidden("the Lambda function itself".to_owned()));
    }
    Ok(())
}

/// Resolves names to what they may mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard;

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let allowed = allowed(&host, found);
            if allowed.is_empty() {
                return Err("the name stands for no address that may be sent to (loopback, link-local, metadata)".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn allowed(host: &str, found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let is_here = host.eq_ignore_ascii_case("localhost");
    found
        .filter(|address| match reach(address.ip()) {
            Reach::Allowed => true,
            Reach::Loopback => is_here,
            Reach::Forbidden => false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_posted_to() {
        for good in ["https://example.com/x", "http://127.0.0.1:8080/", "http://localhost/x", "http://[::1]:1/", " https://example.com\n"] {
            assert!(safe_url(good).is_ok_and(|url| check(&url, false).is_ok()), "{good}");
        }
        for bad in [
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com",
            "ftp://example.com",
            "example.com",
            "",
            "file:///etc/passwd",
            "http://10.0.0.1",
            "http://169.254.169.254/latest/meta-data",
        ] {
            assert!(safe_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn metadata_is_refused_in_every_form() {
        for bad in [
            "https://169.254.169.254/",
            "https://169.254.170.2/",
            "https://2852039166/",
            "https://0xa9fea9fe/",
            "https://0251.0376.0251.0376/",
            "https://[::ffff:169.254.169.254]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[::169.254.169.254]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[::ffff:0:a9fe:a9fe]/",
            "https://[64:ff9b:1::a9fe:a9fe]/",
            "https://[64:ff9b:1:a9fe:a9:fe00::]/",
            "https://[64:ff9b:1:ffff:a9:fea9:fe00:0]/",
            "https://[2002:a9fe:a9fe::1]/",
            "https://[2001:0:a9fe:a9fe:8000:3ffe:3fff:fdfd]/",
            "https://[2001:0:c000:201:8000:3ffe:5601:5601]/",
            "https://[2001:db8::5efe:a9fe:a9fe]/",
            "https://[2001:db8::200:5efe:a9fe:a9fe]/",
            "https://[fd00:ec2::254]/",
            "https://[fd00:ec2::23]/",
            "https://[fe80::1]/",
            "https://[ff02::1]/",
            "https://[::]/",
            "https://0.0.0.0/",
            "https://0.1.2.3/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://100.100.100.200/",
            "https://168.63.129.16/",
        ] {
            let url = safe_url(bad).unwrap();
            assert!(matches!(check(&url, false), Err(Undeliverable::Forbidden(_))), "{bad}");
        }
        for good in ["https://10.0.0.1/", "https://192.168.1.1/", "https://[2001:db8::1]/", "https://[fd12::1]/", "https://100.64.0.1/"] {
            assert_eq!(check(&safe_url(good).unwrap(), false), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_lambda_function_does_not_talk_to_itself() {
        for here in ["http://127.0.0.1:9001/", "http://localhost/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://127.1/"] {
            assert!(check(&safe_url(here).unwrap(), true).is_err(), "{here}");
            assert!(check(&safe_url(here).unwrap(), false).is_ok(), "{here}");
        }
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        let found = ["127.0.0.1:0", "[::1]:0", "169.254.169.254:0", "[::ffff:169.254.169.254]:0", "[::ffff:127.0.0.1]:0", "192.0.2.7:0"];
        let found = found.map(|text| text.parse::<SocketAddr>().unwrap());
        let texts = |host: &str| allowed(host, found.into_iter()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts("rebound.example.com"), ["192.0.2.7:0"]);
        assert_eq!(texts("localhost"), ["127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0", "192.0.2.7:0"]);
    }

    #[tokio::test]
    async fn the_resolver_keeps_this_machine_by_its_own_name_only() {
        let resolved = |name: &str| Guard.resolve(name.parse().unwrap());
        assert!(resolved("localhost").await.is_ok_and(|mut addresses| addresses.next().is_some()));
        // The resolver takes an address for its own name.
        let refused = resolved("127.0.0.1").await.err().unwrap().to_string();
        assert!(refused.starts_with("the name stands for no address"), "{refused}");
    }
}
