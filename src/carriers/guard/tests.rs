//! Addresses that must be refused, in every form that we know of.

use super::*;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Loopback, private, link-local, shared, reserved, documentation, multicast, and IPv4 written in IPv6.
const NOT_PUBLIC: &str = "
    127.0.0.1 127.1 127.255.255.254 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 0x7f.1 127.0.0.1.
    0 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 167772161 100.64.0.1 100.127.255.255 169.254.169.254 2852039166
    0xa9fea9fe 0251.0376.0251.0376 172.16.0.1 172.31.255.255 192.168.0.1 3232235521 192.0.0.8 192.0.2.1
    192.88.99.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    127。0。0。1 %31%32%37.0.0.1 [::] [::1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1]
    [::ffff:169.254.169.254] [::ffff:8.8.8.8] [::127.0.0.1] [fc00::1] [fd00::1] [fd00:ec2::254] [fe80::1]
    [fec0::1] [ff02::1] [64:ff9b::7f00:1] [64:ff9b:1::1] [100::1] [2001::1] [2001:10::1] [2001:db8::1]
    [2002:7f00:1::] [3fff::1] [5f00::1]
";

#[test]
fn addresses_inside_a_network_are_refused_in_every_form() {
    let hosts: Vec<_> = NOT_PUBLIC.split_whitespace().collect();
    assert!(hosts.len() > 55);
    for host in hosts {
        for url in [format!("http://{host}/v1"), format!("https://{host}/v1?a=b")] {
            let refused = checked(&url, false);
            assert!(matches!(refused, Err(Forbidden::Private(_))), "{url}: {refused:?}");
        }
    }
}

#[test]
fn other_schemes_ports_and_credentials_are_refused() {
    for (url, error) in [
        ("file:///etc/passwd", Forbidden::Scheme),
        ("ftp://example.com/", Forbidden::Scheme),
        ("gopher://example.com/", Forbidden::Scheme),
        ("data:text/plain,hello", Forbidden::Scheme),
        ("https://user@example.com/", Forbidden::Credentials),
        ("https://user:secret@example.com/", Forbidden::Credentials),
        ("https://:secret@example.com/", Forbidden::Credentials),
        ("https://example.com@127.0.0.1/", Forbidden::Credentials),
        ("http://example.com:22/", Forbidden::Port),
        ("https://example.com:8443/", Forbidden::Port),
        ("", Forbidden::NoUrl),
        ("/v1/parcels", Forbidden::NoUrl),
        ("http://", Forbidden::NoUrl),
        ("http://[::1", Forbidden::NoUrl),
        ("http://1.2.3.4.5/", Forbidden::NoUrl),
    ] {
        assert_eq!(checked(url, false).err(), Some(error), "{url}");
    }
    for url in ["file:///etc/passwd", "http://user@127.0.0.1/"] {
        assert!(checked(url, true).is_err(), "{url}: refused even where private addresses are allowed");
    }
}

#[test]
fn public_addresses_and_names_pass() {
    for url in [
        "https://api.example.com/v1",
        "http://api.example.com:80/v1",
        "https://8.8.8.8/",
        "https://100.128.0.1/",
        "https://172.32.0.1/",
        "https://[2606:4700::1111]/",
        "https://[2001:4860:4860::8888]/",
    ] {
        assert!(checked(url, false).is_ok(), "{url}");
    }
    assert!(checked("http://127.0.0.1:8090/v1", true).is_ok(), "the operator allows it");
}

async fn resolved(resolver: &PublicOnly) -> Result<usize, Option<Forbidden>> {
    let name = Name::from_str("carrier.test").unwrap();
    resolver.resolve(name).await.map(Iterator::count).map_err(|error| Forbidden::within(error.as_ref()))
}

#[tokio::test]
async fn a_name_is_judged_by_all_its_addresses_each_time() {
    let private: IpAddr = "127.0.0.1".parse().unwrap();
    let public: IpAddr = "8.8.8.8".parse().unwrap();
    let calls = AtomicUsize::new(0);
    let rebinding = PublicOnly(Arc::new(move |_| {
        let ip = if calls.fetch_add(1, Ordering::SeqCst) == 0 { public } else { private };
        Ok(vec![SocketAddr::new(ip, 0)])
    }));
    assert_eq!(resolved(&rebinding).await, Ok(1), "public at first");
    assert_eq!(resolved(&rebinding).await, Err(Some(Forbidden::Private(private))), "private later");

    let mixed = PublicOnly(Arc::new(move |_| Ok(vec![SocketAddr::new(public, 0), SocketAddr::new(private, 0)])));
    assert_eq!(resolved(&mixed).await, Err(Some(Forbidden::Private(private))), "one bad address is enough");
}
