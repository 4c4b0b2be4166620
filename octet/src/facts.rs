//! The list of facts that a collector may read in a browser: one declaration, from which the collector's
//! readers, the wire type and the page on what gets collected all follow. Names and purposes; no meaning.

use serde::{Deserialize, Serialize};

use crate::Profile;
use crate::fact::{AtMost, Fact, Text};

/// A list of texts from a browser.
pub type Texts = AtMost<Text, 16>;

/// What the fact list says of one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactInfo {
    /// Which fact.
    pub name: FactName,
    /// The smallest collection profile in which it is read.
    pub profile: Profile,
    /// Whether it is read in a worker and in a frame too.
    pub core: bool,
    /// What it is, in plain words.
    pub purpose: &'static str,
}

macro_rules! facts {
    ($($(#[$core:ident])? $variant:ident $field:ident $wire:literal : $type:ty, $profile:ident, $purpose:literal;)*) => {
        /// The facts of one context: the page, a worker, or a frame.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub struct Facts {
            $(
                #[doc = $purpose]
                #[serde(rename = $wire, default, skip_serializing_if = "Fact::is_missing")]
                pub $field: Fact<$type>,
            )*
        }

        /// The name of a fact.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum FactName {
            $(#[doc = $purpose] $variant,)*
        }

        impl FactName {
            /// The name as it stands on the wire.
            #[must_use]
            pub const fn wire(self) -> &'static str {
                match self { $(Self::$variant => $wire,)* }
            }
        }

        impl Facts {
            /// The facts that are not in the bundle although `profile` has them.
            pub fn missing(&self, profile: Profile) -> impl Iterator<Item = FactName> + '_ {
                FACTS.iter().filter(move |fact| fact.profile <= profile && self.is_missing(fact.name)).map(|fact| fact.name)
            }

            fn is_missing(&self, name: FactName) -> bool {
                match name { $(FactName::$variant => self.$field.is_missing(),)* }
            }
        }

        /// Every fact that a collector may read.
        pub const FACTS: &[FactInfo] = &[$(
            FactInfo {
                name: FactName::$variant,
                profile: Profile::$profile,
                core: facts!(@core $($core)?),
                purpose: $purpose,
            },
        )*];
    };
    (@core core) => { true };
    (@core) => { false };
}

