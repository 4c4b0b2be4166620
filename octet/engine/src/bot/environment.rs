//! Surroundings that no person has: windows, screens, pointing devices and graphics of machines without a person.
//! What a privacy mode makes up is not judged.

use octet::Profile;
use octet::fact::{Fact, Text};
use octet::facts::{Facts, Texts};

use super::Seen;
use super::browser::Engine;
use super::signs::{Sign, found};

/// How far a window may reach beyond its screen, as a share: maximised ones do by their borders.
const BEYOND: f64 = 1.05;

pub(super) fn of_page(seen: &Seen<'_>) -> Vec<Sign> {
    let page = &seen.evidence.page;
    let mut signs = found([
        (no_pointer(seen), Sign::NoPointer),
        (is_empty(&page.languages), Sign::NoLanguages),
        (!seen.privacy.randomises && has_impossible_value(page), Sign::ImpossibleValue),
        (seen.evidence.connection.hosting, Sign::Hosting),
    ]);
    if !seen.privacy.resists {
        signs.extend(window(page, seen.claim.is_desktop()));
    }
    if seen.evidence.expected >= Profile::Full {
        signs.extend(rendering(seen));
    }
    signs
}

fn window(page: &Facts, desktop: bool) -> Vec<Sign> {
    let size = |width: &Fact<i32>, height: &Fact<i32>| Some((*width.read()?, *height.read()?));
    let screen = size(&page.screen_width, &page.screen_height);
    let outer = size(&page.outer_width, &page.outer_height);
    let inner = size(&page.inner_width, &page.inner_height);
    let beyond = |outer: i32, screen: i32| screen > 0 && f64::from(outer) > f64::from(screen) * BEYOND;
    let unscaled = page.pixel_ratio_permille.read() == Some(&1000);
    let full_height = |(width, height): (i32, i32)| page.available_height.read() == Some(&height) && width > 0;
    found([
        (
            outer.zip(screen).is_some_and(|(outer, screen)| beyond(outer.0, screen.0) || beyond(outer.1, screen.1)),
            Sign::WindowBeyondScreen,
        ),
        (outer == Some((0, 0)) && inner.is_some_and(|inner| inner != (0, 0)), Sign::NoWindow),
        // A full screen of a person's is as large as the screen too, but then the system's bars are somewhere.
        (
            desktop && outer.is_some() && outer == inner && (outer == screen && screen.is_some_and(full_height)),
            Sign::BareWindow,
        ),
        (desktop && screen == Some((800, 600)) && unscaled, Sign::TinyScreen),
    ])
}

/// A desktop with neither a mouse nor a touch screen: a machine that nobody sits at, or that a person uses by keyboard.
fn no_pointer(seen: &Seen<'_>) -> bool {
    let page = &seen.evidence.page;
    let none = |fact: &Fact<bool>| fact.read() != Some(&true);
    seen.claim.is_desktop()
        && !seen.privacy.desktop_mode
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
