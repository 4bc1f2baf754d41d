//! A run in the making: its record, and how it is told of.

use super::super::output::{note, tell, thousands};
use super::super::{Ending, Talk};
use super::Args;
use crate::data::Dataset;
use crate::progress::Progress;
use crate::report;
use crate::report::numbers::count;
use crate::run::{Run, SNAPSHOT_FILE, Status, WEIGHTS_FILE};
use crate::trainer::{EpochRow, Event, Trainer};
use crate::{Error, Result};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A run, where it is kept, and how much is said of it.
pub struct Session {
    pub run: Run,
    pub folder: PathBuf,
    pub talk: Talk,
    pub json: bool,
    /// Steps between two checkpoints within an epoch.
    pub checkpoint_every: Option<u32>,
}

impl Session {
    fn event(&self, event: &str, mut fields: Value) -> Result<()> {
        if self.json {
            fields["event"] = event.into();
            tell(&fields.to_string())?;
        }
        Ok(())
    }

    /// A row with what tells its run from others in the same log.
    fn epoch_fields(&self, row: &EpochRow) -> Value {
        let mut fields = serde_json::to_value(row).expect("a row is plain data");
        fields["model"] = self.run.config.model.name.as_str().into();
        fields["seed"] = self.run.config.seed.into();
        fields
    }

    /// A line for people.
    pub fn tell(&self, text: &str) -> Result<()> {
        if self.json || self.talk.quiet { Ok(()) } else { tell(text) }
    }

    pub fn announce(&self) -> Result<()> {
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
            config.summary()
        ))?;
        let validation = if data.validation_images > 0 { "   val loss   val acc" } else { "" };
        self.tell(&format!(
            "epoch   train loss  train acc   test loss  test acc{validation}   learning rate   images/s   seconds"
        ))
    }

    pub fn train(&mut self, trainer: &mut Trainer, signal: &AtomicUsize) -> Result<Ending> {
        let images = u64::from(self.run.data.train_images);
        let mut progress = Progress::new(self.run.config.epochs, images, self.talk.quiet || self.json);
        if let Some(every) = self.checkpoint_every {
            trainer.pause_every(every);
        }
        let epoch = (self.run.epochs.len() as u32).max(1);
        if epoch <= self.run.config.epochs {
            progress.begin(epoch);
        }
        // So that a run that is killed before its first checkpoint can be resumed, from the start.
        self.run.save(&self.folder)?;
        loop {
            match trainer.advance() {
                Ok(Event::Chunk { epoch, images, loss }) => {
                    progress.advance(epoch, images.into(), loss);
                    if self.checkpoint_every.is_some_and(|every| trainer.steps_done().is_multiple_of(every)) {
                        trainer.snapshot()?.save(&self.run, &self.folder.join(SNAPSHOT_FILE))?;
                    }
                }
                Ok(Event::Epoch(row)) => {
                    progress.clear();
                    self.run.epochs.push(row.clone());
                    self.save(trainer, Status::Running)?;
                    self.tell(&table_row(&row))?;
                    self.event("epoch", self.epoch_fields(&row))?;
                    if row.epoch < self.run.config.epochs {
                        progress.begin(row.epoch + 1);
                    }
                }
                Ok(Event::Done) => {
                    progress.clear();
                    self.save(trainer, Status::Complete)?;
                    return self.finish();
                }
                Err(error) => {
                    progress.clear();
                    if matches!(error, Error::Diverged { .. }) {
                        self.run.status = Status::Diverged;
                        self.run.step_losses = trainer.step_losses().to_vec();
                        self.run.save(&self.folder)?;
                        self.end()?;
                        note(&format!("The weights that were saved last are in {}", self.folder.display()));
                    }
                    return Err(error);
                }
            }
            let number = signal.load(Ordering::Relaxed);
            if number != 0 {
                progress.clear();
                self.save(trainer, Status::Interrupted)?;
                self.end()?;
                note(&format!(
                    "Interrupted after {} steps: the weights so far are in {folder}. To go on: mnist-gpu train --resume {folder}",
                    thousands(trainer.steps_done().into()),
                    folder = self.folder.display()
                ));
                return Ok(Ending::Signal(number as u8));
            }
        }
    }

    /// Saves weights first, then the record that tells of them.
    fn save(&mut self, trainer: &mut Trainer, status: Status) -> Result<()> {
        trainer.checkpoint()?.save(&self.folder.join(WEIGHTS_FILE))?;
        self.run.status = status;
        self.run.step_losses = trainer.step_losses().to_vec();
        let snapshot = self.folder.join(SNAPSHOT_FILE);
        if status != Status::Complete {
            trainer.snapshot()?.save(&self.run, &snapshot)?;
        }
        self.run.save(&self.folder)?;
        if status == Status::Complete && snapshot.exists() {
            std::fs::remove_file(&snapshot).map_err(Error::io("remove", &snapshot))?;
        }
        Ok(())
    }

    /// Tells a program that the run ended before its time.
    fn end(&self) -> Result<()> {
        self.event("end", json!({ "status": self.run.status, "folder": self.folder.to_string_lossy() }))
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
            self.tell(&format!("\nReached the target accuracy after {}", count(last.epoch.into(), "epoch")))?;
        }
        self.tell(&format!("\nSaved {folder}. Next: mnist-gpu eval {folder}"))?;
        Ok(Ending::Success)
    }
}

impl Session {
    /// Writes the report of a run that came to its end. The run is saved: that a report fails is a remark.
    pub fn report(&self, ending: &Ending, args: &Args, trainer: &mut Trainer, data: &Dataset) -> Result<()> {
        if args.no_report || !matches!(ending, Ending::Success) {
            return Ok(());
        }
        match report::write(&self.folder, &self.folder, &self.run, data, trainer, &self.run.device) {
            Ok(path) => self.tell(&format!("Report: {}", path.display())),
            Err(error) => {
                note(&format!("The run is saved, but its report could not be written: {error}"));
                Ok(())
            }
        }
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
