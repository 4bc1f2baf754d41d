//! Tries hyperparameters on images held out of the training set; the test set plays no part. The presets' defaults come
//! from here.
//!
//!     cargo bench --bench tune -- --model lenet --learning-rate 0.001,0.003,0.01 --seeds 3

use clap::Parser;
use mnist_gpu::Result;
use mnist_gpu::config::TrainConfig;
use mnist_gpu::data::{Dataset, Part};
use mnist_gpu::device::{Device, Request, open};
use mnist_gpu::model::{PRESETS, defaults, preset};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::trainer::Trainer;

/// Train with every combination of the given hyperparameters and print how each does on held-out images, the best last
#[derive(Parser)]
struct Args {
    /// The model
    #[arg(long, value_parser = PRESETS)]
    model: String,
    /// Learning rates to try [default: the model's own]
    #[arg(long, value_delimiter = ',')]
    learning_rate: Vec<f64>,
    /// Batch sizes to try [default: the model's own]
    #[arg(long, value_delimiter = ',')]
    batch_size: Vec<u32>,
    /// Weight decays to try, as AdamW's [default: the model's own]
    #[arg(long, value_delimiter = ',')]
    weight_decay: Vec<f64>,
    /// Pairs of Adam's betas to try, as 0.9/0.999 [default: the model's own]
    #[arg(long, value_delimiter = ',', value_parser = betas)]
    betas: Vec<[f64; 2]>,
    /// Adam's epsilons to try [default: the model's own]
    #[arg(long, value_delimiter = ',')]
    epsilon: Vec<f64>,
    /// Passes over the training images [default: the model's own]
    #[arg(long)]
    epochs: Option<u32>,
    /// Images held out
    #[arg(long, default_value_t = 5_000)]
    validation: usize,
    /// Train with the seeds 1 to N, each with held-out images of its own
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// The device
    #[arg(long, default_value = "auto")]
    device: Request,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn betas(text: &str) -> Result<[f64; 2], String> {
    let pair = text.split_once('/').and_then(|(first, second)| Some([first.parse().ok()?, second.parse().ok()?]));
    pair.ok_or_else(|| format!("expected two numbers, as 0.9/0.999, not {text:?}"))
}

fn main() -> Result<()> {
    let args = Args::parse();
    let data = Dataset::load(None, Part::All)?;
    let (device, _) = open(&args.device, None)?;
    let classes = data.classes.len() as u32;
    let base = defaults(preset(&args.model, classes).expect("clap lets presets through alone"));
    let mut results = Vec::new();
    for config in combinations(&base, &args) {
        let mut losses = Vec::new();
        let mut accuracies = Vec::new();
        for seed in 1..=args.seeds {
            let (loss, accuracy) = held_out(&*device, &data, TrainConfig { seed, ..config.clone() }, args.validation)?;
            losses.push(loss);
            accuracies.push(accuracy);
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let text = format!(
            "held-out loss {:.4}, accuracy {:.2} %: batch {}, learning rate {}, {:?}",
            mean(&losses),
            100.0 * mean(&accuracies),
            config.batch_size,
            config.learning_rate,
            config.optimizer
        );
        println!("{text}");
        results.push((mean(&losses), text));
    }
    results.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("\n{} epochs, {} seeds, the best last:", args.epochs.unwrap_or(base.epochs), args.seeds);
    for (_, text) in &results {
        println!("{text}");
    }
    Ok(())
}

/// Every combination, with the model's own value where none is given.
fn combinations(base: &TrainConfig, args: &Args) -> Vec<TrainConfig> {
    let mut configs = vec![TrainConfig { epochs: args.epochs.unwrap_or(base.epochs), ..base.clone() }];
    let mut vary = |count: usize, set: &dyn Fn(&mut TrainConfig, usize)| {
        if count > 0 {
            let all = configs.iter().flat_map(|config| {
                (0..count).map(|index| {
                    let mut config = config.clone();
                    set(&mut config, index);
                    config
                })
            });
            configs = all.collect();
        }
    };
    vary(args.learning_rate.len(), &|config, index| config.learning_rate = args.learning_rate[index]);
    vary(args.batch_size.len(), &|config, index| config.batch_size = args.batch_size[index]);
    vary(args.betas.len(), &|config, index| {
        if let Optimizer::Adam { betas, .. } = &mut config.optimizer {
            *betas = args.betas[index];
        }
    });
    vary(args.epsilon.len(), &|config, index| {
        if let Optimizer::Adam { epsilon, .. } = &mut config.optimizer {
            *epsilon = args.epsilon[index];
        }
    });
    vary(args.weight_decay.len(), &|config, index| {
        if let Optimizer::Adam { weight_decay, decoupled, .. } = &mut config.optimizer {
            (*weight_decay, *decoupled) = (args.weight_decay[index], true);
        }
    });
    configs
}

/// Loss and accuracy on the held-out images after the last epoch.
fn held_out(device: &dyn Device, data: &Dataset, mut config: TrainConfig, validation: usize) -> Result<(f64, f64)> {
    config.validation = Some(validation as u32);
    let rows = Trainer::new(device, data, &config)?.finish()?;
    let last = rows.last().expect("epoch 0 at least");
    Ok(last.validation_loss.zip(last.validation_accuracy).expect("images are held out"))
}
