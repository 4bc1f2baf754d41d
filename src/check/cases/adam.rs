//! Cases of [`adam`](Adam): lengths; first and later steps; with penalty (Adam) and decay (AdamW). Every step is element-wise.

use super::{Case, Draft, LENGTHS, Tolerance, Written, shapes};
use crate::program::{Adam, Element, Op, State};

/// An update of `count` parameters in the run's step `step`, counted from 1.
pub fn case(count: usize, step: i32, weight_decay: f64, decoupled: bool, seed: u32) -> Case {
    let [beta1, beta2] = [0.9_f64, 0.999];
    let mut draft = Draft::new(seed);
    let state = draft.state(State {
        learning_rate: 0.01,
        first_correction: (1.0 / (1.0 - beta1.powi(step))) as f32,
        second_correction: (1.0 / (1.0 - beta2.powi(step)).sqrt()) as f32,
        ..State::default()
    });
    let [parameters, gradients] = ["parameters", "gradients"].map(|name| draft.random(name, &[count]));
    // Before the first step the moments are zero; v is a mean of squares.
    let past = if step == 1 { 0.0 } else { 1.0 };
    let first: Vec<f32> = draft.numbers(count).into_iter().map(|m| past * m).collect();
    let first_moment = draft.tensor("first_moment", &[count], Element::F32, &first);
    let second: Vec<f32> = draft.numbers(count).into_iter().map(|v| past * v * v).collect();
    let second_moment = draft.tensor("second_moment", &[count], Element::F32, &second);
    let op = Op::Adam(Adam {
        state,
        parameters,
        gradients,
        first_moment,
        second_moment,
        beta1,
        beta2,
        epsilon: 1e-8,
        weight_decay,
        decoupled,
    });
    let name = format!("{count} parameters, step {step}, decay {weight_decay}, decoupled {decoupled}, seed {seed}");
    let written = [parameters, first_moment, second_moment];
    draft.case(name, op, written.map(|tensor| Written::first(tensor, count, Tolerance::ELEMENTWISE)).into())
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    let forms = [(1, 0.0, false), (1, 0.01, true), (100, 0.01, false), (100, 0.1, true)];
    let random = shapes(seed, 2, [9_999]).map(|[count]| count);
    let lengths = LENGTHS.into_iter().chain(random);
    lengths.flat_map(|count| forms.map(|(step, decay, decoupled)| case(count, step, decay, decoupled, seed))).collect()
}
