//! A row of numbers times a matrix of weights: what a linear layer is for a single image.
//!
//! Vectors run over the outputs, and the numbers of the row are broadcast. Each output is one chain of fused multiply-adds
//! in ascending order, as in the products of whole batches: the bits are the same.

use super::Threads;
use super::memory::Floats;
use super::planes::{transpose, with_count};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Outputs are padded to whole vectors of this width.
const LANES: usize = 16;
/// Vectors that are summed together, at most: enough chains to keep the units busy.
const VECTORS: usize = 8;

/// The weights of a linear layer, each input's together.
pub(super) struct Columns {
    inputs: usize,
    width: usize,
    /// \[inputs\]\[width\].
    weights: Floats,
}

impl Columns {
    /// Of weights \[outputs, inputs\].
    pub fn new(weights: &[f32], inputs: usize) -> Self {
        let outputs = weights.len() / inputs;
        let width = outputs.next_multiple_of(LANES);
        let mut columns = Floats::zeros(inputs * width);
        transpose(weights, inputs, &mut columns, width, [outputs, inputs]);
        Self { inputs, width, weights: columns }
    }

    /// output \[outputs\] = row \[inputs\] · weightsᵀ.
    pub fn times(&self, row: &[f32], output: &mut [f32], threads: &Threads) {
        assert_eq!(row.len(), self.inputs);
        // Threads share the outputs.
        let share = (self.width / LANES).div_ceil(threads.count()) * LANES;
        threads.for_each(output.par_chunks_mut(share).enumerate(), |(index, output)| {
            Arch::new().dispatch(Product { columns: self, row, first: index * share, output });
        });
    }
}

struct Product<'a> {
    columns: &'a Columns,
    row: &'a [f32],
    first: usize,
    output: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { columns, row, first, output } = self;
        let width = VECTORS * S::F32_LANES;
        for (first, output) in (first..).step_by(width).zip(output.chunks_mut(width)) {
            macro_rules! sum {
                ($count:literal, $simd:ident) => {
                    columns.sum::<S, $count>($simd, row, first, output)
                };
            }
            with_count!(output.len().div_ceil(S::F32_LANES), sum!(simd));
        }
    }
}

impl Columns {
    /// So many vectors of outputs from `first`, the last one perhaps in part.
    #[inline(always)]
    fn sum<S: Simd, const COUNT: usize>(&self, simd: S, row: &[f32], first: usize, output: &mut [f32]) {
        let mut sums = [simd.splat_f32s(0.0); COUNT];
        for (&value, weights) in row.iter().zip(self.weights.chunks_exact(self.width)) {
            let value = simd.splat_f32s(value);
            let (weights, _) = S::as_simd_f32s(&weights[first..first + COUNT * S::F32_LANES]);
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = simd.mul_add_f32s(value, *weights, *sum);
            }
        }
        let values: &[f32] = bytemuck::cast_slice(&sums[..]);
        output.copy_from_slice(&values[..output.len()]);
    }
}
