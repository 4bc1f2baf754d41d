//! Pictures as people take them, made from MNIST's images: ten kinds, each with chances of its own.
//!
//! The tests and `cargo bench --bench predict` share them; both say from which images they make them.

mod canvas;
mod kinds;

pub use canvas::{Canvas, Mask};
pub use kinds::{KINDS, canvas};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, RgbaImage};
use mnist_gpu::random::uniform;
use std::io::Cursor;

/// Chance by a seed: the same throws in the same order.
pub struct Dice {
    key: [u32; 2],
    thrown: u32,
}

impl Dice {
    /// The dice of one picture.
    pub fn new(seed: u32, picture: u32) -> Self {
        Self { key: [seed, picture], thrown: 0 }
    }

    /// Uniform between the two.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        self.thrown += 1;
        low + (high - low) * uniform(self.key, [0, self.thrown])
    }

    /// Uniform in the logarithm between the two.
    pub fn log_between(&mut self, low: f32, high: f32) -> f32 {
        self.between(low.ln(), high.ln()).exp()
    }

    /// Whether this happens, that often.
    pub fn happens(&mut self, share: f32) -> bool {
        self.between(0.0, 1.0) < share
    }

    /// A number of a normal distribution of deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f32 {
        let (u, v) = (self.between(0.0, 1.0), self.between(0.0, 1.0));
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f32::consts::TAU * v).cos()
    }
}

/// A file with a picture of a kind: its format's extension and its bytes.
pub fn file(kind: &str, digit: &[u8], dice: &mut Dice) -> (&'static str, Vec<u8>) {
    let canvas = canvas(kind, digit, dice);
    let formats: &[&'static str] =
        if kind == "alpha" { &["png", "webp"] } else { &["png", "jpg", "bmp", "webp", "gif"] };
    let format = formats[dice.between(0.0, formats.len() as f32) as usize];
    (format, encode(&canvas, format))
}

/// A canvas as a file of the format with this extension.
pub fn encode(canvas: &Canvas, extension: &str) -> Vec<u8> {
    let bytes = canvas.pixels.iter().flatten().map(|value| (255.0 * value.clamp(0.0, 1.0)).round() as u8).collect();
    let image = RgbaImage::from_raw(canvas.width as u32, canvas.height as u32, bytes).expect("four values a pixel");
    let image = DynamicImage::from(image);
    let format = ImageFormat::from_extension(extension).expect("a format's extension");
    let mut file = Cursor::new(Vec::new());
    let written = match format {
        ImageFormat::Jpeg => image.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut file, 85)),
        ImageFormat::Bmp => image.to_rgb8().write_to(&mut file, format),
        _ => image.write_to(&mut file, format),
    };
    written.expect("memory takes it");
    file.into_inner()
}
