//! The same seed: the same bits on one device, whatever its threads; the same batches and nearly the same losses on all.

use crate::devices::{cpu, on_adapters};
use crate::{config, mnist, session, trained};
use mnist_gpu::config::TrainConfig;
use mnist_gpu::device::Session;
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::program::{List, State, TensorId};

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
