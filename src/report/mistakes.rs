//! The contact sheet of the worst mistakes.

use super::numbers::{count, percent};
use super::style::{FADED, PALETTE, anchor, bold, class_name, fitted, note, px, text, width};
use super::{Area, Drawn, Figure, Picture};
use crate::Result;
use crate::data::Dataset;
use crate::evaluate::Answer;
use plotters::style::text_anchor::{HPos, VPos};

/// Pictures of a row, and rows.
const GRID: [usize; 2] = [8, 5];
/// The width of a picture with its caption, and the longest side of the picture.
const CELL: f64 = 110.0;
const SIDE: f64 = 84.0;

/// How a sheet is laid out, in pixels.
struct Layout {
    /// Of a pixel of an image.
    scale: f64,
    /// Width and height of an image.
    image: [f64; 2],
    /// Whether class and answer have a line each.
    two_lines: bool,
}

impl Layout {
    fn new(shown: &[(usize, Answer)], data: &Dataset) -> Self {
        // Half pixels are whole ones in the picture: squares are of one size then.
        let scale = (2.0 * SIDE / f64::from(data.width.max(data.height))).floor() / 2.0;
        let image = [data.width, data.height].map(|side| scale * f64::from(side));
        let too_long =
            |(_, answer): &(usize, Answer)| width(&captions(answer, data).join(" "), &bold(13.0)) > CELL - 6.0;
        Self { scale, image, two_lines: shown.iter().any(too_long) }
    }

    /// The height of a picture with its caption.
    fn row(&self) -> f64 {
        self.image[1] + if self.two_lines { 69.0 } else { 52.0 }
    }
}

/// Draws the test images that the model was most wrong about: class → answer, its probability, and the image's number.
pub fn figure(mistakes: &[(usize, Answer)], data: &Dataset) -> Result<Figure> {
    let shown = &mistakes[..mistakes.len().min(GRID[0] * GRID[1])];
    let layout = Layout::new(shown, data);
    let rows = shown.len().div_ceil(GRID[0]).max(1) as f64;
    let title = if shown.len() < mistakes.len() {
        format!("The {} worst of {}", shown.len(), count(mistakes.len() as u64, "mistake"))
    } else {
        count(mistakes.len() as u64, "mistake")
    };
    let size = [20.0 + GRID[0] as f64 * CELL, 62.0 + rows * layout.row()].map(|pixels| pixels as u32);
    Figure::draw(size, &format!("{title} on the test images"), |area| {
        area.draw_text(&title, &bold(15.0).pos(anchor(HPos::Left, VPos::Top)), (px(16.0), px(12.0)))?;
        note(area, "class → answer, probability of the answer, number of the test image")?;
        for (place, (index, answer)) in shown.iter().enumerate() {
            let at = [3.0 + (place % GRID[0]) as f64 * CELL, 60.0 + (place / GRID[0]) as f64 * layout.row()];
            mistake(area, &layout, at, *index, answer, data)?;
        }
        Ok(())
    })
}

/// The class, and what was answered.
fn captions(answer: &Answer, data: &Dataset) -> [String; 2] {
    let [label, given] = [answer.label, answer.class].map(|class| class_name(&data.classes, class.into()));
    [label, format!("→ {given}")]
}

fn mistake(area: &Area, layout: &Layout, [x, y]: [f64; 2], index: usize, answer: &Answer, data: &Dataset) -> Drawn {
    let [left, middle] = [x + (CELL - layout.image[0]) / 2.0, x + CELL / 2.0];
    let pixels = data.test.images[index * data.image_len()..][..data.image_len()].to_vec();
    let size = [data.width, data.height];
    area.draw(&Picture { at: (px(left), px(y)), scale: px(layout.scale), size, pixels })?;
    let style = bold(13.0).pos(anchor(HPos::Left, VPos::Center));
    let [label, given] = captions(answer, data).map(|caption| fitted(&caption, &style, CELL - 6.0));
    let [label_width, given_width] = [&label, &given].map(|caption| width(caption, &style));
    let mut below = y + layout.image[1] + 14.0;
    let wrong = style.color(&PALETTE[1]);
    if layout.two_lines {
        area.draw_text(&label, &style, (px(middle - label_width / 2.0), px(below)))?;
        below += 17.0;
        area.draw_text(&given, &wrong, (px(middle - given_width / 2.0), px(below)))?;
    } else {
        let begin = middle - (label_width + width(" ", &style) + given_width) / 2.0;
        area.draw_text(&label, &style, (px(begin), px(below)))?;
        area.draw_text(&given, &wrong, (px(begin + label_width + width(" ", &style)), px(below)))?;
    }
    let certain = percent(f64::from(answer.confidence), 1);
    let small = text(11.0).color(&FADED).pos(anchor(HPos::Center, VPos::Center));
    area.draw_text(&format!("{certain}   #{index}"), &small, (px(middle), px(below + 17.0)))
}
