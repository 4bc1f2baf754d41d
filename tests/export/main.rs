//! Other programs, given what `mnist-gpu export` or `train` wrote, find what we do.
//!
//! ONNX Runtime and PyTorch have one trial per preset. They need a Python with onnx, onnxruntime, torch, safetensors and
//! tensorboard.

mod onnx;
mod python;
mod pytorch;
mod tensorboard;

use libtest_mimic::{Arguments, Trial};
use mnist_gpu::model::PRESETS;
use python::Python;
use std::process::ExitCode;

fn main() -> ExitCode {
    let python =
        Python::with("onnx, onnxruntime, safetensors.torch, tensorboard.backend.event_processing.event_accumulator");
    // The largest model first: what takes longest does not begin last.
    let models = PRESETS.into_iter().rev();
    let mut trials: Vec<_> = models
        .flat_map(|model| {
            [
                python.trial(format!("onnx_{model}"), move |python| onnx::agrees(model, python)),
                python.trial(format!("pytorch_{model}"), move |python| pytorch::agrees(model, python)),
            ]
        })
        .collect();
    trials.push(python.trial("tensorboard", tensorboard::agrees));
    trials.push(Trial::test("the_comparison_with_pytorch_can_fail", pytorch::comparison_can_fail));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
