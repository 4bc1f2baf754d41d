use super::{DEAD, assert_dead, batch, bound, rig::Rig, rig::floats, wide};
use crate::reference::random::dropout_mask;
use mnist_gpu::program::{Dropout, Op, State};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Case {
    seed: u32,
    step: u32,
    layer: u32,
    rate: f32,
    /// Rows of the (micro-)batch, those that are live, and the row of the whole batch that the first one is.
    rows: usize,
    live: usize,
    first: usize,
    width: usize,
}

fn check(case: Case) {
    let Case { seed, step, layer, rate, rows, live, first, width } = case;
    let whole = first + rows;
    let x = batch(0, rows, live, width);
    let mut rig = Rig::default();
    // The third batch of an epoch.
    let (offset, batch) = ((2 * whole + first) as u32, whole as u32);
    let op = Dropout {
        state: rig.state(State { seed, step, live: live as u32, offset, ..State::default() }),
        input: rig.f32(&[rows, width], &x),
        output: rig.f32(&[rows, width], &vec![DEAD; rows * width]),
        rate,
        layer,
        batch,
    };
    let output = op.output;
    let mut session = rig.run(Op::Dropout(op));
    let ours = floats(&mut session, output);
    let mask = dropout_mask(seed, layer, step, f64::from(rate), (first + live) * width);
    let theirs: Vec<f64> =
        wide(&x[..live * width]).iter().zip(&mask[first * width..]).map(|(x, factor)| x * factor).collect();
    // The scale and the product with it are three roundings.
    bound::hold(&format!("{case:?}"), &ours[..live * width], &theirs, |i| 4.0 * bound::ROUNDING * theirs[i].abs());
    assert_dead("output", &ours[live * width..]);
}

const CASE: Case = Case { seed: 6, step: 1, layer: 0, rate: 0.25, rows: 1, live: 1, first: 0, width: 1 };

#[test]
fn fixed_shapes() {
    for rate in [0.0, 0.25, 0.5, 0.999] {
        for [rows, live, first, width] in
            [[1, 1, 0, 1], [64, 64, 0, 128], [65, 40, 0, 33], [10, 7, 23, 9], [3, 0, 0, 5]]
        {
            check(Case { rate, rows, live, first, width, ..CASE });
            check(Case { rate, rows, live, first, width, layer: 3, step: 1_000, ..CASE });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_mask(seed: u32, step in 1_u32..1_000, layer in 0_u32..9, rate in 0.0_f32..0.99, live in 0_usize..20, first in 0_usize..50, width in 1_usize..60) {
        check(Case { seed, step, layer, rate, rows: live + 1, live, first, width });
    }
}
