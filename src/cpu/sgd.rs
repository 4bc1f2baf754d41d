//! Stochastic gradient descent; the twin of `shaders/sgd.wgsl`.

use super::{BLOCK, Memory, Threads};
use crate::program::Sgd;
use rayon::prelude::*;

pub(super) fn run(op: &Sgd, memory: &mut Memory, threads: &Threads) {
    let (momentum, decay) = (op.momentum as f32, op.weight_decay as f32);
    memory.with_outputs([Some(op.parameters), op.velocity], |memory, [parameters, velocity]| {
        let rate = memory.state(op.state).learning_rate;
        let blocks = parameters.par_chunks_mut(BLOCK).zip(memory.f32(op.gradients).par_chunks(BLOCK));
        if op.velocity.is_none() {
            threads.for_each(blocks, |(parameters, gradients)| {
                pulp::Arch::new().dispatch(|| {
                    for (p, &g) in parameters.iter_mut().zip(gradients) {
                        *p -= rate * decay.mul_add(*p, g);
                    }
                });
            });
            return;
        }
        threads.for_each(blocks.zip(velocity.par_chunks_mut(BLOCK)), |((parameters, gradients), velocity)| {
            pulp::Arch::new().dispatch(|| {
                for ((p, &g), v) in parameters.iter_mut().zip(gradients).zip(velocity) {
                    let g = decay.mul_add(*p, g);
                    *v = momentum.mul_add(*v, g);
                    *p -= rate * if op.nesterov { momentum.mul_add(*v, g) } else { *v };
                }
            });
        });
    });
}
