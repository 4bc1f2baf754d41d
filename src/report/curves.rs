//! Panels of curves over the epochs: losses on a logarithmic axis, accuracies on one that spreads what is near 100 %.

use super::numbers::significant;
use super::style::{Axes, Marked, PALETTE, chart, color, log_marks, marks, px, span, stroke};
use super::{Area, Dashed, Drawn};
use plotters::coord::combinators::BindKeyPoints;
use plotters::prelude::*;
use std::ops::Range;

/// Something over the epochs.
pub struct Curve {
    /// Epochs (in parts, for steps) and values.
    pub points: Vec<[f64; 2]>,
    /// Its place in the palette.
    pub color: usize,
    /// How it is drawn.
    pub look: Look,
}

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A pale line, for what another one smooths.
    Pale,
    /// A line.
    Line,
    /// A line with a point at each value.
    Points,
}

/// The most points of a line: about as many as there are pixels.
const MOST_POINTS: usize = 800;
/// The least loss that is shown: below it a model is perfect for all that can be seen.
const LEAST_LOSS: f64 = 1e-8;

/// The most that is shown.
const MOST_LOSS: f64 = 1e12;

/// A panel of losses.
pub fn losses(area: &Area, title: &str, epochs: Range<f64>, curves: &[Curve]) -> Drawn {
    let shown = |loss: f64| loss.clamp(LEAST_LOSS, MOST_LOSS);
    let values = |looks: &'static [Look]| {
        let kept = curves.iter().filter(move |curve| looks.contains(&curve.look));
        kept.flat_map(|curve| curve.points.iter().map(|point| shown(point[1])))
    };
    let main = span(values(&[Look::Line, Look::Points]));
    let all = span(values(&[Look::Line, Look::Points, Look::Pale]));
    // What is pale may leave the panel.
    let range = all.start.max(main.start / 3.0) / 1.15..all.end.min(main.end * 1.5) * 1.15;
    let marks = log_marks(&range, 9);
    let y = range.log_scale().with_key_points(marks);
    let y_mark = |loss: &f64| mark(*loss);
    draw(chart(area, &axes(title, &y_mark), epoch_axis(epochs), y)?, curves, &shown)
}

/// A panel of accuracies over sets of so many images at most, the axis being the logarithm of the share of mistakes.
pub fn accuracies(area: &Area, title: &str, epochs: Range<f64>, curves: &[Curve], images: u32) -> Drawn {
    // Without a mistake it would be infinite: half a mistake is what stands for none.
    let perfect = height(1.0 - 0.5 / f64::from(images.max(1)));
    let height = |accuracy: f64| height(accuracy).min(perfect);
    let all = span(curves.iter().flat_map(|curve| curve.points.iter().map(|point| height(point[1]))));
    let edge = 0.04 * (all.end - all.start).max(0.02);
    let range = (all.start - edge).max(0.0)..all.end + edge;
    let marks = accuracy_marks(&range, perfect);
    let y_mark = |y: &f64| {
        if *y < perfect { format!("{} %", mark(100.0 * (1.0 - (-y).exp()))) } else { "100 %".into() }
    };
    draw(chart(area, &axes(title, &y_mark), epoch_axis(epochs), Marked { range, marks })?, curves, &height)
}

fn axes<'a>(title: &'a str, y_mark: &'a dyn Fn(&f64) -> String) -> Axes<'a> {
    Axes { title, x: "epoch", x_mark: &|epoch| mark(*epoch), y_mark, marks: [8, 8] }
}

