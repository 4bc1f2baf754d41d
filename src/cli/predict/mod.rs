//! `mnist-gpu predict`: what a model reads on pictures.

mod seen;
mod source;

use super::options::DeviceArgs;
use super::output::{error, line};
use super::runs::weights_path;
use super::{Ending, Talk};
use crate::checkpoint::Checkpoint;
use crate::data::picture::{Limits, read};
use crate::device::open;
use crate::inference::{Classifier, Prediction};
use crate::{Error, Result};
use rayon::prelude::*;
use seen::{Folder, drawing};
use serde_json::{Map, Value, json};
use source::Source;
use std::path::PathBuf;

/// Read the digits on pictures: PNG, JPEG, BMP, WebP or GIF files of up to 64 megapixels
///
/// A picture has one digit, anywhere on it, dark on light or light on dark. It is prepared as MNIST was: the ink, told from
/// paper, shadows, noise and frames, is fitted into the middle of the network's input and centred by its mass. Of an
/// animation, the first frame counts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu predict seven.png                    by the newest complete run
  mnist-gpu predict --run runs/0002-cnn photos   all pictures in and below it
  mnist-gpu predict --show seven.png             draw what the network sees
  mnist-gpu predict --json *.jpg                 one JSON object a line
  scan | mnist-gpu predict -                     a picture from a pipe

A picture that cannot be read, or with nothing on it, gets an error of its own and does not stop the others; \
the exit code is 1 in the end.")]
pub struct Args {
    /// Pictures, folders of pictures, or - for a picture from stdin
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    /// A run's folder or a .safetensors file [default: the newest complete run]
    #[arg(long)]
    run: Option<PathBuf>,
    /// Classes to print, the most probable first [default: 3; with --json, all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    /// Draw what the network sees
    #[arg(long, conflicts_with = "json")]
    show: bool,
    /// Write what the network sees into this folder, of NAME.jpg as NAME.input.png
    #[arg(long, value_name = "DIR")]
    save_input: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object a picture instead: file, and label and probabilities, or error
    #[arg(long)]
    json: bool,
}

/// Pictures that are prepared and classified at once.
const AT_ONCE: usize = 64;
/// Classes of a picture that are printed.
const TOP: u32 = 3;
/// Names are padded to the longest one, but not beyond this.
const NAME_WIDTH: usize = 48;

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let path = weights_path(args.run.as_deref())?;
    let checkpoint = Checkpoint::load(&path)?;
    let metadata = &checkpoint.metadata;
    let mut folder = args.save_input.as_deref().map(Folder::new).transpose()?;
    let (device, choice) = open(&args.device.request(), args.device.threads)?;
    if !args.json && !talk.quiet {
        let model = &metadata.model.name;
        line(&format!("Reading with {model} from {} on {}: {}\n", path.display(), device.info(), choice.why))?;
    }
    let sources: Vec<Source> = args.images.iter().flat_map(|path| Source::all(path)).collect();
    let mut classifier = Classifier::new(&*device, &checkpoint)?;
    let width = sources.iter().map(|source| source.name().chars().count()).max().unwrap_or(0).min(NAME_WIDTH);
    let sides = [metadata.height, metadata.width];
    let mut ending = Ending::Success;
    for sources in sources.chunks(AT_ONCE) {
        let inputs: Vec<Result<Vec<u8>>> = sources.par_iter().map(|source| input(source, sides)).collect();
        let images: Vec<u8> = inputs.iter().flatten().flatten().copied().collect();
        let mut answers = classifier.predict(&images)?.into_iter();
        for (source, input) in sources.iter().zip(inputs) {
            let name = source.name();
            let input = match input {
                Ok(input) => input,
                Err(problem) => {
                    ending = Ending::Failure;
                    fail(&name, problem, args.json)?;
                    continue;
                }
            };
            let answer = answers.next().expect("an answer for each image");
            line(&if args.json {
                object(&name, &answer, args.top).to_string()
            } else {
                format!("{name:width$}{}", text(&answer, args.top.unwrap_or(TOP)))
            })?;
            if args.show {
                line(&drawing(&input, metadata.width as usize))?;
            }
            if let Some(folder) = &mut folder {
                folder.save(source, &input, sides)?;
            }
        }
    }
    Ok(ending)
}

/// The network's input from a picture.
fn input(source: &Source, sides: [u32; 2]) -> Result<Vec<u8>> {
    let limits = Limits::default();
    read(&source.bytes(limits.bytes)?, &limits, sides)
}

/// Says that a picture has no answer, and why.
fn fail(name: &str, problem: Error, json: bool) -> Result<()> {
    let problem = match problem {
        // Its path is the name.
        Error::Io { action, source, .. } => format!("cannot {action}: {source}"),
        other => other.to_string(),
    };
    if json {
        return line(&json!({"file": name, "error": problem}).to_string());
    }
    error(&Error::format(name, problem));
    Ok(())
}

fn text(answer: &Prediction, top: u32) -> String {
    let width = answer.ranking().iter().map(|(class, _)| class.chars().count()).max().unwrap_or(0);
    let shown = answer.ranking().iter().take(top as usize);
    shown.map(|(class, probability)| format!("  {class:>width$} {:6.2} %", 100.0 * probability)).collect()
}

fn object(name: &str, answer: &Prediction, top: Option<u32>) -> Value {
    let shown = answer.ranking().iter().take(top.map_or(usize::MAX, |top| top as usize));
    let probabilities: Map<String, Value> =
        shown.map(|(class, probability)| (class.clone(), json!(probability))).collect();
    json!({"file": name, "label": answer.label(), "probabilities": probabilities})
}
