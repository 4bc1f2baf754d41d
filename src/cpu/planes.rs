//! What the three convolution ops share: their extents, padded planes, and channel-last patches.

use crate::program::{Convolution, Program, TensorId};
use pulp::{Arch, Simd, WithSimd};

/// Floats of the widest vector: what reads beyond the end of a row may touch.
pub(super) const SLACK: usize = 16;

/// Every extent of a convolution.
#[derive(Clone, Copy)]
pub(super) struct Extents {
    pub channels: usize,
    /// Input height and width.
    pub input: [usize; 2],
    pub padding: [usize; 2],
    /// Input with its padding.
    pub padded: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub outputs: usize,
    pub pool: [usize; 2],
    pub pool_stride: [usize; 2],
    /// After the pool.
    pub pooled: [usize; 2],
}

impl Extents {
    pub fn new(program: &Program, geometry: &Convolution, input: TensorId, output: TensorId) -> Self {
        let shape = |id: TensorId| program.tensor(id).shape.iter().map(|&extent| extent as usize).collect::<Vec<_>>();
        let (input, output) = (shape(input), shape(output));
        let pair = |pair: [u32; 2]| pair.map(|extent| extent as usize);
        let padding = pair(geometry.padding);
        Self {
            channels: input[1],
            input: [input[2], input[3]],
            padding,
            padded: [input[2] + 2 * padding[0], input[3] + 2 * padding[1]],
            kernel: pair(geometry.kernel),
            stride: pair(geometry.stride),
            outputs: output[1],
            pool: pair(geometry.pool),
            pool_stride: pair(geometry.pool_stride),
            pooled: [output[2], output[3]],
        }
    }

    /// Numbers of an image.
    pub fn input_len(&self) -> usize {
        self.channels * self.input[0] * self.input[1]
    }

    /// Numbers of an image's output.
    pub fn output_len(&self) -> usize {
        self.outputs * self.windows()
    }

    /// Pool windows of a plane.
    pub fn windows(&self) -> usize {
        self.pooled[0] * self.pooled[1]
    }

    /// Weights of one output.
    pub fn taps(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }

    /// Numbers of an image whose channels lie together, with its padding.
    pub fn patch_len(&self) -> usize {
        self.padded[0] * self.padded[1] * self.channels
    }

    /// Places of a pool window.
    pub fn area(&self) -> usize {
        self.pool[0] * self.pool[1]
    }

    /// For each place of each pool window, where in a padded plane its patch begins: \[windows\]\[area\].
    pub fn starts(&self) -> Vec<usize> {
        let start = |window: usize, place: usize| {
            let y = window / self.pooled[1] * self.pool_stride[0] + place / self.pool[1];
            let x = window % self.pooled[1] * self.pool_stride[1] + place % self.pool[1];
            y * self.stride[0] * self.padded[1] + x * self.stride[1]
        };
        (0..self.windows()).flat_map(|window| (0..self.area()).map(move |place| start(window, place))).collect()
    }

    /// Calls with (place in the image, place among channel-last, padded numbers) for every number of an image.
    pub fn channels_last(&self, mut copy: impl FnMut(usize, usize)) {
        let [height, width] = self.input;
        for channel in 0..self.channels {
            for y in 0..height {
                let from = (channel * height + y) * width;
                let to = ((y + self.padding[0]) * self.padded[1] + self.padding[1]) * self.channels + channel;
                for x in 0..width {
                    copy(from + x, to + x * self.channels);
                }
            }
        }
    }

    /// The stretches of a patch: each row of the kernel, cut into this machine's vectors. Of each its row, its first float
    /// in the row, and where it begins within the patch.
    pub fn stretches(&self) -> Vec<[usize; 3]> {
        let row_len = self.kernel[1] * self.channels;
        let rows = 0..self.kernel[0];
        rows.flat_map(|row| {
            (0..row_len).step_by(lanes()).map(move |first| [row, first, row * self.padded[1] * self.channels + first])
        })
        .collect()
    }

    /// The index, among the weights of an output, of a float in a row of a patch; none beyond the row's end.
    pub fn tap(&self, row: usize, float: usize) -> Option<usize> {
        let (column, channel) = (float / self.channels, float % self.channels);
        (column < self.kernel[1]).then(|| (channel * self.kernel[0] + row) * self.kernel[1] + column)
    }
}

/// Floats of this machine's vectors.
pub(super) fn lanes() -> usize {
    Arch::new().dispatch(Lanes)
}

struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// Calls a function with a constant: how many stretches it keeps in registers.
macro_rules! with_count {
    ($count:expr, $call:ident!($($arguments:tt)*)) => {
        match $count {
            1 => $call!(1, $($arguments)*),
            2 => $call!(2, $($arguments)*),
            3 => $call!(3, $($arguments)*),
            4 => $call!(4, $($arguments)*),
            5 => $call!(5, $($arguments)*),
            6 => $call!(6, $($arguments)*),
            7 => $call!(7, $($arguments)*),
            _ => $call!(8, $($arguments)*),
        }
    };
}
pub(super) use with_count;
