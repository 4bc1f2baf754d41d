//! Cases of [`conv2d_forward`](Conv2dForward): every layer of [`convolution`](super::convolution), with and without ReLU
//! and choice.
//!
//! A place is a sum of so many products as the kernel has taps, and a bias: its bound is c · √k · ε · Σ|aᵢbᵢ|. The largest
//! of a window is off by no more than the largest bound of its places, which is what the op makes of absolute values. The
//! choice must be the reference's where the largest place is further from all others, and from the ReLU's zero, than their
//! bounds allow them to move.

use super::convolution::{Layer, Numbers, layers};
use super::{Case, Draft, Tolerance, Written, magnitudes};
use crate::program::{Conv2dForward, Element, Op, State, Tensor};

/// What is done with a layer.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// The layer.
    pub layer: Layer,
    /// Its numbers.
    pub numbers: Numbers,
    /// Whether a ReLU follows.
    pub relu: bool,
    /// Whether the choice is written.
    pub choice: bool,
}

/// A forward pass.
pub fn case(pass: Pass, seed: u32) -> Case {
    let Pass { layer, numbers, relu, choice } = pass;
    let Layer { live, outputs, geometry, .. } = layer;
    let mut draft = Draft::new(seed);
    let state = draft.state(State { live: live as u32, batch: live as u32, ..State::default() });
    let input = numbers.batch(&mut draft, "input", layer.images(), live);
    // As in a flat tensor of parameters: the bias at a multiple of the alignment behind the weights.
    let behind = (4 * outputs * layer.taps()).next_multiple_of(Tensor::ALIGNMENT);
    let values = numbers.draw(&draft, behind / 4 + outputs);
    let flat = draft.tensor("parameters", &[values.len()], Element::F32, &values);
    let weights = draft.view("weights", &layer.weights(), flat, 0);
    let bias = draft.view("bias", &[outputs], flat, behind);
    let output = draft.random("output", &layer.pooled());
    let choice = choice.then(|| {
        let before = draft.integers(layer.pooled().iter().product(), 1 << 20);
        draft.tensor("choice", &layer.pooled(), Element::U32, &before)
    });
    let op = Conv2dForward { state, input, weights, bias, output, choice, geometry, relu };
    let count = live * layer.output_len();
    let tolerance = match numbers {
        Numbers::Integers => Tolerance::EQUAL,
        Numbers::Floats => Tolerance::sum(layer.taps() + 1),
    };
    let mut written = vec![Written::first(output, count, tolerance)];
    let mut case = draft.case(format!("{pass:?}, seed {seed}"), Op::Conv2dForward(op.clone()), Vec::new());
    if let Some(choice) = choice {
        let tolerance = match numbers {
            Numbers::Integers => Tolerance::Exact,
            Numbers::Floats => Tolerance::Each(undecided(&case, &op, &layer)),
        };
        written.push(Written::first(choice, count, tolerance));
    }
    case.written = written;
    if numbers == Numbers::Floats {
        let absolute = Conv2dForward { relu: false, choice: None, ..op };
        case.magnitudes = Some(Box::new(magnitudes(&case, Op::Conv2dForward(absolute))));
    }
    case
}

/// Of each window, zero where the choice is decided, infinity where rounding may decide it.
fn undecided(case: &Case, op: &Conv2dForward, layer: &Layer) -> Vec<f64> {
    let (windows, pooled_width) = (layer.pooled()[2] * layer.pooled()[3], layer.pooled()[3]);
    let geometry = layer.geometry;
    let (pool, step) = (geometry.pool.map(|extent| extent as usize), geometry.pool_stride.map(|step| step as usize));
    let factor = Tolerance::sum_factor(layer.taps() + 1);
    let [input, weights, bias] = [op.input, op.weights, op.bias].map(|id| case.numbers(id));
    let window = |index: usize| {
        let (image, output, window) = (index / layer.output_len(), index / windows % layer.outputs, index % windows);
        let image = &input[image * layer.input_len()..][..layer.input_len()];
        let weights = &weights[output * layer.taps()..][..layer.taps()];
        let places = (0..layer.places()).map(|place| {
            let y = window / pooled_width * step[0] + place / pool[1];
            let x = window % pooled_width * step[1] + place % pool[1];
            let (sum, size) = convolve(layer, image, weights, [y, x]);
            (sum + bias[output], factor * (size + bias[output].abs()))
        });
        let places: Vec<(f64, f64)> = places.collect();
        let (largest, bound) =
            places.iter().copied().fold((f64::NEG_INFINITY, 0.0), |a, b| if b.0 > a.0 { b } else { a });
        let near = places.iter().filter(|(value, other)| largest - value <= bound + other).count();
        if near > 1 || (op.relu && largest.abs() <= bound) { f64::INFINITY } else { 0.0 }
    };
    (0..layer.live * layer.output_len()).map(window).collect()
}

