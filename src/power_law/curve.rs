//! The best curve q + d·φ(n) for an exponent, and the best exponent.

use super::EXPONENTS;

/// How many steps the search takes through the exponents, evenly in their logarithm.
const STEPS: u32 = 300;

/// Measurements of one size.
pub(super) struct Group {
    /// ln(n / smallest n).
    pub distance: f64,
    pub losses: Vec<f64>,
    pub mean: f64,
    /// Of each measurement: the inverse square of the mean, so that every size counts by its relative deviation. The
    /// losses span orders of magnitude; unweighted, the largest alone would decide.
    pub weight: f64,
}

/// The best curve for one exponent.
#[derive(Clone, Copy)]
pub(super) struct Curve {
    pub b: f64,
    /// The loss at the largest size.
    pub q: f64,
    /// The fall from the smallest size to it.
    pub d: f64,
    /// Whether c would be below 0 and was held there.
    pub bounded: bool,
    /// The weighted sum of squared residuals.
    pub squares: f64,
}

pub(super) fn groups(measurements: &[(u32, f64)]) -> Vec<Group> {
    let mut sizes: Vec<u32> = measurements.iter().map(|(size, _)| *size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let group = |&size: &u32| {
        let of_size = measurements.iter().filter(|(other, _)| *other == size);
        let losses: Vec<f64> = of_size.map(|(_, loss)| *loss).collect();
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        Group { distance: (f64::from(size) / f64::from(sizes[0])).ln(), losses, mean, weight: mean.powi(-2) }
    };
    sizes.iter().map(group).collect()
}

/// The best exponent: the best of a grid, refined between its neighbours.
pub(super) fn search(groups: &[Group]) -> Curve {
    let [low, high] = EXPONENTS.map(f64::ln);
    let step = (high - low) / f64::from(STEPS);
    let at = |place: f64| curve(groups, place.clamp(low, high).exp());
    let grid = (0..=STEPS).map(|index| low + step * f64::from(index));
    let squares = |place: &f64| at(*place).squares;
    let best = grid.min_by(|a, b| squares(a).total_cmp(&squares(b))).expect("a grid has points");
    // Ternary search within the two steps around it.
    let (mut from, mut to) = (best - step, best + step);
    for _ in 0..100 {
        let third = (to - from) / 3.0;
        if squares(&(from + third)) < squares(&(to - third)) { to -= third } else { from += third }
    }
    at(f64::midpoint(from, to))
}

/// n⁻ᵇ at the largest size relative to the smallest, and φ at a distance, with its slope in b.
pub(super) fn shape(groups: &[Group], b: f64, distance: f64) -> (f64, f64, f64) {
    let largest = groups[groups.len() - 1].distance;
    // 1 − e^(−x), exact for small x.
    let fallen = |distance: f64| -(-b * distance).exp_m1();
    let slope = |distance: f64| distance * (-b * distance).exp();
    let (part, whole) = (fallen(distance), fallen(largest));
    let phi = 1.0 - part / whole;
    let phi_slope = (part * slope(largest) / whole - slope(distance)) / whole;
    (1.0 - whole, phi, phi_slope)
}

/// The best q and d for an exponent.
fn curve(groups: &[Group], b: f64) -> Curve {
    let (ratio, ..) = shape(groups, b, 0.0);
    let phi = |group: &Group| shape(groups, b, group.distance).1;
    let sum = |term: &dyn Fn(&Group) -> f64| -> f64 {
        groups.iter().map(|group| group.losses.len() as f64 * group.weight * term(group)).sum()
    };
    let (s0, s1, s2) = (sum(&|_| 1.0), sum(&phi), sum(&|group| phi(group).powi(2)));
    let (t0, t1) = (sum(&|group| group.mean), sum(&|group| group.mean * phi(group)));
    let mut d = (s0 * t1 - s1 * t0) / (s0 * s2 - s1 * s1);
    let mut q = (t0 - s1 * d) / s0;
    // c = q − d·ratio / (1 − ratio) is no loss if it is below 0.
    let bounded = d > 0.0 && q < d * ratio / (1.0 - ratio);
    if bounded {
        let power = |group: &Group| (-b * group.distance).exp();
        let a = sum(&|group| group.mean * power(group)) / sum(&|group| power(group).powi(2));
        (q, d) = (a * ratio, a * (1.0 - ratio));
    }
    let residual = |group: &Group, loss: f64| group.weight * (loss - q - d * phi(group)).powi(2);
    let squares = groups.iter().flat_map(|group| group.losses.iter().map(move |loss| residual(group, *loss))).sum();
    Curve { b, q, d, bounded, squares }
}
