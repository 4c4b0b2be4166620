//! How the visitor's devices moved: input that no hand makes. Keyboards, touch screens, switches and voices make clicks
//! without a pointer's way, and are not judged by it; whoever does nothing is not judged at all.

use octet::assess::{Behaviour, InputEvent, InputKind, PointerKind};
use octet::fact::Fact;
use octet::facts::Facts;

use super::Seen;
use super::signs::{Sign, found};

/// Keys nearer together than this, in ms, are not pressed by hands; and how many of them it takes.
const FASTEST_KEYS_MS: u32 = 32;
const KEYS: usize = 5;

/// The shortest side of a target that a person does not hit in its very middle by chance, in CSS pixels.
const WIDE_TARGET: u32 = 16;

/// A mouse that was last seen this near, in CSS pixels, was moved to its press: not every movement is listed.
const NEAR_ITS_WAY: u32 = 16;

/// A hand's movement has at least so many samples, over at least so many ms.
const MOVES_OF_A_HAND: usize = 4;
const MS_OF_A_HAND: u32 = 64;

pub(super) fn of_visit(seen: &Seen<'_>) -> Vec<Sign> {
    let Some(behaviour) = &seen.evidence.behaviour else { return Vec::new() };
    let events = behaviour.events.as_slice();
    let desktop = seen.claim.is_desktop() && !seen.privacy.desktop_mode;
    found([
        (is_scripted(events), Sign::Untrusted),
        (has_fast_keys(events), Sign::FastKeys),
        (desktop && has_short_keys(events), Sign::ShortKeys),
        (desktop && is_typed_without_keys(events), Sign::TypedWithoutKeys),
        (desktop && clicks_without_path(events), Sign::ClickWithoutPath),
        (desktop && holds_are_short(events), Sign::ShortHold),
        (desktop && hits_the_middle(events), Sign::Centred),
        (desktop && !seen.privacy.resists && is_injected(events, &seen.evidence.page), Sign::InjectedPlace),
    ])
}

/// Whether a hand moved a mouse: several places on the way, over some time, made by a device.
pub(super) fn is_by_hand(behaviour: &Behaviour) -> bool {
    let moves: Vec<_> = of_mouse(behaviour.events.as_slice()).filter(|event| event.kind == InputKind::Move).collect();
    let mut places: Vec<_> = moves.iter().map(|event| (event.x, event.y)).collect();
    places.dedup();
    let took = moves.last().zip(moves.first()).map_or(0, |(last, first)| last.at_ms.saturating_sub(first.at_ms));
    places.len() >= MOVES_OF_A_HAND && took >= MS_OF_A_HAND
}

fn of_mouse(events: &[InputEvent]) -> impl Iterator<Item = &InputEvent> {
    events.iter().filter(|event| !event.scripted && event.pointer == Some(PointerKind::Mouse))
}

/// Pages click on themselves, and extensions fill forms: only a pointer that a script moves or presses counts, and
/// only when no device did.
fn is_scripted(events: &[InputEvent]) -> bool {
    let mut pointers =
        events.iter().filter(|event| matches!(event.kind, InputKind::Move | InputKind::Down | InputKind::Up));
    let scripted = pointers.clone().any(|event| event.scripted);
    scripted && pointers.all(|event| event.scripted)
}

fn has_fast_keys(events: &[InputEvent]) -> bool {
    let keys = events.iter().filter(|event| event.kind == InputKind::KeyDown && !event.scripted && !event.repeated);
    let times: Vec<u32> = keys.map(|event| event.at_ms).collect();
    let fast = times.windows(2).filter(|pair| pair[1].saturating_sub(pair[0]) < FASTEST_KEYS_MS).count();
    times.len() >= KEYS && fast * 10 >= (times.len() - 1) * 9
}

/// Fingers rest on a key for tens of milliseconds; password managers and scanners of barcodes do not.
fn has_short_keys(events: &[InputEvent]) -> bool {
    let holds = events.iter().filter(|event| event.kind == InputKind::KeyUp && !event.scripted);
    let holds: Vec<u32> = holds.filter_map(|event| event.held_ms).collect();
    holds.len() >= KEYS - 1 && holds.iter().all(|held| *held < 8)
}

