//! The engine and the platform against what the user agent names: facts that only one family of browsers, or one
//! system, gives. Tablets that ask for the desktop's page, and modes that make systems alike, are not judged.

use octet::Profile;
use octet::fact::{Fact, Text};
use octet::facts::{Facts, Texts};

use super::Seen;
use super::browser::{Claim, Engine, System};
use super::signs::{Sign, found};
use super::traces::texts;

pub(super) fn against_claim(seen: &Seen<'_>) -> Vec<Sign> {
    let page = &seen.evidence.page;
    let full = seen.evidence.expected >= Profile::Full;
    let lenient = seen.privacy.desktop_mode || seen.privacy.resists;
    let touch = page.max_touch_points.read();
    let mobile = page.mobile.read() == Some(&true) || seen.agent.contains("Mobile");
    found([
        (seen.claim.engine.is_some_and(|claimed| engines(seen).any(|engine| engine != claimed)), Sign::ForeignEngine),
        (!lenient && is_foreign_platform(page, &seen.claim), Sign::ForeignPlatform),
        (!seen.privacy.desktop_mode && hints_differ(page, &seen.claim), Sign::HintsDiffer),
        (seen.claim.engine == Some(Engine::Chromium) && are_hollow(page), Sign::HollowHints),
        (
            full && !lenient && !seen.privacy.randomises && has_foreign_graphics(page, &seen.claim),
            Sign::ForeignGraphics,
        ),
        (lacks_abilities(seen), Sign::LacksAbilities),
        (seen.claim.is_handheld() && mobile && touch == Some(&0), Sign::PhoneWithoutTouch),
    ])
}

/// The engines that single facts name.
fn engines(seen: &Seen<'_>) -> impl Iterator<Item = Engine> {
    let page = &seen.evidence.page;
    let vendor = page.vendor.read().and_then(|vendor| match vendor.as_str() {
        "Google Inc." => Some(Engine::Chromium),
        "Apple Computer, Inc." => Some(Engine::WebKit),
        "" => Some(Engine::Firefox),
        _ => None,
    });
    let brands = page.brands.read().filter(|brands| !brands.as_slice().is_empty()).map(|_| Engine::Chromium);
    let full = seen.evidence.expected >= Profile::Full;
    let system = page.os_cpu.read().filter(|_| full).map(|_| Engine::Firefox);
    // Firefox and Safari print a built-in's source over three lines, Chromium on one.
    let claimed = seen.claim.engine;
    let source = page.eval_length.read().filter(|_| full).and_then(|length| match length {
        33 => Some(Engine::Chromium),
        37 if claimed == Some(Engine::Chromium) => Some(Engine::Firefox),
        _ => None,
    });
    let parts = seen.evidence.automation.as_ref().filter(|_| full);
    let stack = parts.and_then(|parts| match (parts.stack_form.read()?.as_str(), claimed) {
        ("at", _) => Some(Engine::Chromium),
        ("@", Some(Engine::Chromium)) => Some(Engine::Firefox),
        _ => None,
    });
    let words = parts.and_then(|parts| {
        let words = parts.error_text.read()?.as_str();
        ERROR_WORDS.iter().find(|(beginning, _)| words.contains(beginning)).map(|(_, engine)| *engine)
    });
    let able = parts.and_then(|parts| {
        let abilities = texts(&parts.abilities);
        ONLY.iter().find(|(ability, _)| abilities.contains(ability)).map(|(_, engine)| *engine)
    });
    [vendor, brands, system, source, stack, words, able].into_iter().flatten()
}

/// How each engine says that a property of nothing was read.
const ERROR_WORDS: &[(&str, Engine)] = &[
    ("Cannot read propert", Engine::Chromium),
    ("can't access property", Engine::Firefox),
    ("is not an object", Engine::WebKit),
];

/// What one engine alone has.
const ONLY: &[(&str, Engine)] = &[
    ("mozInnerScreenX", Engine::Firefox),
    ("webkitRequestFileSystem", Engine::Chromium),
    ("navigator.userAgentData", Engine::Chromium),
];

