use super::{DEAD, assert_dead, bound, rig::Rig, rig::floats};
use crate::reference::{linear, random::threefry};
use mnist_gpu::program::{LoadBatch, Op};
use proptest::prelude::*;

/// Normalisation is one fused multiply-add: one rounding.
fn check([images, rows, live, pixels]: [usize; 4], scale: f32, shift: f32) {
    let word = |i: usize, which: u32| threefry([1, 2], [i as u32, which])[0];
    let bytes: Vec<u8> = (0..images * pixels).map(|i| word(i, 0) as u8).collect();
    // Dead samples name images that are not there.
    let index = |row: usize| if row < live { word(row, 1) % images as u32 } else { u32::MAX };
    let samples: Vec<u32> = (0..rows).flat_map(|row| [index(row), 0]).collect();
    let mut rig = Rig::default();
    let op = LoadBatch {
        state: rig.live(live),
        images: rig.u8(&[images, pixels], &bytes),
        samples: rig.u32(&[rows, 2], &samples),
        output: rig.f32(&[rows, pixels], &vec![DEAD; rows * pixels]),
        scale,
        shift,
    };
    let output = op.output;
    let mut session = rig.run(Op::LoadBatch(op));
    let ours = floats(&mut session, output);
    let chosen = samples.chunks(2).take(live);
    let gathered: Vec<u8> = chosen.flat_map(|sample| bytes[sample[0] as usize * pixels..][..pixels].to_vec()).collect();
    let theirs = linear::normalise(&gathered, f64::from(scale), f64::from(shift));
    // The oracle's own rounding, at 2⁻⁵³ of the larger term.
    let slack = 1e-15 * (f64::from(scale) * 255.0 + f64::from(shift).abs());
    bound::hold("output", &ours[..live * pixels], &theirs, |i| bound::ROUNDING * theirs[i].abs() + slack);
    assert_dead("output", &ours[live * pixels..]);
}

/// MNIST's normalisation, and one that keeps bytes as they are.
#[test]
fn fixed_shapes() {
    for (scale, shift) in [(0.012_728_2, -0.424_073), (1.0, 0.0)] {
        for shape in [[1, 1, 1, 1], [5, 3, 3, 7], [10, 64, 40, 784], [3, 33, 1, 65], [4, 8, 0, 9]] {
            check(shape, scale, shift);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_shape(images in 1_usize..20, live in 0_usize..40, dead in 0_usize..5, pixels in 1_usize..80) {
        check([images, (live + dead).max(1), live, pixels], 0.02, -0.4);
    }
}
