//! Hyperparameters out of range: a message that names the option, exit code 2, and nothing left behind.

use super::Place;

#[track_caller]
fn refused(options: &[&str], words: &[&str]) {
    let place = Place::new();
    let outcome = place.run(&[&["train", "--device", "cpu"], options].concat());
    outcome.fails(2, words);
    assert!(place.names(".").is_empty(), "{options:?} left {:?}", place.names("."));
}

#[test]
fn counts_are_whole_and_within_bounds() {
    for (option, words) in [("--epochs", "must be 1 to 1,000,000"), ("--batch-size", "must be at least 1")] {
        refused(&[option, "0"], &[option, words, "0"]);
        refused(&[option, "-3"], &[option, "-3"]);
        refused(&[option, "1.5"], &[option, "1.5"]);
        refused(&[option, "4294967296"], &[option, "4294967296"]);
    }
    refused(&["--epochs", "4294967295"], &["--epochs must be 1 to 1,000,000"]);
    refused(&["--seed", "-1"], &["--seed", "-1"]);
}

#[test]
fn rates_are_finite_and_within_bounds() {
    for rate in ["0", "-0.1", "NaN", "inf", "1e9", "fast"] {
        refused(&["--learning-rate", rate], &["--learning-rate"]);
    }
    for decay in ["-1", "NaN", "inf", "1e9"] {
        refused(&["--weight-decay", decay], &["--weight-decay"]);
    }
    for momentum in ["-0.1", "1", "NaN"] {
        refused(&["--optimizer", "sgd", "--momentum", momentum], &["--momentum must be at least 0 and below 1"]);
    }
    for betas in ["1,0.9", "0.9,1", "NaN,0.9"] {
        refused(&["--betas", betas], &["of --betas must be at least 0 and below 1"]);
    }
    for epsilon in ["0", "-0.1", "2", "NaN"] {
        refused(&["--epsilon", epsilon], &["--epsilon must be 1e-30 to 1"]);
    }
    refused(&["--betas", "0.9"], &["--betas takes two numbers"]);
}

#[test]
fn what_is_wrong_whatever_the_data_are_is_said_before_they_are_read() {
    let place = Place::new();
    for command in ["train", "study"] {
        let outcome = place.run(&[command, "--device", "cpu", "--data-dir", "missing", "--learning-rate", "0"]);
        outcome.fails(2, &["--learning-rate"]);
    }
}

#[test]
fn numbers_of_images_are_what_the_data_has() {
    refused(&["--train-size", "0"], &["--train-size 0"]);
    refused(&["--train-size", "60001"], &["--train-size 60001", "60000 training images"]);
    refused(&["--validation", "0"], &["--validation 0"]);
    refused(&["--validation", "60000"], &["--validation 60000 leaves nothing"]);
    refused(&["--validation", "59999", "--train-size", "2"], &["--train-size 2", "--validation"]);
}

#[test]
fn options_that_belong_together_say_so() {
    refused(&["--momentum", "0.9"], &["--momentum", "--optimizer sgd"]);
    refused(&["--nesterov"], &["--nesterov", "--optimizer sgd"]);
    refused(&["--optimizer", "sgd", "--betas", "0.9,0.99"], &["--betas", "--optimizer adam"]);
    refused(&["--optimizer", "sgd", "--epsilon", "1e-6"], &["--epsilon", "--optimizer adam"]);
    refused(&["--optimizer", "sgd", "--momentum", "0", "--nesterov"], &["--nesterov", "--momentum"]);
    refused(&["--target-accuracy", "0.9"], &["--validation"]);
    refused(&["--target-accuracy", "98", "--validation", "100"], &["--target-accuracy", "98"]);
    refused(&["--force"], &["--out"]);
}

#[test]
fn a_model_is_a_preset_or_a_file() {
    refused(&["--model", "nope"], &["nope", "linear", "mlp"]);
    refused(&["--schedule", "nope"], &["nope", "one-cycle"]);
    refused(&["--optimizer", "nope"], &["nope", "adamw"]);
    let place = Place::new();
    place.run(&["train", "--device", "cpu", "--model", "nope.json"]).fails(1, &["nope.json", "cannot read"]);
    std::fs::write(place.path("broken.json"), "{").expect("written");
    place.run(&["train", "--device", "cpu", "--model", "broken.json"]).fails(1, &["broken.json", "is not a model"]);
    assert_eq!(place.names("."), ["broken.json"]);
}
