//! TensorBoard's own reader finds every scalar and picture of a run.

use crate::python::{program, stdout};
use libtest_mimic::Failed;
use mnist_gpu::run::Run;
use serde_json::Value;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export/read_tensorboard.py");

pub fn agrees(python: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let run = folder.path().join("run");
    let train = [
        "train",
        "--device",
        "cpu",
        "--model",
        "linear",
        "--epochs",
        "3",
        "--train-size",
        "500",
        "--validation",
        "100",
    ];
    stdout(program().args(train).args(["--json", "--out"]).arg(&run))?;
    // A picture of 3 columns and 2 rows, as far as its header goes.
    let png = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0]].concat();
    std::fs::write(run.join("tiny.png"), png)?;
    stdout(program().args(["export", "tensorboard"]).arg(&run))?;
    let found: Value = serde_json::from_str(&stdout(Command::new(python).arg(SCRIPT).arg(&run))?)?;

    let record = Run::load(&run)?;
    assert_eq!(found["images"]["tiny"], serde_json::json!([[3, 2, 3, 2]]));
    let scalars = |tag: &str| -> Vec<(u64, f32)> {
        let rows = found["scalars"][tag].as_array().unwrap_or_else(|| panic!("no {tag}: {found}"));
        rows.iter().map(|row| (row[0].as_u64().expect("a step"), row[1].as_f64().expect("a value") as f32)).collect()
    };
    let steps: Vec<(u64, f32)> = (1..).zip(record.step_losses.iter().copied()).collect();
    assert_eq!((scalars("loss/step"), steps.len()), (steps.clone(), 12));
    let by_epoch = |value: &dyn Fn(&mnist_gpu::trainer::EpochRow) -> Option<f64>| -> Vec<(u64, f32)> {
        record.epochs.iter().filter_map(|row| Some((u64::from(row.epoch) * 4, value(row)? as f32))).collect()
    };
    assert_eq!(scalars("loss/train"), by_epoch(&|row| Some(row.train_loss)));
    assert_eq!(scalars("loss/test"), by_epoch(&|row| Some(row.test_loss)));
    assert_eq!(scalars("loss/validation"), by_epoch(&|row| row.validation_loss));
    assert_eq!(scalars("accuracy/train"), by_epoch(&|row| Some(row.train_accuracy)));
    assert_eq!(scalars("accuracy/test"), by_epoch(&|row| Some(row.test_accuracy)));
    assert_eq!(scalars("accuracy/validation"), by_epoch(&|row| row.validation_accuracy));
    assert_eq!(scalars("learning_rate"), by_epoch(&|row| row.learning_rate));
    assert_eq!(scalars("images_per_second").len(), 3);
    // Of a run that was interrupted, the losses of its last steps, too.
    let part = folder.path().join("part");
    std::fs::create_dir(&part)?;
    let [short, rows] = [10, 3];
    let interrupted = Run {
        epochs: record.epochs[..rows].to_vec(),
        step_losses: record.step_losses[..short].to_vec(),
        ..record.clone()
    };
    interrupted.save(&part)?;
    stdout(program().args(["export", "tensorboard"]).arg(&part))?;
    let of_part: Value = serde_json::from_str(&stdout(Command::new(python).arg(SCRIPT).arg(&part))?)?;
    assert_eq!(of_part["scalars"]["loss/step"].as_array().map(Vec::len), Some(short));
    assert_eq!(of_part["scalars"]["loss/test"].as_array().map(Vec::len), Some(rows));
    assert!(found["seconds"].as_f64() >= Some(0.0), "time runs backwards: {}", found["seconds"]);
    Ok(())
}
