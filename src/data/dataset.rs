//! A data set in memory: a training and a test split of labelled images, and what is known of them.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::idx::SIDES;
use crate::{Error, Result};

/// The fewest and the most classes that a set may have.
pub const CLASSES: std::ops::RangeInclusive<usize> = 2..=256;

/// Images and their labels, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// count × height × width bytes, image after image in row-major order.
    pub images: Vec<u8>,
    /// The class of each image.
    pub labels: Vec<u8>,
}

impl Split {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// Which splits of a data set are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Both.
    All,
    /// The test split; the training split may be left empty.
    Test,
}

/// A data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What the set is called: `mnist`, or the name of its folder or files.
    pub name: String,
    /// The height of every image in pixels.
    pub height: u32,
    /// The width of every image in pixels.
    pub width: u32,
    /// The names of the classes; a label is an index into them.
    pub classes: Vec<String>,
    /// The mean over all pixels of all training images, each pixel divided by 255.
    pub mean: f64,
    /// The population standard deviation over the same pixels; greater than 0.
    pub std: f64,
    /// The training split; empty where only the test split was asked for.
    pub train: Split,
    /// The test split.
    pub test: Split,
    /// SHA-256, in hexadecimal, over both splits, the training split first; of each, the count, height and width as
    /// little-endian 32-bit words, the images and the labels.
    pub fingerprint: String,
}

impl Dataset {
    /// MNIST, or the set in a folder of IDX files where one is given.
    ///
    /// With [`Part::Test`] the training split is empty; of MNIST it is not even decompressed, while a folder's is read
    /// all the same, for the mean, the standard deviation and the fingerprint.
    pub fn load(folder: Option<&Path>, part: Part) -> Result<Self> {
        let Some(folder) = folder else {
            return Ok(if part == Part::All { Self::mnist() } else { Self::mnist_test() });
        };
        let mut dataset = Self::from_folder(folder)?;
        if part == Part::Test {
            dataset.train = Split::default();
        }
        Ok(dataset)
    }

    /// Puts a set together from its splits: checks that they fit each other and computes what follows from them.
    ///
    /// Errors if a side or the number of classes is out of range, a split is empty, its number of bytes is not that of
    /// its labels' images, a label has no class, or all training pixels are equal.
    pub fn from_splits(
        name: impl Into<String>,
        [height, width]: [u32; 2],
        classes: Vec<String>,
        train: Split,
        test: Split,
    ) -> Result<Self> {
        let name = name.into();
        if !SIDES.contains(&height) || !SIDES.contains(&width) {
            let (least, most) = (SIDES.start(), SIDES.end());
            let problem = format!("{name}: expected sides of {least} to {most} pixels, found {height}×{width}");
            return Err(Error::Data(problem));
        }
        if !CLASSES.contains(&classes.len()) {
            let (least, most) = (CLASSES.start(), CLASSES.end());
            return Err(Error::Data(format!("{name}: expected {least} to {most} classes, found {}", classes.len())));
        }
        for (which, split) in [("training", &train), ("test", &test)] {
            check(which, split, (height * width) as usize, classes.len())
                .map_err(|problem| Error::Data(format!("{name}: {problem}")))?;
        }
        let (mean, std) = mean_and_std(&train.images);
        if std == 0.0 {
            let problem = format!(
                "{name}: every pixel of the training images is {}; expected at least two values",
                train.images[0]
            );
            return Err(Error::Data(problem));
        }
        let fingerprint = fingerprint(height, width, [&train, &test]);
        Ok(Self { name, height, width, classes, mean, std, train, test, fingerprint })
    }

    /// The number of bytes of one image: height × width.
    pub fn image_len(&self) -> usize {
        (self.height * self.width) as usize
    }
}

fn check(which: &str, split: &Split, image_len: usize, classes: usize) -> Result<(), String> {
    if split.is_empty() {
        return Err(format!("expected at least one {which} image, found none"));
    }
    let (expected, found) = (split.len() * image_len, split.images.len());
    if expected != found {
        let labels = split.len();
        return Err(format!("expected {expected} bytes of {which} images for {labels} labels, found {found}"));
    }
    match split.labels.iter().position(|label| usize::from(*label) >= classes) {
        Some(index) => {
            let label = split.labels[index];
            Err(format!("expected labels below {classes}, found {label} for {which} image {index}"))
        }
        None => Ok(()),
    }
}

/// The mean and the population standard deviation of pixel / 255, from exact integer sums; 0 and 0 without pixels.
pub fn mean_and_std(pixels: &[u8]) -> (f64, f64) {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    // The sums of a chunk fit 32 bits: 4,096 · 255² < 2³².
    for chunk in pixels.chunks(4096) {
        sum += u64::from(chunk.iter().map(|&p| u32::from(p)).sum::<u32>());
        squares += u64::from(chunk.iter().map(|&p| u32::from(p) * u32::from(p)).sum::<u32>());
    }
    let count = pixels.len().max(1) as u128;
    let scale = count as f64 * 255.0;
    // count² · variance, still exact.
    let spread = count * u128::from(squares) - u128::from(sum) * u128::from(sum);
    (sum as f64 / scale, (spread as f64).sqrt() / scale)
}

/// What [`Dataset::fingerprint`] says.
pub fn fingerprint(height: u32, width: u32, splits: [&Split; 2]) -> String {
    let mut hash = Sha256::new();
    for split in splits {
        for word in [split.len() as u32, height, width] {
            hash.update(word.to_le_bytes());
        }
        hash.update(&split.images);
        hash.update(&split.labels);
    }
    hash.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
