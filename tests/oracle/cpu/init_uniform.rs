use super::{DEAD, bound, rig::Rig, rig::floats};
use crate::reference::random;
use mnist_gpu::program::{InitUniform, Op, State};
use proptest::prelude::*;

/// The oracle's numbers are exact in f64; rounded to f32 they are the op's, to the last bit.
fn check(seed: u32, stream: u32, bound: f32, len: usize) {
    let mut rig = Rig::default();
    let state = rig.state(State::at(seed, 0, 0, 1));
    let output = rig.f32(&[len], &vec![DEAD; len]);
    let mut session = rig.run(Op::InitUniform(InitUniform { state, output, bound, stream }));
    let theirs = random::init_uniform(seed, stream, bound, len);
    let rounded: Vec<f64> = theirs.iter().map(|&x| f64::from(x as f32)).collect();
    bound::hold("output", &floats(&mut session, output), &rounded, |_| 0.0);
}

#[test]
fn fixed_sizes() {
    // 40,000 elements are more than one thread takes at a time.
    for len in [1, 7, 256, 40_000] {
        check(1, 0, 1.0, len);
        check(u32::MAX, 9, 1.0 / 28.0, len);
    }
}

/// A view in the middle of a flat tensor: what lies around it stays.
#[test]
fn a_view() {
    let mut rig = Rig::default();
    let state = rig.state(State::at(5, 0, 0, 1));
    let flat = rig.f32(&[192], &[DEAD; 192]);
    let output = rig.view(&[3, 5], flat, 256);
    let mut session = rig.run(Op::InitUniform(InitUniform { state, output, bound: 0.5, stream: 2 }));
    let ours = floats(&mut session, flat);
    bound::hold("output", &ours[64..79], &random::init_uniform(5, 2, 0.5, 15), |_| 0.0);
    super::assert_dead("before", &ours[..64]);
    super::assert_dead("behind", &ours[79..]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_seed_and_size(seed: u32, stream in 0_u32..100, bound in 0.001_f32..2.0, len in 1_usize..300) {
        check(seed, stream, bound, len);
    }
}
