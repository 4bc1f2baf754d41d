//! Files that are written whole or not at all, and the folder for what is kept between runs.

use crate::{Error, Result};
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The variable that names the folder instead of the user's.
pub const FOLDER_VARIABLE: &str = "MNIST_GPU_CACHE_DIR";

/// Where the program keeps what it found out about this machine: `MNIST_GPU_CACHE_DIR`, or `mnist-gpu` in the user's cache
/// folder. None where neither is known, or the variable is empty.
pub fn user_folder() -> Option<PathBuf> {
    match std::env::var_os(FOLDER_VARIABLE) {
        Some(folder) => (!folder.is_empty()).then(|| folder.into()),
        None => choose_native_strategy().ok().map(|folders| folders.cache_dir().join("mnist-gpu")),
    }
}

/// Writes a file under a temporary name beside its own, syncs it, and renames it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unfinished-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What a file of the user's own has: the process's mask takes away from it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(Error::io("write", path))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.as_file().sync_all().map_err(Error::io("write", path))?;
    file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
    // The new name itself must survive a power cut; Windows has no such call.
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("write", folder))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        write_whole(&path, b"first").expect("written");
        write_whole(&path, b"second").expect("replaced");
        assert_eq!(std::fs::read(&path).expect("there"), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1);
        assert!(write_whole(&folder.path().join("missing/file"), b"").is_err());
    }
}
