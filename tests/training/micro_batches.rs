//! A batch that is taken in micro-batches gives the gradients and parameters of the same batch taken whole, to the bit.

use crate::devices::on_all;
use mnist_gpu::device::Device;
use mnist_gpu::model::{Layer, ModelSpec, Shape};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::program::{Build, List, Op, Program, Role, ScheduleRow, State, build};
use mnist_gpu::random::threefry;
use std::sync::Arc;

/// More rows than a micro-batch has: 32,768 and 7,232.
const IMAGES: usize = 40_000;
const PIXELS: usize = 16;

/// Two layers on 4×4 pixels, all images in one step, as the builder lays it out: in two micro-batches.
fn in_two() -> Program {
    let layers = vec![Layer::Linear { outputs: 6 }, Layer::Relu, Layer::Linear { outputs: 3 }];
    let program = build(&Build {
        model: &ModelSpec { name: "small".into(), layers },
        image: Shape::picture(4, 4),
        classes: 3,
        images: IMAGES as u32,
        batch: IMAGES as u32,
        train_images: IMAGES as u32,
        eval_batch: 1,
        optimizer: Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 },
        mean: 0.5,
        std: 0.3,
    });
    let program = program.expect("a program");
    assert_eq!(beginnings(&program).len(), 2, "the builder must have split the batch");
    program
}

/// Where in the step each micro-batch begins.
fn beginnings(program: &Program) -> Vec<usize> {
    let begins = |(_, op): &(usize, &Op)| matches!(op, Op::BeginStep(_));
    program.train_step.iter().enumerate().filter(begins).map(|(index, _)| index).collect()
}

/// The step without its second micro-batch.
fn first_only(mut program: Program) -> Program {
    let second = beginnings(&program)[1]..program.train_step.len() - 1;
    program.train_step.drain(second);
    program
}

/// The first micro-batch, grown to the whole batch.
fn in_one(program: Program) -> Program {
    let mut program = first_only(program);
    let training = |name: &str| name.starts_with("train.");
    for tensor in program.tensors.iter_mut().filter(|t| t.role == Role::Activation && training(&t.name)) {
        tensor.shape[0] = IMAGES as u32;
    }
    program
}

/// What two steps leave: the bits of gradients and parameters, and the metrics.
fn two_steps(device: &dyn Device, program: Program) -> ([Vec<u32>; 2], Vec<[f32; 2]>) {
    let program = Arc::new(program);
    let (ports, mut session) = (&program.ports, device.load(&program).expect("loaded"));
    let word = |i: usize| threefry([8, 8], [i as u32, 0])[0];
    let images: Vec<u8> = (0..IMAGES * PIXELS).map(|i| word(i) as u8).collect();
    let labels: Vec<u8> = images.chunks(PIXELS).map(|image| image[3] / 86).collect();
    session.put(ports.images, &images).expect("written");
    session.put(ports.labels, &labels).expect("written");
    session.put(ports.schedule, &[ScheduleRow { learning_rate: 0.1, ..ScheduleRow::default() }]).expect("written");
    session.put(ports.train.state, &[State::at(4, 0, 0, IMAGES as u32)]).expect("written");
    session.run(List::Init, 1).expect("drawn");
    session.run(List::TrainStep, 2).expect("two steps");
    let bits = [ports.gradients, ports.parameters].map(|id| session.get(id).expect("read"));
    let metrics: Vec<[f32; 2]> = session.get(ports.train.metrics).expect("read");
    (bits, metrics[..2].to_vec())
}

#[test]
fn micro_batches_give_the_bits_of_the_whole_batch() {
    on_all(|device| {
        let (bits, metrics) = two_steps(device, in_two());
        let (whole_bits, whole_metrics) = two_steps(device, in_one(in_two()));
        assert!(bits == whole_bits, "{}: gradients or parameters differ", device.info());
        // Losses are sums of sums: equal but for rounding. Counts are exact.
        for (split, whole) in metrics.iter().zip(&whole_metrics) {
            assert!((split[0] / whole[0] - 1.0).abs() < 1e-5, "{}: {metrics:?} {whole_metrics:?}", device.info());
            assert!((split[1] - whole[1]).abs() < 0.5 && split[1] > 0.0, "{metrics:?} {whole_metrics:?}");
        }
        let (part, _) = two_steps(device, first_only(in_two()));
        assert!(part != whole_bits, "{}: a step without its second micro-batch must differ", device.info());
    });
}
