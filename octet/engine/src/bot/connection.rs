//! The connection and its headers against the browser that the user agent names. A proxy's connection is not the
//! browser's, and is not judged.

use octet::fact::Text;

use super::Seen;
use super::browser::{Claim, Engine, System};
use super::evidence::{Connection, Http2Preface, TlsHello};
use super::identity::is_other_system;
use super::privacy::Privacy;
use super::signs::{Sign, found};

/// What any request of a browser shows.
pub(super) fn against_claim(connection: &Connection, claim: &Claim, privacy: &Privacy) -> Vec<Sign> {
    let Some(engine) = claim.engine else { return Vec::new() };
    let mut signs = found([
        (lacks_fetch_metadata(connection, claim), Sign::NoFetchMetadata),
        (claim.is(Engine::Chromium, 90) && connection.brands.is_none(), Sign::NoHintHeaders),
        (engine != Engine::Chromium && connection.brands.is_some(), Sign::ForeignHintHeaders),
        (!privacy.desktop_mode && hints_differ(connection, claim), Sign::HintHeadersDiffer),
        (connection.accept_language.is_none(), Sign::NoAcceptLanguage),
    ]);
    if !connection.proxied {
        let names = connection.header_names.as_deref().unwrap_or_default();
        let hello = connection.tls.as_ref().is_some_and(|hello| is_foreign_hello(hello, claim));
        let preface = connection.http2.as_ref().is_some_and(|preface| is_foreign_preface(preface, claim));
        signs.extend(found([
            (hello, Sign::ForeignHello),
            (preface, Sign::ForeignPreface),
            (is_foreign_order(names, engine), Sign::HeaderOrder),
        ]));
    }
    signs
}

/// What a request for a page shows beside that.
pub(super) fn of_navigation(connection: &Connection, claim: &Claim) -> Vec<Sign> {
    let names = connection.header_names.as_deref().unwrap_or_default();
    let has = |name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let modern = claim.is(Engine::Chromium, 60) || claim.is(Engine::Firefox, 60);
    found([(
        modern && !names.is_empty() && !(has("upgrade-insecure-requests") && has("accept") && has("accept-encoding")),
        Sign::NoNavigationHeaders,
    )])
}

/// Whether a request of one browser's may have come so: nothing but the handshake is foreign, as where a virus scanner or
/// an office's gateway opens what is encrypted and speaks for the browser; or it is all another browser's than the user
/// agent names, which a person changed. Such a person is not asked for what the script would tell.
pub(super) fn may_be_a_browsers(connection: &Connection, claim: &Claim) -> bool {
    [Engine::Chromium, Engine::Firefox, Engine::WebKit].into_iter().any(|engine| {
        let named = claim.engine == Some(engine);
        let worn = Claim { engine: Some(engine), version: u32::MAX, system: claim.system };
        let worn = if named { claim } else { &worn };
        let mut signs = against_claim(connection, worn, &Privacy::default());
        signs.extend(of_navigation(connection, worn));
        signs.into_iter().all(|sign| match sign {
            Sign::ForeignHello | Sign::ForeignPreface => named,
            Sign::HintHeadersDiffer => !named,
            _ => false,
        })
    })
}

/// The headers against what the page reads.
pub(super) fn against_page(seen: &Seen<'_>) -> Vec<Sign> {
    let (page, connection) = (&seen.evidence.page, &seen.evidence.connection);
    let agents = match (page.user_agent.read().map(Text::as_str), connection.user_agent.as_deref()) {
        // A mode that makes browsers alike names another system in the header, and the same browser.
        (Some(_), Some(header)) if seen.privacy.resists => Claim::of(header).engine != seen.claim.engine,
        // The edge cuts what is longer.
        (Some(page), Some(header)) => !page.starts_with(header) && !header.starts_with(page),
        _ => false,
    };
    let first = |text: &str| text.split([',', ';', '-']).next().unwrap_or_default().trim().to_ascii_lowercase();
    let languages = match (page.languages.read(), connection.accept_language.as_deref()) {
        (Some(languages), Some(header)) => {
            languages.as_slice().first().is_some_and(|language| first(language.as_str()) != first(header))
        }
        _ => false,
    };
    found([(agents, Sign::AgentsDiffer), (languages && !seen.privacy.resists, Sign::LanguagesDiffer)])
}

