//! `mnist-gpu eval`: how good a trained model is.

use super::options::{DataArgs, DeviceArgs, trained};
use super::output::{line, thousands};
use super::runs::{run_of, weights_path};
use super::{Ending, Talk};
use crate::Result;
use crate::checkpoint::Metadata;
use crate::data::Part;
use crate::device::{DeviceInfo, open};
use crate::evaluate::Evaluation;
use crate::inference::Classifier;
use crate::report::statements::confusions;
use serde_json::json;
use std::path::PathBuf;

/// Evaluate a trained model: loss, accuracy, every class, confusions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu eval                                 the newest run, on test images
  mnist-gpu eval runs/0003-mlp --split train     another, on its training images
  mnist-gpu eval model.safetensors --json        for a program to read
  mnist-gpu eval torch.safetensors --model cnn   a state dict that PyTorch saved")]
pub struct Args {
    /// A run's folder or a .safetensors file [default: the newest complete run]
    run: Option<PathBuf>,
    /// The architecture of weights that say none: a preset's name, or a JSON file of layers
    #[arg(long, value_name = "NAME|FILE.json", requires = "run")]
    model: Option<String>,
    /// Which images
    #[arg(long, value_enum, default_value_t = Split::Test)]
    split: Split,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Split {
    Test,
    Train,
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let path = weights_path(args.run.as_deref())?;
    let run = run_of(&path);
    let part = if args.split == Split::Test { Part::Test } else { Part::All };
    let data = args.data.load_or_of(run.as_ref(), part)?;
    let checkpoint = trained(&path, args.model.as_deref(), &data)?;
    args.data.fits(&checkpoint.metadata, &data)?;
    let (device, choice) = open(&args.device.request(), args.device.threads)?;
    let name = &checkpoint.metadata.model.name;
    if !args.json && !talk.quiet {
        line(&format!("Evaluating {name} from {} on {}: {}", path.display(), device.info(), choice.why))?;
    }
    let images = if args.split == Split::Test { &data.test } else { &data.train };
    let evaluation = Classifier::new(&*device, &checkpoint)?.evaluate(images)?;
    if args.json {
        line(&object(&evaluation, &checkpoint.metadata, device.info()).to_string())?;
    } else {
        print(&evaluation)?;
    }
    Ok(Ending::Success)
}

fn object(evaluation: &Evaluation, metadata: &Metadata, device: &DeviceInfo) -> serde_json::Value {
    let mut object = json!({
        "model": metadata.model.name,
        "device": device,
        "mean": metadata.mean,
        "std": metadata.std,
        "classes": metadata.classes,
    });
    let figures = serde_json::to_value(evaluation).expect("an evaluation is plain data");
    if let (Some(object), serde_json::Value::Object(figures)) = (object.as_object_mut(), figures) {
        object.extend(figures);
    }
    object
}

fn print(evaluation: &Evaluation) -> Result<()> {
    let Evaluation { loss, accuracy, images, per_class, confusion } = evaluation;
    let percent = |share: Option<f64>| share.map_or("–".into(), |share| format!("{:.2} %", 100.0 * share));
    line(&format!(
        "\nloss {loss:.5}   accuracy {} of {} images\n",
        percent(Some(*accuracy)),
        thousands((*images).into())
    ))?;
    let width = per_class.iter().map(|score| score.class.chars().count()).max().unwrap_or(0).max(5);
    line(&format!("{:>width$}   images   precision      recall          F1", "class"))?;
    for score in per_class {
        let [precision, recall, f1] = [score.precision, score.recall, score.f1].map(percent);
        line(&format!(
            "{:>width$} {:>8} {precision:>11} {recall:>11} {f1:>11}",
            score.class,
            thousands(score.images.into())
        ))?;
    }
    if per_class.len() <= 12 {
        line(&format!(
            "\nconfusion: a row per class, a column per answer\n{:>width$} {}",
            "",
            columns(per_class.iter().map(|score| score.class.clone()))
        ))?;
        for (score, row) in per_class.iter().zip(confusion) {
            line(&format!("{:>width$} {}", score.class, columns(row.iter().map(ToString::to_string))))?;
        }
    } else {
        line("\nmost frequent confusions")?;
        for (count, label, given) in confusions(confusion).into_iter().take(10) {
            line(&format!("{count:>6} × {} taken for {}", per_class[label].class, per_class[given].class))?;
        }
    }
    Ok(())
}

fn columns(cells: impl Iterator<Item = String>) -> String {
    cells.map(|cell| format!("{cell:>7}")).collect()
}
