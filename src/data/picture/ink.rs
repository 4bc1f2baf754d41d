//! The ink, and what of it is the digit.

use super::grey::range;
use crate::{Error, Result};

/// How many standard deviations of the paper's noise are no ink.
const NOISE: f64 = 3.0;
/// The least ink of a stroke's soft edge, as a share of a stroke's own.
const SOFT: f64 = 0.35;
/// The least part of a digit, as a share of its largest one.
const SPECK: f64 = 0.05;
/// The least digit, in cells along the longer side of its box.
const LEAST_LENGTH: usize = 5;
/// The least digit, as a share of the picture's longer side.
const LEAST_SHARE: f64 = 0.04;
/// Steps of the histogram that parts ink from paper.
const BINS: usize = 256;

/// How much ink is where.
#[derive(Clone, Debug, PartialEq)]
pub struct Ink {
    /// Cells of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row after row, from 0 to 1.
    pub cells: Vec<f64>,
}

/// A box of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first column.
    pub left: usize,
    /// The first row.
    pub top: usize,
    /// The column after the last.
    pub right: usize,
    /// The row after the last.
    pub bottom: usize,
}

impl Bounds {
    fn longer(self) -> usize {
        (self.right - self.left).max(self.bottom - self.top)
    }

    /// The box of both.
    fn with(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// Cells that hang together.
struct Part {
    /// How many of them are ink beyond doubt.
    size: usize,
    bounds: Bounds,
}

impl Ink {
    /// Leaves the digit alone, from 0 at a stroke's soft edge to 1 within, and finds its box.
    ///
    /// Ink is above the level that parts the cells best into two, and a part of the digit hangs together with its soft edges.
    /// Small parts are specks; a part at the picture's edge is a frame or a shadow, unless the largest one is there.
    ///
    /// # Errors
    /// [`Error::Picture`], where nothing is left that is large enough for a digit.
    pub fn separate(&mut self) -> Result<Bounds> {
        let noise = self.take_noise();
        let level = self.parting_level().max(noise);
        let strokes: Vec<f64> = self.cells.iter().copied().filter(|cell| *cell >= level).collect();
        let full = strokes.iter().sum::<f64>() / strokes.len().max(1) as f64;
        let soft = (SOFT * full).max(noise);
        let (labels, parts) = self.parts(soft, level);
        // The first of the largest ones.
        let largest = parts.iter().rev().max_by_key(|part| part.size);
        let least = LEAST_LENGTH.max((LEAST_SHARE * self.width.max(self.height) as f64).ceil() as usize);
        let Some(largest) = largest.filter(|part| part.bounds.longer() >= least) else {
            return Err(Error::Picture(
                "the picture is blank: what is on it is noise, or too small for a digit".into(),
            ));
        };
        let kept = |part: &Part| {
            let speck = (part.size as f64) < SPECK * largest.size as f64;
            !speck && (self.at_edge(largest.bounds) || !self.at_edge(part.bounds))
        };
        let kept: Vec<bool> = parts.iter().map(kept).collect();
        for (cell, label) in self.cells.iter_mut().zip(labels) {
            let inside = label.is_some_and(|label| kept[label]);
            *cell = if inside { ((*cell - soft) / (full - soft)).min(1.0) } else { 0.0 };
        }
        let boxes = parts.iter().zip(kept).filter(|(_, kept)| *kept).map(|(part, _)| part.bounds);
        Ok(boxes.reduce(Bounds::with).expect("the largest part is kept"))
    }

    fn at_edge(&self, bounds: Bounds) -> bool {
        bounds.left == 0 || bounds.top == 0 || bounds.right == self.width || bounds.bottom == self.height
    }

    /// Makes the paper's own level 0 and returns what its noise stays below.
    ///
    /// Both come from quantiles low enough to be of paper alone: of a normal distribution, those of 10 and 30 per cent are
    /// 1.2816 and 0.5244 standard deviations below the mean.
    fn take_noise(&mut self) -> f64 {
        let mut sorted = self.cells.clone();
        sorted.sort_by(f64::total_cmp);
        let quantile = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
        let deviation = (quantile(30) - quantile(10)) / (1.2816 - 0.5244);
        let level = quantile(30) + 0.5244 * deviation;
        self.cells.iter_mut().for_each(|cell| *cell = (*cell - level).max(0.0));
        NOISE * deviation
    }

    /// The level that parts the cells into two groups with the greatest variance between them (Otsu 1979).
    fn parting_level(&self) -> f64 {
        let (_, most) = range(&self.cells);
        if most == 0.0 {
            return 0.0;
        }
        let mut counts = [0.0; BINS];
        for cell in &self.cells {
            counts[((cell / most * BINS as f64) as usize).min(BINS - 1)] += 1.0;
        }
        let total = self.cells.len() as f64;
        let whole: f64 = counts.iter().enumerate().map(|(bin, count)| bin as f64 * count).sum();
        let (mut below, mut sum, mut greatest, mut level) = (0.0, 0.0, 0.0, 0);
        for (bin, count) in counts.iter().enumerate() {
            below += count;
            sum += bin as f64 * count;
            let above = total - below;
            if above == 0.0 {
                break;
            }
            let distance = sum / below - (whole - sum) / above;
            let between = below * above * distance * distance;
            if below > 0.0 && between > greatest {
                (greatest, level) = (between, bin + 1);
            }
        }
        level as f64 / BINS as f64 * most
    }

    /// For each cell above `soft` the part that it belongs to, and the parts; sizes count cells from `level` on.
    fn parts(&self, soft: f64, level: f64) -> (Vec<Option<usize>>, Vec<Part>) {
        let (width, height) = (self.width, self.height);
        let mut labels = vec![None; self.cells.len()];
        let mut parts: Vec<Part> = Vec::new();
        let mut open = Vec::new();
        for start in 0..self.cells.len() {
            if labels[start].is_some() || self.cells[start] <= soft {
                continue;
            }
            let label = Some(parts.len());
            let cell = |x, y| Bounds { left: x, top: y, right: x + 1, bottom: y + 1 };
            let mut part = Part { size: 0, bounds: cell(start % width, start / width) };
            labels[start] = label;
            open.push(start);
            while let Some(i) = open.pop() {
                let (x, y) = (i % width, i / width);
                part.size += usize::from(self.cells[i] >= level);
                part.bounds = part.bounds.with(cell(x, y));
                for near_y in y.saturating_sub(1)..(y + 2).min(height) {
                    for near_x in x.saturating_sub(1)..(x + 2).min(width) {
                        let near = near_y * width + near_x;
                        if labels[near].is_none() && self.cells[near] > soft {
                            labels[near] = label;
                            open.push(near);
                        }
                    }
                }
            }
            parts.push(part);
        }
        (labels, parts)
    }
}
