//! An epoch has every image once, in an order of its own, however batches fit.

use crate::devices::cpu;
use crate::{config, mnist, on_all, session, trained};
use mnist_gpu::config::TrainConfig;
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::program::{List, State, TensorId};

/// 1,000 images in batches of 64: fifteen whole ones and one of 40.
#[test]
fn every_image_comes_once_in_an_epoch() {
    let data = mnist(1_000, 10);
    on_all(|device| {
        let mut session = session(device, &data, &config("linear", 10, 2));
        let program = session.program().clone();
        let samples = program.tensors.iter().position(|tensor| tensor.name == "train.samples").expect("samples");
        let epochs: Vec<Vec<u32>> = (0..2)
            .map(|epoch| {
                let mut images = Vec::new();
                for step in 0..16 {
                    session.run(List::TrainStep, 1).expect("a step");
                    let state: State = session.get(program.ports.train.state).expect("the state")[0];
                    let live = if step < 15 { 64 } else { 40 };
                    assert_eq!((state.epoch, state.live, state.batch, state.offset), (epoch, live, live, 64 * step));
                    let taken: Vec<[u32; 2]> = session.get(TensorId(samples as u32)).expect("the samples");
                    for [image, label] in &taken[..live as usize] {
                        assert_eq!(*label, u32::from(data.train.labels[*image as usize]));
                        images.push(*image);
                    }
                }
                images
            })
            .collect();
        for epoch in &epochs {
            let mut sorted = epoch.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..1_000), "{}: not every image once", device.info());
        }
        let alike = epochs[0].iter().zip(&epochs[1]).filter(|(a, b)| a == b).count();
        assert!(alike < 20, "{}: {alike} images are where they were in the epoch before", device.info());
    });
}

/// With weights that stay as they are, the epoch's loss and count are those of the set.
#[test]
fn loss_and_count_are_over_every_image_once() {
    let data = mnist(1_000, 10);
    let optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    on_all(|device| {
        for batch_size in [64, 999, 1_000, 1] {
            let config = TrainConfig { optimizer, learning_rate: 1e-12, batch_size, ..config("linear", 10, 1) };
            let run = trained(device, &data, &config);
            let (set, epoch) = (&run.rows[0], &run.rows[1]);
            let off = (epoch.train_loss / set.train_loss - 1.0).abs();
            assert!(off < 1e-5, "{}, batches of {batch_size}: off by {off:e}", device.info());
            assert!((epoch.train_accuracy - set.train_accuracy).abs() < 1e-9, "{}: {epoch:?}", device.info());
            assert_eq!(run.losses.len(), 1_000_usize.div_ceil(batch_size as usize));
        }
    });
}

#[test]
fn a_batch_larger_than_the_data_is_all_of_it() {
    let data = mnist(100, 50);
    let run = |batch_size| trained(&cpu(2), &data, &TrainConfig { batch_size, ..config("mlp", 10, 3) });
    let (exact, larger, smaller) = (run(100), run(5_000), run(99));
    assert_eq!((exact.losses.len(), smaller.losses.len()), (3, 6));
    assert!(larger.bits() == exact.bits(), "a batch of 5,000 differs from one of 100");
    assert_eq!(larger.losses, exact.losses);
    assert!(smaller.bits() != exact.bits(), "a batch of 99 must differ from one of 100");
    on_all(|device| {
        let run = trained(device, &data, &TrainConfig { batch_size: u32::MAX, ..config("mlp", 10, 3) });
        let off = run.losses.iter().zip(&exact.losses).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f32::max);
        assert!(run.losses.len() == 3 && off < 1e-4, "{}: {:?}", device.info(), run.losses);
    });
}
