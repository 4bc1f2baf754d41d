//! Where pictures come from: files, folders, stdin.

use crate::{Error, Result};
use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

/// Endings of the names that count as pictures in a folder, whatever the case.
const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "webp", "gif"];

/// A picture that is asked for.
pub enum Source {
    /// What comes through stdin.
    Stdin,
    /// A file, whatever its name.
    File(PathBuf),
    /// A folder that gives no pictures, and why.
    Folder(PathBuf, &'static str),
}

impl Source {
    /// The pictures that an argument stands for: one, or all below a folder in the order of their names.
    pub fn all(path: &Path) -> Vec<Self> {
        if path == Path::new("-") {
            return vec![Self::Stdin];
        }
        if !path.is_dir() {
            return vec![Self::File(path.into())];
        }
        let mut sources = Vec::new();
        below(path, &mut sources);
        if sources.is_empty() {
            sources.push(Self::Folder(path.into(), "the folder has no PNG, JPEG, BMP, WebP or GIF files"));
        }
        sources
    }

    /// What a user calls it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "-".into(),
            Self::File(path) | Self::Folder(path, _) => path.display().to_string(),
        }
    }

    /// Its bytes; of a longer one, one more than `most`.
    pub fn bytes(&self, most: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::Stdin => stdin().lock().take(most + 1).read_to_end(&mut bytes).map_err(Error::io("read", "stdin")),
            Self::File(path) => File::open(path)
                .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
                .map_err(Error::io("read", path)),
            Self::Folder(_, problem) => Err(Error::Picture((*problem).into())),
        }?;
        Ok(bytes)
    }
}

/// Adds the pictures of a folder and of those in it; neither what is hidden nor folders behind links.
fn below(folder: &Path, sources: &mut Vec<Source>) {
    let Ok(entries) = folder.read_dir() else {
        return sources.push(Source::Folder(folder.into(), "the folder cannot be read"));
    };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below(&path, sources);
        } else if extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str())) && !path.is_dir() {
            sources.push(Source::File(path));
        }
    }
}
