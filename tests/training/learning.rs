//! Training that must learn reaches what an untrained or broken network cannot; where there is nothing to learn, or no
//! learning, the same run does not.

use crate::devices::cpu;
use crate::{config, mnist, on_all, trained};
use mnist_gpu::config::TrainConfig;

/// Chance is 0.1; what a network that has learned nothing may reach by luck.
const LUCK: f64 = 0.35;

#[test]
fn models_learn() {
    let data = mnist(2_000, 1_000);
    for (model, target) in [("linear", 0.8), ("mlp", 0.85)] {
        on_all(|device| {
            let run = trained(device, &data, &config(model, 10, 4));
            let (first, last) = (&run.rows[0], run.last());
            println!("{model} on {}: {:.3}", device.info(), last.test_accuracy);
            assert!(first.test_accuracy < LUCK, "{model}: untrained {}", first.test_accuracy);
            assert!(last.test_accuracy >= target, "{model}: {} after {} epochs", last.test_accuracy, last.epoch);
            assert!(last.train_loss < 0.5 * first.train_loss, "{model}: {first:?} {last:?}");
            assert!(last.train_accuracy >= target, "{model}: {last:?}");
            assert_eq!(run.losses.len(), 4 * 2_000_usize.div_ceil(64));
        });
    }
}

#[test]
fn nothing_is_learned_from_shuffled_labels() {
    let mut data = mnist(2_000, 1_000);
    // A step through all of them that shares no factor with their number.
    data.train.labels = (0..2_000).map(|i| data.train.labels[(i * 777 + 5) % 2_000]).collect();
    let run = trained(&cpu(2), &data, &config("mlp", 10, 4));
    assert!(run.last().test_accuracy < LUCK, "{:?}", run.last());
    assert!(run.last().test_loss > 2.0, "{:?}", run.last());
}

#[test]
fn nothing_is_learned_at_a_rate_of_nearly_zero() {
    let data = mnist(2_000, 1_000);
    let run = trained(&cpu(2), &data, &TrainConfig { learning_rate: 1e-9, ..config("mlp", 10, 2) });
    let (first, last) = (&run.rows[0], run.last());
    assert!((last.test_accuracy - first.test_accuracy).abs() <= 0.002, "{first:?} {last:?}");
    assert!(last.test_accuracy < LUCK, "{last:?}");
}

/// Ten classes, small weights: the loss is near ln 10.
#[test]
fn the_first_row_is_of_the_untrained_network() {
    let data = mnist(500, 300);
    let run = trained(&cpu(2), &data, &TrainConfig { validation: Some(100), ..config("linear", 10, 2) });
    assert_eq!(run.rows.iter().map(|row| row.epoch).collect::<Vec<_>>(), [0, 1, 2]);
    let first = &run.rows[0];
    for loss in [first.train_loss, first.test_loss, first.validation_loss.expect("images are held out")] {
        assert!((loss - 10_f64.ln()).abs() < 0.5, "{first:?}");
    }
    assert_eq!((first.learning_rate, first.images_per_second, first.seconds), (None, None, None));
    for row in &run.rows[1..] {
        assert_eq!(row.learning_rate, Some(3e-3));
        assert!(row.seconds.is_some() && row.images_per_second.is_some(), "{row:?}");
    }
}
