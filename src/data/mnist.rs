//! MNIST, embedded in the program and decompressed only when it is asked for.
//!
//! Where the files come from and under which licence: `assets/mnist/README.md`.

use rayon::prelude::*;
use ruzstd::decoding::FrameDecoder;

use super::{Dataset, Split};

/// The height and the width of an MNIST image in pixels.
pub const SIDE: u32 = 28;
/// The mean of all training pixels, each divided by 255.
pub const MEAN: f64 = 0.130_660_476_273_842_86;
/// The population standard deviation of all training pixels, each divided by 255.
pub const STD: f64 = 0.308_107_803_856_462_7;
/// [`Dataset::fingerprint`] of the whole set.
pub const FINGERPRINT: &str = "4797772c2fe8b19bc4124a9f00c9fd8fa26ebf530c34364364f559dd74f505d9";

/// One of the four official files.
#[derive(Debug)]
pub struct EmbeddedFile {
    /// Its official name.
    pub name: &'static str,
    /// Its length in bytes.
    pub length: usize,
    /// Its SHA-256 in hexadecimal.
    pub sha256: &'static str,
    /// Zstandard frames, one per equal part of the file.
    parts: &'static [&'static [u8]],
}

/// The 60,000 training images.
pub static TRAIN_IMAGES: EmbeddedFile = EmbeddedFile {
    name: "train-images-idx3-ubyte",
    length: 47_040_016,
    sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    parts: &[
        include_bytes!("../../assets/mnist/train-images-idx3-ubyte.0.zst"),
        include_bytes!("../../assets/mnist/train-images-idx3-ubyte.1.zst"),
    ],
};
/// The labels of the training images.
pub static TRAIN_LABELS: EmbeddedFile = EmbeddedFile {
    name: "train-labels-idx1-ubyte",
    length: 60_008,
    sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    parts: &[include_bytes!("../../assets/mnist/train-labels-idx1-ubyte.zst")],
};
/// The 10,000 test images.
pub static TEST_IMAGES: EmbeddedFile = EmbeddedFile {
    name: "t10k-images-idx3-ubyte",
    length: 7_840_016,
    sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    parts: &[include_bytes!("../../assets/mnist/t10k-images-idx3-ubyte.zst")],
};
/// The labels of the test images.
pub static TEST_LABELS: EmbeddedFile = EmbeddedFile {
    name: "t10k-labels-idx1-ubyte",
    length: 10_008,
    sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    parts: &[include_bytes!("../../assets/mnist/t10k-labels-idx1-ubyte.zst")],
};

impl EmbeddedFile {
    /// The official file, byte for byte; its parts are decompressed in parallel.
    pub fn decompress(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.length];
        let part_length = self.length / self.parts.len();
        bytes.par_chunks_mut(part_length).zip(self.parts).for_each(|(chunk, part)| {
            let written = FrameDecoder::new().decode_all(part, chunk).expect("embedded frames are intact");
            assert_eq!(written, part_length, "{}: a part has another length", self.name);
        });
        bytes
    }

    /// The file without its header of `header` bytes, which a test has checked once for all runs.
    fn elements(&self, header: usize) -> Vec<u8> {
        let mut bytes = self.decompress();
        bytes.drain(..header);
        bytes
    }
}

impl Split {
    /// The training split of MNIST: 60,000 images.
    pub fn mnist_train() -> Self {
        Self { images: TRAIN_IMAGES.elements(16), labels: TRAIN_LABELS.elements(8) }
    }

    /// The test split of MNIST: 10,000 images.
    pub fn mnist_test() -> Self {
        Self { images: TEST_IMAGES.elements(16), labels: TEST_LABELS.elements(8) }
    }
}

impl Dataset {
    /// MNIST with both splits.
    pub fn mnist() -> Self {
        let (train, test) = rayon::join(Split::mnist_train, Split::mnist_test);
        Self { train, ..Self::mnist_with(test) }
    }

    /// MNIST with the test split alone: [`Dataset::train`] is empty, and no training image is decompressed.
    pub fn mnist_test() -> Self {
        Self::mnist_with(Split::mnist_test())
    }

    fn mnist_with(test: Split) -> Self {
        Self {
            name: "mnist".into(),
            height: SIDE,
            width: SIDE,
            classes: (0..10).map(|digit| digit.to_string()).collect(),
            mean: MEAN,
            std: STD,
            train: Split::default(),
            test,
            fingerprint: FINGERPRINT.into(),
        }
    }
}
