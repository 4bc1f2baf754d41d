//! How well the default model reads pictures: MNIST images made into pictures of ten kinds, written as files, and read as
//! `mnist-gpu predict` reads them. The README's table of pictures comes from here.
//!
//!     cargo bench --bench predict
//!
//! What reading pictures is tuned on are training images that the model has not seen: `--held-out`.

#[path = "../tests/pictures/mod.rs"]
mod pictures;

use clap::Parser;
use mnist_gpu::checkpoint::Checkpoint;
use mnist_gpu::config::TrainConfig;
use mnist_gpu::data::picture::{Limits, read};
use mnist_gpu::data::{Dataset, Part, Split, split};
use mnist_gpu::device::{Device, Request, open};
use mnist_gpu::evaluate::most_probable;
use mnist_gpu::inference::Classifier;
use mnist_gpu::model::{defaults, preset};
use mnist_gpu::trainer::Trainer;
use mnist_gpu::{Error, Result};
use pictures::{Dice, KINDS, encode, file};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Make pictures from MNIST images and print how many of each kind are read rightly
#[derive(Parser)]
struct Args {
    /// Pictures, of the kinds in turn
    #[arg(long, value_name = "N", default_value_t = 1000)]
    images: u32,
    /// The preset that reads them
    #[arg(long, default_value = "cnn")]
    model: String,
    /// The seed of training and pictures
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Read training images that are held out instead of test images
    #[arg(long)]
    held_out: bool,
    /// Keep the weights in this file, and take them from there the next time
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Write the pictures that are read wrongly here, each with what the network saw
    #[arg(long, value_name = "DIR")]
    mistakes: Option<PathBuf>,
    /// The device
    #[arg(long, default_value = "auto")]
    device: Request,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// Training images that are held out.
const HELD_OUT: usize = 10_000;
/// Pictures that are in memory at once.
const AT_ONCE: u32 = 250;

/// A picture and what became of it.
struct Reading {
    kind: &'static str,
    label: u8,
    extension: &'static str,
    bytes: Vec<u8>,
    image: Result<Vec<u8>>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let data = Dataset::load(None, Part::All)?;
    let (device, _) = open(&args.device, None)?;
    let config = config(&data, &args)?;
    let checkpoint = match &args.weights {
        Some(path) if path.exists() => {
            let kept = Checkpoint::load(path)?;
            if kept.metadata.training != config {
                return Err(Error::Usage(format!("{}: was trained in another way than is asked for", path.display())));
            }
            kept
        }
        _ => train(&*device, &data, &config)?,
    };
    if let Some(path) = &args.weights {
        checkpoint.save(path)?;
    }
    if let Some(folder) = &args.mistakes {
        std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    }
    let mut classifier = Classifier::new(&*device, &checkpoint)?;
    let source = if args.held_out { &data.train } else { &data.test };
    let digits: Vec<u32> = if args.held_out {
        split(&data.train.labels, data.classes.len(), Some(HELD_OUT), None, args.seed)?.validation
    } else {
        (0..data.test.len() as u32).collect()
    };
    let mut counts = [[0_u32; 3]; KINDS.len()];
    for first in (0..args.images).step_by(AT_ONCE as usize) {
        let numbers = first..(first + AT_ONCE).min(args.images);
        let readings: Vec<Reading> =
            numbers.into_par_iter().map(|number| reading(number, source, &digits, args.seed)).collect();
        let images: Vec<u8> =
            readings.iter().filter_map(|reading| reading.image.as_deref().ok()).flatten().copied().collect();
        let mut answers = classifier.probabilities(&images)?.into_iter();
        for (number, reading) in (first..).zip(&readings) {
            let answer = reading.image.as_ref().ok().map(|_| answers.next().expect("one an image"));
            let class = answer.as_deref().map(most_probable);
            let [all, right, unread] = &mut counts[number as usize % KINDS.len()];
            *all += 1;
            *right += u32::from(class == Some(usize::from(reading.label)));
            *unread += u32::from(class.is_none());
            if class != Some(usize::from(reading.label))
                && let Some(folder) = &args.mistakes
            {
                keep(folder, number, reading, class)?;
            }
        }
    }
    println!("| picture | accuracy, % | right | of | not read |");
    println!("|---|---:|---:|---:|---:|");
    let total = counts.iter().fold([0; 3], |sum, row| std::array::from_fn(|i| sum[i] + row[i]));
    for (kind, [all, right, unread]) in KINDS.iter().zip(&counts).chain([(&"all", &total)]) {
        let percent = 100.0 * f64::from(*right) / f64::from(*all);
        println!("| {kind} | {percent:.1} | {right} | {all} | {unread} |");
    }
    Ok(())
}

/// How the model is trained: by default, on all training images or on those that are not held out.
fn config(data: &Dataset, args: &Args) -> Result<TrainConfig> {
    let spec = preset(&args.model, data.classes.len() as u32)
        .ok_or_else(|| Error::Usage(format!("{}: no preset", args.model)))?;
    let mut config = defaults(spec);
    config.seed = args.seed;
    config.validation = args.held_out.then_some(HELD_OUT as u32);
    Ok(config)
}

fn train(device: &dyn Device, data: &Dataset, config: &TrainConfig) -> Result<Checkpoint> {
    let mut trainer = Trainer::new(device, data, config)?;
    trainer.finish()?;
    trainer.checkpoint()
}

/// Makes a picture from one of the digits and reads it.
fn reading(number: u32, source: &Split, digits: &[u32], seed: u32) -> Reading {
    let kind = KINDS[number as usize % KINDS.len()];
    let digit = digits[number as usize % digits.len()] as usize;
    let mut dice = Dice::new(seed, number);
    let (extension, bytes) = file(kind, &source.images[784 * digit..][..784], &mut dice);
    let image = read(&bytes, &Limits::default(), [28, 28]);
    Reading { kind, label: source.labels[digit], extension, bytes, image }
}

fn keep(folder: &Path, number: u32, reading: &Reading, class: Option<usize>) -> Result<()> {
    let answer = class.map_or("unread".to_owned(), |class| class.to_string());
    let name = format!("{}-{number}-{}-as-{answer}", reading.kind, reading.label);
    let write = |name: String, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(Error::io("write", path))
    };
    write(format!("{name}.{}", reading.extension), &reading.bytes)?;
    if let Ok(image) = &reading.image {
        let pixels = image.iter().map(|&value| [f32::from(value) / 255.0; 3]).map(|[r, g, b]| [r, g, b, 1.0]).collect();
        write(format!("{name}.seen.png"), &encode(&pictures::Canvas { width: 28, height: 28, pixels }, "png"))?;
    }
    Ok(())
}
