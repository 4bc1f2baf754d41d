//! The README's table of results: each model on each device, mean and standard deviation over seeds.
//!
//!     cargo bench --bench seeds -- --device cpu --device software

use clap::Parser;
use mnist_gpu::Result;
use mnist_gpu::data::{Dataset, Part};
use mnist_gpu::device::{Device, Request, open};
use mnist_gpu::model::{PRESETS, defaults, preset};
use mnist_gpu::statistics::Spread;
use mnist_gpu::trainer::{EpochRow, Trainer};
use std::process::Command;

/// Train with several seeds and print a Markdown table of the figures
#[derive(Parser)]
struct Args {
    /// A model; several are several rows
    #[arg(long, default_value = "mlp", value_parser = PRESETS)]
    model: Vec<String>,
    /// A device; several are several rows
    #[arg(long, default_value = "auto")]
    device: Vec<Request>,
    /// Train with the seeds 1 to N
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// Passes over the training images [default: the model's own]
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Train on so many images only
    #[arg(long, value_name = "N")]
    train_size: Option<u32>,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// A column: its heading, digits after the point, and the figure from the rows of a run.
type Column = (&'static str, usize, fn(&[EpochRow]) -> f64);

const COLUMNS: [Column; 5] = [
    ("test accuracy, %", 2, |rows| 100.0 * last(rows).test_accuracy),
    ("test loss", 4, |rows| last(rows).test_loss),
    ("train accuracy, %", 2, |rows| 100.0 * last(rows).train_accuracy),
    ("train loss", 4, |rows| last(rows).train_loss),
    ("seconds an epoch", 2, |rows| {
        let times: Vec<f64> = rows.iter().filter_map(|row| row.seconds).collect();
        Spread::of(&times).mean
    }),
];

fn main() -> Result<()> {
    let args = Args::parse();
    let commit = commit();
    let data = Dataset::load(None, Part::All)?;
    println!("| model | device | epochs | {} |", COLUMNS.map(|(heading, ..)| heading).join(" | "));
    println!("|---|---|---:|{}", "---:|".repeat(COLUMNS.len()));
    for request in &args.device {
        let (device, _) = open(request, None)?;
        for model in &args.model {
            let runs: Vec<Vec<EpochRow>> =
                (1..=args.seeds).map(|seed| train(&*device, &data, model, seed, &args)).collect::<Result<_>>()?;
            let cells = COLUMNS.map(|(_, digits, figure)| {
                let values: Vec<f64> = runs.iter().map(|rows| figure(rows)).collect();
                let Spread { mean, standard_deviation, .. } = Spread::of(&values);
                format!("{mean:.digits$} ± {:.digits$}", standard_deviation.unwrap_or(0.0))
            });
            println!("| {model} | {} | {} | {} |", device.info(), last(&runs[0]).epoch, cells.join(" | "));
        }
    }
    println!("\nMean ± standard deviation over the seeds 1 to {}, commit {commit}.", args.seeds);
    Ok(())
}

/// The rows of a training run.
fn train(device: &dyn Device, data: &Dataset, model: &str, seed: u32, args: &Args) -> Result<Vec<EpochRow>> {
    let mut config = defaults(preset(model, data.classes.len() as u32).expect("clap lets presets pass"));
    config.seed = seed;
    config.epochs = args.epochs.unwrap_or(config.epochs);
    config.train_size = args.train_size;
    Trainer::new(device, data, &config)?.finish()
}

fn last(rows: &[EpochRow]) -> &EpochRow {
    rows.last().expect("epoch 0 at least")
}

/// The commit that is checked out, marked where the sources are no longer its.
fn commit() -> String {
    let git = |arguments: &[&str]| Command::new("git").args(arguments).output().ok().filter(|out| out.status.success());
    let Some(hash) = git(&["rev-parse", "--short", "HEAD"]) else { return "unknown".into() };
    let changed = git(&["status", "--porcelain", "src", "shaders"]).is_none_or(|output| !output.stdout.is_empty());
    format!("{}{}", String::from_utf8_lossy(&hash.stdout).trim(), if changed { " with changes" } else { "" })
}
