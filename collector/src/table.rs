//! Where each fact comes from in a browser: one entry a fact, for the WebAssembly reader and the plain-script reader
//! alike. Sources only; no purpose and no meaning may end up in what browsers download.

use octet::Profile;
use octet::facts::{FACTS, FactName};

/// How a value is converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text, cut at 512 bytes.
    Text,
    /// A list of texts, cut at 16.
    Texts,
    /// A list of `{ brand, version }`, each as the text `brand/version`, cut at 16.
    Brands,
    /// True or false.
    Flag,
    /// A number times the factor, rounded.
    Integer(u16),
}

/// When an offset from UTC is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Now.
    Now,
    /// The first day of that month of this year, counted from 0.
    Month(u8),
}

/// What the loader asks for before the facts are read, since it comes by promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promised {
    /// High-entropy client hints.
    Hints,
    /// The permission to notify, as a query tells it.
    Permission,
}

impl Promised {
    /// Its name among what the loader has prepared.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hints => "hints",
            Self::Permission => "permission",
        }
    }
}

/// Where a fact comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Properties and calls from the context's global object on: `Intl.DateTimeFormat().resolvedOptions().calendar`.
    /// A call's arguments are JSON without a dot. What does not exist along the way is an absent fact.
    Path(Kind, &'static str),
    /// A property of something that came by promise.
    Promised(Kind, Promised, &'static str),
    /// Minutes ahead of UTC.
    Offset(Moment),
    /// A parameter of a WebGL context: unmasked where the browser allows it, plain otherwise.
    Graphics {
        /// The parameter of `WEBGL_debug_renderer_info`.
        unmasked: u16,
        /// The parameter that every context has.
        plain: u16,
    },
}

/// One fact as the readers know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name on the wire.
    pub wire: &'static str,
    /// The rank of the smallest profile that has it.
    pub rank: u8,
    /// Whether workers and frames read it too.
    pub core: bool,
    /// Where it comes from.
    pub source: Source,
}

/// Every fact with its source, in the order of the fact list.
pub static TABLE: [Entry; FACTS.len()] = table();

const fn table() -> [Entry; FACTS.len()] {
    let mut table = [Entry { wire: "", rank: 0, core: false, source: Source::Offset(Moment::Now) }; FACTS.len()];
    let mut index = 0;
    while index < FACTS.len() {
        let fact = &FACTS[index];
        table[index] =
            Entry { wire: fact.name.wire(), rank: rank(fact.profile), core: fact.core, source: source(fact.name) };
        index += 1;
    }
    table
}

/// The rank of a profile: each holds all of the ones below.
#[must_use]
pub const fn rank(profile: Profile) -> u8 {
    match profile {
        Profile::Essential => 0,
        Profile::Standard => 1,
        Profile::Full => 2,
    }
}

