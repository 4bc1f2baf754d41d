//! Cases of [`softmax_nll`](SoftmaxNll): classes, live rows, logits from equal to extreme, both results, accumulation.
//!
//! The bounds follow from the errors of `shaders/exponential.wgsl`, carried through the formula row by row in f64.

use super::{Case, Draft, Tolerance, Written, shapes};
use crate::program::{Element, Op, Rows, SoftmaxNll, State};

/// ε of f32: one unit in the last place, as a share.
const EPSILON: f64 = f32::EPSILON as f64;
/// The exponential is right to 2 units in the last place: its error as a share of it.
const EXP_ERROR: f64 = 2.0 * EPSILON;
/// The logarithm is right to 2 units in the last place, and to so many where a division is right to [`DIVISION_ULPS`] only.
const LOG_ULPS: f64 = 6.0;
/// WGSL: a division is right to 2.5 units in the last place.
const DIVISION_ULPS: f64 = 2.5;
/// What is smaller than this, e⁻⁸⁷, is taken for zero.
const SMALLEST: f64 = 1.7e-38;

/// Which numbers the logits are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Logits {
    /// Between minus and plus this.
    Within(f32),
    /// Plus or minus this.
    Either(f32),
    /// All the same in a row.
    Equal,
}

/// A batch: rows, live rows, classes.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Rows, live rows, classes.
    pub size: [usize; 3],
    /// The logits.
    pub logits: Logits,
    /// What goes to the output.
    pub result: Rows,
    /// Whether it adds to the metrics.
    pub accumulate: bool,
}

const SLOTS: usize = 5;
const SLOT: usize = 3;

/// The case of a batch.
pub fn case(batch: Batch, seed: u32) -> Case {
    let Batch { size: [rows, live, classes], logits, result, accumulate } = batch;
    let mut draft = Draft::new(seed);
    // The mean is over the whole step, of which this may be a micro-batch.
    let of_step = (live + 3) as u32;
    let state = draft.state(State { live: live as u32, batch: of_step, slot: SLOT as u32, ..State::default() });
    let mut values = draft.numbers(rows * classes);
    match logits {
        Logits::Within(most) => values.iter_mut().for_each(|value| *value *= most),
        Logits::Either(size) => values.iter_mut().for_each(|value| *value = size.copysign(*value)),
        Logits::Equal => values.chunks_exact_mut(classes).for_each(|row| row.fill(row[0])),
    }
    let id = draft.tensor("logits", &[rows, classes], Element::F32, &values);
    let mut list: Vec<u32> = draft.integers(rows, classes as u32).into_iter().flat_map(|label| [77, label]).collect();
    list[2 * live..].fill(u32::MAX);
    let samples = draft.tensor("samples", &[rows, 2], Element::U32, &list);
    // A count of correct answers is a whole number.
    let before: Vec<f32> = draft.numbers(2 * SLOTS).into_iter().map(|value| (value * 100.0).round()).collect();
    let metrics = draft.tensor("metrics", &[SLOTS, 2], Element::F32, &before);
    let output = draft.random("output", &[rows, classes]);
    let (mut bounds, mut loss, mut losses) = (Vec::new(), EPSILON * f64::from(before[2 * SLOT].abs()), 0.0);
    for (row, sample) in values.chunks_exact(classes).zip(list.chunks_exact(2)).take(live) {
        let (row_bounds, log_bounds) = row_bounds(row, result, f64::from(of_step));
        bounds.extend(row_bounds);
        let (negative_log, error) = log_bounds[sample[1] as usize];
        losses += negative_log;
        loss += error;
    }
    let loss = loss + Tolerance::sum_factor(live) * losses;
    let written = vec![
        Written::first(output, live * classes, Tolerance::Each(bounds)),
        Written { tensor: metrics, elements: 2 * SLOT..2 * SLOT + 1, tolerance: Tolerance::Each(vec![loss]) },
        Written { tensor: metrics, elements: 2 * SLOT + 1..2 * SLOT + 2, tolerance: Tolerance::Exact },
    ];
    let op = Op::SoftmaxNll(SoftmaxNll { state, logits: id, samples, metrics, output, result, accumulate });
    draft.case(format!("{batch:?}, seed {seed}"), op, written)
}

/// The bounds of a row's outputs, and for each class −log p with its bound.
fn row_bounds(row: &[f32], result: Rows, batch: f64) -> (Vec<f64>, Vec<(f64, f64)>) {
    let largest = row.iter().copied().map(f64::from).fold(f64::NEG_INFINITY, f64::max);
    let below = || row.iter().map(|&z| f64::from(z) - largest);
    let sum: f64 = below().map(f64::exp).sum();
    let error_of_sum = EXP_ERROR + row.len() as f64 * SMALLEST / sum + Tolerance::sum_factor(row.len());
    let log_sum = sum.ln();
    let error_of_log = error_of_sum + LOG_ULPS * EPSILON * log_sum;
    let logs = below().map(|x| (log_sum - x, error_of_log + EPSILON * (log_sum - x)));
    let logs: Vec<(f64, f64)> = logs.collect();
    let outputs = logs.iter().map(|&(negative_log, error)| match result {
        Rows::LogProbabilities => error,
        Rows::Gradient => {
            let p = (-negative_log).exp();
            // p − 1 rounds at the size of 1, and so may p itself.
            (p * (error + EXP_ERROR) + (DIVISION_ULPS + 1.0) * EPSILON) / batch + SMALLEST
        }
    });
    (outputs.collect(), logs)
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    use Logits::{Either, Equal, Within};
    let mut batches = Vec::new();
    let mut add = |size, logits, accumulate| {
        for result in [Rows::Gradient, Rows::LogProbabilities] {
            batches.push(Batch { size, logits, result, accumulate });
        }
    };
    for size in [[1, 1, 2], [3, 2, 10], [64, 64, 10], [65, 65, 10], [200, 133, 7], [20, 20, 256], [9, 9, 1], [6, 0, 10]]
    {
        add(size, Within(1.0), false);
        add(size, Within(15.0), true);
    }
    for logits in [Equal, Within(1e4), Either(1e4), Either(1.0), Within(100.0), Within(1e-6)] {
        for size in [[33, 30, 10], [4, 4, 256], [5, 5, 2]] {
            add(size, logits, false);
        }
    }
    for [rows, dead, classes] in shapes(seed, 5, [300, 300, 256]) {
        add([rows, rows.saturating_sub(dead / 4), classes], Within(4.0), dead % 2 == 0);
    }
    batches.into_iter().map(|batch| case(batch, seed)).collect()
}
