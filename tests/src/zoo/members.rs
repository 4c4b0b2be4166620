//! Who lives in the zoo: people with their browsers' settings, and machines by how they are driven. A list, and how
//! each one's program is started.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::tools::Tools;

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
}

#[derive(Debug, Clone, Copy)]
enum Program {
    Chromium(&'static [&'static str]),
    Firefox(&'static [&'static str], &'static [(&'static str, &'static str)]),
    /// Chromium as a screen reader uses it: presses are asked for over the desktop's accessibility bus.
    Assisted,
    /// Chromium's old headless mode, a program of its own.
    Shell(&'static [&'static str]),
    /// A kind of `drive.mjs`.
    Drive(&'static str),
    /// A kind of `drive.py`.
    DrivePython(&'static str),
    /// A library and a name for `fetch.py`.
    Python(&'static str, &'static str),
    Curl(&'static [&'static str]),
    /// Node's own client.
    Node,
}

/// One member.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    pub(super) hand: Hand,
    program: Program,
    environment: &'static [(&'static str, &'static str)],
    /// Its page runs no script.
    blocked: bool,
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
const GERMAN: &[(&str, &str)] = &[("intl.accept_languages", "\"de-DE, de\"")];

const fn person(name: &'static str, hand: Hand, program: Program) -> Member {
    Member { name, kind: Kind::Person, hand, program, environment: &[("TZ", "America/New_York")], blocked: false }
}

/// A person whose browser runs no scripts of pages.
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

/// What keeps a fresh Chromium from errands of its own, and nothing that a page could see.
const CHROMIUM: &[&str] = &[
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--password-store=basic",
];

/// The same for Firefox.
const FIREFOX: &[(&str, &str)] = &[
    ("app.update.auto", "false"),
    ("app.normandy.enabled", "false"),
    ("browser.aboutwelcome.enabled", "false"),
    ("browser.preonboarding.enabled", "false"),
    ("browser.shell.checkDefaultBrowser", "false"),
    ("browser.startup.homepage_override.mstone", "\"ignore\""),
    ("datareporting.policy.dataSubmissionEnabled", "false"),
    ("network.captive-portal-service.enabled", "false"),
    ("network.connectivity-service.enabled", "false"),
    ("toolkit.telemetry.enabled", "false"),
    ("trailhead.firstrun.didSeeAboutWelcome", "true"),
];

impl Member {
    /// Whether its visit is a page that is fetched, and never read.
    pub(super) const fn only_fetches(&self) -> bool {
        self.blocked || matches!(self.program, Program::Python(..) | Program::Curl(_) | Program::Node)
    }

    /// The program on its way to `url`, with a profile of its own.
    pub(super) async fn command(&self, url: &str, profile: &Path, place: &Place<'_>) -> std::io::Result<Command> {
        let tools = place.tools;
        believe(profile, &profile.join(".pki/nssdb"), place.authority).await?;
        let mut command = match self.program {
            Program::Chromium(flags) => chromium("/usr/bin/chromium".as_ref(), flags, url, profile),
            Program::Assisted => {
                let browser = chromium("/usr/bin/chromium".as_ref(), &["--force-renderer-accessibility"], url, profile);
                let mut command = Command::new("dbus-run-session");
                command.args(["--", "/usr/bin/python3"]).arg(tools.script("assist.py"));
                command.arg(browser.as_std().get_program()).args(browser.as_std().get_args());
                command.env("ACCESSIBILITY_ENABLED", "1");
                command
            }
            Program::Shell(flags) => {
                let mut command = chromium(&tools.headless_shell(), flags, url, profile);
                // It ends with the page's load unless somebody could drive it.
                command.arg("--remote-debugging-port=9");
                command
            }
            Program::Firefox(flags, settings) => {
                believe(profile, profile, place.authority).await?;
                let preferences = FIREFOX.iter().chain(settings);
                let preferences: String =
                    preferences.map(|(name, value)| format!("user_pref(\"{name}\", {value});\n")).collect();
                std::fs::write(profile.join("user.js"), preferences)?;
                let mut command = Command::new("/usr/bin/firefox-esr");
                command.arg("-no-remote").arg("-profile").arg(profile);
                if !flags.contains(&"-headless") {
                    command.args(["-width", "1280", "-height", "900"]);
                }
                command.args(flags).arg(url);
                command
            }
            Program::Drive(kind) => {
                let mut command = Command::new("node");
                command.arg(tools.script("drive.mjs")).args([kind, url]).arg(profile);
                command
            }
            Program::DrivePython(kind) => {
                let mut command = Command::new("python3");
                command.arg(tools.script("drive.py")).args([kind, url]).arg(profile).env("PYTHONPATH", tools.python());
                command
            }
            Program::Node => {
                let mut command = Command::new("node");
                command.args(["--eval", "fetch(process.argv[1])", url]).env("NODE_TLS_REJECT_UNAUTHORIZED", "0");
                command
            }
            Program::Python(library, name) => {
                let mut command = Command::new("python3");
                command.arg(tools.script("fetch.py")).args([library, name, url]).env("PYTHONPATH", tools.python());
                command
            }
            Program::Curl(flags) => {
                let mut command = Command::new("curl");
                command.args(["--silent", "--insecure", "--output", "/dev/null"]).args(flags).arg(url);
                command
            }
        };
        command
            .envs(self.environment.iter().copied())
            .env("DISPLAY", place.display)
            .env("ZOO_TOOLS", tools.directory());
        command
            .env("HOME", profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        Ok(command)
    }
}

/// What every visit needs of its surroundings.
pub(super) struct Place<'a> {
    pub(super) tools: &'a Tools,
    pub(super) display: &'a str,
    /// The certificate of the authority to believe.
    pub(super) authority: &'a Path,
}

/// Has the browsers that keep their certificates in `database` believe the shop's authority.
async fn believe(home: &Path, database: &Path, authority: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(database)?;
    let database = format!("sql:{}", database.display());
    for arguments in [&["-N", "--empty-password"][..], &["-A", "-n", "zoo", "-t", "C,,", "-i"]] {
        let mut command = Command::new("certutil");
        command.env("HOME", home).args(["-d", &database]).args(arguments);
        if arguments[0] == "-A" {
            command.arg(authority);
        }
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().await?;
    }
    Ok(())
}

fn chromium(program: &Path, flags: &[&str], url: &str, profile: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(CHROMIUM).args(["--window-size=1280,900", "--window-position=20,20"]);
    command.arg(format!("--user-data-dir={}", profile.display())).args(flags).arg(url);
    command
}
