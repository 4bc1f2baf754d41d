//! The gradients of a convolution's weights and bias; the twin of `shaders/conv2d_backward_weights.wgsl`.
//!
//! A gradient touches the patch of inputs that the chosen place of its window saw, and no other: a quarter of the work
//! behind a 2 × 2 pool, less what the ReLU zeroed. With channels last, a row of a patch is one stretch of memory.

use super::memory::Floats;
use super::planes::{Extents, SLACK, vectors, with_count};
use super::{Memory, Threads};
use crate::program::{Conv2dBackwardWeights, NO_CHOICE};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// About how many bytes of an image's patches are gone through at a time, for each output: they stay in the nearest cache.
const BAND: usize = 16 * 1024;

pub(super) fn run(op: &Conv2dBackwardWeights, memory: &mut Memory, threads: &Threads) {
    let extents = Extents::new(memory.program(), &op.geometry, op.input, op.gradient);
    let block = op.block as usize;
    let layer = Layer::new(extents);
    memory.with_outputs([Some(op.output)], |memory, [output]| {
        let live = memory.state(op.state).live as usize;
        let (input_len, output_len) = (extents.input_len(), extents.output_len());
        let images = &memory.f32(op.input)[..live * input_len];
        let gradients = &memory.f32(op.gradient)[..live * output_len];
        let choices = &memory.u32(op.choice)[..live * output_len];
        let sums = extents.outputs * (extents.taps() + 1);
        threads.for_each_with(
            output.par_chunks_mut(sums).enumerate(),
            || layer.scratch(),
            |scratch, (index, sums)| {
                let rows =
                    |len: usize| (index * block * len).min(live * len)..((index + 1) * block * len).min(live * len);
                extents.arch().dispatch(Block {
                    layer: &layer,
                    images: &images[rows(input_len)],
                    gradients: &gradients[rows(output_len)],
                    choices: &choices[rows(output_len)],
                    sums,
                    scratch,
                });
            },
        );
    });
}

/// The layer, and how it is gone through.
struct Layer {
    extents: Extents,
    /// Where the patch of each place of each window begins.
    starts: Vec<u32>,
    /// The farthest of these.
    last: usize,
    /// Where the stretches of a patch begin within it.
    stretches: Vec<usize>,
    /// These in parts that are summed together.
    parts: Vec<Range<usize>>,
    /// Where among an output's sums each tap is.
    of_taps: Vec<usize>,
    /// Floats of an output's sums, as vectors.
    stride: usize,
    /// Windows that are gone through at a time.
    band: usize,
}

struct Scratch {
    /// An image, channels last and padding around, and room to read beyond the end.
    patches: Floats,
    /// Of each gradient of a band that is passed on: where its patch begins, and itself.
    entries: Vec<(u32, f32)>,
    /// \[outputs\]\[stretches\]\[lanes\].
    sums: Floats,
}

impl Layer {
    fn new(extents: Extents) -> Self {
        let starts = extents.starts().into_iter().map(|start| u32::try_from(start * extents.channels));
        let starts: Vec<u32> = starts.collect::<Result<_, _>>().expect("an image is not so large");
        let stretches = extents.stretches();
        let row = size_of::<f32>() * extents.padded[1] * extents.channels;
        let rows = BAND / row / extents.pool_stride[0] / extents.stride[0];
        let band = rows.clamp(1, extents.pooled[0]) * extents.pooled[1];
        let [lanes, _] = vectors(extents.arch());
        let mut of_taps = vec![0; extents.taps()];
        for (&[row, first, _], vector) in stretches.iter().zip((0..).step_by(lanes)) {
            for lane in 0..lanes {
                if let Some(tap) = extents.tap(row, first + lane) {
                    of_taps[tap] = vector + lane;
                }
            }
        }
        Self {
            extents,
            last: *starts.last().expect("there is a window") as usize,
            starts,
            stretches: stretches.iter().map(|stretch| stretch[2]).collect(),
            parts: extents.parts(),
            of_taps,
            stride: stretches.len() * lanes,
            band,
        }
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            patches: Floats::zeros(self.extents.patch_len() + SLACK),
            entries: vec![(0, 0.0); self.band],
            sums: Floats::zeros(self.extents.outputs * self.stride),
        }
    }
}

