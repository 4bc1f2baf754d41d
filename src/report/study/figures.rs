//! What the cells of a study come to: the one value that its reports are made from.

use crate::config::TrainConfig;
use crate::power_law::{self, Fit};
use crate::run::{Run, Status};
use crate::statistics::{Change, Spread};
use crate::study::Cell;
use serde::Serialize;
use std::collections::BTreeSet;

/// A study in figures, as study.json has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// How every cell is trained, but for its size and its seed.
    pub config: TrainConfig,
    /// Parameters of the model.
    pub parameters: u64,
    /// The name of the data set.
    pub data: String,
    /// The folder of the data, where they are not embedded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
    /// SHA-256 over the data set.
    pub fingerprint: String,
    /// The number of classes.
    pub classes: usize,
    /// Images that every cell is tested on.
    pub test_images: u32,
    /// What cells were run on, each device once.
    pub devices: Vec<String>,
    /// The versions of the program that ran them, each once.
    pub versions: Vec<String>,
    /// The cells that are there, by size and seed.
    pub cells: Vec<CellRow>,
    /// Cells that are not there, of the sizes and seeds that are.
    pub missing: Vec<Cell>,
    /// The sizes, the smallest first; those of which a cell came to its end.
    pub sizes: Vec<SizeRow>,
    /// From each size to the next.
    pub steps: Vec<Step>,
    /// From the smallest to the largest size, where there are more than two.
    pub overall: Option<Step>,
    /// The power law through all cells.
    pub power_law: Fit,
}

/// The figures of one cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellRow {
    /// Which cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// What it came to at its end; none where its loss stopped being a number.
    pub scores: Option<Scores>,
    /// Epochs done.
    pub epochs: u32,
    /// Steps that its epochs take.
    pub steps: u64,
    /// Seconds of training alone.
    pub seconds: f64,
    /// What it was run on.
    pub device: String,
    /// The version of the program that ran it.
    pub version: String,
}

/// How well a trained model does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Mean loss over the test images.
    pub test_loss: f64,
    /// Share of correct answers to them.
    pub test_accuracy: f64,
    /// Mean loss over the training images of the last epoch, each as its step saw it.
    pub train_loss: f64,
    /// Share of correct answers to them, likewise.
    pub train_accuracy: f64,
}

/// The figures of one size over its seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeRow {
    /// Training images.
    pub train_size: u32,
    /// Steps of a run.
    pub steps: u64,
    /// Cells that diverged; the figures are of the others.
    pub diverged: usize,
    /// Mean loss over the test images.
    pub test_loss: Spread,
    /// Share of correct answers to them.
    pub test_accuracy: Spread,
    /// Mean loss over the training images.
    pub train_loss: Spread,
    /// Share of correct answers to them.
    pub train_accuracy: Spread,
    /// Seconds of training.
    pub seconds: Spread,
}

/// What more data did to the test loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It fell, by more than the spread over the seeds explains.
    Fell,
    /// It rose, likewise.
    Rose,
    /// It did what it may have done by chance.
    Unclear,
    /// There are too few seeds to tell.
    Unknown,
}

/// What going from one size to a larger one did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The smaller size.
    pub from: u32,
    /// The larger size.
    pub to: u32,
    /// The change of the mean test loss.
    pub test_loss: Change,
    /// The change of the mean test accuracy.
    pub test_accuracy: Change,
    /// What each doubling of the data multiplied the loss by; none where a loss is 0.
    pub loss_per_doubling: Option<f64>,
    /// What the loss did.
    pub verdict: Verdict,
}

