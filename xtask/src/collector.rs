//! `cargo xtask collector`: builds what browsers download, from the Rust crate and the hand-written loader to the
//! precompressed files in `collector/assets`. The same source gives the same bytes on any machine.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

mod build;
mod files;
mod measure;
mod tools;

use files::Files;
pub(crate) use tools::npm_is_installed;

/// What a page loads at first may weigh, in brotli: the loader with its glue, and the WebAssembly module.
const SIZE_GOAL: usize = 20 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Writes nothing, and fails when what is checked in is not what the source builds
    #[arg(long)]
    check: bool,
    /// Measures the main-thread time of a collection in Chromium, with what is checked in
    #[arg(long)]
    measure: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = root();
    if options.measure {
        return measure::run();
    }
    tools::require_target()?;
    let readers = octet_collector::script::readers();
    let readers_path = root.join("collector/js/facts.js");
    if options.check {
        let present = std::fs::read_to_string(&readers_path).unwrap_or_default();
        if present != readers {
            bail!("collector/js/facts.js is not what the table makes; run `cargo xtask collector`");
        }
    } else {
        write(&readers_path, readers.as_bytes())?;
    }
    let built = build::all(&root)?;
    let files = Files::of(&built)?;
    if options.check {
        files.check(&root)?;
        println!("the collector that is checked in is what its source builds");
    } else {
        files.write(&root)?;
    }
    report(&files)
}

fn report(files: &Files) -> Result<()> {
    println!("{:<28} {:>8} {:>8} {:>8}", "file", "plain", "gzip", "brotli");
    for file in files.iter() {
        println!("{:<28} {:>8} {:>8} {:>8}", file.name, file.plain.len(), file.gzip.len(), file.brotli.len());
    }
    let weight: usize = files
        .iter()
        .filter(|file| ["octet-collector.js", "octet-collector.wasm"].contains(&file.name.as_str()))
        .map(|file| file.brotli.len())
        .sum();
    println!("loader, glue and WebAssembly together: {weight} bytes of brotli (goal: at most {SIZE_GOAL})");
    if weight > SIZE_GOAL {
        bail!("the collector is over its goal by {} bytes", weight - SIZE_GOAL);
    }
    println!("main-thread time in Chromium: `cargo xtask collector --measure`");
    Ok(())
}

/// The workspace's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// Where builds go: what cargo was told, or `target`.
fn target_dir(root: &Path) -> PathBuf {
    let told = std::env::var_os("CARGO_TARGET_DIR").and_then(|told| std::path::absolute(told).ok());
    told.unwrap_or_else(|| root.join("target"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}
