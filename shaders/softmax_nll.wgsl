// Softmax, negative log-likelihood, its gradient and the number of correct answers, in one.
//
//   log p = z − max z − ln Σ exp(z − max z)          for each row z of the logits
//   loss  = −log p[label]
//   output = (p − one-hot(label)) / batch            the gradient of the mean loss, or
//   output = log p                                   in evaluation
//   metrics[slot] = (Σ loss, number of rows whose first largest logit is the label's)
//
// exp and ln are those of exponential.wgsl. One workgroup. Each invocation takes every LANES-th row and sums what it finds;
// the sums are then added pairwise, in the same order whatever the device.

struct Params {
    classes: u32,
    gradient: bool,   // the output is the gradient, else the log-probabilities
    accumulate: bool, // adds to the metrics
}

@group(0) @binding(1) var<storage, read> logits: array<f32>;             // [rows, classes]
@group(0) @binding(2) var<storage, read> samples: array<vec2<u32>>;      // [rows]: image, label
@group(0) @binding(3) var<storage, read_write> metrics: array<vec2<f32>>; // [slots]: loss, correct
@group(0) @binding(4) var<storage, read_write> output: array<f32>;       // [rows, classes]

const LANES = 64u;
var<workgroup> sums: array<vec2<f32>, LANES>;

@compute @workgroup_size(LANES)
fn softmax_nll(@builtin(local_invocation_index) lane: u32) {
    var total = vec2<f32>();
    for (var row = lane; row < state.live; row += LANES) {
        total += one_row(row * params.classes, samples[row].y);
    }
    sums[lane] = total;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            sums[lane] += sums[lane + half];
        }
        workgroupBarrier();
    }
    if lane == 0u {
        if params.accumulate {
            metrics[state.slot] += sums[0];
        } else {
            metrics[state.slot] = sums[0];
        }
    }
}

// Writes the row that starts at `start`; gives its loss, and 1 if the answer is right.
fn one_row(start: u32, label: u32) -> vec2<f32> {
    var largest = logits[start];
    var answer = 0u;
    for (var c = 1u; c < params.classes; c++) {
        let logit = logits[start + c];
        if logit > largest {
            largest = logit;
            answer = c;
        }
    }
    var sum = 0.0;
    for (var c = 0u; c < params.classes; c++) {
        sum += exponential(logits[start + c] - largest);
    }
    let log_sum = logarithm(sum);
    for (var c = 0u; c < params.classes; c++) {
        let log_probability = logits[start + c] - largest - log_sum;
        if params.gradient {
            let one_hot = select(0.0, 1.0, c == label);
            output[start + c] = (exponential(log_probability) - one_hot) / f32(state.batch);
        } else {
            output[start + c] = log_probability;
        }
    }
    return vec2<f32>(log_sum - (logits[start + label] - largest), select(0.0, 1.0, answer == label));
}