impl Figures {
    /// Of the cells of a study, sorted by size and seed; none where none of them came to its end.
    pub fn of(runs: &[Run]) -> Option<Self> {
        let first = runs.iter().find(|run| run.status == Status::Complete)?;
        let cells: Vec<CellRow> = runs.iter().map(CellRow::of).collect();
        let sizes: Vec<SizeRow> =
            cells.chunk_by(|a, b| a.cell.train_size == b.cell.train_size).filter_map(SizeRow::of).collect();
        let losses: Vec<(u32, f64)> =
            cells.iter().filter_map(|row| row.scores.map(|scores| (row.cell.train_size, scores.test_loss))).collect();
        Some(Self {
            config: TrainConfig { train_size: None, seed: 1, ..first.config.clone() },
            parameters: first.parameters,
            data: first.data.name.clone(),
            data_dir: first.data_dir.clone(),
            fingerprint: first.data.fingerprint.clone(),
            classes: first.data.classes.len(),
            test_images: first.data.test_images,
            devices: each_once(cells.iter().map(|row| row.device.clone())),
            versions: each_once(cells.iter().map(|row| row.version.clone())),
            missing: missing(&cells),
            steps: sizes.windows(2).map(|pair| Step::between(&pair[0], &pair[1])).collect(),
            overall: match &sizes[..] {
                [first, _, .., last] => Some(Step::between(first, last)),
                _ => None,
            },
            power_law: power_law::fit(&losses),
            cells,
            sizes,
        })
    }

    /// How many seeds there are.
    pub fn seeds(&self) -> usize {
        each_once(self.cells.iter().map(|row| row.cell.seed)).len()
    }
}

impl CellRow {
    fn of(run: &Run) -> Self {
        let last = run.epochs.last().filter(|_| run.status == Status::Complete);
        let cell = Cell { train_size: run.data.train_images, seed: run.config.seed };
        Self {
            cell,
            scores: last.map(|row| Scores {
                test_loss: row.test_loss,
                test_accuracy: row.test_accuracy,
                train_loss: row.train_loss,
                train_accuracy: row.train_accuracy,
            }),
            epochs: run.epochs.last().map_or(0, |row| row.epoch),
            steps: u64::from(run.steps_per_epoch()) * u64::from(run.config.epochs),
            seconds: run.epochs.iter().filter_map(|row| row.seconds).sum(),
            device: run.device.to_string(),
            version: run.version.clone(),
        }
    }
}

impl SizeRow {
    /// Of the cells of one size; none where all diverged.
    fn of(cells: &[CellRow]) -> Option<Self> {
        let ended: Vec<(&CellRow, Scores)> = cells.iter().filter_map(|row| Some((row, row.scores?))).collect();
        let (first, _) = ended.first()?;
        let spread = |figure: &dyn Fn(&CellRow, &Scores) -> f64| {
            let values: Vec<f64> = ended.iter().map(|(row, scores)| figure(row, scores)).collect();
            Spread::of(&values)
        };
        Some(Self {
            train_size: first.cell.train_size,
            steps: first.steps,
            diverged: cells.len() - ended.len(),
            test_loss: spread(&|_, scores| scores.test_loss),
            test_accuracy: spread(&|_, scores| scores.test_accuracy),
            train_loss: spread(&|_, scores| scores.train_loss),
            train_accuracy: spread(&|_, scores| scores.train_accuracy),
            seconds: spread(&|row, _| row.seconds),
        })
    }
}

impl Step {
    fn between(from: &SizeRow, to: &SizeRow) -> Self {
        let test_loss = Change::between(&from.test_loss, &to.test_loss);
        let doublings = (f64::from(to.train_size) / f64::from(from.train_size)).log2();
        let per_doubling = (to.test_loss.mean / from.test_loss.mean).powf(1.0 / doublings);
        Self {
            from: from.train_size,
            to: to.train_size,
            test_loss,
            test_accuracy: Change::between(&from.test_accuracy, &to.test_accuracy),
            loss_per_doubling: (per_doubling.is_finite() && per_doubling > 0.0).then_some(per_doubling),
            verdict: match test_loss.margin {
                None => Verdict::Unknown,
                Some(margin) if test_loss.difference < -margin => Verdict::Fell,
                Some(margin) if test_loss.difference > margin => Verdict::Rose,
                Some(_) => Verdict::Unclear,
            },
        }
    }
}

/// Values in order, each once.
fn each_once<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<BTreeSet<T>>().into_iter().collect()
}

/// Cells that are not there, of the sizes and seeds that are.
fn missing(rows: &[CellRow]) -> Vec<Cell> {
    let sizes = each_once(rows.iter().map(|row| row.cell.train_size));
    let seeds = each_once(rows.iter().map(|row| row.cell.seed));
    let all = sizes.iter().flat_map(|&train_size| seeds.iter().map(move |&seed| Cell { train_size, seed }));
    all.filter(|cell| rows.iter().all(|row| row.cell != *cell)).collect()
}
