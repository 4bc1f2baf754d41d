//! How a run ends: after its epochs, at its target, or because it diverges.

use crate::devices::cpu;
use crate::{config, mnist, on_all, train, trained};
use mnist_gpu::Error;
use mnist_gpu::config::TrainConfig;
use mnist_gpu::gpu::{Gpu, adapters};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::trainer::{Event, Trainer};

#[test]
fn a_run_stops_at_its_target_accuracy() {
    let data = mnist(1_500, 50);
    let wanted = TrainConfig { validation: Some(500), target_accuracy: Some(0.7), ..config("mlp", 10, 30) };
    on_all(|device| {
        let run = trained(device, &data, &wanted);
        let reached: Vec<bool> =
            run.rows.iter().map(|row| row.validation_accuracy.expect("images are held out") >= 0.7).collect();
        let last = reached.len() - 1;
        assert!(last > 0 && last < 30, "{}: {} epochs", device.info(), last);
        assert_eq!(reached.iter().position(|&reached| reached), Some(last), "{}: {reached:?}", device.info());
        assert_eq!(run.losses.len(), last * 1_000_usize.div_ceil(64));
    });
    // A target beyond reach.
    let run = trained(&cpu(2), &data, &TrainConfig { target_accuracy: Some(1.0), epochs: 2, ..wanted });
    assert_eq!(run.last().epoch, 2);
}

/// Held-out images are not trained on, and a run that is done stays so.
#[test]
fn images_are_held_out_and_a_done_run_stays_done() {
    let data = mnist(300, 50);
    let config = TrainConfig { validation: Some(100), ..config("linear", 10, 1) };
    let mut trainer = Trainer::new(&cpu(1), &data, &config).expect("a trainer");
    assert_eq!(trainer.parts().1.map(|images| images.len()), [200, 100, 50]);
    let mut seen = 0;
    let last = loop {
        match trainer.advance().expect("training goes on") {
            Event::Chunk { epoch, images, loss } => {
                assert!(epoch == 1 && images > seen && images <= 200 && loss > 0.0, "{images} after {seen}");
                seen = images;
            }
            Event::Epoch(row) if row.epoch == 1 => break row,
            Event::Epoch(row) => assert_eq!((row.epoch, seen), (0, 0)),
            Event::Done => panic!("no row of epoch 1"),
        }
    };
    assert_eq!(seen, 200);
    assert!(last.validation_loss.is_some());
    for _ in 0..3 {
        assert_eq!(trainer.advance().expect("it is over"), Event::Done);
    }
}

/// An error, and neither a panic nor numbers that were not computed.
#[test]
fn a_lost_device_ends_the_run_and_says_so() {
    let data = mnist(640, 50);
    // Devices of their own: other tests go on with theirs.
    for adapter in adapters() {
        let gpu = Gpu::open(&adapter, false).expect("an adapter that can be opened");
        let mut trainer = Trainer::new(&gpu, &data, &config("mlp", 10, 1_000)).expect("a trainer");
        trainer.advance().expect("it trains");
        gpu.lose();
        let error = (0..2_000).find_map(|_| trainer.advance().err()).expect("nothing is trained on a lost device");
        let text = error.to_string();
        assert!(matches!(error, Error::Device(_)), "{error:?}");
        assert!(text.contains("the device was lost") && text.contains("--device cpu"), "{text}");
        assert!(trainer.parameters().is_err(), "parameters of a lost device");
    }
}

#[test]
fn a_run_without_held_out_images_says_nothing_of_them() {
    let run = trained(&cpu(1), &mnist(100, 10), &config("linear", 10, 1));
    assert!(run.rows.iter().all(|row| row.validation_loss.is_none() && row.validation_accuracy.is_none()));
}

#[test]
fn divergence_is_an_error_with_step_and_advice() {
    let data = mnist(1_000, 10);
    let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 };
    let wild = TrainConfig { optimizer, learning_rate: 1e5, ..config("mlp", 10, 3) };
    on_all(|device| {
        let error = train(device, &data, &wild).expect_err("such a rate must diverge");
        let Error::Diverged { loss, step, epoch, learning_rate } = error else { panic!("{}: {error}", device.info()) };
        assert!(!loss.is_finite(), "{}: {loss}", device.info());
        assert!(step > 0 && step < 48, "{}: step {step}", device.info());
        assert_eq!(u64::from(epoch), step / 16 + 1, "{}", device.info());
        assert!((learning_rate - 1e5).abs() < 1e-9, "{}: {learning_rate}", device.info());
        let text = error.to_string();
        assert!(text.contains(&format!("at step {step} (epoch {epoch})")), "{text}");
        assert!(text.contains("Lower the learning rate (it is 100000 at this step)"), "{text}");
    });
    assert!(train(&cpu(1), &data, &TrainConfig { learning_rate: 0.05, ..wild }).is_ok());
}