/// One place of the convolution, in f64, and Σ|aᵢbᵢ|.
fn convolve(layer: &Layer, image: &[f64], weights: &[f64], [y, x]: [usize; 2]) -> (f64, f64) {
    let [channels, height, width] = layer.input;
    let [kernel, stride, padding] = [layer.geometry.kernel, layer.geometry.stride, layer.geometry.padding]
        .map(|pair| pair.map(|extent| extent as usize));
    let (mut sum, mut size, mut weights) = (0.0, 0.0, weights.iter());
    for channel in 0..channels {
        for ky in 0..kernel[0] {
            for kx in 0..kernel[1] {
                let weight = weights.next().expect("a weight for each tap");
                let (y, x) = (y * stride[0] + ky, x * stride[1] + kx);
                if (padding[0]..height + padding[0]).contains(&y) && (padding[1]..width + padding[1]).contains(&x) {
                    let product = weight * image[(channel * height + y - padding[0]) * width + x - padding[1]];
                    sum += product;
                    size += product.abs();
                }
            }
        }
    }
    (sum, size)
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    let passes = layers(seed).into_iter().zip(0..).flat_map(|(layer, number)| {
        let relu = number % 2 == 0;
        [
            Pass { layer, numbers: Numbers::Integers, relu, choice: true },
            Pass { layer, numbers: Numbers::Floats, relu: !relu, choice: number % 3 > 0 },
        ]
    });
    passes.map(|pass| case(pass, seed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{check_op, compare};
    use crate::cpu::Cpu;
    use crate::device::Device;
    use crate::program::{List, NO_CHOICE};
    use std::sync::Arc;

    /// Nearly all choices are decided, so that nearly all are compared.
    #[test]
    fn few_choices_are_left_undecided() {
        let (mut undecided, mut all) = (0, 0);
        let written = cases(3).into_iter().flat_map(|case| case.written);
        let bounds =
            written.filter_map(|part| if let Tolerance::Each(bounds) = part.tolerance { Some(bounds) } else { None });
        for bounds in bounds {
            undecided += bounds.iter().filter(|bound| bound.is_infinite()).count();
            all += bounds.len();
        }
        assert!(all > 100_000 && undecided > 0 && undecided < all / 1_000, "{undecided} of {all}");
    }

    /// A choice that is not the reference's is found in every case that has choices, be it none where there is one.
    #[test]
    fn another_choice_is_found() {
        let cpu = Cpu::new(None).expect("threads");
        for case in cases(3).iter().filter(|case| case.written.len() == 2 && !case.written[0].elements.is_empty()) {
            assert!(check_op(&cpu, &cpu, "conv2d_forward", std::slice::from_ref(case)).expect("it runs").ok);
            let mut session = cpu.load(&Arc::new(case.program.clone())).expect("it loads");
            let ids = (0..case.contents.len() as u32).map(crate::program::TensorId);
            let owners = ids.filter(|id| case.program.tensor(*id).view.is_none());
            owners.clone().for_each(|id| session.write(id, 0, &case.contents[id.index()]).expect("written"));
            session.run(List::TrainStep, 1).expect("it runs");
            let mut left = vec![Vec::new(); case.contents.len()];
            owners.for_each(|id| left[id.index()] = session.read(id).expect("read"));
            let choice = case.written[1].tensor.index();
            let mut doctored = left.clone();
            let decided = match &case.written[1].tolerance {
                Tolerance::Each(bounds) => bounds.iter().position(|bound| *bound == 0.0).expect("one is decided"),
                _ => 0,
            };
            let words: &mut [u32] = bytemuck::cast_slice_mut(&mut doctored[choice]);
            words[decided] = if words[decided] == NO_CHOICE { 0 } else { NO_CHOICE };
            let found = compare(case, &left, &doctored, None);
            assert_eq!(found.beyond, 1, "{}", case.name);
        }
    }
}
