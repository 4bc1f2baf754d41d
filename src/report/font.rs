//! The embedded font: Inter in two weights, as outlines, so that a plot is the same on every machine.
//!
//! Where the files come from and under which licence: `assets/font/README.md`.

use ab_glyph::{Font, FontRef, GlyphId, OutlineCurve};
use plotters::style::{FontStyle, register_font};
use std::sync::LazyLock;

/// The name under which plotters knows the font.
pub(super) const FAMILY: &str = "Inter";
const REGULAR: &[u8] = include_bytes!("../../assets/font/Inter-Regular.otf");
const BOLD: &[u8] = include_bytes!("../../assets/font/Inter-SemiBold.otf");

static FACES: LazyLock<[Face; 2]> = LazyLock::new(|| {
    [(REGULAR, FontStyle::Normal), (BOLD, FontStyle::Bold)].map(|(bytes, style)| {
        assert!(register_font(FAMILY, style, bytes).is_ok(), "the embedded font is whole");
        Face { font: FontRef::try_from_slice(bytes).expect("the embedded font is whole") }
    })
});

/// One weight of the font.
pub(super) struct Face {
    font: FontRef<'static>,
}

/// The regular or the bold face; the first call makes both known to plotters, too.
pub(super) fn face(bold: bool) -> &'static Face {
    &FACES[usize::from(bold)]
}

/// Whether the font has every character of a text.
pub fn has(text: &str) -> bool {
    text.chars().all(|character| face(false).font.glyph_id(character) != GlyphId(0))
}

/// A move of the pen, in font units, y upwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pen {
    Move([f32; 2]),
    Line([f32; 2]),
    Quad([[f32; 2]; 2]),
    Cubic([[f32; 2]; 3]),
    Close,
}

impl Face {
    /// Ascender to descender in shares of the em, which is what plotters takes for a font's size.
    pub fn height(&self) -> f64 {
        f64::from(self.font.height_unscaled() / self.units_per_em())
    }

    /// Font units of an em.
    pub fn units_per_em(&self) -> f32 {
        self.font.units_per_em().expect("the embedded font says so")
    }

    /// The glyphs of a line with their places from its start, and its length, in font units.
    pub fn line(&self, text: &str) -> (Vec<(u16, f32)>, f32) {
        let mut end = 0.0;
        let place = |character| {
            let glyph = self.font.glyph_id(character);
            let start = end;
            end += self.font.h_advance_unscaled(glyph);
            (glyph.0, start)
        };
        let glyphs = text.chars().map(place).collect();
        (glyphs, end)
    }

    /// The contours of a glyph; none of a space.
    pub fn outline(&self, glyph: u16) -> Vec<Pen> {
        let mut pens = Vec::new();
        let mut last = None;
        for curve in self.font.outline(GlyphId(glyph)).into_iter().flat_map(|outline| outline.curves) {
            let at = |point: ab_glyph::Point| [point.x, point.y];
            let (start, pen, end) = match curve {
                OutlineCurve::Line(a, b) => (at(a), Pen::Line(at(b)), at(b)),
                OutlineCurve::Quad(a, b, c) => (at(a), Pen::Quad([at(b), at(c)]), at(c)),
                OutlineCurve::Cubic(a, b, c, d) => (at(a), Pen::Cubic([at(b), at(c), at(d)]), at(d)),
            };
            if last != Some(start) {
                if last.is_some() {
                    pens.push(Pen::Close);
                }
                pens.push(Pen::Move(start));
            }
            pens.push(pen);
            last = Some(end);
        }
        if last.is_some() {
            pens.push(Pen::Close);
        }
        pens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glyphs_are_closed_contours_and_spaces_are_empty() {
        let (glyphs, length) = face(false).line("o i");
        let contours: Vec<usize> = glyphs
            .iter()
            .map(|(glyph, _)| face(false).outline(*glyph).iter().filter(|pen| **pen == Pen::Close).count())
            .collect();
        assert_eq!(contours, [2, 0, 2]);
        assert!(glyphs[0].1 == 0.0 && glyphs[1].1 < glyphs[2].1 && glyphs[2].1 < length);
    }

    #[test]
    fn what_the_font_lacks_is_known() {
        assert!(has("0–9 Größe β ≤ 10⁻³"));
        assert!(!has("お"));
    }
}
