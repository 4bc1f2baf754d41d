//! Adds up partial sums; the twin of `shaders/reduce.wgsl`.

use super::Memory;
use crate::program::Reduce;

pub(super) fn run(op: &Reduce, memory: &mut Memory) {
    memory.with_outputs([Some(op.output), Some(op.bias_gradient)], |memory, [weights, bias]| {
        if !op.accumulate {
            weights.fill(0.0);
            bias.fill(0.0);
        }
        for row in memory.f32(op.input).chunks_exact(weights.len() + bias.len()) {
            let (row_weights, row_bias) = row.split_at(weights.len());
            for (sum, value) in weights.iter_mut().zip(row_weights).chain(bias.iter_mut().zip(row_bias)) {
                *sum += value;
            }
        }
    });
}
