//! A figure as PNG.

use super::canvas::{Figure, Picture, Shape, Text, is_square};
use super::font::{Pen, face};
use super::style::UNITS;
use crate::{Error, Result};
use plotters_backend::{BackendColor, BackendCoord};
use std::cmp::Reverse;
use std::collections::HashMap;
use tiny_skia::{
    Color, FillRule, FilterQuality, LineJoin, Paint, PathBuilder, Pixmap, PixmapPaint, PremultipliedColorU8, Rect,
    Stroke, StrokeDash, Transform,
};

/// Pixels of the picture for one of the figure.
const DENSITY: u32 = 2;

/// Renders the figure.
pub fn png(figure: &Figure) -> Result<Vec<u8>> {
    let [width, height] = figure.size.map(|pixels| pixels * DENSITY);
    let mut pixmap = Pixmap::new(width, height)
        .ok_or_else(|| Error::Plot(format!("{} × {} is no size for a picture", figure.size[0], figure.size[1])))?;
    pixmap.fill(Color::WHITE);
    for shape in &figure.shapes {
        draw(&mut pixmap, shape);
    }
    // On an opaque ground every pixel is opaque.
    let rgb: Vec<[u8; 3]> = pixmap.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    let (colors, indices) = indexed(&rgb);
    encode([width, height], Some(&colors), &indices)
}

/// The colours of a picture, 256 at most, and the place of each pixel's among them: less than half of what three channels
/// take. Where there are more, the rare ones, which smooth edges, become the nearest of the frequent ones.
fn indexed(rgb: &[[u8; 3]]) -> (Vec<u8>, Vec<u8>) {
    let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
    for run in rgb.chunk_by(|one, next| one == next) {
        *counts.entry(run[0]).or_default() += run.len();
    }
    let mut colors: Vec<([u8; 3], usize)> = counts.into_iter().collect();
    colors.sort_by_key(|&(color, count)| (Reverse(count), color));
    let (kept, rare) = colors.split_at(colors.len().min(256));
    let distance = |one: [u8; 3], other: [u8; 3]| -> u32 {
        (0..3).map(|channel| u32::from(one[channel].abs_diff(other[channel])).pow(2)).sum()
    };
    let nearest = |color| (0..kept.len()).min_by_key(|&place| distance(kept[place].0, color)).unwrap_or(0);
    let mut places: HashMap<[u8; 3], u8> =
        kept.iter().zip(0..=255).map(|((color, _), place)| (*color, place)).collect();
    places.extend(rare.iter().map(|&(color, _)| (color, nearest(color) as u8)));
    let runs = rgb.chunk_by(|one, next| one == next);
    let indices = runs.flat_map(|run| std::iter::repeat_n(places[&run[0]], run.len())).collect();
    (kept.iter().flat_map(|(color, _)| *color).collect(), indices)
}

/// Writes pixels as a PNG file: places among colours, or greys.
pub fn encode([width, height]: [u32; 2], colors: Option<&[u8]>, pixels: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(if colors.is_some() { png::ColorType::Indexed } else { png::ColorType::Grayscale });
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    if let Some(colors) = colors {
        encoder.set_palette(colors);
    }
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.map_err(|error| Error::Plot(error.to_string()))?;
    Ok(bytes)
}

fn draw(pixmap: &mut Pixmap, shape: &Shape) {
    let scale = (f64::from(DENSITY) / UNITS) as f32;
    let to_pixels = Transform::from_scale(scale, scale);
    match shape {
        Shape::Line { points, width, dash, color } => {
            let Some(path) = polygon(points, false) else { return };
            let dash = dash.and_then(|dash| StrokeDash::new(dash.map(|units| units as f32).into(), 0.0));
            let stroke = Stroke { width: *width as f32, line_join: LineJoin::Round, dash, ..Stroke::default() };
            pixmap.stroke_path(&path, &paint(*color, !is_square(points)), &stroke, to_pixels, None);
        }
        Shape::Polygon { points, color } => {
            let Some(path) = polygon(points, true) else { return };
            pixmap.fill_path(&path, &paint(*color, true), FillRule::Winding, to_pixels, None);
        }
        Shape::Rectangle { from, to, color } => {
            let [left, top, right, bottom] = [from.0, from.1, to.0, to.1].map(|units| units as f32);
            let Some(rect) = Rect::from_ltrb(left, top, right, bottom) else { return };
            pixmap.fill_rect(rect, &paint(*color, false), to_pixels, None);
        }
        Shape::Disc { center, radius, color } => {
            let Some(path) = PathBuilder::from_circle(center.0 as f32, center.1 as f32, *radius as f32) else { return };
            pixmap.fill_path(&path, &paint(*color, true), FillRule::Winding, to_pixels, None);
        }
        Shape::Text(text) => draw_text(pixmap, text, to_pixels),
        Shape::Picture(picture) => draw_picture(pixmap, picture, to_pixels),
    }
}

