//! The steps from source to the five plain files: compile, bind, optimise, bundle. Each names the files that it refers
//! to by digest, so the order is WebAssembly, worker, loaders.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use wasm_bindgen_cli_support::Bindgen;

use super::files::{Plain, digest, integrity};
use super::tools::{NodeTools, run};

pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// What the compiler's default for the target allows, and every browser with streaming compilation has.
const WASM_FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The oldest language version that the bundles are written for: optional chaining, and no classes' newer parts.
const LANGUAGE: &str = "--target=es2020";

pub(super) fn all(root: &Path) -> Result<Vec<Plain>> {
    let tools = NodeTools::install(root)?;
    let stage = super::target_dir(root).join("collector-stage");
    if stage.exists() {
        std::fs::remove_dir_all(&stage)?;
    }
    std::fs::create_dir_all(&stage)?;
    for entry in std::fs::read_dir(root.join("collector/js"))? {
        let path = entry?.path();
        if let Some(name) = path.file_name() {
            super::write(&stage.join(name), &super::read(&path)?)?;
        }
    }
    let wasm = optimise(&tools, &stage, &bind(&compile(root)?, &stage)?)?;
    let worker = bundle(&tools, &stage, "worker.js", "iife", &[])?;
    let constants = [
        ("OCTET_VERSION", format!("\"{}\"", env!("CARGO_PKG_VERSION"))),
        ("OCTET_WASM", format!("{{\"hash\":\"{}\",\"integrity\":\"{}\"}}", digest(&wasm), integrity(&wasm))),
        ("OCTET_WORKER", format!("{{\"hash\":\"{}\"}}", digest(&worker))),
    ];
    let classic = bundle(&tools, &stage, "classic.js", "iife", &constants)?;
    let module = bundle(&tools, &stage, "module.js", "esm", &constants)?;
    let declarations = super::read(&stage.join("octet-collector.d.ts"))?;
    Ok(vec![
        Plain { extension: "js", media_type: "text/javascript; charset=utf-8", bytes: classic },
        Plain { extension: "mjs", media_type: "text/javascript; charset=utf-8", bytes: module },
        Plain { extension: "wasm", media_type: "application/wasm", bytes: wasm },
        Plain { extension: "worker.js", media_type: "text/javascript; charset=utf-8", bytes: worker },
        Plain { extension: "d.ts", media_type: "text/plain; charset=utf-8", bytes: declarations },
    ])
}

/// Compiles the crate; paths of this machine are replaced, since some would end up in the module.
fn compile(root: &Path) -> Result<PathBuf> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().context("rustc cannot be started")?;
    let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    let cargo_home =
        std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    let target_dir = super::target_dir(root);
    let mut flags = vec![
        format!("--remap-path-prefix={}=/octet", root.display()),
        format!("--remap-path-prefix={}=/target", target_dir.display()),
        format!("--remap-path-prefix={sysroot}=/rust"),
    ];
    flags.extend(cargo_home.ok().map(|home| format!("--remap-path-prefix={home}=/cargo")));
    run(Command::new("cargo")
        .args(["rustc", "--quiet", "--locked", "--package", "octet-collector", "--lib", "--crate-type", "cdylib"])
        .args(["--profile", "collector", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .current_dir(root))
    .context("the collector does not compile to WebAssembly")?;
    Ok(target_dir.join(TARGET).join("collector/octet_collector.wasm"))
}

/// Writes `glue.js` and the bound module into the stage.
fn bind(module: &Path, stage: &Path) -> Result<PathBuf> {
    Bindgen::new()
        .input_path(module)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .out_name("glue")
                .typescript(false)
                .omit_default_module_path(true)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(stage)
        })
        .map_err(|error| anyhow!("wasm-bindgen cannot bind the collector: {error:#}"))?;
    Ok(stage.join("glue_bg.wasm"))
}

fn optimise(tools: &NodeTools, stage: &Path, module: &Path) -> Result<Vec<u8>> {
    let optimised = stage.join("optimised.wasm");
    run(tools
        .command("wasm-opt")
        .args(["-Oz", "--converge", "--strip-debug", "--strip-producers", "--strip-target-features"])
        .args(WASM_FEATURES)
        .arg(module)
        .arg("-o")
        .arg(&optimised))?;
    super::read(&optimised)
}

fn bundle(tools: &NodeTools, stage: &Path, entry: &str, format: &str, constants: &[(&str, String)]) -> Result<Vec<u8>> {
    let out = stage.join(format!("bundled-{entry}"));
    let mut command = tools.command("esbuild");
    command.arg(entry).args(["--bundle", "--minify", "--legal-comments=none", "--charset=utf8", LANGUAGE]);
    command.arg(format!("--format={format}")).arg(format!("--outfile={}", out.display()));
    command.args(constants.iter().map(|(name, value)| format!("--define:{name}={value}")));
    run(command.current_dir(stage))?;
    super::read(&out)
}
