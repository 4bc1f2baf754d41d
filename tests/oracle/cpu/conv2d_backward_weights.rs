use super::{DEAD, batch, bound, convolution, convolution::Case, rig::Rig, rig::floats, wide};
use crate::reference::conv::Conv;
use mnist_gpu::program::{Conv2dBackwardWeights, Op};
use proptest::prelude::*;

/// Weights, then bias, of each block of images; a block without live ones is zero.
fn check(case: &Case, block: usize) {
    let [input, output] = case.shapes();
    let (live, pixels) = (case.conv.n, case.conv.input.iter().product::<usize>());
    let x = batch(0, case.rows, live, pixels);
    let (gradients, choices) = case.gradients();
    let (blocks, sums) = (case.rows.div_ceil(block), case.conv.weights_len() + case.conv.kernel[0]);
    let mut rig = Rig::default();
    let op = Conv2dBackwardWeights {
        state: rig.live(live),
        input: rig.f32(&input, &x),
        gradient: rig.f32(&output, &gradients),
        choice: rig.u32(&output, &choices),
        output: rig.f32(&[blocks, sums], &vec![DEAD; blocks * sums]),
        geometry: case.geometry(),
        block: block as u32,
    };
    let result = op.output;
    let mut session = rig.run(Op::Conv2dBackwardWeights(op));
    let ours = floats(&mut session, result);

    for (index, ours) in ours.chunks(sums).enumerate() {
        let images = (index * block).min(live)..((index + 1) * block).min(live);
        let part = Case { conv: Conv { n: images.len(), ..case.conv }, ..*case };
        let outputs = images.start * case.output_len()..images.end * case.output_len();
        let (gradients, choices) = (&gradients[outputs.clone()], &choices[outputs]);
        let x = wide(&x[images.start * pixels..images.end * pixels]);
        let both = |x: &[f64], sizes: bool| {
            let (weights, bias) = part.conv.backward_weights(x, &part.before_pool(gradients, choices, sizes));
            [weights, bias].concat()
        };
        let theirs = both(&x, false);
        let sizes = both(&x.iter().map(|x| x.abs()).collect::<Vec<_>>(), true);
        let terms = images.len() * case.pool().output().iter().product::<usize>();
        bound::hold(&format!("{case:?}, block {index}"), ours, &theirs, |i| bound::product(terms) * sizes[i]);
    }
}

#[test]
fn fixed_shapes() {
    for case in convolution::cases() {
        for block in [1, 2, 16, 64] {
            check(&case, block);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_shape(case in convolution::any(), block in 1_usize..9) {
        check(&case, block);
    }
}
