use super::{DEAD, batch, bound, convolution, convolution::Case, rig::Rig, rig::floats, wide};
use crate::reference::conv::Conv;
use mnist_gpu::program::{Conv2dBackwardWeights, NO_CHOICE, Op};
use proptest::prelude::*;

/// Weights, then bias, of each block of images; a block without live ones is zero.
fn check(case: &Case, block: usize) {
    let (live, pixels) = (case.conv.n, case.conv.input.iter().product::<usize>());
    let x = batch(0, case.rows, live, pixels);
    let (gradients, choices) = case.gradients();
    let sums = case.conv.weights_len() + case.conv.kernel[0];
    let ours = partial_sums(case, block, &x, &gradients, &choices);
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

/// The partial sums of a batch.
fn partial_sums(case: &Case, block: usize, x: &[f32], gradients: &[f32], choices: &[u32]) -> Vec<f32> {
    let [input, output] = case.shapes();
    let (blocks, sums) = (case.rows.div_ceil(block), case.conv.weights_len() + case.conv.kernel[0]);
    let mut rig = Rig::default();
    let op = Conv2dBackwardWeights {
        state: rig.live(case.conv.n),
        input: rig.f32(&input, x),
        gradient: rig.f32(&output, gradients),
        choice: rig.u32(&output, choices),
        output: rig.f32(&[blocks, sums], &vec![DEAD; blocks * sums]),
        geometry: case.geometry(),
        block: block as u32,
    };
    let result = op.output;
    floats(&mut rig.run(Op::Conv2dBackwardWeights(op)), result)
}

/// A partial sum is of its own images, to the last bit, whatever batch they lie in: one chain of fused multiply-adds in
/// ascending order of image and window.
#[test]
fn a_block_is_one_chain_of_its_own_images() {
    for case in convolution::cases().into_iter().filter(|case| case.conv.n > 0) {
        let (live, pixels, outputs) = (case.conv.n, case.conv.input.iter().product::<usize>(), case.output_len());
        let x = batch(0, case.rows, live, pixels);
        let (gradients, choices) = case.gradients();
        let sums = case.conv.weights_len() + case.conv.kernel[0];
        for block in [1, 2, 16] {
            let all = partial_sums(&case, block, &x, &gradients, &choices);
            for (index, found) in all.chunks(sums).enumerate().take(live.div_ceil(block)) {
                let images = index * block..((index + 1) * block).min(live);
                let alone = Case { rows: images.len(), conv: Conv { n: images.len(), ..case.conv }, ..case };
                let (x, gradients) = (&x[images.start * pixels..], &gradients[images.start * outputs..]);
                let choices = &choices[images.start * outputs..];
                let (x, gradients) = (&x[..images.len() * pixels], &gradients[..images.len() * outputs]);
                let choices = &choices[..images.len() * outputs];
                let again = partial_sums(&alone, 16, x, gradients, choices);
                let chain = chain(&alone, x, gradients, choices);
                for (i, ((found, again), chain)) in found.iter().zip(&again).zip(&chain).enumerate() {
                    assert!(
                        [again, chain].iter().all(|other| other.to_bits() == found.to_bits()),
                        "{case:?}, block {index}, {i}: {found:e} {again:e} {chain:e}"
                    );
                }
            }
        }
    }
}

/// Weights and bias of one block, one multiply-add after another.
fn chain(case: &Case, x: &[f32], gradients: &[f32], choices: &[u32]) -> Vec<f32> {
    let (outputs, windows) = (case.conv.kernel[0], case.output_len() / case.conv.kernel[0]);
    let mut sums = vec![0.0_f32; case.conv.weights_len() + outputs];
    let plane = case.conv.output().iter().product::<usize>();
    // What each place of the convolution multiplies: weight and input.
    let mut products = vec![Vec::new(); case.conv.output_len()];
    case.conv.products(|place, weight, input| products[place].push((weight, input)));
    for (i, (&gradient, &choice)) in
        gradients.iter().zip(choices).enumerate().filter(|(_, (_, choice))| **choice != NO_CHOICE)
    {
        for &(weight, input) in &products[i / windows * plane + case.position(i, choice)] {
            sums[weight] = gradient.mul_add(x[input], sums[weight]);
        }
        sums[case.conv.weights_len() + i / windows % outputs] += gradient;
    }
    sums
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
