//! Surroundings that no person has: windows, screens, pointing devices and graphics of machines without a person.
//! What a privacy mode makes up is not judged.

use octet::Profile;
use octet::fact::{Fact, Text};
use octet::facts::{Facts, Texts};

use super::Seen;
use super::behaviour::is_by_hand;
use super::browser::{Engine, System};
use super::signs::{Sign, found};
use super::traces::{is_console_read, texts};

/// How far a window may reach beyond its screen, as a share: maximised ones do by their borders.
const BEYOND: f64 = 1.05;

/// How high a window's bars are at least, and how much wider and higher than its page a window with nothing but bars is at
/// most; developer tools take more.
const LEAST_BARS: i32 = 32;
const MOST_BARS: (i32, i32) = (16, 120);

pub(super) fn of_page(seen: &Seen<'_>) -> Vec<Sign> {
    let page = &seen.evidence.page;
    let mut signs = found([
        (no_pointer(seen), Sign::NoPointer),
        (is_empty(&page.languages), Sign::NoLanguages),
        (!seen.privacy.randomises && has_impossible_value(page), Sign::ImpossibleValue),
        (seen.evidence.connection.hosting, Sign::Hosting),
    ]);
    if !seen.privacy.resists {
        let read = seen.evidence.automation.as_ref().is_some_and(is_console_read);
        let desktop = seen.claim.is_desktop() && !seen.privacy.desktop_mode;
        signs.extend(window(page, desktop, read));
        signs.extend(found([(desktop && is_turned(seen), Sign::TurnedScreen)]));
    }
    if seen.evidence.expected >= Profile::Full {
        signs.extend(rendering(seen));
    }
    signs
}

/// What of the window, its page and its screen does not go together. Developer tools that are open may emulate a screen for
/// the page, in a window that has room for them.
fn window(page: &Facts, desktop: bool, read: bool) -> Vec<Sign> {
    let size = |width: &Fact<i32>, height: &Fact<i32>| Some((*width.read()?, *height.read()?));
    let screen = size(&page.screen_width, &page.screen_height);
    let outer = size(&page.outer_width, &page.outer_height);
    let inner = size(&page.inner_width, &page.inner_height);
    let beyond = |outer: i32, screen: i32| screen > 0 && f64::from(outer) > f64::from(screen) * BEYOND;
    let unscaled = page.pixel_ratio_permille.read() == Some(&1000);
    let full_height = |(width, height): (i32, i32)| page.available_height.read() == Some(&height) && width > 0;
    let bars =
        outer.zip(inner).map(|(outer, inner)| (outer.0.saturating_sub(inner.0), outer.1.saturating_sub(inner.1)));
    let emulated = inner.is_some() && inner == screen && bars.is_some_and(|bars| bars.1 >= LEAST_BARS);
    let fitted = bars.is_some_and(|bars| bars.0 <= MOST_BARS.0 && bars.1 <= MOST_BARS.1);
    let tools = read && !fitted;
    found([
        (
            !tools
                && outer
                    .zip(screen)
                    .is_some_and(|(outer, screen)| beyond(outer.0, screen.0) || beyond(outer.1, screen.1)),
            Sign::WindowBeyondScreen,
        ),
        (desktop && emulated && !tools, Sign::EmulatedScreen),
        (desktop && emulated && fitted, Sign::FittedWindow),
        // A full screen of a person's is as large as the screen too, but then the system's bars are somewhere. So is a
        // device that developer tools put in the page's place.
        (
            desktop
                && !read
                && outer.is_some()
                && outer == inner
                && (outer == screen && screen.is_some_and(full_height)),
            Sign::BareWindow,
        ),
        (desktop && screen == Some((800, 600)) && unscaled, Sign::TinyScreen),
    ])
}

/// A wide screen that stands upright. Brave tells a common screen, which is wide, and the true way of an upright one; so
/// do some extensions.
fn is_turned(seen: &Seen<'_>) -> bool {
    let page = &seen.evidence.page;
    let altered = seen.evidence.automation.as_ref().map(|automation| texts(&automation.altered)).unwrap_or_default();
    page.orientation.read().is_some_and(|way| way.as_str().starts_with("portrait"))
        && matches!((page.screen_width.read(), page.screen_height.read()), (Some(width), Some(height)) if width > height)
        && !(seen.privacy.randomises || altered.iter().any(|name| name.starts_with("Screen.")))
}

