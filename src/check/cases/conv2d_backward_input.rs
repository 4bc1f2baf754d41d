//! Cases of [`conv2d_backward_input`](Conv2dBackwardInput): every layer of [`convolution`](super::convolution).
//!
//! An input is a sum over every tap of every output, and over as many windows as overlap: k products at most, and the
//! bound c · √k · ε · Σ|aᵢbᵢ|.

use super::convolution::{Layer, Numbers, choices, layers};
use super::{Case, Draft, Tolerance, Written, magnitudes};
use crate::program::{Conv2dBackwardInput, Element, Op, State};

/// A backward pass.
pub fn case(layer: Layer, numbers: Numbers, seed: u32) -> Case {
    let Layer { live, geometry, .. } = layer;
    let mut draft = Draft::new(seed);
    let state = draft.state(State { live: live as u32, batch: live as u32, ..State::default() });
    let gradient = numbers.batch(&mut draft, "gradient", layer.pooled(), live);
    let choice = choices(&mut draft, &layer);
    let values = numbers.draw(&draft, layer.outputs * layer.taps());
    let weights = draft.tensor("weights", &layer.weights(), Element::F32, &values);
    let output = draft.random("output", &layer.images());
    let overlapping: u32 = (0..2).map(|axis| geometry.pool[axis].div_ceil(geometry.pool_stride[axis])).product();
    let kernel: u32 = geometry.kernel.iter().product();
    let tolerance = match numbers {
        Numbers::Integers => Tolerance::EQUAL,
        Numbers::Floats => Tolerance::sum(layer.outputs * (kernel * overlapping) as usize),
    };
    let op = Op::Conv2dBackwardInput(Conv2dBackwardInput { state, gradient, choice, weights, output, geometry });
    let written = vec![Written::first(output, live * layer.input_len(), tolerance)];
    let mut case = draft.case(format!("{layer:?}, {numbers:?}, seed {seed}"), op.clone(), written);
    case.magnitudes = (numbers == Numbers::Floats).then(|| Box::new(magnitudes(&case, op)));
    case
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    let layers = layers(seed).into_iter();
    layers.flat_map(|layer| [Numbers::Integers, Numbers::Floats].map(|numbers| case(layer, numbers, seed))).collect()
}
