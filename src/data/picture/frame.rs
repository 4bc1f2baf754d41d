//! Frames: a line around the digit, or a mat of another brightness that reaches to the edge.

use super::Grey;
use super::grey::{median, range};

/// The least step from a frame to what it borders on, as a share of the picture's whole range.
const STEP: f64 = 0.15;
/// How much of each side of a frame must be there.
const WHOLE: f64 = 0.85;
/// Cells across which a sharp edge is spread, besides smoothing.
const SHARP: usize = 2;
/// Frames that are left at most; a line is two, its outer edge and its inner one.
const NESTED: usize = 4;

impl Grey {
    /// Keeps only what is within the picture's frames. A frame around nothing is no frame: it may be the digit.
    pub fn leave_frames(&mut self) {
        let (least, most) = range(&self.cells);
        let step = STEP * (most - least);
        let spread = SHARP + 2 * self.smoothing();
        let mut inner = self.clone();
        for _ in 0..NESTED {
            let Some(within) = inner.within_frame(step, spread) else { return };
            inner = within;
            let paper = inner.median_of_edge();
            if inner.cells.iter().any(|cell| (cell - paper).abs() > step) {
                *self = inner.clone();
            }
        }
    }

    fn median_of_edge(&self) -> f64 {
        let mut edge: Vec<f64> = (0..self.cells.len()).filter(|&i| self.at_edge(i)).map(|i| self.cells[i]).collect();
        median(&mut edge)
    }

    /// What is within the outermost rectangle that differs from the picture's edge by a step within `spread` cells.
    fn within_frame(&self, step: f64, spread: usize) -> Option<Self> {
        let (width, height) = (self.width, self.height);
        let outside = self.median_of_edge();
        let cell = |x: usize, y: usize| self.cells[y * width + x];
        let differs = |x: usize, y: usize| (cell(x, y) - outside).abs() > step;
        let row_differs = |y: &usize| 2 * (0..width).filter(|&x| differs(x, *y)).count() > width;
        let column_differs = |x: &usize| 2 * (0..height).filter(|&y| differs(*x, y)).count() > height;
        let (top, bottom) = ((0..height).find(row_differs)?, (0..height).rfind(row_differs)?);
        let (left, right) = ((0..width).find(column_differs)?, (0..width).rfind(column_differs)?);
        if top == 0 || left == 0 || bottom + 1 == height || right + 1 == width {
            return None;
        }
        if bottom - top < 4 * spread || right - left < 4 * spread {
            return None;
        }
        let sharp = |a: f64, b: f64| (a - b).abs() > step;
        let row = |y: usize, beyond: usize| {
            let count = (left..=right).filter(|&x| sharp(cell(x, y), cell(x, beyond))).count();
            count as f64 >= WHOLE * (right - left + 1) as f64
        };
        let column = |x: usize, beyond: usize| {
            let count = (top..=bottom).filter(|&y| sharp(cell(x, y), cell(beyond, y))).count();
            count as f64 >= WHOLE * (bottom - top + 1) as f64
        };
        let whole = row(top, top.saturating_sub(spread))
            && row(bottom, (bottom + spread).min(height - 1))
            && column(left, left.saturating_sub(spread))
            && column(right, (right + spread).min(width - 1));
        whole.then(|| self.crop([left + spread, right + 1 - spread], [top + spread, bottom + 1 - spread]))
    }

    /// A part of the picture, from the first to before the second column and row.
    fn crop(&self, [left, right]: [usize; 2], [top, bottom]: [usize; 2]) -> Self {
        let rows = (top..bottom).flat_map(|y| &self.cells[y * self.width + left..y * self.width + right]);
        Self { width: right - left, height: bottom - top, cells: rows.copied().collect() }
    }
}
