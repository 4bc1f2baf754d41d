//! `mnist-gpu export onnx`: a trained model for ONNX Runtime and its like.

use super::super::output::{line, thousands};
use super::super::runs::weights_path;
use super::super::{Ending, Talk};
use crate::checkpoint::Checkpoint;
use crate::export::onnx::{Pixels, onnx};
use crate::file::write_whole;
use crate::{Error, Result};
use std::path::PathBuf;

/// An ONNX file: images in (any number of them), log-probabilities out, the normalisation inside
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The model takes images [batch, 1, height, width], light ink on dark ground as in MNIST, and gives \
log_probabilities [batch, classes]. The names of the classes are in the file's metadata.

Examples:
  mnist-gpu export onnx -o digits.onnx       the newest complete run, bytes in
  mnist-gpu export onnx runs/0003-mlp --pixels float -o mlp.onnx")]
pub struct Args {
    /// A run's folder or a .safetensors file [default: the newest complete run]
    run: Option<PathBuf>,
    /// The file
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// What the pixels are: bytes from 0 to 255, or floats from 0 to 1
    #[arg(long, value_enum, default_value_t = PixelsName::Uint8)]
    pixels: PixelsName,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum PixelsName {
    Uint8,
    Float,
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let out = &args.out;
    if out.exists() && !args.force {
        return Err(Error::Usage(format!("{}: exists already; --force replaces it", out.display())));
    }
    let path = weights_path(args.run.as_deref())?;
    let checkpoint = Checkpoint::load(&path)?;
    let pixels = match args.pixels {
        PixelsName::Uint8 => Pixels::Uint8,
        PixelsName::Float => Pixels::Float,
    };
    let bytes = onnx(&checkpoint, pixels)?;
    write_whole(out, &bytes)?;
    if !talk.quiet {
        let (model, size) = (&checkpoint.metadata.model.name, thousands(bytes.len() as u64 / 1000));
        line(&format!("Wrote {model} from {} to {}: {size} kB", path.display(), out.display()))?;
    }
    Ok(Ending::Success)
}
