//! How long the loops of shaders are: llvmpipe ends every loop of an invocation, without a word, once all of its loops
//! together have run 65,535 times. What is laid out in blocks and micro-batches is laid out to stay below.

use super::{
    Access, Conv2dBackwardInput, Conv2dBackwardWeights, Conv2dForward, Convolution, Form, Matmul, Op, Program, Reduce,
    SoftmaxNll, TensorId,
};

/// The most iterations of all loops of one invocation together.
pub const LOOP_ITERATIONS: u32 = 65_535;

/// Images of a partial sum of a convolution's weight gradients, at most: few enough for many workgroups, enough that the
/// partial sums are few.
pub const BLOCK: u32 = 16;

/// What a loop counts that runs so often and whose body counts so much: each run, and leaving it.
fn looped(times: impl Into<u64>, body: u64) -> u64 {
    times.into().saturating_mul(body.saturating_add(1)).saturating_add(1)
}

impl Convolution {
    /// Images of a partial sum of the gradients of weights, by height and width of what comes out of the pool: a power of
    /// two, [`BLOCK`] where that does not make the loops too long.
    pub fn block(pooled: [u32; 2]) -> u32 {
        let loops = |block: u32| looped(block, looped(pooled[0], looped(pooled[1], 0)));
        let fits = |block: &u32| loops(*block) <= u64::from(LOOP_ITERATIONS);
        [BLOCK, 8, 4, 2].into_iter().find(fits).unwrap_or(1)
    }
}

/// The iterations of all loops of one invocation of an op's shader, the longest of its variants.
fn iterations(program: &Program, op: &Op) -> u64 {
    let extent = |id: TensorId, axis: usize| program.tensor(id).shape[axis];
    match op {
        Op::Conv2dForward(Conv2dForward { input, geometry: Convolution { kernel, pool, .. }, .. }) => {
            let convolve = looped(extent(*input, 1), looped(kernel[0], looped(kernel[1], 0)));
            // Up to 16 outputs are stored one by one, while the others move up.
            looped(u64::from(pool[0]) * u64::from(pool[1]), convolve) + looped(16_u32, looped(15_u32, 0))
        }
        Op::Conv2dBackwardInput(Conv2dBackwardInput { gradient, geometry, .. }) => {
            let Convolution { kernel, pool, pool_stride, .. } = geometry;
            let overlapping = [0, 1].map(|axis| pool[axis].div_ceil(pool_stride[axis]));
            let windows = looped(overlapping[0], looped(overlapping[1], 0));
            looped(extent(*gradient, 1), looped(kernel[0], looped(kernel[1], windows)))
        }
        Op::Conv2dBackwardWeights(Conv2dBackwardWeights { gradient, block, .. }) => {
            looped(*block, looped(extent(*gradient, 2), looped(extent(*gradient, 3), 0)))
        }
        Op::Reduce(Reduce { input, .. }) => looped(extent(*input, 0), 0),
        Op::Matmul(Matmul { form, a, bias_gradient, .. }) => {
            let a = program.tensor(*a);
            let depth = if *form == Form::Tn { a.rows() } else { a.row_len() };
            // A tile's rows are loaded and stored one by one.
            looped(depth as u64, 0) * if bias_gradient.is_some() { 2 } else { 1 } + looped(8_u32, 0) * 2
        }
        Op::SoftmaxNll(SoftmaxNll { logits, .. }) => {
            let logits = program.tensor(*logits);
            let row = looped(logits.row_len() as u64, 0) * 3;
            looped(logits.rows().div_ceil(64) as u64, row) + looped(64_u32, 0)
        }
        Op::InitUniform(_) | Op::BeginStep(_) | Op::LoadBatch(_) | Op::Dropout(_) | Op::Sgd(_) | Op::Adam(_) => 0,
    }
}

impl Program {
    /// The first op whose loops are longer than [`LOOP_ITERATIONS`], by its name and that of what it writes, and how long
    /// they are.
    pub fn too_long_loop(&self) -> Option<(String, u64)> {
        let ops = [&self.init, &self.train_step, &self.eval_step].into_iter().flatten();
        let mut lengths = ops.map(|op| (op, iterations(self, op)));
        let (op, length) = lengths.find(|(_, length)| *length > u64::from(LOOP_ITERATIONS))?;
        let written = op.operands().into_iter().find(|(_, _, access)| *access != Access::Read);
        let written = written.map(|(_, id, _)| format!(" of {}", self.tensor(id).name));
        Some((format!("{}{}", op.name(), written.unwrap_or_default()), length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_large_as_loops_allow() {
        for (pooled, block) in [
            ([1, 1], 16),
            ([26, 26], 16),
            ([60, 60], 16),
            ([62, 62], 16),
            ([64, 64], 8),
            ([125, 126], 4),
            ([250, 250], 1),
        ] {
            assert_eq!(Convolution::block(pooled), block, "{pooled:?}");
            let per_image = u64::from(pooled[0] * pooled[1] + 2 * pooled[0] + 2);
            assert!(u64::from(block) * per_image < 65_535, "{pooled:?}");
            assert!(block == BLOCK || u64::from(2 * block) * per_image + 1 > 65_535, "{pooled:?}");
        }
        assert_eq!(Convolution::block([u32::MAX, u32::MAX]), 1);
    }
}
