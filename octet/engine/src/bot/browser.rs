//! What a user agent claims to be: its browser's family and version, its system, whether it is a phone. It reads a
//! text, and believes nothing of it.

/// The families of browsers that behave alike on the wire and in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Chromium,
    Firefox,
    /// Safari, and everything on iOS.
    WebKit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Windows,
    Mac,
    Linux,
    ChromeOs,
    Android,
    Ios,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) engine: Option<Engine>,
    pub(super) version: u32,
    pub(super) system: Option<System>,
}

impl Claim {
    pub(super) fn of(agent: &str) -> Self {
        let has = |word: &str| agent.contains(word);
        let system = if has("iPhone") || has("iPad") || has("iPod") {
            Some(System::Ios)
        } else if has("Android") {
            Some(System::Android)
        } else if has("Windows NT") {
            Some(System::Windows)
        } else if has("CrOS") {
            Some(System::ChromeOs)
        } else if has("Macintosh") {
            Some(System::Mac)
        } else if has("Linux") || has("X11") {
            Some(System::Linux)
        } else {
            None
        };
        let version = |word: &str| {
            let (_, rest) = agent.split_once(word)?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        let (engine, version) = if system == Some(System::Ios) {
            (Some(Engine::WebKit), version("Version/").or_else(|| version(" OS ")))
        } else if let Some(found) = version("Firefox/") {
            (Some(Engine::Firefox), Some(found))
        } else if let Some(found) = version("Chrome/").or_else(|| version("HeadlessChrome/")) {
            (Some(Engine::Chromium), Some(found))
        } else if has("AppleWebKit/") && has("Safari/") {
            (Some(Engine::WebKit), version("Version/"))
        } else {
            (None, None)
        };
        Self { engine, version: version.unwrap_or_default(), system }
    }

    pub(super) fn is(&self, engine: Engine, from: u32) -> bool {
        self.engine == Some(engine) && self.version >= from
    }

    /// Whether this browser has `navigator.webdriver`, which no setting takes away: those that were split from an older
    /// Firefox name a newer one and have none, and of apps on iOS nobody looked.
    pub(super) fn has_webdriver(&self, agent: &str) -> bool {
        let split = ["Goanna/", "SeaMonkey/"].iter().any(|name| agent.contains(name));
        let since = self.is(Engine::Chromium, 89) || self.is(Engine::Firefox, 89) || self.is(Engine::WebKit, 16);
        since && !split && self.system != Some(System::Ios)
    }

    /// A system with a mouse or touchpad as a rule. Chromebooks and tablets in desktop mode have touch screens, and
    /// say so.
    pub(super) const fn is_desktop(&self) -> bool {
        matches!(self.system, Some(System::Windows | System::Mac | System::Linux))
    }

    pub(super) const fn is_handheld(&self) -> bool {
        matches!(self.system, Some(System::Android | System::Ios))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_read_as_what_they_claim() {
        let table = [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                (Some(Engine::Chromium), 156, Some(System::Linux)),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0",
                (Some(Engine::Firefox), 153, Some(System::Windows)),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
                (Some(Engine::WebKit), 18, Some(System::Mac)),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/130.0.6723.90 Mobile/15E148 Safari/604.1",
                (Some(Engine::WebKit), 18, Some(System::Ios)),
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
                (Some(Engine::Chromium), 125, Some(System::Android)),
            ),
            ("curl/8.5.0", (None, 0, None)),
            ("Chrome/99999999999999999999", (None, 0, None)),
        ];
        for (agent, (engine, version, system)) in table {
            assert_eq!(Claim::of(agent), Claim { engine, version, system }, "{agent}");
        }
    }

    #[test]
    fn a_browser_has_webdriver_where_no_setting_takes_it_away() {
        for (agent, has) in [
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                true,
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", true),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:78.0) Gecko/20100101 Firefox/78.0", false),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Goanna/6.2 Firefox/102.0 PaleMoon/33.3", false),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)", false),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)", false),
        ] {
            assert_eq!(Claim::of(agent).has_webdriver(agent), has, "{agent}");
        }
    }
}
