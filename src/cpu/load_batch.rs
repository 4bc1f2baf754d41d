//! Gathers and normalises images; the twin of `shaders/load_batch.wgsl`.

use super::{Memory, Threads};
use crate::program::LoadBatch;
use rayon::prelude::*;

pub(super) fn run(op: &LoadBatch, memory: &mut Memory, threads: &Threads) {
    let pixels = memory.program().tensor(op.output).row_len();
    memory.with_outputs([Some(op.output)], |memory, [output]| {
        let live = memory.state(op.state).live as usize;
        let images = memory.bytes(op.images);
        let samples: &[[u32; 2]] = bytemuck::cast_slice(memory.u32(op.samples));
        let rows = output[..live * pixels].par_chunks_mut(pixels).zip(samples).with_min_len(16);
        threads.for_each(rows, |(row, &[image, _])| {
            let image = &images[image as usize * pixels..][..pixels];
            pulp::Arch::new().dispatch(|| {
                for (value, &byte) in row.iter_mut().zip(image) {
                    *value = f32::from(byte).mul_add(op.scale, op.shift);
                }
            });
        });
    });
}
