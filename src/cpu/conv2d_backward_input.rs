//! The gradient of a convolution's input; the twin of `shaders/conv2d_backward_input.wgsl`.
//!
//! Every gradient adds its output's weights, scaled, to the patch of inputs that the chosen place of its window saw. With
//! channels last, a row of a patch is one stretch of memory; what a vector reaches beyond it has zero weights. Sums are in
//! ascending order of output and window, where the shader's are of output and place: with a pool, other roundings.

use super::Memory;
use super::planes::{Extents, SLACK};
use crate::program::{Conv2dBackwardInput, NO_CHOICE};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

pub(super) fn run(op: &Conv2dBackwardInput, memory: &mut Memory) {
    let extents = Extents::new(memory.program(), &op.geometry, op.output, op.gradient);
    memory.with_outputs([Some(op.output)], |memory, [output]| {
        let live = memory.state(op.state).live as usize;
        let (input_len, output_len) = (extents.input_len(), extents.output_len());
        let weights = memory.f32(op.weights);
        let gradients = memory.f32(op.gradient)[..live * output_len].par_chunks(output_len);
        let choices = memory.u32(op.choice)[..live * output_len].par_chunks(output_len);
        let outputs = output[..live * input_len].par_chunks_mut(input_len);
        gradients.zip(choices).zip(outputs).for_each_init(
            || vec![0.0; extents.patch_len() + SLACK],
            |patches, ((gradients, choices), output)| {
                patches.fill(0.0);
                Arch::new().dispatch(Image { extents, weights, gradients, choices, patches });
                extents.channels_last(|to, from| output[to] = patches[from]);
            },
        );
    });
}

/// One image: `patches` is its gradient, channels last and padding around.
struct Image<'a> {
    extents: Extents,
    weights: &'a [f32],
    gradients: &'a [f32],
    choices: &'a [u32],
    patches: &'a mut [f32],
}

impl WithSimd for Image<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { extents, weights, gradients, choices, patches } = self;
        let windows = extents.windows();
        let stretches = extents.stretches(S::F32_LANES);
        let mut entries: Vec<(usize, f32)> = Vec::new();
        let planes = gradients.chunks_exact(windows).zip(choices.chunks_exact(windows));
        for (weights, (gradients, choices)) in weights.chunks_exact(extents.taps()).zip(planes) {
            entries.clear();
            for (window, (&gradient, &choice)) in gradients.iter().zip(choices).enumerate() {
                if choice != NO_CHOICE {
                    entries.push((extents.patch_start(window, choice), gradient));
                }
            }
            scatter(simd, &extents, weights, &entries, &stretches, patches);
        }
    }
}

/// patch += gradient · weights, for each gradient in turn.
#[inline(always)]
fn scatter<S: Simd>(
    simd: S,
    extents: &Extents,
    weights: &[f32],
    entries: &[(usize, f32)],
    stretches: &[[usize; 3]],
    patches: &mut [f32],
) {
    let vector = |&[row, first, start]: &[usize; 3]| {
        let mut vector = simd.splat_f32s(0.0);
        let values: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut vector));
        for (lane, value) in values.iter_mut().enumerate() {
            *value = extents.tap(row, first + lane).map_or(0.0, |tap| weights[tap]);
        }
        (start, vector)
    };
    let vectors: Vec<(usize, S::f32s)> = stretches.iter().map(vector).collect();
    for &(start, gradient) in entries {
        let gradient = simd.splat_f32s(gradient);
        let patch = &mut patches[start..];
        for &(start, vector) in &vectors {
            let (sums, _) = S::as_mut_simd_f32s(&mut patch[start..start + S::F32_LANES]);
            sums[0] = simd.mul_add_f32s(gradient, vector, sums[0]);
        }
    }
}
