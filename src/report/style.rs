//! Sizes, colours and text of the plots, so that all of them look alike: light, quiet, legible at the width of a README,
//! and told apart by the colour-blind.

use super::font::{FAMILY, face, has};
use super::{Area, Drawn};
use plotters::coord::ranged1d::{AsRangedCoord, DefaultFormatting, KeyPointHint, ValueFormatter};
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

/// How long a text is, in pixels.
pub fn width(line: &str, style: &TextStyle) -> f64 {
    let face = face(matches!(style.font.get_style(), FontStyle::Bold));
    let em = style.font.get_size() / face.height();
    f64::from(face.line(line).1 / face.units_per_em()) * em / UNITS
}

/// A text, or its beginning with an ellipsis where it is longer than so many pixels.
pub fn fitted(line: &str, style: &TextStyle, pixels: f64) -> String {
    if width(line, style) <= pixels {
        return line.to_owned();
    }
    let mut short: String = line.into();
    while short.pop().is_some() && width(&format!("{short}…"), style) > pixels {}
    format!("{}…", short.trim_end())
}

/// The name of a class, or its number where the font lacks a letter of the name.
pub fn class_name(classes: &[String], class: usize) -> String {
    classes.get(class).filter(|name| has(name)).cloned().unwrap_or_else(|| class.to_string())
}

/// Where a text stands relative to the point that it is given.
pub fn anchor(horizontal: HPos, vertical: VPos) -> Pos {
    Pos::new(horizontal, vertical)
}

/// A linear axis with marks of its own.
pub struct Marked {
    /// From where to where it goes.
    pub range: Range<f64>,
    /// Where its marks are.
    pub marks: Vec<f64>,
}

impl Ranged for Marked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let part = (value - self.range.start) / (self.range.end - self.range.start);
        from + (part * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
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
/// (`(1.0..100.0).log_scale()`, also with marks of its own, `.with_key_points(log_marks(…))`) or [`Marked`].
pub fn chart<'a, X, Y>(area: &Area, axes: &Axes, x: X, y: Y) -> Drawn<Chart<'a, X, Y>>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let area = area.margin(px(12.0), px(10.0), px(12.0), px(26.0));
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

/// Round marks for a linear axis, at most so many.
pub fn marks(range: &Range<f64>, most: usize) -> Vec<f64> {
    let power = ((range.end - range.start) / most.max(1) as f64).log10().floor() as i32;
    let steps = (power..power + 3).flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10_f64.powi(power)));
    let whole = |step: f64| ((range.start / step - 1e-9).ceil() as i64)..=((range.end / step + 1e-9).floor() as i64);
    let step = steps.into_iter().find(|&step| whole(step).count() <= most);
    step.map_or(Vec::new(), |step| whole(step).map(|multiple| multiple as f64 * step).collect())
}

/// Round marks for a logarithmic axis, at most so many: 1, 2 and 5 times the powers of ten, or fewer over a wide range and
/// evenly spaced ones over a narrow one.
pub fn log_marks(range: &Range<f64>, most: usize) -> Vec<f64> {
    if range.end / range.start < 6.0 {
        return marks(range, most);
    }
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

/// Draws a remark into the line below the title of a chart.
pub fn note(area: &Area, remark: &str) -> Drawn {
    let style = text(13.0).color(&FADED).pos(anchor(HPos::Left, VPos::Center));
    area.draw_text(remark, &style, (px(16.0), px(42.0)))
}

/// Draws what the colours of a chart mean into the line below its title, from the left. Where that is too short for all
/// names, each gets the same share of it.
pub fn legend(area: &Area, entries: &[(ShapeStyle, &str)]) -> Drawn {
    const MARK: f64 = 46.0;
    let style = text(13.0).pos(anchor(HPos::Left, VPos::Center));
    let room = f64::from(area.dim_in_pixel().0) / UNITS - 16.0;
    let all: f64 = entries.iter().map(|(_, name)| MARK + width(name, &style)).sum();
    let share = if all > room { room / entries.len() as f64 - MARK } else { all };
    let (mut x, y) = (16.0, 42.0);
    for (mark, name) in entries {
        let line = vec![(px(x), px(y)), (px(x + 20.0), px(y))];
        area.draw(&PathElement::new(line, mark.stroke_width(px(3.0) as u32)))?;
        let name = fitted(name, &style, share);
        area.draw_text(&name, &style, (px(x + 26.0), px(y)))?;
        x += MARK + width(&name, &style);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        let style = text(13.0);
        let whole = width("Ankle boot", &style);
        assert!((60.0..75.0).contains(&whole), "{whole}");
        assert_eq!(fitted("Ankle boot", &style, whole), "Ankle boot");
        assert_eq!(fitted("Ankle boot", &style, whole - 1.0), "Ankle bo…");
        assert_eq!(fitted("Ankle boot", &style, 1.0), "…");
    }

    #[test]
    fn classes_that_the_font_cannot_write_have_numbers() {
        let classes = ["Größe".to_owned(), "お".to_owned()];
        assert_eq!([0, 1, 2].map(|class| class_name(&classes, class)), ["Größe", "1", "2"]);
    }

    #[test]
    fn a_span_is_never_empty() {
        assert_eq!(span([3.0, f64::NAN, 1.0, f64::INFINITY]), 1.0..3.0);
        assert_eq!(span([2.0]), 1.0..3.0);
        assert_eq!(span([]), 0.0..1.0);
        assert!(!span([0.0, 0.0]).is_empty());
    }

    #[test]
    fn marks_are_round_and_within_the_range() {
        let text = |range, most| format!("{:.1?}", marks(&range, most));
        assert_eq!(text(0.0..1.0, 6), "[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]");
        assert_eq!(text(3.0..47.0, 5), "[10.0, 20.0, 30.0, 40.0]");
        assert_eq!(text(-1.0..1.0, 3), "[-1.0, 0.0, 1.0]");
        assert!(marks(&(0.0..1e-300), 5).len() <= 5);
    }

    #[test]
    fn marks_of_a_logarithmic_axis_are_round_and_few() {
        let rounded = |range, most| log_marks(&range, most).iter().map(|mark| format!("{mark:.3}")).collect::<Vec<_>>();
        assert_eq!(rounded(0.04..2.5, 8), ["0.050", "0.100", "0.200", "0.500", "1.000", "2.000"]);
        assert_eq!(rounded(0.04..2.5, 4), ["0.100", "0.300", "1.000"]);
        assert_eq!(rounded(0.04..25.0, 3), ["0.100", "1.000", "10.000"]);
        assert_eq!(rounded(1e-9..1e9, 5), [0.0, 0.0001, 1.0, 1e4, 1e8].map(|mark| format!("{mark:.3}")));
        assert_eq!(rounded(1.4..2.6, 8), ["1.400", "1.600", "1.800", "2.000", "2.200", "2.400", "2.600"]);
    }
}
