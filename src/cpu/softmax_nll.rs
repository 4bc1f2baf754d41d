//! Softmax, negative log-likelihood and its gradient; the twin of `shaders/softmax_nll.wgsl`.

use super::Memory;
use crate::program::{Rows, SoftmaxNll};

pub(super) fn run(op: &SoftmaxNll, memory: &mut Memory) {
    let classes = memory.program().tensor(op.logits).row_len();
    let outputs = [Some(op.metrics), Some(op.output)];
    memory.with_outputs(outputs, |memory, [metrics, output]| {
        let state = memory.state(op.state);
        let samples: &[[u32; 2]] = bytemuck::cast_slice(memory.u32(op.samples));
        let live = state.live as usize;
        let per_image = 1.0 / state.batch as f32;
        let (mut loss, mut correct) = (0.0_f64, 0_u32);
        let rows = memory.f32(op.logits).chunks_exact(classes).zip(samples).take(live);
        for (row, (logits, &[_, label])) in rows.enumerate() {
            let label = label as usize;
            let (mut answer, mut largest) = (0, logits[0]);
            for (class, &logit) in logits.iter().enumerate().skip(1) {
                if logit > largest {
                    (answer, largest) = (class, logit);
                }
            }
            let log_sum = logits.iter().map(|logit| (logit - largest).exp()).sum::<f32>().ln();
            let log_probability = |class: usize| logits[class] - largest - log_sum;
            loss -= f64::from(log_probability(label));
            correct += u32::from(answer == label);
            for (class, value) in output[row * classes..][..classes].iter_mut().enumerate() {
                let log_probability = log_probability(class);
                *value = match op.result {
                    Rows::LogProbabilities => log_probability,
                    Rows::Gradient => (log_probability.exp() - if class == label { 1.0 } else { 0.0 }) * per_image,
                };
            }
        }
        let slot = &mut metrics[2 * state.slot as usize..][..2];
        let [before_loss, before_correct] = if op.accumulate { [slot[0], slot[1]] } else { [0.0; 2] };
        slot[0] = before_loss + loss as f32;
        slot[1] = before_correct + correct as f32;
    });
}
