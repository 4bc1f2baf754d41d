//! Compiled pipelines that are kept between runs, where the driver can give them away: Vulkan.
//!
//! The file is the SHA-256 of what follows, then what the driver gave. What is not whole is left; what another adapter or
//! driver gave, wgpu finds out by its header. Without either, pipelines are compiled as ever.

use crate::file::write_whole;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Mutex;

pub(super) struct PipelineCache {
    handle: wgpu::PipelineCache,
    path: PathBuf,
    /// What the file holds.
    kept: Mutex<Vec<u8>>,
}

impl PipelineCache {
    /// What is kept in a file; none where the device cannot do so.
    pub fn open(device: &wgpu::Device, path: PathBuf) -> Option<Self> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let kept = std::fs::read(&path).unwrap_or_default();
        let descriptor =
            wgpu::PipelineCacheDescriptor { label: Some("pipelines"), data: unsealed(&kept), fallback: true };
        // SAFETY: what the checksum holds for was given by `get_data`, and wgpu checks whose it is.
        let handle = unsafe { device.create_pipeline_cache(&descriptor) };
        log::debug!("{}: {} bytes", path.display(), kept.len());
        Some(Self { handle, path, kept: Mutex::new(kept) })
    }

    /// What pipelines are compiled with.
    pub fn handle(&self) -> &wgpu::PipelineCache {
        &self.handle
    }

    /// Writes the file anew if there is something new.
    pub fn keep(&self) {
        let Some(data) = self.handle.get_data() else { return };
        let mut kept = self.kept.lock().expect("no panic while held");
        let new = sealed(&data);
        if new == *kept {
            return;
        }
        let folder = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        match folder.map_err(crate::Error::io("write", &self.path)).and_then(|()| write_whole(&self.path, &new)) {
            Ok(()) => *kept = new,
            // Only time is lost.
            Err(error) => log::info!("{error}"),
        }
    }
}

/// Bytes of the checksum.
const SEAL: usize = 32;

fn sealed(data: &[u8]) -> Vec<u8> {
    [&Sha256::digest(data)[..], data].concat()
}

/// What was sealed; none if it is not whole.
fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (seal, data) = bytes.split_at_checked(SEAL)?;
    (Sha256::digest(data)[..] == *seal).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_whole_is_not_taken() {
        let whole = sealed(b"compiled");
        assert_eq!(unsealed(&whole), Some(&b"compiled"[..]));
        for end in 0..whole.len() {
            assert_eq!(unsealed(&whole[..end]), None, "{end} bytes");
            let mut changed = whole.clone();
            changed[end] ^= 1;
            assert_eq!(unsealed(&changed), None, "byte {end}");
        }
    }
}
