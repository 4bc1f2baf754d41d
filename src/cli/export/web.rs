//! `mnist-gpu export web`: a trained model as a web page.

use super::super::options::DataArgs;
use super::super::output::{line, thousands};
use super::super::runs::{run_of, weights_path};
use super::super::{Ending, Talk};
use crate::checkpoint::Checkpoint;
use crate::data::Part;
use crate::export::web::{File, Source, files};
use crate::file::write_whole;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// A web page that recognises with the model, and trains: the same shaders in a browser, through WebGPU
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu export web -o site                        the newest run, 3 MB
  mnist-gpu export web runs/0003-mlp -o site --force  replace what is there
  mnist-gpu export web -o site --with-training        a page that trains; 10 MB
  python3 -m http.server -d site                      open http://localhost:8000

Any web server can serve the folder. Browsers allow WebGPU on https and on localhost only.")]
pub struct Args {
    /// A run's folder or a .safetensors file [default: the newest complete run]
    run: Option<PathBuf>,
    /// The site's folder
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Add the training images, so that the page can train
    #[arg(long)]
    with_training: bool,
    /// Write into a folder that has files already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let out = &args.out;
    check_out(out, args.force)?;
    let path = weights_path(args.run.as_deref())?;
    let checkpoint = Checkpoint::load(&path)?;
    let run = run_of(&path);
    let part = if args.with_training { Part::All } else { Part::Test };
    let data = args.data.load_or_of(run.as_ref(), part)?;
    args.data.fits(&checkpoint.metadata, &data)?;
    let source = Source {
        checkpoint: &checkpoint,
        run: run.as_ref(),
        data: &data,
        training: args.with_training,
        compress: true,
    };
    let files = files(&source)?;
    write(&files, out)?;
    if !talk.quiet {
        let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
        let (model, count) = (&checkpoint.metadata.model.name, files.len());
        let (from, out) = (path.display(), out.display());
        line(&format!("Wrote {model} from {from} to {out}: {count} files, {} kB", thousands(bytes as u64 / 1000)))?;
        line(&format!("Next: python3 -m http.server -d {out}, then open http://localhost:8000"))?;
    }
    Ok(Ending::Success)
}

/// A folder with something in it is only written to where that is asked for.
fn check_out(out: &Path, force: bool) -> Result<()> {
    match std::fs::read_dir(out).map(|mut entries| entries.next().is_none()) {
        Ok(empty) if empty || force => Ok(()),
        Ok(_) => Err(Error::Usage(format!("{}: has files already; --force writes among them", out.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("use as a site's folder", out)(error)),
    }
}

/// Writes every file whole; the manifest, without which the page does nothing, is the last.
fn write(files: &[File], out: &Path) -> Result<()> {
    for file in files {
        let path = out.join(&file.path);
        let folder = path.parent().unwrap_or(out);
        std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        write_whole(&path, &file.bytes)?;
    }
    Ok(())
}
