//! Cases of [`reduce`](Reduce): numbers of blocks, sizes of weights and bias, with and without what is there already.
//!
//! A sum of as many terms as there are blocks, one more where it adds: the bound is c · √k · ε · Σ|aᵢ|.

use super::convolution::Numbers;
use super::{Case, Draft, Tolerance, Written, magnitudes, shapes};
use crate::program::{Element, Op, Reduce, Tensor};

/// Adds up so many blocks of weights and bias.
pub fn case([blocks, weights, bias]: [usize; 3], accumulate: bool, numbers: Numbers, seed: u32) -> Case {
    let mut draft = Draft::new(seed);
    let values = numbers.draw(&draft, blocks * (weights + bias));
    let input = draft.tensor("input", &[blocks, weights + bias], Element::F32, &values);
    // As in a flat tensor of gradients: something before, between and behind them, which must stay as it is.
    let start = Tensor::ALIGNMENT;
    let behind = (start + 4 * weights).next_multiple_of(Tensor::ALIGNMENT);
    let values = numbers.draw(&draft, (behind + 4 * bias).next_multiple_of(Tensor::ALIGNMENT) / 4);
    let flat = draft.tensor("gradients", &[values.len()], Element::F32, &values);
    let output = draft.view("output", &[weights], flat, start);
    let bias_gradient = draft.view("bias_gradient", &[bias], flat, behind);
    let tolerance = match numbers {
        Numbers::Integers => Tolerance::EQUAL,
        Numbers::Floats => Tolerance::sum(blocks + usize::from(accumulate)),
    };
    let op = Op::Reduce(Reduce { input, output, bias_gradient, accumulate });
    let written =
        vec![Written::first(output, weights, tolerance.clone()), Written::first(bias_gradient, bias, tolerance)];
    let name = format!("{blocks} × ({weights} + {bias}), accumulate {accumulate}, {numbers:?}, seed {seed}");
    let mut case = draft.case(name, op.clone(), written);
    case.magnitudes = (numbers == Numbers::Floats).then(|| Box::new(magnitudes(&case, op)));
    case
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    // One block; a workgroup and one more; the layers of the presets; a whole epoch of blocks.
    let fixed = [[1, 1, 1], [2, 63, 1], [3, 64, 1], [16, 600, 24], [4, 6_912, 32], [5, 9, 64], [1_024, 9, 3]];
    let shapes = fixed.into_iter().chain(shapes(seed, 4, [40, 900, 70]));
    shapes
        .flat_map(|shape| {
            [(false, Numbers::Integers), (true, Numbers::Integers), (false, Numbers::Floats), (true, Numbers::Floats)]
                .map(|(accumulate, numbers)| case(shape, accumulate, numbers, seed))
        })
        .collect()
}
