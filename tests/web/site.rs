//! Small sites to test with.

use mnist_gpu::checkpoint::Checkpoint;
use mnist_gpu::config::TrainConfig;
use mnist_gpu::cpu::Cpu;
use mnist_gpu::data::{Dataset, Split};
use mnist_gpu::device::Device;
use mnist_gpu::export::web::{File, Source, files};
use mnist_gpu::model::{defaults, preset};
use mnist_gpu::trainer::{EpochRow, Event, Trainer};

/// A few images of MNIST as a set of their own.
pub fn few_images(train: usize, test: usize) -> Dataset {
    let mnist = Dataset::mnist();
    let first = |split: &Split, count: usize| Split {
        images: split.images[..count * mnist.image_len()].to_vec(),
        labels: split.labels[..count].to_vec(),
    };
    let splits = [first(&mnist.train, train), first(&mnist.test, test)];
    let [train, test] = splits;
    Dataset::from_splits("few", [mnist.height, mnist.width], mnist.classes, train, test).expect("a set")
}

/// A preset's configuration for a run of so many epochs and images a step.
pub fn config(model: &str, epochs: u32, batch_size: u32) -> TrainConfig {
    TrainConfig { epochs, batch_size, ..defaults(preset(model, 10).expect("a preset")) }
}

/// What a run on all training images leaves.
#[derive(Debug, PartialEq)]
pub struct Trained {
    pub rows: Vec<EpochRow>,
    pub step_losses: Vec<f32>,
    pub checkpoint: Checkpoint,
}

/// Trains on a device, without the times in the rows.
pub fn train(device: &dyn Device, data: &Dataset, config: &TrainConfig) -> mnist_gpu::Result<Trained> {
    let mut trainer = Trainer::new(device, data, config)?;
    let mut rows = Vec::new();
    loop {
        match trainer.advance()? {
            Event::Epoch(row) => rows.push(EpochRow { seconds: None, images_per_second: None, ..row }),
            Event::Chunk { .. } => {}
            Event::Done => break,
        }
    }
    Ok(Trained { rows, step_losses: trainer.step_losses().to_vec(), checkpoint: trainer.checkpoint()? })
}

/// The same on the CPU.
pub fn train_on_cpu(data: &Dataset, config: &TrainConfig) -> Trained {
    let cpu = Cpu::new(None).expect("threads can be started");
    train(&cpu, data, config).expect("it trains")
}

/// A site with everything.
pub fn site(checkpoint: &Checkpoint, data: &Dataset, training: bool) -> Vec<File> {
    files(&Source { checkpoint, run: None, data, training, compress: true }).expect("a site")
}

/// The text of a site's file.
pub fn text<'a>(site: &'a [File], path: &str) -> Option<&'a str> {
    let file = site.iter().find(|file| file.path == path)?;
    std::str::from_utf8(&file.bytes).ok()
}
