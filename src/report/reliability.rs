//! Whether a model's probabilities can be believed: the reliability diagram and the expected calibration error (Guo et
//! al., "On Calibration of Modern Neural Networks", 2017).

use super::Figure;
use super::numbers::{percent, thousands};
use super::style::{Axes, FADED, chart, color, log_marks, note, px, stroke};
use crate::Result;
use crate::evaluate::Answer;
use crate::statistics::wilson;
use plotters::coord::combinators::BindKeyPoints;
use plotters::prelude::*;

/// Bins of equal width that the confidences from 0 to 1 are sorted into.
pub const BINS: usize = 15;

/// The answers whose confidence lies in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// How many there are.
    pub images: u32,
    /// How many of them are right.
    pub correct: u32,
    /// The sum of their confidences.
    pub confidence: f64,
}

impl Bin {
    /// The mean confidence; 0 of an empty bin.
    pub fn mean_confidence(&self) -> f64 {
        self.confidence / f64::from(self.images.max(1))
    }

    /// The share of right answers; 0 of an empty bin.
    pub fn accuracy(&self) -> f64 {
        f64::from(self.correct) / f64::from(self.images.max(1))
    }
}

/// Sorts answers into bins by their confidence.
pub fn bins(answers: &[Answer]) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for answer in answers {
        let confidence = f64::from(answer.confidence).clamp(0.0, 1.0);
        let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        bin.images += 1;
        bin.correct += u32::from(answer.class == answer.label);
        bin.confidence += confidence;
    }
    bins
}

/// The expected calibration error: how far confidence and accuracy of a bin lie apart, in the mean over all answers.
pub fn calibration_error(bins: &[Bin]) -> f64 {
    let images: u32 = bins.iter().map(|bin| bin.images).sum();
    let apart = |bin: &Bin| f64::from(bin.images) * (bin.accuracy() - bin.mean_confidence()).abs();
    bins.iter().map(apart).sum::<f64>() / f64::from(images.max(1))
}

/// Draws the diagram, and how many images each bin has.
pub fn figure(answers: &[Answer]) -> Result<Figure> {
    let bins = bins(answers);
    let filled: Vec<(usize, &Bin)> = bins.iter().enumerate().filter(|(_, bin)| bin.images > 0).collect();
    let title = format!("Reliability: expected calibration error {}", percent(calibration_error(&bins), 2));
    Figure::draw([900, 400], &title, |area| {
        let (left, right) = area.split_horizontally(px(460.0));
        let share = |share: &f64| format!("{:.0} %", 100.0 * share);
        let axes = Axes { title: &title, x: "confidence", x_mark: &share, y_mark: &share, marks: [6, 6] };
        let mut chart_ = chart(&left, &axes, 0.0..1.0, 0.0..1.0)?;
        chart_.draw_series(std::iter::once(PathElement::new(
            vec![(0.0, 0.0), (1.0, 1.0)],
            stroke(FADED.mix(0.6), 1.2),
        )))?;
        for (_, bin) in &filled {
            let (x, likely) = (bin.mean_confidence(), wilson(bin.correct.into(), bin.images.into()));
            let ends = vec![(x, likely.start), (x, likely.end)];
            chart_.draw_series(std::iter::once(PathElement::new(ends, stroke(color(0).mix(0.45), 3.0))))?;
        }
        let points: Vec<_> = filled.iter().map(|(_, bin)| (bin.mean_confidence(), bin.accuracy())).collect();
        chart_.draw_series(points.iter().map(|point| Circle::new(*point, px(4.5), color(0).filled())))?;
        note(&left, "Accuracy by confidence, with its interval of 95 %")?;
        let most = bins.iter().map(|bin| bin.images).max().unwrap_or(0).max(10);
        let range = 0.7..f64::from(most) * 1.4;
        let marks = log_marks(&range, 8);
        let number = |y: &f64| thousands(y.round() as u64);
        let axes = Axes {
            title: "Test images by confidence",
            x: "confidence",
            x_mark: &share,
            y_mark: &number,
            marks: [6, 8],
        };
        let mut chart_ = chart(&right, &axes, 0.0..1.0, range.log_scale().with_key_points(marks))?;
        chart_.draw_series(filled.iter().map(|(index, bin)| {
            let (from, to) = ((*index as f64 + 0.08) / BINS as f64, (*index as f64 + 0.92) / BINS as f64);
            Rectangle::new([(from, 0.7), (to, f64::from(bin.images))], color(0).filled())
        }))?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn answer(confidence: f32, right: bool) -> Answer {
        Answer { label: 0, class: u8::from(!right), confidence, loss: 0.0 }
    }

    #[test]
    fn the_calibration_error_is_what_a_hand_computes() {
        // Bin 6 of 15 (0.4 to 0.467): 0.42 and 0.44, one right: |0.5 - 0.43| = 0.07, twice.
        // Bin 14 (0.933 to 1): 0.95 and 0.99 right, 1 wrong: |2/3 - 0.98| = 0.3133, thrice.
        let answers =
            [answer(0.42, true), answer(0.44, false), answer(0.95, true), answer(0.99, true), answer(1.0, false)];
        let bins = bins(&answers);
        assert_eq!(bins.map(|bin| bin.images), [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3]);
        assert_relative_eq!(calibration_error(&bins), (2.0 * 0.07 + 3.0 * (0.98 - 2.0 / 3.0)) / 5.0, epsilon = 1e-6);
    }

    #[test]
    fn who_is_as_right_as_confident_has_no_error() {
        let answers: Vec<Answer> = (0..4).map(|index| answer(0.75, index > 0)).collect();
        assert_relative_eq!(calibration_error(&bins(&answers)), 0.0, epsilon = 1e-9);
        assert_relative_eq!(calibration_error(&bins(&[])), 0.0);
    }
}
