use super::{bound, numbers, rig::Rig, rig::floats, wide};
use crate::reference::optimizer;
use mnist_gpu::program::{Adam, Op, State};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Case {
    len: usize,
    rate: f32,
    /// Steps before this one; without any the moments are zero.
    steps: i32,
    betas: [f64; 2],
    weight_decay: f64,
    decoupled: bool,
}

fn check(case: Case) {
    let Case { len, rate, steps, betas, weight_decay, decoupled } = case;
    let (start, gradients) = (numbers(0, len), numbers(1, len));
    let memory = |values: Vec<f32>| if steps == 0 { vec![0.0; len] } else { values };
    let first = memory(numbers(2, len));
    let second = memory(numbers(3, len).iter().map(|x| x * x).collect());
    let remaining = betas.map(|beta| 1.0 - beta.powi(steps + 1));
    let state = State {
        learning_rate: rate,
        first_correction: (1.0 / remaining[0]) as f32,
        second_correction: (1.0 / remaining[1].sqrt()) as f32,
        ..State::default()
    };
    let mut rig = Rig::default();
    let op = Adam {
        state: rig.state(state),
        parameters: rig.f32(&[len], &start),
        gradients: rig.f32(&[len], &gradients),
        first_moment: rig.f32(&[len], &first),
        second_moment: rig.f32(&[len], &second),
        beta1: betas[0],
        beta2: betas[1],
        epsilon: 1e-8,
        weight_decay,
        decoupled,
    };
    let (parameters, moments) = (op.parameters, [op.first_moment, op.second_moment]);
    let mut session = rig.run(Op::Adam(op));

    let (start, gradients, first, second) = (wide(&start), wide(&gradients), wide(&first), wide(&second));
    let mut oracle = optimizer::Adam {
        betas,
        steps,
        moments: [first.clone(), second.clone()],
        ..optimizer::Adam::new(weight_decay, decoupled)
    };
    let (rate, mut theirs) = (f64::from(rate), start.clone());
    oracle.step(rate, &mut theirs, &gradients);
    // Bounds are of the sizes of the terms: a sum of a few may cancel.
    let gradient = |i: usize| gradients[i].abs() + if decoupled { 0.0 } else { weight_decay * start[i].abs() };
    let m = |i: usize| betas[0] * first[i].abs() + (1.0 - betas[0]) * gradient(i);
    let v = |i: usize| betas[1] * second[i] + (1.0 - betas[1]) * gradient(i) * gradient(i);
    let update = |i: usize| rate * m(i) / remaining[0] / ((oracle.moments[1][i] / remaining[1]).sqrt() + 1e-8);
    for (name, id, theirs, size) in
        [("m", moments[0], &oracle.moments[0], &m as &dyn Fn(usize) -> f64), ("v", moments[1], &oracle.moments[1], &v)]
    {
        let close = |i: usize| bound::UPDATE * size(i);
        bound::hold(&format!("{case:?} {name}"), &floats(&mut session, id), theirs, close);
    }
    // √v is off by as much as v is, relative to itself: where a penalty nearly cancels the gradient, by more than that.
    let close = |i: usize| bound::UPDATE * (start[i].abs() + update(i) * v(i) / oracle.moments[1][i]);
    bound::hold(&format!("{case:?} parameters"), &floats(&mut session, parameters), &theirs, close);
}

const CASE: Case = Case { len: 1, rate: 1e-3, steps: 0, betas: [0.9, 0.999], weight_decay: 0.0, decoupled: false };

#[test]
fn fixed_sizes() {
    // 40,000 elements are more than one thread takes at a time.
    for len in [1, 3, 64, 257, 40_000] {
        for steps in [0, 1, 10_000] {
            for (weight_decay, decoupled) in [(0.0, false), (1e-4, false), (0.01, true)] {
                check(Case { len, steps, weight_decay, decoupled, ..CASE });
                check(Case { len, steps, weight_decay, decoupled, betas: [0.7, 0.9], rate: 0.01 });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_setting(len in 1_usize..200, rate in 1e-5_f32..0.1, steps in 0..1_000, beta1 in 0.0..0.99, beta2 in 0.5..0.9999, weight_decay in 0.0..0.5, decoupled: bool) {
        check(Case { len, rate, steps, betas: [beta1, beta2], weight_decay, decoupled });
    }
}
