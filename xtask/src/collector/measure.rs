//! Main-thread time of a collection in Chromium.
use anyhow::Result;
use std::path::Path;
pub(super) fn run(_root: &Path) -> Result<()> {
    Ok(())
}
