//! `healthcheck`: whether the server of this configuration lives, for containers without a shell.

use crate::config::Config;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);
/// Enough of an answer to see its status.
const HEAD_BYTES: u64 = 64;

/// Asks `/healthz` of this machine; exit code 1 where it does not live.
pub fn run(config: &Config) -> Result<u8, io::Error> {
    Ok(u8::from(!lives(&config.bind)?))
}

fn lives(bind: &str) -> io::Result<bool> {
    let unknown = || io::Error::new(io::ErrorKind::InvalidInput, format!("`{bind}` is no address"));
    let address = reachable(bind.to_socket_addrs()?.next().ok_or_else(unknown)?);
    let Ok(mut server) = TcpStream::connect_timeout(&address, PATIENCE) else { return Ok(false) };
    server.set_read_timeout(Some(PATIENCE))?;
    server.set_write_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    let asked = write!(server, "GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let told = asked.and_then(|()| server.take(HEAD_BYTES).read_to_end(&mut head));
    Ok(told.is_ok() && head.starts_with(b"HTTP/1.1 200 "))
}

/// Who listens on every address of the machine is reached on its own.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, bound.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            // What is left unread would reset the connection, and the answer with it.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut more = [0; 256];
                let read = client.read(&mut more).unwrap();
                assert_ne!(read, 0, "the request ended early");
                request.extend_from_slice(&more[..read]);
            }
            assert!(request.starts_with(b"GET /healthz "));
            client.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn only_a_200_is_life() {
        for (answer, alive) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", true),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
            ("SSH-2.0-OpenSSH\r\n", false),
            ("", false),
        ] {
            assert_eq!(lives(&answering(answer)).unwrap(), alive, "{answer:?}");
        }
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(!lives(&gone.to_string()).unwrap());
        assert!(lives("no address").is_err());
    }

    #[test]
    fn every_address_is_reached_on_this_machine() {
        for (bound, reached) in
            [("0.0.0.0:8080", "127.0.0.1:8080"), ("[::]:8080", "[::1]:8080"), ("192.0.2.7:80", "192.0.2.7:80")]
        {
            assert_eq!(reachable(bound.parse().unwrap()), reached.parse().unwrap(), "{bound}");
        }
    }
}
