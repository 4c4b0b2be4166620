//! Licences: issued, inspected, listed and revoked. Holds the rules of what a licence may say; when one is good
//! for a request is `license.rs`'s business.

use jiff::{SignedDuration, Timestamp};
use octet::license::{LicenseClaims, LicensedEdge, Product};
use octet::{Environment, LicenseKey};
use pasetors::version4::PublicToken;
use rusqlite::{Connection, params};

use super::partners::require_active;
use super::{Records, hex, license_keys, random, timestamp};
use crate::{Error, PartnerName};

/// The licences of a service; from [`Octet::licenses`](crate::Octet::licenses) or [`Records::licenses`].
#[derive(Debug, Clone)]
pub struct Licenses {
    records: Records,
}

/// What a new licence shall say.
///
/// ```
/// use octet_server::NewLicense;
/// let license = NewLicense::browser("shop").days(365).environment(octet::Environment::Test);
/// # let _ = license;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct NewLicense {
    partner: String,
    product: Product,
    environment: Environment,
    days: u32,
    not_before: Option<Timestamp>,
    edges: Option<Vec<LicensedEdge>>,
}

/// A licence that was just issued.
#[derive(Debug, Clone)]
pub struct IssuedLicense {
    /// The key, for an edge's `LICENSE`. It is not kept, and cannot be shown again.
    pub key: LicenseKey,
    /// What it says.
    pub claims: LicenseClaims,
}

/// A licence as the records have it: not the key.
#[derive(Debug, Clone, PartialEq)]
pub struct LicenseRecord {
    /// What it says.
    pub claims: LicenseClaims,
    /// For real traffic or for tests.
    pub environment: Environment,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// What a licence is good for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LicenseState {
    /// It opens what its claims say.
    Valid,
    /// Its time has not begun.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// It or its partner was revoked.
    Revoked,
}

impl NewLicense {
    /// A live licence for the partner's browser edges, valid from now for 365 days.
    pub fn browser(partner: impl Into<String>) -> Self {
        Self {
            partner: partner.into(),
            product: Product::Browser,
            environment: Environment::Live,
            days: 365,
            not_before: None,
            edges: None,
        }
    }

    /// For another product.
    pub fn product(mut self, product: Product) -> Self {
        self.product = product;
        self
    }

    /// For real traffic or for tests.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Valid for so many days, 1 to 3650.
    pub fn days(mut self, days: u32) -> Self {
        self.days = days;
        self
    }

    /// Valid from this time on instead of from now.
    pub fn not_before(mut self, not_before: Timestamp) -> Self {
        self.not_before = Some(not_before);
        self
    }

    /// For these edges only, by their ids and positions.
    pub fn edges(mut self, edges: Vec<LicensedEdge>) -> Self {
        self.edges = Some(edges);
        self
    }

    fn claims(&self, now: Timestamp) -> Result<LicenseClaims, Error> {
        if !(1..=3650).contains(&self.days) {
            return Err(Error::LicenseDays);
        }
        // Whole seconds: what a foreign reader of the token is sure to understand.
        let now = timestamp(now.as_second())?;
        let nbf = self.not_before.unwrap_or(now);
        let valid_for = SignedDuration::from_hours(24 * i64::from(self.days));
        Ok(LicenseClaims {
            sub: self.partner.clone(),
            product: self.product,
            iat: now,
            nbf,
            exp: nbf.checked_add(valid_for).map_err(|_| Error::LicenseDays)?,
            jti: format!("lic_{}", hex(&random::<12>()?)),
            cnf: None,
            edges: self.edges.clone(),
        })
    }
}

impl LicenseRecord {
    /// What the licence itself is good for at `now`; its partner is another question.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> LicenseState {
        if self.revoked_at.is_some() {
            LicenseState::Revoked
        } else if now < self.claims.nbf {
            LicenseState::NotYetValid
        } else if now >= self.claims.exp {
            LicenseState::Expired
        } else {
            LicenseState::Valid
        }
    }
}

impl Licenses {
    pub(super) fn new(records: Records) -> Self {
        Self { records }
    }

