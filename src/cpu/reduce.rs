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
            // Two loops, for one over both parts would not be vectorised.
            weights.iter_mut().zip(row_weights).for_each(|(sum, value)| *sum += value);
            bias.iter_mut().zip(row_bias).for_each(|(sum, value)| *sum += value);
        }
    });
}
