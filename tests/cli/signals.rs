//! Ctrl-C and SIGTERM: what there is is saved, and the exit code says which it was.

use super::{Outcome, Place, json};
use mnist_gpu::checkpoint::Checkpoint;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// Trains until the first epoch's line, sends a signal, and says how it ended.
fn interrupted(place: &Place, signal: &str, options: &[&str], first_epoch: &str) -> Outcome {
    let arguments = ["train", "--model", "mlp", "--device", "cpu", "--epochs", "100000", "--train-size", "6400"];
    let mut command = place.program(&[&arguments, options].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut reader = BufReader::new(child.stdout.take().expect("piped"));
    let mut stdout = String::new();
    while !stdout.lines().last().unwrap_or_default().contains(first_epoch) {
        assert_ne!(reader.read_line(&mut stdout).expect("readable"), 0, "ended by itself: {stdout}");
    }
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    reader.read_to_string(&mut stdout).expect("readable");
    let output = child.wait_with_output().expect("ends");
    Outcome { code: output.status.code(), stdout, stderr: String::from_utf8(output.stderr).expect("UTF-8") }
}

#[test]
fn a_signal_during_training_saves_and_says_so() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let place = Place::new();
        let outcome = interrupted(&place, signal, &[], "    1  ");
        assert_eq!(outcome.code, Some(code), "{outcome:?}");
        assert!(outcome.stderr.contains("Interrupted after ") && outcome.stderr.contains("0001-mlp"), "{outcome:?}");
        let record = json(&place.path("runs/0001-mlp/run.json"));
        assert_eq!(record["status"], "interrupted");
        assert!(record["epochs"].as_array().expect("rows").len() >= 2);
        Checkpoint::load(&place.path("runs/0001-mlp/model.safetensors")).expect("whole");
        // It can be evaluated by name, but is not taken for a complete run.
        place.run(&["eval", "--device", "cpu"]).fails(1, &["there is no complete run"]);
        assert_eq!(place.run(&["eval", "runs/0001-mlp", "--device", "cpu"]).code, Some(0));
    }
}

#[test]
fn programs_are_told_of_it_too() {
    let outcome = interrupted(&Place::new(), "INT", &["--json"], r#""epoch":1,"#);
    let end = outcome.objects().pop().expect("events");
    assert_eq!((&end["event"], &end["status"]), (&"end".into(), &"interrupted".into()), "{end}");
}
