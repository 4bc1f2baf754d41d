//! Matrix products of linear layers; the twin of `shaders/matmul.wgsl`.

use super::gemm::{Across, Gemm, Matrix};
use super::gemv::Columns;
use super::{Memory, Threads};
use crate::program::{Form, Matmul};

pub(super) fn run(op: &Matmul, memory: &mut Memory, threads: &Threads) {
    let tensor = |id| memory.program().tensor(id);
    let (m, n) = (tensor(op.output).rows(), tensor(op.output).row_len());
    let k = tensor(op.a).row_len();
    memory.with_outputs([Some(op.output), op.bias_gradient], |memory, [output, bias_gradient]| {
        let live = memory.state(op.state).live as usize;
        let (a, b) = (memory.f32(op.a), memory.f32(op.b));
        let (bias, mask) = (memory.optional(op.bias), memory.optional(op.mask));
        let (size, a_matrix, b_matrix, across) = match op.form {
            // Weights are larger than a batch of activations: they are read where they lie.
            Form::Nt => ([live, n, k], Matrix::rows(a, k), Matrix::transposed(b, k), Across::Rows),
            Form::Nn => ([live, n, k], Matrix::rows(a, k), Matrix::rows(b, n), Across::Columns),
            Form::Tn => ([m, n, live], Matrix::transposed(a, m), Matrix::rows(b, n), Across::Columns),
        };
        let finish = |row: usize, first: usize, values: &mut [f32]| {
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
        };
        // Weights that stay as they are from one image to the next.
        if op.form == Form::Nt && live == 1 && op.state == memory.program().ports.eval.state {
            memory.derived(op.output, &[op.b], || Columns::new(b, k)).times(&a[..k], &mut output[..n], threads);
            finish(0, 0, &mut output[..n]);
        } else {
            let finish = (op.bias.is_some() || op.relu || op.mask.is_some()).then_some(&finish);
            let accumulate = op.accumulate;
            Gemm { threads, size, a: a_matrix, b: b_matrix, across, accumulate }.run(output, finish);
        }
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
