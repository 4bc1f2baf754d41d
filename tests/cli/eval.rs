//! `eval`.

use super::{Place, keys};
use mnist_gpu::data::mnist::{TEST_IMAGES, TEST_LABELS, TRAIN_LABELS};
use serde_json::Value;

fn evaluation(place: &Place, arguments: &[&str]) -> Value {
    let outcome = place.run(&[&["eval", "--device", "cpu", "--json"], arguments].concat());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    outcome.objects().remove(0)
}

#[test]
fn without_a_run_it_says_how_to_make_one() {
    let place = Place::new();
    place.run(&["eval", "--device", "cpu"]).fails(1, &["no complete run", "mnist-gpu train"]);
    place.run(&["eval", "nowhere", "--device", "cpu"]).fails(1, &["nowhere", "cannot read"]);
    assert!(place.names(".").is_empty());
}

#[test]
fn a_folder_a_file_and_the_newest_run_are_the_same_model() {
    let place = Place::new();
    place.train(&["--seed", "7"]);
    place.train(&[]);
    let newest = evaluation(&place, &[]);
    assert_eq!(evaluation(&place, &["runs/0002-mlp"]), newest);
    assert_eq!(evaluation(&place, &["runs/0002-mlp/model.safetensors"]), newest);
    assert_ne!(evaluation(&place, &["runs/0001-mlp"]), newest);
}

#[test]
fn the_figures_are_those_of_the_run() {
    let place = Place::new();
    let events = place.train(&["--json"]).objects();
    let object = evaluation(&place, &[]);
    let expected =
        ["accuracy", "classes", "confusion", "device", "images", "loss", "mean", "model", "per_class", "std"];
    assert_eq!(keys(&object), expected);
    let end = events.last().expect("events");
    assert_eq!(object["accuracy"], end["test_accuracy"]);
    let difference = object["loss"].as_f64().expect("a number") - end["test_loss"].as_f64().expect("a number");
    assert!(difference.abs() < 1e-5, "{difference}");
    assert_eq!((&object["model"], &object["images"]), (&"mlp".into(), &10_000.into()));
    assert!((object["mean"].as_f64().expect("a number") - 0.1307).abs() < 1e-4);
    assert!((object["std"].as_f64().expect("a number") - 0.3081).abs() < 1e-4);
    assert_eq!(keys(&object["per_class"][0]), ["class", "f1", "images", "precision", "recall"]);
    let rows = object["confusion"].as_array().expect("rows");
    let counts = rows.iter().flat_map(|row| row.as_array().expect("a row"));
    assert_eq!(counts.map(|count| count.as_u64().expect("a count")).sum::<u64>(), 10_000);
}

#[test]
fn the_training_images_are_a_split_too() {
    let place = Place::new();
    place.train(&[]);
    assert_eq!(evaluation(&place, &["--split", "train"])["images"], 60_000);
    let outcome = place.run(&["eval", "--device", "cpu"]);
    assert!(outcome.stdout.contains("\nloss ") && outcome.stdout.contains("of 10,000 images"), "{outcome:?}");
    assert!(outcome.stdout.contains("confusion: a row per class"), "{outcome:?}");
}

#[test]
fn a_damaged_file_is_an_error() {
    let place = Place::new();
    place.train(&[]);
    let path = place.path("runs/0001-mlp/model.safetensors");
    let bytes = std::fs::read(&path).expect("there");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    place.run(&["eval", "--device", "cpu"]).fails(1, &["model.safetensors", "is not a whole safetensors file"]);
}

#[test]
fn data_from_a_folder_need_all_four_files() {
    let place = Place::new();
    place.train(&[]);
    let write = |name: &str, bytes: &[u8]| std::fs::write(place.path("data").join(name), bytes).expect("written");
    std::fs::create_dir(place.path("data")).expect("made");
    for file in [&TEST_IMAGES, &TEST_LABELS] {
        write(file.name, &file.decompress());
    }
    write(TRAIN_LABELS.name, &TRAIN_LABELS.decompress());
    for command in ["eval", "train"] {
        let outcome = place.run(&[command, "--device", "cpu", "--data-dir", "data"]);
        outcome.fails(1, &["data: ", "train-images-idx3-ubyte is missing from the folder"]);
    }
    // The test images may serve as training images: the set is whole then.
    write("train-images-idx3-ubyte", &TEST_IMAGES.decompress());
    write("train-labels-idx1-ubyte", &TEST_LABELS.decompress());
    let from_folder = evaluation(&place, &["--data-dir", "data"]);
    assert_eq!(from_folder["confusion"], evaluation(&place, &[])["confusion"]);
}
