//! A partner in the lab: the service at one host, edges with TLS at others, each under its own licence, and a record of
//! what they told the service.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use clap::Parser;
use octet_client::OctetClient;
use octet_server::{Config, Octet};
use octet_tower::{Listener, OctetEdgeLayer, Tls};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::network::{Host, Line, Network};
use crate::siblings::{license, page};
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
    /// `octet-edge` stands there, and otherwise a shop with the layer.
    pub is_program: bool,
}

impl Place {
    /// The name of its host.
    #[must_use]
    pub fn host_name(&self) -> String {
        host_name(self.name)
    }
}

pub(super) fn host_name(edge: &str) -> String {
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
        let origins: Vec<_> = places.iter().map(|place| format!("https://{}", place.host_name())).collect();
        let mut edges = Vec::new();
        for place in places {
            let edge = network.host(place.address)?;
            network.join(&edge, &host, Line::of_ms(2));
            let license = license(&service, place.name, place.position).await;
            let files = ["chain.pem", "key.pem"].map(|name| certificate.path().join(name));
            let set = [
                ("octet-url", format!("http://{SERVICE}")),
                ("license", license.expose().to_owned()),
                ("edge-id", place.name.to_owned()),
                ("edge-location", place.position.to_owned()),
                ("edge-peers", peers(place)),
                ("allowed-origin", origins.join(",")),
            ];
            if place.is_program {
                edge.start(move || program(set, files));
            } else {
                edge.start(move || shop(set, files));
            }
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

type Settings = [(&'static str, String); 6];

fn peers(place: &Place) -> String {
    let url = |peer: &&str| format!("wss://{}/octet/v1/ws", host_name(peer));
    place.peers.iter().map(url).collect::<Vec<_>>().join(",")
}

/// An edge around a shop's page, made where it runs: what it asks of the service goes over its own network.
async fn shop(set: Settings, [chain, key]: [PathBuf; 2]) {
    let variable = |name: &str| name.to_ascii_uppercase().replace('-', "_");
    let find = |name| set.iter().find(|(flag, _)| variable(flag) == name).map(|(_, value)| value.clone());
    let edge = OctetEdgeLayer::builder().from_lookup(find).build().unwrap();
    let shop = page(edge).into_make_service_with_connect_info::<octet_tower::Connection>();
    let tls = Tls::from_files(chain, key).unwrap();
    let listener = Listener::bind(("0.0.0.0", HTTPS)).await.unwrap().tls(tls);
    axum::serve(listener, shop).await.unwrap();
}

/// `octet-edge` on its own.
async fn program(set: Settings, [chain, key]: [PathBuf; 2]) {
    let files = [("edge-tls-cert-file", chain), ("edge-tls-key-file", key)];
    let files = files.map(|(name, path)| format!("--{name}={}", path.display()));
    let flags = set.iter().map(|(name, value)| format!("--{name}={value}")).chain(files);
    let listens = ["octet-edge", "--bind=0.0.0.0", "--port=443", "--workers=1"].map(str::to_owned);
    let options = octet_edge::Options::parse_from(listens.into_iter().chain(flags));
    octet_edge::Edge::bind(&options).unwrap().run(CancellationToken::new()).await.unwrap();
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
