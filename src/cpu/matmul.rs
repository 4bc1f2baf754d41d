//! Matrix products of linear layers; the twin of `shaders/matmul.wgsl`.

use super::Memory;
use super::gemm::{Across, Matrix, gemm};
use crate::program::{Form, Matmul};

pub(super) fn run(op: &Matmul, memory: &mut Memory) {
    let tensor = |id| memory.program().tensor(id);
    let (m, n) = (tensor(op.output).rows(), tensor(op.output).row_len());
    let k = tensor(op.a).row_len();
    memory.with_outputs([Some(op.output), op.bias_gradient], |memory, [output, bias_gradient]| {
        let live = memory.state(op.state).live as usize;
        let (a, b) = (memory.f32(op.a), memory.f32(op.b));
        let (bias, mask) = (memory.optional(op.bias), memory.optional(op.mask));
        let (shape, a_matrix, b_matrix, across) = match op.form {
            // Weights are larger than a batch of activations: they are read where they lie.
            Form::Nt => ([live, n, k], Matrix::rows(a, k), Matrix::transposed(b, k), Across::Rows),
            Form::Nn => ([live, n, k], Matrix::rows(a, k), Matrix::rows(b, n), Across::Columns),
            Form::Tn => ([m, n, live], Matrix::transposed(a, m), Matrix::rows(b, n), Across::Columns),
        };
        gemm(shape, a_matrix, b_matrix, across, output, op.accumulate, |row, first, values| {
            if op.bias.is_some() {
                for (value, bias) in values.iter_mut().zip(&bias[first..]) {
                    *value += bias;
                }
            }
            if op.relu {
                for value in values.iter_mut() {
                    // What is no number stays so, that divergence shows.
                    *value = if *value <= 0.0 { 0.0 } else { *value };
                }
            }
            if op.mask.is_some() {
                for (value, &mask) in values.iter_mut().zip(&mask[row * n + first..]) {
                    *value = if mask <= 0.0 { 0.0 } else { *value };
                }
            }
        });
        if op.bias_gradient.is_some() {
            if !op.accumulate {
                bias_gradient.fill(0.0);
            }
            for row in a[..live * m].chunks_exact(m) {
                for (sum, value) in bias_gradient.iter_mut().zip(row) {
                    *sum += value;
                }
            }
        }
    });
}
