//! A browser made by hand: opens the latency channel, echoes nonces and posts bundles as the collector does, or
//! as it never would.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use octet::SessionRef;
use octet::facts::FACTS;
use octet_transport::{Limits, TlsOptions, Transport};
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error as ChannelError, Message};

/// A visitor without a browser, at an address that the edge learns from its trusted proxy.
#[derive(Debug, Clone)]
pub struct HandMade {
    shop: SocketAddr,
    address: IpAddr,
    transport: Transport,
}

/// The user agent that a hand-made browser claims.
pub const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

impl HandMade {
    /// A visitor of the shop at `shop`.
    ///
    /// # Panics
    ///
    /// When `address` is no address.
    #[must_use]
    pub fn new(shop: SocketAddr, address: &str) -> Self {
        let transport = Transport::connect(&format!("http://{shop}"), &TlsOptions::default()).unwrap();
        Self { shop, address: address.parse().unwrap(), transport }
    }

    /// Opens the latency channel and echoes until the edge ends it; returns the ticket, or the status of a
    /// refusal.
    ///
    /// # Errors
    ///
    /// The status with which the edge refused the upgrade.
    ///
    /// # Panics
    ///
    /// When the channel breaks off or does not follow its protocol.
    pub async fn channel(&self, session: &SessionRef) -> Result<String, StatusCode> {
        let url = format!("ws://{}/octet/v1/ws?ref={}", self.shop, session.as_str());
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("origin", format!("http://{}", self.shop).parse().unwrap());
        headers.insert("x-forwarded-for", self.address.to_string().parse().unwrap());
        headers.insert("user-agent", USER_AGENT.parse().unwrap());
        let mut socket = match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => socket,
            Err(ChannelError::Http(response)) => return Err(response.status()),
            Err(error) => panic!("the channel could not be opened: {error}"),
        };
        let mut ticket = None;
        while let Some(message) = socket.next().await {
            match message.unwrap() {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    match message["type"].as_str() {
                        Some("hello") => ticket = message["ticket"].as_str().map(str::to_owned),
                        Some("end") => break,
                        other => panic!("an unknown message: {other:?}"),
                    }
                }
                Message::Binary(nonce) if nonce.first() == Some(&1) => {
                    let mut echo = nonce.to_vec();
                    echo[0] = 2;
                    socket.send(Message::Binary(echo.into())).await.unwrap();
                }
                _ => {}
            }
        }
        Ok(ticket.expect("the channel's first message brings a ticket"))
    }

    /// Posts `bundle` to the edge's `/v1/signals` and returns the status and the body.
    ///
    /// # Panics
    ///
    /// When the edge does not answer.
    pub async fn post(&self, bundle: impl Into<Bytes>) -> (StatusCode, Value) {
        let request = Request::post("/octet/v1/signals")
            .header("origin", format!("http://{}", self.shop))
            .header("content-type", "application/json")
            .header("user-agent", USER_AGENT)
            .header("accept-language", "de-DE,de;q=0.9")
            .header("x-forwarded-for", self.address.to_string())
            .body(bundle.into())
            .unwrap();
        let answer = self.transport.send(request, Limits::default()).await.unwrap();
        (answer.status(), serde_json::from_slice(answer.body()).unwrap_or(Value::Null))
    }

    /// The whole visit of an honest browser that is set to `zone` and `language`: channel, then bundle.
    ///
    /// # Panics
    ///
    /// When the edge refuses either.
    pub async fn visit(&self, session: &SessionRef, zone: &str, language: &str) -> Bytes {
        let ticket = self.channel(session).await.unwrap();
        let bundle = bundle(session, zone, language, Some(&ticket));
        let (status, body) = self.post(bundle.clone()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        bundle
    }
}

/// A bundle with every fact of the standard profile, each with its own id.
///
/// # Panics
///
/// Never with well-formed arguments.
#[must_use]
pub fn bundle(session: &SessionRef, zone: &str, language: &str, ticket: Option<&str>) -> Bytes {
    let golden = include_str!("../../octet/tests/golden/collector-signals.json");
    let mut bundle: Value = serde_json::from_str(golden).unwrap();
    bundle["id"] = json!(SessionRef::mint());
    bundle["sessionRef"] = json!(session);
    bundle["profile"] = json!("standard");
    bundle["channel"]["ticket"] = json!(ticket);
    bundle["siblings"] = json!([]);
    let offsets = match zone {
        "America/New_York" => [-300, -300, -240],
        _ => [60, 60, 120],
    };
    let facts = &mut bundle["facts"];
    facts["timeZone"] = json!(zone);
    facts["utcOffset"] = json!(offsets[0]);
    facts["languages"] = json!([language, language.split('-').next()]);
    facts["locale"] = json!(language);
    facts["utcOffsetJanuary"] = json!(offsets[1]);
    facts["utcOffsetJuly"] = json!(offsets[2]);
    let core = FACTS.iter().filter(|fact| fact.core).map(|fact| fact.name.wire());
    let context: Map<_, _> = core.map(|name| (name.to_owned(), facts[name].clone())).collect();
    bundle["worker"] = json!(context);
    bundle["frame"] = json!(context);
    bundle.to_string().into()
}
