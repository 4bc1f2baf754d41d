//! Bytes and folders that are not what they should be: each gives an error that says what and where, never a panic.

use std::fs;
use std::path::{Path, PathBuf};

use mnist_gpu::Error;
use mnist_gpu::data::idx::{IMAGES_MAGIC, LABELS_MAGIC, parse_images, parse_labels};
use mnist_gpu::data::{Dataset, Split};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{gzip, idx, image_file, label_file, sound_folder, synthetic, write_set};

/// The message of a format error about `path`.
fn format_error<T: std::fmt::Debug>(result: Result<T, Error>, about: &Path) -> String {
    match result.expect_err("hostile bytes must be refused") {
        Error::Format { path, problem } if path == about => problem,
        other => panic!("expected a format error about {}, found {other:?}", about.display()),
    }
}

#[test]
fn image_files_are_checked() {
    let path = Path::new("images");
    let pixels = [7; 2 * 8 * 9];
    assert!(parse_images(&idx(&[IMAGES_MAGIC, 2, 8, 9], &pixels), path).is_ok());
    for (bytes, expected) in [
        (vec![], "expected a header of 16 bytes, but the file ends at byte 0"),
        (idx(&[IMAGES_MAGIC, 2, 8], &[0]), "expected a header of 16 bytes, but the file ends at byte 13"),
        (b"PK\x03\x04".to_vec(), "at byte 0, found 0x504b0304"),
        (idx(&[LABELS_MAGIC, 2], &[0, 1]), "at byte 0, found 0x00000801 (that of a label file)"),
        (idx(&[IMAGES_MAGIC, 0, 8, 9], &[]), "expected a count of at least 1 at byte 4, found 0"),
        (idx(&[IMAGES_MAGIC, 2, 0, 9], &[]), "expected a height of 8 to 64 pixels at byte 8, found 0"),
        (idx(&[IMAGES_MAGIC, 2, 8, 0], &[]), "expected a width of 8 to 64 pixels at byte 12, found 0"),
        (idx(&[IMAGES_MAGIC, 2, 7, 9], &pixels), "expected a height of 8 to 64 pixels at byte 8, found 7"),
        (idx(&[IMAGES_MAGIC, 2, 8, 65], &pixels), "expected a width of 8 to 64 pixels at byte 12, found 65"),
        (idx(&[IMAGES_MAGIC, 2, 1 << 16, 1 << 16], &pixels), "byte 8, found 65536"),
        (idx(&[IMAGES_MAGIC, u32::MAX, u32::MAX, u32::MAX], &pixels), "byte 8, found 4294967295"),
        (idx(&[IMAGES_MAGIC, u32::MAX, 64, 64], &pixels), "4294967295 images of 64×64 bytes, 17592186040336 bytes"),
        (idx(&[IMAGES_MAGIC, 500_000, 64, 64], &pixels), "but the file ends at byte 160"),
        (idx(&[IMAGES_MAGIC, 2, 8, 9], &pixels[1..]), "end at byte 160, but the file ends at byte 159"),
        (idx(&[IMAGES_MAGIC, 1, 8, 9], &pixels), "expected the file to end at byte 88, after 1 images"),
    ] {
        let problem = format_error(parse_images(&bytes, path), path);
        assert!(problem.contains(expected), "expected {expected:?} in {problem:?}");
    }
}

#[test]
fn label_files_are_checked() {
    let path = Path::new("labels");
    assert_eq!(parse_labels(&idx(&[LABELS_MAGIC, 3], &[0, 1, 255]), path).unwrap(), [0, 1, 255]);
    for (bytes, expected) in [
        (vec![], "expected a header of 8 bytes, but the file ends at byte 0"),
        (vec![0, 0, 8], "expected a header of 8 bytes, but the file ends at byte 3"),
        (idx(&[IMAGES_MAGIC, 1, 8, 8], &[0; 64]), "found 0x00000803 (that of an image file)"),
        (idx(&[LABELS_MAGIC, 0], &[]), "expected a count of at least 1 at byte 4, found 0"),
        (idx(&[LABELS_MAGIC, 3], &[0, 1]), "end at byte 11, but the file ends at byte 10"),
        (idx(&[LABELS_MAGIC, 1], &[0, 1]), "expected the file to end at byte 9, after 1 labels"),
        (idx(&[LABELS_MAGIC, u32::MAX], &[0, 1]), "at most 2147483648 are accepted"),
    ] {
        let problem = format_error(parse_labels(&bytes, path), path);
        assert!(problem.contains(expected), "expected {expected:?} in {problem:?}");
    }
}

