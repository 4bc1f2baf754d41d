use super::{DEAD, assert_dead, bound, convolution, convolution::Case, numbers, rig::Rig, rig::floats, wide};
use mnist_gpu::program::{Conv2dBackwardInput, Op};
use proptest::prelude::*;

fn check(case: &Case) {
    let [input, output] = case.shapes();
    let (gradients, choices) = case.gradients();
    let w = numbers(1, case.conv.weights_len());
    let mut rig = Rig::default();
    let op = Conv2dBackwardInput {
        state: rig.live(case.conv.n),
        gradient: rig.f32(&output, &gradients),
        choice: rig.u32(&output, &choices),
        weights: rig.f32(&case.weights(), &w),
        output: rig.f32(&input, &vec![DEAD; input.iter().product()]),
        geometry: case.geometry(),
    };
    let result = op.output;
    let mut session = rig.run(Op::Conv2dBackwardInput(op));
    let ours = floats(&mut session, result);

    let theirs = case.conv.backward_input(&wide(&w), &case.before_pool(&gradients, &choices, false));
    let weights: Vec<f64> = wide(&w).iter().map(|w| w.abs()).collect();
    let sizes = case.conv.backward_input(&weights, &case.before_pool(&gradients, &choices, true));
    // An input is seen by every tap of every output, and by as many windows as overlap.
    let overlapping: usize = (0..2).map(|d| case.window[d].div_ceil(case.step[d])).product();
    let terms = case.conv.kernel.iter().product::<usize>() * overlapping;
    bound::hold(&format!("{case:?}"), &ours[..theirs.len()], &theirs, |i| bound::product(terms) * sizes[i]);
    assert_dead("output", &ours[theirs.len()..]);
}

#[test]
fn fixed_shapes() {
    convolution::cases().iter().for_each(check);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_shape(case in convolution::any()) {
        check(&case);
    }
}
