//! Data: the embedded files, folders of IDX files, hostile bytes, and the selection of training images.

mod embedded;
mod folder;
mod hostile;
mod subset;

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use mnist_gpu::data::Split;
use mnist_gpu::data::idx::{IMAGES_MAGIC, LABELS_MAGIC};

/// An IDX file with this header and these elements, whether they fit each other or not.
fn idx(header: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.extend_from_slice(elements);
    bytes
}

fn image_file(height: u32, width: u32, split: &Split) -> Vec<u8> {
    idx(&[IMAGES_MAGIC, split.labels.len() as u32, height, width], &split.images)
}

fn label_file(split: &Split) -> Vec<u8> {
    idx(&[LABELS_MAGIC, split.labels.len() as u32], &split.labels)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `count` images, of the classes in turn, whose pixels are all different from image to image.
fn synthetic(count: usize, height: u32, width: u32, classes: usize) -> Split {
    let len = (height * width) as usize;
    Split {
        images: (0..count * len).map(|i| (i / len * 7 + i % len) as u8).collect(),
        labels: (0..count).map(|i| (i % classes) as u8).collect(),
    }
}

/// Writes the four files under the usual names with a prefix, compressed where the suffix is `.gz`.
fn write_set(folder: &Path, prefix: &str, suffix: &str, sides: [u32; 2], train: &Split, test: &Split) {
    for (stem, split) in [("train", train), ("t10k", test)] {
        let images = (format!("{prefix}{stem}-images-idx3-ubyte{suffix}"), image_file(sides[0], sides[1], split));
        let labels = (format!("{prefix}{stem}-labels-idx1-ubyte{suffix}"), label_file(split));
        for (name, bytes) in [images, labels] {
            let bytes = if suffix == ".gz" { gzip(&bytes) } else { bytes };
            fs::write(folder.join(name), bytes).unwrap();
        }
    }
}

/// A folder with a sound set: 20 training and 10 test images of 8×8 pixels in 10 classes.
fn sound_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), "", "", [8, 8], &synthetic(20, 8, 8, 10), &synthetic(10, 8, 8, 10));
    folder
}
