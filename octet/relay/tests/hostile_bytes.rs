//! What the fuzz targets look for holds for their committed corpus, and for each of its files cut anywhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "../fuzz/src/properties.rs"]
mod properties;

fn corpus(name: &str, property: fn(&[u8])) {
    let folder = format!("{}/fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        (0..=bytes.len()).for_each(|cut| property(&bytes[..cut]));
        seeds += 1;
    }
    assert!(seeds > 1, "{name} has seeds");
}

macro_rules! targets {
    ($($name:ident => $target:ident;)*) => {
        $(#[test] fn $name() { corpus(stringify!($target), properties::$target); })*
    };
}

targets! {
    any_clienthello_is_read_in_bounds => client_hello;
    any_http2_preface_is_read_in_bounds => preface;
    any_proxy_protocol_header_is_read_in_bounds => proxy_protocol;
    no_forwarding_header_hides_the_last_hop => forwarded;
    any_conversation_on_the_channel_ends => channel;
}
