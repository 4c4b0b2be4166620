//! Modes that protect a person's privacy by making browsers alike or their values random: recognised from the facts
//! first, so that what they void is held against nobody.

use octet::assess::Automation;
use octet::fact::{Fact, Text};
use octet::facts::Facts;

use super::browser::{Claim, Engine, System};
use super::traces::texts;

/// What was recognised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Privacy {
    /// Firefox's `resistFingerprinting`, as Tor Browser, Mullvad and LibreWolf have it on: zone, screen, threads and
    /// the header's system are everybody's.
    pub(super) resists: bool,
    /// Brave, or another Chromium that makes values random: plugins, threads, memory and graphics are nobody's.
    pub(super) randomises: bool,
    /// A tablet or phone that asks for the desktop's page: the user agent is a desktop's, and nothing else.
    pub(super) desktop_mode: bool,
}

impl Privacy {
    pub(super) fn recognised(page: &Facts, automation: Option<&Automation>, claim: &Claim) -> Self {
        let touch = page.max_touch_points.read().is_some_and(|points| *points > 1);
        Self {
            resists: claim.engine == Some(Engine::Firefox) && is_made_alike(page),
            randomises: is_brave(page, automation) || automation.is_some_and(has_random_pictures),
            desktop_mode: match claim.system {
                // Macs have no touch screens; an iPad that asks for the desktop's page has five fingers, in an app too,
                // whose user agent names no browser.
                Some(System::Mac) => touch && !matches!(claim.engine, Some(Engine::Chromium | Engine::Firefox)),
                Some(System::Linux) => touch && is_handhelds_platform(page),
                _ => false,
            },
        }
    }
}

fn is_brave(page: &Facts, automation: Option<&Automation>) -> bool {
    let branded =
        page.brands.read().is_some_and(|brands| brands.as_slice().iter().any(|b| b.as_str().starts_with("Brave/")));
    branded || automation.is_some_and(|automation| texts(&automation.abilities).contains(&"navigator.brave"))
}

/// The same drawing twice gives two pictures, or a plain colour comes back as another.
pub(super) fn has_random_pictures(automation: &Automation) -> bool {
    automation.drawing_steady.read() == Some(&false) || automation.drawing_exact.read() == Some(&false)
}

/// The zone is nobody's, no offset moves, and the window is the screen, or is rounded as such windows are.
fn is_made_alike(page: &Facts) -> bool {
    let zone = page.time_zone.read().map_or("", Text::as_str);
    let no_zone = matches!(zone, "UTC" | "Etc/UTC" | "Atlantic/Reykjavik") && page.utc_offset.read() == Some(&0);
    let same = |a: &Fact<i32>, b: &Fact<i32>| a.read().is_some() && a.read() == b.read();
    let inner_is_outer = same(&page.inner_width, &page.outer_width) && same(&page.inner_height, &page.outer_height);
    let inner_is_screen = same(&page.inner_width, &page.screen_width) && same(&page.inner_height, &page.screen_height);
    no_zone && (inner_is_outer || inner_is_screen)
}

fn is_handhelds_platform(page: &Facts) -> bool {
    let platform = page.platform.read().map_or("", Text::as_str);
    platform.contains("arm") || platform.contains("aarch64") || platform.contains("Android")
}
