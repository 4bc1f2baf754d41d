//! From the bytes of a file to pixels, within limits.

use super::Pixels;
use crate::{Error, Result};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use std::io::Cursor;

/// How much a picture may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Pixels along a side.
    pub side: u32,
    /// Pixels in all.
    pub pixels: u64,
}

impl Default for Limits {
    /// Room for what phones' cameras take.
    fn default() -> Self {
        Self { bytes: 64 << 20, side: 16_384, pixels: 64_000_000 }
    }
}

/// What decoding may take for a pixel: four channels of 16 bits, twice.
const BYTES_A_PIXEL: u64 = 16;
/// What decoding may take besides.
const BYTES_BESIDES: u64 = 16 << 20;

/// Decodes a PNG, JPEG, BMP, WebP or GIF file, whatever its name; of an animation, its first frame.
///
/// # Errors
/// [`Error::Picture`]: when the bytes are no such file or a damaged one; [`Error::TooLarge`]: when they exceed the limits,
/// which is found before any pixel is decoded.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Pixels> {
    let fail = |problem: String| Err(Error::Picture(problem));
    if bytes.is_empty() {
        return fail("the file is empty".into());
    }
    if bytes.len() as u64 > limits.bytes {
        return Err(Error::TooLarge(format!("the file is too large: at most {} bytes are accepted", limits.bytes)));
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().expect("memory can be read");
    match reader.format() {
        Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp | ImageFormat::WebP | ImageFormat::Gif) => {}
        Some(other) => return fail(format!("expected a PNG, JPEG, BMP, WebP or GIF file, found {other:?}")),
        None => return fail("expected a PNG, JPEG, BMP, WebP or GIF file, found something else".into()),
    }
    let mut room = image::Limits::no_limits();
    room.max_alloc = Some(limits.pixels * BYTES_A_PIXEL + BYTES_BESIDES);
    reader.limits(room);
    let Limits { side, pixels, .. } = *limits;
    let accepted = format!("at most {side} pixels a side and {pixels} in all are accepted");
    let problem = |error: ImageError| match error {
        ImageError::Limits(_) => Error::TooLarge(format!("the picture is too large: {accepted}")),
        other => Error::Picture(format!("the picture is damaged: {other}")),
    };
    let mut decoder = reader.into_decoder().map_err(problem)?;
    let (width, height) = decoder.dimensions();
    if width > side || height > side || u64::from(width) * u64::from(height) > pixels {
        return Err(Error::TooLarge(format!("the picture is too large: it has {width}×{height} pixels; {accepted}")));
    }
    if width == 0 || height == 0 {
        return fail(format!("the picture has no pixels: {width}×{height}"));
    }
    // How the camera was held; where nothing can be read about it, upright.
    let orientation = decoder.orientation().ok();
    let mut image = DynamicImage::from_decoder(decoder).map_err(problem)?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    let image = image.into_rgba8();
    Ok(Pixels { width: image.width() as usize, height: image.height() as usize, rgba: image.into_raw() })
}
