//! A convolution with bias, ReLU and max-pool; the twin of `shaders/conv2d_forward.wgsl`.
//!
//! Vectors run over the output channels. Tiles of up to eight places are summed in registers in the order of the weights.
//! Tiles of whole windows, of one place or of four each, are pooled there, too; all others from memory.

use super::memory::Floats;
use super::planes::{Extents, transpose, with_count};
use super::{Memory, Threads};
use crate::program::{Conv2dForward, NO_CHOICE};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Output channels are padded to whole vectors of this width.
const LANES: usize = 16;
/// Places of a tile, at most.
const PLACES: usize = 8;

pub(super) fn run(op: &Conv2dForward, memory: &mut Memory, threads: &Threads) {
    let extents = Extents::new(memory.program(), &op.geometry, op.input, op.output);
    memory.with_outputs([Some(op.output), op.choice], |memory, [output, choice]| {
        let live = memory.state(op.state).live as usize;
        let (input_len, output_len) = (extents.input_len(), extents.output_len());
        let make = || Layer::new(extents, memory.f32(op.weights), memory.f32(op.bias), op.relu);
        let layer = memory.derived(op.output, &[op.weights, op.bias], make);
        let images = memory.f32(op.input)[..live * input_len].par_chunks(input_len);
        let outputs = output[..live * output_len].par_chunks_mut(output_len);
        let scratch = || layer.scratch();
        // A single image is for all threads.
        let shared = (live == 1).then_some(threads);
        let choice: &mut [u32] = bytemuck::cast_slice_mut(choice);
        if op.choice.is_some() {
            let choices = choice[..live * output_len].par_chunks_mut(output_len);
            let images = images.zip(outputs).zip(choices);
            threads.for_each_with(images, scratch, |scratch, ((image, output), choice)| {
                layer.image(image, output, Some(choice), scratch, shared);
            });
        } else {
            threads.for_each_with(images.zip(outputs), scratch, |scratch, (image, output)| {
                layer.image(image, output, None, scratch, shared);
            });
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
    weights: Floats,
    /// \[width\].
    bias: Vec<f32>,
    /// Where, from the place of an output in the padded planes, each tap is.
    taps: Vec<usize>,
    /// Where in the padded planes each place of each pool window is.
    starts: Vec<usize>,
}

struct Scratch {
    /// The padded image, \[channels\]\[height\]\[width\].
    planes: Vec<f32>,
    /// See [`Layer::places`].
    places: Floats,
    /// After pool and ReLU, \[windows\]\[width\].
    largest: Floats,
    /// The choices, likewise.
    chosen: Vec<u32>,
}

impl Layer {
    fn new(extents: Extents, weights: &[f32], bias: &[f32], relu: bool) -> Self {
        let width = extents.outputs.next_multiple_of(LANES);
        let mut packed = Floats::zeros(extents.taps() * width);
        transpose(weights, extents.taps(), &mut packed, width, [extents.outputs, extents.taps()]);
        let [height, row] = extents.padded;
        let [kernel_height, kernel_width] = extents.kernel;
        let taps = (0..extents.channels).flat_map(|channel| {
            (0..kernel_height).flat_map(move |ky| (0..kernel_width).map(move |kx| (channel * height + ky) * row + kx))
        });
        let mut padded_bias = bias.to_vec();
        padded_bias.resize(width, 0.0);
        let (starts, taps) = (extents.starts(), taps.collect());
        Self { extents, relu, width, weights: packed, bias: padded_bias, taps, starts }
    }

    fn scratch(&self) -> Scratch {
        let Extents { channels, padded, .. } = self.extents;
        let outputs = self.extents.windows() * self.width;
        Scratch {
            planes: vec![0.0; channels * padded[0] * padded[1]],
            places: self.places(),
            largest: Floats::zeros(outputs),
            chosen: vec![0; outputs],
        }
    }

    /// Room for the convolution at the places of windows that are summed together, \[windows\]\[area\]\[width\].
    fn places(&self) -> Floats {
        Floats::zeros(self.extents.area().max(PLACES) * self.width)
    }

    /// One image, to its output and its choices; `shared` between threads that have no other one to do.
    fn image(
        &self,
        image: &[f32],
        output: &mut [f32],
        choice: Option<&mut [u32]>,
        scratch: &mut Scratch,
        shared: Option<&Threads>,
    ) {
        let Extents { input, padding, padded, .. } = self.extents;
        let Scratch { planes, places, largest, chosen } = scratch;
        let planes: &[f32] = if padding == [0, 0] {
            image
        } else {
            for (row, values) in image.chunks_exact(input[1]).enumerate() {
                let (channel, y) = (row / input[0], row % input[0]);
                let start = (channel * padded[0] + y + padding[0]) * padded[1] + padding[1];
                planes[start..start + input[1]].copy_from_slice(values);
            }
            planes
        };
        let run = |places: &mut [f32], ((largest, chosen), starts): ((&mut [f32], &mut [u32]), &[usize])| {
            Arch::new().dispatch(Windows { layer: self, planes, starts, places, largest, chosen });
        };
        if let Some(threads) = shared {
            // Whole tiles for each thread.
            let tile = (PLACES / self.extents.area()).max(1);
            let share = self.extents.windows().div_ceil(threads.count()).next_multiple_of(tile);
            let outputs = largest.par_chunks_mut(share * self.width).zip(chosen.par_chunks_mut(share * self.width));
            let parts = outputs.zip(self.starts.par_chunks(share * self.extents.area()));
            threads.for_each_with(parts, || self.places(), |places, part| run(places, part));
        } else {
            run(places, ((largest, chosen), &self.starts));
        }
        let windows = self.extents.windows();
        transpose(largest, self.width, output, windows, [windows, self.extents.outputs]);
        if let Some(choice) = choice {
            transpose(chosen, self.width, choice, windows, [windows, self.extents.outputs]);
        }
    }
}

/// Pool windows of one image, from its planes to their largest and chosen places.
struct Windows<'a> {
    layer: &'a Layer,
    planes: &'a [f32],
    starts: &'a [usize],
    places: &'a mut [f32],
    largest: &'a mut [f32],
    chosen: &'a mut [u32],
}

impl WithSimd for Windows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { layer, planes, starts, places, largest, chosen } = self;
        let Layer { extents, width, .. } = layer;
        let (width, area) = (*width, extents.area());
        let tile = if S::REGISTER_COUNT >= 32 { PLACES } else { PLACES / 2 };
        let group = (tile / area).max(1);
        let outputs = largest.chunks_mut(group * width).zip(chosen.chunks_mut(group * width));
        for ((largest, chosen), starts) in outputs.zip(starts.chunks(group * area)) {
            match (area, starts.len()) {
                (1, 8) => layer.windows::<S, 8, 1>(simd, planes, starts, largest, chosen),
                (1, 4) => layer.windows::<S, 4, 1>(simd, planes, starts, largest, chosen),
                (4, 8) => layer.windows::<S, 8, 4>(simd, planes, starts, largest, chosen),
                (4, 4) => layer.windows::<S, 4, 4>(simd, planes, starts, largest, chosen),
                _ => layer.any_windows(simd, planes, starts, places, largest, chosen),
            }
        }
    }
}