/// A sound folder with one file replaced, what loading it says of that file, and which file that is.
fn replaced(name: &str, bytes: &[u8]) -> String {
    let folder = sound_folder();
    let path = folder.path().join(name);
    fs::remove_file(folder.path().join(name.trim_end_matches(".gz"))).unwrap();
    fs::write(&path, bytes).unwrap();
    format_error(Dataset::from_folder(folder.path()), &path)
}

#[test]
fn the_files_of_a_folder_must_fit_each_other() {
    let problem = replaced("train-labels-idx1-ubyte", &label_file(&synthetic(19, 8, 8, 10)));
    assert!(problem.contains("expected 20 labels at byte 4") && problem.ends_with("found 19"), "{problem}");
    let problem = replaced("t10k-images-idx3-ubyte", &image_file(9, 8, &synthetic(10, 9, 8, 10)));
    assert!(problem.contains("expected images of 8×8 pixels") && problem.contains("found 9×8"), "{problem}");
}

#[test]
fn one_class_or_one_colour_is_not_enough() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), "", "", [8, 8], &synthetic(5, 8, 8, 1), &synthetic(5, 8, 8, 1));
    let problem = format_error(Dataset::from_folder(folder.path()), &folder.path().join("train-labels-idx1-ubyte"));
    assert!(problem.contains("expected at least 2 classes"), "{problem}");
    let constant = Split { images: vec![9; 5 * 64], labels: vec![0, 1, 0, 1, 0] };
    write_set(folder.path(), "", "", [8, 8], &constant, &synthetic(5, 8, 8, 2));
    let error = Dataset::from_folder(folder.path()).unwrap_err();
    assert!(error.to_string().contains("every pixel of the training images is 9"), "{error}");
}

#[test]
fn splits_that_do_not_fit_make_no_set() {
    let make = |sides, classes, train, test| {
        let classes = (0..classes).map(|class: usize| class.to_string()).collect();
        Dataset::from_splits("set", sides, classes, train, test).unwrap_err().to_string()
    };
    let good = || synthetic(4, 8, 8, 2);
    assert!(make([7, 8], 2, good(), good()).contains("found 7×8"));
    assert!(make([8, 8], 1, good(), good()).contains("expected 2 to 256 classes, found 1"));
    assert!(make([8, 9], 2, good(), good()).contains("expected 288 bytes of training images for 4 labels, found 256"));
    assert!(make([8, 8], 2, good(), Split::default()).contains("at least one test image"));
    assert!(make([8, 8], 2, good(), synthetic(4, 8, 8, 3)).contains("found 2 for test image 2"));
}

#[test]
fn damaged_gzip_files_are_refused() {
    let whole = gzip(&image_file(8, 8, &synthetic(20, 8, 8, 10)));
    let name = "train-images-idx3-ubyte.gz";
    let problem = replaced(name, &whole[..whole.len() / 2]);
    assert!(problem.contains("the gzip stream ends too early after"), "{problem}");
    let mut flipped = whole.clone();
    flipped[whole.len() - 5] ^= 0xff; // The checksum.
    let problem = replaced(name, &flipped);
    assert!(problem.contains("the gzip stream is corrupt after 1296 decompressed bytes"), "{problem}");
    let problem = replaced(name, &[0x1f, 0x8b, 0xff, 0xff]);
    assert!(problem.contains("the gzip stream"), "{problem}");
    let problem = replaced(name, &gzip(&whole));
    assert!(problem.contains("at byte 0, found 0x1f8b"), "{problem}");
}

