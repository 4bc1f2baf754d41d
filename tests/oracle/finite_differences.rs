//! Holds every gradient of the oracle against central differences of its forward: (f(x + h) − f(x − h)) / 2h in f64.
//!
//! With h = 10⁻⁵ and values near 1, the differences are off by about h² = 10⁻¹⁰ (the next term of the series) and by
//! 10⁻¹⁶ / h = 10⁻¹¹ (rounding), hence the bound 10⁻⁶ |gradient| + 10⁻⁹. The functions are f(x) = Σᵢ rᵢ · yᵢ(x) with
//! fixed numbers r, whose gradient by y is r. ReLU and max-pool have kinks; that no number here lies within h of one is
//! what a passing comparison shows.

use crate::reference::{
    conv::Conv,
    linear,
    network::{Layer, Network},
    pool::MaxPool,
    random::{dropout_mask, signed},
    softmax::softmax_nll,
};

const STEP: f64 = 1e-5;
const RTOL: f64 = 1e-6;
const ATOL: f64 = 1e-9;

/// Compares a gradient of `f` at `x` with central differences; the error says where they part.
fn compare(gradient: &[f64], x: &[f64], f: &impl Fn(&[f64]) -> f64) -> Result<(), String> {
    if gradient.len() != x.len() {
        return Err(format!("{} derivatives by {} numbers", gradient.len(), x.len()));
    }
    for (i, &analytic) in gradient.iter().enumerate() {
        let at = |offset: f64| {
            let mut x = x.to_vec();
            x[i] += offset;
            f(&x)
        };
        let numeric = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let bound = RTOL * numeric.abs() + ATOL;
        let apart = (analytic - numeric).abs();
        if apart.is_nan() || apart > bound {
            return Err(format!("derivative {i}: {analytic:e}, by differences {numeric:e}, bound {bound:e}"));
        }
    }
    Ok(())
}

