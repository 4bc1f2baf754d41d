//! The matrix product of the CPU: one operand packed into panels that vectors run over, the numbers of the other one
//! broadcast, a tile of the output in vector registers. Each element is one chain of fused multiply-adds in ascending k,
//! whatever the tile it lies in.

use super::Threads;
use super::memory::Floats;
use super::planes::{self, transpose};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::cell::RefCell;

/// Broadcast rows of a register tile; half as many where there are only 16 registers.
const ROWS: usize = 8;
/// Vectors in a row of a register tile, at most.
const VECTORS: usize = 3;
/// Floats of such a row with the widest vectors.
const WIDTH: usize = 16 * VECTORS;

/// Floats of an operand that every thread packs for itself, at most: a half of the smallest second-level caches.
const SHARED: usize = 1 << 17;

/// Floats of this machine's vectors.
fn lanes() -> usize {
    planes::vectors(Arch::new())[0]
}

/// A register tile in memory.
type Tile = [[f32; WIDTH]; ROWS];

thread_local! {
    /// Panels of the operand that vectors run over, \[k\]\[width\]; kept, so that no step allocates them.
    static PANELS: RefCell<Floats> = RefCell::default();
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

/// The product of a \[m, k\] and b \[k, n\].
#[derive(Clone, Copy)]
pub(super) struct Gemm<'a> {
    pub threads: &'a Threads,
    /// m, n and k.
    pub size: [usize; 3],
    pub a: Matrix<'a>,
    pub b: Matrix<'a>,
    pub across: Across,
    /// Whether to add to what the output holds.
    pub accumulate: bool,
}

impl Gemm<'_> {
    /// Computes the output \[m, n\]; then `finish(row, first column, values)`, if there is one, may change each stretch of a
    /// row before it is stored.
    pub fn run(self, output: &mut [f32], finish: Option<&(impl Fn(usize, usize, &mut [f32]) + Sync)>) {
        let [m, n, k] = self.size;
        if m == 0 || n == 0 {
            return;
        }
        match self.across {
            Across::Columns => self.across_columns(output, finish),
            // Threads divide the packed rows, unless these are too few for all of them and little for each to pack.
            Across::Rows if !every_thread_has_rows(m, self.threads.count()) && m <= n && m * k <= SHARED => {
                self.across_rows_by_columns(output, finish);
            }
            Across::Rows => self.across_rows_by_rows(output, finish),
        }
    }

    /// Every thread has rows of the output, and packs all of b for itself.
    fn across_columns(self, output: &mut [f32], finish: Option<&(impl Fn(usize, usize, &mut [f32]) + Sync)>) {
        let Self { threads, size: [m, n, k], a, b, accumulate, .. } = self;
        let widest = VECTORS * lanes();
        let share = m.div_ceil(threads.count() * ROWS) * ROWS;
        threads.for_each(output[..m * n].par_chunks_mut(share * n).enumerate(), |(index, output)| {
            let count = output.len() / n;
            let broadcast = Broadcast { matrix: a, first: index * share, count };
            let mut target = ByRow { first_row: index * share, n, output, first: 0, live: 0, finish };
            PANELS.with_borrow_mut(|panel| {
                for first in (0..n).step_by(widest) {
                    (target.first, target.live) = (first, widest.min(n - first));
                    let width = target.live.next_multiple_of(lanes());
                    panel.resize(k * width);
                    pack(b.transpose(), first, target.live, width, panel);
                    Arch::new().dispatch(Product { broadcast, k, panel, width, accumulate, target: &mut target });
                }
            });
        });
    }

    /// A thread has rows of the output, and packs those of a.
    fn across_rows_by_rows(self, output: &mut [f32], finish: Option<&(impl Fn(usize, usize, &mut [f32]) + Sync)>) {
        let Self { threads, size: [m, n, k], a, b, accumulate, .. } = self;
        let share = width(m, threads.count());
        let broadcast = Broadcast { matrix: b.transpose(), first: 0, count: n };
        threads.for_each(output[..m * n].par_chunks_mut(share * n).enumerate(), |(index, output)| {
            let first_row = index * share;
            let mut rows: Vec<_> = output.chunks_exact_mut(n).collect();
            let width = rows.len().next_multiple_of(lanes());
            PANELS.with_borrow_mut(|panel| {
                panel.resize(k * width);
                pack(a, first_row, rows.len(), width, panel);
                let target = &mut ByColumn { first_row, first: 0, rows: &mut rows, finish };
                Arch::new().dispatch(Product { broadcast, k, panel, width, accumulate, target });
            });
        });
    }

    /// Every thread has columns of the output, and packs all of a for itself.
    fn across_rows_by_columns(self, output: &mut [f32], finish: Option<&(impl Fn(usize, usize, &mut [f32]) + Sync)>) {
        let Self { threads, size: [m, n, k], a, b, accumulate, .. } = self;
        let width = width(m, 1);
        let share = n.div_ceil(threads.count() * ROWS) * ROWS;
        let mut parts: Vec<Vec<&mut [f32]>> = (0..n).step_by(share).map(|_| Vec::with_capacity(m)).collect();
        for row in output[..m * n].chunks_exact_mut(n) {
            parts.iter_mut().zip(row.chunks_mut(share)).for_each(|(part, columns)| part.push(columns));
        }
        threads.for_each(parts.into_par_iter().enumerate(), |(index, mut part)| {
            let first = index * share;
            let broadcast = Broadcast { matrix: b.transpose(), first, count: part[0].len() };
            PANELS.with_borrow_mut(|panel| {
                panel.resize(k * width);
                for (first_row, rows) in (0..).step_by(width).zip(part.chunks_mut(width)) {
                    pack(a, first_row, rows.len(), width, panel);
                    let target = &mut ByColumn { first_row, first, rows, finish };
                    Arch::new().dispatch(Product { broadcast, k, panel, width, accumulate, target });
                }
            });
        });
    }
}

