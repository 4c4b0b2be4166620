//! PROXY protocol, versions 1 and 2 (haproxy.org/download/3.2/doc/proxy-protocol.txt): what a TCP load balancer says of
//! the connection that it forwards. Only to be asked of peers that are trusted; reads no byte behind its header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How many bytes a header may have; additional fields of version 2 among them.
pub const MAX_HEADER: usize = 4096;

const V2: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_HEAD: usize = 16;
const V1: &[u8] = b"PROXY ";
/// The longest header of version 1, as the specification counts it.
const MAX_V1: usize = 107;

/// What a connection begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Something else: the connection is the peer's own.
    Other,
    /// Too little to tell.
    Incomplete,
    /// A header of so many bytes.
    Header {
        /// Its length; what follows is the connection itself.
        length: usize,
        /// The other end of the forwarded connection; `None` where the peer speaks for itself, or cannot tell.
        source: Option<SocketAddr>,
    },
}

/// The header begins as one and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection begins with a malformed PROXY protocol header")]
pub struct Malformed;

/// Reads what a connection begins with.
///
/// ```
/// use octet_relay::proxy_protocol::{Start, parse};
///
/// let bytes = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\nGET / HTTP/1.1\r\n";
/// let Ok(Start::Header { length, source }) = parse(bytes) else { panic!("a header") };
/// assert_eq!(source, Some("192.0.2.7:4711".parse().unwrap()));
/// assert!(bytes[length..].starts_with(b"GET"));
/// ```
///
/// # Errors
///
/// When it begins as a header and is none, or is longer than [`MAX_HEADER`].
pub fn parse(bytes: &[u8]) -> Result<Start, Malformed> {
    let begins = |with: &[u8]| bytes.iter().zip(with).all(|(found, expected)| found == expected);
    if begins(V2) {
        if bytes.len() < V2_HEAD { Ok(Start::Incomplete) } else { version_2(bytes) }
    } else if begins(V1) {
        if bytes.len() < V1.len() { Ok(Start::Incomplete) } else { version_1(bytes) }
    } else {
        Ok(Start::Other)
    }
}

fn version_1(bytes: &[u8]) -> Result<Start, Malformed> {
    let line = &bytes[..bytes.len().min(MAX_V1)];
    let Some(end) = line.windows(2).position(|pair| pair == b"\r\n") else {
        return if line.len() < MAX_V1 { Ok(Start::Incomplete) } else { Err(Malformed) };
    };
    let text = std::str::from_utf8(&line[V1.len()..end]).map_err(|_| Malformed)?;
    let header = |source| Ok(Start::Header { length: end + 2, source });
    let mut words = text.split(' ');
    let family = words.next().ok_or(Malformed)?;
    if family == "UNKNOWN" {
        return header(None);
    }
    let [Some(source), Some(_), Some(port), Some(_), None] = [(); 5].map(|()| words.next()) else {
        return Err(Malformed);
    };
    let ip = match family {
        "TCP4" => IpAddr::V4(source.parse().map_err(|_| Malformed)?),
        "TCP6" => IpAddr::V6(source.parse().map_err(|_| Malformed)?),
        _ => return Err(Malformed),
    };
    header(Some(SocketAddr::new(ip, port.parse().map_err(|_| Malformed)?)))
}

fn version_2(bytes: &[u8]) -> Result<Start, Malformed> {
    let (command, family) = (bytes[12], bytes[13]);
    let length = V2_HEAD + usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    if length > MAX_HEADER || command >> 4 != 2 {
        return Err(Malformed);
    }
    let Some(body) = bytes.get(V2_HEAD..length) else { return Ok(Start::Incomplete) };
    let source = match command & 0x0f {
        // LOCAL: the peer's own connection, such as a health check.
        0 => None,
        1 => source(family >> 4, body)?,
        _ => return Err(Malformed),
    };
    Ok(Start::Header { length, source })
}

