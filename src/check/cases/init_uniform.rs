//! Cases of [`init_uniform`](InitUniform): lengths, streams, bounds and seeds.

use super::{Case, Draft, LENGTHS, Tolerance, Written, shapes};
use crate::program::{InitUniform, Op, State};

/// Roundings of a result, in units of the bound: the random bits and 2u − 1 are exact and the product rounds once, but a
/// driver may fuse it with the difference, which rounds at the size of the bound.
const ROUNDINGS: f64 = f32::EPSILON as f64;

/// A tensor of `count` elements.
pub fn case(count: usize, bound: f32, stream: u32, seed: u32) -> Case {
    let mut draft = Draft::new(seed);
    let state = draft.state(State::at(seed, 0, 0, 1));
    let output = draft.random("output", &[count]);
    let tolerance = Tolerance::Near { relative: 0.0, absolute: f64::from(bound) * ROUNDINGS };
    let op = Op::InitUniform(InitUniform { state, output, bound, stream });
    let name = format!("{count} numbers, bound {bound}, stream {stream}, seed {seed}");
    draft.case(name, op, vec![Written::first(output, count, tolerance)])
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    let lengths = LENGTHS.map(|count| case(count, 0.1, 1, seed));
    let keys = [(1.0, 0, 0), (1e-3, u32::MAX, u32::MAX), (0.25, 7, 1 << 31)];
    let keys = keys.map(|(bound, stream, seed)| case(100, bound, stream, seed));
    let random = shapes(seed, 4, [5_000, 40]).map(|[count, stream]| case(count, 0.5, stream as u32, !seed));
    lengths.into_iter().chain(keys).chain(random).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Element;

    #[test]
    fn weights_that_are_no_floats_are_refused() {
        let mut wrong = case(8, 1.0, 0, 0);
        assert!(wrong.program.validate().is_ok());
        wrong.program.tensors[1].element = Element::U8;
        let error = wrong.program.validate().expect_err("bytes").to_string();
        assert!(error.contains("output must be F32"), "{error}");
    }
}
