//! Into MNIST's form.

use super::{Bounds, Grey, Ink};

/// Of so many pixels of an image's side …
const SIDE: usize = 28;
/// … its ink takes these.
const INK: usize = 20;

impl Ink {
    /// Scales a box of ink into 20/28 of an image's sides, with its proportions, and lays its centre of mass on the image's
    /// centre, which is the corner of four pixels; by whole pixels, as MNIST's images are, and no further than the image
    /// reaches.
    pub fn fit(&self, bounds: Bounds, [height, width]: [u32; 2]) -> Vec<u8> {
        let (height, width) = (height as usize, width as usize);
        let (across, down) = (bounds.right - bounds.left, bounds.bottom - bounds.top);
        let room = |side: usize| (side * INK) as f64 / SIDE as f64;
        let scale = (room(width) / across as f64).min(room(height) / down as f64);
        let scaled = |side: usize| ((side as f64 * scale + 0.5) as usize).max(1);
        let (columns, rows) = (scaled(across), scaled(down));
        let cells = (bounds.top..bounds.bottom).flat_map(|y| &self.cells[y * self.width + bounds.left..][..across]);
        let ink = Grey { width: across, height: down, cells: cells.copied().collect() };
        let ink = ink.turned(|row| resampled(row, columns)).turned(|column| resampled(column, rows));
        let (mut mass, mut by_x, mut by_y, mut most) = (0.0, 0.0, 0.0, 0.0);
        for (i, &cell) in ink.cells.iter().enumerate() {
            mass += cell;
            by_x += (i % columns) as f64 * cell;
            by_y += (i / columns) as f64 * cell;
            most = f64::max(most, cell);
        }
        let start = |side: usize, centre: f64, extent: usize| {
            ((side as f64 / 2.0 - centre + 0.5).max(0.0) as usize).min(side - extent)
        };
        let (left, top) = (start(width, by_x / mass, columns), start(height, by_y / mass, rows));
        let mut image = vec![0; height * width];
        for (i, cell) in ink.cells.iter().enumerate() {
            image[(top + i / columns) * width + left + i % columns] = (255.0 * cell / most + 0.5) as u8;
        }
        image
    }
}

/// A row at another length: weighted means, by a triangle that is two new cells wide, or two old ones where those are wider.
fn resampled(row: &[f64], length: usize) -> Vec<f64> {
    let step = row.len() as f64 / length as f64;
    let reach = step.max(1.0);
    let mean = |i: usize| {
        let centre = (i as f64 + 0.5) * step;
        let (first, end) = ((centre - reach).max(0.0) as usize, ((centre + reach).ceil() as usize).min(row.len()));
        let (mut sum, mut weights) = (0.0, 0.0);
        for (x, cell) in row[first..end].iter().enumerate() {
            let weight = (1.0 - ((first + x) as f64 + 0.5 - centre).abs() / reach).max(0.0);
            sum += weight * cell;
            weights += weight;
        }
        sum / weights
    };
    (0..length).map(mean).collect()
}
