//! Pictures of digits: what they are prepared to, and what is refused.

mod files;
#[path = "../pictures/mod.rs"]
mod pictures;
mod prepared;

use mnist_gpu::data::Split;
use mnist_gpu::data::picture::Pixels;
use std::sync::LazyLock;

/// MNIST's test images.
static DIGITS: LazyLock<Split> = LazyLock::new(Split::mnist_test);

/// The MNIST test image of this number.
fn digit(number: usize) -> &'static [u8] {
    &DIGITS.images[784 * number..][..784]
}

/// An opaque grey picture.
fn grey(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Pixels {
    let pixel = |i: usize| {
        let value = value(i % width, i / width);
        [value, value, value, 255]
    };
    Pixels { width, height, rgba: (0..width * height).flat_map(pixel).collect() }
}
