//! Other programs, given what `mnist-gpu export` wrote, find what we do.
//!
//! ONNX has one trial per preset. They need a Python with onnx, onnxruntime, torch, safetensors and tensorboard
//! (`MNIST_GPU_PYTHON`, else python3): without one they are reported as ignored; with `MNIST_GPU_REQUIRE_PYTHON=1` they
//! fail.

mod onnx;
mod tensorboard;

use libtest_mimic::{Arguments, Failed, Trial};
use mnist_gpu::model::PRESETS;
use std::env::var;
use std::process::{Command, ExitCode};

/// What a trial does with a Python.
type Test = Box<dyn FnOnce(&str) -> Result<(), Failed> + Send>;

fn main() -> ExitCode {
    let python = var("MNIST_GPU_PYTHON").unwrap_or_else(|_| "python3".into());
    let needed = "import onnx, onnxruntime, safetensors.torch, tensorboard.backend.event_processing.event_accumulator";
    let missing = match Command::new(&python).args(["-W", "ignore", "-c", needed]).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Some(error.to_string()),
    };
    let required = var("MNIST_GPU_REQUIRE_PYTHON").is_ok_and(|value| value == "1");
    let trial = |name: String, test: Test| {
        let (python, missing) = (python.clone(), missing.clone());
        let ignored = missing.is_some() && !required;
        let run = move || match missing {
            Some(reason) => Err(format!("{python} lacks what this test needs: {reason}").into()),
            None => test(&python),
        };
        Trial::test(name, run).with_ignored_flag(ignored)
    };
    let onnx = PRESETS.map(|model| trial(format!("onnx_{model}"), Box::new(move |python| onnx::agrees(model, python))));
    let mut trials = Vec::from(onnx);
    trials.push(trial("tensorboard".into(), Box::new(tensorboard::agrees)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The program, without what this machine's user has set for it.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mnist-gpu"));
    command.env_remove("MNIST_GPU_DEVICE");
    command
}

/// What a command prints, or why it failed.
fn stdout(command: &mut Command) -> Result<String, Failed> {
    let output = command.output()?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}
