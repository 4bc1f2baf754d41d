//! Uniform initial weights; the twin of `shaders/init_uniform.wgsl`.

use super::{BLOCK, Memory, Threads};
use crate::program::InitUniform;
use crate::random::{Purpose, uniform};
use rayon::prelude::*;

pub(super) fn run(op: &InitUniform, memory: &mut Memory, threads: &Threads) {
    let key = [memory.state(op.state).seed, Purpose::Init as u32];
    memory.with_outputs([Some(op.output)], |_, [output]| {
        threads.for_each(output.par_chunks_mut(BLOCK).enumerate(), |(block, values)| {
            for (value, index) in values.iter_mut().zip((block * BLOCK) as u32..) {
                *value = op.bound * (2.0 * uniform(key, [op.stream, index]) - 1.0);
            }
        });
    });
}