fn lacks_fetch_metadata(connection: &Connection, claim: &Claim) -> bool {
    let sends = claim.is(Engine::Chromium, 80) || claim.is(Engine::Firefox, 90) || claim.is(Engine::WebKit, 17);
    sends && connection.fetch_site.is_none()
}

/// The major version and the system of the hints against the user agent's.
fn hints_differ(connection: &Connection, claim: &Claim) -> bool {
    let version = connection.brands.as_deref().and_then(|brands| {
        let (_, rest) = brands.split_once("\"Chromium\";v=\"")?;
        rest.split(['"', '.']).next()?.parse::<u32>().ok()
    });
    let platform = connection.hint_platform.as_deref().map(|platform| platform.trim_matches('"'));
    (claim.engine == Some(Engine::Chromium) && version.is_some_and(|version| version != claim.version))
        || platform.is_some_and(|platform| is_other_system(platform, claim))
}

/// Extensions that one family alone sends: application settings (both numbers), and record size limit.
const APPLICATION_SETTINGS: [u16; 2] = [17513, 17613];
const RECORD_SIZE_LIMIT: u16 = 28;

/// Chromium and Safari send GREASE, Firefox does not and limits its records; each for years.
fn is_foreign_hello(hello: &TlsHello, claim: &Claim) -> bool {
    let sends = |extension: u16| hello.extensions.contains(&extension);
    let settings = APPLICATION_SETTINGS.into_iter().any(sends);
    match claim.engine {
        Some(Engine::Chromium) => claim.version >= 70 && (!hello.grease || sends(RECORD_SIZE_LIMIT)),
        Some(Engine::Firefox) => claim.version >= 60 && (hello.grease || settings || !sends(RECORD_SIZE_LIMIT)),
        // On other systems than Apple's it has the system's TLS.
        Some(Engine::WebKit) if !matches!(claim.system, Some(System::Mac | System::Ios)) => false,
        Some(Engine::WebKit) => claim.version >= 14 && (!hello.grease || settings || sends(RECORD_SIZE_LIMIT)),
        None => false,
    }
}

/// `SETTINGS_INITIAL_WINDOW_SIZE`, and the first window update of each family.
fn is_foreign_preface(preface: &Http2Preface, claim: &Claim) -> bool {
    const INITIAL_WINDOW_SIZE: u16 = 4;
    let window = preface.settings.iter().find(|setting| setting.0 == INITIAL_WINDOW_SIZE).map(|setting| setting.1);
    let family = match (window, preface.window_update) {
        (Some(6_291_456), Some(15_663_105)) => Some(Engine::Chromium),
        // The desktop's and the phone's.
        (Some(131_072 | 32_768 | 65_536), Some(12_517_377)) => Some(Engine::Firefox),
        (Some(2_097_152 | 4_194_304), _) => Some(Engine::WebKit),
        _ => None,
    };
    match (family, claim.engine) {
        (Some(family), Some(claimed)) => family != claimed,
        // The windows of Safari change with its releases; those of the others have stood for years.
        (None, Some(Engine::Chromium)) => claim.version >= 100,
        (None, Some(Engine::Firefox)) => claim.version >= 100,
        _ => false,
    }
}

/// The order of the headers that all requests of a family carry. HTTP/1.1 and 2 agree in these.
fn is_foreign_order(names: &[String], engine: Engine) -> bool {
    let orders: &[&[&str]] = match engine {
        Engine::Chromium => &[
            &["user-agent", "accept", "sec-fetch-site", "accept-encoding", "accept-language"],
            &["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"],
        ],
        Engine::Firefox => &[
            &["user-agent", "accept", "accept-language", "accept-encoding"],
            &["sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site"],
        ],
        Engine::WebKit => &[],
    };
    let place = |name: &str| names.iter().position(|other| other.eq_ignore_ascii_case(name));
    orders.iter().any(|order| !order.iter().filter_map(|name| place(name)).is_sorted())
}