/// Abilities that no setting takes away, and the Chromium that brought them. Libraries bring some to older ones, so
/// that only their want says anything.
const SINCE: &[(&str, u32)] = &[
    ("structuredClone", 98),
    ("document.startViewTransition", 111),
    ("Object.groupBy", 117),
    ("Promise.withResolvers", 119),
    ("Set.prototype.union", 122),
    ("Promise.try", 128),
];

/// A Chromium that lacks what its version has.
fn lacks_abilities(seen: &Seen<'_>) -> bool {
    let Some(automation) = seen.evidence.automation.as_ref().filter(|_| seen.evidence.expected >= Profile::Full) else {
        return false;
    };
    let abilities = texts(&automation.abilities);
    let lacks =
        |(ability, since): &(&str, u32)| seen.claim.is(Engine::Chromium, since + 3) && !abilities.contains(ability);
    !abilities.is_empty() && SINCE.iter().any(lacks)
}

fn is_foreign_platform(page: &Facts, claim: &Claim) -> bool {
    let (Some(platform), Some(system)) = (page.platform.read().map(Text::as_str), claim.system) else { return false };
    let fits = match system {
        System::Windows => platform.starts_with("Win"),
        System::Mac => platform.starts_with("Mac"),
        System::Linux | System::ChromeOs => {
            ["Linux", "FreeBSD", "OpenBSD", "NetBSD", "SunOS", "X11"].iter().any(|name| platform.starts_with(name))
        }
        System::Android => platform.starts_with("Linux") || platform.starts_with("Android"),
        System::Ios => platform.starts_with("iP") || platform.starts_with("Mac"),
    };
    !fits && !platform.is_empty()
}

/// The brand's major version against the user agent's, and the system of the hints against its own.
fn hints_differ(page: &Facts, claim: &Claim) -> bool {
    let version = page.brands.read().and_then(|brands| {
        let chromium = brands.as_slice().iter().find_map(|brand| brand.as_str().strip_prefix("Chromium/"))?;
        chromium.split('.').next()?.parse::<u32>().ok()
    });
    let other_version =
        claim.engine == Some(Engine::Chromium) && version.is_some_and(|version| version != claim.version);
    let platform = page.hint_platform.read().map(Text::as_str);
    other_version || platform.is_some_and(|platform| is_other_system(platform, claim))
}

/// Brands that come without being asked for, and no version of any where they are.
fn are_hollow(page: &Facts) -> bool {
    let brands = |list: &Fact<Texts>| list.read().map(|brands| brands.as_slice().len());
    brands(&page.brands).is_some_and(|brands| brands > 0) && brands(&page.full_versions) == Some(0)
}

/// Whether a client hint names another system than the user agent does.
pub(super) fn is_other_system(hint: &str, claim: &Claim) -> bool {
    let hinted = match hint {
        "Windows" => System::Windows,
        "macOS" | "Mac OS X" => System::Mac,
        "Linux" => System::Linux,
        "Chrome OS" | "ChromeOS" | "Chromium OS" => System::ChromeOs,
        "Android" => System::Android,
        "iOS" => System::Ios,
        _ => return false,
    };
    claim.system.is_some_and(|system| system != hinted)
}

fn has_foreign_graphics(page: &Facts, claim: &Claim) -> bool {
    let text = |fact: &Fact<Text>| fact.read().map(|text| text.as_str().to_owned()).unwrap_or_default();
    let renderer = text(&page.webgl_renderer);
    let has = |word: &str| renderer.contains(word);
    match claim.system {
        Some(System::Windows) => has("Mesa") || has("llvmpipe") || has("Metal") || renderer.starts_with("Apple "),
        Some(System::Mac) => has("Direct3D") || has("Mesa") || has("llvmpipe"),
        Some(System::Linux | System::ChromeOs | System::Android) => has("Direct3D") || has("Metal"),
        Some(System::Ios) => has("Direct3D") || has("Mesa") || has("NVIDIA") || has("SwiftShader"),
        None => false,
    }
}
