//! How each member's program is started, with a profile of its own. It knows command lines, and nothing of what a visit
//! comes to.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::members::Member;
use super::tools::Tools;

#[derive(Debug, Clone, Copy)]
pub(super) enum Program {
    Chromium(&'static [&'static str]),
    /// The same, whose developer tools were left with these settings.
    Developed(&'static str),
    Firefox(&'static [&'static str], &'static [(&'static str, &'static str)]),
    /// Chromium as a screen reader uses it: presses are asked for over the desktop's accessibility bus.
    Assisted,
    /// Another browser of Debian's, by its name and its arguments.
    Browser(&'static str, &'static [&'static str]),
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

/// A page that is an application, and has a window without bars.
pub(super) const APP: &str = "--app=";

/// Where the system keeps the authorities that it believes.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

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

    /// A program of the system's that it needs and that is not there.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        let Program::Browser(program, _) = self.program else { return None };
        ["bwrap", program].into_iter().find(|name| !Path::new("/usr/bin").join(name).exists())
    }

    /// The program on its way to `url`, with a profile of its own.
    pub(super) async fn command(&self, url: &str, profile: &Path, place: &Place<'_>) -> std::io::Result<Command> {
        let tools = place.tools;
        believe(profile, &profile.join(".pki/nssdb"), place.authority).await?;
        let mut command = match self.program {
            Program::Chromium(flags) => chromium("/usr/bin/chromium".as_ref(), flags, url, profile),
            Program::Developed(tools) => {
                let folder = profile.join("Default");
                std::fs::create_dir_all(&folder)?;
                let settings = format!("{{\"devtools\": {{\"preferences\": {tools}}}}}");
                std::fs::write(folder.join("Preferences"), settings)?;
                chromium("/usr/bin/chromium".as_ref(), &[], url, profile)
            }
            // Browsers on WebKitGTK believe the system's authorities alone: these have a system with the shop's.
            Program::Browser(program, arguments) => {
                let mut command = Command::new("bwrap");
                command.args(["--dev-bind", "/", "/", "--ro-bind"]).arg(place.authority).arg(AUTHORITIES);
                command.arg(Path::new("/usr/bin").join(program)).args(arguments).arg(url);
                command.env("QTWEBENGINE_DISABLE_SANDBOX", "1").env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
                command
            }
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
        // Drivers leave files where they stand.
        command
            .current_dir(profile)
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
    command.arg(format!("--user-data-dir={}", profile.display()));
    match flags {
        [flags @ .., APP] => command.args(flags).arg(format!("{APP}{url}")),
        flags => command.args(flags).arg(url),
    };
    command
}
