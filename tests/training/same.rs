//! The same seed: the same bits on one device, whatever its threads; the same batches and nearly the same losses on all.

use crate::devices::{cpu, on_adapters};
use crate::{config, mnist, session, trained};
use mnist_gpu::config::TrainConfig;
use mnist_gpu::device::Session;
use mnist_gpu::evaluate::log_probabilities;
use mnist_gpu::model::PRESETS;
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::program::{List, State, TensorId};
use std::ops::Range;

/// The images and labels of each of the first steps.
fn batches(session: &mut dyn Session, steps: usize) -> Vec<Vec<[u32; 2]>> {
    let tensors = &session.program().tensors;
    let samples = tensors.iter().position(|tensor| tensor.name == "train.samples").expect("training has samples");
    let state = session.program().ports.train.state;
    let mut all = Vec::new();
    for _ in 0..steps {
        session.run(List::TrainStep, 1).expect("a step");
        let live = session.get::<State>(state).expect("the state")[0].live as usize;
        all.push(session.get(TensorId(samples as u32)).expect("the samples")[..live].to_vec());
    }
    all
}

#[test]
fn the_cpu_gives_the_same_bits_with_any_number_of_threads() {
    let data = mnist(1_000, 10);
    let sgd = Optimizer::Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-4 };
    for optimizer in [config("mlp", 10, 2).optimizer, sgd] {
        let config = TrainConfig { optimizer, ..config("mlp", 10, 2) };
        let first = trained(&cpu(1), &data, &config);
        for threads in [1, 2, 3] {
            let again = trained(&cpu(threads), &data, &config);
            assert!(again.bits() == first.bits(), "{threads} threads: other parameters");
            assert_eq!(again.losses, first.losses, "{threads} threads");
        }
        let other = trained(&cpu(1), &data, &TrainConfig { seed: 2, ..config });
        assert!(other.bits() != first.bits(), "another seed must give other parameters");
    }
}

#[test]
fn convolutions_give_the_same_bits_with_any_number_of_threads() {
    let data = mnist(200, 10);
    for model in ["cnn", "convnet"] {
        let first = trained(&cpu(1), &data, &config(model, 10, 1));
        for threads in [2, 3] {
            let again = trained(&cpu(threads), &data, &config(model, 10, 1));
            assert!(again.bits() == first.bits(), "{model}, {threads} threads: other parameters");
            assert_eq!(again.losses, first.losses, "{model}, {threads} threads");
        }
    }
}

/// Every bit of the answers to some images, which all sessions must give.
fn answers(sessions: &mut [Box<dyn Session>], images: Range<u32>) -> Vec<u32> {
    let all = sessions.iter_mut().map(|session| {
        let values = log_probabilities(&mut **session, &images).expect("answers");
        values.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
    });
    let all: Vec<_> = all.collect();
    assert!(all.iter().all(|bits| *bits == all[0]), "images {images:?}: with other threads other bits");
    all[0].clone()
}

#[test]
fn the_cpu_answers_for_an_image_alone_as_for_one_among_others_also_after_a_step() {
    let data = mnist(64, 10);
    for model in PRESETS {
        let mut sessions = [1, 2, 3].map(|threads| session(&cpu(threads), &data, &config(model, 10, 1)));
        let mut before = Vec::new();
        for step in 0..2 {
            let together = answers(&mut sessions, 0..8);
            assert!(together != before, "{model}: a step must change the answers");
            for (image, expected) in (0..8).zip(together.chunks(together.len() / 8)) {
                let alone = answers(&mut sessions, image..image + 1);
                assert!(alone == expected, "{model}, image {image} after {step} steps: alone other bits");
            }
            before = together;
            for session in &mut sessions {
                session.run(List::TrainStep, 1).expect("a step");
            }
        }
    }
}

#[test]
fn an_adapter_gives_the_same_bits_again() {
    let data = mnist(1_000, 10);
    on_adapters(|device| {
        let [first, again] = [1, 2].map(|_| trained(device, &data, &config("mlp", 10, 2)));
        assert!(again.bits() == first.bits(), "{}: other parameters", device.info());
        assert_eq!(again.losses, first.losses, "{}", device.info());
        let other = trained(device, &data, &TrainConfig { seed: 2, ..config("mlp", 10, 2) });
        assert!(other.bits() != first.bits(), "another seed must give other parameters");
    });
}

#[test]
fn adapters_have_the_batches_and_the_losses_of_the_cpu() {
    let data = mnist(1_300, 10);
    let config = config("mlp", 10, 1);
    let expected = batches(&mut *session(&cpu(2), &data, &config), 21);
    assert_eq!(expected.iter().map(Vec::len).collect::<Vec<_>>(), [&[64; 20][..], &[20]].concat());
    let losses = trained(&cpu(2), &data, &config).losses;
    on_adapters(|device| {
        assert!(batches(&mut *session(device, &data, &config), 21) == expected, "{}: other batches", device.info());
        let found = trained(device, &data, &config).losses;
        let off = losses.iter().zip(&found).map(|(cpu, gpu)| (gpu / cpu - 1.0).abs()).fold(0.0, f32::max);
        println!("losses of {} steps: off by {off:.1e}", found.len());
        assert!(found.len() == 21 && off < 1e-4, "{}: off by {off:e}: {found:?}, CPU {losses:?}", device.info());
    });
    let other = TrainConfig { seed: 2, ..config };
    assert!(batches(&mut *session(&cpu(2), &data, &other), 21) != expected, "another seed must give other batches");
}
