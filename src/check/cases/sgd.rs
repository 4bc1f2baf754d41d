//! Cases of [`sgd`](Sgd): lengths; with and without momentum, Nesterov's and weight decay. Every step is element-wise.

use super::{Case, Draft, LENGTHS, Tolerance, Written, shapes};
use crate::program::{Op, Sgd, State};

/// An update of `count` parameters.
pub fn case(count: usize, momentum: f64, nesterov: bool, weight_decay: f64, seed: u32) -> Case {
    let mut draft = Draft::new(seed);
    let state = draft.state(State { learning_rate: 0.1, ..State::default() });
    let [parameters, gradients] = ["parameters", "gradients"].map(|name| draft.random(name, &[count]));
    let velocity = (momentum > 0.0).then(|| draft.random("velocity", &[count]));
    let op = Op::Sgd(Sgd { state, parameters, gradients, velocity, momentum, nesterov, weight_decay });
    let name =
        format!("{count} parameters, momentum {momentum}, nesterov {nesterov}, decay {weight_decay}, seed {seed}");
    let written = [Some(parameters), velocity].into_iter().flatten();
    draft.case(name, op, written.map(|tensor| Written::first(tensor, count, Tolerance::ELEMENTWISE)).collect())
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    let forms = [(0.0, false, 0.0), (0.0, false, 0.01), (0.9, false, 0.0), (0.9, true, 0.0), (0.5, true, 0.1)];
    let random = shapes(seed, 2, [9_999]).map(|[count]| count);
    let lengths = LENGTHS.into_iter().chain(random);
    lengths
        .flat_map(|count| forms.map(|(momentum, nesterov, decay)| case(count, momentum, nesterov, decay, seed)))
        .collect()
}
