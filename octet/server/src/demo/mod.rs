//! `octet demo`: the service and a partner's shop on this machine, each on a port of its own, so that the whole
//! way can be walked in a browser. Keeps nothing: its records are in memory.

mod landing;
mod map;
mod shop;

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use octet::{BotAction, PartnerKey, Profile};
use octet_client::OctetClient;
use octet_engine::World;
use octet_tower::OctetEdgeLayer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{AppSettings, Config, NewApp, NewLicense, Octet};

const PARTNER: &str = "shop";

/// What a demo is told. The edge's options are those of a partner's edge, and so are their variables.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Address on which both listen
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// Port of the shop, which the browser visits; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// Port of Octet, which only the shop's server reaches; 0 takes a free one
    #[arg(long, default_value_t = 7080)]
    pub octet_port: u16,
    /// What the shop's pages have collected: essential, standard or full
    #[arg(long, default_value_t)]
    pub profile: Profile,
    /// Where the shop's edge stands, as `lat,lon`; left out, its round trips say nothing of a place
    #[arg(long, env = "EDGE_LOCATION")]
    pub edge_location: Option<String>,
    /// Proxies whose forwarding header is believed, as CIDRs separated by commas
    #[arg(long, env = "TRUSTED_PROXIES")]
    pub trusted_proxies: Option<String>,
    /// The one header that they forward the visitor's address in; x-forwarded-for unless named
    #[arg(long, env = "FORWARDED_HEADER")]
    pub forwarded_header: Option<String>,
}

/// A running demo.
#[derive(Debug)]
pub struct Demo {
    shop: SocketAddr,
    octet: SocketAddr,
    partner_key: PartnerKey,
    app: NewApp,
    stop: CancellationToken,
    servers: tokio::task::JoinSet<io::Result<()>>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the demo until `stop` ends.
///
/// # Errors
///
/// When a port is taken, or an option of the edge cannot be used; the message says what to do.
pub async fn run(options: &Options, stop: impl Future<Output = ()>) -> Result<(), BoxError> {
    let demo = Demo::start(options).await?;
    println!("{}", demo.greeting());
    stop.await;
    demo.stop().await
}

impl Demo {
    /// Starts the service and the shop.
    ///
    /// # Errors
    ///
    /// When a port is taken, or an option of the edge cannot be used.
    pub async fn start(options: &Options) -> Result<Self, BoxError> {
        let octet = Octet::open(Config::in_memory()).await?;
        let partner_key = octet.partners().add(PARTNER).await?;
        octet.partners().set_profile(PARTNER, options.profile).await?;
        let settings = AppSettings { action: BotAction::Challenge, ..AppSettings::default() };
        let app = octet.apps().add(PARTNER, "landing", settings).await?;
        let license = octet.licenses().issue(NewLicense::browser(PARTNER)).await?;

        let octet_listener = listen(SocketAddr::new(options.bind, options.octet_port), "--octet-port").await?;
        let shop_listener = listen(SocketAddr::new(options.bind, options.port), "--port").await?;
        let (octet_address, shop_address) = (octet_listener.local_addr()?, shop_listener.local_addr()?);
        let octet_url = format!("http://{}", reachable(octet_address));

        let mut edge = OctetEdgeLayer::builder()
            .octet_url(&octet_url)
            .license(license.key.expose())
            .edge_id("demo")
            .require_signed_refs(true);
        let given = [
            (&options.edge_location, octet_tower::Builder::edge_location as fn(_, _) -> _),
            (&options.trusted_proxies, octet_tower::Builder::trusted_proxies),
            (&options.forwarded_header, octet_tower::Builder::forwarded_header),
        ];
        for (value, set) in given {
            if let Some(value) = value {
                edge = set(edge, value.clone());
            }
        }
        let client = OctetClient::builder().url(&octet_url).partner_key(partner_key.clone());
        let client = client.app(app.key.clone(), app.secret.clone()).build()?;
        let shop = shop::router(client, app.key.clone(), edge.build()?, World::embedded());

        let stop = CancellationToken::new();
        let mut servers = tokio::task::JoinSet::new();
        let stopped = stop.clone().cancelled_owned();
        servers.spawn(async move { octet.serve(octet_listener, stopped).await });
        servers.spawn(serve_shop(shop_listener, shop, stop.clone()));
        Ok(Self { shop: shop_address, octet: octet_address, partner_key, app, stop, servers })
    }

    /// Where the shop is: the origin that a browser visits.
    #[must_use]
    pub fn shop(&self) -> SocketAddr {
        reachable(self.shop)
    }

    /// Where Octet is: only the shop's server goes there.
    #[must_use]
    pub fn octet(&self) -> SocketAddr {
        reachable(self.octet)
    }

    /// The key with which the shop's backend asks for verdicts.
    #[must_use]
    pub fn partner_key(&self) -> &PartnerKey {
        &self.partner_key
    }

    /// The app of the shop's landing page, with its secret.
    #[must_use]
    pub fn app(&self) -> &NewApp {
        &self.app
    }

    /// Stops both, and waits until they have.
    ///
    /// # Errors
    ///
    /// When one of them had failed.
    pub async fn stop(mut self) -> Result<(), BoxError> {
        self.stop.cancel();
        while let Some(ended) = self.servers.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// What is printed at the start: where to go, and how to ask as the backend does.
    #[must_use]
    pub fn greeting(&self) -> String {
        format!(
            "\n  Open  http://{}/  in a browser: a shop that asks Octet where you are.\n\n  \
             Ask as the shop's backend does, with the reference from the page's source:\n    \
             URL=http://{} KEY={} REF=…\n    \
             curl -s \"$URL/v1/verdict/$REF?waitMs=2000\" -H \"x-octet-partner-key: $KEY\"\n\n  \
             Open  http://{}/landing?click_token=click-1  for a bot verdict, and see the day's figures:\n    \
             curl -s \"http://{}/v1/bot/stats?from=$(date -u +%F)&to=$(date -u +%F)\" \\\n      \
             -H \"x-app-key: {}\" -H \"x-app-secret: {}\"\n\n  \
             Ctrl-C stops both. Verdicts as the shop gets them:\n",
            self.shop(),
            self.octet(),
            self.partner_key.expose(),
            self.shop(),
            self.octet(),
            self.app.key,
            self.app.secret.expose()
        )
    }
}

async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener, BoxError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}; choose another port with {flag}").into())
}

/// The address under which a listener can be reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if !ip.is_unspecified() => address,
        _ => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port()),
    }
}

async fn serve_shop(listener: TcpListener, shop: Router, stop: CancellationToken) -> io::Result<()> {
    let listener = octet_tower::Listener::from(listener);
    let service = shop.into_make_service_with_connect_info::<octet_tower::Connection>();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
}