/// A gigabyte of zeros behind a header of one image: reading stops one byte after what the header announces.
#[test]
fn a_gzip_bomb_stops() {
    let one = image_file(8, 8, &synthetic(1, 8, 8, 10));
    let megabyte = gzip(&vec![0; 1 << 20]);
    let mut bomb = gzip(&one);
    (0..1024).for_each(|_| bomb.extend_from_slice(&megabyte));
    let problem = replaced("train-images-idx3-ubyte.gz", &bomb);
    assert!(problem.contains("expected the file to end at byte 80, after 1 images"), "{problem}");
}

#[test]
fn missing_files_are_named() {
    let folder = sound_folder();
    fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let problem = format_error(Dataset::from_folder(folder.path()), folder.path());
    assert!(problem.starts_with("t10k-labels-idx1-ubyte is missing"), "{problem}");
    assert!(problem.contains("t10k-labels.idx1-ubyte, test-labels-idx1-ubyte"), "{problem}");
    // A folder of that name is not the file.
    fs::create_dir(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let problem = format_error(Dataset::from_folder(folder.path()), folder.path());
    assert!(problem.starts_with("t10k-labels-idx1-ubyte is missing"), "{problem}");

    let empty = tempfile::tempdir().unwrap();
    let problem = format_error(Dataset::from_folder(empty.path()), empty.path());
    assert!(problem.starts_with("train-images-idx3-ubyte is missing"), "{problem}");
}

#[test]
fn several_prefixed_sets_are_not_guessed_between() {
    let folder = tempfile::tempdir().unwrap();
    let (train, test) = (synthetic(20, 8, 8, 10), synthetic(10, 8, 8, 10));
    write_set(folder.path(), "letters-", "", [8, 8], &train, &test);
    write_set(folder.path(), "digits-", "", [8, 8], &train, &test);
    let problem = format_error(Dataset::from_folder(folder.path()), folder.path());
    assert!(problem.contains("expected one data set, found 2 (files beginning with digits-, letters-)"), "{problem}");
    write_set(folder.path(), "", "", [8, 8], &test, &test);
    assert_eq!(Dataset::from_folder(folder.path()).unwrap().train.len(), 10, "no prefix goes first");
}

#[test]
fn a_folder_that_is_not_there_is_an_io_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for path in [PathBuf::from("no-such-folder"), file.path().into()] {
        let error = Dataset::from_folder(&path).unwrap_err();
        assert!(error.to_string().contains("cannot read the folder"), "{error}");
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = parse_images(&bytes, Path::new("images"));
        let _ = parse_labels(&bytes, Path::new("labels"));
    }

    /// Past the magic number, with sizes from the whole range and from the edges of what is accepted.
    #[test]
    fn arbitrary_sizes_never_panic(
        sizes in prop::array::uniform3(prop_oneof![any::<u32>(), 0_u32..70]),
        rest in vec(any::<u8>(), 0..200),
    ) {
        let [count, height, width] = sizes;
        if let Ok(images) = parse_images(&idx(&[IMAGES_MAGIC, count, height, width], &rest), Path::new("images")) {
            prop_assert_eq!(images.pixels.len() as u64, u64::from(count) * u64::from(height) * u64::from(width));
        }
        if let Ok(labels) = parse_labels(&idx(&[LABELS_MAGIC, count], &rest), Path::new("labels")) {
            prop_assert_eq!(labels.len(), count as usize);
        }
    }

    #[test]
    fn what_is_written_is_read(count in 1_usize..5, height in 8_u32..=64, width in 8_u32..=64, first in any::<u8>()) {
        let mut split = synthetic(count, height, width, 256);
        split.images[0] = first;
        let images = parse_images(&image_file(height, width, &split), Path::new("images")).unwrap();
        prop_assert_eq!((images.count as usize, images.height, images.width), (count, height, width));
        prop_assert_eq!(images.pixels, split.images.clone());
        prop_assert_eq!(parse_labels(&label_file(&split), Path::new("labels")).unwrap(), split.labels);
    }
}