/// Rows of whole vectors, as many as have each of so many threads busy for the shortest time.
fn width(rows: usize, threads: usize) -> usize {
    let widths = (1..=VECTORS).rev().map(|vectors| vectors * lanes());
    widths.min_by_key(|width| rows.div_ceil(*width).div_ceil(threads) * width).expect("there are widths")
}

/// Whether there is such a stretch of rows for every thread.
fn every_thread_has_rows(rows: usize, threads: usize) -> bool {
    rows.div_ceil(width(rows, threads)) >= threads
}

/// Copies `count` rows from `first` so that the numbers of one k lie together: panel\[k\]\[width\], zeros beyond `count`.
fn pack(matrix: Matrix, first: usize, count: usize, width: usize, panel: &mut [f32]) {
    let Matrix { data, row_stride, column_stride } = matrix;
    if count < width {
        panel.fill(0.0);
    }
    if row_stride == 1 {
        for (k, panel) in panel.chunks_exact_mut(width).enumerate() {
            copy(&data[k * column_stride + first..][..count], &mut panel[..count]);
        }
    } else {
        assert_eq!(column_stride, 1, "a matrix lies in rows or in columns");
        transpose(&data[first * row_stride..], row_stride, panel, width, [count, panel.len() / width]);
    }
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

/// Where tiles come from and go to.
trait Target {
    /// Fills a tile of so many broadcast rows with what the output holds.
    fn load(&self, row: usize, count: usize, tile: &mut Tile);
    /// Finishes and stores a tile of so many broadcast rows.
    fn store(&mut self, row: usize, count: usize, tile: &mut Tile);
    /// Stores these first broadcast rows of a tile as they are in registers, if nothing more is to be done to them.
    fn store_vectors<S: Simd, const V: usize>(&mut self, row: usize, sums: &[[S::f32s; V]]) -> bool;
}

/// Broadcast rows are rows of the output, from `first_row`: vectors over the `live` columns from `first`.
struct ByRow<'a, F> {
    first_row: usize,
    n: usize,
    output: &'a mut [f32],
    first: usize,
    live: usize,
    finish: Option<&'a F>,
}

