//! Cases of [`dropout`](Dropout): rates, layers, steps, rows of the batch.
//!
//! Masks are exact; what is kept is rounded once. The bound is relative, so that what one device keeps and the other drops
//! never passes.

use super::{Case, Draft, Tolerance, Written, shapes};
use crate::program::{Dropout, Op, State};
use crate::random::{Purpose, uniform};

/// The mask of a step.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    /// Rows, those that are live, and numbers of each.
    pub size: [usize; 3],
    /// The share that is zeroed.
    pub rate: f32,
    /// Which dropout layer of the model.
    pub layer: u32,
    /// The number of the step.
    pub step: u32,
    /// Position of the first row in the order of the epoch.
    pub offset: u32,
    /// Images of a full step.
    pub batch: u32,
}

/// A dropout.
pub fn case(mask: Mask, seed: u32) -> Case {
    let Mask { size: [rows, live, width], rate, layer, step, offset, batch } = mask;
    let mut draft = Draft::new(seed);
    let state = draft.state(State { step, offset, live: live as u32, ..State::at(seed, 0, 0, 1 << 20) });
    let input = draft.random("input", &[rows, width]);
    let output = draft.random("output", &[rows, width]);
    let op = Op::Dropout(Dropout { state, input, output, rate, layer, batch });
    let rounding = Tolerance::Near { relative: f32::EPSILON.into(), absolute: f32::MIN_POSITIVE.into() };
    draft.case(format!("{mask:?}, seed {seed}"), op, vec![Written::first(output, live * width, rounding)])
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    let usual = Mask { size: [64, 64, 128], rate: 0.5, layer: 0, step: 1, offset: 0, batch: 64 };
    let mut masks = vec![
        usual,
        Mask { layer: 1, ..usual },
        Mask { step: 2, ..usual },
        Mask { step: u32::MAX, layer: 255, ..usual },
        // The second and the last, smaller step of an epoch.
        Mask { offset: 64, ..usual },
        Mask { size: [64, 17, 128], offset: 640, ..usual },
        // The second micro-batch of a step.
        Mask { size: [64, 36, 33], offset: 1_064, batch: 100, ..usual },
        Mask { size: [5, 0, 7], ..usual },
        Mask { size: [1, 1, 1], rate: 0.25, batch: 1, ..usual },
        // A batch with more numbers than a counter: rows far apart may share theirs.
        Mask { size: [9, 9, 1_000], offset: 4_294_965, batch: u32::MAX, ..usual },
        // The features of convnet.
        Mask { size: [4, 3, 9_216], rate: 0.25, ..usual },
    ];
    // A rate that a number of the mask equals: it is kept.
    let equal = uniform([seed, Purpose::Dropout as u32], [usual.step, 5]);
    masks.push(Mask { rate: equal, ..usual });
    masks.extend([0.0, 0.1, 0.25, 0.9, 0.999_999].map(|rate| Mask { size: [20, 19, 65], rate, ..usual }));
    for [rows, dead, width, layer, step, offset] in shapes(seed, 4, [40, 9, 300, 7, 9_999, 5_000]) {
        let [layer, step, offset] = [layer, step, offset].map(|value| value as u32);
        let size = [rows, rows.saturating_sub(dead / 2), width];
        masks.push(Mask { size, rate: 0.3, layer, step, offset, batch: rows as u32 });
    }
    masks.into_iter().map(|mask| case(mask, seed)).collect()
}
