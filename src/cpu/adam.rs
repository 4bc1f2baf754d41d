//! Adam and AdamW; the twin of `shaders/adam.wgsl`.

use super::{BLOCK, Memory, Threads};
use crate::program::Adam;
use rayon::prelude::*;

pub(super) fn run(op: &Adam, memory: &mut Memory, threads: &Threads) {
    let (beta1, rest1) = (op.beta1 as f32, (1.0 - op.beta1) as f32);
    let (beta2, rest2) = (op.beta2 as f32, (1.0 - op.beta2) as f32);
    let epsilon = op.epsilon as f32;
    let outputs = [Some(op.parameters), Some(op.first_moment), Some(op.second_moment)];
    memory.with_outputs(outputs, |memory, [parameters, first, second]| {
        let state = memory.state(op.state);
        let step_size = state.learning_rate * state.first_correction;
        let correction = state.second_correction;
        let (penalty, keep) = if op.decoupled {
            (0.0, 1.0 - state.learning_rate * op.weight_decay as f32)
        } else {
            (op.weight_decay as f32, 1.0)
        };
        let blocks = parameters
            .par_chunks_mut(BLOCK)
            .zip(memory.f32(op.gradients).par_chunks(BLOCK))
            .zip(first.par_chunks_mut(BLOCK))
            .zip(second.par_chunks_mut(BLOCK));
        threads.for_each(blocks, |(((parameters, gradients), first), second)| {
            pulp::Arch::new().dispatch(|| {
                for (((p, &g), m), v) in parameters.iter_mut().zip(gradients).zip(first).zip(second) {
                    let g = penalty.mul_add(*p, g);
                    *m = beta1.mul_add(*m, rest1 * g);
                    *v = beta2.mul_add(*v, rest2 * g * g);
                    *p = *p * keep - step_size * *m / v.sqrt().mul_add(correction, epsilon);
                }
            });
        });
    });
}
