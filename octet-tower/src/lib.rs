//! Octet's edge as a tower layer.
//!
//! ```text
//! // the layer: Clone + Send + Sync + 'static, for any http 1.x service (axum's Router first)
//! OctetEdgeLayer::from_env() -> Result<OctetEdgeLayer, ConfigError>      // OCTET_URL, LICENSE, ALLOWED_ORIGIN, …
//! OctetEdgeLayer::builder() -> Builder                                    // below
//! OctetEdgeLayer::over(service) -> OctetEdgeLayer                         // Octet in this process: a tower service
//!                                                                         // (bounds of octet_transport::Transport::over)
//! // the builder: text in, checked by build(); the error names the variable
//! Builder: from_env() · from_lookup(|name| Option<String>) · octet_url(s) · license(s) · transport(Transport)
//!     · prefix(s) · allowed_origin(s) · trusted_proxies(s) · forwarded_header(s) · edge_id(s) · edge_location(s)
//!     · ca_file(path) · client_certificate_files(cert, key)
//!     · require_signed_refs(bool) · session_lifetime(Duration) · rate_limit(RateLimit) · forward_timeout(Duration)
//!     · max_in_flight(usize) · build() -> Result<OctetEdgeLayer, ConfigError>
//!
//! // feature `axum`
//! octet_tower::Listener::bind(addr).await? -> Listener                    // axum::serve::Listener, TCP_NODELAY
//! listener.local_addr() -> io::Result<SocketAddr>
//! octet_tower::Connection                                                 // into_make_service_with_connect_info::<_>()
//! octet_tower::axum::OctetSession                                         // extractor: mints the session reference
//!     .session_ref() -> &SessionRef · AsRef<SessionRef> · Display
//!     .script_tag() -> ScriptTag (Display, .nonce("…")) · .hidden_input() -> HiddenInput (Display, name=octet)
//! octet_tower::axum::VisitorIp(pub IpAddr)                                // extractor: the trusted-proxy walk
//! ```
