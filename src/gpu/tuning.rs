//! The tuning file of an adapter: which ops run faster with other kernels than its class usually gets, as measured by
//! `bench --save-tuning`. Training reads it and never measures.

use super::kept;
use super::kernels::Tuning;
use crate::device::DeviceInfo;
use crate::file::write_whole;
use crate::run::VERSION;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How the file's name ends.
pub const FILE: &str = "tuning.json";

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The version of the program whose kernels were measured.
    version: String,
    /// The adapter, with its driver.
    device: DeviceInfo,
    /// What was found.
    kernels: Tuning,
}

/// The tuning of an adapter; empty where there is none for it as it is now.
pub fn load(device: &DeviceInfo) -> Tuning {
    let Some(path) = kept::path(device, FILE) else { return Tuning::new() };
    read(&path, device).unwrap_or_else(|problem| {
        log::warn!("{}: {problem}. The kernels are the usual ones; bench --save-tuning measures anew", path.display());
        Tuning::new()
    })
}

/// Where the tuning of an adapter is kept; makes the folder.
///
/// # Errors
/// When there is no folder for it.
pub fn place(device: &DeviceInfo) -> Result<PathBuf> {
    let none = || Error::Usage("there is no folder for the tuning file: set MNIST_GPU_CACHE_DIR to one".into());
    let path = kept::path(device, FILE).ok_or_else(none)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("make", folder))?;
    }
    Ok(path)
}

/// Keeps the tuning of an adapter, and says where.
///
/// # Errors
/// When there is no folder for it, or it cannot be written.
pub fn save(device: &DeviceInfo, tuning: &Tuning) -> Result<PathBuf> {
    let path = place(device)?;
    let file = File { version: VERSION.into(), device: device.clone(), kernels: tuning.clone() };
    let mut json = serde_json::to_vec_pretty(&file).expect("plain data");
    json.push(b'\n');
    write_whole(&path, &json)?;
    Ok(path)
}

/// What a file says of an adapter; nothing where there is no file.
fn read(path: &Path, device: &DeviceInfo) -> Result<Tuning, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Tuning::new()),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let file: File = serde_json::from_slice(&bytes).map_err(|error| format!("is not a tuning file: {error}"))?;
    if file.version != VERSION {
        return Err(format!("was measured with version {}, this is {VERSION}", file.version));
    }
    if file.device != *device {
        return Err(format!("was measured on {}, this is {device}", file.device));
    }
    Ok(file.kernels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::kernels::Class;

    fn device(driver: &str) -> DeviceInfo {
        let [name, backend, kind] = ["Card (X/1)", "vulkan", "discrete"].map(str::to_owned);
        DeviceInfo { name, backend, kind, driver: driver.into() }
    }

    #[test]
    fn a_file_speaks_for_its_own_version_device_and_driver_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        assert_eq!(read(&path, &device("1")), Ok(Tuning::new()));
        let kernels = Tuning::from([("matmul nt 1×2×3".to_owned(), Class::Software)]);
        let file = |version: &str, device| {
            let file = File { version: version.into(), device, kernels: kernels.clone() };
            std::fs::write(&path, serde_json::to_vec(&file).expect("JSON")).expect("written");
        };
        file(VERSION, device("1"));
        assert_eq!(read(&path, &device("1")), Ok(kernels.clone()));
        assert!(read(&path, &device("2")).is_err_and(|problem| problem.contains("was measured on")));
        file("0.0.0", device("1"));
        assert!(read(&path, &device("1")).is_err_and(|problem| problem.contains("with version 0.0.0")));
        std::fs::write(&path, b"{\"version\": ").expect("written");
        assert!(read(&path, &device("1")).is_err_and(|problem| problem.contains("is not a tuning file")));
    }
}
