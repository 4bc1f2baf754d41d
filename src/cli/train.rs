//! `mnist-gpu train`: from images to weights.

use super::options::{DataArgs, DeviceArgs, runs_folder};
use super::output::{line, note, thousands};
use super::{Ending, Talk};
use crate::checkpoint::{Checkpoint, Metadata};
use crate::config::TrainConfig;
use crate::data::{Part, split};
use crate::device::open;
use crate::model::{DEFAULT_PRESET, ModelSpec, PRESETS, defaults, preset};
use crate::optimizer::Optimizer;
use crate::progress::Progress;
use crate::run::{DataInfo, EpochRow, KernelChoice, Run, Status, WEIGHTS_FILE, new_folder};
use crate::schedule::Schedule;
use crate::trainer::{Event, Trainer};
use crate::{Error, Result};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Train a model and keep it as a run
#[derive(Debug, clap::Args)]
#[command(after_help = examples())]
pub struct Args {
    /// The architecture: a preset's name, or a JSON file of layers
    #[arg(long, value_name = "NAME|FILE.json", default_value = DEFAULT_PRESET)]
    model: String,
    /// Passes over the training images
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<u32>,
    /// Images of one step
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    batch_size: Option<u32>,
    /// The highest learning rate of the schedule
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// How the learning rate changes over the run
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// How parameters are updated
    #[arg(long, value_enum)]
    optimizer: Option<OptimizerName>,
    /// Momentum of SGD
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    momentum: Option<f64>,
    /// Nesterov's momentum, for SGD
    #[arg(long)]
    nesterov: bool,
    /// Decay rates of Adam's two averages
    #[arg(long, value_name = "B1,B2", allow_negative_numbers = true, value_delimiter = ',', num_args = 1..=2)]
    betas: Option<Vec<f64>>,
    /// L2 penalty (SGD, Adam) or decay (AdamW)
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    weight_decay: Option<f64>,
    /// Seed of initial weights, order of images, and masks: the same seed on the same device gives the same bytes
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 1)]
    seed: u32,
    /// Train on so many images only, balanced over the classes; a smaller choice is part of a larger one
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    train_size: Option<u32>,
    /// Hold so many training images out and report on them
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    validation: Option<u32>,
    /// Stop once the accuracy on the images held out reaches this share (0.99 is 99 %)
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, requires = "validation")]
    target_accuracy: Option<f64>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// The run's folder [default: the next number in the folder of runs]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the run that --out names
    #[arg(long, requires = "out")]
    force: bool,
    /// Print one JSON object a line instead of the table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ScheduleName {
    Constant,
    Step,
    Cosine,
    OneCycle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OptimizerName {
    Sgd,
    Adam,
    Adamw,
}

fn examples() -> String {
    let mut text = String::from("Defaults by model (each of the options above replaces one):\n");
    for name in PRESETS {
        let config = defaults(preset(name, 10).expect("a preset's name"));
        text.push_str(&format!("  {name:8} {}\n", summary(&config)));
    }
    text.push_str(
        "\nExamples:
  mnist-gpu train                                    the default model on the best device
  mnist-gpu train --model mlp --epochs 10 --seed 3
  mnist-gpu train --validation 5000 --target-accuracy 0.975
  mnist-gpu train --data-dir fashion --device vulkan --out runs/fashion
  mnist-gpu train --json | jq .test_accuracy

The run's folder holds model.safetensors (the weights), run.json (configuration, device, every figure)
and metrics.csv (the table). Ctrl-C stops after the current steps and keeps what there is.",
    );
    text
}

