//! Who lives in the zoo: people with their browsers' settings, and machines by how they are driven. A list: how each
//! one's program is started is another's business.

use super::programs::{APP, Program};

/// Whether a person or a program sits at the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A window under an X server, moved as hands move it.
    Person,
    /// A program.
    Machine,
}

/// What moves a person's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hand {
    Nothing,
    Mouse,
    Keyboard,
    /// The mouse, then words.
    Typing,
    /// A click without a way to it, as switches and eye trackers make it.
    Switch,
    /// The mouse, on a page that the keyboard made larger.
    Zooming,
    /// The mouse, beside developer tools that a key opens meanwhile.
    Developing,
}

/// One member.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    pub(super) hand: Hand,
    pub(super) program: Program,
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// Its page runs no script, or is too old for the collector's.
    pub(super) blocked: bool,
    /// What is pressed when the page was read, and has it read once more.
    pub(super) again: Option<&'static str>,
}

/// What developer tools keep that were left with a device in the page's place.
macro_rules! device {
    ($name:literal) => {
        concat!(
            r#"{"emulation.show-device-mode": "true", "emulation.device-mode-value": "#,
            r#""{\"device\":\""#,
            $name,
            r#"\",\"orientation\":\"vertical\",\"mode\":\"default\"}"}"#
        )
    };
}

