//! Other programs, given what `mnist-gpu export` wrote, find what we do.
//!
//! ONNX has one trial per preset. They need a Python with onnx, onnxruntime, torch, safetensors and tensorboard.

mod onnx;
#[path = "../python/mod.rs"]
mod python;
mod tensorboard;

use libtest_mimic::Arguments;
use mnist_gpu::model::PRESETS;
use python::Python;
use std::process::ExitCode;

fn main() -> ExitCode {
    let python =
        Python::with("onnx, onnxruntime, safetensors.torch, tensorboard.backend.event_processing.event_accumulator");
    let mut trials = Vec::from(
        PRESETS.map(|model| python.trial(format!("onnx_{model}"), move |python| onnx::agrees(model, python))),
    );
    trials.push(python.trial("tensorboard", tensorboard::agrees));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
