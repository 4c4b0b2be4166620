//! How far the databases of addresses agree, by kind of network: what the reliability in the engine's parameters rests
//! on. It knows no session.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;
use octet_engine::World;
use octet_engine::world::AddressFacts;

use super::metrics::Random;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many addresses are drawn at random from all of IPv4
    #[arg(long, default_value_t = 3_000_000)]
    addresses: usize,
}

const SEED: u64 = 20_261_121;

/// What was counted of one kind of network.
#[derive(Debug, Default)]
struct Counts {
    known: usize,
    /// The whois database and the allocation name the same country.
    registries: usize,
    /// And DB-IP the same.
    all: usize,
    /// The two differ, and DB-IP names the country of neither, of the whois database, of the allocation.
    differing: [usize; 3],
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let world = World::embedded();
    let mut random = Random(SEED);
    let mut kinds: [(&str, Counts); 3] = ["line", "mobile carrier", "hosting"].map(|name| (name, Counts::default()));
    for _ in 0..options.addresses {
        let facts = world.address(IpAddr::from(Ipv4Addr::from(random.bits() as u32)));
        let kind = if facts.hosting { 2 } else { usize::from(facts.mobile) };
        if facts.asn.is_some() && !facts.delivery_network && !facts.gateway {
            kinds[kind].1.count(&facts);
        }
    }
    println!(
        "{:<16} {:>8} {:>11} {:>14} {:>11} {:>8}",
        "network", "n", "registries", "DB-IP as both", "as whois", "as other"
    );
    for (name, counts) in kinds {
        let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
        let differing = counts.differing.iter().sum();
        println!(
            "{name:<16} {:>8} {:>11.3} {:>14.3} {:>11.3} {:>8.3}",
            counts.known,
            share(counts.registries, counts.known),
            share(counts.all, counts.registries),
            share(counts.differing[1], differing),
            share(counts.differing[2], differing),
        );
    }
    Ok(())
}

impl Counts {
    fn count(&mut self, facts: &AddressFacts) {
        let (Some(dbip), Some(whois), Some(allocation)) = (facts.dbip, facts.geo_whois, facts.allocation) else {
            return;
        };
        self.known += 1;
        if whois == allocation {
            self.registries += 1;
            self.all += usize::from(dbip == whois);
        } else {
            self.differing[usize::from(dbip == whois) + 2 * usize::from(dbip == allocation)] += 1;
        }
    }
}
