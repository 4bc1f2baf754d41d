//! The images and labels of a site, in IDX format.

use super::{File, Source};
use crate::data::Split;
use crate::data::idx::{IMAGES_MAGIC, LABELS_MAGIC};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use std::io::Write;

/// A data set on a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataFiles {
    /// What it is called.
    pub name: String,
    /// The test images.
    pub test: SplitFiles,
    /// The training images, where the site has them.
    pub train: Option<SplitFiles>,
}

/// The files of a split, of the format of MNIST's, perhaps compressed by gzip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitFiles {
    /// How many images.
    pub count: usize,
    /// The file of the images.
    pub images: String,
    /// The file of the labels.
    pub labels: String,
}

/// Adds the data to a site's files.
pub(super) fn files(source: &Source, files: &mut Vec<File>) -> DataFiles {
    let mut add = |split: &Split, name: &str| {
        let count = split.len() as u32;
        let images = idx(IMAGES_MAGIC, &[count, source.data.height, source.data.width], &split.images);
        let mut add = |kind: &str, bytes: Vec<u8>| {
            let suffix = if source.compress { ".gz" } else { "" };
            let path = format!("data/{name}-{kind}-ubyte{suffix}");
            files.push(File::new(path.clone(), if source.compress { gzip(&bytes) } else { bytes }));
            path
        };
        SplitFiles {
            count: split.len(),
            images: add("images-idx3", images),
            labels: add("labels-idx1", idx(LABELS_MAGIC, &[count], &split.labels)),
        }
    };
    DataFiles {
        name: source.data.name.clone(),
        test: add(&source.data.test, "t10k"),
        train: source.training.then(|| add(&source.data.train, "train")),
    }
}

/// Bytes with the header of an IDX file.
fn idx(magic: u32, extents: &[u32], bytes: &[u8]) -> Vec<u8> {
    let header = [magic].into_iter().chain(extents.iter().copied()).flat_map(u32::to_be_bytes);
    header.chain(bytes.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes what is written")
}