    /// Issues a licence, signed by the service's key of its environment; the first one makes that key.
    ///
    /// # Errors
    ///
    /// When there is no such partner, it was revoked, the days are out of range, or the database fails.
    pub async fn issue(&self, license: NewLicense) -> Result<IssuedLicense, Error> {
        let now = self.records.clock().now();
        let partner: PartnerName = license.partner.parse()?;
        let claims = license.claims(now)?;
        self.records
            .change(move |records| {
                require_active(records, &partner)?;
                let key = sign(records, &claims, license.environment, now)?;
                records.execute(
                    "INSERT INTO licenses (jti, partner, environment, product, claims, expires_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        claims.jti,
                        partner.as_str(),
                        environment_name(license.environment),
                        product_name(claims.product),
                        to_json(&claims)?,
                        claims.exp.as_second(),
                    ],
                )?;
                Ok(IssuedLicense { key, claims })
            })
            .await
    }

    /// What a licence key says and whether it is good now, by this service's keys and records.
    ///
    /// # Errors
    ///
    /// When it is not signed by this service.
    pub async fn inspect(&self, key: &LicenseKey) -> Result<(LicenseClaims, LicenseState), Error> {
        self.records.refresh().await?;
        let snapshot = self.records.snapshot();
        let claims = snapshot.license(key).ok_or(Error::ForeignLicense)?;
        let revoked = snapshot.is_revoked(&claims);
        let record = LicenseRecord {
            claims: LicenseClaims::clone(&claims),
            environment: key.environment(),
            revoked_at: revoked.then_some(claims.iat),
        };
        let state = record.state(self.records.clock().now());
        Ok((record.claims, state))
    }

    /// The licences of one partner, or of all, by partner and end.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn list(&self, partner: Option<&str>) -> Result<Vec<LicenseRecord>, Error> {
        let partner = partner.map(str::parse::<PartnerName>).transpose()?;
        self.records.read(move |records| list(records, partner.as_ref())).await
    }

    /// Revokes a licence by its name (`jti`).
    ///
    /// # Errors
    ///
    /// When there is no such licence, or the database fails.
    pub async fn revoke(&self, jti: &str) -> Result<(), Error> {
        let (jti, now) = (jti.to_owned(), self.records.clock().now().as_second());
        self.records
            .change(move |records| {
                let set = "UPDATE licenses SET revoked_at = coalesce(revoked_at, ?2) WHERE jti = ?1";
                if records.execute(set, params![jti, now])? == 0 { Err(Error::NoSuchLicense(jti)) } else { Ok(()) }
            })
            .await
    }
}

fn list(records: &Connection, partner: Option<&PartnerName>) -> Result<Vec<LicenseRecord>, Error> {
    let mut licenses = Vec::new();
    let mut statement = records.prepare(
        "SELECT claims, environment, revoked_at FROM licenses
         WHERE ?1 IS NULL OR partner = ?1 ORDER BY partner, expires_at, jti",
    )?;
    let mut rows = statement.query([partner.map(PartnerName::as_str)])?;
    while let Some(row) = rows.next()? {
        licenses.push(LicenseRecord {
            claims: serde_json::from_str(&row.get::<_, String>(0)?).map_err(|_| Error::Record("a licence's claims"))?,
            environment: environment(&row.get::<_, String>(1)?)?,
            revoked_at: row.get::<_, Option<i64>>(2)?.map(timestamp).transpose()?,
        });
    }
    Ok(licenses)
}

/// The token of `claims` behind its prefix. Its footer names the key that signed it.
fn sign(
    records: &Connection,
    claims: &LicenseClaims,
    environment: Environment,
    now: Timestamp,
) -> Result<LicenseKey, Error> {
    let key = license_keys::signing_key(records, environment, now)?;
    let footer = format!(r#"{{"kid":"{}"}}"#, key.record.kid);
    let token = PublicToken::sign(&key.secret, to_json(claims)?.as_bytes(), Some(footer.as_bytes()), None);
    let token = token.map_err(|_| Error::Record("a signing key"))?;
    Ok(format!("{}{token}", environment.prefix()).parse()?)
}

fn to_json(claims: &LicenseClaims) -> Result<String, Error> {
    serde_json::to_string(claims).map_err(|_| Error::Record("a licence's claims"))
}

pub(super) fn environment_name(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => "live",
        Environment::Test => "test",
    }
}

pub(super) fn environment(name: &str) -> Result<Environment, Error> {
    match name {
        "live" => Ok(Environment::Live),
        "test" => Ok(Environment::Test),
        _ => Err(Error::Record("an environment")),
    }
}

fn product_name(product: Product) -> &'static str {
    match product {
        Product::Browser => "browser",
        Product::Mobile => "mobile",
        _ => "unknown",
    }
}
