//! Softmax and negative log-likelihood.

/// What [`softmax_nll`] makes of a batch.
pub struct SoftmaxNll {
    /// The sum over the rows of −log p\[label\].
    pub loss: f64,
    /// Rows whose first largest logit is the label's.
    pub correct: usize,
    /// `[rows, classes]`: (p − one-hot(label)) / batch.
    pub gradient: Vec<f64>,
    /// `[rows, classes]`: log p = z − max z − ln Σ exp(z − max z).
    pub log_probabilities: Vec<f64>,
}

/// `logits [rows, classes]`, `labels [rows]`; the gradient is that of the loss divided by `batch`.
pub fn softmax_nll(classes: usize, logits: &[f64], labels: &[u8], batch: usize) -> SoftmaxNll {
    assert_eq!(logits.len(), labels.len() * classes);
    let mut result = SoftmaxNll { loss: 0.0, correct: 0, gradient: Vec::new(), log_probabilities: Vec::new() };
    for (z, &label) in logits.chunks(classes).zip(labels) {
        let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_sum = z.iter().map(|z| (z - largest).exp()).sum::<f64>().ln();
        let log_p: Vec<f64> = z.iter().map(|z| z - largest - log_sum).collect();
        let answer = z.iter().position(|&z| z >= largest).expect("a finite logit");
        result.loss -= log_p[usize::from(label)];
        result.correct += usize::from(answer == usize::from(label));
        for (class, log_p) in log_p.iter().enumerate() {
            let target = if class == usize::from(label) { 1.0 } else { 0.0 };
            result.gradient.push((log_p.exp() - target) / batch as f64);
        }
        result.log_probabilities.extend(log_p);
    }
    result
}

/// Equal logits: log p = −ln n, and the first one is the answer; huge ones: no overflow.
#[test]
fn equal_and_extreme_logits() {
    let equal = softmax_nll(4, &[3.0; 8], &[0, 1], 2);
    assert!((equal.loss - 2.0 * 4_f64.ln()).abs() < 1e-15);
    assert_eq!(equal.correct, 1);
    assert_eq!(equal.gradient[..4], [-0.375, 0.125, 0.125, 0.125]);
    let extreme = softmax_nll(2, &[1e4, -1e4], &[1], 1);
    assert_eq!((extreme.loss, extreme.correct), (2e4, 0));
    assert_eq!(extreme.gradient, [1.0, -1.0]);
}