/// Every keyboard's text comes by keys that go down; a protocol may send the text alone.
fn is_typed_without_keys(events: &[InputEvent]) -> bool {
    let count = |kind| events.iter().filter(|event| event.kind == kind && !event.scripted).count();
    count(InputKind::Typed) >= 2 && count(InputKind::KeyDown) + count(InputKind::KeyUp) == 0
}

/// A mouse's press where it never moved to, when neither a key nor a focus came before.
fn clicks_without_path(events: &[InputEvent]) -> bool {
    let first = events.iter().position(is_press_of_mouse);
    first.is_some_and(|first| {
        !is_led_by_others(&events[..first]) && events[first].moves_before.is_some_and(|moves| moves <= 1)
    })
}

fn is_press_of_mouse(event: &InputEvent) -> bool {
    !event.scripted && event.kind == InputKind::Down && event.pointer == Some(PointerKind::Mouse)
}

/// Whether a key, a focus or another pointer than a mouse came before.
fn is_led_by_others(before: &[InputEvent]) -> bool {
    before.iter().any(|event| {
        matches!(event.kind, InputKind::KeyDown | InputKind::KeyUp | InputKind::Focus)
            || event.pointer.is_some_and(|pointer| pointer != PointerKind::Mouse)
    })
}

fn holds_are_short(events: &[InputEvent]) -> bool {
    let mut holds =
        of_mouse(events).filter(|event| event.kind == InputKind::Up).filter_map(|event| event.held_ms).peekable();
    holds.peek().is_some() && holds.all(|held| held < 8)
}

/// Pointer Events: a pressed mouse has half of all pressure, whatever moved it; input that is made inside of the browser
/// has none unless it says so. Screen readers, switches and voices ask the browser for such presses too, but no pointer
/// comes over what they press: the browser looks for what lies at a place for a mouse alone. A hand's mouse that lay where
/// the page put something under it may come over that as it presses, and then not in the very middle.
pub(super) fn is_injected_press(behaviour: &Behaviour) -> bool {
    let events = behaviour.events.as_slice();
    let mut presses = events.iter().enumerate().filter(|(_, event)| is_press_of_mouse(event));
    presses.any(|(at, press)| match press.pressure_permille {
        Some(0) => press.entered || was_moved_to(&events[..at], press),
        _ => press.entered && events[at..].iter().find(|event| event.kind == InputKind::Click).is_some_and(is_middle),
    })
}

/// Whether the mouse was last seen where it pressed.
fn was_moved_to(before: &[InputEvent], press: &InputEvent) -> bool {
    let near = |one: Option<i32>, other: Option<i32>| {
        one.zip(other).is_some_and(|(one, other)| one.abs_diff(other) <= NEAR_ITS_WAY)
    };
    let last = of_mouse(before).filter(|event| event.kind == InputKind::Move).last();
    last.is_some_and(|last| near(last.x, press.x) && near(last.y, press.y))
}

fn hits_the_middle(events: &[InputEvent]) -> bool {
    of_mouse(events).any(is_middle)
}

fn is_middle(event: &InputEvent) -> bool {
    event.kind == InputKind::Click
        && event.count != Some(0)
        && event.from_middle == Some(0)
        && event.target_side.is_some_and(|side| side >= WIDE_TARGET)
}

/// A press as far from the screen's corner as from the page's, in a window that has bars above its page. A zoomed page
/// has other pixels than the screen, and is told by its width.
fn is_injected(events: &[InputEvent], page: &Facts) -> bool {
    let difference = |outer: &Fact<i32>, inner: &Fact<i32>| Some(outer.read()?.saturating_sub(*inner.read()?));
    let has_bars = difference(&page.outer_height, &page.inner_height).is_some_and(|bars| (40..=400).contains(&bars));
    let unzoomed = difference(&page.outer_width, &page.inner_width).is_some_and(|sides| (0..=24).contains(&sides));
    let at_corner = |event: &InputEvent| event.offset_y.is_some_and(|offset| offset <= 0);
    has_bars && unzoomed && of_mouse(events).any(|event| event.kind == InputKind::Down && at_corner(event))
}
