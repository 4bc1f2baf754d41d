//! Whole runs: training that must learn and training that must not, the same on every device, to the last bit where
//! that is promised, and its ends.

mod any_model;
mod batches;
#[path = "../devices/mod.rs"]
mod devices;
mod ends;
mod learning;
mod micro_batches;
mod other_shapes;
mod same;

use mnist_gpu::checkpoint::{Checkpoint, Metadata, Parameters};
use mnist_gpu::config::TrainConfig;
use mnist_gpu::data::{Dataset, Split};
use mnist_gpu::device::{Device, Session};
use mnist_gpu::evaluate::Evaluation;
use mnist_gpu::inference::Classifier;
use mnist_gpu::model::{Shape, defaults, preset};
use mnist_gpu::program::{Build, List, State, build};
use mnist_gpu::schedule::Schedule;
use mnist_gpu::trainer::EpochRow;
use mnist_gpu::trainer::Trainer;
use mnist_gpu::{Error, Result};
use std::sync::{Arc, LazyLock};

static MNIST: LazyLock<Dataset> = LazyLock::new(Dataset::mnist);

/// Runs a test on the CPU and on every adapter.
fn on_all(test: impl Fn(&dyn Device) + Sync) {
    test(&devices::cpu(2));
    devices::on_adapters(test);
}

/// The first images of MNIST.
fn mnist(train: usize, test: usize) -> Dataset {
    let first = |split: &Split, count: usize| Split {
        images: split.images[..count * MNIST.image_len()].to_vec(),
        labels: split.labels[..count].to_vec(),
    };
    let splits = (first(&MNIST.train, train), first(&MNIST.test, test));
    let classes = MNIST.classes.clone();
    Dataset::from_splits("mnist", [MNIST.height, MNIST.width], classes, splits.0, splits.1).expect("a part of a set")
}

/// A preset with its optimizer at a constant rate, in batches of 64.
fn config(model: &str, classes: usize, epochs: u32) -> TrainConfig {
    let model = preset(model, classes as u32).expect("a preset");
    TrainConfig { epochs, batch_size: 64, schedule: Schedule::Constant, ..defaults(model) }
}

/// What a run leaves behind.
#[derive(Debug)]
struct Outcome {
    rows: Vec<EpochRow>,
    losses: Vec<f32>,
    parameters: Parameters,
}

impl Outcome {
    fn last(&self) -> &EpochRow {
        self.rows.last().expect("there is a row of epoch 0")
    }

    /// What the trained model makes of the test images, on a device that has nothing else of the run.
    fn evaluated(&self, device: &dyn Device, data: &Dataset, config: &TrainConfig) -> Evaluation {
        let checkpoint = Checkpoint { metadata: Metadata::new(config, data), parameters: self.parameters.clone() };
        let classifier = Classifier::new(device, &checkpoint);
        classifier.and_then(|mut classifier| classifier.evaluate(&data.test)).expect("an evaluation")
    }

    /// Every bit of the parameters.
    fn bits(&self) -> Vec<u32> {
        self.parameters.values().flatten().map(|value| value.to_bits()).collect()
    }
}

/// A run to its end.
fn train(device: &dyn Device, data: &Dataset, config: &TrainConfig) -> Result<Outcome> {
    let mut trainer = Trainer::new(device, data, config)?;
    let rows = trainer.finish()?;
    Ok(Outcome { rows, losses: trainer.step_losses().to_vec(), parameters: trainer.parameters()? })
}

/// The same that must reach its end.
fn trained(device: &dyn Device, data: &Dataset, config: &TrainConfig) -> Outcome {
    train(device, data, config).unwrap_or_else(|error: Error| panic!("{}: {error}", device.info()))
}

/// Training at its beginning, for who runs its steps by hand: all training images, no others.
fn session(device: &dyn Device, data: &Dataset, config: &TrainConfig) -> Box<dyn Session> {
    let images = data.train.len() as u32;
    let program = build(&Build {
        model: &config.model,
        image: Shape::picture(data.height, data.width),
        classes: data.classes.len() as u32,
        images,
        batch: config.batch_size,
        train_images: images,
        eval_batch: 8,
        optimizer: config.optimizer,
        mean: data.mean,
        std: data.std,
    });
    let program = Arc::new(program.expect("a program"));
    let (ports, mut session) = (&program.ports, device.load(&program).expect("loaded"));
    session.put(ports.images, &data.train.images).expect("written");
    session.put(ports.labels, &data.train.labels).expect("written");
    let course = config.course(images.div_ceil(ports.train.batch));
    session.put(ports.schedule, &course.rows(0)).expect("written");
    session.put(ports.train.state, &[State::at(config.seed, 0, 0, images)]).expect("written");
    session.run(List::Init, 1).expect("drawn");
    session
}