const WINDOWS: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const WINDOWS_FLAG: &str = "--user-agent=Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const LINUX_FLAG: &str = "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const SOFTWARE: &[&str] = &["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const BERLIN: &[(&str, &str)] = &[("TZ", "Europe/Berlin"), ("LANGUAGE", "de_DE:de"), ("LANG", "de_DE.UTF-8")];
const ENGLISH: &[(&str, &str)] = &[("TZ", "America/New_York"), ("LANGUAGE", "en_US:en"), ("LANG", "en_US.UTF-8")];
const UTC: &[(&str, &str)] = &[("TZ", "UTC")];
const STRICT: &[(&str, &str)] = &[
    ("browser.contentblocking.category", "\"strict\""),
    ("privacy.fingerprintingProtection", "true"),
    ("privacy.trackingprotection.enabled", "true"),
];
const LETTERBOX: &[(&str, &str)] =
    &[("privacy.resistFingerprinting", "true"), ("privacy.resistFingerprinting.letterboxing", "true")];
/// As people set who read guides to a private Firefox.
const HARDENED: &[(&str, &str)] = &[
    ("beacon.enabled", "false"),
    ("browser.display.use_document_fonts", "0"),
    ("dom.event.clipboardevents.enabled", "false"),
    ("dom.serviceWorkers.enabled", "false"),
    ("dom.storage.enabled", "false"),
    ("dom.webaudio.enabled", "false"),
    ("dom.webnotifications.enabled", "false"),
    ("geo.enabled", "false"),
    ("media.navigator.enabled", "false"),
    ("media.peerconnection.enabled", "false"),
    ("network.cookie.cookieBehavior", "2"),
    ("network.http.sendRefererHeader", "0"),
    ("privacy.donottrackheader.enabled", "true"),
    ("privacy.globalprivacycontrol.enabled", "true"),
    ("webgl.disabled", "true"),
];
const DISGUISE: &[(&str, &str)] = &[(
    "general.useragent.override",
    "\"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0\"",
)];
/// A page that a program draws for itself.
const QTWEBENGINE: &str = "
import os, sys
os.environ.update(QT_QPA_PLATFORM='offscreen', QTWEBENGINE_DISABLE_SANDBOX='1')
from PyQt5.QtCore import QUrl
from PyQt5.QtWidgets import QApplication
from PyQt5.QtWebEngineWidgets import QWebEngineView
app = QApplication(sys.argv)
view = QWebEngineView()
view.load(QUrl(sys.argv[1]))
view.show()
app.exec()
";
/// Keys that open developer tools, or a phone in their place, and load the page anew.
const TOOLS: &str = "key F12 sleep 2.5 key F5";
const DEVICE: &str = "key F12 sleep 2.5 key ctrl+shift+m sleep 1.5 key F5";
const RESPONSIVE: &str = "key ctrl+shift+m sleep 2.5 key F5";
/// What developer tools keep of their last use, and begin with the next time.
const UNDOCKED: &str = r#"{"currentDockState": "\"undocked\""}"#;
const IPHONE: &str = device!("iPhone 16");
const IPAD: &str = device!("iPad Mini");
const PIXEL: &str = device!("Pixel 9");
const SURFACE: &str = device!("Surface Pro 10");
const GERMAN: &[(&str, &str)] = &[("intl.accept_languages", "\"de-DE, de\"")];

const fn person(name: &'static str, hand: Hand, program: Program) -> Member {
    Member {
        name,
        kind: Kind::Person,
        hand,
        program,
        environment: &[("TZ", "America/New_York")],
        blocked: false,
        again: None,
    }
}

/// A person whose browser runs no scripts of pages, or is too old for the collector's.
const fn blocking(name: &'static str, program: Program) -> Member {
    Member { blocked: true, ..person(name, Hand::Mouse, program) }
}

const fn machine(name: &'static str, program: Program) -> Member {
    Member { kind: Kind::Machine, ..person(name, Hand::Nothing, program) }
}

impl Member {
    const fn at(self, environment: &'static [(&'static str, &'static str)]) -> Self {
        Self { environment, ..self }
    }

    /// A visit that is judged after these keys were pressed, which load its page once more.
    const fn again(self, keys: &'static str) -> Self {
        Self { again: Some(keys), ..self }
    }
}

/// Everyone.
pub const MEMBERS: &[Member] = &[
    person("chromium", Hand::Mouse, Program::Chromium(&[])),
    person("chromium-incognito", Hand::Mouse, Program::Chromium(&["--incognito"])),
    person("chromium-german", Hand::Mouse, Program::Chromium(&["--lang=de-DE", "--accept-lang=de-DE,de"])).at(BERLIN),
    person("chromium-utc", Hand::Mouse, Program::Chromium(&[])).at(UTC),
    person("chromium-software-webgl", Hand::Mouse, Program::Chromium(SOFTWARE)),
    person("chromium-no-webgl", Hand::Mouse, Program::Chromium(&["--disable-3d-apis"])),
    person("chromium-devtools", Hand::Mouse, Program::Chromium(&["--auto-open-devtools-for-tabs"])),
    person("chromium-devtools-opening", Hand::Developing, Program::Chromium(&[])),
    person("chromium-devtools-reload", Hand::Mouse, Program::Chromium(&[])).again(TOOLS),
    person("chromium-devtools-window", Hand::Mouse, Program::Developed(UNDOCKED)).again(TOOLS),
    person("chromium-device-mode", Hand::Mouse, Program::Chromium(&[])).again(DEVICE),
    person("chromium-device-iphone", Hand::Mouse, Program::Developed(IPHONE)).again(TOOLS),
    person("chromium-device-pixel", Hand::Mouse, Program::Developed(PIXEL)).again(TOOLS),
    person("chromium-device-surface", Hand::Mouse, Program::Developed(SURFACE)).again(TOOLS),
    person("chromium-device-ipad", Hand::Mouse, Program::Developed(IPAD)).again(TOOLS),
    person("chromium-keyboard", Hand::Keyboard, Program::Chromium(&[])),
    person("chromium-switch", Hand::Switch, Program::Chromium(&[])),
    person("chromium-idle", Hand::Nothing, Program::Chromium(&[])),
    person("chromium-user-agent", Hand::Mouse, Program::Chromium(&[WINDOWS_FLAG])),
    person("chromium-debugging-port", Hand::Mouse, Program::Chromium(&["--remote-debugging-port=0"])),
    person("chromium-zoomed", Hand::Mouse, Program::Chromium(&["--force-device-scale-factor=1.5"])),
    person("chromium-small", Hand::Mouse, Program::Chromium(&["--window-size=900,700"])),
    person("chromium-maximised", Hand::Mouse, Program::Chromium(&["--start-maximized"])),
    person("chromium-fullscreen", Hand::Mouse, Program::Chromium(&["--start-fullscreen"])),
    person(
        "chromium-dark",
        Hand::Mouse,
        Program::Chromium(&["--force-dark-mode", "--enable-features=WebContentsForceDark"]),
    ),
    person("chromium-reduced-motion", Hand::Mouse, Program::Chromium(&["--force-prefers-reduced-motion"])),
    person("chromium-touch", Hand::Mouse, Program::Chromium(&["--touch-events=enabled"])),
    person("chromium-jitless", Hand::Mouse, Program::Chromium(&["--js-flags=--jitless"])),
    person("chromium-typing", Hand::Typing, Program::Chromium(&[])),
    person("chromium-assisted", Hand::Nothing, Program::Assisted),
    person("chromium-zooming", Hand::Zooming, Program::Chromium(&[])),
    blocking("chromium-no-script", Program::Chromium(&["--blink-settings=scriptEnabled=false"])),
    person("firefox", Hand::Mouse, Program::Firefox(&[], &[])),
    person("firefox-private", Hand::Mouse, Program::Firefox(&["-private-window"], &[])),
    person("firefox-german", Hand::Mouse, Program::Firefox(&[], GERMAN)).at(BERLIN),
    person("firefox-utc", Hand::Mouse, Program::Firefox(&[], &[])).at(UTC),
    person("firefox-resist", Hand::Mouse, Program::Firefox(&[], &[("privacy.resistFingerprinting", "true")])),
    person("firefox-no-webgl", Hand::Mouse, Program::Firefox(&[], &[("webgl.disabled", "true")])),
    person("firefox-devtools-opening", Hand::Developing, Program::Firefox(&[], &[])),
    person("firefox-devtools-reload", Hand::Mouse, Program::Firefox(&[], &[])).again(TOOLS),
    person("firefox-device-mode", Hand::Mouse, Program::Firefox(&[], &[])).again(RESPONSIVE),
    person("firefox-keyboard", Hand::Keyboard, Program::Firefox(&[], &[])),
    person("firefox-switch", Hand::Switch, Program::Firefox(&[], &[])),
    person("firefox-zoomed", Hand::Mouse, Program::Firefox(&[], &[("layout.css.devPixelsPerPx", "\"1.5\"")])),
    person("firefox-dark", Hand::Mouse, Program::Firefox(&[], &[("ui.systemUsesDarkTheme", "1")])),
    person(
        "firefox-jitless",
        Hand::Mouse,
        Program::Firefox(
            &[],
            &[
                ("javascript.options.baselinejit", "false"),
                ("javascript.options.ion", "false"),
                ("javascript.options.wasm", "false"),
            ],
        ),
    ),
    person("firefox-typing", Hand::Typing, Program::Firefox(&[], &[])),
    person("firefox-zooming", Hand::Zooming, Program::Firefox(&[], &[])),
    person("firefox-strict", Hand::Mouse, Program::Firefox(&[], STRICT)),
    person("firefox-letterbox", Hand::Mouse, Program::Firefox(&[], LETTERBOX)),
    blocking("firefox-no-script", Program::Firefox(&[], &[("javascript.enabled", "false")])),
    blocking("qutebrowser", Program::Browser("qutebrowser", &["--temp-basedir"])),
    blocking("falkon", Program::Browser("falkon", &["--private-browsing"])),
    person("epiphany", Hand::Mouse, Program::Browser("epiphany", &["--private-instance"])).at(ENGLISH),
    person("surf", Hand::Mouse, Program::Browser("surf", &[])).at(ENGLISH),
    person("luakit", Hand::Mouse, Program::Browser("luakit", &[])).at(ENGLISH),
    person("chromium-app", Hand::Mouse, Program::Chromium(&[APP])),
    person("chromium-kiosk", Hand::Mouse, Program::Chromium(&["--kiosk"])),
    person("chromium-contrast", Hand::Mouse, Program::Chromium(&["--force-high-contrast"])),
    person("chromium-arabic", Hand::Mouse, Program::Chromium(&["--lang=ar", "--accept-lang=ar-EG,ar"])),
    person("firefox-hardened", Hand::Mouse, Program::Firefox(&[], HARDENED)),
    person("firefox-kiosk", Hand::Mouse, Program::Firefox(&["-kiosk"], &[])),
    machine("chromium-headless", Program::Chromium(&["--headless=new"])),
    machine(
        "chromium-headless-disguised",
        Program::Chromium(&["--headless=new", LINUX_FLAG, "--screen-info={1920x1080}"]),
    ),
    machine("chromium-headless-as-windows", Program::Chromium(&["--headless=new", WINDOWS_FLAG])),
    machine("headless-shell", Program::Shell(&[])),
    machine("headless-shell-disguised", Program::Shell(&[LINUX_FLAG, "--window-size=1920,1080"])),
    machine("firefox-headless", Program::Firefox(&["-headless"], &[])),
    machine("playwright", Program::Drive("playwright")),
    machine("playwright-window", Program::Drive("playwright-window")),
    machine("playwright-hidden-window", Program::Drive("playwright-hidden-window")),
    machine("playwright-undefined-window", Program::Drive("playwright-undefined-window")),
    machine("playwright-deleted-window", Program::Drive("playwright-deleted-window")),
    machine("playwright-phone", Program::Drive("playwright-phone")),
    machine("puppeteer", Program::Drive("puppeteer")),
    machine("puppeteer-window", Program::Drive("puppeteer-window")),
    machine("puppeteer-disguised", Program::Drive("puppeteer-disguised")),
    machine("puppeteer-disguised-window", Program::Drive("puppeteer-disguised-window")),
    machine("puppeteer-bidi", Program::Drive("puppeteer-bidi")),
    machine("puppeteer-bidi-window", Program::Drive("puppeteer-bidi-window")),
    machine("puppeteer-firefox", Program::Drive("puppeteer-firefox")),
    machine("stealth", Program::Drive("stealth")),
    machine("stealth-window", Program::Drive("stealth-window")),
    machine("puppeteer-plain-window", Program::Drive("puppeteer-plain-window")),
    machine("puppeteer-firefox-window", Program::Drive("puppeteer-firefox-window")),
    machine("patchright-headless", Program::Drive("patchright-headless")),
    machine("patchright-window", Program::Drive("patchright-window")),
    machine("patchright-window-silent", Program::Drive("patchright-window-silent")),
    machine("rebrowser-headless", Program::Drive("rebrowser-headless")),
    machine("rebrowser-window", Program::Drive("rebrowser-window")),
    machine("rebrowser-window-silent", Program::Drive("rebrowser-window-silent")),
    machine("rebrowser-playwright-window", Program::Drive("rebrowser-playwright-window")),
    machine("extra-headless", Program::Drive("extra-headless")),
    machine("extra-window", Program::Drive("extra-window")),
    machine("real-browser", Program::Drive("real-browser")),
    machine("real-browser-silent", Program::Drive("real-browser-silent")),
    machine("sparticuz", Program::Drive("sparticuz")),
    machine("undetected-headless", Program::DrivePython("undetected-headless")),
    machine("undetected-window", Program::DrivePython("undetected-window")),
    machine("undetected-window-silent", Program::DrivePython("undetected-window-silent")),
    machine("nodriver-headless", Program::DrivePython("nodriver-headless")),
    machine("nodriver-window", Program::DrivePython("nodriver-window")),
    machine("zendriver-headless", Program::DrivePython("zendriver-headless")),
    machine("zendriver-window", Program::DrivePython("zendriver-window")),
    machine("drission-headless", Program::DrivePython("drission-headless")),
    machine("drission-window", Program::DrivePython("drission-window")),
    machine("drission-window-silent", Program::DrivePython("drission-window-silent")),
    machine("driverless-headless", Program::DrivePython("driverless-headless")),
    machine("driverless-window", Program::DrivePython("driverless-window")),
    machine("botasaurus-headless", Program::DrivePython("botasaurus-headless")),
    machine("botasaurus-window", Program::DrivePython("botasaurus-window")),
    machine("webkitgtk-window", Program::DrivePython("webkitgtk-window")).at(ENGLISH),
    machine("selenium-excluded", Program::Drive("selenium-excluded")),
    machine("selenium-excluded-window", Program::Drive("selenium-excluded-window")),
    machine("selenium-chromium", Program::Drive("selenium-chromium")),
    machine("selenium-chromium-window", Program::Drive("selenium-chromium-window")),
    machine("selenium-hidden-window", Program::Drive("selenium-hidden-window")),
    machine("selenium-firefox", Program::Drive("selenium-firefox")),
    machine("selenium-firefox-window", Program::Drive("selenium-firefox-window")),
    machine("protocol", Program::Drive("protocol")),
    machine("protocol-window", Program::Drive("protocol-window")),
    machine("protocol-hidden", Program::Drive("protocol-hidden")),
    machine("protocol-hidden-window", Program::Drive("protocol-hidden-window")),
    machine("protocol-forceful-window", Program::Drive("protocol-forceful-window")),
    machine("protocol-silent-window", Program::Drive("protocol-silent-window")),
    machine("playwright-iphone-hidden-window", Program::Drive("playwright-iphone-hidden-window")),
    machine("playwright-attached-window", Program::Drive("playwright-attached-window")),
    machine("playwright-attached-window-silent", Program::Drive("playwright-attached-window-silent")),
    machine("puppeteer-attached-window", Program::Drive("puppeteer-attached-window")),
    machine("cursor-window", Program::Drive("cursor-window")),
    machine("webdriverio", Program::Drive("webdriverio")),
    machine("webdriverio-hidden-window", Program::Drive("webdriverio-hidden-window")),
    machine("taiko", Program::Drive("taiko")),
    machine("taiko-window", Program::Drive("taiko-window")),
    machine("pydoll-headless", Program::DrivePython("pydoll-headless")),
    machine("pydoll-window", Program::DrivePython("pydoll-window")),
    machine("concealed-headless", Program::DrivePython("concealed-headless")),
    machine("concealed-window", Program::DrivePython("concealed-window")),
    machine("seleniumbase-headless", Program::DrivePython("seleniumbase-headless")),
    machine("seleniumbase-window", Program::DrivePython("seleniumbase-window")),
    Member { blocked: true, ..machine("qtwebengine-offscreen", Program::Browser("python3", &["-c", QTWEBENGINE])) },
    machine("firefox-headless-disguised", Program::Firefox(&["-headless", "--window-size=1920,1080"], DISGUISE)),
    machine("node", Program::Node),
    machine("aiohttp", Program::Python("aiohttp", "own")),
    machine("tls-client", Program::Python("tls_client", WINDOWS)),
    machine("curl-impersonate", Program::Python("curl_cffi", "own")),
    machine("curl", Program::Curl(&[])),
    machine("curl-as-browser", Program::Curl(&["--user-agent", WINDOWS])),
    machine("requests", Program::Python("requests", "own")),
    machine("requests-as-browser", Program::Python("requests", WINDOWS)),
    machine("httpx", Program::Python("httpx", "own")),
    machine("httpx-as-browser", Program::Python("httpx", WINDOWS)),
];
