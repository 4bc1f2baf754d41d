//! `mnist-gpu export`: a trained model for other programs.

mod onnx;
mod tensorboard;
mod web;

use super::{Ending, Talk};
use crate::Result;

/// Export a trained model, or a run, for other programs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu export onnx -o digits.onnx         the newest run for ONNX Runtime
  mnist-gpu export tensorboard runs/*          runs for TensorBoard
  mnist-gpu export web -o site                 the newest run as a web page
  mnist-gpu export onnx --help                 what such a file takes and gives")]
pub struct Args {
    #[command(subcommand)]
    format: Format,
}

#[derive(Debug, clap::Subcommand)]
enum Format {
    Onnx(onnx::Args),
    Tensorboard(tensorboard::Args),
    Web(web::Args),
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    match &args.format {
        Format::Onnx(args) => onnx::run(args, talk),
        Format::Tensorboard(args) => tensorboard::run(args, talk),
        Format::Web(args) => web::run(args, talk),
    }
}
