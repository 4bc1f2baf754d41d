//! `export` and `completions`: what they print and what they refuse; other programs' view is in tests/export.

use super::{Place, json};

#[test]
fn a_file_is_not_replaced_unasked_and_its_model_must_be_there() {
    let place = Place::new();
    place.run(&["export", "onnx", "-o", "x.onnx"]).fails(1, &["no complete run", "mnist-gpu train"]);
    place.run(&["export", "tensorboard", "nowhere"]).fails(1, &["nowhere", "cannot read"]);
    place.run(&["export", "tensorboard"]).fails(2, &["RUN"]);
    place.run(&["export"]).fails(2, &["onnx", "tensorboard"]);
    let train =
        ["train", "--device", "cpu", "--model", "linear", "--epochs", "1", "--train-size", "100", "--out", "run"];
    assert_eq!(place.run(&train).code, Some(0));
    let outcome = place.run(&["export", "onnx", "run", "-o", "x.onnx"]);
    assert!(outcome.code == Some(0) && outcome.stdout.contains("x.onnx: 31 kB"), "{outcome:?}");
    place.run(&["export", "onnx", "run", "-o", "x.onnx"]).fails(2, &["x.onnx", "--force"]);
    assert_eq!(place.run(&["export", "onnx", "run", "-o", "x.onnx", "--force"]).code, Some(0));
    place.run(&["export", "onnx", "run", "-o", "no/folder/x.onnx"]).fails(1, &["x.onnx", "cannot write"]);
    place.run(&["eval", "run", "--device", "cpu", "--model", "mlp"]).fails(1, &["fc1.bias", "[128]", "[10]"]);
}

#[test]
fn completions_know_the_commands() {
    let place = Place::new();
    for (shell, words) in [
        ("bash", &["complete -F _mnist__gpu", "--learning-rate"][..]),
        ("zsh", &["#compdef mnist-gpu"]),
        ("fish", &["complete -c mnist-gpu"]),
        ("powershell", &["Register-ArgumentCompleter"]),
        ("elvish", &["edit:completion"]),
        ("man", &[".TH mnist-gpu 1", "\\-\\-learning\\-rate", "\\-\\-with\\-training"]),
    ] {
        let outcome = place.run(&["completions", shell]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        for words in words {
            assert!(outcome.stdout.contains(words), "{shell} lacks {words}");
        }
    }
    place.run(&["completions", "tcsh"]).fails(2, &["tcsh", "bash"]);
}

/// The page holds its training against the native run only where it repeats it: from the seed's weights, to the end.
#[test]
fn a_site_has_the_course_of_a_run_that_the_page_can_repeat() {
    let place = Place::new();
    let train = "train --model linear --epochs 1 --device cpu --no-report --out run";
    assert_eq!(place.run(&train.split(' ').collect::<Vec<_>>()).code, Some(0));
    let export = ["export", "web", "run", "--with-training", "--force", "-o", "site"];
    let course = || {
        assert_eq!(place.run(&export).code, Some(0));
        json(&place.path("site/site.json"))["native"]["step_losses"].as_array().map(Vec::len)
    };
    assert_eq!(course(), Some(60_000_usize.div_ceil(128)));
    let record = std::fs::read_to_string(place.path("run/run.json")).expect("there");
    for (from, to) in
        [("\"complete\"", "\"interrupted\""), ("\"device_reason\"", "\"init\": \"other\", \"device_reason\"")]
    {
        std::fs::write(place.path("run/run.json"), record.replace(from, to)).expect("written");
        assert_eq!(course(), None, "{to}");
    }
}
