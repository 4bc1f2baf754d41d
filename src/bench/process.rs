//! Fresh processes: how soon the first steps are done, and an epoch with its weights on disk.

use super::figures::ProcessRow;
use super::measure::{Effort, Figure};
use super::workload::{Workload, ready};
use crate::data::Dataset;
use crate::device::Device;
use crate::file::{FOLDER_VARIABLE, user_folder};
use crate::gpu::tuning::FILE as TUNING_FILE;
use crate::program::List;
use crate::run::Run;
use crate::{Error, Result};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

/// Steps after which a process tells for the last time how long it took.
const STEPS: u32 = 100;
/// The model whose first epoch is timed to its end.
const EPOCH_OF: &str = "cnn";
/// Processes that are timed for one figure, at most: each takes seconds.
const MOST_PROCESSES: u32 = 3;
/// Settings of drivers by which they keep no compiled shaders from one process to the next: of Mesa, by two names, and of
/// NVIDIA.
const NO_CACHES: [(&str, &str); 3] =
    [("MESA_SHADER_CACHE_DISABLE", "true"), ("MESA_GLSL_CACHE_DISABLE", "true"), ("__GL_SHADER_DISK_CACHE", "0")];

/// How this program is started to be timed.
#[derive(Clone, Debug)]
pub struct Starter {
    /// The program.
    pub program: PathBuf,
    /// Options of every command: the device, the data, the threads.
    pub options: Vec<String>,
}

/// What a process reports, each once it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// Data and pipelines are on the device; the driver may still compile when these first run.
    Ready,
    /// One training step.
    FirstStep,
    /// 100 training steps.
    Steps,
}

impl Milestone {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Ready, Self::FirstStep, Self::Steps];

    /// What a row says is timed: all of it from the start of the process.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::FirstStep => "first step",
            Self::Steps => "100 steps",
        }
    }
}

/// The first steps of a workload; `reached` is told of each milestone.
pub fn first_steps(
    device: &dyn Device,
    data: &Dataset,
    workload: &Workload,
    reached: &mut dyn FnMut(Milestone) -> Result<()>,
) -> Result<()> {
    let program = Arc::new(workload.program(data, data.train.len() as u32)?);
    let mut session = ready(device, &program, data)?;
    session.run(List::TrainStep, 0)?;
    reached(Milestone::Ready)?;
    for (steps, milestone) in [(1, Milestone::FirstStep), (STEPS - 1, Milestone::Steps)] {
        session.run(List::TrainStep, steps)?;
        session.wait()?;
        reached(milestone)?;
    }
    Ok(())
}

/// Times the first steps of a workload from the start of a process, and for one model a whole epoch.
pub fn processes(starter: &Starter, workload: &Workload, effort: Effort) -> Result<Vec<ProcessRow>> {
    let count = effort.samples.min(MOST_PROCESSES);
    let samples = (0..count).map(|_| starter.first_steps(workload)).collect::<Result<Vec<_>>>()?;
    let mut rows: Vec<ProcessRow> = Milestone::ALL
        .into_iter()
        .zip(0..)
        .map(|(milestone, place): (Milestone, usize)| ProcessRow {
            workload: workload.name(),
            kind: milestone.name().into(),
            seconds: Figure::of(&samples.iter().map(|sample| sample[place]).collect::<Vec<_>>()),
            test_accuracy: None,
        })
        .collect();
    if workload.model == EPOCH_OF {
        let epochs = (1..=count).map(|seed| starter.epoch(workload, seed)).collect::<Result<Vec<_>>>()?;
        let (seconds, accuracies): (Vec<f64>, Vec<f64>) = epochs.into_iter().unzip();
        rows.push(ProcessRow {
            workload: workload.name(),
            kind: "one epoch".into(),
            seconds: Figure::of(&seconds),
            test_accuracy: Some(accuracies.iter().sum::<f64>() / f64::from(count)),
        });
    }
    Ok(rows)
}

fn temporary() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(Error::io("create a folder in", &std::env::temp_dir()))
}

/// Copies the tuning files of the user's folder into another.
fn copy_tuning(to: &Path) -> Result<()> {
    // Where there is no such folder, there is no tuning.
    let entries = user_folder().and_then(|folder| std::fs::read_dir(folder).ok());
    for path in entries.into_iter().flatten().flatten().map(|entry| entry.path()) {
        if let Some(name) = path.file_name().filter(|name| name.to_string_lossy().ends_with(TUNING_FILE)) {
            std::fs::copy(&path, to.join(name)).map_err(Error::io("copy", &path))?;
        }
    }
    Ok(())
}

impl Starter {
    /// A command that finds nothing in the folder of what is kept, which is this one, but the tuning.
    fn command(&self, words: &[&str], kept: &Path) -> Result<Command> {
        copy_tuning(kept)?;
        let mut command = Command::new(&self.program);
        command.args(words).args(&self.options).envs(NO_CACHES).env(FOLDER_VARIABLE, kept);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        Ok(command)
    }

    fn failed(&self, problem: impl std::fmt::Display) -> Error {
        Error::Device(format!("{}, started to be timed: {problem}", self.program.display()))
    }

    fn spawn(&self, command: &mut Command) -> Result<Child> {
        command.spawn().map_err(|error| self.failed(error))
    }

    fn end(&self, mut child: Child) -> Result<()> {
        let status = child.wait().map_err(|error| self.failed(error))?;
        if status.success() { Ok(()) } else { Err(self.failed(status)) }
    }

    /// Seconds from the start to each milestone.
    fn first_steps(&self, workload: &Workload) -> Result<[f64; 3]> {
        let batch = workload.batch.to_string();
        let words = ["bench", "--first-steps", &workload.name(), "--model", workload.model, "--batch-size", &batch];
        let folder = temporary()?;
        let mut command = self.command(&words, folder.path())?;
        let began = Instant::now();
        let mut child = self.spawn(&mut command)?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut seconds = [0.0; 3];
        for (place, milestone) in seconds.iter_mut().zip(Milestone::ALL) {
            match lines.next() {
                Some(Ok(line)) if line == milestone.name() => *place = began.elapsed().as_secs_f64(),
                _ => break,
            }
        }
        self.end(child)?;
        if seconds[2] > 0.0 { Ok(seconds) } else { Err(self.failed("it did not say that it did its steps")) }
    }

    /// Seconds from the start to the end of a process that trains for an epoch, and the test accuracy that it recorded.
    fn epoch(&self, workload: &Workload, seed: u32) -> Result<(f64, f64)> {
        let (folder, kept) = (temporary()?, temporary()?);
        let run = folder.path().join("run");
        let (batch, seed) = (workload.batch.to_string(), seed.to_string());
        let words = ["train", "--quiet", "--no-report", "--epochs", "1", "--seed", &seed, "--model", workload.model];
        let mut command = self.command(&words, kept.path())?;
        command.args(["--batch-size", &batch, "--out"]).arg(&run);
        let began = Instant::now();
        self.end(self.spawn(&mut command)?)?;
        let seconds = began.elapsed().as_secs_f64();
        let last = Run::load(&run)?.epochs.pop();
        Ok((seconds, last.expect("a run has rows").test_accuracy))
    }
}
