//! The list of signs: what can speak for a machine, and of which family it is. Their weights stand in a file; how
//! they are found is each family's own business.

/// The signs of `checks` whose condition holds.
pub(super) fn found<const N: usize>(checks: [(bool, Sign); N]) -> Vec<Sign> {
    checks.into_iter().filter(|(holds, _)| *holds).map(|(_, sign)| sign).collect()
}

macro_rules! signs {
    ($($(#[doc = $about:literal])* $family:ident $key:literal { $($(#[doc = $what:literal])* $sign:ident $name:literal,)* })*) => {
        /// A family of evidence: what may have one cause, and is capped together.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Family { $($(#[doc = $about])* $family,)* }

        impl Family {
            /// Every family.
            pub const ALL: &[Self] = &[$(Self::$family,)*];

            /// Its name in the file of weights.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$family => $key,)* }
            }
        }

        /// Something that speaks for a machine. Internal: for the operator, never for a partner, a page or a visitor.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Sign { $($($(#[doc = $what])* $sign,)*)* }

        impl Sign {
            /// Every sign.
            pub const ALL: &[Self] = &[$($(Self::$sign,)*)*];

            /// Its name in the file of weights.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$sign => $name,)*)* }
            }

            /// The family whose cap it counts under.
            #[must_use]
            pub const fn family(self) -> Family {
                match self { $($(Self::$sign => Family::$family,)*)* }
            }
        }
    };
}

signs! {
    /// The visitor itself says that it is a machine.
    Declared "declared" {
        /// A program says that it drives the browser.
        Driven "driven",
        /// The same, while a hand moves the pointer and nothing else shows a driver: a debugging port left open.
        DrivenByHand "driven_by_hand",
        /// A headless browser names itself so.
        Headless "headless",
        /// The user agent is that of a tool or library, or there is none.
        Tool "tool",
        /// A crawler names itself so.
        Crawler "crawler",
    }
    /// What drivers leave behind in a page.
    Traces "traces" {
        /// Names that a driver puts into the page.
        DriverGlobals "driver_globals",
        /// Several functions of the browser are wrapped.
        WrappedNatives "wrapped_natives",
        /// One function of the browser, or two, are wrapped.
        WrappedNative "wrapped_native",
        /// Something serialises what the page logs: the developer tools are open, or a driver is attached.
        ConsoleRead "console_read",
        /// A mouse's press without the pressure that the browser itself gives every press of a mouse, where a pointer moved
        /// to or came over what it pressed; or one in the very middle of what its pointer came over just then, without
        /// a movement: only the devtools protocol makes either. Assistive technology that asks the browser for a press
        /// has no pointer.
        InjectedPress "injected_press",
        /// `navigator.webdriver` is not as the browser defines it: elsewhere, wrapped, or taken away.
        WebdriverMoved "webdriver_moved",
        /// The browser has client hints and gives none.
        EmptyHints "empty_hints",
        /// The user agent of a Chromium that has client hints, without any.
        NoHints "no_hints",
    }
    /// Surroundings that no person has.
    Environment "environment" {
        /// The window is larger than the screen.
        WindowBeyondScreen "window_beyond_screen",
        /// The screen is made up: the page alone is as large, in a window with bars.
        EmulatedScreen "emulated_screen",
        /// The same, in a window that was fitted around the page: nobody emulates it with developer tools.
        FittedWindow "fitted_window",
        /// The screen is wider than high, and says that it stands upright.
        TurnedScreen "turned_screen",
        /// The window has no frame, bars or tabs although it is no full screen of a person's.
        BareWindow "bare_window",
        /// The screen of a headless browser.
        TinyScreen "tiny_screen",
        /// A desktop without any pointing device.
        NoPointer "no_pointer",
        /// The system's fonts and colours are those that a headless Firefox makes up.
        HeadlessTheme "headless_theme",
        /// The keyboard is the one that a headless Chromium makes up.
        HeadlessKeyboard "headless_keyboard",
        /// The graphics are drawn in software.
        SoftwareGraphics "software_graphics",
        /// A desktop Chromium without its built-in plugins.
        NoPlugins "no_plugins",
        /// A Chromium without the object that its pages have.
        NoChrome "no_chrome",
        /// The two interfaces that tell of notifications differ.
        PermissionsDiffer "permissions_differ",
        /// No language is preferred.
        NoLanguages "no_languages",
        /// A value that no browser gives.
        ImpossibleValue "impossible_value",
        /// The address is that of a hosting provider.
        Hosting "hosting",
    }
    /// The connection against the user agent.
    Connection "connection" {
        /// The ClientHello is not that of the browser that the user agent names.
        ForeignHello "foreign_hello",
        /// The HTTP/2 preface is not that browser's.
        ForeignPreface "foreign_preface",
        /// The headers do not come in that browser's order.
        HeaderOrder "header_order",
        /// That browser says from where it fetches, and this did not.
        NoFetchMetadata "no_fetch_metadata",
        /// That browser sends client hints, and this did not.
        NoHintHeaders "no_hint_headers",
        /// That browser sends no client hints, and this did.
        ForeignHintHeaders "foreign_hint_headers",
        /// The hints of the headers name another browser, version or system.
        HintHeadersDiffer "hint_headers_differ",
        /// No language is asked for.
        NoAcceptLanguage "no_accept_language",
        /// A header that every browser sends with a page's request did not come.
        NoNavigationHeaders "no_navigation_headers",
        /// The header and the page name different user agents.
        AgentsDiffer "agents_differ",
        /// The header and the page name different languages.
        LanguagesDiffer "languages_differ",
        /// The page was fetched by another user agent than the one that reports.
        OtherUserAgent "other_user_agent",
    }
    /// Engine and platform against the user agent.
    Identity "identity" {
        /// The engine is another than the user agent names.
        ForeignEngine "foreign_engine",
        /// The platform is another than the user agent names.
        ForeignPlatform "foreign_platform",
        /// The client hints name another browser, version or system.
        HintsDiffer "hints_differ",
        /// The client hints name a browser, and nothing of what they tell when asked: the user agent was set.
        HollowHints "hollow_hints",
        /// The graphics are those of another system.
        ForeignGraphics "foreign_graphics",
        /// A browser lacks what its version has.
        LacksAbilities "lacks_abilities",
        /// A phone without a touch screen.
        PhoneWithoutTouch "phone_without_touch",
    }
    /// The page against a frame and a worker of its own.
    Contexts "contexts" {
        /// A worker names another user agent or platform.
        WorkerDiffers "worker_differs",
        /// A frame names another user agent or platform.
        FrameDiffers "frame_differs",
        /// Another context has other languages, another zone or another number of threads.
        LocaleDiffers "locale_differs",
    }
    /// How the visitor moves.
    Behaviour "behaviour" {
        /// All clicks and moves were made by a script in the page.
        Untrusted "untrusted",
        /// Keys come faster than hands press them.
        FastKeys "fast_keys",
        /// Keys are released at once.
        ShortKeys "short_keys",
        /// Text is typed, and no key goes down.
        TypedWithoutKeys "typed_without_keys",
        /// A click without a way to it.
        ClickWithoutPath "click_without_path",
        /// A press that ends at once.
        ShortHold "short_hold",
        /// A click in the very middle of what it hits.
        Centred "centred",
        /// The pointer's place on the screen is that in the page, as only injected input has it.
        InjectedPlace "injected_place",
    }
    /// How the evidence arrived.
    Arrival "arrival" {
        /// The same bundle was seen in another session.
        Replayed "replayed",
        /// Another bundle came for the same session.
        SecondBundle "second_bundle",
    }
}
