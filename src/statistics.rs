//! Means, their spread, and how sure a difference of two of them is.

use serde::Serialize;
use std::f64::consts::FRAC_PI_2;
use std::ops::Range;

/// What repeated measurements come to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are; at least one.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation (over count − 1); none of a single one.
    pub standard_deviation: Option<f64>,
}

impl Spread {
    /// Of at least one value.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let standard_deviation = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Self { count, mean, standard_deviation }
    }

    /// The variance of the mean; none of a single value.
    pub fn variance_of_mean(&self) -> Option<f64> {
        self.standard_deviation.map(|deviation| deviation.powi(2) / self.count as f64)
    }
}

/// The difference of two means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The second mean less the first.
    pub difference: f64,
    /// Half the width of the 95 % confidence interval around the difference; none where either mean is of a single value.
    pub margin: Option<f64>,
}

impl Change {
    /// From one mean to another, by Welch's t interval ("The generalization of Student's problem when several different
    /// population variances are involved", 1947).
    pub fn between(from: &Spread, to: &Spread) -> Self {
        let margin = from.variance_of_mean().zip(to.variance_of_mean()).map(|(first, second)| {
            let variance = first + second;
            let shares = first.powi(2) / (from.count - 1) as f64 + second.powi(2) / (to.count - 1) as f64;
            // Without any spread there is nothing to be unsure of.
            if variance > 0.0 { t_quantile(variance.powi(2) / shares) * variance.sqrt() } else { 0.0 }
        });
        Self { difference: to.mean - from.mean, margin }
    }
}

/// The number of standard errors on either side that hold 95 % of Student's t distribution with so many degrees of
/// freedom, at least one.
///
/// With t = √ν · tan θ the density becomes cos^(ν − 1) θ, which has neither infinite tails nor constants to know.
pub fn t_quantile(degrees: f64) -> f64 {
    // Beyond, the distribution is the normal one for all purposes, and too narrow for the integral.
    let degrees = degrees.min(1e4);
    let density = |angle: f64| angle.cos().max(0.0).powf(degrees - 1.0);
    let half = integral(&density, 0.0, FRAC_PI_2);
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if integral(&density, 0.0, middle) < 0.95 * half { low = middle } else { high = middle }
    }
    degrees.sqrt() * low.tan()
}

/// Simpson's rule.
fn integral(function: &dyn Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    const PARTS: u32 = 1_000;
    let width = (to - from) / f64::from(PARTS);
    let weight = |part: u32| if part == 0 || part == PARTS { 1.0 } else { f64::from(2 + 2 * (part % 2)) };
    (0..=PARTS).map(|part| weight(part) * function(from + width * f64::from(part))).sum::<f64>() * width / 3.0
}

/// The mean of each value's neighbourhood: itself and up to `reach` values on each side, fewer at the ends.
pub fn moving_mean(values: &[f32], reach: usize) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values {
        sums.push(sums[sums.len() - 1] + f64::from(*value));
    }
    let around = |index: usize| {
        let (first, end) = (index.saturating_sub(reach), (index + reach + 1).min(values.len()));
        (sums[end] - sums[first]) / (end - first) as f64
    };
    (0..values.len()).map(around).collect()
}

/// Where the share lies of which `hits` of `count` are a sample, with 95 % confidence (Wilson's score interval, 1927).
pub fn wilson(hits: u64, count: u64) -> Range<f64> {
    const Z: f64 = 1.959_963_985;
    if count == 0 {
        return 0.0..1.0;
    }
    let (n, share) = (count as f64, hits as f64 / count as f64);
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    (middle - half).max(0.0)..(middle + half).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn a_moving_mean_is_shorter_at_the_ends() {
        // (1 + 2) / 2, (1 + 2 + 6) / 3, (2 + 6 + 4) / 3, (6 + 4) / 2.
        assert_eq!(moving_mean(&[1.0, 2.0, 6.0, 4.0], 1), [1.5, 3.0, 4.0, 5.0]);
        assert_eq!(moving_mean(&[1.0, 2.0, 6.0], 0), [1.0, 2.0, 6.0]);
        assert_eq!(moving_mean(&[1.0, 2.0, 6.0], 9), [3.0; 3]);
        assert!(moving_mean(&[], 3).is_empty());
    }

    #[test]
    fn wilsons_interval_is_known() {
        // 8 of 10: (0.8 + 0.19207) / 1.38415 ± 1.95996 / 1.38415 · √(0.016 + 0.0096036).
        let interval = wilson(8, 10);
        assert_relative_eq!(interval.start, 0.490_16, epsilon = 1e-5);
        assert_relative_eq!(interval.end, 0.943_32, epsilon = 1e-5);
        assert_eq!((wilson(0, 10).start, wilson(10, 10).end, wilson(0, 0)), (0.0, 1.0, 0.0..1.0));
    }

    #[test]
    fn the_spread_is_the_samples() {
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((spread.count, spread.mean), (8, 5.0));
        assert_relative_eq!(spread.standard_deviation.expect("several"), (32.0_f64 / 7.0).sqrt());
        assert_eq!(Spread::of(&[3.0]), Spread { count: 1, mean: 3.0, standard_deviation: None });
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // Welch's degrees of freedom are seldom whole.
        let table =
            [(1.0, 12.706), (1.5, 6.017), (2.0, 4.303), (3.0, 3.182), (10.0, 2.228), (1e4, 1.960), (1e12, 1.960)];
        for (degrees, quantile) in table {
            assert_relative_eq!(t_quantile(degrees), quantile, max_relative = 3e-4);
        }
    }

    /// `scipy.stats` gives the same by `ttest_ind(…, equal_var=False).confidence_interval()`.
    #[test]
    fn a_change_has_welchs_interval() {
        let from = Spread::of(&[24.5, 23.5, 26.4, 27.1, 29.9]);
        let to = Spread::of(&[28.4, 34.2, 29.5, 32.2, 30.1]);
        let change = Change::between(&from, &to);
        assert_relative_eq!(change.difference, 4.6, max_relative = 1e-12);
        assert_relative_eq!(change.margin.expect("several"), 3.504_683, max_relative = 1e-4);
        assert_eq!(Change::between(&from, &Spread::of(&[30.0])).margin, None);
        let same = Spread::of(&[1.0, 1.0]);
        assert_eq!(Change::between(&same, &same), Change { difference: 0.0, margin: Some(0.0) });
    }
}
