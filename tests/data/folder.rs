//! Folders of IDX files that are as they should be, under every name that is understood.

use std::fs;

use mnist_gpu::Error;
use mnist_gpu::data::{Dataset, Part, Split};

use crate::{sound_folder, synthetic, write_set};

#[test]
fn plain_compressed_and_prefixed_files_give_the_same_set() {
    let (train, test) = (synthetic(94, 9, 13, 47), synthetic(47, 9, 13, 47));
    let mut fingerprints = Vec::new();
    for (prefix, suffix) in [("", ""), ("", ".gz"), ("emnist-balanced-", ""), ("emnist-balanced-", ".gz")] {
        let folder = tempfile::tempdir().unwrap();
        write_set(folder.path(), prefix, suffix, [9, 13], &train, &test);
        let dataset = Dataset::from_folder(folder.path()).unwrap();
        assert_eq!([dataset.height, dataset.width], [9, 13]);
        assert_eq!(dataset.image_len(), 117);
        assert_eq!(dataset.classes.len(), 47);
        assert_eq!(dataset.classes[46], "46");
        assert_eq!((&dataset.train, &dataset.test), (&train, &test));
        let folder_name = folder.path().file_name().unwrap().to_str().unwrap();
        assert_eq!(dataset.name, if prefix.is_empty() { folder_name } else { "emnist-balanced" });
        fingerprints.push(dataset.fingerprint);
    }
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 1, "{fingerprints:?}");
}

#[test]
fn the_other_usual_names_are_understood() {
    let folder = sound_folder();
    for (from, to) in [
        ("train-images-idx3-ubyte", "train-images.idx3-ubyte"),
        ("train-labels-idx1-ubyte", "train-labels.idx1-ubyte"),
        ("t10k-images-idx3-ubyte", "test-images-idx3-ubyte"),
        ("t10k-labels-idx1-ubyte", "test-labels.idx1-ubyte"),
    ] {
        fs::rename(folder.path().join(from), folder.path().join(to)).unwrap();
    }
    assert_eq!(Dataset::from_folder(folder.path()).unwrap().test.len(), 10);
}

#[test]
fn a_plain_file_goes_before_its_compressed_copy() {
    let folder = sound_folder();
    fs::write(folder.path().join("train-images-idx3-ubyte.gz"), "not an image file").unwrap();
    assert_eq!(Dataset::from_folder(folder.path()).unwrap().train.len(), 20);
}

#[test]
fn the_test_part_of_a_folder_knows_its_training_images() {
    let folder = sound_folder();
    let all = Dataset::load(Some(folder.path()), Part::All).unwrap();
    let test = Dataset::load(Some(folder.path()), Part::Test).unwrap();
    assert_eq!((all.train.len(), test.train.len()), (20, 0));
    assert_eq!(test, Dataset { train: Split::default(), ..all });
}

#[test]
fn the_fingerprint_tells_sets_apart() {
    let fingerprint = |sides: [u32; 2], train: &Split, test: &Split| {
        let classes = (0..10).map(|class| class.to_string()).collect();
        Dataset::from_splits("set", sides, classes, train.clone(), test.clone()).unwrap().fingerprint
    };
    let (train, test) = (synthetic(20, 8, 10, 10), synthetic(10, 8, 10, 10));
    let (mut pixel, mut label) = (test.clone(), train.clone());
    *pixel.images.last_mut().unwrap() ^= 1;
    label.labels[0] = 1;
    let all = [
        fingerprint([8, 10], &train, &test),
        fingerprint([10, 8], &train, &test),
        fingerprint([8, 10], &test, &train),
        fingerprint([8, 10], &train, &pixel),
        fingerprint([8, 10], &label, &test),
    ];
    assert!((1..all.len()).all(|i| !all[..i].contains(&all[i])), "{all:#?}");
}

#[test]
fn labels_txt_names_the_classes() {
    let folder = sound_folder();
    let names = folder.path().join("labels.txt");
    fs::write(&names, "\u{feff}a\r\nb\nc c\nd\ne\nf\ng\nh\ni\nj\n k \n\n").unwrap();
    let dataset = Dataset::from_folder(folder.path()).unwrap();
    assert_eq!(dataset.classes, ["a", "b", "c c", "d", "e", "f", "g", "h", "i", "j", "k"]);
}

#[test]
fn labels_txt_must_fit() {
    let too_many: String = (0..257).fold(String::new(), |text, class| text + &format!("{class}\n"));
    for (text, expected) in [
        (&b"a\nb\nc\n"[..], "the label at byte 11 is 3, but labels.txt names 3 classes"),
        (b"a\n\nc\n", "line 2 is empty"),
        (b"a\nb\na\n", "line 3 is \"a\", like line 1"),
        (b"a\nb\x1b[2J\n", "line 2 is \"b\\u{1b}[2J\"; expected no control characters"),
        (b"", "expected 2 to 256 classes, one per line, found 0"),
        (b"one\n", "expected 2 to 256 classes, one per line, found 1"),
        (too_many.as_bytes(), "found 257"),
        (b"a\nb\xff\n", "expected UTF-8 text, found 0xff at byte 3"),
        (&vec![b'a'; 1 << 17], "expected at most 65536 bytes"),
    ] {
        let folder = sound_folder();
        fs::write(folder.path().join("labels.txt"), text).unwrap();
        let error = Dataset::from_folder(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Format { .. }) && error.to_string().contains(expected), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join(OsStr::from_bytes(b"digits-\xff"));
    if fs::create_dir(&odd).is_err() {
        return; // Some file systems take UTF-8 only.
    }
    write_set(&odd, "", "", [8, 8], &synthetic(20, 8, 8, 10), &synthetic(10, 8, 8, 10));
    fs::write(odd.join(OsStr::from_bytes(b"\xfftrain-images-idx3-ubyte")), "ignored").unwrap();
    let dataset = Dataset::from_folder(&odd).unwrap();
    assert_eq!((&*dataset.name, dataset.train.len()), ("digits-\u{fffd}", 20));
}
