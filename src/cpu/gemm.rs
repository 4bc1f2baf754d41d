//! The matrix product of the CPU: one operand packed into panels that vectors run over, the numbers of the other one
//! broadcast, a tile of the output in vector registers. Each element is one chain of fused multiply-adds in ascending k,
//! whatever the tile it lies in.

use super::memory::Floats;
use super::planes;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::cell::RefCell;

/// Broadcast rows of a register tile; half as many where there are only 16 registers.
const ROWS: usize = 8;
/// Vectors in a row of a register tile, at most.
const VECTORS: usize = 3;
/// Floats of such a row with the widest vectors.
const WIDTH: usize = 16 * VECTORS;

/// Floats of this machine's vectors.
fn lanes() -> usize {
    planes::lanes(Arch::new())
}

/// A register tile in memory.
type Tile = [[f32; WIDTH]; ROWS];

thread_local! {
    /// A panel of the operand that vectors run over, \[k\]\[width\]; kept, so that no step allocates.
    static PANEL: RefCell<Floats> = RefCell::default();
}

/// A matrix seen through strides: element (row, column) is `data[row * row_stride + column * column_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub data: &'a [f32],
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `width` numbers one after another.
    pub fn rows(data: &'a [f32], width: usize) -> Self {
        Self { data, row_stride: width, column_stride: 1 }
    }

    /// The same, transposed.
    pub fn transposed(data: &'a [f32], width: usize) -> Self {
        Self { data, row_stride: 1, column_stride: width }
    }

    fn transpose(self) -> Self {
        Self { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }
}

/// What the vectors of a product run over. Its operand is packed, the other one is read where it lies; the result is the
/// same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Across {
    /// The rows of the output.
    Rows,
    /// The columns of the output.
    Columns,
}

/// output \[m, n\] = a \[m, k\] · b \[k, n\] (+ output, to accumulate); then `finish(row, first column, values)` may
/// change each stretch of a row of the output before it is stored.
pub(super) fn gemm(
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: Matrix,
    across: Across,
    output: &mut [f32],
    accumulate: bool,
    finish: impl Fn(usize, usize, &mut [f32]) + Sync,
) {
    if m == 0 || n == 0 {
        return;
    }
    let widest = VECTORS * lanes();
    let share = share(m, across);
    output[..m * n].par_chunks_mut(share * n).enumerate().for_each(|(index, output)| {
        let rows = Rows { first: index * share, n, output, finish: &finish };
        PANEL.with_borrow_mut(|panel| match across {
            Across::Columns => {
                let count = rows.output.len() / n;
                let mut target = ByRow { rows, first: 0, live: 0 };
                for first in (0..n).step_by(widest) {
                    (target.first, target.live) = (first, widest.min(n - first));
                    let width = pack(b.transpose(), first, target.live, k, panel);
                    let broadcast = Broadcast { matrix: a, first: target.rows.first, count };
                    Arch::new().dispatch(Product { broadcast, k, panel, width, accumulate, target: &mut target });
                }
            }
            Across::Rows => {
                let live = rows.output.len() / n;
                let width = pack(a, rows.first, live, k, panel);
                let broadcast = Broadcast { matrix: b.transpose(), first: 0, count: n };
                let target = &mut ByColumn { rows, live };
                Arch::new().dispatch(Product { broadcast, k, panel, width, accumulate, target });
            }
        });
    });
}

/// Rows of the output that one task computes.
fn share(m: usize, across: Across) -> usize {
    let threads = rayon::current_num_threads();
    match across {
        Across::Columns => m.div_ceil(threads * ROWS) * ROWS,
        // As many vectors of rows as keep all threads busy for the shortest time.
        Across::Rows => {
            let widths = (1..=VECTORS).rev().map(|vectors| vectors * lanes());
            widths.min_by_key(|width| m.div_ceil(*width).div_ceil(threads) * width).expect("there are widths")
        }
    }
}

