//! A figure as PNG.

use super::canvas::{Figure, Picture, Shape, Text, is_square};
use super::font::{Pen, face};
use super::style::UNITS;
use crate::{Error, Result};
use plotters_backend::{BackendColor, BackendCoord};
use tiny_skia::{
    Color, FillRule, FilterQuality, LineJoin, Paint, PathBuilder, Pixmap, PixmapPaint, PremultipliedColorU8, Rect,
    Stroke, Transform,
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
    let rgb: Vec<u8> = pixmap.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    encode([width, height], png::ColorType::Rgb, &rgb)
}

/// Writes pixels of 8 bits a channel as a PNG file.
pub fn encode([width, height]: [u32; 2], color: png::ColorType, pixels: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_compression(png::Compression::Balanced);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.map_err(|error| Error::Plot(error.to_string()))?;
    Ok(bytes)
}

fn draw(pixmap: &mut Pixmap, shape: &Shape) {
    let scale = (f64::from(DENSITY) / UNITS) as f32;
    let to_pixels = Transform::from_scale(scale, scale);
    match shape {
        Shape::Line { points, width, color } => {
            let Some(path) = polygon(points, false) else { return };
            let stroke = Stroke { width: *width as f32, line_join: LineJoin::Round, ..Stroke::default() };
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
