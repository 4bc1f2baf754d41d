//! `predict`.

use super::{Place, keys};
use mnist_gpu::data::picture::{Limits, read};
use mnist_gpu::data::{Dataset, Split};
use std::fs;
use std::io::Write;
use std::process::Stdio;

const PREDICT: [&str; 3] = ["predict", "--device", "cpu"];

/// A place with a trained model and MNIST test images as pictures `pictures/NUMBER.png`.
fn place(count: usize) -> (Place, Split) {
    let place = Place::new();
    let train = ["train", "--model", "mlp", "--device", "cpu", "--epochs", "1", "--train-size", "5000"];
    assert_eq!(place.run(&train).code, Some(0));
    let test = Dataset::mnist_test().test;
    fs::create_dir(place.path("pictures")).expect("made");
    for number in 0..count {
        picture(&test, number).save(place.path(&format!("pictures/{number}.png"))).expect("written");
    }
    (place, test)
}

/// An MNIST image in dark ink on light paper, four times as large.
fn picture(test: &Split, number: usize) -> image::GrayImage {
    let digit = &test.images[784 * number..][..784];
    image::GrayImage::from_fn(112, 112, |x, y| [250 - digit[(y / 4 * 28 + x / 4) as usize] / 5 * 4].into())
}

fn predict(place: &Place, arguments: &[&str]) -> super::Outcome {
    place.run(&[&PREDICT, arguments].concat())
}