/// Copies `count` rows from `first` so that the numbers of one k lie together: panel\[k\]\[width\], zeros beyond `count`.
/// The width is whole vectors.
fn pack(matrix: Matrix, first: usize, count: usize, k: usize, panel: &mut Floats) -> usize {
    /// Numbers of a row that are copied at a time, so that what they are spread over stays in the cache.
    const STRETCH: usize = 64;
    let Matrix { data, row_stride, column_stride } = matrix;
    let width = count.next_multiple_of(lanes());
    panel.resize(k * width);
    if count < width {
        panel.fill(0.0);
    }
    if row_stride == 1 {
        for (k, panel) in panel.chunks_exact_mut(width).enumerate() {
            copy(&data[k * column_stride + first..][..count], &mut panel[..count]);
        }
    } else {
        for (start, panel) in (0..k).step_by(STRETCH).zip(panel.chunks_mut(STRETCH * width)) {
            // Four rows at a time: what they are spread over is written in whole quarters of a vector.
            for row in (0..count / 4 * 4).step_by(4) {
                let rows: [&[f32]; 4] =
                    std::array::from_fn(|index| &data[(first + row + index) * row_stride + start * column_stride..]);
                for (k, panel) in panel.chunks_exact_mut(width).enumerate() {
                    let values = rows.map(|row| row[k * column_stride]);
                    panel[row..row + 4].copy_from_slice(&values);
                }
            }
            for row in count / 4 * 4..count {
                let values = data[(first + row) * row_stride + start * column_stride..].iter().step_by(column_stride);
                for (panel, value) in panel[row..].iter_mut().step_by(width).zip(values) {
                    *panel = *value;
                }
            }
        }
    }
    width
}

/// Copies a few vectors of numbers, in line.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    let ((from, from_rest), (to, to_rest)) = (from.as_chunks::<16>(), to.as_chunks_mut::<16>());
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to = *from;
    }
}

/// Some rows of the output, and what happens to them before they are stored.
struct Rows<'a, F> {
    first: usize,
    n: usize,
    output: &'a mut [f32],
    finish: &'a F,
}

/// Where tiles come from and go to.
trait Target {
    /// Fills a tile of so many broadcast rows with what the output holds.
    fn load(&self, row: usize, count: usize, tile: &mut Tile);
    /// Finishes and stores a tile of so many broadcast rows.
    fn store(&mut self, row: usize, count: usize, tile: &mut Tile);
}

/// Broadcast rows are rows of the output: vectors over the `live` columns from `first`.
struct ByRow<'a, F> {
    rows: Rows<'a, F>,
    first: usize,
    live: usize,
}

impl<F: Fn(usize, usize, &mut [f32])> Target for ByRow<'_, F> {
    #[inline(always)]
    fn load(&self, row: usize, count: usize, tile: &mut Tile) {
        let output = self.rows.output[row * self.rows.n..].chunks(self.rows.n);
        for (tile, output) in tile.iter_mut().zip(output).take(count) {
            copy(&output[self.first..][..self.live], &mut tile[..self.live]);
        }
    }

    #[inline(always)]
    fn store(&mut self, row: usize, count: usize, tile: &mut Tile) {
        let Rows { first, n, output, finish } = &mut self.rows;
        let output = output[row * *n..].chunks_mut(*n);
        for (index, (tile, output)) in tile.iter_mut().zip(output).take(count).enumerate() {
            let values = &mut tile[..self.live];
            finish(*first + row + index, self.first, values);
            copy(values, &mut output[self.first..][..self.live]);
        }
    }
}

/// Broadcast rows are columns of the output: vectors over its `live` rows.
struct ByColumn<'a, F> {
    rows: Rows<'a, F>,
    live: usize,
}

impl<F: Fn(usize, usize, &mut [f32])> Target for ByColumn<'_, F> {
    #[inline(always)]
    fn load(&self, column: usize, count: usize, tile: &mut Tile) {
        for (index, output) in self.rows.output.chunks_exact(self.rows.n).enumerate() {
            for (tile, value) in tile.iter_mut().zip(&output[column..column + count]) {
                tile[index] = *value;
            }
        }
    }

    #[inline(always)]
    fn store(&mut self, column: usize, count: usize, tile: &mut Tile) {
        let Rows { first, n, output, finish } = &mut self.rows;
        for (index, output) in output.chunks_exact_mut(*n).enumerate().take(self.live) {
            let mut values: [f32; ROWS] = std::array::from_fn(|row| tile[row][index]);
            finish(*first + index, column, &mut values[..count]);
            output[column..column + count].copy_from_slice(&values[..count]);
        }
    }
}

