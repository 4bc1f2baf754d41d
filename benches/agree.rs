//! Whether devices train alike: for the same seeds, how far the losses of the first steps and the accuracies after the
//! last epoch are from the CPU's.
//!
//! The yardstick is the CPU itself, begun from weights of which half have another last bit: what that does to a run, no
//! device that rounds in its own way can be held to do less. A convolution's pool makes it a matter of luck: either no
//! window has two places so equal that the last bit decides, or one has, and the recipe's high learning rate makes the
//! other choice grow from step to step.
//!
//!     cargo bench --bench agree -- --model cnn --device vulkan --device gl

use clap::Parser;
use mnist_gpu::config::TrainConfig;
use mnist_gpu::data::{Dataset, Part};
use mnist_gpu::device::{Device, Request, open};
use mnist_gpu::model::{PRESETS, defaults, preset};
use mnist_gpu::trainer::Trainer;
use mnist_gpu::{Error, Result};

/// Steps whose losses must agree: rounding has not yet grown into other weights.
const STEPS: usize = 20;
/// The most that a loss may differ, relative to the CPU's.
const LOSS: f64 = 1e-4;
/// The most that a test accuracy may differ.
const ACCURACY: f64 = 0.003;

/// Train on the CPU and on other devices with the same seeds, and compare losses and accuracies
#[derive(Parser)]
struct Args {
    /// The model
    #[arg(long, default_value = "cnn", value_parser = PRESETS)]
    model: String,
    /// A device to compare with the CPU; several are compared one after another
    #[arg(long, default_value = "software")]
    device: Vec<Request>,
    /// Train with the seeds 1 to N
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// Passes over the training images
    #[arg(long, value_name = "N", default_value_t = 1)]
    epochs: u32,
    /// Train on so many images
    #[arg(long, value_name = "N", default_value_t = 12_000)]
    train_size: u32,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// The losses of the steps, and the test accuracy at the end; from weights as the seed has them, or nudged.
fn train(device: &dyn Device, data: &Dataset, args: &Args, seed: u32, nudged: bool) -> Result<(Vec<f32>, f64)> {
    let model = preset(&args.model, data.classes.len() as u32).expect("clap lets presets pass");
    let config = TrainConfig { seed, epochs: args.epochs, train_size: Some(args.train_size), ..defaults(model) };
    let mut trainer = Trainer::new(device, data, &config)?;
    if nudged {
        let mut weights = trainer.parameters()?;
        for (index, weight) in weights.values_mut().flatten().enumerate() {
            *weight = f32::from_bits(weight.to_bits() ^ (index as u32 & 1));
        }
        trainer.initialise(&weights)?;
    }
    let accuracy = trainer.finish()?.last().expect("epoch 0 at least").test_accuracy;
    Ok((trainer.step_losses().to_vec(), accuracy))
}

fn main() -> Result<()> {
    let args = Args::parse();
    let data = Dataset::load(None, Part::All)?;
    let (cpu, _) = open(&Request::Cpu, None)?;
    println!("| model | device | seed | losses of {STEPS} steps differ by | test accuracy, % | CPU's, % |");
    println!("|---|---|---:|---:|---:|---:|");
    let mut apart = 0;
    for seed in 1..=args.seeds {
        let (expected, cpu_accuracy) = train(&*cpu, &data, &args, seed, false)?;
        // What the losses and the accuracy are off by.
        let row = |name: String, (losses, accuracy): (Vec<f32>, f64)| {
            let pairs = expected.iter().zip(&losses).take(STEPS);
            let off = pairs.map(|(cpu, other)| (f64::from(*other) / f64::from(*cpu) - 1.0).abs()).fold(0.0, f64::max);
            let accuracies = [accuracy, cpu_accuracy].map(|accuracy| format!("{:.2}", 100.0 * accuracy)).join(" | ");
            println!("| {} | {name} | {seed} | {off:.1e} | {accuracies} |", args.model);
            (off, (accuracy - cpu_accuracy).abs())
        };
        row("CPU, other last bits".into(), train(&*cpu, &data, &args, seed, true)?);
        for request in &args.device {
            let (device, _) = open(request, None)?;
            let (off, points) = row(device.info().to_string(), train(&*device, &data, &args, seed, false)?);
            apart += usize::from(off > LOSS || points > ACCURACY);
        }
    }
    match apart {
        0 => Ok(()),
        _ => Err(Error::Device(format!(
            "{apart} runs differ from the CPU's by more than {LOSS:e} of a loss or {} points of accuracy",
            100.0 * ACCURACY
        ))),
    }
}
