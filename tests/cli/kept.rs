//! What is kept of an adapter between runs: kernels that `bench --save-tuning` measured to be faster, which `train` takes and
//! records; compiled pipelines.

use crate::{Place, json};
use mnist_gpu::gpu::{Adapter, adapters};
use serde_json::json;
use std::path::PathBuf;

const BENCH: [&str; 9] =
    ["bench", "--save-tuning", "--quick", "--only", "kernels", "--model", "linear", "--batch-size", "64"];
const TRAIN: [&str; 13] = [
    "train",
    "--device",
    "0",
    "--model",
    "linear",
    "--batch-size",
    "64",
    "--epochs",
    "1",
    "--train-size",
    "128",
    "--no-report",
    "--out=run",
];
const OP: &str = "matmul nt 64×10×784";

/// The adapter that `--device 0` takes.
fn first_adapter() -> Option<Adapter> {
    let adapter = adapters().into_iter().next();
    let required = std::env::var("MNIST_GPU_REQUIRE_ADAPTER").is_ok_and(|value| value == "1");
    assert!(adapter.is_some() || !required, "no adapter was found");
    adapter
}

/// The file in the place's cache with this ending.
fn kept(place: &Place, ending: &str) -> Option<PathBuf> {
    let name = place.names("cache").into_iter().find(|name| name.ends_with(ending))?;
    Some(place.path("cache").join(name))
}

#[test]
fn a_run_takes_the_kernels_that_were_measured_to_be_faster_and_goes_on_with_them() {
    let Some(adapter) = first_adapter() else { return };
    let usual = adapter.profile().class;
    let other = adapter.profile().class.runnable().into_iter().find(|class| *class != usual).expect("another class");
    let place = Place::new();
    let measured = place.run(&[&BENCH[..], &["--device", "0"]].concat());
    assert_eq!(measured.code, Some(0), "{measured:?}");
    let path = kept(&place, ".tuning.json").expect("kept");
    assert!(measured.stdout.contains(&format!("Saved {}", path.display())), "{measured:?}");

    // What was measured is another matter each time: here it is the other kernel.
    let mut file = json(&path);
    file["kernels"] = json!({ OP: other.name() });
    std::fs::write(&path, file.to_string()).expect("written");
    let trained = place.run(&TRAIN);
    assert_eq!(trained.code, Some(0), "{trained:?}");
    let tuned = json(&place.path("run/run.json"));
    assert_eq!(tuned["tuning"], json!({ OP: other.name() }));

    // A resumed run keeps to them when the file is gone.
    std::fs::remove_file(&path).expect("removed");
    let record = place.path("run/run.json");
    let text = std::fs::read_to_string(&record).expect("a record").replace("\"complete\"", "\"running\"");
    std::fs::write(&record, text).expect("written");
    let resumed = place.run(&["train", "--resume", "run"]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let again = json(&record);
    assert_eq!((&again["tuning"], &again["kernels"]), (&tuned["tuning"], &tuned["kernels"]));

    // A new one has the usual kernels.
    assert_eq!(place.run(&[&TRAIN[..], &["--force"]].concat()).code, Some(0));
    let usual = json(&record);
    assert!(usual.get("tuning").is_none() && usual["kernels"] != tuned["kernels"], "{usual}");
}

#[test]
fn what_cannot_be_tuned_or_kept_is_said_before_anything_is_measured() {
    let place = Place::new();
    place.run(&["bench", "--save-tuning", "--only", "steps", "--device", "cpu"]).fails(2, &["--only kernels"]);
    place.run(&[&BENCH[..], &["--device", "cpu"]].concat()).fails(2, &["is for adapters"]);
    if first_adapter().is_some() {
        std::fs::write(place.path("cache"), b"a file").expect("written");
        place.run(&[&BENCH[..], &["--device", "0"]].concat()).fails(1, &["cache"]);
    }
}

#[test]
fn pipelines_are_kept_and_a_file_that_is_not_whole_is_written_anew() {
    let Some(adapter) = first_adapter() else { return };
    let place = Place::new();
    let train = || {
        let trained = place.run(&[&TRAIN[..], &["--force"]].concat());
        assert_eq!(trained.code, Some(0), "{trained:?}");
        std::fs::read(place.path("run/model.safetensors")).expect("weights")
    };
    let weights = train();
    let path = kept(&place, ".pipelines");
    assert_eq!(path.is_some(), adapter.capabilities().features.contains(&"pipeline cache"));
    let Some(path) = path else { return };
    let whole = std::fs::read(&path).expect("there");
    for broken in [&b""[..], &whole[..whole.len() - 1], &vec![b'x'; whole.len()]] {
        std::fs::write(&path, broken).expect("written");
        assert!(train() == weights, "other weights");
        assert!(std::fs::read(&path).expect("there") != broken, "still broken");
    }
    // Where nothing can be written, nothing is, and training goes on.
    std::fs::remove_dir_all(place.path("cache")).expect("removed");
    std::fs::write(place.path("cache"), b"a file").expect("written");
    assert!(train() == weights, "other weights");
}
