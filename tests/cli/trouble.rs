//! Whatever is wrong gets one clear error, the right exit code, and leaves nothing half-written.

use super::{Place, QUICK};
use std::fs;

/// Files of a small data set: images of one class are all bright, those of the other dark.
pub fn data(place: &Place, side: u32) {
    let images = |count: u32| {
        let header = [0x803, count, side, side].into_iter().flat_map(u32::to_be_bytes);
        let pixels =
            (0..count * side * side).map(move |pixel| if (pixel / (side * side)).is_multiple_of(2) { 20 } else { 220 });
        header.chain(pixels).collect::<Vec<u8>>()
    };
    let labels = |count: u32| {
        let header = [0x801, count].into_iter().flat_map(u32::to_be_bytes);
        header.chain((0..count).map(|image| (image % 2) as u8)).collect::<Vec<u8>>()
    };
    fs::create_dir_all(place.path("data")).expect("made");
    for (name, count) in [("train", 64), ("t10k", 16)] {
        fs::write(place.path(&format!("data/{name}-images-idx3-ubyte")), images(count)).expect("written");
        fs::write(place.path(&format!("data/{name}-labels-idx1-ubyte")), labels(count)).expect("written");
    }
}

const TRAIN: [&str; 7] = ["train", "--no-report", "--device", "cpu", "--data-dir", "data", "--epochs"];

#[test]
fn a_small_set_of_other_images_trains_with_a_batch_larger_than_the_data() {
    let place = Place::new();
    data(&place, 8);
    let outcome = place.run(&[&TRAIN[..], &["30", "--model", "lenet", "--batch-size", "1000"]].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("100.00 %"), "{}", outcome.stdout);
    // A run knows its data; weights by themselves do not.
    let eval = ["eval", "--device", "cpu"];
    let known = place.run(&eval);
    assert_eq!((known.code, known.stderr.as_str()), (Some(0), ""), "{known:?}");
    assert_eq!(place.run(&[&eval[..], &["--data-dir", "data"]].concat()).stdout, known.stdout);
    fs::copy(place.path("runs/0001-lenet/model.safetensors"), place.path("alone.safetensors")).expect("copied");
    let alone = [&eval[..], &["alone.safetensors"]].concat();
    place.run(&alone).fails(1, &["8×8 images of 2 classes", "--data-dir"]);
    assert_eq!(place.run(&[&alone[..], &["--data-dir", "data"]].concat()).code, Some(0));
    // Data that were named may be others; those of the run are what they were.
    let labels = place.path("data/t10k-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).expect("there");
    let last = bytes.last_mut().expect("not empty");
    *last = 1 - *last;
    fs::write(&labels, bytes).expect("written");
    place.run(&eval).fails(1, &["trained on other data than data", "--data-dir"]);
    assert_eq!(place.run(&[&eval[..], &["--data-dir", "data"]].concat()).code, Some(0));
    fs::rename(place.path("data"), place.path("elsewhere")).expect("renamed");
    place.run(&eval).fails(1, &["data: ", "if they are elsewhere now, name them by --data-dir"]);
    assert_eq!(place.run(&[&eval[..], &["--data-dir", "elsewhere"]].concat()).code, Some(0));
}

#[test]
fn a_model_that_does_not_fit_the_images_leaves_nothing() {
    let place = Place::new();
    data(&place, 8);
    place.run(&[&TRAIN[..], &["1", "--model", "cnn"]].concat()).fails(1, &["layer 4 of 9 (conv2d)", "24×2×2"]);
    assert_eq!(place.names("."), ["data"]);
}

#[test]
fn damaged_data_are_named() {
    let place = Place::new();
    let file = "data/t10k-images-idx3-ubyte";
    let whole = |place: &Place| {
        data(place, 8);
        fs::read(place.path(file)).expect("there")
    };
    let bytes = whole(&place);
    for (damaged, words) in [
        (bytes[..100].to_vec(), "100"),
        ([&bytes[..], b"x"].concat(), "t10k-images"),
        (Vec::new(), "t10k-images"),
        ([b"\0\0\x08\x01", &bytes[4..]].concat(), "0x00000803"),
        (b"\x1f\x8b\x08 this is no gzip".to_vec(), "t10k-images"),
    ] {
        fs::write(place.path(file), damaged).expect("written");
        place.run(&[&TRAIN[..], &["1", "--model", "mlp"]].concat()).fails(1, &["t10k-images-idx3-ubyte", words]);
    }
    fs::remove_file(place.path(file)).expect("removed");
    place.run(&[&TRAIN[..], &["1", "--model", "mlp"]].concat()).fails(1, &["t10k-images-idx3-ubyte"]);
    assert_eq!(place.names("."), ["data"]);
}

#[test]
fn damaged_weights_are_named() {
    let place = Place::new();
    place.train(&["--quiet"]);
    let file = place.path("runs/0001-mlp/model.safetensors");
    let bytes = fs::read(&file).expect("there");
    let mut huge = bytes.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut infinite = bytes.clone();
    let end = infinite.len();
    infinite[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.contains("fc2.bias"));
    let at = bytes.windows(8).position(|window| window == b"fc2.bias").expect("named in the header");
    let mut renamed = bytes.clone();
    renamed[at..at + 8].copy_from_slice(b"fc9.bias");
    for (damaged, words) in [
        (bytes[..bytes.len() / 2].to_vec(), "whole"),
        (Vec::new(), "whole"),
        (huge, "whole"),
        (infinite, "inf"),
        (renamed, "fc9.bias"),
    ] {
        fs::write(&file, damaged).expect("written");
        place.run(&["eval", "--device", "cpu"]).fails(1, &["model.safetensors", words]);
    }
}

#[test]
fn an_output_that_is_a_file_is_an_error() {
    let place = Place::new();
    fs::write(place.path("taken"), "a file").expect("written");
    let outcome = place.run(&[&QUICK[..], &["--out", "taken"]].concat());
    outcome.fails(1, &["taken"]);
    assert_eq!(fs::read(place.path("taken")).expect("there"), b"a file");
}

#[cfg(unix)]
#[test]
fn paths_that_are_no_utf_8_work() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    data(&place, 8);
    let strange = OsStr::from_bytes(b"str\xffnge");
    if fs::rename(place.path("data"), place.0.path().join(strange)).is_err() {
        return; // Some file systems take UTF-8 only.
    }
    let run = OsStr::from_bytes(b"r\xfen");
    let mut train = place.program(&["train", "--model", "mlp", "--device", "cpu", "--epochs", "1", "--json"]);
    let output = train.arg("--data-dir").arg(strange).arg("--out").arg(run).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut eval = place.program(&["eval", "--device", "cpu"]);
    let output = eval.arg(run).arg("--data-dir").arg(strange).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
