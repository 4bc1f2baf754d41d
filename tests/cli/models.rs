//! `models`: the presets as a table and layer by layer, and models from a file.

use super::{Place, json};

#[test]
fn the_table_has_a_row_for_every_preset() {
    let outcome = Place::new().run(&["models"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let rows: Vec<&str> = outcome.stdout.lines().skip(2).collect();
    assert_eq!(rows.len(), 5, "{}", outcome.stdout);
    assert!(rows[2].starts_with("| cnn | conv 5×5 24, ReLU, pool 2×2, ") && rows[2].contains("| 215,194 | 2.49 |"));
}

#[test]
fn a_model_is_shown_layer_by_layer() {
    let outcome = Place::new().run(&["models", "lenet"]);
    for words in ["16×14×14", "32×7×7", "28,938", "15,690"] {
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
    let outcome = Place::new().run(&["models", "lenet", "--image", "8x8", "--classes", "47"]);
    assert!(outcome.stdout.contains("32×2×2"), "{}", outcome.stdout);
}

#[test]
fn a_layer_that_does_not_fit_is_named_with_what_it_got() {
    let outcome = Place::new().run(&["models", "cnn", "--image", "8x8"]);
    outcome.fails(1, &["model cnn, layer 4 of 9 (conv2d)", "24×2×2"]);
    Place::new().run(&["models", "cnn", "--image", "8"]).fails(2, &["28x28"]);
    Place::new().run(&["models", "cn"]).fails(2, &["cn", "linear, mlp, cnn, lenet, convnet"]);
}

#[test]
fn a_model_comes_from_a_file_and_goes_into_the_weights() {
    let place = Place::new();
    let text = place.run(&["models", "cnn", "--json"]).stdout.replace("\"cnn\"", "\"mine\"").replace("256", "16");
    std::fs::write(place.path("mine.json"), text).expect("written");
    let train = ["train", "--model", "mine.json", "--device", "cpu", "--epochs", "1", "--train-size", "300", "--quiet"];
    let outcome = place.run(&train);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let run = json(&place.path("runs/0001-mine/run.json"));
    assert_eq!(run["config"]["model"]["layers"][6]["linear"]["outputs"], 16);
    assert_eq!(place.run(&["eval", "--device", "cpu"]).code, Some(0));
}

#[test]
fn a_file_that_is_no_model_is_an_error_that_says_why() {
    let place = Place::new();
    for (text, words) in [
        ("{", "is not a model"),
        (r#"{"name": "x", "layers": [{"konv": {}}]}"#, "konv"),
        (r#"{"name": "x", "layers": []}"#, "the last layer must be linear"),
        (r#"{"name": "x", "layers": ["relu", {"linear": {"outputs": 10}}]}"#, "layer 1 of 2 (relu)"),
        (r#"{"name": "x", "layers": [{"linear": {"outputs": 9}}]}"#, "9 outputs, but the data has 10 classes"),
    ] {
        std::fs::write(place.path("x.json"), text).expect("written");
        place.run(&["train", "--model", "x.json", "--device", "cpu"]).fails(1, &[words]);
    }
    place.run(&["train", "--model", "no.json", "--device", "cpu"]).fails(1, &["no.json"]);
    assert_eq!(place.names("."), ["x.json"]);
}
