//! Runs that are killed or interrupted go on to the same bytes; what does not fit together is refused.

#[path = "../benches/kill.rs"]
mod kill;

use mnist_gpu::gpu::adapters;
use std::path::Path;
use std::process::{Command, Output};

const SMALL: [&str; 8] = ["--model", "mlp", "--epochs", "2", "--train-size", "3000", "--checkpoint-every", "5"];

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mnist-gpu"));
    command.args(arguments).env_remove("MNIST_GPU_DEVICE").env("MNIST_GPU_CACHE_DIR", "");
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}

fn trained(folder: &Path) {
    let arguments: Vec<&str> =
        ["train"].into_iter().chain(SMALL).chain(["--no-report", "--device", "cpu", "--out"]).collect();
    let output = run(&[&arguments[..], &[text(folder)]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A finished run as it was after its first epoch: `edit` changes its record's text.
fn unfinished(folder: &Path, edit: impl Fn(String) -> String) {
    trained(folder);
    let path = folder.join("run.json");
    let record = std::fs::read_to_string(&path).expect("a record").replace("\"complete\"", "\"running\"");
    std::fs::write(&path, edit(record)).expect("written");
}

fn refused(folder: &Path, because: &str) {
    let output = run(&["train", "--resume", text(folder)]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(because), "{error}");
}

#[test]
fn killed_runs_end_with_the_same_bytes_on_the_cpu() {
    let folder = tempfile::tempdir().expect("a folder");
    let train: Vec<&str> = SMALL.into_iter().chain(["--device", "cpu"]).collect();
    assert!(kill::try_device(folder.path(), &train, 4) > 0, "no run was killed in time");
}

#[test]
fn killed_runs_end_with_the_same_bytes_on_a_software_adapter() {
    if !adapters().iter().any(|adapter| adapter.info().is_software()) {
        let required = std::env::var_os("MNIST_GPU_REQUIRE_ADAPTER").is_some_and(|value| value == "1");
        // Of a Mac, only its GPU is to be had.
        assert!(!required || cfg!(target_os = "macos"), "no software adapter was found: install mesa-vulkan-drivers");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let train: Vec<&str> = SMALL.into_iter().chain(["--device", "software"]).collect();
    assert!(kill::try_device(folder.path(), &train, 2) > 0, "no run was killed in time");
}

#[test]
fn a_complete_run_says_so_and_succeeds() {
    let folder = tempfile::tempdir().expect("a folder");
    trained(folder.path());
    let output = run(&["train", "--resume", text(folder.path())]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("complete"));
    assert!(!folder.path().join("checkpoint.safetensors").exists());
}

#[test]
fn a_run_without_checkpoint_resumes_from_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    unfinished(folder.path(), |record| record);
    let before = std::fs::read(folder.path().join("model.safetensors")).expect("weights");
    std::fs::remove_file(folder.path().join("model.safetensors")).expect("removed");
    // It goes on where it began, whatever device is the usual one now.
    let mut resume = program(&["train", "--resume", text(folder.path())]);
    let output = resume.env("MNIST_GPU_DEVICE", "no-such-device").output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("from the start"));
    assert!(std::fs::read(folder.path().join("model.safetensors")).expect("weights") == before);
}

#[test]
fn what_has_changed_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    unfinished(folder.path(), |record| record.replace(&version, "\"version\": \"0.0.1\""));
    refused(folder.path(), "0.0.1");
}

#[test]
fn other_data_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let fingerprint = mnist_gpu::data::mnist::FINGERPRINT;
    unfinished(folder.path(), |record| record.replace(fingerprint, &"0".repeat(64)));
    refused(folder.path(), "its data have changed");
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    unfinished(folder.path(), |record| record);
    std::fs::write(folder.path().join("checkpoint.safetensors"), b"not one").expect("written");
    refused(folder.path(), "is not a whole checkpoint");
}

#[test]
fn a_run_that_is_not_there_is_named() {
    refused(Path::new("no-such-run"), "no-such-run");
}

#[test]
fn a_resumed_run_takes_no_configuration() {
    let output = run(&["train", "--resume", "somewhere", "--epochs", "3"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn initial_weights_come_from_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    trained(&first);
    let arguments = ["--model", "mlp", "--epochs", "1", "--train-size", "3000", "--device", "cpu", "--json"];
    let output = run(&[&["train", "--init", text(&first), "--out", text(&second)], &arguments[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = String::from_utf8_lossy(&output.stdout).into_owned();
    let epoch_0 = rows.lines().find(|line| line.contains("\"epoch\":0")).expect("a row of epoch 0");
    let row: serde_json::Value = serde_json::from_str(epoch_0).expect("JSON");
    assert!(row["test_accuracy"].as_f64().expect("a number") > 0.7, "{epoch_0}");
    let output =
        run(&["train", "--model", "linear", "--init", text(&first), "--out", text(&second), "--device", "cpu"]);
    assert_eq!(output.status.code(), Some(2), "an existing run must not be replaced");
    let third = folder.path().join("third");
    let output = run(&["train", "--model", "linear", "--init", text(&first), "--out", text(&third), "--device", "cpu"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!third.exists(), "nothing is left of a run that could not begin");
}
