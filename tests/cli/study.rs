//! `study`: cells, reports, shares of the work, and what stops it.

use super::{Outcome, Place, json};
use std::collections::BTreeMap;
use std::fs;

/// A study of a second or two.
const SMALL: [&str; 12] =
    ["study", "--model", "linear", "--device", "cpu", "--epochs", "1", "--sizes", "100,400", "--seeds", "2", "--out"];
const REPORT: [&str; 6] =
    ["cells", "study.csv", "study.json", "study.md", "training_performance.png", "training_performance.svg"];

/// The small study in the folder `s`, with more options, which must succeed.
fn study(place: &Place, options: &[&str]) -> Outcome {
    let outcome = place.run(&[&SMALL[..], &["s"], options].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome
}

/// Test loss by size and seed, from study.csv.
fn losses(place: &Place, folder: &str) -> BTreeMap<(u32, u32), String> {
    let text = fs::read_to_string(place.path(folder).join("study.csv")).expect("there");
    let mut lines = text.lines();
    assert!(lines.next().expect("a heading").starts_with("train_size,seed,test_loss,test_accuracy,"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        ((cells[0].parse().expect("a size"), cells[1].parse().expect("a seed")), cells[2].to_owned())
    };
    lines.map(row).collect()
}

#[test]
fn a_study_is_its_cells_and_their_report() {
    let place = Place::new();
    let outcome = study(&place, &[]);
    assert_eq!(place.names("s"), REPORT);
    assert_eq!(place.names("s/cells"), ["100-seed1.json", "100-seed2.json", "400-seed1.json", "400-seed2.json"]);
    // Where there is no terminal, progress is a line now and then, if it takes long at all.
    assert!(outcome.stderr.lines().all(|line| line.starts_with("cell ")), "{outcome:?}");
    for part in [
        "Studying linear on CPU",
        "100, 400 images, 2 seeds: 4 cells, 4 to run here",
        "4/4      400      2",
        "Power law: none",
    ] {
        assert!(outcome.stdout.contains(part), "{part:?} is missing: {}", outcome.stdout);
    }
    let record = json(&place.path("s/study.json"));
    assert_eq!(record["cells"].as_array().expect("cells").len(), 4);
    assert_eq!(record["sizes"][1]["train_size"], 400);
    assert_eq!(record["test_images"], 10_000);
    let [first, second] = [0, 1].map(|size| record["sizes"][size]["test_loss"]["mean"].as_f64().expect("a number"));
    assert!(second < first, "{first} {second}");
    assert!(fs::read(place.path("s/training_performance.png")).expect("there").starts_with(b"\x89PNG"));
    assert!(fs::read_to_string(place.path("s/training_performance.svg")).expect("there").contains("</svg>"));
    let text = fs::read_to_string(place.path("s/study.md")).expect("there");
    assert!(text.contains("mnist-gpu study --model linear --epochs 1 --sizes 100,400 --seeds 2\n"), "{text}");
    // A cell is the same run that `train` makes.
    let train =
        ["train", "--model", "linear", "--device", "cpu", "--epochs", "1", "--train-size", "400", "--seed", "2"];
    assert_eq!(place.run(&train).code, Some(0));
    let run = json(&place.path("runs/0001-linear/run.json"));
    let cell = json(&place.path("s/cells/400-seed2.json"));
    assert_eq!(run["epochs"][1]["test_loss"], cell["epochs"][1]["test_loss"]);
}

#[test]
fn the_same_command_runs_what_is_missing_and_extends() {
    let place = Place::new();
    study(&place, &[]);
    let read = |name: &str| fs::read(place.path("s/cells").join(name)).expect("there");
    let (before, all) = (read("100-seed1.json"), losses(&place, "s"));
    fs::remove_file(place.path("s/cells/400-seed1.json")).expect("there");
    let outcome = study(&place, &[]);
    assert!(outcome.stdout.contains("4 cells, 1 to run here"), "{outcome:?}");
    assert_eq!((read("100-seed1.json"), losses(&place, "s")), (before, all.clone()));
    let outcome = study(&place, &[]);
    assert!(outcome.stdout.contains("0 to run here") && outcome.stdout.contains("Nothing to run"), "{outcome:?}");

    // Other sizes and more seeds join those that are there.
    let extend: Vec<&str> = SMALL.iter().map(|word| if *word == "100,400" { "200,800" } else { *word }).collect();
    assert_eq!(place.run(&[&extend[..], &["s"]].concat()).code, Some(0));
    let extended = losses(&place, "s");
    assert_eq!(extended.len(), 8);
    assert!(all.iter().all(|(cell, loss)| extended[cell] == *loss));
    assert_eq!(json(&place.path("s/study.json"))["sizes"].as_array().expect("sizes").len(), 4);
    assert_ne!(json(&place.path("s/study.json"))["power_law"]["reason"], "it takes at least 4 sizes, not 2");

    // Cells of two folders make one study.
    fs::create_dir_all(place.path("t/cells")).expect("made");
    for name in place.names("s/cells") {
        fs::copy(place.path("s/cells").join(&name), place.path("t/cells").join(&name)).expect("copied");
    }
    assert_eq!(place.run(&[&SMALL[..], &["t"]].concat()).code, Some(0));
    for file in &REPORT[1..] {
        let [one, other] = ["s", "t"].map(|folder| fs::read(place.path(folder).join(file)).expect("there"));
        assert!(one == other, "{file}");
    }
}

#[test]
fn shares_that_run_at_once_are_the_whole_study() {
    let place = Place::new();
    let start = |options: &[&str]| place.program(&[&SMALL[..], &["s"], options].concat()).spawn().expect("runs");
    let shares = ["1/3", "2/3", "3/3"].map(|share| start(&["--cell", share, "--quiet"]));
    for mut share in shares {
        assert!(share.wait().expect("ends").success());
    }
    assert_eq!(place.names("s"), REPORT);
    let together = losses(&place, "s");
    assert_eq!(together.len(), 4);
    assert_eq!(json(&place.path("s/study.json"))["missing"], serde_json::json!([]));
    assert_eq!(place.run(&[&SMALL[..], &["whole", "--quiet"]].concat()).stdout, "");
    assert_eq!(losses(&place, "whole"), together);

    // A share of which nothing is missing, and one that has nothing.
    let outcome = study(&place, &["--cell", "9/9"]);
    assert!(outcome.stdout.contains("share 9/9 has 0, 0 to run here"), "{outcome:?}");
    // Of an array job.
    let mut array = place.program(&[&SMALL[..], &["array", "--cell", "array"]].concat());
    let outcome = Outcome::of(array.env("AWS_BATCH_JOB_ARRAY_INDEX", "3").env("AWS_BATCH_JOB_ARRAY_SIZE", "4"));
    assert_eq!((outcome.code, place.names("array/cells").len()), (Some(0), 1), "{outcome:?}");
    place.run(&[&SMALL[..], &["none", "--cell", "array"]].concat()).fails(2, &["--cell", "this is no array job"]);
}

#[test]
fn two_processes_with_the_same_cells_do_not_harm_each_other() {
    let place = Place::new();
    let start = || place.program(&[&SMALL[..], &["s", "--quiet"]].concat()).spawn().expect("runs");
    let both = [start(), start()];
    for mut process in both {
        assert!(process.wait().expect("ends").success());
    }
    // No half-written file is left, and every cell can be read.
    assert_eq!((place.names("s"), place.names("s/cells").len()), (REPORT.map(String::from).to_vec(), 4));
    let outcome = study(&place, &[]);
    assert!(outcome.stdout.contains("0 to run here"), "{outcome:?}");
}

#[test]
fn for_programs_every_line_is_an_event() {
    let place = Place::new();
    let events = study(&place, &["--json"]).objects();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().expect("a name")).collect();
    assert_eq!(names, ["start", "cell", "cell", "cell", "cell", "end"]);
    assert_eq!((&events[0]["cells"], &events[0]["missing"][0]["train_size"]), (&4.into(), &100.into()));
    assert_eq!((&events[4]["train_size"], &events[4]["seed"]), (&400.into(), &2.into()));
    assert_eq!((&events[5]["status"], &events[5]["there"]), (&"complete".into(), &4.into()));
    assert_eq!(events[5]["sizes"][0]["test_loss"]["count"], 2);
}

#[test]
fn sizes_seeds_and_shares_out_of_range_are_refused() {
    let place = Place::new();
    for (options, words) in [
        (["--sizes", "0"], &["--sizes", "not 0"][..]),
        (["--sizes", "100,0,200"], &["--sizes", "not 0"]),
        (["--sizes", "100,200,100"], &["--sizes", "100 is given twice"]),
        (["--sizes", "60001"], &["--sizes", "60001", "60000 training images"]),
        (["--sizes", "4294967296"], &["--sizes", "4294967296"]),
        (["--sizes", "-5"], &["--sizes", "-5"]),
        (["--sizes", "1e3"], &["--sizes", "1e3"]),
        (["--sizes", ""], &["--sizes"]),
        (["--sizes", "100,,200"], &["--sizes"]),
        (["--seeds", "0"], &["--seeds", "not 0"]),
        (["--seeds", "4000000000"], &["--seeds", "1 to 10000"]),
        (["--seeds", "-1"], &["--seeds", "-1"]),
        (["--cell", "0/9"], &["--cell", "no number 0", "from 1 to 9"]),
        (["--cell", "10/9"], &["--cell", "no number 10"]),
        (["--cell", "1/0"], &["--cell"]),
        (["--cell", "-1/9"], &["--cell", "K/N"]),
        (["--cell", "first"], &["--cell", "K/N"]),
        (["--epochs", "0"], &["--epochs"]),
        (["--model", "nope"], &["nope", "linear"]),
    ] {
        place.run(&[&["study", "--device", "cpu"][..], &options].concat()).fails(2, words);
    }
    fs::write(
        place.path("tall.json"),
        r#"{"name": "tall", "layers": [{"conv2d": {"channels": 2, "kernel": [29, 3]}}, {"linear": {"outputs": 10}}]}"#,
    )
    .expect("written");
    place.run(&["study", "--device", "cpu", "--model", "tall.json"]).fails(1, &["layer 1 of 2"]);
    assert_eq!(place.names("."), ["tall.json"]);
}

#[test]
fn a_study_of_other_settings_is_not_mixed_with() {
    let place = Place::new();
    study(&place, &[]);
    let all = losses(&place, "s");
    for (options, words) in [
        (["--epochs", "2"], &["other settings", "its epochs is 1, not 2", "--out"][..]),
        (["--model", "mlp"], &["its model is linear, not mlp"]),
        (["--learning-rate", "0.1"], &["its learning rate is 0.003, not 0.1"]),
        (["--optimizer", "sgd"], &["its optimizer is", "learning rate"]),
    ] {
        let base = ["study", "--device", "cpu", "--sizes", "100,400", "--out", "s"];
        let mut words_of_study = vec!["--model", "linear", "--epochs", "1"];
        if let Some(place) = words_of_study.iter().position(|word| *word == options[0]) {
            words_of_study.drain(place..place + 2);
        }
        place.run(&[&base[..], &words_of_study, &options].concat()).fails(2, words);
    }
    assert_eq!((losses(&place, "s"), place.names("s")), (all, REPORT.map(String::from).to_vec()));
}

#[test]
fn a_damaged_cell_is_named() {
    let place = Place::new();
    study(&place, &[]);
    let path = place.path("s/cells/400-seed1.json");
    let whole = fs::read_to_string(&path).expect("there");
    let loss = json(&path)["epochs"][1]["test_loss"].to_string();
    for (damaged, words) in [
        (whole[..whole.len() / 2].to_owned(), "is not the record of a run"),
        (String::new(), "is not the record of a run"),
        ("{}".into(), "is not the record of a run"),
        (whole.replace(&loss, "-1.0"), "figures that no run has"),
        (whole.replace(&loss, "null"), "is not the record of a run"),
        (whole.replace("\"complete\"", "\"running\""), "not come to its end"),
        (whole.replace("\"seed\": 1", "\"seed\": 3"), "holds the cell 400-seed3.json"),
        (whole.replace("\"train_size\": 400", "\"train_size\": 0"), "it has no size"),
    ] {
        assert_ne!(damaged, whole);
        fs::write(&path, damaged).expect("written");
        let outcome = place.run(&[&SMALL[..], &["s"]].concat());
        outcome.fails(1, &["400-seed1.json", words, "Remove the file"]);
    }
    // Files that other processes are writing, and others, are no cells.
    fs::write(&path, &whole).expect("written");
    fs::write(place.path("s/cells/.unfinished-x"), "half").expect("written");
    fs::write(place.path("s/cells/notes.txt"), "mine").expect("written");
    study(&place, &[]);
    fs::write(place.path("taken"), "a file").expect("written");
    place.run(&[&SMALL[..], &["taken"]].concat()).fails(1, &["taken"]);
}

#[test]
fn cells_that_diverge_are_kept_apart_and_fail_the_command() {
    let place = Place::new();
    let options =
        ["study", "--model", "mlp", "--device", "cpu", "--epochs", "2", "--sizes", "640,1280", "--seeds", "1"];
    let diverging = [&options[..], &["--learning-rate", "1e6", "--optimizer", "sgd", "--out", "s"]].concat();
    let outcome = place.run(&diverging);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    for words in ["the loss of 2 of 2 cells stopped being a number", "Lower the learning rate (it is 1000000)"] {
        assert!(outcome.stderr.contains(words), "{outcome:?}");
    }
    assert_eq!((place.names("s"), place.names("s/cells").len()), (vec!["cells".to_owned()], 2));
    // They are not run once more, and are not forgotten either.
    let again = place.run(&diverging);
    assert!(again.stdout.contains("0 to run here"), "{again:?}");
    assert_eq!((again.code, again.stderr), (Some(1), outcome.stderr));
}

#[cfg(unix)]
#[test]
fn a_signal_keeps_the_cells_that_are_finished() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let place = Place::new();
        let options = ["study", "--model", "linear", "--device", "cpu", "--epochs", "20", "--seeds", "1", "--out", "s"];
        let sizes = ["--sizes", "100,50000"];
        let mut command = place.program(&[&options[..], &sizes].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
        let mut reader = BufReader::new(child.stdout.take().expect("piped"));
        let mut stdout = String::new();
        while !stdout.contains("1/2      100") {
            assert_ne!(reader.read_line(&mut stdout).expect("readable"), 0, "ended by itself: {stdout}");
        }
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
        reader.read_to_string(&mut stdout).expect("readable");
        let output = child.wait_with_output().expect("ends");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(
            stderr.contains("Interrupted: 1 of 2 cells are there and stay in s.") && stderr.contains("same command"),
            "{stderr}"
        );
        assert_eq!(place.names("s/cells"), ["100-seed1.json"]);
        assert_eq!(losses(&place, "s").len(), 1);
    }
}
