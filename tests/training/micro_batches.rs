//! A batch that is taken in micro-batches gives the gradients and parameters of the same batch taken whole, to the bit;
//! and those of the CPU, however many rows and classes there are.

use crate::devices::{cpu, on_adapters};
use crate::on_all;
use mnist_gpu::device::Device;
use mnist_gpu::model::{Layer, ModelSpec, Shape};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::program::{Build, List, Op, Program, Role, ScheduleRow, State, build};
use mnist_gpu::random::threefry;
use std::sync::Arc;

const PIXELS: usize = 16;

/// Every kind of layer on 4×4 pixels, all images in one step.
fn program(images: usize, classes: u32) -> Program {
    let conv = Layer::Conv2d { channels: 3, kernel: [3, 3], stride: [1, 1], padding: [1, 1] };
    let pool = Layer::MaxPool { size: [2, 2], stride: None };
    let [hidden, last] = [6, classes].map(|outputs| Layer::Linear { outputs });
    let layers = vec![conv, Layer::Relu, pool, hidden, Layer::Relu, Layer::Dropout { rate: 0.25 }, last];
    let program = build(&Build {
        model: &ModelSpec { name: "small".into(), layers },
        image: Shape::picture(4, 4),
        classes,
        images: images as u32,
        batch: images as u32,
        train_images: images as u32,
        eval_batch: 1,
        optimizer: Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 },
        mean: 0.5,
        std: 0.3,
    });
    program.expect("a program")
}

/// More rows than a micro-batch has: 16,384 and 3,616.
const IMAGES: usize = 20_000;

/// The builder's step, in two micro-batches.
fn in_two() -> Program {
    let program = program(IMAGES, 3);
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
        // Partial sums are of sixteen images each.
        let each = if tensor.name.ends_with("partial_sums") { 16 } else { 1 };
        tensor.shape[0] = (IMAGES as u32).div_ceil(each);
    }
    program
}

/// What two steps leave: gradients and parameters, and the metrics.
fn two_steps(device: &dyn Device, program: Program) -> ([Vec<f32>; 2], Vec<[f32; 2]>) {
    let program = Arc::new(program);
    let (ports, mut session) = (&program.ports, device.load(&program).expect("loaded"));
    let (count, classes) = (program.tensor(ports.labels).len(), program.tensor(ports.log_probabilities).row_len());
    let images: Vec<u8> = (0..count * PIXELS).map(|i| threefry([8, 8], [i as u32, 0])[0] as u8).collect();
    let labels: Vec<u8> = images.chunks(PIXELS).map(|image| (usize::from(image[3]) * classes / 256) as u8).collect();
    session.put(ports.images, &images).expect("written");
    session.put(ports.labels, &labels).expect("written");
    session.put(ports.schedule, &[ScheduleRow { learning_rate: 0.1, ..ScheduleRow::default() }]).expect("written");
    session.put(ports.train.state, &[State::at(4, 0, 0, count as u32)]).expect("written");
    session.run(List::Init, 1).expect("drawn");
    session.run(List::TrainStep, 2).expect("two steps");
    let numbers = [ports.gradients, ports.parameters].map(|id| session.get(id).expect("read"));
    let metrics: Vec<[f32; 2]> = session.get(ports.train.metrics).expect("read");
    (numbers, metrics[..2].to_vec())
}

fn bits(numbers: &[Vec<f32>; 2]) -> [Vec<u32>; 2] {
    [0, 1].map(|which: usize| numbers[which].iter().map(|value| value.to_bits()).collect())
}

#[test]
fn micro_batches_give_the_bits_of_the_whole_batch() {
    on_all(|device| {
        let (split, metrics) = two_steps(device, in_two());
        let (whole, whole_metrics) = two_steps(device, in_one(in_two()));
        assert!(bits(&split) == bits(&whole), "{}: gradients or parameters differ", device.info());
        // Losses are sums of sums: equal but for rounding. Counts are exact.
        for (split, whole) in metrics.iter().zip(&whole_metrics) {
            assert!((split[0] / whole[0] - 1.0).abs() < 1e-5, "{}: {metrics:?} {whole_metrics:?}", device.info());
            assert!((split[1] - whole[1]).abs() < 0.5 && split[1] > 0.0, "{metrics:?} {whole_metrics:?}");
        }
        let (part, _) = two_steps(device, first_only(in_two()));
        assert!(bits(&part) != bits(&whole), "{}: a step without its second micro-batch must differ", device.info());
    });
}

/// Sums over 20,000 rows in another order differ by some 10⁻⁶ of the largest; a row or a loop that is left out, by more.
#[test]
fn adapters_have_the_gradients_of_the_cpu_with_many_rows_and_classes() {
    for (images, classes) in [(IMAGES, 3), (8_000, 256), (20_000, 47)] {
        let (expected, metrics) = two_steps(&cpu(2), program(images, classes));
        on_adapters(|device| {
            let (found, found_metrics) = two_steps(device, program(images, classes));
            for (name, found, expected) in
                [("gradients", &found[0], &expected[0]), ("parameters", &found[1], &expected[1])]
            {
                let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
                assert!(found.iter().all(|value| value.is_finite()), "{}: {name}", device.info());
                let away = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest;
                println!("{images} images of {classes} classes: {name} are off by {away:.1e} of the largest");
                assert!(away < 1e-4, "{}, {classes} classes: {name} are off by {away:e}", device.info());
            }
            for ([loss, correct], [found_loss, found_correct]) in metrics.iter().zip(&found_metrics) {
                assert!((found_loss / loss - 1.0).abs() < 1e-5, "{}: {found_metrics:?} {metrics:?}", device.info());
                // Of rows whose two largest logits are as good as equal.
                assert!((found_correct - correct).abs() <= 3.0, "{}: {found_metrics:?} {metrics:?}", device.info());
            }
        });
    }
}
