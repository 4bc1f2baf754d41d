//! Zeroes a random share of a tensor; the twin of `shaders/dropout.wgsl`.

use super::Memory;
use crate::program::Dropout;
use crate::random::{Purpose, uniform};
use rayon::prelude::*;

pub(super) fn run(op: &Dropout, memory: &mut Memory) {
    let width = memory.program().tensor(op.output).row_len();
    let scale = 1.0 / (1.0 - op.rate);
    memory.with_outputs([Some(op.output)], |memory, [output]| {
        let state = memory.state(op.state);
        let key = [state.seed, Purpose::Dropout as u32 | (op.layer << 8)];
        let first_row = state.offset % op.batch;
        let live = state.live as usize;
        let rows = output[..live * width].par_chunks_mut(width).zip(memory.f32(op.input).par_chunks(width));
        rows.zip(first_row..first_row + state.live).for_each(|((output, input), row)| {
            let first = row.wrapping_mul(width as u32);
            for ((output, input), column) in output.iter_mut().zip(input).zip(0..) {
                let keep = uniform(key, [state.step, first.wrapping_add(column)]) >= op.rate;
                *output = if keep { input * scale } else { 0.0 };
            }
        });
    });
}