#[test]
fn digits_are_read() {
    let (place, test) = place(50);
    let names: Vec<String> = (0..50).map(|number| format!("pictures/{number}.png")).collect();
    let outcome = predict(&place, &[&["--json"], &names.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    let objects = outcome.objects();
    let right = objects.iter().zip(&test.labels).filter(|(object, label)| object["label"] == label.to_string());
    assert!(right.count() >= 40, "{}", outcome.stdout);
    for (object, name) in objects.iter().zip(&names) {
        assert_eq!(keys(object), ["file", "label", "probabilities"]);
        assert_eq!(object["file"], *name);
        assert_eq!(keys(&object["probabilities"]), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        let probability = |class: &str| object["probabilities"][class].as_f64().expect("a number");
        let all: Vec<f64> = (0..10).map(|class| probability(&class.to_string())).collect();
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert!(all.iter().all(|&other| other <= probability(object["label"].as_str().expect("a class"))));
    }
}

#[test]
fn a_folder_stands_for_its_pictures_in_order() {
    let (place, _) = place(3);
    fs::create_dir_all(place.path("pictures/more/.hidden")).expect("made");
    fs::rename(place.path("pictures/0.png"), place.path("pictures/more/0.PNG")).expect("renamed");
    fs::copy(place.path("pictures/1.png"), place.path("pictures/more/.hidden/1.png")).expect("copied");
    fs::write(place.path("pictures/notes.txt"), "not looked at").expect("written");
    let outcome = predict(&place, &["--json", "--top", "2", "pictures"]);
    let objects = outcome.objects();
    let files: Vec<_> = objects.iter().map(|object| object["file"].as_str().expect("a name")).collect();
    assert_eq!(
        files,
        ["pictures/1.png", "pictures/2.png", "pictures/more/0.PNG"]
            .map(|name| name.replace('/', std::path::MAIN_SEPARATOR_STR))
    );
    assert_eq!(keys(&objects[0]["probabilities"]).len(), 2);
    assert_eq!(outcome.code, Some(0));
}

#[test]
fn a_picture_may_come_through_a_pipe() {
    let (place, _) = place(1);
    let mut child = place
        .program(&PREDICT)
        .args(["--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let bytes = fs::read(place.path("pictures/0.png")).expect("there");
    child.stdin.take().expect("piped").write_all(&bytes).expect("written");
    let piped = String::from_utf8(child.wait_with_output().expect("ends").stdout).expect("UTF-8");
    let named = predict(&place, &["--json", "pictures/0.png"]).stdout;
    assert_eq!(piped, named.replace("pictures/0.png", "-"));
}

#[test]
fn what_cannot_be_read_does_not_stop_the_others() {
    let (place, _) = place(2);
    fs::write(place.path("pictures/text.png"), "seven").expect("written");
    fs::write(place.path("pictures/empty.jpg"), "").expect("written");
    fs::create_dir(place.path("nothing")).expect("made");
    image::GrayImage::from_pixel(60, 40, [200].into()).save(place.path("pictures/blank.bmp")).expect("written");
    image::GrayImage::new(20_000, 2).save(place.path("pictures/wide.png")).expect("written");
    let whole = fs::read(place.path("pictures/0.png")).expect("there");
    fs::write(place.path("pictures/half.png"), &whole[..whole.len() / 2]).expect("written");
    let problems = [
        ("pictures/text.png", "expected a PNG, JPEG, BMP, WebP or GIF file"),
        ("pictures/empty.jpg", "the file is empty"),
        ("pictures/blank.bmp", "the picture is blank"),
        ("pictures/wide.png", "the picture is too large: it has 20000×2 pixels"),
        ("pictures/half.png", "the picture is damaged"),
        ("missing.png", "cannot read"),
        ("nothing", "the folder has no PNG, JPEG, BMP, WebP or GIF files"),
    ];
    let names = problems.map(|(name, _)| name);
    let arguments = [&["pictures/0.png"], &names[..], &["pictures/1.png"]].concat();
    let outcome = predict(&place, &arguments);
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(1), 4), "{outcome:?}");
    for (line, (name, problem)) in outcome.stderr.lines().zip(problems) {
        assert!(line.starts_with(&format!("error: {name}: {problem}")), "{line}");
    }
    assert_eq!(outcome.stderr.lines().count(), problems.len(), "{outcome:?}");

    let outcome = predict(&place, &[&["--json"], &arguments[..]].concat());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    for (object, (name, problem)) in outcome.objects()[1..].iter().zip(problems) {
        assert_eq!((keys(object), &object["file"]), (vec!["error", "file"], &name.into()));
        assert!(object["error"].as_str().expect("text").starts_with(problem), "{object}");
    }
    assert_eq!(outcome.objects().len(), 9);
}

#[test]
fn what_the_network_sees_is_drawn_and_written() {
    let (place, test) = place(2);
    fs::create_dir(place.path("pictures/more")).expect("made");
    picture(&test, 1).save(place.path("pictures/more/0.bmp")).expect("written");
    let outcome = predict(&place, &["--show", "--save-input", "seen/inputs", "pictures"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(outcome.stdout.lines().filter(|line| line.starts_with('│') && line.chars().count() == 58).count(), 84);
    assert!(outcome.stdout.contains("████"));
    assert_eq!(place.names("seen/inputs"), ["0-2.input.png", "0.input.png", "1.input.png"]);
    for (input, picture) in [("0-2", "more/0.bmp"), ("0", "0.png"), ("1", "1.png")] {
        let seen = image::open(place.path(&format!("seen/inputs/{input}.input.png"))).expect("a picture").into_luma8();
        let bytes = fs::read(place.path("pictures").join(picture)).expect("there");
        assert_eq!(seen.into_raw(), read(&bytes, &Limits::default(), [28, 28]).expect("a digit"));
    }
}

#[test]
fn options_are_checked() {
    let place = Place::new();
    predict(&place, &[]).fails(2, &["<IMAGE>", "--help"]);
    predict(&place, &["--top", "0", "x.png"]).fails(2, &["--top"]);
    predict(&place, &["--json", "--show", "x.png"]).fails(2, &["--json", "--show"]);
    predict(&place, &["x.png"]).fails(1, &["no complete run", "mnist-gpu train"]);
    predict(&place, &["--run", "nowhere", "x.png"]).fails(1, &["nowhere", "cannot read"]);
}

#[test]
fn text_lines_name_the_run_and_the_most_probable_classes() {
    let (place, _) = place(1);
    let lines = |options: &[&str]| {
        let outcome = predict(&place, &[options, &["pictures/0.png"]].concat());
        outcome.stdout.lines().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let default = lines(&[]);
    assert!(default[0].starts_with("Reading with mlp from runs") || default[0].contains("0001-mlp"), "{default:?}");
    assert!(default[2].starts_with("pictures/0.png  7 ") && default[2].matches(" %").count() == 3, "{default:?}");
    let top = lines(&["--top", "99", "--quiet", "--run", "runs/0001-mlp"]);
    assert!(top.len() == 1 && top[0].matches(" %").count() == 10, "{top:?}");
}
