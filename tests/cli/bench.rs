//! `mnist-gpu bench`: its report, and the comparison with that of another time. No figure is judged.

use crate::Place;
use serde_json::{Value, json};

const STEPS: [&str; 8] = ["bench", "--quick", "--device", "cpu", "--only", "steps", "--model", "linear"];

fn measured(place: &Place) -> Value {
    let outcome = place.run(&[&STEPS[..], &["--out", "found"]].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    serde_json::from_slice(&std::fs::read(place.path("found/bench.json")).expect("written")).expect("JSON")
}

#[test]
fn a_report_has_figures_tables_and_a_plot() {
    let place = Place::new();
    let found = measured(&place);
    assert_eq!(place.names("found"), ["bench.json", "bench.md", "bench.png", "bench.svg"]);
    let kinds: Vec<_> = found["devices"][0]["steps"].as_array().expect("rows").iter().map(|row| &row["kind"]).collect();
    assert_eq!(kinds, ["training", "inference", "prediction"]);
    let tables = std::fs::read_to_string(place.path("found/bench.md")).expect("written");
    let command = "`mnist-gpu bench --device cpu --quick --only steps --model linear`";
    assert!(tables.contains(command) && tables.contains("| linear 128 AdamW | prediction |"), "{tables}");

    let again = place.run(&[&STEPS[..], &["--out", "found"]].concat());
    again.fails(2, &["name another folder"]);
}

#[test]
fn what_takes_longer_than_it_may_fails() {
    let place = Place::new();
    let mut found = measured(&place);
    let compare = |tolerance: &str| {
        place.run(&[&STEPS[..], &["--compare", "found/bench.json", "--tolerance", tolerance]].concat())
    };
    // A million times as long is another fault.
    let fine = compare("1e6");
    assert_eq!(fine.code, Some(0), "{fine:?}");
    assert!(fine.stdout.contains("linear 128 AdamW, training") && !fine.stdout.contains("slower"), "{fine:?}");

    found["devices"][0]["steps"][0]["seconds"]["median"] = json!(1e-15);
    found["devices"][0]["steps"][1]["kind"] = json!("of old");
    std::fs::write(place.path("found/bench.json"), found.to_string()).expect("written");
    let slower = compare("0.1");
    assert_eq!(slower.code, Some(1), "{slower:?}");
    for words in ["slower", "Measured only then:", "of old", "take over 10 % longer"] {
        assert!(slower.stdout.contains(words), "{words} is missing: {slower:?}");
    }
}

#[test]
fn processes_are_timed_from_their_start() {
    let place = Place::new();
    let outcome = place.run(&[
        "bench",
        "--quick",
        "--device",
        "cpu",
        "--only",
        "processes",
        "--model",
        "linear",
        "--out",
        "found",
    ]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let found: Value =
        serde_json::from_slice(&std::fs::read(place.path("found/bench.json")).expect("written")).expect("JSON");
    let rows = found["devices"][0]["processes"].as_array().expect("rows");
    let kinds: Vec<_> = rows.iter().map(|row| &row["kind"]).collect();
    assert_eq!(kinds, ["ready", "first step", "100 steps"]);
    let seconds: Vec<_> = rows.iter().map(|row| row["seconds"]["median"].as_f64().expect("a number")).collect();
    assert!(seconds[0] > 0.0 && seconds.is_sorted(), "{seconds:?}");
}

#[test]
fn what_cannot_be_compared_is_said_before_anything_is_measured() {
    let place = Place::new();
    std::fs::write(place.path("other.json"), "{\"format\": 99}").expect("written");
    std::fs::write(place.path("full.json"), r#"{"format": 2, "version": "1.0.0", "quick": false, "devices": []}"#)
        .expect("written");
    for (arguments, code, words) in [
        (["--compare", "nothing.json"], 1, "nothing.json"),
        (["--compare", "other.json"], 1, "expected format 2, found 99"),
        (["--compare", "full.json"], 2, "full.json was measured without --quick"),
        (["--tolerance", "0.1"], 2, "--compare"),
        (["--device", "nosuch"], 1, "nosuch"),
    ] {
        let outcome = place.run(&[&["bench", "--quick", "--model", "linear"][..], &arguments].concat());
        outcome.fails(code, &[words]);
    }
}
