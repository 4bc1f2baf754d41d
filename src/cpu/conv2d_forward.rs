//! A convolution with bias, ReLU and max-pool; the twin of `shaders/conv2d_forward.wgsl`.
//!
//! Vectors run over the output channels. For a band of rows that a row of pool windows needs, tiles of up to eight places
//! are summed in registers, in the order of the weights; then the band is pooled.

use super::Memory;
use super::planes::{Extents, with_count};
use crate::program::{Conv2dForward, NO_CHOICE};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Output channels are padded to whole vectors of this width.
const LANES: usize = 16;

pub(super) fn run(op: &Conv2dForward, memory: &mut Memory) {
    let extents = Extents::new(memory.program(), &op.geometry, op.input, op.output);
    memory.with_outputs([Some(op.output), op.choice], |memory, [output, choice]| {
        let live = memory.state(op.state).live as usize;
        let (input_len, output_len) = (extents.input_len(), extents.output_len());
        let layer = Layer::new(extents, memory.f32(op.weights), memory.f32(op.bias), op.relu);
        let images = memory.f32(op.input)[..live * input_len].par_chunks(input_len);
        let outputs = output[..live * output_len].par_chunks_mut(output_len);
        let choice: &mut [u32] = bytemuck::cast_slice_mut(choice);
        if op.choice.is_some() {
            let choices = choice[..live * output_len].par_chunks_mut(output_len);
            images.zip(outputs).zip(choices).for_each_init(
                || layer.scratch(),
                |scratch, ((image, output), choice)| layer.image(image, output, Some(choice), scratch),
            );
        } else {
            images.zip(outputs).for_each_init(
                || layer.scratch(),
                |scratch, (image, output)| layer.image(image, output, None, scratch),
            );
        }
    });
}

/// The layer with its weights as vectors over output channels.
struct Layer {
    extents: Extents,
    relu: bool,
    /// Output channels with their padding.
    width: usize,
    /// \[taps\]\[width\].
    weights: Vec<f32>,
    /// \[width\].
    bias: Vec<f32>,
    /// Where, from the place of an output in the padded planes, each tap is.
    taps: Vec<usize>,
}

struct Scratch {
    /// The padded image, \[channels\]\[height\]\[width\].
    planes: Vec<f32>,
    /// The rows of one row of windows, \[pool height\]\[convolved width\]\[width\].
    band: Vec<f32>,
    largest: Vec<f32>,
    chosen: Vec<u32>,
}

impl Layer {
    fn new(extents: Extents, weights: &[f32], bias: &[f32], relu: bool) -> Self {
        let width = extents.outputs.next_multiple_of(LANES);
        let mut packed = vec![0.0; extents.taps() * width];
        for (output, weights) in weights.chunks_exact(extents.taps()).enumerate() {
            for (packed, weight) in packed[output..].iter_mut().step_by(width).zip(weights) {
                *packed = *weight;
            }
        }
        let [height, row] = extents.padded;
        let [kernel_height, kernel_width] = extents.kernel;
        let taps = (0..extents.channels).flat_map(|channel| {
            (0..kernel_height).flat_map(move |ky| (0..kernel_width).map(move |kx| (channel * height + ky) * row + kx))
        });
        let mut padded_bias = bias.to_vec();
        padded_bias.resize(width, 0.0);
        Self { extents, relu, width, weights: packed, bias: padded_bias, taps: taps.collect() }
    }

    fn scratch(&self) -> Scratch {
        let Extents { channels, padded, pool, convolved, .. } = self.extents;
        Scratch {
            planes: vec![0.0; channels * padded[0] * padded[1]],
            band: vec![0.0; pool[0] * convolved[1] * self.width],
            largest: vec![0.0; self.width],
            chosen: vec![0; self.width],
        }
    }

