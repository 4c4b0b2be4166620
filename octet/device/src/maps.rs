//! The maps of one session: those that it began with, and those that its questions needed since. A question fetches what
//! it is about, never what is around the device.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use octet::region::CityId;
use octet::{CountryCode, LicenseKey, Region, header};
use octet_geometry::Gazetteer;
use octet_transport::{Limits, Transport};

use crate::borders::Borders;

/// How long after an outage a map is asked for again.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// No session asks for more maps than this.
const MOST_ASKED: usize = 1024;

/// The maps of one session.
#[derive(Debug)]
pub(crate) struct Maps {
    held: Mutex<Borders>,
    /// What was asked for; when, where that failed. One at a time asks.
    asked: tokio::sync::Mutex<HashMap<Map, Option<Duration>>>,
}

/// A map that a question can need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Map {
    SubdivisionsOf(CountryCode),
    City(CityId),
}

impl Maps {
    pub(crate) fn new(borders: Borders) -> Self {
        Self { held: Mutex::new(borders), asked: tokio::sync::Mutex::default() }
    }

    /// What is held now.
    pub(crate) fn held(&self) -> MutexGuard<'_, Borders> {
        // Nothing is left half done under this lock.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches the map that a question about this region needs, unless it is here, or was asked for.
    pub(crate) async fn provide(&self, region: &Region, transport: &Transport, license: &LicenseKey, now: Duration) {
        let map = match region {
            Region::Subdivision(code) if self.held().subdivision(*code).is_none() => {
                Map::SubdivisionsOf(code.country())
            }
            Region::City(city) if self.held().city(*city).is_none() => Map::City(*city),
            _ => return,
        };
        let mut asked = self.asked.lock().await;
        let again = match asked.get(&map) {
            None => asked.len() < MOST_ASKED,
            Some(None) => false,
            Some(Some(failed)) => now.saturating_sub(*failed) >= RETRY_AFTER,
        };
        if again {
            let fetched = fetch(&map.path(), transport, license).await;
            asked.insert(map, fetched.is_none().then_some(now));
            if let Some(fetched) = fetched {
                let mut held = self.held();
                *held = std::mem::take(&mut *held).with(fetched);
            }
        }
    }
}

impl Map {
    fn path(self) -> String {
        match self {
            Self::SubdivisionsOf(country) => format!("/v1/borders/subdivisions/{country}"),
            Self::City(city) => format!("/v1/borders/cities/{}", city.get()),
        }
    }
}

/// The map at this path, unless Octet could not be reached or has no such path.
pub(crate) async fn fetch(path: &str, transport: &Transport, license: &LicenseKey) -> Option<Borders> {
    let request = Request::get(path).header(header::LICENSE, license.expose()).body(Bytes::new()).ok()?;
    let limits = Limits { max_body: Borders::MAX_LEN, ..Limits::default() };
    let answer = transport.send(request, limits).await.ok()?;
    (answer.status() == 200).then(|| Borders::from_json(answer.body()).ok()).flatten()
}
