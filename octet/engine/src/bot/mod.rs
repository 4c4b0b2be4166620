//! Whether a visit is a person's: signs found in families of evidence, each worth log-odds points, each family capped.
//! It knows what facts mean. It must never know a socket, a clock, or how a verdict is shown.
//!
//! The families add up; the score is their sum, 0 to 100, in the contract's bands. What contradicts (a connection,
//! an engine or another context that does not fit what the browser says of itself) is capped together, so that it
//! alone never makes a bot, and so is behaviour. What is missing adds nothing: where it was expected, the
//! assessment is degraded. Modes that protect a person's privacy are recognised first, and the checks that they
//! void are not made.

mod behaviour;
mod browser;
mod connection;
mod contexts;
mod declared;
mod environment;
mod evidence;
mod identity;
mod privacy;
mod signs;
mod traces;
mod weights;

pub use evidence::{Arrival, BotEvidence, Connection, Http2Preface, TlsHello};
pub use signs::{Family, Sign};
pub use weights::Weights;

use browser::Claim;
use octet::Profile;
use octet::assess::Automation;
use privacy::Privacy;

/// What the engine concludes of a visit. Internal: it deliberately does not implement `Serialize`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BotAssessment {
    /// How suspicious the visit is, 0 to 100: below 30 low, 30 to 59 medium, 60 to 89 high, 90 and up critical.
    pub score: u8,
    /// Whether the visit's signals agree with one another.
    pub consistent: bool,
    /// Something that was expected did not come: the score is what the rest alone says.
    pub degraded: bool,
    /// What was found. Internal, for the operator; never for a partner, a page or a visitor.
    pub signs: Vec<Sign>,
}

/// What a visit's evidence comes to.
///
/// ```
/// use octet_engine::bot::{BotEvidence, Connection, Weights, assess};
/// let evidence = BotEvidence {
///     connection: Connection { user_agent: Some("curl/8.5.0".into()), ..Connection::default() },
///     ..BotEvidence::default()
/// };
/// assert!(assess(&evidence, &Weights::embedded()).score >= 60);
/// ```
#[must_use]
pub fn assess(evidence: &BotEvidence, weights: &Weights) -> BotAssessment {
    let seen = Seen::new(evidence);
    let mut signs = declared::of_visit(&seen);
    signs.extend(connection::against_claim(&evidence.connection, &seen.claim, &seen.privacy));
    signs.extend(arrival(&evidence.arrival));
    if evidence.expected >= Profile::Standard {
        signs.extend(environment::of_page(&seen));
        signs.extend(identity::against_claim(&seen));
        signs.extend(contexts::against_page(&seen));
        signs.extend(connection::against_page(&seen));
    }
    if evidence.expected >= Profile::Full {
        signs.extend(traces::of_page(&seen));
        signs.extend(behaviour::of_visit(&seen));
    }
    weights.concluded(signs, weights.contradictions(), is_degraded(evidence))
}

/// What the connection of a page that was served says, when its collector never reported: always degraded. A person's
/// browser may be behind it whose script was blocked or that left early, so that only what no such browser sends makes
/// a bot.
#[must_use]
pub fn assess_connection(connection: &Connection, weights: &Weights) -> BotAssessment {
    let claim = Claim::of(connection.user_agent.as_deref().unwrap_or_default());
    let mut signs = declared::of_connection(connection);
    signs.extend(declared::of_nameless(connection, &claim));
    signs.extend(connection::against_claim(connection, &claim, &Privacy::default()));
    signs.extend(connection::of_navigation(connection, &claim));
    let together =
        if connection::may_be_a_browsers(connection, &claim) { weights.contradictions() } else { weights.unreported() };
    weights.concluded(signs, together, true)
}

/// Whether the browser that this user agent names has `navigator.webdriver` in every setting: there its want is a sign,
/// and elsewhere it is an omission.
#[must_use]
pub fn has_webdriver(user_agent: &str) -> bool {
    Claim::of(user_agent).has_webdriver(user_agent)
}

/// A visit's evidence, and what was recognised of it before anything is held against it.
struct Seen<'a> {
    evidence: &'a BotEvidence,
    /// The user agent that the page reads or, where it reads none, the header's.
    agent: &'a str,
    claim: Claim,
    privacy: Privacy,
}

impl<'a> Seen<'a> {
    fn new(evidence: &'a BotEvidence) -> Self {
        let of_page = evidence.page.user_agent.read().map(octet::fact::Text::as_str);
        let agent = of_page.or(evidence.connection.user_agent.as_deref()).unwrap_or_default();
        let claim = Claim::of(agent);
        let privacy = Privacy::recognised(&evidence.page, evidence.automation.as_ref(), &claim);
        Self { evidence, agent, claim, privacy }
    }
}

fn arrival(arrival: &Arrival) -> Vec<Sign> {
    signs::found([
        (arrival.replayed, Sign::Replayed),
        (arrival.second_bundle, Sign::SecondBundle),
        (arrival.other_user_agent, Sign::OtherUserAgent),
    ])
}

fn is_degraded(evidence: &BotEvidence) -> bool {
    // These every browser gives whatever a policy of the page forbids.
    let given = |automation: &Automation| {
        automation.altered.read().is_some()
            && automation.globals.read().is_some()
            && automation.error_formatted.read().is_some()
    };
    let unread = !evidence.automation.as_ref().is_some_and(given) || evidence.behaviour.is_none();
    evidence.omitted || (evidence.expected >= Profile::Full && unread)
}