impl Layer {
    /// Windows of `AREA` places each, `COUNT` in all, pooled in registers: \[windows\]\[width\].
    #[inline(always)]
    fn windows<S: Simd, const COUNT: usize, const AREA: usize>(
        &self,
        simd: S,
        planes: &[f32],
        starts: &[usize],
        largest: &mut [f32],
        chosen: &mut [u32],
    ) {
        let starts = starts.try_into().expect("so many");
        let mut column = 0;
        while column < self.width {
            // Where there are registers for so many sums, beside the weights and a value.
            if 2 * COUNT + 3 <= S::REGISTER_COUNT && self.width - column >= 2 * S::F32_LANES {
                self.columns::<S, COUNT, AREA, 2>(simd, planes, starts, column, largest, chosen);
                column += 2 * S::F32_LANES;
            } else {
                self.columns::<S, COUNT, AREA, 1>(simd, planes, starts, column, largest, chosen);
                column += S::F32_LANES;
            }
        }
    }

    /// `VECTORS` vectors of their channels.
    #[inline(always)]
    fn columns<S: Simd, const COUNT: usize, const AREA: usize, const VECTORS: usize>(
        &self,
        simd: S,
        planes: &[f32],
        starts: &[usize; COUNT],
        column: usize,
        largest: &mut [f32],
        chosen: &mut [u32],
    ) {
        let sums = self.sums::<S, COUNT, VECTORS>(simd, planes, starts, column);
        for window in 0..COUNT / AREA {
            for vector in 0..VECTORS {
                let places = &sums[window * AREA..(window + 1) * AREA];
                let (most, choice) = self.pool(simd, places.iter().map(|place| place[vector]));
                let output = window * self.width + column + vector * S::F32_LANES;
                S::as_mut_simd_f32s(&mut largest[output..][..S::F32_LANES]).0[0] = most;
                S::as_mut_simd_u32s(&mut chosen[output..][..S::F32_LANES]).0[0] = choice;
            }
        }
    }

