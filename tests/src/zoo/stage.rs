//! Where the zoo's visits happen: a service with an app, and a shop behind a real edge whose page asks for a bot
//! verdict. Keeps what each visit's page said, and what the edge forwarded.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Request, header};
use octet::data::{Data, Visit};
use octet::{AppKey, AppSecret, SessionRef};
use octet_server::{AppSettings, Config, NewLicense, Octet};
use octet_tower::OctetEdgeLayer;
use octet_tower::axum::OctetSession;
use octet_transport::{Limits, TlsOptions, Transport};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::stack;

/// How far a visit has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    #[default]
    Expected,
    Served,
    /// The page's script runs.
    Here,
    /// The page has its verdict.
    Done,
}

/// What is known of one visit.
#[derive(Debug, Default)]
struct Seen {
    session: Option<SessionRef>,
    botd: Option<String>,
    step: watch::Sender<Step>,
}

type Visits = Arc<Mutex<HashMap<String, Seen>>>;

pub(super) struct Stage {
    shop: SocketAddr,
    octet: Transport,
    _service: Octet,
    app: AppKey,
    secret: AppSecret,
    visits: Visits,
    bundles: Arc<Mutex<Vec<Value>>>,
    stop: CancellationToken,
    certificates: Certificates,
}

/// An authority of our own, and the shop's certificate that it signed.
struct Certificates(TempDir);

impl Certificates {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let shop = params.signed_by(&key, &authority).unwrap();
        let certificates = Self(TempDir::new().unwrap());
        let files = [("authority.pem", authority.pem()), ("shop.pem", shop.pem()), ("shop.key", key.serialize_pem())];
        for (name, text) in files {
            std::fs::write(certificates.file(name), text).unwrap();
        }
        certificates
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

#[derive(Clone)]
struct Shop {
    visits: Visits,
    app: AppKey,
    botd: Arc<str>,
}

impl Stage {
    /// A world on loopback. `botd` is the other detector's module.
    pub(super) async fn set(botd: &str) -> Self {
        let service = Octet::open(Config::in_memory()).await.unwrap();
        service.partners().add("shop").await.unwrap();
        let license = service.licenses().issue(NewLicense::browser("shop")).await.unwrap();
        let app = service.apps().add("shop", "zoo", AppSettings::default()).await.unwrap();
        let stop = CancellationToken::new();
        let bundles = Arc::default();
        let recorded = stack::recorded(service.router(), &["/v1/assess", "/v1/pages"], Arc::clone(&bundles));
        let octet = format!("http://{}", stack::serve(recorded, stop.clone()).await);

        let visits = Visits::default();
        let edge = OctetEdgeLayer::builder().octet_url(&octet).license(license.key.expose()).build().unwrap();
        let shop = Shop { visits: Arc::clone(&visits), app: app.key.clone(), botd: botd.into() };
        let shop = Router::new()
            .route("/", get(page))
            .route("/zoo.js", get(|| async { script(include_str!("page.js").to_owned()) }))
            .route("/botd.js", get(|State(shop): State<Shop>| async move { script(shop.botd.to_string()) }))
            .route("/here", post(|state, of| told(state, of, Step::Here, String::new())))
            .route("/botd", post(|state, of, body| told(state, of, Step::Here, body)))
            .route("/done", post(|state, of| told(state, of, Step::Done, String::new())))
            .with_state(shop)
            .layer(edge);
        let certificates = Certificates::new();
        let tls = octet_tower::Tls::from_files(certificates.file("shop.pem"), certificates.file("shop.key")).unwrap();
        let listener = octet_tower::Listener::bind("127.0.0.1:0").await.unwrap().tls(tls.with_http2());
        let address = listener.local_addr().unwrap();
        let shop = shop.into_make_service_with_connect_info::<octet_tower::Connection>();
        tokio::spawn(async move { axum::serve(listener, shop).await });
        let octet = Transport::connect(&octet, &TlsOptions::default()).unwrap();
        Self {
            shop: address,
            octet,
            _service: service,
            app: app.key,
            secret: app.secret,
            visits,
            bundles,
            stop,
            certificates,
        }
    }

    /// The certificate of the authority that the shop's browsers must believe.
    pub(super) fn authority(&self) -> PathBuf {
        self.certificates.file("authority.pem")
    }

    /// Expects a visit of this name, or its page once more; returns its address and how far it comes.
    pub(super) fn expect(&self, visit: &str) -> (String, watch::Receiver<Step>) {
        let mut visits = lock(&self.visits);
        let seen = visits.entry(visit.to_owned()).or_default();
        seen.step.send_replace(Step::Expected);
        (format!("https://localhost:{}/?v={visit}", self.shop.port()), seen.step.subscribe())
    }

    /// What the other detector said.
    pub(super) fn botd(&self, visit: &str) -> Option<String> {
        lock(&self.visits).get(visit)?.botd.clone()
    }

    /// What the Data API holds of the visit within `patience`, as a fraud team reads it.
    pub(super) async fn verdict(&self, visit: &str, patience: Duration) -> Option<Visit> {
        let session = lock(&self.visits).get(visit)?.session.clone()?;
        let started = tokio::time::Instant::now();
        while started.elapsed() < patience {
            let request = Request::get(format!("/v1/bot/verdict?cid={}", session.as_str()))
                .header("x-app-key", self.app.as_str())
                .header("x-app-secret", self.secret.expose())
                .body(Bytes::new())
                .unwrap();
            let answer = self.octet.send(request, Limits::default()).await.unwrap();
            if let Ok(Data { data, .. }) = serde_json::from_slice::<Data<Visit>>(answer.body()) {
                return Some(data);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        None
    }

    /// What the edge forwarded of the visit last.
    pub(super) fn bundle(&self, visit: &str) -> Option<Value> {
        let session = lock(&self.visits).get(visit)?.session.clone()?;
        let of_visit = |bundle: &&Value| {
            let session_ref =
                if bundle["assess"].is_null() { &bundle["sessionRef"] } else { &bundle["assess"]["sessionRef"] };
            session_ref.as_str() == Some(session.as_str())
        };
        lock(&self.bundles).iter().rfind(of_visit).cloned()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[derive(Deserialize)]
struct Of {
    v: String,
}

async fn page(State(shop): State<Shop>, Query(of): Query<Of>, session: OctetSession) -> impl IntoResponse {
    let id = session.session_ref().as_str();
    let mut visits = lock(&shop.visits);
    let Some(seen) = visits.get_mut(&of.v) else { return Html(String::new()) };
    seen.session = id.parse().ok();
    seen.step.send_replace(Step::Served);
    Html(format!(
        "<!doctype html><html lang=en><title>zoo</title><main data-visit=\"{}\" data-app=\"{}\" data-ref=\"{id}\">
         <a href=\"#one\">one</a> <a href=\"#two\">two</a> <input name=word>
         <button type=button style=\"position:fixed;left:300px;top:200px;width:500px;height:280px\">Go</button></main>
         <script type=module src=\"/zoo.js\"></script>",
        of.v,
        shop.app.as_str()
    ))
}

async fn told(State(shop): State<Shop>, Query(of): Query<Of>, step: Step, body: String) {
    if let Some(seen) = lock(&shop.visits).get_mut(&of.v) {
        if !body.is_empty() {
            seen.botd = Some(body);
        }
        seen.step.send_if_modified(|now| std::mem::replace(now, step.max(*now)) < step);
    }
}

fn script(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], text)
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
