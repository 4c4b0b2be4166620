//! The bindings of octet-device: writes each language's files, compares those of Kotlin and Swift with the golden ones,
//! runs Python against a service of its own, and compiles the others where their compilers are.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

const ROOM: &str = "octet/device/bindings";
/// What is written, and where it stands as golden file.
const GOLDEN: [(&str, &str); 2] = [("kotlin/uniffi/octet/octet.kt", "octet.kt"), ("swift/octet.swift", "octet.swift")];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Writes the golden files instead of comparing them
    #[arg(long)]
    update: bool,
    /// Leaves the written files in this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let out = options.out.as_deref().unwrap_or(scratch.path());
    let library = write(out)?;
    let mut report = vec![golden(out, options.update)?];
    report.push(python(out, &library, scratch.path())?);
    report.push(compiled("Kotlin", "kotlinc", out, &["kotlin/uniffi/octet/octet.kt", "kotlin/OctetNames.kt"])?);
    report.push(compiled("Swift", "swiftc", out, &["swift/octet.swift", "swift/OctetNames.swift"])?);
    println!("\n{}", report.join("\n"));
    Ok(())
}

fn step(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// Builds the library and writes the files of all three languages.
fn write(out: &Path) -> Result<PathBuf> {
    step(Command::new(env!("CARGO")).args(["build", "-p", "octet-device-bindings", "-p", "octet-server"]))?;
    let name = format!("{}octet_device_bindings{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = target().join("debug").join(name);
    for (language, facade) in [("python", "octet_sdk.py"), ("kotlin", "OctetNames.kt"), ("swift", "OctetNames.swift")] {
        let folder = out.join(language);
        step(
            Command::new(env!("CARGO"))
                .args(["run", "-q", "--manifest-path", &format!("{ROOM}/generator/Cargo.toml"), "--"])
                .args(["generate", "--no-format", "--language", language, "--library"])
                .arg(&library)
                .arg("--out-dir")
                .arg(&folder),
        )?;
        fs::copy(Path::new(ROOM).join("facade").join(facade), folder.join(facade))?;
    }
    Ok(library)
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

fn golden(out: &Path, update: bool) -> Result<String> {
    for (written, kept) in GOLDEN {
        let (written, kept) = (out.join(written), Path::new(ROOM).join("golden").join(kept));
        if update {
            fs::copy(&written, &kept)?;
        } else if fs::read(&written)? != fs::read(&kept).unwrap_or_default() {
            bail!("{} is not what is written now: `cargo xtask prove bindings --update`", kept.display());
        }
    }
    Ok("golden     Kotlin and Swift are as checked in".into())
}

/// The documentation's example in Python, against a service of its own.
fn python(out: &Path, library: &Path, scratch: &Path) -> Result<String> {
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        return Ok("Python     skipped: there is no python3".into());
    }
    let folder = out.join("python");
    let name = library.file_name().context("the library has a name")?;
    fs::copy(library, folder.join(name))?;
    let service = Service::start(scratch)?;
    step(
        Command::new("python3")
            .arg(fs::canonicalize(Path::new(ROOM).join("tests/example.py"))?)
            .env("PYTHONPATH", &folder)
            .env("OCTET_URL", &service.url)
            .env("OCTET_LICENSE", &service.license),
    )?;
    Ok("Python     the documentation's example ran".into())
}

/// Compiles `files` where `compiler` is installed.
fn compiled(language: &str, compiler: &str, out: &Path, files: &[&str]) -> Result<String> {
    if Command::new(compiler).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        return Ok(format!("{language:<10} skipped: there is no {compiler}"));
    }
    let mut command = Command::new(compiler);
    if language == "Swift" {
        command.arg("-typecheck").arg("-I").arg(out.join("swift"));
        command.arg(format!("-fmodule-map-file={}", out.join("swift/octetFFI.modulemap").display()));
    } else {
        command.arg("-d").arg(out.join("classes"));
    }
    step(command.args(files.iter().map(|file| out.join(file))))?;
    Ok(format!("{language:<10} compiled by {compiler}"))
}

/// A service for tests on a port of its own, which ends with this.
struct Service {
    child: Child,
    url: String,
    license: String,
}

impl Service {
    fn start(scratch: &Path) -> Result<Self> {
        let octet = || {
            let mut command = Command::new(target().join("debug/octet"));
            command.env("OCTET_DATABASE", scratch.join("octet.db"));
            command
        };
        step(octet().args(["partner", "add", "shop"]).stdout(Stdio::null()))?;
        let arguments = ["license", "issue", "--partner", "shop", "--product", "mobile", "--environment", "test"];
        let issued = octet().args(arguments).output()?;
        let text = String::from_utf8(issued.stdout)?;
        let license = text.split_whitespace().find(|word| word.starts_with("octet_test_"));
        let license = license.context("`octet license issue` prints a key")?.to_owned();
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut serve = octet();
        serve.args(["serve", "--environment", "test", "--log", "error", "--listen", &address.to_string()]);
        let service = Self { child: serve.spawn()?, url: format!("http://{address}"), license };
        let begun = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            ensure!(begun.elapsed() < Duration::from_secs(30), "the service does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(service)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It is this process's own child, and may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