/// A configuration in a line.
pub(super) fn summary(config: &TrainConfig) -> String {
    let schedule = serde_json::to_value(config.schedule).expect("a schedule is plain data");
    let optimizer = match config.optimizer {
        Optimizer::Sgd { momentum, nesterov, weight_decay } => {
            let nesterov = if nesterov { " (Nesterov)" } else { "" };
            format!("SGD, momentum {momentum}{nesterov}, weight decay {weight_decay}")
        }
        Optimizer::Adam { betas: [b1, b2], weight_decay, decoupled, .. } => {
            let name = if decoupled { "AdamW" } else { "Adam" };
            format!("{name}, betas {b1} and {b2}, weight decay {weight_decay}")
        }
    };
    format!(
        "{} epochs, batch {}, {optimizer}, learning rate {} ({})",
        config.epochs,
        config.batch_size,
        config.learning_rate,
        schedule.as_str().unwrap_or_default()
    )
}

impl Args {
    /// The model's defaults with what the options replace.
    fn config(&self, classes: u32) -> Result<TrainConfig> {
        let mut config = defaults(model(&self.model, classes)?);
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.batch_size = self.batch_size.unwrap_or(config.batch_size);
        config.schedule = self.schedule.map_or(config.schedule, |name| match name {
            ScheduleName::Constant => Schedule::Constant,
            ScheduleName::Step => Schedule::Step,
            ScheduleName::Cosine => Schedule::Cosine,
            ScheduleName::OneCycle => Schedule::OneCycle,
        });
        if let Some(name) = self.optimizer {
            let already = matches!(
                (name, config.optimizer),
                (OptimizerName::Sgd, Optimizer::Sgd { .. })
                    | (OptimizerName::Adam, Optimizer::Adam { decoupled: false, .. })
                    | (OptimizerName::Adamw, Optimizer::Adam { decoupled: true, .. })
            );
            if !already {
                (config.optimizer, config.learning_rate) = match name {
                    OptimizerName::Sgd => (Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 }, 0.1),
                    OptimizerName::Adam => (Optimizer::adam(0.0, false), config.learning_rate),
                    OptimizerName::Adamw => (Optimizer::adam(0.01, true), config.learning_rate),
                };
            }
        }
        config.learning_rate = self.learning_rate.unwrap_or(config.learning_rate);
        match &mut config.optimizer {
            Optimizer::Sgd { momentum, nesterov, weight_decay } => {
                if self.betas.is_some() {
                    return Err(Error::Usage("--betas belongs to Adam: add --optimizer adam or adamw".into()));
                }
                *momentum = self.momentum.unwrap_or(*momentum);
                *nesterov |= self.nesterov;
                *weight_decay = self.weight_decay.unwrap_or(*weight_decay);
            }
            Optimizer::Adam { betas, weight_decay, .. } => {
                if self.momentum.is_some() || self.nesterov {
                    return Err(Error::Usage("--momentum and --nesterov belong to SGD: add --optimizer sgd".into()));
                }
                if let Some(given) = &self.betas {
                    *betas = given[..].try_into().map_err(|_| {
                        Error::Usage(format!("--betas takes two numbers (0.9,0.999), not {}", given.len()))
                    })?;
                }
                *weight_decay = self.weight_decay.unwrap_or(*weight_decay);
            }
        }
        config.seed = self.seed;
        config.train_size = self.train_size;
        config.validation = self.validation;
        config.target_accuracy = self.target_accuracy;
        config.validate()?;
        Ok(config)
    }
}

