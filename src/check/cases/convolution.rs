//! What the cases of the three convolution ops share: layers of all shapes, numbers, and choices that a forward pass may
//! have left.
//!
//! Half of the cases are of small integers: there every sum is exact in f32 in any order, so that results must be equal and
//! equal places of a pool window are decided by their order alone. The other half are of numbers in [-1, 1).

use super::{Draft, shapes};
use crate::model::{PRESETS, Shape, Stage, preset};
use crate::program::{Convolution, Element, NO_CHOICE, TensorId};

/// A convolution over the first `live` of `rows` images.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// Rows of the batch.
    pub rows: usize,
    /// Those that count.
    pub live: usize,
    /// Channels, height and width of an image.
    pub input: [usize; 3],
    /// Channels that come out.
    pub outputs: usize,
    /// Kernel, strides, padding, pool.
    pub geometry: Convolution,
}

impl Layer {
    /// Shape of the input.
    pub fn images(&self) -> [usize; 4] {
        let [channels, height, width] = self.input;
        [self.rows, channels, height, width]
    }

    /// Shape of the weights.
    pub fn weights(&self) -> [usize; 4] {
        let [height, width] = self.geometry.kernel.map(|extent| extent as usize);
        [self.outputs, self.input[0], height, width]
    }

    /// Shape of the output.
    pub fn pooled(&self) -> [usize; 4] {
        let [_, height, width] = self.input.map(|extent| extent as u32);
        let [height, width] = self.geometry.output([height, width]).expect("kernel and window fit");
        [self.rows, self.outputs, height as usize, width as usize]
    }

    /// Elements of one image.
    pub fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of one image's output.
    pub fn output_len(&self) -> usize {
        self.pooled()[1..].iter().product()
    }

    /// Weights of one output.
    pub fn taps(&self) -> usize {
        self.weights()[1..].iter().product()
    }

    /// Places of a pool window.
    pub fn places(&self) -> usize {
        self.geometry.pool.iter().product::<u32>() as usize
    }
}

/// Which numbers a case is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Integers from -2 to 2.
    Integers,
    /// Between -1 and 1.
    Floats,
}

impl Numbers {
    /// So many of them.
    pub fn draw(self, draft: &Draft, count: usize) -> Vec<f32> {
        match self {
            Self::Integers => draft.integers(count, 5).into_iter().map(|value| value as f32 - 2.0).collect(),
            Self::Floats => draft.numbers(count),
        }
    }

    /// A tensor of them whose rows that are not live hold no number: whoever reads them does not get away with it.
    pub fn batch(self, draft: &mut Draft, name: &str, shape: [usize; 4], live: usize) -> TensorId {
        let len: usize = shape.iter().product();
        let mut values = self.draw(draft, len);
        values[live * len / shape[0]..].fill(f32::NAN);
        draft.tensor(name, &shape, Element::F32, &values)
    }
}

/// The choices of a layer's output: a quarter of the gradients goes nowhere. Rows that are not live hold no place.
pub fn choices(draft: &mut Draft, layer: &Layer) -> TensorId {
    let (shape, places) = (layer.pooled(), layer.places() as u32);
    let drawn = draft.integers(shape.iter().product(), 4 * places).into_iter();
    let mut values: Vec<u32> = drawn.map(|value| if value % 4 == 0 { NO_CHOICE } else { value / 4 }).collect();
    values[layer.live * layer.output_len()..].fill(77_777);
    draft.tensor("choice", &shape, Element::U32, &values)
}

/// A pool and its strides.
type Pool = ([u32; 2], [u32; 2]);

const NONE: Pool = ([1, 1], [1, 1]);
const TWO: Pool = ([2, 2], [2, 2]);

/// Kernel, stride and padding.
type Kernel = [[u32; 2]; 3];

fn layer(
    [rows, live]: [usize; 2],
    input: [usize; 3],
    outputs: usize,
    [kernel, stride, padding]: Kernel,
    (pool, pool_stride): Pool,
) -> Layer {
    Layer { rows, live, input, outputs, geometry: Convolution { kernel, stride, padding, pool, pool_stride } }
}

