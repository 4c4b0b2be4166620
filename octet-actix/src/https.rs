//! HTTPS for an application as a service of actix-server, whose connections tell the edge how they were opened. Moves
//! bytes; must never log or print a key.

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_factory, fn_service, map_config,
};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Extensions};
use actix_web::rt::net::TcpStream;
use octet_tower::{Stream, Tls};

use crate::Unavailable;
use crate::edge::AROUND_APP;

/// What `actix_web::HttpServer` grants a connection that ends.
const DISCONNECT: Duration = Duration::from_secs(1);

/// Serves an application over HTTPS (HTTP/1.1, and HTTP/2 where `tls` offers it), and lets the edge see each
/// connection: the browser's ClientHello, and the kernel's view.
///
/// actix-web's own `bind_rustls` shows a connection after its handshake only. So this takes its place; what else is to be
/// set, such as the number of workers, is set on `server`. A handshake that does not end within ten seconds ends its
/// connection, and holds up no other.
///
/// ```no_run
/// use std::net::TcpListener;
///
/// use actix_web::App;
/// use actix_web::dev::Server;
/// use octet_actix::{OctetEdge, Tls, listen_https};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let edge = OctetEdge::from_env()?;
/// let tls = Tls::from_files("chain.pem", "key.pem")?.with_http2();
/// let listener = TcpListener::bind("[::]:443")?;
/// listen_https(Server::build().workers(4), listener, tls, move || App::new().wrap(edge.clone()))?.run().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// When the listener cannot be used. An application without [`OctetEdge`](crate::OctetEdge) around it does not start: the
/// server ends with an error, and the log says what to add.
pub fn listen_https<F, I, S, B>(
    server: ServerBuilder,
    listener: TcpListener,
    tls: Tls,
    app: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> I + Clone + Send + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let stop = server.graceful_shutdown_signal();
    // The only way to tell an application that it is served over TLS, so that its own URLs say so: actix-test goes it too.
    let config = AppConfig::__priv_test_new(true, address.to_string(), address);
    server.listen(format!("https://{address}"), listener, move || {
        let (config, stop, tls) = (config.clone(), stop.clone(), tls.clone());
        let app = app().into_factory().map_err(|error| error.into().error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .client_disconnect_timeout(DISCONNECT)
            .on_connect_ext(|stream: &Stream, data: &mut Extensions| {
                data.insert(stream.connection().clone());
            })
            .finish(with_edge(map_config(app, move |()| config.clone())));
        fn_service(move |tcp: TcpStream| {
            let tls = tls.clone();
            async move {
                let stream = tls.open(tcp).await.map_err(DispatchError::Io)?;
                let protocol = if stream.is_http2() { Protocol::Http2 } else { Protocol::Http1 };
                let peer = stream.connection().peer_addr();
                Ok((stream, protocol, Some(peer)))
            }
        })
        .and_then(http)
    })
}

/// The application, if an edge is put around it: else it does not start, and the log says why.
fn with_edge<S>(
    app: S,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = S::Response,
    Error = S::Error,
    Service = S::Service,
    InitError = String,
    Future: 'static,
>
where
    S: ServiceFactory<Request, Config = ()> + 'static,
    S::InitError: fmt::Debug,
{
    let app = Rc::new(app);
    fn_factory(move || {
        let app = Rc::clone(&app);
        async move {
            AROUND_APP.set(false);
            let made = app.new_service(()).await.map_err(|error| format!("{error:?}"))?;
            AROUND_APP.get().then_some(made).ok_or_else(|| Unavailable::NoEdge.to_string())
        }
    })
}
