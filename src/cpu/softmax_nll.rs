//! Softmax, negative log-likelihood and its gradient; the twin of `shaders/softmax_nll.wgsl`.

use super::Memory;
use super::exponential::{exponential, logarithm};
use crate::program::{Rows, SoftmaxNll};

pub(super) fn run(op: &SoftmaxNll, memory: &mut Memory) {
    let classes = memory.program().tensor(op.logits).row_len();
    let outputs = [Some(op.metrics), Some(op.output)];
    memory.with_outputs(outputs, |memory, [metrics, output]| {
        let state = memory.state(op.state);
        let samples: &[[u32; 2]] = bytemuck::cast_slice(memory.u32(op.samples));
        let live = state.live as usize;
        let batch = state.batch as f32;
        let (mut loss, mut correct) = (0.0_f64, 0_u32);
        let rows = memory.f32(op.logits).chunks_exact(classes).zip(output.chunks_exact_mut(classes));
        pulp::Arch::new().dispatch(|| {
            for ((logits, output), &[_, label]) in rows.zip(samples).take(live) {
                let label = label as usize;
                let (mut answer, mut largest) = (0, logits[0]);
                for (class, &logit) in logits.iter().enumerate().skip(1) {
                    if logit > largest {
                        (answer, largest) = (class, logit);
                    }
                }
                // From +0, as the shader; `sum` begins with −0.
                let log_sum = logarithm(logits.iter().fold(0.0, |sum, logit| sum + exponential(logit - largest)));
                loss += f64::from(log_sum - (logits[label] - largest));
                correct += u32::from(answer == label);
                for (class, (value, logit)) in output.iter_mut().zip(logits).enumerate() {
                    let log_probability = logit - largest - log_sum;
                    *value = match op.result {
                        Rows::LogProbabilities => log_probability,
                        Rows::Gradient => (exponential(log_probability) - f32::from(class == label)) / batch,
                    };
                }
            }
        });
        let slot = &mut metrics[2 * state.slot as usize..][..2];
        let [before_loss, before_correct] = if op.accumulate { [slot[0], slot[1]] } else { [0.0; 2] };
        slot[0] = before_loss + loss as f32;
        slot[1] = before_correct + correct as f32;
    });
}
