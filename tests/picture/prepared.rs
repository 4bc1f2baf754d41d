//! What pictures are prepared to.

use crate::pictures::{Dice, KINDS, file};
use crate::{digit, grey};
use mnist_gpu::Error;
use mnist_gpu::data::picture::{Limits, Pixels, prepare, read};
use proptest::prelude::*;

const SIDES: [u32; 2] = [28, 28];

/// The cosine of two images: 1 where they are alike.
fn likeness(a: &[u8], b: &[u8]) -> f64 {
    let product = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

/// An MNIST image as a picture, each pixel so many times enlarged.
fn enlarged(number: usize, times: usize) -> Pixels {
    grey(28 * times, 28 * times, |x, y| digit(number)[y / times * 28 + x / times])
}

fn inverted(mut picture: Pixels) -> Pixels {
    for pixel in picture.rgba.chunks_exact_mut(4) {
        pixel[..3].iter_mut().for_each(|value| *value = 255 - *value);
    }
    picture
}

#[test]
fn mnist_images_stay_what_they_are() {
    for times in [1, 10] {
        let likenesses: Vec<f64> = (0..100)
            .map(|number| likeness(&prepare(&enlarged(number, times), SIDES).expect("a digit"), digit(number)))
            .collect();
        let mean = likenesses.iter().sum::<f64>() / 100.0;
        assert!(mean > 0.95, "{times}: {mean}");
    }
}

#[test]
fn what_was_done_to_a_picture_hardly_shows() {
    for (place, kind) in KINDS.into_iter().enumerate() {
        let mut sum = 0.0;
        for number in 0..6 {
            let number = 6 * place + number;
            let (extension, bytes) = file(kind, digit(number), &mut Dice::new(7, number as u32));
            let image = read(&bytes, &Limits::default(), SIDES);
            sum += likeness(&image.unwrap_or_else(|error| panic!("{kind} {extension}: {error}")), digit(number));
        }
        assert!(sum / 6.0 > 0.85, "{kind}: {}", sum / 6.0);
    }
}

#[test]
fn light_on_dark_and_dark_on_light_are_the_same() {
    for number in 0..20 {
        let picture = enlarged(number, 5);
        let images = [picture.clone(), inverted(picture)].map(|picture| prepare(&picture, SIDES).expect("a digit"));
        assert!(images[0].iter().zip(&images[1]).all(|(a, b)| a.abs_diff(*b) <= 1), "{number}");
    }
}

#[test]
fn ink_fills_the_box_and_its_mass_is_in_the_middle() {
    for [height, width] in [[28, 28], [8, 8], [64, 64], [32, 20]] {
        for number in 0..20 {
            let image = prepare(&enlarged(number, 4), [height, width]).expect("a digit");
            assert_eq!(image.len(), (height * width) as usize);
            let set = |keep: &dyn Fn(usize) -> usize| {
                let lines: std::collections::BTreeSet<usize> =
                    image.iter().enumerate().filter(|(_, value)| **value > 0).map(|(i, _)| keep(i)).collect();
                (lines.last().expect("ink") - lines.first().expect("ink") + 1) as f64
            };
            let (across, down) = (set(&|i| i % width as usize), set(&|i| i / width as usize));
            let full = (across / f64::from(width)).max(down / f64::from(height)) * 28.0;
            assert!((16.0..=22.0).contains(&full), "{height}×{width}, digit {number}: {full} of 28");
            let mass: f64 = image.iter().map(|&value| f64::from(value)).sum();
            let centre = |place: &dyn Fn(usize) -> usize| {
                image.iter().enumerate().map(|(i, &value)| place(i) as f64 * f64::from(value)).sum::<f64>() / mass
            };
            let x = centre(&|i| i % width as usize) - f64::from(width) / 2.0;
            let y = centre(&|i| i / width as usize) - f64::from(height) / 2.0;
            assert!(x.abs() < 0.51 && y.abs() < 0.51, "{height}×{width}, digit {number}: {x} {y}");
        }
    }
}

#[test]
fn ink_never_leaves_the_image() {
    // A heavy foot below a thin stem: centred by its mass, the stem would reach beyond the upper edge.
    let picture = grey(100, 100, |x, y| {
        let foot = (80..95).contains(&y) && (5..95).contains(&x);
        let stem = (5..80).contains(&y) && (48..52).contains(&x);
        if foot || stem { 0 } else { 255 }
    });
    let image = prepare(&picture, SIDES).expect("ink");
    assert!(image[..28].iter().any(|&value| value > 0), "the stem begins in the first row");
    assert!(image[28 * 20..].iter().all(|&value| value == 0));
}

#[test]
fn a_bar_is_no_frame() {
    let upright = grey(60, 60, |x, y| if (24..36).contains(&x) && (8..52).contains(&y) { 0 } else { 255 });
    let image = prepare(&upright, SIDES).expect("a one");
    let inked = |row: usize| image[28 * row..][..28].iter().filter(|value| **value > 127).count();
    assert!((8..20).all(|row| (4..=7).contains(&inked(row))), "{:?}", (0..28).map(inked).collect::<Vec<_>>());
}

#[test]
fn what_is_transparent_is_paper() {
    let ink = |value: u8| Pixels {
        width: 28,
        height: 28,
        rgba: digit(0).iter().flat_map(|&alpha| [value, value, value, alpha]).collect(),
    };
    let images = [0, 255].map(|value| prepare(&ink(value), SIDES).expect("a digit"));
    assert!(likeness(&images[0], digit(0)) > 0.97);
    assert!(images[0].iter().zip(&images[1]).all(|(a, b)| a.abs_diff(*b) <= 1));
}

#[test]
fn blank_pictures_are_refused() {
    let noise = |x: usize, y: usize| (128.0 + 20.0 * Dice::new(x as u32, y as u32).normal()) as u8;
    let speck = |x: usize, y: usize| if (50..52).contains(&x) && (50..52).contains(&y) { 0 } else { 255 };
    for (what, picture) in [
        ("white", grey(100, 80, |_, _| 255)),
        ("black", grey(100, 80, |_, _| 0)),
        ("one pixel", grey(1, 1, |_, _| 9)),
        ("a ramp", grey(200, 100, |x, _| x as u8)),
        ("noise", grey(300, 200, noise)),
        ("a speck", grey(200, 200, speck)),
        ("nothing", Pixels { width: 10, height: 10, rgba: vec![0; 400] }),
    ] {
        match prepare(&picture, SIDES) {
            Err(Error::Picture(problem)) => assert!(problem.starts_with("the picture is blank: "), "{what}: {problem}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever the pixels, there is an image or an error.
    #[test]
    fn any_pixels_have_an_end(width in 1_usize..60, height in 1_usize..60, seed: u32, coarse in 1_usize..20) {
        let mut dice = Dice::new(seed, 0);
        let values: Vec<[u8; 4]> = (0..3600).map(|_| [(); 4].map(|()| dice.between(0.0, 256.0) as u8)).collect();
        let pixel = |i: usize| values[(i / width / coarse) * 60 + i % width / coarse];
        let picture = Pixels { width, height, rgba: (0..width * height).flat_map(pixel).collect() };
        if let Ok(image) = prepare(&picture, [20, 28]) {
            prop_assert_eq!(image.len(), 560);
            prop_assert_eq!(image.iter().max(), Some(&255));
        }
    }
}
