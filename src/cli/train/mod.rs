//! `mnist-gpu train`: from images to weights.

mod args;
mod session;

pub use args::Args;

use super::output::note;
use super::runs::{new_folder, runs_folder, weights_path};
use super::{Ending, Talk, signals};
use crate::checkpoint::{Checkpoint, Metadata};
use crate::data::{Dataset, Part};
use crate::device::{open, reopen};
use crate::export::tensorboard::EVENTS_FILE;
use crate::report;
use crate::run::{Run, SNAPSHOT_FILE, Status, VERSION, WEIGHTS_FILE};
use crate::snapshot::Snapshot;
use crate::{Error, Result};
use session::Session;
use std::path::Path;
use std::sync::atomic::AtomicUsize;

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let signal = signals::watch()?;
    match &args.resume {
        Some(folder) => resume(folder, args, talk, &signal),
        None => begin(args, talk, &signal),
    }
}

fn begin(args: &Args, talk: Talk, signal: &AtomicUsize) -> Result<Ending> {
    if let Some(out) = &args.out {
        check_out(out, args.force)?;
    }
    // What is wrong whatever the data and their classes are is said before they are read.
    args.config(1)?;
    let data = args.data.load(Part::All)?;
    let config = args.config(data.classes.len() as u32)?;
    let (device, choice) = open(&args.device.request(), args.device.threads)?;
    let (mut trainer, mut run) = Run::begin(&*device, choice.why, &data, config)?;
    if let Some(init) = &args.init {
        // The run's own model says what the file must hold, whoever wrote it.
        let metadata = Metadata::new(&run.config, &data);
        trainer.initialise(&Checkpoint::load_as(&weights_path(Some(init))?, metadata)?.parameters)?;
        run.init = Some(absolute(init));
    }
    run.data_dir = args.data.folder();
    let folder = match &args.out {
        Some(out) => {
            std::fs::create_dir_all(out).map_err(Error::io("create the folder", out))?;
            // What the run that is replaced leaves would be taken for this run's.
            let files = [WEIGHTS_FILE, SNAPSHOT_FILE, EVENTS_FILE].map(str::to_owned);
            for file in files.into_iter().chain(report::files()) {
                let _ = std::fs::remove_file(out.join(file));
            }
            out.clone()
        }
        None => new_folder(&runs_folder(), &run.config.model.name)?,
    };
    if args.init.is_some() {
        // Were it killed before its first checkpoint, the run would be resumed from the seed's weights.
        trainer.snapshot()?.save(&run, &folder.join(SNAPSHOT_FILE))?;
    }
    let mut session =
        Session { run, folder, talk, json: args.json, checkpoint_every: args.checkpoint_every.map(Into::into) };
    let result = session.announce().and_then(|()| session.train(&mut trainer, signal));
    if result.is_err() {
        // Nothing was saved if the folder is empty: then it goes, and otherwise this does nothing.
        let _ = std::fs::remove_dir(&session.folder);
    }
    let ending = result?;
    session.report(&ending, args, &mut trainer, &data)?;
    Ok(ending)
}

/// A path as it is from any folder.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.into()).to_string_lossy().into_owned()
}

/// Goes on with a run in its folder, on the device that it began on unless another one is asked for.
fn resume(folder: &Path, args: &Args, talk: Talk, signal: &AtomicUsize) -> Result<Ending> {
    let record = Run::load(folder)?;
    let refuse = |what: String| Err(Error::Data(format!("{} cannot be resumed: {what}", folder.display())));
    match record.status {
        Status::Complete => {
            if !talk.quiet {
                super::output::line(&format!("{}: the run is complete, there is nothing to resume", folder.display()))?;
            }
            return Ok(Ending::Success);
        }
        Status::Diverged => return refuse("its loss diverged; begin anew with a lower learning rate".into()),
        Status::Running | Status::Interrupted => {}
    }
    if record.version != VERSION {
        return refuse(format!("it was made by version {}, this is {VERSION}", record.version));
    }
    let data = Dataset::load(record.data_dir.as_deref().map(Path::new), Part::All)?;
    if data.fingerprint != record.data.fingerprint {
        return refuse(format!(
            "its data have changed: the fingerprint of {} was {}, and is {} now",
            record.data.name, record.data.fingerprint, data.fingerprint
        ));
    }
    let request = args.device.device.as_ref();
    let (device, choice) = reopen(request, &record.device, &record.tuning, args.device.threads)?;
    let (mut trainer, mut run) = Run::begin(&*device, choice.why, &data, record.config.clone())?;
    run.data_dir.clone_from(&record.data_dir);
    run.init.clone_from(&record.init);
    if run.device == record.device {
        run.device_reason.clone_from(&record.device_reason);
    }
    if run.kernels != record.kernels {
        if args.device.device.is_none() {
            return refuse(format!(
                "its kernels were {:?}, this program chooses {:?}. --device says on what to go on all the same",
                record.kernels, run.kernels
            ));
        }
        note(
            "The device or its kernels are others than the run began with: the weights will differ in their last bits.",
        );
    }
    let path = folder.join(SNAPSHOT_FILE);
    let mut from = "the start".to_owned();
    if path.exists() {
        let (snapshot, then) = Snapshot::load(&path)?;
        if then.config != run.config {
            return refuse(format!("{} has another configuration than run.json", path.display()));
        }
        trainer.restore(&snapshot)?;
        run.epochs = then.epochs;
        run.step_losses = trainer.step_losses().to_vec();
        let elsewhere = !run.device.computes_as(&then.device) || run.kernels != then.kernels;
        run.moved = trainer.steps_done() > 0 && (then.moved || elsewhere);
        from = format!("step {}", trainer.steps_done());
    }
    let mut session = Session {
        run,
        folder: folder.into(),
        talk,
        json: args.json,
        checkpoint_every: args.checkpoint_every.map(Into::into),
    };
    session.tell(&format!("Resuming {} from {from}", folder.display()))?;
    session.announce()?;
    let ending = session.train(&mut trainer, signal)?;
    session.report(&ending, args, &mut trainer, &data)?;
    Ok(ending)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::adapters;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    /// A run that was stopped after some steps, resumed with these options: whether it was moved.
    fn moved(options: &[&str]) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("UTF-8");
        let begin = ["train", "--model", "linear", "--epochs", "2", "--train-size", "640", "--device", "cpu"];
        let line = Line::parse_from(begin);
        let data = Dataset::mnist();
        let (device, choice) = open(&line.args.device.request(), None).expect("a CPU");
        let config = line.args.config(10).expect("a configuration");
        let (mut trainer, run) = Run::begin(&*device, choice.why, &data, config).expect("it fits");
        while trainer.steps_done() == 0 {
            trainer.advance().expect("it trains");
        }
        trainer.snapshot().expect("read").save(&run, &folder.path().join(SNAPSHOT_FILE)).expect("written");
        run.save(folder.path()).expect("written");
        let line = Line::parse_from([&["train", "--no-report", "--resume", path], options].concat());
        let ending = resume(folder.path(), &line.args, Talk { quiet: true }, &AtomicUsize::new(0)).expect("it resumes");
        assert!(matches!(ending, Ending::Success));
        Run::load(folder.path()).expect("a record").moved
    }

    #[test]
    fn a_run_that_went_on_elsewhere_says_so() {
        assert!(!moved(&[]));
        assert!(!moved(&["--threads", "3"]));
        if !adapters().is_empty() {
            assert!(moved(&["--device", "0"]));
        }
    }
}
