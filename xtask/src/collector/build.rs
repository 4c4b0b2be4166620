//! The steps from source to the plain files: compile, bind, optimise, bundle. Each names the files that it refers to by
//! digest, so the order is WebAssembly, workers, the challenge, the assessment, loaders.

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
    let reader = module(root, &tools, &stage, "octet-collector", "glue", "-Oz")?;
    let work = module(root, &tools, &stage, "octet-collector-challenge", "challenge-glue", "-O3")?;
    let version = ("OCTET_VERSION", format!("\"{}\"", env!("CARGO_PKG_VERSION")));
    let bundle = |entry, format, constants: &[Constant]| bundle(&tools, &stage, entry, format, constants);

    let worker = bundle("worker.js", "iife", &[])?;
    let challenge_worker = bundle("challenge-worker.js", "iife", &[whole("OCTET_CHALLENGE_WASM", &work)])?;
    let challenge = bundle("challenge.js", "esm", &[named("OCTET_CHALLENGE_WORKER", &challenge_worker)])?;
    let assess = bundle("visit.js", "esm", &[version.clone(), named("OCTET_CHALLENGE", &challenge)])?;
    let constants =
        [version, whole("OCTET_WASM", &reader), named("OCTET_WORKER", &worker), named("OCTET_ASSESS", &assess)];
    let classic = bundle("classic.js", "iife", &constants)?;
    let module = bundle("module.js", "esm", &constants)?;
    let declarations = super::read(&stage.join("octet-collector.d.ts"))?;
    Ok([
        ("js", SCRIPT, classic),
        ("mjs", SCRIPT, module),
        ("wasm", WASM, reader),
        ("worker.js", SCRIPT, worker),
        ("d.ts", "text/plain; charset=utf-8", declarations),
        ("assess.mjs", SCRIPT, assess),
        ("challenge.mjs", SCRIPT, challenge),
        ("challenge.worker.js", SCRIPT, challenge_worker),
        ("challenge.wasm", WASM, work),
    ]
    .into_iter()
    .map(|(extension, media_type, bytes)| Plain { extension, media_type, bytes })
    .collect())
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const WASM: &str = "application/wasm";

/// A name in the scripts, and the expression that the build puts in its place.
type Constant = (&'static str, String);

/// What names a file: its digest.
fn named(name: &'static str, bytes: &[u8]) -> Constant {
    (name, format!("{{\"hash\":\"{}\"}}", digest(bytes)))
}

/// The same with the file's integrity, for what is fetched by script.
fn whole(name: &'static str, bytes: &[u8]) -> Constant {
    (name, format!("{{\"hash\":\"{}\",\"integrity\":\"{}\"}}", digest(bytes), integrity(bytes)))
}

/// A WebAssembly module, with its glue in the stage.
fn module(root: &Path, tools: &NodeTools, stage: &Path, package: &str, glue: &str, goal: &str) -> Result<Vec<u8>> {
    let bound = bind(&compile(root, package)?, stage, glue)?;
    optimise(tools, stage, &bound, goal)
}

/// Compiles a crate; paths of this machine are replaced, since some would end up in the module.
fn compile(root: &Path, package: &str) -> Result<PathBuf> {
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
        .args(["rustc", "--quiet", "--locked", "--package", package, "--lib", "--crate-type", "cdylib"])
        .args(["--profile", "collector", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .current_dir(root))
    .with_context(|| format!("{package} does not compile to WebAssembly"))?;
    Ok(target_dir.join(TARGET).join("collector").join(package.replace('-', "_")).with_extension("wasm"))
}

/// Writes the script `glue` and the bound module into the stage.
fn bind(module: &Path, stage: &Path, glue: &str) -> Result<PathBuf> {
    Bindgen::new()
        .input_path(module)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .out_name(glue)
                .typescript(false)
                .omit_default_module_path(true)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(stage)
        })
        .map_err(|error| anyhow!("wasm-bindgen cannot bind the collector: {error:#}"))?;
    Ok(stage.join(format!("{glue}_bg.wasm")))
}

fn optimise(tools: &NodeTools, stage: &Path, module: &Path, goal: &str) -> Result<Vec<u8>> {
    let optimised = stage.join("optimised.wasm");
    run(tools
        .command("wasm-opt")
        .args([goal, "--converge", "--strip-debug", "--strip-producers", "--strip-target-features"])
        .args(WASM_FEATURES)
        .arg(module)
        .arg("-o")
        .arg(&optimised))?;
    super::read(&optimised)
}

fn bundle(tools: &NodeTools, stage: &Path, entry: &str, format: &str, constants: &[Constant]) -> Result<Vec<u8>> {
    let out = stage.join(format!("bundled-{entry}"));
    let mut command = tools.command("esbuild");
    command.arg(entry).args(["--bundle", "--minify", "--legal-comments=none", "--charset=utf8", LANGUAGE]);
    command.arg(format!("--format={format}")).arg(format!("--outfile={}", out.display()));
    command.args(constants.iter().map(|(name, value)| format!("--define:{name}={value}")));
    run(command.current_dir(stage))?;
    super::read(&out)
}
