//! PyTorch, given the weights that `mnist-gpu train` wrote, finds the loss and accuracy that `mnist-gpu eval` prints.

use crate::python::{program, stdout};
use libtest_mimic::Failed;
use mnist_gpu::data::mnist::{TEST_IMAGES, TEST_LABELS};
use serde_json::{Value, json};
use std::process::Command;

/// How far loss and accuracy may be from PyTorch's.
const TOLERANCE: f64 = 1e-5;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export/eval_pytorch.py");

pub fn agrees(model: &str, python: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    for file in [&TEST_IMAGES, &TEST_LABELS] {
        std::fs::write(folder.path().join(file.name), file.decompress())?;
    }
    let run = folder.path().join("run");
    let train = ["train", "--device", "cpu", "--epochs", "1", "--train-size", "1280", "--json", "--model", model];
    stdout(program().args(train).arg("--no-report").arg("--out").arg(&run))?;
    let ours = stdout(program().args(["eval", "--device", "cpu", "--json"]).arg(&run))?;
    let theirs = stdout(Command::new(python).arg(SCRIPT).arg(run.join("model.safetensors")).arg(folder.path()))?;
    compare(&serde_json::from_str(&ours)?, &serde_json::from_str(&theirs)?)
}

fn compare(ours: &Value, theirs: &Value) -> Result<(), Failed> {
    for key in ["loss", "accuracy", "images"] {
        let [a, b] = [ours, theirs].map(|figures| figures[key].as_f64().unwrap_or(f64::NAN));
        let difference = (a - b).abs();
        if difference > TOLERANCE || difference.is_nan() {
            return Err(format!("{key}: {a} by mnist-gpu eval, {b} by PyTorch, more than {TOLERANCE} apart").into());
        }
    }
    Ok(())
}

pub fn comparison_can_fail() -> Result<(), Failed> {
    let figures = |loss: f64| json!({ "loss": loss, "accuracy": 0.98, "images": 10_000 });
    compare(&figures(0.07), &figures(0.070_009))?;
    for other in [figures(0.070_011), figures(f64::NAN), json!({ "loss": 0.07 })] {
        if compare(&figures(0.07), &other).is_ok() {
            return Err(format!("{other} passes for {}", figures(0.07)).into());
        }
    }
    Ok(())
}
