//! `mnist-gpu export tensorboard`: runs as event files.

use super::super::output::line;
use super::super::runs::without_comparisons;
use super::super::{Ending, Talk};
use crate::export::tensorboard::{EVENTS_FILE, Picture, events};
use crate::file::write_whole;
use crate::run::{RUN_FILE, Run};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Event files that TensorBoard opens: every scalar, and the pictures of the report
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu export tensorboard runs/*   an event file in the folder of each run
  tensorboard --logdir runs             shows them all")]
pub struct Args {
    /// Folders of runs
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Write into a folder below this one, under the run's name, instead of the run's own
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let mut written = BTreeSet::new();
    for folder in without_comparisons(&args.runs) {
        let run = Run::load(folder)?;
        let out = match (&args.out, folder.file_name()) {
            (Some(out), Some(name)) => out.join(name),
            (Some(out), None) => out.clone(),
            (None, _) => folder.clone(),
        };
        if !written.insert(out.clone()) {
            let problem =
                format!("{}: another of the runs has this name, and {} holds it", folder.display(), out.display());
            return Err(Error::Usage(problem));
        }
        std::fs::create_dir_all(&out).map_err(Error::io("create the folder", &out))?;
        let path = out.join(EVENTS_FILE);
        write_whole(&path, &events(&run, &pictures(folder)?, ended(folder)))?;
        if !talk.quiet {
            line(&format!("Wrote {}", path.display()))?;
        }
    }
    Ok(Ending::Success)
}

/// When the run's record was last written, in seconds since 1970.
fn ended(folder: &Path) -> f64 {
    let modified = std::fs::metadata(folder.join(RUN_FILE)).and_then(|file| file.modified());
    let since = modified.unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH);
    since.map_or(0.0, |time| time.as_secs_f64())
}

/// The pictures in a run's folder, by name.
fn pictures(folder: &Path) -> Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read the folder", folder))? {
        let path = entry.map_err(Error::io("read the folder", folder))?.path();
        if path.extension().is_some_and(|extension| extension == "png") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let png = std::fs::read(&path).map_err(Error::io("read", &path))?;
            pictures.push(Picture { name, png });
        }
    }
    pictures.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pictures)
}
