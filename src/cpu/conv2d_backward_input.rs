//! The gradient of a convolution's input; the twin of `shaders/conv2d_backward_input.wgsl`.
//!
//! Every gradient adds its output's weights, scaled, to the patch of inputs that the chosen place of its window saw. With
//! channels last, a row of a patch is one stretch of memory; what a vector reaches beyond it has zero weights. The
//! gradients of one place are summed in registers, in ascending order of output and window; places follow in ascending
//! order, as in the shader.

use super::memory::Floats;
use super::planes::{Extents, SLACK, vectors, with_count};
use super::{Memory, Threads};
use crate::program::{Conv2dBackwardInput, NO_CHOICE};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

pub(super) fn run(op: &Conv2dBackwardInput, memory: &mut Memory, threads: &Threads) {
    let extents = Extents::new(memory.program(), &op.geometry, op.output, op.gradient);
    memory.with_outputs([Some(op.output)], |memory, [output]| {
        let live = memory.state(op.state).live as usize;
        let (input_len, output_len) = (extents.input_len(), extents.output_len());
        let (layer, arch) = (Layer::new(extents, memory.f32(op.weights)), extents.arch());
        let gradients = memory.f32(op.gradient)[..live * output_len].par_chunks(output_len);
        let choices = memory.u32(op.choice)[..live * output_len].par_chunks(output_len);
        let outputs = output[..live * input_len].par_chunks_mut(input_len);
        threads.for_each_with(
            gradients.zip(choices).zip(outputs),
            || {
                let places = layer.places.len();
                (Floats::zeros(extents.patch_len() + SLACK), vec![0; places], vec![(0, 0.0); places * layer.most])
            },
            |(patches, ends, entries), ((gradients, choices), output)| {
                patches.fill(0.0);
                arch.dispatch(Image { layer: &layer, gradients, choices, patches, ends, entries });
                extents.channels_first(patches, output);
            },
        );
    });
}

/// The layer with its weights as the vectors of patches.
struct Layer {
    extents: Extents,
    /// Where the patch of each place that a window has begins, ascending.
    places: Vec<usize>,
    /// Which of these places each place of each window is.
    of_windows: Vec<usize>,
    /// Gradients that a place gets, at most.
    most: usize,
    /// Where the stretches of a patch begin within it.
    stretches: Vec<usize>,
    /// These in parts that are summed together.
    parts: Vec<Range<usize>>,
    /// \[outputs\]\[stretches\]\[lanes\].
    weights: Floats,
    /// Floats of an output's weights.
    stride: usize,
}

impl Layer {
    fn new(extents: Extents, weights: &[f32]) -> Self {
        let stretches = extents.stretches();
        let [lanes, _] = vectors(extents.arch());
        let stride = stretches.len() * lanes;
        let mut packed = Floats::zeros(extents.outputs * stride);
        for (packed, weights) in packed.chunks_exact_mut(stride).zip(weights.chunks_exact(extents.taps())) {
            for (packed, &[row, first, _]) in packed.chunks_exact_mut(lanes).zip(&stretches) {
                for (packed, tap) in packed.iter_mut().zip((first..).map_while(|float| extents.tap(row, float))) {
                    *packed = weights[tap];
                }
            }
        }
        let starts: Vec<usize> = extents.starts().iter().map(|start| start * extents.channels).collect();
        let mut places = starts.clone();
        places.sort_unstable();
        places.dedup();
        let of_windows: Vec<usize> = starts.iter().map(|start| places.partition_point(|place| place < start)).collect();
        let mut windows = vec![0; places.len()];
        for &place in &of_windows {
            windows[place] += 1;
        }
        let most = extents.outputs * windows.into_iter().max().unwrap_or(0);
        Self {
            extents,
            places,
            of_windows,
            most,
            stretches: stretches.iter().map(|stretch| stretch[2]).collect(),
            parts: extents.parts(),
            weights: packed,
            stride,
        }
    }
}

/// One image: `patches` is its gradient, channels last and padding around.
struct Image<'a> {
    layer: &'a Layer,
    gradients: &'a [f32],
    choices: &'a [u32],
    patches: &'a mut [f32],
    /// Where the entries of each place end.
    ends: &'a mut [usize],
    /// \[places\]\[most\]: of each such gradient where the weights of its output begin, and itself.
    entries: &'a mut [(u32, f32)],
}

impl WithSimd for Image<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { layer, gradients, choices, patches, ends, entries } = self;
        let Layer { extents, places: starts, of_windows, most, stretches, parts, weights, stride } = layer;
        let (windows, area) = (extents.windows(), extents.area());
        ends.iter_mut().zip((0..).step_by(*most)).for_each(|(end, first)| *end = first);
        let planes = choices.chunks_exact(windows).zip(gradients.chunks_exact(windows));
        for (first, (choices, gradients)) in (0..).step_by(*stride).zip(planes) {
            for ((&choice, &gradient), of_window) in choices.iter().zip(gradients).zip(of_windows.chunks_exact(area)) {
                // Written in any case, and kept if there is a choice: a branch would be guessed wrongly half the time.
                let place = of_window[(choice as usize).min(area - 1)];
                entries[ends[place]] = (first, gradient);
                ends[place] += usize::from(choice != NO_CHOICE);
            }
        }
        let entries = (0..).step_by(*most).zip(&*ends).map(|(first, &end)| &entries[first..end]);
        for (&start, entries) in starts.iter().zip(entries).filter(|(_, entries)| !entries.is_empty()) {
            let patch = &mut patches[start..];
            for part in parts {
                let stretches = &stretches[part.clone()];
                let weights = &weights[part.start * S::F32_LANES..];
                macro_rules! add {
                    ($count:literal, $simd:ident) => {
                        add::<S, $count>($simd, weights, entries, stretches, patch)
                    };
                }
                with_count!(up to 16, stretches.len(), add!(simd));
            }
        }
    }
}

/// patch += Σ gradient · weights, over some stretches of the patch.
#[inline(always)]
fn add<S: Simd, const COUNT: usize>(
    simd: S,
    weights: &[f32],
    entries: &[(u32, f32)],
    stretches: &[usize],
    patch: &mut [f32],
) {
    let mut sums = [simd.splat_f32s(0.0); COUNT];
    for &(first, gradient) in entries {
        let gradient = simd.splat_f32s(gradient);
        let (weights, _) = S::as_simd_f32s(&weights[first as usize..][..COUNT * S::F32_LANES]);
        for (sum, &weights) in sums.iter_mut().zip(weights) {
            *sum = simd.mul_add_f32s(gradient, weights, *sum);
        }
    }
    for (sum, &start) in sums.iter().zip(stretches) {
        let (values, _) = S::as_mut_simd_f32s(&mut patch[start..start + S::F32_LANES]);
        values[0] = simd.add_f32s(values[0], *sum);
    }
}
