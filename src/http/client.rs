//! Who is at the other end of the wire: the client's address and whether it speaks TLS, by the word of trusted proxies.

use super::problem::Problem;
use crate::app::App;
use crate::config::Networks;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use std::fmt;
use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The client's address, proxies that we trust left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    pub address: ClientAddress,
    /// Whether the client came by https, as far as a trusted proxy or our own public address tells.
    pub by_tls: bool,
}

impl Client {
    /// Reads who asks. Headers are believed where the peer is a proxy that we trust, and no further than proxies that we
    /// trust wrote them.
    pub fn of(peer: Option<SocketAddr>, headers: &HeaderMap, app: &App) -> Self {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        let trusted = &app.config.trusted_proxies;
        let told = trusted.contain(peer).then(|| proto(headers)).flatten();
        Self {
            address: ClientAddress(address(peer, headers, trusted)),
            by_tls: told.unwrap_or_else(|| app.public_url().starts_with("https://")),
        }
    }
}

/// The rightmost address that is no proxy of ours: what stands left of it anybody can have written.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let mut client = peer;
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").map(|line| line.to_str().unwrap_or("?")).collect();
    for told in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !trusted.contain(client) {
            break;
        }
        let Some(told) = address_in(told.trim()) else { break };
        client = told;
    }
    client
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn address_in(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|both| both.ip()));
    address.map(|it| it.to_canonical())
}

/// The scheme that the nearest proxy tells: the last, where there are several.
fn proto(headers: &HeaderMap) -> Option<bool> {
    let line = headers.get_all("x-forwarded-proto").last()?.to_str().ok()?;
    Some(line.rsplit(',').next()?.trim().eq_ignore_ascii_case("https"))
}

impl ClientAddress {
    /// What stands for a client where it is counted: an IPv4 address, or the /64 that an IPv6 client has to itself.
    pub fn key(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => IpAddr::V6(first_64(address)),
        }
    }
}

fn first_64(address: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))
}

/// As it is logged: the network, and not who in it.
impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{}/24", Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8))),
            IpAddr::V6(address) => write!(f, "{}/64", first_64(address)),
        }
    }
}

/// What was read of the client when the request came in.
pub fn of(request: &HttpRequest) -> Result<Client, Problem> {
    request.extensions().get::<Client>().copied().ok_or_else(Problem::internal)
}

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(of(request))
    }
}

impl FromRequest for ClientAddress {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(of(request).map(|client| client.address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    const PROXIES: &str = "10.0.0.0/8,fd00::/8";

    fn headers(name: &'static str, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_no_trusted_proxy_has() {
        for (what, trusted, peer, forwarded, client) in [
            ("no proxy", PROXIES, "192.0.2.1", &[][..], "192.0.2.1"),
            ("a stranger that claims", PROXIES, "192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            ("a stranger that claims to be ours", PROXIES, "192.0.2.1", &["10.0.0.1"], "192.0.2.1"),
            ("nobody is trusted", "", "10.0.0.1", &["198.51.100.7"], "10.0.0.1"),
            ("not even this machine", "", "127.0.0.1", &["198.51.100.7"], "127.0.0.1"),
            ("one proxy", PROXIES, "10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("two proxies", PROXIES, "10.0.0.1", &["198.51.100.7, 10.9.9.9"], "198.51.100.7"),
            ("a client that claims", PROXIES, "10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("claims to be ours behind one", PROXIES, "10.0.0.1", &["10.1.1.1, 198.51.100.7"], "198.51.100.7"),
            ("two lines count as one", PROXIES, "10.0.0.1", &["203.0.113.9", "198.51.100.7,10.2.2.2"], "198.51.100.7"),
            ("a client of our own network", PROXIES, "10.0.0.1", &["10.5.5.5"], "10.5.5.5"),
            ("a proxy that says nothing", PROXIES, "10.0.0.1", &[], "10.0.0.1"),
            ("a proxy that says nothing readable", PROXIES, "10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
            ("no text at all", PROXIES, "10.0.0.1", &["198.51.100.7, \u{fe}"], "10.0.0.1"),
            ("an empty line", PROXIES, "10.0.0.1", &[""], "10.0.0.1"),
            ("with a port", PROXIES, "10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("IPv6", PROXIES, "fd00::1", &["2001:db8::7"], "2001:db8::7"),
            ("IPv6 with a port", PROXIES, "fd00::1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("IPv4 in IPv6", PROXIES, "::ffff:10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
        ] {
            let told = headers("x-forwarded-for", forwarded);
            let peer: IpAddr = peer.parse().unwrap();
            let found = address(peer.to_canonical(), &told, &trusted.parse().unwrap());
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{what}");
        }
    }

    #[test]
    fn the_nearest_proxy_tells_the_scheme() {
        for (lines, https) in [
            (&["https"][..], Some(true)),
            (&["http"], Some(false)),
            (&["http, https"], Some(true)),
            (&["https", "http"], Some(false)),
            (&["HTTPS"], Some(true)),
            (&[], None),
        ] {
            assert_eq!(proto(&headers("x-forwarded-proto", lines)), https, "{lines:?}");
        }
    }

    #[test]
    fn clients_are_counted_by_address_or_64_and_logged_by_network() {
        for (address, key, logged) in [
            ("192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::", "2001:db8:1:2::/64"),
        ] {
            let client = ClientAddress(address.parse().unwrap());
            assert_eq!(client.key(), key.parse::<IpAddr>().unwrap(), "{address}");
            assert_eq!(client.to_string(), logged, "{address}");
        }
    }
}