/// A mark: six significant digits without the zeros at their end.
fn mark(value: f64) -> String {
    let text = significant(value, 6);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Epochs, marked at whole ones where there are several.
fn epoch_axis(range: Range<f64>) -> Marked {
    let mut marks = marks(&range, 8);
    if range.end >= 2.0 {
        marks.retain(|mark| (mark - mark.round()).abs() < 1e-9);
    }
    Marked { range, marks }
}

/// Where an accuracy stands: minus the logarithm of the share of mistakes.
fn height(accuracy: f64) -> f64 {
    -(1.0 - accuracy).ln()
}

/// Round accuracies within a range of heights, far enough from each other to be written one above the other.
fn accuracy_marks(range: &Range<f64>, perfect: f64) -> Vec<f64> {
    let accuracy = |height: f64| 1.0 - (-height).exp();
    if range.end - range.start < 2.0 {
        let even = marks(&(accuracy(range.start)..accuracy(range.end)), 7);
        return even.into_iter().map(height).map(|mark| mark.min(perfect)).collect();
    }
    let important = [1.0, 0.0, 0.5, 0.9, 0.99, 0.999, 0.8];
    let nines = (1..9).flat_map(|nines| [1.0, 0.5, 0.2].map(|part| 1.0 - part * 0.1_f64.powi(nines)));
    let tenths = (1..9).map(|tenth| f64::from(tenth) / 10.0);
    let gap = (range.end - range.start) / 11.0;
    let mut marks: Vec<f64> = Vec::new();
    for mark in important.into_iter().chain(nines).chain(tenths).map(|accuracy| height(accuracy).min(perfect)) {
        // The most important ones displace the others.
        if range.contains(&mark) && marks.iter().all(|other| (other - mark).abs() >= gap) {
            marks.push(mark);
        }
    }
    marks
}

/// How a curve is dashed whose colour has been used before.
pub fn dash(color: usize) -> Option<[u32; 2]> {
    match color / PALETTE.len() {
        0 => None,
        round => Some([8.0 / round as f64, 4.0].map(|pixels| px(pixels) as u32)),
    }
}

fn draw<X, Y>(
    mut chart: ChartContext<super::canvas::Canvas, Cartesian2d<X, Y>>,
    curves: &[Curve],
    height: &dyn Fn(f64) -> f64,
) -> Drawn
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    let range = chart.y_range();
    let order = [Look::Pale, Look::Line, Look::Points];
    for curve in order.iter().flat_map(|look| curves.iter().filter(move |curve| curve.look == *look)) {
        let color = color(curve.color);
        let points = thinned(&curve.points).into_iter().map(|[x, y]| (x, height(y)));
        let points: Vec<(f64, f64)> = points.filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        let style = match curve.look {
            Look::Pale => stroke(color.mix(0.3), 1.0),
            Look::Line => stroke(color, 1.8),
            Look::Points => stroke(color, 1.4),
        };
        // The line is interrupted where it leaves the panel.
        for part in points.split(|(_, y)| !(range.start..=range.end).contains(y)).filter(|part| part.len() > 1) {
            match dash(curve.color) {
                None => chart.draw_series(std::iter::once(PathElement::new(part.to_vec(), style)))?,
                Some(dash) => chart.draw_series(std::iter::once(Dashed { points: part.to_vec(), style, dash }))?,
            };
        }
        if curve.look == Look::Points {
            let radius = if points.len() > 40 { 2.0 } else { 3.5 };
            chart.draw_series(points.iter().map(|point| Circle::new(*point, px(radius), color.filled())))?;
        }
    }
    Ok(())
}

/// At most so many points that the eye sees no difference: of each stretch the least and the greatest.
fn thinned(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(MOST_POINTS / 2);
    points
        .chunks(stretch)
        .flat_map(|chunk| {
            let by_value = |a: &&[f64; 2], b: &&[f64; 2]| a[1].total_cmp(&b[1]);
            let (least, most) = (chunk.iter().min_by(by_value), chunk.iter().max_by(by_value));
            let mut ends = [least, most].map(|point| *point.expect("a chunk is not empty"));
            ends.sort_by(|a, b| a[0].total_cmp(&b[0]));
            ends
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_extremes_in_their_order() {
        let mut points: Vec<[f64; 2]> = (0..10_000).map(|x| [f64::from(x), 1.0]).collect();
        points[5_000][1] = 9.0;
        points[7_001][1] = -9.0;
        let thin = thinned(&points);
        assert!(thin.len() <= MOST_POINTS && thin.is_sorted_by(|a, b| a[0] <= b[0]));
        assert!(thin.contains(&[5_000.0, 9.0]) && thin.contains(&[7_001.0, -9.0]));
        assert_eq!(thinned(&points[..5]), &points[..5]);
    }

    #[test]
    fn marks_of_accuracies_are_round_and_apart() {
        let marks = |range: Range<f64>| -> Vec<String> {
            let mut marks = accuracy_marks(&(height(range.start)..height(range.end)), height(0.99995));
            marks.sort_by(f64::total_cmp);
            marks.iter().map(|height| mark(1.0 - (-height).exp())).collect()
        };
        assert_eq!(marks(0.08..0.995), ["0.1", "0.5", "0.8", "0.9", "0.95", "0.98", "0.99"]);
        assert_eq!(marks(0.095..0.16), ["0.1", "0.11", "0.12", "0.13", "0.14", "0.15", "0.16"]);
        assert_eq!(marks(0.5..0.93), ["0.5", "0.6", "0.7", "0.8", "0.9"]);
    }

    #[test]
    fn who_makes_no_mistake_stands_above_all() {
        let perfect = height(0.99995);
        let marks = accuracy_marks(&(0.0..perfect + 0.1), perfect);
        assert!(marks.contains(&perfect) && marks.iter().all(|mark| *mark <= perfect), "{marks:?}");
    }
}
