//! A partner with several edges on loopback, each under a licence of its own and as far from the visitor as a test
//! says: the first serves the page, and names the others.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use octet::LicenseKey;
use octet::license::LicensedEdge;
use octet_client::OctetClient;
use octet_server::{Config, NewLicense, Octet};
use octet_tower::OctetEdgeLayer;
use octet_tower::axum::OctetSession;
use octet_transport::Transport;

use crate::forwarder::{delay, forward};

/// A running partner.
#[derive(Debug)]
pub struct Partner {
    /// The service.
    pub service: Octet,
    /// The partner's client.
    pub client: OctetClient,
    /// Where a browser reaches each edge.
    pub edges: Vec<SocketAddr>,
}

/// An edge: its name, its position, and how long the way to the visitor takes.
pub type Place<'a> = (&'a str, &'a str, Duration);

/// Starts a partner whose visitors come from `address`.
///
/// # Panics
///
/// When loopback has no free ports.
pub async fn start(places: &[Place<'_>], address: &str) -> Partner {
    let service = Octet::open(Config::in_memory()).await.unwrap();
    service.partners().add("shop").await.unwrap();
    let (mut listeners, mut edges) = (Vec::new(), Vec::new());
    for &(_, _, one_way) in places {
        let listener = octet_tower::Listener::bind("127.0.0.1:0").await.unwrap();
        let near = forward(listener.local_addr().unwrap(), address.parse().unwrap()).await;
        edges.push(delay(near, one_way).await);
        listeners.push(listener);
    }
    let peers: Vec<_> = edges.iter().map(|edge| format!("ws://{edge}/octet/v1/ws")).collect();
    for (&(id, place, _), listener) in places.iter().zip(listeners) {
        let edge = OctetEdgeLayer::builder().license(license(&service, id, place).await.expose());
        let edge = edge.edge_id(id).edge_location(place).transport(Transport::over(service.clone()));
        let edge = edge.edge_peers(peers.join(",")).allowed_origin(format!("http://{}", edges[0]));
        let shop = page(edge.trusted_proxies("127.0.0.0/8").build().unwrap());
        let shop = shop.into_make_service_with_connect_info::<octet_tower::Connection>();
        tokio::spawn(async move { axum::serve(listener, shop).await });
    }
    let client = OctetClient::over(service.backend_transport("shop").unwrap());
    Partner { service, client, edges }
}

/// A licence for one edge alone.
pub(crate) async fn license(service: &Octet, id: &str, place: &str) -> LicenseKey {
    let licensed = LicensedEdge { id: id.parse().unwrap(), position: Some(place.parse().unwrap()) };
    service.licenses().issue(NewLicense::browser("shop").edges(vec![licensed])).await.unwrap().key
}

/// A shop of one page, which carries the collector's tag.
pub(crate) fn page(edge: OctetEdgeLayer) -> Router {
    let page = |session: OctetSession| async move {
        Html(format!("<!doctype html><title>shop</title>{}{}", session.hidden_input(), session.script_tag()))
    };
    Router::new().route("/", get(page)).layer(edge)
}
