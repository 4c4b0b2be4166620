//! What the fuzz targets look for holds for their committed corpus, and for each of its files cut in many places.

#[path = "../../fuzz/src/properties.rs"]
mod properties;

fn corpus(name: &str, cuts: usize, property: fn(&[u8])) {
    let folder = format!("{}/fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        (0..=cuts).for_each(|cut| property(&bytes[..bytes.len() * cut / cuts]));
        seeds += 1;
    }
    assert!(seeds > 4, "{name} has seeds");
}

#[test]
fn whatever_is_cut_from_what_an_iphone_said_it_vouches_for_its_key_or_for_none() {
    corpus("app_attest", 100, properties::app_attest);
}

#[test]
fn whatever_google_is_made_to_say_only_what_it_sealed_and_signed_is_believed() {
    corpus("play_integrity", 50, properties::play_integrity);
}

#[test]
fn any_request_at_any_route_is_answered_without_a_failure_of_ours() {
    corpus("route", 8, |bytes| drop(properties::route(bytes)));
    // The seeds are such that there is an answer.
    for (seed, answers) in [
        (&include_bytes!("../../fuzz/corpus/route/predicate")[..], &[202, 200, 200][..]),
        (include_bytes!("../../fuzz/corpus/route/assess-full"), &[200, 200, 200]),
        (include_bytes!("../../fuzz/corpus/route/observations"), &[202]),
        (include_bytes!("../../fuzz/corpus/route/pages"), &[202]),
    ] {
        let seen: Vec<_> = properties::route(seed).iter().map(|status| status.as_u16()).collect();
        assert_eq!(seen, answers, "{}", String::from_utf8_lossy(seed));
    }
}
