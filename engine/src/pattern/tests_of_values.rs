//! Whether a single leaf satisfies a single test.
//!
//! EventBridge compares strings with their quotes on, and that shows: the suffix `"` fits the empty string. So does this.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::numeral::{comparable, equal};
use super::{Bound, Excluded, Range, Scalar, Test};
use crate::value::{Number, Value};

/// Whether a leaf satisfies a test. `exists: false` is not a test of a leaf: no leaf satisfies it.
pub(super) fn satisfies(leaf: &Value, test: &Test) -> bool {
    let quoted = leaf.as_str().map(|text| format!("\"{text}\""));
    let on_text = |holds: &dyn Fn(&str) -> bool| quoted.as_deref().is_some_and(holds);
    match test {
        Test::Equals(scalar) => equals(leaf, scalar),
        Test::Prefix(_)
        | Test::PrefixIgnoringCase(_)
        | Test::Suffix(_)
        | Test::SuffixIgnoringCase(_)
        | Test::EqualsIgnoringCase(_)
        | Test::Wildcard(_) => on_text(&|text| text_fits(text, test)),
        Test::AnythingBut(excluded) => !is_excluded(leaf, quoted.as_deref(), excluded),
        Test::Numeric(range) => matches!(leaf, Value::Number(number) if in_range(number, range)),
        Test::Cidr(text) => match (leaf.as_str().and_then(address_of), network_of(text)) {
            (Some(address), Some(network)) => contains(network, address),
            _ => false,
        },
        Test::Exists(exists) => *exists,
    }
}

fn equals(leaf: &Value, scalar: &Scalar) -> bool {
    match (leaf, scalar) {
        (Value::Null, Scalar::Null) => true,
        (Value::Bool(a), Scalar::Bool(b)) => a == b,
        (Value::Number(a), Scalar::Number(b)) => equal(a, b),
        (Value::String(a), Scalar::String(b)) => match address_of(b) {
            Some(wanted) => address_of(a) == Some(wanted),
            None => a == b,
        },
        _ => false,
    }
}

/// `text` has its quotes on.
fn text_fits(text: &str, test: &Test) -> bool {
    match test {
        Test::Prefix(wanted) => text.starts_with(&format!("\"{wanted}")),
        Test::Suffix(wanted) => text.ends_with(&format!("{wanted}\"")),
        Test::PrefixIgnoringCase(wanted) => !ends_after(text, &format!("\"{wanted}")).is_empty(),
        Test::SuffixIgnoringCase(wanted) => {
            let wanted = format!("{wanted}\"");
            text.char_indices().any(|(start, _)| is_ignoring_case(text.get(start..).unwrap_or(""), &wanted))
        }
        Test::EqualsIgnoringCase(wanted) => is_ignoring_case(text, &format!("\"{wanted}\"")),
        Test::Wildcard(wanted) => glob(text, &format!("\"{wanted}\"")),
        _ => false,
    }
}

fn is_excluded(leaf: &Value, quoted: Option<&str>, excluded: &Excluded) -> bool {
    let any = |texts: &[String], test: fn(String) -> Test| {
        quoted.is_some_and(|quoted| texts.iter().any(|text| text_fits(quoted, &test(text.clone()))))
    };
    match excluded {
        Excluded::Strings(texts) => leaf.as_str().is_some_and(|leaf| texts.iter().any(|text| text == leaf)),
        Excluded::Numbers(numbers) => matches!(leaf, Value::Number(leaf) if numbers.iter().any(|number| equal(leaf, number))),
        Excluded::Prefixes(texts) => any(texts, Test::Prefix),
        Excluded::Suffixes(texts) => any(texts, Test::Suffix),
        Excluded::IgnoringCase(texts) => any(texts, Test::EqualsIgnoringCase),
        Excluded::Wildcards(texts) => any(texts, Test::Wildcard),
    }
}

fn in_range(number: &Number, range: &Range) -> bool {
    let Some(value) = comparable(number) else { return false };
    match range {
        Range::Equal(wanted) => equal(number, wanted),
        Range::Between { bottom, top } => {
            let above = |(end, bound): &(Number, Bound)| {
                comparable(end).is_some_and(|end| if *bound == Bound::Included { value >= end } else { value > end })
            };
            let below = |(end, bound): &(Number, Bound)| {
                comparable(end).is_some_and(|end| if *bound == Bound::Included { value <= end } else { value < end })
            };
            bottom.as_ref().is_none_or(above) && top.as_ref().is_none_or(below)
        }
    }
}

fn is_ignoring_case(text: &str, wanted: &str) -> bool {
    ends_after(text, wanted).contains(&text.len())
}

/// The places in `text` where `wanted` can end if it begins at the start: each of its characters in lower or upper case, which
/// need not be of the same length.
fn ends_after(text: &str, wanted: &str) -> Vec<usize> {
    let mut ends = vec![0];
    for letter in wanted.chars() {
        let forms = [letter.to_lowercase().to_string(), letter.to_uppercase().to_string()];
        let mut next = Vec::new();
        for end in ends {
            for form in &forms {
                let fits = text.get(end..).is_some_and(|rest| rest.starts_with(form));
                if fits && !next.contains(&(end + form.len())) {
                    next.push(end + form.len());
                }
            }
        }
        ends = next;
    }
    ends
}

/// Whether a text has the form of a wildcard without faults.
fn glob(text: &str, wildcard: &str) -> bool {
    let pieces = pieces(wildcard);
    let [first, middle @ .., last] = pieces.as_slice() else {
        return pieces.first().is_some_and(|only| only == text);
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for piece in middle {
        let Some(at) = rest.find(piece.as_str()) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or("");
    }
    rest.ends_with(last.as_str())
}

/// The texts between the `*`s, escapes resolved.
fn pieces(wildcard: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut piece = String::new();
    let mut letters = wildcard.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => done.push(std::mem::take(&mut piece)),
            '\\' => piece.extend(letters.next()),
            _ => piece.push(letter),
        }
    }
    done.push(piece);
    done
}

/// The IP address that EventBridge sees in a text: four decimal numbers, or IPv6 without dots. IPv4 in IPv6 form counts as IPv4.
#[must_use]
pub fn address_of(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
        return text.parse::<Ipv6Addr>().ok().filter(|_| plain).map(|address| IpAddr::V6(address).to_canonical());
    }
    let numbers: Vec<u8> = text.split('.').map(|part| decimal(part)?.parse().ok()).collect::<Option<_>>()?;
    let octets: [u8; 4] = numbers.try_into().ok()?;
    Some(IpAddr::V4(Ipv4Addr::from(octets)))
}

fn decimal(text: &str) -> Option<&str> {
    (text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// Address and length of a network that EventBridge takes: 0 to 31 for IPv4, 0 to 127 for IPv6.
#[must_use]
pub fn network_of(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = text.split_once('/')?;
    let address = address_of(address)?;
    let length: u32 = decimal(length)?.parse().ok()?;
    (length < width(address)).then_some((address, length))
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn contains((network, length): (IpAddr, u32), address: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let rest = width(network) - length;
    let head = |address: IpAddr| bits(address).checked_shr(rest).unwrap_or(0);
    network.is_ipv4() == address.is_ipv4() && head(network) == head(address)
}
