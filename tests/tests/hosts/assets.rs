//! The collector's files as a browser loads them.

use http::{Request, StatusCode};
use octet_collector_assets::{Asset, assets};

use crate::shop::Host;
use crate::support::{Shop, header_of};

fn script() -> &'static Asset {
    assets().iter().find(|asset| asset.name == "octet-collector.js").unwrap()
}

pub(crate) async fn every_file_is_served_in_every_encoding_under_both_names(host: Host) {
    let shop = Shop::open(host).await;
    for asset in assets() {
        for (accepts, encoding, content) in
            [("br, gzip", "br", asset.brotli), ("gzip", "gzip", asset.gzip), ("identity", "", asset.plain)]
        {
            for (name, cache) in [(asset.hashed_name, "public, max-age=31536000, immutable"), (asset.name, "no-cache")]
            {
                let request = Request::get(format!("/octet/{name}")).header("accept-encoding", accepts);
                let response = shop.send(request).await;
                assert_eq!(response.status(), StatusCode::OK, "{name}");
                assert_eq!(response.body(), content);
                let headers = response.headers();
                assert_eq!(header_of(headers, "content-encoding"), encoding);
                assert_eq!(header_of(headers, "content-type"), asset.media_type);
                assert_eq!(header_of(headers, "cache-control"), cache);
                assert_eq!(header_of(headers, "vary"), "accept-encoding");
                assert_eq!(header_of(headers, "x-content-type-options"), "nosniff");
                assert_eq!(header_of(headers, "cross-origin-resource-policy"), "same-origin");
            }
        }
    }
}

pub(crate) async fn a_file_that_the_browser_holds_is_not_sent_again(host: Host) {
    let shop = Shop::open(host).await;
    let path = format!("/octet/{}", script().name);
    let first = shop.send(Request::get(&path).header("accept-encoding", "br")).await;
    let etag = header_of(first.headers(), "etag");
    let again = Request::get(&path).header("accept-encoding", "br").header("if-none-match", etag);
    let again = shop.send(again).await;
    assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(header_of(again.headers(), "etag"), header_of(first.headers(), "etag"));
    let other = Request::get(&path).header("accept-encoding", "br").header("if-none-match", "\"older\"");
    assert_eq!(shop.send(other).await.body(), script().brotli);
}

pub(crate) async fn a_head_has_the_length_and_no_body(host: Host) {
    let shop = Shop::open(host).await;
    let path = format!("/octet/{}", script().hashed_name);
    let response = shop.send(Request::head(&path)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header_of(response.headers(), "content-length"), script().plain.len().to_string());
    let health = shop.send(Request::head("/octet/healthz")).await;
    assert_eq!((health.status(), header_of(health.headers(), "content-length")), (StatusCode::OK, "15"));
}

pub(crate) async fn pages_of_configured_origins_may_load_the_files(host: Host) {
    let shop = Shop::with(host, &[("ALLOWED_ORIGIN", "https://shop.example")]).await;
    let path = format!("/octet/{}", script().hashed_name);
    let response = shop.send(Request::get(&path).header("origin", "https://shop.example")).await;
    assert_eq!(header_of(response.headers(), "access-control-allow-origin"), "https://shop.example");
    assert_eq!(header_of(response.headers(), "cross-origin-resource-policy"), "cross-origin");
    assert_eq!(header_of(response.headers(), "vary"), "accept-encoding, origin");
    let foreign = shop.send(Request::get(&path).header("origin", "https://evil.example")).await;
    assert_eq!(header_of(foreign.headers(), "access-control-allow-origin"), "");
}