/// The partial sums of a block of images.
struct Block<'a> {
    layer: &'a Layer,
    images: &'a [f32],
    gradients: &'a [f32],
    choices: &'a [u32],
    sums: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { layer, images, gradients, choices, sums, scratch } = self;
        let Layer { extents, starts, last, stretches, parts, of_taps, stride, band } = layer;
        let Scratch { patches, entries, sums: partial } = scratch;
        let (windows, taps, area) = (extents.windows(), extents.taps(), extents.area());
        let (weights, biases) = sums.split_at_mut(extents.outputs * taps);
        biases.fill(0.0);
        partial.fill(0.0);
        let planes = gradients.chunks_exact(extents.output_len()).zip(choices.chunks_exact(extents.output_len()));
        for (image, (gradients, choices)) in images.chunks_exact(extents.input_len()).zip(planes) {
            extents.channels_last(image, patches);
            for (first, starts) in (0..).step_by(*band).zip(starts.chunks(band * area)) {
                let count = starts.len() / area;
                let planes = gradients.chunks_exact(windows).zip(choices.chunks_exact(windows));
                let outputs = planes.zip(biases.iter_mut().zip(partial.chunks_exact_mut(*stride)));
                for ((gradients, choices), (bias, partial)) in outputs {
                    let passed =
                        passed(&gradients[first..][..count], &choices[first..][..count], starts, area, entries);
                    // The bias with the first stretches, between whose sums there is time for it.
                    let mut bias = Some(bias);
                    for part in parts {
                        let stretches = &stretches[part.clone()];
                        let sums = &mut partial[part.start * S::F32_LANES..part.end * S::F32_LANES];
                        macro_rules! sum {
                            ($count:literal, $simd:ident) => {
                                accumulate::<S, $count>($simd, patches, *last, passed, stretches, sums, bias.take())
                            };
                        }
                        with_count!(up to 16, stretches.len(), sum!(simd));
                    }
                }
            }
        }
        for (weights, partial) in weights.chunks_exact_mut(taps).zip(partial.chunks_exact(*stride)) {
            for (weight, &float) in weights.iter_mut().zip(of_taps) {
                *weight = partial[float];
            }
        }
    }
}

/// The gradients that are passed on, each with where its patch begins.
#[inline(always)]
fn passed<'a>(
    gradients: &[f32],
    choices: &[u32],
    starts: &[u32],
    area: usize,
    entries: &'a mut [(u32, f32)],
) -> &'a [(u32, f32)] {
    let mut count = 0;
    for ((&gradient, &choice), starts) in gradients.iter().zip(choices).zip(starts.chunks_exact(area)) {
        // Written in any case, and kept if there is a choice: a branch would be guessed wrongly half the time.
        let place = (choice as usize).min(area - 1);
        entries[count] = (starts[place], gradient);
        count += usize::from(choice != NO_CHOICE);
    }
    &entries[..count]
}

/// sums += Σ gradient · patch, over some stretches of the patches; bias += Σ gradient. No patch begins behind `last`.
#[inline(always)]
fn accumulate<S: Simd, const COUNT: usize>(
    simd: S,
    patches: &[f32],
    last: usize,
    entries: &[(u32, f32)],
    stretches: &[usize],
    sums: &mut [f32],
    bias: Option<&mut f32>,
) {
    let stretches: &[usize; COUNT] = stretches.try_into().expect("so many");
    assert!(last + stretches[COUNT - 1] + S::F32_LANES <= patches.len());
    let (sums, _) = S::as_mut_simd_f32s(sums);
    let mut totals = [simd.splat_f32s(0.0); COUNT];
    totals.copy_from_slice(sums);
    let mut total = bias.as_ref().map_or(0.0, |bias| **bias);
    for &(start, gradient) in entries {
        total += gradient;
        let gradient = simd.splat_f32s(gradient);
        for (sum, stretch) in totals.iter_mut().zip(stretches) {
            // SAFETY: `run` takes patches and stretches from one `Layer`, where no patch begins behind the last one and
            // stretches ascend; the assertion holds the last stretch of the last patch inside.
            let vector = unsafe { patches.as_ptr().add(start as usize + stretch).cast::<S::f32s>().read_unaligned() };
            *sum = simd.mul_add_f32s(gradient, vector, *sum);
        }
    }
    sums.copy_from_slice(&totals);
    if let Some(bias) = bias {
        *bias = total;
    }
}
