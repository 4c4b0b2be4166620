//! The programs that the zoo needs and a machine rarely has: fetched once into a folder of their own, from the package
//! registries' own clients.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// npm packages with their versions; drivers, and the detector that is shown beside.
const NPM: &[&str] = &[
    "@fingerprintjs/botd@2.0.0",
    "@sparticuz/chromium",
    "ghost-cursor",
    "patchright-core",
    "playwright-core",
    "playwright-extra",
    "puppeteer-core",
    "puppeteer-extra",
    "puppeteer-extra-plugin-stealth",
    "puppeteer-real-browser",
    "rebrowser-playwright-core",
    "rebrowser-puppeteer-core",
    "selenium-webdriver",
    "taiko",
    "webdriverio",
    "ws",
];

/// Python packages: drivers that hide, and clients that shake hands as browsers do.
const PYTHON: &[&str] = &[
    "DrissionPage",
    "aiohttp",
    "botasaurus-driver",
    "curl_cffi",
    "httpx[http2]",
    "nodriver",
    "playwright",
    "playwright-stealth",
    "pydoll-python",
    "requests",
    "selenium",
    "selenium-driverless",
    "seleniumbase",
    "setuptools",
    "tls-client",
    "undetected-chromedriver",
    "zendriver",
];

/// The folder with all of them. Browsers that few have are looked for where a member needs them.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    directory: PathBuf,
}

impl Tools {
    /// Installs what is not there yet.
    pub(super) fn install(directory: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let directory = directory.canonicalize().map_err(|error| error.to_string())?;
        let tools = Self { directory };
        for program in [
            "/usr/bin/chromium",
            "/usr/bin/chromedriver",
            "/usr/bin/firefox-esr",
            "/usr/bin/Xvfb",
            "/usr/bin/xdotool",
            "/usr/bin/certutil",
            "/usr/bin/dbus-run-session",
        ] {
            if !Path::new(program).exists() {
                return Err(format!(
                    "{program} is missing: `apt-get install chromium chromium-driver dbus firefox-esr gir1.2-atspi-2.0 python3-gi xvfb xdotool libnss3-tools curl`"
                ));
            }
        }
        tools.unless("node_modules/taiko/package.json", |tools| {
            write(&tools.directory.join("package.json"), "{ \"name\": \"zoo\", \"private\": true }")?;
            tools.run(Command::new("npm").args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]).args(NPM))
        })?;
        tools.unless("python/pydoll/__init__.py", |tools| {
            tools.run(Command::new("python3").args(["-m", "pip", "install", "-q", "--target", "python"]).args(PYTHON))
        })?;
        tools.unless("cargo/bin/geckodriver", |tools| {
            tools.run(Command::new("cargo").args(["install", "geckodriver", "--debug", "--locked", "--root", "cargo"]))
        })?;
        tools.unless("shell/usr/lib/chromium/chromium-headless-shell", |tools| {
            tools.run(Command::new("apt-get").args(["download", "chromium-headless-shell"]))?;
            // It looks for the resources of the whole browser beside itself.
            let unpack =
                "dpkg -x chromium-headless-shell_*.deb shell && cp -rsn /usr/lib/chromium/. shell/usr/lib/chromium/";
            tools.run(Command::new("sh").args(["-c", unpack]))
        })?;
        write(&tools.script("assist.py"), include_str!("assist.py"))?;
        write(&tools.script("drive.mjs"), include_str!("drive.mjs"))?;
        write(&tools.script("drive.py"), include_str!("drive.py"))?;
        write(&tools.script("fetch.py"), include_str!("fetch.py"))?;
        Ok(tools)
    }

    fn unless(&self, there: &str, install: impl FnOnce(&Self) -> Result<(), String>) -> Result<(), String> {
        if self.directory.join(there).exists() { Ok(()) } else { install(self) }
    }

    fn run(&self, command: &mut Command) -> Result<(), String> {
        println!("installing: {command:?}");
        let output = command.current_dir(&self.directory).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{command:?}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)))
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn script(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(super) fn python(&self) -> PathBuf {
        self.directory.join("python")
    }

    pub(super) fn headless_shell(&self) -> PathBuf {
        self.directory.join("shell/usr/lib/chromium/chromium-headless-shell")
    }

    /// The detector beside, as a module.
    pub(super) fn botd(&self) -> Result<String, String> {
        let path = self.directory.join("node_modules/@fingerprintjs/botd/dist/botd.esm.js");
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
