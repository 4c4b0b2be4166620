//! The tools of the collector's build: the WebAssembly target, and the pinned npm packages in a cache of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Fails with what to do when the WebAssembly target is not installed.
pub(super) fn require_target() -> Result<()> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", super::build::TARGET])
        .output()
        .context("rustc cannot be started")?;
    let directory = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || !Path::new(&directory).is_dir() {
        bail!("the WebAssembly target is missing: `rustup target add {}`", super::build::TARGET);
    }
    Ok(())
}

/// Whether npm starts, and with it the Node.js that it and the build's tools are written for.
pub(crate) fn npm_is_installed() -> bool {
    Command::new("npm").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The npm packages of `collector/package-lock.json`, installed once per lock under the target directory.
pub(super) struct NodeTools {
    bin: PathBuf,
}

impl NodeTools {
    pub(super) fn install(root: &Path) -> Result<Self> {
        if !npm_is_installed() {
            bail!("npm is not installed: the collector's build needs it (on Debian: `apt-get install nodejs npm`)");
        }
        let directory = super::target_dir(root).join("collector-tools");
        let lock = super::read(&root.join("collector/package-lock.json"))?;
        let installed = directory.join("installed-lock.json");
        if std::fs::read(&installed).ok().as_deref() != Some(lock.as_slice()) {
            std::fs::create_dir_all(&directory)?;
            super::write(&directory.join("package.json"), &super::read(&root.join("collector/package.json"))?)?;
            super::write(&directory.join("package-lock.json"), &lock)?;
            run(Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(&directory))
            .context("the collector's build tools could not be installed")?;
            super::write(&installed, &lock)?;
        }
        Ok(Self { bin: directory.join("node_modules/.bin") })
    }

    /// A command that runs one of the tools.
    pub(super) fn command(&self, tool: &str) -> Command {
        Command::new(self.bin.join(tool))
    }
}

/// Runs to success, with its output shown only when it fails.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{:?} cannot be started", command.get_program()))?;
    if !output.status.success() {
        bail!(
            "{:?} failed ({})\n{}{}",
            command.get_program(),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
