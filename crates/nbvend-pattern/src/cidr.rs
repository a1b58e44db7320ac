//! IP addresses and address ranges in patterns.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The address a string spells, if it spells one.
///
/// An IPv6 address that carries an IPv4 one counts as the latter, as Java's does. The dotted form
/// of such an address is not taken for an address at all.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    // Every text of an event comes by here, so most must leave quickly.
    if text.len() > 45 || !text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'.' || b == b':') {
        return None;
    }
    if text.contains(':') {
        if text.contains('.') {
            return None;
        }
        let ip: Ipv6Addr = text.parse().ok()?;
        return Some(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4));
    }
    // Java reads leading zeroes as decimal, which the standard library refuses.
    let mut octets = [0_u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then(|| IpAddr::V4(Ipv4Addr::from(octets)))
}

/// Parses `10.0.0.0/24` or `2001:db8::/32`.
///
/// # Errors
/// event-ruler's text. A mask that leaves no host bits is one of the errors.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    // Java's split drops empty trailing parts: "10.0.0.0/" has one part.
    let trimmed = text.trim_end_matches('/');
    let (ip, bits) = match trimmed.split_once('/') {
        Some((ip, bits)) if !bits.contains('/') => (ip, bits),
        _ => return Err("Malformed CIDR, one '/' required".to_owned()),
    };
    let bits: i32 = bits.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer".to_owned())?;
    let bits = u8::try_from(bits.clamp(-1, 200))
        .map_err(|_| "Malformed CIDR, mask bits must not be negative".to_owned())?;
    match address(ip) {
        None => Err(format!("Nonstandard IP address: {ip}")),
        Some(IpAddr::V4(v4)) => Ipv4Net::new(v4, bits)
            .ok()
            .filter(|_| bits < 32)
            .map(|net| IpNet::V4(net.trunc()))
            .ok_or_else(|| "IPv4 mask bits must be < 32".to_owned()),
        Some(IpAddr::V6(v6)) => Ipv6Net::new(v6, bits)
            .ok()
            .filter(|_| bits < 128)
            .map(|net| IpNet::V6(net.trunc()))
            .ok_or_else(|| "IPv6 mask bits must be < 128".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("10.0.0.1", Some("10.0.0.1")),
            ("010.000.0.1", Some("10.0.0.1")),
            ("0:0:0:0:0:0:0:1", Some("::1")),
            ("::ffff:0a00:0001", Some("10.0.0.1")),
            ("10.0.0.256", None),
            ("10.0.0", None),
            ("10.0.0.1.2", None),
            ("::ffff:10.0.0.1", None),
            ("1:2", None),
            ("a.b.c.d", None),
            ("", None),
        ] {
            assert_eq!(address(text).map(|ip| ip.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn networks() {
        for (text, expected) in [
            ("10.0.0.7/24", Ok("10.0.0.0/24")),
            ("2001:db8::1/32", Ok("2001:db8::/32")),
            ("10.0.0.0", Err("Malformed CIDR, one '/' required")),
            ("10.0.0.0/", Err("Malformed CIDR, one '/' required")),
            ("10.0.0.0/8/9", Err("Malformed CIDR, one '/' required")),
            ("10.0.0.0/x", Err("Malformed CIDR, mask bits must be an integer")),
            ("10.0.0.0/-1", Err("Malformed CIDR, mask bits must not be negative")),
            ("10.0.0/8", Err("Nonstandard IP address: 10.0.0")),
            ("10.0.0.1/32", Err("IPv4 mask bits must be < 32")),
            ("10.0.0.1/999", Err("IPv4 mask bits must be < 32")),
            ("::1/128", Err("IPv6 mask bits must be < 128")),
        ] {
            let got = network(text).map(|net| net.to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }
}
