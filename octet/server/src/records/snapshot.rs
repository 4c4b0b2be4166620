//! The records as every request sees them: in memory, read at once, replaced as a whole when something changed.
//! Knows digests of keys, never a key.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use moka::sync::Cache;
use octet::license::LicenseClaims;
use octet::proof::KeySet;
use octet::{AppKey, AppSecret, EdgeSettings, Environment, LicenseKey, PartnerKey, Profile};
use pasetors::Public;
use pasetors::keys::AsymmetricPublicKey;
use pasetors::token::UntrustedToken;
use pasetors::version4::{PublicToken, V4};
use rusqlite::Connection;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::proof_keys::{self, ProofKey};
use super::snapshot_apps::{App, AppTable};
use super::{license_keys, timestamp};
use crate::digest::{Digest, sha256};
use crate::omissions::Expected;
use crate::{Error, PartnerName};

/// How many verified licences are remembered at most; each is a few hundred bytes.
const VERIFIED: u64 = 4096;
/// The footer of a token names its key and nothing else.
const LONGEST_FOOTER: usize = 128;
/// How long edges and open pages may take to hear of a larger profile.
pub(super) const PROFILE_GRACE: Duration = Duration::from_secs(15 * 60);

/// One state of the records.
pub(crate) struct Snapshot {
    partners: HashMap<Box<str>, Partner>,
    keys: HashMap<Digest, Key>,
    apps: AppTable,
    signing_keys: HashMap<String, (Environment, AsymmetricPublicKey<V4>)>,
    /// The licences that were issued, and whether each was revoked.
    licenses: HashMap<String, bool>,
    /// The keys that sign proofs, oldest first.
    proof_keys: Vec<Arc<ProofKey>>,
    /// Licences whose signature was checked against this state's keys.
    verified: Cache<Digest, Arc<LicenseClaims>>,
}

struct Partner {
    profile: Profile,
    previous_profile: Profile,
    profile_set_at: Timestamp,
    passive_allowed: bool,
    revoked: bool,
}

struct Key {
    digest: Digest,
    partner: PartnerName,
    expires_at: Option<Timestamp>,
}

