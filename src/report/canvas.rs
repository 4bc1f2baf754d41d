//! The canvas that plots are drawn on: it records shapes, which are then rendered as PNG and as SVG.

use super::font::face;
use super::style::UNITS;
use super::{raster, svg};
use crate::file::write_whole;
use crate::{Error, Result};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Drawable, PointCollection};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, ShapeStyle};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};
use std::cell::RefCell;
use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;

/// How far capitals and digits reach above the baseline, in shares of the em.
const CAPITALS: f32 = 0.727;
/// How far descenders reach below it.
const DESCENDERS: f32 = 0.21;

/// What plotters draws into.
pub type Area = DrawingArea<Canvas, Shift>;
/// The result of drawing.
pub type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<Infallible>>;

/// A drawn picture.
pub struct Figure {
    /// Width and height in pixels, as a browser counts them.
    pub(super) size: [u32; 2],
    /// What is seen, in a sentence.
    pub(super) title: String,
    pub(super) shapes: Vec<Shape>,
}

/// Something on the canvas; places and sizes in canvas units.
pub(super) enum Shape {
    Line { points: Vec<BackendCoord>, width: u32, dash: Option<[u32; 2]>, color: BackendColor },
    Polygon { points: Vec<BackendCoord>, color: BackendColor },
    Rectangle { from: BackendCoord, to: BackendCoord, color: BackendColor },
    Disc { center: BackendCoord, radius: u32, color: BackendColor },
    Text(Text),
    Picture(Picture),
}

/// Whether a line is upright and level throughout: it is sharp without smoothing then.
pub(super) fn is_square(points: &[BackendCoord]) -> bool {
    points.windows(2).all(|ends| ends[0].0 == ends[1].0 || ends[0].1 == ends[1].1)
}

/// A line of text.
pub(super) struct Text {
    pub bold: bool,
    /// Glyphs and where they begin, in font units from the start of the text.
    pub glyphs: Vec<(u16, f32)>,
    /// Canvas units of a font unit.
    pub scale: f32,
    /// Where the baseline begins.
    pub at: [f32; 2],
    /// Quarter turns clockwise.
    pub turns: u32,
    pub color: BackendColor,
}

/// A grey picture to draw, its pixels enlarged to squares.
#[derive(Clone)]
pub struct Picture {
    /// The upper left corner.
    pub at: BackendCoord,
    /// Canvas units of a pixel.
    pub scale: i32,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Row by row, 0 is black.
    pub pixels: Vec<u8>,
}

impl Figure {
    /// Draws a figure of width × height pixels on white. The area is in canvas units: give sizes by [`px`](super::style::px).
    pub fn draw(size: [u32; 2], title: &str, draw: impl FnOnce(&Area) -> Drawn) -> Result<Self> {
        // Plotters must know the font before it measures text.
        face(false);
        let shapes = Rc::new(RefCell::new(Vec::new()));
        let canvas = Canvas { size: size.map(|pixels| pixels * UNITS as u32), shapes: Rc::clone(&shapes) };
        draw(&canvas.into_drawing_area()).map_err(|error| Error::Plot(error.to_string()))?;
        let shapes = shapes.take();
        Ok(Self { size, title: title.into(), shapes })
    }

    /// The figure as PNG, with two pixels a pixel so that it is sharp on fine screens.
    pub fn png(&self) -> Result<Vec<u8>> {
        raster::png(self)
    }

    /// The figure as SVG, its text as outlines.
    pub fn svg(&self) -> Result<String> {
        svg::svg(self)
    }

    /// Writes `name.png` and `name.svg` into a folder.
    pub fn save(&self, folder: &Path, name: &str) -> Result<()> {
        write_whole(&folder.join(format!("{name}.png")), &self.png()?)?;
        write_whole(&folder.join(format!("{name}.svg")), self.svg()?.as_bytes())
    }
}

/// The back end that plotters draws with.
#[derive(Clone)]
pub struct Canvas {
    size: [u32; 2],
    shapes: Rc<RefCell<Vec<Shape>>>,
}

