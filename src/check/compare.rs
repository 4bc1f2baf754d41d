//! Holds the memory that a device leaves against that of the reference.

use super::{Case, Tolerance, Written};
use crate::program::{Element, TensorId};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// One number of a case, as two devices have it.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// The case.
    pub case: String,
    /// The tensor.
    pub tensor: String,
    /// The element's place in the tensor.
    pub index: usize,
    /// What the reference has; what was there before, where the op writes nothing.
    pub reference: f64,
    /// What the device has.
    pub found: f64,
    /// How far apart they may be.
    pub bound: f64,
    /// How far apart they are; infinite where one is not a number that the other is.
    pub error: f64,
    /// error / bound: above 1 they do not agree.
    pub ratio: f64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { case, tensor, index, reference, found, bound, error, ratio } = self;
        write!(
            f,
            "case {case}, {tensor}[{index}]: {found:e}, reference {reference:e}, error {error:.3e}, bound {bound:.3e} (ratio {ratio:.3})"
        )
    }
}

/// What came of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Numbers compared.
    pub compared: usize,
    /// Those beyond their bound.
    pub beyond: usize,
    /// Where error / bound is largest; none when nothing differs.
    pub worst: Option<Place>,
}

impl Comparison {
    /// Takes up the results of another one.
    pub fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.beyond += other.beyond;
        if let Some(place) = other.worst {
            self.note(place);
        }
    }

    fn note(&mut self, place: Place) {
        if self.worst.as_ref().is_none_or(|worst| place.ratio > worst.ratio) {
            self.worst = Some(place);
        }
    }
}

/// Compares what two devices left of a case's tensors: every word, within the tolerance of what the op writes, bit for bit
/// elsewhere. `magnitudes` are the contents after [`Case::magnitudes`].
pub fn compare(case: &Case, reference: &[Vec<u8>], found: &[Vec<u8>], magnitudes: Option<&[Vec<u8>]>) -> Comparison {
    let mut all = Comparison::default();
    for (index, tensor) in case.program.tensors.iter().enumerate().filter(|(_, tensor)| tensor.view.is_none()) {
        let [before, reference, found] =
            [&case.contents[index], &reference[index], &found[index]].map(|bytes| words(bytes));
        let magnitudes = magnitudes.map(|contents| words(&contents[index]));
        assert!(before.len() == reference.len() && before.len() == found.len(), "{} is whole", tensor.name);
        let float = tensor.element == Element::F32;
        let value = |word: u32| if float { f32::from_bits(word).into() } else { f64::from(word) };
        let parts = written(case, TensorId(index as u32));
        for word in 0..before.len() {
            let part = parts.iter().find(|(range, _)| range.contains(&word));
            // Where the op has nothing to write, a reference that writes is as wrong as a device that does.
            let (expected, observed) = match part {
                None if reference[word] != before[word] => (before[word], reference[word]),
                None => (before[word], found[word]),
                Some(_) => (reference[word], found[word]),
            };
            all.compared += 1;
            if expected == observed {
                continue;
            }
            let [reference, found] = [expected, observed].map(value);
            let magnitude = magnitudes.as_ref().map_or(0.0, |words| value(words[word]));
            let bound = part.and_then(|(range, part)| part.tolerance.bound(word - range.start, reference, magnitude));
            let (error, ratio) = difference(reference, found, bound);
            all.beyond += usize::from(ratio > 1.0);
            if ratio != 0.0 {
                // A view goes by its own name.
                let (tensor, index) = part.map_or((tensor, word), |(range, part)| {
                    (case.program.tensor(part.tensor), part.elements.start + word - range.start)
                });
                let (case, tensor, bound) = (case.name.clone(), tensor.name.clone(), bound.unwrap_or(0.0));
                all.note(Place { case, tensor, index, reference, found, bound, error, ratio });
            }
        }
    }
    all
}

/// The ranges of words of a tensor that the op may write, each with its tolerance.
fn written(case: &Case, owner: TensorId) -> Vec<(Range<usize>, &Written)> {
    let parts = case.written.iter().filter_map(|part| {
        let (of, offset, _) = case.program.place(part.tensor);
        let start = offset / 4 + part.elements.start;
        (of == owner).then_some((start..start + part.elements.len(), part))
    });
    parts.collect()
}

impl Tolerance {
    /// The bound of an element; none where the bits must be the same.
    fn bound(&self, index: usize, reference: f64, magnitude: f64) -> Option<f64> {
        match self {
            Self::Exact => None,
            Self::Near { relative, absolute } => Some(relative * reference.abs() + absolute),
            Self::Sum { factor } => Some(factor * magnitude.abs()),
            Self::Each(bounds) => Some(bounds[index]),
        }
    }
}

