//! A figure as SVG.

use super::canvas::{Figure, Picture, Shape, Text, is_square};
use super::font::{Pen, face};
use super::raster::encode;
use super::style::UNITS;
use crate::Result;
use plotters_backend::{BackendColor, BackendCoord};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Renders the figure. Glyphs are defined once and used by reference.
pub fn svg(figure: &Figure) -> Result<String> {
    let [width, height] = figure.size;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\">\n<title>{}</title>\n<defs>\n{}</defs>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
        escaped(&figure.title),
        glyphs(figure)
    );
    for shape in &figure.shapes {
        text.push_str(&element(shape)?);
        text.push('\n');
    }
    text.push_str("</svg>\n");
    Ok(text)
}

fn element(shape: &Shape) -> Result<String> {
    Ok(match shape {
        Shape::Line { points, width, dash, color } => {
            let edges = if is_square(points) { " shape-rendering=\"crispEdges\"" } else { "" };
            let dash = dash.map_or(String::new(), |dash| {
                let [dash, gap] = dash.map(|units| number(units as f32));
                format!(" stroke-dasharray=\"{dash} {gap}\"")
            });
            let (points, width) = (list(points), number(*width as f32));
            let paint = paint("stroke", *color);
            format!(
                "<polyline points=\"{points}\" fill=\"none\" {paint} stroke-width=\"{width}\" stroke-linejoin=\"round\"{dash}{edges}/>"
            )
        }
        Shape::Polygon { points, color } => format!("<polygon points=\"{}\" {}/>", list(points), paint("fill", *color)),
        Shape::Rectangle { from, to, color } => {
            let [x, y, width, height] =
                [from.0, from.1, to.0 - from.0, to.1 - from.1].map(|units| number(units as f32));
            let paint = paint("fill", *color);
            format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {paint} shape-rendering=\"crispEdges\"/>"
            )
        }
        Shape::Disc { center, radius, color } => {
            let [x, y, radius] = [center.0, center.1, *radius as i32].map(|units| number(units as f32));
            format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {}/>", paint("fill", *color))
        }
        Shape::Text(text) => line_of_text(text),
        Shape::Picture(picture) => image(picture)?,
    })
}

/// Canvas units as pixels, without needless digits.
fn number(units: f32) -> String {
    let pixels = f64::from(units) / UNITS;
    let text = format!("{pixels:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn list(points: &[BackendCoord]) -> String {
    let pairs: Vec<String> =
        points.iter().map(|point| format!("{},{}", number(point.0 as f32), number(point.1 as f32))).collect();
    pairs.join(" ")
}

fn paint(what: &str, color: BackendColor) -> String {
    let (red, green, blue) = color.rgb;
    let opacity = if color.alpha < 1.0 { format!(" {what}-opacity=\"{:.2}\"", color.alpha) } else { String::new() };
    format!("{what}=\"#{red:02x}{green:02x}{blue:02x}\"{opacity}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The name of a glyph's definition.
fn name(bold: bool, glyph: u16) -> String {
    format!("{}{glyph}", if bold { 'b' } else { 'r' })
}

/// The definitions of all glyphs, in font units, y upwards.
fn glyphs(figure: &Figure) -> String {
    let texts = figure.shapes.iter().filter_map(|shape| if let Shape::Text(text) = shape { Some(text) } else { None });
    let used: BTreeSet<(bool, u16)> =
        texts.flat_map(|text| text.glyphs.iter().map(|&(glyph, _)| (text.bold, glyph))).collect();
    let mut definitions = String::new();
    for (bold, glyph) in used {
        let mut path = String::new();
        for pen in face(bold).outline(glyph) {
            let _ = match pen {
                Pen::Move([x, y]) => write!(path, "M{x} {y}"),
                Pen::Line([x, y]) => write!(path, "L{x} {y}"),
                Pen::Quad([[x1, y1], [x, y]]) => write!(path, "Q{x1} {y1} {x} {y}"),
                Pen::Cubic([[x1, y1], [x2, y2], [x, y]]) => write!(path, "C{x1} {y1} {x2} {y2} {x} {y}"),
                Pen::Close => write!(path, "Z"),
            };
        }
        definitions.push_str(&format!("<path id=\"{}\" d=\"{path}\"/>\n", name(bold, glyph)));
    }
    definitions
}

fn line_of_text(text: &Text) -> String {
    let [x, y] = text.at.map(number);
    let scale = f64::from(text.scale) / UNITS;
    let turn = if text.turns == 0 { String::new() } else { format!(" rotate({})", 90 * text.turns) };
    let uses: String = text
        .glyphs
        .iter()
        .map(|&(glyph, start)| format!("<use href=\"#{}\" x=\"{start}\"/>", name(text.bold, glyph)))
        .collect();
    let paint = paint("fill", text.color);
    format!("<g transform=\"translate({x} {y}){turn} scale({scale:.6} -{scale:.6})\" {paint}>{uses}</g>")
}

/// A picture inside the SVG, as PNG.
fn image(picture: &Picture) -> Result<String> {
    let [width, height] = picture.size.map(|pixels| number(pixels as f32 * picture.scale as f32));
    let [x, y] = [picture.at.0, picture.at.1].map(|units| number(units as f32));
    let data = base64(&encode(picture.size, None, &picture.pixels)?);
    Ok(format!(
        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" style=\"image-rendering:pixelated\" \
         href=\"data:image/png;base64,{data}\"/>"
    ))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[index as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_the_answers_of_its_rfc() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn numbers_have_no_needless_digits() {
        assert_eq!([0.0, 10.0, 12.5, 100.0, 3.333].map(number), ["0", "1", "1.25", "10", "0.33"]);
    }
}