/// A preset, or the model of a file.
pub(super) fn model(name: &str, classes: u32) -> Result<ModelSpec> {
    if let Some(spec) = preset(name, classes) {
        return Ok(spec);
    }
    let path = Path::new(name);
    if path.extension().is_none_or(|extension| extension != "json") {
        let names = PRESETS.join(", ");
        return Err(Error::Usage(format!("--model {name}: neither a preset ({names}) nor a file that ends in .json")));
    }
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::format(path, format!("is not a model: {error}")))
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    if let Some(out) = &args.out {
        check_out(out, args.force)?;
    }
    let signal = watch_signals()?;
    let data = args.data.load(Part::All)?;
    let config = args.config(data.classes.len() as u32)?;
    let [validation, train_size] = [config.validation, config.train_size].map(|size| size.map(|size| size as usize));
    let selection = split(&data.train.labels, data.classes.len(), validation, train_size, config.seed)?;
    let (device, choice) = open(&args.device.device, args.device.threads)?;
    let mut trainer = Trainer::new(&*device, &data, &selection, &config)?;
    let folder = match &args.out {
        Some(out) => std::fs::create_dir_all(out).map_err(Error::io("create the folder", out)).map(|()| out.clone())?,
        None => new_folder(&runs_folder(), &config.model.name)?,
    };
    let parameters = trainer.parameters()?.values().map(|values| values.len() as u64).sum();
    let kernels = trainer.kernels().into_iter().map(|(op, kernel)| KernelChoice { op, kernel }).collect();
    let run = Run {
        version: env!("CARGO_PKG_VERSION").into(),
        status: Status::Running,
        data: DataInfo::new(&data, selection.train.len(), selection.validation.len()),
        device: device.info().clone(),
        device_reason: choice.why,
        kernels,
        parameters,
        epochs: Vec::new(),
        step_losses: Vec::new(),
        config,
    };
    let metadata = Metadata::new(&run.config, &data);
    let mut session = Session { run, metadata, folder, talk, json: args.json };
    let result = session.announce().and_then(|()| session.train(&mut trainer, &signal));
    if result.is_err() {
        // Nothing was saved if the folder is empty: then it goes, and otherwise this does nothing.
        let _ = std::fs::remove_dir(&session.folder);
    }
    result
}

/// An existing run is never overwritten unless that is asked for.
fn check_out(out: &Path, force: bool) -> Result<()> {
    match std::fs::read_dir(out) {
        Ok(mut entries) => {
            if entries.next().is_some() && !force {
                return Err(Error::Usage(format!("{}: exists already; --force replaces it", out.display())));
            }
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("use as a run's folder", out)(error)),
    }
}

/// The number of the first SIGINT or SIGTERM; a second one ends the process at once.
fn watch_signals() -> Result<Arc<AtomicUsize>> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let received = Arc::new(AtomicUsize::new(0));
    let again = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&again)))
            .and_then(|_| signal_hook::flag::register_usize(signal, Arc::clone(&received), signal as usize))
            .map_err(Error::io("handle", "signals"))?;
    }
    Ok(received)
}

/// A run in the making: its record, and how it is told of.
struct Session {
    run: Run,
    metadata: Metadata,
    folder: PathBuf,
    talk: Talk,
    json: bool,
}

impl Session {
    fn event(&self, event: &str, mut fields: Value) -> Result<()> {
        if self.json {
            fields["event"] = event.into();
            line(&fields.to_string())?;
        }
        Ok(())
    }

    /// A line for people.
    fn tell(&self, text: &str) -> Result<()> {
        if self.json || self.talk.quiet { Ok(()) } else { line(text) }
    }

    fn announce(&self) -> Result<()> {
        let Run { config, data, device, device_reason, parameters, .. } = &self.run;
        self.event(
            "start",
            json!({ "folder": self.folder.to_string_lossy(), "device": device, "device_reason": device_reason, "config": config,
                    "data": data, "parameters": parameters }),
        )?;
        let held_out = match data.validation_images {
            0 => String::new(),
            count => format!(", {} held out", thousands(count.into())),
        };
        self.tell(&format!("Training {} on {device}: {device_reason}", config.model.name))?;
        self.tell(&format!(
            "{} parameters; {}: {} training images{held_out}, {} test images; {}\n",
            thousands(*parameters),
            data.name,
            thousands(data.train_images.into()),
            thousands(data.test_images.into()),
            summary(config)
        ))?;
        let validation = if data.validation_images > 0 { "   val loss   val acc" } else { "" };
        self.tell(&format!(
            "epoch   train loss  train acc   test loss  test acc{validation}   learning rate   images/s   seconds"
        ))
    }

