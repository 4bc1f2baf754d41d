//! A trained model as a web page: a static site that recognises and trains with the dispatches and shaders of this program.
//!
//! The site is the page (`assets/web`), the shaders as they are, the weights, the data in IDX format, the programs of its
//! models, lowered, and a manifest that says what there is. Any web server can serve it; [`files`] is all that it serves.

mod data;
mod manifest;
mod page;
mod programs;

pub use manifest::{Manifest, ModelEntry, NativeRun};
pub use programs::{Program, Programs};

use crate::Result;
use crate::checkpoint::Checkpoint;
use crate::data::Dataset;
use crate::gpu::kernels::{ALL, Class};
use crate::run::{Run, VERSION};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a site is made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The model that the page recognises with.
    pub checkpoint: &'a Checkpoint,
    /// The record of its run, if there is one, for the page to hold its own training against.
    pub run: Option<&'a Run>,
    /// The data that it belongs to.
    pub data: &'a Dataset,
    /// Whether the training images go with it, so that the page can train.
    pub training: bool,
    /// Whether images are compressed: for a download rather than for this machine.
    pub compress: bool,
}

/// A file of a site.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path from the site's root, with forward slashes.
    pub path: String,
    /// What stands in it.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type.
    pub content_type: &'static str,
}

/// Where the weights of the exported model are.
const WEIGHTS: &str = "model.safetensors";

/// Every file of a site.
///
/// # Errors
/// When model and data do not fit each other, or need more memory in one piece than every GPU has.
pub fn files(source: &Source) -> Result<Vec<File>> {
    let entries = manifest::entries(source)?;
    let mut files: Vec<File> = page::FILES.iter().map(|&(name, text)| File::new(name, text.as_bytes())).collect();
    let kernels = ALL.iter().filter(|kernel| !kernel.needs_subgroups());
    let shaders: BTreeMap<_, _> =
        kernels.flat_map(|kernel| Class::PORTABLE.into_iter().flat_map(|class| kernel.files(class))).collect();
    files.extend(shaders.iter().map(|(name, text)| File::new(format!("shaders/{name}"), text.as_bytes())));
    for entry in &entries {
        let built = programs::build(entry, source)?;
        for class in Class::PORTABLE {
            files.push(File::json(entry.programs[&class].clone(), &built.lowered(class)));
        }
    }
    files.push(File::new(WEIGHTS, source.checkpoint.to_bytes()?));
    let data = data::files(source, &mut files);
    let manifest = Manifest {
        version: VERSION.into(),
        data,
        weights: WEIGHTS.into(),
        models: entries,
        native: NativeRun::of(source),
    };
    files.push(File::json("site.json", &manifest));
    Ok(files)
}

impl File {
    fn new(path: impl Into<String>, bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        let path = path.into();
        let content_type = match path.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("json") => "application/json",
            Some("svg") => "image/svg+xml",
            Some("wgsl") => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        };
        Self { path, bytes: bytes.into(), content_type }
    }

    fn json(path: impl Into<String>, value: &impl serde::Serialize) -> Self {
        Self::new(path, serde_json::to_vec(value).expect("plain data"))
    }
}
