//! The library as its documentation has it: train, keep, load, ask.

use mnist_gpu::data::{Dataset, Split};
use mnist_gpu::device::{Device, Request, open};
use mnist_gpu::model::{defaults, load};
use mnist_gpu::{Checkpoint, Classifier, TrainConfig, Trainer};
use std::sync::LazyLock;

static MNIST: LazyLock<Dataset> = LazyLock::new(Dataset::mnist);

fn cpu() -> Box<dyn Device> {
    open(&Request::Cpu, None).expect("every machine has a CPU").0
}

/// A model that has seen a few images.
fn trained() -> Checkpoint {
    let model = load("linear", 10).expect("a preset");
    let config = TrainConfig { epochs: 1, train_size: Some(500), ..defaults(model) };
    let mut trainer = Trainer::new(&*cpu(), &MNIST, &config).expect("model and data fit");
    trainer.finish().expect("it trains");
    trainer.checkpoint().expect("it is there")
}

#[test]
fn what_is_kept_in_a_file_answers_as_before() {
    let (checkpoint, device) = (trained(), cpu());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    checkpoint.save(&path).expect("written");
    let mut before = Classifier::new(&*device, &checkpoint).expect("on the device");
    let mut after = Classifier::load(&*device, &path).expect("read");
    assert_eq!(after.metadata(), &checkpoint.metadata);
    let images = &MNIST.test.images[..20 * 784];
    assert_eq!(before.predict(images).expect("answers"), after.predict(images).expect("answers"));
}

/// More images than are on the device at a time, and fewer than a batch.
#[test]
fn it_is_all_one_how_many_images_are_asked_about_together() {
    let mut classifier = Classifier::new(&*cpu(), &trained()).expect("on the device");
    let images = &MNIST.test.images[..2_345 * 784];
    let together = classifier.log_probabilities(images).expect("answers");
    assert_eq!(together.len(), 2_345);
    let apart: Vec<Vec<f32>> =
        images.chunks(7 * 784).flat_map(|few| classifier.log_probabilities(few).expect("answers")).collect();
    assert_eq!(together, apart);
    assert!(classifier.log_probabilities(&[]).expect("no answers").is_empty());
}

#[test]
fn predictions_and_evaluation_are_of_the_same_probabilities() {
    let mut classifier = Classifier::new(&*cpu(), &trained()).expect("on the device");
    let evaluation = classifier.evaluate(&MNIST.test).expect("an evaluation");
    let probabilities = classifier.probabilities(&MNIST.test.images).expect("answers");
    let predictions = classifier.predict(&MNIST.test.images).expect("answers");
    let (mut loss, mut right) = (0.0, 0);
    for ((row, prediction), label) in probabilities.iter().zip(&predictions).zip(&MNIST.test.labels) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
        assert!(prediction.ranking().windows(2).all(|pair| pair[0].1 >= pair[1].1), "{prediction:?}");
        assert_eq!(prediction.ranking()[0], (prediction.label().to_owned(), prediction.probability()));
        let class: usize = prediction.label().parse().expect("a digit");
        assert_eq!(row[class].to_bits(), prediction.probability().to_bits());
        loss -= f64::from(row[usize::from(*label)]).ln();
        right += usize::from(class == usize::from(*label));
    }
    assert!(right > 1_500, "{right} of 10,000 are right: no more than by chance");
    assert_eq!((evaluation.images, evaluation.accuracy), (10_000, right as f64 / 10_000.0));
    assert!((evaluation.loss - loss / 10_000.0).abs() < 1e-5, "{} is not {}", evaluation.loss, loss / 10_000.0);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let checkpoint = trained();
    let mut classifier = Classifier::new(&*cpu(), &checkpoint).expect("on the device");
    let error = classifier.probabilities(&[0; 784 + 1]).expect_err("half an image").to_string();
    assert!(error.contains("28×28") && error.contains("785"), "{error}");
    for (images, labels) in [(1, vec![]), (1, vec![3, 4]), (0, vec![]), (1, vec![10])] {
        let split = Split { images: vec![0; images * 784], labels };
        let error = classifier.evaluate(&split).expect_err("one label for each image").to_string();
        assert!(error.contains("expected") && error.contains("label"), "{error}");
    }
    let mut short = checkpoint.clone();
    short.parameters.get_mut("fc1.bias").expect("a parameter").pop();
    let mut less = checkpoint;
    less.parameters.remove("fc1.weight");
    for (broken, name) in [(short, "fc1.bias"), (less, "fc1.weight")] {
        let error = Classifier::new(&*cpu(), &broken).map(drop).expect_err("not the model's").to_string();
        assert!(error.contains(name), "{error}");
        let error = broken.to_bytes().expect_err("not the model's").to_string();
        assert!(error.contains(name), "{error}");
    }
}
