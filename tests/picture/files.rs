//! Files: the formats, what cameras add, and what is no picture.

use crate::digit;
use crate::pictures::{Canvas, encode};
use image::codecs::gif::GifEncoder;
use image::{Frame, RgbaImage};
use mnist_gpu::data::picture::{Limits, decode, read};
use mnist_gpu::random::uniform;

const FORMATS: [&str; 5] = ["png", "jpg", "bmp", "webp", "gif"];

/// A file with the digit, dark on light, 112 pixels wide and 84 high.
fn sample(extension: &str) -> Vec<u8> {
    let value = |i: usize| {
        let (x, y) = (i % 112 / 3, i / 112 / 3);
        let ink = if x < 28 && y < 28 { f32::from(digit(2)[28 * y + x]) / 255.0 } else { 0.0 };
        [1.0 - ink, 1.0 - ink, 1.0 - ink, 1.0]
    };
    encode(&Canvas { width: 112, height: 84, pixels: (0..112 * 84).map(value).collect() }, extension)
}

#[track_caller]
fn refused(bytes: &[u8], limits: Limits, words: &str) {
    let problem = match decode(bytes, &limits) {
        Ok(_) => panic!("expected an error with {words:?}"),
        Err(error) => error.to_string(),
    };
    assert!(problem.contains(words), "{problem}");
}

#[test]
fn every_format_gives_the_same_image() {
    let images = FORMATS.map(|format| read(&sample(format), &Limits::default(), [28, 28]).expect(format));
    for (format, image) in FORMATS.iter().zip(&images) {
        let differences = image.iter().zip(&images[0]).map(|(a, b)| u32::from(a.abs_diff(*b)));
        assert!(differences.sum::<u32>() < 4 * 784, "{format}");
    }
}

#[test]
fn an_animation_counts_by_its_first_frame() {
    let frame = |value: u8| Frame::new(RgbaImage::from_pixel(3, 2, [value, value, value, 255].into()));
    let mut bytes = Vec::new();
    GifEncoder::new(&mut bytes).encode_frames([250, 0, 120].map(frame)).expect("written");
    let picture = decode(&bytes, &Limits::default()).expect("a picture");
    assert_eq!((picture.width, picture.height, &picture.rgba[..4]), (3, 2, &[250, 250, 250, 255][..]));
}

#[test]
fn a_camera_held_sideways_is_turned_upright() {
    let jpeg = sample("jpg");
    // An APP1 segment with one entry: orientation, a short, 6: turn by a quarter to the right.
    let exif = b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let turned = [&jpeg[..2], exif, &jpeg[2..]].concat();
    let upright = decode(&jpeg, &Limits::default()).expect("a picture");
    let picture = decode(&turned, &Limits::default()).expect("a picture");
    assert_eq!((picture.width, picture.height), (upright.height, upright.width));
    let pixel =
        |picture: &mnist_gpu::data::picture::Pixels, x: usize, y: usize| picture.rgba[4 * (y * picture.width + x)];
    // What was at the left is at the top.
    assert_eq!(pixel(&picture, 83 - 40, 30), pixel(&upright, 30, 40));
}

#[test]
fn what_is_no_picture_is_named() {
    let limits = Limits::default();
    refused(b"", limits, "the file is empty");
    refused(b"seven", limits, "expected a PNG, JPEG, BMP, WebP or GIF file, found something else");
    refused(b"II*\0\x08\0\0\0\0\0", limits, "found Tiff");
    refused(&[0; 1000], limits, "found something else");
}

#[test]
fn what_exceeds_a_limit_is_named() {
    let limits = Limits::default();
    for format in FORMATS {
        let bytes = sample(format);
        refused(&bytes, Limits { side: 111, ..limits }, "too large: it has 112×84 pixels; at most 111 pixels a side");
        refused(&bytes, Limits { pixels: 112 * 84 - 1, ..limits }, "at most 16384 pixels a side and 9407 in all");
        refused(&bytes, Limits { bytes: bytes.len() as u64 - 1, ..limits }, "the file is too large");
        let exact = Limits { bytes: bytes.len() as u64, side: 112, pixels: 112 * 84 };
        assert!(decode(&bytes, &exact).is_ok(), "{format}");
    }
}

/// A PNG file's header alone: what it announces is refused before anything is made for it.
fn announced(width: u32, height: u32) -> Vec<u8> {
    let header = [b"IHDR", &width.to_be_bytes()[..], &height.to_be_bytes(), &[16, 6, 0, 0, 0]].concat();
    let mut sum = flate2::Crc::new();
    sum.update(&header);
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0d", &header[..], &sum.sum().to_be_bytes(), b"\0\0\0\0IDAT\x35\xaf\x06\x1e"].concat()
}

#[test]
fn bombs_are_refused_by_their_header() {
    for (width, height) in [(20_000, 20_000), (20_000, 1), (1, 20_000), (16_000, 16_000)] {
        refused(
            &announced(width, height),
            Limits::default(),
            &format!("the picture is too large: it has {width}×{height} pixels"),
        );
    }
    refused(&announced(1 << 30, 1 << 30), Limits::default(), "the picture is too large: at most 16384");
}

#[test]
fn damaged_files_are_errors() {
    for format in FORMATS {
        let whole = sample(format);
        for end in (0..whole.len()).step_by(whole.len() / 40 + 1) {
            // What is missing at the very end may be of no consequence.
            if let Ok(picture) = decode(&whole[..end], &Limits::default()) {
                assert_eq!((picture.width, picture.height), (112, 84), "{format} cut at {end}");
            }
        }
        assert!(decode(&whole[..whole.len() / 4], &Limits::default()).is_err(), "{format}");
        for trial in 0..100 {
            let mut bytes = whole.clone();
            for flip in 0..=trial % 4 {
                let place = |counter| uniform([trial, 5], [flip, counter]);
                let at = (place(0) * bytes.len() as f32) as usize;
                bytes[at] = (256.0 * place(1)) as u8;
            }
            let limits = Limits { pixels: 1_000_000, ..Limits::default() };
            if let Ok(picture) = decode(&bytes, &limits) {
                assert_eq!(picture.rgba.len(), 4 * picture.width * picture.height);
            }
        }
    }
}
