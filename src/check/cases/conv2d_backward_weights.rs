//! Cases of [`conv2d_backward_weights`](Conv2dBackwardWeights): every layer of [`convolution`](super::convolution), in
//! blocks of one, three and sixteen images, of which the last may be smaller and some have no live image.
//!
//! A weight is a sum over the images of a block and the windows of each: k products at most, and the bound
//! c · √k · ε · Σ|aᵢbᵢ|.

use super::convolution::{Layer, Numbers, choices, layers};
use super::{Case, Draft, Tolerance, Written, magnitudes};
use crate::program::{Conv2dBackwardWeights, Convolution, Op, State};

/// A backward pass in blocks of so many images.
pub fn case(layer: Layer, block: usize, numbers: Numbers, seed: u32) -> Case {
    let Layer { rows, live, outputs, geometry, .. } = layer;
    let mut draft = Draft::new(seed);
    let state = draft.state(State { live: live as u32, batch: live as u32, ..State::default() });
    let input = numbers.batch(&mut draft, "input", layer.images(), live);
    let gradient = numbers.batch(&mut draft, "gradient", layer.pooled(), live);
    let choice = choices(&mut draft, &layer);
    let (blocks, sums) = (rows.div_ceil(block), outputs * (layer.taps() + 1));
    let output = draft.random("output", &[blocks, sums]);
    let tolerance = match numbers {
        Numbers::Integers => Tolerance::EQUAL,
        Numbers::Floats => Tolerance::sum(block.min(live) * layer.output_len() / outputs),
    };
    let block = block as u32;
    let op = Conv2dBackwardWeights { state, input, gradient, choice, output, geometry, block };
    let op = Op::Conv2dBackwardWeights(op);
    let written = vec![Written::first(output, blocks * sums, tolerance)];
    let mut case = draft.case(format!("{layer:?}, blocks of {block}, {numbers:?}, seed {seed}"), op.clone(), written);
    case.magnitudes = (numbers == Numbers::Floats).then(|| Box::new(magnitudes(&case, op)));
    case
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    let layers = layers(seed).into_iter().zip([16, 3, 16, 1].into_iter().cycle());
    layers
        .flat_map(|(layer, block)| {
            // Where there are many rows, blocks as a program has them.
            let [_, _, height, width] = layer.pooled().map(|extent| extent as u32);
            let most = Convolution::block([height, width]) as usize;
            let block = if layer.rows >= 16 { most } else { most.min(block) };
            [Numbers::Integers, Numbers::Floats].map(|numbers| case(layer, block, numbers, seed))
        })
        .collect()
}
