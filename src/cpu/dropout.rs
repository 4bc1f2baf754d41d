//! Zeroes a random share of a tensor; the twin of `shaders/dropout.wgsl`.

use super::{Memory, Threads};
use crate::program::Dropout;
use crate::random::{Purpose, threefry_of};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

pub(super) fn run(op: &Dropout, memory: &mut Memory, threads: &Threads) {
    let width = memory.program().tensor(op.output).row_len();
    memory.with_outputs([Some(op.output)], |memory, [output]| {
        let state = memory.state(op.state);
        let key = [state.seed, Purpose::Dropout as u32 | (op.layer << 8)];
        let first_row = state.offset % op.batch;
        let live = state.live as usize;
        let rows = output[..live * width].par_chunks_mut(width).zip(memory.f32(op.input).par_chunks(width));
        threads.for_each(rows.zip(first_row..first_row + state.live), |((output, input), row)| {
            let counter = [state.step, row.wrapping_mul(width as u32)];
            Arch::new().dispatch(Row { key, counter, rate: op.rate, input, output });
        });
    });
}

/// A row of the batch.
struct Row<'a> {
    key: [u32; 2],
    /// That of the first element.
    counter: [u32; 2],
    rate: f32,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { key, counter: [step, mut element], rate, input, output } = self;
        // u ≥ rate, where u is the upper 24 bits of a word times 2⁻²⁴.
        let least = simd.splat_u32s(((f64::from(rate) * 16_777_216.0).ceil() as u32) << 8);
        let scale = simd.splat_f32s(1.0 / (1.0 - rate));
        let lanes: Vec<u32> = (0..S::U32_LANES as u32).collect();
        let lanes = S::as_simd_u32s(&lanes).0[0];
        for (input, output) in input.chunks(S::F32_LANES).zip(output.chunks_mut(S::F32_LANES)) {
            let counter = [simd.splat_u32s(step), simd.add_u32s(simd.splat_u32s(element), lanes)];
            let [words, _] = threefry_of(
                key,
                counter,
                #[inline(always)]
                |number| simd.splat_u32s(number),
                #[inline(always)]
                |a, b| simd.add_u32s(a, b),
                #[inline(always)]
                |word, rotation, other| {
                    let left = simd.wrapping_dyn_shl_u32s(word, simd.splat_u32s(rotation));
                    let right = simd.wrapping_dyn_shr_u32s(word, simd.splat_u32s(32 - rotation));
                    simd.xor_u32s(simd.or_u32s(left, right), other)
                },
            );
            let kept = simd.greater_than_or_equal_u32s(words, least);
            let scaled = simd.mul_f32s(simd.partial_load_f32s(input), scale);
            simd.partial_store_f32s(output, simd.select_f32s(kept, scaled, simd.splat_f32s(0.0)));
            element = element.wrapping_add(S::U32_LANES as u32);
        }
    }
}
