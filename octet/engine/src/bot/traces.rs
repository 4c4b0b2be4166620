//! What drivers leave behind in a page: names, wrapped functions, and a log that somebody reads. Developer tools and
//! extensions of people leave some of it too, so that no single one is enough.

use std::collections::BTreeSet;

use octet::assess::Automation;
use octet::fact::{AtMost, Fact, Text};

use super::Seen;
use super::behaviour::is_injected_press;
use super::browser::Engine;
use super::privacy::has_random_pictures;
use super::signs::{Sign, found};

/// From how many wrapped functions on it is no single extension's.
const MANY: usize = 3;

/// Classes of drawing and sound, which extensions wrap that make a person's pictures random.
const DRAWING: &[&str] = &["HTMLCanvasElement.", "CanvasRenderingContext2D.", "WebGL", "AudioBuffer."];

/// What a person's extension changes that names another browser or language: that this is so shows elsewhere. On
/// `Navigator` or on `navigator` itself, and elsewhere.
const COSTUME_OF_NAVIGATOR: &[&str] =
    &["userAgent", "appVersion", "platform", "product", "vendor", "oscpu", "language", "doNotTrack", "maxTouchPoints"];
const COSTUME: &[&str] = &["NavigatorUAData.", "Date.getTimezoneOffset", "Intl."];

fn is_costume(of_navigator: &str) -> bool {
    COSTUME_OF_NAVIGATOR.iter().any(|name| of_navigator.starts_with(name))
}

pub(super) fn of_page(seen: &Seen<'_>) -> Vec<Sign> {
    let (page, claim) = (&seen.evidence.page, &seen.claim);
    let pressed = seen.evidence.behaviour.as_ref().is_some_and(is_injected_press);
    let tablet = seen.privacy.desktop_mode;
    let mut signs = found([
        (
            claim.has_webdriver(seen.agent) && matches!(page.webdriver, Fact::Absent | Fact::Blocked(_)),
            Sign::WebdriverMoved,
        ),
        (
            claim.is(Engine::Chromium, 90)
                && (page.brands.read().is_some_and(|brands| brands.as_slice().is_empty())
                    || page.hint_platform.read().is_some_and(|platform| platform.as_str().is_empty())),
            Sign::EmptyHints,
        ),
        (claim.is(Engine::Chromium, 90) && page.brands == Fact::Absent, Sign::NoHints),
        (claim.engine == Some(Engine::Chromium) && claim.is_desktop() && !tablet && pressed, Sign::InjectedPress),
    ]);
    if let Some(automation) = &seen.evidence.automation {
        signs.extend(of_automation(automation));
    }
    signs
}

fn of_automation(automation: &Automation) -> Vec<Sign> {
    let own = texts(&automation.own_properties);
    let altered = altered(automation);
    let some_altered = !altered.is_empty() || own.iter().any(|name| !is_costume(name));
    let moved = own.contains(&"webdriver")
        || altered.contains("Navigator.webdriver")
        || automation.webdriver_property.read().is_some_and(|place| !place.as_str().starts_with("prototype"));
    found([
        (!texts(&automation.globals).is_empty(), Sign::DriverGlobals),
        (altered.len() >= MANY, Sign::WrappedNatives),
        ((some_altered && altered.len() < MANY) || automation.frame_linked.read() == Some(&false), Sign::WrappedNative),
        (is_console_read(automation), Sign::ConsoleRead),
        (moved, Sign::WebdriverMoved),
    ])
}

/// Whether developer tools or a driver read what the page logs.
pub(super) fn is_console_read(automation: &Automation) -> bool {
    [&automation.error_formatted, &automation.object_listed].into_iter().any(|fact| fact.read() == Some(&true))
}

/// The names of what does not look like the browser's own, without what people's extensions wrap: to name another
/// browser, or, when the pictures show that one does, to make them random.
fn altered(automation: &Automation) -> BTreeSet<&str> {
    let pictures_changed = has_random_pictures(automation);
    let is_of = |name: &str, parts: &[&str]| parts.iter().any(|part| name.starts_with(part));
    texts(&automation.altered)
        .into_iter()
        .map(|entry| entry.rsplit_once('/').map_or(entry, |(name, _)| name))
        .filter(|name| !(is_of(name, COSTUME) || name.strip_prefix("Navigator.").is_some_and(is_costume)))
        .filter(|name| !(pictures_changed && is_of(name, DRAWING)))
        .collect()
}

pub(super) fn texts<const N: usize>(fact: &Fact<AtMost<Text, N>>) -> Vec<&str> {
    fact.read().map(|texts| texts.as_slice().iter().map(Text::as_str).collect()).unwrap_or_default()
}
