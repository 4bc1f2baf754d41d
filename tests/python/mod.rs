//! Trials for which a Python with other programs is needed (`MNIST_GPU_PYTHON`, else python3): without one they are reported
//! as ignored; with `MNIST_GPU_REQUIRE_PYTHON=1` they fail.

use libtest_mimic::{Failed, Trial};
use mnist_gpu::data::mnist::{TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS};
use std::env::var;
use std::io;
use std::path::Path;
use std::process::Command;

/// A Python.
#[derive(Clone)]
pub struct Python {
    path: String,
    /// What it says where it lacks something.
    missing: Option<String>,
}

impl Python {
    /// Looks for these modules.
    pub fn with(modules: &str) -> Self {
        let path = var("MNIST_GPU_PYTHON").unwrap_or_else(|_| "python3".into());
        let missing = match Command::new(&path).args(["-W", "ignore", "-c", &format!("import {modules}")]).output() {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Some(error.to_string()),
        };
        Self { path, missing }
    }

    /// A trial that is given the path of the Python.
    pub fn trial(
        &self,
        name: impl Into<String>,
        test: impl FnOnce(&str) -> Result<(), Failed> + Send + 'static,
    ) -> Trial {
        let Self { path, missing } = self.clone();
        let required = var("MNIST_GPU_REQUIRE_PYTHON").is_ok_and(|value| value == "1");
        let ignored = missing.is_some() && !required;
        let run = move || match missing {
            Some(reason) => Err(format!("{path} lacks what this test needs: {reason}").into()),
            None => test(&path),
        };
        Trial::test(name, run).with_ignored_flag(ignored)
    }
}

/// Our program, without what this machine's user has set for it.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mnist-gpu"));
    command.env_remove("MNIST_GPU_DEVICE").env("MNIST_GPU_CACHE_DIR", "");
    command
}

/// What a command prints, or why it failed.
pub fn stdout(command: &mut Command) -> Result<String, Failed> {
    let output = command.output()?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

/// The images that [`few_images`] leaves to train with.
pub const FEW: u32 = 1_280;

/// Writes a folder of data: MNIST's first images, of the test images a hundred alone. Where training is but a means, the
/// rest need not be evaluated before and after it.
pub fn few_images(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (images, labels, count) in [(&TRAIN_IMAGES, &TRAIN_LABELS, FEW), (&TEST_IMAGES, &TEST_LABELS, 100)] {
        for (file, header, element) in [(images, 16, 28 * 28), (labels, 8, 1)] {
            let mut bytes = file.decompress();
            bytes.truncate(header + element * count as usize);
            bytes[4..8].copy_from_slice(&count.to_be_bytes());
            std::fs::write(folder.join(file.name), bytes)?;
        }
    }
    Ok(())
}
