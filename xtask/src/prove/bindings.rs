//! The bindings of octet-device: writes each language's files, compares those of Kotlin and Swift with the golden ones,
//! runs Python against a service of its own, and compiles the others where their compilers can be had.

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
    report.push(kotlin(out, scratch.path())?);
    report.push(swift(out)?);
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
    if !starts("python3", "--version") {
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

/// Compiles the Kotlin files with an app's own: by the compiler that PyPI's `kotlin-jupyter-kernel` carries, for that of
/// Debian is older than what UniFFI writes. It has the coroutines too, and Debian has JNA.
fn kotlin(out: &Path, scratch: &Path) -> Result<String> {
    const COMPILER: &str = "kotlin-jupyter-kernel==0.19.0.944";
    const JNA: &str = "/usr/share/java/jna.jar";

    if !starts("java", "-version") {
        return Ok("Kotlin     skipped: there is no java".into());
    }
    if let Err(error) = crate::test::apt(&[(JNA, "libjna-java")], "the Kotlin bindings") {
        return Ok(format!("Kotlin     skipped: {error}"));
    }
    let wheel = scratch.join("wheel");
    let mut download = Command::new("python3");
    download.args(["-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", COMPILER, "-d"]).arg(&wheel);
    if step(&mut download).is_err() {
        return Ok(format!("Kotlin     skipped: {COMPILER} could not be fetched"));
    }
    let wheel = fs::read_dir(&wheel)?.next().context("pip leaves a wheel")??.path();
    step(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(scratch))?;
    let jars = format!("{}/*", scratch.join("run_kotlin_kernel/jars").display());
    let library =
        fs::read_dir(scratch.join("run_kotlin_kernel/jars"))?.map(|jar| Ok(jar?.path().display().to_string()));
    let library = library.collect::<Result<Vec<_>>>()?.join(":");
    let written = ["kotlin/uniffi/octet/octet.kt", "kotlin/OctetNames.kt"].map(|file| out.join(file));
    step(
        Command::new("java")
            .args(["-cp", &jars, "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect", "-nowarn"])
            .args(["-cp", &format!("{library}:{JNA}"), "-d"])
            .arg(scratch.join("classes"))
            .args(written)
            .arg(Path::new(ROOM).join("tests/example.kt")),
    )?;
    Ok("Kotlin     compiled with the documentation's example".into())
}

/// Checks the types of the Swift files where there is a compiler.
fn swift(out: &Path) -> Result<String> {
    if !starts("swiftc", "--version") {
        return Ok("Swift      skipped: there is no swiftc".into());
    }
    let mut command = Command::new("swiftc");
    command.arg("-typecheck").arg("-I").arg(out.join("swift"));
    command.arg(format!("-fmodule-map-file={}", out.join("swift/octetFFI.modulemap").display()));
    step(command.args(["swift/octet.swift", "swift/OctetNames.swift"].map(|file| out.join(file))))?;
    Ok("Swift      its types are right by swiftc".into())
}

fn starts(program: &str, version: &str) -> bool {
    Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
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