    fn train(&mut self, trainer: &mut Trainer, signal: &AtomicUsize) -> Result<Ending> {
        let images = u64::from(self.run.data.train_images);
        let mut progress = Progress::new(self.run.config.epochs, images, self.talk.quiet || self.json);
        loop {
            match trainer.advance() {
                Ok(Event::Chunk { epoch, images, loss }) => {
                    progress.advance(epoch, images.into(), loss);
                }
                Ok(Event::Epoch(row)) => {
                    progress.clear();
                    self.run.epochs.push(row.clone());
                    self.save(trainer, Status::Running)?;
                    self.tell(&table_row(&row))?;
                    self.event("epoch", serde_json::to_value(&row).expect("a row is plain data"))?;
                    if row.epoch < self.run.config.epochs {
                        progress.begin(row.epoch + 1);
                    }
                }
                Ok(Event::Done) => {
                    self.save(trainer, Status::Complete)?;
                    return self.finish();
                }
                Err(error) => {
                    progress.clear();
                    if matches!(error, Error::Diverged { .. }) {
                        self.run.status = Status::Diverged;
                        self.run.step_losses = trainer.step_losses().to_vec();
                        self.run.save(&self.folder)?;
                        note(&format!("The weights of the last good epoch are in {}", self.folder.display()));
                    }
                    return Err(error);
                }
            }
            let number = signal.load(Ordering::Relaxed);
            if number != 0 {
                progress.clear();
                self.save(trainer, Status::Interrupted)?;
                self.event("end", json!({ "status": Status::Interrupted, "folder": self.folder.to_string_lossy() }))?;
                note(&format!(
                    "Interrupted after {} steps: the weights so far are in {}",
                    thousands(trainer.step_losses().len() as u64),
                    self.folder.display()
                ));
                return Ok(Ending::Signal(number as u8));
            }
        }
    }

    /// Saves weights first, then the record that tells of them.
    fn save(&mut self, trainer: &mut Trainer, status: Status) -> Result<()> {
        let checkpoint = Checkpoint { metadata: self.metadata.clone(), parameters: trainer.parameters()? };
        checkpoint.save(&self.folder.join(WEIGHTS_FILE))?;
        self.run.status = status;
        self.run.step_losses = trainer.step_losses().to_vec();
        self.run.save(&self.folder)
    }

    fn finish(&self) -> Result<Ending> {
        let last = self.run.epochs.last().expect("epoch 0 at least");
        self.event(
            "end",
            json!({ "status": Status::Complete, "folder": self.folder.to_string_lossy(), "epochs": last.epoch,
                    "test_loss": last.test_loss, "test_accuracy": last.test_accuracy }),
        )?;
        let folder = self.folder.display();
        if last.epoch < self.run.config.epochs {
            self.tell(&format!("\nReached the target accuracy after {} epochs", last.epoch))?;
        }
        self.tell(&format!("\nSaved {folder}. Next: mnist-gpu eval {folder}"))?;
        Ok(Ending::Success)
    }
}

fn table_row(row: &EpochRow) -> String {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let optional = |value: Option<String>| value.unwrap_or_else(|| "–".into());
    let validation = row
        .validation_loss
        .zip(row.validation_accuracy)
        .map_or(String::new(), |(loss, accuracy)| format!(" {loss:>10.4} {:>9}", percent(accuracy)));
    format!(
        "{:>5} {:>12.4} {:>10} {:>11.4} {:>9}{validation} {:>15} {:>10} {:>9}",
        row.epoch,
        row.train_loss,
        percent(row.train_accuracy),
        row.test_loss,
        percent(row.test_accuracy),
        optional(row.learning_rate.map(|rate| format!("{rate:.3e}"))),
        optional(row.images_per_second.map(|rate| thousands(rate as u64))),
        optional(row.seconds.map(|seconds| format!("{seconds:.2}"))),
    )
}
