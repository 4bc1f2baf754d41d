//! A study in the making: its cells one after another, and how it is told of.

use super::super::output::{note, tell, thousands};
use super::super::{Ending, Talk};
use crate::data::Dataset;
use crate::device::Device;
use crate::progress::CellProgress;
use crate::report::numbers::count;
use crate::report::study::{self as report, Figures};
use crate::run::{Run, Status};
use crate::study::{Cell, Share, Study, train};
use crate::trainer::{Event, UNTRAINED};
use crate::{Error, Result};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A study, what of it is done here, and how much is said of it.
pub struct Session<'a> {
    pub study: &'a Study,
    pub data: &'a Dataset,
    /// The folder of the data, where they are not embedded.
    pub data_dir: Option<String>,
    pub device: &'a dyn Device,
    pub why: &'a str,
    /// The cells that the options name.
    pub all: &'a [Cell],
    /// Those of them that are this process's.
    pub mine: &'a [Cell],
    pub share: Option<Share>,
    pub talk: Talk,
    pub json: bool,
}

impl Session<'_> {
    fn event(&self, event: &str, mut fields: Value) -> Result<()> {
        if self.json {
            fields["event"] = event.into();
            tell(&fields.to_string())?;
        }
        Ok(())
    }

    /// A line for people.
    fn tell(&self, text: &str) -> Result<()> {
        if self.json || self.talk.quiet { Ok(()) } else { tell(text) }
    }

    fn missing(&self) -> Vec<Cell> {
        self.mine.iter().copied().filter(|cell| !self.study.has(*cell)).collect()
    }

    /// Says what is going to be done; so many cells are there already, those of other sizes among them.
    pub fn announce(&self, there: usize) -> Result<()> {
        let missing = self.missing();
        let config = self.study.config(self.all[0]);
        let sizes: Vec<u32> = self.all.iter().filter(|cell| cell.seed == 1).map(|cell| cell.train_size).collect();
        self.event(
            "start",
            json!({ "folder": self.study.folder().to_string_lossy(), "device": self.device.info(), "device_reason": self.why,
                    "config": config, "sizes": sizes, "cells": self.all.len(), "share": self.share.map(|share| share.to_string()),
                    "there": there, "missing": missing }),
        )?;
        self.tell(&format!("Studying {} on {}: {}", config.model.name, self.device.info(), self.why))?;
        let sizes: Vec<String> = sizes.iter().map(|&size| thousands(size.into())).collect();
        let share = self.share.map_or(String::new(), |share| format!(", share {share} has {}", self.mine.len()));
        self.tell(&format!(
            "{}: {} images, {}: {}{share}, {} to run here; each is tested on {} images; {}\n",
            self.data.name,
            sizes.join(", "),
            count((self.all.len() / sizes.len()) as u64, "seed"),
            count(self.all.len() as u64, "cell"),
            missing.len(),
            thousands(self.data.test.len() as u64),
            config.summary()
        ))?;
        if missing.is_empty() {
            return self.tell("Nothing to run: the report is written anew, of the cells that are there.");
        }
        self.tell("   cell   images   seed   train loss  train acc   test loss  test acc   seconds")
    }

    /// Runs the cells that are missing.
    pub fn run(&mut self, signal: &AtomicUsize) -> Result<Ending> {
        let missing = self.missing();
        let (test_images, epochs) = (self.data.test.len() as u64, self.study.config(self.all[0]).epochs);
        let work = |cell: Cell| cell_work(cell, epochs, test_images);
        let mut progress = CellProgress::new(
            missing.len(),
            missing.iter().map(|cell| work(*cell)).sum(),
            self.talk.quiet || self.json,
        );
        let mut figures = None;
        for (index, &cell) in missing.iter().enumerate() {
            // Another process with this folder may have run it meanwhile.
            if self.study.has(cell) {
                progress.skip(work(cell));
                figures = None;
                continue;
            }
            progress.begin(index + 1, &format!("{} images, seed {}", thousands(cell.train_size.into()), cell.seed));
            let run = train(self.device, self.why, self.data, self.study.config(cell), &mut |event| {
                if let Some((epoch, done)) = done(event, cell, test_images) {
                    progress.advance(epoch, epochs, done);
                }
                if signal.load(Ordering::Relaxed) == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            progress.clear();
            let Some(mut run) = run? else {
                return self.interrupted(signal.load(Ordering::Relaxed));
            };
            run.data_dir.clone_from(&self.data_dir);
            self.study.save(&run)?;
            progress.end(work(cell));
            self.tell(&row(index + 1, missing.len(), cell, &run))?;
            self.event("cell", event_of(cell, &run))?;
            // After each cell: who looks meanwhile, or is interrupted, has a report of what there is.
            figures = report::write(self.study)?;
        }
        if figures.is_none() {
            figures = report::write(self.study)?;
        }
        self.finish(figures.as_ref())
    }

    fn interrupted(&self, number: usize) -> Result<Ending> {
        let (there, all) =
            (self.all.len() - self.all.iter().filter(|cell| !self.study.has(**cell)).count(), self.all.len());
        let folder = self.study.folder().display();
        self.event("end", json!({ "status": Status::Interrupted, "folder": self.study.folder().to_string_lossy(), "there": there, "cells": all }))?;
        note(&format!(
            "Interrupted: {there} of {all} cells are there and stay in {folder}. To go on, give the same command again."
        ));
        Ok(Ending::Signal(number as u8))
    }

    fn finish(&self, figures: Option<&Figures>) -> Result<Ending> {
        let folder = self.study.folder().display();
        let left = self.all.iter().filter(|cell| !self.study.has(**cell)).count();
        if let Some(figures) = figures {
            self.tell("\n images  seeds           test loss    test accuracy, %")?;
            for row in &figures.sizes {
                let [images, seeds, _, loss, accuracy, ..] = report::cells(row);
                self.tell(&format!("{images:>7} {seeds:>6} {loss:>19} {accuracy:>19}"))?;
            }
            self.tell("")?;
            for text in report::statements(figures) {
                self.tell(&text.replace("**", "").replace('*', ""))?;
            }
            let cells = if left == 0 {
                String::new()
            } else {
                format!(", without {} still to run", count(left as u64, "cell"))
            };
            self.tell(&format!(
                "\nSaved {folder}/study.md, study.csv, study.json, training_performance.png and .svg{cells}"
            ))?;
        }
        let diverged = self.diverged()?;
        let status = if left == 0 { Status::Complete } else { Status::Running };
        self.event(
            "end",
            json!({ "status": status, "folder": self.study.folder().to_string_lossy(), "there": self.all.len() - left, "cells": self.all.len(),
                    "diverged": diverged, "sizes": figures.map(|figures| &figures.sizes) }),
        )?;
        if diverged.is_empty() {
            return Ok(Ending::Success);
        }
        let names: Vec<String> = diverged
            .iter()
            .map(|cell| format!("{} images with seed {}", thousands(cell.train_size.into()), cell.seed))
            .collect();
        Err(Error::Data(format!(
            "{folder}: the loss of {} of {} cells stopped being a number ({}). Lower the learning rate (it is {}), in another folder",
            diverged.len(),
            self.all.len(),
            names.join(", "),
            self.study.config(self.all[0]).learning_rate
        )))
    }

    /// This process's cells that diverged, now or before.
    fn diverged(&self) -> Result<Vec<Cell>> {
        let runs = self.study.load()?;
        let diverged = runs.iter().filter(|run| run.status == Status::Diverged);
        let cells = diverged.map(|run| Cell { train_size: run.data.train_images, seed: run.config.seed });
        Ok(cells.filter(|cell| self.mine.contains(cell)).collect())
    }
}

/// What a cell costs, in images that are passed forwards once: a training step passes them backwards, too, which costs twice
/// as much again. The test images are evaluated before the first and after every epoch, some training images before.
fn cell_work(cell: Cell, epochs: u32, test_images: u64) -> u64 {
    let (images, epochs) = (u64::from(cell.train_size), u64::from(epochs));
    images.min(UNTRAINED.into()) + test_images + epochs * (3 * images + test_images)
}

/// The epoch that a cell is in, and the work that it has done.
fn done(event: &Event, cell: Cell, test_images: u64) -> Option<(u32, u64)> {
    match event {
        Event::Chunk { epoch, images, .. } => {
            Some((*epoch, cell_work(cell, epoch - 1, test_images) + 3 * u64::from(*images)))
        }
        Event::Epoch(row) => Some((row.epoch.max(1), cell_work(cell, row.epoch, test_images))),
        Event::Done => None,
    }
}

fn row(index: usize, of: usize, cell: Cell, run: &Run) -> String {
    let head = format!("{:>7} {:>8} {:>6}", format!("{index}/{of}"), thousands(cell.train_size.into()), cell.seed);
    let Some(last) = run.epochs.last().filter(|_| run.status == Status::Complete) else {
        return format!("{head}   diverged");
    };
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let seconds: f64 = run.epochs.iter().filter_map(|row| row.seconds).sum();
    format!(
        "{head} {:>12.4} {:>10} {:>11.4} {:>9} {seconds:>9.2}",
        last.train_loss,
        percent(last.train_accuracy),
        last.test_loss,
        percent(last.test_accuracy)
    )
}

fn event_of(cell: Cell, run: &Run) -> Value {
    let mut object = json!({ "status": run.status, "train_size": cell.train_size, "seed": cell.seed });
    if let (Some(last), Status::Complete) = (run.epochs.last(), run.status) {
        object["epoch"] = serde_json::to_value(last).expect("a row is plain data");
    }
    object
}
