//! Cases of [`load_batch`](LoadBatch): image sizes, batches, live rows.

use super::{Case, Draft, Tolerance, Written, shapes};
use crate::program::{Element, LoadBatch, Op, State};

/// `live` of `rows` images of so many pixels, drawn from `images`.
pub fn case([rows, live, pixels, images]: [usize; 4], seed: u32) -> Case {
    let mut draft = Draft::new(seed);
    let state = draft.state(State { live: live as u32, ..State::default() });
    let bytes: Vec<u8> = draft.integers(images * pixels, 256).into_iter().map(|byte| byte as u8).collect();
    let all = draft.tensor("images", &[images, pixels], Element::U8, &bytes);
    let mut list: Vec<u32> = draft.integers(rows, images as u32).into_iter().flat_map(|image| [image, 3]).collect();
    // The last image is there, and a dead row names none that is.
    list[0] = images as u32 - 1;
    list[2 * live..].fill(u32::MAX);
    let samples = draft.tensor("samples", &[rows, 2], Element::U32, &list);
    let output = draft.random("output", &[rows, pixels]);
    let (scale, shift) = (1.0 / (255.0 * 0.3081), -0.1307 / 0.3081);
    let op = Op::LoadBatch(LoadBatch { state, images: all, samples, output, scale, shift });
    let name = format!("{live} of {rows} images of {pixels} pixels, of {images}, seed {seed}");
    draft.case(name, op, vec![Written::first(output, live * pixels, Tolerance::ELEMENTWISE)])
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    let fixed = [
        [1, 1, 1, 1],
        [4, 4, 81, 7],
        [5, 3, 81, 20],
        [64, 64, 784, 100],
        [100, 37, 784, 100],
        [16, 0, 784, 5],
        [3, 2, 65, 3],
        [2, 2, 3_072, 9],
    ];
    let random = shapes(seed, 5, [60, 900, 50]).map(|[rows, pixels, images]| [rows, rows.div_ceil(2), pixels, images]);
    fixed.into_iter().chain(random).map(|shape| case(shape, seed)).collect()
}
