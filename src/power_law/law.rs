//! The law of a curve, and how sure it is.

use super::curve::{Curve, Group, shape};
use super::{Estimate, Law};

/// The law of a curve, with the errors that follow from the linearised least squares; none where they do not exist.
pub(super) fn law(groups: &[Group], curve: Curve, ln_smallest: f64) -> Option<Law> {
    let Curve { b, q, d, bounded, squares } = curve;
    let (ratio, ..) = shape(groups, b, 0.0);
    let count: usize = groups.iter().map(|group| group.losses.len()).sum();
    let largest = groups[groups.len() - 1].distance;
    let scale = d / (1.0 - ratio);
    let (ln_a, c) = (scale.ln() + b * ln_smallest, if bounded { 0.0 } else { q - scale * ratio });
    let twice = largest + std::f64::consts::LN_2;
    let value_at_twice = scale * (-b * twice).exp() + c;

    // Gradients by the free parameters: ln scale and b, and c where it is free.
    let by_parameters = |distance: f64| {
        let power = scale * (-b * distance).exp();
        [power, -distance * power, f64::from(u8::from(!bounded))]
    };
    // For a free c, in the parameters (q, d, b) of the fit, which are the better conditioned.
    let by_curve = |distance: f64| {
        let (_, phi, phi_slope) = shape(groups, b, distance);
        [1.0, phi, d * phi_slope]
    };
    let parameters = if bounded { 2 } else { 3 };
    let mut normal = [[0.0; 3]; 3];
    for group in groups {
        let gradient = if bounded { by_parameters(group.distance) } else { by_curve(group.distance) };
        for (row, first) in normal.iter_mut().zip(gradient) {
            for (cell, second) in row.iter_mut().zip(gradient) {
                *cell += group.losses.len() as f64 * group.weight * first * second;
            }
        }
    }
    if bounded {
        normal[2] = [0.0, 0.0, 1.0];
        (normal[0][2], normal[1][2]) = (0.0, 0.0);
    }
    let inverse = inverse(normal)?;
    let degrees_of_freedom = count - parameters;
    let variance = squares / degrees_of_freedom as f64;
    let error = |gradient: [f64; 3]| {
        let product: f64 = (0..3)
            .flat_map(|i| (0..3).map(move |j| (i, j)))
            .map(|(i, j)| gradient[i] * inverse[i][j] * gradient[j])
            .sum();
        (variance * product).max(0.0).sqrt()
    };
    // d ratio / db, and what follows for scale = d / (1 − ratio) and c = q − scale · ratio.
    let ratio_slope = -largest * ratio;
    let rest = 1.0 - ratio;
    let (ln_a_error, b_error, c_error, twice_error) = if bounded {
        (error([1.0, ln_smallest, 0.0]), error([0.0, 1.0, 0.0]), None, error(by_parameters(twice)))
    } else {
        (
            error([0.0, 1.0 / d, ratio_slope / rest + ln_smallest]),
            error([0.0, 0.0, 1.0]),
            Some(error([1.0, -ratio / rest, -d * ratio_slope / (rest * rest)])),
            error(by_curve(twice)),
        )
    };
    let relative = |group: &Group| (group.mean / (q + d * shape(groups, b, group.distance).1) - 1.0).powi(2);
    let deviation = (groups.iter().map(relative).sum::<f64>() / groups.len() as f64).sqrt();
    let law = Law {
        a: ln_a.exp(),
        ln_a_error,
        b: Estimate { value: b, error: Some(b_error) },
        c: Estimate { value: c, error: c_error },
        degrees_of_freedom,
        deviation,
        at_twice: Estimate { value: value_at_twice, error: Some(twice_error) },
    };
    [law.a, ln_a_error, b_error, c_error.unwrap_or(0.0), twice_error]
        .iter()
        .all(|number| number.is_finite())
        .then_some(law)
}

/// The inverse of a symmetric matrix by its cofactors, once its diagonal is scaled to 1; none where its rows are all but
/// dependent on each other.
fn inverse(matrix: [[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let scales = [0, 1, 2].map(|index| matrix[index][index].sqrt());
    let m = |row: usize, column: usize| matrix[row % 3][column % 3] / (scales[row % 3] * scales[column % 3]);
    let cofactor = |row: usize, column: usize| {
        m(row + 1, column + 1) * m(row + 2, column + 2) - m(row + 1, column + 2) * m(row + 2, column + 1)
    };
    let determinant: f64 = (0..3).map(|column| m(0, column) * cofactor(0, column)).sum();
    // Of a correlation matrix: 1 if nothing depends on anything, 0 if something does wholly.
    (determinant > 1e-12).then(|| {
        let place = |row: usize, column: usize| cofactor(column, row) / determinant / (scales[row] * scales[column]);
        [0, 1, 2].map(|row| [0, 1, 2].map(|column| place(row, column)))
    })
}
