//! The files that are checked in hold together: digests are theirs, compressed forms are theirs, and the loaders name
//! the module and the worker that stand beside them.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use octet_collector_assets::{Asset, BASE_NAME, asset, assets};
use ring::digest::{SHA256, SHA384, digest};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(asset: &Asset) -> String {
    hex(&digest(&SHA256, asset.plain).as_ref()[..8])
}

#[test]
fn all_files_are_there_under_the_base_name() {
    let names: Vec<_> = assets().iter().map(|asset| asset.name.strip_prefix(BASE_NAME).unwrap()).collect();
    assert_eq!(
        names,
        [
            ".js",
            ".mjs",
            ".wasm",
            ".worker.js",
            ".d.ts",
            ".assess.mjs",
            ".challenge.mjs",
            ".challenge.worker.js",
            ".challenge.wasm"
        ]
    );
    assert_eq!(asset("octet-collector.wasm").unwrap().media_type, "application/wasm");
    assert_eq!(asset("octet-collector"), None);
}

#[test]
fn names_tags_and_integrity_are_of_the_content() {
    for asset in assets() {
        let extension = asset.name.strip_prefix(BASE_NAME).unwrap();
        assert_eq!(asset.hashed_name, format!("{BASE_NAME}.{}{extension}", hash(asset)));
        assert_eq!(asset.etag, format!("\"{}\"", hash(asset)));
        assert_eq!(asset.integrity, format!("sha384-{}", STANDARD.encode(digest(&SHA384, asset.plain))));
    }
}

#[test]
fn compressed_forms_unpack_to_the_content() {
    for asset in assets() {
        let mut gzip = Vec::new();
        flate2::read::GzDecoder::new(asset.gzip).read_to_end(&mut gzip).unwrap();
        let mut brotli = Vec::new();
        brotli::Decompressor::new(asset.brotli, 4096).read_to_end(&mut brotli).unwrap();
        assert!(gzip == asset.plain && brotli == asset.plain, "{}", asset.name);
    }
}

#[test]
fn each_file_names_those_that_it_loads_by_their_digests() {
    let file = |extension: &str| asset(&format!("{BASE_NAME}{extension}")).unwrap();
    for (loader, parts) in [
        (".js", [".wasm", ".worker.js", ".assess.mjs"].as_slice()),
        (".mjs", &[".wasm", ".worker.js", ".assess.mjs"]),
        (".assess.mjs", &[".challenge.mjs"]),
        (".challenge.mjs", &[".challenge.worker.js"]),
        (".challenge.worker.js", &[".challenge.wasm"]),
    ] {
        let content = std::str::from_utf8(file(loader).plain).unwrap();
        for part in parts {
            let part = file(part);
            assert!(content.contains(&hash(part)), "{loader} does not name {}", part.name);
            let fetched = part.name.ends_with(".wasm");
            assert!(!fetched || content.contains(part.integrity), "{loader} does not check {}", part.name);
        }
    }
}

#[test]
fn browsers_download_no_word_about_what_a_fact_means() {
    for asset in assets().iter().filter(|asset| !asset.name.ends_with(".d.ts")) {
        let content = String::from_utf8_lossy(asset.plain);
        for fact in octet::facts::FACTS {
            assert!(!content.contains(fact.purpose), "{} tells a purpose", asset.name);
        }
    }
}

#[test]
fn no_path_of_the_machine_that_built_it_is_inside() {
    let home = std::env::var("HOME").ok().filter(|home| home.len() > 1);
    let root = env!("CARGO_MANIFEST_DIR").trim_end_matches("/collector/assets");
    for asset in assets() {
        let content = String::from_utf8_lossy(asset.plain);
        assert!(!content.contains(root) && home.as_ref().is_none_or(|home| !content.contains(home)), "{}", asset.name);
    }
}