    /// Windows of any size and number, pooled from memory.
    #[inline(always)]
    fn any_windows<S: Simd>(
        &self,
        simd: S,
        planes: &[f32],
        starts: &[usize],
        places: &mut [f32],
        largest: &mut [f32],
        chosen: &mut [u32],
    ) {
        let width = self.width;
        for column in (0..width).step_by(S::F32_LANES) {
            for (starts, places) in starts.chunks(PLACES).zip(places.chunks_mut(PLACES * width)) {
                macro_rules! sum {
                    ($count:literal, $simd:ident) => {{
                        let starts = starts.try_into().expect("so many");
                        let sums = self.sums::<S, $count, 1>($simd, planes, starts, column);
                        for (sums, places) in sums.iter().zip(places.chunks_exact_mut(width)) {
                            S::as_mut_simd_f32s(&mut places[column..][..S::F32_LANES]).0.copy_from_slice(sums);
                        }
                    }};
                }
                with_count!(starts.len(), sum!(simd));
            }
        }
        let outputs = largest.chunks_exact_mut(width).zip(chosen.chunks_exact_mut(width));
        for ((largest, chosen), places) in outputs.zip(places.chunks_exact(self.extents.area() * width)) {
            let ((largest, _), (chosen, _)) = (S::as_mut_simd_f32s(largest), S::as_mut_simd_u32s(chosen));
            let (places, _) = S::as_simd_f32s(places);
            for (column, (largest, chosen)) in largest.iter_mut().zip(&mut *chosen).enumerate() {
                let places = places[column..].iter().step_by(width / S::F32_LANES).copied();
                (*largest, *chosen) = self.pool(simd, places);
            }
        }
    }

    /// Sums `COUNT` places and `VECTORS` vectors of channels, in the order of the weights.
    #[inline(always)]
    fn sums<S: Simd, const COUNT: usize, const VECTORS: usize>(
        &self,
        simd: S,
        planes: &[f32],
        starts: &[usize; COUNT],
        column: usize,
    ) -> [[S::f32s; VECTORS]; COUNT] {
        let Self { width, weights, bias, taps, .. } = self;
        let last = taps.last().expect("a kernel has a tap");
        assert!(starts.iter().all(|start| start + last < planes.len()));
        let mut places = [planes.as_ptr(); COUNT];
        for (place, &start) in places.iter_mut().zip(starts) {
            *place = place.wrapping_add(start);
        }
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; COUNT];
        for (&tap, weights) in taps.iter().zip(weights.chunks_exact(*width)) {
            let (weights, _) = S::as_simd_f32s(&weights[column..column + VECTORS * S::F32_LANES]);
            for (place, sums) in places.iter().zip(&mut sums) {
                // SAFETY: taps ascend, and the assertion holds the last one of each place inside the planes.
                let value = simd.splat_f32s(unsafe { *place.add(tap) });
                for vector in 0..VECTORS {
                    sums[vector] = simd.mul_add_f32s(value, weights[vector], sums[vector]);
                }
            }
        }
        let (bias, _) = S::as_simd_f32s(&bias[column..column + VECTORS * S::F32_LANES]);
        for sums in &mut sums {
            for vector in 0..VECTORS {
                sums[vector] = simd.add_f32s(sums[vector], bias[vector]);
            }
        }
        sums
    }

    /// The largest of the places of a window, and which it is, then the ReLU.
    #[inline(always)]
    fn pool<S: Simd>(&self, simd: S, mut places: impl Iterator<Item = S::f32s>) -> (S::f32s, S::u32s) {
        let mut most = places.next().expect("a window has a place");
        let mut choice = simd.splat_u32s(0);
        for (place, value) in (1..).zip(places) {
            let larger = simd.greater_than_f32s(value, most);
            most = simd.select_f32s(larger, value, most);
            choice = simd.select_u32s(larger, simd.splat_u32s(place), choice);
        }
        if self.relu {
            // What is no number stays so, that divergence shows.
            let zero = simd.splat_f32s(0.0);
            let off = simd.less_than_or_equal_f32s(most, zero);
            most = simd.select_f32s(off, zero, most);
            choice = simd.select_u32s(off, simd.splat_u32s(NO_CHOICE), choice);
        }
        (most, choice)
    }
}
