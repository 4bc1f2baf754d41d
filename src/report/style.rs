//! Sizes, colours and text of the plots, so that all of them look alike: light, quiet, legible at the width of a README,
//! and told apart by the colour-blind.

use super::font::{FAMILY, face};
use super::{Area, Drawn};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// Canvas units of a pixel: plotters places everything at whole numbers, which pixels would be too coarse for.
pub(super) const UNITS: f64 = 10.0;

/// Pixels (as a browser counts them) in canvas units, for everything that plotters takes as a size.
pub const fn px(pixels: f64) -> i32 {
    (pixels * UNITS) as i32
}

/// The palette of Okabe and Ito ("Color Universal Design", 2008) without its yellow, which is lost on white: for lines,
/// points and bars, in this order.
pub const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];
/// Text.
pub const INK: RGBColor = RGBColor(38, 42, 48);
/// Text of less weight, and axes.
pub const FADED: RGBColor = RGBColor(100, 106, 115);
/// Lines of a grid.
pub const GRID: RGBColor = RGBColor(228, 231, 235);

/// A colour of the palette; it begins again where it ends.
pub fn color(index: usize) -> RGBColor {
    PALETTE[index % PALETTE.len()]
}

/// A line of so many pixels' width.
pub fn stroke(color: impl Color, pixels: f64) -> ShapeStyle {
    ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: px(pixels) as u32 }
}

/// Text of so many pixels; 13 is what axes have.
pub fn text(pixels: f64) -> TextStyle<'static> {
    styled(pixels, FontStyle::Normal)
}

/// Bold text of so many pixels; 15 is what titles have.
pub fn bold(pixels: f64) -> TextStyle<'static> {
    styled(pixels, FontStyle::Bold)
}

fn styled(pixels: f64, style: FontStyle) -> TextStyle<'static> {
    // Plotters counts a font's size from ascender to descender.
    let size = pixels * UNITS * face(matches!(style, FontStyle::Bold)).height();
    FontDesc::new(FontFamily::Name(FAMILY), size, style).color(&INK)
}

/// Where a text stands relative to the point that it is given.
pub fn anchor(horizontal: HPos, vertical: VPos) -> Pos {
    Pos::new(horizontal, vertical)
}

/// What stands around a [`chart`].
pub struct Axes<'a> {
    /// What the chart shows, in bold above it; the unit of y belongs here, too.
    pub title: &'a str,
    /// What x is, below the axis.
    pub x: &'a str,
    /// How the marks of x are written.
    pub x_mark: &'a dyn Fn(&f64) -> String,
    /// How the marks of y are written.
    pub y_mark: &'a dyn Fn(&f64) -> String,
    /// About how many marks each axis has.
    pub marks: [usize; 2],
}

/// A chart with its axes drawn: draw series into it.
pub type Chart<'a, X, Y> = ChartContext<
    'a,
    super::canvas::Canvas,
    Cartesian2d<<X as AsRangedCoord>::CoordDescType, <Y as AsRangedCoord>::CoordDescType>,
>;

/// Draws title, axes and grid into the area and returns the chart. Ranges may be linear (`0.0..1.0`), logarithmic
/// (`(1.0..100.0).log_scale()`) or have marks of their own (`.with_key_points(vec![…])`).
pub fn chart<'a, X, Y>(area: &Area, axes: &Axes, x: X, y: Y) -> Drawn<Chart<'a, X, Y>>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let area = area.margin(px(12.0), px(10.0), px(12.0), px(20.0));
    area.draw_text(axes.title, &bold(15.0).pos(anchor(HPos::Left, VPos::Top)), (px(4.0), 0))?;
    let mut chart = ChartBuilder::on(&area)
        .margin_top(px(46.0))
        .x_label_area_size(px(if axes.x.is_empty() { 26.0 } else { 46.0 }))
        .y_label_area_size(px(58.0))
        .build_cartesian_2d(x, y)?;
    let label = text(13.0).color(&FADED);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(stroke(GRID, 1.0))
        .axis_style(stroke(FADED, 1.0))
        .set_all_tick_mark_size(px(4.0))
        .disable_x_mesh()
        .x_labels(axes.marks[0])
        .y_labels(axes.marks[1])
        .x_label_style(label.clone())
        .y_label_style(label)
        .x_label_formatter(axes.x_mark)
        .y_label_formatter(axes.y_mark)
        .axis_desc_style(text(13.0))
        .x_desc(axes.x)
        .draw()?;
    Ok(chart)
}

/// The range that all values lie in, not empty; what is no finite number does not count.
pub fn span(values: impl IntoIterator<Item = f64>) -> Range<f64> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        0.0..1.0
    } else if low < high {
        low..high
    } else {
        let half = 0.5 * low.abs().max(1e-9);
        low - half..low + half
    }
}

/// Marks for a logarithmic axis: 1, 2 and 5 times the powers of ten within the range; fewer where these are too many.
pub fn log_marks(range: &Range<f64>, most: usize) -> Vec<f64> {
    let exponents = range.start.log10().floor() as i32..=range.end.log10().ceil() as i32;
    let marks = |factors: &[f64], every: usize| -> Vec<f64> {
        let powers = exponents.clone().filter(|exponent| exponent.rem_euclid(every as i32) == 0);
        let all = powers.flat_map(|exponent| factors.iter().map(move |factor| factor * 10_f64.powi(exponent)));
        all.filter(|mark| range.contains(mark)).collect()
    };
    let tries = [marks(&[1.0, 2.0, 5.0], 1), marks(&[1.0, 3.0], 1)].into_iter();
    let mut tries = tries.chain((1..).map(|every| marks(&[1.0], every)));
    tries.find(|marks| marks.len() <= most.max(1)).unwrap_or_default()
}

/// Draws what the colours of a chart mean into the line below its title, from the left.
pub fn legend(area: &Area, entries: &[(ShapeStyle, &str)]) -> Drawn {
    let style = text(13.0).pos(anchor(HPos::Left, VPos::Center));
    let (mut x, y) = (px(16.0), px(42.0));
    for (mark, name) in entries {
        let line = vec![(x, y), (x + px(20.0), y)];
        area.draw(&PathElement::new(line, mark.stroke_width(px(3.0) as u32)))?;
        area.draw_text(name, &style, (x + px(26.0), y))?;
        x += px(46.0) + area.estimate_text_size(name, &style)?.0 as i32;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_never_empty() {
        assert_eq!(span([3.0, f64::NAN, 1.0, f64::INFINITY]), 1.0..3.0);
        assert_eq!(span([2.0]), 1.0..3.0);
        assert_eq!(span([]), 0.0..1.0);
        assert!(!span([0.0, 0.0]).is_empty());
    }

    #[test]
    fn marks_of_a_logarithmic_axis_are_round_and_few() {
        let rounded = |range, most| log_marks(&range, most).iter().map(|mark| format!("{mark:.3}")).collect::<Vec<_>>();
        assert_eq!(rounded(0.04..2.5, 8), ["0.050", "0.100", "0.200", "0.500", "1.000", "2.000"]);
        assert_eq!(rounded(0.04..2.5, 4), ["0.100", "0.300", "1.000"]);
        assert_eq!(rounded(0.04..25.0, 3), ["0.100", "1.000", "10.000"]);
        assert_eq!(log_marks(&(1e-9..1e9), 5), [1e-8, 1e-4, 1.0, 1e4, 1e8]);
    }
}