    fn image(&self, image: &[f32], output: &mut [f32], mut choice: Option<&mut [u32]>, scratch: &mut Scratch) {
        let Extents { input, padding, padded, convolved, pool, pool_stride, pooled, .. } = self.extents;
        for (row, values) in image.chunks_exact(input[1]).enumerate() {
            let (channel, y) = (row / input[0], row % input[0]);
            let start = (channel * padded[0] + y + padding[0]) * padded[1] + padding[1];
            scratch.planes[start..start + input[1]].copy_from_slice(values);
        }
        for window_row in 0..pooled[0] {
            for (y, band) in scratch.band.chunks_exact_mut(convolved[1] * self.width).enumerate() {
                let y = window_row * pool_stride[0] + y;
                Arch::new().dispatch(Row { layer: self, planes: &scratch.planes, y, output: band });
            }
            for window_column in 0..pooled[1] {
                let first = window_column * pool_stride[1] * self.width;
                Arch::new().dispatch(|| {
                    scratch.largest.copy_from_slice(&scratch.band[first..first + self.width]);
                    scratch.chosen.fill(0);
                    for place in 1..pool[0] * pool[1] {
                        let at = first + (place / pool[1] * convolved[1] + place % pool[1]) * self.width;
                        let values = &scratch.band[at..at + self.width];
                        for ((largest, chosen), &value) in
                            scratch.largest.iter_mut().zip(&mut scratch.chosen).zip(values)
                        {
                            let larger = value > *largest;
                            *largest = if larger { value } else { *largest };
                            *chosen = if larger { place as u32 } else { *chosen };
                        }
                    }
                });
                let window = window_row * pooled[1] + window_column;
                let windows = pooled[0] * pooled[1];
                for (output, &value) in output[window..].iter_mut().step_by(windows).zip(&scratch.largest) {
                    // What is no number stays so, that divergence shows.
                    *output = if self.relu && value <= 0.0 { 0.0 } else { value };
                }
                if let Some(choice) = &mut choice {
                    let found = scratch.largest.iter().zip(&scratch.chosen);
                    for (choice, (&value, &chosen)) in choice[window..].iter_mut().step_by(windows).zip(found) {
                        *choice = if self.relu && value <= 0.0 { NO_CHOICE } else { chosen };
                    }
                }
            }
        }
    }
}

/// One row of the convolution: output\[x\]\[channel\].
struct Row<'a> {
    layer: &'a Layer,
    planes: &'a [f32],
    y: usize,
    output: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let places = self.layer.extents.convolved[1];
        // Tiles of equal width, of which the last overlaps the one before where they do not come out even.
        let tile = places.div_ceil(places.div_ceil(8));
        let mut column = 0;
        while column < self.layer.width {
            let pair = self.layer.width - column >= 2 * S::F32_LANES;
            for first in (0..places).step_by(tile) {
                let first = first.min(places - tile);
                macro_rules! sum {
                    ($count:literal, $simd:ident) => {
                        if pair {
                            self.tile::<S, $count, 2>($simd, first, column)
                        } else {
                            self.tile::<S, $count, 1>($simd, first, column)
                        }
                    };
                }
                with_count!(tile, sum!(simd));
            }
            column += if pair { 2 } else { 1 } * S::F32_LANES;
        }
    }
}

impl Row<'_> {
    /// Sums `PLACES` places and `VECTORS` vectors of channels.
    #[inline(always)]
    fn tile<S: Simd, const PLACES: usize, const VECTORS: usize>(&mut self, simd: S, first: usize, column: usize) {
        let Layer { extents, width, weights, bias, taps, .. } = self.layer;
        let start = self.y * extents.stride[0] * extents.padded[1] + first * extents.stride[1];
        let step = extents.stride[1];
        let planes = &self.planes[start..];
        assert!(taps.last().is_some_and(|tap| tap + (PLACES - 1) * step < planes.len()));
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; PLACES];
        for (&tap, weights) in taps.iter().zip(weights.chunks_exact(*width)) {
            let (weights, _) = S::as_simd_f32s(&weights[column..column + VECTORS * S::F32_LANES]);
            for (place, sums) in sums.iter_mut().enumerate() {
                // SAFETY: taps ascend, and the assertion above holds the last one of the last place inside the planes.
                let value = simd.splat_f32s(unsafe { *planes.get_unchecked(tap + place * step) });
                for vector in 0..VECTORS {
                    sums[vector] = simd.mul_add_f32s(value, weights[vector], sums[vector]);
                }
            }
        }
        let (bias, _) = S::as_simd_f32s(&bias[column..column + VECTORS * S::F32_LANES]);
        for (place, sums) in sums.iter().enumerate() {
            let at = (first + place) * width + column;
            let (output, _) = S::as_mut_simd_f32s(&mut self.output[at..at + VECTORS * S::F32_LANES]);
            for vector in 0..VECTORS {
                output[vector] = simd.add_f32s(sums[vector], bias[vector]);
            }
        }
    }
}