/// Asserts that the gradient holds, and that it does not with its middle entry off by 10⁻⁵ of itself plus 10⁻⁸.
fn holds_and_can_fail(name: &str, gradient: &[f64], x: &[f64], f: impl Fn(&[f64]) -> f64) {
    compare(gradient, x, &f).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut wrong = gradient.to_vec();
    let middle = wrong.len() / 2;
    wrong[middle] += 1e-5 * wrong[middle].abs() + 1e-8;
    let error = compare(&wrong, x, &f).expect_err("a wrong entry must be found");
    assert!(error.starts_with(&format!("derivative {middle}:")), "{name}: {error}");
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn a_gradient_of_another_length_is_refused() {
    assert!(compare(&[1.0], &[1.0, 2.0], &|x| x[0]).is_err());
}

#[test]
fn linear_layer() {
    for (m, n, k) in [(1, 1, 1), (3, 4, 5), (7, 2, 9)] {
        let (x, w, b, r) = (signed(0, m * k), signed(1, n * k), signed(2, n), signed(3, m * n));
        let f = |x: &[f64], w: &[f64], b: &[f64]| dot(&r, &linear::add_bias(&linear::matmul_nt(m, n, k, x, w), b));
        holds_and_can_fail("input", &linear::matmul_nn(m, k, n, &r, &w), &x, |x| f(x, &w, &b));
        holds_and_can_fail("weights", &linear::matmul_tn(n, k, m, &r, &x), &w, |w| f(&x, w, &b));
        holds_and_can_fail("bias", &linear::bias_gradient(n, &r), &b, |b| f(&x, &w, b));
    }
}

#[test]
fn relu() {
    let (x, r) = (signed(0, 50), signed(1, 50));
    let gradient = linear::relu_backward(&linear::relu(&x), &r);
    holds_and_can_fail("relu", &gradient, &x, |x| dot(&r, &linear::relu(x)));
}

#[test]
fn softmax() {
    for (rows, classes) in [(1, 2), (5, 10), (3, 1)] {
        let logits: Vec<f64> = signed(0, rows * classes).iter().map(|z| 4.0 * z).collect();
        let labels: Vec<u8> = (0..rows).map(|row| (3 * row % classes) as u8).collect();
        let gradient = softmax_nll(classes, &logits, &labels, rows).gradient;
        let mean = |z: &[f64]| softmax_nll(classes, z, &labels, rows).loss / rows as f64;
        holds_and_can_fail("softmax_nll", &gradient, &logits, mean);
    }
}

fn convolutions() -> Vec<Conv> {
    let base = Conv { n: 2, input: [2, 5, 7], kernel: [3, 3, 3], stride: [1, 1], padding: [0, 0] };
    vec![
        base,
        Conv { stride: [2, 1], ..base },
        Conv { stride: [2, 3], padding: [1, 2], ..base },
        Conv { kernel: [2, 1, 4], padding: [0, 3], ..base },
        Conv { kernel: [1, 5, 2], stride: [3, 2], padding: [4, 1], ..base },
        Conv { n: 1, input: [1, 1, 1], kernel: [1, 1, 1], ..base },
        Conv { n: 1, input: [3, 4, 4], kernel: [2, 2, 2], stride: [3, 3], ..base },
    ]
}

#[test]
fn convolution() {
    for conv in convolutions() {
        let (x, w) = (signed(0, conv.input_len()), signed(1, conv.weights_len()));
        let (b, r) = (signed(2, conv.kernel[0]), signed(3, conv.output_len()));
        let name = format!("{conv:?}");
        let f = |x: &[f64], w: &[f64], b: &[f64]| dot(&r, &conv.forward(x, w, b));
        let (by_weights, by_bias) = conv.backward_weights(&x, &r);
        holds_and_can_fail(&name, &conv.backward_input(&w, &r), &x, |x| f(x, &w, &b));
        holds_and_can_fail(&name, &by_weights, &w, |w| f(&x, w, &b));
        holds_and_can_fail(&name, &by_bias, &b, |b| f(&x, &w, b));
    }
}

#[test]
fn convolution_with_relu_and_max_pool() {
    for (window, stride) in [([2, 2], [2, 2]), ([3, 3], [1, 1]), ([2, 2], [3, 3]), ([1, 3], [1, 2])] {
        let conv = Conv { n: 2, input: [2, 7, 8], kernel: [3, 3, 3], stride: [1, 1], padding: [0, 1] };
        let pool = MaxPool { planes: 6, input: conv.output(), window, stride };
        let (x, w, b) = (signed(0, conv.input_len()), signed(1, conv.weights_len()), signed(2, 3));
        let f = |x: &[f64], w: &[f64], b: &[f64]| pool.forward(&linear::relu(&conv.forward(x, w, b)));
        let (maxima, positions) = f(&x, &w, &b);
        let r = signed(3, maxima.len());
        let activation = linear::relu(&conv.forward(&x, &w, &b));
        let gradient = linear::relu_backward(&activation, &pool.backward(&positions, &r));
        let (by_weights, by_bias) = conv.backward_weights(&x, &gradient);
        holds_and_can_fail("input", &conv.backward_input(&w, &gradient), &x, |x| dot(&r, &f(x, &w, &b).0));
        holds_and_can_fail("weights", &by_weights, &w, |w| dot(&r, &f(&x, w, &b).0));
        holds_and_can_fail("bias", &by_bias, &b, |b| dot(&r, &f(&x, &w, b).0));
    }
}

#[test]
fn dropout_with_its_mask() {
    let (x, r, mask) = (signed(0, 60), signed(1, 60), dropout_mask(5, 1, 3, 0.25, 60));
    let gradient: Vec<f64> = r.iter().zip(&mask).map(|(r, factor)| r * factor).collect();
    let f = |x: &[f64]| x.iter().zip(&mask).zip(&r).map(|((x, factor), r)| x * factor * r).sum();
    holds_and_can_fail("dropout", &gradient, &x, f);
}

#[test]
fn a_whole_network() {
    use Layer::{Conv, Dropout, Linear, MaxPool, Relu};
    let convolutions = vec![Conv(3, 3, 1), Relu, MaxPool(2), Dropout(0.25), Conv(4, 2, 0), Relu];
    let layers = [convolutions, vec![Linear(6), Relu, Dropout(0.5), Linear(4)]].concat();
    let network = Network { input: [2, 7, 6], layers, seed: 9 };
    let (x, labels, step) = (signed(0, 5 * 2 * 7 * 6), [0, 3, 1, 2, 3], 4);
    let parameters = network.initial();
    let (loss, gradients) = network.gradients(&parameters, &x, &labels, step);
    assert!((loss - network.loss(&parameters, &x, &labels, step)).abs() < 1e-15);
    for (i, (parameter, gradient)) in network.parameters().iter().zip(&gradients).enumerate() {
        assert!(gradient.iter().any(|&g| g != 0.0), "{} has no gradient", parameter.name);
        let f = |values: &[f64]| {
            let mut changed = parameters.clone();
            changed[i] = values.to_vec();
            network.loss(&changed, &x, &labels, step)
        };
        holds_and_can_fail(&parameter.name, gradient, &parameters[i], f);
    }
}
