//! Max-pooling without padding.

/// Windows over planes of `h` × `w`; what does not fill a window is left out.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool {
    /// Planes: images times channels.
    pub planes: usize,
    /// Rows and columns of a plane.
    pub input: [usize; 2],
    /// Rows and columns of a window.
    pub window: [usize; 2],
    /// Distance of one window from the next, down and across.
    pub stride: [usize; 2],
}

impl MaxPool {
    /// Rows and columns of an output plane: ⌊(extent − window) / stride⌋ + 1.
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|d| (self.input[d] - self.window[d]) / self.stride[d] + 1)
    }

    /// The maxima `[planes, oh, ow]`, and where each was found: row · w + column in its plane, the first maximum in row
    /// order where there are several.
    pub fn forward(&self, x: &[f64]) -> (Vec<f64>, Vec<usize>) {
        let ([h, w], [oh, ow], [sy, sx]) = (self.input, self.output(), self.stride);
        assert_eq!(x.len(), self.planes * h * w);
        let (mut maxima, mut positions) = (Vec::new(), Vec::new());
        for plane in x.chunks(h * w) {
            for i in 0..oh {
                for j in 0..ow {
                    let mut best = i * sy * w + j * sx;
                    for p in 0..self.window[0] {
                        for q in 0..self.window[1] {
                            let position = (i * sy + p) * w + j * sx + q;
                            if plane[position] > plane[best] {
                                best = position;
                            }
                        }
                    }
                    maxima.push(plane[best]);
                    positions.push(best);
                }
            }
        }
        (maxima, positions)
    }

    /// The gradient by the input: each output's goes to where its maximum was found.
    pub fn backward(&self, positions: &[usize], gradient: &[f64]) -> Vec<f64> {
        let (plane, outputs) = (self.input[0] * self.input[1], self.output()[0] * self.output()[1]);
        let mut result = vec![0.0; self.planes * plane];
        for (i, (position, gradient)) in positions.iter().zip(gradient).enumerate() {
            result[i / outputs * plane + position] += gradient;
        }
        result
    }
}

/// Worked by hand: the last row and column fill no window; of equal maxima the first counts.
#[test]
fn a_small_pool_with_ties() {
    let pool = MaxPool { planes: 1, input: [3, 5], window: [2, 2], stride: [2, 2] };
    let x = [0.0, 7.0, 2.0, 2.0, 9.0, 7.0, 1.0, 2.0, 2.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0];
    let (maxima, positions) = pool.forward(&x);
    assert_eq!(pool.output(), [1, 2]);
    assert_eq!(maxima, [7.0, 2.0]);
    assert_eq!(positions, [1, 2]);
    let gradient = pool.backward(&positions, &[3.0, 4.0]);
    assert_eq!(gradient[..5], [0.0, 3.0, 4.0, 0.0, 0.0]);
    assert!(gradient[5..].iter().all(|&g| g == 0.0));
}

/// Overlapping windows that share a maximum add their gradients there.
#[test]
fn overlapping_windows() {
    let pool = MaxPool { planes: 2, input: [1, 3].map(|e| e + 1), window: [2, 2], stride: [1, 1] };
    let x = [0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let (maxima, positions) = pool.forward(&x);
    assert_eq!(maxima, [5.0, 5.0, 1.0, 0.0, 6.0, 6.0]);
    assert_eq!(positions, [1, 1, 7, 0, 2, 2]);
    assert_eq!(pool.backward(&positions, &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0])[..], {
        let mut expected = [0.0; 16];
        (expected[1], expected[7], expected[8], expected[10]) = (3.0, 4.0, 8.0, 48.0);
        expected
    });
}
