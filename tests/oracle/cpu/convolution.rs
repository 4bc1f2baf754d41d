//! The cases that the three ops of a convolution share.

use super::numbers;
use crate::reference::{conv::Conv, pool::MaxPool, random::threefry};
use mnist_gpu::program::{Convolution, NO_CHOICE};
use proptest::prelude::*;

/// A convolution over the `live` images of a batch, the pool that follows it, and the batch.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Rows of the batch.
    pub rows: usize,
    /// The convolution; its images are the live ones.
    pub conv: Conv,
    /// Rows and columns of the pool's window.
    pub window: [usize; 2],
    /// Its steps.
    pub step: [usize; 2],
}

impl Case {
    /// The same as the program states it.
    pub fn geometry(&self) -> Convolution {
        let narrow = |extents: [usize; 2]| extents.map(|extent| extent as u32);
        Convolution {
            kernel: narrow([self.conv.kernel[1], self.conv.kernel[2]]),
            stride: narrow(self.conv.stride),
            padding: narrow(self.conv.padding),
            pool: narrow(self.window),
            pool_stride: narrow(self.step),
        }
    }

    /// The pool over what the convolution puts out.
    pub fn pool(&self) -> MaxPool {
        let planes = self.conv.n * self.conv.kernel[0];
        MaxPool { planes, input: self.conv.output(), window: self.window, stride: self.step }
    }

    /// The shapes of a batch: what goes in, and what comes out of the pool.
    pub fn shapes(&self) -> [[usize; 4]; 2] {
        let ([c, h, w], [ph, pw]) = (self.conv.input, self.pool().output());
        [[self.rows, c, h, w], [self.rows, self.conv.kernel[0], ph, pw]]
    }

    /// The shape of the weights.
    pub fn weights(&self) -> [usize; 4] {
        let [outputs, kh, kw] = self.conv.kernel;
        [outputs, self.conv.input[0], kh, kw]
    }

    /// Products that an output sums.
    pub fn taps(&self) -> usize {
        self.weights()[1..].iter().product()
    }

    /// Outputs of one image.
    pub fn output_len(&self) -> usize {
        self.shapes()[1][1..].iter().product()
    }

    /// Where in its plane the place `choice` of the output `index` is: windows and places in row order.
    pub fn position(&self, index: usize, choice: u32) -> usize {
        let ([ph, pw], [_, w], choice) = (self.pool().output(), self.conv.output(), choice as usize);
        let window = index % (ph * pw);
        let (row, column) = (window / pw * self.step[0], window % pw * self.step[1]);
        (row + choice / self.window[1]) * w + column + choice % self.window[1]
    }

    /// Gradients of a batch of outputs and the place in its window that each goes to: every third to none.
    pub fn gradients(&self) -> (Vec<f32>, Vec<u32>) {
        let len = self.conv.n * self.output_len();
        let word = |i: usize| threefry([4, 4], [i as u32, 0])[0];
        let places = (self.window[0] * self.window[1]) as u32;
        let choice = |i| if word(i) % 3 == 0 { NO_CHOICE } else { word(i) / 3 % places };
        let (mut gradients, mut choices) = (numbers(7, len), (0..len).map(choice).collect::<Vec<_>>());
        gradients.resize(self.rows * self.output_len(), super::DEAD);
        // No place of any window, in dead rows.
        choices.resize(self.rows * self.output_len(), 1_000_000);
        (gradients, choices)
    }

    /// The gradients of live images before the pool, `[n, o, oh, ow]`, of the sizes where `sizes` is set.
    pub fn before_pool(&self, gradients: &[f32], choices: &[u32], sizes: bool) -> Vec<f64> {
        let (mut result, plane) = (vec![0.0; self.conv.output_len()], self.conv.output().iter().product::<usize>());
        let windows = self.pool().output().iter().product::<usize>();
        for (index, (&gradient, &choice)) in
            gradients.iter().zip(choices).enumerate().take(self.conv.n * self.output_len())
        {
            if choice != NO_CHOICE {
                let gradient = f64::from(gradient);
                let at = index / windows * plane + self.position(index, choice);
                result[at] += if sizes { gradient.abs() } else { gradient };
            }
        }
        result
    }
}

/// The layers of the presets, and what they are not: strides, other paddings, oblong and overlapping windows, gaps.
pub fn cases() -> Vec<Case> {
    let case = |rows, n, input, kernel, stride, padding, window, step| Case {
        rows,
        conv: Conv { n, input, kernel, stride, padding },
        window,
        step,
    };
    vec![
        case(1, 1, [1, 1, 1], [1, 1, 1], [1, 1], [0, 0], [1, 1], [1, 1]),
        case(3, 2, [1, 28, 28], [24, 5, 5], [1, 1], [0, 0], [2, 2], [2, 2]),
        case(2, 2, [24, 12, 12], [32, 3, 3], [1, 1], [0, 0], [2, 2], [2, 2]),
        case(2, 1, [16, 14, 14], [32, 5, 5], [1, 1], [2, 2], [2, 2], [2, 2]),
        case(2, 2, [3, 11, 11], [64, 3, 3], [1, 1], [0, 0], [1, 1], [1, 1]),
        case(5, 3, [2, 5, 7], [3, 3, 3], [2, 1], [1, 2], [1, 1], [1, 1]),
        case(4, 4, [3, 9, 8], [17, 2, 4], [1, 2], [0, 3], [2, 3], [1, 2]),
        case(7, 5, [2, 10, 11], [33, 3, 1], [1, 1], [2, 0], [2, 2], [3, 3]),
        case(33, 17, [1, 6, 6], [5, 3, 3], [1, 1], [1, 1], [3, 3], [1, 1]),
        case(2, 0, [1, 6, 6], [5, 3, 3], [1, 1], [0, 0], [2, 2], [2, 2]),
    ]
}

/// Small ones of any kind.
pub fn any() -> impl Strategy<Value = Case> {
    let pair = |most: usize| [1..=most, 1..=most];
    let batch = (0_usize..5, 1_usize..4);
    let extents = (1_usize..4, [0_usize..8, 0_usize..8], 1_usize..20, pair(4), pair(3));
    (batch, extents, [0_usize..4, 0_usize..4], pair(3), pair(3)).prop_map(|(batch, extents, padding, window, step)| {
        let ((n, dead), (channels, more, outputs, kernel, stride)) = (batch, extents);
        let input = [channels, kernel[0] + more[0], kernel[1] + more[1]];
        let padding = [0, 1].map(|d| padding[d].min(kernel[d] - 1));
        let conv = Conv { n, input, kernel: [outputs, kernel[0], kernel[1]], stride, padding };
        let window = [0, 1].map(|d| window[d].min(conv.output()[d]));
        Case { rows: n + dead, conv, window, step }
    })
}