fn source(family: u8, body: &[u8]) -> Result<Option<SocketAddr>, Malformed> {
    // Source and destination, then their ports.
    let found = match family {
        1 => body.first_chunk().map(|[a, b, c, d, _, _, _, _, high, low, _, _]: &[u8; 12]| {
            (IpAddr::V4(Ipv4Addr::new(*a, *b, *c, *d)), [*high, *low])
        }),
        2 => body
            .first_chunk::<36>()
            .and_then(|body| Some((IpAddr::V6(Ipv6Addr::from(*body.first_chunk::<16>()?)), [body[32], body[33]]))),
        // A Unix socket, or a family that is not told.
        _ => return Ok(None),
    };
    found.map(|(ip, port)| Some(SocketAddr::new(ip, u16::from_be_bytes(port)))).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&V2[..], &[command, family, length[0], length[1]], body].concat()
    }

    fn source_of(bytes: &[u8]) -> Result<Option<String>, Malformed> {
        match parse(bytes)? {
            Start::Header { length, source } => {
                assert_eq!(length, bytes.len());
                Ok(source.map(|source| source.to_string()))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_versions_name_the_source() {
        for (header, source) in [
            (&b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"[..], "192.0.2.7:4711"),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n", "[2001:db8::7]:4711"),
        ] {
            assert_eq!(source_of(header), Ok(Some(source.to_owned())));
        }
        let v4 = [192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x67, 1, 187];
        assert_eq!(source_of(&v2(0x21, 0x11, &v4)), Ok(Some("192.0.2.7:4711".into())));
        // With an additional field behind the addresses.
        assert_eq!(source_of(&v2(0x21, 0x11, &[&v4[..], &[4, 0, 1, 0]].concat())), Ok(Some("192.0.2.7:4711".into())));
        let v6 =
            [&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7][..], &[0; 16], &[0x12, 0x67, 1, 187]].concat();
        assert_eq!(source_of(&v2(0x21, 0x21, &v6)), Ok(Some("[2001:db8::7]:4711".into())));
    }

    #[test]
    fn a_peer_that_speaks_for_itself_names_none() {
        assert_eq!(source_of(b"PROXY UNKNOWN\r\n"), Ok(None));
        assert_eq!(source_of(b"PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n"), Ok(None));
        assert_eq!(source_of(&v2(0x20, 0, b"")), Ok(None));
        assert_eq!(source_of(&v2(0x21, 0x31, &[0; 216])), Ok(None));
    }

    #[test]
    fn what_begins_as_a_header_and_is_none_is_refused() {
        for bad in [
            &b"PROXY \r\n"[..],
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443 x\r\n",
            b"PROXY TCP4 2001:db8::7 198.51.100.1 4711 443\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 99999 443\r\n",
            b"PROXY UDP4 192.0.2.7 198.51.100.1 4711 443\r\n",
            &[b'P', b'R', b'O', b'X', b'Y', b' '].repeat(30),
            &v2(0x11, 0x11, &[0; 12]),
            &v2(0x22, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; 11]),
            &v2(0x21, 0x21, &[0; 35]),
            &v2(0x21, 0x11, &[0; MAX_HEADER])[..16],
        ] {
            assert_eq!(parse(bad), Err(Malformed), "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_header_is_the_connections_own() {
        for other in
            [&b"GET / HTTP/1.1\r\n"[..], b"PRI * HTTP/2.0\r\n", b"POST /", b"PROXYX", b"\x16\x03\x01", b"\r\n\r\nx"]
        {
            assert_eq!(parse(other), Ok(Start::Other), "{other:?}");
        }
        for part in [&b""[..], b"P", b"PR", b"PROXY", b"PROXY TCP4 1", b"\r\n\r\n", V2] {
            assert_eq!(parse(part), Ok(Start::Incomplete), "{part:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fail(start in 0_usize..3, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let bytes = [[&b""[..], V1, V2][start], &bytes[..]].concat();
            if let Ok(Start::Header { length, .. }) = parse(&bytes) {
                prop_assert!(length <= bytes.len());
            }
        }

        #[test]
        fn a_header_is_told_from_its_parts(cut in 0_usize..43) {
            let header = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n";
            prop_assert_eq!(parse(&header[..cut]), Ok(Start::Incomplete));
        }
    }
}
