use super::{DEAD, assert_dead, batch, bound, convolution, convolution::Case, numbers, rig::Rig, rig::floats, wide};
use mnist_gpu::program::{Conv2dForward, NO_CHOICE, Op, Tensor};
use proptest::prelude::*;

/// What stands in a choice that is not live.
const UNTOUCHED: u32 = 0xdead_beef;

/// The outputs and choices of images, weights and a bias.
fn run(case: &Case, x: &[f32], w: &[f32], bias: &[f32], relu: bool, training: bool) -> (Vec<f32>, Option<Vec<u32>>) {
    let [input, output] = case.shapes();
    let behind = (4 * w.len()).next_multiple_of(Tensor::ALIGNMENT);
    let mut flat = w.to_vec();
    flat.resize(behind / 4, DEAD);
    flat.extend(bias);
    let len = output.iter().product();
    let mut rig = Rig::default();
    let flat = rig.f32(&[flat.len()], &flat);
    let op = Conv2dForward {
        state: rig.live(case.conv.n),
        input: rig.f32(&input, x),
        weights: rig.view(&case.weights(), flat, 0),
        bias: rig.view(&[bias.len()], flat, behind),
        output: rig.f32(&output, &vec![DEAD; len]),
        choice: training.then(|| rig.u32(&output, &vec![UNTOUCHED; len])),
        geometry: case.geometry(),
        relu,
    };
    let (output, choice) = (op.output, op.choice);
    let mut session = rig.run(Op::Conv2dForward(op));
    let choice = choice.map(|id| session.get(id).expect("choices"));
    (floats(&mut session, output), choice)
}

fn check(case: &Case, relu: bool) {
    let Case { rows, conv, .. } = case;
    let pixels = conv.input.iter().product();
    let (x, w, bias) = (batch(0, *rows, conv.n, pixels), numbers(1, conv.weights_len()), numbers(2, conv.kernel[0]));
    let (output, choices) = run(case, &x, &w, &bias, relu, true);
    let choices = choices.expect("training has choices");

    let images = wide(&x[..conv.input_len()]);
    let sizes = |values: &[f64]| -> Vec<f64> { values.iter().map(|x| x.abs()).collect() };
    let z = conv.forward(&images, &wide(&w), &wide(&bias));
    let size = conv.forward(&sizes(&images), &sizes(&wide(&w)), &sizes(&wide(&bias)));
    let (largest, _) = case.pool().forward(&z);
    // A maximum is off by no more than the worst of its window.
    let (worst, _) = case.pool().forward(&size);
    let close = |i: usize| bound::product(case.taps() + 1) * worst[i];
    let theirs: Vec<f64> = largest.iter().map(|&x| if relu { x.max(0.0) } else { x }).collect();
    bound::hold(&format!("{case:?} output"), &output[..theirs.len()], &theirs, close);
    assert_dead("output", &output[theirs.len()..]);

    let (live, dead) = choices.split_at(theirs.len());
    assert!(dead.iter().all(|&choice| choice == UNTOUCHED), "{case:?}: a dead choice was written");
    let plane = conv.output().iter().product::<usize>();
    let windows = case.pool().output().iter().product::<usize>();
    for (i, &choice) in live.iter().enumerate() {
        if choice == NO_CHOICE {
            assert!(relu && largest[i] <= close(i), "{case:?}: output {i} has no choice, but is {}", largest[i]);
            continue;
        }
        assert!((choice as usize) < case.window.iter().product(), "{case:?}: choice {choice} of output {i}");
        let chosen = z[i / windows * plane + case.position(i, choice)];
        assert!(chosen >= largest[i] - 2.0 * close(i), "{case:?}: {i} has {chosen}, not {}", largest[i]);
        assert!(!relu || largest[i] >= -close(i), "{case:?}: a gradient would pass where the ReLU is zero");
    }
    let (evaluated, _) = run(case, &x, &w, &bias, relu, false);
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&evaluated), bits(&output), "{case:?}: without choices the outputs are others");
}

#[test]
fn fixed_shapes() {
    for case in convolution::cases() {
        check(&case, false);
        check(&case, true);
    }
}

/// Of equal places the first is chosen; where a ReLU leaves zero, none is.
#[test]
fn ties() {
    for case in convolution::cases() {
        if case.conv.padding != [0, 0] {
            continue;
        }
        let x = vec![0.5; case.rows * case.conv.input.iter().product::<usize>()];
        let w = numbers(1, case.conv.weights_len());
        let bias = vec![0.25; case.conv.kernel[0]];
        let (output, choices) = run(&case, &x, &w, &bias, true, true);
        for (value, choice) in
            output.iter().zip(choices.expect("training has choices")).take(case.conv.n * case.output_len())
        {
            assert_eq!(choice, if *value > 0.0 { 0 } else { NO_CHOICE }, "{case:?}");
        }
        let (_, choices) = run(&case, &x, &w, &bias, false, true);
        let live = &choices.expect("training has choices")[..case.conv.n * case.output_len()];
        assert!(live.iter().all(|&choice| choice == 0), "{case:?}");
    }
}

/// Every place is one chain of fused multiply-adds in the order of the weights, then the bias: to the last bit.
#[test]
fn a_place_is_one_chain() {
    for case in convolution::cases() {
        let case = Case { window: [1, 1], step: [1, 1], ..case };
        let (x, w) =
            (batch(0, case.rows, case.conv.n, case.conv.input.iter().product()), numbers(1, case.conv.weights_len()));
        let bias = numbers(2, case.conv.kernel[0]);
        let (output, _) = run(&case, &x, &w, &bias, false, true);
        let plane = case.conv.output().iter().product::<usize>();
        let mut sums = vec![0.0_f32; case.conv.output_len()];
        case.conv.products(|out, weight, input| sums[out] = x[input].mul_add(w[weight], sums[out]));
        for (i, (ours, sum)) in output.iter().zip(&sums).enumerate() {
            let expected = sum + bias[i / plane % bias.len()];
            assert!((ours - expected).abs() == 0.0, "{case:?}: output {i} is {ours:e}, not {expected:e}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_shape(case in convolution::any(), relu: bool) {
        check(&case, relu);
    }
}