facts! {
    #[core] TimeZone time_zone "timeZone": Text, Standard, "The name of the time zone that the browser is set to";
    #[core] UtcOffset utc_offset "utcOffset": i32, Standard, "Minutes that local time is ahead of UTC now";
    UtcOffsetJanuary utc_offset_january "utcOffsetJanuary": i32, Standard, "The same on the first of January of this year";
    UtcOffsetJuly utc_offset_july "utcOffsetJuly": i32, Standard, "The same on the first of July of this year";
    #[core] Locale locale "locale": Text, Standard, "The locale in which the browser formats dates";
    Calendar calendar "calendar": Text, Standard, "The calendar of that locale";
    NumberingSystem numbering_system "numberingSystem": Text, Standard, "The digits of that locale";
    HourCycle hour_cycle "hourCycle": Text, Standard, "Whether hours count to 12 or to 24 in that locale";
    #[core] Languages languages "languages": Texts, Standard, "The languages that the visitor prefers, in order";
    #[core] UserAgent user_agent "userAgent": Text, Standard, "The browser's description of itself";
    #[core] Platform platform "platform": Text, Standard, "The operating system as the browser names it";
    Vendor vendor "vendor": Text, Standard, "The browser's vendor as the browser names it";
    #[core] Brands brands "brands": Texts, Standard, "Client hint: the browser's brands with their major versions";
    FullVersions full_versions "fullVersions": Texts, Standard, "Client hint: the brands with their full versions";
    Mobile mobile "mobile": bool, Standard, "Client hint: whether this is a phone";
    #[core] HintPlatform hint_platform "hintPlatform": Text, Standard, "Client hint: the operating system";
    PlatformVersion platform_version "platformVersion": Text, Standard, "Client hint: its version";
    Architecture architecture "architecture": Text, Standard, "Client hint: the kind of processor";
    Bitness bitness "bitness": Text, Standard, "Client hint: the processor's word size";
    Model model "model": Text, Standard, "Client hint: the model of a phone";
    ScreenWidth screen_width "screenWidth": i32, Standard, "The screen's width in CSS pixels";
    ScreenHeight screen_height "screenHeight": i32, Standard, "The screen's height in CSS pixels";
    AvailableWidth available_width "availableWidth": i32, Standard, "The screen's width without bars of the system";
    AvailableHeight available_height "availableHeight": i32, Standard, "The screen's height without bars of the system";
    ColorDepth color_depth "colorDepth": i32, Standard, "Bits of colour of a pixel";
    PixelRatioPermille pixel_ratio_permille "pixelRatioPermille": i32, Standard, "Device pixels in a thousand CSS pixels";
    OuterWidth outer_width "outerWidth": i32, Standard, "The browser window's width";
    OuterHeight outer_height "outerHeight": i32, Standard, "The browser window's height";
    InnerWidth inner_width "innerWidth": i32, Standard, "The page's visible width";
    InnerHeight inner_height "innerHeight": i32, Standard, "The page's visible height";
    #[core] HardwareConcurrency hardware_concurrency "hardwareConcurrency": i32, Standard, "How many threads the browser says can run at once";
    #[core] DeviceMemoryMb device_memory_mb "deviceMemoryMb": i32, Standard, "Memory of the device in MB, as coarse as the browser gives it";
    MaxTouchPoints max_touch_points "maxTouchPoints": i32, Standard, "How many fingers the screen can tell apart";
    Hover hover "hover": bool, Standard, "Whether the main pointing device can hover";
    FinePointer fine_pointer "finePointer": bool, Standard, "Whether the main pointing device is precise";
    WebglVendor webgl_vendor "webglVendor": Text, Full, "The vendor of the graphics hardware";
    WebglRenderer webgl_renderer "webglRenderer": Text, Full, "The name of the graphics hardware";
    ColorGamutP3 color_gamut_p3 "colorGamutP3": bool, Full, "Whether the screen shows a wide range of colours";
    ReducedMotion reduced_motion "reducedMotion": bool, Full, "Whether the visitor asks for less motion";
    PdfViewer pdf_viewer "pdfViewer": bool, Full, "Whether the browser shows PDF files itself";
    Plugins plugins "plugins": i32, Full, "How many plugins the browser lists";
    NotificationPermission notification_permission "notificationPermission": Text, Full, "Whether the page may notify: granted, denied or default";
    NotificationQuery notification_query "notificationQuery": Text, Full, "The same as the permissions interface tells it";
    AnyHover any_hover "anyHover": bool, Full, "Whether any pointing device can hover";
    AnyFinePointer any_fine_pointer "anyFinePointer": bool, Full, "Whether any pointing device is precise";
    AnyCoarsePointer any_coarse_pointer "anyCoarsePointer": bool, Full, "Whether any pointing device is a finger";
    Orientation orientation "orientation": Text, Full, "Which way the screen is held";
    MimeTypes mime_types "mimeTypes": i32, Full, "How many media types of plugins the browser lists";
    ProductSub product_sub "productSub": Text, Full, "The build date that every browser of a family gives";
    OsCpu os_cpu "oscpu": Text, Full, "The operating system as Firefox names it";
    EvalLength eval_length "evalLength": i32, Full, "The length of a built-in function's source text";
    ConnectionRttMs connection_rtt_ms "connectionRttMs": i32, Full, "The browser's own coarse guess of its round-trip time";
    AacPlayback aac_playback "aacPlayback": Text, Full, "Whether the browser plays a licensed sound format";
    #[core] Webdriver webdriver "webdriver": bool, Full, "Whether the browser says that a program drives it";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_profile_expects_fewer_facts() {
        let none = Facts::default();
        let count = |profile| none.missing(profile).count();
        assert_eq!(count(Profile::Essential), 0);
        assert!(count(Profile::Standard) > 0);
        assert_eq!(count(Profile::Full), FACTS.len());
    }

    #[test]
    fn wire_names_are_unique_and_camel_case() {
        let mut names: Vec<_> = FACTS.iter().map(|fact| fact.name.wire()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FACTS.len());
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric())));
    }
}