const fn source(name: FactName) -> Source {
    use FactName as F;
    use Kind::{Brands, Flag, Integer, Text, Texts};
    use Promised::{Hints, Permission};
    use Source::{Graphics, Offset, Path};

    match name {
        F::TimeZone => Path(Text, "Intl.DateTimeFormat().resolvedOptions().timeZone"),
        F::UtcOffset => Offset(Moment::Now),
        F::UtcOffsetJanuary => Offset(Moment::Month(0)),
        F::UtcOffsetJuly => Offset(Moment::Month(6)),
        F::Locale => Path(Text, "Intl.DateTimeFormat().resolvedOptions().locale"),
        F::Calendar => Path(Text, "Intl.DateTimeFormat().resolvedOptions().calendar"),
        F::NumberingSystem => Path(Text, "Intl.DateTimeFormat().resolvedOptions().numberingSystem"),
        F::HourCycle => Path(Text, r#"Intl.DateTimeFormat([], {"hour":"numeric"}).resolvedOptions().hourCycle"#),
        F::Languages => Path(Texts, "navigator.languages"),
        F::UserAgent => Path(Text, "navigator.userAgent"),
        F::Platform => Path(Text, "navigator.platform"),
        F::Vendor => Path(Text, "navigator.vendor"),
        F::Brands => Path(Brands, "navigator.userAgentData.brands"),
        F::FullVersions => Source::Promised(Brands, Hints, "fullVersionList"),
        F::Mobile => Path(Flag, "navigator.userAgentData.mobile"),
        F::HintPlatform => Path(Text, "navigator.userAgentData.platform"),
        F::PlatformVersion => Source::Promised(Text, Hints, "platformVersion"),
        F::Architecture => Source::Promised(Text, Hints, "architecture"),
        F::Bitness => Source::Promised(Text, Hints, "bitness"),
        F::Model => Source::Promised(Text, Hints, "model"),
        F::ScreenWidth => Path(Integer(1), "screen.width"),
        F::ScreenHeight => Path(Integer(1), "screen.height"),
        F::AvailableWidth => Path(Integer(1), "screen.availWidth"),
        F::AvailableHeight => Path(Integer(1), "screen.availHeight"),
        F::ColorDepth => Path(Integer(1), "screen.colorDepth"),
        F::PixelRatioPermille => Path(Integer(1000), "devicePixelRatio"),
        F::OuterWidth => Path(Integer(1), "outerWidth"),
        F::OuterHeight => Path(Integer(1), "outerHeight"),
        F::InnerWidth => Path(Integer(1), "innerWidth"),
        F::InnerHeight => Path(Integer(1), "innerHeight"),
        F::HardwareConcurrency => Path(Integer(1), "navigator.hardwareConcurrency"),
        F::DeviceMemoryMb => Path(Integer(1024), "navigator.deviceMemory"),
        F::MaxTouchPoints => Path(Integer(1), "navigator.maxTouchPoints"),
        F::Hover => Path(Flag, r#"matchMedia("(hover: hover)").matches"#),
        F::FinePointer => Path(Flag, r#"matchMedia("(pointer: fine)").matches"#),
        F::WebglVendor => Graphics { unmasked: 0x9245, plain: 0x1F00 },
        F::WebglRenderer => Graphics { unmasked: 0x9246, plain: 0x1F01 },
        F::ColorGamutP3 => Path(Flag, r#"matchMedia("(color-gamut: p3)").matches"#),
        F::ReducedMotion => Path(Flag, r#"matchMedia("(prefers-reduced-motion: reduce)").matches"#),
        F::PdfViewer => Path(Flag, "navigator.pdfViewerEnabled"),
        F::Plugins => Path(Integer(1), "navigator.plugins.length"),
        F::NotificationPermission => Path(Text, "Notification.permission"),
        F::NotificationQuery => Source::Promised(Text, Permission, "state"),
        F::AnyHover => Path(Flag, r#"matchMedia("(any-hover: hover)").matches"#),
        F::AnyFinePointer => Path(Flag, r#"matchMedia("(any-pointer: fine)").matches"#),
        F::AnyCoarsePointer => Path(Flag, r#"matchMedia("(any-pointer: coarse)").matches"#),
        F::Orientation => Path(Text, "screen.orientation.type"),
        F::MimeTypes => Path(Integer(1), "navigator.mimeTypes.length"),
        F::ProductSub => Path(Text, "navigator.productSub"),
        F::OsCpu => Path(Text, "navigator.oscpu"),
        F::EvalLength => Path(Integer(1), "eval.toString().length"),
        F::ConnectionRttMs => Path(Integer(1), "navigator.connection.rtt"),
        F::AacPlayback => Path(Text, r#"document.createElement("audio").canPlayType("audio/aac")"#),
        F::Webdriver => Path(Flag, "navigator.webdriver"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_facts_need_nothing_that_only_the_page_has() {
        for entry in TABLE.iter().filter(|entry| entry.core) {
            match entry.source {
                Source::Path(_, path) => assert!(path.starts_with("Intl.") || path.starts_with("navigator."), "{path}"),
                Source::Offset(_) => {}
                Source::Promised(..) | Source::Graphics { .. } => panic!("{} is not for workers", entry.wire),
            }
        }
    }

    #[test]
    fn nothing_is_read_in_the_essential_profile() {
        assert!(TABLE.iter().all(|entry| entry.rank > rank(Profile::Essential)));
    }
}
