use super::{bound, numbers, rig::Rig, rig::floats, wide};
use crate::reference::linear::bias_gradient;
use mnist_gpu::program::{Op, Reduce, Tensor};
use proptest::prelude::*;

/// Sums over the blocks, of the weights into one view and of the bias into another; what lies between stays.
fn check([blocks, weights, bias]: [usize; 3], accumulate: bool) {
    let sums = weights + bias;
    let partial = numbers(0, blocks * sums);
    let (start, behind) = (Tensor::ALIGNMENT, (Tensor::ALIGNMENT + 4 * weights).next_multiple_of(Tensor::ALIGNMENT));
    let before = numbers(1, behind / 4 + bias);
    let mut rig = Rig::default();
    // The op has no state, and the rig's programs none that is not named.
    let flat = rig.f32(&[before.len()], &before);
    let op = Reduce {
        input: rig.f32(&[blocks, sums], &partial),
        output: rig.view(&[weights], flat, start),
        bias_gradient: rig.view(&[bias], flat, behind),
        accumulate,
    };
    let mut session = rig.run(Op::Reduce(op));
    let ours = floats(&mut session, flat);
    // One addition after another, in ascending order of blocks: to the last bit.
    for i in 0..sums {
        let at = if i < weights { start / 4 + i } else { behind / 4 + i - weights };
        let begin = if accumulate { before[at] } else { 0.0 };
        let chain = partial[i..].iter().step_by(sums).fold(begin, |sum, value| sum + value);
        assert_eq!(ours[at].to_bits(), chain.to_bits(), "{i} of {sums}, {blocks} blocks");
    }
    let size = bias_gradient(sums, &wide(&partial).iter().map(|x| x.abs()).collect::<Vec<_>>());
    let total = bias_gradient(sums, &wide(&partial));
    for (name, first, at, len) in [("weights", 0, start / 4, weights), ("bias", weights, behind / 4, bias)] {
        let held = |i: usize| if accumulate { f64::from(before[at + i]) } else { 0.0 };
        let theirs: Vec<f64> = (0..len).map(|i| total[first + i] + held(i)).collect();
        let close = |i: usize| bound::product(blocks + 1) * (size[first + i] + held(i).abs());
        bound::hold(name, &ours[at..at + len], &theirs, close);
    }
    assert_eq!(ours[..start / 4], before[..start / 4], "before the weights");
    assert_eq!(ours[start / 4 + weights..behind / 4], before[start / 4 + weights..behind / 4], "behind the weights");
}

#[test]
fn fixed_shapes() {
    for shape in [[1, 1, 1], [4, 25 * 24, 24], [17, 65, 3], [3, 40_000, 64]] {
        check(shape, false);
        check(shape, true);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_shape(blocks in 1_usize..20, weights in 1_usize..300, bias in 1_usize..40, accumulate: bool) {
        check([blocks, weights, bias], accumulate);
    }
}
