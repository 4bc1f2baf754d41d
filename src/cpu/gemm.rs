//! The matrix product of the CPU: packed panels, a tile of the output in vector registers, one chain of fused
//! multiply-adds per element in ascending k.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows of a register tile.
const ROWS: usize = 8;
/// Vectors in a row of a register tile.
const VECTORS: usize = 3;
/// Columns of a panel: those of a register tile with the widest vectors.
const COLUMNS: usize = 16 * VECTORS;

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
}

/// output \[m, n\] = a \[m, k\] · b \[k, n\] (+ output, to accumulate); then `finish(row, first column, values)` may
/// change each stretch of a row of the output before it is stored.
pub(super) fn gemm(
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: Matrix,
    output: &mut [f32],
    accumulate: bool,
    finish: impl Fn(usize, usize, &mut [f32]) + Sync,
) {
    if m == 0 {
        return;
    }
    let panels = n.div_ceil(COLUMNS);
    let mut packed_b = vec![0.0; panels * k * COLUMNS];
    packed_b.par_chunks_mut(k.max(1) * COLUMNS).enumerate().for_each(|(panel, packed)| {
        let first = panel * COLUMNS;
        pack(b.transpose(), first, COLUMNS.min(n - first), k, COLUMNS, packed);
    });
    output[..m * n].par_chunks_mut(ROWS * n).enumerate().for_each(|(block, output)| {
        let first_row = block * ROWS;
        let rows = output.len() / n;
        let mut packed_a = vec![0.0; k * ROWS];
        pack(a, first_row, rows, k, ROWS, &mut packed_a);
        for panel in 0..panels {
            let first = panel * COLUMNS;
            let columns = COLUMNS.min(n - first);
            let mut tile = [[0.0; COLUMNS]; ROWS];
            if accumulate {
                for (tile, row) in tile.iter_mut().zip(output.chunks_exact(n)) {
                    tile[..columns].copy_from_slice(&row[first..first + columns]);
                }
            }
            let b = &packed_b[panel * k * COLUMNS..][..k * COLUMNS];
            Arch::new().dispatch(Tile { a: &packed_a, b, tile: &mut tile });
            for (row, (tile, output)) in tile.iter_mut().zip(output.chunks_exact_mut(n)).enumerate() {
                finish(first_row + row, first, &mut tile[..columns]);
                output[first..first + columns].copy_from_slice(&tile[..columns]);
            }
        }
    });
}

impl Matrix<'_> {
    fn transpose(self) -> Self {
        Self { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }
}

/// Copies `count` rows of k numbers so that the numbers of one k lie together: packed\[k\]\[width\], zeros beyond `count`.
fn pack(matrix: Matrix, first: usize, count: usize, k: usize, width: usize, packed: &mut [f32]) {
    let Matrix { data, row_stride, column_stride } = matrix;
    if row_stride == 1 {
        for (k, packed) in packed.chunks_exact_mut(width).enumerate().take(k) {
            packed[..count].copy_from_slice(&data[k * column_stride + first..][..count]);
        }
    } else {
        for row in 0..count {
            let values = data[(first + row) * row_stride..].iter().step_by(column_stride);
            for (packed, value) in packed[row..].iter_mut().step_by(width).zip(values.take(k)) {
                *packed = *value;
            }
        }
    }
}

/// tile\[row\]\[column\] += Σ a\[k\]\[row\] · b\[k\]\[column\].
struct Tile<'a> {
    a: &'a [f32],
    b: &'a [f32],
    tile: &'a mut [[f32; COLUMNS]; ROWS],
}

impl WithSimd for Tile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = VECTORS * S::F32_LANES;
        for first in (0..COLUMNS).step_by(width) {
            let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
            for (sums, row) in sums.iter_mut().zip(self.tile.iter()) {
                let (vectors, _) = S::as_simd_f32s(&row[first..]);
                sums.copy_from_slice(&vectors[..VECTORS]);
            }
            for (a, b) in self.a.chunks_exact(ROWS).zip(self.b.chunks_exact(COLUMNS)) {
                let a: &[f32; ROWS] = a.try_into().expect("chunks have this size");
                let (b, _) = S::as_simd_f32s(&b[first..first + width]);
                let b: &[S::f32s; VECTORS] = b.try_into().expect("a stretch has this many vectors");
                for row in 0..ROWS {
                    let a = simd.splat_f32s(a[row]);
                    for vector in 0..VECTORS {
                        sums[row][vector] = simd.mul_add_f32s(a, b[vector], sums[row][vector]);
                    }
                }
            }
            for (sums, row) in sums.iter().zip(self.tile.iter_mut()) {
                let (vectors, _) = S::as_mut_simd_f32s(&mut row[first..]);
                vectors[..VECTORS].copy_from_slice(sums);
            }
        }
    }
}