impl<F: Fn(usize, usize, &mut [f32])> Target for ByRow<'_, F> {
    #[inline(always)]
    fn load(&self, row: usize, count: usize, tile: &mut Tile) {
        let output = self.output[row * self.n..].chunks(self.n);
        for (tile, output) in tile.iter_mut().zip(output).take(count) {
            copy(&output[self.first..][..self.live], &mut tile[..self.live]);
        }
    }

    #[inline(always)]
    fn store_vectors<S: Simd, const V: usize>(&mut self, row: usize, sums: &[[S::f32s; V]]) -> bool {
        if self.finish.is_some() || self.live != V * S::F32_LANES {
            return false;
        }
        for (output, sums) in self.output[row * self.n..].chunks_mut(self.n).zip(sums) {
            let (output, _) = S::as_mut_simd_f32s(&mut output[self.first..][..V * S::F32_LANES]);
            output.copy_from_slice(sums);
        }
        true
    }

    #[inline(always)]
    fn store(&mut self, row: usize, count: usize, tile: &mut Tile) {
        let output = self.output[row * self.n..].chunks_mut(self.n);
        for (index, (tile, output)) in tile.iter_mut().zip(output).take(count).enumerate() {
            let values = &mut tile[..self.live];
            if let Some(finish) = self.finish {
                finish(self.first_row + row + index, self.first, values);
            }
            copy(values, &mut output[self.first..][..self.live]);
        }
    }
}

/// Broadcast rows are columns of the output, from `first`: vectors over these rows, from `first_row`.
struct ByColumn<'a, 'b, F> {
    first_row: usize,
    first: usize,
    rows: &'a mut [&'b mut [f32]],
    finish: Option<&'a F>,
}

impl<F: Fn(usize, usize, &mut [f32])> Target for ByColumn<'_, '_, F> {
    #[inline(always)]
    fn load(&self, column: usize, count: usize, tile: &mut Tile) {
        for (index, output) in self.rows.iter().enumerate() {
            for (tile, value) in tile.iter_mut().zip(&output[column..column + count]) {
                tile[index] = *value;
            }
        }
    }

    #[inline(always)]
    fn store_vectors<S: Simd, const V: usize>(&mut self, _: usize, _: &[[S::f32s; V]]) -> bool {
        false
    }

    #[inline(always)]
    fn store(&mut self, column: usize, count: usize, tile: &mut Tile) {
        for (index, output) in self.rows.iter_mut().enumerate() {
            let mut values: [f32; ROWS] = std::array::from_fn(|row| tile[row][index]);
            if let Some(finish) = self.finish {
                finish(self.first_row + index, self.first + column, &mut values[..count]);
            }
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
            let sums = multiply::<S, R, V>(simd, rows, matrix.column_stride, k, panel, accumulate, tile_rows);
            if !target.store_vectors::<S, V>(row, &sums[..live]) {
                for (sums, row) in sums.iter().zip(tile_rows) {
                    let (vectors, _) = S::as_mut_simd_f32s(&mut row[..]);
                    vectors[..V].copy_from_slice(sums);
                }
                target.store(row, live, &mut tile);
            }
        }
    }
}

/// Σ rows\[row\]\[k · stride\] · panel\[k\] (+ tile, to accumulate) of each row.
#[inline(always)]
fn multiply<S: Simd, const R: usize, const V: usize>(
    simd: S,
    rows: [&[f32]; R],
    stride: usize,
    k: usize,
    panel: &[f32],
    accumulate: bool,
    tile: &[[f32; WIDTH]; R],
) -> [[S::f32s; V]; R] {
    assert!(k == 0 || rows.iter().all(|row| (k - 1) * stride < row.len()));
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    if accumulate {
        for (sums, row) in sums.iter_mut().zip(tile) {
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
    sums
}
