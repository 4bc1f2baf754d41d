//! What is kept of an adapter between runs, in the user's folder: `backend-name.tuning.json` and `backend-name.pipelines`.

use crate::device::DeviceInfo;
use crate::file::user_folder;
use std::path::PathBuf;

/// Where something of an adapter is kept; none where there is no folder.
pub(super) fn path(device: &DeviceInfo, what: &str) -> Option<PathBuf> {
    let name = format!("{} {}", device.backend, device.name).to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    user_folder().map(|folder| folder.join(format!("{}.{what}", words.join("-"))))
}
