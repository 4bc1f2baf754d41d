//! `train`: what it writes and what it says.

use super::{Place, QUICK, json, keys};
use mnist_gpu::checkpoint::Checkpoint;
use std::fs::read;

const FILES: [&str; 3] = ["metrics.csv", "model.safetensors", "run.json"];

#[test]
fn runs_are_numbered_and_hold_three_files() {
    let place = Place::new();
    let outcome = place.train(&[]);
    let linear = QUICK.map(|word| if word == "mlp" { "linear" } else { word });
    assert_eq!(place.run(&linear).code, Some(0));
    assert_eq!(place.names("runs"), ["0001-mlp", "0002-linear"]);
    assert_eq!(place.names("runs/0001-mlp"), FILES);
    assert_eq!(place.names("runs/0002-linear"), FILES);
    let last = outcome.stdout.lines().last().expect("lines");
    assert!(last.starts_with("Saved ") && last.contains("Next: mnist-gpu eval "), "{last}");
    // Neither a progress bar nor a driver's remarks where stderr is no terminal.
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_named_folder_is_never_overwritten_unless_told_to() {
    let place = Place::new();
    place.train(&["--out", "mine/first"]);
    assert_eq!(place.names("mine/first"), FILES);
    let weights = || read(place.path("mine/first/model.safetensors")).expect("there");
    let before = weights();
    let again = ["--out", "mine/first", "--seed", "2"];
    place.run(&[&QUICK[..], &again].concat()).fails(2, &["mine/first", "exists already", "--force"]);
    assert_eq!(weights(), before);
    // What the old run leaves would be taken for the new one's.
    for file in ["report.md", "confusion.png", "events.out.tfevents.0.mnist-gpu", "model.json"] {
        std::fs::write(place.path("mine/first").join(file), "old").expect("written");
    }
    place.train(&[&again[..], &["--force"]].concat());
    assert_ne!(weights(), before);
    let mut expected = FILES.to_vec();
    expected.insert(1, "model.json");
    assert_eq!(place.names("mine/first"), expected);
    assert!(place.names("runs").is_empty());
    std::fs::write(place.path("file"), "").expect("written");
    place.run(&[&QUICK[..], &["--out", "file"]].concat()).fails(1, &["file"]);
}

#[test]
fn the_record_holds_everything_a_report_needs() {
    let place = Place::new();
    place.train(&["--validation", "100", "--seed", "2"]);
    let record = json(&place.path("runs/0001-mlp/run.json"));
    let expected = [
        "config",
        "data",
        "device",
        "device_reason",
        "epochs",
        "kernels",
        "parameters",
        "status",
        "step_losses",
        "version",
    ];
    assert_eq!(keys(&record), expected);
    assert_eq!(record["status"], "complete");
    assert_eq!(record["parameters"], 784 * 128 + 128 + 128 * 10 + 10);
    assert_eq!((&record["config"]["seed"], &record["config"]["train_size"]), (&2.into(), &640.into()));
    assert_eq!(record["data"]["train_images"], 640);
    assert_eq!(record["step_losses"].as_array().expect("a list").len(), 5);
    let rows = record["epochs"].as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    let row_keys = [
        "epoch",
        "images_per_second",
        "learning_rate",
        "seconds",
        "test_accuracy",
        "test_loss",
        "train_accuracy",
        "train_loss",
        "validation_accuracy",
        "validation_loss",
    ];
    for (epoch, row) in rows.iter().enumerate() {
        assert_eq!((keys(row), &row["epoch"]), (row_keys.to_vec(), &epoch.into()));
        for key in ["images_per_second", "learning_rate", "seconds"] {
            assert_eq!(row[key].is_null(), epoch == 0, "{row}");
        }
    }
    let csv = String::from_utf8(read(place.path("runs/0001-mlp/metrics.csv")).expect("there")).expect("UTF-8");
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((lines.len(), lines[0][0], lines[0].len()), (3, "epoch", row_keys.len()));
    for (line, row) in lines[1..].iter().zip(rows) {
        for (key, cell) in lines[0].iter().zip(line) {
            assert_eq!(cell.parse().ok(), row[key].as_f64(), "{key}");
        }
    }
}

#[test]
fn the_weights_have_pytorchs_names_and_say_what_they_are() {
    let place = Place::new();
    place.train(&["--learning-rate", "1e-3", "--schedule", "cosine"]);
    let bytes = read(place.path("runs/0001-mlp/model.safetensors")).expect("there");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("whole");
    let mut found: Vec<_> = tensors.iter().map(|(name, view)| (name, view.shape().to_vec())).collect();
    found.sort();
    let shapes: [(&str, &[usize]); 4] =
        [("fc1.bias", &[128]), ("fc1.weight", &[128, 784]), ("fc2.bias", &[10]), ("fc2.weight", &[10, 128])];
    assert_eq!(found, shapes.map(|(name, shape)| (name, shape.to_vec())));
    let metadata = Checkpoint::load(&place.path("runs/0001-mlp/model.safetensors")).expect("whole").metadata;
    assert_eq!((metadata.model.name.as_str(), metadata.classes.len()), ("mlp", 10));
    assert_eq!(metadata.training.learning_rate.to_string(), "0.001");
    assert!((metadata.mean - 0.1307).abs() < 1e-4 && (metadata.std - 0.3081).abs() < 1e-4);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let place = Place::new();
    place.train(&["--out", "a"]);
    place.train(&["--out", "b", "--threads", "3"]);
    place.train(&["--out", "c", "--seed", "2"]);
    let weights = |run: &str| read(place.path(run).join("model.safetensors")).expect("there");
    assert!(weights("a") == weights("b") && weights("a") != weights("c"));
}

#[test]
fn for_programs_every_line_is_an_event() {
    let place = Place::new();
    let outcome = place.train(&["--json"]);
    let events = outcome.objects();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().expect("every line has one")).collect();
    assert_eq!((kinds, outcome.stderr.as_str()), (vec!["start", "epoch", "epoch", "end"], ""));
    let rows = &json(&place.path("runs/0001-mlp/run.json"))["epochs"];
    for (event, row) in events[1..].iter().zip(rows.as_array().expect("rows")) {
        // Besides the row: what tells the runs in one log apart.
        let mut expected = row.clone();
        expected["event"] = "epoch".into();
        expected["model"] = "mlp".into();
        expected["seed"] = 1.into();
        assert_eq!(*event, expected);
    }
    assert_eq!((&events[3]["status"], &events[3]["epochs"]), (&"complete".into(), &1.into()));
}

