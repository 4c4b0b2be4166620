//! The built collector, as bytes: what an edge serves to browsers. Knows names, media types and digests of the
//! files, and nothing of what is in them. `cargo xtask collector` writes `dist/` and `manifest.rs`.
//!
//! ```
//! let script = octet_collector_assets::asset("octet-collector.js").expect("the classic script is built");
//! assert!(script.hashed_name.starts_with("octet-collector.") && script.hashed_name.ends_with(".js"));
//! assert!(script.integrity.starts_with("sha384-"));
//! ```

mod manifest;

/// One file of the collector, plain and precompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its name, such as `octet-collector.js`: stable, to be revalidated by `etag`.
    pub name: &'static str,
    /// Its name with the digest of its content, such as `octet-collector.0f1e2d3c4b5a6978.js`: cacheable for ever.
    pub hashed_name: &'static str,
    /// The value of `Content-Type`.
    pub media_type: &'static str,
    /// The value of `ETag`, quotes included.
    pub etag: &'static str,
    /// The value of an `integrity` attribute: `sha384-` and base64.
    pub integrity: &'static str,
    /// The content.
    pub plain: &'static [u8],
    /// The content for `Content-Encoding: br`.
    pub brotli: &'static [u8],
    /// The content for `Content-Encoding: gzip`.
    pub gzip: &'static [u8],
}

/// The base name of all files: a host that serves them under another replaces this prefix, and the loader finds the
/// others by its own.
pub const BASE_NAME: &str = "octet-collector";

/// Every file of the collector.
#[must_use]
pub const fn assets() -> &'static [Asset] {
    manifest::ASSETS
}

/// The file of that plain name.
#[must_use]
pub fn asset(name: &str) -> Option<&'static Asset> {
    assets().iter().find(|asset| asset.name == name)
}
