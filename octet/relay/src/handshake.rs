//! The server's side of the WebSocket handshake: over HTTP/1.1 (RFC 6455, section 4.2), and on a stream of HTTP/2 where
//! the host offers that (RFC 8441). Knows nothing of what is said after it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use octet::problem::Code;
use ring::digest;

use crate::{Answer, Observation};

/// How the handshake is answered.
#[derive(Debug)]
pub(crate) enum Accept {
    /// With this value of `Sec-WebSocket-Accept`: the connection switches protocols.
    Connection(String),
    /// The stream is the WebSocket, and the connection stays.
    Stream,
}

/// What a request for a WebSocket is answered with.
pub(crate) fn accept(seen: &Observation<'_>) -> Result<Accept, Answer> {
    let key = seen.header("sec-websocket-key").filter(|key| is_nonce(key));
    let asked = seen.can_upgrade && seen.header("sec-websocket-version") == Some(b"13");
    match (seen.http_version, seen.method, key) {
        // A `CONNECT` that names a path is one of RFC 8441.
        ("2", "CONNECT", _) if asked => Ok(Accept::Stream),
        ("1.1", "GET", Some(key))
            if asked && seen.has_token("connection", "upgrade") && seen.has_token("upgrade", "websocket") =>
        {
            Ok(Accept::Connection(accept_key(key)))
        }
        _ => Err(required()),
    }
}

/// The answer to a request that is no upgrade, or on a connection that cannot be upgraded.
pub(crate) fn required() -> Answer {
    Answer::problem(Code::UpgradeRequired, "open this path as a WebSocket, version 13, over HTTP/1.1")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
}

/// The answer that completes the handshake.
pub(crate) fn switch(accept: &Accept) -> Answer {
    match accept {
        Accept::Connection(accept) => Answer::new(101)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-accept", accept.clone()),
        Accept::Stream => Answer::new(200),
    }
}

fn accept_key(key: &[u8]) -> String {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key);
    context.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(context.finish())
}

/// Whether this is the base64 of 16 bytes.
fn is_nonce(key: &[u8]) -> bool {
    STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_answered_as_the_standard_says() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn anything_but_an_upgrade_is_told_what_is_missing() {
        let whole = [
            ("connection", &b"keep-alive, Upgrade"[..]),
            ("upgrade", b"WebSocket"),
            ("sec-websocket-version", b"13"),
            ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let request = |headers: &[(&'static str, &'static [u8])]| {
            let headers = headers.to_vec();
            let seen = Observation { method: "GET", http_version: "1.1", can_upgrade: true, ..Default::default() };
            accept(&Observation { headers, ..seen })
        };
        assert!(request(&whole).is_ok());
        let stuck = Observation { method: "GET", http_version: "1.1", headers: whole.to_vec(), ..Default::default() };
        assert!(accept(&stuck).is_err(), "a host that cannot");
        for missing in 0..whole.len() {
            let mut headers = whole.to_vec();
            headers.remove(missing);
            assert_eq!(request(&headers).unwrap_err().status, 426, "{missing}");
        }
        let mut short = whole;
        short[3].1 = b"c2hvcnQ=";
        assert!(request(&short).is_err());
    }

    #[test]
    fn a_stream_of_http2_becomes_a_websocket_where_the_host_offers_it() {
        let headers = vec![("sec-websocket-version", &b"13"[..])];
        let connect = Observation { method: "CONNECT", http_version: "2", headers, ..Default::default() };
        assert!(accept(&connect).is_err(), "a host that cannot");
        let connect = Observation { can_upgrade: true, ..connect };
        assert_eq!(accept(&connect).map(|accept| switch(&accept).status).unwrap(), 200);
        assert!(accept(&Observation { method: "GET", ..connect.clone() }).is_err());
        assert!(accept(&Observation { headers: Vec::new(), ..connect }).is_err(), "another protocol");
    }
}
