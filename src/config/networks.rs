//! Networks as an operator writes them: `10.0.0.0/8, 192.168.1.7, fd00::/8`.

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses and networks; none at all by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether an address lies in one of them. An IPv4 address written as IPv6 is the IPv4 address.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(network).collect::<Result<_, _>>().map(Self)
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().or_else(|_no_network| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_no_address| format!("`{text}` is no network; write addresses like 10.0.0.0/8 or 192.168.1.7"))
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        serializer.serialize_str(&texts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_was_written() {
        for (written, address, holds) in [
            ("", "127.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("10.0.0.0/8, 192.168.1.7", "10.200.3.4", true),
            ("10.0.0.0/8, 192.168.1.7", "192.168.1.8", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("fd00::/8", "fd12::1", true),
            ("::1", "::1", true),
        ] {
            let networks: Networks = written.parse().unwrap();
            assert_eq!(networks.contain(address.parse().unwrap()), holds, "{address} in `{written}`");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in ["10.0.0.0/33", "localhost", "10.0.0.0-10.0.0.9", "10.0.0.1,proxy"] {
            let error = wrong.parse::<Networks>().unwrap_err();
            assert!(error.contains("is no network"), "{wrong}: {error}");
        }
    }
}
