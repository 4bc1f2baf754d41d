//! The picture as a plane of grey.

use super::Pixels;

/// Cells of the longer side at most; what is larger is averaged down.
const LONGEST: usize = 512;
/// How far smoothing reaches to each side, as a share of the shorter side.
const SMOOTHING: f64 = 0.01;
/// Opaque pixels whose brightness differs by less are ink without its paper.
const ONE_COLOUR: f64 = 0.1;

/// Brightness from 0, black, to 1, white.
#[derive(Clone, Debug, PartialEq)]
pub struct Grey {
    /// Cells of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row after row.
    pub cells: Vec<f64>,
}

impl Grey {
    /// The picture's luminance (0.299 red + 0.587 green + 0.114 blue), averaged over squares of pixels; where it is
    /// transparent, a ground shines through.
    ///
    /// The ground is the median of what is opaque, which is paper more than ink; or, where all of that is of one brightness,
    /// ink alone, it is white under dark ink and black under light.
    pub fn of(picture: &Pixels) -> Self {
        let Pixels { width, height, ref rgba } = *picture;
        let square = width.max(height).div_ceil(LONGEST);
        let (columns, rows) = (width.div_ceil(square), height.div_ceil(square));
        // Of each cell: pixels, and the sums of alpha and of luminance times alpha.
        let mut sums = vec![[0.0; 3]; columns * rows];
        for (y, row) in rgba.chunks_exact(4 * width).enumerate() {
            for (x, pixel) in row.chunks_exact(4).enumerate() {
                let [red, green, blue, alpha] = [0, 1, 2, 3].map(|channel| f64::from(pixel[channel]) / 255.0);
                let sum = &mut sums[y / square * columns + x / square];
                sum[0] += 1.0;
                sum[1] += alpha;
                sum[2] += alpha * (0.299 * red + 0.587 * green + 0.114 * blue);
            }
        }
        let ground = ground(&sums);
        let cells = sums.iter().map(|[pixels, alpha, light]| (light + (pixels - alpha) * ground) / pixels).collect();
        Self { width: columns, height: rows, cells }
    }

    /// How many cells smoothing reaches to each side; none in small pictures.
    pub fn smoothing(&self) -> usize {
        (self.width.min(self.height) as f64 * SMOOTHING) as usize
    }

    /// Replaces each cell by the mean over the square around it, as much of it as is within the picture.
    pub fn smooth(&mut self) {
        let reach = self.smoothing();
        let means = |row: &[f64]| -> Vec<f64> {
            let near = |x: usize| &row[x.saturating_sub(reach)..(x + reach + 1).min(row.len())];
            (0..row.len()).map(|x| near(x).iter().sum::<f64>() / near(x).len() as f64).collect()
        };
        *self = self.turned(means).turned(means);
    }

    /// Makes black white and white black.
    pub fn invert(&mut self) {
        self.cells.iter_mut().for_each(|cell| *cell = 1.0 - *cell);
    }

    /// Changes each row, all to one length, and turns rows into columns; twice, and columns have been changed too.
    pub(super) fn turned(&self, change: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        let rows: Vec<Vec<f64>> = self.cells.chunks_exact(self.width).map(change).collect();
        let length = rows[0].len();
        let cells = (0..length).flat_map(|x| rows.iter().map(move |row| row[x])).collect();
        Self { width: self.height, height: length, cells }
    }

    /// Whether a cell, by its index, is one of the picture's outermost.
    pub(super) fn at_edge(&self, index: usize) -> bool {
        let (x, y) = (index % self.width, index / self.width);
        x == 0 || y == 0 || x + 1 == self.width || y + 1 == self.height
    }
}

/// What is behind transparent pixels.
fn ground(sums: &[[f64; 3]]) -> f64 {
    let mut opaque: Vec<f64> = sums
        .iter()
        .filter(|[pixels, alpha, _]| 2.0 * alpha >= *pixels)
        .map(|[_, alpha, light]| light / alpha)
        .collect();
    if opaque.is_empty() {
        return 1.0;
    }
    let median = median(&mut opaque);
    let (least, most) = range(&opaque);
    if most - least >= ONE_COLOUR {
        median
    } else if median < 0.5 {
        1.0
    } else {
        0.0
    }
}

/// The middle one of values, of an even number the upper.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// The least and the most of values.
pub(super) fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &value| (least.min(value), most.max(value)))
}
