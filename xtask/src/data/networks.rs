//! Table `networks`: networks of clouds, of VPN providers and data centres, of delivery networks and of security
//! gateways, from MISP's warning lists.

use std::net::IpAddr;

use anyhow::{Context, Result};
use octet_engine::world::Span;
use octet_engine::world::networks::{self, Kind};
use serde::Deserialize;

use super::Inputs;

/// Which of the lists are read, and as what. Hosts of one service only (mail senders, scanners, resolvers) are left
/// out, since no browser runs there.
const LISTS: &[(&str, Kind)] = &[
    ("amazon-aws", Kind::Cloud),
    ("google-gcp", Kind::Cloud),
    ("microsoft-azure", Kind::Cloud),
    ("microsoft-azure-china", Kind::Cloud),
    ("microsoft-azure-germany", Kind::Cloud),
    ("microsoft-azure-us-gov", Kind::Cloud),
    ("ovh-cluster", Kind::Cloud),
    ("vpn-ipv4", Kind::HostingOrVpn),
    ("vpn-ipv6", Kind::HostingOrVpn),
    ("akamai", Kind::Delivery),
    ("cloudflare", Kind::Delivery),
    ("fastly", Kind::Delivery),
    ("stackpath", Kind::Delivery),
    ("zscaler", Kind::Gateway),
];

#[derive(Debug, Deserialize)]
struct List {
    list: Vec<String>,
}

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let package = inputs.package("pymispwarninglists")?;
    let mut spans = Vec::new();
    for &(name, kind) in LISTS {
        let path = format!("pymispwarninglists/data/misp-warninglists/lists/{name}/list.json");
        for text in package.json::<List>(&path)?.list {
            let span = network(&text).with_context(|| format!("{name} lists {text}, which is no network"))?;
            spans.push((span, kind));
        }
    }
    Ok(networks::encode_networks(spans)?)
}

fn network(text: &str) -> Option<Span> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    let address: IpAddr = address.trim().parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix = if prefix.is_empty() { whole } else { prefix.trim().parse().ok()? };
    Span::network(address, prefix)
}
