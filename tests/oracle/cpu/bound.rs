//! How far an op in f32 may be from its formula in f64, and the comparison that says where it is not.

use crate::reference::random::signed;

/// One rounding to f32, relative to the result.
pub const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

/// Element-wise f32, relative to the result: what PyTorch's `assert_close` allows, some ten roundings.
pub const RTOL: f64 = 1.3e-6;
/// Element-wise f32, of operands near 1: the same source.
pub const ATOL: f64 = 1e-5;

/// An update by an optimizer, relative to the sum of the sizes of its terms: it is some ten operations, each with a
/// rounding or an inexact constant (0.9 in f32), twice that where a square or a root doubles or halves what came before.
/// ATOL would let an update by a small learning rate be wrong altogether.
pub const UPDATE: f64 = 16.0 * ROUNDING;

/// A sum of `terms` products, relative to Σ|aᵢbᵢ|: c · √terms · ε with c = 1. Every step of the chain rounds by at most
/// ε/2 of a partial sum; the errors add up like a random walk.
pub fn product(terms: usize) -> f64 {
    (terms as f64).sqrt() * f64::from(f32::EPSILON)
}

/// Holds a tensor against the oracle's; `bound(index)` says how far an element may be off.
///
/// # Errors
/// The first element that is further off: tensor, index, both values and the bound.
pub fn compare(tensor: &str, ours: &[f32], theirs: &[f64], bound: impl Fn(usize) -> f64) -> Result<(), String> {
    if ours.len() != theirs.len() {
        return Err(format!("{tensor}: {} elements, the oracle has {}", ours.len(), theirs.len()));
    }
    for (index, (&ours, &theirs)) in ours.iter().zip(theirs).enumerate() {
        let (away, bound) = ((f64::from(ours) - theirs).abs(), bound(index));
        if away.is_nan() || away > bound {
            return Err(format!("{tensor}[{index}]: ours {ours:e}, the oracle's {theirs:e}, bound {bound:e}"));
        }
    }
    Ok(())
}

/// Asserts what [`compare`] finds.
pub fn hold(tensor: &str, ours: &[f32], theirs: &[f64], bound: impl Fn(usize) -> f64) {
    compare(tensor, ours, theirs, bound).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn one_wrong_element_is_found_and_named() {
    let theirs = signed(0, 100);
    let mut ours: Vec<f32> = theirs.iter().map(|&x| x as f32).collect();
    let rounding = |i: usize| ROUNDING * theirs[i].abs();
    assert_eq!(compare("w", &ours, &theirs, rounding), Ok(()));
    assert!(compare("w", &ours[1..], &theirs, rounding).is_err());
    let right = ours[61];
    for wrong in [right * (1.0 + f32::EPSILON), -right, f32::NAN, f32::INFINITY] {
        ours[61] = wrong;
        let error = compare("w", &ours, &theirs, rounding).expect_err("a wrong element must be found");
        assert!(error.starts_with("w[61]: ours") && error.contains("bound"), "{error}");
    }
}