fn paint(color: BackendColor, smooth: bool) -> Paint<'static> {
    let (red, green, blue) = color.rgb;
    let mut paint = Paint { anti_alias: smooth, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, (color.alpha * 255.0).round() as u8);
    paint
}

fn polygon(points: &[BackendCoord], closed: bool) -> Option<tiny_skia::Path> {
    let mut path = PathBuilder::new();
    for (index, point) in points.iter().enumerate() {
        let (x, y) = (point.0 as f32, point.1 as f32);
        if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    if closed {
        path.close();
    }
    path.finish()
}

fn draw_text(pixmap: &mut Pixmap, text: &Text, to_pixels: Transform) {
    let mut path = PathBuilder::new();
    for (glyph, start) in &text.glyphs {
        for pen in face(text.bold).outline(*glyph) {
            let at = |[x, y]: [f32; 2]| (start + x, -y);
            match pen {
                Pen::Move(to) => {
                    let (x, y) = at(to);
                    path.move_to(x, y);
                }
                Pen::Line(to) => {
                    let (x, y) = at(to);
                    path.line_to(x, y);
                }
                Pen::Quad(points) => {
                    let [(x1, y1), (x, y)] = points.map(at);
                    path.quad_to(x1, y1, x, y);
                }
                Pen::Cubic(points) => {
                    let [(x1, y1), (x2, y2), (x, y)] = points.map(at);
                    path.cubic_to(x1, y1, x2, y2, x, y);
                }
                Pen::Close => path.close(),
            }
        }
    }
    let Some(path) = path.finish() else { return };
    let place = Transform::from_rotate(90.0 * text.turns as f32)
        .pre_scale(text.scale, text.scale)
        .post_translate(text.at[0], text.at[1])
        .post_concat(to_pixels);
    pixmap.fill_path(&path, &paint(text.color, true), FillRule::Winding, place, None);
}

fn draw_picture(pixmap: &mut Pixmap, picture: &Picture, to_pixels: Transform) {
    let [width, height] = picture.size;
    let Some(mut source) = Pixmap::new(width, height) else { return };
    for (pixel, &grey) in source.pixels_mut().iter_mut().zip(&picture.pixels) {
        *pixel = PremultipliedColorU8::from_rgba(grey, grey, grey, 255).expect("opaque");
    }
    let place = Transform::from_scale(picture.scale as f32, picture.scale as f32)
        .post_translate(picture.at.0 as f32, picture.at.1 as f32)
        .post_concat(to_pixels);
    let sharp = PixmapPaint { quality: FilterQuality::Nearest, ..PixmapPaint::default() };
    pixmap.draw_pixmap(0, 0, source.as_ref(), &sharp, place, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colors_are_kept_and_rare_ones_become_their_neighbours() {
        let (white, blue) = ([255; 3], [0, 114, 178]);
        assert_eq!(indexed(&[white, blue, white, white]), (vec![255, 255, 255, 0, 114, 178], vec![0, 1, 0, 0]));
        // 256 greys twice, and a colour that is nearest to one of them.
        let greys = (0..=255).map(|grey| [grey; 3]);
        let pixels: Vec<[u8; 3]> = greys.clone().chain([[101, 100, 100]]).chain(greys).collect();
        let (colors, indices) = indexed(&pixels);
        assert_eq!((colors.len(), indices.len()), (768, 513));
        assert_eq!(colors[3 * usize::from(indices[256])..][..3], [100; 3]);
        assert_eq!(indices[..256], indices[257..]);
    }
}