/// The layers of all cases.
pub fn layers(seed: u32) -> Vec<Layer> {
    let of = |size: u32, stride: u32, padding: u32| [[size; 2], [stride; 2], [padding; 2]];
    let mut all = vec![
        layer([1, 1], [1, 1, 1], 1, of(1, 1, 0), NONE),
        layer([3, 2], [3, 1, 1], 9, of(1, 1, 0), NONE),
        // Kernels that reach beyond the image on all sides.
        layer([2, 2], [1, 1, 1], 3, of(3, 1, 1), NONE),
        layer([2, 2], [2, 2, 3], 9, of(5, 1, 2), NONE),
        // Strides, paddings, oblong kernels and images.
        layer([4, 3], [3, 9, 7], 9, of(3, 2, 1), NONE),
        layer([3, 3], [2, 8, 5], 3, [[2, 3], [2, 1], [0, 1]], NONE),
        layer([2, 2], [9, 6, 11], 24, [[2, 3], [1, 2], [1, 2]], NONE),
        layer([3, 2], [1, 13, 10], 24, [[5, 5], [1, 1], [2, 1]], ([2, 1], [2, 1])),
        layer([2, 2], [3, 12, 13], 9, of(3, 2, 1), TWO),
        // A pool that leaves rows and columns over, one that overlaps, more so, one with gaps, one over all of the plane.
        layer([2, 2], [3, 8, 10], 33, of(2, 1, 0), TWO),
        layer([2, 2], [3, 11, 9], 33, of(3, 1, 1), ([3, 3], [2, 2])),
        layer([3, 2], [2, 6, 5], 3, of(1, 1, 0), ([3, 3], [1, 1])),
        layer([2, 2], [1, 9, 12], 8, [[3, 2], [1, 1], [0, 1]], ([2, 2], [3, 3])),
        layer([2, 2], [24, 7, 6], 1, of(3, 1, 0), ([2, 1], [2, 1])),
        layer([2, 1], [1, 5, 6], 2, of(2, 1, 0), ([4, 5], [4, 5])),
        // One place, and steps that no image has.
        layer([2, 2], [1, 2, 2], 2, [[2, 2], [1 << 31, 1 << 31], [0, 0]], ([1, 1], [1 << 31, 1 << 31])),
        layer([2, 2], [2, 7, 9], 5, of(1, 2, 0), ([2, 3], [1, 2])),
        // More taps than registers.
        layer([2, 2], [2, 11, 12], 3, of(9, 1, 0), TWO),
        // Rows that are not live: some, all, whole blocks.
        layer([37, 35], [2, 6, 6], 5, of(3, 1, 0), TWO),
        layer([40, 16], [1, 5, 5], 3, of(2, 1, 0), TWO),
        layer([40, 17], [1, 5, 5], 3, of(2, 1, 1), NONE),
        layer([20, 0], [1, 5, 5], 3, of(2, 1, 0), TWO),
        // Many windows in a block of sixteen images: llvmpipe ends the loops of an invocation after 65,535 iterations.
        layer([16, 16], [1, 28, 28], 2, of(3, 1, 0), NONE),
        layer([16, 16], [1, 28, 28], 2, of(5, 1, 2), TWO),
        layer([16, 16], [1, 28, 28], 1, of(8, 1, 0), NONE),
        layer([16, 16], [1, 40, 40], 1, of(8, 1, 0), NONE),
        layer([16, 16], [1, 62, 64], 1, of(3, 1, 0), NONE),
        layer([16, 16], [1, 64, 66], 1, of(5, 1, 0), NONE),
        layer([16, 16], [1, 67, 66], 1, of(3, 1, 0), NONE),
        layer([2, 2], [1, 240, 241], 1, of(2, 1, 0), NONE),
    ];
    // One to nine columns and rows of the kernel, and outputs around vectors of 8, 16 and 32.
    let outputs = [1, 3, 8, 9, 16, 17, 24, 33, 48];
    all.extend((1..10).zip(outputs).map(|(size, outputs)| {
        let kernel = [[size, 1], [1, 1], [0, 0]];
        layer([2, 2], [1, size as usize + 1, size as usize], outputs, kernel, NONE)
    }));
    all.extend(presets());
    all.extend(random(seed));
    all
}

/// The convolutions of all presets on MNIST's images.
fn presets() -> Vec<Layer> {
    let stages = PRESETS.iter().flat_map(|name| {
        let stages = preset(name, 10).map(|model| model.stages(Shape::picture(28, 28), 10));
        stages.expect("it is a preset").expect("it fits")
    });
    let convolution = |stage| if let Stage::Conv(conv) = stage { Some(conv) } else { None };
    let layers = stages.filter_map(convolution).map(|conv| {
        let input = [conv.input.channels, conv.input.height, conv.input.width].map(|extent| extent as usize);
        Layer { rows: 2, live: 1, input, outputs: conv.output.channels as usize, geometry: conv.geometry }
    });
    layers.collect()
}

/// Some of random shapes.
fn random(seed: u32) -> impl Iterator<Item = Layer> {
    let shapes = shapes(seed, 4, [20, 20, 5, 14, 14, 40, 5, 5, 3, 3, 3, 3, 3, 3]);
    shapes.map(|[rows, dead, channels, height, width, outputs, kh, kw, sy, sx, ph, pw, py, px]| {
        let narrow = |values: [usize; 2]| values.map(|value| value as u32);
        let kernel = narrow([kh.min(height), kw.min(width)]);
        let geometry = Convolution {
            kernel,
            stride: narrow([sy, sx]),
            padding: [rows as u32 % kernel[0], dead as u32 % kernel[1]],
            pool: [1, 1],
            pool_stride: narrow([py, px]),
        };
        let [h, w] = geometry.convolved(narrow([height, width])).expect("the kernel fits");
        let geometry = Convolution { pool: [h.min(ph as u32), w.min(pw as u32)], ..geometry };
        Layer { rows, live: rows.saturating_sub(dead / 4), input: [channels, height, width], outputs, geometry }
    })
}
