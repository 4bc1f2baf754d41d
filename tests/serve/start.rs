//! From a trained model to a server that listens, or to one clear error.

use crate::{PROGRAM, Place};
use std::net::TcpListener;
use std::process::{Command, Output};

fn serve(place: &Place, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("serve").args(arguments).env("MNIST_GPU_RUNS", place.path().join("runs"));
    command.current_dir(place.path()).output().expect("runs")
}

#[test]
fn what_cannot_be_served_is_one_error() {
    let place = Place::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    for (arguments, code, words) in [
        (&["run", "--port", &port][..], 1, &["127.0.0.1:", "cannot listen"][..]),
        (&["run", "--port", "0", "--host", "192.0.2.1"], 1, &["192.0.2.1:0", "cannot listen"]),
        (&["run", "--port", "0", "--host", "no host"], 1, &["no host:0", "cannot listen"]),
        (&["--port", "0"], 1, &["no complete run", "mnist-gpu train"]),
        (&["nowhere", "--port", "0"], 1, &["nowhere", "cannot read"]),
        (&["run", "--port", "65536"], 2, &["--port"]),
        (&["run", "--timeout", "0"], 2, &["--timeout"]),
        (&["run", "--max-images", "0"], 2, &["--max-images"]),
    ] {
        let output = serve(&place, arguments);
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{arguments:?}: {stderr}");
        assert!(words.iter().all(|word| stderr.contains(word)), "{words:?}: {stderr}");
        assert!(code == 2 || stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn the_help_says_what_numbers_are_taken() {
    let output = serve(&Place::new(), &["--help"]);
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    for words in ["Examples:\n  mnist-gpu serve", "from 0 (ground) to 255 (ink)", "--max-pixels <N>"] {
        assert!(stdout.contains(words), "{words:?}: {stdout}");
    }
}

#[cfg(unix)]
#[test]
fn after_training_no_argument_is_needed() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let place = Place::new();
    std::fs::create_dir(place.path().join("runs")).expect("made");
    std::fs::rename(place.path().join("run"), place.path().join("runs/0001-mlp")).expect("renamed");
    // Not even the folder of its data, which the run knows; only the port may be another test's.
    let mut command = Command::new(PROGRAM);
    command
        .args(["serve", "--port", "0"])
        .env("MNIST_GPU_RUNS", place.path().join("runs"))
        .env_remove("MNIST_GPU_DEVICE")
        .env("MNIST_GPU_CACHE_DIR", "");
    let mut child = command.stdout(Stdio::piped()).spawn().expect("runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines().take(2).map(|line| line.expect("text"));
    let lines: Vec<String> = lines.collect();
    child.kill().expect("it is ours");
    child.wait().expect("a child");
    assert!(lines[0].starts_with("Serving mlp from ") && lines[0].contains("0001-mlp"), "{lines:?}");
    assert!(lines[1].starts_with("Listening on http://127.0.0.1:"), "{lines:?}");
}