type Done = Result<(), DrawingErrorKind<Infallible>>;

impl Canvas {
    #[expect(clippy::unnecessary_wraps, reason = "what the functions of a back end return")]
    fn push(&self, color: BackendColor, shape: impl FnOnce(BackendColor) -> Shape) -> Done {
        if color.alpha > 0.0 {
            self.shapes.borrow_mut().push(shape(color));
        }
        Ok(())
    }
}

impl<'a> PointCollection<'a, BackendCoord> for &'a Picture {
    type Point = &'a BackendCoord;
    type IntoIter = std::iter::Once<&'a BackendCoord>;

    fn point_iter(self) -> Self::IntoIter {
        std::iter::once(&self.at)
    }
}

impl Drawable<Canvas> for Picture {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, mut places: I, canvas: &mut Canvas, _: (u32, u32)) -> Done {
        let at = places.next().unwrap_or(self.at);
        canvas.shapes.borrow_mut().push(Shape::Picture(Self { at, ..self.clone() }));
        Ok(())
    }
}

/// A line in dashes.
#[derive(Clone)]
pub struct Dashed<P> {
    /// Where it goes along, in the coordinates of what it is drawn into.
    pub points: Vec<P>,
    /// Its colour and width.
    pub style: ShapeStyle,
    /// Lengths of a dash and of the gap behind it, in canvas units.
    pub dash: [u32; 2],
}

impl<'a, P> PointCollection<'a, P> for &'a Dashed<P> {
    type Point = &'a P;
    type IntoIter = &'a [P];

    fn point_iter(self) -> Self::IntoIter {
        &self.points
    }
}

impl<P> Drawable<Canvas> for Dashed<P> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, places: I, canvas: &mut Canvas, _: (u32, u32)) -> Done {
        let (points, width, dash) = (places.collect(), self.style.stroke_width, Some(self.dash));
        canvas.push(self.style.color.to_backend_color(), |color| Shape::Line { points, width, dash, color })
    }
}

