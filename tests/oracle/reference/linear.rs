//! Normalisation, matrix products, bias and ReLU.

/// `[pixels]` → x · scale + shift, with scale = 1 / (255 · standard deviation) and shift = −mean / standard deviation.
pub fn normalise(pixels: &[u8], scale: f64, shift: f64) -> Vec<f64> {
    pixels.iter().map(|&pixel| f64::from(pixel) * scale + shift).collect()
}

/// `a [m, k] · b [n, k]ᵀ → [m, n]`: a linear layer, forwards.
pub fn matmul_nt(m: usize, n: usize, k: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!((a.len(), b.len()), (m * k, n * k));
    product(m, n, k, |i, l| a[i * k + l], |l, j| b[j * k + l])
}

/// `a [m, k] · b [k, n] → [m, n]`: the gradient of a linear layer's input.
pub fn matmul_nn(m: usize, n: usize, k: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!((a.len(), b.len()), (m * k, k * n));
    product(m, n, k, |i, l| a[i * k + l], |l, j| b[l * n + j])
}

/// `a [k, m]ᵀ · b [k, n] → [m, n]`: the gradient of a linear layer's weights, k the batch.
pub fn matmul_tn(m: usize, n: usize, k: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!((a.len(), b.len()), (k * m, k * n));
    product(m, n, k, |i, l| a[l * m + i], |l, j| b[l * n + j])
}

/// output\[i, j\] = Σₗ a(i, l) · b(l, j).
fn product(m: usize, n: usize, k: usize, a: impl Fn(usize, usize) -> f64, b: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut output = Vec::with_capacity(m * n);
    for i in 0..m {
        for j in 0..n {
            output.push((0..k).map(|l| a(i, l) * b(l, j)).sum());
        }
    }
    output
}

/// Adds `bias [n]` to each row of `x [m, n]`.
pub fn add_bias(x: &[f64], bias: &[f64]) -> Vec<f64> {
    x.iter().zip(bias.iter().cycle()).map(|(x, bias)| x + bias).collect()
}

/// The gradient of a bias: the sum of the rows of `gradient [m, n]`.
pub fn bias_gradient(n: usize, gradient: &[f64]) -> Vec<f64> {
    (0..n).map(|j| gradient.iter().skip(j).step_by(n).sum()).collect()
}

/// max(x, 0).
pub fn relu(x: &[f64]) -> Vec<f64> {
    x.iter().map(|&x| if x > 0.0 { x } else { 0.0 }).collect()
}

/// The gradient by the input of a ReLU whose output was `output`: nothing passes where that is not positive.
pub fn relu_backward(output: &[f64], gradient: &[f64]) -> Vec<f64> {
    output.iter().zip(gradient).map(|(&output, &gradient)| if output > 0.0 { gradient } else { 0.0 }).collect()
}

/// Worked by hand: the same product in its three forms.
#[test]
fn products_of_two_by_three_and_three_by_two() {
    let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let a_transposed = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
    let b = [7.0, 8.0, 9.0, 10.0, 11.0, 12.0];
    let b_transposed = [7.0, 9.0, 11.0, 8.0, 10.0, 12.0];
    let expected = [58.0, 64.0, 139.0, 154.0];
    assert_eq!(matmul_nn(2, 2, 3, &a, &b), expected);
    assert_eq!(matmul_nt(2, 2, 3, &a, &b_transposed), expected);
    assert_eq!(matmul_tn(2, 2, 3, &a_transposed, &b), expected);
    assert_eq!(bias_gradient(2, &b), [27.0, 30.0]);
}
