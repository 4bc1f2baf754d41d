//! The plot of a study: test loss and accuracy against the number of training images.

use super::figures::{Figures, Scores, SizeRow};
use crate::Result;
use crate::power_law::Fit;
use crate::report::numbers::{percent, significant, thousands};
use crate::report::style::{Axes, anchor, chart, color, legend, log_marks, px, span, stroke, text};
use crate::report::{Area, Drawn, Figure};
use crate::statistics::Spread;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use std::ops::Range;

/// Width and height in pixels.
const SIZE: [u32; 2] = [960, 440];
/// A ratio of the losses above which their axis is logarithmic: a power law is a straight line then.
const LOG_RATIO: f64 = 4.0;

/// How strong the colour of single cells is.
const SINGLE: f64 = 0.45;

/// Draws it.
pub fn draw(figures: &Figures) -> Result<Figure> {
    let sizes: Vec<String> = figures.sizes.iter().map(|row| thousands(row.train_size.into())).collect();
    let title = format!(
        "Test loss and test accuracy of {} on {} after training on {} images",
        figures.config.model.name,
        figures.data,
        sizes.join(", ")
    );
    Figure::draw(SIZE, &title, |area| {
        let panels = area.split_evenly((1, 2));
        loss_panel(&panels[0], figures)?;
        accuracy_panel(&panels[1], figures)
    })
}

/// One measure of the cells, in a colour.
struct Measure<'a> {
    figures: &'a Figures,
    color: RGBColor,
    of_size: fn(&SizeRow) -> &Spread,
    of_cell: fn(&Scores) -> f64,
    label: &'a dyn Fn(f64) -> String,
    /// Whether labels stand below their points.
    below: bool,
}

impl Measure<'_> {
    /// Everything that must be seen: single cells, and bars of a standard deviation.
    fn values(&self) -> Vec<f64> {
        let cells = self.figures.cells.iter().filter_map(|row| row.scores.as_ref()).map(self.of_cell);
        let bars = self.figures.sizes.iter().flat_map(|row| bar(self.of_size, row));
        cells.chain(bars).collect()
    }

    /// What its marks mean, for the legend.
    fn entries(&self) -> Vec<(ShapeStyle, &'static str)> {
        let spread = self.figures.sizes.iter().any(|row| (self.of_size)(row).standard_deviation.is_some());
        let mean = if spread { "mean ± standard deviation" } else { "mean" };
        vec![(stroke(self.color, 2.0), mean), (stroke(self.color.mix(SINGLE), 2.0), "single seeds")]
    }
}

/// A standard deviation below and above the mean.
fn bar(of_size: fn(&SizeRow) -> &Spread, row: &SizeRow) -> [f64; 2] {
    let Spread { mean, standard_deviation, .. } = of_size(row);
    let deviation = standard_deviation.unwrap_or(0.0);
    [mean - deviation, mean + deviation]
}

fn loss_panel(area: &Area, figures: &Figures) -> Drawn {
    let measure = Measure {
        figures,
        color: color(0),
        of_size: |row| &row.test_loss,
        of_cell: |scores| scores.test_loss,
        label: &|loss| significant(loss, 3),
        below: false,
    };
    // A bar that reaches to 0 or below ends at the axis of a logarithmic chart.
    let means = span(figures.sizes.iter().map(|row| row.test_loss.mean));
    let values = span(measure.values().into_iter().filter(|value| *value > 0.05 * means.start));
    let axes = Axes {
        title: "Test loss (mean NLL, nats)",
        x: "training images",
        x_mark: &|size| thousands(size.round() as u64),
        y_mark: &|loss| significant(*loss, 1),
        marks: [20, 8],
    };
    let mut entries = measure.entries();
    let law = if let Fit::Determined(law) = &figures.power_law { Some(law) } else { None };
    if law.is_some() {
        entries.push((stroke(color(1), 2.0), "power law"));
    }
    legend(area, &entries)?;
    let curve = |size: f64| law.map(|law| law.at(size));
    if means.start > 0.0 && values.end / values.start > LOG_RATIO {
        let range = values.start / 1.25..values.end * 1.45;
        let marks = log_marks(&range, 8);
        panel(area, &axes, &measure, (range.clone()).log_scale().with_key_points(marks), &range, &curve)
    } else {
        let room = 0.15 * (values.end - values.start);
        let range = (values.start - room).max(0.0)..values.end + room;
        let decimals = decimals(&range);
        let axes = Axes { y_mark: &|loss| format!("{loss:.decimals$}"), ..axes };
        panel(area, &axes, &measure, range.clone(), &range, &curve)
    }
}

