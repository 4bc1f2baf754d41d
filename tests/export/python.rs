//! Trials for which a Python with other programs is needed (`MNIST_GPU_PYTHON`, else python3): without one they are reported
//! as ignored; with `MNIST_GPU_REQUIRE_PYTHON=1` they fail.

use libtest_mimic::{Failed, Trial};
use std::env::var;
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