impl DrawingBackend for Canvas {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size.into()
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Done {
        let to = (point.0 + 1, point.1 + 1);
        self.push(color, |color| Shape::Rectangle { from: point, to, color })
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Done {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Done {
        if !fill {
            let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
            return self.draw_path(corners, style);
        }
        let (left, top, right, bottom) = (from.0.min(to.0), from.1.min(to.1), from.0.max(to.0), from.1.max(to.1));
        self.push(style.color(), |color| Shape::Rectangle { from: (left, top), to: (right, bottom), color })
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Done {
        let (points, width) = (path.into_iter().collect(), style.stroke_width());
        self.push(style.color(), |color| Shape::Line { points, width, dash: None, color })
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, fill: bool) -> Done {
        if !fill {
            let corner = |step: i32| {
                let angle = f64::from(step) * std::f64::consts::TAU / 64.0;
                let [x, y] = [angle.cos(), angle.sin()].map(|part| (part * f64::from(radius)).round() as i32);
                (center.0 + x, center.1 + y)
            };
            return self.draw_path((0..=64).map(corner), style);
        }
        self.push(style.color(), |color| Shape::Disc { center, radius, color })
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, points: I, style: &S) -> Done {
        let points = points.into_iter().collect();
        self.push(style.color(), |color| Shape::Polygon { points, color })
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Done {
        let bold = matches!(style.style(), FontStyle::Bold);
        let face = face(bold);
        let em = (style.size() / face.height()) as f32;
        let scale = em / face.units_per_em();
        let (glyphs, length) = face.line(text);
        let along = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -length * scale / 2.0,
            HPos::Right => -length * scale,
        };
        // A line of text reaches from the top of its capitals to the bottom of its descenders; its middle is the capitals'.
        let down = match style.anchor().v_pos {
            VPos::Top => CAPITALS * em,
            VPos::Center => CAPITALS * em / 2.0,
            VPos::Bottom => -DESCENDERS * em,
        };
        let (turns, [dx, dy]) = match style.transform() {
            FontTransform::None => (0, [along, down]),
            FontTransform::Rotate90 => (1, [-down, along]),
            FontTransform::Rotate180 => (2, [-along, -down]),
            FontTransform::Rotate270 => (3, [down, -along]),
        };
        let [x, y] = [at.0, at.1].map(|units| units as f32);
        self.push(style.color(), |color| Shape::Text(Text { bold, glyphs, scale, at: [x + dx, y + dy], turns, color }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::{anchor, color, px, text};

    fn figure(words: &str) -> Figure {
        Figure::draw([120, 80], "A <disc> & text", |area| {
            area.draw(&plotters::element::Circle::new((px(30.0), px(20.0)), px(5.0), color(0).filled()))?;
            area.draw_text(words, &text(13.0).pos(anchor(HPos::Right, VPos::Center)), (px(110.0), px(60.0)))
        })
        .expect("drawn")
    }

    /// Width and height, and the pixels.
    fn decoded(bytes: &[u8]) -> ([u32; 2], Vec<u8>) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("of a known size")];
        let info = reader.next_frame(&mut pixels).expect("whole");
        ([info.width, info.height], pixels)
    }

    #[test]
    fn a_disc_is_where_it_was_put_in_its_color() {
        let (size, pixels) = decoded(&figure("").png().expect("rendered"));
        assert_eq!(size, [240, 160]);
        let at = |x: usize, y: usize| &pixels[3 * (240 * y + x)..][..3];
        assert_eq!((at(60, 40), at(60, 49), at(60, 52)), (&[0, 114, 178][..], &[0, 114, 178][..], &[255; 3][..]));
    }

    #[test]
    fn text_ends_at_its_anchor() {
        let (_, blank) = decoded(&figure("").png().expect("rendered"));
        let (_, pixels) = decoded(&figure("III").png().expect("rendered"));
        let inked = (0..240 * 160).filter(|pixel| pixels[3 * pixel] != blank[3 * pixel]);
        let (columns, rows): (Vec<_>, Vec<_>) = inked.map(|pixel| (pixel % 240, pixel / 240)).unzip();
        // Three capitals of 13 pixels, at two pixels a pixel, with the space before and behind each.
        let (left, right) = (columns.iter().min().expect("ink"), columns.iter().max().expect("ink"));
        assert!((214..220).contains(right) && (195..206).contains(left), "{left} {right}");
        let (top, bottom) = (rows.iter().min().expect("ink"), rows.iter().max().expect("ink"));
        assert!((109..112).contains(top) && (128..131).contains(bottom), "{top} {bottom}");
    }

    #[test]
    fn an_svg_has_its_text_as_outlines_defined_once() {
        let svg = figure("III").svg().expect("rendered");
        assert_eq!((svg.matches("<path").count(), svg.matches("<use").count()), (1, 3), "{svg}");
        assert!(svg.contains("<title>A &lt;disc> &amp; text</title>") && !svg.contains("<text"), "{svg}");
        assert!(svg.contains("<circle cx=\"30\" cy=\"20\" r=\"5\" fill=\"#0072b2\"/>"), "{svg}");
    }

    #[test]
    fn a_picture_keeps_its_pixels() {
        let figure = Figure::draw([20, 20], "Four pixels", |area| {
            let pixels = vec![0, 80, 160, 240];
            area.draw(&Picture { at: (px(5.0), px(5.0)), scale: px(5.0), size: [2, 2], pixels })
        })
        .expect("drawn");
        let (_, pixels) = decoded(&figure.png().expect("rendered"));
        let at = |x: usize, y: usize| pixels[3 * (40 * y + x)];
        assert_eq!([at(10, 10), at(19, 10), at(20, 10), at(10, 29), at(29, 29), at(30, 30)], [0, 0, 80, 160, 240, 255]);
        assert!(figure.svg().expect("rendered").contains("data:image/png;base64,iVBORw0KGgo"));
    }
}
