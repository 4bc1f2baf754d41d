//! Softmax, negative log-likelihood and its gradient; the twin of `shaders/softmax_nll.wgsl`.
//!
//! Exponentials and logarithms of the whole batch are taken in loops of their own, so that they run in vectors.

use super::Memory;
use super::exponential::{exponential, logarithm};
use crate::program::{Rows, SoftmaxNll};

pub(super) fn run(op: &SoftmaxNll, memory: &mut Memory) {
    let classes = memory.program().tensor(op.logits).row_len();
    let outputs = [Some(op.metrics), Some(op.output)];
    memory.with_outputs(outputs, |memory, [metrics, output]| {
        let state = memory.state(op.state);
        let live = state.live as usize;
        let samples: &[[u32; 2]] = &bytemuck::cast_slice(memory.u32(op.samples))[..live];
        let output = &mut output[..live * classes];
        let mut correct = 0_u32;
        // The logits less the largest of their row.
        let logits = memory.f32(op.logits).chunks_exact(classes);
        for ((logits, row), &[_, label]) in logits.zip(output.chunks_exact_mut(classes)).zip(samples) {
            let (mut answer, mut largest) = (0, logits[0]);
            for (class, &logit) in (1..).zip(&logits[1..]) {
                if logit > largest {
                    (answer, largest) = (class, logit);
                }
            }
            correct += u32::from(answer == label);
            for (value, logit) in row.iter_mut().zip(logits) {
                *value = logit - largest;
            }
        }
        let mut exponentials = output.to_vec();
        each(&mut exponentials, exponential);
        // From +0, as the shader; `sum` begins with −0.
        let sum = |row: &[f32]| row.iter().fold(0.0, |sum, value| sum + value);
        let mut log_sums: Vec<f32> = exponentials.chunks_exact(classes).map(sum).collect();
        each(&mut log_sums, logarithm);
        let mut loss = 0.0_f64;
        for ((row, log_sum), &[_, label]) in output.chunks_exact_mut(classes).zip(log_sums).zip(samples) {
            loss += f64::from(log_sum - row[label as usize]);
            for value in row {
                *value -= log_sum;
            }
        }
        if op.result == Rows::Gradient {
            let batch = state.batch as f32;
            each(output, exponential);
            for (row, &[_, label]) in output.chunks_exact_mut(classes).zip(samples) {
                row[label as usize] -= 1.0;
            }
            each(output, |value| value / batch);
        }
        let slot = &mut metrics[2 * state.slot as usize..][..2];
        let [before_loss, before_correct] = if op.accumulate { [slot[0], slot[1]] } else { [0.0; 2] };
        slot[0] = before_loss + loss as f32;
        slot[1] = before_correct + correct as f32;
    });
}

/// Puts what a function makes of it in the place of every number.
fn each(values: &mut [f32], function: impl Fn(f32) -> f32) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for value in values {
                *value = function(*value);
            }
        },
    );
}
