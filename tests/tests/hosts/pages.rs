//! The extractors: what a partner's handler gets, and what the layer does to the page.

use http::{Request, StatusCode};
use tokio::io::AsyncReadExt;

use crate::shop::{Host, Setup};
use crate::support::{Shop, bundle, header_of};

pub(crate) async fn a_page_with_a_reference_is_not_stored_whatever_its_handler_says(host: Host) {
    let shop = Shop::open(host).await;
    let page = shop.get("/").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(header_of(page.headers(), "cache-control"), "no-store");
    let plain = shop.get("/plain").await;
    assert_eq!(header_of(plain.headers(), "cache-control"), "public");
}

pub(crate) async fn the_tag_of_a_page_leads_to_the_collector(host: Host) {
    let shop = Shop::open(host).await;
    let page = String::from_utf8(shop.get("/").await.into_body().to_vec()).unwrap();
    let part = |before: &str| page.split_once(before).and_then(|(_, rest)| rest.split_once('"')).unwrap().0.to_owned();
    assert_eq!(part("nonce=\""), "n");
    assert_eq!(part("data-octet-ref=\""), part("name=\"octet\" value=\""));
    assert_eq!(part("data-octet-api=\""), "/octet");
    let script = shop.get(&part("src=\"")).await;
    assert_eq!(script.status(), StatusCode::OK);
    let asset = octet_collector_assets::assets().iter().find(|asset| asset.integrity == part("integrity=\"")).unwrap();
    assert_eq!(script.body(), asset.plain);
}

pub(crate) async fn the_partners_profile_reaches_the_page_without_keeping_it_waiting(host: Host) {
    let shop = Shop::open(host).await;
    // The first page may come before Octet's settings; they are asked for in the background.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let page = shop.get("/").await;
        if String::from_utf8_lossy(page.body()).contains(r#"data-octet-profile="full""#) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "the profile never came");
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn the_visitors_address_is_the_connections_or_what_a_trusted_proxy_says(host: Host) {
    let shop = Shop::with(host, &[("TRUSTED_PROXIES", "127.0.0.1"), ("FORWARDED_HEADER", "Forwarded")]).await;
    assert_eq!(shop.get("/ip").await.body(), "127.0.0.1");
    let request =
        Request::get("/ip").header("forwarded", "for=\"[2001:db8::7]:99\"").header("x-forwarded-for", "6.6.6.6");
    assert_eq!(shop.send(request).await.body(), "2001:db8::7");
}

pub(crate) async fn a_host_that_was_not_set_up_works_and_says_what_it_does_not_know(host: Host) {
    let shop = Shop::set_up(host, Setup::new(&[]).untold()).await;
    assert_eq!(shop.get("/").await.status(), StatusCode::OK);
    // actix-web tells the address by itself.
    let knows_peer = host == Host::Actix;
    let refused = StatusCode::INTERNAL_SERVER_ERROR;
    assert_eq!(shop.get("/ip").await.status(), if knows_peer { StatusCode::OK } else { refused });
    assert_eq!(shop.post(bundle("s")).await.status(), StatusCode::ACCEPTED);
    let seen = shop.octet.observed();
    assert_eq!((seen.peer.is_some(), seen.tcp), (knows_peer, None));
}

pub(crate) async fn every_page_view_has_a_reference_of_its_own(host: Host) {
    let shop = Shop::open(host).await;
    assert_ne!(shop.get("/ref").await.body(), shop.get("/ref").await.body());
}

pub(crate) async fn the_tag_follows_the_prefix(host: Host) {
    let shop = Shop::with(host, &[("OCTET_PREFIX", "/shield/v2/")]).await;
    let page = String::from_utf8(shop.get("/").await.into_body().to_vec()).unwrap();
    assert!(page.contains(r#"src="/shield/v2/octet-collector."#) && page.contains(r#"data-octet-api="/shield/v2""#));
}

pub(crate) async fn a_page_that_panics_leaves_no_session_behind(host: Host) {
    let shop = Shop::open(host).await;
    let mut browser = shop.dial("GET /late-panic HTTP/1.1").await;
    let mut nothing = Vec::new();
    let _ = browser.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
    assert_eq!(header_of(shop.get("/plain").await.headers(), "cache-control"), "public");
}
