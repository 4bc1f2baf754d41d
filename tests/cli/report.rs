//! `report`, and what `train` writes at its end.

use super::{Outcome, Place, QUICK, json};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What a run's folder holds with its report.
const FILES: [&str; 12] = [
    "confusion.png",
    "confusion.svg",
    "metrics.csv",
    "mistakes.png",
    "mistakes.svg",
    "model.safetensors",
    "reliability.png",
    "reliability.svg",
    "report.md",
    "run.json",
    "training.png",
    "training.svg",
];

/// A quick run with more options, as it is without `--no-report`.
fn train(place: &Place, options: &[&str]) -> Outcome {
    let with_report: Vec<&str> = QUICK.into_iter().filter(|word| *word != "--no-report").collect();
    let outcome = place.run(&[&with_report[..], options].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome
}

fn text(place: &Place, file: &str) -> String {
    fs::read_to_string(place.path(file)).expect("a text")
}

/// Width and height of a picture, which must be one.
fn size(place: &Place, file: &str) -> [u32; 2] {
    let bytes = fs::File::open(place.path(file)).expect("there");
    let mut decoder = png::Decoder::new(std::io::BufReader::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("of a known size")];
    let info = reader.next_frame(&mut pixels).expect("whole");
    assert!(pixels.iter().any(|&pixel| pixel < 128), "{file} is blank");
    [info.width, info.height]
}

/// The command that a report ends with.
fn command(report: &str) -> Vec<String> {
    let (_, block) = report.split_once("```sh\n").expect("a command");
    let (line, _) = block.split_once('\n').expect("in one line");
    let words: Vec<String> = line.split(' ').map(Into::into).collect();
    assert_eq!(words[0], "mnist-gpu");
    words[1..].to_vec()
}

#[test]
fn train_ends_with_a_report() {
    let place = Place::new();
    let outcome = train(&place, &["--validation", "100"]);
    assert_eq!(outcome.stderr, "");
    assert_eq!(place.names("runs/0001-mlp"), FILES);
    let path = Path::new("0001-mlp").join("report.md");
    assert!(outcome.stdout.trim_end().ends_with(&path.display().to_string()), "{outcome:?}");
    let report = text(&place, "runs/0001-mlp/report.md");
    let record = json(&place.path("runs/0001-mlp/run.json"));
    for words in [
        "# 0001-mlp\n",
        "| fc1 | fc 128, ReLU | 128 | 100,480 | 200,704 |",
        "640 trained on, 100 held out, 10,000 tested on; 28×28 pixels",
        record["data"]["fingerprint"].as_str().expect("text"),
        "asked for by --device cpu",
        "| epoch | training loss | accuracy | test loss | accuracy | validation loss | accuracy |",
        "| held out | 100 |",
        "The expected calibration error over 15 bins",
    ] {
        assert!(report.contains(words), "{words} is missing: {report}");
    }
    for plot in ["training", "confusion", "reliability", "mistakes"] {
        let [width, height] = size(&place, &format!("runs/0001-mlp/{plot}.png"));
        assert!((800..=2_000).contains(&width) && (600..=2_000).contains(&height), "{plot} {width} {height}");
        assert!(report.contains(&format!("]({plot}.png)")), "{plot} is not shown");
        let svg = text(&place, &format!("runs/0001-mlp/{plot}.svg"));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}

#[test]
fn the_figures_are_those_of_eval() {
    let place = Place::new();
    train(&place, &[]);
    let report = text(&place, "runs/0001-mlp/report.md");
    let outcome = place.run(&["eval", "--device", "cpu", "--json"]);
    let test = &outcome.objects()[0];
    let loss = test["loss"].as_f64().expect("a number");
    let wrong = 10_000 - (test["accuracy"].as_f64().expect("a number") * 10_000.0).round() as u32;
    let percent = 100.0 * test["accuracy"].as_f64().expect("a number");
    let row = format!("| tested on | 10,000 | {loss:.4} | {percent:.2} % | {},{:03} |", wrong / 1_000, wrong % 1_000);
    assert!(report.contains(&row), "{row} is missing: {report}");
    // Row by row, the matrix has as many right answers as the accuracy says.
    let diagonal: u64 = (0..10).map(|class| test["confusion"][class][class].as_u64().expect("a count")).sum();
    assert_eq!(diagonal, u64::from(10_000 - wrong));
}

#[test]
fn the_command_in_the_report_gives_the_same_weights() {
    let place = Place::new();
    let options =
        ["--optimizer", "sgd", "--nesterov", "--schedule", "cosine", "--learning-rate", "0.05", "--seed", "9"];
    train(&place, &options);
    let command = command(&text(&place, "runs/0001-mlp/report.md"));
    let words: Vec<&str> = command.iter().map(String::as_str).chain(["--no-report", "--out", "again"]).collect();
    assert_eq!(place.run(&words).code, Some(0), "{words:?}");
    let weights = |folder: &str| fs::read(place.path(folder).join("model.safetensors")).expect("there");
    assert!(weights("again") == weights("runs/0001-mlp"));
}

#[test]
fn a_model_of_ones_own_lies_beside_the_report() {
    let place = Place::new();
    fs::write(place.path("mine.json"), r#"{"name":"mine","layers":[{"linear":{"outputs":10}}]}"#).expect("written");
    let run = [
        "train",
        "--model",
        "mine.json",
        "--device",
        "cpu",
        "--epsilon",
        "1e-6",
        "--epochs",
        "1",
        "--train-size",
        "200",
        "--out",
        "mine",
    ];
    assert_eq!(place.run(&run).code, Some(0));
    let command = command(&text(&place, "mine/report.md"));
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut again = place.program(&words);
    let outcome = Outcome::of(again.current_dir(place.path("mine")).args(["--no-report", "--out", "../again"]));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let weights = |folder: &str| fs::read(place.path(folder).join("model.safetensors")).expect("there");
    assert!(weights("again") == weights("mine"));
}

#[test]
fn a_report_is_the_same_when_it_is_asked_for_later() {
    let place = Place::new();
    train(&place, &[]);
    let outcome = place.run(&["report", "--device", "cpu", "--out", "later"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    let wrote = format!("Wrote {}", Path::new("later").join("report.md").display());
    assert!(outcome.stdout.contains("Evaluating ") && outcome.stdout.contains(&wrote), "{outcome:?}");
    for file in place.names("later") {
        let read = |folder: &str| fs::read(place.path(folder).join(&file)).expect("there");
        assert!(read("later") == read("runs/0001-mlp"), "{file}");
    }
    assert_eq!(place.names("later").len(), FILES.len() - 3);
}

#[test]
fn for_programs_every_line_is_an_event_all_the_same() {
    let place = Place::new();
    let outcome = train(&place, &["--json"]);
    let last = outcome.objects().pop().expect("events");
    assert_eq!((&last["event"], outcome.stderr.as_str()), (&Value::from("end"), ""));
    assert_eq!(place.names("runs/0001-mlp"), FILES);
}

#[test]
fn a_report_that_cannot_be_written_is_no_lost_run() {
    let place = Place::new();
    fs::create_dir_all(place.path("run/report.md/taken")).expect("made");
    let outcome = train(&place, &["--out", "run", "--force"]);
    for words in ["The run is saved", "report could not be written", "report.md"] {
        assert!(outcome.stderr.contains(words), "{outcome:?}");
    }
    assert_eq!(json(&place.path("run/run.json"))["status"], "complete");
}

#[test]
fn several_runs_are_compared() {
    let place = Place::new();
    place.train(&[]);
    place.train(&["--seed", "2"]);
    let seeds = place.run(&["report", "runs/0001-mlp", "runs/0002-mlp"]);
    assert_eq!((seeds.code, seeds.stderr.as_str()), (Some(0), ""), "{seeds:?}");
    assert_eq!(place.names("runs/comparison"), ["comparison.md", "comparison.png", "comparison.svg"]);
    let report = text(&place, "runs/comparison/comparison.md");
    for words in ["# 2 runs", "| 0001-mlp | mlp | 101,770 | 1 |", "| run | seed |", "nothing but their seeds"] {
        assert!(report.contains(words), "{words} is missing: {report}");
    }
    size(&place, "runs/comparison/comparison.png");
    // The comparison is not taken for a run: `runs/*` names it, too. What is no run is not compared.
    let all = ["runs/0001-mlp", "runs/0002-mlp", "runs/comparison"];
    let again = place.run(&[&["report", "--out", "again"], &all[..]].concat());
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""), "{again:?}");
    assert_eq!(text(&place, "again/comparison.md"), report);
    assert_eq!(place.run(&[&["export", "tensorboard"], &all[..]].concat()).code, Some(0));
    place.run(&["report", "runs/comparison"]).fails(1, &["runs/comparison", "run.json", "cannot read"]);
    place.run(&["report", "runs/0001-mlp", "runs"]).fails(1, &["run.json", "cannot read"]);
    place.train(&["--batch-size", "64", "--out", "mine"]);
    let others = place.run(&["report", "mine", "runs/0001-mlp/run.json", "--out", "both"]);
    assert_eq!(others.code, Some(0), "{others:?}");
    let report = text(&place, "both/comparison.md");
    assert!(report.contains("| run | training |") && report.contains("batch 64"), "{report}");
    assert!(!report.contains("nothing but their seeds"), "{report}");
}

#[test]
fn a_run_that_diverged_or_was_interrupted_says_so() {
    let place = Place::new();
    let diverging = ["--optimizer", "sgd", "--learning-rate", "1e6"];
    assert_eq!(place.run(&[&QUICK[..], &diverging].concat()).code, Some(1));
    assert!(!place.path("runs/0001-mlp/report.md").exists());
    assert_eq!(place.run(&["report", "runs/0001-mlp", "--device", "cpu"]).code, Some(0));
    assert!(text(&place, "runs/0001-mlp/report.md").contains("**This run diverged after "));
    place.train(&[]);
    let path = place.path("runs/0002-mlp/run.json");
    let record = text(&place, "runs/0002-mlp/run.json");
    for (status, words) in [("interrupted", "was interrupted after 5 of 5 steps"), ("running", "has not ended")] {
        fs::write(&path, record.replace("\"complete\"", &format!("\"{status}\""))).expect("written");
        assert_eq!(place.run(&["report", "runs/0002-mlp", "--device", "cpu"]).code, Some(0));
        assert!(text(&place, "runs/0002-mlp/report.md").contains(words), "{status}");
    }
}

#[test]
fn what_is_missing_or_damaged_is_named() {
    let place = Place::new();
    place.run(&["report"]).fails(1, &["no complete run", "mnist-gpu train"]);
    place.run(&["report", "nowhere"]).fails(1, &["nowhere", "cannot read"]);
    place.train(&[]);
    let record = text(&place, "runs/0001-mlp/run.json");
    let path = place.path("runs/0001-mlp/run.json");
    let report = ["report", "runs/0001-mlp", "--device", "cpu"];
    fs::write(&path, &record[..record.len() / 2]).expect("written");
    place.run(&report).fails(1, &["run.json", "is not the record of a run"]);
    let fingerprint = json_text(&record, "fingerprint");
    fs::write(&path, record.replace(&fingerprint, "another")).expect("written");
    place.run(&report).fails(1, &["was not trained on these data", "another", "--data-dir"]);
    fs::write(&path, record.replace("\"outputs\": 128", "\"outputs\": 64")).expect("written");
    place.run(&report).fails(1, &["fc1.bias"]);
    fs::write(&path, record.replace("\"batch_size\": 128", "\"batch_size\": 0")).expect("written");
    place.run(&report).fails(1, &["--batch-size"]);
    fs::write(&path, &record).expect("written");
    place
        .run(&["report", "runs/0001-mlp", "--device", "cpu", "--out", "runs/0001-mlp/run.json"])
        .fails(1, &["run.json"]);
    fs::remove_file(place.path("runs/0001-mlp/model.safetensors")).expect("removed");
    place.run(&report).fails(1, &["has no model.safetensors yet", "--resume"]);
    assert!(!place.names("runs/0001-mlp").contains(&"report.md".to_owned()));
}

fn json_text(record: &str, key: &str) -> String {
    let value: Value = serde_json::from_str(record).expect("JSON");
    value["data"][key].as_str().expect("text").to_owned()
}

/// Writes a set of images in which a class is a brightness, and its classes' names.
fn data(place: &Place, names: &[String], [height, width]: [u32; 2], counts: [u32; 2]) {
    fs::create_dir_all(place.path("data")).expect("made");
    for (set, count) in ["train", "t10k"].into_iter().zip(counts) {
        let class = |image: u32| image % names.len() as u32;
        let pixel = |image: u32, place: u32| (class(image) * 5 + (place * 7 + image * 13) % 16) as u8;
        let header = [0x803, count, height, width].into_iter().flat_map(u32::to_be_bytes);
        let pixels = (0..count).flat_map(|image| (0..height * width).map(move |place| pixel(image, place)));
        let images: Vec<u8> = header.chain(pixels).collect();
        let header = [0x801, count].into_iter().flat_map(u32::to_be_bytes);
        let labels: Vec<u8> = header.chain((0..count).map(|image| class(image) as u8)).collect();
        fs::write(place.path(&format!("data/{set}-images-idx3-ubyte")), images).expect("written");
        fs::write(place.path(&format!("data/{set}-labels-idx1-ubyte")), labels).expect("written");
    }
    fs::write(place.path("data/labels.txt"), names.join("\n")).expect("written");
}

#[test]
fn other_images_and_classes_have_reports() {
    let numbered: Vec<String> = (0..47).map(|class| format!("class {class}")).collect();
    let strange = ["a|b", "*お*", "a name that is longer than there is room for it in any picture"].map(String::from);
    let many: Vec<String> = (0..256).map(|class| class.to_string()).collect();
    for (names, sides) in [(&numbered[..], [20, 32]), (&strange[..], [8, 8]), (&many[..], [8, 64])] {
        let place = Place::new();
        data(&place, names, sides, [512, 300]);
        let run = "train --device cpu --data-dir data --model linear --epochs 1 --out run";
        let outcome = place.run(&run.split(' ').collect::<Vec<_>>());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
        for file in ["confusion.png", "mistakes.png", "training.png"] {
            size(&place, &format!("run/{file}"));
        }
        let report = text(&place, "run/report.md");
        assert!(report.contains(&format!("| classes | {}: ", names.len())), "{report}");
    }
}
