//! A partner in the lab: the service at one host, edges with TLS at others, each under its own licence, and a record of
//! what they told the service.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use octet_client::OctetClient;
use octet_server::{Config, Octet};
use octet_tower::{Listener, Tls};
use serde_json::Value;
use tempfile::TempDir;

use super::network::{Host, Line, Network};
use crate::siblings::{licensed, page};
use crate::stack::recorded;

const HTTPS: u16 = 443;
const SERVICE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// Where an edge stands: its name, which is that of its host in `shop.test` too, its position, and its address.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its name.
    pub name: &'static str,
    /// `lat,lon`.
    pub position: &'static str,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its siblings, by name.
    pub peers: &'static [&'static str],
}

impl Place {
    /// The name of its host.
    #[must_use]
    pub fn host_name(&self) -> String {
        host_name(self.name)
    }
}

fn host_name(edge: &str) -> String {
    format!("{edge}.shop.test")
}

/// A running partner.
#[derive(Debug)]
pub struct Partner {
    /// The partner's client.
    pub client: OctetClient,
    /// The service itself.
    pub service: Octet,
    /// The edges' hosts, in the order of their places.
    pub edges: Vec<Host>,
    told: Arc<Mutex<Vec<Value>>>,
    _certificate: TempDir,
}

impl Partner {
    /// Starts the service and an edge at each of these places.
    ///
    /// # Errors
    ///
    /// Where the lab cannot be.
    ///
    /// # Panics
    ///
    /// When an edge does not start.
    pub async fn start(network: &Network, places: &[Place]) -> std::io::Result<Self> {
        let service = Octet::open(Config::in_memory()).await.unwrap();
        service.partners().add("shop").await.unwrap();
        let told = Arc::default();
        let host = network.host(SERVICE)?;
        serve(&host, recorded(service.router(), &["/v1/signals", "/v1/observations"], Arc::clone(&told)));

        let certificate = certificate(places);
        let mut edges = Vec::new();
        for place in places {
            let edge = network.host(place.address)?;
            network.join(&edge, &host, Line::of_ms(2));
            let peers: Vec<_> =
                place.peers.iter().map(|peer| format!("wss://{}/octet/v1/ws", host_name(peer))).collect();
            let origins: Vec<_> = places.iter().map(|place| format!("https://{}", place.host_name())).collect();
            let layer = licensed(&service, place.name, place.position).await;
            let layer = layer.octet_url(format!("http://{SERVICE}")).edge_peers(peers.join(","));
            let layer = layer.allowed_origin(origins.join(","));
            let tls = Tls::from_files(certificate.path().join("chain.pem"), certificate.path().join("key.pem"));
            let tls = tls.unwrap();
            // The edge is made where it runs: what it asks of the service goes over its own network.
            edge.start(move || async move {
                let shop = page(layer.build().unwrap());
                let shop = shop.into_make_service_with_connect_info::<octet_tower::Connection>();
                let listener = Listener::bind(("0.0.0.0", HTTPS)).await.unwrap().tls(tls);
                axum::serve(listener, shop).await
            });
            edges.push(edge);
        }
        let client = OctetClient::over(service.backend_transport("shop").unwrap());
        Ok(Self { client, service, edges, told, _certificate: certificate })
    }

    /// What the edges told the service since the last call.
    #[must_use]
    pub fn told(&self) -> Vec<Value> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn serve(host: &Host, router: Router) {
    host.start(|| async {
        let listener = tokio::net::TcpListener::bind(("0.0.0.0", 80)).await.unwrap();
        axum::serve(listener, router).await
    });
}

/// One certificate for all edges, which nobody has signed but itself.
fn certificate(places: &[Place]) -> TempDir {
    let names: Vec<_> = places.iter().map(Place::host_name).collect();
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("chain.pem"), cert.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
    folder
}