/// The operand whose numbers are broadcast, and its rows that take part.
#[derive(Clone, Copy)]
struct Broadcast<'a> {
    matrix: Matrix<'a>,
    first: usize,
    count: usize,
}

/// All tiles of a panel.
struct Product<'a, T> {
    broadcast: Broadcast<'a>,
    k: usize,
    panel: &'a [f32],
    width: usize,
    accumulate: bool,
    target: &'a mut T,
}

impl<T: Target> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (S::REGISTER_COUNT >= 32, self.width / S::F32_LANES) {
            (true, 1) => self.tiles::<S, ROWS, 1>(simd),
            (true, 2) => self.tiles::<S, ROWS, 2>(simd),
            (true, _) => self.tiles::<S, ROWS, VECTORS>(simd),
            (false, 1) => self.tiles::<S, { ROWS / 2 }, 1>(simd),
            (false, 2) => self.tiles::<S, { ROWS / 2 }, 2>(simd),
            (false, _) => self.tiles::<S, { ROWS / 2 }, VECTORS>(simd),
        }
    }
}

impl<T: Target> Product<'_, T> {
    #[inline(always)]
    fn tiles<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let Self { broadcast: Broadcast { matrix, first, count }, k, panel, accumulate, target, .. } = self;
        let mut tile = [[0.0; WIDTH]; ROWS];
        for row in (0..count).step_by(R) {
            let live = R.min(count - row);
            if accumulate {
                target.load(row, live, &mut tile);
            }
            // Beyond the last row the first one is computed again, and left.
            let rows: [&[f32]; R] = std::array::from_fn(|index| {
                let index = if index < live { index } else { 0 };
                &matrix.data[(first + row + index) * matrix.row_stride..]
            });
            let tile_rows: &mut [_; R] = tile.first_chunk_mut().expect("no more rows than a tile has");
            multiply::<S, R, V>(simd, rows, matrix.column_stride, k, panel, accumulate, tile_rows);
            target.store(row, live, &mut tile);
        }
    }
}

/// tile\[row\] = Σ rows\[row\]\[k · stride\] · panel\[k\] (+ tile, to accumulate).
#[inline(always)]
fn multiply<S: Simd, const R: usize, const V: usize>(
    simd: S,
    rows: [&[f32]; R],
    stride: usize,
    k: usize,
    panel: &[f32],
    accumulate: bool,
    tile: &mut [[f32; WIDTH]; R],
) {
    assert!(k == 0 || rows.iter().all(|row| (k - 1) * stride < row.len()));
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    if accumulate {
        for (sums, row) in sums.iter_mut().zip(&*tile) {
            let (vectors, _) = S::as_simd_f32s(&row[..]);
            sums.copy_from_slice(&vectors[..V]);
        }
    }
    let rows = rows.map(<[f32]>::as_ptr);
    for (index, panel) in panel.chunks_exact(V * S::F32_LANES).enumerate().take(k) {
        let (panel, _) = S::as_simd_f32s(panel);
        let panel: &[S::f32s; V] = panel.try_into().expect("a row of a panel has this many vectors");
        for (row, sums) in rows.iter().zip(&mut sums) {
            // SAFETY: the index is at most k − 1, and the assertion above holds that inside every row.
            let value = simd.splat_f32s(unsafe { *row.add(index * stride) });
            for vector in 0..V {
                sums[vector] = simd.mul_add_f32s(value, panel[vector], sums[vector]);
            }
        }
    }
    for (sums, row) in sums.iter().zip(tile) {
        let (vectors, _) = S::as_mut_simd_f32s(&mut row[..]);
        vectors[..V].copy_from_slice(sums);
    }
}
