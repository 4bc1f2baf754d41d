//! `devices`, and how the other commands choose one.

use super::{Outcome, Place, QUICK, keys};

#[test]
fn the_cpu_is_always_there_and_the_choice_is_explained() {
    let outcome = Place::new().run(&["devices"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains(" cpu  CPU\n"), "{}", outcome.stdout);
    let last = outcome.stdout.lines().last().expect("lines");
    assert!(last.starts_with("* --device auto takes ") && last.contains(": "), "{last}");
    assert_eq!(outcome.stdout.lines().filter(|line| line.starts_with('*')).count(), 2, "{}", outcome.stdout);
}

#[test]
fn the_list_is_one_object_for_programs() {
    let object = Place::new().run(&["devices", "--json"]).objects().remove(0);
    assert_eq!(keys(&object), ["adapters", "auto", "auto_reason", "cpu"]);
    for (index, entry) in object["adapters"].as_array().expect("a list").iter().enumerate() {
        assert_eq!(entry["index"], index);
        assert_eq!(keys(&entry["adapter"]), ["backend", "driver", "kind", "name"]);
    }
}

#[test]
fn an_unknown_device_is_an_error_that_lists_what_there_is() {
    let place = Place::new();
    for name in ["no-such-device", "4096"] {
        let outcome = place.run(&["train", "--device", name]);
        outcome.fails(1, &[name, "on this machine", "cpu"]);
        assert!(place.names(".").is_empty(), "something was left behind");
    }
}

#[test]
fn the_environment_sets_the_default_and_the_option_overrides_it() {
    let place = Place::new();
    let with = |device: &str, options: &[&str]| {
        let mut command = place.program(&["train", "--model", "mlp", "--epochs", "1", "--train-size", "640"]);
        Outcome::of(command.args(options).env("MNIST_GPU_DEVICE", device))
    };
    with("no-such-device", &[]).fails(1, &["no-such-device"]);
    assert!(with("cpu", &[]).stdout.starts_with("Training mlp on CPU"));
    assert!(with("no-such-device", &["--device", "cpu"]).stdout.starts_with("Training mlp on CPU"));
}

#[test]
fn the_first_line_says_what_a_run_is_on_and_why() {
    let place = Place::new();
    let first = |arguments: &[&str]| place.run(arguments).stdout.lines().next().expect("a line").to_owned();
    let line = first(&QUICK);
    assert!(line.starts_with("Training mlp on CPU (") && line.ends_with(": asked for by --device cpu"), "{line}");
    let line = first(&["eval", "--device", "cpu"]);
    assert!(line.starts_with("Evaluating mlp from ") && line.ends_with(": asked for by --device cpu"), "{line}");
}

#[test]
fn threads_are_as_many_as_asked_for() {
    let place = Place::new();
    assert!(place.train(&["--threads", "1"]).stdout.contains(" 1 thread)"));
    assert!(place.train(&["--threads", "3"]).stdout.contains(" 3 threads)"));
    for count in ["0", "-1", "1000000", "many"] {
        place.run(&[&QUICK, &["--threads", count][..]].concat()).fails(2, &["--threads"]);
    }
}
