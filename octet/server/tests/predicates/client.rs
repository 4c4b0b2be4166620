//! The typed client against a running service, over a socket: what a backend writes, and what it gets.

use octet::{LatLon, Region};
use octet_client::{At, OctetClient, Outcome, ReasonCode, SessionRef};

use crate::common::{GERMAN, Service, bundle};
use crate::{proof, service};

async fn client(service: &Service) -> OctetClient {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let octet = service.octet.clone();
    tokio::spawn(async move { octet.serve(listener, std::future::pending()).await });
    OctetClient::builder().url(url).partner_key(service.partner_key.clone()).build().unwrap()
}

#[tokio::test]
async fn a_backend_asks_three_questions_about_a_browser_and_decides_on_result_and_score_together() {
    let service = service().await;
    service.forward(bundle("s1", GERMAN)).await;
    let octet = client(&service).await;
    let session: SessionRef = "s1".parse().unwrap();
    let berlin = LatLon::new(52.52, 13.4).unwrap();
    let sydney = LatLon::new(-33.9, 151.2).unwrap();

    let germany = octet.is_within(&session, Region::country("DE").unwrap(), At::Now).await.unwrap();
    assert!(germany.result == Outcome::Yes && germany.confidence.overall_score > 0.8, "{germany:?}");
    let america = octet.is_within(&session, Region::country("US").unwrap(), At::Now).await.unwrap();
    assert!(!(america.result == Outcome::Yes && america.confidence.overall_score > 0.8));
    assert_eq!(america.result, Outcome::No);
    let outside = octet.is_outside(&session, Region::country("US").unwrap(), At::Now).await.unwrap();
    assert_eq!(outside.result, Outcome::Yes);
    let near = octet.contains(&session, berlin, 3_000_000.0, service_now(&service)).unwrap().await.unwrap();
    assert_eq!(near.result, Outcome::Yes, "{near:?}");
    let far = octet.contains(&session, sydney, 100_000.0, At::Now).unwrap().await.unwrap();
    assert_eq!(far.result, Outcome::No);
    for verdict in [&germany, &america, &outside, &near, &far] {
        assert_eq!(proof(&service, verdict).await.observed_by, ["fra1".parse().unwrap()]);
    }

    // What cannot be answered is no error, and neither is it a no.
    let street = octet.contains(&session, berlin, 10.0, At::Now).unwrap().await.unwrap();
    assert_eq!((street.result, street.reason), (Outcome::Indeterminate, ReasonCode::NoProofAtResolution));
    let never: SessionRef = "never".parse().unwrap();
    let never = octet.is_within(&never, Region::eu(), At::Now).await.unwrap();
    assert_eq!((never.result, never.reason), (Outcome::Indeterminate, ReasonCode::SdkNotRunning));
    assert!(octet.contains(&session, berlin, -1.0, At::Now).is_err(), "no radius");
}

fn service_now(service: &Service) -> jiff::Timestamp {
    use octet_server::clock::Clock;

    service.clock.now()
}
