//! A partner's world on loopback: the service, a shop with its edge, and a record of every bundle that the edge
//! forwarded. Real sockets between all of them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use octet::{BotAction, PartnerKey, Profile};
use octet_client::OctetClient;
use octet_server::{AppSettings, Config, NewLicense, Octet};
use octet_tower::OctetEdgeLayer;
use octet_tower::axum::OctetSession;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A running world.
#[derive(Debug)]
pub struct Stack {
    /// Where the shop is.
    pub shop: SocketAddr,
    /// Where Octet is.
    pub octet: SocketAddr,
    /// The service itself, for its records.
    pub service: Octet,
    /// The shop's key.
    pub key: PartnerKey,
    /// The shop's client.
    pub client: OctetClient,
    bundles: Arc<Mutex<Vec<Value>>>,
    assessments: Arc<Mutex<Vec<Value>>>,
    stop_octet: CancellationToken,
}

/// How a world differs from the usual one.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Where the edge stands; Frankfurt by default.
    pub edge_location: Option<&'static str>,
    /// What is collected.
    pub profile: Profile,
    /// Whether the shop has an app that flags, which its client asks for: the edge hears of it at its start.
    pub app: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { edge_location: Some("50.11,8.68"), profile: Profile::Standard, app: false }
    }
}

/// Starts a world. Its edge believes the forwarding header of loopback, and takes references that a test made up.
///
/// # Panics
///
/// When loopback has no free ports.
pub async fn start(setup: Setup) -> Stack {
    start_on(Config::in_memory(), setup).await
}

/// The same with a service of this configuration.
///
/// # Panics
///
/// When loopback has no free ports.
pub async fn start_on(config: Config, setup: Setup) -> Stack {
    let service = Octet::open(config).await.unwrap();
    let key = service.partners().add("shop").await.unwrap();
    service.partners().set_profile("shop", setup.profile).await.unwrap();
    let license = service.licenses().issue(NewLicense::browser("shop")).await.unwrap();

    let flags = AppSettings { action: BotAction::Flag, ..AppSettings::default() };
    let app = if setup.app { Some(service.apps().add("shop", "landing", flags).await.unwrap()) } else { None };
    let (bundles, assessments) = (Arc::default(), Arc::default());
    let stop_octet = CancellationToken::new();
    let octet = recorded(service.router(), &["/v1/signals"], Arc::clone(&bundles));
    let octet = serve(recorded(octet, &["/v1/assess"], Arc::clone(&assessments)), stop_octet.clone()).await;
    let octet_url = format!("http://{octet}");

    let mut edge = OctetEdgeLayer::builder()
        .octet_url(&octet_url)
        .license(license.key.expose())
        .trusted_proxies("127.0.0.0/8")
        .edge_id("fra-1");
    if let Some(place) = setup.edge_location {
        edge = edge.edge_location(place);
    }
    let shop = Router::new().route("/", get(page)).route("/bare", get(bare));
    let shop = edge.build().unwrap().layer(shop);
    let listener = octet_tower::Listener::bind("127.0.0.1:0").await.unwrap();
    let shop_address = listener.local_addr().unwrap();
    tokio::spawn(async move { octet_tower::axum::serve(listener, shop).await });

    let mut client = OctetClient::builder().url(&octet_url).partner_key(key.clone());
    if let Some(app) = app {
        client = client.app(app.key, app.secret);
    }
    let client = client.build().unwrap();
    Stack { shop: shop_address, octet, service, key, client, bundles, assessments, stop_octet }
}

impl Stack {
    /// Every bundle that the edge has forwarded so far.
    #[must_use]
    pub fn bundles(&self) -> Vec<Value> {
        self.bundles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every assessment that the edge has forwarded so far.
    #[must_use]
    pub fn assessments(&self) -> Vec<Value> {
        self.assessments.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the service, as an outage would: its port is closed.
    pub fn octet_goes_down(&self) {
        self.stop_octet.cancel();
    }
}

/// A page's Content-Security-Policy.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    csp: Option<String>,
}

/// A page that carries the collector's tag.
async fn page(session: OctetSession, Query(page): Query<Page>) -> impl IntoResponse {
    html(&page, &format!("<form>{}</form>{}", session.hidden_input(), session.script_tag()))
}

/// A page that loads the collector and calls nothing.
async fn bare(Query(page): Query<Page>) -> impl IntoResponse {
    html(&page, r#"<script src="/octet/octet-collector.js"></script>"#)
}

fn html(page: &Page, body: &str) -> impl IntoResponse + use<> {
    let policy = page.csp.clone().unwrap_or_else(|| "default-src 'self' 'wasm-unsafe-eval'".to_owned());
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(format!("<!doctype html><title>shop</title>{body}")))
}

/// `octet`, with a record of what comes to these paths.
pub(crate) fn recorded(octet: Router, paths: &'static [&'static str], bundles: Arc<Mutex<Vec<Value>>>) -> Router {
    octet.layer(axum::middleware::from_fn(move |request: Request<Body>, next: axum::middleware::Next| {
        let bundles = bundles.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            if paths.contains(&parts.uri.path())
                && let Ok(bundle) = serde_json::from_slice(&body)
            {
                bundles.lock().unwrap_or_else(PoisonError::into_inner).push(bundle);
            }
            next.run(Request::from_parts(parts, Body::from(Bytes::clone(&body)))).await
        }
    }))
}

pub(crate) async fn serve(router: Router, stop: CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await });
    address
}
