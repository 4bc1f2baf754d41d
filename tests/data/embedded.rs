//! The embedded MNIST files are the official ones, and what the code says of them is so.

use std::path::Path;

use mnist_gpu::data::dataset::{fingerprint, mean_and_std};
use mnist_gpu::data::mnist::{self, EmbeddedFile, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS};
use mnist_gpu::data::{Dataset, Part, Split, idx};
use sha2::{Digest, Sha256};

const FILES: [&EmbeddedFile; 4] = [&TRAIN_IMAGES, &TRAIN_LABELS, &TEST_IMAGES, &TEST_LABELS];

#[test]
fn the_files_are_the_official_ones() {
    for file in FILES {
        let bytes = file.decompress();
        assert_eq!(bytes.len(), file.length, "{}", file.name);
        let hash = Sha256::digest(&bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert_eq!(hash, file.sha256, "{}", file.name);
    }
}

#[test]
fn the_readme_lists_the_same_hashes() {
    let readme = include_str!("../../assets/mnist/README.md");
    for file in FILES {
        let row = readme.lines().find(|line| line.contains(&format!("| {} |", file.name))).expect(file.name);
        assert!(row.contains(file.sha256), "{row}");
    }
}

#[test]
fn the_splits_are_what_the_files_say() {
    let dataset = Dataset::mnist();
    let parsed = |images: &EmbeddedFile, labels: &EmbeddedFile| {
        let images = idx::parse_images(&images.decompress(), Path::new(images.name)).unwrap();
        let labels = idx::parse_labels(&labels.decompress(), Path::new(labels.name)).unwrap();
        assert_eq!([images.height, images.width], [dataset.height, dataset.width]);
        assert_eq!(images.count as usize, labels.len());
        Split { images: images.pixels, labels }
    };
    assert!(dataset.train == parsed(&TRAIN_IMAGES, &TRAIN_LABELS));
    assert!(dataset.test == parsed(&TEST_IMAGES, &TEST_LABELS));
    assert_eq!((dataset.train.len(), dataset.test.len()), (60_000, 10_000));
    assert_eq!(dataset.classes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
}

/// The counts that are published for MNIST.
#[test]
fn the_classes_have_their_known_sizes() {
    let dataset = Dataset::mnist();
    let counts = |split: &Split| {
        let mut counts = [0; 10];
        for &label in &split.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    };
    assert_eq!(counts(&dataset.train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(counts(&dataset.test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!(dataset.train.labels[..8], [5, 0, 4, 1, 9, 2, 1, 3]);
}

#[test]
fn the_constants_follow_from_the_images() {
    let dataset = Dataset::mnist();
    assert_eq!(mean_and_std(&dataset.train.images), (mnist::MEAN, mnist::STD));
    assert!((mnist::MEAN - 0.1307).abs() < 5e-5 && (mnist::STD - 0.3081).abs() < 5e-5);
    assert_eq!(fingerprint(28, 28, [&dataset.train, &dataset.test]), mnist::FINGERPRINT);
    let computed = Dataset::from_splits("mnist", [28, 28], dataset.classes.clone(), dataset.train.clone(), {
        dataset.test.clone()
    });
    assert!(computed.unwrap() == dataset);
}

#[test]
fn the_test_split_comes_alone() {
    let (all, test) = (Dataset::load(None, Part::All).unwrap(), Dataset::load(None, Part::Test).unwrap());
    assert!(test.train.is_empty() && test.train.images.is_empty());
    assert!(test == Dataset { train: Split::default(), ..all });
}

/// Two pixels of 0 and two of 255: mean 1/2, standard deviation 1/2; a thousand equal pixels: no deviation at all.
#[test]
fn mean_and_std_are_exact() {
    assert_eq!(mean_and_std(&[0, 255, 255, 0]), (0.5, 0.5));
    assert_eq!(mean_and_std(&[51; 1000]), (0.2, 0.0));
    assert_eq!(mean_and_std(&vec![255; 1 << 20]), (1.0, 0.0));
    assert_eq!(mean_and_std(&[]), (0.0, 0.0));
}