impl Snapshot {
    pub(super) fn read(records: &Connection) -> Result<Self, Error> {
        let mut snapshot = Self {
            partners: HashMap::new(),
            keys: HashMap::new(),
            apps: AppTable::read(records)?,
            signing_keys: HashMap::new(),
            licenses: HashMap::new(),
            proof_keys: proof_keys::read(records)?,
            verified: Cache::new(VERIFIED),
        };
        let profile = |text: String| text.parse().map_err(|_| Error::Record("a profile"));
        let mut statement = records.prepare(
            "SELECT name, profile, previous_profile, profile_set_at, passive_allowed, revoked_at IS NOT NULL FROM partners",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let partner = Partner {
                profile: profile(row.get(1)?)?,
                previous_profile: profile(row.get(2)?)?,
                profile_set_at: timestamp(row.get(3)?)?,
                passive_allowed: row.get(4)?,
                revoked: row.get(5)?,
            };
            snapshot.partners.insert(row.get::<_, String>(0)?.into(), partner);
        }
        let mut statement =
            records.prepare("SELECT digest, partner, expires_at FROM partner_keys WHERE revoked_at IS NULL")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let digest: Digest = row.get(0)?;
            let expires_at = row.get::<_, Option<i64>>(2)?.map(timestamp).transpose()?;
            snapshot.keys.insert(digest, Key { digest, partner: row.get::<_, String>(1)?.parse()?, expires_at });
        }
        for key in license_keys::read(records)? {
            let public = AsymmetricPublicKey::from(&key.record.public).map_err(|_| Error::Record("a signing key"))?;
            snapshot.signing_keys.insert(key.record.kid, (key.record.environment, public));
        }
        let mut statement = records.prepare("SELECT jti, revoked_at IS NOT NULL FROM licenses")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            snapshot.licenses.insert(row.get(0)?, row.get(1)?);
        }
        Ok(snapshot)
    }

    /// The partner whose key this is, at `now`. A missing key takes as long as an unknown one.
    pub(crate) fn partner_of_key(&self, key: Option<&PartnerKey>, now: Timestamp) -> Option<PartnerName> {
        let digest = sha256(key.map_or("", PartnerKey::expose).as_bytes());
        // What a lookup by digest lets one time is the digest, of which nobody can choose the bits.
        let found = self.keys.get(&digest);
        let same = found.map_or(&[0; 32], |found| &found.digest).ct_eq(&digest);
        let found = found.filter(|_| bool::from(same))?;
        let expired = found.expires_at.is_some_and(|end| now >= end);
        (!expired && self.is_active(&found.partner)).then(|| found.partner.clone())
    }

    /// What a licence says, when a key of this service and of its environment signed it.
    pub(crate) fn license(&self, key: &LicenseKey) -> Option<Arc<LicenseClaims>> {
        let digest = sha256(key.expose().as_bytes());
        if let Some(claims) = self.verified.get(&digest) {
            return Some(claims);
        }
        let claims = Arc::new(self.verify(key)?);
        self.verified.insert(digest, Arc::clone(&claims));
        Some(claims)
    }

    fn verify(&self, key: &LicenseKey) -> Option<LicenseClaims> {
        #[derive(Deserialize)]
        struct Footer {
            kid: String,
        }

        let token = UntrustedToken::<Public, V4>::try_from(key.token()).ok()?;
        let footer = token.untrusted_footer();
        let footer: Footer = (footer.len() <= LONGEST_FOOTER).then(|| serde_json::from_slice(footer).ok())??;
        let (environment, public) = self.signing_keys.get(&footer.kid)?;
        if *environment != key.environment() {
            return None;
        }
        // A signature is dear to check: only of what claims to be one of the licences that there are, whose names
        // nobody guesses.
        let claims: LicenseClaims = serde_json::from_slice(token.untrusted_payload()).ok()?;
        if !self.licenses.contains_key(&claims.jti) {
            return None;
        }
        let trusted = PublicToken::verify(public, &token, None, None).ok()?;
        serde_json::from_str(trusted.payload()).ok()
    }

    /// Whether the licence or its partner was revoked.
    pub(crate) fn is_revoked(&self, claims: &LicenseClaims) -> bool {
        let active = self.partners.get(claims.sub.as_str()).is_some_and(|partner| !partner.revoked);
        !active || self.licenses.get(&claims.jti) != Some(&false)
    }

    /// The key that signs proofs at `now`.
    pub(crate) fn proof_key(&self, environment: Environment, now: Timestamp) -> Option<&ProofKey> {
        proof_keys::signing_key(&self.proof_keys, environment, now).map(AsRef::as_ref)
    }

    /// Whether a key that signs proofs, or once did, signed this.
    pub(crate) fn was_signed(&self, environment: Environment, message: &[u8], signature: &[u8]) -> bool {
        let ours = self.proof_keys.iter().rev().filter(|key| key.record.environment == environment);
        ours.into_iter().any(|key| key.has_signed(message, signature))
    }

    /// The public keys with which proofs are checked.
    pub(crate) fn key_set(&self, environment: Environment) -> Result<KeySet, Error> {
        proof_keys::key_set(&self.proof_keys, environment)
    }

    /// Whether the partner was revoked.
    pub(crate) fn is_partner_revoked(&self, partner: &PartnerName) -> bool {
        self.partners.get(partner.as_str()).is_some_and(|partner| partner.revoked)
    }

    fn is_active(&self, partner: &PartnerName) -> bool {
        self.partners.get(partner.as_str()).is_some_and(|partner| !partner.revoked)
    }

    /// A live app of a live partner.
    pub(crate) fn app(&self, key: &AppKey) -> Option<&Arc<App>> {
        self.apps.get(key).filter(|app| self.is_active(&app.partner))
    }

    /// The app whose key and secret these are, at `now`.
    pub(crate) fn authorized_app(
        &self,
        key: Option<&AppKey>,
        secret: Option<&AppSecret>,
        now: Timestamp,
    ) -> Option<&Arc<App>> {
        self.apps.authorized(key, secret, now).filter(|app| self.is_active(&app.partner))
    }

    /// The app to which a page of the partner belongs that names none: the only one that this host's pages can use.
    pub(crate) fn app_of_page(&self, partner: &PartnerName, host: Option<&str>) -> Option<&Arc<App>> {
        let is_of = |origin: &String| host.is_some() && origin.split_once("://").map(|(_, host)| host) == host;
        let all = self.apps.of_partner(partner);
        let named: Vec<_> = all.iter().filter(|app| app.settings.origins.iter().any(is_of)).collect();
        let app = match (&named[..], &all[..]) {
            ([app], _) => *app,
            ([], [app]) if app.settings.origins.is_empty() => app,
            _ => return None,
        };
        self.is_active(partner).then_some(app)
    }

    /// What the partner's edges are told.
    pub(crate) fn edge_settings(&self, partner: &PartnerName) -> EdgeSettings {
        let assess_profile = self.apps.of_partner(partner).iter().map(|app| app.settings.profile).max();
        EdgeSettings { profile: self.profile(partner), assess_profile, pages: assess_profile.is_some() }
    }

    /// What the partner's pages shall collect from now on; the standard profile for a partner without a record.
    pub(crate) fn profile(&self, partner: &PartnerName) -> Profile {
        self.partners.get(partner.as_str()).map_or_else(Profile::default, |partner| partner.profile)
    }

    /// What a bundle that comes now must hold: while a profile is new, the smaller of it and the one before.
    pub(crate) fn expected(&self, partner: &PartnerName, now: Timestamp) -> Expected {
        let Some(partner) = self.partners.get(partner.as_str()) else {
            return Expected { profile: Profile::default(), passive_allowed: false };
        };
        let is_new = partner.profile_set_at.checked_add(PROFILE_GRACE).is_ok_and(|end| now < end);
        let profile = if is_new { partner.profile.min(partner.previous_profile) } else { partner.profile };
        Expected { profile, passive_allowed: partner.passive_allowed }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("partners", &self.partners.len()).finish_non_exhaustive()
    }
}
