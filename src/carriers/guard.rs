//! Where we never send a request: addresses inside a network, credentials in an address, other schemes and ports.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// Why an address is not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// It cannot be read.
    #[error("it is no URL")]
    NoUrl,
    /// Files, mail and the like.
    #[error("its scheme is neither http nor https")]
    Scheme,
    /// A name or password stands before the host.
    #[error("it holds a user name or password; credentials belong into headers")]
    Credentials,
    /// Neither 80 nor 443.
    #[error("its port is neither 80 nor 443")]
    Port,
    /// The host is, or resolves to, an address that the internet does not route.
    #[error("{0} is no public address; allow it for this source if it is meant")]
    Private(IpAddr),
}

impl Forbidden {
    /// The refusal inside an error of the client, where the resolver refused.
    pub(crate) fn within(error: &(dyn Error + 'static)) -> Option<Self> {
        match error.downcast_ref::<Self>() {
            Some(refusal) => Some(refusal.clone()),
            None => Self::within(error.source()?),
        }
    }
}

/// Checks an address before anything is sent. A host name passes here and is checked again when it is resolved.
///
/// With `private_allowed`, the operator's word for this source, any host and port may be called.
///
/// # Errors
///
/// [`Forbidden`] with the rule that it breaks.
pub(crate) fn checked(url: &str, private_allowed: bool) -> Result<Url, Forbidden> {
    let Ok(url) = Url::parse(url) else { return Err(Forbidden::NoUrl) };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Forbidden::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Forbidden::Credentials);
    }
    if private_allowed {
        return Ok(url);
    }
    if !matches!(url.port_or_known_default(), Some(80 | 443)) {
        return Err(Forbidden::Port);
    }
    // The URL parser has already turned decimal, hexadecimal and octal forms into a plain address.
    let host = url.host_str().ok_or(Forbidden::NoUrl)?.trim_matches(['[', ']']);
    match host.parse() {
        Ok(address) if !is_public(address) => Err(Forbidden::Private(address)),
        _ => Ok(url),
    }
}

/// Whether the internet routes to this address. Ways of writing an IPv4 address in IPv6 are all refused.
///
/// Source: IANA special-purpose address registries for IPv4 and IPv6.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !special_v4(v4),
        IpAddr::V6(v6) => !special_v6(v6),
    }
}

fn special_v4(address: Ipv4Addr) -> bool {
    matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Only `2000::/3` is given out, and of it not the protocol block, documentation, and 6to4.
fn special_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, second, ..] if second < 0x0200 || second == 0x0db8 => true,
        [0x2002, ..] => true,
        [0x3fff, second, ..] if second < 0x1000 => true,
        [first, ..] => !(0x2000..=0x3fff).contains(&first),
    }
}

type Lookup = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Resolves names and refuses those with any address inside a network. It is asked for each new connection, so a name
/// that changes its address between two requests gains nothing.
pub(crate) struct PublicOnly(Arc<Lookup>);

impl PublicOnly {
    pub(crate) fn system() -> Self {
        Self(Arc::new(|host| Ok((host, 0).to_socket_addrs()?.collect())))
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || lookup(name.as_str())).await??;
            if let Some(private) = found.iter().find(|it| !is_public(it.ip())) {
                return Err(Forbidden::Private(private.ip()).into());
            }
            let public: Addrs = Box::new(found.into_iter());
            Ok(public)
        })
    }
}

#[cfg(test)]
mod tests;