/// The error of a number whose bits are not those of the reference, and what share of the bound it is.
fn difference(reference: f64, found: f64, bound: Option<f64>) -> (f64, f64) {
    let error = match (reference - found).abs() {
        _ if reference.is_nan() && found.is_nan() => 0.0,
        error if error.is_finite() => error,
        _ => f64::INFINITY,
    };
    let ratio = match bound {
        Some(_) if error == 0.0 => 0.0,
        Some(bound) => error / bound,
        None => f64::INFINITY,
    };
    // A bound that is not a number holds nothing.
    (error, if ratio.is_nan() { f64::INFINITY } else { ratio })
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytemuck::pod_collect_to_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::Draft;
    use super::*;
    use crate::program::{InitUniform, Op};

    /// Four numbers of which an op writes the first three.
    fn case(tolerance: Tolerance) -> Case {
        let mut draft = Draft::new(1);
        let output = draft.tensor("output", &[4], Element::F32, &[0.0_f32; 4]);
        let op = Op::InitUniform(InitUniform { state: output, output, bound: 1.0, stream: 0 });
        draft.case("doctored".into(), op, vec![Written::first(output, 3, tolerance)])
    }

    fn outcome(tolerance: Tolerance, reference: [f32; 4], found: [f32; 4]) -> Comparison {
        let [reference, found] = [reference, found].map(|values| vec![bytemuck::cast_slice(&values).to_vec()]);
        let magnitudes = vec![bytemuck::cast_slice(&[100.0_f32, 1.0, 1.0, 1.0]).to_vec()];
        compare(&case(tolerance), &reference, &found, Some(&magnitudes))
    }

    #[test]
    fn equal_memory_agrees() {
        let values = [1.0, f32::NAN, f32::NEG_INFINITY, 0.0];
        let result = outcome(Tolerance::Exact, values, values);
        assert_eq!((result.compared, result.beyond), (4, 0));
        assert!(result.worst.is_none());
    }

    #[test]
    fn one_value_beyond_its_bound_is_found_and_placed() {
        let near = Tolerance::Near { relative: 0.1, absolute: 0.0 };
        let result = outcome(near.clone(), [1.0, 2.0, 3.0, 0.0], [1.05, 2.3, 3.0, 0.0]);
        let worst = result.worst.expect("a difference");
        assert_eq!((result.beyond, worst.tensor.as_str(), worst.index), (1, "output", 1));
        assert_eq!((worst.reference, worst.found), (2.0, f64::from(2.3_f32)));
        assert!((worst.ratio - 1.5).abs() < 1e-5 && worst.to_string().contains("output[1]"), "{worst}");
        assert_eq!(outcome(near, [1.0, 2.0, 3.0, 0.0], [1.05, 2.1, 3.0, 0.0]).beyond, 0);
    }

    #[test]
    fn the_last_bit_counts_where_results_are_exact() {
        let next = f32::from_bits(1.0_f32.to_bits() + 1);
        assert_eq!(outcome(Tolerance::Exact, [1.0; 4].map(|_| 0.0), [0.0, -0.0, 0.0, 0.0]).beyond, 1);
        assert_eq!(outcome(Tolerance::Exact, [1.0, 0.0, 0.0, 0.0], [next, 0.0, 0.0, 0.0]).beyond, 1);
        assert_eq!(outcome(Tolerance::ELEMENTWISE, [1.0, 0.0, 0.0, 0.0], [next, -0.0, 0.0, 0.0]).beyond, 0);
    }

    #[test]
    fn a_row_that_is_not_live_must_keep_its_bits() {
        let touched = [0.0, 0.0, 0.0, 1e-30];
        let result = outcome(Tolerance::ELEMENTWISE, [0.0; 4], touched);
        assert_eq!((result.beyond, result.worst.expect("a difference").index), (1, 3));
        assert_eq!(outcome(Tolerance::ELEMENTWISE, touched, [0.0; 4]).beyond, 1, "the reference too");
        assert_eq!(outcome(Tolerance::ELEMENTWISE, touched, touched).beyond, 1, "both alike too");
    }

    #[test]
    fn numbers_that_are_not_finite_must_match_in_kind() {
        let beyond = |reference, found| {
            outcome(Tolerance::Each(vec![f64::INFINITY; 3]), [reference, 0.0, 0.0, 0.0], [found, 0.0, 0.0, 0.0]).beyond
        };
        assert_eq!(beyond(1.0, f32::NAN), 1);
        assert_eq!(beyond(f32::NAN, 1.0), 1);
        assert_eq!(beyond(f32::INFINITY, f32::NEG_INFINITY), 1);
        assert_eq!(beyond(f32::INFINITY, 1.0), 1);
        assert_eq!(beyond(f32::NAN, -f32::NAN), 0);
        assert_eq!(beyond(f32::INFINITY, f32::INFINITY), 0);
    }

    #[test]
    fn a_sum_is_bounded_by_its_terms_and_not_by_its_result() {
        let sum = Tolerance::Sum { factor: 0.01 };
        assert_eq!(outcome(sum.clone(), [0.0; 4], [0.9, 0.0, 0.0, 0.0]).beyond, 0);
        assert_eq!(outcome(sum, [0.0; 4], [0.0, 0.9, 0.0, 0.0]).beyond, 1);
    }

    #[test]
    fn a_bound_that_is_not_a_number_holds_nothing() {
        assert_eq!(outcome(Tolerance::Each(vec![f64::NAN; 3]), [0.0; 4], [1.0, 0.0, 0.0, 0.0]).beyond, 1);
        assert_eq!(outcome(Tolerance::Each(vec![0.0; 3]), [0.0; 4], [1.0, 0.0, 0.0, 0.0]).beyond, 1);
    }
}
