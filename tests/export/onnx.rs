//! ONNX Runtime, given what `mnist-gpu export onnx` wrote, finds our log-probabilities; weights that PyTorch saved are ours.

use crate::python::{program, stdout};
use libtest_mimic::Failed;
use mnist_gpu::checkpoint::Checkpoint;
use mnist_gpu::cpu::Cpu;
use mnist_gpu::data::mnist::{TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS};
use mnist_gpu::data::{Dataset, Part};
use mnist_gpu::inference::Classifier;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// How far log-probabilities may be from ONNX Runtime's: absolute up to 1, relative beyond.
const TOLERANCE: f64 = 1e-5;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export/run_onnx.py");
/// Saves weights again as PyTorch does: without metadata.
const RESAVE: &str =
    "import sys; from safetensors.torch import load_file, save_file; save_file(load_file(sys.argv[1]), sys.argv[2])";

pub fn agrees(model: &str, python: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let (few, run) = (path("few"), path("run"));
    few_images(&few)?;
    // What is trained, from the start or on, and evaluated with the few images.
    let with_few = |command: &str| {
        let mut process = program();
        process.args([command, "--device", "cpu", "--json", "--data-dir"]).arg(&few);
        process
    };
    let train = || {
        let mut process = with_few("train");
        process.args(["--epochs", "1", "--no-report", "--model", model]);
        process
    };
    stdout(train().arg("--out").arg(&run))?;

    let data = Dataset::load(None, Part::Test)?;
    let mut ours = log_probabilities(&Checkpoint::load(&run.join("model.safetensors"))?, &data)?;
    std::fs::write(path("images"), TEST_IMAGES.decompress())?;
    for pixels in ["uint8", "float"] {
        let exported = path(&format!("{pixels}.onnx"));
        stdout(program().args(["export", "onnx", "--pixels", pixels]).arg(&run).arg("-o").arg(&exported))?;
        let found = compare(python, &exported, folder.path(), &ours)?;
        let difference = found["difference"].as_f64().unwrap_or(f64::NAN);
        if difference > TOLERANCE || difference.is_nan() || found["images"] != 10_000 {
            return Err(format!("{pixels}: log-probabilities differ by {difference:e}: {found}").into());
        }
        assert_eq!(found["classes"], serde_json::json!(data.classes));
    }
    // The comparison can fail.
    ours[5] += 1e-3;
    let found = compare(python, &path("uint8.onnx"), folder.path(), &ours)?;
    assert!(found["difference"].as_f64() > Some(TOLERANCE), "{found}");

    // And the other way round: a state dict without a word about its model.
    let plain = path("plain.safetensors");
    stdout(Command::new(python).args(["-W", "ignore", "-c", RESAVE]).arg(run.join("model.safetensors")).arg(&plain))?;
    let figures = |command: &mut Command| -> Result<Value, Failed> { Ok(serde_json::from_str(&stdout(command)?)?) };
    let expected = figures(with_few("eval").arg(&run))?;
    let found = figures(with_few("eval").args(["--model", model]).arg(&plain))?;
    assert_eq!([&found["loss"], &found["confusion"]], [&expected["loss"], &expected["confusion"]]);
    let refused = program().args(["eval", "--device", "cpu"]).arg(&plain).output()?;
    assert_eq!(refused.status.code(), Some(1));
    let rows = stdout(train().arg("--init").arg(&plain).arg("--out").arg(path("more")))?;
    let first = rows.lines().find(|row| row.contains("\"epoch\":0")).expect("the weights before training");
    let first: Value = serde_json::from_str(first)?;
    let difference = (first["test_loss"].as_f64().expect("a loss") - expected["loss"].as_f64().expect("a loss")).abs();
    assert!(difference < TOLERANCE, "training begins with other weights: {first}");
    Ok(())
}

/// Writes a folder of data: MNIST's first 1,280 training images and first hundred test images. Where training is but a
/// means, the rest need not be evaluated before and after it.
fn few_images(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (images, labels, count) in [(&TRAIN_IMAGES, &TRAIN_LABELS, 1_280_u32), (&TEST_IMAGES, &TEST_LABELS, 100)] {
        for (file, header, element) in [(images, 16, 28 * 28), (labels, 8, 1)] {
            let mut bytes = file.decompress();
            bytes.truncate(header + element * count as usize);
            bytes[4..8].copy_from_slice(&count.to_be_bytes());
            std::fs::write(folder.join(file.name), bytes)?;
        }
    }
    Ok(())
}

/// What our CPU says of every test image.
fn log_probabilities(checkpoint: &Checkpoint, data: &Dataset) -> Result<Vec<f32>, Failed> {
    Ok(Classifier::new(&Cpu::new(None)?, checkpoint)?.log_probabilities(&data.test.images)?.concat())
}

/// What the script finds.
fn compare(python: &str, exported: &Path, folder: &Path, ours: &[f32]) -> Result<Value, Failed> {
    std::fs::write(folder.join("ours"), ours.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())?;
    let mut command = Command::new(python);
    command.arg(SCRIPT).arg(exported).arg(folder.join("images")).arg(folder.join("ours"));
    Ok(serde_json::from_str(&stdout(&mut command)?)?)
}
