//! What the three convolution ops share: their extents, padded planes, and channel-last patches.

use crate::program::{Convolution, Program, TensorId};
use bytemuck::Pod;
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

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
        let mut starts = Vec::with_capacity(self.windows() * self.area());
        for (top, left) in pairs(self.pooled) {
            for (y, x) in pairs(self.pool) {
                let (y, x) = (top * self.pool_stride[0] + y, left * self.pool_stride[1] + x);
                starts.push(y * self.stride[0] * self.padded[1] + x * self.stride[1]);
            }
        }
        starts
    }

    /// Numbers before the image among the channel-last, padded ones, and of one of its rows.
    fn rows(&self) -> [usize; 2] {
        let row = self.padded[1] * self.channels;
        [self.padding[0] * row + self.padding[1] * self.channels, row]
    }

    /// Copies an image to channel-last, padded numbers.
    pub fn channels_last(&self, image: &[f32], patches: &mut [f32]) {
        let [height, width] = self.input;
        let [first, row] = self.rows();
        for (y, patches) in patches[first..].chunks_mut(row).take(height).enumerate() {
            transpose(&image[y * width..], height * width, patches, self.channels, [self.channels, width]);
        }
    }

    /// The same back, without the padding.
    pub fn channels_first(&self, patches: &[f32], image: &mut [f32]) {
        let [height, width] = self.input;
        let [first, row] = self.rows();
        for (y, patches) in patches[first..].chunks(row).take(height).enumerate() {
            transpose(patches, self.channels, &mut image[y * width..], height * width, [width, self.channels]);
        }
    }

    /// The vectors for rows of a kernel: this machine's widest, unless a row fits into one of eight floats.
    pub fn arch(&self) -> Arch {
        match Arch::new() {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(widest) if self.kernel_row() > 8 => Arch::V4(widest),
            #[cfg(target_arch = "x86_64")]
            Arch::V4(widest) => Arch::V3(*widest),
            arch => arch,
        }
    }

    /// Floats of a row of the kernel, channels last.
    fn kernel_row(&self) -> usize {
        self.kernel[1] * self.channels
    }

    /// The stretches of a patch: each row of the kernel, cut into [`Self::arch`]'s vectors. Of each its row, its first float
    /// in the row, and where it begins within the patch.
    pub fn stretches(&self) -> Vec<[usize; 3]> {
        let [lanes, _] = vectors(self.arch());
        let rows = 0..self.kernel[0];
        rows.flat_map(|row| {
            let start = row * self.padded[1] * self.channels;
            (0..self.kernel_row()).step_by(lanes).map(move |first| [row, first, start + first])
        })
        .collect()
    }

    /// The stretches in few parts: the sums of each fit into half of the registers, 16 at most, and leave the other half to
    /// what is loaded.
    pub fn parts(&self) -> Vec<Range<usize>> {
        let [lanes, registers] = vectors(self.arch());
        let count = self.kernel[0] * self.kernel_row().div_ceil(lanes);
        let share = count.div_ceil(count.div_ceil(registers / 2));
        (0..count).step_by(share).map(|first| first..(first + share).min(count)).collect()
    }

    /// The index, among the weights of an output, of a float in a row of a patch; none beyond the row's end.
    pub fn tap(&self, row: usize, float: usize) -> Option<usize> {
        let (column, channel) = (float / self.channels, float % self.channels);
        (column < self.kernel[1]).then(|| (channel * self.kernel[0] + row) * self.kernel[1] + column)
    }
}

/// Row and column of every place, row after row.
fn pairs([rows, columns]: [usize; 2]) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// to\[column, row\] = from\[row, column\]; of each matrix the numbers from one row to the next.
pub(super) fn transpose<T: Pod>(from: &[T], from_stride: usize, to: &mut [T], to_stride: usize, extents: [usize; 2]) {
    let [rows, columns] = extents;
    if rows == 0 || columns == 0 {
        return;
    }
    assert!((rows - 1) * from_stride + columns <= from.len() && (columns - 1) * to_stride + rows <= to.len());
    let [whole_rows, whole_columns] = extents.map(|extent| extent / SIDE * SIDE);
    // Few lines of `to` at a time, each from its beginning to its end: so its memory is there before it is written.
    for column in (0..whole_columns).step_by(SIDE) {
        for row in (0..whole_rows).step_by(SIDE) {
            // SAFETY: the block is within rows and columns, and the assertion holds all of them inside.
            unsafe {
                let from = from.as_ptr().add(row * from_stride + column);
                let to = to.as_mut_ptr().add(column * to_stride + row);
                let block = std::array::from_fn(|index| from.add(index * from_stride).cast::<[T; SIDE]>().read());
                for (index, line) in transpose_block(block).into_iter().enumerate() {
                    to.add(index * to_stride).cast::<[T; SIDE]>().write(line);
                }
            }
        }
    }
    for row in 0..rows {
        let first = if row < whole_rows { whole_columns } else { 0 };
        for column in first..columns {
            to[column * to_stride + row] = from[row * from_stride + column];
        }
    }
}

/// Rows and columns that are transposed in registers.
const SIDE: usize = 4;

#[inline(always)]
fn transpose_block<T: Pod>(block: [[T; SIDE]; SIDE]) -> [[T; SIDE]; SIDE] {
    // Compilers move the numbers one by one where they are not told how to shuffle.
    #[cfg(target_arch = "x86_64")]
    if size_of::<T>() == size_of::<f32>() {
        let [mut a, mut b, mut c, mut d] = block.map(bytemuck::cast);
        // SAFETY: every x86-64 processor has SSE.
        unsafe { std::arch::x86_64::_MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d) };
        return [a, b, c, d].map(bytemuck::cast);
    }
    std::array::from_fn(|column| block.map(|row| row[column]))
}

/// Floats of a vector, and vectors that there are registers for.
pub(super) fn vectors(arch: Arch) -> [usize; 2] {
    struct Vectors;
    impl WithSimd for Vectors {
        type Output = [usize; 2];

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> [usize; 2] {
            [S::F32_LANES, S::REGISTER_COUNT]
        }
    }
    arch.dispatch(Vectors)
}

/// Calls a macro with a constant: how many vectors are kept in registers, 1 to 8 or up to 16.
macro_rules! with_count {
    ($count:expr, $call:ident!($simd:ident)) => {
        with_count!($count, $call, $simd, 1 2 3 4 5 6 7 8)
    };
    (up to 16, $count:expr, $call:ident!($simd:ident)) => {
        with_count!($count, $call, $simd, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    };
    ($count:expr, $call:ident, $simd:ident, $($constant:literal)*) => {
        match $count {
            $($constant => $call!($constant, $simd),)*
            count => unreachable!("{count} vectors"),
        }
    };
}
pub(super) use with_count;
