//! A user's picture of a digit, made into an image as MNIST has them.
//!
//! `read` does all of it: `decode` turns the bytes of a file into pixels, within `Limits` (these three with the feature
//! `pictures`), and [`prepare`] turns pixels into the network's input. The steps of [`prepare`] are plain arithmetic in
//! doubles, which a page repeats in JavaScript to the same bytes:
//!
//! 1. `Grey::of`: luminance, averaged over squares of pixels to at most 512 cells a side, on an opaque ground.
//! 2. `Grey::smooth`: the mean over a small square.
//! 3. `Grey::leave_frames`: only what is within frames is kept.
//! 4. `Grey::is_light_on_dark`, `Grey::invert`: dark ink on light paper from here on.
//! 5. `Grey::ink`: how much darker each cell is than the paper around it.
//! 6. `Ink::separate`: noise, specks and what hangs on the edge go; the digit's box.
//! 7. `Ink::fit`: MNIST's own preparation, into 20×20 and centred by mass in 28×28.

#[cfg(feature = "pictures")]
mod decode;
mod fit;
mod frame;
mod grey;
mod ink;
mod paper;

#[cfg(feature = "pictures")]
pub use decode::{Limits, decode};
#[doc(hidden)]
pub use grey::Grey;
#[doc(hidden)]
pub use ink::{Bounds, Ink};

use crate::Result;

/// A picture's pixels, row after row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels of a row; at least 1.
    pub width: usize,
    /// Rows; at least 1.
    pub height: usize,
    /// Red, green, blue and alpha of each pixel.
    pub rgba: Vec<u8>,
}

/// The network's input, height × width bytes, from the bytes of a PNG, JPEG, BMP, WebP or GIF file; of an animation, from
/// its first frame.
///
/// # Errors
/// [`Error::Picture`](crate::Error::Picture): when the bytes are no such file or a damaged one, and when nothing is on the
/// picture; [`Error::TooLarge`](crate::Error::TooLarge): when it exceeds the limits.
#[cfg(feature = "pictures")]
pub fn read(bytes: &[u8], limits: &Limits, sides: [u32; 2]) -> Result<Vec<u8>> {
    prepare(&decode(bytes, limits)?, sides)
}

/// The network's input, height × width bytes, from a picture's pixels.
///
/// # Errors
/// [`Error::Picture`](crate::Error::Picture), when nothing is on it.
pub fn prepare(picture: &Pixels, sides: [u32; 2]) -> Result<Vec<u8>> {
    let mut grey = Grey::of(picture);
    grey.smooth();
    grey.leave_frames();
    if grey.is_light_on_dark() {
        grey.invert();
    }
    let mut ink = grey.ink()?;
    let bounds = ink.separate()?;
    Ok(ink.fit(bounds, sides))
}
