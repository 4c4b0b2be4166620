//! The page against a frame and a worker of its own: what is changed in the page alone shows there. Contexts that a
//! policy forbids say nothing.

use octet::fact::Fact;
use octet::facts::Facts;

use super::Seen;
use super::signs::{Sign, found};

pub(super) fn against_page(seen: &Seen<'_>) -> Vec<Sign> {
    let page = &seen.evidence.page;
    let differs = |context: &Option<Facts>| context.as_ref().is_some_and(|other| names_another(page, other));
    let others = [&seen.evidence.worker, &seen.evidence.frame];
    let alike = seen.privacy.resists || seen.privacy.randomises;
    found([
        (differs(&seen.evidence.worker), Sign::WorkerDiffers),
        (differs(&seen.evidence.frame), Sign::FrameDiffers),
        (
            others
                .into_iter()
                .flatten()
                .any(|other| has_another_place(page, other) || (!alike && has_other_hardware(page, other))),
            Sign::LocaleDiffers,
        ),
    ])
}

fn names_another(page: &Facts, other: &Facts) -> bool {
    both_differ(&page.user_agent, &other.user_agent)
        || both_differ(&page.platform, &other.platform)
        || both_differ(&page.brands, &other.brands)
        || both_differ(&page.hint_platform, &other.hint_platform)
}

fn has_another_place(page: &Facts, other: &Facts) -> bool {
    both_differ(&page.languages, &other.languages)
        || both_differ(&page.time_zone, &other.time_zone)
        || both_differ(&page.locale, &other.locale)
}

fn has_other_hardware(page: &Facts, other: &Facts) -> bool {
    both_differ(&page.hardware_concurrency, &other.hardware_concurrency)
        || both_differ(&page.device_memory_mb, &other.device_memory_mb)
}

fn both_differ<T: PartialEq>(one: &Fact<T>, other: &Fact<T>) -> bool {
    matches!((one.read(), other.read()), (Some(one), Some(other)) if one != other)
}
