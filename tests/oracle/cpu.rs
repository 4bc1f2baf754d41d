//! CPU = oracle: every op of the CPU device by itself, as a program of one op, against its formula in f64.
//!
//! Sizes include 1 and what no tile divides. Rows of a batch beyond the live ones hold [`DEAD`], which no result may
//! depend on and no op may change.

mod adam;
mod begin_step;
mod bound;
mod conv2d_backward_input;
mod conv2d_backward_weights;
mod conv2d_forward;
mod convolution;
mod dropout;
mod init_uniform;
mod load_batch;
mod matmul;
mod reduce;
mod rig;
mod sgd;
mod softmax_nll;

use crate::reference::random::signed;

/// What lies in rows that are not live.
const DEAD: f32 = f32::NAN;

/// `count` numbers in [−1, 1) that f32 holds, by a number of the test's own.
fn numbers(test: u32, count: usize) -> Vec<f32> {
    signed(test, count).into_iter().map(|x| x as f32).collect()
}

/// The same numbers for the oracle.
fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// `live` rows of numbers, then dead ones up to `rows`.
fn batch(test: u32, rows: usize, live: usize, width: usize) -> Vec<f32> {
    let mut values = numbers(test, live * width);
    values.resize(rows * width, DEAD);
    values
}

/// Asserts that every element is as dead as before.
fn assert_dead(what: &str, values: &[f32]) {
    let changed = values.iter().position(|value| value.to_bits() != DEAD.to_bits());
    assert_eq!(changed, None, "{what}: a dead row was written");
}
