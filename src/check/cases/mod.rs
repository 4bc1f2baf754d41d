//! The cases of each op, one file per op: its tolerances, what a case of it is made of, and which ones there are.

pub mod adam;
pub mod begin_step;
pub mod conv2d_backward_input;
pub mod conv2d_backward_weights;
pub mod conv2d_forward;
pub mod convolution;
pub mod dropout;
pub mod init_uniform;
pub mod load_batch;
pub mod matmul;
pub mod reduce;
pub mod sgd;
pub mod softmax_nll;

use super::{Case, Draft, Tolerance, Written};
use crate::program::{Element, Op};
use crate::random::uniform;

/// The cases of an op: fixed ones, and some of random shapes. The seed also draws the numbers of all of them.
///
/// # Panics
/// When there is no such op.
pub fn cases(op: &str, seed: u32) -> Vec<Case> {
    match op {
        "init_uniform" => init_uniform::cases(seed),
        "begin_step" => begin_step::cases(seed),
        "load_batch" => load_batch::cases(seed),
        "conv2d_forward" => conv2d_forward::cases(seed),
        "conv2d_backward_input" => conv2d_backward_input::cases(seed),
        "conv2d_backward_weights" => conv2d_backward_weights::cases(seed),
        "reduce" => reduce::cases(seed),
        "dropout" => dropout::cases(seed),
        "matmul" => matmul::cases(seed),
        "softmax_nll" => softmax_nll::cases(seed),
        "sgd" => sgd::cases(seed),
        "adam" => adam::cases(seed),
        _ => panic!("there is no op {op}"),
    }
}

/// So many random shapes, each extent at least 1 and at most what `most` says.
fn shapes<const N: usize>(seed: u32, count: u32, most: [usize; N]) -> impl Iterator<Item = [usize; N]> {
    (0..count).map(move |shape| {
        let mut dimension = 0;
        most.map(|most| {
            dimension += 1;
            1 + ((f64::from(uniform([seed, 0], [shape, dimension])) * most as f64) as usize).min(most - 1)
        })
    })
}

/// Lengths of what is updated element by element: one, around a vector and a workgroup of vectors, no multiple of either.
const LENGTHS: [usize; 8] = [1, 3, 4, 63, 64, 257, 1_000, 20_011];

/// An op on the absolute values of a case's operands: for each sum of products, the Σ|aᵢbᵢ| of its bound.
fn magnitudes(case: &Case, op: Op) -> Case {
    let mut all = case.clone();
    all.program.train_step = vec![op];
    for (tensor, bytes) in all.program.tensors.iter().zip(&mut all.contents) {
        if tensor.element == Element::F32 {
            let values: Vec<f32> = bytemuck::pod_collect_to_vec(bytes);
            *bytes = values.into_iter().flat_map(|value| value.abs().to_ne_bytes()).collect();
        }
    }
    all
}