fn accuracy_panel(area: &Area, figures: &Figures) -> Drawn {
    let measure = Measure {
        figures,
        color: color(2),
        of_size: |row| &row.test_accuracy,
        of_cell: |scores| scores.test_accuracy,
        label: &|share| percent(share, 2),
        below: true,
    };
    let values = span(measure.values());
    let room = 0.12 * (values.end - values.start);
    let range = (values.start - 1.5 * room).max(0.0)..(values.end + room).min(1.0 + 0.2 * room);
    let decimals = decimals(&range).saturating_sub(2);
    let axes = Axes {
        title: "Test accuracy",
        x: "training images",
        x_mark: &|size| thousands(size.round() as u64),
        y_mark: &|share| percent(*share, decimals),
        marks: [20, 6],
    };
    legend(area, &measure.entries())?;
    panel(area, &axes, &measure, range.clone(), &range, &|_| None)
}

/// A chart of a measure over the sizes, with a curve where there is one.
fn panel<Y>(
    area: &Area,
    axes: &Axes,
    measure: &Measure,
    y: Y,
    seen: &Range<f64>,
    curve: &dyn Fn(f64) -> Option<f64>,
) -> Drawn
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let sizes: Vec<f64> = measure.figures.sizes.iter().map(|row| row.train_size.into()).collect();
    let ends = span(sizes.iter().map(|size| size.ln()));
    // The labels need more room on the right.
    let room = 0.1 * (ends.end - ends.start);
    let range = (ends.start - room).exp()..(ends.end + 2.2 * room).exp();
    let x = range.clone().log_scale().with_key_points(apart(&sizes));
    let mut chart = chart(area, axes, x, y)?;

    let within = |value: f64| value.clamp(seen.start, seen.end);
    let points = (0..=100).map(|part| (ends.start + (ends.end - ends.start) * f64::from(part) / 100.0).exp());
    let law: Vec<(f64, f64)> = points.filter_map(|size| Some((size, within(curve(size)?)))).collect();
    if !law.is_empty() {
        chart.draw_series(LineSeries::new(law, stroke(color(1), 2.0)))?;
    }
    let means: Vec<(f64, f64)> =
        measure.figures.sizes.iter().map(|row| (row.train_size.into(), (measure.of_size)(row).mean)).collect();
    if curve(sizes[0]).is_none() {
        chart.draw_series(LineSeries::new(means.clone(), stroke(measure.color.mix(0.45), 1.5)))?;
    }
    for row in &measure.figures.cells {
        let Some(scores) = &row.scores else { continue };
        let place = (row.cell.train_size.into(), within((measure.of_cell)(scores)));
        let beside = Circle::new((px(-10.0), 0), px(2.5), measure.color.mix(SINGLE).filled());
        chart.draw_series([EmptyElement::at(place) + beside])?;
    }
    let (line, cap) = (stroke(measure.color, 2.0), px(5.0));
    let spread = measure.figures.sizes.iter().filter(|row| (measure.of_size)(row).standard_deviation.is_some());
    for row in spread {
        let ends = bar(measure.of_size, row).map(|value| (f64::from(row.train_size), within(value)));
        chart.draw_series([PathElement::new(ends.to_vec(), line)])?;
        let cap = |end| EmptyElement::at(end) + PathElement::new(vec![(-cap, 0), (cap, 0)], line);
        chart.draw_series(ends.map(cap))?;
    }
    chart.draw_series(means.iter().map(|mean| Circle::new(*mean, px(4.0), measure.color.filled())))?;
    // Labels stand to the right of their points, above a falling line and below a rising one.
    let labelled = apart(&sizes);
    let label = |mean: &(f64, f64)| {
        let (vertical, down) = if measure.below { (VPos::Top, px(9.0)) } else { (VPos::Bottom, px(-9.0)) };
        let style = text(13.0).pos(anchor(HPos::Left, vertical));
        EmptyElement::at(*mean) + Text::new((measure.label)(mean.1), (px(6.0), down), style)
    };
    chart.draw_series(means.iter().filter(|mean| labelled.contains(&mean.0)).map(label))?;
    Ok(())
}

/// How many digits after the point tell the marks of an axis apart.
fn decimals(range: &Range<f64>) -> usize {
    // There are some six marks, whose distance begins with 1, 2 or 5.
    (-((range.end - range.start) / 8.0).log10()).ceil().clamp(0.0, 12.0) as usize
}

/// Sizes that can be written below an axis without touching each other: the last, and from there those far enough apart.
fn apart(sizes: &[f64]) -> Vec<f64> {
    let whole = span(sizes.iter().map(|size| size.ln()));
    let mut kept: Vec<f64> = Vec::new();
    for size in sizes.iter().rev() {
        if kept.last().is_none_or(|last| last.ln() - size.ln() > 0.14 * (whole.end - whole.start)) {
            kept.push(*size);
        }
    }
    kept
}
