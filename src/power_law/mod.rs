//! A power law of the number of training images, loss(n) = a·n⁻ᵇ + c, fitted by least squares.
//!
//! Written as it stands, the law is badly conditioned: a is the loss of a single image, far outside of what was measured,
//! and for a small b the two terms are nearly the same. So it is fitted as loss(n) = q + d·φ(n), where q is the loss at the
//! largest size, d the fall from the smallest size to it, and φ goes from 1 to 0 between them, curved by b. For every b
//! the best q and d follow from a linear system; b itself is searched for on a grid that leaves no minimum out.

mod curve;
mod law;

use crate::statistics::t_quantile;
use curve::{groups, search};
use law::law;
use serde::Serialize;

/// The fewest sizes that a law of three parameters is fitted to.
pub const SIZES: usize = 4;
/// The exponents among which the best is searched for.
const EXPONENTS: [f64; 2] = [0.01, 10.0];

/// A number and its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Its standard error; none of a number at the bound of what it can be.
    pub error: Option<f64>,
}

/// loss(n) = a·n⁻ᵇ + c.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Law {
    /// The factor.
    pub a: f64,
    /// The standard error of ln a: a, reaching far outside of the sizes, is uncertain by a factor.
    pub ln_a_error: f64,
    /// The exponent.
    pub b: Estimate,
    /// The floor; at least 0, since no loss is less.
    pub c: Estimate,
    /// Measurements less free parameters.
    pub degrees_of_freedom: usize,
    /// How far the means of the sizes lie from the curve, as a share of it, root mean square.
    pub deviation: f64,
    /// The loss at twice the largest size, by the law.
    pub at_twice: Estimate,
}

/// What came of a fit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "outcome")]
pub enum Fit {
    /// The measurements determine the law.
    Determined(Law),
    /// This is the best law, but others far from it would do as well.
    Undetermined {
        /// The best law.
        law: Law,
        /// Why it may be another.
        reason: String,
    },
    /// There is no law.
    None {
        /// Why not.
        reason: String,
    },
}

impl Law {
    /// The loss at a size.
    pub fn at(&self, size: f64) -> f64 {
        // By way of the logarithm: a alone may be huge.
        (self.a.ln() - self.b.value * size.ln()).exp() + self.c.value
    }
}

/// Fits the law to measurements, each a number of images and a loss.
pub fn fit(measurements: &[(u32, f64)]) -> Fit {
    let none = |reason: String| Fit::None { reason };
    let groups = groups(measurements);
    if groups.len() < SIZES {
        return none(format!("it takes at least {SIZES} sizes, not {}", groups.len()));
    }
    if groups.iter().any(|group| group.mean <= 0.0) {
        return none("a loss is 0".into());
    }
    let best = search(&groups);
    if best.d <= 0.0 {
        return none("the loss does not fall as the sizes grow".into());
    }
    let smallest = measurements.iter().map(|(size, _)| *size).min().expect("four sizes at least");
    let Some(law) = law(&groups, best, f64::from(smallest).ln()) else {
        return none("the losses do not tell one exponent from another".into());
    };
    let [low, high] = EXPONENTS;
    if best.b < low * 1.01 {
        return none("the loss falls no faster than by the logarithm of the size, which leaves a, b and c open".into());
    }
    if best.b > high / 1.01 {
        return none("all of the fall is in the first step, which leaves a and b open".into());
    }
    let margin = t_quantile(law.degrees_of_freedom as f64) * law.b.error.unwrap_or(f64::INFINITY);
    if margin < best.b {
        return Fit::Determined(law);
    }
    Fit::Undetermined { law, reason: format!("the 95 % interval of b, {:.2} ± {margin:.2}, reaches 0", best.b) }
}

#[cfg(test)]
mod tests;
