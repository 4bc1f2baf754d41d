use super::{bound, numbers, rig::Rig, rig::floats, wide};
use crate::reference::optimizer;
use mnist_gpu::program::{Op, Sgd, State};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Case {
    len: usize,
    rate: f32,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
}

/// One step from a velocity that is not zero (where there is one).
fn check(case: Case) {
    let Case { len, rate, momentum, nesterov, weight_decay } = case;
    let (start, gradients, velocity) = (numbers(0, len), numbers(1, len), numbers(2, len));
    let mut rig = Rig::default();
    let op = Sgd {
        state: rig.state(State { learning_rate: rate, ..State::default() }),
        parameters: rig.f32(&[len], &start),
        gradients: rig.f32(&[len], &gradients),
        velocity: (momentum != 0.0).then(|| rig.f32(&[len], &velocity)),
        momentum,
        nesterov,
        weight_decay,
    };
    let (parameters, held) = (op.parameters, op.velocity);
    let mut session = rig.run(Op::Sgd(op));

    let (start, gradients) = (wide(&start), wide(&gradients));
    let memory = if momentum == 0.0 { vec![0.0; len] } else { wide(&velocity) };
    let mut oracle = optimizer::Sgd { momentum, nesterov, weight_decay, velocity: memory.clone() };
    let (rate, mut theirs) = (f64::from(rate), start.clone());
    oracle.step(rate, &mut theirs, &gradients);
    let gradient = |i: usize| gradients[i].abs() + weight_decay * start[i].abs();
    let velocity = |i: usize| momentum * memory[i].abs() + gradient(i);
    let step = |i: usize| if nesterov { gradient(i) + momentum * velocity(i) } else { velocity(i) };
    let close = |i: usize| bound::UPDATE * (start[i].abs() + rate * step(i));
    bound::hold(&format!("{case:?} parameters"), &floats(&mut session, parameters), &theirs, close);
    if let Some(id) = held {
        let close = |i: usize| bound::UPDATE * velocity(i);
        bound::hold(&format!("{case:?} velocity"), &floats(&mut session, id), &oracle.velocity, close);
    }
}

const PLAIN: Case = Case { len: 1, rate: 0.05, momentum: 0.0, nesterov: false, weight_decay: 0.0 };

#[test]
fn fixed_sizes() {
    // 40,000 elements are more than one thread takes at a time.
    for len in [1, 3, 64, 257, 40_000] {
        for weight_decay in [0.0, 1e-4, 0.1] {
            check(Case { len, weight_decay, ..PLAIN });
            check(Case { len, weight_decay, momentum: 0.9, ..PLAIN });
            check(Case { len, weight_decay, momentum: 0.9, nesterov: true, ..PLAIN });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_setting(len in 1_usize..200, rate in 1e-5_f32..1.0, momentum in 0.0..0.999, nesterov: bool, weight_decay in 0.0..0.5) {
        check(Case { len, rate, momentum, nesterov: nesterov && momentum > 0.0, weight_decay });
    }
}