#[test]
fn quiet_prints_nothing_and_saves_all_the_same() {
    let place = Place::new();
    let outcome = place.train(&["--quiet"]);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    assert_eq!(place.names("runs/0001-mlp"), FILES);
}

#[test]
fn a_target_stops_early_and_says_so() {
    let place = Place::new();
    let arguments = "train --model mlp --device cpu --epochs 50 --train-size 6400 --schedule constant";
    let target = "--validation 1000 --target-accuracy 0.5";
    let outcome = place.run(&arguments.split(' ').chain(target.split(' ')).collect::<Vec<_>>());
    assert!(outcome.code == Some(0) && outcome.stdout.contains("Reached the target accuracy after "), "{outcome:?}");
    assert_eq!(json(&place.path("runs/0001-mlp/run.json"))["status"], "complete");
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_weights() {
    let place = Place::new();
    let outcome = place.run(&[&QUICK[..], &["--optimizer", "sgd", "--learning-rate", "1e6"]].concat());
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    for words in ["training has diverged", "Lower the learning rate", "The weights that were saved last"] {
        assert!(outcome.stderr.contains(words), "{outcome:?}");
    }
    assert_eq!(json(&place.path("runs/0001-mlp/run.json"))["status"], "diverged");
    Checkpoint::load(&place.path("runs/0001-mlp/model.safetensors")).expect("whole");
    let events =
        place.run(&[&QUICK[..], &["--optimizer", "sgd", "--learning-rate", "1e6", "--json"]].concat()).objects();
    let end = events.last().expect("events");
    assert_eq!((&end["event"], &end["status"]), (&"end".into(), &"diverged".into()));
}

#[test]
fn a_model_of_any_name_has_a_folder() {
    let place = Place::new();
    let model =
        place.run(&["models", "linear", "--json"]).stdout.replace(r#""name": "linear""#, r#""name": "../<a>/b: c""#);
    std::fs::write(place.path("my.json"), model).expect("written");
    let train = "train --model my.json --device cpu --epochs 1 --train-size 640 --no-report";
    let outcome = place.run(&train.split(' ').collect::<Vec<_>>());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    assert_eq!(place.names("runs"), ["0001-----a--b--c"]);
}
