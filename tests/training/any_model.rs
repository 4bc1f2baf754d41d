//! Models of any shape: random layers, images and batches, which every adapter trains and evaluates as the CPU does.
//!
//! `MNIST_GPU_MODELS=500 cargo test --release --test training any_model` tries more of them.

use crate::devices::{cpu, on_adapters};
use crate::{Outcome, trained};
use approx::assert_relative_eq;
use mnist_gpu::config::TrainConfig;
use mnist_gpu::data::{Dataset, Split};
use mnist_gpu::device::Device;
use mnist_gpu::model::{Layer, ModelSpec, Shape};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::random::threefry;
use mnist_gpu::schedule::Schedule;
use mnist_gpu::trainer::Trainer;

/// How many models are tried where nothing else is asked for.
const MODELS: u32 = 4;

/// The most that a tensor may be away from the CPU's, as a share of how far the training moved it. Rounding comes to 10⁻⁵;
/// of 100 models one has a window in which the last bit decides which place is the largest: 2 · 10⁻³.
const APART: f64 = 1e-2;

/// Random choices, the same for the same seed.
struct Dice {
    seed: u32,
    thrown: u32,
}

impl Dice {
    fn number(&mut self) -> u32 {
        self.thrown += 1;
        threefry([self.seed, 0], [self.thrown, 0])[0]
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.number() as usize % choices.len()]
    }

    /// A convolution, and what may follow it.
    fn convolution(&mut self, layers: &mut Vec<Layer>) {
        let sides = [1, 2, 3, 3, 3, 4, 5, 5, 6, 7, 9];
        layers.push(Layer::Conv2d {
            channels: self.one_of(&[1, 2, 3, 5, 8, 16, 17, 24, 33]),
            kernel: [self.one_of(&sides), self.one_of(&sides)],
            stride: self.one_of(&[[1, 1], [1, 1], [1, 1], [2, 2], [1, 2], [3, 1]]),
            padding: self.one_of(&[[0, 0], [0, 0], [1, 1], [2, 2], [2, 0], [0, 3]]),
        });
        if self.one_of(&[true, true, false]) {
            layers.push(Layer::Relu);
        }
        if self.one_of(&[true, false]) {
            layers.push(Layer::MaxPool {
                size: self.one_of(&[[2, 2], [2, 2], [3, 3], [1, 2], [2, 1], [3, 2], [4, 4]]),
                stride: self.one_of(&[None, None, None, Some([1, 1]), Some([2, 2]), Some([1, 3])]),
            });
        }
    }

    fn linear(&mut self, layers: &mut Vec<Layer>) {
        layers.push(Layer::Linear { outputs: self.one_of(&[1, 2, 5, 10, 31, 64, 100, 129]) });
        if self.one_of(&[true, true, false]) {
            layers.push(Layer::Relu);
        }
        if self.one_of(&[true, false, false]) {
            layers.push(Layer::Dropout { rate: 0.25 });
        }
    }

    /// Layers that fit the images.
    fn model(&mut self, image: Shape, classes: u32) -> ModelSpec {
        let convolutions = self.one_of(&[0, 1, 1, 2, 2, 3]);
        loop {
            let mut layers = Vec::new();
            for _ in 0..convolutions {
                self.convolution(&mut layers);
            }
            for _ in 0..self.one_of(&[0, 0, 1, 2]) {
                self.linear(&mut layers);
            }
            layers.push(Layer::Linear { outputs: classes });
            let model = ModelSpec { name: format!("random {}", self.seed), layers };
            if model.stages(image, classes).is_ok() {
                return model;
            }
        }
    }

    /// Images of noise, in which hardly any two places are alike, so that a pool's choice is clear.
    fn data(&mut self) -> Dataset {
        let [height, width] = self.one_of(&[[8, 8], [8, 17], [13, 9], [16, 16], [20, 12]]);
        let classes = self.one_of(&[2, 3, 10, 47, 100]);
        let mut split = |count: u32| Split {
            images: (0..count * height * width).map(|_| self.number() as u8).collect(),
            labels: (0..count).map(|index| (index % classes) as u8).collect(),
        };
        let splits = (split(260), split(251));
        let names = (0..classes).map(|class| format!("class {class}")).collect();
        Dataset::from_splits("noise", [height, width], names, splits.0, splits.1).expect("a data set")
    }

    /// A few steps at a rate at which nothing that rounding does can grow.
    fn config(&mut self, data: &Dataset) -> TrainConfig {
        let classes = data.classes.len() as u32;
        let batch_size = self.one_of(&[1, 7, 32, 64, 100, 128, 130, 256]);
        TrainConfig {
            model: self.model(Shape::picture(data.height, data.width), classes),
            epochs: 1,
            batch_size,
            learning_rate: 0.01,
            schedule: Schedule::Constant,
            optimizer: self.one_of(&[
                Optimizer::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 },
                Optimizer::Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.01 },
                Optimizer::Adam { betas: [0.9, 0.99], epsilon: 1.0, weight_decay: 0.1, decoupled: true },
            ]),
            seed: self.seed,
            train_size: Some((4 * batch_size - 1).clamp(classes, data.train.len() as u32)),
            validation: None,
            target_accuracy: None,
        }
    }
}

/// The Euclidean distance.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
}

/// Trains, and evaluates what came of it by itself.
fn outcome(device: &dyn Device, data: &Dataset, config: &TrainConfig) -> (Outcome, f64) {
    let run = trained(device, data, config);
    let loss = run.evaluated(device, data, config).loss;
    (run, loss)
}

#[test]
fn every_adapter_trains_it_as_the_cpu_does() {
    let models = std::env::var("MNIST_GPU_MODELS").map_or(MODELS, |count| count.parse().expect("a number of models"));
    for seed in 0..models {
        let mut dice = Dice { seed, thrown: 0 };
        let data = dice.data();
        let config = dice.config(&data);
        println!("{seed}: {}×{}, batch {}: {}", data.height, data.width, config.batch_size, config.model);
        let cpu = cpu(2);
        let initial = Trainer::new(&cpu, &data, &config).and_then(|mut trainer| trainer.parameters()).expect("weights");
        let (expected, expected_loss) = outcome(&cpu, &data, &config);
        assert_relative_eq!(expected_loss, expected.last().test_loss, max_relative = 1e-6);
        on_adapters(|device| {
            let (found, loss) = outcome(device, &data, &config);
            assert_relative_eq!(found.losses[..], expected.losses[..], max_relative = 1e-5);
            assert_relative_eq!(found.last().test_loss, expected.last().test_loss, max_relative = 1e-5);
            assert_relative_eq!(loss, expected_loss, max_relative = 1e-5);
            for (name, values) in &expected.parameters {
                let apart = distance(&found.parameters[name], values);
                let moved = distance(&initial[name], values);
                assert!(apart <= APART * moved, "{name}: {apart:e} apart after {moved:e}");
            }
        });
    }
}
