//! Memory: a long run takes no more of it than a short one, and where there is too little the message says for what.

use super::{Outcome, Place};
use mnist_gpu::gpu::adapters;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// `cpu`, and the number of each adapter.
fn devices() -> Vec<String> {
    std::iter::once("cpu".into()).chain((0..adapters().len()).map(|index| index.to_string())).collect()
}

/// KiB of main memory that a process has now.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("readable");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is there");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_thousand_epochs_take_no_more_memory_than_a_hundred() {
    for device in devices() {
        let place = Place::new();
        let small = ["--train-size", "32", "--batch-size", "32", "--epochs", "1000", "--data-dir", "data"];
        super::trouble::data(&place, 8);
        let mut command = place.program(&["train", "--json", "--no-report", "--model", "mlp", "--device", &device]);
        let mut child = command.args(small).stdout(Stdio::piped()).spawn().expect("runs");
        let mut after = [0; 1001];
        for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
            let event: serde_json::Value = serde_json::from_str(&line.expect("readable")).expect("JSON");
            if event["event"] == "epoch" {
                after[event["epoch"].as_u64().expect("a number") as usize] = resident(child.id());
            }
        }
        assert!(child.wait().expect("ends").success());
        println!("on {device}: {} KiB after 100 epochs, {} after 1,000", after[100], after[1000]);
        // The rows and losses of each epoch are kept, 1 KiB.
        assert!(after[1000] < after[100] + 4096, "on {device}: {} KiB, then {}", after[100], after[1000]);
    }
}

#[test]
fn too_little_memory_is_an_error_that_says_for_what() {
    // KiB with which a process starts and its batch does not fit. OpenGL's drivers take memory when it is first used.
    let lavapipe = adapters().iter().position(|adapter| {
        let info = adapter.info();
        info.name.contains("llvmpipe") && info.backend == "vulkan"
    });
    let limits = [(Some("cpu".to_owned()), 800_000), (lavapipe.map(|index| index.to_string()), 1_700_000)];
    for (device, kib) in limits {
        let Some(device) = device else { continue };
        let place = Place::new();
        let limited = format!("ulimit -v {kib}; exec \"$0\" \"$@\"");
        let train = ["train", "--model", "convnet", "--device", &device, "--threads", "1", "--epochs", "1"];
        let program = place.program(&[&train[..], &["--batch-size", "1400", "--train-size", "1400"]].concat());
        let mut command = Command::new("sh");
        command.args(["-c", &limited]).arg(program.get_program()).args(program.get_args());
        command.current_dir(&place.0).env("MNIST_GPU_RUNS", place.path("runs")).env("MNIST_GPU_CACHE_DIR", "");
        // Each thread of llvmpipe takes address space of its own.
        command.env("LP_NUM_THREADS", "1");
        let outcome = Outcome::of(&mut command);
        outcome.fails(1, &["out of memory for ", "bytes)", "--batch-size"]);
        assert!(place.names("runs").is_empty());
    }
}
