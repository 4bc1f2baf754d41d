//! The confusion matrix: a row for each class, a column for each answer.

use super::numbers::{percent, thousands};
use super::style::{FADED, INK, PALETTE, anchor, bold, class_name, fitted, px, text};
use super::{Area, Drawn, Figure};
use crate::Result;
use crate::evaluate::Evaluation;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// The widest that the cells may be together, and one by one.
const MOST: [f64; 2] = [780.0, 58.0];
/// The longest that a class's name may be.
const NAME: f64 = 120.0;
/// The ground of a cell with nothing in it.
const EMPTY: RGBColor = RGBColor(246, 247, 249);

/// Sizes of the figure, in pixels.
struct Layout {
    classes: Vec<String>,
    cell: f64,
    /// Of the classes' names.
    font: f64,
    /// How much the names of rows and of columns need.
    names: [f64; 2],
    /// Whether the columns' names are turned.
    turned: bool,
}

impl Layout {
    fn new(classes: &[String]) -> Self {
        let classes: Vec<String> = (0..classes.len()).map(|class| class_name(classes, class)).collect();
        let cell = (MOST[0] / classes.len() as f64).clamp(3.0, MOST[1]);
        let font = (0.8 * cell).clamp(7.0, 13.0);
        let length = |name: &String| super::style::width(name, &text(font)).min(NAME);
        let longest = classes.iter().map(length).fold(0.0, f64::max);
        let turned = longest > cell - 4.0;
        Self { cell, font, names: [longest, if turned { longest } else { font }], turned, classes }
    }

    /// Whether there is room between the cells.
    fn spaced(&self) -> bool {
        self.cell > 12.0
    }

    /// Where the cells begin.
    fn origin(&self) -> [f64; 2] {
        [16.0 + 22.0 + self.names[0] + 8.0, 44.0 + 22.0 + self.names[1] + 8.0]
    }

    fn size(&self) -> [u32; 2] {
        let cells = self.cell * self.classes.len() as f64;
        let [x, y] = self.origin();
        [(x + cells + 20.0).max(420.0), y + cells + 20.0].map(|pixels| pixels.ceil() as u32)
    }
}

/// Draws the matrix: right answers blue, wrong ones orange, each the darker the larger its share of the row.
pub fn figure(test: &Evaluation, classes: &[String]) -> Result<Figure> {
    let layout = Layout::new(classes);
    let title =
        format!("Confusion: {} of {} test images right", percent(test.accuracy, 2), thousands(test.images.into()));
    Figure::draw(layout.size(), &title, |area| {
        area.draw_text(&title, &bold(15.0).pos(anchor(HPos::Left, VPos::Top)), (px(16.0), px(12.0)))?;
        names(area, &layout)?;
        if !layout.spaced() {
            let (origin, cells) = (layout.origin(), layout.cell * classes.len() as f64);
            let corners = [(px(origin[0]), px(origin[1])), (px(origin[0] + cells), px(origin[1] + cells))];
            area.draw(&Rectangle::new(corners, EMPTY.filled()))?;
        }
        for (label, row) in test.confusion.iter().enumerate() {
            let images: u32 = row.iter().sum();
            for (answer, &count) in row.iter().enumerate() {
                let share = f64::from(count) / f64::from(images.max(1));
                cell(area, &layout, [label, answer], count, share)?;
            }
        }
        Ok(())
    })
}

fn names(area: &Area, layout: &Layout) -> Drawn {
    let [x, y] = layout.origin();
    let middle = layout.cell * layout.classes.len() as f64 / 2.0;
    let head = text(13.0).color(&FADED);
    let above = head.clone().pos(anchor(HPos::Center, VPos::Center));
    area.draw_text("answer", &above, (px(x + middle), px(48.0)))?;
    let beside = above.transform(FontTransform::Rotate270);
    area.draw_text("class", &beside, (px(20.0), px(y + middle)))?;
    // Where the cells are smaller than letters, not every class has room for its name.
    let every = (10.0 / layout.cell).ceil() as usize;
    let style = text(layout.font);
    for (index, name) in layout.classes.iter().enumerate().step_by(every) {
        let name = fitted(name, &style, NAME);
        let along = (index as f64 + 0.5) * layout.cell;
        area.draw_text(&name, &style.pos(anchor(HPos::Right, VPos::Center)), (px(x - 8.0), px(y + along)))?;
        let (style, place) = if layout.turned {
            (
                style.transform(FontTransform::Rotate270).pos(anchor(HPos::Left, VPos::Center)),
                (px(x + along), px(y - 8.0)),
            )
        } else {
            (style.pos(anchor(HPos::Center, VPos::Bottom)), (px(x + along), px(y - 5.0)))
        };
        area.draw_text(&name, &style, place)?;
    }
    Ok(())
}

fn cell(area: &Area, layout: &Layout, [label, answer]: [usize; 2], count: u32, share: f64) -> Drawn {
    if count == 0 && !layout.spaced() {
        return Ok(());
    }
    let [x, y] = layout.origin();
    let (left, top) = (x + answer as f64 * layout.cell, y + label as f64 * layout.cell);
    let gap = if layout.spaced() { 1.0 } else { 0.0 };
    let corners = [(px(left), px(top)), (px(left + layout.cell - gap), px(top + layout.cell - gap))];
    // The cube root tells few mistakes from none, and many from all.
    let (hue, depth) = if label == answer { (PALETTE[0], share) } else { (PALETTE[1], share.cbrt()) };
    let ground = if count == 0 { EMPTY } else { mixed(hue, 0.08 + 0.92 * depth) };
    area.draw(&Rectangle::new(corners, ground.filled()))?;
    if count == 0 {
        return Ok(());
    }
    let ink = if luminance(ground) < 0.23 { WHITE } else { INK };
    let middle = (px(left + (layout.cell - gap) / 2.0), px(top + (layout.cell - gap) / 2.0));
    let centered = |pixels: f64| text(pixels).color(&ink).pos(anchor(HPos::Center, VPos::Center));
    if layout.cell >= 40.0 {
        let font = (0.3 * layout.cell).min(14.0);
        area.draw_text(&thousands(count.into()), &centered(font), (middle.0, middle.1 - px(0.14 * layout.cell)))?;
        let style = centered(0.78 * font);
        return area.draw_text(&percent(share, 1), &style, (middle.0, middle.1 + px(0.18 * layout.cell)));
    }
    // There is room for the count only, and where it is too small to read for nothing.
    let digits = count.to_string();
    let font = (0.5 * layout.cell).min(1.4 * layout.cell / digits.len() as f64).min(13.0);
    if font < 5.0 { Ok(()) } else { area.draw_text(&digits, &centered(font), middle) }
}

/// How light a colour is, from 0 to 1 (the relative luminance of WCAG 2).
fn luminance(color: RGBColor) -> f64 {
    let linear = |channel: u8| (f64::from(channel) / 255.0).powf(2.2);
    0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2)
}

/// So much of a colour on white.
fn mixed(color: RGBColor, part: f64) -> RGBColor {
    let mix = |channel: u8| (255.0 - part * (255.0 - f64::from(channel))).round() as u8;
    RGBColor(mix(color.0), mix(color.1), mix(color.2))
}
