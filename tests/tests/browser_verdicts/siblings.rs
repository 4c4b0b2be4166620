//! Three edges and one Chromium: the browser measures all of them, and the verdict has a region.

use std::time::Duration;

use octet::SessionRef;
use octet_client::Lookup;
use octet_geometry::Outline;
use octet_tests::browser::{self, Visitor};
use octet_tests::siblings::start;

use crate::GERMAN_ADDRESS;

#[tokio::test(flavor = "multi_thread")]
async fn three_edges_draw_a_region_that_holds_the_visitor() {
    let Some(browser) = browser::open(Visitor::BERLIN).await else { return };
    let ms = Duration::from_millis;
    let places = [("fra-1", "50.11,8.68", ms(5)), ("par-1", "48.86,2.35", ms(9)), ("waw-1", "52.23,21.01", ms(6))];
    let partner = start(&places, GERMAN_ADDRESS).await;
    browser.goto(format!("http://{}/", partner.edges[0])).await.unwrap();
    let session = browser.run("return document.querySelector('input').value").await;
    let session: SessionRef = session.as_str().unwrap().parse().unwrap();
    let lookup = partner.client.verdict(&session).wait(Duration::from_secs(10)).await.unwrap();
    let Lookup::Ready(verdict) = lookup else { panic!("no verdict came") };

    assert_eq!(partner.service.counts().siblings_joined, 2);
    assert!(verdict.country_in(["DE"]), "{verdict:?}");
    let region = verdict.feasible_region.expect("three edges draw a region");
    let vertices = region.vertices().iter().map(|vertex| (vertex.lat(), vertex.lon())).collect();
    let outline = Outline::from_unwrapped(vertices).expect("an outline");
    assert!(outline.contains("52.52,13.40".parse().unwrap()), "{:?}", outline.vertices());

    let contacted = browser.quit().await;
    let edges = partner.edges.iter().map(ToString::to_string).collect();
    assert_eq!(contacted, edges, "the browser contacts the partner's edges, and nobody else");
}
