//! The paper: whether it is the lighter or the darker part, how light it is where, and what stands out from it.

use super::{Grey, Ink};
use crate::{Error, Result};

/// How far the square reaches to each side that no stroke fills, as a share of the longer side.
const WINDOW: f64 = 1.0 / 6.0;
/// The least difference to the paper that is ink: eight of 256 levels.
const LEAST_CONTRAST: f64 = 8.0 / 255.0;

impl Grey {
    /// Whether the ink is lighter than the paper.
    ///
    /// The paper is the plane through the picture's edge, for light falls off across it. What differs most from that is ink:
    /// the sum of the differences' cubes has its sign.
    pub fn is_light_on_dark(&self) -> bool {
        let (centre_x, centre_y) = ((self.width - 1) as f64 / 2.0, (self.height - 1) as f64 / 2.0);
        let place = |i: usize| ((i % self.width) as f64 - centre_x, (i / self.width) as f64 - centre_y);
        // About the centre, the edge's columns and rows sum to nothing, so that the least squares fall apart into three.
        let (mut count, mut sum, mut by_x, mut by_y, mut xx, mut yy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for i in (0..self.cells.len()).filter(|&i| self.at_edge(i)) {
            let (x, y) = place(i);
            count += 1.0;
            sum += self.cells[i];
            by_x += x * self.cells[i];
            by_y += y * self.cells[i];
            xx += x * x;
            yy += y * y;
        }
        let slope = |sum: f64, squares: f64| if squares > 0.0 { sum / squares } else { 0.0 };
        let (level, slope_x, slope_y) = (sum / count, slope(by_x, xx), slope(by_y, yy));
        let cube = |i: usize| {
            let (x, y) = place(i);
            let difference = self.cells[i] - level - slope_x * x - slope_y * y;
            difference * difference * difference
        };
        (0..self.cells.len()).map(cube).sum::<f64>() > 0.0
    }

    /// By which share each cell of dark ink on light paper is darker than the paper there.
    ///
    /// The paper is the picture closed: the lightest within a square that is wider than strokes, and of that the darkest
    /// within the same square. It follows the edges of shadows and loses what is narrow and dark.
    ///
    /// # Errors
    /// [`Error::Picture`], where nothing differs from the paper.
    pub fn ink(&self) -> Result<Ink> {
        let reach = (self.width.max(self.height) as f64 * WINDOW).ceil() as usize;
        // Beyond the edge the picture goes on as it ends there, twice as far as the square reaches.
        let lightest = |row: &[f64]| best_within(&extended(row, 2 * reach), 2 * reach + 1, f64::max);
        let darkest = |row: &[f64]| best_within(row, 2 * reach + 1, f64::min);
        let paper = self.turned(lightest).turned(lightest).turned(darkest).turned(darkest);
        let pairs = || self.cells.iter().zip(&paper.cells);
        if pairs().all(|(cell, paper)| paper - cell < LEAST_CONTRAST) {
            return Err(Error::Picture("the picture is blank: nothing on it differs from the paper".into()));
        }
        let share = |(cell, &paper): (&f64, &f64)| if paper > 0.0 { 1.0 - cell / paper } else { 0.0 };
        Ok(Ink { width: self.width, height: self.height, cells: pairs().map(share).collect() })
    }
}

/// The row with its ends repeated so many times.
fn extended(row: &[f64], times: usize) -> Vec<f64> {
    [&[row[0]].repeat(times), row, &[row[row.len() - 1]].repeat(times)].concat()
}

/// The best of each value and those after it within a window, by windows that double; as many fewer as the window reaches.
fn best_within(row: &[f64], window: usize, better: fn(f64, f64) -> f64) -> Vec<f64> {
    let mut best = row.to_vec();
    let mut size = 1;
    while size < window {
        let step = size.min(window - size);
        best = (step..best.len()).map(|i| better(best[i - step], best[i])).collect();
        size += step;
    }
    best
}
