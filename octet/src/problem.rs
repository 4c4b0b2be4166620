//! Errors as RFC 9457 problem details with a stable code. Says what was wrong with a request and what to do;
//! never says what a verdict was derived from.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An `application/problem+json` body: what was wrong with a request, and what to do.
///
/// ```
/// use octet::problem::{Code, Problem};
/// let problem = Problem::new(Code::MalformedRef, "a session reference is 1 to 128 of A-Z a-z 0-9 _ -");
/// assert_eq!(problem.status, 400);
/// assert!(serde_json::to_string(&problem).unwrap().contains(r#""code":"malformed_ref""#));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: Cow<'static, str>,
    /// The kind of problem in words.
    #[serde(default)]
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong this time, and what to do.
    #[serde(default)]
    pub detail: Cow<'static, str>,
    /// The stable code to branch on.
    pub code: Code,
}

fn about_blank() -> Cow<'static, str> {
    "about:blank".into()
}

impl Problem {
    /// The media type of a problem body.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// The problem that `code` names, with what was wrong this time.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let (name, status, title) = code.row();
        Self {
            kind: format!("urn:octet:problem:{name}").into(),
            title: title.into(),
            status,
            detail: detail.into(),
            code,
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $title:literal;)*) => {
        /// The stable code of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)*
            /// A code that this release does not know.
            Unknown,
        }

        impl Code {
            /// Every code that this release sends.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            const fn row(self) -> (&'static str, u16, &'static str) {
                match self {
                    $(Self::$variant => ($name, $status, $title),)*
                    Self::Unknown => ("unknown", 500, "Unknown problem"),
                }
            }
        }
    };
}

codes! {
    /// The session reference in the path is none.
    MalformedRef = "malformed_ref", 400, "Malformed session reference";
    /// `waitMs` is not a whole number.
    MalformedWait = "malformed_wait", 400, "Malformed waitMs";
    /// `x-octet-visitor-ip` is not an address.
    MalformedVisitorIp = "malformed_visitor_ip", 400, "Malformed visitor address";
    /// The bundle is not what a collector sends.
    MalformedBundle = "malformed_bundle", 400, "Malformed bundle";
    /// The question about a place is none.
    MalformedPredicate = "malformed_predicate", 400, "Malformed predicate";
    /// The attestation is not what a device sends.
    MalformedAttestation = "malformed_attestation", 400, "Malformed attestation";
    /// The partner key is missing or unknown.
    PartnerKeyRejected = "partner_key_rejected", 401, "Partner key rejected";
    /// A query of the Data API has a parameter that it does not take, lacks one, or has a wrong one.
    MalformedQuery = "malformed_query", 400, "Malformed query";
    /// A period of the Data API is none.
    MalformedPeriod = "malformed_period", 400, "Malformed period";
    /// The app's key or secret is missing or unknown.
    AppRejected = "app_rejected", 401, "App rejected";
    /// The licence is missing, unreadable or not signed by this service.
    LicenseRejected = "license_rejected", 401, "Licence rejected";
    /// The licence's time is over.
    LicenseExpired = "license_expired", 401, "Licence expired";
    /// The licence's time has not begun.
    LicenseNotYetValid = "license_not_yet_valid", 401, "Licence not yet valid";
    /// The licence was revoked.
    LicenseRevoked = "license_revoked", 401, "Licence revoked";
    /// The licence is for another product.
    LicenseWrongProduct = "license_wrong_product", 403, "Licence for another product";
    /// A test licence at a live service, or the other way round.
    LicenseWrongEnvironment = "license_wrong_environment", 403, "Licence for another environment";
    /// The licence does not allow this edge: its certificate, id or position.
    LicenseEdgeRefused = "license_edge_refused", 403, "Edge not covered by the licence";
    /// The `Origin` of a browser's request is foreign, missing or `null`.
    OriginRejected = "origin_rejected", 403, "Origin rejected";
    /// The edge takes signed references only, and this is none, or an expired or altered one.
    UnsignedRef = "unsigned_ref", 403, "Session reference not signed by this edge";
    /// No platform that is believed here vouches for this key in this session.
    AttestationRefused = "attestation_refused", 403, "Attestation refused";
    /// There is nothing at this path.
    NotFound = "not_found", 404, "Not found";
    /// The app has no such visit.
    VisitUnknown = "visit_unknown", 404, "No such visit";
    /// The path takes another method.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// A latency channel is or was open for this reference.
    ChannelTaken = "channel_taken", 409, "Latency channel taken";
    /// The session has nothing to verify, or no more attempts.
    ChallengeUnavailable = "challenge_unavailable", 409, "No challenge";
    /// The body is larger than allowed.
    BodyTooLarge = "body_too_large", 413, "Body too large";
    /// The path takes a WebSocket upgrade and the request is none.
    UpgradeRequired = "upgrade_required", 426, "WebSocket upgrade required";
    /// Too many requests; `Retry-After` says when to come back.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// The session has answered as many questions about places as it may.
    TooManyQuestions = "too_many_questions", 429, "Too many questions about one session";
    /// Something failed on our side.
    Internal = "internal", 500, "Internal error";
    /// The service is shutting down; ask another node, or again.
    ShuttingDown = "shutting_down", 503, "Shutting down";
    /// The store cannot be reached, or holds as many sessions as it may.
    StoreUnavailable = "store_unavailable", 503, "Store unavailable";
    /// The edge could not reach Octet.
    OctetUnavailable = "octet_unavailable", 503, "Octet unavailable";
}

impl Code {
    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that goes with the code.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().1
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parse(deserializer, "a problem code", |text| {
            Ok(Self::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(Self::Unknown))
        })
    }
}
