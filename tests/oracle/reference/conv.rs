//! Two-dimensional convolution as PyTorch defines it (cross-correlation), forwards and backwards.

/// The extents of a convolution: input `[n, c, h, w]`, weights `[o, c, kh, kw]`, bias `[o]`, output `[n, o, oh, ow]`.
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    /// Images.
    pub n: usize,
    /// Channels, rows and columns of an input image.
    pub input: [usize; 3],
    /// Channels of an output image, rows and columns of the kernel.
    pub kernel: [usize; 3],
    /// Vertical and horizontal step of the window.
    pub stride: [usize; 2],
    /// Rows of zeros above and below, columns of zeros left and right.
    pub padding: [usize; 2],
}

impl Conv {
    /// Rows and columns of the output: ⌊(extent + 2 padding − kernel) / stride⌋ + 1.
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|d| (self.input[1 + d] + 2 * self.padding[d] - self.kernel[1 + d]) / self.stride[d] + 1)
    }

    /// Number of input elements.
    pub fn input_len(&self) -> usize {
        self.n * self.input.iter().product::<usize>()
    }

    /// Number of weights.
    pub fn weights_len(&self) -> usize {
        self.input[0] * self.kernel.iter().product::<usize>()
    }

    /// Number of output elements.
    pub fn output_len(&self) -> usize {
        self.n * self.kernel[0] * self.output().iter().product::<usize>()
    }

    /// Calls `visit(output, weight, input)` with the flat indices of each product that the convolution sums:
    /// y\[b, o, i, j\] = bias\[o\] + Σ w\[o, c, p, q\] · x\[b, c, i · sy + p − py, j · sx + q − px\], zero outside x.
    pub fn products(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let ([channels, h, w], [outputs, kh, kw]) = (self.input, self.kernel);
        let ([sy, sx], [py, px], [oh, ow]) = (self.stride, self.padding, self.output());
        for b in 0..self.n {
            for o in 0..outputs {
                for i in 0..oh {
                    for j in 0..ow {
                        for c in 0..channels {
                            for p in 0..kh {
                                for q in 0..kw {
                                    let (y, x) = (i * sy + p, j * sx + q);
                                    if y >= py && y < py + h && x >= px && x < px + w {
                                        visit(
                                            ((b * outputs + o) * oh + i) * ow + j,
                                            ((o * channels + c) * kh + p) * kw + q,
                                            ((b * channels + c) * h + y - py) * w + x - px,
                                        );
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The output.
    pub fn forward(&self, x: &[f64], weights: &[f64], bias: &[f64]) -> Vec<f64> {
        let plane = self.output().iter().product::<usize>();
        let mut y: Vec<f64> = (0..self.output_len()).map(|i| bias[i / plane % bias.len()]).collect();
        self.products(|out, w, input| y[out] += weights[w] * x[input]);
        y
    }

    /// The gradient by the input, from `gradient` by the output.
    pub fn backward_input(&self, weights: &[f64], gradient: &[f64]) -> Vec<f64> {
        let mut result = vec![0.0; self.input_len()];
        self.products(|out, w, input| result[input] += weights[w] * gradient[out]);
        result
    }

    /// The gradients by the weights and by the bias, from `gradient` by the output.
    pub fn backward_weights(&self, x: &[f64], gradient: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut weights = vec![0.0; self.weights_len()];
        self.products(|out, w, input| weights[w] += x[input] * gradient[out]);
        let (outputs, plane) = (self.kernel[0], self.output().iter().product::<usize>());
        let mut bias = vec![0.0; outputs];
        for (i, gradient) in gradient.iter().enumerate() {
            bias[i / plane % outputs] += gradient;
        }
        (weights, bias)
    }
}

/// Worked by hand: a 2×3 image, a 2×2 kernel, without and with padding and stride.
#[test]
fn a_small_convolution() {
    let conv = Conv { n: 1, input: [1, 2, 3], kernel: [1, 2, 2], stride: [1, 1], padding: [0, 0] };
    let (x, w) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 10.0, 100.0, 1000.0]);
    assert_eq!(conv.forward(&x, &w, &[0.5]), [5421.5, 6532.5]);
    let conv = Conv { stride: [2, 1], padding: [1, 0], ..conv };
    assert_eq!(conv.output(), [2, 2]);
    assert_eq!(conv.forward(&x, &w, &[0.0]), [2100.0, 3200.0, 54.0, 65.0]);
    let conv = Conv { stride: [1, 2], padding: [0, 1], ..conv };
    assert_eq!(conv.output(), [1, 2]);
    assert_eq!(conv.forward(&x, &w, &[0.0]), [4010.0, 6532.0]);
}
