//! The command line: the real program, run in a temporary folder.

mod arguments;
mod bench;
mod check;
mod devices;
mod eval;
mod export;
mod kept;
#[cfg(target_os = "linux")]
mod memory;
mod models;
mod predict;
mod report;
#[cfg(unix)]
mod signals;
mod study;
mod train;
mod trouble;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A training run of a second.
const QUICK: [&str; 10] =
    ["train", "--model", "mlp", "--device", "cpu", "--epochs", "1", "--train-size", "640", "--no-report"];

/// A temporary folder to run the program in.
struct Place(TempDir);

/// How a run of the program ended.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of what is in a folder of the place, in order; nothing where there is no folder.
    fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = self.path(folder).read_dir() else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    /// The program, with its folders of runs and of the cache in the place and no other setting from outside.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mnist-gpu"));
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        command.env_remove("MNIST_GPU_DEVICE").env("MNIST_GPU_RUNS", self.path("runs"));
        command.env("MNIST_GPU_CACHE_DIR", self.path("cache"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.program(arguments))
    }

    /// A quick training run with more options, which must succeed.
    fn train(&self, options: &[&str]) -> Outcome {
        let outcome = self.run(&[&QUICK, options].concat());
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome
    }
}

impl Outcome {
    fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The objects of stdout, one a line.
    fn objects(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Asserts an exit code, nothing on stdout, and these words on stderr.
    #[track_caller]
    fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing: {self:?}");
        }
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("there")).expect("JSON")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn every_help_text_has_examples() {
    for command in ["", "devices", "train", "eval", "predict", "check", "models", "report", "study", "bench"] {
        let outcome =
            Outcome::of(Place::new().program(&[]).args((!command.is_empty()).then_some(command)).arg("--help"));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        assert!(outcome.stdout.contains("Examples:\n  mnist-gpu"), "{command}: {}", outcome.stdout);
    }
}

#[test]
fn mistakes_in_the_arguments_exit_with_2_and_say_how_to_get_help() {
    let place = Place::new();
    place.run(&["tain"]).fails(2, &["tain", "--help"]);
    place.run(&["train", "--epoch"]).fails(2, &["--epoch", "--help"]);
    place.run(&["train", "--quiet", "--verbose"]).fails(2, &["--quiet", "--verbose"]);
    assert_eq!(place.run(&[]).code, Some(2));
}

#[test]
fn the_version_is_the_packages() {
    let outcome = Place::new().run(&["--version"]);
    assert_eq!(outcome.stdout, concat!("mnist-gpu ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_reader_that_goes_away_has_seen_enough() {
    let place = Place::new();
    place.train(&[]);
    for arguments in [&["eval", "--device", "cpu"][..], &QUICK, &["train", "--help"]] {
        let mut child = place.program(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let output = child.wait_with_output().expect("ends");
        assert!(!line.is_empty() && output.status.success(), "{arguments:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}
