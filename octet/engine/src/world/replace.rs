//! Putting newer data in the place of a world's tables, from bytes. It opens no file; who calls it does.

use std::sync::Arc;

use super::codec::Unpacked;
use super::error::TableError;
use super::mmdb::{self, CityDatabase};
use super::networks;
use super::ranges::{AddressMap, Span};
use super::{Country, World, borders, carriers, cities, codes, domains, languages, lists, subdivisions, zones};

/// One of the three databases that give an address its country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountryDatabase {
    /// DB-IP, or any other commercial database of where addresses are used.
    Dbip,
    /// The registries' whois data, with the autonomous system.
    GeoWhois,
    /// What the registries allocated.
    Allocation,
}

impl World {
    /// This world with a table that `cargo xtask data` made, in the place of its own of the same name.
    ///
    /// # Errors
    ///
    /// When the bytes are no table of ours.
    pub fn with_table(mut self, bytes: &[u8]) -> Result<Self, TableError> {
        let unpacked = Unpacked::new(bytes)?;
        match unpacked.table() {
            Some(borders::TABLE) => {
                self.borders = borders::read(&unpacked)?.into();
                self.lands = self.borders.iter().map(Country::land).collect();
            }
            Some(domains::TABLE) => self.domains = domains::read(&unpacked)?.into(),
            Some(cities::TABLE) => self.cities = Arc::new(cities::read(&unpacked)?),
            Some(subdivisions::TABLE) => self.subdivisions = subdivisions::read(&unpacked)?.into(),
            Some(networks::DBIP) => self.dbip = Arc::new(AddressMap::read(networks::DBIP, &unpacked)?),
            Some(networks::GEO_WHOIS) => self.geo_whois = Arc::new(AddressMap::read(networks::GEO_WHOIS, &unpacked)?),
            Some(networks::ALLOCATION) => {
                self.allocation = Arc::new(AddressMap::read(networks::ALLOCATION, &unpacked)?)
            }
            Some(networks::ASN) => self.systems = Arc::new(AddressMap::read(networks::ASN, &unpacked)?),
            Some(carriers::TABLE) => self.carriers = carriers::read(&unpacked)?.into(),
            Some(networks::NETWORKS) => self.networks = Arc::new(AddressMap::read(networks::NETWORKS, &unpacked)?),
            Some(zones::TABLE) => self.zones = Arc::new(zones::read(&unpacked)?),
            Some(languages::TABLE) => self.languages = Arc::new(languages::read(&unpacked)?),
            _ => return Err(TableError::UnknownTable),
        }
        Ok(self)
    }

    /// This world with a country database in MaxMind's format: nested as MaxMind's own (`country.iso_code`) or flat
    /// (`country_code`).
    ///
    /// # Errors
    ///
    /// When the bytes are no such database, or it has no countries.
    pub fn with_country_mmdb(mut self, database: CountryDatabase, bytes: &[u8]) -> Result<Self, TableError> {
        let countries = Arc::new(mmdb::countries(bytes)?);
        match database {
            CountryDatabase::Dbip => self.dbip = countries,
            CountryDatabase::GeoWhois => self.geo_whois = countries,
            CountryDatabase::Allocation => self.allocation = countries,
        }
        Ok(self)
    }

    /// This world with a database of autonomous systems in MaxMind's format (`autonomous_system_number`).
    ///
    /// # Errors
    ///
    /// When the bytes are no such database, or it has no systems.
    pub fn with_asn_mmdb(mut self, bytes: &[u8]) -> Result<Self, TableError> {
        self.systems = Arc::new(mmdb::systems(bytes)?);
        Ok(self)
    }

    /// This world with a city database in MaxMind's format, nested or flat; it is kept as it is, so it costs its size.
    ///
    /// # Errors
    ///
    /// When the bytes are no such database, or it has no positions.
    pub fn with_city_mmdb(mut self, bytes: Vec<u8>) -> Result<Self, TableError> {
        self.city = Some(Arc::new(CityDatabase::new(bytes)?));
        Ok(self)
    }

    /// This world with a list of Tor's exits: one address or CIDR a line, `#` begins a comment.
    ///
    /// ```
    /// # use octet_engine::World;
    /// let world = World::default().with_tor_exits(b"# exits\n185.220.101.1\n")?;
    /// assert!(world.address([185, 220, 101, 1].into()).tor);
    /// # Ok::<(), octet_engine::world::TableError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a line is neither.
    pub fn with_tor_exits(mut self, list: &[u8]) -> Result<Self, TableError> {
        self.tor = Arc::new(set(lists::networks(list)?));
        Ok(self)
    }

    /// This world with a list of VPN networks beside its own: one address or CIDR a line, `#` begins a comment.
    ///
    /// # Errors
    ///
    /// When a line is neither.
    pub fn with_vpn_networks(mut self, list: &[u8]) -> Result<Self, TableError> {
        self.vpn = Arc::new(set(lists::networks(list)?));
        Ok(self)
    }

    /// This world with a private relay's list of egress networks, as its vendor publishes it: CSV of network, country,
    /// region and city.
    ///
    /// # Errors
    ///
    /// When a line does not begin with a network and a country.
    pub fn with_private_relay(mut self, list: &[u8]) -> Result<Self, TableError> {
        let networks = lists::relay_networks(list)?;
        let countries = networks.into_iter().map(|(span, country)| (span, codes::to_number(Some(country))));
        self.private_relay = Arc::new(AddressMap::new(countries, |_, narrower| narrower));
        Ok(self)
    }
}

fn set(networks: Vec<Span>) -> AddressMap<u8> {
    AddressMap::new(networks.into_iter().map(|span| (span, 1)), |first, _| first)
}