/// A desktop with neither a mouse nor a touch screen: a machine that nobody sits at, or that a person uses by keyboard. On a
/// remote desktop the browser may know of no mouse, and a hand moves it.
fn no_pointer(seen: &Seen<'_>) -> bool {
    let page = &seen.evidence.page;
    let by_hand = seen.evidence.behaviour.as_ref().is_some_and(is_by_hand);
    let none = |fact: &Fact<bool>| fact.read() != Some(&true);
    seen.claim.is_desktop()
        && !seen.privacy.desktop_mode
        && !by_hand
        && page.hover.read() == Some(&false)
        && none(&page.fine_pointer)
        && none(&page.any_hover)
        && none(&page.any_fine_pointer)
        && none(&page.any_coarse_pointer)
        && page.max_touch_points.read().is_none_or(|points| *points == 0)
}

fn rendering(seen: &Seen<'_>) -> Vec<Sign> {
    let page = &seen.evidence.page;
    let chromium = seen.claim.is(Engine::Chromium, 90);
    let renderer = page.webgl_renderer.read().map_or("", Text::as_str);
    let software = ["SwiftShader", "llvmpipe", "softpipe", "Software Rasterizer", "Microsoft Basic Render"]
        .iter()
        .any(|name| renderer.contains(name));
    let permissions = (page.notification_permission.read(), page.notification_query.read());
    let differ =
        matches!(permissions, (Some(one), Some(other)) if one.as_str() == "denied" && other.as_str() == "prompt");
    let chrome = seen.evidence.automation.as_ref().map(|automation| &automation.chrome);
    found([
        (!seen.privacy.resists && has_headless_theme(seen), Sign::HeadlessTheme),
        (has_headless_keyboard(seen), Sign::HeadlessKeyboard),
        (software, Sign::SoftwareGraphics),
        // Whoever turns the PDF viewer off has no plugins; who has it, has them.
        (
            chromium
                && seen.claim.is_desktop()
                && !seen.privacy.randomises
                && page.plugins.read() == Some(&0)
                && page.pdf_viewer.read() == Some(&true),
            Sign::NoPlugins,
        ),
        (chromium && seen.claim.is_desktop() && matches!(chrome, Some(Fact::Absent)), Sign::NoChrome),
        (chromium && differ, Sign::PermissionsDiffer),
    ])
}

/// Without a desktop there is no theme: Firefox then gives constants of its own (`HeadlessLookAndFeel`), which no
/// desktop's theme has together.
fn has_headless_theme(seen: &Seen<'_>) -> bool {
    let Some(automation) = &seen.evidence.automation else { return false };
    let is = |fact: &Fact<Text>, value: &str| fact.read().is_some_and(|text| text.as_str() == value);
    seen.claim.engine == Some(Engine::Firefox)
        && is(&automation.caption_font, "sans-serif 14px")
        && is(&automation.highlight, "rgb(51, 153, 255)")
}

/// Without a system's keyboard Chromium makes one up (`StubKeyboardLayoutEngine`): an American one with a key for yen,
/// which no layout of Linux or Windows is.
fn has_headless_keyboard(seen: &Seen<'_>) -> bool {
    let keys = seen.evidence.automation.as_ref().map(|automation| texts(&automation.keys));
    matches!(seen.claim.system, Some(System::Linux | System::Windows))
        && seen.claim.engine == Some(Engine::Chromium)
        && keys.is_some_and(|keys| keys == ["\u{a5}", "["])
}

fn is_empty(languages: &Fact<Texts>) -> bool {
    languages.read().is_some_and(|languages| languages.as_slice().is_empty())
}

/// Memory comes in powers of two, screens and threads in more than none.
fn has_impossible_value(page: &Facts) -> bool {
    let positive = [&page.screen_width, &page.screen_height, &page.hardware_concurrency, &page.color_depth];
    let none = positive.into_iter().filter_map(Fact::read).any(|value| *value <= 0);
    let odd_memory = page.device_memory_mb.read().is_some_and(|mb| !u32::try_from(*mb).is_ok_and(u32::is_power_of_two));
    none || odd_memory
}
