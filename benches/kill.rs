//! Kills training runs at random moments, again and again, and resumes them: each must end with the bytes of a run that was
//! never interrupted.
//!
//!     cargo bench --bench kill -- --runs 100 --device cpu --device software

use clap::Parser;
use mnist_gpu::random::{Purpose, uniform};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

/// Kill and resume runs, and compare their weights with those of a run that was left alone
#[derive(Parser)]
struct Args {
    /// Runs to kill, on each device
    #[arg(long, default_value_t = 100)]
    runs: u32,
    /// A device; several are tried one after another
    #[arg(long, default_value = "cpu")]
    device: Vec<String>,
    /// What is trained, apart from the device
    #[arg(
        long,
        allow_hyphen_values = true,
        default_value = "--model mlp --epochs 3 --train-size 6000 --checkpoint-every 10"
    )]
    train: String,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[allow(dead_code)] // The tests call `try_device` themselves.
fn main() -> ExitCode {
    let args = Args::parse();
    let folder = tempfile::tempdir().expect("a folder for the runs");
    for device in &args.device {
        let train: Vec<&str> = args.train.split_whitespace().chain(["--device", device]).collect();
        let kills = try_device(folder.path(), &train, args.runs);
        println!("{device}: {} runs, {kills} kills, every run ended with the bytes of one left alone", args.runs);
    }
    ExitCode::SUCCESS
}

/// Trains once undisturbed, then kills and resumes so many runs; counts the kills.
///
/// # Panics
/// When a run ends with other bytes, or cannot be resumed.
pub fn try_device(folder: &Path, train: &[&str], runs: u32) -> u32 {
    let whole = folder.join("whole");
    let clock = Instant::now();
    finish(start(&whole, train));
    let duration = clock.elapsed();
    let expected = weights(&whole);
    let mut kills = 0;
    for run in 0..runs {
        let killed = folder.join(format!("killed-{run}"));
        let mut begun = start(&killed, train);
        for attempt in 0_u32.. {
            // Anywhere from the start of the process to somewhat beyond a whole run, shorter from kill to kill.
            let share = uniform([run, Purpose::Split as u32], [attempt, 0]) / (1.0 + attempt as f32 / 4.0);
            std::thread::sleep(duration.mul_f32(1.1 * share));
            if begun.try_wait().expect("a child").is_some() {
                break;
            }
            begun.kill().expect("the process is ours");
            begun.wait().expect("a child");
            kills += 1;
            // Before its record is written there is no run yet: it is begun once more.
            begun = if killed.join("run.json").exists() { resume(&killed) } else { start(&killed, train) };
            if attempt == 4 {
                break;
            }
        }
        finish(begun);
        assert!(
            weights(&killed) == expected,
            "run {run} of {train:?} ended with other bytes after {kills} kills in all"
        );
        std::fs::remove_dir_all(&killed).expect("the folder is ours");
    }
    std::fs::remove_dir_all(&whole).expect("the folder is ours");
    kills
}

fn start(folder: &Path, train: &[&str]) -> Child {
    spawn(
        Command::new(env!("CARGO_BIN_EXE_mnist-gpu")).arg("train").args(train).arg("--force").arg("--out").arg(folder),
    )
}

fn resume(folder: &Path) -> Child {
    spawn(
        Command::new(env!("CARGO_BIN_EXE_mnist-gpu"))
            .args(["train", "--checkpoint-every", "10", "--resume"])
            .arg(folder),
    )
}

fn spawn(command: &mut Command) -> Child {
    let quiet = command.args(["--quiet", "--no-report"]).env_remove("MNIST_GPU_DEVICE").env("MNIST_GPU_CACHE_DIR", "");
    quiet.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

fn finish(mut child: Child) {
    let status = child.wait().expect("a child");
    assert!(status.success(), "a run ended with {status}");
}

fn weights(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("model.safetensors")).expect("a finished run has weights")
}
