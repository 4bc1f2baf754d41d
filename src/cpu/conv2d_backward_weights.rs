//! The gradients of a convolution's weights and bias; the twin of `shaders/conv2d_backward_weights.wgsl`.
//!
//! A gradient touches the patch of inputs that the chosen place of its window saw, and no other: a quarter of the work
//! behind a 2 × 2 pool, less what the ReLU zeroed. With channels last, a row of a patch is one stretch of memory.

use super::memory::Floats;
use super::planes::{Extents, SLACK, with_count};
use super::{Memory, Threads};
use crate::program::{Conv2dBackwardWeights, NO_CHOICE};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::cell::RefCell;

thread_local! {
    /// The patches of a block; kept, so that no step allocates.
    static PATCHES: RefCell<Floats> = RefCell::default();
}

pub(super) fn run(op: &Conv2dBackwardWeights, memory: &mut Memory, threads: &Threads) {
    let extents = Extents::new(memory.program(), &op.geometry, op.input, op.gradient);
    let block = op.block as usize;
    let starts: Vec<usize> = extents.starts().iter().map(|start| start * extents.channels).collect();
    let stretches = extents.stretches();
    memory.with_outputs([Some(op.output)], |memory, [output]| {
        let live = memory.state(op.state).live as usize;
        let (input_len, output_len) = (extents.input_len(), extents.output_len());
        let images = &memory.f32(op.input)[..live * input_len];
        let gradients = &memory.f32(op.gradient)[..live * output_len];
        let choices = &memory.u32(op.choice)[..live * output_len];
        let sums = extents.outputs * (extents.taps() + 1);
        threads.for_each(output.par_chunks_mut(sums).enumerate(), |(index, sums)| {
            let rows = |len: usize| (index * block * len).min(live * len)..((index + 1) * block * len).min(live * len);
            PATCHES.with_borrow_mut(|patches| {
                fill(patches, &extents, &images[rows(input_len)]);
                extents.arch().dispatch(Block {
                    extents,
                    starts: &starts,
                    stretches: &stretches,
                    patches,
                    gradients: &gradients[rows(output_len)],
                    choices: &choices[rows(output_len)],
                    sums,
                });
            });
        });
    });
}

/// Fills patches with the images, channels last and padding around, and room to read beyond the end.
fn fill(patches: &mut Floats, extents: &Extents, images: &[f32]) {
    let len = extents.patch_len();
    let images = images.chunks_exact(extents.input_len());
    patches.resize(images.len() * len + SLACK);
    if extents.padding != [0, 0] {
        patches.fill(0.0);
    }
    for (image, patches) in images.zip(patches.chunks_exact_mut(len)) {
        extents.channels_last(image, patches);
    }
}

/// The partial sums of a block of images.
struct Block<'a> {
    extents: Extents,
    /// Where the patch of each place of each window begins.
    starts: &'a [usize],
    stretches: &'a [[usize; 3]],
    patches: &'a [f32],
    gradients: &'a [f32],
    choices: &'a [u32],
    sums: &'a mut [f32],
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { extents, starts, stretches, patches, gradients, choices, sums } = self;
        let (windows, outputs, taps) = (extents.windows(), extents.outputs, extents.taps());
        let (weights, biases) = sums.split_at_mut(outputs * taps);
        let mut entries = vec![(0, 0.0); gradients.len() / outputs];
        for (output, (weights, bias)) in weights.chunks_exact_mut(taps).zip(biases).enumerate() {
            let mut count = 0;
            let planes = gradients.chunks_exact(windows).zip(choices.chunks_exact(windows));
            for (image, (gradients, choices)) in planes.skip(output).step_by(outputs).enumerate() {
                let patches = image * extents.patch_len();
                let windows = gradients.iter().zip(choices).zip(starts.chunks_exact(extents.area()));
                for ((&gradient, &choice), starts) in windows {
                    // Written in any case, and kept if there is a choice: a branch would be guessed wrongly half the time.
                    let place = (choice as usize).min(starts.len() - 1);
                    entries[count] = (patches + starts[place], gradient);
                    count += usize::from(choice != NO_CHOICE);
                }
            }
            let entries = &entries[..count];
            // From +0, as the shader; `sum` begins with −0.
            *bias = entries.iter().fold(0.0, |sum, (_, gradient)| sum + gradient);
            for stretches in stretches.chunks(8) {
                macro_rules! sum {
                    ($count:literal, $simd:ident) => {
                        accumulate::<S, $count>($simd, &extents, patches, entries, stretches, weights)
                    };
                }
                with_count!(stretches.len(), sum!(simd));
            }
        }
    }
}

/// weights += Σ gradient · patch, over some stretches of the patch.
#[inline(always)]
fn accumulate<S: Simd, const COUNT: usize>(
    simd: S,
    extents: &Extents,
    patches: &[f32],
    entries: &[(usize, f32)],
    stretches: &[[usize; 3]],
    weights: &mut [f32],
) {
    let starts: [usize; COUNT] = std::array::from_fn(|index| stretches[index][2]);
    let farthest = starts[COUNT - 1] + S::F32_LANES;
    let mut sums = [simd.splat_f32s(0.0); COUNT];
    for &(start, gradient) in entries {
        let gradient = simd.splat_f32s(gradient);
        let patch = &patches[start..start + farthest];
        for (sum, &start) in sums.iter_mut().zip(&starts) {
            let (vector, _) = S::as_simd_f32s(&patch[start..start + S::F32_LANES]);
            *sum = simd.mul_add_f32s(gradient, vector[0], *sum);
        }
    }
    for (sum, &[row, first, _]) in sums.iter().zip(stretches) {
        let values: &[f32] = bytemuck::cast_slice(std::slice::from_ref(sum));
        for (lane, &value) in values.iter().enumerate() {
            if let Some(tap) = extents.tap(row, first + lane) {
                weights[tap] = value;
            }
        }
    }
}
