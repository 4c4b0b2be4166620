//! The sibling edges that a browser is to measure too, and what this edge tells Octet when it is the sibling. Names
//! channels; knows nothing of what siblings see.

use bytes::Bytes;
use http::Uri;
use octet::SessionRef;
use octet::observations::{EdgeObservations, MAX_SIBLINGS, SiblingObservations, Ticket};

use crate::channel::memory::Measured;
use crate::observation::text;

/// The URLs of the siblings' channels.
pub(crate) type Peers = Box<[Box<str>]>;

/// The text is no list of channels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPeers {
    #[error("{0:?} is no channel's URL; write wss://, host and path, such as wss://nyc.shop.example/octet/v1/ws")]
    NoChannel(String),
    #[error("there are at most {MAX_SIBLINGS} sibling edges")]
    TooMany,
}

/// Reads `EDGE_PEERS`.
pub(crate) fn parse(list: &str) -> Result<Peers, InvalidPeers> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let peers: Peers = entries
        .map(|entry| if is_channel(entry) { Ok(entry.into()) } else { Err(InvalidPeers::NoChannel(entry.to_owned())) })
        .collect::<Result<_, _>>()?;
    if peers.len() <= MAX_SIBLINGS { Ok(peers) } else { Err(InvalidPeers::TooMany) }
}

fn is_channel(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let scheme = matches!(uri.scheme_str(), Some("ws" | "wss"));
    let host =
        uri.authority().is_some_and(|authority| !authority.host().is_empty() && !authority.as_str().contains('@'));
    scheme && host && uri.path() != "/" && uri.query().is_none() && !text.contains('#') && text.len() <= 512
}

/// Whether the page opens the channel as that of a sibling, and posts its bundle to another edge.
pub(crate) fn is_sibling(query: Option<&str>) -> bool {
    query.unwrap_or_default().split('&').any(|pair| pair == "role=sibling")
}

/// What goes to Octet once a sibling's channel has ended.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) ticket: String,
    pub(crate) observations: EdgeObservations,
}

impl Report {
    /// The body for Octet, with what the channel has measured.
    pub(crate) fn body(self, session: &SessionRef, measured: Measured) -> Option<Bytes> {
        let Self { ticket, mut observations } = self;
        // Whether the bundle brings it is for Octet to see.
        observations.channel = measured.observation(Ticket::Missing);
        let body = SiblingObservations { session_ref: session.clone(), ticket: text(ticket.as_bytes()), observations };
        serde_json::to_vec(&body).ok().map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_urls_of_channels() {
        let list = " wss://nyc.shop.example/octet/v1/ws, ws://127.0.0.1:3001/v1/ws,";
        let peers = parse(list).unwrap();
        assert_eq!(*peers, ["wss://nyc.shop.example/octet/v1/ws".into(), "ws://127.0.0.1:3001/v1/ws".into()]);
        assert!(parse("").unwrap().is_empty());
        for bad in [
            "nyc.shop.example",
            "https://nyc.shop.example/octet/v1/ws",
            "wss://nyc.shop.example",
            "wss:///octet/v1/ws",
            "wss://user@nyc.shop.example/octet/v1/ws",
            "wss://nyc.shop.example/octet/v1/ws?ref=1",
            "wss://nyc.shop.example/octet/v1/ws#x",
            "wss://nyc shop.example/octet/v1/ws",
        ] {
            assert_eq!(parse(bad), Err(InvalidPeers::NoChannel(bad.to_owned())), "{bad}");
        }
        let many = ["wss://nyc.shop.example/octet/v1/ws"; MAX_SIBLINGS + 1].join(",");
        assert_eq!(parse(&many), Err(InvalidPeers::TooMany));
    }

    #[test]
    fn a_page_says_which_channels_are_siblings() {
        assert!(is_sibling(Some("ref=s&role=sibling")) && is_sibling(Some("role=sibling&ref=s")));
        assert!(!is_sibling(None) && !is_sibling(Some("ref=s&role=siblings")) && !is_sibling(Some("xrole=sibling")));
    }
}
